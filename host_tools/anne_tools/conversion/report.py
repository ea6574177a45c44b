"""What a conversion did to a network: sizes, speed, and how far the integers are from the floats, layer by layer.

`compare` runs the float graph and the C core on the same samples; `Report` is plain data (`to_json`), and `text` is the
same for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from ..boards.fit import Verdict
from ..cores.core import Core
from ..cores.numbers import dequantize_output
from ..cores.packed import raw_inputs, real_outputs
from ..cores.results import NO_CLASS, classes
from ..errors import ModelError
from ..network.execute import execute, execute_in_parts, run_layer
from ..network.graph import Graph
from .answers import true_classes

# Samples whose every layer is looked at; outputs are compared for all.
TRACED_SAMPLES = 64
# Layers that a line names.
_NAMED = 3


@dataclass
class LayerReport:
    """A layer of the model file. Errors are root mean squares, relative to the range of the layer's values in floats:
    `own_error` arises in the layer itself, `error` contains what the layers before it passed on; None without samples.
    """

    name: str
    kind: str
    activation: str
    shape: str
    dtype: str
    kernel: str
    file_bytes: int
    macs: int
    cycles: float
    error: float | None = None
    own_error: float | None = None


@dataclass
class Deviation:
    """An output of the model file against that of the float network, over `n_samples`."""

    output: str
    n_samples: int
    samples: str
    largest: float
    rms: float
    output_range: float


@dataclass
class Accuracy:
    """Right answers of the float network and of the model file, in percent; confusion matrices [true][predicted].

    A sample with NaN among its outputs has no class: it is not right, and is not in the matrices.
    """

    n_samples: int
    float_percent: float
    model_percent: float
    same_answer_percent: float
    float_confusion: list[list[int]]
    model_confusion: list[list[int]]
    labels: list[str]


@dataclass
class Targets:
    """For regression: root mean square error against the true values, of the float network and of the model file."""

    n_samples: int
    float_rms: float
    model_rms: float


@dataclass
class Report:
    """All that `anne convert` tells."""

    name: str
    dtype: str
    file_bytes: int
    arena_bytes: int
    workspace_bytes: int
    layers: list[LayerReport]
    fit: Verdict
    golden_samples: int
    golden_from: str
    notes: list[str] = field(default_factory=list)
    # what should be looked at before the file is used
    warnings: list[str] = field(default_factory=list)
    deviations: list[Deviation] = field(default_factory=list)
    # by the output's name, where there are true answers for it
    accuracies: dict[str, Accuracy] = field(default_factory=dict)
    all_targets: dict[str, Targets] = field(default_factory=dict)

    @property
    def deviation(self) -> Deviation | None:
        """That of the first output, None without samples."""
        return next(iter(self.deviations), None)

    @property
    def accuracy(self) -> Accuracy | None:
        """That of the first output with classes for answers, None if there is none."""
        return next(iter(self.accuracies.values()), None)

    @property
    def targets(self) -> Targets | None:
        """Those of the first output with numbers for answers, None if there is none."""
        return next(iter(self.all_targets.values()), None)

    def to_json(self) -> dict:
        """Return the report as plain data for JSON; of several outputs the first alone has keys of its own."""
        first = {
            key: None if value is None else asdict(value)
            for key, value in (
                ("deviation", self.deviation),
                ("accuracy", self.accuracy),
                ("targets", self.targets),
            )
        }
        return {**asdict(self), **first}


def layer_reports(model: Core, verdict: Verdict) -> list[LayerReport]:
    """Return one LayerReport for each layer of a model file, without errors."""
    reports = []
    for layer, cost in zip(model.file.layers, verdict.layers, strict=True):
        shape = " -> ".join(", ".join(map(_shape, ends)) for ends in (layer.inputs, layer.outputs))
        reports.append(
            LayerReport(
                cost.name,
                layer.kind,
                layer.activation,
                shape,
                layer.outputs[0].dtype,
                layer.kernel,
                layer.nbytes,
                layer.macs,
                cost.cycles,
            )
        )
    return reports


def _shape(tensor) -> str:
    return "x".join(map(str, tensor.shape))


# --- Floats against the model file --------------------------------------------------------------------------------


def compared(
    graph: Graph, model: Core, x: np.ndarray, tell: Callable[[int, int], None] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the outputs of the float graph for x, and those of the model file."""
    return execute_in_parts(graph, x, tell), model.predict(x)


def deviations(graph: Graph, outputs: tuple[np.ndarray, np.ndarray], samples: str) -> list[Deviation]:
    """Return how far each of the model file's outputs is from the float graph's (`compared`); `samples` says for what
    samples they are."""
    exact, got = map(graph.split_outputs, outputs)
    return [
        Deviation(name, len(e), samples, float(np.abs(y - e).max()), _rms(y - e), float(np.ptp(e)))
        for name, e, y in zip(graph.output_names, exact, got, strict=True)
    ]


def trace_errors(graph: Graph, model: Core, x: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield (error, own error) of each layer, see LayerReport, of its worst output; `graph` has the layers of the model
    file, in floats."""
    x = x[:TRACED_SAMPLES]
    _, expected = execute(graph, x, trace=True)
    raw = raw_inputs(x, model.file)
    model.reset()
    traces = [model.trace(sample) for sample in raw]
    got = graph.split(real_outputs(raw, model.inputs).astype(np.float64))
    for layer, in_file in zip(graph.layers, model.file.layers, strict=True):
        alone = run_layer(graph, layer, [got[name] for name in layer.inputs])
        errors = []
        for name, tensor, y in zip(layer.outputs, in_file.outputs, alone, strict=True):
            values = np.stack([trace[tensor.index] for trace in traces])
            got[name] = dequantize_output(values, tensor).astype(np.float64)
            span = float(np.ptp(expected[name])) or 1.0
            errors.append((_rms(got[name] - expected[name]) / span, _rms(got[name] - y) / span))
        yield max(errors)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def judge(
    made: Report, graph: Graph, outputs: tuple[np.ndarray, np.ndarray], answers: dict[str, np.ndarray]
) -> None:
    """Fill in Accuracy for each output (`compared`) whose true answers name classes (see `true_classes`), Targets for
    the others."""
    (expected, got), n = map(graph.split_outputs, outputs), len(outputs[0])
    for index, name in enumerate(graph.output_names):
        if name not in answers:
            continue
        flat = [y[index].reshape(n, -1) for y in (expected, got)]
        true = true_classes(answers[name], graph, index)
        if true is None:
            y = _targets(answers[name], flat[0].shape)
            made.all_targets[name] = Targets(n, _rms(flat[0] - y), _rms(flat[1] - y))
        else:
            made.accuracies[name] = _accuracy(graph, true, *flat)


def _accuracy(graph: Graph, true: np.ndarray, flat: np.ndarray, got: np.ndarray) -> Accuracy:
    threshold = graph.metadata.threshold
    before, after = (classes(values, threshold) for values in (flat, got))
    n_classes = max(2, flat.shape[1], len(graph.metadata.labels))
    labels = (graph.metadata.labels + [str(i) for i in range(n_classes)][len(graph.metadata.labels) :])[
        :n_classes
    ]
    return Accuracy(
        len(flat),
        100 * float(np.mean(before == true)),
        100 * float(np.mean(after == true)),
        100 * float(np.mean(before == after)),
        _confusion(true, before, n_classes),
        _confusion(true, after, n_classes),
        labels,
    )


def _targets(y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """True values as the outputs have their shape. ModelError if they are no numbers, or too many or too few."""
    try:
        y = np.asarray(y, np.float64)
    except (TypeError, ValueError):
        raise ModelError("test answers: expected numbers, or one class for each sample") from None
    if y.size != shape[0] * shape[1]:
        raise ModelError(f"test answers: expected shape {shape} or class numbers, got shape {y.shape}")
    if not np.isfinite(y).all():
        raise ModelError(f"test answers: {np.count_nonzero(~np.isfinite(y))} values are NaN or infinite")
    return y.reshape(shape)


def _confusion(true: np.ndarray, predicted: np.ndarray, n_classes: int) -> list[list[int]]:
    matrix, known = np.zeros((n_classes, n_classes), int), predicted != NO_CLASS
    np.add.at(matrix, (true[known], predicted[known]), 1)
    return matrix.tolist()


# --- For people ---------------------------------------------------------------------------------------------------

COLUMNS: tuple[tuple[str, Callable[[LayerReport], str]], ...] = (
    ("layer", lambda layer: layer.name),
    ("kind", lambda layer: layer.kind),
    ("activation", lambda layer: "" if layer.activation == "linear" else layer.activation),
    ("shape", lambda layer: layer.shape),
    ("kernel", lambda layer: layer.kernel),
    ("bytes", lambda layer: str(layer.file_bytes)),
    ("MACs", lambda layer: str(layer.macs) if layer.macs else ""),
    ("cycles", lambda layer: f"{layer.cycles:.0f}"),
    ("error", lambda layer: "" if layer.error is None else f"{layer.error:.2%}"),
)


def layer_table(layers: list[LayerReport]) -> tuple[list[str], list[list[str]]]:
    """Return (column names, rows) for printing; the error column only where errors are known."""
    columns = [
        column
        for column in COLUMNS
        if column[0] != "error" or any(layer.error is not None for layer in layers)
    ]
    return [name for name, _ in columns], [[cell(layer) for _, cell in columns] for layer in layers]


def lines(report: Report) -> list[str]:
    """Return what the report says beside its table, a line each."""
    told = [f"warning: {warning}" for warning in report.warnings]
    for note, n in Counter(report.notes).items():  # torch.export calls all layers of a kind by one name
        told.append(f"note: {note}" + (f" ({n} times)" if n > 1 else ""))
    told += measured_lines(report)
    if report.golden_samples:
        told.append(f"{report.golden_samples} golden samples, outputs computed by the {report.golden_from}")
    else:
        told.append("no golden samples: there is no room for one, or none has a finite output")
    return told


def measured_lines(report: Report) -> list[str]:
    """Return how exact the model file is on the samples that were given, a line each."""
    told = []
    for d in report.deviations:
        told.append(
            f"{_of(report, d.output)}against floats, {d.n_samples} {d.samples}: largest difference {d.largest:.3g}, "
            f"rms {d.rms:.2g} (outputs span {d.output_range:.3g})"
        )
    if arises := _where_error_arises(report):
        told.append(arises)
    for output, a in report.accuracies.items():
        told.append(
            f"{_of(report, output)}accuracy on {a.n_samples} samples: {a.float_percent:.2f} % in floats, "
            f"{a.model_percent:.2f} % as {report.dtype}; {a.same_answer_percent:.2f} % the same answer"
        )
    for output, t in report.all_targets.items():
        told.append(
            f"{_of(report, output)}rms error on {t.n_samples} samples: {t.float_rms:.4g} in floats, "
            f"{t.model_rms:.4g} as {report.dtype}"
        )
    return told


def _where_error_arises(report: Report) -> str:
    """Which layers make most of the error themselves; "" for floats, and where nothing was measured."""
    found = [layer for layer in report.layers if layer.own_error]
    if report.dtype == "float32" or len(found) < _NAMED:
        return ""
    found.sort(key=lambda layer: layer.own_error, reverse=True)
    named = ", ".join(f"{layer.name} {layer.own_error:.2%}" for layer in found[:_NAMED])
    return f"error arises most in {named}: root mean square, of the range of the layer's values"


def _of(report: Report, output: str) -> str:
    """Of which output a line is, where there are several."""
    return f"{output}: " if len(report.deviations) > 1 else ""
