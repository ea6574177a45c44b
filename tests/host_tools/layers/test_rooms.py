"""What a room gets without a word, by the kinds that leave it out."""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.files import open_model
from anne_tools.layers import Add, Reshape, room
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.prices import Chip, Cost

X = np.array([[-4.0, 3.0, 0.0], [1.0, 0.0, 2.0]])


def test_a_room_is_found_by_its_word():
    assert room("add") is Add
    assert object.__new__(type("MaxPool", (Add,), {})).kind == "max_pool"


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_a_kind_that_keeps_values_keeps_scale_and_zero_point(dtype):
    builder = GraphBuilder((3,))
    x = builder.activation("relu", "relu")
    builder.reshape("column", (3, 1))
    graph = quantize(builder.build(), dtype, X)
    source, target = graph.tensors[x.name], graph.output_tensors[0]
    assert Reshape.keeps_values and target.dtype == dtype and target.means_the_same(source)
    # another kind has the range of its own outputs: 0 to 3, and not -4 to 3
    assert not graph.input_tensors[0].means_the_same(source)


def test_cycles_are_by_element_of_the_output():
    builder = GraphBuilder((3,))
    builder.add(Add, "sum", inputs=[builder.last, builder.last])
    (layer,) = open_model(pack(builder.build())).layers
    chip = Chip({"add float32": Cost(base=100, per_output=10)}, {"linear": Cost(per_output=0.5)}, {}, 0, "")
    assert Add.price_name(layer) == "add float32" and Add.counts(layer) == {"n_out": 3, "row": 1}
    assert Add.cycles(layer, chip) == 100 + 3 * 10 + 3 * 0.5
    assert Reshape.counts(layer) == {}
