"""What layers cost in cycles: the prices of each chip's kernels, in one table.

`make costs` (host_tools/measure_costs.py) measures those of the RP2040 and writes them into this file; run it again
when a kernel has changed. What a kernel is called, its kind says (`Layer.price_name`); activations of floats have a
price an element.
"""

from __future__ import annotations

from dataclasses import dataclass

from anne.model_file import KINDS, Layer, ModelFile

from ..layers import room
from ..layers.prices import Chip, Cost


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
    # within 3.9 %
    "reshape": Cost(base=56.27),
    # within 1.1 %
    "add int8": Cost(base=241.2, per_output=117.6),
    # within 0.7 %
    "add int16": Cost(base=236, per_output=147.2),
    # within 0.5 %
    "add float32": Cost(base=126.9, per_output=119.5),
    # estimated
    "subtract int8": Cost(base=241.2, per_output=117.6),
    # estimated
    "subtract int16": Cost(base=236, per_output=147.2),
    # estimated
    "subtract float32": Cost(base=126.9, per_output=119.5),
    # estimated
    "multiply int8": Cost(base=241.2, per_output=60),
    # estimated
    "multiply int16": Cost(base=236, per_output=60),
    # estimated
    "multiply float32": Cost(base=126.9, per_output=90),
    # estimated
    "clip int8": Cost(base=110, per_output=15),
    # estimated
    "clip int16": Cost(base=110, per_output=15),
    # estimated
    "clip float32": Cost(base=110, per_output=25),
    # estimated
    "prelu int8": Cost(base=240, per_output=110),
    # estimated
    "prelu int16": Cost(base=240, per_output=110),
    # estimated
    "prelu float32": Cost(base=130, per_output=70),
    # estimated
    "quantize int8": Cost(base=110, per_output=150),
    # estimated
    "quantize int16": Cost(base=110, per_output=150),
    # estimated
    "quantize float32": Cost(base=110, per_output=120),
    # within 2.7 %
    "pad int8": Cost(base=600.9, per_output=1.12),
    # within 0.6 %
    "pad int16": Cost(base=574.6, per_output=9.879),
    # within 0.5 %
    "pad float32": Cost(base=579, per_output=10.61),
    # estimated
    "concatenate int8": Cost(base=400, per_output=2),
    # estimated
    "concatenate int16": Cost(base=400, per_output=3),
    # estimated
    "concatenate float32": Cost(base=400, per_output=5),
    "reduce sum float32": Cost(base=700, per_output=150, per_mac=35),
    # estimated
    "reduce sum int8": Cost(base=700, per_output=90, per_mac=5),
    # estimated
    "reduce sum int16": Cost(base=700, per_output=90, per_mac=5),
    # estimated
    "reduce max float32": Cost(base=700, per_output=30, per_mac=9),
    # estimated
    "reduce max int8": Cost(base=700, per_output=30, per_mac=7),
    # estimated
    "reduce max int16": Cost(base=700, per_output=30, per_mac=7),
    # estimated
    "arg_max": Cost(base=120, per_input=14, per_output=40),
    # estimated
    "layer_norm float32": Cost(base=2500, per_output=500),
    # estimated
    "max_pool float32": Cost(base=500, per_input=120, per_output=15, per_mac=9),
    "max_pool int8": Cost(base=500, per_input=120, per_output=15, per_mac=7),
    "max_pool int16": Cost(base=500, per_input=120, per_output=15, per_mac=7),
    "average_pool float32": Cost(base=600, per_input=150, per_output=120, per_mac=35),
    "average_pool int8": Cost(base=600, per_input=150, per_output=30, per_mac=5),
    "average_pool int16": Cost(base=600, per_input=150, per_output=30, per_mac=5),
    # estimated
    "slice int8": Cost(base=700, per_output=9),
    # estimated
    "slice int16": Cost(base=700, per_output=9),
    # estimated
    "slice float32": Cost(base=700, per_output=9),
    # estimated
    "transpose int8": Cost(base=700, per_output=15),
    # estimated
    "transpose int16": Cost(base=700, per_output=15),
    # estimated
    "transpose float32": Cost(base=700, per_output=15),
    # estimated
    "resize nearest": Cost(base=500, per_output=20),
    # estimated
    "resize int8": Cost(base=700, per_input=15, per_output=35),
    # estimated
    "resize int16": Cost(base=700, per_input=15, per_output=60),
    # estimated
    "resize float32": Cost(base=700, per_input=20, per_output=350),
    # estimated
    "embedding int8": Cost(base=300, per_output=20),
    # estimated
    "embedding int16": Cost(base=300, per_output=20),
    # estimated
    "embedding float32": Cost(base=300, per_output=20),
    # estimated
    "delay int8": Cost(base=500, per_output=1),
    # estimated
    "delay int16": Cost(base=500, per_output=2),
    # estimated
    "delay float32": Cost(base=500, per_output=4),
    # estimated: `make costs` is to measure them
    "depthwise_conv float32": Cost(base=2000, per_output=300, per_mac=140),
    "depthwise_conv int8-weights": Cost(base=2000, per_output=450, per_mac=180),
    "depthwise_conv int8": Cost(base=2000, per_output=50, per_mac=12),
    "depthwise_conv int16": Cost(base=2000, per_output=80, per_mac=12),
    # within 11.6 %
    "conv f32": Cost(per_input=24.6, per_output=2.733, per_mac=98.39, window=0.6833),
    # within 11.7 %
    "conv f32_aligned": Cost(base=1193, per_input=52.82, per_output=82.35, per_mac=10.46, window=499.7),
    # within 4.9 %
    "conv s8_f32": Cost(base=479.5, per_input=129.2, per_output=455.5, per_mac=6.772, window=1716),
    # within 9.5 %
    "conv s8_quad": Cost(base=1093, per_input=29.56, per_output=85.1, per_mac=2.415, window=310.7),
    # within 3.0 %
    "conv s8_quad by byte": Cost(base=1066, per_input=4.85, per_output=197.9, per_mac=5.441, window=24.74),
    # within 19.0 %
    "conv s16": Cost(base=1175, per_input=30.35, per_output=45.42, per_mac=3.225, window=561.1),
    # within 11.6 %
    "conv s4": Cost(base=1305, per_input=29.18, per_output=41.2, per_mac=1.054, window=780.1),
    "conv_transpose float32": Cost(base=2000, per_output=300, per_mac=100),
    "conv_transpose int8-weights": Cost(base=2000, per_output=400, per_mac=140),
    "conv_transpose int8": Cost(base=2000, per_output=150, per_mac=15),
    "conv_transpose int16": Cost(base=2000, per_output=150, per_mac=12),
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
    # estimated
    "log_softmax": 420,
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

_RP2350 = Chip(
    kernels={name: cost for kind in KINDS.values() for name, cost in room(kind).ON_CORTEX_M33.items()},
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
        "log_softmax": 70,
    },
    call={"float32": Cost(2000, 30, 30), "integer": Cost(2000, 50, 40)},
    flash_byte=5.0,
    source="estimated from the Cortex-M33's instruction timings, not measured",
)

CHIPS = {"rp2040": _RP2040, "rp2350": _RP2350}
