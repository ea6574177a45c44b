"""Keras models that branch, against outputs of Keras itself, and files that are no network.

The files in tests/golden/keras were written by tests/golden/make_keras.py, as those of test_keras.py.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import zipfile
from pathlib import Path

import anne_tools
import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.importers.keras_references import named_references, references
from anne_tools.layers import Add, Pad
from anne_tools.network.execute import execute

h5py = pytest.importorskip("h5py", reason="the extra ai-anne[keras]")

GOLDEN = Path(__file__).parents[2] / "golden" / "keras"
MODELS = ("two_inputs", "residual", "structured", "sharing", "operators", "crossing", "padded")
FILES = [
    pytest.param(path, id=path.name)
    for path in sorted(GOLDEN.glob("*"))
    if path.stem.partition("_")[2] in MODELS and path.suffix in (".keras", ".h5")
]


def numbered(arrays, prefix: str) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays) if name.startswith(prefix)]


def close(outputs: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Equal but for the rounding of Keras's float32 arithmetic (execute's is float64, a model file's float32)."""
    for got, right in zip(outputs, expected, strict=True):
        assert got.shape == right.shape
        np.testing.assert_allclose(got, right, rtol=0, atol=2e-6 * np.abs(right).max())


@pytest.mark.parametrize("path", FILES)
def test_golden_file_gives_what_keras_predicts(path):
    version, _, name = path.stem.partition("_")
    stored = np.load(GOLDEN / f"{version}_branches.npz")
    graph = load(path)
    x, expected = numbered(stored, f"{name}_x"), numbered(stored, f"{name}_y")
    outputs = graph.split_outputs(execute(graph, x[0] if len(x) == 1 else x))
    close(outputs, expected)


@pytest.mark.parametrize("path", FILES)
def test_model_file_gives_what_keras_predicts(path):
    version, _, name = path.stem.partition("_")
    stored = np.load(GOLDEN / f"{version}_branches.npz")
    conversion = anne_tools.convert(path, dtype="float32")
    x, expected = numbered(stored, f"{name}_x"), numbered(stored, f"{name}_y")
    outputs = conversion.predict(x[0] if len(x) == 1 else x)
    close([outputs] if len(expected) == 1 else outputs, expected)


def test_golden_files_exist_for_both_versions_and_formats():
    names = {path.values[0].name for path in FILES}
    both = {f"keras{v}_{m}.{s}" for v in "23" for m in MODELS[:5] for s in ("keras", "h5")}
    three = {"keras3_padded.keras", "keras3_padded.h5"}
    assert names == both | three | {"keras3_crossing.h5"}  # the only such file that Keras reads itself


@pytest.mark.parametrize("version", ["keras2", "keras3"])
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_names_of_inputs_and_outputs(version, suffix):
    def names(model):
        graph = load(GOLDEN / f"{version}_{model}.{suffix}")
        return graph.metadata.input_names, graph.metadata.output_names

    # of a dict its keys, sorted as Keras does it
    assert names("structured") == (["image", "speed"], ["answer", "hidden", "same", "sum"])
    # Keras names outputs after their layers; a model that makes two has them numbered
    assert names("sharing") == (["a", "b"], ["dense_13", "middle", "middle_1"])
    assert names("two_inputs") == (["left", "right"], [])  # one output, which its user gave no name
    assert names("residual") == ([], [])


def test_an_output_that_is_an_input_and_one_that_is_used_inside():
    graph = load(GOLDEN / "keras3_structured.keras")
    assert list(graph.consumers(graph.outputs[1]))
    # a model file has inputs before all that is computed, so the output is a copy
    copy = graph.layers[-1]
    assert (copy.inputs, copy.outputs) == ((graph.inputs[1],), (graph.outputs[2],))


def test_calls_of_a_layer_have_names_of_their_own_and_the_same_arrays():
    layers = {layer.name: layer for layer in load(GOLDEN / "keras3_structured.keras").layers}
    assert layers["shared"].weights is layers["shared_1"].weights
    assert layers["shared"].source == layers["shared_1"].source == "Dense 'shared'"


def test_layers_that_no_output_needs_are_left_out():
    # make_keras.sharing: 3 calls of a model of two Dense, called twice, one Dense and 3 Adds; the last call's second
    # output is used by nobody, so that 3 Dense and 2 Adds less are run; and one Dense behind it
    layers = load(GOLDEN / "keras3_sharing.keras").layers
    sums = sum(isinstance(layer, Add) for layer in layers)
    assert (len(layers) - sums, sums) == (3 * 5 - 3 + 1, 3 * 3 - 2)


def test_a_sum_of_three_runs_from_left_to_right():
    graph = load(GOLDEN / "keras3_residual.keras")
    first, second = [layer for layer in graph.layers if layer.name.startswith("add_1")]
    assert (first.name, second.name) == ("add_1 0", "add_1 1")
    assert second.inputs[0] == first.output


def test_the_same_tensor_twice():
    layer = load(GOLDEN / "keras3_operators.keras").layers[0]
    assert isinstance(layer, Add) and layer.inputs == ("input", "input")


# How tensors are written


def test_references_of_keras_3():
    def tensor(name, call=0, output=0):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, output]}}

    node = {
        "args": [{"b": tensor("x"), "a": [tensor("y", 1), tensor("z", 0, 2)]}],
        "kwargs": {"mask": [None]},
    }
    assert references(node) == [("y", 1, 0), ("z", 0, 2), ("x", 0, 0)]
    assert references({"args": [tensor("x"), 1.5], "kwargs": {"training": True}}) == [("x", 0, 0), None]
    assert references({"args": [], "kwargs": {"x2": tensor("b"), "x1": 2}}) == [None, ("b", 0, 0)]
    assert references({"args": [tensor("x")], "kwargs": {"mask": tensor("m")}}) == [("x", 0, 0), ("m", 0, 0)]
    array = {"class_name": "__numpy__", "config": {"value": [1, 2]}}
    assert references({"args": [tensor("x"), array], "kwargs": {}}) == [("x", 0, 0), None]


def test_references_of_keras_2():
    assert references([["a", 0, 0, {}], ["b", 1, 2, {}]]) == [("a", 0, 0), ("b", 1, 2)]
    assert references(["a", 0, 0, {"y": ["b", 0, 0], "name": None}]) == [("a", 0, 0), ("b", 0, 0)]
    assert references([["a", 0, 0, {"y": 2.0, "name": "plus"}]]) == [("a", 0, 0), None]
    assert references([["_CONSTANT_VALUE", -1, 2.0, {"y": ["b", 0, 0]}]]) == [None, ("b", 0, 0)]
    assert references({"q": ["a", 0, 0, {}], "p": ["b", 0, 0, {}]}) == [("b", 0, 0), ("a", 0, 0)]


def test_names_of_ends():
    assert named_references(["a", 0, 0]) == [("a", ("a", 0, 0))]
    assert named_references([["a", 0, 0], ["b", 1, 1]]) == [("a", ("a", 0, 0)), ("b", ("b", 1, 1))]
    ends = {"q": ["a", 0, 0], "p": [["b", 0, 0], ["c", 0, 0]]}
    assert [name for name, _ in named_references(ends)] == ["p.0", "p.1", "q"]
    assert named_references(None) == []


# Files that are no network


def entry(class_name: str, name: str, *nodes, **config) -> dict:
    config = {"name": name} | config
    return {"class_name": class_name, "name": name, "config": config, "inbound_nodes": list(nodes)}


def read(*tensors: list) -> list:
    """A call that reads these, as Keras 2 writes it."""
    return [[*tensor, {}] for tensor in tensors]


INPUT = entry("InputLayer", "in", batch_shape=[None, 2])
CALL = read(["in", 0, 0])


def functional(*layers: dict, name="net", inputs=(("in", 0, 0),), outputs=(("x", 0, 0),), call=None) -> dict:
    ends = {"input_layers": [list(end) for end in inputs], "output_layers": [list(end) for end in outputs]}
    return entry("Functional", name, *([] if call is None else [call]), layers=list(layers), **ends)


def load_config(folder: Path, config: dict):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_group("layers")
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return load(path)


INNER = functional(INPUT, entry("ReLU", "x", CALL), name="inner", call=CALL)


@pytest.mark.parametrize(
    "config, message",
    [
        (functional(INPUT, entry("ReLU", "x", read(["x", 0, 0]))), "model 'net': its layers form a circle"),
        (
            functional(
                INPUT,
                entry("Add", "x", read(["in", 0, 0], ["y", 0, 0])),
                entry("ReLU", "y", read(["x", 0, 0])),
            ),
            "model 'net': its layers form a circle",
        ),
        (functional(INPUT, entry("ReLU", "x", read(["y", 0, 0]))), "model 'net': no layer is called 'y'"),
        (
            functional(INPUT, entry("ReLU", "x", read(["in", 1, 0]))),
            "InputLayer 'in' has no output 0 of a call 1",
        ),
        (
            functional(INPUT, entry("ReLU", "x", read(["in", -1, 0]))),
            "InputLayer 'in' has no output 0 of a call -1",
        ),
        (
            functional(INPUT, entry("ReLU", "x", read(["in", 0, 1]))),
            "InputLayer 'in' has no output 1 of a call 0",
        ),
        (
            functional(INPUT, entry("ReLU", "x", CALL), outputs=[["x", 1, 0]]),
            "ReLU 'x' has no output 0 of a call 1",
        ),
        (functional(INPUT, entry("ReLU", "x")), "ReLU 'x' has no output 0 of a call 0"),
        (
            functional(INPUT, entry("ReLU", "x", CALL), inputs=[["x", 0, 0]]),
            "expected inputs to be InputLayers",
        ),
        (functional(INPUT, entry("ReLU", "x", CALL), inputs=[]), "InputLayer 'in' is none of its inputs"),
        (functional(INPUT, entry("ReLU", "x", CALL), inputs=[["in", 0, 0]] * 2), "expected each input once"),
        (functional(INPUT, INPUT, entry("ReLU", "x", CALL)), "model 'net': two of its layers have one name"),
        (
            functional(INPUT, entry("ReLU", "x", read(["in", 0, 0], ["in", 0, 0]))),
            "layer ReLU 'x': expected to read 1 tensors, got 2",
        ),
        (functional(INPUT, entry("ReLU", "x", read())), "layer ReLU 'x': expected to read 1 tensors, got 0"),
        (
            functional(INPUT, {**INNER, "inbound_nodes": [CALL + CALL]}, outputs=[["inner", 1, 0]]),
            "layer Functional 'inner': expected to read 1 tensors, got 2",
        ),
        (
            functional(INPUT, INNER, outputs=[["inner", 2, 0]]),
            "Functional 'inner' has no output 0 of a call 2",
        ),
        (
            functional(INPUT, INNER, outputs=[["inner", 1, 1]]),
            "Functional 'inner' has no output 1 of a call 1",
        ),
        (
            functional(INPUT, entry("Add", "x", CALL)),
            "needs Add of a constant (1); the first is layer 0 (Add 'x')",
        ),
        (
            functional(
                INPUT,
                entry("Dot", "y", CALL + CALL),
                entry("Conv3D", "z", read(["y", 0, 0])),
                entry("Dot", "x", read(["z", 0, 0], ["in", 0, 0])),
            ),
            "needs Dot (2), Conv3D (1); the first is layer 0 (Dot 'y'); Conv3D: of volumes; ",
        ),
        (
            functional(
                INPUT,
                entry("InputLayer", "more", batch_shape=[None, 3]),
                entry("Add", "x", read(["in", 0, 0], ["more", 0, 0])),
                inputs=[["in", 0, 0], ["more", 0, 0]],
            ),
            ", got (3,) and (2,)",
        ),
        (functional(INPUT, outputs=[["in", 0, 0]]), "the model has no layers"),
        (functional(INPUT, entry("ReLU", "x", CALL), outputs=[]), "the model has no layers"),
    ],
)
def test_what_is_no_network_is_refused(tmp_path, config, message):
    with pytest.raises(ModelError) as error:
        load_config(tmp_path, config)
    assert str(error.value).startswith("net.keras: ") and message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_output_twice_is_two_outputs(tmp_path):
    graph = load_config(tmp_path, functional(INPUT, entry("ReLU", "x", CALL), outputs=[["x", 0, 0]] * 2))
    assert len(set(graph.outputs)) == 2 and graph.metadata.output_names == ["x", "x_1"]
    np.testing.assert_array_equal(execute(graph, np.array([[-1.0, 2.0]])), [[0, 2, 0, 2]])


def test_an_input_that_nothing_reads_stays_an_input(tmp_path):
    config = functional(
        INPUT,
        entry("InputLayer", "more", batch_shape=[None, 3]),
        entry("ReLU", "x", CALL),
        inputs=[["more", 0, 0], ["in", 0, 0]],
    )
    graph = load_config(tmp_path, config)
    assert graph.inputs == ["more", "in"] and graph.metadata.input_names == ["more", "in"]
    np.testing.assert_array_equal(execute(graph, [np.ones((1, 3)), np.array([[-1.0, 2.0]])]), [[0, 2]])


# Padding


def padding(class_name: str, shape, padding, **config) -> dict:
    """A network of one padding layer."""
    inputs = entry("InputLayer", "in", batch_shape=[None, *shape])
    return functional(inputs, entry(class_name, "x", CALL, padding=padding, **config))


@pytest.mark.parametrize(
    "class_name, shape, widths, before, after",
    [
        ("ZeroPadding1D", (5, 2), [1, 2], (1, 0), (2, 0)),
        ("ZeroPadding2D", (3, 4, 2), [[1, 2], [0, 3]], (1, 0, 0), (2, 3, 0)),
        ("ZeroPadding3D", (2, 1, 2, 3), [[1, 1], [0, 0], [2, 3]], (1, 0, 2, 0), (1, 0, 3, 0)),
    ],
)
def test_padding(tmp_path, class_name, shape, widths, before, after):
    graph = load_config(tmp_path, padding(class_name, shape, widths, data_format="channels_last"))
    (layer,) = graph.layers
    assert isinstance(layer, Pad)
    assert (layer.before, layer.after, layer.value) == (before, after, 0)


@pytest.mark.parametrize(
    "class_name, shape, widths, message",
    [
        ("ZeroPadding1D", (5, 2), 1, "expected two integers for each of 1 axes, got 1"),
        ("ZeroPadding1D", (5,), [1, 1], "expected two integers for each of 0 axes, got [1, 1]"),
        ("ZeroPadding1D", (5, 2), [[1, 1]], "expected two integers for each of 1 axes, got [[1, 1]]"),
        ("ZeroPadding2D", (5, 5, 2), [1, 1], "expected two integers for each of 2 axes, got [1, 1]"),
        ("ZeroPadding2D", (5, 5, 2), [[1, 1]], "expected two integers for each of 2 axes, got [[1, 1]]"),
        (
            "ZeroPadding2D",
            (5, 5, 2),
            [[1, 1], [1]],
            "expected two integers for each of 2 axes, got [[1, 1], ",
        ),
        ("ZeroPadding2D", (5, 5, 2), [[1, 1.5], [1, 1]], "expected two integers for each of 2 axes, got "),
        ("ZeroPadding2D", (5, 5, 2), [[1, 1], [float("nan"), 1]], "expected two integers for each of 2 axes"),
        ("ZeroPadding2D", (5, 5, 2), None, "expected two integers for each of 2 axes, got None"),
        (
            "ZeroPadding2D",
            (5, 5, 2),
            [[1, 1], [-1, 1]],
            "expected no axis to become smaller, got (1, -1, 0) ",
        ),
        ("ZeroPadding2D", (5, 5, 2), [[1, 1], [1 << 20, 1]], "expected at most 1048576 elements"),
        ("ZeroPadding3D", (1, 1, 1, 1), [[0, 1 << 60]] * 3, "expected at most 1048576 elements"),
    ],
)
def test_padding_that_is_refused(tmp_path, class_name, shape, widths, message):
    with pytest.raises(ModelError) as error:
        load_config(tmp_path, padding(class_name, shape, widths))
    assert str(error.value).startswith("net.keras: ") and message in str(error.value)
    assert "\n" not in str(error.value)


def test_padding_of_channels_first_is_refused(tmp_path):
    config = padding("ZeroPadding2D", (2, 5, 5), [[1, 1], [1, 1]], data_format="channels_first")
    with pytest.raises(
        ModelError, match="layer ZeroPadding2D 'x': data_format channels_first is not supported"
    ):
        load_config(tmp_path, config)


# With Keras itself


@pytest.fixture(scope="module")
def make_keras():
    """The golden files' generator as a module, if a Keras that works is installed."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    spec = importlib.util.spec_from_file_location("make_keras", GOLDEN.parent / "make_keras.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("suffix", [".keras", ".h5", "in memory"])
def test_model_made_now_gives_what_keras_predicts(make_keras, tmp_path, name, suffix):
    if name == "crossing" and suffix != ".h5":
        pytest.skip("a .keras file of it has not all weights")
    model, arrays = make_keras.make_branches(getattr(make_keras, name))
    source = model if suffix == "in memory" else tmp_path / f"net{suffix}"
    if source is not model:
        model.save(source)
    x, expected = numbered(arrays, f"{name}_x"), numbered(arrays, f"{name}_y")
    graph = load(source)
    close(graph.split_outputs(execute(graph, x[0] if len(x) == 1 else x)), expected)
