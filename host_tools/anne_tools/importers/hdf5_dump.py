"""Run as a program of its own: HDF5 on standard input -> an .npz file with groups, attributes and arrays on
output.

libhdf5 is written in C and crashes on some damaged files (a few bytes changed are enough). In a process of
its own that costs an error message, not the user's session. `hdf5.py` starts this program and reads what it
writes; nothing of this package is imported here.

Arguments: limit of elements, limit of bytes of an attribute, then names of members of the root to be read.
The array `tree` of the .npz is JSON in UTF-8: a group is {"attributes": {name: text or list of texts},
"members": {name: group, number of an array, or text that says why it cannot be read}}. An array is called by its
number, and "1 bfloat16" if it holds the bits of that type. A name as Windows joins paths, `layers\\dense`, stands for
its first part where members are named.
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
CPU_S, CPU_S_PER_BYTE = 0.8, 1e-7
# Memory for a file: texts of variable length say anything of their size, and libhdf5 allocates it.
DATA_BYTES = 900 << 20


class Dump:
    """What has been read so far, and how much of the limits is left."""

    def __init__(self, max_elements: int, max_attribute_bytes: int):
        self.arrays: list[np.ndarray] = []
        self.bits: set[int] = set()  # the numbers of those that are the bits of bfloat16
        self.elements_left = self.max_elements = max_elements
        self.members_left = MAX_MEMBERS
        self.max_attribute_bytes = max_attribute_bytes

    def group(self, group: h5py.Group, depth: int = 0, only: tuple[str, ...] = ()) -> dict:
        """Return a group as JSON; `only` names the members wanted, all if empty."""
        members = {}
        for name in group:
            if only and name.partition("\\")[0] not in only:
                continue
            self.members_left -= 1
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
            size = elements(attribute.shape) * attribute.dtype.itemsize
            if size > self.max_attribute_bytes:
                raise ValueError(f"attribute {name} has {size} bytes, more than {self.max_attribute_bytes}")
            value = group.attrs[name]
            found[name] = [text(v) for v in value.ravel()] if isinstance(value, np.ndarray) else text(value)
        return found

    def dataset(self, dataset) -> int | str:
        """Keep an array and return its number, or return why it is not read."""
        if not isinstance(dataset, h5py.Dataset):
            return f"a {type(dataset).__name__.lower()}"
        if dataset.is_virtual or dataset.external:
            return "kept in another file, which is never opened"
        is_bfloat16 = _is_bfloat16(dataset)
        if dataset.dtype.kind not in "fiu" and not is_bfloat16:
            return f"no numbers but {dataset.dtype}"
        size = elements(dataset.shape)
        if size > self.elements_left:
            return f"{dataset.shape}, which is more than the limit of {self.max_elements} elements"
        self.elements_left -= size
        if is_bfloat16:
            self.bits.add(len(self.arrays))
        values = np.asarray(dataset[()])
        self.arrays.append(values.view(np.uint16) if is_bfloat16 else values)
        return len(self.arrays) - 1


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
        resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))


def main(max_elements: str, max_attribute_bytes: str, *only: str) -> None:
    dump = Dump(int(max_elements), int(max_attribute_bytes))
    data = sys.stdin.buffer.read()
    limit_resources(len(data))
    with h5py.File(io.BytesIO(data), "r") as file:
        tree = json.dumps(dump.group(file, only=only)).encode()
    arrays = {
        f"{number} bfloat16" if number in dump.bits else str(number): array
        for number, array in enumerate(dump.arrays)
    }
    output = io.BytesIO()
    np.savez(output, tree=np.frombuffer(tree, np.uint8), **arrays)
    sys.stdout.buffer.write(output.getvalue())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:  # whatever libhdf5 makes of a damaged file
        sys.exit(f"{type(error).__name__}: {error}")
