"""A state_dict (.pth, .pt) without PyTorch: weights by name, out of a pickle none of whose code is run.

A pickle is a program that can call anything. This one is read by an unpickler that knows the few names of a
state_dict in ALLOWED and refuses every other; and the names stand for functions of this module, not for PyTorch's. It
is the pure Python unpickler: the fast one allocates what a damaged file asks for.

Source: torch/serialization.py of PyTorch 2.13.
"""

from __future__ import annotations

import collections
import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from .limits import MAX_TEXT_BYTES, check_elements, read_member
from .torch_files import from_bytes, optional_member, root_folder, strided

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
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
    """A run of numbers in the file: its key, their type, how many."""

    key: str
    dtype: str
    n: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor as the pickle tells of it, before its storage is read."""

    storage: Storage
    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a state_dict by name, in their order, from the zip or from the format before it.

    A checkpoint that holds the state_dict beside other plain values is searched for it. ModelError for anything
    else, in particular for pickled modules and TorchScript, which are code.
    """
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
    return _from_zip(path) if is_zip else _from_legacy(path)


def _from_zip(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        if any("/code/" in name or name.endswith("/constants.pkl") for name in archive.namelist()):
            raise ModelError(
                "TorchScript files are not supported; use torch.export.save, or save a state_dict"
            )
        root = root_folder(archive, "/data.pkl")
        if optional_member(archive, f"{root}/byteorder", b"little") != b"little":
            raise ModelError("files of big-endian machines are not supported")
        tensors = _tensors(_unpickle(io.BytesIO(read_member(archive, f"{root}/data.pkl", MAX_TEXT_BYTES))))
        dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
        storages = {
            key: from_bytes(f"storage {key}", read_member(archive, f"{root}/data/{key}"), dtype)
            for key, dtype in dtypes.items()
        }
    return _arrays(tensors, storages)


def _from_legacy(path: Path) -> dict[str, np.ndarray]:
    """Read the format before PyTorch 1.6: pickles of a magic number, a version, the system, the state_dict and the
    storages' keys, then each storage's length (8 bytes) and numbers."""
    file = io.BytesIO(path.read_bytes())
    if _unpickle(file) != LEGACY_MAGIC:
        raise ModelError("not a PyTorch file")
    version, _system = _unpickle(file), _unpickle(file)
    if version != 1001:
        raise ModelError(f"PyTorch's file version {str(version)[:20]} is not supported; supported: 1001")
    tensors = _tensors(_unpickle(file))
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages, keys = {}, _unpickle(file)
    for key in keys if isinstance(keys, list) else ():
        if key not in dtypes:
            raise ModelError(f"storage {str(key)[:20]} belongs to no tensor of the state_dict")
        n = int.from_bytes(file.read(8), "little", signed=True)
        check_elements(f"storage {key}", (n,))
        itemsize = 2 if dtypes[key] == "bfloat16" else np.dtype(dtypes[key]).itemsize
        storages[key] = from_bytes(f"storage {key}", file.read(n * itemsize), dtypes[key])
    return _arrays(tensors, storages)


def _tensors(value: Any) -> dict[str, Stored]:
    """Return the tensors of a state_dict, or of the one in a checkpoint."""
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(value, dict) and isinstance(value.get(key), dict):
            value = value[key]
    entries = value.items() if isinstance(value, dict) else ()
    tensors = {str(name): tensor for name, tensor in entries if isinstance(tensor, Stored)}
    if not tensors:
        raise ModelError(
            "there is no state_dict in the file; save one with torch.save(model.state_dict(), path)"
        )
    return tensors


def _arrays(tensors: dict[str, Stored], storages: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    arrays, total = {}, 0
    for name, tensor in tensors.items():
        if tensor.storage.key not in storages:
            raise ModelError(f"the storage of {name[:60]!r} is missing")
        sizes, strides = list(tensor.sizes), list(tensor.strides)
        arrays[name] = strided(name[:60], storages[tensor.storage.key], tensor.offset, sizes, strides)
        total += arrays[name].size
        check_elements("all weights together", (total,))
    return arrays


def _unpickle(file: io.BytesIO) -> Any:
    try:
        return _Unpickler(file).load()
    except ModelError:
        raise
    except Exception as error:  # a damaged pickle fails in any way
        raise ModelError(f"the file is damaged ({type(error).__name__}: {str(error)[:100]})") from error


def _rebuild_tensor(storage: Storage, offset: int, sizes: tuple, strides: tuple, *_rest) -> Stored:
    if not isinstance(storage, Storage) or not isinstance(sizes, tuple) or not isinstance(strides, tuple):
        raise ModelError("the file is damaged: a tensor without a storage")
    return Stored(storage, offset, sizes, strides)


def _rebuild_parameter(tensor: Stored, *_rest) -> Stored:
    return tensor


# Every name that a state_dict may use, and what it means here.
ALLOWED: dict[str, Any] = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    **{f"torch.{name}": name for name in STORAGE_TYPES},
}
# Opcodes that make objects in other ways, or memory before the bytes for it are there.
REFUSED_OPCODES = (
    *(pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX),
    *(pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
)


class _Unpickler(pickle._Unpickler):
    """Builds dicts, lists, numbers and Stored tensors; calls nothing but what ALLOWED lists."""

    dispatch = {
        opcode: load
        for opcode, load in pickle._Unpickler.dispatch.items()
        if bytes((opcode,)) not in REFUSED_OPCODES
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for; ModelError for those that a state_dict has no need of."""
        full = f"{module}.{name}"
        if full not in ALLOWED:
            raise ModelError(
                f"the file holds an object of {full[:80]}, and opening it could run code; save "
                "model.state_dict() with torch.save, or the whole model with torch.export.save"
            )
        return ALLOWED[full]

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that ("storage", type, key, location, length) describes."""
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or pid[1] not in STORAGE_TYPES:
            raise ModelError("the file is damaged: an unknown kind of storage")
        if len(pid) > 5 and pid[5] is not None:
            raise ModelError("storages that are views of others are not supported")
        return Storage(str(pid[2]), STORAGE_TYPES[pid[1]], pid[4])
