"""Integer arithmetic of TensorFlow Lite Micro's int8 operators, bit for bit, in plain Python.

A quantised .tflite file says only scales and zero points; which integers come out is decided by the interpreter's
fixed-point code. This module restates that code as formulas, so that `quantize` and `pack` can turn every int8
activation into a 256-entry table and every dense layer into a multiplier and a shift, and the C core needs no more
than those. tests/host_tools/network/test_tflm.py holds each function against the `tflite-micro` interpreter.

Sources: "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (Jacob et al.,
2018), the TFLite 8-bit quantisation specification, and gemmlowp's fixed-point notes (Newton-Raphson reciprocal, barrel
shifter exponential). TFLite Micro rounds twice when it rescales; LiteRT's own kernels round once and may differ by 1.

Notation: Qm.n is a 32-bit integer with m integer and n = 31 - m fraction bits. Functions take Python integers or
int64 arrays unless they say otherwise. Tables are indexed with the int8 input + 128.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import ModelError

INT8_MIN, INT8_MAX = -128, 127
INT16_MIN, INT16_MAX = -32768, 32767
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1

# What TFLite Micro demands of (or silently assumes for) the output of an operator: scale, zero point.
LOGISTIC_OUTPUT = (1 / 256, -128)
TANH_OUTPUT = (1 / 128, 0)
SOFTMAX_OUTPUT = (1 / 256, -128)
LOG_SOFTMAX_OUTPUT = (16 / 256, 127)


# Rescaling: an int32 times a real factor, which is held as multiplier / 2^31 * 2^shift


def high_mul(a, b):
    """Return a * b / 2^31 rounded to nearest, halves up; both arguments int32, not both -2^31."""
    return (a * b + (1 << 30)) >> 31


def rounding_shift(x, exponent):
    """Return x / 2^exponent rounded to nearest, halves away from zero; exponent 0 to 31 (an array for arrays)."""
    half = (1 << exponent) >> 1
    return (x + half - (x < 0) * (half > 0)) >> exponent


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Return (multiplier, shift) with real ~ multiplier / 2^31 * 2^shift; multiplier 0 or in [2^30, 2^31).

    Factors below 2^-32 become zero. ModelError if `real` is negative or not finite, or too large (2^30) to apply.
    """
    if not (math.isfinite(real) and 0 <= real < 2.0**30):
        raise ModelError(f"rescaling factor: expected a number from 0 to 2^30, got {real}")
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (multiplier, shift) if shift >= -31 else (0, 0)


def rescale(x, multiplier, shift):
    """Return x * multiplier / 2^31 * 2^shift as TFLite Micro does: shift left, multiply and round, round again.

    x * 2^shift must fit int32 where shift is positive (the interpreter's result is undefined beyond).
    """
    left, right = (shift > 0) * shift, (shift < 0) * -shift
    return rounding_shift(high_mul(x * (1 << left), multiplier), right)


def dense_multipliers(
    input_scale: float, weights_scale, output_scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (multiplier, shift), int64 arrays of as many values as `weights_scale` has: one, or one a row.

    Scales are the file's float32 values, the arithmetic is float64: the last bit of the multiplier depends on it.
    """
    as_float64 = [
        np.atleast_1d(np.float32(scale)).astype(np.float64)
        for scale in (input_scale, weights_scale, output_scale)
    ]
    products = as_float64[0] * as_float64[1] / as_float64[2]
    pairs = np.array([quantize_multiplier(float(product)) for product in products], np.int64)
    return pairs[:, 0], pairs[:, 1]


def of_15_bits(multiplier: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (multiplier, shift) with which `rescale` gives what TFLite Micro makes of a sum of 64 bits.

    It cuts the multiplier down to 15 bits, m, and rounds once: (sum m + half) >> (15 - shift). With m 2^(16 + shift) as
    multiplier and no shift to the right, `rescale` rounds once, too. Factors below 2^-17 leave a shift, and so round
    twice, which is a step off in one of 2^-shift results.
    """
    reduced = np.minimum((multiplier + (1 << 15)) >> 16, 0x7FFF)
    is_once = (shift < 0) & (shift >= -16)
    return np.where(is_once, reduced << (16 + np.clip(shift, -16, 0)), reduced << 16), np.where(
        is_once, 0, shift
    )


def clamp_range(activation: str, scale: float, zero_point: int, dtype: str = "int8") -> tuple[int, int]:
    """Return the lowest and highest output, int8 or int16, of a layer with `activation` fused: linear, relu or relu6.

    6 / scale is a float32, and so is on either side of a half where the real quotient may be on the other.
    """
    lowest, highest = (INT8_MIN, INT8_MAX) if dtype == "int8" else (INT16_MIN, INT16_MAX)
    if activation not in ("linear", "relu", "relu6"):
        raise ModelError(f"fused activation {activation!r} is not supported; supported: linear, relu, relu6")
    if activation == "relu6":
        with np.errstate(over="ignore"):
            six = min(float(np.float32(6) / np.float32(scale)), float(INT32_MAX))
        highest = min(highest, zero_point + _round_half_away(six))
    return (lowest if activation == "linear" else max(lowest, zero_point)), highest


def _round_half_away(x) -> int:
    return int(math.copysign(math.floor(abs(float(x)) + 0.5), float(x)))


# Fixed-point functions of gemmlowp, on Python integers


def exp_negative(a: int, integer_bits: int) -> int:
    """Return exp(a) in Q0.31 for a <= 0 in Q(integer_bits).(31 - integer_bits), integer_bits at most 5.

    a = r - k/4 with r in [-1/4, 0): a Taylor polynomial gives exp(r), and each set bit of k multiplies it with
    exp(-2^bit): the constants below, for exp(-1/4), exp(-1/2), exp(-1), ... exp(-16).
    """
    if a == 0:
        return INT32_MAX
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    r = (a & (quarter - 1)) - quarter
    result = _exp_quarter(r << integer_bits)
    multiples = r - a
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for bit, factor in enumerate(factors[: integer_bits + 2]):
        if multiples & (quarter << bit):
            result = high_mul(result, factor)
    return result


def _exp_quarter(a: int) -> int:
    """Return exp(a) for a in [-1/4, 0), both Q0.31: the Taylor series around -1/8 up to the fourth power."""
    exp_minus_eighth, third = 1895147668, 715827883
    x = a + (1 << 28)
    x2 = high_mul(x, x)
    x3, x4 = high_mul(x2, x), high_mul(x2, x2)
    tail = rounding_shift(high_mul(rounding_shift(x4, 2) + x3, third) + x2, 1)
    return exp_minus_eighth + high_mul(exp_minus_eighth, x + tail)


def _reciprocal_q2(a: int) -> int:
    """Return 2 / (1 + a) in Q2.29 for a in [0, 1) in Q0.31: three Newton-Raphson steps from 48/17 - 32/17 d."""
    half_denominator = (a + INT32_MAX + 1) >> 1
    x = 1515870810 + high_mul(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - high_mul(half_denominator, x)
        x += _saturating_left_shift(high_mul(x, error), 2)
    return x


def one_over_one_plus(a: int) -> int:
    """Return 1 / (1 + a) for a in [0, 1), both Q0.31."""
    return _saturating_left_shift(_reciprocal_q2(a), 1)


def _saturating_left_shift(x: int, bits: int) -> int:
    return max(INT32_MIN, min(INT32_MAX, x << bits))


def logistic(a: int) -> int:
    """Return 1 / (1 + exp(-a)) in Q0.31 for `a` in Q4.27."""
    if a == 0:
        return 1 << 30
    positive = one_over_one_plus(exp_negative(-abs(a), 4))
    return positive if a > 0 else INT32_MAX - positive


def tanh(a: int) -> int:
    """Return tanh(a) in Q0.31 for `a` in Q4.27, as (1 - e) / (1 + e) with e = exp(-2 |a|)."""
    if a == 0:
        return 0
    e = exp_negative(-abs(a), 5)  # the same bits read as Q5.26 are 2 a
    magnitude = _saturating_left_shift(_reciprocal_q2(e) - (1 << 29), 2)
    return magnitude if a > 0 else -magnitude


# Tables of one int8 operator


def input_radius(integer_bits: int, shift: int) -> int:
    """Return the largest |input - zero_point| that rescales into Q(integer_bits)."""
    return math.floor(((1 << integer_bits) - 1) * 2.0 ** (31 - integer_bits - shift))


def _table(function) -> np.ndarray:
    """Return function(q) for q from -128 to 127, clamped to int8."""
    values = [max(INT8_MIN, min(INT8_MAX, function(q))) for q in range(INT8_MIN, INT8_MAX + 1)]
    return np.array(values, np.int8)


def _fixed_point_table(
    function, fraction_bits: int, offset: int, scale: float, zero_point: int
) -> np.ndarray:
    """Return the table of a Q4.27 -> Q0.31 function whose output is kept to `fraction_bits`, plus `offset`."""
    fraction, shift = math.frexp(float(np.float32(scale)) * (1 << 27))
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    radius = input_radius(4, shift)

    def entry(q: int) -> int:
        x = q - zero_point
        if x <= -radius:
            return INT8_MIN
        if x >= radius:
            return INT8_MAX
        return rounding_shift(function(rescale(x, multiplier, shift)), 31 - fraction_bits) + offset

    return _table(entry)


def logistic_table(scale: float, zero_point: int) -> np.ndarray:
    """Return LOGISTIC for an input of `scale` and `zero_point`: 256 int8 of scale 1/256, zero point -128."""
    return _fixed_point_table(logistic, 8, -128, scale, zero_point)


def tanh_table(scale: float, zero_point: int) -> np.ndarray:
    """Return TANH for an input of `scale` and `zero_point`: 256 int8 of scale 1/128, zero point 0."""
    return _fixed_point_table(tanh, 7, 0, scale, zero_point)


def requantize_table(
    scale: float, zero_point: int, output_scale: float, output_zero_point: int
) -> np.ndarray:
    """Return QUANTIZE from int8 to int8: the same real values under another scale and zero point."""
    multiplier, shift = quantize_multiplier(float(np.float32(scale)) / float(np.float32(output_scale)))
    return _table(lambda q: output_zero_point + rescale(q - zero_point, multiplier, shift))


def relu_table(scale: float, zero_point: int, output_scale: float, output_zero_point: int) -> np.ndarray:
    """Return RELU as an operator of its own, which may change scale and zero point."""
    table = requantize_table(scale, zero_point, output_scale, output_zero_point)
    return np.maximum(table, np.int8(max(INT8_MIN, output_zero_point)))


def relu6_table(scale: float, zero_point: int) -> np.ndarray:
    """Return RELU6 as an operator of its own: clamps between the integers of 0 and 6, same scale and zero point."""
    six = zero_point + _round_half_away(np.float32(6) / np.float32(scale))
    return _table(lambda q: min(max(q, zero_point), six))


def leaky_relu_table(
    alpha: float, scale: float, zero_point: int, output_scale: float, output_zero_point: int
) -> np.ndarray:
    """Return LEAKY_RELU with slope `alpha` (0 or more) below zero."""
    ratio = float(np.float32(scale)) / float(np.float32(output_scale))
    slope = float(np.float32(scale)) * float(np.float32(alpha)) / float(np.float32(output_scale))
    above, below = quantize_multiplier(ratio), quantize_multiplier(slope)

    def entry(q: int) -> int:
        x = q - zero_point
        return output_zero_point + rescale(x, *(above if x >= 0 else below))

    return _table(entry)


def float_table(
    function, scale: float, zero_point: int, output_scale: float, output_zero_point: int
) -> np.ndarray:
    """Return `function` (float to float) computed in float32 and rounded half away from zero, as ELU is."""
    scale, inverse = np.float32(scale), np.float32(1) / np.float32(output_scale)

    def entry(q: int) -> int:
        with np.errstate(over="ignore"):
            y = np.float32(function(float(scale * np.float32(q - zero_point)))) * inverse
        rounded = np.float32(_round_half_away(np.clip(y, -512, 512))) + np.float32(output_zero_point)
        return int(np.clip(rounded, INT8_MIN, INT8_MAX))

    return _table(entry)


def elu_table(scale: float, zero_point: int, output_scale: float, output_zero_point: int) -> np.ndarray:
    """Return ELU with alpha 1."""

    def elu(x: float) -> float:
        return float(np.float32(math.exp(x)) - np.float32(1)) if x < 0 else x

    return float_table(elu, scale, zero_point, output_scale, output_zero_point)


def abs_table(scale: float, zero_point: int, output_scale: float, output_zero_point: int) -> np.ndarray:
    """Return ABS: the distance from the zero point under another scale and zero point."""
    multiplier, shift = quantize_multiplier(float(np.float32(scale)) / float(np.float32(output_scale)))
    return _table(lambda q: output_zero_point + rescale(abs(q - zero_point), multiplier, shift))


def rsqrt_table(scale: float, zero_point: int, output_scale: float, output_zero_point: int) -> np.ndarray:
    """Return RSQRT, 1 / sqrt(x), of integers with 20 bits behind the point; of 0 the greatest value.

    The interpreter ends at a value below 0; here it counts as 0.
    """
    root = math.sqrt(float(np.float32(scale)))
    multiplier, shift = quantize_multiplier(1 / (root * float(np.float32(output_scale))))

    def entry(q: int) -> int:
        if q <= zero_point:
            return INT8_MAX
        inverse = _round_half_away((1 << 20) / math.sqrt(q - zero_point))
        return output_zero_point + rescale(inverse, multiplier, shift - 20)

    return _table(entry)


def hard_swish_table(
    scale: float, zero_point: int, output_scale: float, output_zero_point: int
) -> np.ndarray:
    """Return HARD_SWISH, x * relu6(x + 3) / 6, in 16-bit arithmetic: the input times 128, both factors Q0.15.

    ModelError if the output's scale is less than 1/128 of the input's: the interpreter refuses that.
    """
    hires_scale = float(np.float32(1 / 128) * np.float32(scale))
    to_output, output_shift = _multiplier_16(hires_scale / float(np.float32(output_scale)))
    to_reluish, reluish_shift = _multiplier_16(hires_scale / float(np.float32(3 / 32768)))
    if output_shift > 0:
        raise ModelError(
            f"HARD_SWISH: expected an output scale of at least {scale / 128}, got {output_scale}"
        )

    def entry(q: int) -> int:
        x = (q - zero_point) * 128
        reluish = x
        if reluish_shift > 0:
            reluish = _clip_16(reluish << (reluish_shift - 1))
        reluish = high_mul_16(reluish, to_reluish)
        if reluish_shift > 0:
            reluish = _clip_16(reluish << 1)
        reluish = rounding_shift(reluish, max(0, -reluish_shift))
        product = ((reluish + (1 << 15)) >> 1) * high_mul_16(x, to_output)
        toward_zero = abs(product) >> 15
        return (
            rounding_shift(toward_zero if product >= 0 else -toward_zero, -output_shift) + output_zero_point
        )

    return _table(entry)


def high_mul_16(a: int, b: int) -> int:
    """Return a * b / 2^15 rounded to nearest, halves up; both int16, not both -2^15."""
    return (a * b + (1 << 14)) >> 15


def _multiplier_16(real) -> tuple[int, int]:
    """Return quantize_multiplier(real) with the multiplier cut down to Q0.15."""
    multiplier, shift = quantize_multiplier(float(real))
    return min((multiplier + (1 << 15)) >> 16, 32767), shift


def _clip_16(x: int) -> int:
    return max(-32768, min(32767, x))
