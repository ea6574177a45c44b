"""Activations on integers as tables of bytes (FORMAT.md, "Activations"): what the converter puts into a model file.

int8 follows TensorFlow Lite Micro's operators where it has them, so that a quantised .tflite gives its own results.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelError
from ..network import tflm, tflm_softmax
from ..network.activations import activate
from ..network.tensor import Tensor
from ..network.tflm import INT16_MAX, INT16_MIN

# Activations whose output has a type of its own, which the quantiser gives it: softmax and log_softmax must have it,
# of the others it is TensorFlow Lite's. Name -> {dtype: (scale, zero point)}.
FIXED_OUTPUT = {
    "sigmoid": {"int8": tflm.LOGISTIC_OUTPUT, "int16": (1 / 32768, 0)},
    "hard_sigmoid": {"int8": (1 / 256, -128), "int16": (1 / 32768, 0)},
    "tanh": {"int8": tflm.TANH_OUTPUT, "int16": (1 / 32768, 0)},
    "softmax": {"int8": tflm.SOFTMAX_OUTPUT, "int16": (1 / 32768, 0)},
    "log_softmax": {"int8": tflm.LOG_SOFTMAX_OUTPUT},
}
# Of values above 0 only. An integer below 0 counts as 0, as rounding may make one; what is infinite there is the
# greatest or least integer.
_ABOVE_0 = ("log", "sqrt", "rsqrt")


def limits(activation: str, target: Tensor) -> tuple[int, int]:
    """Return (act_min, act_max) of a dense layer with `activation` into `target`; (0, 0) for floats."""
    if target.dtype == "float32":
        return 0, 0
    scale, zero_point = float(target.quantization.scale[0]), target.quantization.zero_point
    return tflm.clamp_range(activation, scale, zero_point, target.dtype)


def table(layer: Any, source: Tensor, target: Tensor) -> bytes:
    """Return the table of an activation from `source` to `target`, both int8 or both int16."""
    if "softmax" in layer.activation:
        expected = FIXED_OUTPUT[layer.activation][target.dtype]
        got = float(target.quantization.scale[0]), target.quantization.zero_point
        if got != expected:
            raise ModelError(
                f"{layer.name} ({layer.activation}): expected scale and zero point {expected}, got {got}"
            )
    values = (
        _int8_table(layer, source, target) if source.dtype == "int8" else _int16_table(layer, source, target)
    )
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


def _int8_table(layer: Any, source: Tensor, target: Tensor) -> np.ndarray:
    scale, zero_point = float(source.quantization.scale[0]), source.quantization.zero_point
    out_scale, out_zero_point = float(target.quantization.scale[0]), target.quantization.zero_point
    both = scale, zero_point, out_scale, out_zero_point
    same = (scale, zero_point) == (out_scale, out_zero_point)
    is_usual = (out_scale, out_zero_point) == FIXED_OUTPUT.get(layer.activation, {}).get("int8")
    match layer.activation:
        case "softmax":
            return tflm_softmax.softmax_exponentials(scale).astype(np.int32)
        case "log_softmax":
            return np.concatenate(tflm_softmax.log_softmax_tables(scale)).astype(np.int32)
        case "linear":
            return tflm.requantize_table(*both)
        case "relu":
            return tflm.relu_table(*both)
        case "relu6" if same:
            return tflm.relu6_table(scale, zero_point)
        case "leaky_relu" if layer.alpha >= 0:
            return tflm.leaky_relu_table(layer.alpha, *both)
        case "elu" if layer.alpha == 1:
            return tflm.elu_table(*both)
        case "sigmoid" if is_usual:
            return tflm.logistic_table(scale, zero_point)
        case "tanh" if is_usual:
            return tflm.tanh_table(scale, zero_point)
        case "hard_swish" if out_scale >= scale / 128:
            return tflm.hard_swish_table(*both)
        case "abs":
            return tflm.abs_table(*both)
        case "rsqrt":
            return tflm.rsqrt_table(*both)
    return tflm.float_table(lambda v: float(_of_reals(layer, np.array([v]))[0]), *both)


def _of_reals(layer: Any, real: np.ndarray) -> np.ndarray:
    if layer.activation in _ABOVE_0:
        real = np.maximum(real, 0)
    return activate(layer.activation, real, layer.alpha)


def _int16_table(layer: Any, source: Tensor, target: Tensor) -> np.ndarray:
    """513 values of the function, 128 inputs apart; those of softmax are e^-v for the distance v from the maximum."""
    scale, out_scale = float(source.quantization.scale[0]), float(target.quantization.scale[0])
    if layer.activation == "softmax":
        values = np.exp(-128 * scale * np.arange(513)) * INT16_MAX
    else:
        real = scale * (128.0 * np.arange(513) + INT16_MIN)
        with np.errstate(over="ignore"):
            values = _of_reals(layer, real) / out_scale
    rounded = np.copysign(np.floor(np.abs(values) + 0.5), values)
    return np.clip(rounded, INT16_MIN, INT16_MAX).astype(np.int16)
