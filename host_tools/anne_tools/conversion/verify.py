"""The same samples through every implementation, side by side: where they differ, and by how much.

    source framework | float graph | reference | C core on this computer | Pico

Neighbours are compared. Integers must be equal from the reference on, and from an int8 .tflite on; floats agree
within a bound. The step from the float graph to integers is quantisation: its root mean square must be within the
type's limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from anne.model_file import ModelFile
from anne.reference_model import MAX_STEPS

from ..boards.fit import fit
from ..cores.core import Core
from ..cores.files import golden_samples, work
from ..cores.local import open_core, reference_outputs
from ..cores.numbers import dequantize_output, quantize_input
from ..cores.packed import raw_inputs, real_inputs, real_outputs, unpacked
from ..cores.results import classes, difference
from ..data.samples import joined
from ..errors import ModelError
from ..layers import room
from ..network.execute import execute
from ..network.graph import Graph, Metadata
from .convert import import_source
from .frameworks import NotInstalledError, as_here, as_in_source, framework_outputs
from .golden import float_sensitivity
from .layer_errors import LayerError, layer_errors
from .quantize import INTEGER_DTYPES

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
    output: str = ""  # which, where there are several
    # of quantisation, told with the first output: the errors of the layers, in their order
    layers: list[LayerError] = field(default_factory=list)

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
    with open_core(data) as model:
        graph = None if source is None else _load(source, model, options)
        x = _samples(data, model, graph, x)[: max(1, _NATIVE_STEPS // work(model.file))]
        comparisons = [] if graph is None else _against_source(source, graph, model, x, limit, options)
        comparisons.append(_reference_and_native(data, model, graph, x))
        if elsewhere is not None:
            comparisons.append(_native_and_elsewhere(data, model, elsewhere, x, progress))
    return comparisons


def _load(source: Any, model: Core, options: dict) -> Graph:
    graph = import_source(source, **options)
    for what, ours, theirs in (
        ("input", graph.input_tensors, model.inputs),
        ("output", graph.output_tensors, model.outputs),
    ):
        expected, got = ([tuple(tensor.shape) for tensor in tensors] for tensors in (ours, theirs))
        if expected != got:
            s = "s" if len(expected) + len(got) > 2 else ""
            shown = (", ".join(map(str, shapes)) for shapes in (expected, got))
            raise ModelError("{}{} of the model file: expected {}, got {}".format(what, s, *shown))
    return graph


def _samples(data: bytes, model: Core, graph: Graph | None, x: np.ndarray | None) -> np.ndarray:
    """Real numbers, (n, *input shape), of several inputs joined."""
    if x is not None:
        return real_inputs(x, model.file)
    n_drawn = min(SAMPLES, max(1, _DRAWN_VALUES // sum(tensor.size for tensor in model.inputs)))
    if "golden_inputs" in model.file.metadata:
        golden = real_outputs(golden_samples(model.file)[0], model.inputs).astype(np.float64)
        if graph is None:
            return golden
        # between two golden ones each: like what the network is used for, and nothing beyond what it was calibrated for
        random = np.random.default_rng(1)
        ends = golden[random.integers(0, len(golden), (2, n_drawn))]
        part = random.uniform(0, 1, (n_drawn, *[1] * (golden.ndim - 1)))
        return ends[0] + part * (ends[1] - ends[0])
    random = np.random.default_rng(1)
    return joined([random.normal(0, 1, (n_drawn, *tensor.shape)) for tensor in model.inputs])


# --- Pairs ----------------------------------------------------------------------------------------------------------


def _against_source(
    source: Any, graph: Graph, model: Core, x: np.ndarray, limit: float | None, options: dict
) -> list[Comparison]:
    """The source framework and the float graph; for an int8 file the framework's integers and the model's."""
    exact = graph.split_outputs(execute(graph, x))
    native = unpacked(model.run_raw(raw_inputs(x, model.file)), model.outputs)
    sensitivity = float_sensitivity(graph, x)
    near = [
        _against_floats(graph, model, *pair, limit, sensitivity)
        for pair in zip(exact, native, model.outputs, strict=True)
    ]
    if type_of(model.file) in INTEGER_DTYPES and not graph.is_quantized:
        near[0] = replace(near[0], layers=layer_errors(graph, model, x))
    near = _named(near, graph)
    try:
        picked = {name: options[name] for name in ("trust_pickle", "network") if name in options}
        given = as_in_source(graph, list(graph.split(x).values()))
        framework, outputs = framework_outputs(source, given, model.inputs, **picked)
    except NotInstalledError as error:
        return [Comparison("source framework", "float graph", skipped=str(error)), *near]
    outputs = (
        outputs[: len(exact)] if len(exact) == 1 else outputs
    )  # as of a classifier that tells two things
    if len(outputs) != len(exact):
        raise ModelError(f"{framework}: expected {len(exact)} outputs, got {len(outputs)}")
    outputs = as_here(graph, outputs)
    # where the importer has noted that it reads something otherwise, a difference is told, not judged
    noted = "notes" in graph.metadata.provenance
    bound = None if noted else max(FRAMEWORK_BOUND, sensitivity)
    compared = []
    for answers, floats, raw, tensor in zip(outputs, exact, native, model.outputs, strict=True):
        if graph.is_quantized:
            compared.append(
                _against_integers(framework, model.name, answers.reshape(raw.shape), raw, tensor, noted)
            )
        else:
            answers = answers.reshape(floats.shape).astype(np.float64)
            compared.append(_compare(framework, "float graph", floats, answers, bound))
    return [*_named(compared, graph), *near]


def _against_floats(
    graph: Graph,
    model: Core,
    exact: np.ndarray,
    raw: np.ndarray,
    tensor: Any,
    limit: float | None,
    bound: float,
) -> Comparison:
    """The float graph and the core here, of one output."""
    real = dequantize_output(raw, tensor).astype(np.float64)
    dtype = type_of(model.file)
    if dtype == "float32":
        return _compare("float graph", model.name, exact, real, bound)
    # a source of integers has no floats to be judged by: its own framework is the measure
    limit = None if graph.is_quantized else limit or RMS_LIMITS[dtype]
    return _quantisation(exact, real, limit, model.name, graph.metadata)


def _against_integers(
    name: str, core: str, answers: np.ndarray, raw: np.ndarray, tensor: Any, noted: bool
) -> Comparison:
    """The framework and the core here, of one output of a quantised source."""
    if noted and answers.dtype.kind == "f":
        return _compare(name, core, quantize_input(answers, tensor), raw)
    ours = raw if answers.dtype == raw.dtype else dequantize_output(raw, tensor).astype(np.float64)
    return _compare(name, core, answers, ours, None if noted else 0.0)


def _named(compared: list[Comparison], graph: Graph) -> list[Comparison]:
    """Comparisons of each output, which are told apart by its name where there are several."""
    names = graph.output_names if len(compared) > 1 else [""]
    return [replace(one, output=name) for one, name in zip(compared, names, strict=True)]


def type_of(file: ModelFile) -> str:
    """Return the type a model file was converted to, by the weights of its layers and the values between them."""
    types = {room(layer.kind).written_as(layer) for layer in file.layers}
    for dtype in ("int4", "int8", "int16", "int8-weights"):
        if dtype in types:
            return dtype
    return next((tensor.dtype for tensor in file.tensors if tensor.dtype != "float32"), "float32")


def _quantisation(
    exact: np.ndarray, real: np.ndarray, rms_bound: float | None, core: str, metadata: Metadata
) -> Comparison:
    """What integers made of the outputs: differences as parts of the range of the float outputs, and answers."""
    span = float(np.ptp(exact)) or float(np.abs(exact).max()) or 1.0
    off = (real - exact) / span
    compared = Comparison(
        "float graph",
        core,
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


def _reference_and_native(data: bytes, model: Core, graph: Graph | None, x: np.ndarray) -> Comparison:
    if model.name != "C core":
        return Comparison("reference", "C core", skipped="no C core here")
    steps = work(model.file)
    if steps > MAX_STEPS:
        reason = f"a sample takes {steps} steps, more than the {MAX_STEPS} that plain Python is given"
        return Comparison("reference", "C core", skipped=reason)
    inputs = raw_inputs(x[: _REFERENCE_STEPS // steps], model.file)
    bound = float_sensitivity(graph, x) if graph is not None else FRAMEWORK_BOUND
    return _worst("reference", "C core", model, reference_outputs(data, inputs), model.run_raw(inputs), bound)


def _native_and_elsewhere(
    data: bytes, model: Core, elsewhere: Elsewhere, x: np.ndarray, progress: Progress | None
) -> Comparison:
    x = x[: max(1, int(_DEVICE_MS / (fit(data, "pico").elapsed_ms or _DEVICE_MS)))]
    tell = (
        None if progress is None else lambda done, total: progress(f"runs on {elsewhere.name}", done, total)
    )
    outputs = elsewhere.run(data, x, tell)
    native = model.run_raw(raw_inputs(x, model.file))
    return _worst(model.name, elsewhere.name, model, native, outputs, FRAMEWORK_BOUND)


def _worst(first: str, second: str, model: Core, a: np.ndarray, b: np.ndarray, bound: float) -> Comparison:
    """The comparison of raw outputs, of several the one that is worst."""
    pairs = zip(unpacked(a, model.outputs), unpacked(b, model.outputs), strict=True)
    compared = [_compare(first, second, *pair, bound) for pair in pairs]
    return next((one for one in compared if not one.good), max(compared, key=lambda one: one.largest))


def _compare(first: str, second: str, a: np.ndarray, b: np.ndarray, bound: float | None = None) -> Comparison:
    is_float = a.dtype.kind == "f"
    worst = max(difference(e, g) for e, g in zip(a, b, strict=True))
    if bound is not None and not is_float:
        bound = 0.0
    return Comparison(first, second, len(a), worst, "relative" if is_float else "steps", bound)
