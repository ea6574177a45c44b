"""Drawings of networks: what stands in them, and what stands where."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.drawing import network_drawing
from anne_tools.conversion.neurons import has_neurons
from anne_tools.cores.files import open_model
from anne_tools.layers import Activation, Add, Dense
from anne_tools.layers.dense import Dense as DenseRoom
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Tensor

SVG = "{http://www.w3.org/2000/svg}"
WEIGHTS = np.array([[1.0, -0.5, 0.0], [0.25, 2.0, -2.0]], np.float32)


def small(name: str = "first") -> Graph:
    """A graph of three inputs, two neurons, and a softmax over them."""
    dense = Dense(name, "x", "y", WEIGHTS, np.zeros(2, np.float32))
    shapes = {"x": (3,), "y": (2,), "z": (2,)}
    tensors = {key: Tensor(key, shape) for key, shape in shapes.items()}
    return Graph(["x"], ["z"], [dense, Activation("last", "y", "z", "softmax")], tensors)


def chain(n: int) -> Graph:
    """A graph of n layers on 20 values; each is added to its own input, which so goes past it."""
    layers, before = [], "t0"
    for i in range(n):
        layers.append(Activation(f"r{i}", before, f"r{i}", "tanh"))
        layers.append(Add(f"a{i}", (before, f"r{i}"), f"t{i + 1}"))
        before = f"t{i + 1}"
    names = ["t0", *(layer.output for layer in layers)]
    return Graph(["t0"], [before], layers, {name: Tensor(name, (20,)) for name in names})


def drawn(graph: Graph, title: str = "net", **options) -> ElementTree.Element:
    return ElementTree.fromstring(network_drawing(open_model(convert(graph, **options).data), title))


def texts(svg: ElementTree.Element) -> list[str]:
    return [element.text for element in svg.iter(f"{SVG}text")]


def lines(svg: ElementTree.Element) -> list[ElementTree.Element]:
    return [path for path in svg.iter(f"{SVG}path") if path.get("stroke-width")]


def test_a_small_dense_network_has_a_circle_a_neuron_and_a_line_a_weight():
    svg = drawn(small())
    assert len(list(svg.iter(f"{SVG}circle"))) == 5
    # 0.4 to 4 pixels for weights up to the greatest, 2; none for the weight 0
    widths = [(float(line.get("stroke-width")), line.get("stroke-dasharray")) for line in lines(svg)]
    assert widths == [(2.2, None), (1.3, "6 4"), (0.9, None), (4.0, None), (4.0, "6 4")]
    assert {"first", "dense", "3 float32", "then softmax"} <= set(texts(svg))


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16", "int8-weights"])
def test_weights_of_each_layout_are_those_of_the_network(dtype):
    x = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    options = {} if dtype in ("float32", "int8-weights") else {"calibrate": x}
    (layer, _) = open_model(convert(small(), dtype=dtype, **options).data).layers
    got = DenseRoom.neuron_weights(layer)
    # a step of int8 is 1/127 of the greatest weight of the row
    np.testing.assert_allclose(got / got[1, 1], WEIGHTS / WEIGHTS[1, 1], atol=0.006)


def test_aligned_floats_are_those_of_the_network():
    weights = np.random.default_rng(2).normal(size=(16, 16)).astype(np.float32)
    graph = small()
    graph.layers = [Dense("wide", "x", "z", weights, np.zeros(16, np.float32))]
    graph.tensors = {name: Tensor(name, (16,)) for name in ("x", "z")}
    (layer,) = open_model(convert(graph).data).layers
    assert layer.kernel == "f32_aligned"
    got = DenseRoom.neuron_weights(layer)
    np.testing.assert_allclose(got / got[0, 0], weights / weights[0, 0], rtol=1e-5, atol=1e-5)


def test_names_from_a_file_are_text_and_no_markup():
    svg = drawn(small('</text><script x="&'), "a <b> & \x1b[2J")
    assert svg.find(f"{SVG}title").text == "a <b> & \\x1b[2J"
    assert '</text><script x="&' in texts(svg)
    assert not list(svg.iter(f"{SVG}script"))


def test_other_networks_have_a_box_a_layer_with_its_kind_shape_and_bytes():
    graph = small()
    graph.layers[0] = Dense("wide", "x", "y", np.ones((40, 3), np.float32), np.zeros(40, np.float32))
    graph.tensors |= {name: Tensor(name, (40,)) for name in ("y", "z")}
    file = open_model(convert(graph).data)
    assert not has_neurons(file)
    found = texts(drawn(graph))
    assert found[1:] == [
        "input", "input", "3 float32", "dense", "wide", "40 float32", f"{file.layers[0].nbytes:,} bytes",
        "activation, softmax", "wide_softmax", "40 float32", "output", "output", "40 float32",
    ]  # fmt: skip


def boxes(svg: ElementTree.Element) -> list[tuple[float, float]]:
    found = [box for box in svg.iter(f"{SVG}rect") if box.get("rx")]
    return [(float(box.get("x")), float(box.get("y"))) for box in found]


def test_an_arrow_past_other_boxes_runs_beside_them():
    svg = drawn(chain(2))
    right = max(x for x, _ in boxes(svg)) + 270
    beside = [re.findall(r"[\d.]+", line.get("d")) for line in lines(svg)]
    assert len(beside) == 7  # input -> r0, a0; r0 -> a0; a0 -> r1, a1; r1 -> a1; a1 -> output
    past = [path for path in beside if any(float(x) > right for x in path[::2])]
    assert len(past) == 2


def test_a_tall_drawing_goes_on_in_another_column():
    places = boxes(drawn(chain(60)))
    assert len(places) == 122
    # 122 rows in columns of at most 24: six, of 21 rows at most
    assert len({x for x, _ in places}) == 6
    assert len({y for _, y in places}) == 21
