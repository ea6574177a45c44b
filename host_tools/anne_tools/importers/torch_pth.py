"""A state_dict (.pth, .pt) without PyTorch: weights by name, out of a pickle none of whose code is run.

A pickle is a program that can call anything. This one is read by an unpickler that knows the few names of a
state_dict in ALLOWED and refuses every other; and the names stand for functions of this module, not for PyTorch's. It
is the pure Python unpickler: the fast one allocates what a damaged file asks for. It counts its steps, and nothing that
a file nests is ever hashed, compared or printed: a value that it shares may have 2^60 items, and Python recurses in C.

Source: torch/serialization.py of PyTorch 2.13.
"""

from __future__ import annotations

import collections
import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from . import budget
from .budget import open_zip, read_member
from .choice import choose, refuse_choice
from .flow import label
from .torch_files import from_bytes, optional_member, root_folder, strided

# Where training scripts keep the state_dict in a checkpoint, in the order they are looked for.
CHECKPOINT_KEYS = ("state_dict", "model_state_dict", "model")
LEGACY_MAGIC, LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001
STORAGE_TYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers in the file: its key, their type."""

    key: str
    dtype: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor as the pickle tells of it, before its storage is read."""

    storage: Storage
    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: Path, network: str | int | None = None) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the arrays of a state_dict by name, in their order, from the zip or from the format before it; and notes.

    A checkpoint that holds the state_dict beside other plain values is searched for it; of several dicts of tensors
    `network` picks one. ModelError for anything else, in particular for pickled modules and TorchScript, which are
    code.
    """
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
    return _from_zip(path, network) if is_zip else _from_legacy(path, network)


def _from_zip(path: Path, network: str | int | None) -> tuple[dict[str, np.ndarray], list[str]]:
    with open_zip(path) as archive:
        if any("/code/" in name or name.endswith("/constants.pkl") for name in archive.namelist()):
            raise ModelError(
                "TorchScript files are not supported; use torch.export.save, or save a state_dict"
            )
        root = root_folder(archive, "/data.pkl")
        if optional_member(archive, f"{root}/byteorder", b"little") != b"little":
            raise ModelError("files of big-endian machines are not supported")
        value = _unpickle(io.BytesIO(read_member(archive, f"{root}/data.pkl")))
        tensors, notes = _tensors(value, network)
        dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
        storages = {
            key: from_bytes(f"storage {key}", read_member(archive, f"{root}/data/{key}"), dtype)
            for key, dtype in dtypes.items()
        }
    return _arrays(tensors, storages), notes


def _from_legacy(path: Path, network: str | int | None) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read the format before PyTorch 1.6: pickles of a magic number, a version, the system, the state_dict and the
    storages' keys, then each storage's length (8 bytes) and numbers."""
    budget.spend(path.stat().st_size, "the file")
    file = io.BytesIO(path.read_bytes())
    magic = _unpickle(file)
    if type(magic) is not int or magic != LEGACY_MAGIC:
        raise ModelError("not a PyTorch file")
    version, _system = _unpickle(file), _unpickle(file)
    if type(version) is not int or version != LEGACY_VERSION:
        raise ModelError(f"another version of PyTorch's old format than {LEGACY_VERSION} is not supported")
    dtypes: dict[str, str] = {}  # of all storages, since they follow each other
    tensors, notes = _tensors(_unpickle(file, dtypes), network)
    storages, keys = {}, _unpickle(file)
    for key in keys if isinstance(keys, list) else ():
        if type(key) is not str or key not in dtypes:
            raise ModelError("a storage belongs to no tensor of the file")
        n = int.from_bytes(file.read(8), "little", signed=True)
        itemsize = 2 if dtypes[key] == "bfloat16" else np.dtype(dtypes[key]).itemsize
        budget.elements(f"storage {key}", (n,), itemsize)
        storages[key] = from_bytes(f"storage {key}", file.read(n * itemsize), dtypes[key])
    return _arrays(tensors, storages), notes


def _tensors(value: Any, network: str | int | None) -> tuple[dict[str, Stored], list[str]]:
    """Return the tensors of a state_dict, or of one in a checkpoint, and a note on what that holds besides."""
    tensors, dicts = _entries(value)
    found = {name: inner for name, item in dicts.items() if (inner := _entries(item)[0])}
    if not tensors and not found:
        raise ModelError(
            "there is no state_dict in the file; save one with torch.save(model.state_dict(), path)"
        )
    if not found:
        refuse_choice(network)
        return tensors, []
    names = list(found)
    usual = next((names.index(key) for key in CHECKPOINT_KEYS if key in found), None)
    if tensors and usual is None and network is None and len(found) == 1:
        shown = label(names[0], "?")
        raise ModelError(f"a dict of tensors that holds another ({shown}); save model.state_dict() alone")
    counts = [f"{len(inner)} tensors" for inner in found.values()]
    chosen = names[choose(counts, [[label(name, "?")] for name in names], network, default=usual)]
    others = [label(name, "?") for name in (*tensors, *names) if name != chosen]
    left = f"; {', '.join(others[:5])}{' ...' * (len(others) > 5)} not used" if others else ""
    return found[chosen], [f"read {label(chosen, '?')!r} of a checkpoint{left}"]


def _entries(value: Any) -> tuple[dict[str, Stored], dict[str, dict]]:
    """Return the tensors and the dicts that a dict holds, by name; nothing of what is no dict."""
    value = value if isinstance(value, dict) else {}
    budget.steps(len(value), "the names in the file")  # which dicts may share with each other
    items = [(str(name), item) for name, item in value.items()]
    return (
        {name: item for name, item in items if isinstance(item, Stored)},
        {name: item for name, item in items if isinstance(item, dict)},
    )


def _arrays(tensors: dict[str, Stored], storages: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    arrays = {}
    budget.steps(_TENSOR_STEPS * len(tensors), "the tensors of the file")
    for name, tensor in tensors.items():
        if tensor.storage.key not in storages:
            raise ModelError(f"the storage of {name[:60]!r} is missing")
        sizes, strides = list(tensor.sizes), list(tensor.strides)
        arrays[name] = strided(name[:60], storages[tensor.storage.key], tensor.offset, sizes, strides)
    return arrays


def _unpickle(file: io.BytesIO, dtypes: dict[str, str] | None = None) -> Any:
    """Return the next value of a file; put the types of the storages that it names into `dtypes`, by key."""
    unpickler = _Unpickler(_Counted(file))
    unpickler.dtypes = {} if dtypes is None else dtypes
    try:
        return unpickler.load()
    except ModelError:
        raise
    except Exception as error:  # of any kind, with a text that may be made of what the file nests
        raise ModelError(f"the file is damaged ({type(error).__name__})") from error


class _Counted:
    """A file whose reads are charged as steps: an unpickler reads at least once for each of its operations."""

    def __init__(self, file: io.BytesIO):
        self.file, self.reads = file, 0

    def read(self, n: int) -> bytes:
        self.reads += 1
        if self.reads % 256 == 0:
            budget.steps(256, "the pickle")
        return self.file.read(n)

    def readline(self) -> bytes:
        budget.steps(1, "the pickle")
        return self.file.readline(MAX_LINE_BYTES)


def _rebuild_tensor(storage: Any, offset: Any, sizes: Any, strides: Any, *_rest) -> Stored:
    if (
        type(storage) is not Storage
        or type(sizes) is not tuple
        or type(strides) is not tuple
        or not len(sizes) == len(strides) <= MAX_RANK
        or not all(type(n) is int for n in (offset, *sizes, *strides))
    ):
        raise ModelError("the file is damaged: a tensor without a storage or a shape")
    return Stored(storage, offset, sizes, strides)


def _rebuild_parameter(tensor: Any, *_rest) -> Stored:
    if type(tensor) is not Stored:
        raise ModelError("the file is damaged: a parameter that is no tensor")
    return tensor


def _ordered_dict(pairs: Any = ()) -> dict:
    """An OrderedDict with what it is made of; Python 2 put the pairs here."""
    return _set_items(collections.OrderedDict(), [item for pair in pairs for item in _pair(pair)])


def _pair(pair: Any) -> tuple:
    if type(pair) not in (tuple, list) or len(pair) != 2:
        raise ModelError("the file is damaged: a dict of what are no pairs")
    return tuple(pair)


def _set_items(target: Any, items: list) -> dict:
    """Put key, value, key, value ... into a dict; the keys are texts and numbers.

    Integers that are multiples of 2^61 - 1 have one hash, and thousands of them make every look-up a search.
    """
    if not isinstance(target, dict) or len(items) % 2:
        raise ModelError("the file is damaged: items for what is no dict")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) not in (str, int, float, bool, type(None)):
            raise ModelError(f"the file has a {type(key).__name__} as a key of a dict, which is not read")
        if type(key) is int and key.bit_length() > MAX_KEY_BITS:
            raise ModelError(f"the file has an integer of more than {MAX_KEY_BITS} bits as a key of a dict")
        target[key] = value
    return target


# Every name that a state_dict may use, and what it means here.
ALLOWED: dict[str, Any] = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    **{f"torch.{name}": name for name in STORAGE_TYPES},
}
CALLABLE = (_ordered_dict, _rebuild_tensor, _rebuild_parameter)
# Opcodes that make objects in other ways, hash what they find, make memory before the bytes for it are there, or
# integers of any length; a state_dict has none of them.
REFUSED_OPCODES = (
    *(pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX),
    *(pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER, pickle.PERSID),
    *(pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET, pickle.LONG, pickle.LONG4),
)
MAX_LINE_BYTES = 10_000
MAX_INTEGER_BYTES = 16
MAX_KEY_BITS = 60
_TENSOR_STEPS = 10
MAX_RANK = 8


class _Unpickler(pickle._Unpickler):
    """Builds dicts, lists, numbers and Stored tensors; calls nothing but what ALLOWED lists."""

    dtypes: dict[str, str]  # of the storages, by key
    dispatch = dict(pickle._Unpickler.dispatch)

    def load_frame(self) -> None:
        """Skip the length of a frame: its operations are read, and counted, like those outside of frames."""
        self.read(8)

    def load_long1(self) -> None:
        """An integer of some bytes."""
        n = self.read(1)[0]
        if n > MAX_INTEGER_BYTES:
            raise ModelError(
                f"the file has an integer of {n} bytes, more than the limit of {MAX_INTEGER_BYTES}"
            )
        self.append(pickle.decode_long(self.read(n)))

    def load_dict(self) -> None:
        """The items since the mark, as a dict."""
        items = self.pop_mark()
        self.append(_set_items({}, items))

    def load_setitem(self) -> None:
        """One key and value for the dict below them."""
        value, key = self.stack.pop(), self.stack.pop()
        _set_items(self.stack[-1], [key, value])

    def load_setitems(self) -> None:
        """The items since the mark, for the dict below it."""
        items = self.pop_mark()
        _set_items(self.stack[-1], items)

    def load_append(self) -> None:
        """One value for the list below it."""
        value = self.stack.pop()
        self._list().append(value)

    def load_appends(self) -> None:
        """The values since the mark, for the list below it."""
        values = self.pop_mark()
        self._list().extend(values)

    def _list(self) -> list:
        if type(self.stack[-1]) is not list:
            raise ModelError("the file is damaged: items for what is no list")
        return self.stack[-1]

    def load_reduce(self) -> None:
        """What one of the functions in CALLABLE makes of its arguments."""
        arguments, function = self.stack.pop(), self.stack[-1]
        if type(arguments) is not tuple or not any(function is known for known in CALLABLE):
            raise ModelError("the file calls what is no function of a state_dict")
        self.stack[-1] = function(*arguments)

    def load_build(self) -> None:
        """The attributes of a state_dict, which say nothing about weights: left out."""
        self.stack.pop()
        if not isinstance(self.stack[-1], collections.OrderedDict):
            raise ModelError("the file sets attributes of what is no state_dict")

    def refuse(self) -> None:
        """Any other operation."""
        raise ModelError("the file has an operation that no state_dict needs")

    dispatch |= dict.fromkeys((opcode[0] for opcode in REFUSED_OPCODES), refuse)
    dispatch |= {
        pickle.FRAME[0]: load_frame,
        pickle.LONG1[0]: load_long1,
        pickle.DICT[0]: load_dict,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.APPEND[0]: load_append,
        pickle.APPENDS[0]: load_appends,
        pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for; ModelError for those that a state_dict has no need of."""
        full = f"{module}.{name}"
        if full not in ALLOWED:
            advice = (
                "for scikit-learn name the file .pkl"
                if module.partition(".")[0] == "sklearn"
                else "save model.state_dict() with torch.save, or the whole model with torch.export.save"
            )
            raise ModelError(
                f"the file holds an object of {full[:80]}, and opening it could run code; {advice}"
            )
        return ALLOWED[full]

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that ("storage", type, key, location, length) describes."""
        if type(pid) is not tuple or not 5 <= len(pid) <= 6 or not all(type(text) is str for text in pid[:3]):
            raise ModelError("the file is damaged: an unknown kind of storage")
        word, dtype, key = pid[:3]
        if word != "storage" or dtype not in STORAGE_TYPES:
            raise ModelError("the file is damaged: an unknown kind of storage")
        if len(pid) > 5 and pid[5] is not None:
            raise ModelError("storages that are views of others are not supported")
        self.dtypes[key] = STORAGE_TYPES[dtype]
        return Storage(key, STORAGE_TYPES[dtype])
