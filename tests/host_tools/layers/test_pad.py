"""Pad in every type, from the graph to the C core, against numpy.pad; and what no padding is."""

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Pad
from anne_tools.layers.build import GraphBuilder

RANDOM = np.random.default_rng(26)


def padded(shape, before, after, value):
    b = GraphBuilder(shape)
    b.add(Pad, "pad", before, after, value)
    return b.build()


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_both_cores_pad_as_numpy_does(dtype, rank):
    for _ in range(20):
        shape, before, after = (tuple(map(int, RANDOM.integers(low, 4, rank))) for low in (1, 0, 0))
        value = float(RANDOM.choice([0.0, 0.5, -1.0]))
        x = RANDOM.uniform(-1, 1, (5, *shape))
        x.flat[:2] = -1, 1  # so that integers reach both
        data = pack(quantize(padded(shape, before, after, value), dtype, x))
        widths = list(zip((0, *before), (0, *after), strict=True))
        with NativeModel(data) as model:
            tensor, limits = model.input, (model.input.least, model.input.greatest)
            raw = (
                x.astype(np.float32)
                if dtype == "float32"
                else RANDOM.integers(*limits, x.shape).astype(dtype)
            )
            fill = value if dtype == "float32" else np.round(value / tensor.scale) + tensor.zero_point
            expected = np.pad(raw, widths, constant_values=fill)
            assert model.run_raw(raw).tobytes() == expected.tobytes()
            assert reference_outputs(data, raw).tobytes() == expected.tobytes()


def test_a_value_that_integers_do_not_reach():
    graph, x = padded((3,), (1,), (0,), 5.0), RANDOM.uniform(-1, 1, (9, 3))
    assert convert(graph).predict(x[:1])[0, 0] == 5
    x.flat[:2] = -1, 1  # 255 steps, -128 to 127 with the zero point -1
    message = r"^pad: expected a value from -0\.9961 to 1\.004, .* got 5; use --dtype float32$"
    with pytest.raises(ModelError, match=message):
        convert(graph, "int8", calibrate=x)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ((1,), (1,), r"expected padding of 2 axes, got 1 and 1"),
        ((1, -1), (0, 0), r"expected no axis to become smaller, got \(1, -1\) and \(0, 0\)"),
        ((1 << 20, 0), (0, 0), r"expected at most 1048576 elements"),
    ],
)
def test_what_is_no_padding(before, after, problem):
    with pytest.raises(ModelError, match=problem):
        padded((2, 3), before, after, 0.0)


def test_a_value_beyond_float32():
    with pytest.raises(ModelError, match=r"layer 0 \(pad\): value: expected a number that float32 can hold"):
        padded((2,), (1,), (1,), 1e39)
