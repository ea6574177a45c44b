"""Layers of the Pico 2's table: model files with one layer each, and the loops that anyone would write for it.

The loops (plain_layers.c) have other numbers, of the same shapes; what they should give is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.files import open_model
from anne_tools.cores.numbers import quantize_input
from anne_tools.layers import Add, AveragePool, Conv, DepthwiseConv, MaxPool, Multiply
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.weighted import for_chip
from anne_tools.layers.windows import Window
from anne_tools.network import tflm
from cortex_m33 import PlainLayer
from dense_kernels import SEED

# Sums of floats are rounded once a product there (kernels/armv8m/dense_f32.S), on a PC each time.
SUMS_BOUND = 1e-5
DTYPES = ("int8", "int16", "float32")


@dataclass
class Job:
    """A model file to be run, an input as it stands in the arena, and its row's names."""

    what: str
    type: str
    data: bytes
    x: np.ndarray
    bound: float = 0.0
    plain: PlainLayer | None = None


# Images: rows and columns, channels, outputs, the window's side and its stride; without outputs it is depthwise.
WINDOWS = (
    ("conv 3x3, 32x32x16", 32, 16, 16, 3, 1),
    ("conv 3x3, 8x8x64", 8, 64, 64, 3, 1),
    ("conv 1x1, 24x24x32", 24, 32, 32, 1, 1),
    ("conv 1x1, 6x6x128", 6, 128, 128, 1, 1),
    ("depthwise 3x3, 24x24x32", 24, 32, None, 3, 1),
    ("depthwise 3x3, stride 2, 24x24x32", 24, 32, None, 3, 2),
)


def window_jobs(chosen: tuple[tuple, ...]) -> list[Job]:
    """Return convolutions of images; those on floats in both of their layouts."""
    jobs = []
    for what, side, channels, n_out, kernel, stride in chosen:
        random = np.random.default_rng(SEED)
        window = Window.same((side, side), (kernel, kernel), (stride, stride))
        taps = kernel * kernel * (channels if n_out else 1)
        shape = (n_out, kernel, kernel, channels) if n_out else (channels, kernel, kernel)
        weights = random.normal(0, taps**-0.5, shape)
        layer, more = (Conv, (window, 1)) if n_out else (DepthwiseConv, (window,))
        samples = random.normal(0, 1, (16, side, side, channels)).astype(np.float32)
        bias = random.normal(0, 0.1, n_out or channels)
        for dtype in DTYPES:
            builder = GraphBuilder((side, side, channels))
            builder.add(layer, "layer", weights, bias, *more)
            graph = quantize(builder.build(), dtype, samples)
            plain = _plain_window("conv" if n_out else "depthwise", dtype, window, side, channels, n_out)
            bound = SUMS_BOUND if dtype == "float32" else 0.0
            for chip in ("rp2040", "rp2350") if dtype == "float32" and n_out else ("rp2040",):
                data = pack(for_chip(graph, chip))
                file = open_model(data)
                name = f"{dtype} ({file.layers[0].kernel})" if dtype == "float32" and n_out else dtype
                jobs.append(Job(what, name, data, quantize_input(samples[:1], file.inputs[0]), bound, plain))
                plain = None  # once
    return jobs


# Layers without weights, on images of so many rows and columns, with 32 channels: what two operands become, and pools.
ELEMENTS = (("add", Add, 24), ("multiply", Multiply, 24))
POOLS = (
    ("max pool 2x2", MaxPool, 24, 2),
    ("average pool 2x2", AveragePool, 24, 2),
    ("average pool 8x8", AveragePool, 8, 8),
)
CHANNELS = 32


def element_jobs() -> list[Job]:
    """Return sums, products and pools."""
    jobs = []
    for what, kind, side, *pool in (*ELEMENTS, *POOLS):
        shape = (side, side, CHANNELS)
        samples = np.random.default_rng(SEED).normal(0, 1, (16, *shape)).astype(np.float32)
        for dtype in DTYPES:
            builder = GraphBuilder(shape)
            if pool:
                window = Window((pool[0],) * 2, (pool[0],) * 2)
                builder.add(kind, "layer", window)
                plain = _plain_window(
                    "max" if kind is MaxPool else "mean", dtype, window, side, CHANNELS, None
                )
            else:
                builder.add(kind, "layer", inputs=[builder.first] * 2)
                a, b = _numbers(dtype, shape), _numbers(dtype, shape, SEED + 1)
                plain = PlainLayer(what, a, b, a[:0, 0, 0])
            data = pack(quantize(builder.build(), dtype, samples))
            x = quantize_input(samples[:1], open_model(data).inputs[0])
            jobs.append(Job(f"{what}, {side}x{side}x{CHANNELS}", dtype, data, x, plain=plain))
    return jobs


# --- The loops --------------------------------------------------------------------------------------------------------


def _numbers(dtype: str, shape: tuple[int, ...], seed: int = SEED) -> np.ndarray:
    random = np.random.default_rng(seed)
    if dtype == "float32":
        return random.normal(0, 1, shape).astype(np.float32)
    most = {"int8": 127, "int16": 300}[dtype]  # so that sums stay within 32 bits
    return random.integers(-most, most + 1, shape).astype(dtype)


def _plain_window(
    kind: str, dtype: str, window: Window, side: int, channels: int, n_out: int | None
) -> PlainLayer:
    kernel, stride = window.kernel[0], window.stride[0]
    made = window.image_shape((side, side, channels), channels, "")[0]
    x, none = _numbers(dtype, (side, side, channels)), np.zeros(0, dtype)
    if kind in ("max", "mean"):
        return PlainLayer(kind, x, none, none, kernel, stride, window.parameters[6], made)
    shape = (n_out, kernel, kernel, channels) if n_out else (channels, kernel, kernel)
    bias = _numbers(dtype, (shape[0],), SEED + 2).astype(np.float32 if dtype == "float32" else np.int32)
    weights = _numbers(dtype, shape, SEED + 1)
    return PlainLayer(kind, x, weights, bias, kernel, stride, window.parameters[6], made)


def expected(layer: PlainLayer) -> np.ndarray:
    """Return what such a loop should give: plain_layers.h says what it computes."""
    x, is_float = layer.x, layer.x.dtype == np.float32
    wide = x.astype(np.float64 if is_float else np.int64)
    if layer.kind in ("add", "multiply"):
        other = layer.weights.astype(wide.dtype)
        y = wide + other if layer.kind == "add" else wide * other
        return _limited(y if is_float or layer.kind == "add" else _rescaled(y, -6), x.dtype)
    outside = np.pad(
        wide,
        ((layer.pad, layer.kernel + layer.stride),) * 2 + ((0, 0),),
        constant_values=0,
    )
    shape = (layer.made, layer.made, layer.kernel, layer.kernel, x.shape[2])
    seen = np.zeros(shape, wide.dtype)
    for k in range(layer.kernel):
        for m in range(layer.kernel):
            last = layer.stride * layer.made
            seen[:, :, k, m] = outside[k : k + last : layer.stride, m : m + last : layer.stride]
    if layer.kind == "max":
        return seen.max(axis=(2, 3)).astype(x.dtype)  # without pads here
    if layer.kind == "mean":
        total, n = seen.sum(axis=(2, 3)), layer.kernel**2
        return (total / n if is_float else (abs(total) + n // 2) // n * np.sign(total)).astype(x.dtype)
    weights = layer.weights.astype(wide.dtype)
    sums = np.einsum("ijklc,oklc->ijo" if layer.kind == "conv" else "ijklc,ckl->ijc", seen, weights)
    sums = sums + layer.bias
    return _limited(sums if is_float else _rescaled(sums, -8), x.dtype)


def _rescaled(x: np.ndarray, shift: int) -> np.ndarray:
    return tflm.rounding_shift(tflm.high_mul(x, 1 << 30), -shift)


def _limited(y: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype == np.float32:
        return y.astype(dtype)
    return np.clip(y, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)
