#!/usr/bin/env python3
"""This project's kernels beside what else could do their work, in one run on one emulated Pico (`make bench`).

usage: compare.py [--quick] [--firmware anne-bench.uf2] [--output bench.json] [--plot bench.svg]

The firmware is anne-pico with the module `_bench` (mod_bench.c), which counts the core's cycles. Every result is
compared with the right one, computed here; a wrong one ends the run. With --output, what `anne bench` wrote there is
kept and the records are added.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.open_device import open_device
from anne_tools.commands.common import console, flash_told
from anne_tools.commands.models import print_table, step_progress
from anne_tools.data.files import write_atomically
from anne_tools.errors import DeviceError, ModelError
from cases import Bench, Case
from dense_kernels import kernel_tasks, measure_own, measure_peer
from mlperf_tiny import MODELS, measure_mlperf
from whole_models import measure_autoencoder, measure_small_net

ROOT = Path(__file__).resolve().parent.parent


def check_counter(bench: Bench) -> None:
    """ModelError unless a loop of 3 cycles a round takes 3 cycles a round."""
    rounds = (1000, 100_000)
    cycles = [
        bench.cycles(
            Case(
                "the counter",
                "spin",
                [("I", np.array([n], np.uint32)), ("", np.zeros(4, np.uint8))],
                np.zeros(1, np.int32),
            )
        )
        for n in rounds
    ]
    if cycles[1] - cycles[0] != 3 * (rounds[1] - rounds[0]):
        raise ModelError(f"the cycle counter is wrong: loops of {rounds} rounds took {cycles} cycles")


def run(device: EmulatedDevice, quick: bool = False) -> list[dict[str, Any]]:
    """Return all records. ModelError for a result that is wrong."""
    if device.exec("try:\n import _bench;print(1)\nexcept ImportError:print(0)").strip() != "1":
        raise ModelError("this firmware has no module _bench; build the target anne-bench")
    bench, flash = Bench(device), device.flash
    check_counter(bench)
    tasks = kernel_tasks(quick)
    records = []
    with step_progress("compares") as tell:
        for done, (task, n_in, n_out) in enumerate(tasks):
            measured = measure_own if isinstance(task, str) else measure_peer
            records.append(measured(bench, task, n_in, n_out))
            tell(done + 1, len(tasks) + 2)
        records += measure_small_net(bench)
    if not quick:
        with step_progress("runs whole models") as tell:
            records.append(measure_autoencoder(bench))
            for done, name in enumerate(MODELS):
                tell(done, len(MODELS))
                records += measure_mlperf(bench, name)
    return [{**record, "flash": flash} for record in records]


def show(records: list[dict[str, Any]]) -> None:
    """Print the tables."""
    out = console()
    shapes_found = sorted(
        {tuple(r["shape"]) for r in records if "kernel" in r}, key=lambda s: (s[0] != s[1], s)
    )
    lines = list(dict.fromkeys((r["kernel"], r["peer"]) for r in records if "kernel" in r))
    by_key = {(r["kernel"], r["peer"], tuple(r["shape"])): r for r in records if "kernel" in r}
    out.print("Cycles per multiply-accumulate of a matrix-vector product (- left out):")
    rows = []
    for kernel, peer in lines:
        cells = [by_key.get((kernel, peer, shape), {}) for shape in shapes_found]
        rows.append([kernel, peer or "AI-ANNE", *(_figure(c.get("cycles_per_mac"), 2) for c in cells)])
        if any(c.get("flash_cycles_per_mac") for c in cells):
            figures = (_figure(c.get("flash_cycles_per_mac"), 2) for c in cells)
            rows.append([kernel, "AI-ANNE, weights in flash", *figures])
    columns = ["kernel", "by", *(f"{a}x{b}" for a, b in shapes_found)]
    print_table(out, columns, rows, left=("kernel", "by"))
    out.print(
        "Left out are peers that would take minutes of emulated time, and float32 beyond the flash (640x640)."
    )
    out.print("Whole models, called from MicroPython with arrays in and out:")
    rows = [
        [
            r["model"],
            r["peer"] or "AI-ANNE",
            f"{r['ms']:.4f}",
            _figure(r.get("flash_ms"), 4),
            "" if r["arena_bytes"] is None else str(r["arena_bytes"]),
        ]
        for r in records
        if "model" in r
    ]
    print_table(out, ["model", "by", "ms", "ms in flash", "RAM bytes"], rows, left=("model", "by"))


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def main() -> int:
    """Measure, print, write; 1 with a line on stderr for a wrong result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small shape and the small network only")
    parser.add_argument("--firmware", default=str(ROOT / "build" / "anne-bench.uf2"))
    parser.add_argument("--output", type=Path, help="JSON document to add the records to")
    parser.add_argument("--plot", type=Path, help="SVG of the cycles over n")
    arguments = parser.parse_args()
    try:
        with open_device("emulator", firmware=arguments.firmware, flash_cache=None) as device:
            print(flash_told(device.flash))
            records = run(device, arguments.quick)
        show(records)
        if arguments.output:
            write_atomically(
                arguments.output, json.dumps(merged(arguments.output, records), indent=1).encode()
            )
        if arguments.plot:
            from anne_tools.conversion.plot import growth_plot

            write_atomically(arguments.plot, growth_plot(records))
    except (DeviceError, ModelError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 1
    return 0


def merged(path: Path, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the document at `path` with the records in front of its models; kernels only as measured here."""
    document = json.loads(path.read_text()) if path.exists() else {"results": []}
    models = [r for r in document["results"] if "model" in r]
    return {**document, "results": [*records, *models]}


if __name__ == "__main__":
    sys.exit(main())
