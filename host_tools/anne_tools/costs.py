"""What layers cost in cycles: a formula for each kernel, its constants in one table.

host_tools/measure_costs.py measures the constants; run it again when a kernel has changed. A dense layer's kernel is
named by its layout, other layers by "kind dtype"; activations of floats have a price an element.
"""

from __future__ import annotations

from dataclasses import dataclass

from anne.model_file import Layer, ModelFile


@dataclass(frozen=True)
class Cost:
    """Cycles: base + per_input n_in + per_output n_out + per_mac MACs."""

    base: float
    per_input: float = 0.0
    per_output: float = 0.0
    per_mac: float = 0.0

    def cycles(self, n_in: int, n_out: int, macs: int = 0) -> float:
        """Return the cycles for a layer of that size."""
        return self.base + self.per_input * n_in + self.per_output * n_out + self.per_mac * macs


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
    cycles = chip.kernels[kernel_name(layer)].cycles(n_in, n_out, layer.macs)
    if layer.outputs[0].dtype == "float32" and layer.kind in ("dense", "activation"):
        cycles += chip.activations_f32[layer.activation] * n_out
    return LayerCost(name, cycles, chip.flash_byte * layer.nbytes)


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


_RP2040 = Chip(
    kernels={
        "f32": Cost(0, 82, 96, 90),
        "f32_aligned": Cost(581, 51, 112, 11.5),
        "s8_f32": Cost(1512, 122, 397, 7.65),
        "s16": Cost(333, 18, 61, 3.45),
        "s8_quad": Cost(488, 7.4, 55, 2.55),
        "s4": Cost(606, 11.5, 46, 2.19),
        "activation float32": Cost(157),
        "activation int8": Cost(78, 0, 13),
        "activation int16": Cost(94, 0, 28),
        "softmax int8": Cost(523, 0, 113),
        "softmax int16": Cost(114, 0, 94),
        "scaling float32": Cost(99, 0, 239),
        "scaling int8": Cost(99, 0, 289),
        "scaling int16": Cost(99, 0, 294),
        "reshape": Cost(30),
    },
    activations_f32={
        "linear": 0,
        "relu": 22,
        "relu6": 104,
        "leaky_relu": 59,
        "elu": 120,
        "sigmoid": 172,
        "hard_sigmoid": 331,
        "tanh": 578,
        "softplus": 3174,
        "swish": 334,
        "hard_swish": 500,
        "gelu": 2772,
        "softmax": 500,
    },
    call={"float32": Cost(641, 42, 659), "integer": Cost(522, 213, 794)},
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
