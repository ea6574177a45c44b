"""importers/onnx.py on images and signals: channels first in the file, channels last here, no transposition left over.

ONNX Runtime says what is expected.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.convert import convert
from anne_tools.conversion.frameworks import as_here
from anne_tools.conversion.verify import verify
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute
from anne_tools.network.graph import INPUT_AXES, OUTPUT_AXES, Graph

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx_writer import answers, write

RNG = np.random.default_rng(20261126)
IMAGE, SIGNAL = (3, 7, 6), (3, 9)
C, D, W = RNG.normal(0, 1, 3), RNG.normal(2, 0.3, 3), RNG.normal(0, 0.5, (4, 3, 3, 2))


def f32(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.5, shape).astype(np.float32)


CONSTANTS = {
    "w": f32(4, 3, 3, 2),
    "b": f32(4),
    "w1": f32(5, 3, 4),
    "dw": f32(6, 1, 3, 3),
    "grouped": f32(4, 2, 3, 3),
    "point": f32(4, 3, 1, 1),
    "up": f32(3, 2, 3, 2),
    "up1": f32(3, 2, 4),
    "updw": f32(4, 1, 2, 2),
    "s": f32(3),
    "o": f32(3),
    "m": f32(3),
    "v": np.abs(f32(3)) + 0.5,
    "c3": f32(3, 1, 1),
    "row": f32(1, 6),
    "full": f32(3, 7, 6),
    "slope": np.abs(f32(3, 1, 1)),
    "dense": f32(4 * 5 * 5, 3),
    "rows": f32(3, 5),
    "zero": np.array(0),
    "flat": np.array([0, -1]),
    "split": np.array([1, 3]),
    "begin": np.array([1, 1]),
    "end": np.array([6, 2**62]),
    "axes": np.array([2, 3]),
    "two": np.array([2, 2]),
    "pads": np.array([0, 0, 1, 2, 0, 0, 2, 1]),
    "scales": np.array([1, 1, 2, 3], np.float32),
    "groups": np.array([1, 2, 2, 5, 5]),
    "back": np.array([1, 4, 5, 5]),
}


def moved(graph: Graph) -> int:
    return sum(layer.kind == "transpose" for layer in graph.layers)


def check(path, shape, moves=0, dtype=np.float32) -> Graph:
    """The network gives what ONNX Runtime says of the same samples, and moves nothing more often than that."""
    x = np.random.default_rng(1).normal(0, 1, (4, *shape)).astype(dtype)
    expected = [
        np.concatenate(rows) for rows in zip(*(answers(path, x[i : i + 1]) for i in range(4)), strict=True)
    ]
    graph = load(path)
    (order,) = graph.source_axes(INPUT_AXES)
    got = graph.split_outputs(execute(graph, x.transpose(order) if order else x))
    for ours, theirs in zip(got, as_here(graph, expected), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=3e-6 * max(1e-3, np.abs(theirs).max()))
    assert moved(graph) == moves
    return graph


@pytest.fixture
def make(tmp_path):
    def write_it(text, shape, constants=CONSTANTS, opset=20, **options):
        used = {name: value for name, value in constants.items() if name in text.replace(",", " ").replace(
            ")", " ").replace("(", " ").replace(";", " ").split()}  # fmt: skip
        return write(tmp_path / "made.onnx", text, used, ("batch", *shape), opset, **options)

    return write_it


@pytest.mark.parametrize(
    "text",
    [
        "y = Conv(x, w, b)",
        "y = Conv(x, w; strides=[2, 3], pads=[1, 0, 2, 1], dilations=[2, 1])",
        "y = Conv(x, w; auto_pad='SAME_UPPER', strides=[2, 2])",
        "y = Conv(x, w; auto_pad='SAME_LOWER', strides=[2, 2])",
        "y = Conv(x, dw; group=3)",
        "y = Conv(x, point; pads=[1, 2, 0, 3])",
        "y = Conv(x, w; pads=[4, 0, 5, 3], strides=[3, 2])",
        "p = Conv(x, point)\ny = Conv(p, grouped; group=2)",
        "y = MaxPool(x; kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])",
        "y = MaxPool(x; kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)",
        "y = AveragePool(x; kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])",
        "y = AveragePool(x; kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)",
        "y = BatchNormalization(x, s, o, m, v)",
        "r = Relu(x)\nn = BatchNormalization(r, s, o, m, v)\ny = Conv(n, w)",
        "p = Conv(x, point)\nr = Relu(p)\ny = Add(p, r)",
        "p = Mul(x, c3)\nq = Add(p, row)\nd = Sub(q, full)\ny = Conv(d, w)",
    ],
)
def test_images(make, text):
    graph = check(make(text, IMAGE), IMAGE)
    assert graph.metadata.provenance["input axes"] == graph.metadata.provenance["output axes"] == "0 2 3 1"
    assert graph.input_tensors[0].shape == (7, 6, 3)


@pytest.mark.parametrize(
    "text",
    ["y = Conv(x, w1; strides=[2], pads=[1, 2])", "y = MaxPool(x; kernel_shape=[3])",
     "y = AveragePool(x; kernel_shape=[2], strides=[2], pads=[1, 0])", "y = BatchNormalization(x, s, o, m, v)"],
)  # fmt: skip
def test_signals(make, text):
    graph = check(make(text, SIGNAL), SIGNAL)
    assert graph.input_tensors[0].shape == (9, 3)
    assert graph.source_axes(OUTPUT_AXES) == [(0, 2, 1)]


def test_a_flattened_image_before_a_dense_layer_moves_its_weights(make):
    graph = check(make("c = Conv(x, w)\nf = Flatten(c)\nr = Relu(f)\ny = MatMul(r, dense)", IMAGE), IMAGE)
    assert [layer.kind for layer in graph.layers] == ["conv", "activation", "reshape", "dense"]
    assert "output axes" not in graph.metadata.provenance


def test_channels_last_inside_the_file_leaves_nothing_to_move(make):
    """As tf2onnx writes Keras: the input channels last, a Transpose before the first layer and behind the last."""
    text = "t = Transpose(x; perm=[0, 3, 1, 2])\nc = Conv(t, w)\nr = Relu(c)\ny = Transpose(r; perm=[0, 2, 3, 1])"
    graph = check(make(text, (7, 6, 3)), (7, 6, 3))
    assert "input axes" not in graph.metadata.provenance and "output axes" not in graph.metadata.provenance
    assert [layer.kind for layer in graph.layers] == ["conv", "activation"]


def test_dense_on_every_row_is_a_convolution(make):
    text = "c = Conv(x, point)\nt = Transpose(c; perm=[0, 2, 3, 1])\nz = MatMul(t, r4)\ny = Add(z, b5)"
    constants = {**CONSTANTS, "r4": f32(4, 5), "b5": f32(5)}
    graph = check(make(text, IMAGE, constants), IMAGE)
    assert [layer.kind for layer in graph.layers] == ["conv", "conv"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("y = Conv(x, dense)", "layer 0 (Conv): expected"),
        ("y = Conv(x, w; pads=[-1, 0, 0, 0])", "layer 0 (Conv): before of [-1, 0] is not supported"),
        ("y = Conv(x, w; group=2)", "layer 0 (Conv): expected 3 channels in 2 groups, got weights of shape (4, 3,"),
        ("y = Conv(x, w; strides=[0, 1])", "layer 0 (Conv): stride of [0, 1] is not supported"),
        ("y = Conv(x, w; strides=[1])", "layer 0 (Conv): expected 2 numbers of stride, got [1]"),
        ("y = Conv(x, w; auto_pad='WIDE')", "layer 0 (Conv): its padding is not supported, got 'WIDE'"),
        ("f = Flatten(x)\ny = Conv(f, w)", "layer 1 (Conv): expected an image or a signal, got shape (1, 126)"),
        ("y = MaxPool(x)", "layer 0 (MaxPool): expected 2 numbers of kernel, got []"),
        ("y = MaxPool(x; kernel_shape=[9, 9])", "layer 0 (MaxPool): expected an input of at least the window's"),
        ("y = AveragePool(x; kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, count_include_pad=1, pads=[1, 1, 1, 1])",
         "layer 0 (AveragePool): ceil_mode with count_include_pad is not supported here"),
    ],
)  # fmt: skip
def test_refused(make, text, message):
    with pytest.raises(ModelError) as error:
        load(make(text, IMAGE))
    assert message in str(error.value) and "\n" not in str(error.value)


# Along axes, and of any shape


@pytest.mark.parametrize(
    "text, moves",
    [
        ("p = Conv(x, point)\ny = ConvTranspose(p, updw; group=4, strides=[2, 2])", 0),
        ("y = ConvTranspose(x, up; strides=[2, 3], pads=[1, 0, 0, 1], output_padding=[1, 0])", 0),
        ("y = ConvTranspose(x, up; strides=[2, 2], auto_pad='SAME_UPPER')", 0),
        ("y = ConvTranspose(x, up; strides=[3, 2], output_shape=[20, 12])", 0),
        ("p = Conv(x, point)\na, c = Split(p, split; axis=1)\ny = Concat(c, a; axis=1)", 0),
        ("p = Conv(x, point)\ny = Slice(p, begin, end, axes, two)", 0),
        ("p = Conv(x, point)\ny = Gather(p, zero; axis=1)", 0),
        ("p = Conv(x, point)\ng = GlobalAveragePool(p)\nq = Sigmoid(g)\ny = Mul(p, q)", 0),
        ("p = Conv(x, point)\ny = ReduceMean(p, axes; keepdims=0)", 0),
        ("p = Conv(x, point)\ny = ReduceMax(p, axes)", 0),
        ("p = Conv(x, point)\ny = Transpose(p; perm=[0, 1, 3, 2])", 1),
        ("p = Conv(x, point)\nf = Flatten(p)\ny = Relu(f)", 1),
        # ShuffleNet: the channels of two groups change places, which is one Transpose
        (
            "p = Conv(x, point)\nr = Reshape(p, g5)\nt = Transpose(r; perm=[0, 2, 1, 3, 4])\ny = Reshape(t, back)",
            1,
        ),
        ("p = Conv(x, point)\nq = Softmax(p; axis=1)\ny = Conv(q, grouped; group=2)", 0),
        ("p = Conv(x, point)\ny = Pad(p, pads)", 0),
    ],
)
def test_along_axes(make, text, moves):
    constants = {**CONSTANTS, "g5": np.array([0, 2, 2, 7, 6]), "back": np.array([0, 4, 7, 6])}
    check(make(text, IMAGE, constants), IMAGE, moves)


def test_sizes_that_the_file_leaves_open_are_given(make):
    path = make("c = Conv(x, w)\ny = Relu(c)", (3, "rows", "columns"))
    with pytest.raises(
        ModelError, match=r"an input of open shape \(batch, 3, rows, columns\).*--input-shape"
    ):
        load(path)
    assert load(path, input_shape=(3, 7, 6)).input_tensors[0].shape == (7, 6, 3)
    assert load(path, input_shape={"x": (3, 8, 9)}).input_tensors[0].shape == (8, 9, 3)
    with pytest.raises(
        ModelError, match=r"input_shape: the model has \(3, None, None\), without batch, got \(1, 7, 6\)"
    ):
        load(path, input_shape=(1, 7, 6))


def test_a_table_is_asked_by_whole_numbers(make, tmp_path):
    """An embedding: its input are integers in the file, floats here."""
    table = f32(11, 4)
    path = write(tmp_path / "made.onnx", "c = Cast(x; to=7)\ne = Gather(t, c)\ny = MatMul(e, k)",
                 {"t": table, "k": f32(4, 2)}, ("batch", 6), dtype="int64")  # fmt: skip
    graph = load(path)
    x = RNG.integers(0, 11, (5, 6))
    expected = np.concatenate([answers(path, row[None])[0] for row in x])
    np.testing.assert_allclose(execute(graph, x), expected, atol=1e-5)


def test_samples_of_other_axes_reach_the_framework_as_it_has_them(make):
    """verify: ours are channels last, ONNX Runtime's first."""
    path = make("c = Conv(x, w)\ny = Relu(c)", IMAGE)
    x = RNG.normal(0, 1, (3, 7, 6, 3)).astype(np.float32)
    first = verify(convert(path).data, path, x)[0]
    assert first.first.startswith("ONNX Runtime") and first.good and first.n_samples == 3
