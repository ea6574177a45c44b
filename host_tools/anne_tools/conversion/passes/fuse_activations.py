"""An activation behind a layer that can have it as its own: dense, add."""

from __future__ import annotations

from dataclasses import fields, replace

from ...layers import Activation
from ...network.graph import Graph
from ...network.layer import Layer
from .rewrite import Passed, rewrite


def fuse_activations(graph: Graph) -> Passed:
    """Return the graph with each activation that follows a linear layer with an activation made part of that."""
    return rewrite(graph, _fuse_activation)


def _fuse_activation(graph: Graph, first: Layer, second: Layer):
    can_have_one = any(field.name == "activation" for field in fields(first))  # which prelu cannot
    is_linear = can_have_one and first.activation == "linear" and not isinstance(first, Activation)
    if not (is_linear and isinstance(second, Activation)):
        return None
    fused = replace(first, outputs=second.outputs, activation=second.activation, alpha=second.alpha)
    return [fused], f"{second.title} ({second.activation}): made the activation of {first.title}"
