"""Pictures (extra `plot`: matplotlib): where the error of a conversion arises, how kernels' cost grows with size."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ..errors import ModelError
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
    figure = _figure(8, 1.6 + 0.42 * len(layers))
    axes = figure.subplots()
    _draw_bars(axes, layers)
    _draw_frame(axes, report)
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
    from matplotlib import rc_context

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
    picture = BytesIO()
    # text as text: a quarter of the bytes; names that are the same each time: no change where nothing has changed
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "anne"}):
        figure.savefig(picture, format="svg", metadata={"Date": None})
    return picture.getvalue()
