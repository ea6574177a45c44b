"""A graph of floats -> the same graph with integer weights, and for int8 and int16 with integer values between layers.

The scheme is TensorFlow Lite's (8-bit quantisation specification; Jacob et al., arXiv 1712.05877): weights symmetric
with a scale a row, int8 values asymmetric with one scale a tensor, int16 values symmetric. Ranges of values come from
running the float graph on calibration data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..data.samples import as_inputs, joined
from ..errors import ModelError
from ..layers import Activation
from ..network.activations import FUSED_FLOAT, FUSED_INTEGER
from ..network.execute import batches, execute
from ..network.graph import INPUT_AXES, Graph
from ..network.layer import Integers, Layer
from .passes import scaled_tensors
from .scales import Spans, in_floats, shared_spans, with_one_scale

DTYPES = ("float32", "int8", "int16", "int8-weights", "int4")
# Those with integers between layers, whose ranges come from calibration data.
INTEGER_DTYPES = ("int8", "int16", "int4")
# The greatest weight of each type: symmetric, so the least is its negative.
_MOST = {"int4": 7, "int8": 127, "int16": 32767}


def quantize(
    graph: Graph,
    dtype: str,
    calibration: np.ndarray | None = None,
    progress: Callable[[int, int], None] | None = None,
    found: Spans | None = None,
) -> Graph:
    """Return `graph` with its layers in `dtype`: one of DTYPES.

    int4 is int8 with weights of four bits. int8, int16 and int4 need `calibration`, (n_samples, *input shape) of
    typical inputs; `progress(done, total)` is told how far it is. `found` are the ranges that `split_ranges` gave for
    the same graph and data, if that is known. ModelError if they are missing, of another shape, or
    not finite.
    """
    if dtype not in DTYPES:
        raise ModelError(f"dtype: expected one of {', '.join(DTYPES)}, got {dtype!r}")
    if graph.is_quantized:
        if dtype not in ("float32", graph.integer_dtype):
            raise ModelError(
                f"the model is already quantised to {graph.integer_dtype}; it cannot become {dtype}: leave --dtype "
                "out, or convert the model of floats that it was made of"
            )
        return graph
    if dtype == "float32":
        return split_activations(graph, FUSED_FLOAT)
    if dtype == "int8-weights":
        return _quantize_weights_only(split_activations(graph, FUSED_FLOAT))
    split = split_activations(graph, FUSED_INTEGER)
    values = "int8" if dtype == "int4" else dtype
    return _quantize_all(split, values, _MOST[dtype], found or ranges(split, calibration, progress))


# --- Ranges -----------------------------------------------------------------------------------------------------------


def split_ranges(
    graph: Graph, calibration: np.ndarray | None, progress: Callable[[int, int], None] | None = None
) -> Spans:
    """Return the ranges that a graph has on integers, whose activations are layers of their own."""
    return ranges(split_activations(graph, FUSED_INTEGER), calibration, progress)


def ranges(
    graph: Graph, calibration: np.ndarray | None, progress: Callable[[int, int], None] | None = None
) -> dict[str, tuple[float, float]]:
    """Return the least and greatest value of every tensor over the calibration inputs, of those that are finite."""
    data = check_samples(graph, calibration, "calibration data")
    found: dict[str, tuple[float, float]] = {}
    for part in batches(graph, len(data)):
        _, traced = execute(graph, data[part], trace=True)
        for name, values in traced.items():
            least, most = found.get(name, (np.inf, -np.inf))
            if not np.isfinite([values.min(initial=0), values.max(initial=0)]).all():
                values = values[np.isfinite(values)]
            found[name] = float(values.min(initial=least)), float(values.max(initial=most))
        if progress is not None:
            progress(part.stop, len(data))
    return found


def check_samples(graph: Graph, samples: np.ndarray | None, what: str) -> np.ndarray:
    """Return `samples` as float64 (n, *input shape), of several inputs joined; ModelError says what is wrong."""
    shapes = [tensor.shape for tensor in graph.input_tensors]
    if samples is None:
        told = f"shape {shapes[0]}", "x.npy"
        if len(shapes) > 1:
            named = (f"{name} {shape}" for name, shape in zip(graph.input_names, shapes, strict=True))
            told = f"shapes {', '.join(named)}", "NAME=x.npy for each"
        raise ModelError(
            f"{what}: expected samples of {told[0]}, got none; give some with --calibrate {told[1]}"
        )
    axes = graph.source_axes(INPUT_AXES)
    data = joined(as_inputs(samples, shapes, graph.input_names, what, axes)).astype(np.float64, copy=False)
    most = np.finfo(np.float32).max
    if not -most <= data.min(initial=0) <= data.max(initial=0) <= most:
        bad = ~(np.abs(data) <= most)
        raise ModelError(
            f"{what}: {np.count_nonzero(bad)} values are NaN, infinite or beyond float32, the first in sample "
            f"{np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))[0]}; leave such samples out"
        )
    return data


# --- int8 weights, float values ---------------------------------------------------------------------------------------


def _quantize_weights_only(graph: Graph) -> Graph:
    result = graph.copy()
    result.layers = [layer.with_integer_weights() for layer in result.layers]
    return result


# --- Activations ------------------------------------------------------------------------------------------------------


def split_activations(graph: Graph, fused: tuple[str, ...]) -> Graph:
    """Return the graph with every activation but the `fused` ones as a layer of its own, named layer_activation."""
    result = graph.copy()
    result.layers = []
    for layer in graph.layers:
        activation = getattr(layer, "activation", "linear")
        if isinstance(layer, Activation) or activation in fused:
            result.layers.append(layer)
            continue
        sums = f"{layer.output}:sums"
        result.tensors[sums] = replace(result.tensors[layer.output], name=sums)
        result.layers.append(replace(layer, activation="linear", alpha=0.0, outputs=(sums,)))
        name = f"{layer.name}_{activation}"
        result.layers.append(
            Activation(name, sums, layer.output, activation, layer.alpha, source=layer.source)
        )
    return result


# --- int8, int16 ------------------------------------------------------------------------------------------------------


def _quantize_all(graph: Graph, dtype: str, most: int, found: dict[str, tuple[float, float]]) -> Graph:
    """Every value an integer; but a layer at the input that takes floats gives integers, feature by feature."""
    found = shared_spans(graph, found)
    result, floats = graph.copy(), scaled_tensors(graph)
    for name in graph.inputs:
        if name not in floats:
            result.tensors[name] = graph.tensors[name].with_range(dtype, found[name])
    result.layers = []
    for layer in graph.layers:
        result.layers += _quantize_layer(layer, result, found, dtype, most)
    return result.check()


def _quantize_layer(
    layer: Layer, result: Graph, found: dict[str, tuple[float, float]], dtype: str, most: int
) -> list[Layer]:
    """The layer on integers, behind those that rescale for it; its output tensors in `result` become integer ones."""
    sources, targets = result.ends(layer)
    if (
        not layer.takes_floats
        and not layer.keeps_values
        and any(source.dtype == "float32" for source in sources)
    ):
        raise ModelError(
            f"{layer.title}: it shares a float input of the network with a layer that scales it; scale it before both"
        )
    most = most if layer.has_four_bits else max(most, _MOST["int8"])
    into = Integers(dtype, [found[name] for name in layer.outputs], most)
    if layer.needs_floats(into):
        return in_floats(layer, result, dtype, found)
    if layer.one_scale:
        return with_one_scale(layer, result, dtype, found[layer.output])
    quantized, made = layer.quantized(sources, targets, into)
    result.tensors.update((tensor.name, tensor) for tensor in made)
    return [quantized]
