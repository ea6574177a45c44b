"""The C core as a shared library: the very code of the firmware, so its answers are the Pico's, thousands a second."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import numpy as np
from anne.model_file import ModelFile

from ..data.samples import as_samples
from ..errors import ModelError
from ..network.graph import INPUT_TYPE, OUTPUT_TYPE

_LIBRARY_NAMES = ("libanne.so", "libanne.dylib", "anne.dll")
_pointer = ctypes.c_void_p
_size = ctypes.c_size_t


def _load() -> ctypes.CDLL:
    # an editable package lies in two folders: the sources', and the one that the library is installed to
    for folder in sys.modules[__name__.partition(".")[0]].__path__:
        for name in _LIBRARY_NAMES:
            if (path := Path(folder, name)).exists():
                return _open_library(path)
    raise ModelError("the host library libanne is not built; run `pip install -e .` in the project's folder")


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
    library.anne_host_run.argtypes = [_pointer, _pointer, _size, _pointer]
    library.anne_host_trace.argtypes = [_pointer, _pointer, _pointer]
    library.anne_host_scratch_bytes.argtypes = [_pointer]
    library.anne_host_scratch_bytes.restype = ctypes.c_uint32
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


class NativeModel:
    """A model file in the C core. ModelError if the core refuses it."""

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
        self.file = ModelFile(data, checked=True)  # by the core, and a thousand times as fast
        self.input, self.output = self.file.inputs[0], self.file.outputs[0]
        self.is_packed = len(self.file.inputs) > 1 or len(self.file.outputs) > 1
        self.scratch_bytes = _library.anne_host_scratch_bytes(self._handle)

    def run_raw(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs (n_samples, *shape), in the output's own type, for inputs in the input's own type.

        Where the network has several inputs or outputs both are bytes, uint8, a row a sample: all inputs (outputs) as
        they stand in the arena, in the order of the file and without gaps.
        """
        if self.is_packed:
            inputs = np.ascontiguousarray(inputs, np.uint8).reshape(-1, _packed_bytes(self.file.inputs))
            outputs = np.empty((len(inputs), _packed_bytes(self.file.outputs)), np.uint8)
        else:
            inputs = np.ascontiguousarray(inputs, self.input.dtype).reshape(-1, self.input.size)
            outputs = np.empty((len(inputs), *self.output.shape), self.output.dtype)
        _library.anne_host_run(self._handle, inputs.ctypes.data, len(inputs), outputs.ctypes.data)
        return outputs

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs as real numbers for real inputs (n_samples, *shape); see `quantize_input`."""
        x = as_samples(x, self.input.shape, "x")
        return dequantize_output(self.run_raw(quantize_input(x, self.input)), self.output)

    def trace(self, sample: np.ndarray) -> list[np.ndarray]:
        """Return each layer's output, in its own type, for one input in the input's own type."""
        tensors = [layer.outputs[0] for layer in self.file.layers]
        buffer = np.empty(sum(tensor.nbytes for tensor in tensors), np.uint8)
        sample = np.ascontiguousarray(sample, self.input.dtype)
        _library.anne_host_trace(self._handle, sample.ctypes.data, buffer.ctypes.data)
        ends = np.cumsum([tensor.nbytes for tensor in tensors])
        return [
            buffer[end - tensor.nbytes : end].view(tensor.dtype).reshape(tensor.shape)
            for tensor, end in zip(tensors, ends, strict=True)
        ]

    def close(self) -> None:
        """Free the core's memory."""
        if self._handle:
            _library.anne_host_close(self._handle)
            self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __del__(self):
        self.close()


def _packed_bytes(tensors: list) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def from_source_type(x: np.ndarray, file: ModelFile) -> np.ndarray:
    """Return samples for a model file: uint8 as int8 that are 128 less if its source takes uint8, all else as it is."""
    if x.dtype != np.uint8 or f"{INPUT_TYPE}: uint8" not in file.lines("provenance"):
        return x
    return flip_sign(x)


def to_source_type(raw: np.ndarray, file: ModelFile) -> np.ndarray:
    """Return a model file's raw outputs: int8 as uint8 that are 128 more if its source gives uint8."""
    if raw.dtype != np.int8 or f"{OUTPUT_TYPE}: uint8" not in file.lines("provenance"):
        return raw
    return flip_sign(raw)


def real_samples(x: np.ndarray, dtype: str, scale: float, zero_point: int, takes_uint8: bool) -> np.ndarray:
    """Return samples as real numbers: integers of the input's type `dtype` (or its source's) as what they stand for."""
    x = np.asarray(x)
    if takes_uint8 and x.dtype == np.uint8:
        x = flip_sign(x)
    if dtype == "float32" or x.dtype.name != dtype:
        return x
    return ((x.astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)).astype(np.float64)


def flip_sign(integers: np.ndarray) -> np.ndarray:
    """Return uint8 as int8 that are 128 less, or int8 as uint8 that are 128 more."""
    return (integers.view(np.uint8) ^ 0x80).view(np.int8 if integers.dtype == np.uint8 else np.uint8)


def quantize_input(x: np.ndarray, tensor) -> np.ndarray:
    """Return real inputs as the device would round them: x / scale in float32, halves away from zero, limited.

    An integer array of the tensor's own type holds the integers already. NaN becomes the zero point.
    """
    x = np.asarray(x)
    if tensor.dtype == "float32" or x.dtype.name == tensor.dtype:
        return x.astype(tensor.dtype, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.float32(x) / np.float32(tensor.scale)
        whole = np.trunc(np.clip(steps, -1e5, 1e5))
        rest = np.clip(steps, -1e5, 1e5) - whole
        rounded = whole + (rest >= 0.5) - (rest <= -0.5) + tensor.zero_point
    limited = np.clip(rounded, tensor.least, tensor.greatest)
    return np.where(np.isnan(steps), tensor.zero_point, limited).astype(tensor.dtype)


def dequantize_output(raw: np.ndarray, tensor) -> np.ndarray:
    """Return raw outputs as real numbers, float32, as the device computes them."""
    if tensor.dtype == "float32":
        return raw
    return (raw.astype(np.int32) - tensor.zero_point).astype(np.float32) * np.float32(tensor.scale)
