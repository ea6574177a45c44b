"""importers/tflite.py on files that TensorFlow's converter wrote, and on a published network.

The files in tests/golden/tflite were written by tests/golden/make_tflite.py with TensorFlow 2.21.0, together with
Keras's outputs (float32) and those of TensorFlow Lite Micro's interpreter for the int8 files, compared exactly.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.layers import Dense
from anne_tools.network.execute import execute
from int8_reference import run_int8
from package_files import mltk_file

pytest.importorskip("tflite", reason="the extra anne_tools[tflite]")

from anne_tools.importers import tflite

GOLDEN = Path(__file__).parents[2] / "golden" / "tflite"
EXPECTED = np.load(GOLDEN / "expected.npz")
SEED = 20261123


# What TensorFlow's converter writes


@pytest.mark.parametrize(
    "file, bound",
    [
        ("mlp_float32", 2e-6),
        ("activations_float32", 2e-6),
        # weights rounded to 11 bits, or to 8
        ("mlp_float16", 1e-3),
        ("activations_float16", 1e-3),
        ("wide_dynamic", 2e-2),
    ],
)
def test_converted_file_gives_what_keras_says(file, bound):
    name = file.partition("_")[0]
    expected = EXPECTED[f"{name}_y"]
    got = execute(tflite.read(GOLDEN / f"{file}.tflite"), EXPECTED[f"{name}_x"])
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound * np.abs(expected).max())


def test_layers_of_a_converted_file():
    # Batch normalisation is in the weights. The first Flatten was SHAPE, STRIDED_SLICE, PACK, RESHAPE; Reshape and the
    # Flatten behind it undo each other, which the converter leaves to whoever runs the file.
    graph = tflite.read(GOLDEN / "mlp_float32.tflite")
    got = [getattr(layer, "activation", layer.kind) for layer in graph.layers]
    dense = ["relu", "relu6", "linear", "tanh", "linear", "sigmoid"]
    assert got == ["reshape", *dense, "linear", "softmax"]


def test_int8_weights_under_float_activations_are_kept():
    first, second = [x for x in tflite.read(GOLDEN / "wide_dynamic.tflite").layers if isinstance(x, Dense)][
        :2
    ]
    for layer, n_out in ((first, 36), (second, 32)):
        assert layer.weights.dtype == np.int8 and layer.bias.dtype == np.float32
        assert layer.weights_quantization.scale.shape == (n_out,)


@pytest.mark.parametrize("file", ["mlp_int8", "mlp_int8_float_ends"])
def test_int8_file_equals_tflite_micro(file):
    graph = tflite.read(GOLDEN / f"{file}.tflite")
    x, expected = EXPECTED["mlp_int8_x"], EXPECTED["mlp_int8_y"]
    np.testing.assert_array_equal(run_int8(graph, x.reshape(len(x), -1)), expected)


# A published network


def test_anomaly_detection_autoencoder_equals_tflite_micro_on_1000_inputs():
    # MLPerf Tiny's anomaly detection: 640-128-128-128-128-8-128-128-128-128-640, int8, float32 at both ends
    pytest.importorskip("tflite_micro")
    from tflite_writer import Oracle

    path = mltk_file("anomaly_detection.tflite")
    graph = tflite.read(path)
    dense = [layer for layer in graph.layers if isinstance(layer, Dense)]
    assert [layer.weights.shape[0] for layer in dense] == [128, 128, 128, 128, 8, 128, 128, 128, 128, 640]
    assert sum(layer.weights.size for layer in dense) == 264_192
    assert [layer.kind for layer in graph.layers] == ["reshape"] + ["dense"] * 10 + ["reshape"]
    assert [layer.activation for layer in dense] == ["relu"] * 9 + ["linear"]

    q_in, q_out = (graph.tensors[name].quantization for name in (graph.inputs[0], graph.outputs[0]))
    rng = np.random.default_rng(SEED)
    x = rng.integers(-128, 128, (1000, 5, 128, 1), np.int8)
    y = run_int8(graph, x.reshape(1000, -1))
    oracle = Oracle(path.read_bytes())
    for integers, expected_integers in zip(x, y, strict=True):
        # the file takes and gives floats; these are exactly those of the integers
        real = np.float32(q_in.scale[0]) * (integers.astype(np.float32) - np.float32(q_in.zero_point))
        expected = np.float32(q_out.scale[0]) * (
            expected_integers.astype(np.float32) - np.float32(q_out.zero_point)
        )
        np.testing.assert_array_equal(oracle(real[None])[0], expected)


# What is refused


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(ModelError) as error:
        tflite.read(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "model.tflite"
    assert "not a TFLite model" in refused(path, b"PK\3\4 and so on")
    assert "not a TFLite model" in refused(path, b"")
    assert "damaged" in refused(path, b"\xff\xff\xff\x7fTFL3")


def test_every_truncation_and_1000_mutations_give_a_graph_or_one_line(tmp_path):
    path = tmp_path / "model.tflite"
    data = (GOLDEN / "mlp_int8_float_ends.tflite").read_bytes()
    rng = np.random.default_rng(SEED)
    for length in range(0, len(data), 23):
        refused(path, data[:length])
    refusals = 0
    for _ in range(1000):
        damaged = bytearray(data)
        for _ in range(int(rng.integers(1, 5))):
            damaged[int(rng.integers(8, len(data)))] = int(rng.integers(256))
        path.write_bytes(damaged)
        try:
            tflite.read(path)
        except ModelError as error:
            refusals += 1
            assert "\n" not in str(error)
    assert refusals > 200
