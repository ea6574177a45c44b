"""Costly .tflite files: see crafted_files.py. Their tables share what they can, as the schema's writer never does."""

from __future__ import annotations

from collections.abc import Callable

import flatbuffers
import numpy as np
import tflite
from crafted import crafted


class Tflite:
    """A .tflite file whose tables share what they can: `ints`, `floats` and `text` return offsets to be used again."""

    def __init__(self):
        self.b = flatbuffers.Builder(1 << 20)
        self.tensors, self.operators, self.codes = [], [], []
        self.buffers = [self._table(tflite.Buffer, {})]

    def ints(self, numbers) -> int:
        return self.b.CreateNumpyVector(np.asarray(numbers, "<i4"))

    def floats(self, numbers) -> int:
        return self.b.CreateNumpyVector(np.asarray(numbers, "<f4"))

    def text(self, text: str) -> int:
        return self.b.CreateString(text)

    def _table(self, kind, fields: dict) -> int:
        name = kind.__name__
        module = __import__(f"tflite.{name}", fromlist=[name])
        getattr(module, f"{name}Start")(self.b)
        for key, value in fields.items():
            getattr(module, f"{name}Add{key}")(self.b, value)
        return getattr(module, f"{name}End")(self.b)

    def buffer(self, data: bytes) -> int:
        vector = self.b.CreateNumpyVector(np.frombuffer(data, np.uint8))
        self.buffers.append(self._table(tflite.Buffer, {"Data": vector}))
        return len(self.buffers) - 1

    def quantization(self, scales: int) -> int:
        return self._table(tflite.QuantizationParameters, {"Scale": scales})

    def tensor(self, shape: int, **fields) -> int:
        self.tensors.append(self._table(tflite.Tensor, {"Shape": shape, **fields}))
        return len(self.tensors) - 1

    def operator(self, number: int, inputs: int, outputs: int, **code) -> None:
        self.codes.append(self._table(tflite.OperatorCode, {"DeprecatedBuiltinCode": number, **code}))
        fields = {"OpcodeIndex": len(self.codes) - 1, "Inputs": inputs, "Outputs": outputs}
        self.operators.append(self._table(tflite.Operator, fields))

    def _offsets(self, offsets: list[int]) -> int:
        self.b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.b.PrependUOffsetTRelative(offset)
        return self.b.EndVector()

    def to_bytes(self, inputs: list[int], outputs: list[int]) -> bytes:
        fields = {
            "Tensors": self._offsets(self.tensors),
            "Inputs": self.ints(inputs),
            "Outputs": self.ints(outputs),
        }
        graph = self._table(tflite.SubGraph, fields | {"Operators": self._offsets(self.operators)})
        fields = {"OperatorCodes": self._offsets(self.codes), "Subgraphs": self._offsets([graph])}
        fields["Buffers"] = self._offsets(self.buffers)
        self.b.Finish(self._table(tflite.Model, {"Version": 3, **fields}), b"TFL3")
        return bytes(self.b.Output())


FULLY_CONNECTED, RELU, CUSTOM, PACK = 9, 19, 32, 83


def tflite_chain(n: int, number: int, tensor: Callable[[Tflite], dict], *more: int) -> bytes:
    """n operators one after another, over tensors (1, 4) with the fields of `tensor`; `more` are read by all."""
    w = Tflite()
    shape, fields = w.ints([1, 4]), tensor(w)
    values = [w.tensor(shape, **fields) for _ in range(n + 1)]
    for a, b in zip(values, values[1:], strict=False):
        w.operator(number, w.ints([a, *more]), w.ints([b]))
    return w.to_bytes(values[:1], values[-1:])


@crafted("tflite")
def vectors_read_for_each_operator() -> bytes:
    """4,000 operators that share a vector of 20,000 inputs."""
    w = Tflite()
    shape = w.ints([1, 4])
    x, y = w.tensor(shape), w.tensor(shape)
    inputs, outputs = w.ints([x] * 20_000), w.ints([y])
    for _ in range(4000):
        w.operator(PACK, inputs, outputs)
    return w.to_bytes([x], [y])


@crafted("tflite")
def scales_read_for_each_tensor() -> bytes:
    """3,000 tensors that share 100,000 scales."""
    return tflite_chain(
        3000, RELU, lambda w: {"Type": 9, "Quantization": w.quantization(w.floats(np.ones(100_000)))}
    )


@crafted("tflite")
def a_name_read_for_each_tensor() -> bytes:
    """3,000 tensors that share a name of 600,000 bytes."""
    return tflite_chain(3000, RELU, lambda w: {"Name": w.text("n" * 600_000)})


@crafted("tflite")
def chain_of_4000() -> bytes:
    """4,000 activations."""
    return tflite_chain(4000, RELU, lambda w: {})


@crafted("tflite")
def custom_codes_that_are_one_text() -> bytes:
    """3,000 operators of a name of 600,000 bytes."""
    w = Tflite()
    shape, code = w.ints([1, 4]), w.text("c" * 600_000)
    x, y = w.tensor(shape), w.tensor(shape)
    inputs, outputs = w.ints([x]), w.ints([y])
    for _ in range(3000):
        w.operator(CUSTOM, inputs, outputs, CustomCode=code)
    return w.to_bytes([x], [y])


@crafted("tflite")
def weights_that_are_one_buffer() -> bytes:
    """2,000 layers with the same 400 x 400 weights, each in a tensor of its own."""
    w = Tflite()
    shape, matrix, buffer = w.ints([1, 400]), w.ints([400, 400]), w.buffer(bytes(640_000))
    values = [w.tensor(shape) for _ in range(2001)]
    for a, b in zip(values, values[1:], strict=False):
        w.operator(FULLY_CONNECTED, w.ints([a, w.tensor(matrix, Buffer=buffer)]), w.ints([b]))
    return w.to_bytes(values[:1], values[-1:])


@crafted("tflite")
def tensors_of_2_gb() -> bytes:
    """An activation of 2^29 elements."""
    w = Tflite()
    shape = w.ints([1, 1 << 29])
    x, y = w.tensor(shape), w.tensor(shape)
    w.operator(RELU, w.ints([x]), w.ints([y]))
    return w.to_bytes([x], [y])


@crafted("tflite")
def inputs_without_end() -> bytes:
    """200,000 inputs and as many outputs."""
    w = Tflite()
    x = w.tensor(w.ints([1, 4]))
    return w.to_bytes([x] * 110_000, [x] * 110_000)
