"""Files made to be costly: a few bytes that ask for more than any network could use. Each is refused by one line of
ModelError or read, within a second of processor time and 512 MB, all under 1 MB.

Each builder makes one file and says in its docstring what it asks for. Mutations (hostile_files.py) do not find these:
they need an author. `anne_tools/importers/budget.py` is what stops them.

    python tests/reliability/crafted_files.py FORMAT [NAME]     reads those of a format, or one, and says what they cost
"""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import hostile_files
from figures import Found, ReliabilityError
from hostile_files import GOLDEN, HANG_S, MOST_MB, MOST_S

MAX_FILE_BYTES = 1 << 20
# suffix of a format -> builders of its files; options of `load` stand in hostile_files.FORMATS
CRAFTED: dict[str, list[Callable[[], bytes]]] = defaultdict(list)


def crafted(*suffixes: str) -> Callable:
    """Put a builder into the lists of these formats."""

    def add(builder: Callable[[], bytes]) -> Callable[[], bytes]:
        for suffix in suffixes:
            CRAFTED[suffix].append(builder)
        return builder

    return add


def golden(name: str, **members: bytes) -> bytes:
    """Return a golden zip file with members replaced, by the last part of their names with _ for points."""
    out = io.BytesIO()
    with zipfile.ZipFile(GOLDEN / name) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(
                member, members.pop(member.rpartition("/")[2].replace(".", "_"), None) or old.read(member)
            )
    assert not members, members
    return out.getvalue()


def padded(data: bytes) -> bytes:
    """Return a zip file with a member that makes it as large as is promised, and its budget with it."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("padding", bytes(MAX_FILE_BYTES - len(data) - 4096))
    return out.getvalue()


def golden_json(name: str, member: str, change: Callable[[dict], None]) -> bytes:
    """Return a golden zip file whose JSON member was changed."""
    with zipfile.ZipFile(GOLDEN / name) as archive:
        (full,) = (m for m in archive.namelist() if m.endswith(member))
        document = json.loads(archive.read(full))
    change(document)
    return golden(name, **{member.replace(".", "_"): json.dumps(document).encode()})


# --- Archives ---------------------------------------------------------------------------------------------------------


@crafted("keras", "pt2", "pth")
def many_members() -> bytes:
    """A directory of 12,000 entries, each twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(6_000):
            archive.writestr(f"{number}", b"")
    data = out.getvalue()
    at = data.index(b"PK\1\2")
    end = data.rindex(b"PK\5\6")
    directory = data[at:end]
    tail = bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, 12_000, 12_000, 2 * len(directory))
    return data[:at] + directory * 2 + tail


@crafted("keras", "pt2", "pth")
def bombs_side_by_side() -> bytes:
    """Every member of an intact file unpacks to 60 MB."""
    out = io.BytesIO()
    names = ("config.json", "metadata.json", "model.weights.h5", "net/data.pkl", "net/data/0", "net/data/1")
    names += ("net/models/model.json", "net/archive_format", "net/byteorder", "net/data/weights/weight_0")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"{" + b" " * (60 << 20) + b"}")
    return out.getvalue()


# --- .pth -------------------------------------------------------------------------------------------------------------

DEEP = b"N" + b"\x85" * 90_000  # ((((None,),),),)
SHARED = b"N" + b"2\x86" * 200  # a tuple of twice the one before, 200 times: 2^200 items
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LONG_INTEGER = b"\x8b" + struct.pack("<i", 900_000) + b"\x7f" * 900_000  # LONG4


def pth(data_pkl: bytes, **storages: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02" + data_pkl + b".")
        for key, data in ({"0": bytes(16)} | storages).items():
            archive.writestr(f"net/data/{key}", data)
    return out.getvalue()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def tensor(
    key: bytes = text("0"),
    dtype: bytes = b"ctorch\nFloatStorage\n",
    offset: bytes = integer(0),
    sizes: bytes = integer(2) + integer(2) + b"\x86",
    strides: bytes = integer(2) + integer(1) + b"\x86",
) -> bytes:
    """The operations that push a tensor."""
    storage = b"(" + text("storage") + dtype + key + text("cpu") + integer(4) + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + sizes + strides + b"\x89}tR"


def state_dict(*items: tuple[bytes, bytes]) -> bytes:
    return pth(b"}(" + b"".join(key + value for key, value in items) + b"u")


# Where a state_dict, or an old file, could hold what must not be hashed, compared or printed.
PLACES: dict[str, Callable[[bytes], bytes]] = {
    "key of a storage": lambda value: state_dict((text("0.weight"), tensor(key=value))),
    "type of a storage": lambda value: state_dict((text("0.weight"), tensor(dtype=value))),
    "offset": lambda value: state_dict((text("0.weight"), tensor(offset=value))),
    "sizes": lambda value: state_dict((text("0.weight"), tensor(sizes=value))),
    "size": lambda value: state_dict((text("0.weight"), tensor(sizes=value + integer(2) + b"\x86"))),
    "strides": lambda value: state_dict((text("0.weight"), tensor(strides=value))),
    "key": lambda value: state_dict((value, b"N"), (text("0.weight"), tensor())),
    "key of a pair": lambda value: pth(b"ccollections\nOrderedDict\n(]" + value + b"N\x86atR"),
    "member of a set": lambda value: pth(b"\x8f(" + value + b"\x90"),
    "module": lambda value: pth(value + text("OrderedDict") + b"\x93"),
    "function": lambda value: pth(value + b")R"),
    "state": lambda value: pth(b"ccollections\nOrderedDict\n)R" + value + b"b"),
    "persistent id": lambda value: pth(value + b"Q"),
    "magic number": lambda value: b"\x80\x02" + value + b".",
    "version": lambda value: pickle.dumps(LEGACY_MAGIC, 2) + b"\x80\x02" + value + b"." + pickle.dumps({}, 2),
}


def hidden(kind: str, place: str, value: bytes) -> None:
    """Add a .pth with a value of that kind in that place."""

    def builder() -> bytes:
        return PLACES[place](value)

    builder.__doc__ = f"A {kind} value as {place}."
    builder.__name__ = f"{kind}_as_{place.replace(' ', '_')}"
    crafted("pth")(builder)


for place in PLACES:
    hidden("deep", place, DEEP)
    hidden("shared", place, SHARED)
    hidden("long", place, LONG_INTEGER)


@crafted("pth")
def tensors_that_one_number_fills() -> bytes:
    """2,000 tensors of 4 million numbers each, all strides 0."""
    wide = tensor(sizes=integer(2000) + integer(2000) + b"\x86", strides=integer(0) + integer(0) + b"\x86")
    return state_dict(*((text(f"{number}.weight"), wide) for number in range(2_000)))


@crafted("pth")
def tensors_of_no_size() -> bytes:
    """Sizes whose product is 2^64, 0 modulo the numbers of a processor."""
    wide = b"\x8a\x05\0\0\0\0\1" * 2 + b"\x86"  # 2^32
    return state_dict((text("0.weight"), tensor(sizes=wide, strides=integer(0) + integer(0) + b"\x86")))


@crafted("pth")
def a_state_set_on_a_tensor() -> bytes:
    """BUILD with other sizes for a tensor that was found to be in order."""
    return state_dict((text("0.weight"), tensor() + b"(" + text("sizes") + LONG_INTEGER + b"d\x86b"))


@crafted("pth")
def storages_that_are_bombs() -> bytes:
    """Ten storages of 100 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        items = b"".join(text(f"{n}.weight") + tensor(key=text(f"{n}")) for n in range(10))
        archive.writestr("net/data.pkl", b"\x80\x02}(" + items + b"u.")
        for number in range(10):
            archive.writestr(f"net/data/{number}", bytes(100 << 20))
    return out.getvalue()


@crafted("pth")
def storages_as_large_as_is_read() -> bytes:
    """A storage of 40 MB, and a tensor of as much."""
    sizes, strides = integer(3100) + integer(3100) + b"\x86", integer(1) + integer(3100) + b"\x86"
    items = text("0.weight") + tensor(sizes=sizes, strides=strides)
    return padded(pth(b"}(" + items + b"u", **{"0": bytes(4 * 3100 * 3100)}))


@crafted("pth")
def operations_as_many_as_are_read() -> bytes:
    """330,000 operations in a file of 1 MB, of those that take longest."""
    nothing = b"ccollections\nOrderedDict\n)R0" * 33_000
    return padded(pth(nothing + b"}"))


@crafted("pth")
def a_million_operations() -> bytes:
    """None pushed and popped, 100 million times by its unpacked size."""
    return pth(b"N0" * (50 << 20) + b"}")


@crafted("pth")
def operations_as_they_stand() -> bytes:
    """None pushed and popped in an old file, as often as 1 MB allows."""
    return b"\x80\x02" + b"N0" * 500_000 + b"N."


@crafted("pth")
def lists_in_lists() -> bytes:
    """400,000 lists, each in the one before."""
    return b"\x80\x02" + b"]" * 400_000 + b"a" * 399_999 + b"."


@crafted("pth")
def digits() -> bytes:
    """An integer in decimal digits, a megabyte of them."""
    return b"\x80\x02I" + b"9" * 1_000_000 + b"\n."


@crafted("pth")
def a_frame_without_end() -> bytes:
    """A frame and a text that claim 2^62 bytes."""
    return b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"\x8d" + struct.pack("<Q", 1 << 62) + b"x."


@crafted("pth")
def a_dict_that_holds_itself() -> bytes:
    """A state_dict under the key state_dict of itself."""
    return pth(
        b"}q\0(" + text("state_dict") + b"h\0" + text("model") + b"h\0" + text("0.weight") + tensor() + b"u"
    )


@crafted("pth")
def names_of_half_a_megabyte() -> bytes:
    """A name with line breaks and escapes that fills the file."""
    return state_dict((text("\x1b[31m\n" * 100_000 + ".weight"), tensor()))


# --- .pt2 -------------------------------------------------------------------------------------------------------------


def pt2_model(change: Callable[[dict], None]) -> bytes:
    return golden_json("torch/plain.pt2", "model.json", change)


def pt2_nodes(count: int, target: str, inputs: Callable[[str], list]) -> bytes:
    """A program of `count` calls in a chain; `inputs` makes the arguments, given the name of the value before."""

    def change(model: dict) -> None:
        before, nodes = "input", []
        for number in range(count):
            made = {"as_tensor": {"name": f"v{number}"}}
            nodes.append({"target": f"torch.ops.aten.{target}", "inputs": inputs(before), "outputs": [made]})
            before = f"v{number}"
        model["graph_module"]["graph"]["nodes"] = nodes
        model["graph_module"]["signature"]["output_specs"][0]["user_output"]["arg"]["as_tensor"]["name"] = (
            before
        )

    return pt2_model(change)


def ref(parameter: str, name: str) -> dict:
    return {"name": parameter, "arg": {"as_tensor": {"name": name}}}


@crafted("pt2")
def pt2_of_100_000_calls() -> bytes:
    """100,000 calls of relu."""
    return pt2_nodes(100_000, "relu.default", lambda before: [ref("self", before)])


@crafted("pt2")
def pt2_of_4_000_calls() -> bytes:
    """As many calls as are looked at, each in place on a view of the one before."""
    return pt2_nodes(4_000, "relu_.default", lambda before: [ref("self", before)])


@crafted("pt2")
def pt2_constants_copied() -> bytes:
    """4,000 times a constant times itself."""
    return pt2_nodes(
        4_000, "mul.Tensor", lambda before: [ref("self", "p_2_weight"), ref("other", "p_2_weight")]
    )


@crafted("pt2")
def pt2_deep() -> bytes:
    """JSON of 400,000 lists, each in the one before."""
    return golden("torch/plain.pt2", model_json=b"[" * 400_000)


@crafted("pt2")
def pt2_deep_argument() -> bytes:
    """An argument of an argument, 900 deep, below the limit of the JSON parser."""

    def change(model: dict) -> None:
        value = {"as_int": 1}
        for _ in range(300):
            value = {"as_sym_int": value}
        model["graph_module"]["graph"]["nodes"][0]["inputs"][0]["arg"] = value

    return pt2_model(change)


@crafted("pt2")
def pt2_long_numbers() -> bytes:
    """Sizes of 100,000 digits."""
    text = b'{"schema_version": {"major": ' + b"9" * 100_000 + b', "minor": ' + b"9" * 100_000 + b"}}"
    return golden("torch/plain.pt2", model_json=text)


@crafted("pt2")
def pt2_of_brackets() -> bytes:
    """60 MB of empty lists, which are 1 GB as Python's objects."""
    return golden("torch/plain.pt2", model_json=b"{" + b'"a": [' + b"[]," * (20 << 20) + b"[]]}")


@crafted("pt2")
def pt2_of_as_much_json_as_is_read() -> bytes:
    """3 MB of empty lists in a file of 1 MB."""
    return padded(golden("torch/plain.pt2", model_json=b'{"a": [' + b"[]," * 950_000 + b"[]]}"))


def pt2_weights(change: Callable[[dict], None]) -> bytes:
    return golden_json("torch/plain.pt2", "model_weights_config.json", change)


@crafted("pt2")
def pt2_wide_weights() -> bytes:
    """3,000 weights of 4 million numbers, all strides 0."""

    def change(document: dict) -> None:
        config = document["config"]
        entry = config["0.weight"]
        meta = entry["tensor_meta"]
        meta["sizes"], meta["strides"] = [{"as_int": 2000}] * 2, [{"as_int": 0}] * 2
        config |= {f"{number}.weight": entry for number in range(3_000)}

    return pt2_weights(change)


@crafted("pt2")
def pt2_input_of_2_to_the_64() -> bytes:
    """An input of 2^32 x 2^32."""

    def change(model: dict) -> None:
        values = model["graph_module"]["graph"]["tensor_values"]
        values["input"]["sizes"] = [{"as_int": 1}, {"as_int": 1 << 32}, {"as_int": 1 << 32}]

    return pt2_model(change)


# --- .json and .py ----------------------------------------------------------------------------------------------------


def network(layers: object, **more: object) -> bytes:
    return json.dumps({"layers": layers, **more}).encode()


@crafted("json")
def json_deep() -> bytes:
    """A million lists, each in the one before."""
    return b'{"layers":' + b"[" * 1_000_000


@crafted("json")
def json_of_brackets() -> bytes:
    """350,000 empty lists for weights."""
    return network([{"weights": [[]] * 250_000}])


@crafted("json")
def json_of_one_long_text() -> bytes:
    """A text of 300,000 characters beside 100,000 short ones, which numpy would all make as long."""
    return network([{"weights": [["x" * 300_000] + [""] * 100_000]}])


@crafted("json")
def json_long_number() -> bytes:
    """A weight of a million digits."""
    return b'{"layers": [{"weights": [[' + b"9" * 1_000_000 + b"]]}]}"


@crafted("json")
def json_of_many_long_numbers() -> bytes:
    """200 weights of 4,000 digits, each short enough for Python."""
    return network([{"weights": [[10**4000 + n for n in range(200)]]}])


@crafted("json")
def json_of_20_000_layers() -> bytes:
    """20,000 layers of one weight."""
    return network([{"weights": [[1]]}] * 20_000)


@crafted("json")
def json_of_numbered_layers() -> bytes:
    """w1 and b1 to w9000 and b9000."""
    numbered = {f"{kind}{n}": [[1]] for n in range(1, 9_001) for kind in "wb"}
    return json.dumps({"activations": ["relu"] * 9_000, **numbered}).encode()


@crafted("json")
def json_of_variants() -> bytes:
    """30,000 variants of 200 layers."""
    return network([{"weights": [[1]]}] * 200, variants=[{"activations": ["relu"]}] * 30_000)


@crafted("json")
def json_of_names() -> bytes:
    """300,000 names for one input."""
    return network([{"weights": [[1]]}], features=["a"] * 190_000, labels=["\n\x1b"] * 2)


@crafted("py")
def py_of_ones() -> bytes:
    """A list of 500,000 ones."""
    return b"w = [" + b"1," * 500_000 + b"]\n"


@crafted("py")
def py_deep() -> bytes:
    """A million brackets."""
    return b"(" * 1_000_000


@crafted("py")
def py_of_signs() -> bytes:
    """A million minus signs."""
    return b"x = " + b"-" * 1_000_000 + b"1"


@crafted("py")
def py_of_sums() -> bytes:
    """1 + 1 + 1 ..., each sum in the one before."""
    return b"x = 1" + b"+1" * 500_000


@crafted("py")
def py_of_attributes() -> bytes:
    """a.a.a ..., each an attribute of the one before; lines of 300."""
    return (b"a" + b".a" * 300 + b"\n") * 1_700


@crafted("py")
def py_of_names() -> bytes:
    """500,000 lines of one letter."""
    return b"a\n" * 500_000


@crafted("py")
def py_of_as_many_names_as_are_read() -> bytes:
    """87,000 lines of one letter, and spaces up to 1 MB."""
    return (b"a\n" * 87_000).ljust(MAX_FILE_BYTES)


@crafted("py")
def py_of_as_many_functions_as_are_read() -> bytes:
    """43,000 lines of one lambda, and spaces up to 1 MB."""
    return (b"lambda:0\n" * 43_000).ljust(MAX_FILE_BYTES)


@crafted("py")
def py_of_transposes() -> bytes:
    """A list of 5,000 rows, transposed 2,000 times."""
    return b"w = [" + b"[1]," * 5_000 + b"]\n" + b"w = transpose(w)\n" * 2_000


@crafted("py")
def py_of_layers() -> bytes:
    """3,000 layers that share a list."""
    return b"w = [[1]]\nb = [0]\n" + b"x = dense(1, x, w, b, 'relu')\n" * 3_000


@crafted("py")
def py_of_networks() -> bytes:
    """3,000 networks of one layer."""
    lines = (f"y{n} = dense(1, x, w, b, 'relu')\n" for n in range(3_000))
    return b"w = [[1]]\nb = [0]\n" + "".join(lines).encode()


@crafted("py")
def py_long_number() -> bytes:
    """A weight of a million hexadecimal digits, and one in decimal ones."""
    digits = b"9" * 400_000
    return b"w = [[0x" + digits + b"]]\nb = [" + digits + b"]\nx = dense(1, x, w, b, 'relu')\n"


@crafted("py")
def py_of_one_large_weight_used_often() -> bytes:
    """200 layers of 100 x 100 that share their weights."""
    rows = ",".join(["[" + ",".join(["1"] * 100) + "]"] * 100)
    calls = f"b = {[0] * 100}\n" + "x = dense(100, x, w, b, 'relu')\n" * 200
    return f"w = [{rows}]\n{calls}".encode()


# --- The row ----------------------------------------------------------------------------------------------------------


def cost(suffix: str, builder: Callable[[], bytes], folder: str) -> tuple[float, float, str]:
    """Return (processor time in s, memory in MB, what became of it) of one file; ReliabilityError for what must not be.

    A process of its own reads it, a copy of this one, which has the packages; again, if it was slow because others had
    the processor.
    """
    path = Path(folder, f"crafted.{suffix}")
    data = builder()
    if len(data) > MAX_FILE_BYTES:
        raise ReliabilityError(f"{builder.__name__}: {len(data)} bytes, more than the promise is about")
    path.write_bytes(data)
    times = []
    while not times or (times[-1] > MOST_S and len(times) < 3):
        status, used_s, used_mb, outcome = _in_its_own_process(suffix, path)
        times.append(used_s)
    if status or "\n" in outcome or min(times) > MOST_S or used_mb > MOST_MB:
        raise ReliabilityError(
            f"{suffix} {builder.__name__}: status {status}, {min(times):.2f} s, {used_mb:.0f} MB: {outcome[:500]!r}"
        )
    return min(times), used_mb, outcome


def _in_its_own_process(suffix: str, path: Path) -> tuple[int, float, float, str]:
    """Return (exit status, processor time in s, memory in MB, what was told) of a process that reads the file."""
    told, tell = os.pipe()
    if (child := os.fork()) == 0:
        os.close(told)
        _read(suffix, path, tell)
    os.close(tell)
    with os.fdopen(told) as pipe:
        outcome = pipe.read()
    status, used = os.wait4(child, 0)[1:]
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, outcome


def _read(suffix: str, path: Path, tell: int) -> None:
    """The process that reads: tells "read" or the refusal; status 1 for every other exception."""
    from anne_tools.errors import ModelError
    from anne_tools.importers import load

    signal.alarm(HANG_S)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = 0
    try:
        load(path, **hostile_files.FORMATS[suffix][1])
        outcome = "read"
    except ModelError as error:
        outcome = str(error)
        status = int(isinstance(error.__cause__, MemoryError))
    except BaseException as error:
        outcome, status = f"{type(error).__name__}: {error}", 1
    os.write(tell, outcome[:4000].encode(errors="replace"))
    os._exit(status)


def worker(suffix: str, *only: str) -> dict:
    """Return the figures of all files of a format."""
    import importlib

    from anne_tools.importers import IMPORTERS

    hostile_files._dump_by_fork()
    for importer in IMPORTERS:
        importlib.import_module(f"anne_tools.importers.{importer.module}")
    figures = {"files": 0, "refused": 0, "slowest_s": 0.0, "peak_mb": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        for builder in CRAFTED[suffix]:
            if only and builder.__name__ not in only:
                continue
            used_s, used_mb, outcome = cost(suffix, builder, folder)
            if only:
                print(
                    f"{builder.__name__}: {used_s:.2f} s, {used_mb:.0f} MB: {outcome[:200]}", file=sys.stderr
                )
            figures["files"] += 1
            figures["refused"] += outcome != "read"
            figures["slowest_s"] = max(figures["slowest_s"], used_s)
            figures["peak_mb"] = max(figures["peak_mb"], used_mb)
    return figures


def crafted_files(soak: bool) -> Found:
    """The files of every format; the short form is the long one."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    found = {}
    for suffix in CRAFTED:
        command = [sys.executable, __file__, "--worker", suffix]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise ReliabilityError(f"{suffix}: {done.stderr[-2000:]}")
        found[suffix] = json.loads(done.stdout)
    each = ", ".join(f"{figures['files']} .{suffix}" for suffix, figures in found.items())
    total, refused = (sum(figures[key] for figures in found.values()) for key in ("files", "refused"))
    slowest, peak = (max(figures[key] for figures in found.values()) for key in ("slowest_s", "peak_mb"))
    return Found(
        f"{total} files: {each}",
        f"{refused} refused in one line, {total - refused} read; the slowest took {slowest:.2f} s of processor time, "
        f"at most {peak:.0f} MB",
    )


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        print(json.dumps(worker(sys.argv[2])))
    else:
        worker(sys.argv[1], *(sys.argv[2:] or [builder.__name__ for builder in CRAFTED[sys.argv[1]]]))
