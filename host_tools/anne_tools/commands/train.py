"""`anne train`: a network from a table, learnt on this computer or on a Pico."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ModelError
from .charts import chart
from .common import (
    Tell,
    board_file_option,
    console,
    header_option,
    json_option,
    place,
    print_json,
    progress,
    uf2_option,
)
from .models import print_table

if TYPE_CHECKING:
    from ..boards.lesson import Judged
    from ..boards.training import Settings, Trained
    from ..data.labelled import Labelled

LOSSES = ("mse", "binary_cross_entropy", "categorical_cross_entropy")
_path = click.Path(path_type=Path)
# What `Trainer.fit` prints while it learns ends with it.
_EPOCH = re.compile(r"epoch (\d+)\s*$")


def _sizes(context: click.Context, option: click.Parameter, text: str) -> list[int]:
    try:
        sizes = [int(size) for size in re.split("[,-]", text)]
    except ValueError:
        sizes = []
    if len(sizes) < 2 or min(sizes) < 1:
        raise click.BadParameter(f"expected numbers of inputs and neurons, such as 4,8,3, got {text!r}")
    return sizes


@click.command(
    "train",
    epilog="\b\nExamples:\n  anne train examples/iris.csv --layers 4,8,3 -o iris.anne"
    "\n  anne train iris.csv --layers 4,8,3 -o iris.anne --on emulator"
    "\n  anne train house.csv --target price --ignore id --layers 7,16,1 -o house.anne --lr 0.003"
    "\n  anne train xor.csv --layers 2,4,1 --activation tanh --test 0 --epochs 500 -o xor.anne"
    "\n\n\b\niris.csv begins like this:\n  sepal length,sepal width,petal length,petal width,species"
    "\n  5.1,3.5,1.4,0.2,setosa",
)
@click.argument("table", type=_path)
@click.option(
    "--layers",
    "sizes",
    required=True,
    metavar="N,N,...",
    callback=_sizes,
    help="How many inputs, then how many neurons each layer has; the last is an output for each class, or 1 for two "
    "classes or for numbers.",
)
@click.option("-o", "--output", required=True, type=_path, help="The model file to write, such as net.anne.")
@click.option(
    "--on",
    "where",
    metavar="host|emulator|PORT",
    help="Where to learn: by the C core on this computer (default), on an emulated Pico, or on a real one on a port.",
)
@click.option("--target", metavar="NAME", help="The column with the answers; default: the last one.")
@click.option("--ignore", "ignored", multiple=True, metavar="NAME", help="A column to leave out.")
@click.option("--epochs", type=click.IntRange(1), default=100, show_default=True, help="Times over all rows.")
@click.option("--lr", type=float, default=0.01, show_default=True, help="How far a step goes.")
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Rows for one step.")
@click.option("--optimizer", type=click.Choice(["adam", "sgd"]), default="adam", show_default=True)
@click.option("--momentum", type=float, default=0.0, show_default=True, help="Of sgd.")
@click.option("--decay", type=float, default=0.0, show_default=True, help="By which weights are drawn to 0.")
@click.option(
    "--loss",
    type=click.Choice(LOSSES),
    help="Default: by the answers, cross-entropy for classes, mse for numbers.",
)
@click.option(
    "--activation",
    default="relu",
    show_default=True,
    metavar="NAME[,NAME...]",
    help="Of all layers but the last, which has softmax, sigmoid or linear, as the loss needs it; or one for each "
    "layer: linear, relu, leaky_relu, sigmoid, tanh, softmax.",
)
@click.option(
    "--scaling",
    type=click.Choice(["standard", "minmax", "none"]),
    default="standard",
    show_default=True,
    help="How columns are made alike; part of the network, which takes values as they are in the table.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 10**9),
    default=0,
    show_default=True,
    help="Of first weights, order and test rows.",
)
@click.option(
    "--test",
    "test_part",
    type=click.FloatRange(0, 0.9),
    default=0.2,
    show_default=True,
    help="Part of the rows that is held out, to judge by; of each class the same part.",
)
@click.option("--plot", type=_path, help="Draw the loss into this .png or .svg (needs ai-anne[plot]).")
@header_option
@board_file_option
@uf2_option
@json_option
def command(
    table: Path,
    sizes: list[int],
    output: Path,
    where: str | None,
    board_file: Path | None,
    uf2: Path | None,
    target: str | None,
    ignored: tuple[str, ...],
    header: bool | None,
    epochs: int,
    test_part: float,
    plot: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Let a network of dense layers learn from TABLE, a .csv file, and write it as a model file.

    Each row of TABLE is an example: numbers, and in the last column the answer, the name of a class or a number. The
    first line names the columns. Classes, names and scaling are saved with the network. The same rows, options and seed
    give the same network here and on a board, but for last digits; a board that has no memory for the rows learns them
    in one order.
    """
    from ..boards.lesson import judge, plan, targets
    from ..boards.training import train
    from ..data.files import check_target, write_atomically
    from ..data.labelled import read_labelled, split

    check_target(output, [table])
    draw = _drawer(plot, [table, output]) if plot else None
    where, board = place(where, "host", board_file, uf2)
    data = read_labelled(table, target, ignored, header)
    if options["scaling"] == "none":
        options["scaling"] = None
    settings = plan(data, sizes, options.pop("activation").split(","), options.pop("loss"), **options)
    learnt, tested = split(data, test_part, settings.seed, by_class=settings.labels is not None)
    if not learnt.answers or (test_part and not tested.answers):
        raise ModelError(
            f"--test {test_part:g}: of {len(data.answers)} rows none is left to learn from, or to test; "
            "--test 0 learns from all"
        )
    save = {"name": output.stem, "feature_names": data.names}
    with progress(f"trains {_chain(sizes)} on {where}") as tell:
        heard = _Heard(tell, f"trains {_chain(sizes)} on {where}", epochs)
        trained = train(
            settings, learnt.x, targets(learnt, settings), epochs, save, where, heard.text, **board
        )
    judged = {
        name: judge(trained.data, rows)
        for name, rows in (("training", learnt), ("test", tested))
        if rows.answers
    }
    write_atomically(output, trained.data, [table])
    if draw:
        draw(trained.losses)
    if as_json:
        print_json(_document(data, settings, trained, judged, output, where))
    else:
        _show(data, settings, trained, judged, heard.first)
        console().print(f"{output}: {len(trained.data)} bytes; now: {_next(output, data)}")


class _Heard:
    """What `Trainer.fit` prints, told as progress; `first` is the line in which it says what it is about to do."""

    def __init__(self, tell: Tell, what: str, epochs: int) -> None:
        self.first, self._tell, self._what, self._epochs = "", tell, what, epochs
        self._start_s = 0.0

    def text(self, line: str) -> None:
        if line.endswith(": reading"):
            self._tell(f"{self._what}: {line} the rows", 0, 0)
        elif not self.first:
            self.first, self._start_s = line, time.monotonic()
            self._tell(f"{self._what}: {line}", 0, 0)
        elif found := _EPOCH.search(line):
            done = int(found[1])
            left_s = (time.monotonic() - self._start_s) / done * (self._epochs - done)
            self._tell(
                f"{self._what}: epoch {done} of {self._epochs}, {_duration(left_s)} left", done, self._epochs
            )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _chain(sizes: Sequence[int]) -> str:
    return "-".join(map(str, sizes))


def _drawer(path: Path, sources: list[Path]) -> Callable[[list[float]], None]:
    """Return what draws losses into `path`. ModelError now, and not after the training, if it could not."""
    from ..conversion.plot import loss_plot
    from ..data.files import check_target, write_atomically

    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise ModelError(f"--plot: expected a name that ends with .png or .svg, got {path.name}")
    check_target(path, sources)
    loss_plot([0.0], kind)
    return lambda losses: write_atomically(path, loss_plot(losses, kind), sources)


def _document(
    data: Labelled, settings: Settings, trained: Trained, judged: dict[str, Judged], output: Path, where: str
) -> dict:
    return {
        "table": str(data.path),
        "rows": len(data.answers),
        "features": data.names,
        "target": data.target,
        "classes": data.counts if settings.labels else None,
        "settings": asdict(settings),
        "on": where,
        "epochs": len(trained.losses),
        "losses": trained.losses,
        "elapsed_s": trained.elapsed_s,
        **{name: one.to_json() for name, one in judged.items()},
        "model": str(output),
        "model_bytes": len(trained.data),
    }


def _show(
    data: Labelled, settings: Settings, trained: Trained, judged: dict[str, Judged], first: str
) -> None:
    out = console()
    for note in data.notes:
        out.print(f"note: {note}")
    counts = ", ".join(f"{name} {n}" for name, n in data.counts.items())
    answers = f"{len(settings.labels)} classes ({counts})" if settings.labels else f"numbers{_named(data)}"
    out.print(f"{data.path.name}: {len(data.answers)} rows, {data.x.shape[1]} columns, answers: {answers}")
    scaled = f"{settings.scaling} scaling" if settings.scaling else "values as they are"
    out.print(
        f"{' '.join(settings.activations)}, {settings.loss}, {settings.optimizer}, lr {settings.lr:g}, "
        f"batch {settings.batch}, {scaled}, seed {settings.seed}"
    )
    out.print(first)
    for line in chart(trained.losses, "epoch", out.encoding):
        out.print(line)
    last = trained.losses[-1]
    out.print(
        f"loss {trained.losses[0]:.4f} to {last:.4f} in {len(trained.losses)} epochs, {trained.elapsed_s:.1f} s"
    )
    for name, one in judged.items():
        told = (
            f"{one.n_right} of {one.n_rows} rows right, {one.accuracy:.1%}"
            if settings.labels
            else f"{one.n_rows} rows, root mean square error {one.rms_error:.4g}"
        )
        out.print(f"{name}: {told}")
    if settings.labels:
        name = "test" if "test" in judged else "training"
        out.print(f"Of the {name} rows, down what they are, across what the network says:")
        columns = ["", *settings.labels]
        rows = [
            [label, *map(str, row)]
            for label, row in zip(settings.labels, judged[name].confusion, strict=True)
        ]
        print_table(out, columns, rows, left=("",))


def _named(data: Labelled) -> str:
    return f", {data.target}" if data.target else ""


def _next(output: Path, data: Labelled) -> str:
    """A command to go on with: the network on the table's first row."""
    values = " ".join(f"{value:g}" for value in data.x[0][:8])
    row = values if data.x.shape[1] <= 8 else "--input x.csv"
    return f"anne run {shlex.quote(str(output))} --on emulator {row}"
