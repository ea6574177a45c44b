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

    def options(self, kind, **fields) -> dict:
        """Fields of an operator with options of the schema's class `kind`, which several may share."""
        number = getattr(tflite.BuiltinOptions, kind.__name__)
        return {"BuiltinOptionsType": number, "BuiltinOptions": self._table(kind, fields)}

    def operator(self, number: int, inputs: int, outputs: int, options: dict | None = None, **code) -> None:
        self.codes.append(self._table(tflite.OperatorCode, {"DeprecatedBuiltinCode": number, **code}))
        fields = {"OpcodeIndex": len(self.codes) - 1, "Inputs": inputs, "Outputs": outputs}
        self.operators.append(self._table(tflite.Operator, fields | (options or {})))

    def _offsets(self, offsets: list[int]) -> int:
        self.b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.b.PrependUOffsetTRelative(offset)
        return self.b.EndVector()

    def signature(self, entries: list[int]) -> int:
        """A signature whose inputs are `entry`s, which may be one and the same."""
        return self._table(tflite.SignatureDef, {"Inputs": self._offsets(entries)})

    def entry(self, text: int, index: int) -> int:
        return self._table(tflite.TensorMap, {"Name": text, "TensorIndex": index})

    def to_bytes(
        self, inputs: list[int], outputs: list[int], signatures: list[int] = (), more_graphs: int = 0
    ) -> bytes:
        """`more_graphs` are the same once more."""
        fields = {
            "Tensors": self._offsets(self.tensors),
            "Inputs": self.ints(inputs),
            "Outputs": self.ints(outputs),
        }
        graph = self._table(tflite.SubGraph, fields | {"Operators": self._offsets(self.operators)})
        fields = {
            "OperatorCodes": self._offsets(self.codes),
            "Subgraphs": self._offsets([graph] * (1 + more_graphs)),
        }
        fields["Buffers"] = self._offsets(self.buffers)
        if signatures:
            fields["SignatureDefs"] = self._offsets(signatures)
        self.b.Finish(self._table(tflite.Model, {"Version": 3, **fields}), b"TFL3")
        return bytes(self.b.Output())


ADD, FULLY_CONNECTED, RELU, CUSTOM, PAD, PADV2, PACK, QUANTIZE = 0, 9, 19, 32, 34, 60, 83, 114


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


def padding(n: int, rows: list[list[int]], values: int = 0) -> bytes:
    """n PADs one after another that share their widths, or PADV2s with as many values."""
    w = Tflite()
    shape = w.ints([1, 4])
    more = [w.tensor(w.ints(np.shape(rows)), Type=2, Buffer=w.buffer(np.array(rows, "<i4").tobytes()))]
    if values:
        more.append(w.tensor(w.ints([values]), Buffer=w.buffer(bytes(4 * values))))
    tensors = [w.tensor(shape) for _ in range(n + 1)]
    for a, b in zip(tensors, tensors[1:], strict=False):
        w.operator(PADV2 if values else PAD, w.ints([a, *more]), w.ints([b]))
    return w.to_bytes(tensors[:1], tensors[-1:])


@crafted("tflite")
def chain_of_padding() -> bytes:
    """4,000 PADs, each by one number more."""
    return padding(4000, [[0, 0], [0, 1]])


@crafted("tflite")
def padding_to_2_gb() -> bytes:
    """200 PADs by 2^31 - 1 on either side."""
    return padding(200, [[0, 0], [2**31 - 1, 2**31 - 1]])


@crafted("tflite")
def padding_of_axes_without_end() -> bytes:
    """2,000 PADs that share the widths of 100,000 axes."""
    return padding(2000, [[0, 1]] * 100_000)


@crafted("tflite")
def padding_with_values_without_end() -> bytes:
    """2,000 PADV2s that share 200,000 values."""
    return padding(2000, [[0, 0], [0, 1]], 200_000)


# --- Networks that branch ---------------------------------------------------------------------------------------------


def sums(n: int, back: int, fields: Callable[[Tflite], dict] = lambda w: {}) -> bytes:
    """n sums of the value before and of the one `back` before; 1 is the value before itself."""
    w = Tflite()
    shape, more = w.ints([1, 4]), fields(w)
    values = [w.tensor(shape, **more) for _ in range(n + back)]
    for i in range(n):
        w.operator(ADD, w.ints([values[i], values[i + back - 1]]), w.ints([values[i + back]]))
    return w.to_bytes(values[:back], values[-1:])


def int8(w: Tflite) -> dict:
    return {"Type": 9, "Quantization": w.quantization(w.floats([0.5]))}


@crafted("tflite")
def sums_of_themselves() -> bytes:
    """4,000 sums of the value before and itself: 2^4000 ways through."""
    return sums(4000, 1)


@crafted("tflite")
def int8_sums_of_the_last_two() -> bytes:
    """200 sums of the two before, as many as may be layers."""
    return sums(200, 2, int8)


@crafted("tflite")
def sums_of_200_inputs() -> bytes:
    """200 inputs, and 4,000 sums of a value and one 200 before."""
    return sums(4000, 200)


@crafted("tflite")
def distinct_inputs_without_end() -> bytes:
    """10,000 inputs, each a tensor of its own of 30,000 numbers."""
    w = Tflite()
    shape = w.ints([1, 30_000])
    values = [w.tensor(shape) for _ in range(10_001)]
    w.operator(ADD, w.ints(values[:2]), w.ints(values[-1:]))
    return w.to_bytes(values[:-1], values[-1:])


@crafted("tflite")
def outputs_as_many_as_may_be() -> bytes:
    """257 outputs, all of them one value."""
    w = Tflite()
    shape = w.ints([1, 4])
    x, y = w.tensor(shape), w.tensor(shape)
    w.operator(RELU, w.ints([x]), w.ints([y]))
    return w.to_bytes([x], [y] * 257)


@crafted("tflite")
def names_of_600_kb_in_a_signature() -> bytes:
    """A signature of 30,000 inputs that share a name of 600,000 bytes."""
    w = Tflite()
    shape = w.ints([1, 4])
    x, y = w.tensor(shape), w.tensor(shape)
    w.operator(RELU, w.ints([x]), w.ints([y]))
    entry = w.entry(w.text("n" * 600_000), x)
    return w.to_bytes([x], [y], [w.signature([entry] * 30_000)])


@crafted("tflite")
def signatures_without_end() -> bytes:
    """100,000 signatures, all of another graph."""
    w = Tflite()
    shape = w.ints([1, 4])
    x, y = w.tensor(shape), w.tensor(shape)
    w.operator(RELU, w.ints([x]), w.ints([y]))
    other = w._table(tflite.SignatureDef, {"SubgraphIndex": 1})
    return w.to_bytes([x], [y], [other] * 100_000)


@crafted("tflite")
def scales_that_change_between_branches() -> bytes:
    """1,000 changes of scale of one value, each added to what was before."""
    w = Tflite()
    shape = w.ints([1, 4])
    scales = [{"Type": 9, "Quantization": w.quantization(w.floats([s]))} for s in (0.5, 0.25)]
    x = y = w.tensor(shape, **scales[0])
    for _ in range(1000):
        changed, total = w.tensor(shape, **scales[1]), w.tensor(shape, **scales[0])
        w.operator(QUANTIZE, w.ints([x]), w.ints([changed]))
        w.operator(ADD, w.ints([changed, y]), w.ints([total]))
        y = total
    return w.to_bytes([x], [y])
