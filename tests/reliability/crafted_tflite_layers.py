"""Costly .tflite files of convolutions, parts, joins and variables: see crafted_files.py."""

from __future__ import annotations

import numpy as np
import tflite
from crafted import crafted
from crafted_tflite import Tflite

NAMES = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "MAX_POOL_2D",
    "CONCATENATION",
    "SPLIT",
    "UNPACK",
    "GATHER",
    "TILE",
    "MEAN",
)
NAMES += (
    "SHAPE",
    "SPACE_TO_BATCH_ND",
    "BATCH_TO_SPACE_ND",
    "TRANSPOSE",
    "TRANSPOSE_CONV",
    "RELU",
    "MUL",
    "PRELU",
)
NAMES += ("CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "ADD", "EMBEDDING_LOOKUP")
NUMBERS = {name: getattr(tflite.BuiltinOperator, name) for name in NAMES}


class Layers(Tflite):
    """A file whose operators have names."""

    def add(self, name: str, inputs: int, outputs: int, options: dict | None = None) -> None:
        number = NUMBERS[name]
        self.operator(min(number, 127), inputs, outputs, options, BuiltinCode=number)

    def whole(self, numbers, **fields) -> int:
        """A constant of whole numbers."""
        data = self.buffer(np.asarray(numbers, "<i4").tobytes())
        return self.tensor(self.ints(np.shape(numbers)), Type=2, Buffer=data, **fields)

    def floats_of(self, *shape: int) -> int:
        """A constant of zeros."""
        return self.tensor(self.ints(shape), Buffer=self.buffer(bytes(4 * int(np.prod(shape)))))

    def chain(self, name: str, n: int, shape, *more: int, options: dict | None = None, at: int = 0) -> bytes:
        """n operators one after another on tensors of one shape, which all read `more`; the value is input `at`."""
        axes = self.ints(shape)
        values = [self.tensor(axes) for _ in range(n + 1)]
        for a, b in zip(values, values[1:], strict=False):
            inputs = [*more[:at], a, *more[at:]]
            self.add(name, self.ints(inputs), self.ints([b]), options)
        return self.to_bytes(values[:1], values[-1:])


@crafted("tflite")
def convolutions_that_share_weights() -> bytes:
    """2,000 convolutions with the same 3 x 3 x 32 x 32 weights."""
    w = Layers()
    weights, bias = w.floats_of(32, 3, 3, 32), w.floats_of(32)
    options = w.options(tflite.Conv2DOptions, StrideH=1, StrideW=1, DilationHFactor=1, DilationWFactor=1)
    return w.chain("CONV_2D", 2000, [1, 8, 8, 32], weights, bias, options=options)


@crafted("tflite")
def a_convolution_of_2_to_the_40_steps() -> bytes:
    """512 x 512 pixels of 4 channels, a kernel of 512 x 512."""
    w = Layers()
    weights, bias = w.floats_of(1, 200, 200, 4), w.floats_of(1)
    options = w.options(tflite.Conv2DOptions, StrideH=1, StrideW=1, DilationHFactor=1, DilationWFactor=1)
    return w.chain("CONV_2D", 1, [1, 512, 512, 4], weights, bias, options=options)


@crafted("tflite")
def windows_of_2_gb() -> bytes:
    """200 pools whose windows and strides are 2^31 - 1."""
    w = Layers()
    most = 2**31 - 1
    options = w.options(tflite.Pool2DOptions, FilterHeight=most, FilterWidth=most, StrideH=most, StrideW=most)
    return w.chain("MAX_POOL_2D", 200, [1, 8, 8, 4], options=options)


@crafted("tflite")
def dilations_of_2_gb() -> bytes:
    """A convolution whose taps are 2^31 - 1 apart, padded as they need."""
    w = Layers()
    weights, bias, most = w.floats_of(1, 3, 3, 1), w.floats_of(1), 2**31 - 1
    options = w.options(
        tflite.Conv2DOptions, StrideH=1, StrideW=1, DilationHFactor=most, DilationWFactor=most, Padding=0
    )
    return w.chain("CONV_2D", 1, [1, 8, 8, 1], weights, bias, options=options)


@crafted("tflite")
def values_that_double() -> bytes:
    """200 concatenations of a value and itself: 2^200 elements."""
    w = Layers()
    axes, options = w.ints([1, 4]), w.options(tflite.ConcatenationOptions, Axis=1)
    values = [w.tensor(axes) for _ in range(201)]
    for a, b in zip(values, values[1:], strict=False):
        w.add("CONCATENATION", w.ints([a, a]), w.ints([b]), options)
    return w.to_bytes(values[:1], values[-1:])


@crafted("tflite")
def joins_of_one_value_without_end() -> bytes:
    """100 concatenations that share a vector of 2,000 inputs, all of them one value."""
    w = Layers()
    axes, options = w.ints([1, 4]), w.options(tflite.ConcatenationOptions, Axis=1)
    x = w.tensor(axes)
    inputs, values = w.ints([x] * 2000), [w.tensor(axes) for _ in range(100)]
    for value in values:
        w.add("CONCATENATION", inputs, w.ints([value]), options)
    return w.to_bytes([x], values[-1:])


@crafted("tflite")
def tiles_of_tiles() -> bytes:
    """2,000 TILEs, each by 32 along two axes."""
    w = Layers()
    return w.chain("TILE", 2000, [1, 2, 2], w.whole([1, 32, 32]))


@crafted("tflite")
def parts_without_end() -> bytes:
    """200 SPLITs of one value into 250 parts."""
    w = Layers()
    axes, one = w.ints([1, 250]), w.ints([1, 1])
    x, axis = w.tensor(axes), w.whole(1)
    parts, options = [w.tensor(one) for _ in range(50_000)], w.options(tflite.SplitOptions, NumSplits=250)
    for first in range(0, len(parts), 250):
        w.add("SPLIT", w.ints([axis, x]), w.ints(parts[first : first + 250]), options)
    return w.to_bytes([x], parts[-1:])


@crafted("tflite")
def places_without_end() -> bytes:
    """2,000 GATHERs that share 100,000 places, no two of them neighbours."""
    w = Layers()
    places = w.whole(np.arange(100_000) % 2 * 2)
    return w.chain("GATHER", 2000, [1, 4], places, options=w.options(tflite.GatherOptions, Axis=1))


@crafted("tflite")
def constants_of_constants() -> bytes:
    """2,000 concatenations of two constants, each twice as long as the one before."""
    w = Layers()
    axes, options = w.ints([4]), w.options(tflite.ConcatenationOptions, Axis=0)
    values = [w.whole([1, 2, 3, 4]), *(w.tensor(axes, Type=2) for _ in range(2000))]
    for a, b in zip(values, values[1:], strict=False):
        w.add("CONCATENATION", w.ints([a, a]), w.ints([b]), options)
    x = w.tensor(w.ints([1, 4]))
    return w.to_bytes([x], [x])


@crafted("tflite")
def sums_of_constants_that_spread() -> bytes:
    """3,000 sums of 480 whole numbers and 480 in another axis."""
    w = Layers()
    a, b, axes = w.whole([[1]] * 480), w.whole([[1] * 480]), w.ints([480, 480])
    for _ in range(3000):
        w.add("ADD", w.ints([a, b]), w.ints([w.tensor(axes, Type=2)]))
    x = w.tensor(w.ints([1, 4]))
    return w.to_bytes([x], [x])


@crafted("tflite")
def orders_of_axes_without_end() -> bytes:
    """4,000 TRANSPOSEs."""
    w = Layers()
    return w.chain("TRANSPOSE", 4000, [1, 4, 4, 4], w.whole([0, 3, 1, 2]))


@crafted("tflite")
def batches_without_an_end() -> bytes:
    """4,000 SPACE_TO_BATCH_NDs one behind the other."""
    w = Layers()
    return w.chain("SPACE_TO_BATCH_ND", 4000, [1, 8, 8, 1], w.whole([2, 2]), w.whole([[0, 0], [0, 0]]))


@crafted("tflite")
def batches_read_by_all() -> bytes:
    """A SPACE_TO_BATCH_ND whose value 4,000 others read."""
    w = Layers()
    axes, block, pads = w.ints([1, 8, 8, 1]), w.whole([2, 2]), w.whole([[0, 0], [0, 0]])
    x, y = w.tensor(axes), w.tensor(axes)
    w.add("SPACE_TO_BATCH_ND", w.ints([x, block, pads]), w.ints([y]))
    for _ in range(4000):
        w.add("BATCH_TO_SPACE_ND", w.ints([y, block, pads]), w.ints([w.tensor(axes)]))
    return w.to_bytes([x], [y])


@crafted("tflite")
def an_image_enlarged_to_2_gb() -> bytes:
    """A transposed convolution with an output of 2^62 pixels."""
    w = Layers()
    most = 2**31 - 1
    options = w.options(tflite.TransposeConvOptions, StrideH=most, StrideW=most)
    shape, weights = w.whole([1, most, most, 1]), w.floats_of(1, 1, 1, 1)
    return w.chain("TRANSPOSE_CONV", 1, [1, 2, 2, 1], shape, weights, options=options, at=2)


@crafted("tflite")
def tables_that_are_one_buffer() -> bytes:
    """2,000 lookups in the same table of 100,000 numbers."""
    w = Layers()
    x, table = w.tensor(w.ints([1, 4]), Type=2), w.floats_of(1000, 100)
    values = [w.tensor(w.ints([1, 4, 100])) for _ in range(2000)]
    for value in values:
        w.add("EMBEDDING_LOOKUP", w.ints([x, table]), w.ints([value]))
    return w.to_bytes([x], values[-1:])


@crafted("tflite")
def graphs_that_begin_without_end() -> bytes:
    """4,000 CALL_ONCEs of a second graph, which is the first."""
    w = Layers()
    axes, nothing = w.ints([1, 4]), w.ints([])
    options = w.options(tflite.CallOnceOptions, InitSubgraphIndex=1)
    for _ in range(4000):
        w.add("CALL_ONCE", nothing, nothing, options)
    x, y = w.tensor(axes), w.tensor(axes)
    w.add("RELU", w.ints([x]), w.ints([y]))
    return w.to_bytes([x], [y], more_graphs=1)


@crafted("tflite")
def variables_without_end() -> bytes:
    """4,000 reads of one variable."""
    w = Layers()
    axes, handle = w.ints([1, 4]), w.tensor(w.ints([1]), Type=13)
    w.add("VAR_HANDLE", w.ints([]), w.ints([handle]), w.options(tflite.VarHandleOptions))
    inputs = w.ints([handle])
    for _ in range(4000):
        w.add("READ_VARIABLE", inputs, w.ints([w.tensor(axes)]))
    x = w.tensor(axes)
    return w.to_bytes([x], [x])
