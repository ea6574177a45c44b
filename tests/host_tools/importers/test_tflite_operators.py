"""Every operator of importers/tflite.py, on small models written with TFLite's own schema.

Expected outputs come from the package `tflite-micro` (TensorFlow Lite Micro's interpreter): integers are compared
exactly, floats to 1e-6 of the largest.
"""

import re

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.layers import Activation, Scaling
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from int8_reference import run_int8
from tflite_writer import Oracle, TfliteWriter, int8_network, pack

SEED = 20261123
SOFTMAX_BETA_ONE = {"beta": 1.0}


# int8 files


@pytest.mark.parametrize("per_axis", [False, True])
@pytest.mark.parametrize("activation", [0, 1, 3])
def test_int8_network_equals_tflite_micro(read_tflite, per_axis, activation):
    rng = np.random.default_rng(SEED)
    data = int8_network(rng, per_axis, activation)
    graph, oracle = read_tflite(data), Oracle(data)
    x = rng.integers(-128, 128, (300, 6), np.int8)
    expected = np.concatenate([oracle(row[None]) for row in x])
    np.testing.assert_array_equal(run_int8(graph, x), expected)


def test_int8_layers_keep_the_integers_and_scales_of_the_file(read_tflite):
    rng = np.random.default_rng(SEED)
    graph = read_tflite(int8_network(rng, True, 1))
    rng = np.random.default_rng(SEED)
    scales = np.float32(2.0 ** rng.uniform(-8, -6, 5))
    weights = rng.integers(-127, 128, (5, 6))
    first = graph.layers[0]
    np.testing.assert_array_equal(first.weights, weights)
    np.testing.assert_array_equal(first.weights_quantization.scale, scales)
    assert (first.weights.dtype, first.bias.dtype, first.activation) == (np.int8, np.int32, "relu")
    hidden = graph.tensors[first.output]
    assert (hidden.dtype, hidden.quantization.scale[0], hidden.quantization.zero_point) == (
        "int8",
        np.float32(0.04),
        7,
    )
    assert graph.layers[2].bias.tolist() == [0, 0, 0]  # left out in the file


def test_float_ends_of_an_int8_network_drop_out(read_tflite):
    rng = np.random.default_rng(SEED)
    graph = read_tflite(int8_network(rng, False, 0, ends="float32"))
    assert [layer.kind for layer in graph.layers] == ["dense", "activation", "dense", "activation"]
    assert graph.tensors[graph.inputs[0]].dtype == graph.tensors[graph.outputs[0]].dtype == "int8"


def test_int8_change_of_scale_is_a_linear_activation(read_tflite):
    w = TfliteWriter()
    x = w.tensor((1, 256), "int8", scale=0.05, zero_point=-3)
    y = w.tensor((1, 256), "int8", scale=0.08, zero_point=20)
    w.operator("QUANTIZE", [x], [y])
    data = w.to_bytes([x], [y])
    every = np.arange(-128, 128, dtype=np.int8)[None]
    graph = read_tflite(data)
    assert graph.layers[0].activation == "linear"
    np.testing.assert_array_equal(run_int8(graph, every), Oracle(data)(every))


# float32 files


def check_float(read_tflite, writer: TfliteWriter, first: int, last: int) -> Graph:
    """Compare the imported graph with the interpreter on 20 inputs; return it."""
    data = writer.to_bytes([first], [last])
    graph, oracle = read_tflite(data), Oracle(data)
    rng = np.random.default_rng(SEED)
    for _ in range(20):
        x = rng.uniform(-4, 4, writer.tensors[first].shape).astype(np.float32)
        expected = oracle(x)[0]
        got = execute(graph, x)[0]
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * max(1, np.abs(expected).max()))
    return graph


def dense(writer: TfliteWriter, x: int, n_in: int, n_out: int, **options) -> int:
    """Append a float32 FULLY_CONNECTED with random weights."""
    rng = np.random.default_rng(len(writer.tensors))
    weights = writer.tensor((n_out, n_in), data=rng.uniform(-1, 1, (n_out, n_in)), name="net/fc/MatMul")
    bias = writer.tensor((n_out,), data=rng.uniform(-1, 1, n_out))
    shape = options.pop("output_shape", (1, n_out))
    y = writer.tensor(shape, name="net/fc/BiasAdd")
    writer.operator("FULLY_CONNECTED", [x, weights, bias], [y], **options)
    return y


@pytest.mark.parametrize(
    "name, activation, options",
    [
        ("RELU", "relu", {}),
        ("RELU6", "relu6", {}),
        ("LEAKY_RELU", "leaky_relu", {"alpha": 0.2}),
        ("ELU", "elu", {}),
        ("LOGISTIC", "sigmoid", {}),
        ("TANH", "tanh", {}),
        ("HARD_SWISH", "hard_swish", {}),
        ("SOFTMAX", "softmax", SOFTMAX_BETA_ONE),
    ],
)
def test_float_dense_and_activation(read_tflite, name, activation, options):
    w = TfliteWriter()
    x = w.tensor((1, 4), signature=(-1, 4))
    hidden = dense(w, x, 4, 5, fusedActivationFunction=0)
    y = w.tensor((1, 5))
    w.operator(name, [hidden], [y], **options)
    graph = check_float(read_tflite, w, x, y)
    assert graph.layers[0].name == "fc"
    assert graph.layers[1].activation == activation


def test_float_fused_relu_and_a_missing_bias(read_tflite):
    w = TfliteWriter()
    x = w.tensor((1, 4))
    weights = w.tensor((3, 4), data=np.random.default_rng(1).uniform(-1, 1, (3, 4)))
    y = w.tensor((1, 3))
    w.operator("FULLY_CONNECTED", [x, weights, -1], [y], fusedActivationFunction=1)
    graph = check_float(read_tflite, w, x, y)
    assert graph.layers[0].activation == "relu" and not graph.layers[0].bias.any()


def test_gelu_is_read_and_its_approximation_noted(read_tflite):
    # TFLite Micro has no GELU, so there is nothing to compare with
    w = TfliteWriter()
    x, y = w.tensor((1, 4)), w.tensor((1, 4))
    w.operator("GELU", [x], [y], approximate=True)
    graph = read_tflite(w.to_bytes([x], [y]))
    assert graph.layers[0].activation == "gelu"
    assert "tanh approximation" in graph.metadata.provenance["notes"]


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("left", [False, True])
def test_float_constants_become_scaling(read_tflite, name, left):
    w = TfliteWriter()
    x, y = w.tensor((1, 3)), w.tensor((1, 3))
    c = w.tensor((3,), data=[1.5, -2.0, 0.25])
    w.operator(name, [c, x] if left else [x, c], [y], fusedActivationFunction=1)
    graph = check_float(read_tflite, w, x, y)
    assert [type(layer) for layer in graph.layers] == [Scaling, Activation]


def test_x_times_sigmoid_of_x_is_swish(read_tflite):
    w = TfliteWriter()
    x, s, y = w.tensor((1, 3)), w.tensor((1, 3)), w.tensor((1, 3))
    w.operator("LOGISTIC", [x], [s])
    w.operator("MUL", [s, x], [y])
    graph = check_float(read_tflite, w, x, y)
    assert [layer.activation for layer in graph.layers] == ["swish"]


def test_inputs_of_any_shape_are_flattened(read_tflite):
    # an image of 2 x 3 without a RESHAPE, and keep_num_dims behind it
    w = TfliteWriter()
    x = w.tensor((1, 2, 3))
    hidden = dense(w, x, 6, 4)
    y = dense(w, hidden, 4, 2, keepNumDims=True)
    graph = check_float(read_tflite, w, x, y)
    assert [layer.kind for layer in graph.layers] == ["reshape", "dense", "dense"]


def test_a_fixed_batch_is_read_as_one_row(read_tflite):
    w = TfliteWriter()
    x = w.tensor((2, 3, 4))
    flat = w.tensor((2, 12))
    w.operator("RESHAPE", [x, w.tensor((2,), "int32", [2, 12])], [flat])
    y = dense(w, flat, 12, 5, output_shape=(2, 5))
    data = w.to_bytes([x], [y])
    sample = np.random.default_rng(SEED).uniform(-1, 1, (2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(execute(read_tflite(data), sample), Oracle(data)(sample), rtol=0, atol=1e-6)


def test_shapes_computed_from_constants_fold_away(read_tflite):
    # what Keras's Reshape layer becomes: SHAPE -> STRIDED_SLICE [0] -> PACK with 2, 3 -> RESHAPE
    w = TfliteWriter()
    x = w.tensor((1, 4))
    hidden = dense(w, x, 4, 6)
    shape, batch = w.tensor((2,), "int32"), w.tensor((), "int32")
    zero, one = w.tensor((1,), "int32", [0]), w.tensor((1,), "int32", [1])
    two, three = w.tensor((), "int32", 2), w.tensor((), "int32", 3)
    target, y = w.tensor((3,), "int32"), w.tensor((1, 2, 3))
    w.operator("SHAPE", [hidden], [shape], outType=2)
    w.operator("STRIDED_SLICE", [shape, zero, one, one], [batch], shrinkAxisMask=1)
    w.operator("PACK", [batch, two, three], [target], valuesCount=3)
    w.operator("RESHAPE", [hidden, target], [y])
    graph = check_float(read_tflite, w, x, y)
    assert [layer.kind for layer in graph.layers] == ["dense", "reshape"]
    assert graph.tensors[graph.outputs[0]].shape == (2, 3)


def test_int8_weights_with_float_activations(read_tflite):
    # "dynamic range" quantisation; TFLite Micro refuses it, so the expected output is x @ (scale * weights) + bias
    rng = np.random.default_rng(SEED)
    weights, bias = rng.integers(-127, 128, (3, 4)), rng.uniform(-1, 1, 3).astype(np.float32)
    w = TfliteWriter()
    x, y = w.tensor((1, 4)), w.tensor((1, 3))
    wt = w.tensor((3, 4), "int8", weights, scale=0.02)
    w.operator("FULLY_CONNECTED", [x, wt, w.tensor((3,), data=bias)], [y])
    graph = read_tflite(w.to_bytes([x], [y]))
    assert graph.layers[0].weights.dtype == np.int8 and graph.layers[0].bias.dtype == np.float32
    sample = rng.uniform(-1, 1, (1, 4))
    np.testing.assert_allclose(
        execute(graph, sample), sample @ (np.float32(0.02) * weights).T + bias, atol=1e-6
    )


def test_weights_stored_as_float16_or_int8_with_dequantize(read_tflite):
    rng = np.random.default_rng(SEED)
    values = rng.integers(-127, 128, (3, 4))
    w = TfliteWriter()
    x, wide, y = w.tensor((1, 4)), w.tensor((3, 4)), w.tensor((1, 3))
    w.operator("DEQUANTIZE", [w.tensor((3, 4), "int8", values, scale=[0.5, 0.25, 0.125])], [wide])
    w.operator("FULLY_CONNECTED", [x, wide, -1], [y])
    graph = read_tflite(w.to_bytes([x], [y]))
    np.testing.assert_array_equal(graph.layers[0].weights, values * np.array([[0.5], [0.25], [0.125]]))


# What is refused


def refused(read_tflite, writer_or_bytes, first=0, last=0) -> str:
    data = (
        writer_or_bytes if isinstance(writer_or_bytes, bytes) else writer_or_bytes.to_bytes([first], [last])
    )
    with pytest.raises(ModelError) as error:
        read_tflite(data)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_unsupported_operator_is_named_with_what_is_supported(read_tflite):
    w = TfliteWriter()
    x = w.tensor((1, 4))
    hidden, y = dense(w, x, 4, 4), w.tensor((1, 4))
    w.operator("COS", [hidden], [y])
    assert refused(read_tflite, w, x, y).endswith(
        "needs COS (1); the first is layer 1 (COS); anne convert --supported tflite lists what can be used"
    )


def test_everything_that_is_missing_is_named(read_tflite):
    w = TfliteWriter()
    x, z, wide = w.tensor((1, 4)), w.tensor((1, 4)), w.tensor((1, 4))
    w.tensors[wide].type = 8  # complex64
    a, b, y = (w.tensor((1, 4)) for _ in range(3))
    w.operator("COS", [x], [a])
    w.operator("COS", [a], [b])
    w.operator("DIV", [a, b], [y])
    w.operator("MUL", [b, wide], [z])
    message = refused(read_tflite, w.to_bytes([x, z], []))
    assert message.startswith(
        "needs COS (2), DIV of two computed values (1), 0 outputs, values of type 8; the first is layer 0"
    )


def test_open_axes_are_what_input_shape_says(tmp_path):
    path, w = tmp_path / "model.tflite", TfliteWriter()
    x, y = w.tensor((1, 1, 3), signature=(-1, -1, 3), name="x"), w.tensor((1, 1, 3))
    w.operator("RELU", [x], [y])
    path.write_bytes(w.to_bytes([x], [y]))
    for given in ((5, 3), [(5, 3)], {"x": (5, 3)}):
        assert [t.shape for t in load(path, input_shape=given).output_tensors] == [(5, 3)]
    for given, message in (
        (
            None,
            "an input of dynamic shape (-1, -1, 3) (only the batch axis may be open); say it with --input-shape",
        ),
        ((5, 4), "input_shape: the model has (None, 3), without batch, got (5, 4)"),
        ((5,), "input_shape: the model has (None, 3), without batch, got (5,)"),
        ((0, 3), "input_shape: expected positive numbers, got (0, 3)"),
        ({"z": (5, 3)}, "input_shape: expected inputs x; got z"),
        ([(5, 3), (5, 3)], "input_shape: expected 1 shapes, one for each input, got 2"),
    ):
        with pytest.raises(ModelError) as error:
            load(path, input_shape=given)
        assert message in str(error.value)


def small_model():
    """x (1, 4) -> FULLY_CONNECTED -> y (1, 3), as a schema object to damage."""
    w = TfliteWriter()
    x = w.tensor((1, 4), signature=(-1, 4))
    y = dense(w, x, 4, 3)
    return w.to_model([x], [y])


def test_the_small_model_is_whole(read_tflite):
    assert len(read_tflite(pack(small_model())).layers) == 1


def change(path: str, value):
    """A test case: the small model with the field at `path` set to `value`."""
    *parents, last = re.findall(r"\w+", path)

    def apply(model):
        for name in parents:
            model = model[int(name)] if name.isdigit() else getattr(model, name)
        setattr(model, last, value)

    return apply


@pytest.mark.parametrize(
    "damage, message",
    [
        (change("version", 4), "TFLite schema version 4 is not supported; supported: 3"),
        (change("subgraphs", []), "expected a model of one subgraph, got 0"),
        (change("subgraphs[0].inputs", [0, 0]), "input t0: '0' is an input or a constant before it"),
        (change("subgraphs[0].inputs", []), "needs 0 inputs"),
        (change("subgraphs[0].inputs", [0] * 258), "needs 258 inputs"),
        (change("subgraphs[0].outputs", []), "needs 0 outputs"),
        (change("subgraphs[0].outputs", [99]), "outputs: tensor 99 does not exist, there are 4"),
        (change("subgraphs[0].outputs", [1]), "is a constant, or computed by no layer"),
        (
            change("subgraphs[0].operators[0].inputs", [0, 77, 2]),
            "layer 0 (FULLY_CONNECTED): tensor 77 does not",
        ),
        (change("subgraphs[0].operators[0].inputs", [3, 1, 2]), "its input '3' is not computed before it"),
        (change("subgraphs[0].operators[0].inputs", [0, 0, 2]), "its weights must be a constant"),
        (change("subgraphs[0].operators[0].inputs", []), "its input 0 is missing"),
        (change("subgraphs[0].operators[0].opcodeIndex", 5), "operator code 5 does not exist"),
        (change("subgraphs[0].operators[0].builtinOptions.weightsFormat", 1), "weights in a shuffled format"),
        (
            change("subgraphs[0].operators[0].builtinOptions.fusedActivationFunction", 4),
            "fused activation TANH",
        ),
        (
            change("subgraphs[0].operators[0].builtinOptionsType", 9),
            "expected FullyConnectedOptions, got options",
        ),
        (
            change("subgraphs[0].tensors[0].shapeSignature", [-1, -1]),
            "an input of dynamic shape (-1, -1) (only the batch axis may be open); say it with --input-shape",
        ),
        (change("subgraphs[0].operators[0].outputs", [0]), "its output, tensor 0, is computed twice"),
        (change("subgraphs[0].tensors[0].shape", [1, 5]), "expected 4 inputs, got shape (5,)"),
        (change("subgraphs[0].tensors[0].shape", []), "expected fixed sizes behind the batch axis, got ()"),
        (change("subgraphs[0].tensors[0].type", 8), "needs values of type 8"),
        (change("subgraphs[0].tensors[1].type", 9), "expected 12 bytes of int8 for (3, 4), got 48"),
        (change("subgraphs[0].tensors[1].shape", [3, 5]), "expected 60 bytes of float32 for (3, 5), got 48"),
        (change("subgraphs[0].tensors[1].shape", [1 << 30, 1 << 30]), "unpacks to more than the limit of"),
        (change("subgraphs[0].tensors[1].buffer", 40), "buffer 40 does not exist, there are 3"),
        (change("subgraphs[0].tensors[1].isVariable", True), "needs a state (variables)"),
        (change("buffers[1].data", np.full(48, 255, np.uint8)), "12 of 12 weights are NaN or infinite"),
        (change("subgraphs[0].operators", []), "is a constant, or computed by no layer"),
    ],
)
def test_damaged_file_is_refused_in_one_line(read_tflite, damage, message):
    model = small_model()
    damage(model)
    assert message in refused(read_tflite, pack(model))


def test_int8_scales_are_checked(read_tflite):
    def model(**quantization):
        w = TfliteWriter()
        x, y = (
            w.tensor((1, 4), "int8", **quantization),
            w.tensor((1, 4), "int8", scale=1 / 256, zero_point=-128),
        )
        w.operator("TANH", [x], [y])
        return w.to_bytes([x], [y])

    assert "expected one scale for an int8 tensor" in refused(read_tflite, model())
    assert "scales must be positive and finite" in refused(read_tflite, model(scale=float("nan")))
    assert "expected one zero point from -128 to 127, got [300]" in refused(
        read_tflite, model(scale=0.1, zero_point=300)
    )
    message = refused(read_tflite, model(scale=0.1))
    assert "expected an output of scale 0.0078125 and zero point 0, got 0.00390625 and -128" in message


def test_bias_of_another_scale_is_refused(read_tflite):
    w = TfliteWriter()
    x, y = w.tensor((1, 4), "int8", scale=0.5), w.tensor((1, 2), "int8", scale=0.5)
    weights = w.tensor((2, 4), "int8", np.ones((2, 4)), scale=0.5)
    w.operator("FULLY_CONNECTED", [x, weights, w.tensor((2,), "int32", [1, 2], scale=1.0)], [y])
    assert "the scale of the bias is not that of input times weights" in refused(read_tflite, w, x, y)
