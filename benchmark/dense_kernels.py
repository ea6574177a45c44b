"""This project's dense kernels and their peers: the product of a matrix and a vector, in many shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.files import open_model
from anne_tools.cores.local import run_local
from anne_tools.cores.numbers import quantize_input
from anne_tools.errors import ModelError
from anne_tools.layers.build import GraphBuilder
from cases import FLASH_END, FLASH_OFFSET, OWN_BOUND, PEER_BOUND, Bench, Case, in_ram

SEED = 1
SHAPES = ((16, 16), (64, 64), (128, 128), (640, 128))
BAND_ROWS = 320  # that have their sums at once: BAND of native_module/layers/dense.c
GROWTH = (16, 32, 64, 128, 256, 512, 640)


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
    case = Case(what, "layer", arguments, expected, bound)
    layer, flash_layer = bench.cycles(case), bench.flash_cycles(case)
    requantise = 0 if expected.dtype.kind == "f" else measure_requantise(bench, kernel, n_in, n_out)
    return {
        **record(name, n_in, n_out, layer - requantise, None, len(data)),
        "layout": kernel.layout,
        "requantise_cycles": requantise,
        "layer_cycles": layer,
        "flash_cycles_per_mac": flash_layer and round((flash_layer - requantise) / (n_in * n_out), 4),
    }


def measure_requantise(bench: Bench, kernel: Kernel, n_in: int, n_out: int) -> int:
    """Return what the rescaling of the sums takes; of more rows than the C core has at a time, in proportion."""
    rows = min(n_out, BAND_ROWS)
    data, x = own_file(kernel, n_in, rows)
    arguments, expected = [("", np.frombuffer(data, np.uint8)), ("", x)], run_local(data, x, "host")[0]
    what = f"{kernel.dtype} {n_in}x{rows}, requantised"
    return bench.cycles(Case(what, "requantise", arguments, expected)) * n_out // rows


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
