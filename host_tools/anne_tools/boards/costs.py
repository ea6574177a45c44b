"""What layers cost in cycles: a formula for each kernel, its constants in one table.

`make costs` (host_tools/measure_costs.py) measures the constants and writes them into this file; run it again when a
kernel has changed. A dense layer's kernel is named by its layout, other layers by "kind dtype"; activations of floats
have a price an element.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass, replace

from anne.layouts import F32Aligned, S8Quad
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
    "f32_aligned": Blocks(2, panel=F32Aligned.PANEL),
    "s8_f32": Blocks(8, 4, 4, S8Quad.PANEL),
    "s8_quad": Blocks(8, 4, 4, S8Quad.PANEL),
    "s16": Blocks(6, 1, 2),
    "s4": Blocks(8, 0, 4),
}

# This kernel has a relu of its own, which ends the work on a row that is below 0.
ALIGNED_RELU = "f32_aligned relu"


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
    exact_row: float = 0.0

    @staticmethod
    def terms(
        n_in: int, n_out: int, macs: int = 0, blocks: Blocks | None = None, exact_rows: float = 0.0
    ) -> tuple[float, ...]:
        """Return how often each field occurs in a layer of that size."""
        columns, *counts = blocks.counts(n_in, n_out) if blocks else (n_in, 0, 0, 0, 0)
        return (1, columns, n_out, macs, *counts, exact_rows)

    def cycles(
        self, n_in: int, n_out: int, macs: int = 0, blocks: Blocks | None = None, exact_rows: float = 0.0
    ) -> float:
        """Return the cycles for a layer of that size."""
        terms = self.terms(n_in, n_out, macs, blocks, exact_rows)
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
    cycles = chip.kernels[kernel].cycles(n_in, n_out, layer.macs, layer_blocks(layer), exact_rows(layer))
    if (
        layer.outputs[0].dtype == "float32"
        and layer.kind in ("dense", "activation")
        and kernel != ALIGNED_RELU
    ):
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


def exact_rows(layer: Layer) -> float:
    """Return how many rows of a dense int8 layer are rescaled the exact way, if any fraction of a step is as likely.

    Source: `anne_approximate` in native_module/kernels/requantize.c, whose names these are.
    """
    if layer.kind != "dense" or layer.outputs[0].dtype != "int8":
        return 0.0
    n_in, n_out = layer.inputs[0].size, layer.outputs[0].size
    bias = struct.unpack(f"<{n_out}i", layer.constants[1])
    factors = struct.iter_unpack("<ii", layer.constants[2])
    most = max((shift for multiplier, shift in factors if multiplier), default=-32)
    shift, largest_sum = -6 - most, (n_in << 14) + max(map(abs, bias))
    if shift < -4 or (shift < 0 and largest_sum >= 1 << (31 + shift)):
        return n_out
    error = 2.0**14 + 2.0 ** (14 - shift)
    fraction = 2**15 if shift > 0 else 0
    return n_out * (fraction + 2 * error) / 2**21


def kernel_name(layer: Layer) -> str:
    """Return the name under which a layer's kernel stands in the tables."""
    if layer.kind == "dense":
        aligned_relu = (layer.kernel, layer.activation) == ("f32_aligned", "relu")
        return ALIGNED_RELU if aligned_relu else layer.kernel
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
    # within 0.6 %
    "f32": Cost(base=167.3, per_input=48.3, block=181.3, block_column=72.49),
    # within 1.7 %
    "f32_aligned": Cost(base=213.8, per_input=34.56, per_output=56.81, block=50.24, block_column=22.89),
    # within 11.3 %
    "f32_aligned relu": Cost(base=188.6, per_input=30.11, per_output=40.15, block=51.7, block_column=23.21),
    # within 5.5 %
    "s8_f32": Cost(
        base=1137,
        per_input=128.9,
        per_output=436.9,
        block=190.1,
        rest=5.841,
        block_column=61.33,
        rest_column=40.43,
    ),
    # within 0.6 %
    "s16": Cost(
        base=301.5,
        per_input=10.49,
        per_output=49.6,
        block=6.899,
        rest=8.206,
        block_column=20.86,
        rest_column=6.474,
    ),
    # within 7.1 %
    "s8_quad": Cost(
        base=451.4,
        per_input=5.241,
        per_output=17.76,
        block=153.9,
        rest=75.1,
        block_column=20.52,
        rest_column=11.9,
    ),
    # within 13.7 %
    "s4": Cost(
        base=460.2, per_input=8.428, per_output=16.56, block=203.3, block_column=15.98, exact_row=66.88
    ),
    # within 1.3 %
    "activation int8": Cost(base=100.9, per_output=9.638),
    # within 0.1 %
    "softmax int8": Cost(base=562.8, per_output=110.9),
    # within 0.1 %
    "activation int16": Cost(base=99.54, per_output=27.92),
    # within 0.0 %
    "softmax int16": Cost(base=113.9, per_output=93.96),
    # within 0.0 %
    "activation float32": Cost(base=131.3),
    # within 0.0 %
    "scaling float32": Cost(base=102.2, per_output=239),
    # within 0.0 %
    "scaling int8": Cost(base=106.5, per_output=289),
    # within 0.1 %
    "scaling int16": Cost(base=103.2, per_output=294.1),
    "reshape": Cost(base=30),
}
_ACTIVATIONS: dict[str, float] = {
    # within 37.1 %
    "linear": 0,
    # within 0.4 %
    "relu": 20.03,
    # within 1.0 %
    "relu6": 35.97,
    # within 5.2 %
    "leaky_relu": 76.99,
    # within 4.9 %
    "elu": 30.47,
    # within 1.1 %
    "sigmoid": 89.68,
    # within 0.3 %
    "hard_sigmoid": 258.6,
    # within 3.3 %
    "tanh": 220,
    # within 0.1 %
    "softplus": 374.3,
    # within 0.9 %
    "swish": 250.7,
    # within 0.7 %
    "hard_swish": 355.9,
    # within 36.9 %
    "gelu": 228,
    # within 7.0 %
    "softmax": 361.7,
}
_CALL: dict[str, Cost] = {
    # within 0.6 %
    "float32": Cost(base=1803, per_input=27.5, per_output=422),
    # within 1.6 %
    "integer": Cost(base=1790, per_input=253.9, per_output=588.5),
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
        ALIGNED_RELU: Cost(300, 20, 60, 5),
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
