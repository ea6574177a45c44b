"""`anne run`: one network, and what it says."""

from pathlib import Path
from typing import Any

import click

from ..data.texts import harmless
from .common import (
    board_file_option,
    complete_files,
    console,
    header_option,
    json_option,
    place,
    print_json,
    uf2_option,
)
from .inputs import Given, input_option, read_inputs
from .models import open_model_file, rows_of, step_progress

_SHOWN_ROWS = 20


def _numbers(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> list[float]:
    """The values on the command line; what begins with a minus sign and is no number was meant as an option."""
    values = []
    for text in texts:
        try:
            values.append(float(text))
        except ValueError:
            if text.startswith("-"):
                raise click.NoSuchOption(text, ctx=ctx) from None
            raise click.BadParameter(f"{text!r} is not a number, such as 5.1", ctx, param) from None
    return values


@click.command(
    "run",
    context_settings={"ignore_unknown_options": True},  # a negative value looks like one
    epilog="\b\nExamples:\n  anne run net.anne --input x.npy\n  anne run net.anne 5.1 3.5 1.4 0.2"
    "\n  anne run net.anne --on emulator --input x.npy"
    "\n  anne run net.anne --input image=x.npy --input speed=v.npy\n  anne run iris-8"
    "\n  anne run net.anne --board-file pico.img\n  anne run iris-4-4-2-1 --on reference --json",
)
@click.argument("network", shell_complete=complete_files)
@click.argument("values", nargs=-1, callback=_numbers)
@input_option(
    "--input",
    "inputs",
    help="Samples: .npy, .npz or .csv, one a row; of several inputs NAME=FILE for each, or one .npz with their names.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the outputs to this .npy file; several go into one .npz, by name.",
)
@click.option("--raw", is_flag=True, help="Outputs as the integers the model computes.")
@click.option(
    "--on",
    "where",
    metavar="host|reference|emulator|PORT",
    help="The C core on this computer (the default for model files), plain Python on it, an emulated Pico (the "
    "default for published networks), or a real one on a port.",
)
@board_file_option
@header_option
@uf2_option
@json_option
def command(
    network: str,
    values: list[float],
    where: str | None,
    board_file: Path | None,
    uf2: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Run a model file on samples, or one of AI-ANNE's published networks on its rows of IRIS data.

    NETWORK is an .anne file, or iris-8, iris-6, iris-6-relu or iris-4-4-2-1. VALUES are one sample. Inputs are real
    numbers, or integers of the model's own input type (uint8 too, if it comes from a .tflite that takes uint8; --raw
    gives what that one gives), in the shape of its input, (n_samples, 10, 3) say, or flat, (n_samples, 30). Without
    --input and VALUES a model file is run on its golden samples. Exit status 1 if a result is not the golden or
    published one.
    """
    if network.startswith("-") and not Path(network).exists():
        raise click.NoSuchOption(network)
    if Path(network).suffix or Path(network).exists():
        if values and options["inputs"]:
            raise click.UsageError("give samples as VALUES or with --input, not both")
        where, board = place(where, "host", board_file, uf2)
        _run_file(Path(network), values, where, board, as_json, **options)
    elif values or options["inputs"] or options["output"] or options["raw"]:
        raise click.UsageError(
            f"VALUES, --input, --output and --raw are for model files; {network} is not one"
        )
    else:
        where, board = place(where, "emulator", board_file, uf2)
        _run_published(network, where, board, as_json)


# --- A model file -----------------------------------------------------------------------------------------------------


def _run_file(
    path: Path,
    values: list[float],
    where: str,
    board: dict,
    as_json: bool,
    inputs: tuple[str, ...],
    output: Path | None,
    raw: bool,
    header: bool | None,
) -> None:
    from ..boards.runner import run
    from ..cores.packed import input_names, output_names
    from ..cores.results import result
    from ..data.files import check_target
    from ..errors import ModelError

    data, file = open_model_file(path)
    given = read_inputs(inputs, input_names(file), header, file.lines("feature_names")) if inputs else None
    if output:
        _check_output(file, check_target(output, [path, *(given.paths if given else ())]))
    x, expected = _samples(file, given, values)
    with step_progress(f"runs on {where}") as tell:
        outputs = run(data, x, where, progress=tell, **board)
    found = result(file, outputs, expected, raw)
    if output:
        _write(output, found.values, output_names(file))
    if as_json:
        print_json(
            {
                "model": str(path),
                "on": where,
                "n_samples": len(x),
                **found.to_json(),
                "outputs": _rows(found.values, output_names(file)),
            }
        )
    else:
        _show_outputs(path, where, found, output_names(file), output)
    if found.problem:
        raise ModelError(f"{path.name} on {where}: {found.problem}")


def _samples(file: Any, given: Given | None, values: list[float]) -> tuple[Any, Any]:
    """What is run: samples of a file or of the command line, else the golden ones; and what of these must come out."""
    from ..cores.files import golden_samples
    from ..cores.packed import given_inputs, real_outputs

    if given:
        return given_inputs(given.values, file, given.what), None
    if values:
        return _one_sample(file, values), None
    raw_x, expected = golden_samples(file)
    return raw_x if len(file.inputs) == 1 else real_outputs(raw_x, file.inputs), expected


def _one_sample(file: Any, values: list[float]) -> Any:
    """The sample on the command line, as (1, *input shape)."""
    import numpy as np

    from ..cores.packed import input_names, source_axes
    from ..data.samples import as_samples

    if len(file.inputs) > 1:
        raise click.UsageError(
            f"VALUES are for a network of one input; give --input NAME=FILE for {', '.join(input_names(file))}"
        )
    (tensor,) = file.inputs
    if len(values) != tensor.size:
        names = ", ".join(map(harmless, file.lines("feature_names")))
        named = f" ({names})" if names else ""
        raise click.UsageError(f"expected {tensor.size} values{named}, got {len(values)}")
    return as_samples(np.array([values]), tensor.shape, "values", source_axes(file)[0])


def _check_output(file: Any, path: Path) -> None:
    """UsageError if several outputs would go into a file of one array."""
    if len(file.outputs) > 1 and path.suffix.lower() != ".npz":
        raise click.UsageError(
            f"--output: the network has {len(file.outputs)} outputs, which need a .npz file"
        )


def _write(path: Path, values: list[Any], names: list[str]) -> None:
    from io import BytesIO
    from zipfile import ZipFile

    import numpy as np

    from ..data.files import write_atomically

    content = BytesIO()
    if len(values) == 1:
        np.save(content, values[0])
    else:  # not by np.savez, which takes the names "file" and "allow_pickle" for parameters of its own
        with ZipFile(content, "w") as archive:
            for name, array in zip(names, values, strict=True):
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
    write_atomically(path, content.getvalue())


def _rows(values: list[Any], names: list[str]) -> Any:
    """Outputs for JSON: rows of one, of several by their names."""
    if len(values) == 1:
        return rows_of(values[0])
    return {name: rows_of(array) for name, array in zip(names, values, strict=True)}


def _show_outputs(path: Path, where: str, found: Any, names: list[str], output: Path | None) -> None:
    out = console()
    n = len(found.values[0])
    samples = "1 sample" if n == 1 else f"{n} samples"
    written = f", outputs written to {output}" if output else ""
    out.print(f"{path.name} on {where}: {samples}{written}")
    if output:
        return
    for index in range(min(n, _SHOWN_ROWS)):
        for number, array in enumerate(found.values):
            before = f"{index:5}" if number == 0 else " " * 5
            named = f"{names[number]}: " if len(names) > 1 else ""
            shown = _row(array[index])
            if found.classes:
                name = found.classes[index]
                shown += "  no class: NaN" if name is None else f"  {name}"
            out.print(f"{before}  {named}{shown}")
    if n > _SHOWN_ROWS:
        kind = "y.npy" if len(names) == 1 else "y.npz"
        out.print(f"  ... {n - _SHOWN_ROWS} more; --output {kind} writes all")
    if found.golden:
        out.print("these are the golden samples, and their outputs are as they must be")


def _row(values: Any) -> str:
    flat = values.ravel()
    return " ".join(f"{value:.6g}" for value in flat[:16].tolist()) + (" ..." if flat.size > 16 else "")


# --- A published network ----------------------------------------------------------------------------------------------


def _run_published(network: str, where: str, board: dict, as_json: bool) -> None:
    from ..boards.demo import run_network, run_reference
    from ..boards.open_device import open_device
    from ..errors import ModelError
    from ..networks import published_network

    chosen = published_network(network)
    if where == "host":
        raise ModelError("host runs model files; a published network runs on emulator, reference or a port")
    if where == "reference":
        result = run_reference(chosen)
    else:
        with open_device(where, **board) as device:
            result = run_network(device, chosen, ("native",))
    if as_json:
        print_json({"on": where, **result.as_json()})
    else:
        _show(result, where)
    if result.problems:
        raise ModelError("not as published: " + "; ".join(result.problems))


def _show(result: object, where: str) -> None:
    from ..networks import CLASSES

    out = console()
    (run,) = result.runs.values()
    (tn, fp), (fn, tp) = run.confusion
    out.print(f"{result.network.name}: {result.network.title}, on {where}")
    for row, (output, prediction, label) in enumerate(
        zip(run.outputs, run.predictions, result.network.labels, strict=True)
    ):
        verdict = "" if prediction == label else f"  wrong: it is {CLASSES[label]}"
        out.print(f"  row {row:3}  {output:9.6f}  {CLASSES[prediction]}{verdict}")
    out.print(
        f"{tn + tp} of {len(run.outputs)} right = {run.accuracy:.0%};  TN {tn}  FP {fp}  FN {fn}  TP {tp}"
    )
    if run.median_us:
        out.print(f"{run.median_us} us a sample (median)")
    if result.network.note:
        out.print(result.network.note)
