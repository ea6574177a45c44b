"""Keras's layers and operators that move, repeat or leave out values: reshapes, padding, slices, larger images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers import room
from ..layers.build import GraphBuilder
from ..network.tensor import Tensor
from . import budget
from .keras_step import Step, is_integer

_MODES = ("constant", "reflect", "symmetric")


# Shapes


def flatten(b: GraphBuilder, step: Step) -> None:
    step.expect_channels_last()
    b.reshape(step.name, (-1,), source=step.source)


def reshape(b: GraphBuilder, step: Step) -> None:
    b.reshape(
        step.name,
        step.integers("target_shape", _length(step.config.get("target_shape")), -1),
        source=step.source,
    )


def reshape_operator(b: GraphBuilder, step: Step) -> None:
    """To a shape with the batch axis in it, which must stay the first."""
    shape = step.argument(1, "newshape", "shape")
    if not isinstance(shape, list) or not all(map(is_integer, shape)) or shape[:1] not in ([-1], [1]):
        step.refuse(f"expected a shape whose first axis is the batch, -1, got {str(shape)[:80]}")
    inner = tuple(shape[1:])
    if -1 in inner or np.prod([float(d) for d in inner]) == b.last.size:
        b.reshape(step.name, inner, source=step.source)
    else:
        step.refuse(f"expected {b.last.size} elements, got shape {str(shape)[:80]}")


def expand_dims(b: GraphBuilder, step: Step) -> None:
    shape = b.last.shape
    at = step.axis(step.argument(1, "axis"), len(shape) + 1)
    b.reshape(step.name, (*shape[:at], 1, *shape[at:]), source=step.source)


def squeeze(b: GraphBuilder, step: Step) -> None:
    shape, given = b.last.shape, step.argument(1, "axis")
    axes = given if isinstance(given, list) else [given]
    at = {step.axis(axis, len(shape)) for axis in axes[: len(shape) + 1]}
    if any(shape[axis] != 1 for axis in at) or len(at) == len(shape):
        step.refuse(f"expected axes of one element to leave out, got {str(given)[:80]} of shape {shape}")
    b.reshape(step.name, tuple(d for axis, d in enumerate(shape) if axis not in at), source=step.source)


def permute(b: GraphBuilder, step: Step) -> None:
    """Axes counted from 1 on."""
    rank = len(b.last.shape)
    transpose(b, step, step.integers("dims", rank))


def transpose_operator(b: GraphBuilder, step: Step) -> None:
    order, rank = step.argument(1, "axes", "perm"), len(b.last.shape)
    if (
        not isinstance(order, list)
        or not all(map(is_integer, order))
        or order[:1] != [0]
        or len(order) != rank + 1
    ):
        step.refuse(f"expected the batch axis to stay the first of {rank + 1} axes, got {str(order)[:80]}")
    transpose(b, step, order[1:])


def transpose(b: GraphBuilder, step: Step, order: Any) -> None:
    rank = len(b.last.shape)
    if sorted(order) != list(range(1, rank + 1)):
        step.refuse(f"expected each axis from 1 to {rank} once, got {str(order)[:80]}")
    b.add(room("transpose"), step.name, tuple(axis - 1 for axis in order), source=step.source)


# Padding and slices


def zero_padding(b: GraphBuilder, step: Step) -> None:
    """ZeroPadding1D to 3D: zeros around all axes but the channels, which are last."""
    step.expect_channels_last()
    before, after = zip(*step.pairs("padding", len(b.last.shape) - 1), (0, 0), strict=True)
    b.add(room("pad"), step.name, before, after, source=step.source)


def cropping(b: GraphBuilder, step: Step) -> None:
    """Cropping1D to 3D: a slice of all axes but the channels."""
    step.expect_channels_last()
    shape = b.last.shape
    widths = [*step.pairs("cropping", len(shape) - 1), (0, 0)]
    begin = tuple(before for before, _ in widths)
    size = tuple(d - sum(pair) for d, pair in zip(shape, widths, strict=True))
    if min(begin) < 0 or min(size) < 1 or any(after < 0 for _, after in widths):
        step.refuse(
            f"expected to leave something of shape {shape}, got a cropping of {str(widths[:-1])[:80]}"
        )
    b.add(room("slice"), step.name, begin, size, (1,) * len(shape), source=step.source)


def pad_operator(b: GraphBuilder, step: Step) -> None:
    rank = len(b.last.shape)
    widths = step.argument(1, "pad_width", "paddings")
    mode = str(step.argument(2, "mode", default="constant")).lower()[:80]
    value = step.argument(3, "constant_values", default=None) or 0.0
    if not isinstance(widths, list) or len(widths) != rank + 1 or widths[0] not in ([0, 0], (0, 0)):
        step.refuse(f"expected no padding of the batch axis, and {rank} pairs more, got {str(widths)[:80]}")
    if not all(isinstance(pair, list) and len(pair) == 2 and all(map(is_integer, pair)) for pair in widths):
        step.refuse(f"expected two integers for each axis, got {str(widths)[:80]}")
    if mode not in _MODES or not isinstance(value, (int, float)):
        step.refuse(f"expected a padding of {', '.join(_MODES)}, with one number, got {mode!r}")
    before, after = zip(*widths[1:], strict=True)
    more = () if mode == "constant" else (mode,)
    b.add(room("pad"), step.name, before, after, float(value), *more, source=step.source)


def get_item(b: GraphBuilder, step: Step) -> None:
    """x[:, a:b, ::c, i]: slices of any step; an index leaves its axis out."""
    key = step.argument(1, "key", "slice_spec")
    keys = key if isinstance(key, list) else [key]
    shape = b.last.shape
    if keys[:1] != [slice(None, None, None)] or len(keys) > len(shape) + 1:
        step.refuse("expected a slice that takes all samples, x[:, ...], of no more axes than there are")
    begin, size, steps, kept = [], [], [], []
    for d, one in zip(shape, keys[1:] + [slice(None)] * (len(shape) + 1 - len(keys)), strict=True):
        if is_integer(one) and -d <= one < d:
            one, is_kept = slice(one % d, one % d + 1), False
        else:
            is_kept = True
        if not isinstance(one, slice) or not all(
            n is None or is_integer(n) for n in (one.start, one.stop, one.step)
        ):
            step.refuse(f"expected slices and numbers of elements, got {str(one)[:80]} for an axis of {d}")
        places = range(d)[one] if one.step != 0 else ()
        if not places:
            step.refuse(f"expected a slice with something in it, got {str(one)[:80]} for an axis of {d}")
        begin, size, steps = [*begin, places.start], [*size, len(places)], [*steps, places.step]
        kept += [len(places)] * is_kept
    # a step beyond the axis is of a single element
    steps = [s if n > 1 else 1 for s, n in zip(steps, size, strict=True)]
    b.add(room("slice"), step.name, tuple(begin), tuple(size), tuple(steps), source=step.source)
    if len(kept) < len(shape):
        b.reshape(f"{step.name}_axes", tuple(kept) or (1,), source=step.source)


def split(b: GraphBuilder, step: Step) -> None:
    """Several outputs, each a slice along one axis."""
    parts, shape = step.config.get("indices_or_sections"), b.last.shape
    at = step.axis(step.config.get("axis", 0), len(shape))
    budget.operations(parts if is_integer(parts) else _length(parts))
    if is_integer(parts) and 0 < parts <= shape[at] and shape[at] % parts == 0:
        ends = list(range(0, shape[at] + 1, shape[at] // parts))
    elif isinstance(parts, list) and all(map(is_integer, parts)):
        ends = [0, *parts, shape[at]]
    else:
        step.refuse(
            f"expected a number of equal parts of {shape[at]} elements, or where to cut, got {str(parts)[:80]}"
        )
    if any(not a < b for a, b in zip(ends, ends[1:], strict=False)):
        step.refuse(
            f"expected parts with something in them, got cuts at {str(ends[1:-1])[:80]} of {shape[at]}"
        )
    for number, (begin, end) in enumerate(zip(ends, ends[1:], strict=False)):
        begins, size = [0] * len(shape), list(shape)
        begins[at], size[at] = begin, end - begin
        where = (tuple(begins), tuple(size), (1,) * len(shape))
        step.made.append(
            b.add(room("slice"), f"{step.name} {number}", *where, inputs=step.x, source=step.source)
        )


# Joining and repeating


def concatenate(b: GraphBuilder, step: Step) -> None:
    axis = step.argument(1, "axis", default=-1)
    at = step.axis(axis, len(b.last.shape))
    if len(step.x) == 1:
        b.activation(step.name, "linear", source=step.source)
        return
    b.add(room("concatenate"), step.name, at, inputs=step.x, source=step.source)


def repeat_vector(b: GraphBuilder, step: Step) -> None:
    """n times the same vector: an image of one pixel that becomes as many rows."""
    (n,) = step.integers("n", 1)
    if len(b.last.shape) != 1:
        step.refuse(f"expected a flat input, got shape {b.last.shape}")
    b.reshape(f"{step.name}_row", (1, 1, b.last.size), source=step.source)
    b.add(room("resize"), step.name, (n, 1), "nearest", source=step.source)
    b.reshape(f"{step.name}_shape", (n, b.last.shape[-1]), source=step.source)


def up_sampling(b: GraphBuilder, step: Step) -> None:
    """UpSampling1D and 2D: each row and column repeated, or bilinear between their centers."""
    n = step.expect_image()
    factors = step.integers("size", n)
    mode = step.config.get("interpolation", "nearest")
    sizes = [d * factor for d, factor in zip(b.last.shape, factors, strict=False)]
    if n == 1:
        b.reshape(f"{step.name}_image", (1, *b.last.shape), source=step.source)
        sizes = [1, *sizes]
    _resize(b, step, (sizes[0], sizes[1]), mode)
    if n == 1:
        b.reshape(f"{step.name}_signal", b.last.shape[1:], source=step.source)


def resizing(b: GraphBuilder, step: Step) -> None:
    """An image of another size, as Keras has it in pictures that come in."""
    step.expect_channels_last()
    if len(b.last.shape) != 3:
        step.refuse(f"expected an image (rows, columns, channels), got shape {b.last.shape}")
    for setting in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if step.config.get(setting):
            step.refuse(f"{setting} is not supported")
    (height,), (width,) = step.integers("height", 1), step.integers("width", 1)
    _resize(b, step, (height, width), step.config.get("interpolation", "bilinear"))


def _resize(b: GraphBuilder, step: Step, size: tuple[int, int], mode: Any) -> None:
    if mode not in ("nearest", "bilinear"):
        step.refuse(f"interpolation {str(mode)[:80]!r} is not supported; supported: nearest, bilinear")
    b.add(room("resize"), step.name, size, mode, half_pixel_centers=True, source=step.source)


# Tables


def embedding(b: GraphBuilder, step: Step) -> None:
    """A row of the table for each number of the input, whatever shape that has."""
    (table,), shape = step.layer.variables, b.last.shape
    if step.layer.config.get("mask_zero"):  # a mean behind it would count what Keras leaves out
        step.refuse(
            "mask_zero=True is not supported; train with mask_zero=False, then padding is a word like others"
        )
    if table.ndim != 2:
        step.refuse(f"expected embeddings (input_dim, output_dim), got shape {table.shape}")
    if len(shape) > 1:
        b.reshape(f"{step.name}_flat", (-1,), source=step.source)
    made: Tensor = b.add(
        room("embedding"), step.name, step.once(lambda: table.astype(np.float32)), source=step.source
    )
    if len(shape) > 1:
        budget.elements(str(step.layer), made.shape)
        b.reshape(f"{step.name}_shape", (*shape, table.shape[1]), source=step.source)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (list, tuple)) else 1
