"""A protobuf reader for ONNX: bytes -> dicts, numpy alone; what ONNX's own package would cost is 88 MB.

Protobuf is a list of fields: a varint `number << 3 | wire`, then a varint (wire 0), 8 bytes (1), a varint length with
as many bytes (2), or 4 bytes (5). What a number means is in SCHEMA below, one table a message, with the fields that
are used here; others are skipped. Nothing is executed.

Bounds: every length is compared with what is left; messages nest as deep as the schema's tables do, which is
7; fields and messages are charged to the budget.

Source: onnx.proto (IR version 3 to 13) and the protobuf encoding, https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from ..errors import ModelError
from . import budget
from .bfloat16 import to_float32
from .onnx_external import ExternalData

# Fields are charged in bunches, messages at what their dicts take at most.
_BUNCH = 1000
_MESSAGE_BYTES = 800

# Kinds of field: a message's name, or one of these; * marks a repeated field.
SCHEMA: dict[str, dict[int, tuple[str, str]]] = {
    "Model": {
        1: ("ir_version", "int"),
        2: ("producer_name", "text"),
        3: ("producer_version", "text"),
        7: ("graph", "Graph"),
        8: ("opset_import", "Opset*"),
    },
    "Opset": {1: ("domain", "text"), 2: ("version", "int")},
    "Graph": {
        1: ("node", "Node*"),
        2: ("name", "text"),
        5: ("initializer", "Tensor*"),
        11: ("input", "ValueInfo*"),
        12: ("output", "ValueInfo*"),
        15: ("sparse_initializer", "Skipped*"),
    },
    "Node": {
        1: ("input", "text*"),
        2: ("output", "text*"),
        3: ("name", "text"),
        4: ("op_type", "text"),
        5: ("attribute", "Attribute*"),
        7: ("domain", "text"),
    },
    "Attribute": {
        1: ("name", "text"),
        2: ("f", "float"),
        3: ("i", "int"),
        4: ("s", "text"),
        5: ("t", "Tensor"),
        6: ("g", "Skipped"),
        7: ("floats", "float*"),
        8: ("ints", "int*"),
        9: ("strings", "text*"),
        21: ("ref_attr_name", "text"),
    },
    "Tensor": {
        1: ("dims", "int*"),
        2: ("data_type", "int"),
        3: ("segment", "Skipped"),
        4: ("float_data", "float*"),
        5: ("int32_data", "int*"),
        6: ("string_data", "text*"),
        7: ("int64_data", "int*"),
        8: ("name", "text"),
        9: ("raw_data", "bytes"),
        10: ("double_data", "double*"),
        13: ("external_data", "Entry*"),
        14: ("data_location", "int"),
    },
    "Entry": {1: ("key", "text"), 2: ("value", "text")},
    "ValueInfo": {1: ("name", "text"), 2: ("type", "Type")},
    "Type": {1: ("tensor_type", "TensorType")},
    "TensorType": {1: ("elem_type", "int"), 2: ("shape", "Shape")},
    "Shape": {1: ("dim", "Dimension*")},
    "Dimension": {1: ("dim_value", "int"), 2: ("dim_param", "text")},
    "Skipped": {},
}
# data_type -> numpy type, and the field that holds the values where raw_data does not
TENSOR_TYPES = {
    1: ("<f4", "float_data"),
    2: ("u1", "int32_data"),
    3: ("i1", "int32_data"),
    4: ("<u2", "int32_data"),
    5: ("<i2", "int32_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("?", "int32_data"),
    10: ("<f2", "int32_data"),
    11: ("<f8", "double_data"),
    16: ("<u2", "int32_data"),  # bfloat16, as its bits
}
FLOAT, STRING, FLOAT16, DOUBLE, BFLOAT16 = 1, 8, 10, 11, 16


def parse_model(data: bytes) -> dict[str, Any]:
    """Return the model as a dict of the fields in SCHEMA. ModelError if it is not protobuf, or exceeds the bounds."""
    model = _Parser().message(memoryview(data), "Model")
    if "graph" not in model:
        raise ModelError("not an ONNX model: there is no graph in it")
    return model


class _Parser:
    """Counts the fields read since they were charged."""

    def __init__(self):
        self.fields = 0

    def message(self, data: memoryview, kind: str) -> dict[str, Any]:
        """Return the fields of one message; repeated ones as lists, the last of others."""
        schema = SCHEMA[kind]
        budget.spend(_MESSAGE_BYTES, "the fields of the file")
        result: dict[str, Any] = {
            name: [] for name, field_kind in schema.values() if field_kind.endswith("*")
        }
        at = 0
        while at < len(data):
            tag, at = self._varint(data, at)
            number, wire = tag >> 3, tag & 7
            value, at = self._value(data, at, wire)
            if number not in schema:
                continue
            name, field_kind = schema[number]
            values = self._convert(value, wire, field_kind.rstrip("*"), f"{kind}.{name}")
            if field_kind.endswith("*"):
                result[name].extend(values)
            elif len(values):
                result[name] = values[-1]
        return result

    def _count(self, fields: int) -> None:
        self.fields += fields
        if self.fields >= _BUNCH:
            budget.steps(self.fields, "the fields of the file")
            self.fields = 0

    def _value(self, data: memoryview, at: int, wire: int) -> tuple[int | memoryview, int]:
        """Return one field's value, a number for wire 0 and bytes for the others, and where the next begins."""
        self._count(1)
        if wire == 0:
            return self._varint(data, at)
        if wire == 2:
            length, at = self._varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ModelError(f"not an ONNX model: wire type {wire} at byte {at} of a message")
        if length > len(data) - at:
            raise ModelError(f"truncated: expected {length} bytes, {len(data) - at} are left")
        return data[at : at + length], at + length

    def _varint(self, data: memoryview, at: int) -> tuple[int, int]:
        """Return an unsigned number of 64 bits, in groups of 7, lowest first, and where the next field begins."""
        number = 0
        for shift in range(0, 70, 7):
            if at >= len(data):
                raise ModelError("truncated within a number")
            byte = data[at]
            at += 1
            number |= (byte & 127) << shift
            if byte < 128:
                return number & (2**64 - 1), at
        raise ModelError("not an ONNX model: a number of more than 10 bytes")

    def _convert(self, value: int | memoryview, wire: int, kind: str, where: str):
        """Return the values of one field as a list or array: packed numbers are many, everything else is one."""
        if kind == "int":
            if wire == 2:
                return self._packed(value)
            expected = wire == 0
        elif kind in ("float", "double"):
            expected = wire in ((2, 5) if kind == "float" else (1, 2))
            if expected:
                return self._packed_floats(value, "<f4" if kind == "float" else "<f8")
        else:
            expected = wire == 2
        if not expected:
            raise ModelError(f"not an ONNX model: {where} has wire type {wire}")
        if kind == "int":
            return [value - 2**64 if value >> 63 else value]
        if kind == "text":
            return [str(value, "utf-8", "replace")]
        return [value if kind == "bytes" else self.message(value, kind)]

    def _packed(self, data: memoryview) -> list[int]:
        numbers, at = [], 0
        while at < len(data):
            number, at = self._varint(data, at)
            numbers.append(number - 2**64 if number >> 63 else number)
        self._count(len(numbers))
        return numbers

    def _packed_floats(self, data: memoryview, dtype: str) -> list[float]:
        if len(data) % np.dtype(dtype).itemsize:
            raise ModelError(f"truncated: {len(data)} bytes are not a whole number of {dtype}")
        return np.frombuffer(data, dtype).tolist()


def to_array(tensor: dict[str, Any], where: str, beside: ExternalData | None = None) -> np.ndarray:
    """Return a Tensor message as an array, bfloat16 as float32. ModelError for other types, sizes that do not fit.

    `beside` reads data in a second file; without it they are refused.
    """
    if "segment" in tensor:
        raise ModelError(f"{where}: tensors in segments are not supported")
    number = tensor.get("data_type", 0)
    if number not in TENSOR_TYPES:
        raise ModelError(f"{where}: tensors of data type {number} are not supported")
    shape = tuple(tensor["dims"])
    if tensor.get("data_location") or tensor["external_data"]:
        if beside is None:
            raise ModelError(f"{where}: data in another file is not read here")
        beside.count(tensor["external_data"], where)
    values = _stored(tensor, where, budget.elements(where, shape), beside).reshape(shape)
    return to_float32(values) if number == BFLOAT16 else values


def _stored(tensor: dict[str, Any], where: str, expected: int, beside: ExternalData | None) -> np.ndarray:
    """Return the `expected` values of a tensor from wherever they are stored."""
    dtype, field = TENSOR_TYPES[tensor["data_type"]]
    expected_bytes = expected * np.dtype(dtype).itemsize
    if tensor.get("data_location") or tensor["external_data"]:
        return np.frombuffer(beside.read(tensor["external_data"], expected_bytes, where), dtype)
    if "raw_data" in tensor:
        size = len(tensor["raw_data"])
        if size != expected_bytes:
            shape = tuple(tensor["dims"])
            raise ModelError(f"{where}: expected {expected} values of {dtype} for {shape}, got {size} bytes")
        return np.frombuffer(tensor["raw_data"], dtype)
    values = tensor[field]
    if len(values) != expected:
        raise ModelError(
            f"{where}: expected {expected} values for {tuple(tensor['dims'])}, got {len(values)}"
        )
    if dtype in ("<f2", "<u2"):  # their bits, as integers
        return np.array(values, np.int64).astype(np.uint16).view(dtype)
    try:
        return np.array(values, dtype)
    except (OverflowError, struct.error) as error:
        raise ModelError(f"{where}: {error}") from error
