"""Zeros, denormals and results at the lower end of float32: core and reference against exact arithmetic on fractions.

FORMAT.md, "Floats": denormals count as 0; a result is rounded to float32, and becomes 0 if that is denormal.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from anne.reference_model import Model
from anne_tools.cores.native import NativeModel
from one_layer import Values, dense, one_layer

F32, I32, U32 = np.dtype("<f4"), np.dtype("<i4"), np.dtype("<u4")
LEAST = np.float32(2.0**-126)  # the least normal float
LARGEST = Fraction(float(np.finfo(F32).max))


def outputs(data: bytes, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What core and reference give for one input."""
    with NativeModel(data) as native:
        got = native.run_raw(x.astype(F32))[0]
    reference = bytearray(got.nbytes)
    Model(data).run_raw(x.astype(F32).tobytes(), reference)
    return got, np.frombuffer(reference, F32)


def counted(values: np.ndarray) -> list[Fraction]:
    """The numbers exactly, but 0 for denormals."""
    return [Fraction(float(v)) if abs(v) >= LEAST else Fraction(0) for v in values.astype(F32)]


def rounded(value: Fraction) -> float:
    """The float32 nearest to a value below 2^-100, halves away from zero; 0 if it is denormal."""
    size = abs(value)
    exponent = -149
    while size >= Fraction(2) ** (exponent + 24):
        exponent += 1
    steps = int(size / Fraction(2) ** exponent + Fraction(1, 2))
    result = steps * 2.0**exponent
    return 0.0 if result < LEAST else result if value > 0 else -result


# --- Layout f32: any weights -----------------------------------------------------------------------------------------


def test_a_weight_of_0_does_not_hide_what_counts():
    weights, x = np.array([0, 1e-10], F32), np.array([1e20, 1e-20], F32)
    got, reference = outputs(dense("f32", 2, [weights, np.zeros(1, F32)]), x)
    assert got == pytest.approx(1e-30, rel=1e-6)
    assert reference == pytest.approx(1e-30, rel=1e-6)


def any_floats(rng: np.random.Generator, n: int, least: int, most: int) -> np.ndarray:
    """A mixture of zeros, denormals and numbers from 2^least to 2^most."""
    numbers = rng.normal(size=n) * 2.0 ** rng.integers(least, most, n)
    denormals = rng.integers(-(2**23) + 1, 2**23, n) * 2.0**-149
    return np.choose(rng.integers(0, 4, n), [np.zeros(n), denormals, numbers, numbers]).astype(F32)


@pytest.mark.parametrize("sizes", [(-10, 10), (-60, 60), (-120, 60), (-70, -50), (-126, 120)])
def test_plain_floats_keep_their_bound(sizes):
    # dense_f32.h; and what is denormal, at the end or after each 7 columns, is 0.
    rng = np.random.default_rng(30)
    for _ in range(400):
        n_in = int(rng.integers(1, 22))
        weights, x, bias = (any_floats(rng, n, *sizes) for n in (n_in, n_in, 1))
        products = [w * v for w, v in zip(counted(weights), counted(x), strict=True)]
        total = largest = counted(bias)[0]
        for product in products:
            total += product
            largest = max(abs(largest), abs(product), abs(total))
        if abs(largest) * n_in > LARGEST:
            continue
        blocks = n_in // 7 + 1
        relative = (n_in + 1) * Fraction(2) ** -26 + blocks * Fraction(2) ** -24
        bound = relative * abs(largest) + blocks * Fraction(float(LEAST))
        got, reference = outputs(dense("f32", n_in, [weights, bias]), x)
        assert abs(Fraction(float(got[0])) - total) <= bound, (weights, x, bias)
        assert abs(Fraction(float(reference[0])) - total) <= bound


@pytest.mark.parametrize("weight", [0.0, -0.0, 2.0**-149, 2.0**-126 - 2.0**-149])
def test_infinity_times_0_is_no_number(weight: float):
    # as IEEE 754 has it; a denormal counts as 0
    data = dense("f32", 2, [np.array([weight, 1], F32), np.zeros(1, F32)])
    got, reference = outputs(data, np.array([np.inf, 1], F32))
    assert np.isnan(got[0])
    assert np.isnan(reference[0])


@pytest.mark.parametrize(("x", "expected"), [(1.0, -0.0), (np.nextafter(F32.type(1), F32.type(2)), np.nan)])
def test_a_sum_beyond_float32_is_infinite_before_its_activation(x: float, expected: float):
    # leaky_relu of slope 0: 0 times the least float is -0, 0 times an infinity is no number
    weights = [np.array([-float(LARGEST)], F32), np.zeros(1, F32)]
    data = one_layer("dense", Values("float32", 1), Values("float32", 1), weights, "leaky_relu", (1, 0, 0))
    for output in outputs(data, np.array([x])):
        assert np.array_equal(output, [expected], equal_nan=True)


# --- Layout f32_aligned: exact results -------------------------------------------------------------------------------


def aligned(n_in: int, weight: int, exponent: int, bias: float) -> bytes:
    """One row of equal weights, weight 2^exponent each."""
    high = (weight + 2048) >> 12
    words = np.full(2 * n_in, 2048, U32)
    words[::2] = (high << 16) + (weight - 4096 * high + 2048) & 0xFFFFFFFF
    return dense("f32_aligned", n_in, [words, np.array([bias], F32), np.array([exponent], I32)])


@pytest.mark.parametrize("sign", [1, -1])
def test_aligned_floats_are_rounded_before_what_is_denormal_becomes_0(sign: int):
    # One weight W 2^-149 and x = j/16 in [1, 2): the low limb of x is 0 and the sum, W j in its units, is exact. W j/16
    # of about 2^23 is a result of about 2^-126, with steps of 2^-153: from 2^-126 - 2^-150 on it is rounded up.
    for j in range(16, 32):
        for weight in range(2**27 // j - 4, 2**27 // j + 5):
            expected = rounded(Fraction(sign * weight * j, 16) * Fraction(2) ** -149)
            for output in outputs(aligned(1, sign * weight, -149, 0.0), np.array([j / 16])):
                assert output.tobytes() == F32.type(expected).tobytes(), (weight, j)


def test_a_large_bias_that_leaves_a_denormal_gives_0():
    # t = -2^30 (1 - 2^-7) in units of 2^-152, and the bias 2^-122 is 2^30 of them: 2^-129 is left.
    x = np.full(127, np.nextafter(F32.type(2.0**-4), F32.type(0)))
    for sign in (1, -1):
        for output in outputs(aligned(127, -sign * 2**24, -149, sign * 2.0**-122), x):
            assert output.tobytes() == bytes(4)


# --- Layout s8_f32 and scaling: float operations ---------------------------------------------------------------------

# Pairs of floats whose product lies between 2^-126 - 2^-150 and 2^-126 - 2^-151, found at random: nearer to 2^-126 than
# to the denormal beside it, but not if there were floats of 24 bits below. In bits.
PRODUCTS = [
    (0x3F04760C, 0x00F760D4),
    (0x3F695637, 0x008C6EA5),
    (0x3F1FE6B9, 0x00CCED2C),
    (0x3F6F3C38, 0x0088F844),
]


def scaled(x: float, scale: float, offset: float) -> np.ndarray:
    data = one_layer(
        "scaling", Values("float32", 1), Values("float32", 1), [np.array([v], F32) for v in (scale, offset)]
    )
    got, reference = outputs(data, np.array([x]))
    assert got.tobytes() == reference.tobytes()
    return got[0]


def weighted(x: float, scale: float, bias: float) -> np.ndarray:
    """An int8 weight of 1 with a scale: s8_f32 is x scale + bias for x of 22 bits."""
    weights = np.full(4, 0x80808080, U32)
    weights[0] += 1
    data = dense("s8_f32", 1, [weights, np.array([bias], F32), np.array([scale], F32)])
    got, reference = outputs(data, np.array([x]))
    assert got.tobytes() == reference.tobytes()
    return got[0]


@pytest.mark.parametrize(("a", "b"), PRODUCTS)
def test_a_product_is_rounded_before_what_is_denormal_becomes_0(a: int, b: int):
    x, scale = np.array([a, b], U32).view(F32)
    assert scaled(x, scale, 0.0) == LEAST
    assert scaled(-x, scale, 0.0) == -LEAST
    assert scaled(x, np.nextafter(scale, F32.type(0)), 0.0) == 0.0  # two denormals further


@pytest.mark.parametrize("computed", [scaled, weighted])
def test_denormals_count_as_0_in_float_operations(computed):
    half = float(LEAST) / 2
    assert computed(0.5, LEAST, 0.0) == 0.0
    assert computed(0.5, 3 * LEAST, 0.0) == 1.5 * LEAST
    assert computed(2.0**100, half, 0.0) == 0.0
    assert computed(half, 2.0**100, 0.0) == 0.0
    assert computed(1.0, LEAST, half) == LEAST
    assert computed(0.5, LEAST, LEAST) == LEAST
    assert computed(1.5, -LEAST, LEAST) == 0.0
