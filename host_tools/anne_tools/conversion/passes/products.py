"""Layers that multiply their inputs with weights, and what a scaling beside one becomes in these."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Scaling
from ...network.layer import Layer

# The first axis of their weights is the output's last: one unit or channel each, which has its own bias.
PRODUCTS = ("conv", "conv_transpose", "dense", "depthwise_conv")


def is_product(layer: Layer | None) -> bool:
    return layer is not None and layer.kind in PRODUCTS


def is_linear_product(layer: Layer) -> bool:
    return layer.kind in PRODUCTS and layer.activation == "linear"


def scaled_after(layer: Layer, scaling: Scaling) -> Layer:
    """The linear product with its outputs scaled: (W x + b) s + o = (diag(s) W) x + (b s + o)."""
    scale, offset = _per_feature(scaling, len(layer.bias))
    rows = scale.reshape(-1, *[1] * (layer.weights.ndim - 1))
    return replace(layer, weights=layer.weights * rows, bias=layer.bias * scale + offset)


def scaled_before(scaling: Scaling, layer: Layer, n_in: int) -> Layer | None:
    """The product that reads what the scaling reads, of `n_in` features: W (x s + o) + b = (W diag(s)) x + (W o + b).

    None where some of the weights meet padding, which has no offset, and the scaling has one.
    """
    scale, offset = _per_feature(scaling, n_in)
    if offset.any() and _sees_padding(layer):
        return None
    weights = layer.weights.astype(np.float64)
    scale, offset = (_as_weights(layer, values) for values in (scale, offset))
    bias = (weights * offset).reshape(len(weights), -1).sum(axis=1) + layer.bias
    return replace(layer, inputs=scaling.inputs, weights=weights * scale, bias=bias)


def _as_weights(layer: Layer, values: np.ndarray) -> np.ndarray:
    """One value for each input feature as one for each weight, or as what NumPy makes that of."""
    n_out = len(layer.weights)
    if layer.kind == "conv":
        return np.repeat(values.reshape(layer.groups, 1, 1, -1), n_out // layer.groups, axis=0)
    if layer.kind == "depthwise_conv":
        return np.repeat(values, n_out // len(values)).reshape(-1, 1, 1)
    return values


def _sees_padding(layer: Layer) -> bool:
    """Whether not every weight meets the input at every place: at the edges of an image."""
    if layer.kind == "dense":
        return False
    return layer.kind == "conv_transpose" or any((*layer.window.before, *layer.window.after))


def _per_feature(layer: Scaling, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset as `n` float64 values each."""
    return tuple(np.broadcast_to(np.asarray(a, np.float64), n) for a in (layer.scale, layer.offset))
