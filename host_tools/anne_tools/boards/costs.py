"""What layers cost in cycles, by the prices of each chip's kernels.

`make costs` (host_tools/measure_costs.py) measures those of the RP2040 and writes them into prices_rp2040.py, and
into prices_rp2350.py the RP2350's, in instructions; run it again when a kernel has changed. What a kernel is called,
its kind says (`Layer.price_name`); activations of floats have a price an element.
"""

from __future__ import annotations

from dataclasses import dataclass

from anne.model_file import KINDS, Layer, ModelFile

from ..layers import room
from ..layers.prices import Chip, Cost
from . import prices_rp2040, prices_rp2350


@dataclass
class LayerCost:
    """Predicted cycles of a layer with its weights in SRAM, and what it takes more if they come from flash."""

    name: str
    cycles: float
    flash_cycles: float


def layer_cost(layer: Layer, name: str, chip_name: str) -> LayerCost:
    """Return what a layer costs on a chip of CHIPS."""
    chip = CHIPS[chip_name]
    cycles = room(layer.kind).cycles(layer, chip)
    return LayerCost(name, cycles, chip.flash_byte * layer.nbytes)


def call_cycles(file: ModelFile, chip_name: str) -> float:
    """Return what `predict` costs beside the layers, with a list in and out; integers are converted on either side."""
    call = CHIPS[chip_name].call
    into, out = (
        [(call["float32" if tensor.dtype == "float32" else "integer"], tensor.size) for tensor in tensors]
        for tensors in (file.inputs, file.outputs)
    )
    cycles = into[0][0].base + sum(price.per_input * n for price, n in into)
    return cycles + sum(price.per_output * n for price, n in out)


_RP2040 = Chip(
    kernels=prices_rp2040.KERNELS,
    activations_f32=prices_rp2040.ACTIVATIONS,
    call=prices_rp2040.CALL,
    flash_byte=12.5,
    source="cycles as in the emulated Pico",
)

# A kind that was not measured yet has an estimate in its room.
_RP2350 = Chip(
    kernels={name: cost for kind in KINDS.values() for name, cost in room(kind).ON_CORTEX_M33.items()}
    | prices_rp2350.KERNELS,
    activations_f32=prices_rp2350.ACTIVATIONS,
    call={"float32": Cost(2000, 30, 30), "integer": Cost(2000, 50, 40)},
    flash_byte=5.0,
    source="instructions, not cycles: QEMU's Cortex-M33, taken for one a cycle",
    rewrites=True,
)

CHIPS = {"rp2040": _RP2040, "rp2350": _RP2350}
