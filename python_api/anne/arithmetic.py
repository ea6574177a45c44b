"""Arithmetic that kinds of layers share: on float32, where denormals count as 0, and on integers.

Not frozen into firmware, whose native module computes.
"""

import math
import struct
from array import array

from .binary import shapes
from .reference import activate
from .windows import axes_of, size_of

# --- Floats ----------------------------------------------------------------------------------------------------------

# Below this a number's nearest float32 is denormal. (Where floats have 32 bits it comes out as 2^-126, which is right.)
_LEAST = 2.0**-126 - 2.0**-150
_BEYOND = 2.0**128 - 2.0**103  # from here on it is infinite


def normal(v):
    """Return v, but a zero of its sign where the nearest float32 is denormal: it counts as 0 (FORMAT.md)."""
    return math.copysign(0.0, v) if abs(v) < _LEAST else v


def beyond_is_infinite(v):
    """Return v, but an infinity of its sign where float32 has no other."""
    return math.copysign(math.inf, v) if abs(v) >= _BEYOND else v


def times(a, b):
    """Return a b rounded to float32, where denormals count as 0."""
    return normal(float32(normal(a) * normal(b)))


def plus(a, b):
    """Return a + b rounded to float32, where denormals count as 0."""
    return normal(float32(normal(a) + normal(b)))


def activated(layer, values):
    """Return the layer's activation of float32 values, where denormals count as 0."""
    values = activate(layer.activation, [normal(v) for v in values], normal(layer.alpha))
    return [normal(v) for v in values]


def float32(v):
    """Return v rounded to 32 bits as IEEE 754 says, as the C core holds it."""
    return array("f", (v,))[0]


def round_limited(v, zero_point, least, greatest):
    """Return the integer nearest to v, halves away from zero, plus zero_point, limited; zero_point for NaN."""
    if v != v:
        return zero_point
    if not -100000 < v < 100000:
        return least if v < 0 else greatest
    whole = int(v)
    rest = v - whole
    whole += (rest >= 0.5) - (rest <= -0.5) + zero_point
    return min(max(whole, least), greatest)


# --- Two operands ----------------------------------------------------------------------------------------------------


def pairs(layer, inputs):
    """Return (a, b) for each element of the output of a layer with two operands: FORMAT.md, "Two operands"."""
    operands = [(values, x.zero_point) for values, x in zip(inputs, layer.inputs)]
    if len(operands) == 1:
        first, zero_point = layer.parameters[-6:-4]
        x = layer.inputs[0]
        constant = layer.constants[0]
        values = struct.unpack_from("<%d%s" % (len(constant) // x.itemsize, x.letter), constant)
        operands.insert(first, (values, zero_point))
    made = []
    for (values, zero_point), shape in zip(operands, shapes(layer)):
        y_shape = layer.outputs[0].shape
        at = [0]
        for n, m in zip((1,) * (len(y_shape) - len(shape)) + shape, y_shape):
            at = [i * n + (k if n > 1 else 0) for i in at for k in range(m)]
        made.append([values[i] - zero_point for i in at])
    return zip(*made)


def sums(layer, inputs, sign):
    """Return a + sign b, for kinds with two operands, as TensorFlow Lite Micro adds integers."""
    terms = pairs(layer, inputs)
    x, y = layer.inputs[0], layer.outputs[0]
    if x.dtype == "float32":
        return activated(layer, [plus(a, sign * b) for a, b in terms])
    # in units finer than those of a and of b, so that little is lost
    bits = 20 if x.dtype == "int8" else 15
    a_multiplier, a_shift, b_multiplier, b_shift, multiplier, shift, least, most = layer.parameters[:8]
    made = []
    for a, b in terms:
        a = rescale(a << bits, a_multiplier, a_shift)
        b = rescale(b << bits, b_multiplier, b_shift)
        made.append(min(max(rescale(a + sign * b, multiplier, shift) + y.zero_point, least), most))
    return made


# --- Integers --------------------------------------------------------------------------------------------------------

INT32_MAX = (1 << 31) - 1


def high_mul(a, b):
    """Return (a b + 2^30) >> 31: the high half of the doubled product of two int32, halves rounded up."""
    return (a * b + (1 << 30)) >> 31


def rounding_shift(x, n):
    """Return x / 2^n rounded to the nearest integer, halves away from zero; 0 <= n <= 31."""
    return (x + (1 << n >> 1) - (1 if x < 0 and n > 0 else 0)) >> n


def rescale(x, multiplier, shift):
    """Return x multiplier 2^(shift - 31), rounded twice as TensorFlow Lite Micro does; a left shift saturates."""
    left = saturating_left_shift(x, shift) if shift > 0 else x
    return rounding_shift(high_mul(left, multiplier), -shift if shift < 0 else 0)


def saturating_left_shift(x, n):
    """Return x 2^n, limited to 32 bits."""
    return min(max(x << n, -INT32_MAX - 1), INT32_MAX)


def one_over_one_plus(a):
    """Return 1 / (1 + a) for a in [0, 1), both with 31 bits behind the point, by three steps of Newton's method."""
    half = (a + (1 << 31)) >> 1
    x = 1515870810 + high_mul(half, -1010580540)
    for _ in range(3):
        x += saturating_left_shift(high_mul(x, (1 << 29) - high_mul(half, x)), 2)
    return saturating_left_shift(x, 1)


def line(table, u):
    """Return the value at u (0 to 65535) of the straight lines through 513 entries, 128 apart."""
    i, f = u >> 7, u & 127
    return table[i] + (((table[i + 1] - table[i]) * f + 64) >> 7)


def nearest_quotient(x, n):
    """Return x / n rounded to the nearest integer, halves away from zero; n > 0."""
    quotient = (abs(x) + n // 2) // n
    return -quotient if x < 0 else quotient


def limited(layer, values, at):
    """Return integers limited by the layer's parameters `at` and behind."""
    least, most = layer.parameters[at : at + 2]
    return [min(max(v, least), most) for v in values]


def greatest(values):
    """Return the greatest of values as they stand: NaN if there is one, 0 above -0."""
    top = values[0]
    for v in values:
        if v != v or v > top or (v == top and math.copysign(1, v) > math.copysign(1, top)):
            top = v
        if top != top:
            break
    return top


# --- Windows ---------------------------------------------------------------------------------------------------------


def windows(layer, after=None):
    """Yield for each position of a layer's window where its taps' pixels begin in the image, and how many taps count.

    Those inside the image count; with `after`, padding behind its rows and columns, all that are in it or its padding.
    """
    _, columns, channels = size_of(layer.inputs[0])
    down, across = (
        [_taps(axis, i, None if after is None else after[k]) for i in range(axis[1])]
        for k, axis in enumerate(axes_of(layer))
    )
    for rows, n_rows in down:
        for pixels, n_columns in across:
            yield [(row * columns + pixel) * channels for row in rows for pixel in pixels], n_rows * n_columns


def _taps(axis, i, after):
    size, _, kernel, stride, dilation, pad = axis
    at = [i * stride - pad + k * dilation for k in range(kernel)]
    inside = [p for p in at if 0 <= p < size]
    counted = len(inside) if after is None else len([p for p in at if p < size + after])
    return inside, counted


# --- Elements that move ----------------------------------------------------------------------------------------------


def strides_of(shape):
    """Return how many elements lie from one index to the next, for each axis."""
    strides, n = [], 1
    for size in reversed(shape):
        strides.insert(0, n)
        n *= size
    return strides


def strided(x, first, shape, steps):
    """Return the elements of x at first + i0 steps[0] + i1 steps[1] ..., of all indices i of `shape`, in order."""
    places = [first]
    for n, step in zip(shape, steps):
        places = [place + i * step for place in places for i in range(n)]
    return [x[place] for place in places]
