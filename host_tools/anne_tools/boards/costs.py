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
    "f32": Cost(base=188.5, per_input=44.71, block=179.2, block_column=72.97),
    # within 1.9 %
    "f32_aligned": Cost(base=182.4, per_input=34.14, per_output=50.99, block=62.21, block_column=22.91),
    # within 4.8 %
    "s8_f32": Cost(
        base=1095, per_input=128.2, per_output=440.3, block=175.5, block_column=61.37, rest_column=40.79
    ),
    # within 0.7 %
    "s16": Cost(
        base=309.5,
        per_input=10.48,
        per_output=49.63,
        block=7.049,
        rest=7.332,
        block_column=20.84,
        rest_column=6.492,
    ),
    # within 11.2 %
    "s8_quad": Cost(
        base=357.9,
        per_input=4.794,
        per_output=15.23,
        block=161.9,
        rest=69.55,
        block_column=20.74,
        rest_column=11.58,
        exact_row=117.3,
    ),
    # within 18.3 %
    "s4": Cost(
        base=464.2, per_input=9.092, per_output=17.07, block=220.6, block_column=15.66, exact_row=83.14
    ),
    # within 9.5 %
    "f32_aligned relu": Cost(base=190, per_input=30.74, per_output=62.05, block=17.52, block_column=22.96),
    # within 0.9 %
    "activation int8": Cost(base=112.1, per_output=10.03),
    # within 0.1 %
    "softmax int8": Cost(base=597.1, per_output=112.2),
    # within 0.3 %
    "activation int16": Cost(base=99.26, per_output=28.07),
    # within 0.2 %
    "softmax int16": Cost(base=143.5, per_output=93.8),
    # within 0.5 %
    "log_softmax int8": Cost(base=1111, per_output=58.33),
    # within 0.0 %
    "activation float32": Cost(base=177.1),
    # within 0.1 %
    "scaling float32": Cost(base=103.6, per_output=246.9),
    # within 0.1 %
    "scaling int8": Cost(base=103.9, per_output=299),
    # within 0.0 %
    "scaling int16": Cost(base=105, per_output=304),
    # within 6.4 %
    "reshape": Cost(base=53.22),
    # within 1.0 %
    "add float32": Cost(base=348.1, per_output=126.7),
    # within 12.3 %
    "add int8": Cost(base=706.6, per_output=18.82),
    # within 0.5 %
    "add int16": Cost(base=497.3, per_output=158.9),
    # within 0.7 %
    "pad float32": Cost(base=521.5, per_output=8.606),
    # within 3.3 %
    "pad int8": Cost(base=544.3, per_output=1.125),
    # within 0.7 %
    "pad int16": Cost(base=517.9, per_output=7.86),
    # within 18.5 %
    "conv f32_aligned": Cost(base=1456, per_input=40.65, per_output=69.72, per_mac=11.76, window=692.4),
    # within 13.5 %
    "conv f32": Cost(per_input=23.58, per_output=2.62, per_mac=94.34, window=0.6551),
    # within 6.7 %
    "conv s8_quad by byte": Cost(
        base=1687, block=351, block_column=23.37, rest_column=30.35, job=787.9, table=214.2
    ),
    # within 7.7 %
    "conv s8_quad": Cost(
        base=2054,
        per_input=2.829,
        per_output=19.16,
        block=201.3,
        rest=118.6,
        block_column=19.81,
        rest_column=12.54,
        window=78,
        run=61.13,
        job=889,
        table=172.4,
    ),
    # within 1.8 %
    "conv s8_quad gathered": Cost(
        base=266.7,
        per_input=2.588,
        per_output=53.93,
        block=1.617,
        rest=7.543,
        block_column=21.18,
        rest_column=18.39,
        window=2.212,
        job=1067,
        table=533.1,
    ),
    # within 30.5 %
    "conv s16": Cost(base=1140, per_input=39.64, per_output=65.12, per_mac=2.941, window=389.9),
    # within 8.1 %
    "conv s8_f32": Cost(base=737.6, per_input=138.8, per_output=478.7, per_mac=6.411, window=1537),
    # within 26.0 %
    "conv s4": Cost(base=1215, per_input=32.77, per_output=71.45, per_mac=1.025, window=649.8),
    # within 11.5 %
    "depthwise_conv float32": Cost(base=1295, per_output=294.7, per_mac=152.7),
    # within 11.2 %
    "depthwise_conv int8": Cost(base=1509, per_input=10.45, per_output=8.305, per_mac=7.626, window=745.3),
    # within 5.6 %
    "depthwise_conv int8 by pixel": Cost(base=1660, per_output=158.6, per_mac=30.7),
    # within 19.9 %
    "depthwise_conv int16": Cost(base=1496, per_output=121.1, per_mac=36.89),
    # within 7.5 %
    "depthwise_conv int8-weights": Cost(base=1293, per_output=557.5, per_mac=209.9),
    # within 5.2 %
    "max_pool float32": Cost(base=859.2, per_input=200.3, per_output=38.93, per_mac=13.41),
    # within 8.3 %
    "max_pool int8": Cost(base=908.3, per_input=191.5, per_mac=5.738),
    # within 6.9 %
    "max_pool int16": Cost(base=830.3, per_input=198.8, per_output=44.81, per_mac=8.057),
    # within 5.3 %
    "average_pool float32": Cost(base=903.3, per_input=121.2, per_output=289.2, per_mac=56.44),
    # within 7.1 %
    "average_pool int8": Cost(base=802.6, per_input=222.6, per_output=71.66, per_mac=5.173),
    # within 6.8 %
    "average_pool int16": Cost(base=802.5, per_input=238.6, per_output=64.99, per_mac=5.939),
    # within 3.4 %
    "reduce max float32": Cost(base=986.6, per_mac=17.36),
    # within 2.2 %
    "reduce sum float32": Cost(base=1007, per_output=186.9, per_mac=65.18),
    # within 3.4 %
    "reduce max int8": Cost(base=976.3, per_mac=10.91),
    # within 3.6 %
    "reduce sum int8": Cost(base=1132, per_mac=22.65),
    # within 3.0 %
    "reduce max int16": Cost(base=980, per_mac=11.48),
    # within 0.3 %
    "reduce sum int16": Cost(base=1083, per_output=69.12, per_mac=15.84),
    # within 5.7 %
    "concatenate float32": Cost(base=703.4, per_output=3.686),
    # within 1.9 %
    "concatenate int8": Cost(base=695.3, per_output=1.147),
    # within 0.9 %
    "concatenate int16": Cost(base=789.2, per_output=1.599),
    # within 0.5 %
    "slice float32": Cost(base=396.3, per_output=7.988),
    # within 0.9 %
    "slice int8": Cost(base=396.2, per_output=10.02),
    # within 0.8 %
    "slice int16": Cost(base=407.4, per_output=9.068),
    # within 0.6 %
    "subtract float32": Cost(base=348.8, per_output=126.6),
    # within 13.0 %
    "subtract int8": Cost(base=713.6, per_output=19.06),
    # within 0.5 %
    "subtract int16": Cost(base=501.1, per_output=158.6),
    # within 67.8 %
    "multiply float32": Cost(base=401, per_output=32.43),
    # within 0.4 %
    "multiply int8": Cost(base=458.2, per_output=74.06),
    # within 0.4 %
    "multiply int16": Cost(base=451.2, per_output=68.06),
    # within 1.1 %
    "clip float32": Cost(base=111.1, per_output=42.99),
    # within 2.6 %
    "clip int8": Cost(base=72.24, per_output=22.96),
    # within 1.6 %
    "clip int16": Cost(base=76.66, per_output=20.9),
    # within 26.9 %
    "prelu float32": Cost(base=327.1, per_output=61.92),
    # within 2.4 %
    "prelu int8": Cost(base=328.6, per_output=157),
    # within 7.4 %
    "prelu int16": Cost(base=298.1, per_output=182.7),
    # within 1.7 %
    "transpose float32": Cost(base=486.1, per_output=7.753),
    # within 0.9 %
    "transpose int8": Cost(base=480.3, per_output=9.906),
    # within 1.0 %
    "transpose int16": Cost(base=507, per_output=8.824),
    # within 3.8 %
    "resize float32": Cost(per_output=307.1),
    # within 0.7 %
    "resize int8": Cost(base=265, per_output=84.55),
    # within 0.5 %
    "resize int16": Cost(base=313.3, per_output=204.8),
    # within 7.8 %
    "embedding float32": Cost(base=314.9, per_output=64.34),
    # within 0.1 %
    "conv_transpose float32": Cost(base=330.1, per_output=277.3, per_mac=277.3),
    # within 2.7 %
    "conv_transpose int8": Cost(base=353.4, per_output=172.1, per_mac=172.1),
    # within 0.1 %
    "conv_transpose int16": Cost(base=318.5, per_output=169.5, per_mac=169.5),
    # within 0.1 %
    "conv_transpose int8-weights": Cost(base=336.6, per_output=464, per_mac=464),
    # within 5.7 %
    "delay float32": Cost(base=526.1, per_output=5.536),
    # within 1.4 %
    "delay int8": Cost(base=519.4, per_output=1.73),
    # within 0.7 %
    "delay int16": Cost(base=590.8, per_output=2.393),
    # within 7.4 %
    "layer_norm float32": Cost(base=3545, per_output=742.7),
    # within 31.2 %
    "arg_max": Cost(base=72.28, per_input=17.14, per_output=72.28),
    # estimated
    "embedding int8": Cost(
        base=300,
        per_input=0.0,
        per_output=20,
        per_mac=0.0,
        block=0.0,
        rest=0.0,
        block_column=0.0,
        rest_column=0.0,
        exact_row=0.0,
        window=0.0,
        run=0.0,
        job=0.0,
        table=0.0,
    ),
    # estimated
    "embedding int16": Cost(
        base=300,
        per_input=0.0,
        per_output=20,
        per_mac=0.0,
        block=0.0,
        rest=0.0,
        block_column=0.0,
        rest_column=0.0,
        exact_row=0.0,
        window=0.0,
        run=0.0,
        job=0.0,
        table=0.0,
    ),
    # estimated
    "quantize float32": Cost(
        base=250,
        per_input=0.0,
        per_output=84,
        per_mac=0.0,
        block=0.0,
        rest=0.0,
        block_column=0.0,
        rest_column=0.0,
        exact_row=0.0,
        window=0.0,
        run=0.0,
        job=0.0,
        table=0.0,
    ),
    # estimated
    "quantize int8": Cost(
        base=300,
        per_input=0.0,
        per_output=38,
        per_mac=0.0,
        block=0.0,
        rest=0.0,
        block_column=0.0,
        rest_column=0.0,
        exact_row=0.0,
        window=0.0,
        run=0.0,
        job=0.0,
        table=0.0,
    ),
    # estimated
    "quantize int16": Cost(
        base=300,
        per_input=0.0,
        per_output=43,
        per_mac=0.0,
        block=0.0,
        rest=0.0,
        block_column=0.0,
        rest_column=0.0,
        exact_row=0.0,
        window=0.0,
        run=0.0,
        job=0.0,
        table=0.0,
    ),
    # estimated
    "resize nearest": Cost(
        base=500,
        per_input=0.0,
        per_output=20,
        per_mac=0.0,
        block=0.0,
        rest=0.0,
        block_column=0.0,
        rest_column=0.0,
        exact_row=0.0,
        window=0.0,
        run=0.0,
        job=0.0,
        table=0.0,
    ),
}
_ACTIVATIONS: dict[str, float] = {
    # within 28.8 %
    "linear": 0,
    # within 0.4 %
    "relu": 20.03,
    # within 0.1 %
    "relu6": 38.1,
    # within 18.4 %
    "leaky_relu": 61.05,
    # within 10.8 %
    "elu": 31.19,
    # within 2.0 %
    "sigmoid": 89.66,
    # within 0.9 %
    "hard_sigmoid": 269.8,
    # within 1.4 %
    "tanh": 229.6,
    # within 0.7 %
    "softplus": 382.7,
    # within 0.8 %
    "swish": 259.8,
    # within 0.9 %
    "hard_swish": 373.9,
    # within 38.9 %
    "gelu": 241.9,
    # within 5.7 %
    "softmax": 400.6,
    # within 50.0 %
    "log_softmax": 488.3,
    # within 16.6 %
    "exp": 48.88,
    # within 0.5 %
    "log": 39.05,
    # within 0.3 %
    "sqrt": 32.94,
    # within 0.4 %
    "rsqrt": 33.03,
    # within 1.2 %
    "abs": 14.05,
    # within 0.5 %
    "negative": 14.98,
    # within 0.2 %
    "square": 34.08,
}
_CALL: dict[str, Cost] = {
    # within 0.3 %
    "float32": Cost(base=1833, per_input=18.99, per_output=434),
    # within 0.7 %
    "integer": Cost(base=2229, per_input=55.7, per_output=527.5),
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
