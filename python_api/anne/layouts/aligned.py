"""Floats aligned to the greatest among them, so that they add up as integers do."""

import math


def exponent_of(v):
    """Return the least e with |v| < 2^e, for a normal float32; None for what counts as 0."""
    v = abs(v)
    return math.frexp(v)[1] if v >= 2.0**-126 else None


def round_float32(n, exponent):
    """Return n 2^exponent rounded to float32, halves away from zero; then 0 if denormal, infinite if too large."""
    size = abs(n)
    drop = max(bit_length(size) - 24, -149 - exponent, 0)
    size = (size + (1 << drop >> 1)) >> drop
    exponent += drop
    if n == 0 or bit_length(size) + exponent < -125:
        return 0.0
    value = math.inf if bit_length(size) + exponent > 128 else math.ldexp(size, exponent)
    return -value if n < 0 else value


def bit_length(n):
    """Return the bits of n >= 0, as int.bit_length does, which MicroPython has not."""
    bits = 0
    while n >> bits:
        bits += 1
    return bits


def common_exponent(x):
    """Return the least e >= -126 with every |v| < 2^e; None if there is a NaN or an infinity."""
    if not all(-math.inf < v < math.inf for v in x):
        return None
    return max([e for e in map(exponent_of, x) if e is not None] + [-126])


def align(v, exponent):
    """Return v 2^(23 - exponent) rounded, halves away from zero."""
    if exponent_of(v) is None:
        return 0
    mantissa, own = math.frexp(abs(v))
    n = ((int(math.ldexp(mantissa, 24)) >> (exponent - own)) + 1) >> 1
    return -n if v < 0 else n
