"""A network as a drawing (SVG): small dense networks neuron by neuron, all others layer by layer.

Layers are boxes from top to bottom in the order of their distance from the inputs, and arrows are values. Where one
goes past other layers, it runs beside them. Tall drawings go on at the top, in another column.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from anne.model_file import ModelFile

from ..cores.files import layer_names
from ..cores.packed import input_names, output_names
from ..data.svg import Point, Svg
from .neurons import has_neurons, neuron_drawing

_INK, _GREY = "#222222", "#666666"
# Fill and line: inputs and outputs of the network, layers with parameters, layers without.
_INPUT, _OUTPUT = ("#d5efec", "#2a9d8f"), ("#f8dfe2", "#d1495b")
_WEIGHTED, _PLAIN = ("#dbe8f3", "#1b6ca8"), ("#f3f3f3", "#999999")
# Pixels: a box, what is between boxes, the way beside them that one arrow takes, the frame.
_WIDTH, _HEIGHT, _ACROSS, _DOWN, _LANE, _FRAME = 270, 46, 26, 26, 12, 24
# Boxes beside each other, and rows in a column, at most.
_BESIDE, _ROWS = 6, 24


@dataclass
class _Box:
    """A box of the drawing: its texts (bold, beside it, below on the left and on the right) and what leads to it."""

    texts: tuple[str, str, str, str]
    colours: tuple[str, str]
    sources: list[_Box] = field(default_factory=list)
    row: int = 0
    column: int = 0
    place: Point = (0, 0)  # the upper left corner

    @property
    def top(self) -> Point:
        return self.place[0] + _WIDTH / 2, self.place[1]

    @property
    def bottom(self) -> Point:
        return self.place[0] + _WIDTH / 2, self.place[1] + _HEIGHT


def network_drawing(file: ModelFile, name: str) -> bytes:
    """Return an SVG of the network in a model file, `name` being its title."""
    if has_neurons(file):
        return neuron_drawing(file, name)
    columns = _columns(_rows(_boxes(file)))
    lanes = _lanes(columns)
    width = _place(columns, lanes)
    height = len(columns[0]) * (_HEIGHT + _DOWN) + 2 * _FRAME + 30
    svg = Svg(width, height, name)
    svg.text(_FRAME, _FRAME + 4, name, width - 2 * _FRAME, font_size=16, font_weight="bold", fill=_INK)
    boxes = [box for column in columns for row in column for box in row]
    for box in boxes:
        _draw_arrows(svg, box, boxes, lanes)
    for box in boxes:
        _draw_box(svg, box)
    return svg.data()


def _boxes(file: ModelFile) -> list[_Box]:
    made: dict[int, _Box] = {}
    boxes = []
    for name, tensor in zip(input_names(file), file.inputs, strict=True):
        made[tensor.index] = _Box(("input", name, _tensor(tensor), ""), _INPUT)
        boxes.append(made[tensor.index])
    for layer, name in zip(file.layers, layer_names(file), strict=True):
        activation = layer.activation if layer.activation != "linear" else ""
        title = layer.kind if not activation else f"{layer.kind}, {activation}"
        size = f"{layer.nbytes:,} bytes" if layer.nbytes else ""
        colours = _WEIGHTED if layer.macs and layer.nbytes else _PLAIN
        box = _Box((title, name, ", ".join(map(_tensor, layer.outputs)), size), colours)
        box.sources = [made[tensor.index] for tensor in layer.inputs]
        made |= dict.fromkeys((tensor.index for tensor in layer.outputs), box)
        boxes.append(box)
    for name, tensor in zip(output_names(file), file.outputs, strict=True):
        boxes.append(_Box(("output", name, _tensor(tensor), ""), _OUTPUT, [made[tensor.index]]))
    return boxes


def _tensor(tensor) -> str:
    return f"{'x'.join(map(str, tensor.shape))} {tensor.dtype}"


def _rows(boxes: list[_Box]) -> list[list[_Box]]:
    """Return the boxes in rows, each below all that lead to it."""
    depths: dict[int, int] = {}
    by_depth: list[list[_Box]] = []
    for box in boxes:
        depth = max((depths[id(source)] + 1 for source in box.sources), default=0)
        depths[id(box)] = depth
        by_depth += [[] for _ in range(depth + 1 - len(by_depth))]
        by_depth[depth].append(box)
    return [level[i : i + _BESIDE] for level in by_depth for i in range(0, len(level), _BESIDE)]


def _columns(rows: list[list[_Box]]) -> list[list[list[_Box]]]:
    """Return the rows in columns of about one height, and set the boxes' numbers of both."""
    n_columns = -(-len(rows) // _ROWS)
    height = -(-len(rows) // n_columns)
    for number, row in enumerate(rows):
        for box in row:
            box.row, box.column = number, number // height
    return [rows[first : first + height] for first in range(0, len(rows), height)]


def _ways(source: _Box, box: _Box, columns: list[list[list[_Box]]]) -> tuple[int, int] | None:
    """Return from which row to which an arrow runs beside the boxes of its source's column, None if it does not."""
    if source.column == box.column:
        return (source.row, box.row) if box.row - source.row > 1 else None
    first = columns[source.column][0][0].row
    return first - 1, first + len(
        columns[source.column]
    )  # up beside all of them, to the top of another column


def _lanes(columns: list[list[list[_Box]]]) -> dict[tuple[int, int], int]:
    """Return for (source, box) that need one a lane beside the boxes: the nearest that is free all the way."""
    busy: list[list[tuple[int, int]]] = []
    lanes: dict[tuple[int, int], int] = {}
    for box in (box for column in columns for row in column for box in row):
        for source in box.sources:
            way = _ways(source, box, columns)
            if way is None:
                continue
            free = (n for n, ways in enumerate(busy) if all(way[1] <= a or way[0] >= b for a, b in ways))
            lane = next(free, len(busy))
            if lane == len(busy):
                busy.append([])
            busy[lane].append(way)
            lanes[id(source), id(box)] = lane
    return lanes


def _place(columns: list[list[list[_Box]]], lanes: dict) -> float:
    """Set the boxes' places, and return how wide the drawing is."""
    room_for_lanes = _LANE * (max(lanes.values(), default=-1) + 2)
    left = _FRAME
    for column in columns:
        width = max(map(len, column)) * (_WIDTH + _ACROSS) - _ACROSS
        for number, row in enumerate(column):
            start = left + (width - len(row) * (_WIDTH + _ACROSS) + _ACROSS) / 2
            y = _FRAME + 30 + number * (_HEIGHT + _DOWN)
            for n, box in enumerate(row):
                box.place = start + n * (_WIDTH + _ACROSS), y
        left += width + room_for_lanes + _ACROSS
    return left - _ACROSS + _FRAME


def _draw_arrows(svg: Svg, box: _Box, boxes: list[_Box], lanes: dict) -> None:
    x, y = box.top
    for n, source in enumerate(box.sources):
        at = x + (n + 1) / (len(box.sources) + 1) * _WIDTH - _WIDTH / 2 if len(box.sources) > 1 else x
        from_x, from_y = source.bottom
        lane = lanes.get((id(source), id(box)))
        if lane is None:
            bend = from_y + _DOWN / 2
            direct = [(from_x, from_y), (from_x, bend), (at, bend), (at, y)]
            svg.arrow(direct if from_x != at else [(from_x, from_y), (at, y)])
            continue
        column = [other for other in boxes if other.column == source.column]
        if source.column == box.column:
            column = [other for other in column if source.row <= other.row <= box.row]
        beside = max(other.place[0] for other in column) + _WIDTH + _LANE * (lane + 1)
        bend, above = from_y + _DOWN / 3, y - _DOWN / 3
        svg.arrow([(from_x, from_y), (from_x, bend), (beside, bend), (beside, above), (at, above), (at, y)])


def _draw_box(svg: Svg, box: _Box) -> None:
    (x, y), (fill, line) = box.place, box.colours
    svg.rectangle(x, y, _WIDTH, _HEIGHT, fill=fill, stroke=line)
    what, name, shape, size = box.texts
    all_, half = _WIDTH - 18, _WIDTH / 2 - 9
    svg.text(x + 9, y + 18, what, half + 20, font_weight="bold", fill=_INK)
    svg.text(x + _WIDTH - 9, y + 18, name, half - 20, text_anchor="end", fill=_GREY, font_size=11)
    svg.text(x + 9, y + 36, shape, all_ - 90 if size else all_, fill=_INK, font_size=11)
    if size:
        svg.text(x + _WIDTH - 9, y + 36, size, 90, text_anchor="end", fill=_GREY, font_size=11)
