"""What a conversion did to a network: sizes, speed, and how far the integers are from the floats, layer by layer.

`compare` runs the float graph and the C core on the same samples; `Report` is plain data (`to_json`), and `text` is the
same for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from ..boards.fit import Verdict
from ..cores.native import NativeModel, dequantize_output, quantize_input
from ..cores.results import NO_CLASS, classes
from ..errors import ModelError
from ..network.execute import execute, run_layer
from ..network.graph import Graph
from .answers import true_classes

# Samples whose every layer is looked at; outputs are compared for all.
TRACED_SAMPLES = 64


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
    """Outputs of the model file against those of the float network, over `n_samples`."""

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
    deviation: Deviation | None = None
    accuracy: Accuracy | None = None
    targets: Targets | None = None

    def to_json(self) -> dict:
        """Return the report as plain data for JSON."""
        return asdict(self)


def layer_reports(model: NativeModel, verdict: Verdict) -> list[LayerReport]:
    """Return one LayerReport for each layer of a model file, without errors."""
    reports = []
    for layer, cost in zip(model.file.layers, verdict.layers, strict=True):
        shape = f"{_shape(layer.inputs[0])} -> {_shape(layer.outputs[0])}"
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


def deviation(graph: Graph, model: NativeModel, x: np.ndarray, samples: str) -> Deviation:
    """Return how far the model file's outputs are from the float graph's for inputs x; `samples` says what x is."""
    expected = execute(graph, x)
    difference = model.predict(x) - expected
    return Deviation(
        len(x), samples, float(np.abs(difference).max()), _rms(difference), float(np.ptp(expected))
    )


def trace_errors(graph: Graph, model: NativeModel, x: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield (error, own error) of each layer, see LayerReport; `graph` has the layers of the model file, in floats."""
    x = x[:TRACED_SAMPLES]
    _, expected = execute(graph, x, trace=True)
    raw_inputs = quantize_input(x, model.input)
    traces = [model.trace(sample) for sample in raw_inputs]
    got = {graph.inputs[0]: dequantize_output(raw_inputs.reshape(x.shape), model.input).astype(np.float64)}
    for index, (layer, packed) in enumerate(zip(graph.layers, model.file.layers, strict=True)):
        raw = np.stack([trace[index] for trace in traces])
        got[layer.output] = dequantize_output(raw, packed.outputs[0]).astype(np.float64)
        span = float(np.ptp(expected[layer.output])) or 1.0
        alone = run_layer(graph, layer, [got[name] for name in layer.inputs])[0]
        yield _rms(got[layer.output] - expected[layer.output]) / span, _rms(got[layer.output] - alone) / span


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def judge(
    graph: Graph, model: NativeModel, x: np.ndarray, y: np.ndarray
) -> tuple[Accuracy | None, Targets | None]:
    """Return Accuracy if y names classes (see `true_classes`), else Targets."""
    expected, got = execute(graph, x), model.predict(x)
    flat = expected.reshape(len(x), -1)
    true = true_classes(y, graph)
    if true is None:
        y = _targets(y, flat.shape)
        return None, Targets(len(x), _rms(flat - y), _rms(got.reshape(flat.shape) - y))
    threshold = graph.metadata.threshold
    before, after = (classes(values, threshold) for values in (flat, got.reshape(flat.shape)))
    n_classes = max(2, flat.shape[1], len(graph.metadata.labels))
    labels = (graph.metadata.labels + [str(i) for i in range(n_classes)][len(graph.metadata.labels) :])[
        :n_classes
    ]
    return Accuracy(
        len(x),
        100 * float(np.mean(before == true)),
        100 * float(np.mean(after == true)),
        100 * float(np.mean(before == after)),
        _confusion(true, before, n_classes),
        _confusion(true, after, n_classes),
        labels,
    ), None


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
    told += [f"note: {note}" for note in report.notes]
    told += measured_lines(report)
    if report.golden_samples:
        told.append(f"{report.golden_samples} golden samples, outputs computed by the {report.golden_from}")
    else:
        told.append("no golden samples: there is no room for one, or none has a finite output")
    return told


def measured_lines(report: Report) -> list[str]:
    """Return how exact the model file is on the samples that were given, a line each."""
    told = []
    if report.deviation:
        d = report.deviation
        told.append(
            f"against floats, {d.n_samples} {d.samples}: largest difference {d.largest:.3g}, rms {d.rms:.2g}"
            f" (outputs span {d.output_range:.3g})"
        )
    if report.accuracy:
        a = report.accuracy
        told.append(
            f"accuracy on {a.n_samples} samples: {a.float_percent:.2f} % in floats, {a.model_percent:.2f} % as "
            f"{report.dtype}; {a.same_answer_percent:.2f} % the same answer"
        )
    if report.targets:
        t = report.targets
        told.append(
            f"rms error on {t.n_samples} samples: {t.float_rms:.4g} in floats, {t.model_rms:.4g} as {report.dtype}"
        )
    return told
