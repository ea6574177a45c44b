"""importers/torch.py on files that PyTorch wrote, and, where it is installed, on modules in memory.

The files in tests/golden/torch were written by tests/golden/make_torch.py with PyTorch 2.13.0, together with its
outputs (float32); reading them needs no PyTorch.
"""

from __future__ import annotations

import importlib.util
import io
import json
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.layers import Scaling
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph
from package_files import mltk_file, pulsevad_file

GOLDEN_FOLDER = Path(__file__).parents[2] / "golden"
GOLDEN = GOLDEN_FOLDER / "torch"
EXPECTED = np.load(GOLDEN / "expected.npz")
PLAIN_LAYERS = "linear:0, relu, linear:2, softmax"
MLP_LAYERS = "linear:fc1, batch_norm:norm, silu, linear:fc2, tanh, ignore:fc3"
SEED = 20261123


def close(got: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for the rounding of float32 arithmetic (ours is float64)."""
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def check(graph: Graph, name: str) -> Graph:
    """Compare a graph with PyTorch's outputs for the golden model `name`; return it."""
    close(execute(graph, EXPECTED[f"{name}_x"]), EXPECTED[f"{name}_y"])
    return graph


def refused(path: Path, **options) -> str:
    with pytest.raises(ModelError) as error:
        load(path, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


# .pt2


@pytest.mark.parametrize("file", ["mlp", "mlp_dynamic", "activations", "plain"])
def test_pt2_gives_what_pytorch_says(file):
    graph = check(load(GOLDEN / f"{file}.pt2"), file.partition("_")[0])
    assert graph.metadata.provenance["framework"].startswith("PyTorch 2.13.0")


def test_layers_of_a_pt2_file_are_named_after_the_modules():
    graph = load(GOLDEN / "mlp.pt2")
    got = [(layer.name, layer.kind) for layer in graph.layers]
    assert got[:5] == [
        ("view", "reshape"),
        ("fc1", "dense"),
        ("norm", "scaling"),
        ("silu", "activation"),
        ("fc2", "dense"),
    ]
    assert graph.tensors[graph.inputs[0]].shape == (3, 4)


def test_pt2_is_recognised_under_another_name(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes((GOLDEN / "plain.pt2").read_bytes())
    check(load(path), "plain")


@pytest.fixture
def edit(tmp_path):
    """Writes a golden .pt2 or .pth with changed members: a function of the JSON, bytes, or None to leave one out."""

    def write(file: str, **changes) -> Path:
        path = tmp_path / file
        with zipfile.ZipFile(GOLDEN / file) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                last, data = name.rpartition("/")[2].replace(".", "_"), old.read(name)
                change = changes.get(last, lambda value: value)
                if callable(change) and last.endswith("_json"):
                    value = json.loads(data)
                    value = change(value) or value
                    data = json.dumps(value).encode()
                elif not callable(change):
                    data = change
                if data is not None:
                    new.writestr(name, data)
        return path

    return write


def nodes(model: dict) -> list[dict]:
    return model["graph_module"]["graph"]["nodes"]


def set_at(value, path: str, new) -> None:
    """value["a"]["b"][0] = new for the path "a.b.0"."""
    *parents, last = (int(p) if p.isdigit() else p for p in path.split("."))
    for parent in parents:
        value = value[parent]
    value[last] = new


def change(path: str, new):
    return lambda model: set_at(model, path, new)


SPECS = "graph_module.signature.input_specs"
NODES = "graph_module.graph.nodes"


@pytest.mark.parametrize(
    "damage, message",
    [
        (change("schema_version.major", 9), ".pt2 schema version 9.20 is not supported; supported: 8"),
        (
            change(f"{NODES}.1.target", "torch.ops.aten.lstm.input"),
            "needs lstm (1); the first is layer 1 (lstm); lstm: a recurrent layer; ",
        ),
        (
            change(f"{NODES}.1.target", "torch.ops.mine.relu.default"),
            "needs torch.ops.mine.relu.default (1)",
        ),
        (
            change(f"{NODES}.0.outputs", [{"as_tensors": []}]),
            "layer 0 (linear): its output is not one tensor or one size",
        ),
        (
            change(f"{NODES}.0.outputs.0.as_tensor.name", "other"),
            "its input 'linear' is not computed before it",
        ),
        (change(f"{NODES}.1.outputs.0.as_tensor.name", "linear"), "its output 'linear' is computed twice"),
        (
            change(f"{NODES}.0.inputs.1.arg", {"as_none": True}),
            "layer 0 (linear): its argument weight is not a tensor",
        ),
        (
            change(f"{NODES}.0.inputs.1.arg", {"as_tensor": {"name": "input"}}),
            "its argument weight must be a constant",
        ),
        (change(f"{NODES}.3.inputs.1.arg", {"as_int": 5}), "along axis 5 of shape (1, 3) is not supported"),
        (change(f"{NODES}.3.inputs.1.arg", {"as_string": "1"}), "its argument dim is not a known integer"),
        (change(f"{SPECS}.0", {"custom_obj": {}}), "needs an input of kind custom_obj"),
        (change(f"{SPECS}.0.parameter.parameter_name", "x"), "parameter 'x' is missing in the file"),
        (change(f"{SPECS}.4", {"user_input": {}}), "the .pt2 file is damaged: arg.as_tensor.name is missing"),
        (
            change("graph_module.graph.tensor_values.input.sizes.1", {"as_expr": {}}),
            "expected fixed sizes behind the batch axis, got (1, -1)",
        ),
        (
            change("graph_module.graph.nodes", []),
            "the output 'softmax' is a constant, or computed by no layer",
        ),
        (change("graph_module", 3), "the .pt2 file is damaged"),
        (lambda model: [1, 2], "model.json: expected a JSON object, got list"),
        (b"{", "model.json is not valid JSON"),
        (b"[" * 100_000, "model.json: its lists and objects are nested too deeply"),
    ],
)
def test_damaged_program_is_refused(edit, damage, message):
    assert message in refused(edit("plain.pt2", model_json=damage))


def test_all_that_is_missing_is_named_with_counts(edit):
    def residual(model):
        """input -> conv3d -> conv3d -> div of both -> linear, and an output that is None."""
        made = nodes(model)
        linear, relu = made[0], made[1]
        for node in (linear, relu):
            node["target"] = "torch.ops.aten.conv3d.default"
        ref = {"as_tensor": {"name": "linear"}}
        made[2]["target"] = "torch.ops.aten.div.Tensor"
        made[2]["inputs"] = [
            {"name": "self", "arg": ref, "kind": 1},
            {
                "name": "other",
                "arg": {"as_tensor": {"name": relu["outputs"][0]["as_tensor"]["name"]}},
                "kind": 1,
            },
        ]
        specs = model["graph_module"]["signature"]["output_specs"]
        specs.append({"user_output": {"arg": {"as_none": True}}})

    message = refused(edit("plain.pt2", model_json=residual))
    assert message.startswith(
        "plain.pt2: needs conv3d (2), div of two computed values (1), an output that is None; the first is layer 0 "
    )


@pytest.mark.parametrize(
    "damage, message",
    [
        (change("config.0.weight", {}), "damaged"),
        (lambda c: c["config"]["0.weight"].update(use_pickle=True), "weights '0.weight' are pickled"),
        (lambda c: c["config"]["0.weight"].update(path_name="../../etc/passwd"), "is missing in the archive"),
        (lambda c: c["config"]["0.weight"]["tensor_meta"].update(dtype=99), "type 99 is not supported"),
        (
            lambda c: c["config"]["0.weight"]["tensor_meta"].update(sizes=[{"as_int": 9}, {"as_int": 4}]),
            "expected at least 36 values",
        ),
        (
            lambda c: c["config"]["0.weight"]["tensor_meta"].update(sizes=[{"as_int": -8}, {"as_int": 4}]),
            "do not fit",
        ),
        (
            lambda c: c["config"]["0.weight"]["tensor_meta"].update(
                sizes=[{"as_int": 1 << 40}] * 2, strides=[{"as_int": 0}] * 2
            ),
            "limit",
        ),
    ],
)
def test_damaged_weights_are_refused(edit, damage, message):
    if message == "damaged":
        damage = lambda c: c["config"].update({"0.weight": {}})  # noqa: E731
    assert message in refused(edit("plain.pt2", model_weights_config_json=damage))


def test_other_byte_order_missing_members_and_short_weights_are_refused(edit):
    assert "big-endian" in refused(edit("plain.pt2", byteorder=b"big"))
    assert "is missing in the archive" in refused(edit("plain.pt2", model_weights_config_json=None))
    assert "expected at least 32 values in the file, got 31" in refused(
        edit("plain.pt2", weight_0=bytes(124))
    )
    assert "not a whole number" in refused(edit("plain.pt2", weight_0=bytes(127)))
    assert "weights are NaN or infinite" in refused(edit("plain.pt2", weight_0=b"\xff" * 128))


def test_a_zip_bomb_is_not_unpacked(edit):
    # 200 MB of zeros deflate to 200 KB
    path = edit("plain.pt2", model_json=b"[" + b" " * (200 << 20) + b"]")
    assert path.stat().st_size < 1 << 20
    assert "more than the limit" in refused(path)


def test_batch_norm_and_dropout_in_training_mode_are_refused(edit):
    def train(name):
        def damage(model):
            for node in nodes(model):
                for argument in node["inputs"]:
                    if argument["name"] == name:
                        argument["arg"] = {"as_bool": True}

        return damage

    assert "(batch_norm) is in training mode; call model.eval()" in refused(
        edit("mlp.pt2", model_json=train("training"))
    )
    assert "(dropout) is in training mode; call model.eval()" in refused(
        edit("mlp.pt2", model_json=train("train"))
    )


# state_dict


@pytest.mark.parametrize("file", ["plain.pth", "plain_legacy.pth"])
@pytest.mark.parametrize("layers", [PLAIN_LAYERS, PLAIN_LAYERS.split(", "), "linear:0,relu,linear:2,softmax"])
def test_state_dict_with_its_layers(file, layers):
    graph = check(load(GOLDEN / file, layers=layers), "plain")
    assert [layer.name for layer in graph.layers] == ["0", "relu_1", "2", "softmax_3"]


def test_state_dict_with_batch_norm_is_the_pt2_of_the_same_model():
    # the two files hold the same weights; the list of layers ends where the graph goes on with * 2 - 0.5
    x = EXPECTED["mlp_x"]
    graph = load(GOLDEN / "mlp.pth", layers=MLP_LAYERS)
    whole, values = execute(load(GOLDEN / "mlp.pt2"), x, trace=True)
    tanh = next(values[layer.output] for layer in load(GOLDEN / "mlp.pt2").layers if layer.name == "tanh")
    close(execute(graph, x.reshape(len(x), -1)), tanh)
    assert any(isinstance(layer, Scaling) for layer in graph.layers)
    close(whole, EXPECTED["mlp_y"])


def test_a_pickled_module_is_refused_by_name():
    message = refused(GOLDEN / "plain_module.pt")
    assert (
        "holds an object of __main__.Plain, and opening it could run code; save model.state_dict()" in message
    )


class Malicious:
    """Unpickling this would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_no_code_of_a_pickle_is_run(edit, tmp_path, protocol):
    target = tmp_path / "written"
    data = pickle.dumps({"0.weight": Malicious(target)}, protocol)
    for path in (edit("plain.pth", data_pkl=data), tmp_path / "old.pth"):
        if path.name == "old.pth":
            path.write_bytes(data)
        message = refused(path, layers=PLAIN_LAYERS)
        assert "io.open" in message and "could run code" in message
    assert not target.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b".",  # BYTEARRAY8 of 1 TB
        b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b".",  # BINBYTES8 of 1 TB
        b"\x80\x02}r\xff\xff\xff\xff.",  # LONG_BINPUT at 4,294,967,295
        b"\x80\x02c__builtin__\neval\n.",
        b"\x80\x02ctorch\nFloatStorage\n)R.",
        b"\x80\x02ccollections\nOrderedDict\n)\x81.",
        b"\x80\x02\x82\x01.",
        b"",
        b".",
        b"\x80\x02}.",
    ],
)
def test_hostile_pickles_are_refused_without_their_memory(edit, data):
    refused(edit("plain.pth", data_pkl=data), layers=PLAIN_LAYERS)


def test_a_checkpoint_is_searched_for_its_state_dict(edit):
    with zipfile.ZipFile(GOLDEN / "plain.pth") as archive:
        data = archive.read("plain/data.pkl")
    # a dict around the pickled value: EMPTY_DICT, key, ... value ..., SETITEM, and another entry
    inner = data[2:-1]
    wrapped = b"\x80\x02}X\x05\0\0\0epochK\x03sX\x0a\0\0\0state_dict" + inner + b"s."
    check(load(edit("plain.pth", data_pkl=wrapped), layers=PLAIN_LAYERS), "plain")


def test_published_files_that_are_not_dense_networks():
    # a convolutional network's state_dict, and TorchScript
    path = pulsevad_file("pulsevad_2.1k.pth")
    assert (
        "layers: linear:adapter: the file has Conv1d:adapter (weight (12, 64, 1), bias (12,)) there"
        in refused(path, layers="linear:adapter")
    )
    assert "needs Conv1d (" in refused(path)
    assert "TorchScript files are not supported" in refused(pulsevad_file("pulsevad_2.1k.jit"))


# Modules in memory, with PyTorch


@pytest.fixture(scope="module")
def golden_models():
    """The module tests/golden/make_torch.py, which has the models of the golden files."""
    pytest.importorskip("torch", reason="the extra anne_tools[torch]")
    pytest.importorskip("onnx", reason="make_torch.py writes ONNX files, too")
    spec = importlib.util.spec_from_file_location("make_torch", GOLDEN_FOLDER / "make_torch.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_torch"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["mlp", "activations", "plain"])
def test_module_in_memory(golden_models, name):
    model, x = golden_models.make(name)
    graph = load(model, input_shape=model.input_shape)
    close(execute(graph, x.numpy()), model(x).detach().numpy())


def test_input_shape_is_that_of_the_first_linear_layer(golden_models):
    model, _ = golden_models.make("plain")
    check(load(model), "plain")


def test_module_keeps_its_mode(golden_models):
    model, _ = golden_models.make("mlp")
    model.train()
    model.norm.eval()
    load(model)
    assert (model.training, model.fc1.training, model.norm.training) == (True, True, False)


def compare(module, shape, **options) -> Graph:
    """Compare a module with its graph on random inputs; return that."""
    import torch

    torch.manual_seed(SEED)
    x = torch.randn(8, *shape)
    graph = load(module.eval(), input_shape=shape, **options)
    expected = torch.cat([module(row[None].clone()) for row in x]).detach().numpy()
    close(execute(graph, x.numpy()).reshape(expected.shape), expected)
    return graph


@pytest.fixture
def forward():
    """Makes a module with two linear layers `a` (6, 6) and `b` (6, 6) out of a function (module, x)."""
    torch = pytest.importorskip("torch", reason="the extra anne_tools[torch]")

    class Module(torch.nn.Module):
        def __init__(self, function):
            super().__init__()
            torch.manual_seed(SEED)
            self.a, self.b = torch.nn.Linear(6, 6), torch.nn.Linear(6, 6)
            self.offset = torch.nn.Parameter(torch.randn(6))
            self.register_buffer("factor", torch.randn(6), persistent=False)
            self.function = function

        def forward(self, x):
            return self.function(self, x)

    return Module


def functions():
    """Forward functions, each with what makes it special."""
    try:
        import torch
        from torch.nn import functional as F
    except ImportError:
        return []
    return [
        pytest.param(lambda m, x: F.relu(m.a(x), inplace=True), id="in place"),
        pytest.param(
            lambda m, x: m.b((lambda y: (y.relu_(), y)[1])(m.a(x))), id="in place, then the old name"
        ),
        pytest.param(lambda m, x: F.gelu(m.a(x)), id="gelu"),
        pytest.param(lambda m, x: F.hardtanh(m.a(x) * 5, 0, 6), id="hardtanh is relu6"),
        pytest.param(lambda m, x: m.a(x).clamp(min=0), id="clamp is relu"),
        pytest.param(
            lambda m, x: (m.a(x) + m.offset) * m.factor / 3 - 1, id="arithmetic, buffer and parameter"
        ),
        pytest.param(lambda m, x: 2 - m.a(x), id="number minus value"),
        pytest.param(lambda m, x: (lambda y: y * torch.sigmoid(y))(m.a(x)), id="swish spelled out"),
        pytest.param(lambda m, x: x @ m.a.weight.t() + m.a.bias, id="matmul with a transposed parameter"),
        pytest.param(lambda m, x: torch.addmm(m.a.bias, x, m.a.weight.t()), id="addmm"),
        pytest.param(lambda m, x: m.a(x).unsqueeze(1).squeeze(1).flatten(1).reshape(-1, 6), id="views"),
        pytest.param(
            lambda m, x: m.a(x).view(1, 2, 3).transpose(0, 1).reshape(1, 6), id="transpose of an axis of 1"
        ),
        pytest.param(lambda m, x: F.softmax(m.b(F.dropout(m.a(x), 0.5, False)), -1), id="dropout, softmax"),
    ]


@pytest.mark.parametrize("function", functions())
def test_forward(forward, function):
    compare(forward(function), (6,))


def test_forward_refused(forward):
    import torch

    def message(function, **options) -> str:
        with pytest.raises(ModelError) as error:
            load(forward(function), **options)
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "needs div of two computed values (1)" in message(lambda m, x: m.a(x) / x)
    assert "needs cumsum (1); the first is layer 1 (cumsum); anne convert --supported torch lists" in message(
        lambda m, x: m.a(x).cumsum(1)
    )
    assert "needs an output that is None, which is not supported" in message(lambda m, x: (m.a(x), None))
    assert "torch.export cannot trace Module" in message(lambda m, x: m.a(x) if x.sum() > 0 else x)
    assert "is input_shape right?" in message(lambda m, x: m.a(x), input_shape=(7,))
    assert "changes a view of a value that is read later" in message(
        lambda m, x: (lambda y: (y.view(6, 1).relu_(), m.b(y))[1])(m.a(x))
    )
    assert "has no nn.Linear: give input_shape" in str(
        pytest.raises(ModelError, load, torch.nn.Sequential(torch.nn.ReLU())).value
    )


@pytest.mark.parametrize("batch", [1, 5])
def test_an_exported_program_in_memory(golden_models, batch):
    import torch

    for name in ("plain", "mlp"):
        model, x = golden_models.make(name)
        check(load(torch.export.export(model, (x[:batch],))), name)


def test_shared_storage_and_bfloat16_in_a_state_dict(golden_models, tmp_path):
    import torch

    weights = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    path = tmp_path / "shared.pth"
    # a transposed view, a slice of the same storage, and another type
    torch.save({"f.weight": weights.t(), "f.bias": weights.flatten()[3:9].to(torch.bfloat16)}, path)
    layer = load(path, layers="linear:f").layers[0]
    assert layer.weights.tolist() == weights.t().tolist()
    assert layer.bias.tolist() == [3, 4, 5, 6, 7, 8]


def test_other_files_under_the_name_of_pytorch(tmp_path):
    pytest.importorskip("tflite", reason="the extra anne_tools[tflite]")
    path = tmp_path / "model.pth"
    path.write_bytes(mltk_file("anomaly_detection.tflite").read_bytes())
    assert [layer.kind for layer in load(path).layers][:2] == ["reshape", "dense"]
    path.write_bytes(io.BytesIO(b"PK\3\4 not a zip").getvalue())
    refused(path)
