"""A small dense network as a drawing (SVG): neurons are circles, weights lines."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from anne.model_file import ModelFile

from ..cores.files import layer_names
from ..cores.packed import input_names
from ..data.svg import Svg
from ..layers import room

# Neurons beside each other, and lines in all, that can still be told apart.
_MOST_NEURONS, _MOST_LINES = 16, 512
_INK, _GREY = "#222222", "#666666"
_INPUT, _OUTPUT, _BETWEEN = "#2a9d8f", "#d1495b", "#1b6ca8"
_POSITIVE, _NEGATIVE = "#1b6ca8", "#d1495b"
# Pixels: of a circle, between circles, between columns, the frame, names beside inputs and outputs, a line of text.
_RADIUS, _DOWN, _ACROSS, _FRAME, _NAMES, _LINE = 13, 38, 180, 28, 150, 15


@dataclass
class _Column:
    """Neurons that stand below each other: how many, the lines below them, and the weights that lead to them."""

    size: int
    texts: list[str]
    weights: np.ndarray | None = None
    names: list[str] = field(default_factory=list)
    x: float = 0.0


def has_neurons(file: ModelFile) -> bool:
    """Whether a model file is a small chain of layers of neurons, with nothing between but what goes value by value."""
    before, lines = file.inputs[0], 0
    if len(file.inputs) > 1 or len(file.outputs) > 1 or before.size > _MOST_NEURONS:
        return False
    for layer in file.layers:
        output = layer.outputs[0]
        chained = [tensor.index for tensor in layer.inputs] == [before.index] and len(layer.outputs) == 1
        if not chained or output.size > _MOST_NEURONS:
            return False
        if room(layer.kind).neuron_weights(layer) is not None:
            lines += before.size * output.size
        elif output.size != before.size or layer.macs:
            return False
        before = output
    return 0 < lines <= _MOST_LINES


def neuron_drawing(file: ModelFile, name: str) -> bytes:
    """Return an SVG of a network that `has_neurons`: weights below 0 are broken lines, larger ones are thicker."""
    columns = _columns(file)
    most = max(column.size for column in columns)
    n_texts = max(len(column.texts) for column in columns)
    left, right = (_NAMES if column.names else _ACROSS / 3 for column in (columns[0], columns[-1]))
    width = 2 * _FRAME + left + right + _ACROSS * (len(columns) - 1)
    middle = _FRAME + 34 + _DOWN * most / 2
    bottom = middle + _DOWN * most / 2 + 8
    height = bottom + _LINE * (n_texts + 2) + _FRAME
    svg = Svg(width, height, name)
    svg.text(_FRAME, _FRAME + 4, name, width - 2 * _FRAME, font_size=16, font_weight="bold", fill=_INK)
    for number, column in enumerate(columns):
        column.x = _FRAME + left + _ACROSS * number
        if column.weights is not None:
            _draw_weights(svg, columns[number - 1], column, middle)
    for number, column in enumerate(columns):
        colour = _INPUT if number == 0 else _OUTPUT if number == len(columns) - 1 else _BETWEEN
        _draw_column(svg, column, colour, middle, bottom, is_first=number == 0)
    legend = "lines are weights: blue above 0, red and broken below; the thickest is the largest of its layer"
    svg.text(_FRAME, height - _FRAME / 2, legend, width - 2 * _FRAME, font_size=11, fill=_GREY)
    return svg.data()


def _columns(file: ModelFile) -> list[_Column]:
    tensor = file.inputs[0]
    columns = [_Column(tensor.size, [input_names(file)[0], f"{tensor.size} {tensor.dtype}"])]
    for layer, name in zip(file.layers, layer_names(file), strict=True):
        weights = room(layer.kind).neuron_weights(layer)
        words = [] if layer.activation == "linear" else [layer.activation]
        output = layer.outputs[0]
        if weights is None:
            columns[-1].texts.append("then " + " ".join(words or [layer.kind]))
        else:
            texts = [name, ", ".join([layer.kind, *words]), f"{output.size} {output.dtype}"]
            columns.append(_Column(output.size, texts, weights))
    columns[0].names = _names(file, "feature_names", columns[0])
    columns[-1].names = _names(file, "labels", columns[-1])
    return columns


def _names(file: ModelFile, key: str, column: _Column) -> list[str]:
    names = file.lines(key)
    return names if len(names) == column.size else []


def _heights(column: _Column, middle: float) -> list[float]:
    return [middle + _DOWN * (n - (column.size - 1) / 2) for n in range(column.size)]


def _draw_weights(svg: Svg, before: _Column, column: _Column, middle: float) -> None:
    strengths = column.weights / (np.abs(column.weights).max() or 1)
    for row, y in zip(strengths, _heights(column, middle), strict=True):
        for strength, from_y in zip(row.tolist(), _heights(before, middle), strict=True):
            if strength:
                svg.line(
                    [(before.x, from_y), (column.x, y)],
                    stroke=_POSITIVE if strength > 0 else _NEGATIVE,
                    stroke_width=0.4 + 3.6 * abs(strength),
                    stroke_opacity=0.75,
                    **({} if strength > 0 else {"stroke_dasharray": "6 4"}),
                )


def _draw_column(
    svg: Svg, column: _Column, colour: str, middle: float, bottom: float, is_first: bool
) -> None:
    for n, y in enumerate(_heights(column, middle)):
        svg.circle(column.x, y, _RADIUS, fill="white", stroke=colour, stroke_width=2)
        if column.names:
            side, anchor = (-1, "end") if is_first else (1, "start")
            x = column.x + side * (_RADIUS + 7)
            svg.text(x, y + 4, column.names[n], _NAMES - 20, text_anchor=anchor, fill=_INK)
    for n, text in enumerate(column.texts):
        style = {"font_weight": "bold", "fill": _INK} if n == 0 else {"fill": _GREY, "font_size": 11}
        svg.text(column.x, bottom + _LINE * (n + 0.7), text, _ACROSS - 16, text_anchor="middle", **style)
