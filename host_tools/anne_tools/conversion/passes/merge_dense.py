"""Linear dense layers (PCA) multiplied into the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...layers import Dense
from ...network.graph import Graph
from ...network.layer import Layer
from .products import is_linear_product
from .rewrite import Passed, if_finite, rewrite


def merge_dense(graph: Graph) -> Passed:
    """Return the graph with linear dense layers (PCA) multiplied into the next where that saves weights."""
    return rewrite(graph, _merge_dense)


def _merge_dense(graph: Graph, first: Layer, second: Layer):
    """W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""
    if not (isinstance(first, Dense) and is_linear_product(first) and isinstance(second, Dense)):
        return None
    n_out, n_in = len(second.weights), first.weights.shape[1]
    if n_out * n_in > first.weights.size + second.weights.size:
        return None
    second_weights = second.weights.astype(np.float64)
    weights, bias = second_weights @ first.weights, second_weights @ first.bias + second.bias
    merged = replace(second, inputs=first.inputs, weights=weights, bias=bias)
    return if_finite(merged, f"{first.title}, {second.title}: multiplied into one dense layer")
