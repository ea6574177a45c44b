"""The ends of a network in a file."""

from __future__ import annotations

from itertools import repeat

import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import budget
from anne_tools.importers.ends import charged, leading_to, printable
from anne_tools.layers import Activation


def test_each_output_is_charged():
    assert list(charged(iter("ab"))) == ["a", "b"]
    with pytest.raises(ModelError, match="outputs: more than"), budget.begin(0):
        for _ in charged(repeat("a")):
            pass


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
