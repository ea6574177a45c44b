"""Delay in every type, from the graph to the C core: a stream cut in pieces is the whole stream."""

import numpy as np
import pytest
from anne.reference_model import Model
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import raw_inputs
from anne_tools.errors import ModelError
from anne_tools.layers import Delay
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(26)
N_FRAMES = 24


def listening(n):
    """n frames of three numbers a call; a dense layer sees the last eight, and the next one its last three answers."""
    rng = np.random.default_rng(3)
    b = GraphBuilder((n, 3))
    b.add(Delay, "frames", 8)
    b.dense("heard", rng.normal(size=(4, 24)), rng.normal(size=4), "relu", at=b.reshape("flat", (-1,)))
    b.add(Delay, "before", 3, inputs=[b.reshape("row", (1, 4))])
    b.dense("scores", rng.normal(size=(2, 12)), rng.normal(size=2), at=b.reshape("all", (-1,)))
    return b.build()


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("pieces", [[1] * N_FRAMES, [5, 1, 18], [23, 1]])
def test_a_stream_cut_in_pieces_is_the_whole_stream(dtype, pieces):
    frames = RANDOM.normal(size=(N_FRAMES, 1, 3))
    data = pack(quantize(listening(1), dtype, frames))
    reference = Model(data)
    with NativeModel(data) as model, NativeModel(data) as other:
        raw = raw_inputs(frames, model.file)
        whole = model.run_raw(raw)
        at, parts = 0, []
        for n in pieces:
            parts.append(other.run_raw(raw[at : at + n], go_on=True))
            at += n
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        answers = [reference.predict(x.tolist()) for x in frames]
        exact = execute(listening(1), frames)
        np.testing.assert_allclose(model.predict(frames), answers, rtol=1e-5, atol=1e-6)
        assert np.abs(answers - exact).max() < {"float32": 1e-4, "int8": 1.0, "int16": 0.01}[dtype]
        # from the beginning once more: run_raw resets, and so does the reference when it is told to
        assert model.run_raw(raw).tobytes() == whole.tobytes()
        reference.reset()
        assert reference.predict(frames[0].tolist()) == answers[0] != answers[1]


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("shape", [(1,), (2,), (2, 3), (1, 1, 5), (3, 2, 1, 2)])
def test_both_cores_delay_as_a_list_does(dtype, shape):
    for length in (shape[0], shape[0] + 1, 2 * shape[0] + 3):
        b = GraphBuilder(shape)
        b.add(Delay, "delay", length)
        x = RANDOM.uniform(-1, 1, (7, *shape))
        data = pack(quantize(b.build(), dtype, x))
        with NativeModel(data) as model:
            raw = raw_inputs(x, model.file)
            zeros = np.full((length - shape[0], *shape[1:]), model.input.zero_point, dtype)
            frames = [*zeros, *raw.reshape(-1, *shape[1:])]
            expected = np.array([frames[i * shape[0] :][:length] for i in range(len(x))], dtype)
            assert model.run_raw(raw).tobytes() == expected.tobytes()
            assert reference_outputs(data, raw).tobytes() == expected.tobytes()


def test_golden_samples_are_a_stream():
    x = RANDOM.normal(size=(20, 1, 3))
    for dtype in ("float32", "int8"):
        converted = convert(listening(1), dtype, calibrate=x)
        model = Model(converted.data)
        inputs, outputs = zip(*(model.golden(i) for i in range(converted.report.golden_samples)), strict=True)
        for _ in range(2):
            model.reset()
            for x_bytes, y_bytes in zip(inputs, outputs, strict=True):
                out = bytearray(len(y_bytes))
                model.run_raw(x_bytes, out)
                np.testing.assert_allclose(
                    np.frombuffer(out, converted.report.dtype), np.frombuffer(y_bytes, converted.report.dtype)
                )


def test_what_is_no_delay():
    b = GraphBuilder((3, 2))
    with pytest.raises(ModelError, match=r"expected at most 2 new frames, got \(3, 2\)"):
        b.add(Delay, "delay", 2)
    b = GraphBuilder((1, 2))
    b.add(Delay, "delay", 40_000)
    with pytest.raises(ModelError, match=r"delay: expected at most 262144 bytes to keep, got 319992"):
        pack(b.build())
