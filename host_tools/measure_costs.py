#!/usr/bin/env python3
"""Measure the constants of anne_tools/boards/prices_rp2040.py on the emulated Pico and write them there (`make costs`).

usage: measure_costs.py [FIRMWARE.uf2] [--only GROUP,GROUP]
       measure_costs.py --pico2 [--only GROUP,GROUP]

Models with many layers, each kernel in many sizes (measured_models.py), are run by the firmware (`Model.profile`). The
constants are the least-squares solution for relative errors, none below 0. docs/costs.md tells how far off the layers
are that each price was made of, and those of the golden models, which had no part in it. With --only some groups are
measured and nothing is written: `--only Multiply,Prelu`.

With --pico2 it is the instructions of a Cortex-M33 under QEMU (cortex_m33.py), written into prices_rp2350.py and
docs/costs_pico2.md; what `predict` itself takes is not measured there.
"""

from __future__ import annotations

import argparse
import json
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import cortex_m33
import numpy as np
from anne.model_file import Layer
from anne_tools.boards import costs, prices_rp2040, prices_rp2350
from anne_tools.boards.bench import bench
from anne_tools.boards.device import Device
from anne_tools.boards.open_device import open_device
from anne_tools.cores.files import open_model
from anne_tools.cores.numbers import quantize_input
from anne_tools.cores.packed import packed
from anne_tools.layers import room
from anne_tools.layers.prices import Chip, Cost
from anne_tools.network.activations import ACTIVATIONS
from measured_models import groups

# Of each chip its prices, and the page that tells how far off they are.
DOCS = Path(__file__).resolve().parent.parent / "docs"
TABLES = {
    "rp2040": (Path(prices_rp2040.__file__), DOCS / "costs.md"),
    "rp2350": (Path(prices_rp2350.__file__), DOCS / "costs_pico2.md"),
}
GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "models"
CLOCK_HZ = 125_000_000
TERMS = [field.name for field in fields(Cost)]
# Where a model is put into the flash, behind the firmware, and read from into RAM: much quicker than a file.
FLASH_OFFSET = 0xB0000
# Runs each layer, short ones several times, as the clock counts in microseconds; prints microseconds of each.
ON_PICO = """
import anne, gc, json, uctypes
net = x = None  # those of the model before
gc.collect()
net = anne.load(bytes(uctypes.bytearray_at(0x10000000 + %d, %d)))
x = %r
net._core.set_input(x[0] if len(x) == 1 else x)
def us(i):
    once = net._core.layer_us(i, 1)
    return once if once > 1000 else net._core.layer_us(i, 20) / 20
print(json.dumps([us(i) for i in range(%d)]))
"""
# What runs a model: its layers, and the cycles that each took.
Run = Callable[[bytes], list[tuple[Layer, float]]]
# Layers by the name of their price, with the cycles they took.
Layers = dict[str, list[tuple[Layer, float]]]
# The parts of a price: how often each term occurs, and cycles in all.
Rows = list[tuple[tuple[float, ...], float]]
# The layers of golden models, by their names.
Golden = Mapping[str, list[tuple[Layer, float]]]


class Prices(dict[str, Cost]):
    """A chip's prices, of which a new kind has none yet: its layers are taken for short ones until it is measured."""

    def __missing__(self, name: str) -> Cost:
        return Cost(base=1000)


# --- What was measured -----------------------------------------------------------------------------------------------


def price_name(layer: Layer, chip: Chip) -> str:
    """The name of a layer's price on that chip; of an activation of floats its own."""
    name, _ = room(layer.kind).priced_as(layer, chip)
    return f"activation {layer.activation}" if name == "activation float32" else name


def is_typical(layer: Layer, group: str) -> bool:
    """Whether a layer is measured where it stands. A dense layer is only in chains of its kernel, where values are as
    usual, and not with one column: that is never apart from others, and rescaling depends on that one value.
    """
    if layer.kind != "dense":
        return True
    return group == f"dense {room(layer.kind).price_name(layer)}" and layer.inputs[0].size > 1


def run_on_pico(device: Device, data: bytes) -> list[tuple[Layer, float]]:
    """Return a model's layers and their cycles, on inputs of 0.5: with 0 floats are faster than on real data."""
    file = open_model(data)
    device.machine.write_flash(FLASH_OFFSET, data)
    x = [[0.5] * tensor.size for tensor in file.inputs]
    told = device.exec(ON_PICO % (FLASH_OFFSET, len(data), x, len(file.layers)), timeout_s=600)
    return [(layer, us * CLOCK_HZ / 1e6) for layer, us in zip(file.layers, json.loads(told), strict=True)]


def run_on_m33(elf: bytes, data: bytes) -> list[tuple[Layer, float]]:
    """Return the same of the Pico 2's processor core, in instructions, with weights in RAM as it likes them best."""
    file = open_model(data)
    x = packed([quantize_input(np.full((1, *tensor.shape), 0.5), tensor) for tensor in file.inputs])
    (answer,), _ = cortex_m33.run(elf, [(data, x)], own=True)
    return list(zip(file.layers, map(float, answer.layers[0]), strict=True))


def run_call(device: Device, data: bytes) -> tuple[str, tuple[float, ...], float]:
    """Return what the call of `predict` takes beside the layers: the price's name, its terms, cycles."""
    file, result = open_model(data), bench(device, data, "", budget_ms=15)
    terms = Cost.terms(n_in=file.inputs[0].size, n_out=file.outputs[0].size)
    cycles = result.predict_us * result.clock_hz / 1e6 - sum(layer.cycles for layer in result.layers)
    return ("float32" if file.inputs[0].dtype == "float32" else "integer"), terms, cycles


def measure(run: Run, only: set[str], device: Device | None, chip: Chip) -> tuple[Layers, dict[str, Rows]]:
    """Return layers of the groups in `only`, or of all, and calls, where there is a device for them."""
    layers: Layers = {}
    calls: dict[str, Rows] = {}
    for group, models in groups():
        if only and not only & {group.lower(), group.split()[0].lower()}:
            continue
        print(f"measuring {group}", flush=True)
        for data in models():
            if group == "call" and device is None:
                continue
            if group == "call":
                kind, terms, cycles = run_call(device, data)
                calls.setdefault(kind, []).append((terms, cycles))
                continue
            for layer, cycles in run(data):
                if is_typical(layer, group):
                    layers.setdefault(price_name(layer, chip), []).append((layer, cycles))
    return layers, calls


# --- Prices ----------------------------------------------------------------------------------------------------------


def solve(rows: Rows, known: float = 0.0) -> np.ndarray:
    """Constants by least squares on relative errors, none negative, beside a `known` base."""
    terms, cycles = (np.array(part, float) for part in zip(*rows, strict=True))
    used = [i for i in range(terms.shape[1]) if terms[:, i].any()]
    relative, constants = terms / cycles[:, None], np.zeros(terms.shape[1])
    while used:
        found = np.linalg.lstsq(relative[:, used], 1 - known / cycles, rcond=None)[0]
        if found.min() >= 0:
            constants[used] = found
            break
        del used[int(found.argmin())]
    return constants


def cost_of(constants: np.ndarray) -> Cost:
    """The price, with four digits."""
    return Cost(
        **{term: float(f"{value:.4g}") for term, value in zip(TERMS, constants, strict=True) if value}
    )


def written(cost: Cost) -> str:
    """The price as it stands in the table."""
    given = {term: getattr(cost, term) for term in TERMS}
    return f"Cost({', '.join(f'{term}={value:.4g}' for term, value in given.items() if value)})"


def percent(part: float) -> str:
    """A part of 1 as it stands in the report."""
    return f"{100 * part:.1f} %"


class Table:
    """The lines to be written, and how far off what they say is."""

    def __init__(self, layers: Layers, golden: Layers, chip: Chip) -> None:
        self.lines: list[str] = []
        self.report = [
            "| price | layers | off by | at most | golden layers | off by | at most |",
            "|---|---|---|---|---|---|---|",
        ]
        self.layers, self.golden = layers, golden
        self.chip = chip

    def off(self, layers: list[tuple[Layer, float]]) -> str:
        """How many layers there are, the mean and the largest error of what is predicted of them."""
        if not layers:
            return "0 | |"
        errors = [abs(room(layer.kind).cycles(layer, self.chip) / cycles - 1) for layer, cycles in layers]
        return f"{len(layers)} | {percent(np.mean(errors))} | {percent(max(errors))}"

    def add(self, name: str, cost: Cost, prices: str = "kernels") -> None:
        """Take a price, from now on the chip's, and print it."""
        getattr(self.chip, prices)[name] = cost
        line = f'    "{name}": {written(cost)},'
        self.lines += textwrap.wrap(
            line, 110, subsequent_indent=" " * 8, break_on_hyphens=False, drop_whitespace=True
        )
        of = f"activation {name}" if prices == "activations_f32" else name
        print(line)
        if of in self.layers:
            self.report.append(
                f"| {of} | {self.off(self.layers[of])} | {self.off(self.golden.get(of, []))} |"
            )
            print(self.report[-1], flush=True)

    def fit_activations(self) -> None:
        """Activations of floats: elements, and rows of a softmax, beside a base that is the same for all."""
        for name in (name for name in ACTIVATIONS if f"activation {name}" in self.layers):
            is_softmax, rows = "softmax" in name, []
            for layer, cycles in self.layers[f"activation {name}"]:
                counts = room(layer.kind).counts(layer)
                terms = Cost.terms(**counts | {} if is_softmax else counts | {"row": 0})
                rows.append(((0, *terms[1:]), cycles))
            base = self.chip.kernels["activation float32"].base
            self.add(name, cost_of(solve(rows, base)), prices="activations_f32")

    def fit(self, name: str) -> None:
        """A kernel; what a float's activation adds to it is known."""
        rows: Rows = []
        for layer, cycles in self.layers[name]:
            kind = room(layer.kind)
            _, counts = kind.priced_as(layer, self.chip)
            beside = kind.cycles(layer, self.chip) - self.chip.kernels[name].cycles(**counts)
            rows.append((Cost.terms(**counts), cycles - beside))
        self.add(name, cost_of(solve(rows)))


def section(table: Table, name: str, dtype: str = "Cost") -> None:
    """Begin a dictionary."""
    table.lines.append(f"{name}: dict[str, {dtype}] = {{")


def fitted(
    layers: Layers, golden: Layers, calls: Mapping[str, Rows], whole: bool = True, chip_name: str = "rp2040"
) -> Table:
    """All prices of what was measured. What was not keeps its own; it is written if the table is to be `whole`."""
    before = costs.CHIPS[chip_name]
    chip = replace(before, kernels=Prices(before.kernels), activations_f32=dict(before.activations_f32))
    costs.CHIPS[chip_name] = chip
    table = Table(layers, golden, chip)
    if "activation relu" in layers:
        rows = [
            (Cost.terms(n_out=layer.outputs[0].size), cycles) for layer, cycles in layers["activation relu"]
        ]
        chip.kernels["activation float32"] = Cost(base=float(f"{solve(rows)[0]:.4g}"))
    section(table, "ACTIVATIONS")
    table.fit_activations()
    table.lines.append("}")
    section(table, "KERNELS")
    table.add("activation float32", chip.kernels["activation float32"])
    for name in layers:
        if name.removeprefix("activation ") not in ACTIVATIONS:
            table.fit(name)
    missing = costs.CHIPS["rp2350"].kernels.keys() - layers.keys() - {"activation float32"}
    for name in sorted(missing) if whole else ():
        table.lines.append("    # estimated")
        table.add(name, chip.kernels[name])
    table.lines.append("}")
    if not calls:
        return table
    section(table, "CALL")
    for kind, rows in calls.items():
        constants = solve(rows)
        table.add(kind, cost_of(constants), prices="call")
        errors = [abs(np.dot(terms, constants) / cycles - 1) for terms, cycles in rows]
        mean_and_most = f"{percent(np.mean(errors))} | {percent(max(errors))}"
        table.report.append(f"| a call on {kind}s | {len(rows)} | {mean_and_most} | 0 | | |")
    table.lines.append("}")
    return table


# --- Golden models ---------------------------------------------------------------------------------------------------


def whole_models(table: Table, models: Golden) -> list[str]:
    """Lines that say how far off the layers of a golden model are together."""
    errors = {
        name: abs(
            sum(room(layer.kind).cycles(layer, table.chip) for layer, _ in layers)
            / sum(cycles for _, cycles in layers)
            - 1
        )
        for name, layers in models.items()
    }
    worst = max(errors, key=errors.__getitem__)
    beyond = sum(error > 0.1 for error in errors.values())
    mean = percent(float(np.mean(list(errors.values()))))
    return [
        f"What is predicted of all layers of a golden model is off by {mean} in the mean of {len(errors)} models; by",
        f"more than 10 % in {beyond}, at most by {percent(errors[worst])} ({worst}).",
        "",
    ]


def write(lines: list[str], path: Path) -> None:
    """Put the lines between a file's comments `begin measured` and `end measured`. ValueError if it has none."""
    inner = "".join(f"{line}\n" for line in lines)
    new, n = re.subn(
        r"(begin measured[^\n]*\n).*?([^\n]*end measured)",
        lambda match: match[1] + inner + match[2],
        path.read_text(),
        flags=re.S,
    )
    if n != 1:
        raise ValueError(f"{path}: expected the comments that begin and end what is measured")
    path.write_text(new)


def on_pico(firmware: str | None, only: set[str]) -> tuple[Layers, dict[str, Rows], Golden]:
    """Measure on the emulated Pico."""
    with open_device("emulator", firmware=firmware, flash_cache=None) as device:
        device.machine.set_flash_miss_cycles(0)  # which code is in the cache differs from build to build
        run = partial(run_on_pico, device)
        layers, calls = measure(run, only, device, costs.CHIPS["rp2040"])
        return layers, calls, golden_models(run)


def on_pico2(only: set[str]) -> tuple[Layers, dict[str, Rows], Golden]:
    """Measure on the Pico 2's processor core."""
    run = partial(run_on_m33, cortex_m33.build(cortex_m33.core_sources(), cortex_m33.FIRMWARE_FLAGS))
    layers, calls = measure(run, only, None, costs.CHIPS["rp2350"])
    return layers, calls, golden_models(run)


def golden_models(run: Run) -> Golden:
    """Return the layers of each golden model."""
    return {path.stem: run(path.read_bytes()) for path in sorted(GOLDEN.glob("*.anne"))}


def main() -> None:
    """Measure, write, say how far off golden models are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("firmware", nargs="?", help="a firmware's UF2 file")
    parser.add_argument("--only", help="groups to measure, by commas; their prices are printed, not written")
    parser.add_argument("--pico2", action="store_true", help="the Pico 2's processor core, under QEMU")
    arguments = parser.parse_args()
    only = {name.lower() for name in (arguments.only or "").split(",") if name}
    chip_name = "rp2350" if arguments.pico2 else "rp2040"
    if arguments.pico2 and (lacks := cortex_m33.missing()):
        print(f"the Pico 2's prices stay as they are: {lacks} is not installed")
        return
    chip = costs.CHIPS[chip_name]
    costs.CHIPS[chip_name] = replace(chip, kernels=Prices(chip.kernels))
    layers, calls, models = on_pico2(only) if arguments.pico2 else on_pico(arguments.firmware, only)
    golden: Layers = {}
    for layer, cycles in sum(models.values(), []):
        golden.setdefault(price_name(layer, chip), []).append((layer, cycles))
    costs.CHIPS[chip_name] = chip
    table = fitted(layers, golden, calls, not only, chip_name)
    told = whole_models(table, models)
    print(*told, sep="\n")
    if not only:
        prices, report = TABLES[chip_name]
        write(table.lines, prices)
        write([*told, *table.report], report)
        print(f"written to {prices} and {report}")


if __name__ == "__main__":
    main()
