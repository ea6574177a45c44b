"""Every operator of importers/tflite.py, on small models written with TFLite's own schema.

Expected outputs come from the package `tflite-micro` (TensorFlow Lite Micro's interpreter): integers are compared
exactly, floats to 1e-6 of the largest.
"""

import re

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.execute import execute
from anne_tools.graph import Activation, Graph, Scaling

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from anne_tools.cli import cli
from anne_tools.conversion import convert
from anne_tools.importers import tflite
from anne_tools.verify import verify
from click.testing import CliRunner
from int8_reference import run_int8
from tflite_writer import Oracle, TfliteWriter, pack, schema

SEED = 20261123
SOFTMAX_BETA_ONE = {"beta": 1.0}


@pytest.fixture
def read(tmp_path):
    """Reads the bytes of a model."""

    def read_bytes(data: bytes) -> Graph:
        path = tmp_path / "model.tflite"
        path.write_bytes(data)
        return tflite.read(path)

    return read_bytes


# int8 files


def int8_network(rng, per_axis: bool, activation: int, ends: str = "int8") -> bytes:
    """Dense 6-5 with a fused activation, LOGISTIC or TANH as drawn, dense 5-3, SOFTMAX."""
    w = TfliteWriter()
    x = w.tensor((1, 6), "int8", scale=0.05, zero_point=-3, signature=(-1, 6))
    first = x
    if ends == "float32":
        first = w.tensor((1, 6), "float32")
        w.operator("QUANTIZE", [first], [x])
    scales = 2.0 ** rng.uniform(-8, -6, 5 if per_axis else 1)
    weights = w.tensor((5, 6), "int8", rng.integers(-127, 128, (5, 6)), scale=scales)
    bias = w.tensor((5,), "int32", rng.integers(-500, 500, 5), scale=0.05 * np.float32(scales))
    hidden = w.tensor((1, 5), "int8", scale=0.04, zero_point=7)
    w.operator("FULLY_CONNECTED", [x, weights, bias], [hidden], 4, fusedActivationFunction=activation)
    bent = w.tensor((1, 5), "int8", scale=1 / 256, zero_point=-128)
    w.operator("LOGISTIC", [hidden], [bent])
    weights = w.tensor((3, 5), "int8", rng.integers(-127, 128, (3, 5)), scale=0.02)
    scores = w.tensor((1, 3), "int8", scale=0.06, zero_point=11)
    w.operator("FULLY_CONNECTED", [bent, weights, -1], [scores], 4)
    y = w.tensor((1, 3), "int8", scale=1 / 256, zero_point=-128)
    w.operator("SOFTMAX", [scores], [y], **SOFTMAX_BETA_ONE)
    last = y
    if ends == "float32":
        last = w.tensor((1, 3), "float32")
        w.operator("DEQUANTIZE", [y], [last])
    return w.to_bytes([first], [last])


@pytest.mark.parametrize("per_axis", [False, True])
@pytest.mark.parametrize("activation", [0, 1, 3])
def test_int8_network_equals_tflite_micro(read, per_axis, activation):
    rng = np.random.default_rng(SEED)
    data = int8_network(rng, per_axis, activation)
    graph, oracle = read(data), Oracle(data)
    x = rng.integers(-128, 128, (300, 6), np.int8)
    expected = np.concatenate([oracle(row[None]) for row in x])
    np.testing.assert_array_equal(run_int8(graph, x), expected)


def test_int8_layers_keep_the_integers_and_scales_of_the_file(read):
    rng = np.random.default_rng(SEED)
    graph = read(int8_network(rng, True, 1))
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


def test_float_ends_of_an_int8_network_drop_out(read):
    rng = np.random.default_rng(SEED)
    graph = read(int8_network(rng, False, 0, ends="float32"))
    assert [layer.kind for layer in graph.layers] == ["dense", "activation", "dense", "activation"]
    assert graph.tensors[graph.inputs[0]].dtype == graph.tensors[graph.outputs[0]].dtype == "int8"


def test_int8_change_of_scale_is_a_linear_activation(read):
    w = TfliteWriter()
    x = w.tensor((1, 256), "int8", scale=0.05, zero_point=-3)
    y = w.tensor((1, 256), "int8", scale=0.08, zero_point=20)
    w.operator("QUANTIZE", [x], [y])
    data = w.to_bytes([x], [y])
    every = np.arange(-128, 128, dtype=np.int8)[None]
    graph = read(data)
    assert graph.layers[0].activation == "linear"
    np.testing.assert_array_equal(run_int8(graph, every), Oracle(data)(every))


# uint8 files


def with_uint8_ends(data: bytes, q_in, q_out) -> bytes:
    """An int8 model as the converter writes it for inference_input_type = inference_output_type = tf.uint8."""
    model = schema.ModelT.InitFromPackedBuf(data)
    graph = model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    model.operatorCodes.append(code)
    for name, (scale, zero_point), at_input in (("inputs", q_in, True), ("outputs", q_out, False)):
        (inner,) = getattr(graph, name)
        w = TfliteWriter()
        w.tensor(graph.tensors[inner].shape, "uint8", scale=scale, zero_point=zero_point)
        graph.tensors.append(w.tensors[0])
        outer, op = len(graph.tensors) - 1, schema.OperatorT()
        op.opcodeIndex = len(model.operatorCodes) - 1
        op.inputs, op.outputs = ([outer], [inner]) if at_input else ([inner], [outer])
        graph.operators.insert(0 if at_input else len(graph.operators), op)
        setattr(graph, name, [outer])
    return pack(model)


def run_uint8(graph, x: np.ndarray) -> np.ndarray:
    """The imported graph's outputs as uint8, for uint8: 128 taken off and put back."""
    return (run_int8(graph, (x.astype(int) - 128).astype(np.int8)).astype(int) + 128).astype(np.uint8)


@pytest.mark.parametrize(
    "q_in, q_out, kinds",
    [
        # the int8 tensors' own scales, and zero points 128 more: nothing is left of the ends
        ((0.05, 125), (1 / 256, 0), ["dense", "activation", "dense", "activation"]),
        # others: a change of scale stays
        (
            (0.04, 100),
            (1 / 200, 3),
            ["activation", "dense", "activation", "dense", "activation", "activation"],
        ),
    ],
)
def test_uint8_ends_equal_tflite_micro(read, q_in, q_out, kinds):
    rng = np.random.default_rng(SEED)
    data = with_uint8_ends(int8_network(rng, True, 1), q_in, q_out)
    graph, oracle = read(data), Oracle(data)
    assert [layer.kind for layer in graph.layers] == kinds
    x = rng.integers(0, 256, (300, 6), np.uint8)
    expected = np.concatenate([oracle(row[None]) for row in x])
    assert expected.dtype == np.uint8
    np.testing.assert_array_equal(run_uint8(graph, x), expected)
    assert graph.metadata.provenance["input type"] == graph.metadata.provenance["output type"] == "uint8"


def test_uint8_through_the_command_line_equals_tflite_micro(tmp_path):
    rng = np.random.default_rng(SEED)
    data = with_uint8_ends(int8_network(rng, True, 1), (0.05, 125), (1 / 256, 0))
    (source := tmp_path / "net.tflite").write_bytes(data)
    oracle, x = Oracle(data), rng.integers(0, 256, (50, 6), np.uint8)
    expected = np.concatenate([oracle(row[None]) for row in x])
    converted = convert(source)
    converted.save(tmp_path / "net.anne")
    np.save(tmp_path / "x.npy", x)
    arguments = ["run", str(tmp_path / "net.anne"), "--input", str(tmp_path / "x.npy"), "--raw"]
    done = CliRunner().invoke(cli, [*arguments, "--output", str(tmp_path / "y.npy")])
    assert done.exit_code == 0, done.output
    got = np.load(tmp_path / "y.npy")
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, expected)
    real = np.float32(1 / 256) * expected.astype(np.float32)
    np.testing.assert_array_equal(converted.predict(x), real)
    # real numbers mean the same: (integer - 125) * 0.05
    np.testing.assert_array_equal(converted.predict((x - 125.0) * np.float32(0.05)), real)
    # test samples in uint8, too: the float network of the report sees real numbers
    judged = convert(source, test=(x, expected.argmax(axis=1))).report
    assert judged.accuracy.model_percent == 100 and judged.deviation.largest < 0.1
    assert all(c.good for c in verify(converted.data, source, x=x))
    against = verify(converted.data, source)
    assert [c.second for c in against if c.first == "TFLite Micro"] == ["C core"]
    assert all(c.good for c in against)


def as_uint8(data: bytes) -> bytes:
    """An int8 model with every int8 tensor as uint8, all values and zero points 128 more: a file of years ago."""
    model = schema.ModelT.InitFromPackedBuf(data)
    for tensor in model.subgraphs[0].tensors:
        if tensor.type == 9:
            tensor.type = 3
            tensor.quantization.zeroPoint = [z + 128 for z in tensor.quantization.zeroPoint]
            if tensor.buffer:
                buffer = model.buffers[tensor.buffer]
                buffer.data = np.asarray(buffer.data, np.uint8) ^ 0x80
    return pack(model)


def test_uint8_all_through_is_the_int8_network_with_128_more(read):
    # TFLite Micro has no uint8 FULLY_CONNECTED any more; what is right is its int8 answer, 128 more
    rng = np.random.default_rng(SEED)
    data = int8_network(rng, False, 1)
    graph, oracle = read(as_uint8(data)), Oracle(data)
    x = rng.integers(0, 256, (100, 6), np.uint8)
    expected = [oracle((row.astype(int) - 128).astype(np.int8)[None])[0].astype(int) + 128 for row in x]
    np.testing.assert_array_equal(run_uint8(graph, x), expected)


def weights_with_zero_point(dtype: str, values, zero_point: int) -> tuple[TfliteWriter, int, int]:
    w = TfliteWriter()
    x, y = (
        w.tensor((1, 2), "uint8", scale=0.5, zero_point=10),
        w.tensor((1, 1), "uint8", scale=4.0, zero_point=7),
    )
    w.operator(
        "FULLY_CONNECTED", [x, w.tensor((1, 2), dtype, values, scale=0.25, zero_point=zero_point), -1], [y]
    )
    return w, x, y


@pytest.mark.parametrize(
    "dtype, values, zero_point", [("uint8", [[200, 90]], 100), ("int8", [[72, -38]], -28)]
)
def test_weights_with_a_zero_point_of_their_own(read, dtype, values, zero_point):
    w, x, y = weights_with_zero_point(dtype, values, zero_point)
    graph = read(w.to_bytes([x], [y]))
    assert graph.layers[0].weights.tolist() == [[100, -10]]
    # 0.5 (30 - 10) * 25 + 0.5 (50 - 10) * -2.5 = 200 = 4 * (57 - 7)
    assert run_uint8(graph, np.uint8([[30, 50]])).tolist() == [[57]]


def test_weights_too_far_from_their_zero_point(read):
    w, x, y = weights_with_zero_point("uint8", [[200, 90]], 50)
    assert "its weights are up to 150 steps from their zero point, supported are 127" in refused(
        read, w, x, y
    )


# float32 files


def check_float(read, writer: TfliteWriter, first: int, last: int) -> Graph:
    """Compare the imported graph with the interpreter on 20 inputs; return it."""
    data = writer.to_bytes([first], [last])
    graph, oracle = read(data), Oracle(data)
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
def test_float_dense_and_activation(read, name, activation, options):
    w = TfliteWriter()
    x = w.tensor((1, 4), signature=(-1, 4))
    hidden = dense(w, x, 4, 5, fusedActivationFunction=0)
    y = w.tensor((1, 5))
    w.operator(name, [hidden], [y], **options)
    graph = check_float(read, w, x, y)
    assert graph.layers[0].name == "fc"
    assert graph.layers[1].activation == activation


def test_float_fused_relu_and_a_missing_bias(read):
    w = TfliteWriter()
    x = w.tensor((1, 4))
    weights = w.tensor((3, 4), data=np.random.default_rng(1).uniform(-1, 1, (3, 4)))
    y = w.tensor((1, 3))
    w.operator("FULLY_CONNECTED", [x, weights, -1], [y], fusedActivationFunction=1)
    graph = check_float(read, w, x, y)
    assert graph.layers[0].activation == "relu" and not graph.layers[0].bias.any()


def test_gelu_is_read_and_its_approximation_noted(read):
    # TFLite Micro has no GELU, so there is nothing to compare with
    w = TfliteWriter()
    x, y = w.tensor((1, 4)), w.tensor((1, 4))
    w.operator("GELU", [x], [y], approximate=True)
    graph = read(w.to_bytes([x], [y]))
    assert graph.layers[0].activation == "gelu"
    assert "tanh approximation" in graph.metadata.provenance["notes"]


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("left", [False, True])
def test_float_constants_become_scaling(read, name, left):
    w = TfliteWriter()
    x, y = w.tensor((1, 3)), w.tensor((1, 3))
    c = w.tensor((3,), data=[1.5, -2.0, 0.25])
    w.operator(name, [c, x] if left else [x, c], [y], fusedActivationFunction=1)
    graph = check_float(read, w, x, y)
    assert [type(layer) for layer in graph.layers] == [Scaling, Activation]


def test_x_times_sigmoid_of_x_is_swish(read):
    w = TfliteWriter()
    x, s, y = w.tensor((1, 3)), w.tensor((1, 3)), w.tensor((1, 3))
    w.operator("LOGISTIC", [x], [s])
    w.operator("MUL", [s, x], [y])
    graph = check_float(read, w, x, y)
    assert [layer.activation for layer in graph.layers] == ["swish"]


def test_inputs_of_any_shape_are_flattened(read):
    # an image of 2 x 3 without a RESHAPE, and keep_num_dims behind it
    w = TfliteWriter()
    x = w.tensor((1, 2, 3))
    hidden = dense(w, x, 6, 4)
    y = dense(w, hidden, 4, 2, keepNumDims=True)
    graph = check_float(read, w, x, y)
    assert [layer.kind for layer in graph.layers] == ["reshape", "dense", "dense"]


def test_a_fixed_batch_is_read_as_one_row(read):
    w = TfliteWriter()
    x = w.tensor((2, 3, 4))
    flat = w.tensor((2, 12))
    w.operator("RESHAPE", [x, w.tensor((2,), "int32", [2, 12])], [flat])
    y = dense(w, flat, 12, 5, output_shape=(2, 5))
    data = w.to_bytes([x], [y])
    sample = np.random.default_rng(SEED).uniform(-1, 1, (2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(execute(read(data), sample), Oracle(data)(sample), rtol=0, atol=1e-6)


def test_shapes_computed_from_constants_fold_away(read):
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
    graph = check_float(read, w, x, y)
    assert [layer.kind for layer in graph.layers] == ["dense", "reshape"]
    assert graph.tensors[graph.outputs[0]].shape == (2, 3)


def test_int8_weights_with_float_activations(read):
    # "dynamic range" quantisation; TFLite Micro refuses it, so the expected output is x @ (scale * weights) + bias
    rng = np.random.default_rng(SEED)
    weights, bias = rng.integers(-127, 128, (3, 4)), rng.uniform(-1, 1, 3).astype(np.float32)
    w = TfliteWriter()
    x, y = w.tensor((1, 4)), w.tensor((1, 3))
    wt = w.tensor((3, 4), "int8", weights, scale=0.02)
    w.operator("FULLY_CONNECTED", [x, wt, w.tensor((3,), data=bias)], [y])
    graph = read(w.to_bytes([x], [y]))
    assert graph.layers[0].weights.dtype == np.int8 and graph.layers[0].bias.dtype == np.float32
    sample = rng.uniform(-1, 1, (1, 4))
    np.testing.assert_allclose(
        execute(graph, sample), sample @ (np.float32(0.02) * weights).T + bias, atol=1e-6
    )


def test_weights_stored_as_float16_or_int8_with_dequantize(read):
    rng = np.random.default_rng(SEED)
    values = rng.integers(-127, 128, (3, 4))
    w = TfliteWriter()
    x, wide, y = w.tensor((1, 4)), w.tensor((3, 4)), w.tensor((1, 3))
    w.operator("DEQUANTIZE", [w.tensor((3, 4), "int8", values, scale=[0.5, 0.25, 0.125])], [wide])
    w.operator("FULLY_CONNECTED", [x, wide, -1], [y])
    graph = read(w.to_bytes([x], [y]))
    np.testing.assert_array_equal(graph.layers[0].weights, values * np.array([[0.5], [0.25], [0.125]]))


# What is refused


def refused(read, writer_or_bytes, first=0, last=0) -> str:
    data = (
        writer_or_bytes if isinstance(writer_or_bytes, bytes) else writer_or_bytes.to_bytes([first], [last])
    )
    with pytest.raises(ModelError) as error:
        read(data)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_unsupported_operator_is_named_with_what_is_supported(read):
    w = TfliteWriter()
    x = w.tensor((1, 4))
    hidden, y = dense(w, x, 4, 4), w.tensor((1, 4, 4, 1))
    w.operator("CONV_2D", [hidden, x, x], [y])
    assert "needs CONV_2D (1); the first is layer 1 (CONV_2D); supported: ADD, " in refused(read, w, x, y)


def test_everything_that_is_missing_is_named(read):
    w = TfliteWriter()
    x, z, wide = w.tensor((1, 4)), w.tensor((1, 4)), w.tensor((1, 4), "int16")
    a, b, y = (w.tensor((1, 4)) for _ in range(3))
    w.operator("CONV_2D", [x, z, z], [a])
    w.operator("CONV_2D", [a, z, z], [b])
    w.operator("ADD", [a, b], [y])
    w.operator("MUL", [b, wide], [z])
    message = refused(read, w.to_bytes([x, z], [y]))
    assert message.startswith(
        "needs CONV_2D (2), ADD of two computed values (1), 2 inputs, values of type int16; the first is layer 0"
    )


def small_model():
    """x (1, 4) -> FULLY_CONNECTED -> y (1, 3), as a schema object to damage."""
    w = TfliteWriter()
    x = w.tensor((1, 4), signature=(-1, 4))
    y = dense(w, x, 4, 3)
    return w.to_model([x], [y])


def test_the_small_model_is_whole(read):
    assert len(read(pack(small_model())).layers) == 1


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
        (change("subgraphs[0].inputs", [0, 0]), "needs 2 inputs"),
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
            "needs an input of dynamic shape (-1, -1) (only the batch axis may be open)",
        ),
        (change("subgraphs[0].operators[0].outputs", [0]), "its output, tensor 0, is computed twice"),
        (change("subgraphs[0].tensors[0].shape", [1, 5]), "expected 4 inputs, got shape (5,)"),
        (change("subgraphs[0].tensors[0].shape", []), "expected fixed sizes behind the batch axis, got ()"),
        (change("subgraphs[0].tensors[0].type", 7), "needs values of type int16"),
        (change("subgraphs[0].tensors[1].type", 9), "expected 12 bytes of int8 for (3, 4), got 48"),
        (change("subgraphs[0].tensors[1].shape", [3, 5]), "expected 60 bytes of float32 for (3, 5), got 48"),
        (change("subgraphs[0].tensors[1].shape", [1 << 30, 1 << 30]), "unpacks to more than the limit of"),
        (change("subgraphs[0].tensors[1].buffer", 40), "buffer 40 does not exist, there are 3"),
        (change("subgraphs[0].tensors[1].isVariable", True), "needs a state (variables)"),
        (change("buffers[1].data", np.full(48, 255, np.uint8)), "12 of 12 weights are NaN or infinite"),
        (change("subgraphs[0].operators", []), "is a constant, or computed by no layer"),
    ],
)
def test_damaged_file_is_refused_in_one_line(read, damage, message):
    model = small_model()
    damage(model)
    assert message in refused(read, pack(model))


def test_int8_scales_are_checked(read):
    def model(**quantization):
        w = TfliteWriter()
        x, y = (
            w.tensor((1, 4), "int8", **quantization),
            w.tensor((1, 4), "int8", scale=1 / 256, zero_point=-128),
        )
        w.operator("TANH", [x], [y])
        return w.to_bytes([x], [y])

    assert "expected one scale for an int8 tensor" in refused(read, model())
    assert "scales must be positive and finite" in refused(read, model(scale=float("nan")))
    assert "expected one zero point from -128 to 127, got [300]" in refused(
        read, model(scale=0.1, zero_point=300)
    )
    message = refused(read, model(scale=0.1))
    assert "expected an output of scale 0.0078125 and zero point 0, got 0.00390625 and -128" in message


def test_bias_of_another_scale_is_refused(read):
    w = TfliteWriter()
    x, y = w.tensor((1, 4), "int8", scale=0.5), w.tensor((1, 2), "int8", scale=0.5)
    weights = w.tensor((2, 4), "int8", np.ones((2, 4)), scale=0.5)
    w.operator("FULLY_CONNECTED", [x, weights, w.tensor((2,), "int32", [1, 2], scale=1.0)], [y])
    assert "the scale of the bias is not that of input times weights" in refused(read, w, x, y)
