"""A .tflite file as checked values: tensors, operators, options; nothing below trusts an index, an offset or a length.

The file is a flatbuffer, and flatbuffers has no verifier in Python: its classes (PyPI package `tflite`) follow any
offset they find. What is read here is therefore compared with the length of what it indexes, tensors are read only when
an operator asks for them, and `read` in tflite.py turns what the parser throws at a damaged file into a ModelError.

Source: schema.fbs, version 3, of TensorFlow Lite.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite

from ..errors import ModelError
from ..graph import Quantization
from .limits import MAX_LAYERS, check_elements

IDENTIFIER = b"TFL3"
VERSION = 3
DTYPES = {0: "float32", 1: "float16", 2: "int32", 4: "int64", 9: "int8"}
UNSUPPORTED_DTYPES = {3: "uint8", 6: "bool", 7: "int16", 17: "int4"}
FUSED_ACTIVATIONS = {0: "linear", 1: "relu", 2: "RELU_N1_TO_1", 3: "relu6", 4: "TANH", 5: "SIGN_BIT"}


@dataclass(frozen=True)
class FileTensor:
    """A tensor of the file: `shape` with the batch axis, `data` its constant value (None if it is computed)."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None
    data: np.ndarray | None


@dataclass(frozen=True)
class Operator:
    """One operator: tensors it reads (-1: left out) and writes, and its table of options."""

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    table: Any

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"layer {self.index} ({self.name})"

    def options(self, title: str):
        """Return the options, an object of the schema's class `title`; a file may leave them out for the defaults."""
        found = self.table.BuiltinOptionsType()
        if not found:
            return None
        if found != getattr(tflite.BuiltinOptions, title):
            raise ModelError(f"{self.where}: expected {title}, got options of type {found}")
        union, options = self.table.BuiltinOptions(), getattr(tflite, title)()
        if union is None:
            raise ModelError(f"{self.where}: {title} are missing")
        options.Init(union.Bytes, union.Pos)
        return options


class TfliteFile:
    """The one graph of a .tflite file. ModelError for other versions, several graphs, tables that lie outside."""

    def __init__(self, data: bytes):
        if data[4:8] != IDENTIFIER:
            raise ModelError(f"not a TFLite model: expected {IDENTIFIER!r} at byte 4, got {data[4:8]!r}")
        self.model = tflite.Model.GetRootAsModel(data, 0)
        if self.model.Version() != VERSION:
            raise ModelError(
                f"TFLite schema version {self.model.Version()} is not supported; supported: {VERSION}"
            )
        if self.model.SubgraphsLength() != 1:
            raise ModelError(f"expected a model of one subgraph, got {self.model.SubgraphsLength()}")
        self.graph = self.model.Subgraphs(0)
        self.inputs = self._indices("inputs", self.graph.Inputs, self.graph.InputsLength())
        self.outputs = self._indices("outputs", self.graph.Outputs, self.graph.OutputsLength())
        self.operators = [self._operator(i) for i in range(_count("operators", self.graph.OperatorsLength()))]
        self.description = clean(self.model.Description())
        self._tensors: dict[int, FileTensor] = {}

    def tensor(self, index: int) -> FileTensor:
        """Return tensor `index`, which the constructor has found to exist."""
        if index not in self._tensors:
            self._tensors[index] = self._read_tensor(index)
        return self._tensors[index]

    def dynamic(self, index: int) -> bool:
        """Whether another axis than the first is left open (-1) in the file."""
        tensor = self.graph.Tensors(index)
        return any(tensor.ShapeSignature(i) < 0 for i in range(1, tensor.ShapeSignatureLength()))

    def _indices(self, what: str, read, length: int, lowest: int = 0) -> tuple[int, ...]:
        indices = tuple(int(read(i)) for i in range(_count(what, length)))
        n_tensors = self.graph.TensorsLength()
        for index in indices:
            if not lowest <= index < n_tensors:
                raise ModelError(f"{what}: tensor {index} does not exist, there are {n_tensors}")
        return indices

    def _operator(self, index: int) -> Operator:
        table = self.graph.Operators(index)
        name = self._operator_name(index, table.OpcodeIndex())
        where = f"layer {index} ({name})"
        inputs = self._indices(where, table.Inputs, table.InputsLength(), lowest=-1)
        outputs = self._indices(where, table.Outputs, table.OutputsLength())
        if table.MutatingVariableInputsLength() or table.IntermediatesLength():
            raise ModelError(f"{where} keeps a state, which is not supported")
        return Operator(index, name, inputs, outputs, table)

    def _operator_name(self, index: int, opcode: int) -> str:
        if not 0 <= opcode < self.model.OperatorCodesLength():
            raise ModelError(f"layer {index}: operator code {opcode} does not exist")
        code = self.model.OperatorCodes(opcode)
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # old files have the second only
        name = tflite.utils.BUILTIN_OPCODE2NAME.get(number, f"operator {number}")
        return f"CUSTOM {clean(code.CustomCode())}" if name == "CUSTOM" else name

    def _read_tensor(self, index: int) -> FileTensor:
        table = self.graph.Tensors(index)
        name = clean(table.Name())
        where = f"tensor {index} ({name})"
        number = table.Type()
        if number not in DTYPES:
            raise ModelError(f"{where}: type {UNSUPPORTED_DTYPES.get(number, number)} is not supported")
        if table.IsVariable():
            raise ModelError(f"{where} is a variable; models with a state are not supported")
        if table.Sparsity() is not None:
            raise ModelError(f"{where} is sparse, which is not supported")
        shape = tuple(int(table.Shape(i)) for i in range(_count(where, table.ShapeLength(), 8)))
        check_elements(where, shape)
        data = self._data(where, table.Buffer(), shape, DTYPES[number])
        return FileTensor(index, name, shape, DTYPES[number], _quantization(where, table, shape), data)

    def _data(self, where: str, buffer: int, shape: tuple[int, ...], dtype: str) -> np.ndarray | None:
        """Return the constant in `buffer`, or None where it is empty: buffer 0 always is."""
        if not 0 <= buffer < self.model.BuffersLength():
            raise ModelError(
                f"{where}: buffer {buffer} does not exist, there are {self.model.BuffersLength()}"
            )
        table = self.model.Buffers(buffer)
        if table.Offset() > 1 or table.Size() > 1:
            raise ModelError(f"{where}: constants outside the flatbuffer (files over 2 GB) are not supported")
        if not table.DataLength():
            return None
        expected = math.prod(shape) * np.dtype(dtype).itemsize
        if table.DataLength() != expected:
            raise ModelError(
                f"{where}: expected {expected} bytes of {dtype} for {shape}, got {table.DataLength()}"
            )
        values = np.frombuffer(table.DataAsNumpy().tobytes(), np.dtype(dtype).newbyteorder("<"))
        return values.reshape(shape)


def _count(what: str, length: int, limit: int = MAX_LAYERS) -> int:
    if length > limit:
        raise ModelError(f"{what}: {length} entries are more than the limit of {limit}")
    return length


def _quantization(where: str, table, shape: tuple[int, ...]) -> Quantization | None:
    """Return the tensor's scale (or one a row of axis 0) and zero point, None where it has none."""
    q = table.Quantization()
    if q is None or not q.ScaleLength():
        return None
    if q.DetailsType():
        raise ModelError(f"{where}: custom quantisation is not supported")
    n, n_zero = q.ScaleLength(), q.ZeroPointLength()
    if n != 1 and (q.QuantizedDimension() != 0 or n != (shape or (0,))[0]):
        raise ModelError(
            f"{where}: expected one scale or one a row of {shape}, got {n} along axis {q.QuantizedDimension()}"
        )
    if n_zero not in (0, n):
        raise ModelError(f"{where}: expected {n} zero points, got {n_zero}")
    scale = np.array([q.Scale(i) for i in range(n)], np.float64)
    zero_points = {int(q.ZeroPoint(i)) for i in range(n_zero)} or {0}
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise ModelError(f"{where}: scales must be positive and finite")
    if len(zero_points) != 1 or not -128 <= min(zero_points) <= 127:
        raise ModelError(f"{where}: expected one zero point from -128 to 127, got {sorted(zero_points)[:3]}")
    return Quantization(scale, zero_points.pop())


def clean(text: bytes | None) -> str:
    """Return a name from the file fit for a one-line message: printable, at most 80 characters."""
    return re.sub(r"[^\x20-\x7e]", "?", (text or b"").decode("utf-8", "replace"))[:80]
