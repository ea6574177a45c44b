"""importers/onnx.py on networks with branches, several inputs and several outputs.

The files in tests/golden/onnx/branches were written by tests/golden/make_torch.py with both exporters of PyTorch
2.13.0, PyTorch's own outputs are those of the same networks in tests/golden/torch/branches.npz. For the others ONNX
Runtime says what is expected.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph
from onnx_writer import session, write

GOLDEN = Path(__file__).parents[2] / "golden"
FILES = sorted((GOLDEN / "onnx" / "branches").glob("*.onnx"))
SEED = 20261126
RNG = np.random.default_rng(SEED)


def f32(*shape) -> np.ndarray:
    """Random constants."""
    return np.random.default_rng(sum(shape)).uniform(-1, 1, shape).astype(np.float32)


def close(got: np.ndarray, expected: np.ndarray, bound=2e-6) -> None:
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound * max(1e-3, np.abs(expected).max()))


# Files of PyTorch; these need no package but numpy


def test_golden_files_are_there():
    names = ("padded", "residual", "sums", "two_inputs", "two_outputs")
    assert [path.stem for path in FILES] == [f"{name}_opset{n}" for name in names for n in (17, 20)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_file_gives_what_pytorch_says(path):
    name = path.stem.partition("_opset")[0]
    samples = np.load(GOLDEN / "torch" / "branches.npz")
    inputs = {"two_inputs": ["image", "speed"]}.get(name, ["x"])
    outputs = {"two_outputs": ["steer", "stop", "hidden", "same"]}.get(name, ["y"])
    graph = load(path)
    assert graph.output_names == outputs
    if (name, path.stem[-2:]) != ("two_outputs", "20"):  # there the exporter has a name of its own
        assert graph.input_names == inputs
    x = [samples[f"{name}_x_{key}"] for key in inputs]
    got = graph.split_outputs(execute(graph, x if len(x) > 1 else x[0]))
    for index, y in enumerate(got):
        close(y, samples[f"{name}_y_{index}"])


# Files made here


@pytest.fixture
def make(tmp_path):
    """Writes a model; see onnx_writer.write."""
    pytest.importorskip("onnx")
    return functools.partial(write, tmp_path / "made.onnx")


def answers(path: Path, x: dict[str, np.ndarray]) -> list[np.ndarray]:
    """ONNX Runtime's outputs, each for all samples."""
    pytest.importorskip("onnxruntime")
    run = session(path)
    rows = [run.run(None, {k: v[i][None] for k, v in x.items()}) for i in range(len(next(iter(x.values()))))]
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


def samples(shapes: dict[str, tuple[int, ...]], n: int = 12) -> dict[str, np.ndarray]:
    """Random inputs of those shapes, which begin with the batch axis."""
    return {name: RNG.uniform(-4, 4, (n, *shape[1:])).astype(np.float32) for name, shape in shapes.items()}


def check(path: Path, shapes: dict[str, tuple[int, ...]]) -> Graph:
    """Compare the imported graph with ONNX Runtime on random inputs; return it."""
    x = samples(shapes)
    graph = load(path)
    got = graph.split_outputs(execute(graph, {name: x[name] for name in graph.input_names}))
    for mine, expected in zip(got, answers(path, x), strict=True):
        close(mine, expected)
    return graph


X = {"x": ("batch", 4)}
TWO = {"left": ("batch", 4), "right": ("batch", 4)}
WEIGHTS = {"w": f32(4, 4), "b": f32(4), "v": f32(4, 3), "c": f32(4) + 1, "k": np.float32(3)}


@pytest.mark.parametrize(
    "text, inputs, outputs, sums",
    [
        ("y = Add(x, x)", X, "y", 1),
        ("h = Gemm(x, w, b)\nr = Relu(h)\ns = Add(r, x)\ny = Gemm(s, v)", X, "y", 1),
        ("h = Gemm(x, w, b)\na = Tanh(h)\nb2 = Sigmoid(h)\ns = Add(a, b2)\ny = Add(s, h)", X, "y", 2),
        ("h = MatMul(x, w)\ns = Add(h, x)\ny = Add(s, b)", X, "y", 1),
        ("h = MatMul(x, w)\nd = Add(h, b)\ny = Add(d, h)", X, "y", 1),
        ("y = Sub(left, right)", TWO, "y", 1),
        ("y = Sub(right, left)\nz = Add(left, y)", TWO, "z,y", 2),
        ("y = Sum(x)\nz = Relu(y)", X, "z", 0),
        ("t = Tanh(x)\ny = Sum(x, t, x, c)", X, "y", 2),
        ("y = Sum(c, left, k, right, left)", TWO, "y", 2),
        ("h = Relu(x)\ny = Gemm(h, v)\nz = Sigmoid(h)", X, "z,h,y", 0),
        ("y = Relu(x)\nz = Identity(y)", X, "y,z", 0),
        ("s = Sigmoid(x)\nm = Mul(x, s)\ny = Add(m, s)", X, "y", 1),
        ("a = Reshape(left, s22)\nb2 = Reshape(right, s22)\ns = Add(a, b2)\ny = Flatten(s)", TWO, "y,a", 1),
    ],
)
def test_networks(make, text, inputs, outputs, sums):
    constants = WEIGHTS | {"s22": np.array([0, 2, 2])}
    graph = check(make(text, constants, inputs=inputs, outputs=outputs.split(",")), inputs)
    assert sum(layer.kind in ("add", "subtract") for layer in graph.layers) == sums
    assert graph.input_names == list(inputs) and graph.output_names == outputs.split(",")


def test_order_is_the_graphs_and_not_that_of_use(make):
    shapes = {"z": ("batch", 2), "a": ("batch", 3), "m": ("batch", 4)}
    constants = {"wz": f32(2, 3), "wm": f32(4, 3)}
    text = "h = Gemm(m, wm)\ng = Gemm(z, wz)\ns = Sum(h, a, g)\nt = Tanh(s)"
    graph = check(make(text, constants, inputs=shapes, outputs=("t", "s")), shapes)
    assert graph.input_names == ["z", "a", "m"] and graph.output_names == ["t", "s"]
    assert [t.shape for t in graph.input_tensors] == [(2,), (3,), (4,)]


def test_an_input_that_nothing_reads_stays(make):
    graph = check(make("y = Relu(right)", inputs=TWO), TWO)
    assert graph.input_names == ["left", "right"]


@pytest.mark.parametrize("dtype, shape", [("int64", ("batch", 4)), ("float32", ("batch", "n"))])
def test_what_nothing_reads_is_left_out_where_it_is_no_input_of_ours(make, dtype, shape):
    import onnx

    path = make("y = Relu(right)", inputs=TWO)
    model = onnx.load(path)
    kind = {"int64": onnx.TensorProto.INT64, "float32": onnx.TensorProto.FLOAT}[dtype]
    model.graph.input[0].CopyFrom(onnx.helper.make_tensor_value_info("left", kind, shape))
    onnx.save(model, path)
    graph = load(path)
    assert graph.input_names == ["right"]
    note = "inputs that nothing reads and that are no floats of one size are left out: left"
    assert note in graph.metadata.provenance["notes"]


def test_an_output_may_be_an_input(make):
    graph = load(make("y = Relu(x)\nz = Identity(x)", outputs=("z", "y")))
    x = f32(3, 4)
    z, y = graph.split_outputs(execute(graph, x))
    close(z, x)
    close(y, np.maximum(x, 0))


@pytest.mark.parametrize(
    "text, inputs, message",
    [
        (
            "y = Add(left, right)",
            {"left": ("batch", 4), "right": ("batch", 3)},
            "layer 0 (Add) of two computed values: expected one shape, or one that spreads over the other, got (1, 4) "
            "and (1, 3)",
        ),
        (
            "y = Sum(left, left, right)",
            {"left": ("batch", 4), "right": ("batch", 2, 2)},
            "layer 0 (Sum) of two computed values: expected one shape, or one that spreads over the other, got "
            "(1, 1, 4) and (1, 2, 2)",
        ),
        ("s = Sum()\ny = Mul(x, s)", X, "layer 0 (Sum): expected 1 inputs, got 0"),
        ("s = Add(x, x)\ny = Div(x, s)", X, "needs Div of two computed values (1); the first is layer 1"),
        ("s = Gemm(x, w)\ny = MatMul(x, s)", X, "needs MatMul of two computed values (1)"),
        ("y = Concat(left, right; axis=2)", TWO, "layer 0 (Concat): axis 2 does not exist, there are 2"),
        (
            "y = Add(left, right)",
            {"left": (2, 4), "right": (3, 4)},
            "input right: expected a batch of 2, got shape (3, 4)",
        ),
        (
            "y = Add(left, right)",
            {"left": ("batch", "n"), "right": ("batch", "n")},
            "needs an input of open shape (batch, n)",
        ),
    ],
)
def test_refused(make, text, inputs, message):
    with pytest.raises(ModelError) as error:
        load(make(text, WEIGHTS, inputs=inputs))
    assert message in str(error.value) and "\n" not in str(error.value)


def test_more_ends_than_a_model_file_has_tensors_are_refused(make):
    names = [f"x{i}" for i in range(258)]
    path = make(f"y = Sum({', '.join(names)})", inputs=dict.fromkeys(names, ("batch", 1)))
    with pytest.raises(ModelError, match="needs 258 inputs, which is not supported"):
        load(path)


# Quantised files


def quantised(make, text, shapes, outputs=("y",), constants=None, **options) -> Path:
    """A model quantised by ONNX Runtime's own quantiser, calibrated with random inputs."""
    pytest.importorskip("onnxruntime")
    from onnxruntime import quantization as q

    path = make(text, constants or WEIGHTS, inputs=shapes, outputs=outputs)
    x = samples(shapes, 60)

    class Reader(q.CalibrationDataReader):
        rows = iter([{name: values[i][None] for name, values in x.items()} for i in range(60)])

        def get_next(self):
            return next(self.rows, None)

    target = path.with_name("quantised.onnx")
    q.quantize_static(path, target, Reader(), quant_format=q.QuantFormat.QDQ, **options)
    return target


def steps_beside(path: Path, shapes) -> list[np.ndarray]:
    """Of each output, how many steps the C core's answers are from ONNX Runtime's, for 200 samples."""
    x, graph = samples(shapes, 200), load(path)
    assert "int8 as in the file" in graph.metadata.provenance["notes"]
    expected, got = answers(path, x), []
    with NativeModel(pack(graph)) as native:
        for i in range(200):
            sample = []
            for tensor, name in zip(graph.input_tensors, graph.input_names, strict=True):
                q = tensor.quantization
                steps = np.rint(x[name][i] / np.float32(q.scale[0])) + q.zero_point
                sample.append(np.clip(steps, -128, 127).astype(np.int8).ravel())
            values = native.trace(np.concatenate(sample))
            got.append([values[tensor.index] for tensor in native.outputs])
    beside = []
    for index, tensor in enumerate(graph.output_tensors):
        scale, zero_point = tensor.quantization.scale[0], tensor.quantization.zero_point
        mine = np.array([row[index] for row in got], np.float64)
        beside.append(np.abs(mine - zero_point - expected[index] / scale).round().astype(int))
    return beside


@pytest.mark.parametrize("unsigned", [False, True])
@pytest.mark.parametrize(
    "text, inputs, outputs, kinds",
    [
        ("y = Add(left, right)", TWO, "y", "add"),
        ("y = Add(x, x)", X, "y", "add"),
        ("h = Gemm(x, w, b)\ns = Add(h, x)\nr = Relu(s)\ny = Gemm(r, v)", X, "y", "dense add dense"),
        ("h = Gemm(x, w, b)\ns = Sum(h, x)\ny = Gemm(s, v)", X, "y", "dense add dense"),
        # a product that is rounded without its bias, and added to a value
        ("h = MatMul(x, w)\ny = Add(h, x)", X, "y", "dense add"),
        (
            "h = Gemm(left, w, b)\ng = Gemm(right, w, b)\ns = Add(h, g)\ny = Gemm(s, v)\nz = LeakyRelu(s)",
            TWO,
            "z,y",
            "dense dense add dense activation",
        ),
        ("h = Gemm(x, w, b)\nr = Relu(h)\na = Gemm(r, w)\nb2 = Add(a, r)\ny = Add(b2, x)", X, "y,b2", ""),
    ],
)
def test_quantised_branches_are_int8_networks(make, text, inputs, outputs, kinds, unsigned):
    from onnxruntime.quantization import QuantType

    kind = QuantType.QUInt8 if unsigned else QuantType.QInt8
    path = quantised(
        make, text, inputs, outputs.split(","), activation_type=kind, weight_type=QuantType.QInt8
    )
    graph = load(path)
    assert not kinds or sorted(layer.kind for layer in graph.layers) == sorted(kinds.split())
    for steps in steps_beside(path, inputs):
        # each layer may be a step beside, and a dense layer behind it may make more of that
        assert steps.max() <= 2 and np.mean(steps == 0) > 0.9


@pytest.mark.parametrize(
    "text, kinds",
    [
        (
            "h = Gemm(x, w, b)\ns = Sum(h, x, x)\ny = Gemm(s, w)",
            "dense quantize quantize add add quantize dense",
        ),
        ("h = Gemm(x, w, b)\ns = Div(h, b)\ny = Gemm(s, w)", "dense quantize scaling quantize dense"),
        (
            "h = Gemm(x, w, b)\ns = LayerNormalization(h, b)\ny = Gemm(s, w)",
            "dense quantize layer_norm quantize dense",
        ),
    ],
)
def test_what_has_no_int8_layer_is_in_floats_between_them(make, text, kinds):
    path = quantised(make, text, X)
    graph = load(path)
    assert [layer.kind for layer in graph.layers] == kinds.split()
    assert (
        "in floats between integers, as there is no int8 layer for it" in graph.metadata.provenance["notes"]
    )
    for steps in steps_beside(path, X):
        # where a norm divides by little, a step before it is several behind
        assert steps.max() <= (4 if "Norm" in text else 2) and np.mean(steps == 0) > 0.9


def qdq(*names: str, scale: str = "s") -> str:
    """Lines that quantise `names` and make NAMEd of them again."""
    return "\n".join(
        f"{n}q = QuantizeLinear({n}, {scale}, z)\n{n}d = DequantizeLinear({n}q, {scale}, z)" for n in names
    )


QUANTIZED = {"s": np.float32(0.05), "fine": np.float32(1e-9), "z": np.int8(3), "one": np.float32(1)}


@pytest.mark.parametrize(
    "text",
    [
        # the output is too fine for the sum
        f"{qdq('left', 'right')}\nm = Add(leftd, rightd)\n{qdq('m', scale='fine')}\ny = Identity(md)",
        # an output in floats that are not rounded
        f"{qdq('left', 'right')}\ny = Add(leftd, rightd)",
    ],
)
def test_sums_that_are_no_int8_layer_are_read_as_floats(make, text):
    graph = load(make(text, QUANTIZED, inputs=TWO))
    assert not graph.is_quantized
    x = {name: np.float32([[0.5, -1.0, 0.25, 2.0]]) for name in TWO}  # whole steps of 0.05
    close(execute(graph, x), 2 * x["left"])


def test_an_input_may_be_read_as_floats_too(make):
    text = f"{qdq('left', 'right')}\nm = Add(leftd, rightd)\n{qdq('m')}\ny = Add(md, left)"
    path = make(text, QUANTIZED, inputs=TWO)
    graph = load(path)
    assert [tensor.dtype for tensor in graph.input_tensors] == ["float32", "int8"]
    x = {name: np.float32([[0.5, -1.0, 0.25, 2.0]]) for name in TWO}  # whole steps of 0.05
    close(execute(graph, x), answers(path, x)[0])


@pytest.mark.parametrize(
    "text, kinds",
    [
        (f"{qdq('x')}\nm = Clip(xd, low, high)\n{qdq('m')}\ny = Identity(md)", "clip"),
        (
            f"{qdq('x')}\nm = Clip(xd, low, high)\n{qdq('m', scale='other')}\ny = Identity(md)",
            "activation clip",
        ),
        (f"{qdq('x')}\ny = Clip(xd, low, high)", "clip"),
        (f"{qdq('x')}\na = Add(xd, xd)\nm = Clip(a, low, high)\n{qdq('m')}\ny = Identity(md)", "add clip"),
        # the shape of what waits for its scale
        (
            f"{qdq('x')}\na = Add(xd, xd)\nshape = Shape(a)\n{qdq('a')}\ny = Reshape(ad, shape)",
            "add",
        ),
    ],
)
def test_limits_of_integers(make, text, kinds):
    constants = QUANTIZED | {"other": np.float32(0.0437), "low": np.float32(-0.5), "high": np.float32(0.75)}
    path = make(text, constants)
    assert [layer.kind for layer in load(path).layers] == kinds.split()
    (steps,) = steps_beside(path, X)
    assert steps.max() <= 1 and np.mean(steps == 0) > 0.8


def test_an_input_may_be_quantised_twice_alike(make):
    text = (
        f"{qdq('x')}\nq2 = QuantizeLinear(x, s, z)\nd2 = DequantizeLinear(q2, s, z)\n"
        f"m = Add(xd, d2)\n{qdq('m')}\ny = Identity(md)"
    )
    path = make(text, QUANTIZED)
    assert [layer.kind for layer in load(path).layers] == ["add"]
    (steps,) = steps_beside(path, X)
    assert steps.max() == 0
