"""The same samples through every implementation, side by side: where they differ, and by how much.

    source framework | float graph | reference | C core on this computer | Pico

Neighbours are compared. Integers must be equal from the reference on, and from an int8 .tflite on; floats agree
within a bound. The step from the float graph to integers is quantisation: its root mean square must be within the
type's limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from anne.model_file import ModelFile
from anne.reference_model import MAX_STEPS

from ..boards.fit import fit
from ..cores.files import golden_samples, open_model, work
from ..cores.local import reference_outputs
from ..cores.native import NativeModel, dequantize_output, quantize_input, real_samples
from ..cores.results import classes, difference
from ..data.samples import as_samples
from ..errors import ModelError
from ..network.execute import execute
from ..network.graph import INPUT_TYPE, Graph, Metadata
from .convert import import_source
from .frameworks import NotInstalledError, framework_outputs
from .golden import float_sensitivity

Progress = Callable[[str, int, int], None]

# Frameworks compute in float32, in an order of their own.
FRAMEWORK_BOUND = 1e-5
# What quantisation may do: the root mean square of the difference, as part of the range of the float outputs. Three to
# four times the most seen in trained networks of examples/ (0.12 %, 0.17 %, 0.6 %); four bits took 0.8 to 2.5 %
# there, and 11 % in one that lost accuracy.
RMS_LIMITS = {"int16": 0.005, "int8-weights": 0.0075, "int8": 0.02, "int4": 0.05}
SAMPLES = 100
# What the implementations are given for all samples, in steps (`files.work`), and milliseconds of a Pico.
_REFERENCE_STEPS = 40_000_000
_NATIVE_STEPS = 2_000_000_000
_DEVICE_MS = 1000.0
# Values of the samples that are drawn, all together.
_DRAWN_VALUES = 1 << 24


def percent(part: float) -> str:
    """Return a part of one in percent, with two digits that count."""
    return f"{100 * part:.2g} %"


@dataclass
class Comparison:
    """Two implementations on the same samples: the largest difference, in integer steps or relative to the largest
    output of a sample; `bound` None: told, not judged. For quantisation `largest` and `rms` are parts of the range of
    the outputs, and `rms` is judged by `rms_bound`; `same_answer_percent` counts the samples with the same class.
    `skipped` says why there was nothing to compare."""

    first: str
    second: str
    n_samples: int = 0
    largest: float = 0.0
    unit: str = ""
    bound: float | None = None
    skipped: str = ""
    rms: float | None = None
    rms_bound: float | None = None
    same_answer_percent: float | None = None

    @property
    def good(self) -> bool:
        """False if the difference is larger than allowed."""
        if self.skipped:
            return True
        largest_good = self.bound is None or self.largest <= self.bound
        return largest_good and (self.rms_bound is None or self.rms <= self.rms_bound)

    @property
    def difference(self) -> str:
        """What is judged, in words: the largest difference, or of quantisation the root mean square."""
        return (
            f"{self.largest:.2g} {self.unit}" if self.rms is None else f"{percent(self.rms)} rms of the range"
        )

    @property
    def allowed(self) -> str:
        """What the difference may be, in words."""
        if self.rms_bound is not None:
            return f"{percent(self.rms_bound)} rms"
        return "(told only)" if self.bound is None else "none" if self.bound == 0 else f"{self.bound:.1e}"

    def to_json(self) -> dict:
        """Return the comparison as plain data for JSON."""
        return {**asdict(self), "good": self.good}


@dataclass(frozen=True)
class Elsewhere:
    """Where else a model file is run: what that is called, and what runs it there.

    `run` returns the raw outputs of a model file for real inputs; its third argument is told how far it is.
    """

    name: str
    run: Callable[[bytes, np.ndarray, Callable[[int, int], None] | None], np.ndarray]


def verify(
    data: bytes,
    source: Any = None,
    x: np.ndarray | None = None,
    elsewhere: Elsewhere | None = None,
    progress: Progress | None = None,
    limit: float | None = None,
    **options: Any,
) -> list[Comparison]:
    """Return the comparisons for the model file `data`, in the order of the data's way to the Pico.

    `source` is what it was made from (a path or an object; `options` are the importers'); x are real numbers, by
    default the golden samples, or with a source some between them; only as many are used as take seconds. `elsewhere`
    is asked, too. `limit` is what quantisation may do, instead of RMS_LIMITS. ModelError for a damaged file, or x or a
    source that does not fit it.
    """
    with NativeModel(data) as model:
        graph = None if source is None else _load(source, model, options)
        x = _samples(data, model, graph, x)[: max(1, _NATIVE_STEPS // work(model.file))]
        comparisons = [] if graph is None else _against_source(source, graph, model, x, limit, options)
        comparisons.append(_reference_and_native(data, model, graph, x))
        if elsewhere is not None:
            comparisons.append(_native_and_elsewhere(data, model, elsewhere, x, progress))
    return comparisons


def _load(source: Any, model: NativeModel, options: dict) -> Graph:
    graph = import_source(source, **options)
    for what, name, tensor in (
        ("input", graph.inputs[0], model.input),
        ("output", graph.outputs[0], model.output),
    ):
        if tuple(graph.tensors[name].shape) != tuple(tensor.shape):
            raise ModelError(
                f"{what} of the model file: expected {graph.tensors[name].shape}, got {tensor.shape}"
            )
    return graph


def _samples(data: bytes, model: NativeModel, graph: Graph | None, x: np.ndarray | None) -> np.ndarray:
    """Real numbers, (n, *input shape)."""
    if x is not None:
        takes_uint8 = f"{INPUT_TYPE}: uint8" in model.file.lines("provenance")
        x = as_samples(x, model.input.shape, "x")
        return real_samples(x, model.input.dtype, model.input.scale, model.input.zero_point, takes_uint8)
    n_drawn = min(SAMPLES, max(1, _DRAWN_VALUES // model.input.size))
    if "golden_inputs" in model.file.metadata:
        golden = dequantize_output(golden_samples(open_model(data))[0], model.input).astype(np.float64)
        if graph is None:
            return golden
        # between two golden ones each: like what the network is used for, and nothing beyond what it was calibrated for
        random = np.random.default_rng(1)
        ends = golden[random.integers(0, len(golden), (2, n_drawn))]
        part = random.uniform(0, 1, (n_drawn, *[1] * (golden.ndim - 1)))
        return ends[0] + part * (ends[1] - ends[0])
    return np.random.default_rng(1).normal(0, 1, (n_drawn, *model.input.shape))


# --- Pairs ----------------------------------------------------------------------------------------------------------


def _against_source(
    source: Any, graph: Graph, model: NativeModel, x: np.ndarray, limit: float | None, options: dict
) -> list[Comparison]:
    """The source framework and the float graph; for an int8 file the framework's integers and the model's."""
    integers = graph.tensors[graph.inputs[0]].dtype != "float32"
    exact = execute(graph, x)
    native = model.run_raw(quantize_input(x, model.input))
    real = dequantize_output(native, model.output).astype(np.float64)
    dtype = type_of(model.file)
    if dtype == "float32":
        near = _compare("float graph", "C core", exact, real, float_sensitivity(graph, x))
    else:  # a source of integers has no floats to be judged by: its own framework is the measure
        near = _quantisation(exact, real, None if integers else limit or RMS_LIMITS[dtype], graph.metadata)
    try:
        picked = {name: options[name] for name in ("trust_pickle", "network") if name in options}
        name, outputs = framework_outputs(source, x, model.input, **picked)
    except NotInstalledError as error:
        return [Comparison("source framework", "float graph", skipped=str(error)), near]
    # where the importer has noted that it reads something otherwise, a difference is told, not judged
    noted = "notes" in graph.metadata.provenance
    if integers:
        outputs = outputs.reshape(native.shape)
        if noted and outputs.dtype.kind == "f":
            return [_compare(name, "C core", quantize_input(outputs, model.output), native), near]
        answers = native if outputs.dtype == native.dtype else real
        return [_compare(name, "C core", outputs, answers, None if noted else 0.0), near]
    bound = None if noted else max(FRAMEWORK_BOUND, float_sensitivity(graph, x))
    return [
        _compare(name, "float graph", exact, outputs.reshape(exact.shape).astype(np.float64), bound),
        near,
    ]


def type_of(file: ModelFile) -> str:
    """Return the type a model file was converted to, by the weights of its layers and the values between them."""
    kernels = {layer.kernel for layer in file.layers}
    for kernel, dtype in (("s4", "int4"), ("s8_quad", "int8"), ("s16", "int16"), ("s8_f32", "int8-weights")):
        if kernel in kernels:
            return dtype
    return next((tensor.dtype for tensor in file.tensors if tensor.dtype != "float32"), "float32")


def _quantisation(
    exact: np.ndarray, real: np.ndarray, rms_bound: float | None, metadata: Metadata
) -> Comparison:
    """What integers made of the outputs: differences as parts of the range of the float outputs, and answers."""
    span = float(np.ptp(exact)) or float(np.abs(exact).max()) or 1.0
    off = (real - exact) / span
    compared = Comparison(
        "float graph",
        "C core",
        len(exact),
        float(np.abs(off).max()),
        "of the range",
        rms=float(np.sqrt(np.mean(np.square(off)))),
        rms_bound=rms_bound,
    )
    before, after = (values.reshape(len(values), -1) for values in (exact, real))
    if metadata.labels or metadata.threshold is not None:
        same = classes(before, metadata.threshold) == classes(after, metadata.threshold)
        compared.same_answer_percent = 100 * float(np.mean(same))
    return compared


def _reference_and_native(data: bytes, model: NativeModel, graph: Graph | None, x: np.ndarray) -> Comparison:
    steps = work(model.file)
    if steps > MAX_STEPS:
        reason = f"a sample takes {steps} steps, more than the {MAX_STEPS} that plain Python is given"
        return Comparison("reference", "C core", skipped=reason)
    inputs = quantize_input(x[: _REFERENCE_STEPS // steps], model.input)
    bound = float_sensitivity(graph, x) if graph is not None else FRAMEWORK_BOUND
    return _compare("reference", "C core", reference_outputs(data, inputs), model.run_raw(inputs), bound)


def _native_and_elsewhere(
    data: bytes, model: NativeModel, elsewhere: Elsewhere, x: np.ndarray, progress: Progress | None
) -> Comparison:
    x = x[: max(1, int(_DEVICE_MS / (fit(data, "pico").elapsed_ms or _DEVICE_MS)))]
    tell = (
        None if progress is None else lambda done, total: progress(f"runs on {elsewhere.name}", done, total)
    )
    outputs = elsewhere.run(data, x, tell)
    return _compare(
        "C core", elsewhere.name, model.run_raw(quantize_input(x, model.input)), outputs, FRAMEWORK_BOUND
    )


def _compare(first: str, second: str, a: np.ndarray, b: np.ndarray, bound: float | None = None) -> Comparison:
    is_float = a.dtype.kind == "f"
    worst = max(difference(e, g) for e, g in zip(a, b, strict=True))
    if bound is not None and not is_float:
        bound = 0.0
    return Comparison(first, second, len(a), worst, "relative" if is_float else "steps", bound)
