"""A graph of floats -> the same graph with integer weights, and for int8 and int16 with integer values between layers.

The scheme is TensorFlow Lite's (8-bit quantisation specification; Jacob et al., arXiv 1712.05877): weights symmetric
with a scale a row, int8 values asymmetric with one scale a tensor, int16 values symmetric. Ranges of values come from
running the float graph on calibration data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from anne.layouts import MAX_BIAS

from ..data.samples import as_samples
from ..errors import ModelError
from ..layers import tables
from ..network.execute import execute
from ..network.graph import (
    ACTIVATIONS,
    Activation,
    Dense,
    Graph,
    Layer,
    Quantization,
    Reshape,
    Scaling,
    Tensor,
)

DTYPES = ("float32", "int8", "int16", "int8-weights", "int4")
# Those with integers between layers, whose ranges come from calibration data.
INTEGER_DTYPES = ("int8", "int16", "int4")
# The activations that a dense layer computes itself (FORMAT.md, "Activations"); the others are layers of their own.
FUSED_INTEGER = ("linear", "relu", "relu6")
FUSED_FLOAT = tuple(name for name in ACTIVATIONS if name != "softmax")
# The greatest weight of each type: symmetric, so the least is its negative.
_MOST = {"int4": 7, "int8": 127, "int16": 32767}
# Of a row's largest weight, the parts that seven steps of a four-bit weight may reach up to.
_PARTS = np.linspace(0.98, 0.5, 25)
# More than a float32 loses when it is rounded.
_ROUNDED_UP = 1 + 2.0**-23
# Calibration samples at once, enough for numpy, little enough for progress to be seen; and at most so many values of
# all tensors, unless one sample has more.
_BATCH = 256
_BATCH_VALUES = 1 << 22


def quantize(
    graph: Graph,
    dtype: str,
    calibration: np.ndarray | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Graph:
    """Return `graph` with its layers in `dtype`: one of DTYPES.

    int4 is int8 with weights of four bits. int8, int16 and int4 need `calibration`, (n_samples, *input shape) of
    typical inputs; `progress(done, total)` is told how far it is. ModelError if they are missing, of another shape, or
    not finite.
    """
    if dtype not in DTYPES:
        raise ModelError(f"dtype: expected one of {', '.join(DTYPES)}, got {dtype!r}")
    if graph.is_quantized:
        if dtype not in ("float32", "int8"):
            raise ModelError(f"the model is already quantised to int8; it cannot become {dtype}")
        return graph
    if dtype == "float32":
        return split_activations(graph, FUSED_FLOAT)
    if dtype == "int8-weights":
        return _quantize_weights_only(split_activations(graph, FUSED_FLOAT))
    split = split_activations(graph, FUSED_INTEGER)
    values = "int8" if dtype == "int4" else dtype
    return _quantize_all(split, values, _MOST[dtype], ranges(split, calibration, progress))


# --- Ranges -----------------------------------------------------------------------------------------------------------


def ranges(
    graph: Graph, calibration: np.ndarray | None, progress: Callable[[int, int], None] | None = None
) -> dict[str, tuple[float, float]]:
    """Return the least and greatest value of every tensor over the calibration inputs."""
    data = check_samples(graph, calibration, "calibration data")
    found: dict[str, tuple[float, float]] = {}
    values = sum(tensor.size for tensor in graph.tensors.values())
    batch = max(1, min(_BATCH, _BATCH_VALUES // values))
    for start in range(0, len(data), batch):
        _, traced = execute(graph, data[start : start + batch], trace=True)
        for name, values in traced.items():
            least, most = found.get(name, (np.inf, -np.inf))
            found[name] = (min(least, float(values.min())), max(most, float(values.max())))
        if progress is not None:
            progress(min(start + batch, len(data)), len(data))
    return found


def check_samples(graph: Graph, samples: np.ndarray | None, what: str) -> np.ndarray:
    """Return `samples` as float64 (n, *input shape); ModelError says what is wrong with them."""
    shape = graph.tensors[graph.inputs[0]].shape
    if samples is None:
        raise ModelError(
            f"{what}: expected samples of shape {shape}, got none; give some with --calibrate x.npy"
        )
    data = as_samples(samples, shape, what).astype(np.float64)
    bad = ~(np.abs(data) <= np.finfo(np.float32).max)
    if bad.any():
        raise ModelError(
            f"{what}: {np.count_nonzero(bad)} values are NaN, infinite or beyond float32, the first in sample "
            f"{np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))[0]}; leave such samples out"
        )
    return data


def value_quantization(least: float, most: float, dtype: str) -> Quantization:
    """Return scale and zero point for values from `least` to `most`: both, and 0, are representable."""
    least, most = min(least, 0.0), max(most, 0.0)
    if dtype == "int16":
        return Quantization(np.float32(max(-least, most) / 32767 or 1.0))
    scale = np.float32((most - least) / 255 or 1.0)
    zero_point = int(np.clip(round(-128 - least / float(scale)), -128, 127))
    return Quantization(scale, zero_point)


# --- int8 weights, float values ---------------------------------------------------------------------------------------


def _quantize_weights_only(graph: Graph) -> Graph:
    result = graph.copy()
    result.layers = [
        _with_weights(layer, 127, np.int8) if isinstance(layer, Dense) else layer for layer in result.layers
    ]
    return result


def _with_weights(layer: Dense, most: int, dtype: type, least_scale: np.ndarray | float = 0.0) -> Dense:
    """The layer with integer weights, a scale a row, at least `least_scale`; its bias stays as it is.

    The largest weight of a row becomes `most`. Of four bits, that leaves little for the others: there the scale is the
    one of least squared error, and weights beyond 7 steps are limited.
    """
    weights = layer.weights.astype(np.float64)
    largest = np.abs(weights).max(axis=1)
    scale, rounded = _rounded(weights, largest / most, most, least_scale)
    for part in _PARTS if most < 127 else ():
        other, candidate = _rounded(weights, part * largest / most, most, least_scale)
        better = _squared_error(weights, other, candidate) < _squared_error(weights, scale, rounded)
        scale, rounded = np.where(better, other, scale), np.where(better[:, None], candidate, rounded)
    return replace(layer, weights=rounded.astype(dtype), weights_quantization=Quantization(scale))


def _rounded(
    weights: np.ndarray, scale: np.ndarray, most: int, least_scale: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (the scale of each row, float32, and its weights in such steps)."""
    scale = np.maximum(scale, least_scale)
    scale = np.float32(np.where(scale > 0, scale * _ROUNDED_UP, 1.0))
    return scale, np.clip(np.rint(weights / scale[:, None].astype(np.float64)), -most, most)


def _squared_error(weights: np.ndarray, scale: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    return np.square(weights - scale[:, None].astype(np.float64) * rounded).sum(axis=1)


# --- Activations ------------------------------------------------------------------------------------------------------


def split_activations(graph: Graph, fused: tuple[str, ...]) -> Graph:
    """Return the graph with every activation but the `fused` ones as a layer of its own, named layer_activation."""
    result = graph.copy()
    result.layers = []
    for layer in graph.layers:
        if not isinstance(layer, Dense) or layer.activation in fused:
            result.layers.append(layer)
            continue
        sums = f"{layer.output}:sums"
        result.tensors[sums] = replace(result.tensors[layer.output], name=sums)
        result.layers.append(replace(layer, activation="linear", alpha=0.0, output=sums))
        name = f"{layer.name}_{layer.activation}"
        result.layers.append(
            Activation(name, sums, layer.output, layer.activation, layer.alpha, source=layer.source)
        )
    return result


# --- int8, int16 ------------------------------------------------------------------------------------------------------


def _quantize_all(graph: Graph, dtype: str, most: int, found: dict[str, tuple[float, float]]) -> Graph:
    """Every value an integer; a scaling at the input stays in floats and gives integers, feature by feature."""
    result = graph.copy()
    for name in graph.inputs:
        if not any(isinstance(layer, Scaling) for layer in graph.consumers(name)):
            result.tensors[name] = _quantized(graph.tensors[name], dtype, found[name])
    result.layers = [_quantize_layer(layer, result, found, dtype, most) for layer in graph.layers]
    return result.check()


def _quantized(tensor: Tensor, dtype: str, span: tuple[float, float]) -> Tensor:
    return replace(tensor, dtype=dtype, quantization=value_quantization(*span, dtype))


def _quantize_layer(
    layer: Layer, result: Graph, found: dict[str, tuple[float, float]], dtype: str, most: int
) -> Layer:
    """The layer on integers; its output tensor in `result` becomes an integer one."""
    source, target = result.tensors[layer.input], result.tensors[layer.output]
    if isinstance(layer, Scaling) and source.dtype != "float32":
        raise ModelError(f"{layer.name}: a scaling between integer layers is not supported")
    if isinstance(layer, Reshape):
        quantized = replace(target, dtype=source.dtype, quantization=source.quantization)
    elif isinstance(layer, Activation) and layer.activation in tables.FIXED_OUTPUT:
        scale, zero_point = tables.FIXED_OUTPUT[layer.activation][dtype]
        quantized = replace(target, dtype=dtype, quantization=Quantization(scale, zero_point))
    else:
        quantized = _quantized(target, dtype, found[layer.output])
    result.tensors[layer.output] = quantized
    if not isinstance(layer, Dense):
        return layer
    step = float(source.quantization.scale[0])
    dense = _with_weights(layer, most, np.dtype(dtype).type, _least_scale(layer, step, dtype))
    dense.bias = _bias(layer, dense, step)
    return dense


def _least_scale(layer: Dense, step: float, dtype: str) -> np.ndarray:
    """The finest scale of each row's weights with which no sum leaves its range (FORMAT.md, "Kind 1, dense").

    The bias counts in units of a weight step times an input step, so weights must be coarser where it is large.
    """
    n_in = layer.weights.shape[1]
    bias = np.abs(layer.bias.astype(np.float64)) / step
    if dtype == "int8":
        # |bias| <= MAX_BIAS once the zero point, up to 128, times the sum of the weights is in it
        return bias / max(MAX_BIAS - 128 * 127 * n_in, 1 << 20)
    # 32768 sum |weights| + |bias| < 2^31; rounding adds half to each weight and to the bias
    heaviest = 32768 * np.abs(layer.weights.astype(np.float64)).sum(axis=1)
    room = (1 << 31) - 16384 * (n_in + 1)
    if room <= 0:
        raise ModelError(f"{layer.name}: {n_in} inputs are too many for int16; use int8")
    return np.maximum((heaviest + bias) / room, bias / MAX_BIAS)


def _bias(layer: Dense, dense: Dense, step: float) -> np.ndarray:
    """The bias in units of a weight step times an input step, int32."""
    return np.rint(layer.bias.astype(np.float64) / (dense.weights_quantization.scale * step)).astype(np.int32)
