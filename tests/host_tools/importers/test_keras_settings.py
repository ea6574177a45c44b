"""Settings of Keras layers: what they become, and one line of ModelError for what is not known.

Files are written here, as Keras 3 writes them; tests/host_tools/importers/test_keras_kinds.py has Keras's own.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute

h5py = pytest.importorskip("h5py", reason="the extra ai-anne[keras]")


def layer(class_name: str, **config) -> dict:
    return {"class_name": class_name, "config": {"name": "x", "trainable": True} | config}


def tensor(name: str = "in", output: int = 0) -> dict:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, output]}}


def operator(class_name: str, *args, name: str = "x", kwargs: dict | None = None, **config) -> dict:
    node = {"args": list(args), "kwargs": kwargs or {}}
    entry = {
        "class_name": class_name,
        "name": name,
        "config": {"name": name} | config,
        "inbound_nodes": [node],
    }
    return entry | {"module": "keras.src.ops.numpy"}


def written(folder: Path, config: dict, weights: dict[str, list[np.ndarray]]) -> Path:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_group("layers")
        for group, arrays in weights.items():
            for n, array in enumerate(arrays):
                file[f"layers/{group}/vars/{n}"] = array.astype("f4")
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return path


def sequential(folder: Path, shape, one: dict, *weights: np.ndarray, group: str = "", **options):
    """Load a network of one layer."""
    first = {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, *shape]}}
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [first, one]}}
    return load(written(folder, config, {group: list(weights)} if weights else {}), **options)


def functional(folder: Path, shape, *operators: dict, output: int = 0):
    first = {
        "class_name": "InputLayer",
        "name": "in",
        "config": {"name": "in", "batch_shape": [None, *shape]},
    }
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [[operators[-1]["name"], 0, output]]}
    config = {"name": "net", "layers": [first, *operators]} | ends
    return load(written(folder, {"class_name": "Functional", "config": config}, {}))


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape)


CONV = {"strides": [1, 1], "padding": "valid", "dilation_rate": [1, 1], "groups": 1, "use_bias": False}
IMAGE = (5, 6, 2)
BARE = {"scale": False, "center": False}  # a normalisation without weights


@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        (
            IMAGE,
            {"data_format": "channels_first"},
            "data_format channels_first is not supported; build the model with",
        ),
        (
            IMAGE,
            {"padding": "full"},
            "padding 'full' is not supported; supported: valid, same, for signals causal",
        ),
        (IMAGE, {"padding": "causal"}, "padding 'causal' is not supported"),
        (IMAGE, {"strides": [1, 1, 1]}, "expected 2 integers for strides, got [1, 1, 1]"),
        (IMAGE, {"strides": [0, 1]}, "expected strides from 1 on, got [0, 1]"),
        (IMAGE, {"strides": "x" * 500}, "expected 2 integers for strides, got " + "x" * 80),
        (IMAGE, {"dilation_rate": [True, 1]}, "expected 2 integers for dilation_rate"),
        (IMAGE, {"groups": 3}, "expected groups that divide 4 channels, got 3"),
        (IMAGE, {"activation": "mish"}, "needs activation mish (1)"),
        (
            IMAGE,
            {"activation": {"class_name": "Softmax", "config": {"axis": 1}}},
            "softmax over the last axis",
        ),
        (IMAGE, {"activation": {"class_name": "Other", "config": {}}}, "activation 'Other' is not supported"),
        ((5, 2), {}, "expected an input (rows, columns, channels), got shape (5, 2)"),
        ((2, 6, 2), {}, "expected an input of at least the window's (3, 3)"),
        ((5, 6, 3), {}, "expected 2 channels, got 3"),
    ],
)
def test_convolutions_that_are_refused(tmp_path, shape, settings, message):
    one = layer("Conv2D", **CONV | settings)
    with pytest.raises(ModelError) as error:
        sequential(tmp_path, shape, one, zeros(3, 3, 2, 4), group="conv2d")
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("class_name", "group", "arrays", "message"),
    [
        ("Conv2D", "conv2d", [zeros(3, 2, 4)], "expected a kernel of 4 axes, got shape (3, 2, 4)"),
        ("DepthwiseConv2D", "depthwise_conv2d", [zeros(3, 3, 4)], "expected a kernel of 4 axes"),
        ("DepthwiseConv2D", "depthwise_conv2d", [zeros(3, 3, 3, 1)], "expected a multiple of 2 channels"),
        (
            "SeparableConv2D",
            "separable_conv2d",
            [zeros(3, 3, 2, 1), zeros(1, 1, 3, 4)],
            "expected a pointwise kernel of 2 inputs, got shape (1, 1, 3, 4)",
        ),
        ("Dense", "dense", [zeros(2, 2, 2)], "expected a kernel (n_in, n_out), got shape (2, 2, 2)"),
        (
            "PReLU",
            "p_re_lu",
            [zeros(5, 3, 2)],
            "expected an alpha that fits shape (5, 6, 2), got shape (5, 3, 2)",
        ),
        ("PReLU", "p_re_lu", [zeros(2)], "expected an alpha that fits shape (5, 6, 2), got shape (2,)"),
        ("Embedding", "embedding", [zeros(2)], "expected embeddings (input_dim, output_dim), got shape (2,)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, class_name, group, arrays, message):
    with pytest.raises(ModelError) as error:
        sequential(tmp_path, IMAGE, layer(class_name, **CONV), *arrays, group=group)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("shape", "one", "message"),
    [
        (
            IMAGE,
            layer("MaxPooling2D", pool_size=[2], padding="valid"),
            "expected 2 integers for pool_size, got [2]",
        ),
        (IMAGE, layer("MaxPooling2D", pool_size=[0, 1]), "expected pool_size from 1 on"),
        (
            IMAGE,
            layer("MaxPooling1D", pool_size=[2]),
            "expected an input (time, channels), got shape (5, 6, 2)",
        ),
        (
            IMAGE,
            layer("GlobalAveragePooling2D", data_format="channels_first"),
            "data_format channels_first is not supported",
        ),
        (
            IMAGE,
            layer("Cropping2D", cropping=[[3, 2], [0, 0]]),
            "expected to leave something of shape (5, 6, 2)",
        ),
        (
            IMAGE,
            layer("Cropping2D", cropping=[[-1, 2], [0, 0]]),
            "expected to leave something of shape (5, 6, 2)",
        ),
        (IMAGE, layer("Cropping2D", cropping=2), "expected two integers for each of 2 axes, got 2"),
        (IMAGE, layer("Permute", dims=[1, 2]), "expected 3 integers for dims, got [1, 2]"),
        (IMAGE, layer("Permute", dims=[1, 1, 2]), "expected each axis from 1 to 3 once, got (1, 1, 2)"),
        (IMAGE, layer("RepeatVector", n=3), "expected a flat input, got shape (5, 6, 2)"),
        (
            IMAGE,
            layer("UpSampling2D", size=[2, 2], interpolation="cubic"),
            "interpolation 'cubic' is not supported",
        ),
        (IMAGE, layer("Resizing", height=3, width=3, antialias=True), "antialias is not supported"),
        (
            (5,),
            layer("Resizing", height=3, width=3),
            "expected an image (rows, columns, channels), got shape (5,)",
        ),
        (IMAGE, layer("Softmax", axis=0), "expected an axis from 1 to 3, or from the end, got 0"),
        (IMAGE, layer("Softmax", axis=[1, 2]), "expected an axis from 1 to 3, or from the end, got [1, 2]"),
        (
            IMAGE,
            layer("ReLU", max_value=3, threshold=1),
            "supported: threshold 0, and a max_value that is not negative",
        ),
        (
            (70, 4, 2),
            layer("TimeDistributed", layer=layer("GlobalMaxPooling1D")),
            "GlobalMaxPooling1D over 70 steps; at most 64 are supported, and any number of Activation, Dense,",
        ),
        ((5,), layer("TimeDistributed", layer=layer("ReLU")), "expected an input of steps, got shape (5,)"),
        (
            (5, 4),
            layer("TimeDistributed", layer=layer("LSTM")),
            "needs LSTM (1); the first is layer 0 (TimeDist",
        ),
        ((5, 4), layer("TimeDistributed"), "needs None (1); the first is layer 0 (TimeDistributed 'x')"),
        (
            (5, 4),
            layer("TimeDistributed", layer=layer("Sequential", layers=[])),
            "needs TimeDistributed of a Sequential (1)",
        ),
        (
            IMAGE,
            layer("GroupNormalization", groups=5, **BARE),
            "expected groups that divide 2 channels, got 5",
        ),
        (
            (600, 600, 2),
            layer("GroupNormalization", groups=1, **BARE),
            "expected at most 65536 elements in a row",
        ),
        (IMAGE, layer("ReLU", max_value=-1), "supported: threshold 0, and a max_value that is not negative"),
        (
            IMAGE,
            layer("LayerNormalization", axis=[1], scale=False, center=False),
            "expected the last axis, got axis=1",
        ),
        (
            IMAGE,
            layer("LayerNormalization", rms_scaling=True, scale=False, center=False),
            "rms_scaling is not supported",
        ),
        (IMAGE, layer("Conv3D"), "needs Conv3D (1)"),
    ],
)
def test_layers_that_are_refused(tmp_path, shape, one, message):
    with pytest.raises(ModelError) as error:
        sequential(tmp_path, shape, one)
    assert message in str(error.value) and "\n" not in str(error.value)


SLICE = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (operator("Take", tensor(), [0]), "needs ops.Take (1)"),
        (operator("Add", tensor()), "expected two operands, got 1"),
        (operator("Add", tensor(), "text"), "expected a constant number, or a list of them, got text"),
        (
            operator("Add", tensor(), [1, 2, 3]),
            "expected one number, or one for each of 2 channels, got shape (3,)",
        ),
        (operator("TrueDivide", 1.0, tensor()), "a constant divided by a tensor is not supported"),
        (operator("TrueDivide", tensor(), 0.0), "NaN or infinite"),
        (operator("TrueDivide", tensor(), tensor()), "divide of two tensors is not supported"),
        (operator("Maximum", tensor(), [1.0, 2.0]), "maximum with several constants is not supported"),
        (operator("Power", tensor(), 3), "expected a power of 2, 0.5, -0.5, 1, got 3"),
        (operator("Clip", tensor(), x_min=None, x_max=1), "expected two numbers to clip to, got None and 1"),
        (operator("Mean", tensor(), axis=None), "expected an axis from 1 to 3, or from the end, got None"),
        (operator("Mean", tensor(), axis=[0, 1]), "expected an axis from 1 to 3, or from the end, got 0"),
        (operator("Mean", tensor(), axis=[1] * 9), "expected 1 to 3 axes to reduce"),
        (operator("Argmax", tensor(), axis=1), "expected argmax over the last axis"),
        (operator("Gelu", tensor(), approximate=True), "gelu by tanh (approximate=True) is not supported"),
        (operator("LeakyRelu", tensor(), negative_slope="a"), "expected a number for alpha, got a"),
        (
            operator("Reshape", tensor(), newshape=[60]),
            "expected a shape whose first axis is the batch, -1, got [60]",
        ),
        (operator("Reshape", tensor(), newshape=[-1, 7]), "expected 60 elements, got shape [-1, 7]"),
        (
            operator("Squeeze", tensor(), axis=1),
            "expected axes of one element to leave out, got 1 of shape (5, 6, 2)",
        ),
        (
            operator("Transpose", tensor(), axes=[1, 0, 2, 3]),
            "expected the batch axis to stay the first of 4 axes",
        ),
        (operator("Transpose", tensor(), axes=[0, 1, 1, 3]), "expected each axis from 1 to 3 once"),
        (operator("Pad", tensor(), pad_width=[[1, 0]] * 4), "expected no padding of the batch axis"),
        (
            operator("Pad", tensor(), pad_width=[[0, 0], [1], [0, 0], [0, 0]]),
            "expected two integers for each axis",
        ),
        (
            operator("Pad", tensor(), pad_width=[[0, 0]] * 4, mode="wrap"),
            "expected a padding of constant, reflect",
        ),
        (operator("GetItem", tensor(), [0]), "expected a slice that takes all samples, x[:, ...]"),
        (
            operator("GetItem", tensor(), [SLICE, 7]),
            "expected slices and numbers of elements, got 7 for an axis of 5",
        ),
        (
            operator("GetItem", tensor(), [SLICE, SLICE | {"config": {"start": 3, "stop": 3}}]),
            "expected a slice with something in it",
        ),
        (
            operator("Split", tensor(), indices_or_sections=4, axis=1),
            "expected a number of equal parts of 5 elements",
        ),
        (
            operator("Split", tensor(), indices_or_sections=[3, 3], axis=1),
            "expected parts with something in them",
        ),
    ],
)
def test_operators_that_are_refused(tmp_path, one, message):
    with pytest.raises(ModelError) as error:
        functional(tmp_path, IMAGE, one)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_tensors_of_unlike_rank_are_no_operands(tmp_path):
    mean = operator("Mean", tensor(), axis=[1, 2], name="mean")
    with pytest.raises(ModelError, match=r"expected two tensors of as many axes, got \(5, 6, 2\) and \(2,\)"):
        functional(tmp_path, IMAGE, mean, operator("Add", tensor(), tensor("mean")))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (operator("Subtract", 3.0, tensor()), lambda x: 3 - x),
        (
            operator("Multiply", tensor(), {"class_name": "__numpy__", "config": {"value": [2, 3]}}),
            lambda x: x * [2, 3],
        ),
        (operator("Add", kwargs={"x1": tensor(), "x2": 1.5}), lambda x: x + 1.5),
        (operator("Add", tensor(), tensor()), lambda x: x + x),
    ],
)
def test_operators_with_constants(tmp_path, one, expected):
    x = np.random.default_rng(1).normal(0, 1, (3, *IMAGE))
    np.testing.assert_allclose(execute(functional(tmp_path, IMAGE, one), x), expected(x), rtol=1e-12)


def test_keyword_arguments_of_keras_2(tmp_path):
    """x * 2.0 and 1.0 - x, as Keras 2 writes them."""
    times = {"class_name": "TFOpLambda", "name": "m", "config": {"name": "m", "function": "math.multiply"}}
    minus = {"class_name": "TFOpLambda", "name": "x", "config": {"name": "x", "function": "math.subtract"}}
    times["inbound_nodes"] = [["in", 0, 0, {"y": 2.0, "name": None}]]
    minus["inbound_nodes"] = [["_CONSTANT_VALUE", -1, 1.0, {"y": ["m", 0, 0], "name": None}]]
    x = np.random.default_rng(1).normal(0, 1, (3, *IMAGE))
    np.testing.assert_allclose(execute(functional(tmp_path, IMAGE, times, minus), x), 1 - 2 * x, rtol=1e-12)


# Open axes


def test_an_open_axis_is_as_long_as_one_says(tmp_path):
    one = layer("Conv1D", **CONV | {"strides": [1], "dilation_rate": [1]})
    graph = sequential(tmp_path, (None, 2), one, zeros(3, 2, 4), group="conv1d", input_shape=(20, 2))
    assert graph.output_tensors[0].shape == (18, 4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "expected an input of fixed size, got (None, None, 2); say it with --input-shape"),
        ((20, 3), "the model has (None, 2), without batch, got (20, 3)"),
        ((20,), "the model has (None, 2), without batch, got (20,)"),
        ((-1, 2), "expected positive numbers, got (-1, 2)"),
        ([(20, 2), (3,)], "expected 1 shapes"),
        ({"other": (20, 2)}, "other"),
    ],
)
def test_an_open_axis_needs_a_length_that_fits(tmp_path, given, message):
    one = layer("Conv1D", **CONV | {"strides": [1], "dilation_rate": [1]})
    with pytest.raises(ModelError) as error:
        sequential(tmp_path, (None, 2), one, zeros(3, 2, 4), group="conv1d", input_shape=given)
    assert message in str(error.value)


def test_masks_are_refused(tmp_path):
    """GlobalAveragePooling1D leaves masked words out of its mean, which no layer here does."""
    one = layer("Embedding", input_dim=3, output_dim=2, mask_zero=True)
    with pytest.raises(ModelError, match="mask_zero=True is not supported; train with mask_zero=False"):
        sequential(tmp_path, (5,), one, zeros(3, 2), group="embedding")
