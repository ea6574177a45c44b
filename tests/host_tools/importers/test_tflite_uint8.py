"""importers/tflite.py on files with uint8 at their ends or all through, exactly as int8.

What is expected comes from the package `tflite-micro` (TensorFlow Lite Micro's interpreter), compared exactly.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.cli import cli
from anne_tools.conversion.convert import convert
from anne_tools.conversion.verify import verify
from anne_tools.errors import ModelError
from click.testing import CliRunner

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from int8_reference import run_int8
from tflite_writer import Oracle, TfliteWriter, as_uint8, int8_network, pack, schema

SEED = 20261123


def with_uint8_ends(data: bytes, q_in, q_out) -> bytes:
    """An int8 model as the converter writes it for inference_input_type = inference_output_type = tf.uint8."""
    model = schema.ModelT.InitFromPackedBuf(data)
    graph = model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    model.operatorCodes.append(code)
    for name, (scale, zero_point), at_input in (("inputs", q_in, True), ("outputs", q_out, False)):
        (inner,) = getattr(graph, name)
        w = TfliteWriter()
        w.tensor(graph.tensors[inner].shape, "uint8", scale=scale, zero_point=zero_point)
        graph.tensors.append(w.tensors[0])
        outer, op = len(graph.tensors) - 1, schema.OperatorT()
        op.opcodeIndex = len(model.operatorCodes) - 1
        op.inputs, op.outputs = ([outer], [inner]) if at_input else ([inner], [outer])
        graph.operators.insert(0 if at_input else len(graph.operators), op)
        setattr(graph, name, [outer])
    return pack(model)


def run_uint8(graph, x: np.ndarray) -> np.ndarray:
    """The imported graph's outputs as uint8, for uint8: 128 taken off and put back."""
    return (run_int8(graph, (x.astype(int) - 128).astype(np.int8)).astype(int) + 128).astype(np.uint8)


@pytest.mark.parametrize(
    "q_in, q_out, kinds",
    [
        # the int8 tensors' own scales, and zero points 128 more: nothing is left of the ends
        ((0.05, 125), (1 / 256, 0), ["dense", "activation", "dense", "activation"]),
        # others: a change of scale stays
        (
            (0.04, 100),
            (1 / 200, 3),
            ["activation", "dense", "activation", "dense", "activation", "activation"],
        ),
    ],
)
def test_uint8_ends_equal_tflite_micro(read_tflite, q_in, q_out, kinds):
    rng = np.random.default_rng(SEED)
    data = with_uint8_ends(int8_network(rng, True, 1), q_in, q_out)
    graph, oracle = read_tflite(data), Oracle(data)
    assert [layer.kind for layer in graph.layers] == kinds
    x = rng.integers(0, 256, (300, 6), np.uint8)
    expected = np.concatenate([oracle(row[None]) for row in x])
    assert expected.dtype == np.uint8
    np.testing.assert_array_equal(run_uint8(graph, x), expected)
    assert graph.metadata.provenance["input type"] == graph.metadata.provenance["output type"] == "uint8"


def test_uint8_through_the_command_line_equals_tflite_micro(tmp_path):
    rng = np.random.default_rng(SEED)
    data = with_uint8_ends(int8_network(rng, True, 1), (0.05, 125), (1 / 256, 0))
    (source := tmp_path / "net.tflite").write_bytes(data)
    oracle, x = Oracle(data), rng.integers(0, 256, (50, 6), np.uint8)
    expected = np.concatenate([oracle(row[None]) for row in x])
    converted = convert(source)
    converted.save(tmp_path / "net.anne")
    np.save(tmp_path / "x.npy", x)
    arguments = ["run", str(tmp_path / "net.anne"), "--input", str(tmp_path / "x.npy"), "--raw"]
    done = CliRunner().invoke(cli, [*arguments, "--output", str(tmp_path / "y.npy")])
    assert done.exit_code == 0, done.output
    got = np.load(tmp_path / "y.npy")
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, expected)
    real = np.float32(1 / 256) * expected.astype(np.float32)
    np.testing.assert_array_equal(converted.predict(x), real)
    # real numbers mean the same: (integer - 125) * 0.05
    np.testing.assert_array_equal(converted.predict((x - 125.0) * np.float32(0.05)), real)
    # test samples in uint8, too: the float network of the report sees real numbers
    judged = convert(source, test=(x, expected.argmax(axis=1))).report
    assert judged.accuracy.model_percent == 100 and judged.deviation.largest < 0.1
    assert all(c.good for c in verify(converted.data, source, x=x))
    against = verify(converted.data, source)
    assert [c.second for c in against if c.first == "TFLite Micro"] == ["C core"]
    assert all(c.good for c in against)


def test_uint8_all_through_is_the_int8_network_with_128_more(read_tflite):
    # TFLite Micro has no uint8 FULLY_CONNECTED any more; what is right is its int8 answer, 128 more
    rng = np.random.default_rng(SEED)
    data = int8_network(rng, False, 1)
    graph, oracle = read_tflite(as_uint8(data)), Oracle(data)
    x = rng.integers(0, 256, (100, 6), np.uint8)
    expected = [oracle((row.astype(int) - 128).astype(np.int8)[None])[0].astype(int) + 128 for row in x]
    np.testing.assert_array_equal(run_uint8(graph, x), expected)


def weights_with_zero_point(dtype: str, values, zero_point: int) -> tuple[TfliteWriter, int, int]:
    w = TfliteWriter()
    x, y = (
        w.tensor((1, 2), "uint8", scale=0.5, zero_point=10),
        w.tensor((1, 1), "uint8", scale=4.0, zero_point=7),
    )
    w.operator(
        "FULLY_CONNECTED", [x, w.tensor((1, 2), dtype, values, scale=0.25, zero_point=zero_point), -1], [y]
    )
    return w, x, y


@pytest.mark.parametrize(
    "dtype, values, zero_point", [("uint8", [[200, 90]], 100), ("int8", [[72, -38]], -28)]
)
def test_weights_with_a_zero_point_of_their_own(read_tflite, dtype, values, zero_point):
    w, x, y = weights_with_zero_point(dtype, values, zero_point)
    graph = read_tflite(w.to_bytes([x], [y]))
    assert graph.layers[0].weights.tolist() == [[100, -10]]
    # 0.5 (30 - 10) * 25 + 0.5 (50 - 10) * -2.5 = 200 = 4 * (57 - 7)
    assert run_uint8(graph, np.uint8([[30, 50]])).tolist() == [[57]]


def test_weights_too_far_from_their_zero_point(read_tflite):
    w, x, y = weights_with_zero_point("uint8", [[200, 90]], 50)
    with pytest.raises(
        ModelError, match="its weights are up to 150 steps from their zero point, supported are 127"
    ):
        read_tflite(w.to_bytes([x], [y]))
