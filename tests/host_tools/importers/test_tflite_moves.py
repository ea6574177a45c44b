"""TensorFlow Lite operators that move values: parts, joins, orders of axes, sizes.

Expected outputs come from the package `tflite-micro`, or from numpy where that has no kernel; all are exact.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import unpacked
from anne_tools.errors import ModelError
from anne_tools.network.graph import Graph

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from tflite_writer import Oracle, TfliteWriter

SEED = 20261126
SCALE, ZERO = 0.05, -3


class Writer(TfliteWriter):
    """A model of values of one type."""

    def __init__(self, dtype: str):
        super().__init__()
        self.dtype = dtype

    def value(self, *shape: int, **options) -> int:
        if self.dtype == "int8":
            options = {"scale": SCALE, "zero_point": ZERO} | options
        return self.tensor(shape, self.dtype, **options)

    def whole(self, numbers, dtype: str = "int32") -> int:
        return self.tensor(np.shape(numbers), dtype, numbers)


def sample(dtype: str, shape) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    if dtype == "float32":
        return rng.normal(0, 3, shape).astype(np.float32)
    return rng.integers(-128, 128, shape).astype(np.int8)


def core(graph: Graph, x: np.ndarray) -> list[np.ndarray]:
    """What the C core gives for one sample in the network's own type."""
    with NativeModel(pack(graph)) as native:
        return [y[0] for y in unpacked(native.run_raw(x.reshape(1, -1)), native.outputs)]


def agree(read_tflite, w: Writer, x: int, outputs: list[int]) -> Graph:
    """Assert that the model gives what TensorFlow Lite Micro does."""
    data = w.to_bytes([x], outputs)
    given = sample(w.dtype, w.tensors[x].shape)
    expected = Oracle(data).outputs(len(outputs), given)
    graph = read_tflite(data)
    for y, right in zip(core(graph, given), expected, strict=True):
        np.testing.assert_array_equal(y, right.reshape(y.shape))
    return graph


def equal(read_tflite, w: Writer, x: int, y: int, expected) -> None:
    """Assert that the model gives expected(x)."""
    given = sample(w.dtype, w.tensors[x].shape)
    (got,) = core(read_tflite(w.to_bytes([x], [y])), given)
    np.testing.assert_array_equal(got, expected(given).reshape(got.shape))


def refused(read_tflite, w: Writer, x: int, y: int) -> str:
    with pytest.raises(ModelError) as error:
        pack(read_tflite(w.to_bytes([x], [y])))
    assert "\n" not in str(error.value)
    return str(error.value)


DTYPES = pytest.mark.parametrize("dtype", ["float32", "int8"])


# Parts


@DTYPES
@pytest.mark.parametrize(
    "begin, size",
    [((0, 1, 0), (1, 2, 3)), ((0, 0, 2), (1, -1, -1)), ((0, 3, 2), (-1, 1, 1))],
)
def test_slice(read_tflite, dtype, begin, size):
    w = Writer(dtype)
    shape = [n - b if s == -1 else s for b, s, n in zip(begin, size, (1, 4, 3), strict=True)]
    x, y = w.value(1, 4, 3), w.value(*shape)
    w.operator("SLICE", [x, w.whole(begin), w.whole(size)], [y])
    agree(read_tflite, w, x, [y])


def numpy_slice(begin, end, strides, begin_mask=0, end_mask=0, shrink=0):
    """The index that TensorFlow's masks mean."""
    return tuple(
        b
        if shrink >> i & 1
        else slice(None if begin_mask >> i & 1 else b, None if end_mask >> i & 1 else e, s)
        for i, (b, e, s) in enumerate(zip(begin, end, strides, strict=True))
    )


@DTYPES
@pytest.mark.parametrize(
    "limits",
    [
        ((0, 1, 0), (1, 4, 3), (1, 2, 1)),
        ((0, -1, 0), (1, -4, 3), (1, -1, 2)),
        ((0, 3, 2), (1, 0, 0), (1, -2, -1), 0, 0b110),
        ((0, 2, 1), (0, 3, 2), (1, 1, 1), 0b001, 0b001, 0b010),
        ((0, -2, 1), (1, -1, 2), (1, 1, 1), 0, 0, 0b110),
        ((0, 1, 1), (1, 99, -1), (1, 1, 1)),
    ],
)
def test_strided_slice(read_tflite, dtype, limits):
    w = Writer(dtype)
    begin, end, strides, *masks = limits
    begin_mask, end_mask, shrink = (*masks, 0, 0, 0)[:3]
    shape = np.empty((1, 5, 4))[numpy_slice(*limits)].shape
    x, y = w.value(1, 5, 4), w.value(*shape)
    options = {"beginMask": begin_mask, "endMask": end_mask, "shrinkAxisMask": shrink}
    w.operator("STRIDED_SLICE", [x, *map(w.whole, (begin, end, strides))], [y], **options)
    agree(read_tflite, w, x, [y])


@DTYPES
@pytest.mark.parametrize("axis, n", [(1, 2), (2, 3), (3, 5)])
def test_split(read_tflite, dtype, axis, n):
    w = Writer(dtype)
    shape = [1, 4, 3, 5]
    x = w.value(*shape)
    shape[axis] //= n
    parts = [w.value(*shape) for _ in range(n)]
    w.operator("SPLIT", [w.whole(axis), x], parts, numSplits=n)
    agree(read_tflite, w, x, parts)


@DTYPES
def test_a_part_of_a_part_is_one_of_the_whole(read_tflite, dtype):
    w = Writer(dtype)
    x, a, b, y = w.value(1, 6, 8), w.value(1, 6, 4), w.value(1, 6, 4), w.value(1, 2, 2)
    w.operator("SPLIT", [w.whole(2), x], [a, b], numSplits=2)
    w.operator("STRIDED_SLICE", [b, *map(w.whole, ([0, 5, 1], [1, 1, 4], [1, -3, 2]))], [y])
    (layer,) = agree(read_tflite, w, x, [y]).layers
    assert (layer.begin, layer.size, layer.step) == ((5, 5), (2, 2), (-3, 2))


@DTYPES
@pytest.mark.parametrize("axis, sizes", [(1, [1, 3]), (2, [2, -1]), (-1, [1, 2, 1, 1])])
def test_split_v(read_tflite, dtype, axis, sizes):
    w, shape = Writer(dtype), [1, 4, 3, 5]
    x, parts = w.value(*shape), []
    for size in sizes:
        part = list(shape)
        part[axis] = shape[axis] - sum(s for s in sizes if s > 0) if size == -1 else size
        parts.append(w.value(*part))
    w.operator("SPLIT_V", [x, w.whole(sizes), w.whole(axis)], parts, numSplits=len(sizes))
    agree(read_tflite, w, x, parts)


@DTYPES
@pytest.mark.parametrize("axis", [1, 2, -1])
def test_unpack_and_pack(read_tflite, dtype, axis):
    w, shape = Writer(dtype), [1, 4, 3]
    x = w.value(*shape)
    n = shape.pop(axis)
    parts = [w.value(*shape) for _ in range(n)]
    w.operator("UNPACK", [x], parts, axis=axis, num=n)
    y = w.value(1, *shape[1:], 2)
    w.operator("PACK", [parts[-1], parts[0]], [y], axis=len(shape), valuesCount=2)
    graph = read_tflite(w.to_bytes([x], [y]))
    given = sample(dtype, (1, 4, 3))
    expected = np.stack([given.take(n - 1, axis), given.take(0, axis)], axis=len(shape))
    np.testing.assert_array_equal(core(graph, given)[0], expected[0])


@DTYPES
@pytest.mark.parametrize("axes", [[1], [2], [-1, 1], [1, 2, 3]])
def test_reverse(read_tflite, dtype, axes):
    w = Writer(dtype)
    x, y = w.value(1, 3, 2, 4), w.value(1, 3, 2, 4)
    w.operator("REVERSE_V2", [x, w.whole(axes)], [y])
    equal(read_tflite, w, x, y, lambda given: np.flip(given, axes))


@DTYPES
@pytest.mark.parametrize("places, axis", [([2, 0, 1, 3], 1), ([1, 2], 2), ([0, 0], -1), (1, 1), ([2], 1)])
def test_gather_of_constant_places(read_tflite, dtype, places, axis):
    w, made = Writer(dtype), np.take(np.empty((1, 4, 3)), places, axis).shape
    x, y = w.value(1, 4, 3), w.value(*made)
    w.operator("GATHER", [x, w.whole(places)], [y], axis=axis)
    equal(read_tflite, w, x, y, lambda given: np.take(given, places, axis))


# Joins


@DTYPES
@pytest.mark.parametrize("axis", [1, 2, -1])
def test_concatenation(read_tflite, dtype, axis):
    w, shape = Writer(dtype), [1, 4, 3]
    x, y = w.value(*shape), w.value(*shape)
    w.operator("RELU", [x], [y])
    shape[axis] *= 3
    z = w.value(*shape)
    w.operator("CONCATENATION", [x, y, x], [z], axis=axis)
    agree(read_tflite, w, x, [z])


def test_parts_of_another_scale_are_rescaled(read_tflite):
    # LiteRT refuses such int8 files, and of uint8 rescales them, as old ones need it
    w = Writer("int8")
    a, b, y = w.value(1, 2, scale=0.1, zero_point=0), w.value(1, 2), w.value(1, 4)
    w.operator("QUANTIZE", [a], [b])
    w.operator("CONCATENATION", [a, b], [y], axis=1)
    (got,) = core(read_tflite(w.to_bytes([a], [y])), np.int8([10, -20]))
    assert got.tolist() == [17, -43, 17, -43]  # 1.0 and -2.0 in steps of 0.05 from -3


@DTYPES
@pytest.mark.parametrize("times", [(1, 2, 1), (1, 1, 3), (1, 2, 2)])
def test_tile(read_tflite, dtype, times):
    w = Writer(dtype)
    x, y = w.value(1, 2, 3), w.value(1, 2 * times[1], 3 * times[2])
    w.operator("TILE", [x, w.whole(times)], [y])
    equal(read_tflite, w, x, y, lambda given: np.tile(given, times))


# Order and sizes


@DTYPES
@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 3, 1, 2), (0, 2, 3, 1), (0, 1, 3, 2), (0, 3, 2, 1)])
def test_transpose(read_tflite, dtype, order):
    w, shape = Writer(dtype), (1, 4, 3, 5)
    x, y = w.value(*shape), w.value(*(shape[axis] for axis in order))
    w.operator("TRANSPOSE", [x, w.whole(order)], [y])
    agree(read_tflite, w, x, [y])


@DTYPES
def test_a_transpose_that_moves_the_batch(read_tflite, dtype):
    w = Writer(dtype)
    x, y = w.value(1, 4, 3), w.value(3, 4, 1)
    w.operator("TRANSPOSE", [x, w.whole((2, 1, 0))], [y])
    agree(read_tflite, w, x, [y])


@DTYPES
@pytest.mark.parametrize("mode, name", [(0, "reflect"), (1, "symmetric")])
def test_mirror_pad(read_tflite, dtype, mode, name):
    w, widths = Writer(dtype), [(0, 0), (2, 1), (0, 2)]
    x, y = w.value(1, 4, 3), w.value(1, 7, 5)
    w.operator("MIRROR_PAD", [x, w.whole(widths)], [y], mode=mode)
    equal(read_tflite, w, x, y, lambda given: np.pad(given, widths, name))


@DTYPES
@pytest.mark.parametrize("name", ["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"])
@pytest.mark.parametrize("size", [(6, 10), (5, 4), (2, 2)])
@pytest.mark.parametrize("corners, centers", [(False, False), (False, True), (True, False)])
def test_resize(read_tflite, dtype, name, size, corners, centers):
    w = Writer(dtype)
    x, y = w.value(1, 3, 5, 2), w.value(1, *size, 2)
    options = {"alignCorners": corners, "halfPixelCenters": centers}
    w.operator(name, [x, w.whole(size)], [y], **options)
    if dtype == "int8" or "NEAREST" in name:
        agree(read_tflite, w, x, [y])
    else:
        data, given = w.to_bytes([x], [y]), sample(dtype, (1, 3, 5, 2))
        (got,), right = core(read_tflite(data), given), Oracle(data)(given)
        np.testing.assert_allclose(got, right[0], rtol=0, atol=1e-5 * np.abs(right).max())


def test_a_size_that_is_computed_of_the_shape(read_tflite):
    # what a network that takes images of any size has in its file: twice the rows, half the columns and one
    w = Writer("float32")
    x, y = w.value(1, 3, 4, 2), w.value(1, 6, 3, 2)
    shape, size, twice, more, half = (w.tensor((n,), "int32") for n in (4, 2, 2, 2, 2))
    w.operator("SHAPE", [x], [shape])
    w.operator("STRIDED_SLICE", [shape, *map(w.whole, ([1], [3], [1]))], [size])
    w.operator("MUL", [size, w.whole([4, 1])], [twice])
    w.operator("ADD", [twice, w.whole([0, 2])], [more])
    w.operator("DIV", [more, w.whole([2, 2])], [half])
    w.operator("RESIZE_NEAREST_NEIGHBOR", [x, half], [y])
    equal(read_tflite, w, x, y, lambda given: given[:, [0, 0, 1, 1, 2, 2]][:, :, [0, 1, 2]])


# What is refused


def one(w: Writer, name: str, shape, made, *more: int, **options) -> tuple[int, int]:
    x, y = w.value(*shape), w.value(*made)
    w.operator(name, [x, *more], [y], **options)
    return x, y


def test_parts_that_do_not_exist_are_refused(read_tflite):
    for name, numbers, message in (
        ("SLICE", ([0, 3], [1, 3]), "3 elements from 3 on by 1 are not inside axis 1 of (1, 4)"),
        ("SLICE", ([0, -1], [1, 1]), "1 elements from -1 on by 1 are not inside axis 1 of (1, 4)"),
        ("SLICE", ([0, 0], [1, 0]), "0 elements from 0 on by 1 are not inside axis 1 of (1, 4)"),
        ("SLICE", ([0], [1]), "expected begin and size of 2 axes, got [0] and [1]"),
        ("SLICE", ([0] * 9, [1] * 9), "its begin: expected at most 8 whole numbers, got 9 of int32"),
        ("STRIDED_SLICE", ([0, 0], [1, 2], [1, 0]), "[0, 0] to [1, 2] by [1, 0] does not fit shape (1, 4)"),
        (
            "STRIDED_SLICE",
            ([0, 2], [1, 2], [1, 1]),
            "0 elements from 2 on by 1 are not inside axis 1 of (1, 4)",
        ),
        (
            "STRIDED_SLICE",
            ([0, 0, 0], [1, 1, 1], [1, 1, 1]),
            "[0, 0, 0] to [1, 1, 1] by [1, 1, 1] does not fit",
        ),
        ("REVERSE_V2", ([2],), "axis 2 of 2 axes does not exist"),
        ("TRANSPOSE", ([0, 2],), "axes (0, 2) do not fit shape (1, 4)"),
        ("TILE", ([1, 33],), "[1, 33] times shape (1, 4): expected 1 to 32 for each axis"),
    ):
        w = Writer("float32")
        x, y = one(w, name, (1, 4), (1, 1), *map(w.whole, numbers))
        assert f"layer 0 ({name}): {message}" in refused(read_tflite, w, x, y).replace(
            "[0, 2] do", "(0, 2) do"
        ), name


def test_masks_of_new_axes_are_refused(read_tflite):
    for mask in ("newAxisMask", "ellipsisMask"):
        w = Writer("float32")
        numbers = map(w.whole, ([0, 0], [1, 4], [1, 1]))
        x, y = one(w, "STRIDED_SLICE", (1, 4), (1, 4), *numbers, **{mask: 1})
        assert "masks of an ellipsis or of new axes are not supported" in refused(read_tflite, w, x, y)


def test_parts_of_the_batch_are_refused(read_tflite):
    w = Writer("float32")
    x, a, y = w.value(1, 4), w.value(1, 4), w.value(2, 4)
    w.operator("RELU", [x], [a])
    w.operator("CONCATENATION", [x, a], [y], axis=0)
    assert "layer 1 (CONCATENATION): cannot join shapes [(1, 4), (1, 4)] along axis 0" in refused(
        read_tflite, w, x, y
    )


def test_numbers_that_are_computed_are_refused(read_tflite):
    w = Writer("float32")
    x, other, y = w.value(1, 4), w.value(1, 4), w.value(1, 2)
    w.operator("RELU", [x], [other])
    w.operator("SLICE", [x, other, other], [y])
    assert "layer 1 (SLICE): its begin must be a constant" in refused(read_tflite, w, x, y)
