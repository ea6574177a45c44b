"""`anne verify`: the same samples through every implementation."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from .common import console, header_option, json_option, print_json, uf2_option
from .models import open_model_file, print_table, read_input, source_options, step_progress

_file = click.Path(path_type=Path)


@click.command(
    "verify",
    epilog="\b\nExamples:\n  anne verify net.anne\n  anne verify net.anne --against net.keras --input x.npy"
    "\n  anne verify net.anne --against net.tflite --on emulator --json",
)
@click.argument("model", type=_file)
@click.option(
    "--against", type=_file, metavar="SOURCE", help="What it was made from; its framework is asked, too."
)
@click.option(
    "--input", "inputs", type=_file, help="Samples: .npy, .npz or .csv; default: the golden samples."
)
@click.option("--on", "where", metavar="emulator|PORT", help="A Pico to be asked, too.")
@source_options
@click.option(
    "--trust-pickle",
    is_flag=True,
    help="Open a .pkl or .joblib, or a .pt2 with PyTorch; that runs what its author put there.",
)
@header_option
@uf2_option
@json_option
def command(
    model: Path,
    against: Path | None,
    inputs: Path | None,
    where: str | None,
    header: bool | None,
    uf2: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Run samples through source framework, float graph, reference, C core and Pico, and compare.

    Exit status 1 if integers differ or floats differ by more than the bound.
    """
    from ..device import open_device
    from ..errors import ModelError
    from ..samples import as_samples
    from ..verify import verify

    data, file = open_model_file(model)
    x = None
    if inputs:
        samples = read_input(inputs, header, file.lines("feature_names"))
        x = as_samples(samples.values, file.inputs[0].shape, inputs.name)
    device = open_device(where, firmware=uf2) if where else nullcontext()
    with step_progress("verifies") as tell, device as pico:
        comparisons = verify(data, against, x, pico, lambda step, done, total: tell(done, total), **options)
    if as_json:
        print_json({"model": str(model), "comparisons": [comparison.to_json() for comparison in comparisons]})
    else:
        _show(model, comparisons)
    bad = [c for c in comparisons if not c.good]
    if bad:
        raise ModelError(
            f"{model.name}: {bad[0].first} and {bad[0].second} differ by {bad[0].largest:.3g} {bad[0].unit}"
        )


def _show(model: Path, comparisons: list) -> None:
    rows = []
    for c in comparisons:
        bound = "(quantisation)" if c.bound is None else "must be equal" if c.bound == 0 else f"{c.bound:.1e}"
        verdict = "skipped: " + c.skipped if c.skipped else "good" if c.good else "TOO LARGE"
        shown = ["", "", ""] if c.skipped else [str(c.n_samples), f"{c.largest:.2g} {c.unit}", bound]
        rows.append([f"{c.first} - {c.second}", *shown, verdict])
    out = console()
    out.print(str(model))
    print_table(out, ["pair", "samples", "largest difference", "allowed", ""], rows, left=("pair", ""))
