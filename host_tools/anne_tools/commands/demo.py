"""`anne demo`: the published IRIS networks on a Pico, native beside plain Python."""

import textwrap
from pathlib import Path
from typing import Any

import click

from .common import console, json_option, print_json, progress, uf2_option

BACKENDS = {"native": "natively", "reference": "in plain Python"}
NOTES = """\
Predictions: 0 versicolor, 1 virginica; in brackets where it is the other one.
Times: one sample, lists in and out, by the board's clock, median over all rows.
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
    predictions, accuracy, confusion matrix, the largest difference between the two, and the time for one sample. Exit
    status 1 if anything differs from the published figures.
    """
    from ..boards.demo import run_network
    from ..boards.open_device import open_device
    from ..errors import ModelError
    from ..networks import published_networks

    networks = published_networks()
    results = []
    steps = [(name, backend) for name in networks for backend in BACKENDS]
    with progress(f"starts {where}") as tell, open_device(where, firmware=uf2) as device:
        board = device.describe()
        for name, network in networks.items():

            def begins(backend: str, name: str = name) -> None:
                tell(f"runs {name} {BACKENDS[backend]}", steps.index((name, backend)), len(steps))

            results.append(run_network(device, network, tuple(BACKENDS), begins))
    if as_json:
        print_json({"board": board, "networks": [result.as_json() for result in results]})
    else:
        _show(board, results)
    problems = [problem for result in results for problem in result.problems]
    if problems:
        raise ModelError("not as published: " + "; ".join(problems))


def _show(board: str, results: list) -> None:
    out = console()
    _print_lines(out, f"AI-ANNE's published IRIS networks, run on\n{board}\n")
    out.print(_table(results))
    out.print()
    for result in results:
        network = result.network
        out.print(f"{network.name}: {network.title}, {_chain(network)}")
        if network.note:
            _print_lines(out, _wrapped(network.note))
        _print_lines(out, _predictions(result))
    _print_lines(out, NOTES)


def _print_lines(out: Any, text: str) -> None:
    for line in text.split("\n"):
        out.print(line)


def _table(results: list) -> object:
    from rich import box
    from rich.table import Table

    from ..boards.demo import ORIGINAL_US

    table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("network", no_wrap=True)
    headings = "right", "paper", "TN FP FN TP", "native\nus", "Python\nus", "speed-\nup", "largest\ndiff."
    for heading in (*headings, "original\nus cited"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        native, reference = result.runs["native"], result.runs["reference"]
        (tn, fp), (fn, tp) = native.confusion
        table.add_row(
            result.network.name,
            f"{tn + tp}/{len(result.network.labels)} {native.accuracy:.0%}",
            result.network.published or "-",
            f"{tn:2} {fp:2} {fn:2} {tp:2}",
            str(native.median_us),
            str(reference.median_us),
            f"{result.speed_up:.0f} x" if result.speed_up else "-",
            f"{result.largest_difference:.0e}",
            str(ORIGINAL_US.get(result.network.name, "-")),
        )
    return table


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
