"""`anne convert`: a trained network into a model file."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any

import click

from ..data.samples import Samples, read_answers, read_arrays
from ..data.texts import names_of
from ..errors import ModelError
from ..importers.supported import SOURCES, supported
from ..network.graph import Graph
from .common import console, header_option, json_option, print_json, progress
from .inputs import Given, input_option, read_inputs
from .models import (
    board_option,
    print_layers,
    print_table,
    print_verdict,
    source_options,
)

_file = click.Path(path_type=Path)


def _list_supported(context: click.Context, option: click.Parameter, source: str | None) -> None:
    if source is not None:
        click.echo(supported(source))
        context.exit()


@click.command(
    "convert",
    epilog="\b\nExamples:\n  anne convert net.keras\n  anne convert net.keras --calibrate x.npy"
    "\n  anne convert net.pth --layers 'linear:fc1,relu,linear:fc2,softmax'"
    "\n  anne convert net.tflite --uf2          (and net.uf2, to drag onto a board's drive)"
    "\n  anne convert main.py --network 2"
    "\n  anne convert iris.pkl --trust-pickle --labels setosa,versicolor,virginica --test x.csv y.csv",
)
@click.argument("source", type=_file)
@click.option(
    "--supported",
    type=click.Choice(SOURCES),
    is_eager=True,
    expose_value=False,
    callback=_list_supported,
    help="List the layers or operators that are read of a source, and do nothing else; torch-layers: with --layers.",
)
@click.option("-o", "--output", type=_file, help="The model file; default: SOURCE with the ending .anne.")
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "int8", "int16", "int8-weights", "int4"]),
    default="auto",
    show_default=True,
    help="Numbers to compute with. int8, int16 and int4 (weights of four bits) need --calibrate; int8-weights "
    "keeps values in floats. auto: float32, or with --calibrate another that is smaller or faster, and neither "
    "larger nor slower, at a small error.",
)
@input_option(
    "--calibrate",
    help="Typical inputs (some hundred): .npy, .npz or .csv, a sample a row; of several inputs NAME=FILE for each, or "
    "one .npz with their names.",
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
@click.option(
    "--uf2",
    is_flag=True,
    help="Write a UF2 file, too, of the model alone: with our firmware on the board, hold BOOTSEL, plug it in and drag "
    "the file onto the drive. /rom has this model then and no other file; of several: anne romfs build.",
)
@header_option
@board_option
@json_option
def command(
    source: Path, output: Path | None, plot: Path | None, uf2: bool, board: str, as_json: bool, **options: Any
) -> None:
    """Convert a trained network to a model file for the Pico, and report on it.

    SOURCE is a .keras, .h5, .tflite, .onnx, .pt2 or .pth file, a pickled scikit-learn model, or AI-ANNE's own .json or
    .py. No code in it is run, but for a pickle's, on request. The model file is written only if everything went well,
    in one step, and never over a file that is read. Exit status 1 also if it does not fit the board.

    Samples have the network's input shape, (n_samples, 10, 3) say, or are flat, (n_samples, 30). A .csv file has a
    sample a row, with commas, semicolons (then decimal commas, too), tabs or spaces; words in its header become the
    names of features, if the source has none and --feature-names is not given. True answers are classes, by their label
    or what the source calls them (or by number, from 0, where they have neither), or numbers to be predicted.
    """
    from ..boards.romfs_uf2 import romfs_uf2
    from ..conversion.convert import convert
    from ..data.files import check_target, write_atomically
    from ..importers import load

    graph = load(
        source, **{name: options.pop(name) for name in signature(load).parameters if name in options}
    )
    output = output or source.with_suffix(".anne")
    read = _read(graph, options)
    sources = [*graph.metadata.sources, *read.pop("paths"), *(options["test"] or ())]
    sources += [Path(name) for name in (options["labels"], options["feature_names"]) if name]
    dragged = output.with_suffix(".uf2") if uf2 else None
    targets = [check_target(path, sources) for path in (output, plot, dragged) if path]
    if len(set(targets)) < len(targets):
        raise click.UsageError("--output and --plot name the same file, or --output ends in .uf2")
    with progress("calibrates") as tell:
        converted = convert(graph, board=board, progress=tell, **read)
    files = {output: converted.data}
    if plot:
        from ..conversion.plot import error_plot

        files[plot] = error_plot(converted.report)
    if dragged:
        files[dragged] = romfs_uf2({output.name: converted.data}, board)
    for path, content in files.items():
        write_atomically(path, content, sources)
    if as_json:
        uf2_path = {"uf2": str(dragged)} if dragged else {}
        print_json({"output": str(output), **uf2_path, **converted.report.to_json()})
    else:
        _show(converted.report, output)
        if dragged:
            console().print(
                f'{dragged}: drag it onto the board\'s drive; then anne.load("/rom/{output.name}")'
            )
    if not converted.report.fit.fits:
        raise ModelError(f"{output} is written, but does not fit the {board}: {converted.report.fit.reason}")


def _read(graph: Graph, options: dict[str, Any]) -> dict[str, Any]:
    """The options of `convert`, with what is in files in place of their names."""
    read = dict(options, paths=[])
    header, names, features = read.pop("header"), [], graph.metadata.feature_names
    for option in ("labels", "feature_names"):
        if options[option] is not None:
            read[option] = names_of(options[option], f"--{option.replace('_', '-')}")
    if options["test"]:
        x = read_inputs([str(options["test"][0])], graph.input_names, header, features)
        read["test"] = x.values, _answers(graph, options["test"][1], x, header, read["labels"])
        names = x.names
    read["calibrate"] = None
    if options["calibrate"]:
        x = read_inputs(options["calibrate"], graph.input_names, header, features)
        read["calibrate"], names, read["paths"] = x.values, x.names or names, x.paths
    n_features = sum(tensor.size for tensor in graph.input_tensors)
    if not features and read["feature_names"] is None and len(names) == n_features:
        read["feature_names"] = names
    return read


def _answers(graph: Graph, path: Path, x: Given, header: bool | None, labels: list[str] | None) -> Any:
    """The true answers in a file; of several outputs a .npz with their names."""
    if len(graph.outputs) > 1:
        if path.suffix.lower() != ".npz":
            names = ", ".join(graph.output_names)
            raise ModelError(f"{path.name}: the network has several outputs: expected one .npz with {names}")
        return read_arrays(path)
    return read_answers(
        path, x.table or Samples(next(iter(x.values.values()))), header, labels or graph.metadata.labels
    )


def _show(report: Any, output: Path) -> None:
    from ..conversion.report import lines

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
