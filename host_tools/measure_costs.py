#!/usr/bin/env python3
"""Measure the constants of anne_tools/costs.py on the emulated Pico: prints the table's lines, with how well they fit.

usage: measure_costs.py [FIRMWARE.uf2]

Layers of several sizes are run by the firmware (`Model.profile`); the constants are the least-squares solution for
relative errors, none below 0.
"""

from __future__ import annotations

import sys

import numpy as np
from anne_tools.bench import Benchmark, bench
from anne_tools.device import Device, open_device
from anne_tools.graph import ACTIVATIONS, GraphBuilder
from anne_tools.pack import pack
from anne_tools.quantize import quantize

# (n_in, n_out): from the smallest to what a Pico can hold, both ways round
DENSE = (
    (1, 1),
    (4, 8),
    (8, 4),
    (8, 1),
    (3, 16),
    (16, 16),
    (64, 10),
    (10, 64),
    (32, 32),
    (128, 16),
    (16, 128),
    (128, 128),
)
PLAIN = ((4, 8), (8, 1), (3, 16), (64, 10), (32, 32))
ELEMENTS = (1, 4, 16, 64, 200)
# a kernel and the dtype of a conversion that leads to it
KERNELS = {
    "f32_aligned": "float32",
    "f32": "float32",
    "s8_f32": "int8-weights",
    "s16": "int16",
    "s8_quad": "int8",
    "s4": "int4",
}
RANDOM = np.random.default_rng(1)
Rows = list[tuple[list[float], float]]


def measured(device: Device, builder: GraphBuilder, dtype: str) -> Benchmark:
    """The graph as it was built, without passes, quantised on random inputs and run."""
    graph = builder.build()
    x = RANDOM.normal(0, 1, (64, *graph.tensors[graph.inputs[0]].shape))
    return bench(device, pack(quantize(graph, dtype, x)), "")


def solve(rows: Rows) -> np.ndarray:
    """Constants by least squares on relative errors; the most negative is left out until there is none."""
    columns, cycles = (np.array(part, float) for part in zip(*rows, strict=True))
    used = list(range(columns.shape[1]))
    while (
        found := np.linalg.lstsq(columns[:, used] / cycles[:, None], np.ones(len(cycles)), rcond=None)[0]
    ).min() < 0:
        del used[int(found.argmin())]
    constants = np.zeros(columns.shape[1])
    constants[used] = found
    return constants


def show(name: str, rows: Rows) -> None:
    """Print one line of a table."""
    constants = solve(rows)
    off = max(abs(np.dot(columns, constants) / cycles - 1) for columns, cycles in rows)
    print(
        f'        "{name}": Cost({", ".join(f"{c:.4g}" for c in constants)}),  # off by at most {off:.0%}',
        flush=True,
    )


def measure_dense(device: Device) -> None:
    """Dense kernels, the scaling before them, and what `predict` takes beside the layers."""
    scalings: dict[str, Rows] = {}
    calls: dict[str, Rows] = {}
    for kernel, dtype in KERNELS.items():
        is_float = kernel in ("f32_aligned", "f32", "s8_f32")
        target = "float32" if is_float else "int16" if dtype == "int16" else "int8"
        rows: Rows = []
        for n_in, n_out in DENSE if kernel != "f32" else PLAIN:
            for scaled in (True, False):
                builder = GraphBuilder((n_in,))
                if scaled:
                    builder.scaling("scaling", np.full(n_in, 0.5), np.full(n_in, 0.25))
                weights = RANDOM.normal(0, 1, (n_out, n_in))
                weights[:, 0] *= (
                    1e4 if kernel == "f32" else 1.0
                )  # a column apart, so that layouts.choose takes f32
                builder.dense("dense", weights, RANDOM.normal(0, 1, n_out))
                result = measured(device, builder, dtype)
                cycles = [layer.cycles for layer in result.layers]
                rows.append(([1, n_in, n_out, n_in * n_out], cycles[-1]))
                if scaled:
                    scalings.setdefault(target, []).append(([1, 0, n_in], cycles[0]))
                call = result.predict_us * result.clock_hz / 1e6 - sum(cycles)
                if is_float or not scaled:
                    calls.setdefault("float32" if is_float else "integer", []).append(
                        ([1, n_in, n_out], call)
                    )
        show(kernel, rows)
    for target, rows in scalings.items():
        show(f"scaling {target}", rows)
    for target, rows in calls.items():
        show(f"call, {target}", rows)


def measure_activations(device: Device) -> None:
    """Activations as layers of their own; for floats the price of an element."""
    tasks = [("float32", name) for name in ACTIVATIONS]
    tasks += [(dtype, name) for dtype in ("int8", "int16") for name in ("tanh", "softmax")]
    for dtype, name in tasks:
        rows: Rows = []
        for n in ELEMENTS:
            builder = GraphBuilder((n,))
            builder.activation("activation", name)
            rows.append(([1, 0, n], measured(device, builder, dtype).layers[0].cycles))
        show(f"{name} {dtype}", rows)


def main() -> None:
    """Measure everything; some minutes."""
    with open_device("emulator", firmware=sys.argv[1] if len(sys.argv) > 1 else None) as device:
        measure_dense(device)
        measure_activations(device)


if __name__ == "__main__":
    main()
