"""Float weights as integers: a scale a row, symmetric, as TensorFlow Lite has them (Jacob et al., arXiv 1712.05877)."""

from __future__ import annotations

import numpy as np
from anne.layouts.rows import MAX_BIAS

from ..errors import ModelError
from ..network.tensor import Quantization

# Of a row's largest weight, the parts that seven steps of a four-bit weight may reach up to.
_PARTS = np.linspace(0.98, 0.5, 25)
# More than a float32 loses when it is rounded.
_ROUNDED_UP = 1 + 2.0**-23


def quantized(
    weights: np.ndarray, most: int, dtype: type, least_scale: np.ndarray | float = 0.0
) -> tuple[np.ndarray, Quantization]:
    """Return weights (n_out, ...) as integers of `dtype`, and the scale of each row, at least `least_scale`.

    The largest weight of a row becomes `most`. Of four bits, that leaves little for the others: there the scale is the
    one of least squared error, and weights beyond 7 steps are limited.
    """
    shape, weights = weights.shape, weights.astype(np.float64).reshape(len(weights), -1)
    largest = np.abs(weights).max(axis=1)
    scale, rounded = _rounded(weights, largest / most, most, least_scale)
    for part in _PARTS if most < 127 else ():
        other, candidate = _rounded(weights, part * largest / most, most, least_scale)
        better = _squared_error(weights, other, candidate) < _squared_error(weights, scale, rounded)
        scale, rounded = np.where(better, other, scale), np.where(better[:, None], candidate, rounded)
    return rounded.astype(dtype).reshape(shape), Quantization(scale)


def _rounded(
    weights: np.ndarray, scale: np.ndarray, most: int, least_scale: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (the scale of each row, float32, and its weights in such steps)."""
    scale = np.maximum(scale, least_scale)
    scale = np.float32(np.where(scale > 0, scale * _ROUNDED_UP, 1.0))
    return scale, np.clip(np.rint(weights / scale[:, None].astype(np.float64)), -most, most)


def _squared_error(weights: np.ndarray, scale: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    return np.square(weights - scale[:, None].astype(np.float64) * rounded).sum(axis=1)


def least_scale(weights: np.ndarray, bias: np.ndarray, step: float, dtype: str, name: str) -> np.ndarray:
    """Return the finest scale of each row (n_out, ...) with which no sum leaves its range (FORMAT.md, "Kind 1, dense").

    The bias counts in units of a weight step times an input `step`, so weights must be coarser where it is large.
    """
    weights = weights.reshape(len(weights), -1)
    n_in = weights.shape[1]
    bias = np.abs(bias.astype(np.float64)) / step
    if dtype == "int8":
        # |bias| <= MAX_BIAS once the zero point, up to 128, times the sum of the weights is in it
        return bias / max(MAX_BIAS - 128 * 127 * n_in, 1 << 20)
    # 32768 sum |weights| + |bias| < 2^31; rounding adds half to each weight and to the bias
    heaviest = 32768 * np.abs(weights.astype(np.float64)).sum(axis=1)
    room = (1 << 31) - 16384 * (n_in + 1)
    if room <= 0:
        raise ModelError(f"{name}: {n_in} inputs are too many for int16; use int8")
    return np.maximum((heaviest + bias) / room, bias / MAX_BIAS)


def quantized_bias(bias: np.ndarray, quantization: Quantization, step: float) -> np.ndarray:
    """Return the bias in units of a weight step times an input `step`, int32."""
    return np.rint(bias.astype(np.float64) / (quantization.scale * step)).astype(np.int32)
