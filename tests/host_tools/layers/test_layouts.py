"""Weights packed by layers.layouts are what anne.layouts reads back; examples small enough to check by hand."""

import numpy as np
import pytest
from anne.layouts import S4, S16, F32Aligned, S8Quad
from anne_tools.layers import layouts
from anne_tools.network import tflm

SHAPES = [(1, 1), (2, 3), (4, 5), (5, 9), (8, 80), (13, 509), (6, 16), (17, 130)]


def words(data: bytes) -> list[int]:
    return np.frombuffer(data, "<u4").tolist()


def test_quads_are_four_rows_a_word():
    # bytes w + 128 of rows 0 to 3, then three columns of padding: all weights 0
    assert words(layouts.quads(np.array([[1], [2], [-128], [127]], np.int8))) == [0xFF008281] + 3 * [
        0x80808080
    ]


def test_words_of_eight_rows_alternate():
    weights = np.array([[10 * r + j for j in range(4)] for r in range(5)], np.int8)
    first = [0x80 + j + (0x8A + j << 8) + (0x94 + j << 16) + (0x9E + j << 24) for j in range(4)]
    second = [0x808080A8 + j for j in range(4)]  # row 4, and three rows of padding
    assert words(layouts.quads(weights)) == [w for pair in zip(first, second, strict=True) for w in pair]


def test_eights_are_eight_rows_a_word():
    weights = np.array([[-8], [-7], [0], [1], [2], [3], [4], [7]], np.int8)
    assert words(layouts.eights(weights, 4)) == [0xFCBA9810] + 3 * [0x88888888]


def test_pairs_are_two_columns_a_word():
    # w0 + 2^15 + 2^16 w1; the third column is alone
    assert words(layouts.pairs(np.array([[1, 2, -3]], np.int16))) == [0x00028001, 0x00007FFD]


def test_aligned_weights_are_two_limbs_and_an_exponent():
    data, exponents = layouts.aligned(np.array([[0.5, -0.25]], np.float32))
    # 0.5 = 2^23 2^-24: h = 2048, l = 0; -0.25: h = -1024; words 2^16 h + 2048, the padding row 0 between
    assert exponents.tolist() == [-23 - 1]
    assert words(data) == [0x08000800, 0x800, 0xFC000800, 0x800]


@pytest.mark.parametrize(("n_out", "n_in"), SHAPES)
def test_packed_weights_read_back(n_out: int, n_in: int):
    rng = np.random.default_rng(n_in)
    w8 = rng.integers(-128, 128, (n_out, n_in)).astype(np.int8)
    quads = layouts.quads(w8)
    assert [S8Quad.row(quads, n_in, n_out, r) for r in range(n_out)] == w8.tolist()
    w4 = rng.integers(-8, 8, (n_out, n_in)).astype(np.int8)
    panel = layouts.panel_columns(w4)
    eights = layouts.eights(w4, panel)
    assert [S4.row(eights, n_in, n_out, panel, r) for r in range(n_out)] == w4.tolist()
    w16 = rng.integers(-32768, 32768, (n_out, n_in)).astype(np.int16)
    pairs = layouts.pairs(w16)
    assert [S16.row(pairs, n_in, n_out, r)[:n_in] for r in range(n_out)] == w16.tolist()


@pytest.mark.parametrize(("n_out", "n_in"), SHAPES)
def test_aligned_weights_keep_25_bits(n_out: int, n_in: int):
    weights = np.random.default_rng(n_in).normal(size=(n_out, n_in)).astype(np.float32)
    data, exponents = layouts.aligned(weights)
    for r in range(n_out):
        limbs = F32Aligned.limbs(data, n_in, n_out, r)
        values = np.array([4096 * h + low for h, low in limbs]) * 2.0 ** exponents[r]
        assert np.abs(values - weights[r]).max() <= 2.0 ** (exponents[r] - 1)  # half a step


def test_a_panel_of_int4_holds_what_16_bits_hold():
    # 255 = 36 * 7 + 3: 36 columns of 7 fit and 40 do not; of 8 only 31, so 28
    assert layouts.panel_columns(np.full((1, 36), 7)) == 36
    assert layouts.panel_columns(np.full((1, 40), 7)) == 20
    assert layouts.panel_columns(np.full((1, 31), -8)) == 32
    assert layouts.panel_columns(np.full((1, 32), -8)) == 16
    assert layouts.panel_columns(np.zeros((3, 100), int)) == 100


def test_columns_of_far_greater_weights_are_not_aligned():
    weights = np.ones((2, 3), np.float32)
    assert layouts._alignable(weights)
    assert not layouts._alignable(weights * np.array([1, 1, 1000], np.float32))
    assert layouts._alignable(
        weights * np.array([[1], [1000]], np.float32)
    )  # rows have exponents of their own


# --- Rows whose weights are all 0 -------------------------------------------------------------------------------------


def test_a_dead_row_gets_a_factor_like_the_others_and_the_same_outputs():
    """All that a bias rescaled may be, with the core's saturation, against the limits of int8."""
    random = np.random.default_rng(4)
    n = 4000
    dead = random.random(n) < 0.9
    bias = np.where(
        random.random(n) < 0.5, random.integers(-300, 300, n), random.integers(-(1 << 28), 1 << 28, n)
    )
    multiplier = np.where(random.random(n) < 0.1, 0, random.integers(1 << 30, 1 << 31, n))
    shift = np.where(dead, random.integers(-31, 16, n), random.integers(-12, -5, n))
    changed = layouts._like_the_others(dead, bias, multiplier, shift)
    assert changed[2].max() == shift[~dead & (multiplier > 0)].max() == -6
    assert np.abs(changed[0]).max() <= 1 << 28
    for i in np.flatnonzero(~dead):
        assert [int(values[i]) for values in changed] == [bias[i], multiplier[i], shift[i]]

    def limited(bias, multiplier, shift, zero_point):
        saturated = [
            min(max(int(b) << max(int(s), 0), -(1 << 31)), (1 << 31) - 1)
            for b, s in zip(bias, shift, strict=True)
        ]
        value = [
            tflm.rounding_shift(tflm.high_mul(x, int(m)), max(-int(s), 0))
            for x, m, s in zip(saturated, multiplier, shift, strict=True)
        ]
        return np.clip(np.array(value) + zero_point, -128, 127)

    for zero_point in (-128, -1, 127):
        got, expected = limited(*changed, zero_point), limited(bias, multiplier, shift, zero_point)
        np.testing.assert_array_equal(got, expected)


def test_rows_stay_where_all_are_dead_or_none_is():
    rows_of = np.array([5, -7]), np.array([1 << 30, (1 << 31) - 1]), np.array([-8, 1])
    for dead in ([True, True], [False, False]):
        for got, expected in zip(layouts._like_the_others(np.array(dead), *rows_of), rows_of, strict=True):
            np.testing.assert_array_equal(got, expected)
