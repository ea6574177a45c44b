#!/usr/bin/env python3
"""Measure the constants of anne_tools/boards/prices_rp2040.py on the emulated Pico and write them there (`make costs`).

usage: measure_costs.py [FIRMWARE.uf2]

Models with many layers, each kernel in many sizes, are run by the firmware (`Model.profile`). The constants are the
least-squares solution for relative errors, none below 0; the worst deviation of each line is written beside it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from anne.model_file import KINDS
from anne_tools.boards import costs, prices_rp2040
from anne_tools.boards.bench import Benchmark, bench
from anne_tools.boards.device import Device
from anne_tools.boards.open_device import open_device
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import DTYPES, quantize
from anne_tools.cores.files import open_model
from anne_tools.errors import ModelError
from anne_tools.layers import Dense, room
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.prices import Cost
from anne_tools.network.activations import ACTIVATIONS

TABLE = Path(prices_rp2040.__file__)

# The sizes of dense layers one after another, so that each pair of neighbours is a layer: every number of rows left
# over from blocks, odd columns, and large ones both ways round. A second model has layers of several panels.
# fmt: off
CHAIN = (1, 1, 4, 8, 3, 16, 16, 4, 2, 3, 2, 1, 8, 1, 64, 10, 64, 32, 128, 16, 5, 30, 7, 100, 128, 12, 13, 14, 15)
# fmt: on
PLAIN_CHAIN = (1, 1, 4, 8, 3, 16, 16, 4, 2, 3, 2, 1, 8, 1, 64, 10, 64, 32, 5, 30, 7, 40)
LONG_CHAIN = {
    "s8_quad": (640, 64, 600, 12),
    "s8_f32": (640, 64, 600, 12),
    "s4": (300, 64, 300, 12),
    "f32_aligned": (400, 20, 200, 20),
    Dense.ALIGNED_RELU: (400, 20, 200, 20),
    "s16": (400, 32, 200, 33),
}
# A kernel of dense layers, and the dtype of a conversion that leads to it.
KERNELS = Dense.DTYPES | {Dense.ALIGNED_RELU: "float32"}
CALLS = ((4, 8), (10, 64), (64, 10), (128, 32))
ELEMENTS = (3, 16, 64)
RANDOM = np.random.default_rng(1)
TERMS = [field.name for field in fields(Cost)]
Rows = list[tuple[tuple[float, ...], float]]


class Prices(dict[str, Cost]):
    """A chip's prices, of which a new kind has none yet: its layers are taken for short ones until it is measured."""

    def __missing__(self, name: str) -> Cost:
        return Cost(base=1000)


def measured(device: Device, builder: GraphBuilder, dtype: str) -> tuple[Benchmark, bytes]:
    """The graph as it was built, without passes, quantised on random inputs and run."""
    graph = builder.build()
    x = RANDOM.normal(0, 1, (64, *graph.tensors[graph.inputs[0]].shape))
    data = pack(quantize(graph, dtype, x))
    return bench(device, data, "", budget_ms=50), data


def solve(rows: Rows) -> tuple[np.ndarray, float]:
    """Constants by least squares on relative errors, none negative, and the worst relative error."""
    terms, cycles = (np.array(part, float) for part in zip(*rows, strict=True))
    used = [i for i in range(terms.shape[1]) if terms[:, i].any()]
    relative = terms / cycles[:, None]
    while True:
        found = np.linalg.lstsq(relative[:, used], np.ones(len(cycles)), rcond=None)[0]
        if found.min() >= 0:
            break
        del used[int(found.argmin())]
    constants = np.zeros(terms.shape[1])
    constants[used] = found
    return constants, float(np.abs(relative @ constants - 1).max())


class Table:
    """The lines to be written, and the worst deviation."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.worst = (0.0, "")

    def add(self, text: str, name: str, off: float) -> None:
        """Take a line of the table and print it."""
        self.lines += [f"    # within {100 * off:.1f} %", f"    {text},"]
        self.worst = max(self.worst, (off, name))
        print(*self.lines[-2:], sep="\n", flush=True)

    def fit(self, name: str, rows: Rows) -> None:
        """Solve for a Cost and take it."""
        constants, off = solve(rows)
        given = [f"{term}={value:.4g}" for term, value in zip(TERMS, constants, strict=True) if value]
        self.add(f'"{name}": Cost({", ".join(given)})', name, off)

    def keep(self, prices: Mapping[str, Cost]) -> None:
        """Take those prices that nothing here has measured as they are: what no small network shows."""
        for name, price in prices.items():
            if not any(line.startswith(f'    "{name}":') for line in self.lines):
                given = {field.name: getattr(price, field.name) for field in fields(price)}
                terms = ", ".join(f"{term}={value:.4g}" for term, value in given.items() if value)
                self.lines += ["    # estimated", f'    "{name}": Cost({terms}),']

    def begin(self, name: str) -> None:
        """Begin a dictionary."""
        self.lines.append(f"{name} = {{")

    def end(self) -> None:
        """End it."""
        self.lines.append("}")


# --- What is measured -----------------------------------------------------------------------------------------------


def dense_chain(kernel: str, chain: tuple[int, ...]) -> GraphBuilder:
    """Dense layers one after another, with weights that lead to the kernel."""
    builder = GraphBuilder((chain[0],))
    for i, (n_in, n_out) in enumerate(pairwise(chain)):
        weights = RANDOM.normal(0, n_in**-0.5, (n_out, n_in))
        if kernel == "f32":  # a column apart, so that layouts.choose takes f32
            weights[:, 1:] *= 1e-4
            weights[:, 0] += 1
        activation = "relu" if kernel == Dense.ALIGNED_RELU else "linear"
        builder.dense(f"dense_{i}", weights, RANDOM.normal(0, 0.1, n_out), activation)
    return builder


def measure_dense(device: Device, table: Table) -> None:
    """Each dense kernel."""
    for kernel, dtype in KERNELS.items():
        rows: Rows = []
        chains = [PLAIN_CHAIN if kernel == "f32" else CHAIN] * (3 if dtype.startswith("int") else 1)
        if kernel in LONG_CHAIN:
            chains.append(LONG_CHAIN[kernel])
        for chain in chains:
            result, data = measured(device, dense_chain(kernel, chain), dtype)
            for layer, time in zip(open_model(data).layers, result.layers, strict=True):
                # one column is never apart from others, and what it costs to rescale depends on that one value
                if Dense.price_name(layer) == kernel and layer.inputs[0].size > 1:
                    rows.append((Cost.terms(**Dense.counts(layer) | {"macs": 0}), time.cycles))
        table.fit(kernel, rows)


def measure_activations(device: Device, table: Table) -> dict[str, tuple[float, float]]:
    """Activations of integers into the table; those of floats returned: cycles an element, and how well that fits."""
    names: dict[str, list[str]] = {"float32": list(ACTIVATIONS), "int16": ["tanh", "softmax"]}
    names["int8"] = [*names["int16"], "log_softmax"]
    rows: dict[str, Rows] = {}
    for dtype, activations in names.items():
        for n in ELEMENTS:
            builder = GraphBuilder((4,))
            # dense layers between them, for values as networks have them
            for i, name in enumerate(activations):
                spread = 4 if name == "log_softmax" else 1  # which is integers only where answers are clear
                builder.dense(f"spread_{i}", RANDOM.normal(0, spread, (n, 4)), RANDOM.normal(0, 0.5, n))
                builder.activation(f"activation_{i}", name)
                builder.dense(f"narrow_{i}", RANDOM.normal(0, n**-0.5, (4, n)), RANDOM.normal(0, 0.5, 4))
            result, _ = measured(device, builder, dtype)
            for name, layer in zip(activations, result.layers[1::3], strict=True):
                rows.setdefault(f"{name} {dtype}", []).append((Cost.terms(0, n), layer.cycles))
    for dtype in ("int8", "int16"):
        table.fit(f"activation {dtype}", rows[f"tanh {dtype}"])
        table.fit(f"softmax {dtype}", rows[f"softmax {dtype}"])
    table.fit("log_softmax int8", rows["log_softmax int8"])
    base = solve(rows["relu float32"])[0][0]  # linear has none: it does nothing
    table.add(f'"activation float32": Cost(base={base:.4g})', "activation float32", 0.0)
    return {name: an_element(rows[f"{name} float32"], base) for name in ACTIVATIONS}


def an_element(rows: Rows, base: float) -> tuple[float, float]:
    """Cycles an element above a common base, and the worst relative error."""
    n, cycles = np.array([terms[2] for terms, _ in rows], float), np.array([c for _, c in rows], float)
    price = max(0.0, float(np.linalg.lstsq((n / cycles)[:, None], 1 - base / cycles, rcond=None)[0][0]))
    return price, float(np.abs((base + price * n) / cycles - 1).max())


def measure_calls(device: Device, table: Table) -> dict[str, Rows]:
    """Scalings into the table; what `predict` takes beside the layers is returned."""
    calls: dict[str, Rows] = {"float32": [], "integer": []}
    for dtype in ("float32", "int8", "int16"):
        scalings: Rows = []
        for n_in, n_out in CALLS:
            for scaled in (True, False):
                builder = GraphBuilder((n_in,))
                if scaled:
                    builder.scaling("scaling", np.full(n_in, 0.5), np.full(n_in, 0.25))
                builder.dense("dense", RANDOM.normal(0, 1, (n_out, n_in)), RANDOM.normal(0, 1, n_out))
                result, _ = measured(device, builder, dtype)
                cycles = [layer.cycles for layer in result.layers]
                if scaled:
                    scalings.append((Cost.terms(0, n_in), cycles[0]))
                else:
                    kind = "float32" if dtype == "float32" else "integer"
                    call = result.predict_us * result.clock_hz / 1e6 - sum(cycles)
                    calls[kind].append((Cost.terms(n_in, n_out), call))
        table.fit(f"scaling {dtype}", scalings)
    return calls


def measure_kinds(device: Device, table: Table) -> None:
    """The kinds that say how (`Layer.timed`), in a small network: dense layers give what they read, and read it."""
    for kind in (room(word) for word in KINDS.values()):
        rows: dict[str, Rows] = {}
        for dtype in DTYPES if kind.timed else ():
            for n in (*ELEMENTS, *kind.timed_larger):
                builder = GraphBuilder((4,))
                for i in range(4 if n <= ELEMENTS[-1] else 1):  # large ones once, as memory has it
                    at = builder.last
                    inputs = [
                        builder.dense(f"{i}_{k}", RANDOM.normal(0, 1, (n, 4)), RANDOM.normal(0, 1, n), at=at)
                        for k in range(kind.n_inputs or 2)
                    ]
                    kind.timed(builder, inputs)
                    builder.reshape(f"flat_{i}", (-1,))
                    n_read = builder.last.size
                    builder.dense(
                        f"narrow_{i}", RANDOM.normal(0, n_read**-0.5, (4, n_read)), RANDOM.normal(0, 0.5, 4)
                    )
                try:
                    result, data = measured(device, builder, dtype)
                except ModelError:
                    break  # a kind that has no such type
                for layer, time in zip(open_model(data).layers, result.layers, strict=True):
                    if room(layer.kind) is kind:
                        terms = Cost.terms(**kind.counts(layer))
                        rows.setdefault(kind.price_name(layer), []).append((terms, time.cycles))
        for name, found in rows.items():
            table.fit(name, found)


def measure(device: Device) -> Table:
    """Measure everything; some minutes."""
    before = costs.CHIPS["rp2040"].kernels
    costs.CHIPS["rp2040"] = replace(costs.CHIPS["rp2040"], kernels=Prices(before))
    table = Table()
    table.begin("KERNELS: dict[str, Cost]")
    measure_dense(device, table)
    activations = measure_activations(device, table)
    calls = measure_calls(device, table)
    measure_kinds(device, table)
    table.keep(before)
    table.end()
    table.begin("ACTIVATIONS: dict[str, float]")
    for name, (price, off) in activations.items():
        table.add(f'"{name}": {price:.4g}', name, off)
    table.end()
    table.begin("CALL: dict[str, Cost]")
    for kind, rows in calls.items():
        table.fit(kind, rows)
    table.end()
    return table


def write(lines: list[str]) -> None:
    """Put the lines between the comments of prices_rp2040.py. ValueError if it has none."""
    inner = "".join(f"{line}\n" for line in lines)
    new, n = re.subn(
        r"(# begin measured.*?\n).*?(# end measured\n)",
        lambda match: match[1] + inner + match[2],
        TABLE.read_text(),
        flags=re.S,
    )
    if n != 1:
        raise ValueError(f"{TABLE}: expected the comments that begin and end what is measured")
    TABLE.write_text(new)


def main() -> None:
    """Measure, write, say how far off the worst is."""
    firmware = sys.argv[1] if len(sys.argv) > 1 else None
    with open_device("emulator", firmware=firmware, flash_cache=None) as device:
        device.machine.set_flash_miss_cycles(0)  # which code is in the cache differs from build to build
        table = measure(device)
    write(table.lines)
    print(f"written to {TABLE}; worst: {table.worst[1]}, {100 * table.worst[0]:.1f} %")


if __name__ == "__main__":
    main()
