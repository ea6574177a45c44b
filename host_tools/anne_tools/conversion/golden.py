"""Golden samples: inputs with the outputs that they must give, in the file, for the model's self-test on the board.

They are computed by the pure-Python reference where that is quick, and the C core has to agree. They take room on the
board, so they are few where a sample is large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..boards.fit import fit
from ..cores.files import work
from ..cores.local import open_core, reference_outputs
from ..cores.packed import raw_inputs, unpacked
from ..cores.results import GOLDEN_BOUND, difference
from ..errors import ModelError
from ..network.execute import execute
from ..network.graph import Graph
from .pack import pack

MOST_SAMPLES = 4
# What they may take together: this part of the file without them, or so many bytes.
_PART, _BYTES = 1 / 16, 4096
# The reference takes some ten million steps a second on a PC; above this the golden outputs are the C core's.
_REFERENCE_STEPS = 5_000_000
# How near a float model file must be to its network, whatever cancels: this finds a wrong layer, not a coarse one.
_SAME_NETWORK = 1e-2


def with_golden(imported: Graph, graph: Graph, x: np.ndarray, board: str) -> tuple[bytes, int, str]:
    """Return (model file with golden samples, their number, which core computed them), with both cores in agreement.

    x are inputs, of which as many are taken as there is room for; none if one would keep the file from fitting the
    board. ModelError if the cores differ, or the file from the network it was made of.
    """
    plain = pack(graph)
    with open_core(plain) as model:
        tensors = model.outputs
        x = x[: _n_samples(len(plain), sum(tensor.nbytes for tensor in (*model.inputs, *tensors)))]
        inputs = raw_inputs(x, model.file)
        outputs = native = model.run_raw(inputs)
        steps = work(model.file)
    golden_from = "reference" if steps <= _REFERENCE_STEPS else model.name
    if golden_from == "reference":
        outputs = reference_outputs(plain, inputs)
        bound = float_sensitivity(imported, x)
        cores = [unpacked(raw, tensors) for raw in (outputs, native)]
        _check_outputs(graph, *cores, bound, "self-check: the reference and the C core")
    if not graph.is_quantized and not any(layer.is_quantized for layer in graph.layers):
        exact = imported.split_outputs(execute(imported, x))
        what = "self-check: the network and its model file"
        _check_outputs(graph, exact, unpacked(native, tensors), _SAME_NETWORK, what)
    good = np.ones(len(outputs), bool)
    for want, have in zip(unpacked(outputs, tensors), unpacked(native, tensors), strict=True):
        good &= [
            np.isfinite(e).all() and difference(e, g) <= GOLDEN_BOUND for e, g in zip(want, have, strict=True)
        ]
    if any(layer.keeps_state for layer in graph.layers):
        good = np.logical_and.accumulate(good)  # a stream, of which none can be left out
    inputs, outputs = inputs[good], outputs[good]
    told = {**graph.metadata.provenance, "golden outputs": f"computed by the {golden_from}"}
    with_outputs = replace(graph, metadata=replace(graph.metadata, provenance=told))
    for n in sorted({len(inputs), min(len(inputs), 1)} - {0}, reverse=True):
        data = pack(with_outputs, (inputs[:n], outputs[:n]))
        if fit(data, board).fits or not fit(plain, board).fits:
            return data, n, golden_from
    return plain, 0, golden_from


def _check_outputs(
    graph: Graph, expected: Sequence[np.ndarray], got: Sequence[np.ndarray], bound: float, what: str
) -> None:
    """ModelError if outputs are not equal, floats within `bound` of the sample's largest; `what` names both.

    Not where a layer decides between floats: of two that are nearly equal, either may be right.
    """
    decided = {
        name
        for layer in graph.layers
        if layer.decides and graph.tensors[layer.inputs[0]].is_float
        for name in layer.outputs
    }
    for tensor, title, want, have in zip(graph.outputs, graph.output_names, expected, got, strict=True):
        if tensor not in decided:
            _check_equal(want, have, bound, what if len(got) == 1 else f"{what}: {title}")


def _n_samples(file_bytes: int, sample_bytes: int) -> int:
    return max(1, min(MOST_SAMPLES, int(max(_PART * file_bytes, _BYTES)) // sample_bytes))


def float_sensitivity(graph: Graph, x: np.ndarray) -> float:
    """Return how far float32 arithmetic may lead away from exact results: GOLDEN_BOUND, or more where sums cancel.

    Measured: 16 times the difference between numpy's float32 and float64 results, relative to the largest output.
    """
    if graph.is_quantized:  # integers have no error; what is in floats behind them has a layer's or two
        return 0.0 if all(tensor.dtype != "float32" for tensor in graph.output_tensors) else GOLDEN_BOUND
    exact = execute(graph, x.astype(np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = execute(graph, x, dtype=np.float32)
    worst = max(
        difference(e, r.astype(np.float64))
        for want, have in zip(graph.split_outputs(exact), graph.split_outputs(rounded), strict=True)
        for e, r in zip(want, have, strict=True)
    )
    return max(GOLDEN_BOUND, 16 * worst) if np.isfinite(worst) else np.inf


def _check_equal(expected: np.ndarray, got: np.ndarray, bound: float, what: str) -> None:
    for index, (e, g) in enumerate(zip(expected, got, strict=True)):
        if np.isfinite(e).all() and not difference(e, g) <= (bound if e.dtype.kind == "f" else 0):
            raise ModelError(f"{what} differ: sample {index}: {e.ravel()[:8]} and {g.ravel()[:8]}")
