"""The ends of a network as a model file may have them."""

from __future__ import annotations

import pytest
from anne_tools.errors import ModelError
from anne_tools.importers.ends import as_outputs, leading_to, printable
from anne_tools.layers import Activation


@pytest.mark.parametrize(
    "outputs, expected",
    [
        (["y"], ["y"]),
        (["y", "z", "y"], ["y", "z", "copy of y"]),
        (["a", "y"], ["a", "y"]),
        (["a", "b", "y"], ["a", "b", "y"]),
        (["b", "a", "y"], ["b", "copy of a", "y"]),
        (["y", "a"], ["y", "copy of a"]),
    ],
)
def test_outputs_are_each_once_and_inputs_first_and_in_order(outputs, expected):
    assert as_outputs(outputs, ["a", "b"], lambda name: f"copy of {name}") == expected


def test_only_layers_that_lead_to_outputs_stay():
    steps = [("a", "x"), ("x", "y"), ("x", "z"), ("z", "unused")]
    layers = [Activation(f"{source} {target}", source, target, "relu") for source, target in steps]
    assert leading_to(["y"], layers) == layers[:2]
    assert leading_to(["y", "z"], layers) == layers[:3]
    with pytest.raises(ModelError, match="^the model has no layers$"):
        leading_to(["a"], layers)


def test_names_are_one_line_and_not_long():
    assert printable("a\nb\u202e") == "a?b?"
    assert len(printable("x" * 1000)) == 200
