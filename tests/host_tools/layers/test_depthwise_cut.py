"""What prices count of depthwise convolutions of int8 is how the C core cuts them: its scratch says so."""

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.files import open_model
from anne_tools.cores.native import NativeModel
from anne_tools.layers import DepthwiseConv, depthwise_cut
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window


def depthwise(shape: tuple[int, ...], kernel: tuple[int, int], stride: int, dilation: int = 1) -> bytes:
    """A model file of one layer of int8."""
    random, builder = np.random.default_rng(1), GraphBuilder(shape)
    window = Window.same((1, *shape[:-1])[-2:], kernel, (stride, stride), (1, dilation))
    weights = random.normal(0, 1, (shape[-1], *kernel)).astype(np.float32)
    builder.add(DepthwiseConv, "depthwise", weights, np.zeros(shape[-1], np.float32), window)
    return pack(quantize(builder.build(), "int8", random.normal(0, 1, (2, *shape))))


@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "at_once", "turned"),
    [
        ((6, 6, 8), (3, 3), 1, 4, False),
        ((24, 25, 16), (3, 3), 2, 4, False),
        ((25, 5, 64), (3, 3), 1, 4, True),
        ((9, 7, 6), (4, 5), 3, 1, False),
        ((128, 32), (1, 9), 1, 4, False),
        ((128, 1, 32), (9, 1), 1, 4, True),
        ((31, 40, 4), (3, 3), 1, 4, False),
        ((20, 200, 4), (3, 3), 1, 1, False),  # four channels at once are too many
    ],
)
def test_depthwise_layers_are_cut_as_in_the_core(shape, kernel, stride, at_once, turned):
    data = depthwise(shape, kernel, stride)
    cut = depthwise_cut.cut_of(open_model(data).layers[0])
    with NativeModel(data) as model:
        scratch_bytes = model.scratch_bytes
    assert (cut.at_once, cut.turned) == (at_once, turned)
    rows, columns = reversed(kernel) if turned else kernel
    segments = 2 * rows * -(-columns // 3)
    # kernels/depthwise_s8.c: a word of zero points; planes and sums; a stream that ends at a multiple of 1024
    assert scratch_bytes == 4 * (1 + cut.words + 4 * segments) + 1020


def test_what_is_not_cut_has_none():
    assert depthwise_cut.cut_of(open_model(depthwise((8, 8, 4), (3, 3), 1, dilation=2)).layers[0]) is None
