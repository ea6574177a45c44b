"""tflm.py against its oracle: the interpreter in the package `tflite-micro`, on models of one operator.

Integers are compared exactly. Scales and zero points are random (seed 20261123); every table is compared over all
256 inputs.
"""

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.network import tflm, tflm_softmax

ALL_INT8 = np.arange(-128, 128, dtype=np.int8)[None]


def random_quantization(rng):
    """A scale and zero point for the input, then for the output, as real networks have them and a little beyond."""
    scale = float(np.float32(2.0 ** rng.uniform(-10, 2)))
    output_scale = float(np.float32(scale * 2.0 ** rng.uniform(-2, 2)))
    return scale, int(rng.integers(-128, 128)), output_scale, int(rng.integers(-128, 128))


def run_operator(name, x, scale, zero_point, output_scale, output_zero_point, **options):
    """The interpreter's output for the int8 row `x`."""
    pytest.importorskip("tflite_micro")
    from tflite_writer import Oracle, TfliteWriter

    writer = TfliteWriter()
    source = writer.tensor(x.shape, "int8", scale=scale, zero_point=zero_point)
    target = writer.tensor(x.shape, "int8", scale=output_scale, zero_point=output_zero_point)
    writer.operator(name, [source], [target], **options)
    return Oracle(writer.to_bytes([source], [target]))(x)[0]


# name of the operator -> table from (scale, zero_point, output_scale, output_zero_point)
TABLES = {
    "RELU": tflm.relu_table,
    "ELU": tflm.elu_table,
    "HARD_SWISH": tflm.hard_swish_table,
    "QUANTIZE": tflm.requantize_table,
    "ABS": tflm.abs_table,
}


@pytest.mark.parametrize("name", TABLES)
def test_table_of_operator_with_free_output(name):
    rng = np.random.default_rng(20261123)
    for _ in range(60):
        quantization = random_quantization(rng)
        expected = run_operator(name, ALL_INT8, *quantization)
        np.testing.assert_array_equal(TABLES[name](*quantization), expected, str(quantization))


def test_the_factor_of_hard_swish_is_a_quotient_of_64_bits():
    # of 32 bits it were 20412.5 in Q0.15, and rounded up
    quantization = (0.0679774358868599, 45, 0.05456177890300751, -29)
    expected = run_operator("HARD_SWISH", ALL_INT8, *quantization)
    np.testing.assert_array_equal(tflm.hard_swish_table(*quantization), expected)


def test_rsqrt_table():
    """Of the zero point and above, as the interpreter ends at a value below 0; there the table is as at 0."""
    rng = np.random.default_rng(20261126)
    for _ in range(60):
        scale, zero_point, _, output_zero_point = random_quantization(rng)
        output_scale = float(np.float32(2.0 ** rng.uniform(-8, 1) / np.sqrt(scale)))
        quantization = scale, zero_point, output_scale, output_zero_point
        got = tflm.rsqrt_table(*quantization)
        expected = run_operator("RSQRT", ALL_INT8[:, zero_point + 128 :], *quantization)
        np.testing.assert_array_equal(got[zero_point + 128 :], expected, str(quantization))
        assert (got[: zero_point + 128] == 127).all()


@pytest.mark.parametrize(
    "name, table, output",
    [("LOGISTIC", tflm.logistic_table, tflm.LOGISTIC_OUTPUT), ("TANH", tflm.tanh_table, tflm.TANH_OUTPUT)],
)
def test_table_of_operator_with_fixed_output(name, table, output):
    rng = np.random.default_rng(20261123)
    for _ in range(60):
        scale, zero_point, _, _ = random_quantization(rng)
        expected = run_operator(name, ALL_INT8, scale, zero_point, *output)
        np.testing.assert_array_equal(table(scale, zero_point), expected, f"{scale} {zero_point}")


@pytest.mark.parametrize("scale, zero_point", [(0.1, 0), (0.0625, -128), (0.5, 100), (6 / 255, -128)])
def test_relu6_table(scale, zero_point):
    expected = run_operator("RELU6", ALL_INT8, scale, zero_point, scale, zero_point)
    np.testing.assert_array_equal(tflm.relu6_table(scale, zero_point), expected)


def test_leaky_relu_table():
    rng = np.random.default_rng(20261123)
    for _ in range(60):
        quantization, alpha = random_quantization(rng), float(np.float32(rng.uniform(0, 1)))
        expected = run_operator("LEAKY_RELU", ALL_INT8, *quantization, alpha=alpha)
        np.testing.assert_array_equal(
            tflm.leaky_relu_table(alpha, *quantization), expected, f"{quantization} {alpha}"
        )


@pytest.mark.parametrize("n", [1, 2, 10, 200])
def test_softmax(n):
    rng = np.random.default_rng(20261123)
    for _ in range(20):
        scale = float(np.float32(2.0 ** rng.uniform(-12, 3)))
        exponentials = tflm_softmax.softmax_exponentials(scale)
        for x in rng.integers(-128, 128, (5, 1, n), np.int8):
            expected = run_operator("SOFTMAX", x, scale, 0, *tflm.SOFTMAX_OUTPUT, beta=1.0)
            np.testing.assert_array_equal(tflm_softmax.softmax(x[0], exponentials), expected, str(scale))


def test_functions_are_close_to_the_real_ones():
    # Q4.27 in, Q0.31 out; polynomial and reciprocal together are less than 2^-22 off
    for real in np.linspace(-15, 15, 501):
        a = round(real * 2**27)
        assert abs(tflm.tanh(a) / 2**31 - np.tanh(real)) < 2**-22
        assert abs(tflm.logistic(a) / 2**31 - 1 / (1 + np.exp(-real))) < 2**-22


@pytest.mark.parametrize(
    "x, exponent, expected",
    [(5, 1, 3), (-5, 1, -3), (4, 1, 2), (-4, 1, -2), (6, 2, 2), (-6, 2, -2), (7, 0, 7), (2**31 - 1, 31, 1)],
)
def test_rounding_shift_takes_halves_away_from_zero(x, exponent, expected):
    assert tflm.rounding_shift(x, exponent) == expected
    assert tflm.rounding_shift(np.array([x]), np.array([exponent])).tolist() == [expected]


def test_high_mul_takes_halves_up():
    # 3 * 2^30 / 2^31 = 1.5 -> 2, -1.5 -> -1
    assert (tflm.high_mul(3, 2**30), tflm.high_mul(-3, 2**30)) == (2, -1)


def test_rescale_rounds_twice():
    # 1 / 4 in two steps: 1 / 2 = 0.5 -> 1 (halves up), 1 / 2 = 0.5 -> 1 (halves away from zero); once would give 0
    quarter = tflm.quantize_multiplier(0.25)
    assert quarter == (2**30, -1)
    assert tflm.rescale(1, *quarter) == 1
    # -1 / 4: -0.5 -> 0, then 0
    assert tflm.rescale(-1, *quarter) == 0
    assert tflm.rescale(np.array([1, -1, 8, -8]), *(np.full(4, v) for v in quarter)).tolist() == [1, 0, 2, -2]


@pytest.mark.parametrize(
    "real, expected",
    [
        (1.0, (2**30, 1)),
        (0.5, (2**30, 0)),
        (0.75, (3 * 2**29, 0)),
        (0.0, (0, 0)),
        (2.0**-40, (0, 0)),
        (3.0, (3 * 2**29, 2)),
    ],
)
def test_quantize_multiplier(real, expected):
    assert tflm.quantize_multiplier(real) == expected


def test_quantize_multiplier_rounds_up_to_the_next_power():
    assert tflm.quantize_multiplier(1 - 2.0**-40) == (2**30, 1)


@pytest.mark.parametrize("real", [-1.0, float("nan"), float("inf"), 2.0**31])
def test_quantize_multiplier_refuses(real):
    with pytest.raises(ModelError, match="rescaling factor: expected a number from 0 to 2\\^30"):
        tflm.quantize_multiplier(real)


@pytest.mark.parametrize("n_scales", [1, 2])
def test_dense_multipliers_where_float32_products_would_give_another_output(n_scales):
    # A dense layer of weights 0 rescales its bias, so any accumulator can be tried. For each set of scales: the
    # smallest one from which the multiplier of a product rounded to float32 leads elsewhere.
    pytest.importorskip("tflite_micro")
    from tflite_writer import Oracle, TfliteWriter

    rng = np.random.default_rng(20261123)
    found = 0
    while found < 20:
        scales = np.float32(rng.uniform(0.001, 1, 3) * [1, 1, 1e4])
        multiplier, shift = tflm.dense_multipliers(scales[0], [scales[1]] * n_scales, scales[2])
        rounded = tflm.quantize_multiplier(float(scales[0] * scales[1]) / float(scales[2]))
        acc = np.arange(-(10**6), 10**6)
        outputs = tflm.rescale(acc, multiplier[0], shift[0])
        differ = np.flatnonzero((outputs != tflm.rescale(acc, *rounded)) & (np.abs(outputs) < 127))
        if not differ.size:
            continue
        found += 1
        w = TfliteWriter()
        x = w.tensor((1, 1), "int8", scale=scales[0])
        weights = w.tensor((n_scales, 1), "int8", np.zeros((n_scales, 1)), scale=[scales[1]] * n_scales)
        bias = w.tensor((n_scales,), "int32", [acc[differ[0]]] * n_scales)
        y = w.tensor((1, n_scales), "int8", scale=scales[2])
        w.operator("FULLY_CONNECTED", [x, weights, bias], [y], version=4)
        result = Oracle(w.to_bytes([x], [y]))(np.zeros((1, 1), np.int8))
        assert result.tolist() == [[outputs[differ[0]]] * n_scales]


def test_clamp_range():
    assert tflm.clamp_range("linear", 0.1, 5) == (-128, 127)
    assert tflm.clamp_range("relu", 0.1, 5) == (5, 127)
    assert tflm.clamp_range("relu6", 0.1, 5) == (5, 65)
    assert tflm.clamp_range("relu6", 0.01, 5) == (5, 127)
    with pytest.raises(ModelError, match="fused activation 'tanh' is not supported"):
        tflm.clamp_range("tanh", 0.1, 5)


def test_softmax_of_values_that_hardly_differ():
    # TFLite Micro takes no scale below 2^-26; exp itself says what the table is, within its polynomial's 2^-22
    for scale in (2.0**-27, 2.0**-40, 1e-38):
        expected = np.exp(-scale * np.arange(256.0)) * 2**31
        assert np.abs(tflm_softmax.softmax_exponentials(scale) - expected).max() < 2 ** (31 - 22)
