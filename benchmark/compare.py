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
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from anne_tools.boards.costs import CHIPS
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.fit import workspace_bytes
from anne_tools.boards.open_device import open_device
from anne_tools.commands.common import console
from anne_tools.commands.models import print_table, step_progress
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.files import open_model
from anne_tools.cores.local import run_local
from anne_tools.cores.native import NativeModel, quantize_input
from anne_tools.data.files import write_atomically
from anne_tools.errors import DeviceError, ModelError
from anne_tools.layers.build import GraphBuilder
from anne_tools.networks import Network, published_networks

ROOT = Path(__file__).resolve().parent.parent
ON_PICO = Path(__file__).with_name("on_pico.py")
SEED = 1
CLOCK_HZ = 125_000_000

# Data go into the flash behind the firmware's, where files would be: its first blocks, which say that it is formatted,
# are left alone. Weights beyond RAM_BYTES are used there; the emulator counts no cache misses, silicon does.
FLASH_OFFSET, FLASH_END = 0xB0000, 0x200000
RAM_BYTES = 90_000

SHAPES = ((16, 16), (64, 64), (128, 128), (640, 128))
GROWTH = (16, 32, 64, 128, 256, 512, 640)
AUTOENCODER = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640)
SMALL_NET = "iris-8"


@dataclass(frozen=True)
class Kernel:
    """One of this project's dense kernels: its layout in the file, the conversion that leads to it."""

    layout: str
    dtype: str


KERNELS = {
    "dense_s8": Kernel("s8_quad", "int8"),
    "dense_s4": Kernel("s4", "int4"),
    "dense_s16": Kernel("s16", "int16"),
    "dense_f32": Kernel("f32_aligned", "float32"),
    "dense_s8_f32": Kernel("s8_f32", "int8-weights"),
}


@dataclass(frozen=True)
class Peer:
    """Another way to compute what `kernel` does: a function of on_pico.py, and the most MACs it is given time for."""

    kernel: str
    name: str
    function: str
    most_macs: int
    repeats: int = 3


PEERS = (
    Peer("dense_s8", "C loop, -O3", "plain_s8", 640 * 640),
    Peer("dense_s8", "@micropython.viper", "viper_s8", 128 * 128),
    Peer("dense_s8", "@micropython.native", "native", 64 * 64, 1),
    Peer("dense_s16", "C loop, -O3", "plain_s16", 640 * 640),
    Peer("dense_s16", "@micropython.viper", "viper_s16", 128 * 128),
    Peer("dense_s16", "@micropython.native", "native", 64 * 64, 1),
    Peer("dense_f32", "C loop, -O3", "plain_f32", 128 * 128, 1),
    Peer("dense_f32", "emlearn eml_net", "eml_layer", 128 * 128, 1),
    Peer("dense_f32", "@micropython.native", "native", 64 * 64, 1),
    Peer("dense_f32", "pure Python (reference.py)", "reference_dense", 64 * 64, 1),
)
# Floats may be off by so much of the largest output: ours from the host library, others from sums in 64 bits.
OWN_BOUND, PEER_BOUND = 1e-6, 1e-5


# --- One case: what to run, on what, and what must come out ---------------------------------------------------------


@dataclass
class Case:
    """A function of on_pico.py, its arguments as (type code, array), the expected output."""

    what: str
    function: str
    arguments: list[tuple[str, np.ndarray]]
    expected: np.ndarray
    bound: float = 0.0
    repeats: int = 3


def check(case: Case, output: np.ndarray) -> None:
    """ModelError if the output is not the expected one: integers equal, floats within the case's bound."""
    expected = np.asarray(case.expected).reshape(-1)
    off = np.abs(output.astype(np.float64) - expected)
    allowed = case.bound * float(np.abs(expected).max(initial=0.0))
    if not (off <= allowed).all():  # a NaN is wrong, too
        worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
        raise ModelError(
            f"wrong result: {case.what}: output {worst} is {output[worst]}, expected {expected[worst]}"
            + (f" within {allowed:.3g}" if allowed else "")
        )


class Bench:
    """The emulated Pico with on_pico.py in it."""

    def __init__(self, device: EmulatedDevice) -> None:
        self.device = device
        device.exec(ON_PICO.read_text())

    def cycles(self, case: Case) -> int:
        """Run a case, check its output, return the median of its calls. ModelError if the output is wrong."""
        parts, blob = [], bytearray()
        for code, values in case.arguments:
            data = np.ascontiguousarray(values).tobytes()
            parts.append((code, FLASH_OFFSET + len(blob), len(data)))
            blob += data + bytes(-len(data) % 4)
        if FLASH_OFFSET + len(blob) > FLASH_END:
            raise ModelError(f"{case.what}: {len(blob)} bytes do not fit the flash")
        self.device.machine.write_flash(FLASH_OFFSET, bytes(blob))
        expected = np.asarray(case.expected)
        task = (case.function, parts, expected.dtype.char, expected.size, case.repeats, in_ram(len(blob)))
        told = json.loads(self.device.exec(f"job{task!r}", timeout_s=300))
        check(case, np.frombuffer(bytes.fromhex(told["output"]), expected.dtype))
        return int(statistics.median(told["cycles"]))


def in_ram(n_bytes: int) -> bool:
    """Whether a case's data are copied into RAM."""
    return n_bytes <= RAM_BYTES


# --- Kernels and peers ----------------------------------------------------------------------------------------------


def floats(n_in: int, n_out: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return random weights, bias and x."""
    random = np.random.default_rng(SEED)
    weights = random.normal(0, n_in**-0.5, (n_out, n_in)).astype(np.float32)
    return (
        weights,
        random.normal(0, 0.1, n_out).astype(np.float32),
        random.normal(0, 1, n_in).astype(np.float32),
    )


def own_file(kernel: Kernel, n_in: int, n_out: int) -> tuple[bytes, np.ndarray]:
    """Return a model file of one dense layer for the kernel, and an input as it stands in the arena."""
    weights, bias, x = floats(n_in, n_out)
    builder = GraphBuilder((n_in,))
    builder.dense("dense", weights, bias)
    samples = np.concatenate([x[None], np.random.default_rng(SEED).normal(0, 1, (31, n_in))])
    data = pack(quantize(builder.build(), kernel.dtype, samples))
    file = open_model(data)
    if [layer.kernel for layer in file.layers] != [kernel.layout]:
        raise ModelError(f"{kernel.dtype} {n_in}x{n_out}: expected the layout {kernel.layout}")
    return data, quantize_input(x[None], file.inputs[0])


def measure_own(bench: Bench, name: str, n_in: int, n_out: int) -> dict[str, Any]:
    """Return the record of a kernel of this project: the product alone, and beside it the requantisation."""
    kernel = KERNELS[name]
    data, x = own_file(kernel, n_in, n_out)
    expected = run_local(data, x, "host")[0]
    bound = OWN_BOUND if expected.dtype.kind == "f" else 0.0
    arguments = [("", np.frombuffer(data, np.uint8)), ("", x)]
    what = f"{name} {n_in}x{n_out}"
    layer = bench.cycles(Case(what, "layer", arguments, expected, bound))
    requantise = 0
    if expected.dtype.kind == "i":
        requantise = bench.cycles(Case(f"{what}, requantised", "requantise", arguments, expected))
    return {
        **record(name, n_in, n_out, layer - requantise, None, len(data)),
        "layout": kernel.layout,
        "requantise_cycles": requantise,
        "layer_cycles": layer,
    }


def measure_peer(bench: Bench, peer: Peer, n_in: int, n_out: int) -> dict[str, Any]:
    """Return the record of a peer, on random numbers of its type."""
    random = np.random.default_rng(SEED)
    if peer.kernel == "dense_f32":
        weights, bias, x = floats(n_in, n_out)
        expected = (weights.astype(np.float64) @ x + bias).astype(np.float32)
        codes, bound = "fff", PEER_BOUND
    else:
        dtype, limit = (np.int8, 128) if peer.kernel == "dense_s8" else (np.int16, 1 << 10)
        weights = random.integers(-limit, limit, (n_out, n_in)).astype(dtype)
        x = random.integers(-limit, limit, n_in).astype(dtype)
        bias = random.integers(-(2**20), 2**20, n_out).astype(np.int32)
        expected = (weights.astype(np.int64) @ x + bias).astype(np.int32)
        codes, bound = "bib" if dtype is np.int8 else "hih", 0.0
    if peer.function == "eml_layer":
        weights = weights.T
    if peer.function.startswith(("plain", "eml")):
        codes = ["", "", ""]  # C takes the bytes where they lie
    arguments = list(zip(codes, (weights, bias, x), strict=True))
    what = f"{peer.kernel} {n_in}x{n_out} by {peer.name}"
    cycles = bench.cycles(Case(what, peer.function, arguments, expected, bound, peer.repeats))
    n_bytes = sum(a.nbytes for a in (weights, bias, x))
    return record(peer.kernel, n_in, n_out, cycles, peer.name, n_bytes)


def record(kernel: str, n_in: int, n_out: int, cycles: int, peer: str | None, n_bytes: int) -> dict[str, Any]:
    """Return the record of a measurement as it stands in bench.json."""
    return {
        "kernel": kernel,
        "shape": [n_in, n_out],
        "cycles": cycles,
        "cycles_per_mac": round(cycles / (n_in * n_out), 4),
        "peer": peer,
        "weights": "SRAM" if in_ram(n_bytes) else "flash",
    }


def shapes(quick: bool) -> list[tuple[int, int]]:
    """Return what to measure, without those that are in both lists twice."""
    return [(16, 16)] if quick else list(dict.fromkeys([*SHAPES, *((n, n) for n in GROWTH)]))


def kernel_tasks(quick: bool) -> list[tuple[Any, int, int]]:
    """Return (kernel's name or Peer, n_in, n_out) of everything that fits the flash and its time."""
    tasks: list[tuple[Any, int, int]] = []
    for n_in, n_out in shapes(quick):
        for name in KERNELS:
            if name != "dense_f32" or 4 * n_in * n_out < FLASH_END - FLASH_OFFSET - 16384:
                tasks.append((name, n_in, n_out))
            tasks += [
                (peer, n_in, n_out)
                for peer in PEERS
                if peer.kernel == name and n_in * n_out <= peer.most_macs
            ]
    return tasks


# --- Whole models ---------------------------------------------------------------------------------------------------


def autoencoder() -> tuple[bytes, np.ndarray]:
    """Return a network of the shape of MLPerf Tiny's autoencoder in int8, with random weights, and an input."""
    random = np.random.default_rng(SEED)
    builder = GraphBuilder((AUTOENCODER[0],))
    for i, (n_in, n_out) in enumerate(zip(AUTOENCODER, AUTOENCODER[1:], strict=False)):
        activation = "linear" if i == len(AUTOENCODER) - 2 else "relu"
        weights = random.normal(0, (2 / n_in) ** 0.5, (n_out, n_in))
        builder.dense(f"dense_{i}", weights, random.normal(0, 0.1, n_out), activation)
    samples = random.normal(0, 1, (16, AUTOENCODER[0])).astype(np.float32)
    # without passes, so that integers go in and come out
    data = pack(quantize(builder.build(), "int8", samples))
    return data, quantize_input(samples[:1], open_model(data).inputs[0])


def net_values(network: Network, transposed: bool) -> np.ndarray:
    """Return weights and bias of each layer in one array; emlearn has weights by inputs."""
    parts = []
    for layer in network.layers:
        weights = np.array(layer.weights, np.float32)
        parts += [np.ravel(weights.T if transposed else weights), np.array(layer.bias, np.float32)]
    return np.concatenate(parts)


def model_record(name: str, peer: str | None, cycles: int, arena: int | None, **more: Any) -> dict[str, Any]:
    """Return the record of a whole model."""
    return {
        "model": name,
        "ms": cycles / CLOCK_HZ * 1e3,
        "arena_bytes": arena,
        "cycles": cycles,
        "peer": peer,
        **more,
    }


def measure_autoencoder(bench: Bench) -> dict[str, Any]:
    """Return the record of the autoencoder, which runs from flash."""
    data, x = autoencoder()
    expected = run_local(data, x, "host")[0]
    case = Case("autoencoder", "model", [("", np.frombuffer(data, np.uint8)), ("b", x)], expected, repeats=3)
    cycles = bench.cycles(case)
    with NativeModel(data) as model:
        arena = workspace_bytes(model)
        weights = sum(layer.nbytes for layer in model.file.layers)
    missed = cycles + CHIPS["rp2040"].flash_byte * weights
    return model_record(
        "MLPerf Tiny autoencoder (its shape, random weights), int8",
        None,
        cycles,
        arena,
        weights="flash",
        ms_on_silicon_from_flash=missed / CLOCK_HZ * 1e3,
    )


def measure_small_net(bench: Bench) -> list[dict[str, Any]]:
    """Return the records of the published network, each called from MicroPython with arrays in and out."""
    network = published_networks()[SMALL_NET]
    x = np.array(network.inputs[0], np.float32)
    shape = [network.layers[0].n_in, *(layer.n_out for layer in network.layers)]
    activations = [layer.activation for layer in network.layers]
    bench.device.exec(f"NET = ({shape!r}, {activations!r})")
    name = "-".join(map(str, shape))
    builder = GraphBuilder((shape[0],))
    for i, layer in enumerate(network.layers):
        builder.dense(f"dense_{i}", layer.weights, layer.bias, layer.activation)
    records = []
    for dtype in ("float32", "int8"):
        data = convert(builder.build(), dtype, calibrate=np.array(network.inputs)).data
        inputs = quantize_input(x[None], open_model(data).inputs[0])
        expected = run_local(data, inputs, "host")[0]
        arguments = [("", np.frombuffer(data, np.uint8)), (inputs.dtype.char, inputs)]
        case = Case(f"{name} {dtype}", "model", arguments, expected, OWN_BOUND if dtype == "float32" else 0.0)
        cycles = bench.cycles(case)
        with NativeModel(data) as model:
            records.append(model_record(f"{name} {dtype}", None, cycles, workspace_bytes(model)))
        if dtype == "float32":
            right = expected
    for peer, function in (("emlearn eml_net", "eml_net"), ("pure Python (reference.py)", "reference_net")):
        values = net_values(network, transposed=function == "eml_net")
        case = Case(f"{name} by {peer}", function, [("f", values), ("f", x)], right, PEER_BOUND)
        records.append(model_record(f"{name} float32", peer, bench.cycles(case), None))
    return records


# --- The run --------------------------------------------------------------------------------------------------------


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
    bench = Bench(device)
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
            records.append(measure_autoencoder(bench))
    return records


def show(records: list[dict[str, Any]]) -> None:
    """Print the tables."""
    out = console()
    shapes_found = sorted(
        {tuple(r["shape"]) for r in records if "kernel" in r}, key=lambda s: (s[0] != s[1], s)
    )
    lines = list(dict.fromkeys((r["kernel"], r["peer"]) for r in records if "kernel" in r))
    by_key = {(r["kernel"], r["peer"], tuple(r["shape"])): r for r in records if "kernel" in r}
    out.print(
        "Cycles per multiply-accumulate of a matrix-vector product (* weights used in flash, - left out):"
    )
    rows = []
    for kernel, peer in lines:
        cells = [by_key.get((kernel, peer, shape)) for shape in shapes_found]
        texts = [
            "-" if c is None else f"{c['cycles_per_mac']:.2f}" + "*" * (c["weights"] == "flash")
            for c in cells
        ]
        rows.append([kernel, peer or "AI-ANNE", *texts])
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
            "" if r["arena_bytes"] is None else str(r["arena_bytes"]),
        ]
        for r in records
        if "model" in r
    ]
    print_table(out, ["model", "by", "ms", "RAM bytes"], rows, left=("model", "by"))
    for r in records:
        if "ms_on_silicon_from_flash" in r:
            out.print(
                f"{r['model']}: weights in flash; on silicon cache misses add about "
                f"{CHIPS['rp2040'].flash_byte:.0f} cycles a byte: {r['ms_on_silicon_from_flash']:.0f} ms",
                markup=False,
            )


def main() -> int:
    """Measure, print, write; 1 with a line on stderr for a wrong result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small shape and the small network only")
    parser.add_argument("--firmware", default=str(ROOT / "build" / "anne-bench.uf2"))
    parser.add_argument("--output", type=Path, help="JSON document to add the records to")
    parser.add_argument("--plot", type=Path, help="SVG of the cycles over n")
    arguments = parser.parse_args()
    try:
        with open_device("emulator", firmware=arguments.firmware) as device:
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
