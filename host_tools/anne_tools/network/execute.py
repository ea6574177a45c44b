"""A graph's forward pass in numpy: what the numbers mean before any of them is rounded to a device's type.

Calibration reads the tensors' ranges here, passes prove here that they change nothing, verify compares
against it. It computes in float64 unless told otherwise. Integer weights of a quantised file are taken at
their real values, and nothing is rounded between layers: for bit-exact integers there is anne.reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from ..errors import ModelError
from .graph import Activation, Dense, Graph, Layer, Quantization, Reshape, Scaling

_erf = np.frompyfunc(math.erf, 1, 1)


def _relu(x, alpha):
    """max(x, 0)."""
    return np.maximum(x, 0)


def _relu6(x, alpha):
    """min(max(x, 0), 6), the clipped relu of MobileNet (arXiv 1704.04861)."""
    return np.clip(x, 0, 6)


def _leaky_relu(x, alpha):
    """x above 0, alpha * x below (Maas et al., 2013)."""
    return np.where(x >= 0, x, alpha * x)


def _elu(x, alpha):
    """x above 0, alpha * (exp(x) - 1) below (arXiv 1511.07289)."""
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _sigmoid(x, alpha):
    """1 / (1 + exp(-x)); the exponent is never positive, so nothing overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _hard_sigmoid(x, alpha):
    """relu6(x + 3) / 6, as in Keras 3, PyTorch and TFLite (Keras 2 had clip(0.2 * x + 0.5, 0, 1))."""
    return np.clip(x + 3, 0, 6) / 6


def _softplus(x, alpha):
    """log(1 + exp(x)), written so that exp cannot overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _swish(x, alpha):
    """x * sigmoid(x), also called silu (arXiv 1710.05941)."""
    return x * _sigmoid(x, alpha)


def _hard_swish(x, alpha):
    """x * relu6(x + 3) / 6 (arXiv 1905.02244)."""
    return x * _hard_sigmoid(x, alpha)


def _gelu(x, alpha):
    """x * (1 + erf(x / sqrt(2))) / 2, the exact form (arXiv 1606.08415), default of Keras and PyTorch."""
    return x * (1 + _erf(x / math.sqrt(2)).astype(x.dtype)) / 2


def _softmax(x, alpha):
    """exp(x) / sum(exp(x)) over the last axis, shifted by the largest x so that exp cannot overflow."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


_ACTIVATIONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "linear": lambda x, alpha: x,
    "relu": _relu,
    "relu6": _relu6,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "sigmoid": _sigmoid,
    "hard_sigmoid": _hard_sigmoid,
    "tanh": lambda x, alpha: np.tanh(x),
    "softplus": _softplus,
    "swish": _swish,
    "hard_swish": _hard_swish,
    "gelu": _gelu,
    "softmax": _softmax,
}


def activate(activation: str, x: np.ndarray, alpha: float = 0.0) -> np.ndarray:
    """Return activation(x), same shape and float type as x. ModelError for an unknown name."""
    if activation not in _ACTIVATIONS:
        raise ModelError(f"unknown activation {activation!r}; known: {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[activation](x, alpha).astype(x.dtype, copy=False)


def execute(
    graph: Graph, x: np.ndarray | Mapping[str, np.ndarray], trace: bool = False, dtype: type = np.float64
) -> np.ndarray | tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the graph's output (n_samples, *shape); with `trace` also every tensor by name, inputs included.

    `x` is (n_samples, *shape of the input), or, for several inputs, a mapping from their names. `dtype`,
    float64 or float32, is the type of all arithmetic. For several outputs read the trace; the output returned
    is the first. ModelError if `x` has another shape than the graph's input.
    """
    values = _inputs(graph, x, dtype)
    last_reader = {layer.input: layer for layer in graph.layers}
    for layer in graph.layers:
        values[layer.output] = run_layer(graph, layer, values[layer.input])
        if not trace and last_reader[layer.input] is layer and layer.input not in graph.outputs:
            del values[layer.input]  # of many samples they would fill the memory
    output = values[graph.outputs[0]]
    return (output, values) if trace else output


def _inputs(graph: Graph, x: np.ndarray | Mapping[str, np.ndarray], dtype: type) -> dict[str, np.ndarray]:
    given = x if isinstance(x, Mapping) else {graph.inputs[0]: x}
    missing = [name for name in graph.inputs if name not in given]
    if missing:
        raise ModelError(
            f"expected values for the inputs {', '.join(graph.inputs)}; {', '.join(missing)} missing"
        )
    values = {}
    for name in graph.inputs:
        array = np.asarray(given[name], dtype)
        shape = graph.tensors[name].shape
        if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
            wanted = ", ".join(map(str, ("n_samples", *shape)))
            raise ModelError(f"input {name}: expected shape ({wanted}), got {array.shape}")
        values[name] = array
    return values


def run_layer(graph: Graph, layer: Layer, x: np.ndarray) -> np.ndarray:
    """Return the output of one layer for x (n_samples, *input shape)."""
    match layer:
        case Dense():
            weights, bias = real_weights(layer, graph.tensors[layer.input].quantization)
            y = x @ weights.T.astype(x.dtype) + bias.astype(x.dtype)
            return activate(layer.activation, y, layer.alpha)
        case Activation():
            return activate(layer.activation, x, layer.alpha)
        case Scaling():
            return x * layer.scale.astype(x.dtype) + layer.offset.astype(x.dtype)
        case Reshape():
            return x.reshape(len(x), *graph.tensors[layer.output].shape)
    raise ModelError(f"{layer.name}: cannot run a layer of kind {layer.kind}")


def real_weights(layer: Dense, input_quantization: Quantization | None) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (n_out, n_in) and bias (n_out,) as real numbers, whatever type the layer keeps them in.

    An integer bias counts in steps of the input's scale times the row's weight scale; the input's
    quantization is needed for that.
    """
    if layer.weights_quantization is None:
        return layer.weights, layer.bias
    scale = layer.weights_quantization.scale
    weights = layer.weights * scale.reshape(-1, 1)
    if not np.issubdtype(layer.bias.dtype, np.integer):
        return weights, layer.bias
    if input_quantization is None:
        raise ModelError(f"{layer.name}: integer bias, but the input {layer.input!r} has no quantization")
    return weights, layer.bias * (scale * input_quantization.scale)
