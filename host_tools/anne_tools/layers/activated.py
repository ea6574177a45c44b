"""What layers share that end in an activation."""

from __future__ import annotations

from typing import Any

from ..network.activations import DEFAULT_ALPHA
from ..network.layer import float32


def alpha_in_file(layer: Any) -> float:
    """Return what a record has as alpha of a layer with an activation: 0 for those that have none."""
    return float32(f"layer {layer.name}: alpha", layer.alpha) if layer.activation in DEFAULT_ALPHA else 0.0
