"""Flow.layer, by which importers append layers of any kind: shapes are those of the rooms, types those of the file."""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers.flow import Flow, Step
from anne_tools.layers import Activation, Add, Dense, Pad
from anne_tools.network.graph import Metadata
from anne_tools.network.tensor import Quantization


def flow(shape=(1, 2, 3), dtype="float32", quantization=None) -> Flow:
    made = Flow()
    for key in ("a", "b"):
        made.input(key, key, shape, dtype, quantization)
    return made


def step(output="y", dtype="float32", quantization=None) -> Step:
    return Step(4, "OPERATOR", "name", output, dtype, quantization)


def test_the_room_tells_the_shape_and_the_batch_axis_stays():
    f = flow()
    value = f.layer(step(), "a", Pad, (0, 1), (1, 0), value=2.0)
    assert value is f.values["y"] and value.shape == (1, 3, 4)
    (layer,) = f.graph(["y"], Metadata()).layers
    assert (layer.before, layer.after, layer.value, layer.source) == ((0, 1), (1, 0), 2.0, "OPERATOR")


def test_a_value_without_a_batch_axis_gets_none():
    f = flow((5,))
    assert f.layer(step(), "a", Pad, (1,), (1,)).shape == (7,)


def test_several_inputs_come_in_a_list():
    f = flow()
    f.layer(step(), ["b", "a"], Add, "relu")
    graph = f.graph(["y"], Metadata())
    assert graph.layers[0].inputs == tuple(reversed(graph.inputs))


def test_a_kind_that_keeps_values_keeps_their_scale():
    q = Quantization(0.5, 3)
    f = flow(dtype="int8", quantization=q)
    f.layer(step(dtype="int8", quantization=Quantization(0.5001, 3)), "a", Pad, (0, 0), (1, 1))
    assert f.tensors[f.values["y"].tensor].quantization == q


def test_the_type_changes_only_where_the_kind_says_so(monkeypatch):
    f = flow(dtype="int8", quantization=Quantization(0.5))
    with pytest.raises(ModelError, match=r"layer 4 \(OPERATOR\): expected a int8 output, got float32"):
        f.layer(step(), "a", Activation, "relu")
    monkeypatch.setattr(Activation, "changes_type", True)
    assert f.tensors[f.layer(step(), "a", Activation, "relu").tensor].dtype == "float32"


def test_what_does_not_fit_is_said_with_the_operation():
    with pytest.raises(ModelError, match=r"layer 4 \(OPERATOR\): expected a flat input, got shape \(2, 3\)"):
        flow().layer(step(), "a", Dense, np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(
        ModelError, match=r"layer 4 \(OPERATOR\): \(1, 2147483650, 3\): expected at most 1048576 elements"
    ):
        flow().layer(step(), "a", Pad, (1 << 31, 0), (0, 0))
    with pytest.raises(ModelError, match="its input 'c' is not computed before it"):
        flow().layer(step(), ["a", "c"], Add)
