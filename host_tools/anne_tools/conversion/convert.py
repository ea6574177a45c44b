"""A trained network -> a model file: import, simplify, quantise, pack, and prove that the file says what it should.

converted = convert("net.keras", calibrate=x_train[:500], test=(x_test, y_test))
converted.save("net.anne")
converted.predict(x_test)           # the Pico's answers, computed by the same C core
converted.report.accuracy
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..boards import fit
from ..cores.core import Core
from ..cores.files import open_model
from ..cores.local import open_core
from ..cores.numbers import real_samples
from ..data.files import write_atomically
from ..data.samples import listed, parted
from ..errors import ModelError
from ..importers import load
from ..network.graph import INPUT_AXES, INPUT_TYPE, OUTPUT_AXES, Graph, Metadata
from ..network.tensor import Tensor
from . import candidates, golden, notebook, report
from .candidates import Candidate
from .choose import AUTO, choose
from .pack import check_limits
from .quantize import INTEGER_DTYPES, check_samples
from .report import Report

Progress = Callable[[str, int, int], None]
Dtype = Literal["auto", "float32", "int8", "int16", "int8-weights", "int4"]
Board = Literal["pico", "pico-models", "pico2", "pico-w", "pico2-w"]
# Calibration samples that the report's errors are measured on; of test samples all are.
MOST_MEASURED = 2048


@dataclass(repr=False)
class Converted:
    """A network as a model file: its bytes, what is told about it, and its answers. At a prompt it shows its report."""

    data: bytes
    report: Report
    # the float network with the layers of the file, before any number became an integer
    graph: Graph

    def to_bytes(self) -> bytes:
        """Return the model file."""
        return self.data

    def __repr__(self) -> str:
        return notebook.text(self.report)

    def _repr_html_(self) -> str:
        return notebook.html(self.report)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file; whatever happens, `path` holds either what it held before or the whole file.

        ModelError where `path` is a file it was made from, or no file but a folder, a device or a pipe.
        """
        write_atomically(Path(path), self.data, self.graph.metadata.sources)

    def predict(self, x: Any) -> Any:
        """Return the outputs (n_samples, *shape) for x (n_samples, *shape), as the Pico computes them.

        Of several inputs x is a list of arrays in their order, or a mapping from their names; several outputs come as
        a list.
        """
        with open_core(self.data) as model:
            y = parted(model.predict(x), [tensor.shape for tensor in model.outputs], "outputs")
        return y[0] if len(y) == 1 else y


def convert(
    source: Any,
    dtype: Dtype | None = None,
    calibrate: ArrayLike | None = None,
    labels: Iterable[str] | None = None,
    feature_names: Iterable[str] | None = None,
    name: str | None = None,
    board: Board = "pico",
    trust_pickle: bool = False,
    layers: Any = None,
    input_shape: tuple[int, ...] | None = None,
    test: tuple[ArrayLike, ArrayLike] | None = None,
    progress: Progress | None = None,
    network: str | int | None = None,
) -> Converted:
    """Return `source` (a file of any importer, a model object, or a Graph) as a model file, proven and with a report.

    `dtype` is "float32", "int8", "int16", "int8-weights" (weights int8, values float32) or "int4" (weights of four
    bits, values int8). "auto", or None, tries them and takes float32 unless another is smaller or faster, and neither
    larger nor slower, with a small error; the report says what was compared. Without calibration data it is float32.
    `calibrate`, (n_samples, *input shape) of typical inputs, are what int8, int16 and int4 take the ranges of values
    from; for several inputs a dict of such by name, or a list in their order, as for `test`. Single values far beyond
    all others are left out of them, with a warning in the report, where the answers for the other samples need it.
    `labels` and `feature_names` travel in the file. `test` are inputs and true answers for the report. `progress(step,
    done, total)` is told how far a step is. `trust_pickle`, `layers`, `input_shape` and `network` are for the importers
    (importers.load).

    A scaling of the inputs (StandardScaler, Normalization) is folded into the first layer, so it costs nothing. But the
    kernels count all inputs in steps of one size, and where features have unlike ranges the small ones then lose their
    digits. Both ways are therefore tried, on the calibration data if there is some, and the scaling stays a layer of
    its own where folding makes the result's error more than twice as large, or needs a slower kernel.

    ModelError, one line, for whatever is wrong with the source or the data, and if the file's self-check fails.
    """
    imported = import_source(
        source, trust_pickle=trust_pickle, layers=layers, input_shape=input_shape, network=network
    )
    check_limits(imported, candidates.MAX_IMPORTED_LAYERS, candidates.MAX_VALUES)
    _describe(imported, labels, feature_names, name)
    if calibrate is not None:
        if progress is not None:
            progress("calibrating", 0, 0)  # a large array takes a while to be looked at
        calibrate = check_samples(imported, calibrate, "calibration data")
    test = _checked_test(imported, test)
    chosen = choose(imported, dtype or AUTO, calibrate, board, progress)
    typical = calibrate
    if calibrate is not None and chosen.cut is not None:
        typical = calibrate[~chosen.cut.beyond]
    chosen.quantized.metadata = _with_provenance(chosen)
    golden_inputs = candidates.sample_inputs(imported, typical, golden.MOST_SAMPLES)
    packed = data, *_ = golden.with_golden(imported, chosen.quantized, golden_inputs, board)
    open_model(data)  # the Python loader has to take it, too
    with open_core(data) as model:
        made = _report(imported, chosen, model, packed, board)
        _measure(made, imported, chosen.floats, model, typical, test, progress)
    return Converted(data, made, chosen.floats)


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
    metadata = graph.metadata = replace(graph.metadata)
    n_out, n_in = graph.output_tensors[0].size, sum(tensor.size for tensor in graph.input_tensors)
    if labels is not None:
        if len(graph.outputs) > 1:
            names = ", ".join(graph.output_names)
            raise ModelError(f"labels: expected a network of one output, got {len(graph.outputs)}: {names}")
        metadata.source_labels = metadata.labels
        metadata.labels = _names("labels", labels, max(n_out, 2), "classes", metadata.labels)
    if feature_names is not None:
        metadata.feature_names = _names(
            "feature names", feature_names, n_in, "features", metadata.feature_names
        )
    if name is not None:
        metadata.name = str(name)


def _names(what: str, given: Iterable[str], n: int, of: str, own: list[str]) -> list[str]:
    """What a user gives as `n` names; ModelError for another number, or the model's own in another order."""
    if isinstance(given, str | bytes | Mapping | Set) or not isinstance(
        given, Iterable
    ):  # a set has no order
        raise ModelError(f"{what}: expected a list of names, got {type(given).__name__} {str(given)[:40]!r}")
    names = [str(name) for name in given]
    if len(names) != n:
        raise ModelError(f"{what}: expected {n}, got {len(names)}")
    if names != own and sorted(names) == sorted(own):
        raise ModelError(f"{what}: the model's {of} are {', '.join(own)}, in this order")
    return names


def _with_provenance(chosen: Candidate) -> Metadata:
    """The graph's metadata with what the conversion did; no date, so that equal conversions give equal files."""
    added = {"dtype": chosen.dtype}
    if chosen.cut is not None and chosen.dtype in INTEGER_DTYPES:
        n_beyond = int(chosen.cut.beyond.sum())
        outliers = f", {n_beyond} with outliers" if n_beyond else ""
        added["calibration"] = f"{len(chosen.cut.beyond)} samples{outliers}"
    metadata = chosen.quantized.metadata
    return replace(metadata, provenance={**metadata.provenance, **added})


def _said_by_importer(graph: Graph) -> list[str]:
    """What the importer took otherwise than the file says."""
    notes = graph.metadata.provenance.get("notes")
    told = [notes] if notes else []
    for what, key, names, tensors in (
        ("input", INPUT_AXES, graph.input_names, graph.input_tensors),
        ("output", OUTPUT_AXES, graph.output_names, graph.output_tensors),
    ):
        for name, tensor, order in zip(names, tensors, graph.source_axes(key), strict=True):
            if order:
                own = what if name == what else f"{what} {name}"
                told.append(
                    f"{own}: channels last here, (n, {', '.join(map(str, tensor.shape))}); of the source's "
                    f"arrays x give x.transpose{order}"
                )
    return told


def _checked_test(
    graph: Graph, test: tuple[Any, Any] | None
) -> tuple[np.ndarray, dict[str, np.ndarray]] | None:
    """Inputs as checked samples, and the true answers of each output."""
    if test is None:
        return None
    if not isinstance(test, tuple | list) or len(test) != 2:
        raise ModelError("test: expected a pair, inputs and true answers: test=(x, y)")
    tensors = graph.input_tensors
    x = listed(test[0], [tensor.shape for tensor in tensors], graph.input_names, "test inputs")
    x = [_real(graph, array, tensor) for array, tensor in zip(x, tensors, strict=True)]
    x = check_samples(graph, x if len(x) > 1 else x[0], "test inputs")
    return x, {name: _checked_answers(y, len(x)) for name, y in _answers_by_output(graph, test[1]).items()}


def _real(graph: Graph, x: ArrayLike, tensor: Tensor) -> ArrayLike:
    if tensor.quantization is None:
        return x
    takes_uint8 = graph.metadata.provenance.get(INPUT_TYPE) == "uint8"
    step, zero_point = float(tensor.quantization.scale[0]), tensor.quantization.zero_point
    return real_samples(x, tensor.dtype, step, zero_point, takes_uint8)


def _answers_by_output(graph: Graph, y: Any) -> dict[str, ArrayLike]:
    """True answers by the output's name: of several outputs a mapping, which may leave some out, or a list of all."""
    names = graph.output_names
    if len(names) == 1 and not isinstance(y, Mapping):
        return {names[0]: y}
    if isinstance(y, Mapping):
        if unknown := [str(name) for name in y if name not in names]:
            raise ModelError(f"test answers: expected outputs {', '.join(names)}; got {', '.join(unknown)}")
        return dict(y)
    if not isinstance(y, list | tuple) or len(y) != len(names):
        raise ModelError(f"test answers: expected one array for each output: {', '.join(names)}")
    return dict(zip(names, y, strict=True))


def _checked_answers(y: ArrayLike, n: int) -> np.ndarray:
    try:
        y = np.asarray(y)
    except ValueError as error:
        raise ModelError(f"test answers: expected one for each input: {error}") from None
    if y.ndim < 1 or len(y) != n:
        raise ModelError(f"test answers: expected one for each of {n} inputs, got shape {y.shape}")
    return y


# --- The report's measurements --------------------------------------------------------------------------------------


def _report(
    imported: Graph, chosen: Candidate, model: Core, packed: tuple[bytes, int, str], board: Board
) -> Report:
    """What is told of a model file before anything is measured; `packed` is what `golden.with_golden` gave."""
    data, n_golden, golden_from = packed
    verdict = fit.fit(data, board)
    return Report(
        name=imported.metadata.name,
        dtype=chosen.dtype,
        file_bytes=len(data),
        arena_bytes=model.file.arena_bytes,
        workspace_bytes=verdict.workspace_bytes,
        layers=report.layer_reports(model, verdict),
        fit=verdict,
        golden_samples=n_golden,
        golden_from=golden_from,
        notes=[*_said_by_importer(imported), *chosen.notes],
        warnings=chosen.warnings,
    )


def _measure(
    made: Report,
    imported: Graph,
    floats: Graph,
    model: Core,
    calibrate: np.ndarray | None,
    test: tuple[np.ndarray, dict[str, np.ndarray]] | None,
    progress: Progress | None,
) -> None:
    """Fill in errors, and accuracy where there are true answers."""
    if test is not None:
        x, what = test[0], "test samples"
    elif calibrate is not None:
        # of a stream the first, which go on from one to the next
        is_stream = any(layer.keeps_state for layer in imported.layers)
        x = calibrate[:MOST_MEASURED] if is_stream else candidates.spread(calibrate, MOST_MEASURED)
        what = "calibration samples"
    else:
        return
    tell = None if progress is None else lambda done, total: progress("measuring errors", done, total)
    outputs = report.compared(imported, model, x, tell)
    made.deviations = report.deviations(imported, outputs, what)
    for layer, (error, own_error) in zip(made.layers, report.trace_errors(floats, model, x), strict=True):
        layer.error, layer.own_error = error, own_error
    if test is not None:
        report.judge(made, imported, outputs, test[1])
