"""What the commands about model files share: reading files, tables, progress."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from anne.model_file import ModelFile

from ..boards.fit import BOARDS
from ..conversion.report import LayerReport, layer_table
from ..cores.files import open_model
from ..data.files import read_whole
from ..data.texts import harmless
from ..errors import ModelError
from ..importers import recognise_file
from .common import progress

board_option = click.option(
    "--board",
    type=click.Choice(list(BOARDS)),
    default="pico",
    show_default=True,
    help="The board it is for; pico-models is a Pico whose firmware has 1 MB for models in flash, those with -w have "
    "MicroPython's own firmware (anne deploy --runtime).",
)


def source_options(command: Callable) -> Callable:
    """Options of a command that reads a source, for what the file itself does not say."""
    layers = click.option(
        "--layers",
        metavar="LAYER,LAYER,...",
        help="Layers of a PyTorch state_dict in the order they run: linear:NAME, batch_norm:NAME(eps=0.001), "
        "prelu:NAME, activations such as relu or leaky_relu(alpha=0.2), ignore:NAME for what is not used. Without it "
        "the message says what there is.",
    )
    network = click.option(
        "--network",
        metavar="NAME|N",
        help="Which of several networks in the file, by name or number; of a pickled dict or tuple the keys or numbers "
        "of what runs one after another, such as scaler+model. Without it the message lists what there is.",
    )
    input_shape = click.option(
        "--input-shape",
        multiple=True,
        metavar="[NAME=]N,N,...",
        callback=lambda context, option, texts: _shapes(texts),
        help="How long the axes of the input are that the file leaves open: all of its axes but the batch, in the "
        "source's order, such as 49,10 or, of images in PyTorch and ONNX, 3,32,32; of several inputs NAME= for each.",
    )
    return layers(network(input_shape(command)))


def _shapes(texts: tuple[str, ...]) -> tuple[int, ...] | dict[str, tuple[int, ...]] | None:
    """One shape, or shapes by the inputs' names; None for none. click.BadParameter for what is neither."""
    found = {}
    for text in texts:
        name, _, sizes = text.rpartition("=")
        try:
            shape = tuple(int(size) for size in sizes.split(","))
        except ValueError:
            raise click.BadParameter(f"expected numbers with commas, such as 49,10, got {text!r}") from None
        if name in found or min(shape) < 1:
            raise click.BadParameter(f"expected positive numbers, once for each input, got {text!r}")
        found[name] = shape
    if "" in found and len(found) > 1:
        raise click.BadParameter("expected NAME= before the shape of each of several inputs")
    return found.get("", found or None)


def read_model(path: Path) -> bytes:
    """Return the bytes of a model file; ModelError if it cannot be read, or is what a model file is made from."""
    data = read_whole(path)
    if not data.startswith(b"ANNE") and _is_source(path):
        raise ModelError(
            f"{path}: not an .anne file; convert it first: anne convert {shlex.quote(str(path))}"
        )
    return data


def _is_source(path: Path) -> bool:
    try:
        recognise_file(path)
    except ModelError:
        return False
    return True


def open_model_file(path: Path) -> tuple[bytes, ModelFile]:
    """Return the bytes of a model file and what is in it; ModelError names the file and what is wrong with it."""
    data = read_model(path)
    try:
        return data, open_model(data)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from None


def only_port() -> str:
    """Return the port of the one Pico that is plugged in; DeviceError if there is none, or more."""
    from ..boards.flash import bootloader
    from ..boards.serial_device import pico_ports
    from ..errors import DeviceError

    ports = pico_ports()
    if not ports and (place := bootloader()):
        raise DeviceError(
            f"the board is in bootloader mode ({place}); put the firmware on it with: anne flash"
        )
    if len(ports) != 1:
        found = (
            f"{len(ports)} Picos are plugged in ({', '.join(ports)})" if ports else "no Pico is plugged in"
        )
        raise DeviceError(f"{found}; name a port with --on, or an emulated Pico with --board-file pico.img")
    return ports[0]


@contextmanager
def step_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function (done, total) that shows on stderr how far a step is, as `progress` does."""
    with progress(what) as tell:
        yield lambda done, total: tell(what, done, total)


def print_table(out: Any, columns: list[str], rows: list[list[str]], left: tuple[str, ...] = ()) -> None:
    """Print rows under column names, as wide as they are: a terminal that is too narrow wraps lines, nothing is cut."""
    lines = [list(map(harmless, row)) for row in [columns, *rows]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for row in lines:
        cells = [
            cell.ljust(width) if name in left else cell.rjust(width)
            for name, cell, width in zip(columns, row, widths, strict=True)
        ]
        out.print("  " + "  ".join(cells).rstrip(), soft_wrap=True)


def print_layers(out: Any, layers: list[LayerReport]) -> None:
    """Print the table of layers."""
    print_table(out, *layer_table(layers), left=("layer", "kind", "activation", "shape", "kernel"))


def print_verdict(out: Any, verdict: Any) -> None:
    """Print whether a model fits its board, what it needs there, and how long it takes."""
    for line in verdict.lines():
        out.print(line)


def rows_of(values: np.ndarray) -> list:
    """Return an array of samples as nested lists for JSON."""
    return np.asarray(values).reshape(len(values), -1).tolist()
