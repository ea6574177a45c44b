"""The same samples through every implementation, side by side: where they differ, and by how much.

    source framework | float graph | reference | C core on this computer | Pico

Neighbours are compared. Integers must be equal from the reference on, and from an int8 .tflite on; floats agree
within a bound; the step from the float graph to integers is quantisation, told, not judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .conversion import float_sensitivity, import_source
from .device import Device
from .errors import ModelError
from .execute import execute
from .fit import fit
from .frameworks import NotInstalledError, framework_outputs
from .graph import Graph
from .native import NativeModel, dequantize_output, quantize_input
from .runner import difference, golden_samples, open_model, reference_outputs, run_device

Progress = Callable[[str, int, int], None]

# Frameworks compute in float32, in an order of their own.
FRAMEWORK_BOUND = 1e-5
SAMPLES = 100
# What the slow implementations are given: multiplications in plain Python, milliseconds of a Pico.
_REFERENCE_MACS = 40_000_000
_DEVICE_MS = 1000.0


@dataclass
class Comparison:
    """Two implementations on the same samples: the largest difference, in integer steps or relative to the largest
    output of a sample. `bound` None: told, not judged. `skipped` says why there was nothing to compare."""

    first: str
    second: str
    n_samples: int = 0
    largest: float = 0.0
    unit: str = ""
    bound: float | None = None
    skipped: str = ""

    @property
    def good(self) -> bool:
        """False if the difference is larger than the bound."""
        return bool(self.skipped) or self.bound is None or self.largest <= self.bound

    def to_json(self) -> dict:
        """Return the comparison as plain data for JSON."""
        return {**asdict(self), "good": self.good}


def verify(
    data: bytes,
    source: Any = None,
    x: np.ndarray | None = None,
    device: Device | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> list[Comparison]:
    """Return the comparisons for the model file `data`, in the order of the data's way to the Pico.

    `source` is what it was made from (a path or an object; `options` are the importers'); x are real numbers, by
    default the golden samples, or with a source some around them. ModelError for a damaged file, or x or a source that
    does not fit it.
    """
    with NativeModel(data) as model:
        graph = None if source is None else _load(source, model, options)
        x = _samples(data, model, graph, x)
        comparisons = [] if graph is None else _against_source(source, graph, model, data, x, options)
        comparisons.append(_reference_and_native(data, model, graph, x))
        if device is not None:
            comparisons.append(_native_and_device(data, model, device, x, progress))
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
        return x
    if "golden_inputs" in model.file.metadata:
        golden = dequantize_output(golden_samples(open_model(data))[0], model.input).astype(np.float64)
        if graph is None:
            return golden
        # around the golden ones, so that they are like what the network is used for
        random, span = np.random.default_rng(1), np.ptp(golden, axis=0)
        picked = golden[random.integers(0, len(golden), SAMPLES)]
        return picked + random.normal(0, 0.25, picked.shape) * np.where(span > 0, span, 1.0)
    return np.random.default_rng(1).normal(0, 1, (SAMPLES, *model.input.shape))


# --- Pairs ----------------------------------------------------------------------------------------------------------


def _against_source(
    source: Any, graph: Graph, model: NativeModel, data: bytes, x: np.ndarray, options: dict
) -> list[Comparison]:
    """The source framework and the float graph; for an int8 file the framework's integers and the model's."""
    integers = graph.tensors[graph.inputs[0]].dtype != "float32"
    exact = execute(graph, x)
    native = model.run_raw(quantize_input(x, model.input))
    quantised = _compare(
        "float graph", "C core", exact, dequantize_output(native, model.output).astype(np.float64)
    )
    if model.output.dtype == "float32" and not any(layer.kernel == "s8_f32" for layer in model.file.layers):
        quantised.bound = float_sensitivity(graph, x)
    try:
        picked = {name: options[name] for name in ("trust_pickle", "network") if name in options}
        name, outputs = framework_outputs(source, x, model.input, **picked)
    except NotInstalledError as error:
        return [Comparison("source framework", "float graph", skipped=str(error)), quantised]
    if integers:
        answers = native if outputs.dtype == native.dtype else dequantize_output(native, model.output)
        return [_compare(name, "C core", outputs.reshape(native.shape), answers, 0.0), quantised]
    bound = max(FRAMEWORK_BOUND, float_sensitivity(graph, x))
    return [
        _compare(name, "float graph", exact, outputs.reshape(exact.shape).astype(np.float64), bound),
        quantised,
    ]


def _reference_and_native(data: bytes, model: NativeModel, graph: Graph | None, x: np.ndarray) -> Comparison:
    macs = sum(layer.macs for layer in model.file.layers)
    inputs = quantize_input(x[: max(1, _REFERENCE_MACS // max(macs, 1))], model.input)
    bound = float_sensitivity(graph, x) if graph is not None else FRAMEWORK_BOUND
    return _compare("reference", "C core", reference_outputs(data, inputs), model.run_raw(inputs), bound)


def _native_and_device(
    data: bytes, model: NativeModel, device: Device, x: np.ndarray, progress: Progress | None
) -> Comparison:
    x = x[: max(1, int(_DEVICE_MS / fit(data, "pico").elapsed_ms))]
    tell = None if progress is None else lambda done, total: progress(f"runs on {device.name}", done, total)
    outputs = run_device(device, data, x, tell)
    return _compare(
        "C core", device.name, model.run_raw(quantize_input(x, model.input)), outputs, FRAMEWORK_BOUND
    )


def _compare(first: str, second: str, a: np.ndarray, b: np.ndarray, bound: float | None = None) -> Comparison:
    is_float = a.dtype.kind == "f"
    worst = max(difference(e, g) for e, g in zip(a, b, strict=True))
    if bound is not None and not is_float:
        bound = 0.0
    return Comparison(first, second, len(a), worst, "relative" if is_float else "steps", bound)
