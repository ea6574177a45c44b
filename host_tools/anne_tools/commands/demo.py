"""`anne demo`: the published IRIS networks on a Pico, native beside plain Python."""

from __future__ import annotations

import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .common import console, json_option, print_json, progress, uf2_option

if TYPE_CHECKING:
    from ..boards.demo import BackendRun
    from ..boards.demo_training import Learning, TrainingRun

BACKENDS = {"native": "natively", "reference": "in plain Python"}
NOTES = """\
Predictions: 0 versicolor, 1 virginica; in brackets where it is the other one.
Times: one sample, lists in and out, by the board's clock, median over all rows;
of what learns: one epoch, all rows forward and back, and the losses' difference.
The emulated Pico (125 MHz) counts calls up to 3.7 % too fast and has no
flash-cache misses. original: AI-ANNE's own code, measured once, not in this run."""


@click.command(
    "demo",
    epilog="\b\nExamples:\n  anne demo\n  anne demo --json > demo.json\n  anne demo --on /dev/ttyACM0",
)
@click.option(
    "--on", "where", default="emulator", show_default=True, metavar="emulator|PORT", help="Where to run."
)
@uf2_option
@json_option
def command(where: str, uf2: Path | None, as_json: bool) -> None:
    """Run the published IRIS networks on a Pico with AI-ANNE's firmware, by default an emulated one.

    Each network is run by the native module and by the same functions in plain Python, on the device. Shown are the
    predictions, accuracy, confusion matrix, the largest difference between the two, and the time for one sample. The
    last one learns from its rows there, as published, loss by loss. Exit status 1 if anything differs from the
    published figures.
    """
    from ..boards.demo import run_network
    from ..boards.demo_training import NAME, run_training
    from ..boards.open_device import open_device
    from ..errors import ModelError
    from ..networks import published_networks

    networks = published_networks()
    results = []
    steps = [(name, backend) for name in (*networks, NAME) for backend in BACKENDS]
    with progress(f"starts {where}") as tell, open_device(where, firmware=uf2) as device:
        board = device.describe()

        def begins(name: str, backend: str) -> None:
            tell(f"runs {name} {BACKENDS[backend]}", steps.index((name, backend)), len(steps))

        for name, network in networks.items():
            results.append(run_network(device, network, tuple(BACKENDS), partial(begins, name)))
        training = run_training(device, partial(begins, NAME))
    if as_json:
        document = {"board": board, "networks": [result.as_json() for result in results]}
        print_json({**document, "training": training.as_json()})
    else:
        _show(board, results, training)
    problems = [problem for result in [*results, training] for problem in result.problems]
    if problems:
        raise ModelError("not as published: " + "; ".join(problems))


def _show(board: str, results: list, training: TrainingRun) -> None:
    out = console()
    _print_lines(out, f"AI-ANNE's published IRIS networks, run on\n{board}\n")
    out.print(_table(results, training))
    out.print()
    for result in results:
        network = result.network
        out.print(f"{network.name}: {network.title}, {_chain(network)}")
        if network.note:
            _print_lines(out, _wrapped(network.note))
        _print_lines(out, _predictions(result))
    _print_lines(out, _losses(training))
    _print_lines(out, NOTES)


def _print_lines(out: Any, text: str) -> None:
    for line in text.split("\n"):
        out.print(line)


def _table(results: list, training: TrainingRun) -> object:
    from rich import box
    from rich.table import Table

    from ..boards.demo import ORIGINAL_US
    from ..boards.demo_training import NAME, ORIGINAL_EPOCH_US

    table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("network", no_wrap=True)
    headings = "right", "paper", "TN FP FN TP", "native\nus", "Python\nus", "speed-\nup", "largest\ndiff."
    for heading in (*headings, "original\nus cited"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        native, reference = result.runs["native"], result.runs["reference"]
        table.add_row(
            result.network.name,
            _right(native, result.network.labels),
            result.network.published or "-",
            _counts(native),
            str(native.median_us),
            str(reference.median_us),
            f"{result.speed_up:.0f} x" if result.speed_up else "-",
            f"{result.largest_difference:.0e}",
            str(ORIGINAL_US.get(result.network.name, "-")),
        )
    native, reference = training.runs["native"], training.runs["reference"]
    table.add_row(
        NAME,
        _right(native, training.training.labels),
        training.training.published_accuracy,
        _counts(native),
        f"{native.epoch_us:.0f}",
        f"{reference.epoch_us:.0f}",
        f"{training.speed_up:.0f} x",
        f"{training.largest_difference:.0e}",
        str(ORIGINAL_EPOCH_US),
    )
    return table


def _right(run: BackendRun | Learning, labels: list[int]) -> str:
    (tn, _), (_, tp) = run.confusion
    return f"{tn + tp}/{len(labels)} {run.accuracy:.0%}"


def _counts(run: BackendRun | Learning) -> str:
    (tn, fp), (fn, tp) = run.confusion
    return f"{tn:2} {fp:2} {fn:2} {tp:2}"


def _losses(run: TrainingRun) -> str:
    """Return the losses whose like were published, with those in brackets where they are others."""
    published = run.training.published_losses
    shown = [f"{loss:.4f}" for loss in run.losses.values()]
    expected = [f"{published[epoch]:.4f}" for epoch in run.losses]
    marked = [a if a == b else f"{a} (published: {b})" for a, b in zip(shown, expected, strict=True)]
    epochs = ", ".join(map(str, run.losses))
    told = (
        f"losses of epochs {epochs}{', each as published' if shown == expected else ''}: {' '.join(marked)}"
    )
    first = "-".join(map(str, [run.training.layers[0].n_in, *(layer.n_out for layer in run.training.layers)]))
    return f"{first} learns from the 20 rows, one after the other, {run.training.epochs} epochs\n{_wrapped(told)}\n"


def _chain(network: object) -> str:
    return "-".join(layer.activation for layer in network.layers)


def _predictions(result: object) -> str:
    """Return each backend's predictions, once if all agree; a wrong one is in brackets."""
    labels = result.network.labels
    marked: dict[str, list[str]] = {}
    for name, run in result.runs.items():
        text = "".join(f" {p} " if p == t else f"({p})" for p, t in zip(run.predictions, labels, strict=True))
        marked.setdefault(text, []).append(name)
    lines = []
    for text, names in marked.items():
        lines.append(f"  predictions of {' and '.join(names)}:")
        lines += ["  " + text[start : start + 75].rstrip() for start in range(0, len(text), 75)]
    return "\n".join(lines) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 78, initial_indent="  ", subsequent_indent="  ")
