"""Ways to write a network, each made and packed, and run by the C core on some samples to see what it is worth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from anne.model_file import MAX_LAYERS

from ..boards.fit import Verdict, board_called, fit
from ..cores.local import open_core
from ..cores.results import classes
from ..data.samples import joined
from ..layers.weighted import for_chip
from ..network.activations import FUSED_FLOAT, FUSED_INTEGER
from ..network.execute import execute
from ..network.graph import Graph
from ..network.layer import Layer
from ..network.tensor import Tensor
from .answers import last_activation
from .calibration import Cut, cuts
from .correct import corrected
from .equalise import equalised
from .pack import check_limits, pack
from .passes import balance_inputs, integer_scalings, scaled_tensors, simplify
from .quantize import INTEGER_DTYPES, quantize, split_activations, split_ranges
from .scales import Spans, with_rescalings

Progress = Callable[[str, int, int], None]

# Of a framework's layers many vanish (dropout, flatten), so a network may have more than its model file.
MAX_IMPORTED_LAYERS = 4 * MAX_LAYERS
# Values between layers that a sample may compute: 60 times a Pico's RAM, and a second's work for numpy.
MAX_VALUES = 1 << 24
# The samples that are run, and, in all of them together, values that live at once and multiplications; then the
# samples with outliers.
_SAMPLES, _VALUES, _MACS = 256, 1 << 23, 1 << 30
# Tensors of the largest size that live at once, at most.
_LIVE = 4
_OUTLIERS = 64


@dataclass
class Candidate:
    """One way: the graph it was made from, the float graph with the file's layers, the same quantised, the file without
    golden samples."""

    dtype: str
    cut: Cut | None
    source: Graph
    floats: Graph
    quantized: Graph
    data: bytes
    verdict: Verdict
    notes: list[str]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Errors:
    """Root mean squares relative to the range of the network's outputs, in no sample more than that range: of typical
    samples, and of those that a cut would change (0 without any). `same` is the share of typical samples with the
    network's own answer, 1 for a network that does not tell classes."""

    typical: float
    beyond: float
    same: float


class Trial:
    """The network `imported` and the samples on which candidates are run; `cuts` are the ways to cut ranges.

    Without calibration data (n_samples, *shape) the samples are drawn at random. ModelError for a network that the
    format cannot hold, before anything is drawn or computed.
    """

    def __init__(
        self, imported: Graph, calibrate: np.ndarray | None, board: str, progress: Progress | None = None
    ):
        self.imported, self.calibrate, self.board = imported, calibrate, board
        self.folded, self.notes = simplify(imported)
        check_limits(self.folded)
        self.tell = None if progress is None else lambda done, total: progress("calibrating", done, total)
        self.cuts: list[Cut] = []
        # by the identities of what they are of, which is kept beside them
        self._known: dict[tuple[int, int], tuple[Graph, Cut | None, Any]] = {}
        self._measured: dict[tuple[int, int], tuple[Candidate, Cut | None, Errors]] = {}
        most = _most_samples(self.folded)
        if calibrate is None:
            self.typical = sample_inputs(imported, None, most)
        else:
            self.cuts = cuts(calibrate)
            self.typical = spread(calibrate[~self.cuts[-1].beyond], most)
        self.expected = execute(imported, self.typical)
        spans = [float(np.ptp(part)) or 1.0 for part in imported.split_outputs(self.expected)]
        # of each element of the outputs, where there are several
        sizes = [tensor.size for tensor in imported.output_tensors]
        self.range = spans[0] if len(spans) == 1 else np.repeat(spans, sizes)

    def make(self, dtype: str, graph: Graph, notes: list[str], cut: Cut | None) -> Candidate:
        """Return `graph`, of the same values as the network, quantised with ranges within `cut`."""
        found = None
        if dtype in INTEGER_DTYPES:
            graph, more, found = self._prepared(graph, cut)
            notes = [*notes, *more]
        quantized = quantize(graph, dtype, self.calibrate, self.tell, found)
        quantized = for_chip(quantized, board_called(self.board).chip)
        floats = split_activations(graph, FUSED_INTEGER if dtype in INTEGER_DTYPES else FUSED_FLOAT)
        floats = with_rescalings(floats, quantized)
        data = pack(quantized)
        return Candidate(dtype, cut, graph, floats, quantized, data, fit(data, self.board), list(notes))

    def _prepared(self, graph: Graph, cut: Cut | None) -> tuple[Graph, list[str], Spans]:
        """The graph as integers need it, notes, and the ranges of its values within `cut`, which every integer type
        has; found once."""
        key = id(graph), id(cut)
        if key not in self._known:
            calibrate = self.calibrate if cut is None else cut.limited(self.calibrate)
            made, notes = integer_scalings(graph)
            self._known[key] = graph, cut, (made, notes, split_ranges(made, calibrate, self.tell))
        return self._known[key][2]

    def equalised(self, way: Candidate) -> Candidate | None:
        """The same with channels of like size; None if there are none to be changed."""
        graph = equalised(way.source, self.typical)
        return None if graph is None else self.make(way.dtype, graph, way.notes, way.cut)

    def corrected(self, way: Candidate) -> Candidate:
        """The same with biases that make up for the mean of what rounding the weights changes."""
        quantized = corrected(way.quantized, way.floats, self.typical)
        return replace(way, quantized=quantized, data=pack(quantized), notes=list(way.notes))

    def scaling_apart(self, cut: Cut | None) -> tuple[Graph, list[str]] | None:
        """The simplified graph with a layer that scales the inputs, and notes: the network's own layer, or one made
        from the ranges of the inputs; None if there would be no such layer, or there is one anyway."""
        kept, notes = simplify(self.imported, fold_input_scaling=False)
        if scaled_tensors(kept):
            return (kept, notes) if len(kept.layers) > len(self.folded.layers) else None
        if self.calibrate is None or cut is None:
            return None
        x = cut.limited(self.calibrate)
        balanced = balance_inputs(self.folded, x.min(axis=0), x.max(axis=0))
        return None if balanced is None else (balanced, notes)

    def errors(self, candidate: Candidate, cut: Cut | None = None) -> Errors:
        """Return the errors of a candidate; with `cut` also of the samples beyond that. Measured once."""
        key = id(candidate), id(cut)
        if key not in self._measured:
            self._measured[key] = candidate, cut, self._measure(candidate, cut)
        return self._measured[key][2]

    def _measure(self, candidate: Candidate, cut: Cut | None) -> Errors:
        with open_core(candidate.data) as model:
            got = model.predict(self.typical)
            typical, beyond = self._error(got, self.expected), 0.0
            if cut is not None and cut.beyond.any():
                x = spread(self.calibrate[cut.beyond], _OUTLIERS)
                beyond = self._error(model.predict(x), execute(self.imported, x))
        return Errors(typical, beyond, self._same(got))

    def _error(self, got: np.ndarray, expected: np.ndarray) -> float:
        with np.errstate(invalid="ignore"):
            off = np.nan_to_num(np.abs(got - expected), nan=np.inf)
        return float(np.sqrt(np.mean(np.square(np.minimum(off / self.range, 1.0)))))

    def _same(self, got: np.ndarray) -> float:
        if not _tells_classes(self.imported):
            return 1.0
        threshold, n = self.imported.metadata.threshold, len(got)
        ours, theirs = (classes(y.reshape(n, -1), threshold) for y in (got, self.expected))
        return float(np.mean(ours == theirs))


def sample_inputs(imported: Graph, calibrate: np.ndarray | None, n: int) -> np.ndarray:
    """Return up to `n` inputs: of the calibration data, or drawn at random (seed 1) as the network's scaler expects."""
    if calibrate is not None:
        return spread(calibrate, n)
    random = np.random.default_rng(1)
    return joined([_drawn(imported, tensor, random, n) for tensor in imported.input_tensors])


def _drawn(imported: Graph, tensor: Tensor, random: np.random.Generator, n: int) -> np.ndarray:
    if tensor.dtype != "float32":
        limits = np.iinfo(tensor.dtype)
        drawn = random.integers(limits.min, limits.max, (n, *tensor.shape), tensor.dtype, endpoint=True)
        if len(imported.inputs) == 1:
            return drawn
        return (drawn.astype(np.float64) - tensor.quantization.zero_point) * tensor.quantization.scale[0]
    x = random.normal(0, 1, (n, *tensor.shape))
    for layer in imported.consumers(tensor.name):
        x = layer.expected(x)
    return x


def spread(x: np.ndarray, n: int) -> np.ndarray:
    """Return up to `n` of the samples, from the first to the last."""
    return x[np.linspace(0, len(x) - 1, min(n, len(x))).astype(int)]


def _most_samples(graph: Graph) -> int:
    sizes = [tensor.size for tensor in graph.tensors.values()]
    values = min(sum(sizes), _LIVE * max(sizes))
    macs = sum(_macs(graph, layer) for layer in graph.layers)
    return max(1, min(_SAMPLES, _VALUES // values, _MACS // max(macs, 1)))


def _macs(graph: Graph, layer: Layer) -> int:
    """How often a layer multiplies: each weight at each place of an image."""
    return layer.n_weights * math.prod(graph.tensors[layer.output].shape[:-1])


def _tells_classes(graph: Graph) -> bool:
    if len(graph.outputs) > 1:
        return False
    is_softmax = last_activation(graph, graph.outputs[0]) == "softmax"
    return bool(graph.metadata.labels) or graph.metadata.threshold is not None or is_softmax
