"""Pictures (extra `plot`: matplotlib): where the error of a conversion arises, what lies in the arena at which layer,
how kernels' cost grows with size.
"""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

from anne.model_file import ModelFile

from ..cores.files import layer_names
from ..cores.memory import ArenaUse, Storage, arena_use, storages
from ..data.texts import harmless
from ..errors import ModelError
from ..layers import room
from ..network.layer import SAME
from .report import Report

_OWN, _PASSED_ON, _GRID = "#d1495b", "#e9b8bd", "#dddddd"


def error_plot(report: Report) -> bytes:
    """Return a PNG: for each layer the rms error of its values in percent of their range, in the order layers run.

    The dark part is what the layer itself adds (its own rounding, from exact inputs), the light one what came from the
    layers before it. ModelError without samples to measure errors on, or without matplotlib.
    """
    layers = [layer for layer in report.layers if layer.error is not None and room(layer.kind).place != SAME]
    if not layers:
        raise ModelError("plot: errors are measured on samples; give some with --calibrate or --test")
    figure = _figure(8, 1.6 + 0.42 * len(layers))
    axes = figure.subplots()
    _draw_bars(axes, layers)
    _draw_frame(axes, report)
    return _png(figure)


def _png(figure: Any) -> bytes:
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    return picture.getvalue()


def _figure(width: float, height: float) -> Any:
    """Return an empty figure of so many inches."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModelError("a plot needs matplotlib: pip install 'ai-anne[plot]'") from None
    return Figure(figsize=(width, height), layout="constrained")


def _draw_bars(axes: Any, layers: list) -> None:
    rows = range(len(layers))
    total = [100 * layer.error for layer in layers]
    own = [100 * layer.own_error for layer in layers]
    axes.barh(rows, total, color=_PASSED_ON, height=0.66, label="with what earlier layers passed on")
    axes.barh(rows, own, color=_OWN, height=0.3, label="arising in the layer itself")
    room = max(max(total), max(own)) or 1e-9
    for row in rows:
        axes.text(
            max(total[row], own[row]) + 0.012 * room, row, f"{total[row]:.2g} %", va="center", fontsize=9
        )
    names = [f"{harmless(layer.name)}\n{layer.kernel}, {layer.shape}" for layer in layers]
    axes.set_yticks(rows, names, fontsize=8, parse_math=False)
    axes.set_xlim(0, 1.13 * room)
    axes.invert_yaxis()


def _draw_frame(axes: Any, report: Report) -> None:
    axes.set_xlabel("rms error in percent of the range of the layer's values")
    axes.set_title(
        f"{harmless(report.name)} as {report.dtype}: where the error arises",
        loc="left", fontweight="bold", pad=10, parse_math=False,
    )  # fmt: skip
    axes.figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    axes.xaxis.grid(True, color=_GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)


# Values of the arena: inputs of the network, its outputs, and what lies between, by turns.
_INPUT, _OUTPUT, _BETWEEN = "#2a9d8f", "#d1495b", ("#1b6ca8", "#6b9ac4")
_INK = "#222222"
# Inches: of a letter, of a line, around the axes, of the axes' height, and of a picture's width at most.
_LETTER, _LINE, _FRAME, _HEIGHT, _WIDEST = 0.068, 0.13, 1.2, 3.4, 40


def arena_plot(file: ModelFile, name: str) -> bytes:
    """Return a PNG of a model file's arena: layers to the right, bytes upwards, a rectangle a value with its name.

    Where a rectangle changes its name without a gap, a layer works in place, or the same bytes have another shape. A
    name that has no room is left out. Where the arena is fullest is framed. ModelError without matplotlib.
    """
    use, names = arena_use(file), ["start", *layer_names(file), "end"]
    names = [harmless(name if len(name) <= 24 else name[:23] + "\N{HORIZONTAL ELLIPSIS}") for name in names]
    width = min(max(7, _FRAME + 0.6 * len(names)), _WIDEST)
    inches = (width - _FRAME) / len(names), _HEIGHT / use.nbytes  # of a layer, of a byte
    label_width = _LETTER * max(map(len, names))
    is_upright = label_width > inches[0]
    figure = _figure(width, _HEIGHT + _FRAME + is_upright * label_width)
    axes = figure.subplots()
    in_turn = sorted(storages(file), key=lambda storage: storage.first)
    for number, storage in enumerate(in_turn):
        _draw_storage(axes, storage, len(file.layers), _BETWEEN[number % 2], inches)
    step = math.ceil(1.3 * _LINE / inches[0])  # of many names, those that have room
    axes.set_xticks(range(-1, len(names) - 1, step), names[::step], fontsize=8, parse_math=False)
    axes.tick_params(axis="x", rotation=90 if is_upright else 0)
    _draw_arena(axes, use, len(file.layers), name)
    return _png(figure)


def _draw_arena(axes: Any, use: ArenaUse, n_layers: int, name: str) -> None:
    from matplotlib.patches import Patch

    axes.set_xlim(-1.5, n_layers + 0.5)
    axes.set_ylim(0, 1.03 * use.nbytes)
    axes.axhline(use.nbytes, color=_INK, linewidth=1)
    axes.vlines((use.layer - 0.5, use.layer + 0.5), 0, use.nbytes, color=_INK, linestyle="--", linewidth=1.2)
    axes.set_ylabel("bytes")
    axes.set_title(
        harmless(f"{name}: {use.nbytes} bytes of arena, at most {use.live_bytes} at once, {use.where}"),
        loc="left", fontweight="bold", fontsize=10, parse_math=False,
    )  # fmt: skip
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    colours = {"input of the network": _INPUT, "values between layers": _BETWEEN[0], "output": _OUTPUT}
    patches = [Patch(color=colour, label=label) for label, colour in colours.items()]
    axes.figure.legend(handles=patches, loc="outside lower left", ncols=3, frameon=False, fontsize=8)


def _draw_storage(axes: Any, storage: Storage, n_layers: int, colour: str, inches: tuple) -> None:
    # the value that a layer turns into another ends in the middle of that layer
    starts = [value.first if i else value.first - 0.5 for i, value in enumerate(storage.values)]
    for value, start, end in zip(storage.values, starts, [*starts[1:], storage.last + 0.5], strict=True):
        colour_of = _INPUT if value.first < 0 else _OUTPUT if value.last == n_layers else colour
        axes.broken_barh(
            [(start, end - start)], (value.offset, value.nbytes), facecolor=colour_of, edgecolor="white", linewidth=1.2
        )  # fmt: skip
        across, up = (end - start) * inches[0], value.nbytes * inches[1]
        text, needed = harmless(value.name), _LETTER * (len(harmless(value.name)) + 1)
        lies = needed <= across and up >= _LINE
        if lies or (needed <= up and across >= _LINE):
            middle = ((start + end) / 2, value.offset + value.nbytes / 2)
            axes.text(
                *middle, text, color="white", fontsize=8, ha="center", va="center", zorder=3,
                rotation=0 if lies else 90, parse_math=False,
            )  # fmt: skip


def loss_plot(losses: list[float], kind: str) -> bytes:
    """Return a picture, "png" or "svg", of each epoch's loss in a training. ModelError without matplotlib."""
    figure = _figure(7, 4)
    axes = figure.subplots()
    axes.plot(range(1, len(losses) + 1), losses, color=_BETWEEN[0], linewidth=1.5)
    axes.set_ylim(0, None)
    axes.set_xlabel("epoch")
    axes.set_title("mean loss of the rows", loc="left", fontweight="bold")
    axes.grid(color=_GRID)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return _png(figure) if kind == "png" else _svg(figure)


def _svg(figure: Any) -> bytes:
    """Text as text: a quarter of the bytes; names that are the same each time: no change where nothing has changed."""
    from matplotlib import rc_context

    picture = BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "anne"}):
        figure.savefig(picture, format="svg", metadata={"Date": None})
    return picture.getvalue()


# One colour a kernel; its peers have the same in broken lines.
_KERNEL_COLOURS = {
    "dense_s8": "#1b6ca8",
    "dense_s4": "#2a9d8f",
    "dense_s16": "#7b4fa6",
    "dense_f32": "#d1495b",
    "dense_s8_f32": "#e09f3e",
}
_PEER_STYLES = ("--", "-.", ":", (0, (1, 1, 4, 1)))


def growth_plot(records: list[dict]) -> bytes:
    """Return an SVG: cycles per multiply-accumulate of n x n over n, each kernel and its peers (bench.json's records).

    ModelError without square shapes, or without matplotlib.
    """
    lines: dict[tuple[str, str | None], list[tuple[int, float]]] = {}
    for record in records:
        if "kernel" in record and record["shape"][0] == record["shape"][1]:
            line = lines.setdefault((record["kernel"], record["peer"]), [])
            line.append((record["shape"][0], record["cycles_per_mac"]))
    if not lines:
        raise ModelError("plot: no square shapes were measured")
    figure = _figure(9, 5)
    axes = figure.subplots()
    peers = list(dict.fromkeys(peer for _, peer in lines if peer))
    for (kernel, peer), points in lines.items():
        n, per_mac = zip(*sorted(points), strict=True)
        style = _PEER_STYLES[peers.index(peer) % len(_PEER_STYLES)] if peer else "-"
        axes.plot(
            n, per_mac, linestyle=style, color=_KERNEL_COLOURS.get(kernel, "#555555"), linewidth=1 if peer else 2,
            marker="." if peer else "o", markersize=4, label=f"{kernel}, {peer or 'AI-ANNE'}",
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(ticks := sorted({n for points in lines.values() for n, _ in points}), map(str, ticks))
    axes.minorticks_off()
    axes.set_xlabel("n, for n x n weights")
    axes.set_title("Cycles per multiply-accumulate on the emulated Pico", loc="left", fontweight="bold")
    axes.grid(color=_GRID)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return _svg(figure)
