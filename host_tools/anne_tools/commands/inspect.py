"""`anne inspect`: what is in a model file, and whether it fits a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..cores.files import open_model
from ..data.files import write_atomically
from .common import console, json_option, print_json
from .models import board_option, print_layers, print_verdict, read_model


@click.command(
    "inspect",
    epilog="\b\nExamples:\n  anne inspect net.anne\n  anne inspect net.anne --board pico2"
    "\n  anne inspect net.anne --plot net.svg\n  anne inspect net.anne --plot-memory arena.png"
    "\n  anne inspect net.anne --json",
)
@click.argument("model", type=click.Path(path_type=Path))
@board_option
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="SVG",
    help="Draw the network: layers as boxes; of a small dense network neurons, and weights as lines.",
)
@click.option(
    "--plot-memory",
    type=click.Path(path_type=Path),
    metavar="PNG",
    help="Draw what lies in the arena, layer by layer (needs ai-anne[plot]).",
)
@json_option
def command(model: Path, board: str, plot: Path | None, plot_memory: Path | None, as_json: bool) -> None:
    """Tell what is in a model file, and whether and how it runs on a board.

    MODEL is checked as the board checks it. Exit status 1 if it is damaged, and if it does not fit.

    The arena is memory for the values between layers: those that live at the same time lie beside each other. It is
    told how large it is, and at which layer most lives in it: what to make smaller first.

    The energy of a prediction is an estimate from the RP2040 datasheet's currents; no silicon was measured.
    """
    from ..conversion.inspection import inspect
    from ..errors import ModelError

    if plot and plot.suffix.lower() != ".svg":
        raise ModelError(
            f"--plot: expected a name that ends with .svg, got {plot.name} (--plot-memory draws the arena as PNG)"
        )
    data = read_model(model)
    try:
        found = inspect(data, board)
    except ModelError as error:
        raise ModelError(f"{model.name}: {error}") from None
    if plot:
        from ..conversion.drawing import network_drawing

        write_atomically(plot, network_drawing(open_model(data), found.name), [model])
    if plot_memory:
        from ..conversion.plot import arena_plot

        write_atomically(plot_memory, arena_plot(open_model(data), found.name), [model])
    if as_json:
        print_json({"file": str(model), **found.to_json()})
    else:
        _show(found, model)
    if not found.fit.fits:
        raise ModelError(f"{model.name} does not fit the {board}: {found.fit.reason}")


def _show(found: Any, path: Path) -> None:
    from ..cores.files import size_and_crc

    out = console()
    out.print(f"{path}: {found.name}, {size_and_crc(found.file_bytes, found.crc32)}")
    if len(found.inputs) == len(found.outputs) == 1:
        out.print(f"input {_tensor(found.input)}, output {_tensor(found.output)}")
    else:
        for what, tensors in (("input", found.inputs), ("output", found.outputs)):
            for tensor in tensors:
                out.print(f"{what} {tensor['name']}: {_tensor(tensor)}")
    for title, values in (("labels", found.labels), ("features", found.feature_names)):
        if values:
            out.print(f"{title}: {', '.join(values)}")
    out.print(f"golden samples: {found.golden_samples}")
    if found.provenance:
        out.print("as the file says of itself:")
    for key, value in found.provenance.items():
        out.print(f"  {key}: {value}")
    print_layers(out, found.layers)
    out.print(found.arena.line())
    print_verdict(out, found.fit)
    if found.fit.energy_line():
        out.print(found.fit.energy_line())


def _tensor(tensor: dict) -> str:
    text = f"{'x'.join(map(str, tensor['shape']))} {tensor['dtype']}"
    return (
        text
        if tensor["dtype"] == "float32"
        else f"{text} (scale {tensor['scale']:.6g}, zero point {tensor['zero_point']})"
    )
