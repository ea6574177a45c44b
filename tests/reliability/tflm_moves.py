"""Layers that move elements, and resizing, for tflm_kernels.py: a function writes a model of one layer, and returns its
inputs, its output and what this layer is here.
"""

from __future__ import annotations

from collections.abc import Callable

from anne_tools.layers import Concatenate, Pad, Resize, Slice, Transpose
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Quantization, Tensor
from tflm_pools import any_quantization, graph_of


def any_shape(rng, least_rank: int = 1) -> tuple[int, ...]:
    """Up to three axes, without the batch."""
    return tuple(int(n) for n in rng.integers(1, 9, rng.integers(least_rank, 4)))


def concatenate(dtype: str) -> Callable:
    """A writer of CONCATENATION of two to four inputs."""

    def write(w, rng) -> tuple[list[int], int, Graph]:
        shape, q = any_shape(rng), any_quantization(rng, dtype)
        axis = int(rng.integers(len(shape)))
        lengths = [int(n) for n in rng.integers(1, 6, rng.integers(2, 5))]
        shapes = [(1, *shape[:axis], n, *shape[axis + 1 :]) for n in lengths]
        inputs = [w.tensor(each, dtype, **q) for each in shapes]
        y = w.tensor((1, *shape[:axis], sum(lengths), *shape[axis + 1 :]), dtype, **q)
        w.operator("CONCATENATION", inputs, [y], 2, axis=axis + 1)
        names = [t.name for t in w.tensors]
        quantization = Quantization(q["scale"], q["zero_point"]) if q else None
        tensors = {t.name: Tensor(t.name, tuple(t.shape[1:]), dtype, quantization) for t in w.tensors}
        layer = Concatenate("joined", names[:y], names[y], axis)
        return inputs, y, Graph(names[:y], [names[y]], [layer], tensors).check()

    return write


def one(w, kind, dtype, q, x: int, y_shape, operator: str, inputs, args, **options) -> tuple[int, int, Graph]:
    """The end of a writer: the output, the operator and the layer of one input."""
    y = w.tensor((1, *y_shape), dtype, **q)
    w.operator(operator, [x, *inputs], [y], 2, **options)
    names = [w.tensors[i].name for i in (x, y)]
    return x, y, graph_of(kind("moved", *names, *args), [w.tensors[x], w.tensors[y]])


def int32(w, numbers) -> int:
    """A constant."""
    return w.tensor((len(numbers),), "int32", numbers)


def slice_(dtype: str) -> Callable:
    """A writer of STRIDED_SLICE, or of SLICE where all steps are 1."""

    def write(w, rng) -> tuple[int, int, Graph]:
        shape, q = any_shape(rng), any_quantization(rng, dtype)
        plain = bool(rng.random() < 0.3)
        begin = [int(rng.integers(n)) for n in shape]
        step = [1 if plain else int(rng.choice([-2, -1, 1, 1, 2, 3])) for _ in shape]
        most = [(n - 1 - b if s > 0 else b) // abs(s) + 1 for n, b, s in zip(shape, begin, step, strict=True)]
        size = [int(rng.integers(1, m + 1)) for m in most]
        x = w.tensor((1, *shape), dtype, **q)
        args = (tuple(begin), tuple(size), tuple(step))
        if plain:
            inputs = [int32(w, [0, *begin]), int32(w, [1, *size])]
            return one(w, Slice, dtype, q, x, size, "SLICE", inputs, args)
        ends = [b + n * s for b, n, s in zip(begin, size, step, strict=True)]
        mask = sum(2 << i for i, end in enumerate(ends) if end < 0)  # which would count from behind
        inputs = [int32(w, [0, *begin]), int32(w, [1, *ends]), int32(w, [1, *step])]
        return one(w, Slice, dtype, q, x, size, "STRIDED_SLICE", inputs, args, endMask=mask)

    return write


def transpose(dtype: str) -> Callable:
    """A writer of TRANSPOSE; the batch stays in front."""

    def write(w, rng) -> tuple[int, int, Graph]:
        shape, q = any_shape(rng), any_quantization(rng, dtype)
        order = tuple(int(axis) for axis in rng.permutation(len(shape)))
        x = w.tensor((1, *shape), dtype, **q)
        inputs = [int32(w, [0, *(axis + 1 for axis in order)])]
        return one(w, Transpose, dtype, q, x, [shape[axis] for axis in order], "TRANSPOSE", inputs, (order,))

    return write


def resize(operator: str, dtype: str) -> Callable:
    """A writer of RESIZE_BILINEAR or RESIZE_NEAREST_NEIGHBOR, by any of their rules."""

    def write(w, rng) -> tuple[int, int, Graph]:
        q, mode = any_quantization(rng, dtype), "bilinear" if operator == "RESIZE_BILINEAR" else "nearest"
        shape = tuple(int(n) for n in rng.integers(1, 12, 3))
        size = tuple(int(n) for n in rng.integers(1, 25, 2))
        align_corners, half_pixel_centers = [(False, False), (True, False), (False, True)][rng.integers(3)]
        x = w.tensor((1, *shape), dtype, **q)
        options = {"alignCorners": align_corners, "halfPixelCenters": half_pixel_centers}
        args = (size, mode, align_corners, half_pixel_centers)
        y_shape = (*size, shape[2])
        return one(w, Resize, dtype, q, x, y_shape, operator, [int32(w, list(size))], args, **options)

    return write


def mirror_pad(dtype: str) -> Callable:
    """A writer of MIRROR_PAD, reflecting or symmetric."""

    def write(w, rng) -> tuple[int, int, Graph]:
        shape, q = any_shape(rng), any_quantization(rng, dtype)
        number, mode = [(0, "reflect"), (1, "symmetric")][rng.integers(2)]
        most = [n - 1 + number for n in shape]
        before, after = (tuple(int(rng.integers(0, m + 1)) for m in most) for _ in range(2))
        x = w.tensor((1, *shape), dtype, **q)
        widths = [(0, 0), *zip(before, after, strict=True)]
        inputs = [w.tensor((len(widths), 2), "int32", widths)]
        made = [b + n + a for b, n, a in zip(before, shape, after, strict=True)]
        args = (before, after, 0.0, mode)
        return one(w, Pad, dtype, q, x, made, "MIRROR_PAD", inputs, args, mode=number)

    return write


SUFFIXES = {"float32": "f32", "int8": "s8", "int16": "s16"}
KERNELS: dict[str, Callable] = {
    **{f"concatenate_{suffix}": concatenate(dtype) for dtype, suffix in SUFFIXES.items()},
    **{f"slice_{suffix}": slice_(dtype) for dtype, suffix in SUFFIXES.items()},
    "transpose_f32": transpose("float32"),
    "transpose_s8": transpose("int8"),
    "mirror_pad_f32": mirror_pad("float32"),
    "mirror_pad_s8": mirror_pad("int8"),
    "resize_nearest_f32": resize("RESIZE_NEAREST_NEIGHBOR", "float32"),
    "resize_nearest_s8": resize("RESIZE_NEAREST_NEIGHBOR", "int8"),
    "resize_bilinear_f32": resize("RESIZE_BILINEAR", "float32"),
    "resize_bilinear_s8": resize("RESIZE_BILINEAR", "int8"),
}
