"""A graph's forward pass in numpy: what the numbers mean before any of them is rounded to a device's type.

Calibration reads the tensors' ranges here, passes prove here that they change nothing, verify compares
against it. It computes in float64 unless told otherwise. Integer weights of a quantised file are taken at
their real values, and nothing is rounded between layers: for bit-exact integers there is anne.reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from .graph import Graph
from .layer import Layer

Inputs = np.ndarray | Mapping[str, np.ndarray] | Sequence[np.ndarray]


def execute(
    graph: Graph, x: Inputs, trace: bool = False, dtype: type = np.float64
) -> np.ndarray | tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the graph's output (n_samples, *shape); with `trace` also every tensor by name, inputs included.

    `x` is (n_samples, *shape of the input), or for several inputs what `Graph.split` takes. Several outputs come
    joined, (n_samples, elements of all): `Graph.split_outputs` parts them. `dtype`, float64 or float32, is the type of
    all arithmetic. ModelError if `x` has another shape than the graph's inputs.
    """
    values = {name: np.asarray(array, dtype) for name, array in graph.split(x).items()}
    last_reader = {name: layer for layer in graph.layers for name in layer.inputs}
    for layer in graph.layers:
        results = run_layer(graph, layer, [values[name] for name in layer.inputs])
        values.update(zip(layer.outputs, results, strict=True))
        for name in () if trace else set(layer.inputs):
            if last_reader[name] is layer and name not in graph.outputs:
                del values[name]  # of many samples they would fill the memory
    output = graph.join_outputs([values[name] for name in graph.outputs])
    return (output, values) if trace else output


# Samples at once, enough for numpy, little enough for progress to be seen; and at most so many values of all tensors,
# unless one sample has more.
_BATCH = 256
_BATCH_VALUES = 1 << 22


def batches(graph: Graph, n: int) -> Iterator[slice]:
    """Yield the parts in which n samples go through the graph without filling the memory."""
    batch = max(1, min(_BATCH, _BATCH_VALUES // sum(tensor.size for tensor in graph.tensors.values())))
    yield from (slice(start, min(start + batch, n)) for start in range(0, n, batch))


def execute_in_parts(
    graph: Graph, x: np.ndarray, progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """Return `execute(graph, x)` for many samples; a stream, which goes on from sample to sample, in one piece."""
    if not len(x) or any(layer.keeps_state for layer in graph.layers):
        return execute(graph, x)
    made = []
    for part in batches(graph, len(x)):
        made.append(execute(graph, x[part]))
        if progress is not None:
            progress(part.stop, len(x))
    return np.concatenate(made)


def run_layer(graph: Graph, layer: Layer, x: list[np.ndarray]) -> list[np.ndarray]:
    """Return the outputs of one layer for its inputs, (n_samples, *shape) each."""
    return layer.run(x, *graph.ends(layer))
