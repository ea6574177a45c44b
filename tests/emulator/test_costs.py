"""Predicted cycles against the emulated Pico: within 10 % for every layer, 15 % for int4.

The model is tested, not the speed: cycles are the same each time, and `make costs` measures the model anew when a
kernel has changed.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from anne_tools.boards.bench import bench
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.layers.build import GraphBuilder

# Rows and columns that fit the kernels' blocks and that do not; the last layer has several panels in int4.
SHAPE = (16, 16, 64, 18, 21, 128, 17)
# Where the layer is small, what rescaling takes is a large part of it.
SMALL_SHAPE = (4, 8, 3, 5, 6, 7, 8)

# With int4, which rows are rescaled the exact way, four times as long, depends on the data; more so than with int8.
BOUNDS = {"float32": 0.1, "int8-weights": 0.1, "int16": 0.1, "int8": 0.1, "int4": 0.15}


@pytest.mark.parametrize(("shape", "dtype"), [(SMALL_SHAPE, "int16"), *((SHAPE, dtype) for dtype in BOUNDS)])
def test_each_layer_takes_what_is_predicted(device, shape, dtype):
    random = np.random.default_rng(20261123)
    builder = GraphBuilder((shape[0],))
    for i, (n_in, n_out) in enumerate(pairwise(shape)):
        weights = random.normal(0, n_in**-0.5, (n_out, n_in))
        builder.dense(f"dense_{i}", weights, random.normal(0, 0.1, n_out), "relu")
    builder.activation("softmax", "softmax")
    data = pack(quantize(builder.build(), dtype, random.normal(0, 1, (32, shape[0]))))
    layers = bench(device, data, dtype).layers
    off = {f"{layer.kernel} {layer.shape}": layer.predicted_cycles / layer.cycles - 1 for layer in layers}
    assert {name: part for name, part in off.items() if abs(part) > BOUNDS[dtype]} == {}


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_call_takes_what_is_predicted(device, dtype, scaled):
    """Behind a scaling the inputs are floats whatever the outputs are: they cost no conversion."""
    builder = GraphBuilder((8,))
    if scaled:
        builder.scaling("scaler", np.full(8, 0.5), np.full(8, 0.1))
    random = np.random.default_rng(20261124)
    builder.dense("dense", random.normal(0, 1, (16, 8)), np.zeros(16))
    graph = builder.build()
    data = pack(quantize(graph, dtype, random.normal(0, 1, (32, 8))))
    result = bench(device, data, dtype)
    assert result.predicted_us == pytest.approx(result.predict_us, rel=0.1)
