"""What layers cost in cycles: a formula for each kernel, its constants in one table.

`make costs` (host_tools/measure_costs.py) measures the constants and writes them into this file; run it again when a
kernel has changed. A dense layer's kernel is named by its layout, other layers by "kind dtype"; activations of floats
have a price an element.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass, replace

from anne.model_file import Layer, ModelFile


@dataclass(frozen=True)
class Blocks:
    """How a dense kernel goes over its weights: blocks of `rows`, and those left over in blocks of `rest` rows.

    More rows left than `rest` make one more block, unless they come one by one (1). Columns are padded to a multiple of
    `columns` and taken in panels of at most `panel`.
    """

    rows: int
    rest: int = 0
    columns: int = 1
    panel: int = 1 << 20

    def counts(self, n_in: int, n_out: int) -> tuple[int, ...]:
        """Return padded columns; of blocks and of rests how often one is begun, and their columns."""
        panels = -(-n_in // self.panel)
        columns = -(-n_in // self.columns) * self.columns
        blocks, left = divmod(n_out, self.rows)
        if self.rest == 1 or left <= self.rest:
            rests = -(-left // (self.rest or 1))
        else:
            blocks, rests = blocks + 1, 0
        return columns, panels * blocks, panels * rests, columns * blocks, columns * rests


# Of the assembly for the RP2040. The panels of s4 are in the file.
BLOCKS = {
    "f32": Blocks(1, panel=7),
    "f32_aligned": Blocks(2, panel=168),
    "s8_f32": Blocks(8, 4, 4, 508),
    "s8_quad": Blocks(8, 4, 4, 508),
    "s16": Blocks(6, 1, 2),
    "s4": Blocks(8, 0, 4),
}


@dataclass(frozen=True)
class Cost:
    """Cycles: each field times how often it occurs; those from `block` on for the blocks of a dense kernel."""

    base: float = 0.0
    per_input: float = 0.0
    per_output: float = 0.0
    per_mac: float = 0.0
    block: float = 0.0
    rest: float = 0.0
    block_column: float = 0.0
    rest_column: float = 0.0

    @staticmethod
    def terms(n_in: int, n_out: int, macs: int = 0, blocks: Blocks | None = None) -> tuple[int, ...]:
        """Return how often each field occurs in a layer of that size."""
        columns, *counts = blocks.counts(n_in, n_out) if blocks else (n_in, 0, 0, 0, 0)
        return (1, columns, n_out, macs, *counts)

    def cycles(self, n_in: int, n_out: int, macs: int = 0, blocks: Blocks | None = None) -> float:
        """Return the cycles for a layer of that size."""
        terms = self.terms(n_in, n_out, macs, blocks)
        return sum(cost * term for cost, term in zip(astuple(self), terms, strict=True))


@dataclass(frozen=True)
class Chip:
    """A chip's prices: `kernels` as the module says; `activations_f32` cycles an element, after a dense layer or alone.

    `call` is `predict` itself, list in and list out, on floats and on integers. `flash_byte` is what a byte of weights
    costs more when it comes from flash: a word that misses the 16 KB cache takes about 40 cycles on silicon. `source`
    says where the figures are from.
    """

    kernels: dict[str, Cost]
    activations_f32: dict[str, float]
    call: dict[str, Cost]
    flash_byte: float
    source: str


@dataclass
class LayerCost:
    """Predicted cycles of a layer with its weights in SRAM, and what it takes more if they come from flash."""

    name: str
    cycles: float
    flash_cycles: float


def layer_cost(layer: Layer, name: str, chip_name: str) -> LayerCost:
    """Return what a layer costs on a chip of CHIPS."""
    chip = CHIPS[chip_name]
    n_in, n_out = layer.inputs[0].size, layer.outputs[0].size
    kernel = kernel_name(layer)
    cycles = chip.kernels[kernel].cycles(n_in, n_out, layer.macs, layer_blocks(layer))
    own = kernel == "f32_aligned" and layer.activation == "relu"  # part of the kernel
    if layer.outputs[0].dtype == "float32" and layer.kind in ("dense", "activation") and not own:
        cycles += chip.activations_f32[layer.activation] * n_out
    return LayerCost(name, cycles, chip.flash_byte * layer.nbytes)


def layer_blocks(layer: Layer) -> Blocks | None:
    """Return how a dense layer's kernel goes over its weights, None for other layers."""
    if layer.kind != "dense":
        return None
    blocks = BLOCKS[layer.kernel]
    return (
        replace(blocks, panel=struct.unpack("<I", layer.constants[3])[0]) if layer.kernel == "s4" else blocks
    )


def kernel_name(layer: Layer) -> str:
    """Return the name under which a layer's kernel stands in the tables."""
    if layer.kind == "dense":
        return layer.kernel
    if layer.kind == "reshape":
        return "reshape"
    dtype = layer.outputs[0].dtype
    return (
        f"softmax {dtype}"
        if layer.activation == "softmax" and dtype != "float32"
        else f"{layer.kind} {dtype}"
    )


def call_cycles(file: ModelFile, chip_name: str) -> float:
    """Return what `predict` costs beside the layers, with a list in and out; integers are converted on either side."""
    call = CHIPS[chip_name].call
    x, y = file.inputs[0], file.outputs[0]
    into, out = (call["float32" if tensor.dtype == "float32" else "integer"] for tensor in (x, y))
    return into.base + into.per_input * x.size + out.per_output * y.size


# begin measured: `make costs` writes what follows
_KERNELS: dict[str, Cost] = {
    # within 0.8 %
    "f32": Cost(base=207.5, per_input=47.83, block=166.8, block_column=81.64),
    # within 1.0 %
    "f32_aligned": Cost(base=308.8, per_input=34.97, per_output=52.34, block=55.08, block_column=22.82),
    # within 5.2 %
    "s8_f32": Cost(
        base=1179, per_input=128.2, per_output=439.1, block=175.9, block_column=61.4, rest_column=40.8
    ),
    # within 0.8 %
    "s16": Cost(
        base=304.1,
        per_input=10.47,
        per_output=49.63,
        block=7.09,
        rest=7.092,
        block_column=20.84,
        rest_column=6.509,
    ),
    # within 7.3 %
    "s8_quad": Cost(
        base=478.9,
        per_input=5.592,
        per_output=16.23,
        block=183.6,
        rest=84.16,
        block_column=20.27,
        rest_column=11.22,
    ),
    # within 24.6 %
    "s4": Cost(base=547.3, per_input=8.531, per_output=33.9, block=170.9, block_column=15.73),
    # within 0.4 %
    "activation int8": Cost(base=125.9, per_output=9.516),
    # within 0.1 %
    "softmax int8": Cost(base=579.5, per_output=111.1),
    # within 0.2 %
    "activation int16": Cost(base=120.2, per_output=27.97),
    # within 0.0 %
    "softmax int16": Cost(base=134.9, per_output=93.92),
    # within 0.0 %
    "activation float32": Cost(base=125),
    # within 0.1 %
    "scaling float32": Cost(base=127.2, per_output=238.9),
    # within 0.1 %
    "scaling int8": Cost(base=127.1, per_output=288.9),
    # within 0.1 %
    "scaling int16": Cost(base=124, per_output=294.1),
    "reshape": Cost(base=30),
}
_ACTIVATIONS: dict[str, float] = {
    # within 0.0 %
    "linear": 0,
    # within 4.6 %
    "relu": 20.59,
    # within 4.1 %
    "relu6": 36.94,
    # within 45.0 %
    "leaky_relu": 50.99,
    # within 2.8 %
    "elu": 31.64,
    # within 4.9 %
    "sigmoid": 93.08,
    # within 1.3 %
    "hard_sigmoid": 260.1,
    # within 1.7 %
    "tanh": 220.8,
    # within 0.9 %
    "softplus": 375.3,
    # within 1.1 %
    "swish": 249.9,
    # within 1.3 %
    "hard_swish": 357.4,
    # within 16.1 %
    "gelu": 298.4,
    # within 7.8 %
    "softmax": 366.7,
}
_CALL: dict[str, Cost] = {
    # within 0.0 %
    "float32": Cost(base=1815, per_input=26.6, per_output=423.4),
    # within 2.1 %
    "integer": Cost(base=1790, per_input=251.2, per_output=591.4),
}
# end measured

_RP2040 = Chip(
    kernels=_KERNELS,
    activations_f32=_ACTIVATIONS,
    call=_CALL,
    flash_byte=10.0,
    source="cycles as in the emulated Pico",
)

# The Cortex-M33 computes floats itself.
_RP2350 = Chip(
    kernels={
        "f32": Cost(200, 0, 20, 4),
        "f32_aligned": Cost(300, 20, 60, 5),
        "s8_f32": Cost(300, 20, 40, 5),
        "s8_quad": Cost(200, 6, 30, 3),
        "s16": Cost(200, 0, 30, 4),
        "s4": Cost(200, 6, 30, 4),
        "activation float32": Cost(60),
        "activation int8": Cost(60, 0, 6),
        "activation int16": Cost(60, 0, 15),
        "softmax int8": Cost(600, 0, 40),
        "softmax int16": Cost(300, 0, 60),
        "scaling float32": Cost(60, 0, 15),
        "scaling int8": Cost(60, 0, 40),
        "scaling int16": Cost(60, 0, 40),
        "reshape": Cost(20),
    },
    activations_f32={
        "linear": 0,
        "relu": 5,
        "relu6": 8,
        "leaky_relu": 8,
        "elu": 50,
        "sigmoid": 60,
        "hard_sigmoid": 15,
        "tanh": 60,
        "softplus": 150,
        "swish": 60,
        "hard_swish": 20,
        "gelu": 150,
        "softmax": 60,
    },
    call={"float32": Cost(2000, 30, 30), "integer": Cost(2000, 50, 40)},
    flash_byte=5.0,
    source="estimated from the Cortex-M33's instruction timings, not measured",
)

CHIPS = {"rp2040": _RP2040, "rp2350": _RP2350}
