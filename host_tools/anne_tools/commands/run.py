"""`anne run`: one network, and what it says."""

from pathlib import Path

import click

from .common import console, json_option, print_json, uf2_option


@click.command(
    "run",
    epilog="\b\nExamples:\n  anne run iris-8\n  anne run iris-6-relu --on /dev/ttyACM0\n"
    "  anne run iris-4-4-2-1 --on reference --json",
)
@click.argument("network")
@click.option(
    "--on",
    "where",
    default="emulator",
    show_default=True,
    metavar="emulator|PORT|reference",
    help="An emulated Pico, a real one on a port, or plain Python on this computer.",
)
@uf2_option
@json_option
def command(network: str, where: str, uf2: Path | None, as_json: bool) -> None:
    """Run one of AI-ANNE's published networks on its rows of IRIS data.

    NETWORK is iris-8, iris-6, iris-6-relu or iris-4-4-2-1. Exit status 1 if the result is not the published one.
    """
    from ..demo import run_network, run_reference
    from ..device import open_device
    from ..errors import ModelError
    from ..networks import published_network

    chosen = published_network(network)
    if where == "reference":
        result = run_reference(chosen)
    else:
        with open_device(where, firmware=uf2) as device:
            result = run_network(device, chosen, ("native",))
    if as_json:
        print_json({"on": where, **result.as_json()})
    else:
        _show(result, where)
    if result.problems:
        raise ModelError("not as published:\n" + "\n".join(result.problems))


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
