"""dtype auto: what it takes, and that it says why. Bytes and milliseconds are those of the conversions themselves."""

from __future__ import annotations

import re

import numpy as np
import pytest
from anne_tools.conversion.convert import Converted, convert
from anne_tools.conversion.quantize import DTYPES
from anne_tools.conversion.standard_models import random_graph
from anne_tools.cores.files import open_model
from anne_tools.errors import ModelError
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.graph import Graph


def samples(n_features: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, (200, n_features))


def regression(*shape: int) -> Graph:
    """Dense layers with relu, the last without."""
    random = np.random.default_rng(1)
    builder = GraphBuilder((shape[0],))
    for index, (n_in, n_out) in enumerate(zip(shape, shape[1:], strict=False)):
        activation = "linear" if index == len(shape) - 2 else "relu"
        builder.dense(f"dense_{index}", random.normal(0, n_in**-0.5, (n_out, n_in)), None, activation)
    return builder.build()


def why(converted: Converted) -> str:
    (note,) = [note for note in converted.report.notes if note.startswith("dtype auto took ")]
    return note


def test_a_tiny_network_stays_in_floats():
    """4-8-3: int8 is a little faster, but larger, as it has 1 KB for softmax."""
    graph, x = random_graph((4, 8, 3)), samples(4)
    converted, integers = convert(graph, calibrate=x), convert(graph, "int8", calibrate=x)
    assert converted.report.dtype == "float32"
    assert len(integers.data) > len(converted.data)
    assert converted.data == convert(graph, "float32", calibrate=x).data


def test_a_larger_network_becomes_int8():
    graph, x = regression(64, 64, 10), samples(64)
    converted, floats = convert(graph, calibrate=x), convert(graph, "float32", calibrate=x)
    assert converted.report.dtype == "int8"
    assert len(converted.data) < len(floats.data) / 2
    assert converted.report.fit.elapsed_ms < floats.report.fit.elapsed_ms
    assert converted.data == convert(graph, "int8", calibrate=x).data


def test_what_was_compared_stands_in_the_report():
    note = why(convert(regression(64, 64, 10), calibrate=samples(64)))
    found = re.findall(r"(\S+) \((\d+) bytes, ([\d.]+) ms, error ([\d.e-]+) %", note)
    assert [dtype for dtype, *_ in found] == ["int8", "float32", "int16", "int8-weights"]
    assert all(int(n_bytes) > 0 and float(ms) > 0 and 0 < float(error) < 2 for _, n_bytes, ms, error in found)


def test_an_error_that_is_too_large_is_not_taken():
    """Of two outputs near 1 the difference, 1/1000, is a step of neither int8 nor of weights in 8 bits."""
    builder = GraphBuilder((64,))
    half = np.random.default_rng(2).normal(0, 1, (64, 64))
    builder.dense("hidden", np.vstack([half, half + 1e-3]), np.zeros(128), "relu")
    builder.dense("difference", np.hstack([np.eye(64), -np.eye(64)])[:4] * 1000, np.zeros(4))
    builder.activation("keep", "tanh")
    graph, x = builder.build(), samples(64) / 10
    converted = convert(graph, calibrate=x)
    assert convert(graph, "int8", calibrate=x).report.deviation.rms > 0.05
    assert converted.report.deviation.rms < 0.02


def test_what_fits_is_taken_where_floats_do_not():
    """4-400-300-2: 480 KB in floats, 127 KB in int8."""
    converted = convert(random_graph((4, 400, 300, 2)), calibrate=samples(4))
    assert converted.report.dtype in ("int8", "int8-weights")
    assert converted.report.fit.fits
    assert re.search(r"float32 \(4\d{5} bytes, does not fit", why(converted))


def test_four_bits_are_the_last_resort():
    """700 x 500 weights are 350 KB in int8, 175 KB in int4; a pico2 has room for int8."""
    graph, x = regression(4, 700, 500, 2), samples(4)
    assert "int4" in why(convert(graph, calibrate=x))
    assert convert(graph, calibrate=x, board="pico2").report.dtype != "int4"


def test_without_calibration_data_it_is_float32():
    graph = regression(64, 64, 10)
    for dtype in (None, "auto"):
        converted = convert(graph, dtype)
        assert converted.report.dtype == "float32"
        assert not any("auto" in note for note in converted.report.notes)
    assert converted.data == convert(graph, "float32").data


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_type_that_is_asked_for_is_had(dtype):
    report = convert(random_graph((4, 8, 3)), dtype, calibrate=samples(4)).report
    assert report.dtype == dtype
    assert not any("auto" in note for note in report.notes)


def test_a_type_that_is_impossible_is_passed_over():
    """int8's softmax takes 511 elements (FORMAT.md)."""
    converted = convert(random_graph((16, 8, 600)), calibrate=samples(16))
    assert converted.report.dtype != "int8"
    assert "int8 (impossible: " in why(converted)
    with pytest.raises(ModelError, match="at most 511 elements in a row, got 600"):
        convert(random_graph((16, 8, 600)), "int8", calibrate=samples(16))


def test_floats_for_a_chip_with_a_unit_for_them_stay_as_they_are():
    """The Pico 2 sums them in fewer instructions than integers; on the Pico it is the other way round."""
    weights = np.random.default_rng(1).normal(0, 1, (4, 3))
    for board, kernel in (("pico", "f32_aligned"), ("pico2", "f32"), ("pico2-w", "f32")):
        builder = GraphBuilder((3,))
        builder.dense("dense", weights, np.zeros(4))
        converted = convert(builder.build(), "float32", board=board)
        assert [layer.kernel for layer in open_model(converted.data).layers] == [kernel]
