"""Reshapes one after another."""

from __future__ import annotations

from dataclasses import replace

from ...layers import Reshape
from ...network.graph import Graph
from ...network.layer import Layer
from .rewrite import Passed, rewrite


def merge_reshapes(graph: Graph) -> Passed:
    """Return the graph with each run of reshapes made one."""
    return rewrite(graph, _merge_reshapes)


def _merge_reshapes(graph: Graph, first: Layer, second: Layer):
    if isinstance(first, Reshape) and isinstance(second, Reshape):
        merged = replace(second, inputs=first.inputs)
        return [merged], f"{first.title}, {second.title}: made one reshape"
    return None
