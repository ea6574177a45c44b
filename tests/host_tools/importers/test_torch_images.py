"""importers/torch.py and onnx.py on networks of images and signals that the real PyTorch wrote.

The files and PyTorch's answers (float32) come from tests/golden/make_torch_images.py. With PyTorch installed, its
operators are tried one by one, too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anne_tools.conversion.frameworks import as_here, framework_outputs
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute
from anne_tools.network.graph import INPUT_AXES, Graph

GOLDEN = Path(__file__).parents[2] / "golden"
PT2 = sorted((GOLDEN / "torch").glob("images_*.pt2"))
ONNX = sorted((GOLDEN / "onnx" / "images").glob("*.onnx"))
# The transpositions that nothing spares: channels that change places between groups; images flattened at the end.
# In old ONNX a group norm is an instance norm between reshapes, which moves the image once more.
MOVES = {"shuffle": 2, "gate": 4, "gate_opset17": 5}


def transposes(graph: Graph) -> int:
    return sum(layer.kind == "transpose" for layer in graph.layers)


def loaded(source, **options) -> Graph:
    """load, where all kinds of layers that it needs are there."""
    try:
        return load(source, **options)
    except ModelError as error:
        if "unknown activation" in str(error):
            pytest.skip(str(error))
        raise


def check(graph: Graph, x: np.ndarray, expected: list[np.ndarray]) -> None:
    (order,) = graph.source_axes(INPUT_AXES)
    got = graph.split_outputs(execute(graph, x.transpose(order) if order else x))
    for ours, theirs in zip(got, as_here(graph, expected), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6 * max(1e-3, np.abs(theirs).max()))


def test_golden_files_are_there():
    assert len(PT2) == 6 and len(ONNX) == 12


@pytest.mark.parametrize("path", PT2 + ONNX, ids=lambda path: path.name)
def test_golden_file_gives_what_pytorch_says(path):
    data = np.load(GOLDEN / "torch" / "images.npz")
    name = path.stem.removeprefix("images_").partition("_")[0]
    expected = [data[f"{name}_y{index}"] for index in range(2) if f"{name}_y{index}" in data]
    graph = loaded(path)
    check(graph, data[f"{name}_x"], expected)
    assert transposes(graph) == MOVES.get(path.stem, MOVES.get(name, 0))


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


IMAGE, SIGNAL = (4, 6, 8), (4, 12)
FORWARDS = {
    "split": lambda t, x: t.cat([x.split([1, 3], 1)[1], x.chunk(2, 1)[0], x.unbind(1)[2].unsqueeze(1)], 1),
    "slice": lambda t, x: x[:, 1:, ::2, -3:],
    "select": lambda t, x: x[:, -1] + x.narrow(1, 1, 1).squeeze(1),
    "stack": lambda t, x: t.stack([x[:, 0], x[:, 1]], 1),
    "max": lambda t, x: x.max(dim=1)[0] - x.min(dim=1).values,
    "sum": lambda t, x: x.sum(1, keepdim=True) * x.mean((2, 3), keepdim=True),
    "amax": lambda t, x: x.amax((1, 2)),
    "all": lambda t, x: x.reshape(1, -1).mean(1, keepdim=True),
    "clamp": lambda t, x: t.nn.functional.hardtanh(x).clamp(-0.5) + t.maximum(x, t.tensor(0.25)),
    "softmax": lambda t, x: t.softmax(x, 1) + t.softmax(x, 2) + t.softmax(x, -1),
    "norm": lambda t, x: t.nn.functional.layer_norm(x, x.shape[2:]) + t.nn.functional.instance_norm(x),
    "prelu": lambda t, x: t.nn.functional.prelu(x, t.tensor([0.1, 0.2, 0.3, 0.4])),
    "adaptive": lambda t, x: t.nn.functional.adaptive_avg_pool2d(x, (3, 2)),
    "adaptive_max": lambda t, x: t.nn.functional.adaptive_max_pool2d(x, (None, 4)),
    "nearest": lambda t, x: t.nn.functional.interpolate(x, scale_factor=(2, 3)),
    "exact": lambda t, x: t.nn.functional.interpolate(x, size=(12, 16), mode="nearest-exact"),
    "corners": lambda t, x: t.nn.functional.interpolate(x, size=(11, 9), mode="bilinear", align_corners=True),
    "reflect": lambda t, x: t.nn.functional.pad(x, (2, 1, 0, 3), mode="reflect"),
    "replicate": lambda t, x: t.nn.functional.pad(x, (2, 1, 1, 3), mode="replicate"),
    "cut": lambda t, x: t.nn.functional.pad(x, (-1, 2, 1, -2), value=0.5),
    "unary": lambda t, x: t.exp(-x.abs()) + t.sqrt(t.square(x)) + t.log(x.abs() + 1) + t.rsqrt(x**2 + 1),
    "argmax": lambda t, x: x.argmax(1),
    "average": lambda t, x: t.nn.functional.avg_pool2d(x, (3, 2), 2, (1, 0), count_include_pad=False),
    "groups": lambda t, x: t.nn.functional.group_norm(x, 2),
    "blocks": lambda t, x: t.pixel_unshuffle(t.pixel_shuffle(x, 2)[..., :-4], 2),
    "expand": lambda t, x: t.cat([x.amax((2, 3), True).expand(-1, -1, 6, 8), x], 1),
    "expand_as": lambda t, x: x - x.mean((2, 3), True).expand_as(x),
    "unflatten": lambda t, x: x.unflatten(1, (2, -1)).flatten(1, 2),
    "spread": lambda t, x: x[:, :1] * x[:, :, :1] - x[:, :, :, :1],
}


@pytest.mark.parametrize("name", FORWARDS)
def test_operators_of_images(torch, name):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Conv2d(4, 4, 1)

        def forward(self, x):
            return FORWARDS[name](torch, self.first(x))

    torch.manual_seed(1)
    model, x = Network().eval(), torch.randn(3, *IMAGE)
    with torch.no_grad():
        # row by row, as the network is read for a batch of 1
        expected = torch.cat([model(x[i : i + 1]) for i in range(3)]).numpy()
    check(loaded(model, input_shape=IMAGE), x.numpy(), [expected])


def test_a_signal_is_made_channels_last(torch):
    model = torch.nn.Sequential(
        *(
            torch.nn.Conv1d(4, 3, 3, padding=1),
            torch.nn.Upsample(scale_factor=2),
            torch.nn.ReflectionPad1d(2),
        ),
        *(torch.nn.ConvTranspose1d(3, 2, 4, stride=2, padding=1), torch.nn.AvgPool1d(2)),
    ).eval()
    x = torch.randn(3, *SIGNAL)
    graph = loaded(model, input_shape=SIGNAL)
    assert graph.input_tensors[0].shape == (12, 4) and transposes(graph) == 0
    with torch.no_grad():
        check(graph, x.numpy(), [model(x).numpy()])


def test_a_part_changed_in_place_is_refused(torch):
    class Network(torch.nn.Module):
        def forward(self, x):
            a, b = torch.relu(x).chunk(2, 1)
            a.relu_()
            return a + b

    with pytest.raises(ModelError, match="changes a view of a value that is read later"):
        load(Network(), input_shape=(4,))


def test_a_table_is_asked_by_whole_numbers_and_verified(torch, tmp_path):
    """An embedding: PyTorch's inputs are integers, ours floats with the same values."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Embedding(9, 4), torch.nn.Flatten(), torch.nn.Linear(20, 3)).eval()
    x = torch.randint(0, 9, (6, 5))
    graph = load(model, input_shape=(5,))
    expected = model(x).detach().numpy()
    np.testing.assert_allclose(execute(graph, x.numpy()), expected, atol=1e-6)
    path = tmp_path / "table.pt2"
    torch.export.save(torch.export.export(model, (x[:1],)), path)
    np.testing.assert_allclose(execute(load(path), x.numpy()), expected, atol=1e-6)
    for source in (model, path):
        name, (got,) = framework_outputs(source, [x.numpy().astype(np.float64)], [], trust_pickle=True)
        np.testing.assert_allclose(got, expected, atol=1e-6)
        assert name.startswith("PyTorch")


def test_the_shape_of_a_first_convolution_is_asked_for(torch):
    class Network(torch.nn.Module):
        def __init__(self, first):
            super().__init__()
            self.first, self.second = first, torch.nn.Linear(8, 2)

    for first, expected in (
        (torch.nn.Conv2d(3, 4, 3), "begins with Conv2d first: give input_shape=(3, rows, columns), without"),
        (torch.nn.Conv1d(6, 4, 3), "begins with Conv1d first: give input_shape=(6, time), without"),
        (torch.nn.Embedding(9, 4), "begins with Embedding first: give input_shape=(numbers,), without"),
        (torch.nn.LSTM(6, 4), "begins with LSTM first: give input_shape=(time, 6), without"),
    ):
        with pytest.raises(ModelError) as error:
            load(Network(first))
        assert expected in str(error.value)


def test_tables_beside_numbers(torch):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(9, 4)

        def forward(self, numbers, words):
            return numbers + self.table(words).mean(1)

    graph = load(Network(), input_shape={"numbers": (4,), "words": (5,)})
    assert graph.input_names == ["numbers", "words"]


def test_weights_of_half_precision(torch):
    model, x = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3)).half(), torch.randn(2, 3, 5, 5)
    check(loaded(model, input_shape=(3, 5, 5)), x.numpy(), [model.float()(x).detach().numpy()])
