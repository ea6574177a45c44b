"""AI-ANNE's own networks and plain JSON: for weights that come from no framework, or from one we do not know.

Plain JSON, from a file or as a dict in memory; what is marked (o) is optional:

    {
      "name": "iris",                                  (o)
      "features": ["SepalLength", "SepalWidth", ...],  (o) one name an input
      "labels": ["versicolor", "virginica"],           (o) one a class; two for a single output
      "threshold": 0.5,                                (o) of a single output: above it the second class;
                                                           if absent, 0.5 where there are labels or a sigmoid
      "scaling": {"mean": [...], "std": [...]},        (o) (x - mean) / std
             or  {"min": [...], "max": [...]},             (x - min) / (max - min + 1e-9), as in AI-ANNE
             or  {"scale": [...], "offset": [...]},        x * scale + offset
      "layers": [
        {
          "weights": [[0.5, -0.2, ...], ...],          one row a neuron, one number an input
          "bias": [0.1, ...],                          (o) one number a neuron; zeros if absent
          "activation": "relu",                        (o) of network/activations.py; linear if absent
          "alpha": 0.01                                (o) of leaky_relu and elu; 0.01 and 1 if absent
        }, ...
      ]
    }

Also read are the published AI-ANNE networks (`W_in_by_out` and `b` in the layers, where a row is an input;
`mean` and `std` or `x_mins` and `x_maxs` beside them; with `variants`, the activations of the first or of the one
asked for), a self-learned network's lists (`w1`, `b1`, ... and `activations`), and, by `ai_anne_program`, MicroPython
programs with the parameters that AI-ANNE's browser trainer exports.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..layers.build import GraphBuilder
from ..network.activations import DEFAULT_ALPHA
from ..network.graph import Graph, Metadata
from . import budget
from .ai_anne_program import read_program
from .choice import choose
from .keras_kinds import refuse_json

EPSILON = 1e-9  # AI-ANNE's guard against max == min
LAYER_KEYS = ("name", "n_in", "n_out", "weights", "W_in_by_out", "bias", "b", "activation", "alpha")


def read(source: Path | Mapping[str, Any], network: str | int | None = None) -> Graph:
    """Return the Graph of a JSON file, an AI-ANNE program, or a dict laid out as this module's docstring
    says.

    `network` picks one of several in a program, or one of a file's `variants`, by number or name. ModelError naming the
    layer and what was expected where something is missing, misspelt or does not fit.
    """
    found, network = _read_file(source, network) if isinstance(source, Path) else (source, network)
    refuse_json(found)
    network = _variant(found, network)
    layers = network.get("layers") or _numbered_layers(network)
    if not isinstance(layers, (list, tuple)) or not layers:
        raise ModelError("expected a list of layers under the key 'layers'")
    budget.layers(len(layers))
    weights, *_ = _layer(layers[0], 0)
    builder = GraphBuilder((weights.shape[1],))
    _add_scaling(builder, network)
    for index, layer in enumerate(layers):
        weights, bias, activation, alpha = _layer(layer, index)
        name = str(layer.get("name", f"dense_{index}"))
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which the builder refuses
            builder.dense(name, weights, bias, activation, alpha, source=name)
    return builder.build(_metadata(network, builder))


def _read_file(path: Path, network: str | int | None) -> tuple[Mapping[str, Any], str | int | None]:
    """Return what a file says, and the choice of a network that is still to be made: a program's is made here."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelError(
            f"expected text in UTF-8, got byte {error.object[error.start]:#x} at {error.start}"
        ) from error
    if path.suffix.lower() == ".py":
        return read_program(text, network), None
    return budget.parse_json(text, "the text"), network


def _variant(network: Mapping[str, Any], wanted: str | int | None) -> Mapping[str, Any]:
    """The network with the activations and the name of one of its `variants`, the first if none is wanted; itself if
    it has none."""
    if not network.get("variants"):
        choose(["the only one"], [_names(network)], wanted)
        return network
    try:
        variants = network["variants"]
        titles = [", ".join(map(str, variant["activations"][: budget.MAX_LAYERS])) for variant in variants]
        index = choose(titles, [_names(variant) for variant in variants], wanted, default=0)
        activations = [{"activation": activation} for activation in variants[index]["activations"]]
        layers = [{**layer, **own} for layer, own in zip(network["layers"], activations, strict=True)]
    except (TypeError, KeyError, IndexError, AttributeError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            "variants: expected a list of objects, with one of `activations` a layer each"
        ) from error
    return {"name": variants[index].get("name", "model"), **network, "layers": layers}


def _names(network: Mapping[str, Any]) -> list[str]:
    return [str(network["name"])[:80]] if "name" in network else []


def _numbered_layers(network: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Layers from `w1`, `b1`, `w2`, ... (or `final_w1`, ...) and `activations`; None if there are none."""
    activations = network.get("activations")
    prefix = "final_" if "final_w1" in network else ""
    if f"{prefix}w1" not in network or not isinstance(activations, (list, tuple)):
        return None
    keys = [(f"{prefix}w{number}", f"{prefix}b{number}") for number in range(1, len(activations) + 1)]
    for key in sum(keys, ()):
        if key not in network:
            raise ModelError(f"expected {key}, as there are {len(activations)} activations")
    return [
        {"weights": network[w], "bias": network[b], "activation": activation}
        for (w, b), activation in zip(keys, activations, strict=True)
    ]


def _layer(layer: Any, index: int) -> tuple[np.ndarray, np.ndarray | None, str, float]:
    """Return (weights (n_out, n_in), bias or None, activation, alpha) of one entry of `layers`."""
    where = f"layer {index}"
    if not isinstance(layer, Mapping):
        raise ModelError(
            f"{where}: expected an object with weights, bias and activation, got {type(layer).__name__}"
        )
    unknown = [str(key) for key in layer if key not in LAYER_KEYS]
    if unknown:
        raise ModelError(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(LAYER_KEYS)}")
    if "W_in_by_out" in layer:
        weights = _numbers(layer["W_in_by_out"], 2, f"{where}: W_in_by_out").T
    elif "weights" in layer:
        weights = _numbers(layer["weights"], 2, f"{where}: weights")
    else:
        raise ModelError(f"{where}: weights are missing")
    for key, size in (("n_out", weights.shape[0]), ("n_in", weights.shape[1])):
        if layer.get(key, size) != size:
            raise ModelError(f"{where}: {key} is {layer[key]}, but the weights have {size}")
    bias = layer.get("bias", layer.get("b"))
    bias = None if bias is None else _numbers(bias, 1, f"{where}: bias")
    activation = layer.get("activation", "linear")
    alpha = layer.get("alpha", DEFAULT_ALPHA.get(activation, 0.0) if isinstance(activation, str) else 0.0)
    return weights, bias, activation, float(_numbers(alpha, 0, f"{where}: alpha"))


def _add_scaling(builder: GraphBuilder, network: Mapping[str, Any]) -> None:
    """Append the scaling of the inputs, if the network has one."""
    given = network.get("scaling")
    given = {k: v for k, v in given.items() if k != "kind"} if isinstance(given, Mapping) else {}
    published = {"mean": "mean", "std": "std", "min": "x_mins", "max": "x_maxs"}
    given = {**{key: network[other] for key, other in published.items() if other in network}, **given}
    values = {key: _numbers(value, 1, f"scaling: {key}") for key, value in given.items()}
    if not values:
        return
    for key, array in values.items():
        if array.shape not in ((1,), builder.last.shape):
            raise ModelError(f"scaling: expected {builder.last.size} values of {key}, got {array.size}")
    if values.keys() == {"scale", "offset"}:
        scale, offset = values["scale"], values["offset"]
    elif values.keys() == {"mean", "std"}:
        scale, offset = _inverse("std", values["std"]), -values["mean"] * _inverse("std", values["std"])
    elif values.keys() == {"min", "max"}:
        scale = _inverse("max - min", values["max"] - values["min"] + EPSILON)
        offset = -values["min"] * scale
    else:
        raise ModelError(
            f"scaling: expected mean and std, min and max, or scale and offset; got {', '.join(values)}"
        )
    builder.scaling("scaling", scale, offset, source="input scaling")


def _inverse(what: str, values: np.ndarray) -> np.ndarray:
    if not np.all(values > 0):
        raise ModelError(f"scaling: expected {what} above 0, got {values.min()}")
    return 1 / values


def _metadata(network: Mapping[str, Any], builder: GraphBuilder) -> Metadata:
    """Names, labels and threshold; ModelError if there are not as many as inputs and outputs."""
    n_in, n_out = builder.first.size, builder.last.size
    features = _texts(network, "features", (n_in,))
    labels = _texts(network, "labels", (2,) if n_out == 1 else (n_out,))
    is_probability = getattr(builder.layers[-1], "activation", "") == "sigmoid"
    threshold = network.get("threshold", 0.5 if n_out == 1 and (labels or is_probability) else None)
    if isinstance(threshold, str):
        threshold = threshold.removeprefix(">=").strip()
    try:
        threshold = None if threshold is None else float(threshold)
    except (TypeError, ValueError):
        raise ModelError(f"threshold: expected a number, got {threshold!r}") from None
    provenance = {
        key: str(network[key]) for key in ("source", "source_repo", "dataset", "licence") if key in network
    }
    return Metadata(str(network.get("name", "model")), labels, features, provenance, threshold)


def _texts(network: Mapping[str, Any], key: str, sizes: tuple[int, ...]) -> list[str]:
    texts = network.get(key) or []
    if not isinstance(texts, (list, tuple)) or texts and len(texts) not in sizes:
        raise ModelError(f"{key}: expected a list of {sizes[0]} names, got {texts!r:.60}")
    return [str(text) for text in texts]


def _numbers(value: Any, ndim: int, what: str) -> np.ndarray:
    """Return `value` as a float64 array of `ndim` dimensions; ModelError for all else, ragged lists too."""
    kind = ("a number", "a list of numbers", "a list of equally long lists of numbers")[ndim]
    try:
        # of objects, since numpy gives every text the length of the longest
        array = value if isinstance(value, np.ndarray) else np.asarray(value, object)
    except ValueError:
        raise ModelError(f"{what}: expected {kind}, got lists of unlike length") from None
    types = set(map(type, array.flat))
    is_numbers = all(issubclass(t, (int, float, np.number)) and t is not bool for t in types)
    if not is_numbers or array.ndim != ndim or array.size == 0:
        raise ModelError(f"{what}: expected {kind}, got {value!r:.60}")
    budget.elements(what, array.shape)
    try:
        return array.astype(np.float64)
    except (OverflowError, TypeError):
        raise ModelError(
            f"{what}: expected real numbers, got one that is beyond float64 or complex"
        ) from None
