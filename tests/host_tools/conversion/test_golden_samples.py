"""Golden samples take little room, and what the format cannot hold is refused before a sample is drawn."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from anne_tools.boards import fit as fit_module
from anne_tools.boards.fit import BOARDS, RESERVE_BYTES, fit
from anne_tools.conversion.convert import convert
from anne_tools.conversion.golden import MOST_SAMPLES
from anne_tools.conversion.pack import pack
from anne_tools.conversion.standard_models import random_graph
from anne_tools.cores.files import golden_samples, open_model
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import ArgMax
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.graph import Graph


def golden_bytes(data: bytes) -> tuple[int, int]:
    """Return how many golden samples a file has, and their bytes."""
    inputs, outputs = golden_samples(open_model(data))
    return len(inputs), inputs.nbytes + outputs.nbytes


@pytest.mark.parametrize(
    ("shape", "n", "n_bytes"),
    [
        ((4, 8, 3), 4, 4 * 28),
        ((128, 64), 4, 4 * 768),
        ((300, 8), 3, 3 * 1232),  # 4 KB and no more
        ((3000, 2), 1, 12008),  # a sample is more than that
        ((640, 128), 4, 4 * 3072),  # a sixteenth of 330 KB of weights
    ],
)
def test_golden_samples_take_little(shape, n, n_bytes):
    assert golden_bytes(convert(random_graph(shape)).data) == (n, n_bytes)


def test_golden_samples_are_left_out_where_they_break_it(monkeypatch):
    """A board with room for the file without them, to the byte."""
    graph = random_graph((128, 64))
    plain = pack(convert(graph).graph)
    monkeypatch.setitem(
        fit_module.BOARDS,
        "pico",
        replace(BOARDS["pico"], heap_bytes=fit(plain, "pico").ram_bytes + RESERVE_BYTES + 200, romfs_bytes=0),
    )
    converted = convert(graph)
    assert converted.report.fit.fits
    assert converted.report.golden_samples == 0
    with NativeModel(converted.data) as model:
        assert "golden_inputs" not in model.file.metadata


# --- What the format cannot hold --------------------------------------------------------------------------------------


def wide(n: int) -> Graph:
    builder = GraphBuilder((n,))
    builder.activation("relu", "relu")
    return builder.build()


def deep(n_layers: int) -> Graph:
    builder = GraphBuilder((4,))
    for index in range(n_layers):
        builder.activation(f"tanh_{index}", "tanh")
    return builder.build()


def wide_and_deep() -> Graph:
    builder = GraphBuilder((1 << 20,))
    for index in range(200):
        builder.activation(f"gelu_{index}", "gelu")
    return builder.build()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wide(1 << 28), r"of shape \(268435456,\): expected at most 1048576 elements"),
        (lambda: wide(1 << 62), "expected at most 1048576 elements"),
        (lambda: deep(257), "expected at most 256 layers in a model file, got 257"),
        (lambda: deep(5_000), "expected at most 256 layers in a model file, got 5000"),
        (wide_and_deep, "expected at most 16777216 values in all layers together, got 210763776"),
    ],
)
def test_sizes_are_checked_before_anything_is_drawn_or_computed(make, message):
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(ModelError, match=message):
            convert(make())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 << 20
    assert time.monotonic() - began < 20  # with the network made, on a busy machine


def test_layers_that_vanish_do_not_count():
    """300 dropouts, and a relu."""
    builder = GraphBuilder((4,))
    for index in range(300):
        builder.activation(f"dropout_{index}", "linear")
    builder.activation("relu", "relu")
    assert len(convert(builder.build()).graph.layers) == 1


def test_the_largest_tensor_is_converted_in_little_memory():
    """2^20 floats, of which numpy's copies in float64 are 8 MB each."""
    tracemalloc.start()
    try:
        converted = convert(wide(1 << 20))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert converted.report.golden_samples in (0, 1)
    assert peak < 300 << 20


def test_most_samples():
    x = np.random.default_rng(1).normal(0, 1, (100, 4))
    assert convert(random_graph((4, 3)), "int8", calibrate=x).report.golden_samples == MOST_SAMPLES


def test_either_of_two_nearly_equal_classes_is_right():
    # 1 + 2^-30 is above 1 in 64 bits, which the network is checked with, and 1 in the file's 32
    builder = GraphBuilder((2,))
    builder.dense("dense", np.array([[1, 0], [1, 2.0**-30]]), np.zeros(2))
    builder.add(ArgMax, "class")
    converted = convert(builder.build(), "float32", calibrate=np.ones((4, 2)))
    assert converted.predict(np.ones((1, 2))).item() == 0
