"""What layers cost in cycles: a formula for each kernel, its constants in one table.

`make costs` (host_tools/measure_costs.py) measures the constants and writes them into this file; run it again when a
kernel has changed. A dense layer's kernel is named by its layout, other layers by "kind dtype"; activations of floats
have a price an element.
"""

from __future__ import annotations

import math
import struct
from dataclasses import astuple, dataclass, replace

from anne.model_file import Layer, ModelFile


@dataclass(frozen=True)
class Blocks:
    """How a dense kernel goes over its weights: blocks of `rows`, and those left over in blocks of `rest` rows.

    More rows left than `rest` make one more block, unless they come one by one (1). Columns are padded to a multiple of
    `columns` and taken in panels of at most `panel`. `large_sums`: of 29 bits and more, which take longer to rescale,
    are as frequent as in a normal distribution of inputs whose sigma is 0.36 of their range; only data can tell.
    """

    rows: int
    rest: int = 0
    columns: int = 1
    panel: int = 1 << 20
    large_sums: bool = False

    def counts(self, n_in: int, n_out: int) -> tuple[float, ...]:
        """Return padded columns; of blocks and of rests how often one is begun, and their columns; large sums."""
        panels = -(-n_in // self.panel)
        columns = -(-n_in // self.columns) * self.columns
        blocks, left = divmod(n_out, self.rows)
        if self.rest == 1 or left <= self.rest:
            rests = -(-left // (self.rest or 1))
        else:
            blocks, rests = blocks + 1, 0
        large = n_out * math.erfc(0.39 * n_in**0.5) if self.large_sums else 0.0
        return columns, panels * blocks, panels * rests, columns * blocks, columns * rests, large


# Of the assembly for the RP2040. The panels of s4 are in the file.
BLOCKS = {
    "f32": Blocks(1, panel=7),
    "f32_aligned": Blocks(2, panel=168),
    "s8_f32": Blocks(8, 4, 4, 508),
    "s8_quad": Blocks(8, 4, 4, 508),
    "s16": Blocks(6, 1, 2, large_sums=True),
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
    large_sum: float = 0.0

    @staticmethod
    def terms(n_in: int, n_out: int, macs: int = 0, blocks: Blocks | None = None) -> tuple[float, ...]:
        """Return how often each field occurs in a layer of that size."""
        columns, *counts = blocks.counts(n_in, n_out) if blocks else (n_in, 0, 0, 0, 0, 0.0)
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
    cycles = chip.kernels[kernel_name(layer)].cycles(n_in, n_out, layer.macs, layer_blocks(layer))
    if layer.outputs[0].dtype == "float32" and layer.kind in ("dense", "activation"):
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
    """Return what `predict` costs beside the layers, with a list in and out."""
    call = CHIPS[chip_name].call["float32" if file.inputs[0].dtype == "float32" else "integer"]
    return call.cycles(file.inputs[0].size, file.outputs[0].size)


# begin measured: `make costs` writes what follows
_KERNELS: dict[str, Cost] = {
    # within 0.6 %
    "f32": Cost(base=203.2, per_input=48.68, block=166.4, block_column=81.62),
    # within 1.1 %
    "f32_aligned": Cost(base=314.1, per_input=36.43, per_output=54.72, block=58.33, block_column=22.75),
    # within 5.1 %
    "s8_f32": Cost(
        base=1170, per_input=128.4, per_output=439.6, block=172.7, block_column=61.38, rest_column=40.64
    ),
    # within 0.6 %
    "s16": Cost(
        base=335.9,
        per_input=10.48,
        per_output=53.5,
        block=7.639,
        rest=7.668,
        block_column=20.85,
        rest_column=6.497,
        large_sum=84.95,
    ),
    # within 7.3 %
    "s8_quad": Cost(
        base=474.9,
        per_input=5.603,
        per_output=16.52,
        block=181.4,
        rest=83.22,
        block_column=20.27,
        rest_column=11.22,
    ),
    # within 25.0 %
    "s4": Cost(base=542.4, per_input=8.565, per_output=33.93, block=170.9, block_column=15.72),
    # within 0.2 %
    "activation int8": Cost(base=117.2, per_output=9.573),
    # within 0.0 %
    "softmax int8": Cost(base=575.3, per_output=111),
    # within 0.1 %
    "activation int16": Cost(base=116.2, per_output=27.92),
    # within 0.0 %
    "softmax int16": Cost(base=130.6, per_output=93.96),
    # within 0.0 %
    "activation float32": Cost(base=117.7),
    "scaling float32": Cost(base=99, per_output=239),
    "scaling int8": Cost(base=99, per_output=289),
    "scaling int16": Cost(base=99, per_output=294),
    "reshape": Cost(base=30),
}
_ACTIVATIONS: dict[str, float] = {
    # within 2.8 %
    "linear": 0.1008,
    # within 6.1 %
    "relu": 20.73,
    # within 5.3 %
    "relu6": 37.03,
    # within 22.5 %
    "leaky_relu": 59.81,
    # within 12.1 %
    "elu": 35.45,
    # within 5.2 %
    "sigmoid": 93.79,
    # within 1.8 %
    "hard_sigmoid": 259.4,
    # within 4.6 %
    "tanh": 227.2,
    # within 1.3 %
    "softplus": 373.7,
    # within 0.6 %
    "swish": 248.9,
    # within 1.4 %
    "hard_swish": 358.1,
    # within 4.0 %
    "gelu": 354.3,
    # within 6.8 %
    "softmax": 383.6,
}
_CALL = {"float32": Cost(641, 42, 659), "integer": Cost(522, 213, 794)}
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
