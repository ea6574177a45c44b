"""What is advised for networks of images that do not fit: each line is followed, and then it fits."""

from __future__ import annotations

import re

import numpy as np
import pytest
from anne_tools.boards.fit import fit
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.layers import Conv, DepthwiseConv, LayerNorm, MaxPool
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window


def network(size: int, channels: tuple[int, ...], dtype: str) -> bytes:
    """Convolutions of 3 x 3, depthwise ones before all but the first, each behind a pool; a pool, a dense layer."""
    random = np.random.default_rng(1)
    b = GraphBuilder((size, size, 3))
    for index, n in enumerate(channels):
        window = Window.same(b.last.shape[:2], (3, 3))
        if index:
            b.add(MaxPool, f"pool_{index}", Window((2, 2), (2, 2)))
            window = Window.same(b.last.shape[:2], (3, 3))
            each = random.normal(0, 1 / 3, (b.last.shape[-1], 3, 3)).astype(np.float32)
            b.add(DepthwiseConv, f"each_{index}", each, np.zeros(len(each), np.float32), window, "relu")
        weights = random.normal(0, 0.1, (n, 3, 3, b.last.shape[-1])).astype(np.float32)
        b.add(Conv, f"conv_{index}", weights, np.zeros(n, np.float32), window, 1, "relu")
    left = b.last.shape[0] // 2
    b.add(MaxPool, "pool", Window((left, left), (left, left)))
    b.reshape("flat", (-1,))
    b.dense("out", random.normal(0, 0.1, (10, b.last.size)))
    return pack(quantize(b.build(), dtype, random.normal(0, 1, (2, size, size, 3))))


@pytest.mark.parametrize(
    ("size", "channels", "dtype"),
    [
        (32, (16, 64, 128), "float32"),  # weights: 340 KB
        (32, (16, 128, 256), "int8"),  # 330 KB
        (64, (16, 32), "float32"),  # values: 260 KB
        (96, (32, 32), "int8"),  # 295 KB
        (32, (32, 256, 512), "int8"),  # 1.3 MB
        (128, (32, 16), "int8"),  # 524 KB
    ],
)
def test_what_is_advised_is_possible_and_helps(size, channels, dtype):
    verdict = fit(network(size, channels, dtype), "pico")
    assert not verdict.fits
    lines = [line for line in verdict.advice if not line.startswith("use a board with more RAM")]
    assert lines and verdict.layer
    for line in lines:
        other, part, n = dtype, 1.0, size
        if named := re.search(r"--dtype ([\w-]+)", line):
            other = named[1]
        if told := re.search(r"at most (\d+)% of their channels", line):
            part = int(told[1]) / 100
        if "half the rows and columns" in line:
            n = size // 2
        assert (other, part, n) != (dtype, 1.0, size), line
        fewer = tuple(int(part * c) for c in channels)
        assert fit(network(n, fewer, other), "pico").fits, line


def test_an_image_too_large_for_any_memory_is_said_to_be():
    random = np.random.default_rng(1)
    b = GraphBuilder((500, 500, 4))
    b.add(
        Conv,
        "conv",
        random.normal(0, 1, (2, 1, 1, 4)).astype(np.float32),
        np.zeros(2, np.float32),
        Window((1, 1)),
    )
    advice = fit(pack(b.build()), "pico").advice
    assert not any("channels" in line for line in advice)


def test_no_integers_are_advised_where_a_layer_has_none():
    """65,536 floats in and out of two layers, and a layer norm, which has no integers."""
    b = GraphBuilder((256, 256))
    weights = np.random.default_rng(1).normal(0, 1, (256, 1, 1, 256)).astype(np.float32)
    b.add(Conv, "conv", weights, np.zeros(256, np.float32), Window((1, 1)))
    b.add(LayerNorm, "norm", np.ones(256, np.float32), np.zeros(256, np.float32), 1e-3)
    verdict = fit(pack(b.build()), "pico")
    assert not verdict.fits
    assert not any(re.search(r"--dtype int(8|16|4)[ ,:]", line) for line in verdict.advice)
