"""`anne verify`: the same samples through every implementation."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import click

from .common import console, header_option, json_option, print_json, uf2_option
from .inputs import input_option, read_inputs
from .models import open_model_file, print_table, source_options, step_progress

_file = click.Path(path_type=Path)

# Layers that a line names.
_NAMED = 3


@click.command(
    "verify",
    epilog="\b\nExamples:\n  anne verify net.anne\n  anne verify net.anne --against net.keras --input x.npy"
    "\n  anne verify net.anne --against net.tflite --on emulator --json",
)
@click.argument("model", type=_file)
@click.option(
    "--against", type=_file, metavar="SOURCE", help="What it was made from; its framework is asked, too."
)
@input_option(
    "--input",
    "inputs",
    help="Samples: .npy, .npz or .csv, in the shape of the input or flat; of several inputs NAME=FILE for each, or one "
    ".npz with their names. Default: the golden samples.",
)
@click.option("--on", "where", metavar="emulator|PORT", help="A Pico to be asked, too.")
@source_options
@click.option(
    "--trust-pickle",
    is_flag=True,
    help="Open a .pkl or .joblib, or a .pt2 with PyTorch; that runs what its author put there.",
)
@click.option(
    "--limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="PERCENT",
    help="What quantisation may do, instead of the type's own limit: rms, in percent of the outputs' range.",
)
@header_option
@uf2_option
@json_option
def command(
    model: Path,
    against: Path | None,
    inputs: tuple[str, ...],
    where: str | None,
    limit: float | None,
    header: bool | None,
    uf2: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Run samples through source framework, float graph, reference, C core and Pico, and compare.

    Allowed are: between the same integers, nothing. Between floats, 1e-5 of a sample's largest output, more where sums
    cancel. Between the float network (--against) and a file of integers, a root mean square, as part of the range of
    the float outputs, of 0.5 % for int16, 0.75 % for int8-weights, 2 % for int8, 5 % for int4, or --limit. Exit
    status 1 if a difference is larger. What takes too long is compared on fewer samples, or skipped, and that is said.
    """
    from ..boards.open_device import open_device
    from ..boards.runner import run_device
    from ..conversion.verify import Elsewhere, verify
    from ..cores.packed import given_inputs, input_names
    from ..errors import ModelError

    data, file = open_model_file(model)
    x = None
    if inputs:
        given = read_inputs(inputs, input_names(file), header, file.lines("feature_names"))
        x = given_inputs(given.values, file, given.what)
    device = open_device(where, firmware=uf2) if where else nullcontext()
    with step_progress("verifies") as tell, device as pico:
        comparisons = verify(
            data,
            against,
            x,
            Elsewhere(pico.name, partial(run_device, pico)) if pico else None,
            lambda step, done, total: tell(done, total),
            None if limit is None else limit / 100,
            **options,
        )
    if as_json:
        print_json({"model": str(model), "comparisons": [comparison.to_json() for comparison in comparisons]})
    else:
        _show(model, comparisons)
    for c in comparisons:
        if not c.good:
            raise ModelError(
                f"{model.name}: {_of(c)}{c.first} and {c.second} differ by {c.difference}; allowed: {c.allowed}"
            )


def _of(comparison: Any) -> str:
    """Which output a comparison is of, where there are several."""
    return f"{comparison.output}: " if comparison.output else ""


def _show(model: Path, comparisons: list) -> None:
    from ..conversion.verify import percent

    rows = []
    for c in comparisons:
        verdict = "skipped: " + c.skipped if c.skipped else "good" if c.good else "TOO LARGE"
        shown = ["", "", ""] if c.skipped else [str(c.n_samples), c.difference, c.allowed]
        rows.append([f"{_of(c)}{c.first} - {c.second}", *shown, verdict])
    out = console()
    out.print(str(model))
    print_table(out, ["pair", "samples", "difference", "allowed", ""], rows, left=("pair", ""))
    for c in comparisons:
        if c.rms is not None:
            same = c.same_answer_percent
            told = "" if same is None else f"; the same answer on {same:.2f} % of the samples"
            out.print(
                f"{_of(c)}quantisation: the largest difference is {percent(c.largest)} of the outputs' range{told}"
            )
        worst = sorted(c.layers, key=lambda layer: layer.arises, reverse=True)[:_NAMED]
        if len(c.layers) > _NAMED:
            told = ", ".join(f"{layer.name} {percent(layer.arises)}" for layer in worst)
            out.print(f"error arises most in {told}, of the range of the layer's values")
    if not any(c.first == "float graph" for c in comparisons):
        out.print("the network it was made from was not asked; --against SOURCE compares it, too")
