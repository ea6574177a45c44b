"""Pools of int8 on an emulated core: exact for windows of all kinds, aligned, and as fast as promised.

Expected values are numpy's.
"""

from __future__ import annotations

import shutil

import numpy as np
import pytest

pytest.importorskip("rp2040py")
from .machine import COMPILER, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

SOURCES = ["kernels/pool.c", "kernels/taps.c", "kernels/armv6m/taps.S"]


def max_pool(
    machine: Machine, x: np.ndarray, kernel: tuple[int, int], stride: int, pad: int, limits: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, int]:
    """What the kernel gives, what numpy does, and cycles."""
    machine.forget()
    (h, w, channels), (kernel_h, kernel_w) = x.shape, kernel
    out_h, out_w = ((n + 2 * pad - k) // stride + 1 for n, k in zip(x.shape, kernel, strict=False))
    window = [h, w, channels, out_h, out_w, *kernel, stride, stride, 1, 1, pad, pad]
    pool = machine.place(np.array([*window, 0, *limits, 0, 0, 0], "<i4"))
    n = out_h * out_w * channels
    place, y = machine.place(x.astype("i1")), machine.place(bytes(n))
    cycles = machine.call("anne_max_pool_s8", pool, place, y)
    padded = np.pad(x, ((pad, pad), (pad, pad), (0, 0)), constant_values=-128)
    taps = [
        padded[
            i : i + (out_h - 1) * stride + 1 : stride,
            j : j + (out_w - 1) * stride + 1 : stride,
        ]
        for i in range(kernel_h)
        for j in range(kernel_w)
    ]
    got = machine.read(y, "<i1", n).reshape(out_h, out_w, channels)
    return got, np.clip(np.max(taps, axis=0), *limits), cycles


@pytest.mark.parametrize("flags", [(), ("-DANNE_PORTABLE",)], ids=["assembly", "portable C"])
def test_the_greatest_is_exact(flags: tuple[str, ...]) -> None:
    rng, machine = np.random.default_rng(71), Machine(SOURCES, flags, strict=True)
    for channels in (1, 3, 4, 5, 8, 20):
        for limits in ((-128, 127), (-20, 90)):
            x = rng.integers(-128, 128, (*rng.integers(3, 8, 2), channels))
            kernel, pad = tuple(rng.integers(1, 4, 2).tolist()), int(rng.integers(0, 2))
            pad = min(pad, min(kernel) - 1)
            got, expected, _ = max_pool(machine, x, kernel, int(rng.integers(1, 3)), pad, limits)
            assert got.tolist() == expected.tolist(), (x.shape, kernel, pad)


def test_the_greatest_is_fast() -> None:
    x = np.random.default_rng(72).integers(-128, 128, (16, 16, 16))
    got, _, cycles = max_pool(Machine(SOURCES), x, (2, 2), 2, 0, (-128, 127))
    assert cycles / (4 * got.size) <= 10.5


def average_pool(
    machine: Machine,
    x: np.ndarray,
    kernel: tuple[int, int],
    stride: int,
    pad: int,
    counts_padding: bool,
    limits: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, int]:
    """Likewise means, halves away from zero; what is padded counts as `ZERO`, or not at all."""
    machine.forget()
    h, w, channels = x.shape
    out_h, out_w = ((n + 2 * pad - k) // stride + 1 for n, k in zip(x.shape, kernel, strict=False))
    window = [h, w, channels, out_h, out_w, *kernel, stride, stride, 1, 1, pad, pad]
    numbers = np.array([*window, ZERO, *limits, counts_padding, pad, pad], "<i4")
    n = out_h * out_w * channels
    pool, place, y = machine.place(numbers), machine.place(x.astype("i1")), machine.place(bytes(n))
    cycles = machine.call("anne_average_pool_s8", pool, place, y)
    expected = np.empty((out_h, out_w, channels), np.int64)
    widths = ((pad, pad), (pad, pad), (0, 0))
    padded, there = np.pad(x, widths, constant_values=ZERO), np.pad(np.ones_like(x), widths)
    for i, j in np.ndindex(out_h, out_w):
        rows, columns = (slice(at * stride, at * stride + k) for at, k in zip((i, j), kernel, strict=True))
        counts = np.ones_like(there) if counts_padding else there
        total = (padded * counts)[rows, columns].sum((0, 1))
        n_taps = counts[rows, columns].sum((0, 1))
        expected[i, j] = np.sign(total) * ((2 * abs(total) + n_taps) // (2 * n_taps))
    got = machine.read(y, "<i1", n).reshape(out_h, out_w, channels)
    return got, np.clip(expected, *limits), cycles


ZERO = -7


@pytest.mark.parametrize("flags", [(), ("-DANNE_PORTABLE",)], ids=["assembly", "portable C"])
def test_means_are_exact(flags: tuple[str, ...]) -> None:
    rng, machine = np.random.default_rng(73), Machine(SOURCES, flags, strict=True)
    for channels in (1, 3, 4, 8, 20):
        for kernel in ((1, 1), (2, 2), (3, 3), (2, 5), (15, 17), (16, 16), (1, 19)):
            for ends in (False, True):
                x = rng.integers(-128, 128, (kernel[0] + 2, kernel[1] + 1, channels))
                x = np.where(x < 0, -128, 127) if ends else x
                pad, counts = min(1, min(kernel) - 1), bool(rng.integers(2))
                got, expected, _ = average_pool(
                    machine, x, kernel, int(rng.integers(1, 3)), pad, counts, (-120, 110)
                )
                assert got.tolist() == expected.tolist(), (x.shape, kernel, pad, counts)


def test_every_sum_of_four_has_its_mean() -> None:
    sums = np.arange(-512, 509)
    taps = np.stack([np.clip(sums - 127 * (3 - i), -128, 127) for i in range(4)])
    taps[3] = sums - taps[:3].sum(0)
    sums = sums[abs(taps[3] + 0.5) < 128]
    taps = taps[:, abs(taps[3] + 0.5) < 128]
    x = np.tile(taps.reshape(2, 2, -1), (1, 1, 4))
    got, expected, _ = average_pool(Machine(SOURCES), x, (2, 2), 2, 0, False, (-128, 127))
    assert got.tolist() == expected.tolist()
    assert len(sums) > 300


def test_means_are_fast() -> None:
    x = np.random.default_rng(74).integers(-128, 128, (16, 16, 16))
    got, _, cycles = average_pool(Machine(SOURCES), x, (2, 2), 2, 0, False, (-128, 127))
    assert cycles / (4 * got.size) <= 10.5
