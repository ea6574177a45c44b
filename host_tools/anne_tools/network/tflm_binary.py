"""TensorFlow Lite Micro's factors for the scales of operands and results: ADD, SUB, MUL, PRELU, QUANTIZE."""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from .tflm import quantize_multiplier

# The greatest shift to the left of a product of int8, or of int16 (native_module/kernels/multiply.c).
MULTIPLY_SHIFT = {"int8": 13, "int16": 0}
# That of any other rescaling (native_module/kernels/requantize.h).
MAX_SHIFT = 15


def add_factors(a_scale: float, b_scale: float, output_scale: float, dtype: str) -> list[int]:
    """Return (multiplier, shift) of a, of b and of the sum, six numbers, for ADD on int8 or int16.

    Both inputs, shifted left by 20 or 15 bits, are brought to twice the larger scale, so that the sum cannot wrap.
    ModelError if the output's scale is so fine that the sum would have to grow.
    """
    a, b, output = (float(np.float32(scale)) for scale in (a_scale, b_scale, output_scale))
    common = 2 * max(a, b)
    factors = (a / common, b / common, finest_sum(a, b, dtype) / output)
    if factors[2] >= 1:
        raise ModelError(f"add: its output scale {output} is too fine for inputs of scale {a} and {b}")
    return [number for factor in factors for number in quantize_multiplier(factor)]


def finest_sum(a_scale: float, b_scale: float, dtype: str) -> float:
    """Return the scale that the output of ADD must be above."""
    return 2 * max(a_scale, b_scale) / (1 << {"int8": 20, "int16": 15}[dtype])


def multiply_factor(a_scale: float, b_scale: float, output_scale: float, dtype: str) -> list[int]:
    """Return multiplier and shift of the product for MUL on int8 or int16.

    ModelError if the output's scale is so fine that the product would have to grow beyond what is proven to fit.
    """
    a, b, output = (float(np.float32(scale)) for scale in (a_scale, b_scale, output_scale))
    multiplier, shift = quantize_multiplier(a * b / output)
    if shift > MULTIPLY_SHIFT[dtype]:
        raise ModelError(f"multiply: its output scale {output} is too fine for inputs of scale {a} and {b}")
    return [multiplier, shift] if shift >= -30 else [0, 0]  # less than half a step of the greatest product


def finest_product(a_scale: float, b_scale: float, dtype: str) -> float:
    """Return the scale that the output of MUL must be above."""
    return a_scale * b_scale / (1 << MULTIPLY_SHIFT[dtype])


def prelu_factors(a_scale: float, slope_scale: float, output_scale: float) -> list[int]:
    """Return multiplier and shift of what is not negative, and of the product, for PRELU.

    ModelError if the output's scale is so fine that they cannot be applied.
    """
    a, slope, output = (float(np.float32(scale)) for scale in (a_scale, slope_scale, output_scale))
    return [*scale_factor(a / output, "prelu"), *scale_factor(a * slope / output, "prelu")]


def scale_factor(real: float, what: str) -> tuple[int, int]:
    """Return multiplier and shift of a change of scale; ModelError beyond what is shifted to the left."""
    multiplier, shift = quantize_multiplier(real)
    if shift > MAX_SHIFT:
        raise ModelError(
            f"{what}: its output scale is too fine: expected a factor below 2^{MAX_SHIFT}, got {real:.4g}"
        )
    return multiplier, shift
