"""The C core as a shared library: the very code of the firmware, so its answers are the Pico's, thousands a second."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import numpy as np
from anne.model_file import ModelFile

from ..errors import ModelError
from .core import Core

_LIBRARY_NAMES = ("libanne.so", "libanne.dylib", "anne.dll")
_pointer = ctypes.c_void_p
_size = ctypes.c_size_t


def library_path() -> Path | None:
    """Return where the library is, None where none came with the package: no wheel for this machine, no compiler."""
    # an editable package lies in two folders: the sources', and the one that the library is installed to
    for folder in sys.modules[__name__.partition(".")[0]].__path__:
        for name in _LIBRARY_NAMES:
            if (path := Path(folder, name)).exists():
                return path
    return None


def _load() -> ctypes.CDLL:
    path = library_path()
    if path is None:
        raise ModelError(
            "the host library libanne is not here; run `pip install -e .` in the project's folder"
        )
    return _open_library(path)


def _open_library(path: Path) -> ctypes.CDLL:
    try:
        return _declare(ctypes.CDLL(str(path)))
    except (OSError, AttributeError) as error:
        raise ModelError(
            f"{path}: not this version's host library ({error}); build it anew: pip install -e ."
        ) from None


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    library.anne_host_open.restype = _pointer
    library.anne_host_open.argtypes = [ctypes.c_char_p, _size, ctypes.POINTER(ctypes.c_int)]
    library.anne_host_close.argtypes = [_pointer]
    library.anne_host_reset.argtypes = [_pointer]
    library.anne_host_run.argtypes = [_pointer, _pointer, _size, _pointer]
    library.anne_host_trace.argtypes = [_pointer, _pointer, _pointer]
    for scratch_bytes in (library.anne_host_scratch_bytes, library.anne_host_repacked_scratch_bytes):
        scratch_bytes.argtypes = [_pointer]
        scratch_bytes.restype = ctypes.c_uint32
    return library


_library: ctypes.CDLL | None = None


def status_of(data: bytes) -> int:
    """Return the core's verdict on the bytes of a model file: 0 if it can run it, else an anne_status_t."""
    status, handle = _open(data)
    if handle:
        _library.anne_host_close(handle)
    return status


def _open(data: bytes) -> tuple[int, int | None]:
    global _library
    _library = _library or _load()
    status = ctypes.c_int()
    handle = _library.anne_host_open(data, len(data), ctypes.byref(status))
    return status.value, handle


class NativeModel(Core):
    """A model file in the C core. ModelError if the core refuses it."""

    name = "C core"

    def __init__(self, data: bytes):
        self._handle = None  # so that __del__ finds it even if the library is missing
        data = bytes(data)
        status, self._handle = _open(data)
        if not self._handle:
            try:
                ModelFile(data)
            except ValueError as error:
                raise ModelError(str(error)) from None
            raise ModelError(
                f"the C core refuses a model file that is good (status {status}): libanne and anne are not of "
                "one version; run `pip install -e .` in the project's folder"
            )
        self._take(ModelFile(data, checked=True))  # by the core, and a thousand times as fast
        self.scratch_bytes = _library.anne_host_scratch_bytes(self._handle)
        self.repacked_scratch_bytes = _library.anne_host_repacked_scratch_bytes(self._handle)

    def reset(self) -> None:
        _library.anne_host_reset(self._handle)

    def run_raw(self, inputs: np.ndarray, go_on: bool = False) -> np.ndarray:
        if not go_on:
            self.reset()
        inputs = self._raw(inputs)
        if len(self.outputs) == 1:
            outputs = np.empty((len(inputs), *self.outputs[0].shape), self.outputs[0].dtype)
        else:
            outputs = np.empty((len(inputs), sum(tensor.nbytes for tensor in self.outputs)), np.uint8)
        _library.anne_host_run(self._handle, inputs.ctypes.data, len(inputs), outputs.ctypes.data)
        return outputs

    def trace(self, sample: np.ndarray) -> dict[int, np.ndarray]:
        tensors = [tensor for layer in self.file.layers for tensor in layer.outputs]
        buffer = np.empty(sum(tensor.nbytes for tensor in tensors), np.uint8)
        sample = self._raw(sample)
        _library.anne_host_trace(self._handle, sample.ctypes.data, buffer.ctypes.data)
        ends = np.cumsum([tensor.nbytes for tensor in tensors])
        return {
            tensor.index: np.frombuffer(buffer[end - tensor.nbytes : end].tobytes(), tensor.dtype).reshape(
                tensor.shape
            )
            for tensor, end in zip(tensors, ends, strict=True)
        }

    def close(self) -> None:
        if self._handle:
            _library.anne_host_close(self._handle)
            self._handle = None

    def __del__(self):
        self.close()
