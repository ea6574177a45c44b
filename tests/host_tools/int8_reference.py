"""A quantised graph's outputs by tflm's formulas in int64: what any backend has to give, bit for bit."""

from __future__ import annotations

import numpy as np
from anne_tools.layers import Activation, Dense, Reshape
from anne_tools.network import tflm, tflm_softmax
from anne_tools.network.graph import Graph


def run_int8(graph: Graph, x: np.ndarray) -> np.ndarray:
    """The int8 graph's output by tflm's formulas in int64: what any backend has to give. x is int8, with batch axis."""
    values = {graph.inputs[0]: x.astype(np.int64)}
    for layer in graph.layers:
        q_in, q_out = (graph.tensors[name].quantization for name in (layer.input, layer.output))
        values[layer.output] = INT8_LAYERS[type(layer)](layer, values[layer.input], q_in, q_out)
    return values[graph.outputs[0]].astype(np.int8).reshape(-1, *graph.tensors[graph.outputs[0]].shape)


def run_dense(layer, x, q_in, q_out):
    multiplier, shift = tflm.dense_multipliers(
        q_in.scale[0], layer.weights_quantization.scale, q_out.scale[0]
    )
    low, high = tflm.clamp_range(layer.activation, q_out.scale[0], q_out.zero_point)
    acc = (x - q_in.zero_point) @ layer.weights.astype(np.int64).T + layer.bias
    return np.clip(tflm.rescale(acc, multiplier, shift) + q_out.zero_point, low, high)


def run_activation(layer, x, q_in, q_out):
    if layer.activation == "softmax":
        exponentials = tflm_softmax.softmax_exponentials(q_in.scale[0])
        return np.array([tflm_softmax.softmax(row, exponentials) for row in x], np.int64)
    both = (q_in.scale[0], q_in.zero_point, q_out.scale[0], q_out.zero_point)
    tables = {
        "relu": lambda: tflm.relu_table(*both),
        "sigmoid": lambda: tflm.logistic_table(*both[:2]),
        "tanh": lambda: tflm.tanh_table(*both[:2]),
        "linear": lambda: tflm.requantize_table(*both),
    }
    return tables[layer.activation]()[x + 128].astype(np.int64)


INT8_LAYERS = {
    Dense: run_dense,
    Activation: run_activation,
    Reshape: lambda layer, x, q_in, q_out: x.reshape(len(x), -1),
}
