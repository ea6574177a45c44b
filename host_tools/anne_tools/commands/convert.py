"""`anne convert`: a trained network into a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .common import console, json_option, print_json
from .models import board_option, print_layers, print_table, print_verdict, source_options, step_progress

_file = click.Path(path_type=Path)


@click.command(
    "convert",
    epilog="\b\nExamples:\n  anne convert net.keras\n  anne convert net.keras --dtype int8 --calibrate x.npy"
    "\n  anne convert iris.pkl --trust-pickle --labels setosa,versicolor,virginica --test x.csv y.csv",
)
@click.argument("source", type=_file)
@click.option("-o", "--output", type=_file, help="The model file; default: SOURCE with the ending .anne.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "int8", "int16", "int8-weights", "int4"]),
    default="float32",
    show_default=True,
    help="Numbers to compute with. int8, int16 and int4 (weights of four bits) need --calibrate; int8-weights "
    "keeps values in floats.",
)
@click.option(
    "--calibrate", type=_file, metavar="X", help="Typical inputs: .npy, .npz or .csv, a sample a row."
)
@click.option("--test", type=(_file, _file), metavar="X Y", help="Inputs and true answers, for the report.")
@click.option("--labels", metavar="A,B,...", help="Names of the classes, or a text file with one a line.")
@click.option(
    "--feature-names", metavar="A,B,...", help="Names of the inputs, or a text file with one a line."
)
@click.option("--name", help="What the network is called; default: the file's name.")
@source_options
@click.option(
    "--trust-pickle", is_flag=True, help="Open a .pkl or .joblib, which runs what its author put there."
)
@click.option("--plot", type=_file, metavar="PNG", help="Draw where the error arises.")
@board_option
@json_option
def command(
    source: Path, output: Path | None, plot: Path | None, board: str, as_json: bool, **options: Any
) -> None:
    """Convert a trained network to a model file for the Pico, and report on it.

    SOURCE is a .keras, .h5, .tflite, .onnx, .pt2 or .pth file, a pickled scikit-learn model, or AI-ANNE's own .json or
    .py. No code in it is run, but for a pickle's, on request. The model file is written only if everything went well,
    in one step.
    """
    from ..conversion import convert, write_atomically

    output = output or source.with_suffix(".anne")
    with step_progress("calibrates") as tell:
        converted = convert(
            source, board=board, progress=lambda step, done, total: tell(done, total), **_read(options)
        )
    if plot:
        from ..plot import error_plot

        write_atomically(plot, error_plot(converted.report))
    converted.save(output)
    if as_json:
        print_json({"output": str(output), **converted.report.to_json()})
    else:
        _show(converted.report, output)


def _read(options: dict[str, Any]) -> dict[str, Any]:
    """The options with files in place of their names."""
    from ..samples import read_array

    read = dict(options)
    if options["calibrate"]:
        read["calibrate"] = read_array(options["calibrate"])
    if options["test"]:
        read["test"] = tuple(map(read_array, options["test"]))
    for name in ("labels", "feature_names"):
        read[name] = _names(options[name])
    return read


def _names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    lines = Path(text).read_text("utf-8").splitlines() if Path(text).is_file() else text.split(",")
    return [line.strip() for line in lines if line.strip()]


def _show(report: Any, output: Path) -> None:
    from ..report import lines

    out = console()
    out.print(f"{output}: {report.name} as {report.dtype}, {report.file_bytes} bytes")
    print_layers(out, report.layers)
    for line in lines(report):
        out.print(line)
    if report.accuracy:
        _show_confusion(out, report.accuracy, report.dtype)
    print_verdict(out, report.fit)


def _show_confusion(out: Any, accuracy: Any, dtype: str) -> None:
    out.print(f"confusion as {dtype}, true class down, answer across:")
    rows = [
        [label, *map(str, row)] for label, row in zip(accuracy.labels, accuracy.model_confusion, strict=True)
    ]
    print_table(out, ["", *accuracy.labels], rows, left=("",))
