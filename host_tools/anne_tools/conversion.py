"""A trained network -> a model file: import, simplify, quantise, pack, and prove that the file says what it should.

converted = convert("net.keras", dtype="int8", calibrate=x_train[:500], test=(x_test, y_test))
converted.save("net.anne")
converted.predict(x_test)           # the Pico's answers, computed by the same C core
converted.report.accuracy
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import fit, report
from .errors import ModelError
from .execute import execute
from .files import write_atomically
from .graph import INPUT_TYPE, Dense, Graph, Metadata, Scaling
from .importers import load
from .native import NativeModel, from_source_type, quantize_input, real_samples
from .pack import pack
from .passes import balance_inputs, simplify
from .quantize import FUSED_FLOAT, FUSED_INTEGER, check_samples, quantize, split_activations
from .report import Report
from .runner import GOLDEN_BOUND, difference, reference_outputs, work
from .samples import as_samples

Progress = Callable[[str, int, int], None]

GOLDEN_SAMPLES = 4
# The reference takes some ten million steps a second on a PC; above this the golden outputs are the C core's.
_REFERENCE_STEPS = 5_000_000
# The samples on which two ways to treat the inputs are compared, and what one must gain to be worth its time.
_TRIAL_SAMPLES = 256
_WORTH_SCALING = 2.0
_NEGLIGIBLE = 3e-6
# How near a float model file must be to its network, whatever cancels: this finds a wrong layer, not a coarse one.
_SAME_NETWORK = 1e-2


@dataclass
class Converted:
    """A network as a model file: its bytes, what is told about it, and its answers."""

    data: bytes
    report: Report
    # the float network with the layers of the file, before any number became an integer
    graph: Graph
    # the file it was made from, which `save` leaves alone
    source: Path | None = None

    def to_bytes(self) -> bytes:
        """Return the model file."""
        return self.data

    def save(self, path: str | os.PathLike) -> None:
        """Write the model file; whatever happens, `path` holds either what it held before or the whole file.

        ModelError where `path` is the file it was made from, or no file but a folder, a device or a pipe.
        """
        write_atomically(Path(path), self.data, [self.source])

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs (n_samples, *shape) for x (n_samples, *shape), as the Pico computes them."""
        with NativeModel(self.data) as model:
            return model.predict(from_source_type(as_samples(x, model.input.shape, "x"), model.file))


def convert(
    source: Any,
    dtype: str = "float32",
    calibrate: np.ndarray | None = None,
    labels: Iterable[str] | None = None,
    feature_names: Iterable[str] | None = None,
    name: str | None = None,
    board: str = "pico",
    trust_pickle: bool = False,
    layers: Any = None,
    input_shape: tuple[int, ...] | None = None,
    test: tuple[np.ndarray, np.ndarray] | None = None,
    progress: Progress | None = None,
    network: str | int | None = None,
) -> Converted:
    """Return `source` (a file of any importer, a model object, or a Graph) as a model file, proven and with a report.

    `dtype` is "float32", "int8", "int16", "int8-weights" (weights int8, values float32) or "int4" (weights of
    four bits, values int8). int8, int16 and int4 need `calibrate`, (n_samples, *input shape) of typical
    inputs. `labels` and `feature_names` travel in the file. `test` are inputs and true answers for the report.
    `progress(step, done, total)` is told how far a step is. `trust_pickle`, `layers`, `input_shape` and
    `network` are for the importers (importers.load).

    A scaling of the inputs (StandardScaler, Normalization) is folded into the first layer, so it costs nothing. But the
    kernels count all inputs in steps of one size, and where features have unlike ranges the small ones then lose their
    digits. Both ways are therefore tried, on the calibration data if there is some, and the scaling stays a layer of
    its own where folding makes the result's error more than twice as large, or needs a slower kernel.

    ModelError, one line, for whatever is wrong with the source or the data, and if the file's self-check fails.
    """
    imported = import_source(
        source, trust_pickle=trust_pickle, layers=layers, input_shape=input_shape, network=network
    )
    _describe(imported, labels, feature_names, name)
    if calibrate is not None:
        calibrate = check_samples(imported, calibrate, "calibration data")
    test = _checked_test(imported, test)
    chosen = _choose(imported, dtype, calibrate, progress)
    chosen.quantized.metadata = _with_provenance(chosen.quantized, dtype, calibrate)
    golden_inputs = _sample_inputs(imported, calibrate, GOLDEN_SAMPLES)
    data, n_golden, golden_from = _with_golden(imported, chosen.quantized, golden_inputs)
    verdict = fit.fit(data, board)
    with NativeModel(data) as model:
        made = Report(
            name=imported.metadata.name,
            dtype="int8" if _is_integer(imported) else dtype,
            file_bytes=len(data),
            arena_bytes=model.file.arena_bytes,
            workspace_bytes=verdict.workspace_bytes,
            layers=report.layer_reports(model, verdict),
            fit=verdict,
            golden_samples=n_golden,
            golden_from=golden_from,
            notes=[*_said_by_importer(imported), *chosen.notes],
        )
        _measure(made, imported, chosen.floats, model, calibrate, test)
    return Converted(
        data, made, chosen.floats, Path(source) if isinstance(source, (str, os.PathLike)) else None
    )


def import_source(source: Any, **options: Any) -> Graph:
    """Return the Graph of a file or a model object; a Graph is taken as it is. `options`: see importers.load."""
    if isinstance(source, Graph):
        return source.copy().check()
    return load(source, **options)


# --- What the user says about the model ---------------------------------------------------------------------------


def _describe(
    graph: Graph, labels: Iterable[str] | None, feature_names: Iterable[str] | None, name: str | None
) -> None:
    """Put names into the graph's metadata. ModelError if there are more or fewer than the network has values."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelError(
            f"expected one input and one output, got {len(graph.inputs)} and {len(graph.outputs)}"
        )
    metadata = graph.metadata = replace(graph.metadata)
    n_out, n_in = graph.tensors[graph.outputs[0]].size, graph.tensors[graph.inputs[0]].size
    if labels is not None:
        metadata.source_labels = metadata.labels
        metadata.labels = _names("labels", labels, max(n_out, 2), "classes", metadata.labels)
    if feature_names is not None:
        metadata.feature_names = _names(
            "feature names", feature_names, n_in, "features", metadata.feature_names
        )
    if name is not None:
        metadata.name = name


def _names(what: str, given: Iterable[str], n: int, of: str, own: list[str]) -> list[str]:
    """What a user gives as `n` names; ModelError for another number, or the model's own in another order."""
    if isinstance(given, str):
        raise ModelError(f"{what}: expected a list of names, got the text {given[:40]!r}")
    names = [str(name) for name in given]
    if len(names) != n:
        raise ModelError(f"{what}: expected {n}, got {len(names)}")
    if names != own and sorted(names) == sorted(own):
        raise ModelError(f"{what}: the model's {of} are {', '.join(own)}, in this order")
    return names


def _with_provenance(graph: Graph, dtype: str, calibrate: np.ndarray | None) -> Metadata:
    """The graph's metadata with what the conversion did; no date, so that equal conversions give equal files."""
    added = {"dtype": dtype}
    if calibrate is not None and dtype in INTEGER_DTYPES:
        added["calibration"] = f"{len(calibrate)} samples"
    return replace(graph.metadata, provenance={**graph.metadata.provenance, **added})


def _said_by_importer(graph: Graph) -> list[str]:
    """What the importer took otherwise than the file says it, for the report."""
    notes = graph.metadata.provenance.get("notes")
    return [notes] if notes else []


def _checked_test(
    graph: Graph, test: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray] | None:
    if test is None:
        return None
    tensor = graph.tensors[graph.inputs[0]]
    x, y = test[0], np.asarray(test[1])
    if tensor.quantization is not None:
        takes_uint8 = graph.metadata.provenance.get(INPUT_TYPE) == "uint8"
        step, zero_point = float(tensor.quantization.scale[0]), tensor.quantization.zero_point
        x = real_samples(x, tensor.dtype, step, zero_point, takes_uint8)
    x = check_samples(graph, x, "test inputs")
    if y.ndim < 1 or len(y) != len(x):
        raise ModelError(f"test answers: expected one for each of {len(x)} inputs, got shape {y.shape}")
    return x, y


# --- Quantising -----------------------------------------------------------------------------------------------------

INTEGER_DTYPES = ("int8", "int16", "int4")


@dataclass
class _Candidate:
    """One way to treat the inputs: the float graph with the file's layers, the same quantised, what was done."""

    floats: Graph
    quantized: Graph
    notes: list[str]


def _is_integer(graph: Graph) -> bool:
    return any(tensor.dtype != "float32" for tensor in graph.tensors.values())


def _choose(
    imported: Graph, dtype: str, calibrate: np.ndarray | None, progress: Progress | None
) -> _Candidate:
    """The quantised graph: inputs scaled by the first layer's weights, or by a layer of their own if that is better."""
    folded, notes = simplify(imported)
    best = _candidate(folded, notes, dtype, calibrate, progress)
    if _is_integer(imported):
        return best
    other = _scaling_apart(imported, folded, calibrate)
    if other is None:
        return best
    other = _candidate(*other, dtype, calibrate, progress)
    trial = _sample_inputs(imported, calibrate, _TRIAL_SAMPLES)
    errors, cycles = zip(*(_trial(imported, candidate, trial) for candidate in (best, other)), strict=True)
    worse = errors[0] > max(errors[1] * _WORTH_SCALING, _NEGLIGIBLE)
    if not worse and cycles[0] <= cycles[1]:
        return best
    if not worse and errors[1] > max(errors[0] * _WORTH_SCALING, _NEGLIGIBLE):
        return best
    cost = f"error would be {errors[0]:.2g} instead of {errors[1]:.2g} of the largest output"
    if not worse:
        cost = f"layers would take {cycles[0]:.0f} cycles instead of {cycles[1]:.0f}"
    other.notes.append(
        f"inputs are scaled in a layer of their own: with the scaling in the weights the {cost}"
    )
    return other


def _candidate(
    graph: Graph, notes: list[str], dtype: str, calibrate: np.ndarray | None, progress: Progress | None
) -> _Candidate:
    tell = None if progress is None else lambda done, total: progress("calibrating", done, total)
    quantized = quantize(graph, dtype, calibrate, tell)
    floats = graph
    if not _is_integer(graph):
        floats = split_activations(graph, FUSED_INTEGER if dtype in INTEGER_DTYPES else FUSED_FLOAT)
    return _Candidate(floats, quantized, list(notes))


def _scaling_apart(
    imported: Graph, folded: Graph, calibrate: np.ndarray | None
) -> tuple[Graph, list[str]] | None:
    """The simplified graph with a layer that scales the inputs: the network's own, or one made from their ranges."""
    kept, notes = simplify(imported, fold_input_scaling=False)
    if any(isinstance(layer, Scaling) for layer in kept.consumers(kept.inputs[0])):
        return (kept, notes) if len(kept.layers) > len(folded.layers) else None
    if calibrate is None:
        return None
    balanced = balance_inputs(folded, calibrate.min(axis=0), calibrate.max(axis=0))
    return None if balanced is None else (balanced, notes)


def _trial(imported: Graph, candidate: _Candidate, x: np.ndarray) -> tuple[float, float]:
    """Root mean square error of the candidate's outputs for x, relative to the largest; and cycles on a Pico."""
    data = pack(candidate.quantized)
    with NativeModel(data) as model:
        error = report.deviation(imported, model, x, "").rms / (
            float(np.abs(execute(imported, x)).max()) or 1.0
        )
    return error, fit.fit(data, "pico").cycles


# --- Golden samples -------------------------------------------------------------------------------------------------


def _sample_inputs(imported: Graph, calibrate: np.ndarray | None, n: int) -> np.ndarray:
    """Up to `n` inputs: of the calibration data, or drawn at random (seed 1) as the network's scaler expects them."""
    if calibrate is not None:
        at = np.linspace(0, len(calibrate) - 1, min(n, len(calibrate)))
        return calibrate[at.astype(int)]
    random = np.random.default_rng(1)
    tensor = imported.tensors[imported.inputs[0]]
    if tensor.dtype != "float32":
        limits = np.iinfo(tensor.dtype)
        return random.integers(limits.min, limits.max, (n, *tensor.shape), tensor.dtype, endpoint=True)
    x = random.normal(0, 1, (n, *tensor.shape))
    first = imported.layers[0]
    if isinstance(first, Scaling):
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.where(first.scale != 0, (x - first.offset) / first.scale, 0.0)
    return x


def _with_golden(imported: Graph, graph: Graph, x: np.ndarray) -> tuple[bytes, int, str]:
    """Return (model file with golden samples, their number, which core computed them), with both cores in agreement."""
    plain = pack(graph)
    with NativeModel(plain) as model:
        inputs = quantize_input(x, model.input)
        outputs = native = model.run_raw(inputs)
        steps = work(model.file)
    golden_from = "reference" if steps <= _REFERENCE_STEPS else "C core"
    if golden_from == "reference":
        outputs = reference_outputs(plain, inputs)
        check_equal(
            outputs, native, float_sensitivity(imported, x), "self-check: the reference and the C core"
        )
    if not _is_integer(graph) and not any(
        isinstance(layer, Dense) and layer.weights_quantization for layer in graph.layers
    ):
        check_equal(execute(imported, x), native, _SAME_NETWORK, "self-check: the network and its model file")
    graph.metadata.provenance["golden outputs"] = f"computed by the {golden_from}"
    good = [
        np.isfinite(e).all() and difference(e, g) <= GOLDEN_BOUND
        for e, g in zip(outputs, native, strict=True)
    ]
    golden = (inputs[good], outputs[good]) if any(good) else None
    return pack(graph, golden), sum(good), golden_from


def float_sensitivity(graph: Graph, x: np.ndarray) -> float:
    """Return how far float32 arithmetic may lead away from exact results: GOLDEN_BOUND, or more where sums cancel.

    Measured: 16 times the difference between numpy's float32 and float64 results, relative to the largest output.
    """
    if _is_integer(graph):
        return 0.0
    exact = execute(graph, x.astype(np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = execute(graph, x, dtype=np.float32)
    worst = max(difference(e, r.astype(np.float64)) for e, r in zip(exact, rounded, strict=True))
    return max(GOLDEN_BOUND, 16 * worst) if np.isfinite(worst) else np.inf


def check_equal(expected: np.ndarray, got: np.ndarray, bound: float, what: str) -> None:
    """ModelError unless integers are equal, and floats within `bound` of the sample's largest; `what` names both."""
    for index, (e, g) in enumerate(zip(expected, got, strict=True)):
        if np.isfinite(e).all() and not difference(e, g) <= (bound if e.dtype.kind == "f" else 0):
            raise ModelError(f"{what} differ: sample {index}: {e.ravel()[:8]} and {g.ravel()[:8]}")


# --- The report's measurements --------------------------------------------------------------------------------------


def _measure(
    made: Report,
    imported: Graph,
    floats: Graph,
    model: NativeModel,
    calibrate: np.ndarray | None,
    test: tuple[np.ndarray, np.ndarray] | None,
) -> None:
    """Fill in errors, and accuracy where there are true answers."""
    if test is not None:
        x, what = test[0], "test samples"
    elif calibrate is not None:
        x, what = calibrate, "calibration samples"
    else:
        return
    made.deviation = report.deviation(imported, model, x, what)
    for layer, (error, own_error) in zip(made.layers, report.trace_errors(floats, model, x), strict=True):
        layer.error, layer.own_error = error, own_error
    if test is not None:
        made.accuracy, made.targets = report.judge(imported, model, *test)
