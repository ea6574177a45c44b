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
    # within 0.3 %
    "f32": Cost(base=176.2, per_input=46.33, block=180.4, block_column=72.77),
    # within 1.7 %
    "f32_aligned": Cost(base=214, per_input=33.75, per_output=51.69, block=60.6, block_column=22.95),
    # within 5.0 %
    "s8_f32": Cost(
        base=1123, per_input=128.1, per_output=431.7, block=178.1, block_column=61.41, rest_column=40.86
    ),
    # within 0.6 %
    "s16": Cost(
        base=302.6,
        per_input=10.48,
        per_output=49.67,
        block=6.972,
        rest=7.834,
        block_column=20.84,
        rest_column=6.496,
    ),
    # within 7.2 %
    "s8_quad": Cost(
        base=448.9,
        per_input=5.524,
        per_output=13.26,
        block=174.9,
        rest=79.24,
        block_column=20.31,
        rest_column=11.23,
        exact_row=102.3,
    ),
    # within 18.4 %
    "s4": Cost(
        base=454.4, per_input=9.124, per_output=16.18, block=216.9, block_column=15.7, exact_row=72.84
    ),
    # within 9.3 %
    "f32_aligned relu": Cost(base=194.4, per_input=30.66, per_output=59.59, block=22.91, block_column=22.96),
    # within 0.7 %
    "activation int8": Cost(base=107.6, per_output=10.08),
    # within 0.0 %
    "softmax int8": Cost(base=587.8, per_output=111),
    # within 0.4 %
    "log_softmax int8": Cost(base=1094, per_output=58.21),
    # within 0.2 %
    "activation int16": Cost(base=99.35, per_output=27.97),
    # within 0.0 %
    "softmax int16": Cost(base=138.9, per_output=93.96),
    # within 0.0 %
    "activation float32": Cost(base=177.4),
    # within 0.1 %
    "scaling float32": Cost(base=102.3, per_output=239.1),
    # within 0.0 %
    "scaling int8": Cost(base=102.2, per_output=289),
    # within 0.1 %
    "scaling int16": Cost(base=103.2, per_output=294.1),
    # within 4.5 %
    "reshape": Cost(base=56.59),
    # within 0.9 %
    "add float32": Cost(base=342.5, per_output=122.6),
    # within 4.5 %
    "add int8": Cost(base=680.8, per_output=20.57),
    # within 0.5 %
    "add int16": Cost(base=495, per_output=158.6),
    # within 0.6 %
    "pad float32": Cost(base=566, per_output=8.61),
    # within 2.6 %
    "pad int8": Cost(base=589.1, per_output=1.119),
    # within 0.4 %
    "pad int16": Cost(base=562.5, per_output=7.856),
    # within 14.4 %
    "conv f32_aligned": Cost(base=1268, per_input=56.3, per_output=85.82, per_mac=10.25, window=475),
    # within 11.4 %
    "conv f32": Cost(per_input=23.46, per_output=2.606, per_mac=93.82, window=0.6515),
    # within 7.6 %
    "conv s8_quad by byte": Cost(
        base=2154, block=363.1, block_column=22.73, rest_column=30.08, job=842.4, table=214
    ),
    # within 0.5 %
    "conv s8_quad gathered": Cost(
        base=293.5,
        per_output=51.85,
        rest=34.52,
        block_column=21.7,
        rest_column=20.22,
        window=3.232,
        job=1174,
        table=584.9,
    ),
    # within 4.7 %
    "conv s8_quad": Cost(
        base=2380,
        per_input=1.08,
        per_output=30.38,
        block=115.6,
        rest=81.44,
        block_column=21.16,
        rest_column=13.64,
        window=104.3,
        run=36.33,
        job=876.5,
        table=199.8,
    ),
    # within 21.4 %
    "conv s16": Cost(base=1228, per_input=36.2, per_output=51.45, per_mac=2.896, window=494.9),
    # within 6.2 %
    "conv s8_f32": Cost(base=575.5, per_input=135.9, per_output=460.8, per_mac=6.312, window=1585),
    # within 20.3 %
    "conv s4": Cost(base=1337, per_input=33.38, per_output=45.22, per_mac=0.8299, window=750),
    # within 0.9 %
    "depthwise_conv float32": Cost(base=1239, per_output=77.24, per_mac=231.7),
    # within 8.0 %
    "depthwise_conv int8": Cost(base=1558, per_input=10.15, per_output=9.859, per_mac=7.276, window=861),
    # within 4.7 %
    "depthwise_conv int8 by pixel": Cost(base=1654, per_output=155.4, per_mac=29.52),
    # within 3.1 %
    "depthwise_conv int16": Cost(base=1397, per_output=25.47, per_mac=76.4),
    # within 0.6 %
    "depthwise_conv int8-weights": Cost(base=1238, per_output=119.8, per_mac=359.3),
    # within 4.0 %
    "max_pool float32": Cost(base=544.3, per_input=348, per_output=26.98, per_mac=13.22),
    # within 8.3 %
    "max_pool int8": Cost(base=889, per_input=189.7, per_mac=5.753),
    # within 4.2 %
    "max_pool int16": Cost(base=493.2, per_input=359.7, per_output=24.16, per_mac=11.28),
    # within 4.7 %
    "average_pool float32": Cost(base=515.1, per_input=321.7, per_output=315.2, per_mac=32.78),
    # within 7.0 %
    "average_pool int8": Cost(base=789.5, per_input=215.7, per_output=71.69, per_mac=5.195),
    # within 3.9 %
    "average_pool int16": Cost(base=460.4, per_input=400.3, per_output=39.03, per_mac=11.49),
    # within 3.4 %
    "reduce max float32": Cost(base=970.5, per_mac=17.36),
    # within 2.1 %
    "reduce sum float32": Cost(base=996.9, per_output=157.6, per_mac=68.98),
    # within 3.4 %
    "reduce max int8": Cost(base=960.7, per_mac=10.9),
    # within 0.4 %
    "reduce sum int8": Cost(base=1086, per_output=35.94, per_mac=17.99),
    # within 3.0 %
    "reduce max int16": Cost(base=963.7, per_mac=11.52),
    # within 3.6 %
    "reduce sum int16": Cost(base=1096, per_mac=23.65),
    # within 5.5 %
    "concatenate float32": Cost(base=688.7, per_output=3.694),
    # within 1.6 %
    "concatenate int8": Cost(base=680, per_output=1.147),
    # within 0.8 %
    "concatenate int16": Cost(base=775.2, per_output=1.6),
    # within 0.4 %
    "slice float32": Cost(base=446.7, per_output=7.983),
    # within 0.9 %
    "slice int8": Cost(base=446.6, per_output=10.01),
    # within 0.6 %
    "slice int16": Cost(base=458.3, per_output=9.003),
    # within 0.7 %
    "subtract float32": Cost(base=343.8, per_output=122.7),
    # within 8.7 %
    "subtract int8": Cost(base=689.8, per_output=19.83),
    # within 0.4 %
    "subtract int16": Cost(base=498.8, per_output=158.4),
    # within 67.4 %
    "multiply float32": Cost(base=454.3, per_output=30.72),
    # within 0.4 %
    "multiply int8": Cost(base=455.6, per_output=74),
    # within 0.5 %
    "multiply int16": Cost(base=447, per_output=67.99),
    # within 1.4 %
    "clip float32": Cost(base=108, per_output=40.04),
    # within 2.5 %
    "clip int8": Cost(base=73.28, per_output=22.96),
    # within 1.5 %
    "clip int16": Cost(base=76.65, per_output=20.97),
    # within 55.3 %
    "prelu float32": Cost(base=301.9, per_output=56.77),
    # within 3.4 %
    "prelu int8": Cost(base=323.4, per_output=153),
    # within 7.7 %
    "prelu int16": Cost(base=295.1, per_output=178.3),
    # within 0.9 %
    "transpose float32": Cost(base=543.4, per_output=7.809),
    # within 0.7 %
    "transpose int8": Cost(base=537, per_output=9.935),
    # within 1.0 %
    "transpose int16": Cost(base=563.4, per_output=8.897),
    # within 4.3 %
    "resize float32": Cost(per_output=298.3),
    # within 0.6 %
    "resize int8": Cost(base=258.8, per_output=84.58),
    # within 0.3 %
    "resize int16": Cost(base=313.3, per_output=204.7),
    # within 5.0 %
    "embedding float32": Cost(base=340.3, per_output=61.3),
    # within 0.1 %
    "conv_transpose float32": Cost(base=331.6, per_output=275.9, per_mac=275.9),
    # within 2.6 %
    "conv_transpose int8": Cost(base=334.5, per_output=168.6, per_mac=168.6),
    # within 0.0 %
    "conv_transpose int16": Cost(base=313.2, per_output=167.5, per_mac=167.5),
    # within 0.2 %
    "conv_transpose int8-weights": Cost(base=343.3, per_output=458.9, per_mac=458.9),
    # within 5.8 %
    "delay float32": Cost(base=510.4, per_output=5.527),
    # within 1.6 %
    "delay int8": Cost(base=503.7, per_output=1.721),
    # within 0.9 %
    "delay int16": Cost(base=574.8, per_output=2.399),
    # within 5.4 %
    "layer_norm float32": Cost(base=3438, per_output=725.8),
    # within 31.7 %
    "arg_max": Cost(base=69.5, per_input=17.29, per_output=69.5),
    # estimated
    "embedding int8": Cost(base=300, per_output=20),
    # estimated
    "embedding int16": Cost(base=300, per_output=20),
    # estimated
    "quantize float32": Cost(base=250, per_output=84),
    # estimated
    "quantize int8": Cost(base=300, per_output=38),
    # estimated
    "quantize int16": Cost(base=300, per_output=43),
    # estimated
    "resize nearest": Cost(base=500, per_output=20),
}
_ACTIVATIONS: dict[str, float] = {
    # within 33.6 %
    "linear": 0,
    # within 0.6 %
    "relu": 19.84,
    # within 1.9 %
    "relu6": 35.69,
    # within 9.8 %
    "leaky_relu": 75.37,
    # within 6.8 %
    "elu": 26.82,
    # within 2.7 %
    "sigmoid": 89.24,
    # within 0.4 %
    "hard_sigmoid": 258.2,
    # within 1.8 %
    "tanh": 223.7,
    # within 0.2 %
    "softplus": 373.6,
    # within 1.9 %
    "swish": 247.8,
    # within 0.7 %
    "hard_swish": 355,
    # within 38.7 %
    "gelu": 235.6,
    # within 6.5 %
    "softmax": 384.9,
    # within 50.2 %
    "log_softmax": 479.6,
    # estimated
    "exp": 110,
    # estimated
    "log": 420,
    # estimated
    "sqrt": 330,
    # estimated
    "rsqrt": 430,
    # estimated
    "abs": 18,
    # estimated
    "negative": 18,
    # estimated
    "square": 80,
}
_CALL: dict[str, Cost] = {
    # within 0.3 %
    "float32": Cost(base=1889, per_input=25.06, per_output=423.9),
    # within 1.7 %
    "integer": Cost(base=1824, per_input=255.8, per_output=590.7),
}
# end measured

_RP2040 = Chip(
    kernels=_KERNELS,
    activations_f32=_ACTIVATIONS,
    call=_CALL,
    flash_byte=12.5,
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
        "exp": 50,
        "log": 80,
        "sqrt": 170,
        "rsqrt": 200,
        "abs": 5,
        "negative": 5,
        "square": 8,
    },
    call={"float32": Cost(2000, 30, 30), "integer": Cost(2000, 50, 40)},
    flash_byte=5.0,
    source="estimated from the Cortex-M33's instruction timings, not measured",
)

CHIPS = {"rp2040": _RP2040, "rp2350": _RP2350}
