"""Run as a program of its own: HDF5 on standard input -> groups, attributes and arrays on output.

libhdf5 is written in C and crashes on some damaged files (a few bytes changed are enough). In a process of
its own that costs an error message, not the user's session. `hdf5.py` starts this program and reads what it
writes; nothing of this package is imported here.

Arguments: limit of bytes of all arrays, limit of bytes of all texts, then names of members of the root to be read.
A name as Windows joins paths, `layers\\dense`, stands for its first part.

Output: the length of a JSON text as 8 bytes, lowest first; the text, in UTF-8; the arrays, one after another. A group
is {"attributes": {name: text or list of texts}, "members": {name: group, array, or text that says why it cannot be
read}}, an array {"dtype": name, "shape": list, "at": offset behind the JSON}. "bfloat16" are two bytes each.
"""

import contextlib
import io
import json
import math
import signal
import sys

import h5py
import numpy as np

MAX_DEPTH = 100
MAX_MEMBERS = 100_000
# Processor time for a file, and for each of its bytes: a damaged one can keep libhdf5 busy for minutes. An intact one
# of 50 KB takes 0.03 s.
CPU_S, CPU_S_PER_BYTE = 0.5, 1e-7
# Memory for a file, and for each of its bytes: texts of variable length say anything of their size, and libhdf5
# allocates it.
DATA_BYTES, DATA_BYTES_PER_BYTE = 400 << 20, 12


class Dump:
    """What has been read so far, and how much of the limits is left."""

    def __init__(self, max_bytes: int, max_text_bytes: int):
        self.arrays: list[np.ndarray] = []
        self.n_bytes = 0
        self.max_bytes = max_bytes
        self.text_bytes_left = self.max_text_bytes = max_text_bytes
        self.members_left = MAX_MEMBERS

    def group(self, group: h5py.Group, depth: int = 0, only: tuple[str, ...] = ()) -> dict:
        """Return a group as JSON; `only` names the members wanted, all if empty."""
        members = {}
        for name in group:
            if only and name.partition("\\")[0] not in only:
                continue
            self.members_left -= 1
            self._count_text(len(name), name)
            if depth > MAX_DEPTH or self.members_left < 0:
                raise ValueError(
                    f"more than {MAX_DEPTH} levels of groups, or more than {MAX_MEMBERS} members"
                )
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                members[name] = "a link, which is never followed"
                continue
            member = group[name]
            is_group = isinstance(member, h5py.Group)
            members[name] = self.group(member, depth + 1) if is_group else self.dataset(member)
        return {"attributes": self.attributes(group), "members": members}

    def attributes(self, group: h5py.Group) -> dict:
        """Return those attributes that are text or lists of text."""
        found = {}
        for name in group.attrs:
            attribute = group.attrs.get_id(name)
            if attribute.dtype.kind not in "OS":
                continue
            self._count_text(elements(attribute.shape) * attribute.dtype.itemsize, name)
            value = group.attrs[name]
            texts = [text(v) for v in value.ravel()] if isinstance(value, np.ndarray) else [text(value)]
            self._count_text(sum(map(len, texts)), name)
            found[name] = texts if isinstance(value, np.ndarray) else texts[0]
        return found

    def _count_text(self, n_bytes: int, name: str) -> None:
        self.text_bytes_left -= n_bytes
        if self.text_bytes_left < 0:
            raise ValueError(
                f"texts of more than {self.max_text_bytes} bytes, the last is attribute {name[:80]}"
            )

    def dataset(self, dataset) -> dict | str:
        """Keep an array and return where it will be, or return why it is not read."""
        if not isinstance(dataset, h5py.Dataset):
            return f"a {type(dataset).__name__.lower()}"
        if dataset.is_virtual or dataset.external:
            return "kept in another file, which is never opened"
        is_bfloat16 = _is_bfloat16(dataset)
        if dataset.dtype.kind not in "fiu" and not is_bfloat16:
            return f"no numbers but {dataset.dtype}"
        n_bytes = elements(dataset.shape) * dataset.dtype.itemsize
        if self.n_bytes + n_bytes > self.max_bytes:
            return f"{dataset.shape}, which is more than the limit of {self.max_bytes} bytes"
        values = np.asarray(dataset[()])
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        array = {
            "dtype": "bfloat16" if is_bfloat16 else values.dtype.str,
            "shape": values.shape,
            "at": self.n_bytes,
        }
        self.n_bytes += n_bytes
        self.arrays.append(np.ascontiguousarray(values))
        return array


def _is_bfloat16(dataset) -> bool:
    """Whether a dataset holds bfloat16, for which HDF5 has no type: Keras stores two bytes that say nothing, and only
    in a .keras file an attribute."""
    if dataset.dtype.itemsize != 2 or dataset.dtype.kind not in "Vu":
        return False
    return dataset.dtype.kind == "V" or str(dataset.attrs.get("dtype")) == "bfloat16"


def elements(shape) -> int:
    return math.prod(int(d) for d in shape)


def text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def limit_resources(file_bytes: int) -> None:
    """Bound this process's time and memory, where the system can do it (Windows cannot)."""
    try:
        import resource
    except ImportError:
        return
    # SIGPROF ends the process, wherever it is; an allocation beyond the limit fails
    signal.setitimer(signal.ITIMER_PROF, CPU_S + CPU_S_PER_BYTE * file_bytes)
    with contextlib.suppress(ValueError, OSError):
        most = DATA_BYTES + DATA_BYTES_PER_BYTE * file_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def main(max_bytes: str, max_text_bytes: str, *only: str) -> None:
    dump = Dump(int(max_bytes), int(max_text_bytes))
    data = sys.stdin.buffer.read()
    limit_resources(len(data))
    with h5py.File(io.BytesIO(data), "r") as file:
        tree = json.dumps(dump.group(file, only=only)).encode()
    out = sys.stdout.buffer
    out.write(len(tree).to_bytes(8, "little"))
    out.write(tree)
    for array in dump.arrays:
        out.write(array.tobytes() if array.dtype.kind == "V" else array.data)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:  # whatever libhdf5 makes of a damaged file
        sys.exit(f"{type(error).__name__}: {error}")
