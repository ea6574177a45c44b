"""importers/tflite.py on networks with branches, several inputs and several outputs.

Expected outputs come from the package `tflite-micro` (TensorFlow Lite Micro's interpreter): integers, which go through
a model file and the C core, are compared exactly, floats to 1e-6 of the largest. The files branches_*.tflite in
tests/golden/tflite were written by tests/golden/make_tflite.py with TensorFlow 2.21.0; branches.npz has what Keras and
that interpreter say.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anne_tools.conversion.pack import pack as pack_model
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Add, Dense
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from anne_tools.importers import tflite
from tflite_writer import Oracle, TfliteWriter, as_uint8, pack

SEED = 20261126
RELU, RELU6 = 1, 3  # numbers of fused activations
SCALE, ZERO = 0.05, -3


class Writer(TfliteWriter):
    """Writes layers of float32 or int8 networks; each method returns the tensor it makes."""

    def __init__(self, dtype: str):
        super().__init__()
        self.dtype, self.rng = dtype, np.random.default_rng(SEED)

    def value(self, *shape: int, scale: float = SCALE, zero_point: int = ZERO, **options) -> int:
        """A tensor that flows, with its batch axis."""
        if self.dtype == "int8":
            options |= {"scale": scale, "zero_point": zero_point}
        return self.tensor((1, *shape), self.dtype, **options)

    def fresh(self, *shape: int) -> int:
        """One with a scale and zero point of its own."""
        scale, zero_point = 0.05 * 2.0 ** self.rng.uniform(-1, 1), int(self.rng.integers(-60, 60))
        return self.value(*shape, scale=scale, zero_point=zero_point)

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(self.tensors[tensor].shape[1:])

    def dense(self, x: int, n_out: int, fused: int = 0) -> int:
        n_in, y = int(np.prod(self.shape(x))), self.fresh(n_out)
        weights = self.rng.uniform(-1, 1, (n_out, n_in))
        bias = self.rng.uniform(-1, 1, n_out)
        if self.dtype == "int8":
            step = self.tensors[x].quantization.scale[0] * np.float32(0.02)
            w = self.tensor((n_out, n_in), "int8", np.round(weights * 127), scale=0.02)
            b = self.tensor((n_out,), "int32", np.round(bias / step), scale=step)
        else:
            w, b = self.tensor((n_out, n_in), data=weights), self.tensor((n_out,), data=bias)
        self.operator("FULLY_CONNECTED", [x, w, b], [y], 4, fusedActivationFunction=fused)
        return y

    def add(self, a: int, b: int, fused: int = 0) -> int:
        y = self.fresh(*self.shape(a))
        self.operator("ADD", [a, b], [y], 2, fusedActivationFunction=fused)
        return y

    def reshape(self, x: int, *shape: int) -> int:
        q = self.tensors[x].quantization
        y = self.value(*shape, **({"scale": q.scale[0], "zero_point": q.zeroPoint[0]} if q else {}))
        self.operator("RESHAPE", [x, self.tensor((len(shape) + 1,), "int32", [1, *shape])], [y])
        return y

    def step(self, name: str, x: int, y: int | None = None) -> int:
        """An operator of one input: into `y`, or a tensor of the same shape."""
        y = self.fresh(*self.shape(x)) if y is None else y
        self.operator(name, [x], [y])
        return y

    def logistic(self, x: int) -> int:
        return self.step("LOGISTIC", x, self.value(*self.shape(x), scale=1 / 256, zero_point=-128))


# What TensorFlow's converter writes

GOLDEN = Path(__file__).parents[2] / "golden" / "tflite"
EXPECTED = np.load(GOLDEN / "branches.npz")


@pytest.mark.parametrize("kind", ["float32", "int8", "int8_float_ends"])
def test_ends_of_converted_files(kind):
    # the converter numbers what Keras calls steer and stop, and writes them the other way round
    graph = tflite.read(GOLDEN / f"branches_{kind}.tflite")
    assert (graph.input_names, graph.output_names) == (["image", "speed"], ["output_1", "output_0"])
    assert [t.shape for t in graph.input_tensors + graph.output_tensors] == [(3, 4), (2,), (1,), (2,)]
    assert [layer.kind for layer in graph.layers].count("add") == 3


def test_converted_file_gives_what_keras_says():
    graph = tflite.read(GOLDEN / "branches_float32.tflite")
    x = {name: EXPECTED[f"x_{name}"] for name in ("speed", "image")}
    stop, steer = graph.split_outputs(execute(graph, x))
    for got, name in ((stop, "stop"), (steer, "steer")):
        expected = EXPECTED[f"y_{name}"]
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("kind", ["int8", "int8_float_ends"])
def test_converted_int8_file_equals_tflite_micro(kind):
    graph = tflite.read(GOLDEN / f"branches_{kind}.tflite")
    for index in range(200):
        outputs = outputs_by_core(graph, [EXPECTED[f"int8_x_{i}"][index] for i in range(2)])
        for i, got in enumerate(outputs):
            np.testing.assert_array_equal(got, EXPECTED[f"int8_y_{i}"][index])


# The networks: each function gives its inputs and its outputs


def residual(w: Writer):
    """Two blocks x + f(x), the second with its relu inside the sum."""
    x = w.value(6)
    h = w.dense(x, 8, RELU)
    h = w.add(w.dense(w.dense(h, 8, RELU), 8), h)
    h = w.add(h, w.dense(h, 8), RELU)
    return [x], [w.dense(h, 3)]


def two_inputs(w: Writer):
    """An image and two numbers, which meet in a sum."""
    image, numbers = w.value(2, 3), w.value(2)
    meeting = w.add(w.dense(w.reshape(image, 6), 5), w.dense(numbers, 5), RELU6)
    return [image, numbers], [w.dense(meeting, 2)]


def two_outputs(w: Writer):
    """Two heads, and what leads to one of them is an output as well."""
    x = w.value(4)
    h = w.dense(x, 6, RELU)
    steer = w.dense(h, 2)
    return [x], [w.logistic(w.dense(h, 1)), steer, w.dense(steer, 3)]


def diamond(w: Writer):
    """Two ways part and meet, and a third passes by both."""
    x = w.value(5)
    h = w.dense(x, 7)
    left, right = w.logistic(h), w.dense(h, 7, RELU6)
    return [x], [w.dense(w.add(w.add(left, right), h), 2)]


def twice_itself(w: Writer):
    """x + x, and the sum plus itself."""
    x = w.value(3, 4)
    y = w.add(x, x)
    return [x], [w.add(y, y, RELU)]


def reshaped_branches(w: Writer):
    """Reshaped values are added, and what they were made of is read again."""
    x, other = w.value(12), w.value(3, 4)
    a = w.reshape(x, 3, 4)
    s = w.add(a, other)
    return [x, other], [w.reshape(s, 12), w.add(w.reshape(s, 2, 6), w.reshape(x, 2, 6))]


def inputs_added(w: Writer):
    """Four inputs of one shape, added in another order than they come in."""
    ends = [w.fresh(5) for _ in range(4)]
    return ends, [w.add(w.add(ends[3], ends[1]), w.add(ends[0], ends[2]))]


NETWORKS = [residual, two_inputs, two_outputs, diamond, twice_itself, reshaped_branches, inputs_added]


def outputs_by_core(graph: Graph, sample: list[np.ndarray]) -> list[np.ndarray]:
    """The integer network's outputs from the C core."""
    with NativeModel(pack_model(graph)) as native:
        values = native.trace(np.concatenate([x.ravel() for x in sample]))
        return [values[tensor.index] for tensor in native.outputs]


def check_int8(read_tflite, data: bytes, n_outputs: int, samples: int = 40) -> Graph:
    """Compare all outputs with the interpreter's, exactly; return the graph."""
    graph, oracle, rng = read_tflite(data), Oracle(data, 20_000), np.random.default_rng(SEED)
    for _ in range(samples):
        sample = [rng.integers(-128, 128, t.shape).astype(np.int8) for t in graph.input_tensors]
        shapes = [(1, *x.shape) for x in sample]
        expected = oracle.outputs(n_outputs, *(x.reshape(s) for x, s in zip(sample, shapes, strict=True)))
        for got, right in zip(outputs_by_core(graph, sample), expected, strict=True):
            np.testing.assert_array_equal(got, right[0])
    return graph


@pytest.mark.parametrize("network", NETWORKS)
def test_int8_equals_tflite_micro(read_tflite, network):
    w = Writer("int8")
    inputs, outputs = network(w)
    graph = check_int8(read_tflite, w.to_bytes(inputs, outputs), len(outputs))
    assert [t.shape for t in graph.input_tensors] == [w.shape(x) for x in inputs]
    assert [t.shape for t in graph.output_tensors] == [w.shape(y) for y in outputs]


@pytest.mark.parametrize("network", NETWORKS)
def test_float32_equals_tflite_micro(read_tflite, network):
    w = Writer("float32")
    inputs, outputs = network(w)
    data = w.to_bytes(inputs, outputs)
    graph, oracle, rng = read_tflite(data), Oracle(data, 20_000), np.random.default_rng(SEED)
    for _ in range(10):
        sample = [rng.uniform(-4, 4, (1, *t.shape)).astype(np.float32) for t in graph.input_tensors]
        expected = oracle.outputs(len(outputs), *sample)
        got = graph.split_outputs(execute(graph, sample if len(sample) > 1 else sample[0]))
        for mine, right in zip(got, expected, strict=True):
            np.testing.assert_allclose(mine, right, rtol=0, atol=1e-6 * max(1, np.abs(right).max()))


def random_network(w: Writer):
    """Up to three inputs and twelve layers, each of which reads any tensor before it; some tensors are outputs."""
    rng = w.rng
    inputs = [w.fresh(int(n)) for n in rng.choice([4, 6], rng.integers(1, 4))]
    made = list(inputs)
    for _ in range(rng.integers(3, 13)):
        x = int(rng.choice(made))
        like = [t for t in made if w.shape(t) == w.shape(x)]
        match rng.integers(6):
            case 0 | 1:
                made.append(w.add(x, int(rng.choice(like)), int(rng.choice([0, RELU, RELU6]))))
            case 2 | 3:
                made.append(w.dense(x, int(rng.choice([4, 6])), int(rng.choice([0, RELU]))))
            case 4:
                made.append(w.step(str(rng.choice(["QUANTIZE", "RELU"])), x))
            case 5:
                made.append(w.reshape(x, 2, int(np.prod(w.shape(x))) // 2))
    last = made[len(inputs) :]
    outputs = sorted({last[-1], *rng.choice(last, rng.integers(0, 3)).tolist()}, key=lambda _: rng.random())
    return inputs, outputs


def test_random_int8_networks_equal_tflite_micro(read_tflite):
    n_sums = n_outputs = 0
    for seed in range(60):
        w = Writer("int8")
        w.rng = np.random.default_rng([SEED, seed])
        inputs, outputs = random_network(w)
        try:
            graph = check_int8(read_tflite, w.to_bytes(inputs, outputs), len(outputs), 5)
        except (AssertionError, ModelError) as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        n_sums += sum(isinstance(layer, Add) for layer in graph.layers)
        n_outputs += len(outputs)
    assert n_sums > 50 and n_outputs > 90


def test_uint8_is_the_int8_network_with_128_more(read_tflite):
    # TFLite Micro has no uint8 ADD; what is right is its int8 answer, 128 more
    w = Writer("int8")
    inputs, outputs = residual(w)
    data = w.to_bytes(inputs, outputs)
    graph, oracle, rng = read_tflite(as_uint8(data)), Oracle(data), np.random.default_rng(SEED)
    assert graph.metadata.provenance["input type"] == graph.metadata.provenance["output type"] == "uint8"
    for x in rng.integers(-128, 128, (40, 1, 6)).astype(np.int8):
        np.testing.assert_array_equal(outputs_by_core(graph, [x[0]])[0], oracle(x)[0])


def test_some_ends_in_uint8_are_noted(read_tflite):
    w = Writer("int8")
    a, b = w.tensor((1, 4), "uint8", scale=SCALE, zero_point=ZERO + 128, name="camera"), w.value(4)
    y = w.add(w.step("QUANTIZE", a, w.value(4)), b)
    graph = read_tflite(w.to_bytes([a, b], [y]))
    assert "input type" not in graph.metadata.provenance
    note = "input type of camera: uint8 in the file, here int8 whose values are 128 less"
    assert note in graph.metadata.provenance["notes"]
    got = outputs_by_core(graph, [np.int8([0, 1, 2, 3]), np.int8([4, 5, 6, 7])])
    oracle = Oracle(w.to_bytes([a, b], [y]))
    np.testing.assert_array_equal(
        got[0], oracle(np.uint8([[128, 129, 130, 131]]), np.int8([[4, 5, 6, 7]]))[0]
    )


# Floats at the ends of an int8 network


def float_ends(w: Writer):
    """Two float inputs, one output in floats and one in int8."""
    ends = [w.tensor((1, 4)) for _ in range(2)]
    a, b = (w.step("QUANTIZE", x, w.fresh(4)) for x in ends)
    y = w.add(w.dense(a, 5), w.dense(b, 5), RELU)
    return ends, [w.step("DEQUANTIZE", y, w.tensor((1, 5))), w.dense(y, 2)]


def test_float_ends_drop_out_at_each_input_and_output(read_tflite):
    w = Writer("int8")
    ends, outputs = float_ends(w)
    data = w.to_bytes(ends, outputs)
    graph, oracle, rng = read_tflite(data), Oracle(data), np.random.default_rng(SEED)
    assert [layer.kind for layer in graph.layers] == ["dense", "dense", "add", "dense"]
    quantizations = [t.quantization for t in graph.input_tensors]
    scale, zero_point = (getattr(graph.output_tensors[0].quantization, f) for f in ("scale", "zero_point"))
    for _ in range(40):
        sample = rng.integers(-128, 128, (2, 4)).astype(np.int8)
        real = [
            np.float32(q.scale[0]) * (x - np.float32(q.zero_point))[None]
            for x, q in zip(sample, quantizations, strict=True)
        ]
        first, second = oracle.outputs(2, *real)
        got = outputs_by_core(graph, list(sample))
        np.testing.assert_array_equal(np.float32(scale[0]) * (got[0] - np.float32(zero_point)), first[0])
        np.testing.assert_array_equal(got[1], second[0])


# Names


def test_names_are_the_signatures(read_tflite):
    w = Writer("float32")
    inputs, outputs = two_inputs(w)
    # a signature has an order of its own: the file's is kept
    names = {"speed": inputs[1], "image": inputs[0]}, {"steer": outputs[0]}
    graph = read_tflite(w.to_bytes(inputs, outputs, names))
    assert (graph.input_names, graph.output_names) == (["image", "speed"], ["steer"])
    assert [t.shape for t in graph.input_tensors] == [(2, 3), (2,)]


def test_names_are_the_tensors_without_a_signature(read_tflite):
    w = Writer("float32")
    a, b, y = (w.value(3, name=name) for name in ("left", "right", "both"))
    w.operator("ADD", [b, a], [y])
    graph = read_tflite(w.to_bytes([a, b], [y]))
    assert (graph.input_names, graph.output_names) == (["left", "right"], ["both"])


def test_a_signature_of_another_graph_names_nothing(read_tflite):
    w = Writer("float32")
    a, y = w.value(3, name="left"), w.value(3, name="both")
    w.operator("ADD", [a, a], [y])
    model = w.to_model([a], [y], ({"x": a}, {"y": y}))
    model.signatureDefs[0].subgraphIndex = 1
    assert read_tflite(pack(model)).input_names == ["left"]


def test_an_input_that_nothing_reads_stays(read_tflite):
    w = Writer("float32")
    a, b = w.value(3), w.value(2)
    y = w.dense(b, 2)
    graph = read_tflite(w.to_bytes([a, b], [y]))
    assert [t.shape for t in graph.input_tensors] == [(3,), (2,)]


def test_the_weights_of_two_layers_may_be_one_tensor(read_tflite):
    w = Writer("float32")
    x, h, y = w.value(4), w.value(4), w.value(4)
    weights = w.tensor((4, 4), data=w.rng.uniform(-1, 1, (4, 4)))
    w.operator("FULLY_CONNECTED", [x, weights, -1], [h])
    w.operator("FULLY_CONNECTED", [h, weights, -1], [y])
    data = w.to_bytes([x], [w.add(h, y)])
    graph, sample = read_tflite(data), np.float32([[1, -2, 3, -4]])
    assert [type(layer) for layer in graph.layers] == [Dense, Dense, Add]
    np.testing.assert_allclose(execute(graph, sample), Oracle(data)(sample), rtol=0, atol=1e-6)


# What is refused


def refused(read_tflite, data: bytes) -> str:
    with pytest.raises(ModelError) as error:
        pack_model(read_tflite(data))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_sums_of_two_shapes_are_refused_with_both(read_tflite, dtype):
    w = Writer(dtype)
    a, b, y = w.value(3, 4), w.value(2, 4), w.value(3, 4)
    w.operator("ADD", [a, b], [y])
    message = refused(read_tflite, w.to_bytes([a, b], [y]))
    assert message.startswith("layer 0 (ADD): expected ") and message.endswith(", got (3, 4) and (2, 4)")


def test_an_output_too_fine_for_the_sum_is_refused(read_tflite):
    w = Writer("int8")
    x, y = w.value(4, scale=1.0), w.value(4, scale=1e-7)
    w.operator("ADD", [x, x], [y])
    assert "its output scale 1.0" in refused(read_tflite, w.to_bytes([x], [y]))


def test_quotients_of_two_inputs_are_refused(read_tflite):
    w = Writer("float32")
    a, b, y = w.value(4), w.value(4), w.value(4)
    w.operator("DIV", [a, b], [y])
    assert "needs DIV of two computed values (1); the first is" in refused(
        read_tflite, w.to_bytes([a, b], [y])
    )


def test_operators_of_several_outputs_are_refused_by_name(read_tflite):
    w = Writer("float32")
    x, a, b = w.value(4), w.value(4), w.value(4)
    w.operator("RELU", [x], [a, b])
    assert "needs RELU with 2 outputs, which is not supported" in refused(
        read_tflite, w.to_bytes([x], [a, b])
    )


def test_batches_must_agree(read_tflite):
    w = TfliteWriter()
    a, b, y = w.tensor((2, 4)), w.tensor((3, 4)), w.tensor((2, 4))
    w.operator("ADD", [a, b], [y])
    assert "expected a batch of 2, got shape (3, 4)" in refused(read_tflite, w.to_bytes([a, b], [y]))
