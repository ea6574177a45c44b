"""A .tflite file as checked values: tensors, operators, options; nothing below trusts an index, an offset or a length.

The file is a flatbuffer, and flatbuffers has no verifier in Python: its classes (PyPI package `tflite`) follow any
offset they find. What is read here is therefore compared with the length of what it indexes, tensors are read only when
an operator asks for them, and `read` in tflite.py turns what the parser throws at a damaged file into a ModelError.

Source: schema.fbs, version 3, of TensorFlow Lite.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite

from ..errors import ModelError
from ..network.tensor import Quantization
from . import budget

IDENTIFIER = b"TFL3"
VERSION = 3
MAX_ENTRIES = 200_000  # of all vectors that are read element by element
DTYPES = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    13: "resource",
    17: "int4",
}
INT4 = "int4"  # of weights, which become int8
FUSED_ACTIVATIONS = {0: "linear", 1: "relu", 2: "RELU_N1_TO_1", 3: "relu6", 4: "TANH", 5: "SIGN_BIT"}


@dataclass(frozen=True)
class FileTensor:
    """A tensor of the file: `shape` with the batch axis, `data` its constant value (None if it is computed).

    A uint8 tensor with zero point z is told as the int8 tensor with zero point z - 128, all values 128 less: the same
    real numbers, and the same arithmetic on them. `stored` is its type in the file. Several scales lie along
    `scale_axis`.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None
    data: np.ndarray | None
    stored: str
    scale_axis: int = 0


@dataclass(frozen=True)
class Operator:
    """One operator: tensors it reads (-1: left out) and writes, and its table of options."""

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    table: Any
    keeps_state: bool = False

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
    """A graph of a .tflite file, the first. ModelError for other versions, no graph, tables that lie outside."""

    def __init__(self, data: bytes, number: int = 0, entries_left: int = MAX_ENTRIES):
        if data[4:8] != IDENTIFIER:
            raise ModelError(f"not a TFLite model: expected {IDENTIFIER!r} at byte 4, got {data[4:8]!r}")
        self.model = tflite.Model.GetRootAsModel(data, 0)
        if self.model.Version() != VERSION:
            raise ModelError(
                f"TFLite schema version {self.model.Version()} is not supported; supported: {VERSION}"
            )
        self.n_graphs = self.model.SubgraphsLength()
        if not self.n_graphs:
            raise ModelError("expected a model of one subgraph, got 0")
        self.data, self.number = data, number
        self.graph = self.model.Subgraphs(number)
        self.entries_left = entries_left
        self._names: dict[int, str] = {}
        self.inputs = self._indices("inputs", self.graph.InputsAsNumpy(), self.graph.InputsLength())
        self.outputs = self._indices("outputs", self.graph.OutputsAsNumpy(), self.graph.OutputsLength())
        self.operators = [self._operator(i) for i in range(_count("operators", self.graph.OperatorsLength()))]
        self.description = clean(self.model.Description())
        self._tensors: dict[int, FileTensor] = {}

    def tensor(self, index: int) -> FileTensor:
        """Return tensor `index`, which the constructor has found to exist."""
        if index not in self._tensors:
            self._tensors[index] = self._read_tensor(index)
        return self._tensors[index]

    def subgraph(self, number: int, where: str) -> TfliteFile:
        """Return another graph of the file, which `where` names; ModelError if there is none."""
        if not 0 < number < self.n_graphs or self.number:
            raise ModelError(f"{where}: subgraph {number} does not exist, there are {self.n_graphs}")
        there = TfliteFile(self.data, number, self.entries_left)
        self.entries_left = there.entries_left
        return there

    def obstacle(self, index: int) -> str:
        """Return what tensor `index` needs that is not supported, "" if nothing."""
        table = self.graph.Tensors(index)
        if table.IsVariable():
            return "a state (variables)"
        if table.Sparsity() is not None:
            return "sparse weights"
        number = table.Type()
        return "" if number in DTYPES else f"values of type {number}"

    def signature(self, index: int) -> tuple[int, ...]:
        """The shape of tensor `index` with -1 for what is left open, () where the file says nothing of it."""
        tensor = self.graph.Tensors(index)
        return tuple(
            int(tensor.ShapeSignature(i)) for i in range(_count("shape", tensor.ShapeSignatureLength(), 8))
        )

    def names(self, what: str) -> list[str]:
        """Return the names of the file's "inputs" or "outputs", in their order: the signature's, else the tensors'."""
        indices = self.inputs if what == "inputs" else self.outputs
        named = self._signature_names(what)
        return [named.get(index) or self.tensor(index).name for index in indices]

    def _signature_names(self, what: str) -> dict[int, str]:
        """Return names by tensor of the first signature that belongs to the first graph; {} if there is none."""
        for i in range(_count("signatures", self.model.SignatureDefsLength())):
            signature = self.model.SignatureDefs(i)
            if signature.SubgraphIndex() != 0:
                continue
            length, entry = (
                (signature.InputsLength(), signature.Inputs)
                if what == "inputs"
                else (signature.OutputsLength(), signature.Outputs)
            )
            self._spend(length)
            return {entry(j).TensorIndex(): _name(entry(j).Name()) for j in range(length)}
        return {}

    def _indices(self, what: str, vector, length: int, lowest: int = 0) -> tuple[int, ...]:
        self._spend(length)
        indices = tuple(int(index) for index in vector) if length else ()
        n_tensors = self.graph.TensorsLength()
        for index in indices:
            if not lowest <= index < n_tensors:
                raise ModelError(f"{what}: tensor {index} does not exist, there are {n_tensors}")
        return indices

    def _spend(self, entries: int) -> None:
        """Count entries of vectors before they are read: a file can have many tables share a long one."""
        self.entries_left -= entries
        if self.entries_left < 0:
            raise ModelError(f"tables with more than {MAX_ENTRIES} entries in all")

    def _operator(self, index: int) -> Operator:
        table = self.graph.Operators(index)
        name = self._operator_name(index, table.OpcodeIndex())
        where = f"layer {index} ({name})"
        inputs = self._indices(where, table.InputsAsNumpy(), table.InputsLength(), lowest=-1)
        outputs = self._indices(where, table.OutputsAsNumpy(), table.OutputsLength())
        keeps_state = bool(table.MutatingVariableInputsLength() or table.IntermediatesLength())
        return Operator(index, name, inputs, outputs, table, keeps_state)

    def _operator_name(self, index: int, opcode: int) -> str:
        if not 0 <= opcode < self.model.OperatorCodesLength():
            raise ModelError(f"layer {index}: operator code {opcode} does not exist")
        if opcode not in self._names:
            code = self.model.OperatorCodes(opcode)
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # old files have the second only
            name = tflite.utils.BUILTIN_OPCODE2NAME.get(number, f"operator {number}")
            self._names[opcode] = f"CUSTOM {clean(code.CustomCode())}" if name == "CUSTOM" else name
        return self._names[opcode]

    def _read_tensor(self, index: int) -> FileTensor:
        table = self.graph.Tensors(index)
        name = _name(table.Name())
        where = f"tensor {index} ({name})"
        number = table.Type()
        shape = tuple(int(table.Shape(i)) for i in range(_count(where, table.ShapeLength(), 8)))
        stored = DTYPES[number]
        data = self._data(where, table.Buffer(), shape, stored)
        quantization, axis = self._quantization(where, table, shape, 128 if stored == "uint8" else 0)
        dtype = stored
        if stored == "uint8" and quantization is not None:
            dtype, data = "int8", None if data is None else (data ^ 0x80).view(np.int8)
        elif stored == INT4:
            dtype = "int8"
        return FileTensor(index, name, shape, dtype, quantization, data, stored, axis)

    def _data(self, where: str, buffer: int, shape: tuple[int, ...], dtype: str) -> np.ndarray | None:
        """Return the constant in `buffer`, or None where it is empty: buffer 0 always is."""
        if not 0 <= buffer < self.model.BuffersLength():
            raise ModelError(
                f"{where}: buffer {buffer} does not exist, there are {self.model.BuffersLength()}"
            )
        table = self.model.Buffers(buffer)
        if table.Offset() > 1 or table.Size() > 1:
            raise ModelError(f"{where}: constants outside the flatbuffer (files over 2 GB) are not supported")
        if not table.DataLength() or dtype == "resource":
            return None
        n = budget.elements(where, shape)
        expected = (n + 1) // 2 if dtype == INT4 else n * np.dtype(dtype).itemsize
        if table.DataLength() != expected:
            raise ModelError(
                f"{where}: expected {expected} bytes of {dtype} for {shape}, got {table.DataLength()}"
            )
        data = table.DataAsNumpy()
        if dtype == INT4:  # two a byte, the first in the lower half
            halves = np.stack([data << 4, data & 0xF0], axis=1).reshape(-1)[:n]
            return (halves.view(np.int8) >> 4).reshape(shape)
        return data.view(np.dtype(dtype).newbyteorder("<")).reshape(shape)

    def _quantization(
        self, where: str, table, shape: tuple[int, ...], lowered: int
    ) -> tuple[Quantization | None, int]:
        """Return the tensor's scale and zero point less `lowered`, None where it has none; and the axis of scales, if
        there are several."""
        q = table.Quantization()
        if q is None or not q.ScaleLength():
            return None, 0
        if q.DetailsType():
            raise ModelError(f"{where}: custom quantisation is not supported")
        n, n_zero, axis = q.ScaleLength(), q.ZeroPointLength(), q.QuantizedDimension()
        if n != 1 and not (0 <= axis < len(shape) and n == shape[axis]):
            raise ModelError(
                f"{where}: expected one scale or one a row of {shape}, got {n} along axis {axis}"
            )
        if n_zero not in (0, n):
            raise ModelError(f"{where}: expected {n} zero points, got {n_zero}")
        self._spend(n + n_zero)
        scale = q.ScaleAsNumpy().astype(np.float64)
        zero_points = np.unique(q.ZeroPointAsNumpy()).tolist() if n_zero else [lowered]
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            raise ModelError(f"{where}: scales must be positive and finite")
        if len(zero_points) != 1 or not -128 <= zero_points[0] - lowered <= 127:
            raise ModelError(
                f"{where}: expected one zero point from {lowered - 128} to {lowered + 127}, got {zero_points[:3]}"
            )
        return Quantization(scale, zero_points[0] - lowered), axis if n > 1 else 0


def _name(text: bytes | None) -> str:
    """Return `clean` of a tensor's name; many may share a long one."""
    budget.steps(1 + len(text or b"") // 1000, "names of tensors")
    return clean(text)


def _count(what: str, length: int, limit: int = budget.MAX_OPERATIONS) -> int:
    if length > limit:
        raise ModelError(f"{what}: {length} entries are more than the limit of {limit}")
    return length


def clean(text: bytes | None) -> str:
    """Return a name from the file fit for a one-line message: printable, at most 80 characters."""
    return re.sub(r"[^\x20-\x7e]", "?", (text or b"")[:320].decode("utf-8", "replace"))[:80]
