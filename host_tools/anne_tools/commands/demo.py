"""`anne demo`: the published IRIS networks on a Pico, native beside plain Python."""

from pathlib import Path

import click

from .common import console, json_option, print_json, progress, uf2_option

CYCLE_NOTE = (
    "Times: microseconds on the board's own clock for one sample, median over all rows, lists in and out. In the "
    "emulated Pico (125 MHz, quiet USB) calls count up to 3.7 % too few cycles and flash-cache misses none."
)


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
    from ..demo import run_network
    from ..device import open_device
    from ..errors import ModelError
    from ..networks import published_networks

    networks = published_networks()
    results = []
    with progress(2 * len(networks) + 1, "boots") as done, open_device(where, firmware=uf2) as device:
        done("", 1)
        board = device.describe()
        for name, network in networks.items():
            done(name, 0)
            results.append(run_network(device, network, on_backend=lambda _, name=name: done(name, 1)))
    if as_json:
        print_json({"board": board, "networks": [result.as_json() for result in results]})
    else:
        _show(board, results)
    problems = [problem for result in results for problem in result.problems]
    if problems:
        raise ModelError("not as published:\n" + "\n".join(problems))


def _show(board: str, results: list) -> None:
    from ..demo import ORIGINAL_US

    out = console()
    out.print(f"AI-ANNE's published IRIS networks on {board}\n")
    out.print(_table(results))
    for result in results:
        network = result.network
        out.print(
            f"\n[bold]{network.name}[/bold] predicts (0 versicolor, 1 virginica; wrong ones in brackets)"
        )
        for backend, run in result.runs.items():
            out.print(
                f"  {backend:9} {_marked(run.predictions, network.labels)}", markup=False, soft_wrap=False
            )
        if network.note:
            out.print(f"  {network.note}", soft_wrap=False)
    original = ORIGINAL_US["iris-8"]
    out.print(
        f"\nThe original AI-ANNE takes {original} us for one prediction of iris-8 (measured once, not in this run)."
    )
    out.print(CYCLE_NOTE, soft_wrap=False)


def _table(results: list) -> object:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("network")
    for heading in (
        "right",
        "published",
        "TN",
        "FP",
        "FN",
        "TP",
        "native us",
        "Python us",
        "speed-up",
        "largest diff.",
    ):
        table.add_column(heading, justify="right")
    for result in results:
        native, reference = result.runs["native"], result.runs["reference"]
        (tn, fp), (fn, tp) = native.confusion
        table.add_row(
            f"{result.network.name}: {result.network.title}",
            f"{tn + tp} of {len(result.network.labels)} = {native.accuracy:.0%}",
            result.network.published or "-",
            *map(str, (tn, fp, fn, tp)),
            str(native.median_us),
            str(reference.median_us),
            f"{result.speed_up:.0f} x" if result.speed_up else "-",
            f"{result.largest_difference:.1e}" if result.largest_difference else "0",
        )
    return table


def _marked(predictions: list[int], labels: list[int]) -> str:
    return " ".join(str(p) if p == t else f"({p})" for p, t in zip(predictions, labels, strict=True))
