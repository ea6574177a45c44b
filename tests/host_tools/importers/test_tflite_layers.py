"""importers/tflite.py on networks of all kinds of layers that TensorFlow's converter wrote, in float32 and int8.

The files in tests/golden/tflite/layers were written by tests/golden/make_tflite_layers.py with TensorFlow 2.21.0,
together with what LiteRT's reference kernels say of them (expected.npz). Where TensorFlow Lite Micro's interpreter can
run a file, that is asked instead. Integers must be equal to the bit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import unpacked

pytest.importorskip("tflite", reason="the extra anne_tools[tflite]")

from anne_tools.importers import tflite

FOLDER = Path(__file__).parents[2] / "golden" / "tflite" / "layers"
EXPECTED = np.load(FOLDER / "expected.npz")
FLOAT_BOUND = 1e-5

# What TensorFlow Lite Micro has kernels for (but not convolutions, whose SPACE_TO_BATCH_ND pads with whatever the
# memory holds there); the bound is of floats beside the largest.
OF_MICRO = {
    "classes_float32": 0,
    "classes_int8": 0,
    "elements_float32": FLOAT_BOUND,
    "elements_int8": 0,
    "elements_int8_float_ends": 0,
    "pools_float32": FLOAT_BOUND,
    "pools_int8": 0,
    "stream_float32": FLOAT_BOUND,
    "stream_int8": 0,
    "wide_float32": FLOAT_BOUND,
}
# By how many steps integers, or by which part of the largest output floats may differ from LiteRT, which rounds the
# values of "dynamic" files to 8 bits.
# LiteRT's REVERSE_V2 keeps integers whose scale changes; its SQRT of int8 is up to a step below the nearest integer,
# and TensorFlow Lite Micro has none.
BOUNDS: dict[str, float] = {"wide_dynamic": 5e-3, "moves_int8": 6, "functions_int8": 1}
OTHERS = {*OF_MICRO, "attention_int8"}
OF_LITERT = sorted(path.stem for path in FOLDER.glob("*.tflite") if path.stem not in OTHERS)


@pytest.mark.parametrize("name", OF_MICRO)
def test_a_file_equals_tflite_micro(name):
    pytest.importorskip("tflite_micro")
    from tflite_agreement import largest_difference

    assert largest_difference(FOLDER / f"{name}.tflite", 20) <= OF_MICRO[name]


def _outputs(name: str) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """What the C core gives, what LiteRT gave, and the unit of their difference, for each output of a file."""
    graph = tflite.read(FOLDER / f"{name}.tflite")
    x = EXPECTED[f"{name}_x"]
    (given,) = graph.input_tensors
    if given.dtype != "float32" and x.dtype == np.float32:
        x = np.clip(np.rint(x / given.quantization.scale[0]) + given.quantization.zero_point, -128, 127)
    with NativeModel(pack(quantize(graph, "float32"))) as native:
        got = unpacked(native.run_raw(x.reshape(len(x), *given.shape).astype(given.dtype)), native.outputs)
    found = []
    for index, (y, tensor) in enumerate(zip(got, graph.output_tensors, strict=True)):
        expected = EXPECTED[f"{name}_y{index}"].astype(np.float64)
        y = y.reshape(expected.shape).astype(np.float64)
        unit = 1.0
        if tensor.dtype == "float32":
            unit = np.abs(expected).max()
        elif EXPECTED[f"{name}_y{index}"].dtype == np.float32:  # whose file has a DEQUANTIZE at its end
            y, unit = (
                (y - tensor.quantization.zero_point) * tensor.quantization.scale[0],
                tensor.quantization.scale[0],
            )
        found.append((y, expected, unit))
    return found


@pytest.mark.parametrize("name", OF_LITERT)
def test_a_file_gives_what_litert_says(name):
    bound = BOUNDS.get(name, 0 if "int8" in name else FLOAT_BOUND)
    for y, expected, unit in _outputs(name):
        assert np.abs(y - expected).max() <= bound * unit


def test_a_quantised_layer_normalisation_is_near_the_float_one():
    # The integers between its operators are not kept: LiteRT's are a variance in 256 steps, and its root.
    graphs = {kind: tflite.read(FOLDER / f"attention_{kind}.tflite") for kind in ("float32", "int8")}
    assert [layer.kind for layer in graphs["int8"].layers][:3] == ["quantize", "layer_norm", "quantize"]
    x = EXPECTED["attention_float32_x"]
    (given,), (made,) = graphs["int8"].input_tensors, graphs["int8"].output_tensors
    integers = np.rint(x / given.quantization.scale[0]) + given.quantization.zero_point
    with NativeModel(pack(graphs["int8"])) as native:
        got = native.run_raw(np.clip(integers, -128, 127).astype(np.int8)).astype(np.float64)
    real = (got - made.quantization.zero_point) * made.quantization.scale[0]
    error = np.abs(real.reshape(EXPECTED["attention_float32_y0"].shape) - EXPECTED["attention_float32_y0"])
    assert error.max() < 0.15 and error.mean() < 0.05  # steps are 0.0625
