"""TensorFlow Lite Micro's SOFTMAX and LOG_SOFTMAX on int8, bit for bit, as `tflm` beside it."""

from __future__ import annotations

import math

import numpy as np

from .tflm import (
    INT8_MAX,
    INT8_MIN,
    INT32_MAX,
    INT32_MIN,
    exp_negative,
    high_mul,
    input_radius,
    one_over_one_plus,
    rounding_shift,
)


def softmax_exponentials(scale: float) -> np.ndarray:
    """Return exp((q - max) * scale) in Q0.31 for max - q = 0 ... 255: 256 int32, 0 where too small to count.

    Beta is 1. This table is all that softmax needs of the scale; the zero point cancels out.
    """
    return np.array([exp_negative(x, 5) if x > INT32_MIN else 0 for x in _below_the_top(scale)], np.int32)


def _below_the_top(scale: float) -> list[int]:
    """Return (q - max) * scale in Q5.26 for max - q = 0 ... 255; INT32_MIN where that is too far below 0 to count."""
    factor = min(float(np.float32(scale)) * (1 << 26), float(INT32_MAX))
    fraction, shift = math.frexp(factor)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    # TFLite Micro takes no scale below 2^-26, where all 256 differences round to (nearly) nothing
    left, right = max(shift, 0), min(max(-shift, 0), 31)
    radius = input_radius(5, left)
    return [
        rounding_shift(high_mul(-distance << left, multiplier), right) if distance <= radius else INT32_MIN
        for distance in range(256)
    ]


def log_softmax_tables(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return exp((q - max) * scale) in Q12.19, and (q - max) * scale in Q5.26, each for max - q = 0 ... 255: int32.

    The second is not below -16, where the output has its least value whatever the sum.
    """
    exponentials = [rounding_shift(int(e), 12) for e in softmax_exponentials(scale)]
    return np.array(exponentials, np.int32), np.maximum(_below_the_top(scale), -(1 << 30)).astype(np.int32)


def softmax(x, exponentials: np.ndarray) -> np.ndarray:
    """Return softmax of the int8 vector `x` as int8 of scale 1/256, zero point -128.

    The sum is kept in Q12.19, its reciprocal by Newton-Raphson in Q0.31 of the mantissa in [1, 2), and each output is
    exponential * reciprocal, rounded twice. `exponentials` comes from softmax_exponentials.
    """
    x = np.asarray(x, np.int64)
    terms = [int(exponentials[int(x.max()) - int(q)]) for q in x]
    total = sum(rounding_shift(term, 12) for term in terms)
    headroom = 32 - total.bit_length()  # leading zeros of the 32-bit sum; the sum is at least 1.0 = 2^19
    reciprocal = one_over_one_plus((total << headroom) - (1 << 31))
    exponent = (12 - headroom) + 31 - 8
    outputs = [
        rounding_shift(high_mul(reciprocal, term), exponent) + INT8_MIN if term else INT8_MIN
        for term in terms
    ]
    return np.clip(outputs, INT8_MIN, INT8_MAX).astype(np.int8)
