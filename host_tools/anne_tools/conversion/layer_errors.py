"""How far each layer's values in a model file are from those of the network it was made from.

The layers are matched by name: the network is simplified as for the conversion. What a conversion chose beyond that, a
scaling layer of its own say, has no match and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..cores.core import Core
from ..cores.files import layer_names
from ..cores.numbers import dequantize_output
from ..cores.packed import raw_inputs
from ..network.activations import FUSED_INTEGER
from ..network.execute import execute
from ..network.graph import Graph
from .passes import integer_scalings, simplify
from .quantize import split_activations

SAMPLES = 16
# Beyond which logarithm a channel's factor is no error, but was chosen (equalise.py).
_SCALED = 0.3


@dataclass
class LayerError:
    """A layer's root mean square difference, as part of the range of its values in floats, and how much more that is
    than those of the layers it reads have: what arises here."""

    name: str
    error: float
    arises: float


def layer_errors(graph: Graph, model: Core, x: np.ndarray) -> list[LayerError]:
    """Return the errors of the layers that the file of integers and the float graph share, on some of the samples x."""
    x = x[:SAMPLES]
    floats = split_activations(integer_scalings(simplify(graph)[0])[0], FUSED_INTEGER)
    _, exact = execute(floats, x, trace=True)
    expected = {layer.name: exact[layer.output] for layer in floats.layers}
    traces = [model.trace(sample) for sample in raw_inputs(x, model.file)]
    found: dict[int, float] = {}
    told = []
    for layer, name in zip(model.file.layers, layer_names(model.file), strict=True):
        before = max((found.get(tensor.index, 0.0) for tensor in layer.inputs), default=0.0)
        tensor = layer.outputs[0]
        found[tensor.index] = before
        if name in expected and expected[name].shape[1:] == tuple(tensor.shape):
            got = np.stack([trace[tensor.index] for trace in traces])
            error = _error(dequantize_output(got, tensor).astype(np.float64), expected[name])
            found[tensor.index] = error
            told.append(LayerError(name, error, max(0.0, error - before)))
    return told


def _error(got: np.ndarray, exact: np.ndarray) -> float:
    """Relative to the range; a channel that the conversion made larger or smaller is measured as it was."""
    span = float(np.ptp(exact)) or 1.0
    rows, exact_rows = got.reshape(-1, got.shape[-1]), exact.reshape(-1, exact.shape[-1])
    squares = (rows * rows).sum(axis=0)
    factors = np.divide(
        (rows * exact_rows).sum(axis=0), squares, out=np.ones(len(squares)), where=squares > 0
    )
    is_scaled = np.any((factors > 0) & (np.abs(np.log(np.maximum(factors, 1e-9))) > _SCALED))
    off = rows * (factors if is_scaled else 1.0) - exact_rows
    return float(np.sqrt(np.mean(np.square(off)))) / span
