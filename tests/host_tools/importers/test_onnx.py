"""importers/onnx.py on files that PyTorch wrote, and on small ones made with the package `onnx`.

The files in tests/golden/onnx were written by tests/golden/make_torch.py with both exporters of PyTorch 2.13.0,
together with PyTorch's own outputs (float32). For the others ONNX Runtime says what is expected.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load, onnx_files
from anne_tools.importers.onnx_external import ExternalData
from anne_tools.layers import Activation, Scaling
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph
from onnx_writer import answers, write

GOLDEN = Path(__file__).parents[2] / "golden" / "onnx"
FILES = sorted(GOLDEN.glob("*.onnx"))
SEED = 20261123


def close(got: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for the rounding of float32 arithmetic (ours is float64)."""
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * max(1e-3, np.abs(expected).max()))


# Files of PyTorch; these need no package but numpy


def test_golden_files_are_there():
    by_both = [f"{name}_opset{n}" for name in ("activations", "mlp", "plain") for n in (17, 20)]
    assert [path.stem for path in FILES] == sorted([*by_both, "external_opset20"])
    assert (GOLDEN / "external_opset20.onnx.data").is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_golden_file_gives_what_pytorch_says(path):
    expected = np.load(GOLDEN / "expected.npz")
    name = path.stem.partition("_")[0]
    graph = load(path)
    close(execute(graph, expected[f"{name}_x"]), expected[f"{name}_y"])
    assert graph.metadata.provenance["producer"].startswith("pytorch 2.13.0")


def test_layers_of_a_golden_file():
    graph = load(GOLDEN / "mlp_opset17.onnx")
    got = [(layer.kind, getattr(layer, "activation", "")) for layer in graph.layers]
    assert got == [
        ("reshape", ""),
        ("dense", "linear"),
        ("scaling", ""),  # BatchNormalization
        ("activation", "swish"),  # Sigmoid, Mul
        ("dense", "linear"),  # MatMul
        ("activation", "tanh"),
        ("scaling", ""),
        ("scaling", ""),
        ("dense", "linear"),
        ("activation", "softmax"),
    ]
    assert graph.tensors[graph.inputs[0]].shape == (3, 4)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_reader_finds_the_same_constants_as_the_onnx_package(path):
    onnx = pytest.importorskip("onnx")
    theirs = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    ours = onnx_files.parse_model(path.read_bytes())["graph"]["initializer"]
    assert [t["name"] for t in ours] == list(theirs)
    for tensor in ours:
        array = onnx_files.to_array(tensor, "test", ExternalData(path.parent))
        np.testing.assert_array_equal(array, theirs[tensor["name"]])
        assert array.dtype == theirs[tensor["name"]].dtype


# Files made here


@pytest.fixture
def make(tmp_path):
    """Writes a model; see onnx_writer.write."""
    pytest.importorskip("onnx")
    return functools.partial(write, tmp_path / "made.onnx")


def check(path: Path, shape=(4,), batch=8) -> Graph:
    """Compare the imported graph with ONNX Runtime on random inputs; return it."""
    pytest.importorskip("onnxruntime")
    x = np.random.default_rng(SEED).uniform(-4, 4, (batch, *shape)).astype(np.float32)
    expected = np.concatenate([answers(path, row[None])[0].reshape(1, -1) for row in x])
    graph = load(path)
    close(execute(graph, x).reshape(batch, -1), expected)
    return graph


def f32(*shape) -> np.ndarray:
    """Random constants."""
    return np.random.default_rng(sum(shape)).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize(
    "line, activation",
    [
        ("y = Relu(x)", "relu"),
        ("y = LeakyRelu(x; alpha=0.3)", "leaky_relu"),
        ("y = LeakyRelu(x)", "leaky_relu"),
        ("y = Elu(x; alpha=0.5)", "elu"),
        ("y = Sigmoid(x)", "sigmoid"),
        ("y = HardSigmoid(x; alpha=1/6, beta=0.5)", "hard_sigmoid"),
        ("y = Tanh(x)", "tanh"),
        ("y = Softplus(x)", "softplus"),
        ("y = Softmax(x; axis=1)", "softmax"),
        ("y = Softmax(x)", "softmax"),
        ("y = HardSwish(x)", "hard_swish"),
        ("y = Gelu(x)", "gelu"),
        ("y = Clip(x, zero, six)", "relu6"),
        ("y = Clip(x, zero)", "relu"),
        ("y = PRelu(x, slope)", "leaky_relu"),
        ("s = Sigmoid(x)\ny = Mul(s, x)", "swish"),
        ("s = HardSigmoid(x; alpha=1/6, beta=0.5)\ny = Mul(x, s)", "hard_swish"),
        ("a = Add(x, three)\nb = Clip(a, zero, six)\nc = Mul(x, b)\ny = Div(c, six)", "hard_swish"),
        ("a = Add(x, three)\nb = Clip(a, zero, six)\ny = Div(b, six)", "hard_sigmoid"),
        ("a = Div(x, root)\nb = Erf(a)\nc = Add(b, one)\nd = Mul(x, c)\ny = Mul(d, half)", "gelu"),
        (
            "a = Div(x, root)\nb = Erf(a)\nc = Add(b, one)\nh = Mul(half, c)\ny = Mul(x, h)",
            "gelu",
        ),  # torch.export
        ("a = Div(x, root)\nb = Erf(a)\nc = Mul(b, half)\nd = Add(c, half)\ny = Mul(d, x)", "gelu"),
        ("h = Mul(x, half)\na = Div(x, root)\nb = Erf(a)\nc = Add(one, b)\ny = Mul(h, c)", "gelu"),
        ("s = Softplus(x)\ng = Greater(x, twenty)\ny = Where(g, x, s)", "softplus"),
    ],
)
def test_activation(make, line, activation):
    numbers = {"zero": 0, "one": 1, "three": 3, "six": 6, "half": 0.5, "root": np.sqrt(2), "twenty": 20}
    constants = {name: np.float32(value) for name, value in numbers.items()} | {"slope": np.float32([0.25])}
    graph = check(make(line, constants))
    assert [layer.activation for layer in graph.layers] == [activation]


@pytest.mark.parametrize(
    "line, constants",
    [
        ("y = Gemm(x, w, b)", {"w": f32(4, 3), "b": f32(3)}),
        ("y = Gemm(x, w)", {"w": f32(4, 3)}),
        ("y = Gemm(x, w, b; transB=1, alpha=0.5, beta=2.0)", {"w": f32(3, 4), "b": f32(1, 3)}),
        ("y = Gemm(x, w, b)", {"w": f32(4, 3), "b": np.float32(0.5)}),
        ("y = MatMul(x, w)", {"w": f32(4, 3)}),
        ("m = MatMul(x, w)\ny = Add(m, b)", {"w": f32(4, 3), "b": f32(3)}),
        ("m = MatMul(x, w)\ny = Add(b, m)", {"w": f32(4, 3), "b": f32(1, 3)}),
        ("t = Transpose(w; perm=[1, 0])\ny = MatMul(x, t)", {"w": f32(3, 4)}),
    ],
)
def test_dense(make, line, constants):
    graph = check(make(line, constants))
    assert [layer.kind for layer in graph.layers] == ["dense"]


def test_matmul_whose_sum_without_bias_is_read_again(make):
    # m goes into the first Add as part of a dense layer, and into Tanh without its bias; only the latter is the output
    path = make("m = MatMul(x, w)\na = Add(m, b)\ny = Tanh(m)", {"w": f32(4, 3), "b": f32(3)})
    graph = check(path)
    assert not graph.layers[0].bias.any()


@pytest.mark.parametrize(
    "line",
    [
        "y = Add(x, c)",
        "y = Sub(x, c)",
        "y = Sub(c, x)",
        "y = Mul(c, x)",
        "y = Div(x, c)",
        "a = Mul(c, k)\ny = Add(x, a)",
    ],
)
def test_constants_become_scaling(make, line):
    graph = check(make(line, {"c": f32(4), "k": np.float32(3)}))
    assert isinstance(graph.layers[0], Scaling)


@pytest.mark.parametrize("shape", [("batch", 4)])
def test_batch_normalization(make, shape):
    constants = {"s": f32(4), "o": f32(4) + 1, "m": f32(4) - 1, "v": f32(4) + 2}
    path = make("y = BatchNormalization(x, s, o, m, v; epsilon=0.01)", constants, shape)
    graph = check(path, shape[1:])
    assert any(isinstance(layer, Scaling) for layer in graph.layers)


@pytest.mark.parametrize(
    "text, constants, shape",
    [
        ("f = Flatten(x)\ny = Relu(f)", {}, (2, 3)),
        ("f = Reshape(x, s)\ny = Relu(f)", {"s": np.array([0, 6])}, (2, 3)),
        ("f = Reshape(x, s)\ny = Relu(f)", {"s": np.array([-1, 6])}, (2, 3)),
        ("f = Squeeze(x, s)\ny = Relu(f)", {"s": np.array([-1])}, (6, 1)),
        ("f = Unsqueeze(x, s)\ny = Relu(f)", {"s": np.array([1])}, (6,)),
        ("f = Transpose(x; perm=[0, 2, 1])\ny = Relu(f)", {}, (6, 1)),
        ("f = Identity(x)\ng = Dropout(f)\nh = Cast(g; to=1)\ny = Relu(h)", {}, (6,)),
        (
            "a = Shape(x)\nb = Gather(a, i)\nc = Unsqueeze(b, i0)\nd = Concat(c, n; axis=0)\n"
            "f = Reshape(x, d)\ny = Relu(f)",
            {"i": np.array(0), "i0": np.array([0]), "n": np.array([6])},
            (2, 3),
        ),
        (
            "a = Shape(x)\nb = Slice(a, i0, i1)\nd = Concat(b, n; axis=0)\nf = Reshape(x, d)\ny = Relu(f)",
            {"i0": np.array([0]), "i1": np.array([1]), "n": np.array([-1])},
            (2, 3),
        ),
        ("c = Constant(; value_floats=[1.0, 2.0])\ny = Mul(x, c)", {}, (2,)),
        ("c = Constant(; value_float=2.0)\ny = Mul(x, c)", {}, (2,)),
    ],
)
def test_shapes_and_constants(make, text, constants, shape):
    check(make(text, constants, ("batch", *shape)), shape)


def test_a_fixed_batch_is_read_as_one_row(make):
    # Flatten's Reshape names the batch of 8 it was exported with
    constants = {"s": np.array([8, -1]), "w": f32(6, 5)}
    path = make("f = Reshape(x, s)\nm = MatMul(f, w)\ny = Relu(m)", constants, (8, 2, 3))
    graph = load(path)
    x = f32(8, 2, 3)
    expected = np.maximum(x.reshape(8, 6) @ constants["w"], 0)
    close(execute(graph, x), expected)


def test_old_softmax_and_clip_have_their_parameters_as_attributes(make):
    graph = check(make("c = Clip(x; min=0.0, max=6.0)\ny = Softmax(c)", opset=9))
    assert [layer.activation for layer in graph.layers] == ["relu6", "softmax"]


def test_quantised_weights_are_dequantised(make):
    constants = {"q": np.arange(-6, 6, dtype=np.int8).reshape(4, 3), "s": f32(3) + 2, "z": np.int8([1, 2, 3])}
    graph = check(make("w = DequantizeLinear(q, s, z; axis=1)\ny = MatMul(x, w)", constants))
    assert [layer.kind for layer in graph.layers] == ["dense"]


def test_values_in_typed_fields_instead_of_raw_data(make, tmp_path):
    onnx = pytest.importorskip("onnx")
    path = make("y = Mul(x, c)", {"c": f32(4)})
    model = onnx.load(path)
    for dtype in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16):
        tensor = onnx.helper.make_tensor("c", dtype, (4,), [1.5, -2.0, 0.25, 3.0])
        assert not tensor.raw_data
        model.graph.initializer[0].CopyFrom(tensor)
        onnx.save(model, path)
        assert load(path).layers[0].scale.tolist() == [1.5, -2.0, 0.25, 3.0]


def test_layers_that_lead_nowhere_are_dropped(make):
    graph = check(make("a = Tanh(x)\nb = Relu(a)\ny = Sigmoid(x)"))
    assert [type(layer) for layer in graph.layers] == [Activation]


# What is refused


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "h = Relu(x)\ny = LSTM(h, w)",
            "needs LSTM (1); the first is layer 1 (LSTM); LSTM: a recurrent layer; ",
        ),
        (
            "s = Softmax(x)\nn = ReduceSum(s, last)\ny = Div(x, n)",
            "needs Div of two computed values (1); the first is layer 2",
        ),
        (
            "s = Slice(x, last, last)\ny = Conv(s, w)",
            "layer 0 (Slice): nothing is left of shape (1, 4)",
        ),
        (
            "g = Gemm(x, w)\nh = Gemm(x, w)\na = Add(g, h)\nm = Div(h, a)\ny = LSTM(m, w)",
            "needs Div of two computed values (1), LSTM (1); the first is layer 3 (Div)",
        ),
        ("y = Div(c, x)", "supported is division by a constant without zeros"),
        ("y = Div(x, zero)", "supported is division by a constant without zeros"),
        ("y = Mul(x, wide)", "expected one constant or 4, got shape (2, 1, 4)"),
        ("y = Gemm(x, w; transA=1)", "transA is not supported"),
        ("y = Gemm(x, x)", "needs Gemm of two computed values (1); the first is layer 0 (Gemm)"),
        ("y = Gemm(w, x)", "layer 0 (Gemm): B must be a constant"),
        ("y = Gemm(x)", "layer 0 (Gemm): expected 2 inputs, got 1"),
        ("y = Gemm(x, wrong)", "layer 0 (Gemm): expected 5 inputs, got shape (4,)"),
        ("y = MatMul(x, c)", "expected a matrix on the right, got shape (4,)"),
        ("y = HardSigmoid(x)", "expected alpha 1/6 and beta 1/2, got 0.2 and 0.5"),
        ("y = Clip(x; min=1.0, max=-1.0)", "clipping to 1 ... -1 is not supported"),
        ("y = PRelu(x, w)", "expected one constant or 4, got shape (4, 3)"),
        ("y = Softmax(x; axis=0)", "along axis 0 of shape (1, 4) is not supported"),
        ("y = Softmax(x; axis=7)", "along axis 7 of shape (1, 4) is not supported"),
        ("y = Erf(x)", "layer 0 (Erf) is supported as part of gelu only"),
        (
            "a = Div(x, root)\nb = Erf(a)\ny = Relu(b)",
            "reads erf of a value, which is supported as part of gelu",
        ),
        ("y = Reshape(x, zero)", "cannot reshape"),
        ("y = Reshape(x, x)", "the shape must be a constant"),
        ("y = Transpose(x; perm=[0, 5])", "axes (0, 5) do not fit shape (1, 4)"),
        ("y = Unsqueeze(x; axes=[9])", "axes [9] do not exist, there are 3"),
        ("y = Squeeze(x; axes=[1])", "cannot drop axes [1] of shape (1, 4)"),
        ("y = Relu(missing)", "layer 0 (Relu): its input 'missing' is computed by no node"),
        ("y = Relu(c)", "the output 'y' is a constant, or computed by no layer"),
        ("z = Relu(x)", "the output 'y' is a constant, or computed by no layer"),
        ("y = Identity(x)", "the model has no layers"),
        ("a = Relu(x)\na = Tanh(x)\ny = Relu(a)", "layer 1 (Tanh): its output 'a' is computed twice"),
        ("q = QuantizeLinear(x, one)\ny = DequantizeLinear(q, one)", "the model has no layers"),
        ("a = Add(y, c)\nb = Relu(a)\ny = Add(b, c)", "needs its own output: the nodes form a circle"),
        ("y = Relu(y)", "layer 0 (Relu) needs its own output: the nodes form a circle"),
        ("y = Mul(x, nan)", "NaN or infinite"),
    ],
)
def test_refused(make, text, message):
    constants = {"w": f32(4, 3), "wrong": f32(5, 3), "c": f32(4), "wide": f32(2, 1, 4), "one": np.float32(1)}
    constants |= {
        "last": np.array([1]),
        "zero": np.float32(0),
        "root": np.float32(np.sqrt(2)),
        "nan": np.float32(np.nan),
    }
    assert message in refused(make(text, constants))


@pytest.mark.parametrize(
    "shape, message",
    [
        (("batch", "n"), "needs an input of open shape (batch, n) (only the batch axis may be)"),
        ((1 << 20, 1 << 20), "more than the limit"),
        (None, "needs an input of open shape () (only the batch axis may be)"),
        (("batch", 1 << 60), "more than the limit"),
    ],
)
def test_input_shapes_refused(make, shape, message):
    assert message in refused(make("y = Relu(x)", shape=shape))


def test_constants_computed_from_constants_are_limited(make):
    # 60,000 x 60,000 elements out of a file of 480 KB
    constants = {"a": f32(60_000, 1), "b": f32(1, 60_000)}
    assert "more than the limit" in refused(make("c = Add(a, b)\ny = Mul(x, c)", constants))


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "other.onnx"
    for content in (b"hello, world", b"\x00" * 100, b"\x0a\x05abc", b"\xff" * 64, b"\x08\x09"):
        path.write_bytes(content)
        refused(path)


def test_every_truncation_and_1000_mutations_give_a_graph_or_one_line(tmp_path):
    data = (GOLDEN / "mlp_opset17.onnx").read_bytes()
    path = tmp_path / "damaged.onnx"
    rng = np.random.default_rng(SEED)
    refusals = 0
    cases = [data[:length] for length in range(1, len(data), 11)]
    for _ in range(1000):
        damaged = bytearray(data)
        for _ in range(int(rng.integers(1, 5))):
            damaged[int(rng.integers(len(data)))] = int(rng.integers(256))
        cases.append(bytes(damaged))
    for case in cases:
        path.write_bytes(case)
        try:
            load(path)
        except ModelError as error:
            refusals += 1
            assert "\n" not in str(error)
            assert "not a file that the onnx importer can read" not in str(
                error
            )  # an error of the reader's own making
    assert refusals > 300
