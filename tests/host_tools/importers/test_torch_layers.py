"""Lists of layers for the weights in a state_dict, on files that PyTorch wrote.

The files in tests/golden/state_dicts were written by tests/golden/make_state_dicts.py with PyTorch 2.13.0, together
with what the models gave (float32).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anne_tools.conversion.convert import convert
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.importers.torch_layers import state_dict_graph
from anne_tools.network.execute import execute

GOLDEN = Path(__file__).parents[2] / "golden"
PLAIN = GOLDEN / "torch" / "plain.pth"
FOLDER = GOLDEN / "state_dicts"
EXPECTED = np.load(FOLDER / "expected.npz")


def close(path: Path, layers: str, name: str = "") -> str:
    """Compare what a file and its layers give with PyTorch's outputs; return the notes."""
    graph = load(path, layers=layers)
    expected = EXPECTED[name or path.stem]
    # our arithmetic is float64, PyTorch's float32
    np.testing.assert_allclose(
        execute(graph, EXPECTED["x"]), expected, rtol=0, atol=2e-6 * np.abs(expected).max()
    )
    return graph.metadata.provenance.get("notes", "")


def refused(path: Path, layers: object = None) -> str:
    with pytest.raises(ModelError) as error:
        load(path, layers=layers)
    assert "\n" not in str(error.value)
    return str(error.value)


# What is right


@pytest.mark.parametrize(
    "file, layers",
    [
        ("batch_norm", "linear:0,batch_norm:1(eps=0.05),relu,linear:3"),
        ("batch_norm", "linear:0, batch_norm:1 ( eps = 5e-2 ), relu, linear:3"),
        ("pruned", "linear:0,relu,linear:2"),
        ("weight_norm_as_it_was", "linear:0,elu(alpha=0.5),linear:2"),
        ("prelu", "linear:0,prelu:1,batch_norm:2(eps=1e-5),linear:3"),
        ("lone", "linear:."),
    ],
)
def test_layers_give_what_pytorch_says_and_nothing_is_assumed(file, layers):
    assert close(FOLDER / f"{file}.pth", layers) == ""


def test_a_parametrization_is_taken_for_weight_norm_and_said_to_be():
    notes = close(FOLDER / "weight_norm.pth", "linear:0,leaky_relu(negative_slope=0.2),linear:2")
    assert notes == (
        "0: its parametrization was taken for weight_norm; 2: its parametrization was taken for weight_norm"
    )


def test_a_checkpoint_is_searched_and_the_notes_say_where():
    notes = close(FOLDER / "checkpoint.pth", "linear:0,batch_norm:1(eps=0.05),relu,linear:3", "batch_norm")
    assert notes == "read 'net' of a checkpoint"


@pytest.mark.parametrize("file", ["two", "two_legacy"])
@pytest.mark.parametrize("network", ["student", 2])
def test_one_of_several_state_dicts_in_a_checkpoint(file, network):
    graph = load(FOLDER / f"{file}.pth", layers="linear:0,relu,linear:2", network=network)
    np.testing.assert_allclose(execute(graph, EXPECTED["x"]), EXPECTED["student"], rtol=0, atol=1e-6)
    assert graph.metadata.provenance["notes"] == "read 'student' of a checkpoint; loss, teacher not used"


def test_several_state_dicts_are_listed():
    assert (
        "2 networks (1 or teacher: 2 tensors; 2 or student: 4 tensors); pick one with --network"
        in refused(FOLDER / "two.pth")
    )
    assert "none is 'x'" in str(pytest.raises(ModelError, load, PLAIN, network="x").value)


def test_what_is_assumed_is_said_in_the_report():
    converted = convert(FOLDER / "batch_norm.pth", layers="linear:0,batch_norm:1,leaky_relu,linear:3,elu")
    told = [note for note in converted.report.notes if "assumed" in note]
    assert "batch_norm:1: eps 1e-05 assumed, PyTorch's default" in told[0]
    assert "to give it: batch_norm:1(eps=1e-05)" in told[0]
    assert "leaky_relu: alpha 0.01 assumed" in told[0] and "elu: alpha 1 assumed" in told[0]


def test_parameters_of_activations():
    graph = load(PLAIN, layers="linear:0, leaky_relu(alpha=0.2), linear:2, elu:0.5")
    assert [(layer.activation, layer.alpha) for layer in graph.layers[1::2]] == [
        ("leaky_relu", 0.2),
        ("elu", 0.5),
    ]


# Every array is read, or named


@pytest.mark.parametrize(
    "file, layers, message",
    [
        (
            "batch_norm",
            "linear:0,relu,linear:3",
            "leave out batch_norm:1 (weight (6,), bias (6,), running_mean (6,), ru",
        ),
        ("pruned", "linear:0,relu", "the layers leave out linear:2 (weight (3, 8), bias (3,))"),
        (
            "convolutions",
            "linear:5",
            "the layers leave out Conv2d:0 (weight (2, 1, 3, 3), bias (2,)), batch_norm:1 (",
        ),
    ],
)
def test_arrays_that_no_layer_reads_are_named(file, layers, message):
    assert message in refused(FOLDER / f"{file}.pth", layers)


def test_what_the_network_does_not_use_can_be_ignored():
    graph = load(FOLDER / "convolutions.pth", layers="linear:5,ignore:0,ignore:1,ignore:3,ignore:4")
    assert [layer.name for layer in graph.layers] == ["5"]


@pytest.mark.parametrize(
    "layers, message",
    [
        (
            "relu",
            "expected at least one linear:NAME; in the file: linear:0 (weight (8, 4), bias (8,)), linear:2",
        ),
        ("linear:fc", "'fc' is not in the file; there are: linear:0 (weight (8, 4), bias (8,)), linear:2"),
        (
            "linear:0, lstm:2",
            "'lstm:2' is not known; known: linear:NAME, batch_norm:NAME(eps=1e-5), prelu:NAME",
        ),
        ("linear:0, relu:x", "'relu:x': expected relu"),
        ("linear:0, leaky_relu:x", "'leaky_relu:x': expected a number for alpha, got 'x'"),
        ("linear:0, relu(alpha=1)", "'relu(alpha=1)': relu takes no settings, got 'alpha=1'"),
        ("linear:0, elu(beta=1)", "'elu(beta=1)': elu takes alpha, got 'beta=1'"),
        ("linear:0, elu(alpha=nan)", "alpha must be finite, got nan"),
        ("linear:0, batch_norm:2(eps=-1)", "eps must be finite and not negative, got -1"),
        ("linear", "'linear': expected linear:NAME"),
        ("linear:0,ACTIVATION,linear:2", "'ACTIVATION' stands for an activation: relu, relu6, "),
        ("linear:0,(relu", "'(relu': expected a layer such as linear:NAME"),
        ("linear:2, linear:0", "layer 1 (linear:0): expected 4 inputs, got shape (3,)"),
        ("linear:0, batch_norm:0", "batch_norm:0: the file has linear:0 (weight (8, 4), bias (8,)) there"),
    ],
)
def test_wrong_layers_are_refused(layers, message):
    assert message in refused(PLAIN, layers)


# What is proposed


@pytest.mark.parametrize(
    "file, proposal",
    [
        ("batch_norm", "linear:0,batch_norm:1,ACTIVATION,linear:3"),
        ("checkpoint", "linear:0,batch_norm:1,ACTIVATION,linear:3"),
        ("pruned", "linear:0,ACTIVATION,linear:2"),
        ("weight_norm", "linear:0,ACTIVATION,linear:2"),
        ("prelu", "linear:0,prelu:1,batch_norm:2,linear:3"),
        ("lone", "linear:."),
    ],
)
def test_the_proposal_has_every_module_and_a_placeholder_for_what_is_not_in_the_file(file, proposal):
    message = refused(FOLDER / f"{file}.pth")
    assert (
        f'give its layers in the order they run with --layers (in Python: layers=), for instance --layers "{proposal}"'
        in message
    )


def test_nothing_is_proposed_where_the_order_is_not_certain():
    # batch normalisation before or after the activation: the names fc1 and norm do not say
    message = refused(GOLDEN / "torch" / "mlp.pth")
    assert "for instance" not in message
    assert "in the file: linear:fc1 (weight (8, 12), bias (8,)), batch_norm:norm (" in message


def asked(**sizes: tuple[int, int]) -> str:
    """What is said of linear layers of these (outputs, inputs)."""
    with pytest.raises(ModelError) as error:
        state_dict_graph({f"{name}.weight": np.ones(size, np.float32) for name, size in sizes.items()}, None)
    return str(error.value)


def test_numbers_decide_the_order_where_a_file_is_sorted_by_name():
    sizes = {"0": (4, 4), "10": (4, 4), "2": (4, 4)}
    assert '--layers "linear:0,ACTIVATION,linear:2,ACTIVATION,linear:10"' in asked(**sizes)


def test_nothing_is_proposed_for_a_circle_which_may_begin_anywhere():
    # an encoder from 4 to 2 and a decoder back, in either order
    assert "for instance" not in asked(decoder=(4, 2), encoder=(2, 4))
    assert '--layers "linear:alone"' in asked(alone=(4, 4))


def test_a_module_may_have_spaces_in_its_name():
    weights = np.array([[2.0, -1.0]], np.float32)
    graph = state_dict_graph({"block a.fc.weight": weights}, "linear: block a.fc , relu")
    np.testing.assert_array_equal(execute(graph, np.float32([[3, 1], [0, 1]])), [[5], [0]])


def test_what_is_not_supported_is_named_with_counts():
    assert "needs Conv2d (2), LSTM (1); the first is Conv2d:0 (weight (2, 1, 3, 3), bias (2,))" in refused(
        FOLDER / "convolutions.pth"
    )
    assert "needs a layer with a parametrization (1)" in refused(FOLDER / "spectral_norm.pth")
