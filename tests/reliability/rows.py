"""The rows of docs/reliability.md: each is one harness, in a short and a long form.

    python tests/reliability/rows.py [--soak] [row ...]

Without --soak the short form, which `make test` runs as well (test_rows.py); with it the long one, whose figures go
into docs/reliability.json. Either writes docs/reliability.md anew.
"""

from __future__ import annotations

import argparse
import json
import sys

import arena
import board
import core
import covered
import crafted_files
import edge_numbers
import heap
import hostile_files
import power_cut
import random_graphs
import riscv
import tflm_kernels
import wrong_use
from figures import FIGURES, PAGE, ReliabilityError, Row, keep, measured, page

ROWS = [
    Row(
        "truncation",
        "truncation at every length",
        "every byte of >= 10 models of all kinds: refused, no sanitizer report",
        core.truncation,
    ),
    Row("bits", "single bit flips, CRC on", "every bit of >= 3 models: all refused", core.bits),
    Row(
        "fields",
        "field mutation, CRC made good again",
        ">= 10,000: refused, or runs inside its bounds",
        core.fields,
    ),
    Row(
        "fuzzer",
        "libFuzzer, load and run, CRC off, mutator that knows the format",
        ">= 100 M runs: no crash, leak, undefined behaviour; no input over 50 ms",
        core.fuzzer,
    ),
    Row(
        "guards",
        "guard bands round arena, scratch, input, output (portable C)",
        "every layer x >= 5,000 shapes: guards intact",
        core.guards,
    ),
    Row(
        "arena",
        "the arena full of 0x00, 0xA5, 0xFF at first; all tensors laid apart",
        ">= 1,000 networks of the converter: no output changes by a bit",
        arena.arena,
    ),
    Row(
        "tflm",
        "kernels against TFLite Micro's reference kernels",
        ">= 1,000 random shapes a layer: integers equal, float <= 1e-5 of the largest",
        tflm_kernels.kernels,
    ),
    Row(
        "coverage",
        "coverage of the portable C (gcov)",
        "loader 100 % of lines and branches, kernels >= 95 % of lines",
        covered.coverage,
    ),
    Row(
        "allocation",
        "allocation failure",
        "every allocation fails once: MemoryError, no byte lost",
        heap.allocation,
    ),
    Row("heap_lock", "`heap_lock` during predict_into", "all layers: no allocation", heap.heap_lock),
    Row(
        "leaks",
        "leaks",
        "10,000 predictions, 1,000 load/close, 1,000 failed loads: free heap equal to the byte",
        heap.leaks,
    ),
    Row(
        "gc",
        "garbage collection between any two calls",
        "all kinds, model buffer dropped: results unchanged",
        heap.collections,
    ),
    Row(
        "ctrl_c",
        "Ctrl-C during predict",
        ">= 100 random moments: KeyboardInterrupt within 50 ms; model usable",
        board.ctrl_c,
    ),
    Row(
        "power_cut",
        "power cut during deploy and save",
        "every flash operation x {clean, torn}: old or new model, CRC good, other files whole",
        power_cut.power_cut,
    ),
    Row("stack", "stack use", "below half of the 8 KB, no recursion", board.stack),
    Row("wrong_use", "wrong use", "an exception, never a reset", wrong_use.wrong_use),
    Row(
        "numbers",
        "numbers at the edges of their types",
        "every float layer, every integer extreme: documented outcome, same on all backends",
        edge_numbers.numbers,
    ),
    Row(
        "pico_soak",
        "a million predictions on the emulated Pico",
        "same checksum, same free heap",
        board.pico_soak,
    ),
    Row(
        "importers",
        "mutated files for the host importers",
        ">= 20,000 a format: only ModelError, <= 1 s and <= 512 MB each",
        hostile_files.importers,
    ),
    Row(
        "crafted",
        "files crafted to cost the host importers time or memory",
        "some of each format, under 1 MB: read or refused in one line, <= 1 s and <= 512 MB each",
        crafted_files.crafted_files,
    ),
    Row(
        "properties",
        "random networks (hypothesis), converted and run",
        "reference, host native and unix port: equal",
        random_graphs.properties,
    ),
    Row(
        "riscv",
        "golden models on the RP2350's RISC-V (QEMU, RV32IMAC)",
        ">= 500 samples each, floats, too: the host's bits",
        riscv.riscv,
    ),
]


def main() -> int:
    """Run the rows that are asked for, all if none is; 1 if one of them fails."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--soak", action="store_true", help="the long form, kept in docs/reliability.json")
    parser.add_argument("rows", nargs="*", metavar="row", help=f"{', '.join(names)}; all if none is named")
    args = parser.parse_args()
    if unknown := set(args.rows) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; rows: {', '.join(names)}")
    status = 0
    for row in ROWS:
        if row.name in (args.rows or names):
            try:
                figures = measured(row, args.soak)
            except FileNotFoundError as missing:  # a program that `make soak` installs or builds
                print(f"{row.name}: left out: {missing}", file=sys.stderr)
                status |= args.soak
                continue
            except ReliabilityError as error:
                print(f"{row.name}: FAILED: {error}", file=sys.stderr)
                status = 1
                continue
            print(
                f"{row.name}: {figures['tried']}: {figures['outcome']} ({figures['seconds']} s)", flush=True
            )
            if args.soak:
                keep({row.name: figures})
    PAGE.write_text(page(ROWS, json.loads(FIGURES.read_text())))
    return status


if __name__ == "__main__":
    sys.exit(main())
