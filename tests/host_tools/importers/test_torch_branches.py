"""importers/torch.py on networks that branch, with several inputs and outputs.

The files in tests/golden/torch were written by tests/golden/make_torch.py with PyTorch 2.13.0, together with its
outputs (float32) in branches.npz; those of modules in memory are PyTorch's own, where it is installed.
"""

from __future__ import annotations

import importlib.util
import json
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from anne.reference_model import Model
from anne_tools.conversion.pack import pack
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.layers import Pad
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph

GOLDEN = Path(__file__).parents[2] / "golden" / "torch"
EXPECTED = np.load(GOLDEN / "branches.npz")
SEED = 20261126


def close(got: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for the rounding of float32 arithmetic (ours is float64)."""
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def outputs(graph: Graph, x: dict[str, np.ndarray]) -> list[np.ndarray]:
    """All outputs for inputs by name."""
    y = execute(graph, x)
    return graph.split_outputs(y) if len(graph.outputs) > 1 else [y]


def kinds(graph: Graph) -> Counter:
    return Counter(getattr(layer, "activation", layer.kind) for layer in graph.layers)


# .pt2


@pytest.mark.parametrize(
    "file, inputs, names",
    [
        ("residual", ["x"], []),
        ("two_inputs", ["image", "speed"], []),
        ("two_outputs", ["x"], ["steer", "stop", "more.0", "more.1"]),
        ("sums", ["x"], []),
        ("padded", ["x"], []),
    ],
)
def test_pt2_gives_what_pytorch_says(file, inputs, names):
    graph = load(GOLDEN / f"{file}.pt2")
    assert graph.metadata.input_names == inputs
    assert graph.metadata.output_names == names
    got = outputs(graph, {name: EXPECTED[f"{file}_x_{name}"] for name in inputs})
    for index, y in enumerate(got):
        close(y, EXPECTED[f"{file}_y_{index}"])
    assert f"{file}_y_{len(got)}" not in EXPECTED


def test_layers_are_named_after_modules_inside_modules():
    names = [layer.name for layer in load(GOLDEN / "residual.pt2").layers]
    assert names[:2] == ["stem.0", "stem.1"]
    assert {"body.0.fc1", "body.1.0.norm", "body.1.1.fc2"} <= set(names)


def test_an_output_that_is_an_input_is_a_copy_unless_it_comes_first(edit):
    # in a model file the input is the first tensor, and outputs come in their order
    graph = load(GOLDEN / "two_outputs.pt2")
    assert graph.outputs[3] not in graph.inputs
    assert graph.layers[-1].inputs == tuple(graph.inputs)
    graph = load(edit("two_outputs.pt2", lambda m: ends(m).insert(0, ends(m).pop())))
    assert graph.outputs[0] == graph.inputs[0]
    only_the_input = edit("two_inputs.pt2", lambda m: ends(m).__setitem__(0, user_output("image")))
    assert "the model has no layers" in refused(only_the_input)


@pytest.mark.parametrize(
    "names, copies",
    [
        (("image", "speed", "add"), 0),
        (("speed", "add"), 0),
        (("speed", "image", "add"), 1),
        (("add", "speed", "image"), 2),
    ],
)
def test_inputs_as_outputs_in_every_order(edit, names, copies):
    path = edit("two_inputs.pt2", lambda m: ends(m).__setitem__(slice(None), map(user_output, names)))
    graph = load(path)
    assert [layer.name for layer in graph.layers].count("copy") == copies
    x = {name: EXPECTED[f"two_inputs_x_{name}"][:1] for name in ("image", "speed")}
    answer = Model(pack(graph)).predict({name: value.ravel().tolist() for name, value in x.items()})
    for name, got, expected in zip(names, answer, outputs(graph, x), strict=True):
        close(np.asarray(got), expected.ravel())
        if name in x:
            np.testing.assert_array_equal(expected, x[name])


def test_products_that_are_activations_come_before_sums():
    # in Sums: swish and hard_swish spelled out, and seven sums and differences of two values
    graph = load(GOLDEN / "sums.pt2")
    assert kinds(graph)["swish"] == kinds(graph)["hard_swish"] == 1
    assert sum(layer.kind in ("add", "subtract") for layer in graph.layers) == 7
    assert "sigmoid" not in kinds(graph) and "relu6" not in kinds(graph)


def test_a_module_used_twice_is_two_layers_with_one_set_of_weights():
    first, second = (layer for layer in load(GOLDEN / "sums.pt2").layers if layer.name == "shared")
    np.testing.assert_array_equal(first.weights, second.weights)
    assert first.inputs != second.inputs


def test_padding_is_read_from_the_last_axis_on():
    pads = [layer for layer in load(GOLDEN / "padded.pt2").layers if isinstance(layer, Pad)]
    assert [(pad.before, pad.after, pad.value) for pad in pads] == [
        ((1, 1), (0, 2), 0),
        ((2,), (0,), -1.5),
        ((0,), (2,), 0),
        ((1,), (1,), 3),
    ]


# Changed files


@pytest.fixture
def edit(tmp_path):
    """Writes a golden .pt2 whose program was changed by a function; returns its path."""

    def write(file: str, change) -> Path:
        path = tmp_path / file
        with zipfile.ZipFile(GOLDEN / file) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                data = old.read(name)
                if name.endswith("/models/model.json"):
                    model = json.loads(data)
                    change(model["graph_module"])
                    data = json.dumps(model).encode()
                new.writestr(name, data)
        return path

    return write


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def user_output(name: str) -> dict:
    return {"user_output": {"arg": {"as_tensor": {"name": name}}}}


def ends(module: dict) -> list[dict]:
    return module["signature"]["output_specs"]


def test_an_output_that_is_there_twice_has_a_copy(edit):
    path = edit("two_inputs.pt2", lambda m: ends(m).extend([user_output("linear_2"), user_output("image")]))
    graph = load(path)
    image, speed = (EXPECTED[f"two_inputs_x_{name}"] for name in ("image", "speed"))
    first, second, third = outputs(graph, {"image": image, "speed": speed})
    close(first, EXPECTED["two_inputs_y_0"])
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(third, image)
    assert len(set(graph.outputs)) == 3
    assert [layer.name for layer in graph.layers].count("copy") == 2  # of the sum, and of image behind it


def test_inputs_that_nothing_reads_stay(edit):
    def only_the_image(module):
        ends(module)[:] = [user_output("linear")]

    graph = load(edit("two_inputs.pt2", only_the_image))
    assert graph.metadata.input_names == ["image", "speed"]
    assert len(graph.inputs) == 2
    assert [layer.name for layer in graph.layers] == ["flatten", "see"]


def test_numbers_among_the_inputs_are_no_inputs(edit):
    def with_a_number(module):
        number = {"constant_input": {"name": "flag", "value": {"as_none": True}}}
        module["signature"]["input_specs"].append(number)

    assert load(edit("two_inputs.pt2", with_a_number)).metadata.input_names == ["image", "speed"]


@pytest.mark.parametrize(
    "file, change, message",
    [
        ("two_inputs", lambda m: ends(m).append({"user_output": {"arg": {"as_none": True}}}), "None"),
        ("two_inputs", lambda m: ends(m).append(user_output("p_see_weight")), "'p_see_weight' is a constant"),
        (
            "two_inputs",
            lambda m: ends(m).append(user_output("other")),
            "'other' is a constant, or computed by",
        ),
        (
            "two_inputs",
            lambda m: ends(m).append({"buffer_mutation": {}}),
            "needs an output of kind buffer_mutation, which is not supported",
        ),
        ("two_inputs", lambda m: ends(m).clear(), "expected a model of inputs and outputs, got 2 and 0"),
        (
            "two_inputs",
            lambda m: m["signature"]["input_specs"].append(m["signature"]["input_specs"][-1]),
            "input speed: 'speed' is an input or a constant before it",
        ),
        (
            "two_inputs",
            lambda m: m["graph"]["tensor_values"]["speed"]["sizes"].__setitem__(0, {"as_int": 4}),
            "input speed: expected a batch of 1, got shape (4, 2)",
        ),
        (  # (1, 5) + (1, 2)
            "two_inputs",
            lambda m: m["graph"]["nodes"][4]["inputs"][1]["arg"]["as_tensor"].update(name="speed"),
            "layer 4 (add) of two computed values: expected one shape, or one that spreads over the other, got (1, 5)",
        ),
        (
            "sums",
            lambda m: m["graph"]["nodes"][0].update(target="torch.ops.aten.div.Tensor"),
            "needs div of two computed values (1); the first is layer 0 (div)",
        ),
    ],
)
def test_what_is_refused(edit, file, change, message):
    assert message in refused(edit(f"{file}.pt2", change))


def integers(*values: int) -> dict:
    return {"name": "pad", "arg": {"as_ints": list(values)}}


def argument(name: str, **value) -> dict:
    return {"name": name, "arg": value}


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            [integers(*[0] * 4, 1, 0)],
            "padding by [(1, 0), (0, 0), (0, 0)] of shape (1, 2, 3) is not supported",
        ),
        ([integers(1)], "expected two numbers for each of 3 axes at most, got [1]"),
        (
            [integers(*[1] * 8)],
            "expected two numbers for each of 3 axes at most, got [1, 1, 1, 1, 1, 1, 1, 1]",
        ),
        ([integers(*[1] * 10)], "its argument pad is not a list of sizes"),
        ([], "its argument pad is not a list of sizes"),
        ([integers(0, 1 << 20)], "(1, 2, 1048579): expected at most 1048576 elements"),
        ([integers(0, 1 << 62)], "expected at most 1048576 elements"),
        ([integers(1, 1), argument("mode", as_string="circular")], "with mode circular is not supported"),
        (
            [integers(1, 1), argument("value", as_float=float("nan"))],
            "a number that float32 can hold, got nan",
        ),
        ([integers(1, 1), argument("value", as_float=1e39)], "a number that float32 can hold, got 1e+39"),
        ([integers(1, 1), argument("value", as_string="x")], "its argument value is not a number"),
    ],
)
def test_padding_that_is_refused(edit, arguments, message):
    def change(module):
        (call,) = module["graph"]["nodes"] = module["graph"]["nodes"][:1]
        call["inputs"][1:] = arguments
        ends(module)[:] = [user_output(call["outputs"][0]["as_tensor"]["name"])]

    assert message in refused(edit("padded.pt2", change))


@pytest.mark.parametrize(
    "tree, names",
    [
        ('[1, {"type": "builtins.list", "context": "null", "children_spec": []}]', []),
        ("", []),
        (None, []),
        (
            '[1, {"type": "collections.OrderedDict", "context": "[7]", "children_spec": '
            '[{"type": null, "context": null, "children_spec": []}]}]',
            ["7"],
        ),
    ],
)
def test_names_of_outputs(edit, tree, names):
    path = edit("two_inputs.pt2", lambda m: m["module_call_graph"][0]["signature"].update(out_spec=tree))
    assert load(path).metadata.output_names == names


TWO_NAMES = (
    '[1, {"type": "builtins.dict", "context": "[\\"a\\", \\"b\\"]", "children_spec": '
    '[{"type": null, "context": null, "children_spec": []}, {"type": null, "context": null, "children_spec": []}]}]'
)


def test_two_names_for_one_output_are_refused(edit):
    path = edit("two_inputs.pt2", lambda m: m["module_call_graph"][0]["signature"].update(out_spec=TWO_NAMES))
    assert "expected 1 output names, got 2" in refused(path)


@pytest.mark.parametrize("tree", ["[", "[1]", "[1, 2]", "[" * 9000, '[1, {"type": "builtins.dict"}]'])
def test_damaged_names_of_outputs_are_refused(edit, tree):
    refused(edit("two_inputs.pt2", lambda m: m["module_call_graph"][0]["signature"].update(out_spec=tree)))


# Modules in memory, with PyTorch


@pytest.fixture(scope="module")
def golden_models():
    """The module tests/golden/make_torch.py, which has the models of the golden files."""
    pytest.importorskip("torch", reason="the extra anne_tools[torch]")
    pytest.importorskip("onnx", reason="make_torch.py writes ONNX files, too")
    spec = importlib.util.spec_from_file_location("make_torch", GOLDEN.parent / "make_torch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["residual", "two_inputs", "two_outputs", "sums", "padded"])
def test_module_in_memory(golden_models, name):
    model, x = golden_models.make_branches(name)
    graph = load(model, input_shape=dict(reversed(model.input_shapes.items())))
    file = load(GOLDEN / f"{name}.pt2")
    assert graph.input_names == file.input_names and graph.output_names == file.output_names
    for got, expected in zip(
        outputs(graph, {key: value.numpy() for key, value in x.items()}),
        golden_models.outputs_of(model, x),
        strict=True,
    ):
        close(got, expected)


def test_shapes_of_several_inputs(golden_models):
    model, _ = golden_models.make_branches("two_inputs")

    def message(**options) -> str:
        return str(pytest.raises(ModelError, load, model, **options).value)

    assert load(model, input_shape=[(3, 4), (2,)]).metadata.input_names == ["image", "speed"]
    assert "TwoInputs has inputs image, speed: give input_shape, a dict of each one's shape" in message()
    assert "missing a required argument: 'speed'" in message(input_shape={"image": (3, 4)})
    assert "with inputs of shapes (1, 3, 4), (1, 3) (" in message(input_shape=[(3, 4), (3,)])


@pytest.fixture
def compare():
    """Compares a forward function (module with linear layers `a` and `b`, x) with its graph, row by row; returns it."""
    torch = pytest.importorskip("torch", reason="the extra anne_tools[torch]")

    class Module(torch.nn.Module):
        def __init__(self, function):
            super().__init__()
            torch.manual_seed(SEED)
            self.a, self.b = torch.nn.Linear(6, 6), torch.nn.Linear(6, 6)
            self.function = function

        def forward(self, x):
            return self.function(self, x)

    def check(function) -> Graph:
        module, x = Module(function), torch.randn(8, 6)
        graph = load(module)
        rows = [torch.utils._pytree.tree_leaves(module(row[None].clone())) for row in x]
        for index, got in enumerate(outputs(graph, {"x": x.numpy()})):
            expected = torch.cat([row[index] for row in rows]).detach().numpy()
            close(got.reshape(expected.shape), expected)
        return graph

    return check


def functions():
    """Forward functions, each with what makes it special."""
    try:
        import torch
        from torch.nn import functional as F
    except ImportError:
        return []

    def changed_after(m, x, view):
        """What is read under another name of the same storage, after the change."""
        y = m.a(x)
        other = view(y)
        y.relu_()
        return other + m.b(x)

    def changed_twice(m, x):
        y = m.a(x)
        z = y.relu_()
        z += m.b(x)
        return y - x, z

    def changed_output(m, x):
        y = m.a(x)
        y.detach().mul_(2)
        return y, m.b(y)

    return [
        pytest.param(lambda m, x: torch.add(m.a(x), m.b(x), alpha=-3), id="add with alpha"),
        pytest.param(lambda m, x: torch.add(m.a(x), 2, alpha=3), id="add of a number with alpha"),
        pytest.param(lambda m, x: torch.sub(m.a(x), m.a.bias, alpha=2), id="sub of a constant with alpha"),
        pytest.param(lambda m, x: torch.rsub(m.a(x), m.b(x), alpha=2), id="rsub with alpha"),
        pytest.param(lambda m, x: x - x, id="a value minus itself"),
        pytest.param(lambda m, x: m.a(x).view(1, 2, 3) + m.b(x).reshape(1, 2, 3), id="sum of two axes"),
        pytest.param(lambda m, x: [x, x, m.a(x)], id="inputs as outputs"),
        pytest.param(lambda m, x: changed_after(m, x, lambda y: y.detach()), id="changed, read by alias"),
        pytest.param(
            lambda m, x: changed_after(m, x, lambda y: F.dropout(y, 0.5, False)), id="dropout shares"
        ),
        pytest.param(changed_twice, id="changed twice"),
        pytest.param(changed_output, id="an output changed under another name"),
        pytest.param(lambda m, x: (lambda y: y * torch.sigmoid(y) + y)(m.a(x)), id="swish plus its input"),
        pytest.param(lambda m, x: (lambda y: F.gelu(y) + y + y)(m.a(x)), id="gelu plus its input, twice"),
        pytest.param(lambda m, x: F.pad(m.a(x), (1, 2), value=0.5), id="pad with a value"),
        pytest.param(lambda m, x: F.pad(x.view(1, 2, 3), (1, 0, 2, 1), value=-2), id="pad of two axes"),
        pytest.param(lambda m, x: F.pad(x, (2, 0)) + F.pad(m.a(x), (0, 2)), id="a sum of padded branches"),
        pytest.param(
            lambda m, x: torch.constant_pad_nd(x.view(1, 1, 6, 1), (0, 1, 1, 0, 1, 1), 7),
            id="constant_pad_nd",
        ),
    ]


@pytest.mark.parametrize("function", functions())
def test_forward(compare, function):
    compare(function)


def test_circular_padding_is_refused(compare):
    from torch.nn import functional as F

    with pytest.raises(ModelError, match=r"layer \d+ \(pad\) with mode circular is not supported"):
        compare(lambda m, x: F.pad(x.view(1, 2, 3), (1, 1), mode="circular"))


def test_views_of_another_shape_that_are_read_after_a_change_are_refused(compare):
    def read_later(m, x):
        y = m.a(x)
        whole = y.view(6, 1)
        y.relu_()
        return whole.view(1, 6) + m.b(x)

    def an_output(m, x):
        y = m.a(x)
        y.view(6, 1).relu_()
        return y

    for function in (read_later, an_output):
        with pytest.raises(ModelError, match="changes a view of a value that is read later"):
            compare(function)
