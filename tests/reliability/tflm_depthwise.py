"""DEPTHWISE_CONV_2D and TRANSPOSE_CONV in each type, of random windows, as .tflite files (tflm_kernels.py)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

FUSED_NUMBERS = (0, 1, 3)  # none, relu, relu6
SAME, VALID = 0, 1
BIASES = {"int8": "int32", "int16": "int64"}


def _constants(w, rng, dtype: str, shape: tuple[int, ...], axis: int, x_scale: float):
    """Weights and bias, of integers with one scale or one an output channel; their tensors and the greatest scale."""
    n_out = shape[axis]
    if dtype == "float32":
        weights = w.tensor(shape, data=rng.normal(size=shape))
        return weights, w.tensor((n_out,), data=rng.normal(size=n_out)), 1.0
    scales = 2.0 ** rng.uniform(-9 if dtype == "int8" else -8, -4, n_out if rng.random() < 0.7 else 1)
    numbers = rng.integers(-127, 128, shape)
    weights = w.tensor(shape, "int8", numbers, scale=scales, axis=axis)
    bias = w.tensor(
        (n_out,), BIASES[dtype], rng.integers(-3000, 3000, n_out), scale=x_scale * np.float32(scales)
    )
    return weights, bias, float(scales.max())


def _ends(rng, dtype: str) -> tuple[dict, float]:
    """Scale and zero point of an input."""
    if dtype == "float32":
        return {}, 1.0
    scale = float(2.0 ** rng.uniform(-8, 0))
    if dtype == "int16":
        return {"scale": scale / 256}, scale / 256
    return {"scale": scale, "zero_point": int(rng.integers(-128, 128))}, scale


def _output(rng, dtype: str, largest: float) -> dict:
    if dtype == "float32":
        return {}
    if dtype == "int16":
        return {"scale": float(largest * 2.0 ** rng.uniform(-3, 1))}  # factors of 2^-17 at least
    return {
        "scale": float(largest * 2.0 ** rng.uniform(-3, 3)),
        "zero_point": int(rng.integers(-128, 128)),
    }


def depthwise(dtype: str) -> Callable:
    """A writer of DEPTHWISE_CONV_2D: multipliers of 1 to 4, strides, dilations, SAME and VALID."""

    def write(w, rng) -> tuple[int, int]:
        size, channels = rng.integers(1, 12, 2), int(rng.integers(1, 9))
        multiplier, same = int(rng.integers(1, 5)), rng.random() < 0.5
        kernel = [int(rng.integers(1, min(int(n), 5) + 1)) for n in size]
        stride = int(rng.integers(1, 4))
        dilation = [
            int(rng.integers(1, 4))
            if same
            else int(rng.integers(1, (n - 1) // max(k - 1, 1) + 1))
            if n > 1
            else 1
            for n, k in zip(size, kernel, strict=True)
        ]
        if same:
            made = [-(-int(n) // stride) for n in size]
        else:
            made = [
                (int(n) - (k - 1) * d - 1) // stride + 1
                for n, k, d in zip(size, kernel, dilation, strict=True)
            ]
        q, scale = _ends(rng, dtype)
        x = w.tensor((1, *map(int, size), channels), dtype, **q)
        n_out = channels * multiplier
        weights, bias, greatest = _constants(w, rng, dtype, (1, *kernel, n_out), 3, scale)
        largest = scale * greatest * 127 * (kernel[0] * kernel[1]) ** 0.5
        y = w.tensor((1, *made, n_out), dtype, **_output(rng, dtype, largest))
        w.operator(
            "DEPTHWISE_CONV_2D", [x, weights, bias], [y], 3,
            padding=SAME if same else VALID, strideH=stride, strideW=stride, depthMultiplier=multiplier,
            dilationHFactor=dilation[0], dilationWFactor=dilation[1],
            fusedActivationFunction=int(rng.choice(FUSED_NUMBERS)),
        )  # fmt: skip
        return x, y

    return write


def transposed(dtype: str) -> Callable:
    """A writer of TRANSPOSE_CONV: strides, SAME and VALID, outputs of any size that these allow."""

    def write(w, rng) -> tuple[int, int]:
        size, n_in, n_out = rng.integers(1, 8, 2), *map(int, rng.integers(1, 9, 2))
        kernel, stride = (list(map(int, rng.integers(1, 5, 2))) for _ in range(2))
        same = rng.random() < 0.5
        made = []
        for n, k, s in zip(map(int, size), kernel, stride, strict=True):
            # of these sizes a convolution would make n
            least, most = ((n - 1) * s + 1, n * s) if same else ((n - 1) * s + k, n * s + k - 1)
            made.append(int(rng.integers(least, most + 1)))
        q, scale = _ends(rng, dtype)
        shape = w.tensor((4,), "int32", [1, *made, n_out])
        x = w.tensor((1, *map(int, size), n_in), dtype, **q)
        weights, bias, greatest = _constants(w, rng, dtype, (n_out, *kernel, n_in), 0, scale)
        largest = scale * greatest * 127 * (kernel[0] * kernel[1] * n_in) ** 0.5
        y = w.tensor((1, *made, n_out), dtype, **_output(rng, dtype, largest))
        w.operator(
            "TRANSPOSE_CONV", [shape, weights, x, bias], [y], 4,
            padding=SAME if same else VALID, strideH=stride[0], strideW=stride[1],
            fusedActivationFunction=int(rng.choice(FUSED_NUMBERS)),
        )  # fmt: skip
        return x, y

    return write


KERNELS: dict[str, Callable] = {
    "depthwise_f32": depthwise("float32"),
    "depthwise_s8": depthwise("int8"),
    "depthwise_s16": depthwise("int16"),
    "conv_transpose_f32": transposed("float32"),
    "conv_transpose_s8": transposed("int8"),
    "conv_transpose_s16": transposed("int16"),
}
