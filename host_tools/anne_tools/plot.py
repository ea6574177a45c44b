"""A picture of where the error of a conversion arises, layer by layer (extra `plot`: matplotlib)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from .errors import ModelError
from .report import Report

_OWN, _PASSED_ON, _GRID = "#d1495b", "#e9b8bd", "#dddddd"


def error_plot(report: Report) -> bytes:
    """Return a PNG: for each layer the rms error of its values in percent of their range, in the order layers run.

    The dark part is what the layer itself adds (its own rounding, from exact inputs), the light one what came from the
    layers before it. ModelError without samples to measure errors on, or without matplotlib.
    """
    layers = [layer for layer in report.layers if layer.error is not None and layer.kind != "reshape"]
    if not layers:
        raise ModelError("plot: errors are measured on samples; give some with --calibrate or --test")
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModelError("a plot needs matplotlib: pip install 'ai-anne[plot]'") from None
    figure = Figure(figsize=(8, 1.6 + 0.42 * len(layers)), layout="constrained")
    axes = figure.subplots()
    _draw_bars(axes, layers)
    _draw_frame(axes, report)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    return picture.getvalue()


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
    axes.set_yticks(rows, [f"{layer.name}\n{layer.kernel}, {layer.shape}" for layer in layers], fontsize=8)
    axes.set_xlim(0, 1.13 * room)
    axes.invert_yaxis()


def _draw_frame(axes: Any, report: Report) -> None:
    axes.set_xlabel("rms error in percent of the range of the layer's values")
    axes.set_title(
        f"{report.name} as {report.dtype}: where the error arises", loc="left", fontweight="bold", pad=10
    )
    axes.figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    axes.xaxis.grid(True, color=_GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
