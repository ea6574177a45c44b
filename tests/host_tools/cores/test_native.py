"""The C core as a library: its answers are the reference's, thousands a second; inputs are rounded as on a board."""

from __future__ import annotations

import time

import numpy as np
import pytest
from anne.reference_model import quantize as reference_quantize
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.conversion.standard_models import DTYPES, random_graph
from anne_tools.cores import native
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.cores.numbers import dequantize_output, quantize_input
from anne_tools.cores.results import difference
from anne_tools.errors import ModelError
from anne_tools.layers.build import GraphBuilder

RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_outputs_are_the_references(dtype):
    """Integers to the bit, floats within 1e-6 of the largest output."""
    x = RANDOM.normal(0, 1, (40, 9))
    with NativeModel(convert(random_graph((9, 7, 5)), dtype, calibrate=x[:20]).data) as model:
        inputs = quantize_input(x, model.input)
        expected, got = reference_outputs(model.file.data.tobytes(), inputs), model.run_raw(inputs)
    assert max(difference(e, g) for e, g in zip(expected, got, strict=True)) <= (
        0 if got.dtype.kind == "i" else 1e-6
    )


@pytest.mark.parametrize("same_rows", [True, False], ids=["one factor", "a factor a row"])
@pytest.mark.parametrize(("n_in", "n_out"), [(9, 32), (9, 33), (9, 128), (5, 129), (9, 263), (600, 139)])
def test_rows_in_bands_are_the_references(n_in, n_out, same_rows):
    """Around the rows of a band, 128; several panels of columns; multipliers made for all rows at once or for each."""
    weights = RANDOM.normal(0, 1, (n_out, n_in)) * (1 if same_rows else RANDOM.uniform(0.1, 9, (n_out, 1)))
    if same_rows:
        weights[:, 0] = 5  # the greatest of each row, which decides its scale
    builder = GraphBuilder((n_in,))
    builder.dense("dense", weights, RANDOM.normal(0, 1, n_out), "relu")
    x = RANDOM.normal(0, 1, (6, n_in))
    with NativeModel(pack(quantize(builder.build(), "int8", x))) as model:
        inputs = quantize_input(x, model.input)
        expected = reference_outputs(model.file.data.tobytes(), inputs)
        np.testing.assert_array_equal(model.run_raw(inputs), expected)


def test_the_last_layer_of_a_trace_is_the_output():
    x = RANDOM.normal(0, 1, (5, 6))
    with NativeModel(convert(random_graph((6, 8, 3)), "int8", calibrate=x).data) as model:
        inputs = quantize_input(x, model.input)
        trace = model.trace(inputs[2])
        made = [layer.outputs[0] for layer in model.file.layers]
        assert {index: values.shape for index, values in trace.items()} == {t.index: t.shape for t in made}
        np.testing.assert_array_equal(trace[model.output.index], model.run_raw(inputs)[2])


def test_inputs_are_rounded_as_on_the_board():
    """Against the reference's `quantize`, at the places where rounding, limits and NaN decide."""
    x = RANDOM.normal(0, 1, (5, 6))
    with NativeModel(convert(random_graph((6, 4)), "int8", calibrate=x).data) as model:
        tensor = model.input
    steps = np.array([-1e9, -129.5, -0.5, -0.49, 0.0, 0.5, 0.51, 1.5, 127.4, 1e9, np.inf, -np.inf, np.nan])
    values = np.float32(steps * tensor.scale)
    expected = [reference_quantize(float(v), tensor) for v in values]
    assert quantize_input(values, tensor).tolist() == expected
    assert expected[-3:] == [127, -128, tensor.zero_point]


def test_integers_of_the_inputs_type_are_taken_as_they_are():
    x = RANDOM.normal(0, 1, (5, 6))
    with NativeModel(convert(random_graph((6, 4)), "int8", calibrate=x).data) as model:
        raw = quantize_input(x, model.input)
        np.testing.assert_array_equal(model.predict(raw), model.predict(x))
        np.testing.assert_array_equal(dequantize_output(model.run_raw(raw), model.output), model.predict(x))


def test_10000_images_take_seconds():
    """784-32-10 in int8: well below a second on a PC of 2020; 10 s is what the promise says."""
    x = RANDOM.normal(0, 1, (10_000, 784))
    converted = convert(random_graph((784, 32, 10)), "int8", calibrate=x[:200])
    start_s = time.monotonic()
    assert converted.predict(x).shape == (10_000, 10)
    assert time.monotonic() - start_s < 10


def test_a_damaged_file_is_refused_in_the_loaders_words():
    data = bytearray(convert(random_graph((6, 4))).data)
    data[-1] ^= 1
    with pytest.raises(
        ModelError, match="file: expected a CRC-32 of 0x[0-9a-f]{8}, got 0x[0-9a-f]{8}: damaged"
    ):
        NativeModel(bytes(data))


def test_closing_twice_does_no_harm():
    model = NativeModel(convert(random_graph((6, 4))).data)
    model.close()
    model.close()


def test_a_library_that_is_none_is_one_clear_line(tmp_path):
    (tmp_path / "libanne.so").write_bytes(b"\x7fELF, but no more")
    with pytest.raises(ModelError, match="libanne.so: not this version's host library .*; build it anew"):
        native._open_library(tmp_path / "libanne.so")
