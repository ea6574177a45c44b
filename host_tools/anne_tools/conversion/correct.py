"""Biases that make up for what rounded weights shift (Nagel et al., arXiv 1906.04721, "Bias correction").

Rounding changes the sums of a unit not only up and down: as its inputs have a mean, so has the error. That part is
known once the network has run on typical samples, and the bias takes it back. Layer by layer, since each sees what
those before it make of their integers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from anne.layouts.rows import MAX_BIAS

from ..network.activations import activate
from ..network.execute import run_layer
from ..network.graph import Graph
from ..network.layer import Layer
from ..network.tensor import Tensor


def corrected(quantized: Graph, floats: Graph, x: np.ndarray) -> Graph:
    """Return the network of integers with biases such that on x (n, *shape) the mean of each unit is that of `floats`.

    `floats` has the same layers. Where a bias would leave its range it stays.
    """
    result = quantized.copy()
    result.layers = []
    exact = {name: array.astype(np.float64) for name, array in floats.split(x).items()}
    got = {name: _rounded(array, quantized.tensors[name]) for name, array in exact.items()}
    last = {name: index for index, layer in enumerate(floats.layers) for name in layer.inputs}
    for index, (layer, like) in enumerate(zip(quantized.layers, floats.layers, strict=True)):
        corrects = _has_integer_bias(layer)
        alone, alone_like = (_linear(layer), _linear(like)) if corrects else (layer, like)
        mine = run_layer(quantized, alone, [got[name] for name in layer.inputs])
        right = run_layer(floats, alone_like, [exact[name] for name in like.inputs])
        if corrects:
            axes = tuple(range(mine[0].ndim - 1))
            layer, taken_back = _shifted(
                layer, quantized.tensors[layer.input], (mine[0] - right[0]).mean(axis=axes)
            )
            mine = [activate(layer.activation, mine[0] - taken_back, layer.alpha)]
            right = [activate(layer.activation, right[0], layer.alpha)]
        result.layers.append(layer)
        for name, y, z in zip(layer.outputs, mine, right, strict=True):
            got[name], exact[name] = _rounded(y, quantized.tensors[name]), z
        for name in {name for name in layer.inputs if last.get(name, index) <= index}:
            got.pop(name, None), exact.pop(name, None)
    return result


def _has_integer_bias(layer: Layer) -> bool:
    bias = getattr(layer, "bias", None)
    return bias is not None and layer.is_quantized and np.issubdtype(bias.dtype, np.integer)


def _linear(layer: Layer) -> Layer:
    return replace(layer, activation="linear", alpha=0.0)


def _shifted(layer: Layer, source: Tensor, shift: np.ndarray) -> tuple[Layer, np.ndarray]:
    """The layer with that less in its bias, as far as integers can; and what that is in real numbers."""
    step = layer.weights_quantization.scale * source.quantization.scale
    less = np.rint(shift / step)
    heaviest = 128 * np.abs(layer.weights.astype(np.int64)).reshape(len(layer.bias), -1).sum(axis=1)
    fits = np.abs(layer.bias - less) + heaviest <= MAX_BIAS  # once the zero point is in it
    less = np.where(fits, less, 0).astype(np.int32)
    return replace(layer, bias=layer.bias - less), less * step


def _rounded(x: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Real numbers as the integers of a tensor can have them."""
    if tensor.quantization is None:
        return x
    scale, zero_point = float(tensor.quantization.scale[0]), tensor.quantization.zero_point
    limits = np.iinfo(tensor.dtype)
    return (np.clip(np.rint(x / scale) + zero_point, limits.min, limits.max) - zero_point) * scale
