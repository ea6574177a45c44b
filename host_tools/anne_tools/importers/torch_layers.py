"""A graph out of a state_dict and a list of layers, since weights by name do not say how they are used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from ..graph import DEFAULT_ALPHA, Graph, Metadata
from .flow import Flow, Step, label

LAYER_ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "elu", "sigmoid", "hard_sigmoid", "tanh", "softplus"),
    *("swish", "hard_swish", "gelu", "softmax"),
)
LAYER_ALIASES = {"silu": "swish", "hardswish": "hard_swish", "hardsigmoid": "hard_sigmoid"}


def state_dict_graph(arrays: dict[str, np.ndarray], layers: str | Sequence[str] | None) -> Graph:
    """Return the graph of weights by name and a list of layers, as text with commas or as a list.

    A layer is "linear:NAME" or "batch_norm:NAME" (which read NAME.weight, NAME.bias and so on), or an activation such
    as "relu" or "leaky_relu:0.2". ModelError with a proposal where `layers` is missing.
    """
    if layers is None:
        raise ModelError(
            f"a state_dict has no graph: give its layers, for instance layers={_propose(arrays)!r}"
        )
    entries = layers.split(",") if isinstance(layers, str) else list(layers)
    entries = [str(entry).strip() for entry in entries if str(entry).strip()]
    first = next((e.partition(":")[2].strip() for e in entries if e.startswith("linear:")), None)
    if first is None:
        raise ModelError(f"layers: expected at least one of linear:NAME; names in the file: {_names(arrays)}")
    flow = Flow("input", "x0", (1, _array(arrays, first, "weight", 2).shape[1]))
    for index, entry in enumerate(entries):
        word, _, parameter = (part.strip() for part in entry.partition(":"))
        step = Step(index, entry, parameter or f"{word}_{index}", f"x{index + 1}")
        _state_dict_layer(flow, arrays, step, f"x{index}", word, parameter)
    return flow.graph(
        f"x{len(entries)}", Metadata(provenance={"format": "state_dict", "layers": ", ".join(entries)})
    )


def _state_dict_layer(flow: Flow, arrays: dict, step: Step, key: str, word: str, parameter: str) -> None:
    word = LAYER_ALIASES.get(word, word)
    if word == "linear":
        weights = _array(arrays, parameter, "weight", 2)
        bias = _array(arrays, parameter, "bias", 1) if f"{parameter}.bias" in arrays else None
        flow.dense(step, key, weights, bias)
    elif word == "batch_norm":
        mean, variance = (_array(arrays, parameter, name, 1) for name in ("running_mean", "running_var"))
        weight, bias = (arrays.get(f"{parameter}.{name}") for name in ("weight", "bias"))
        flow.batch_norm(step, key, weight, bias, mean, variance, 1e-5)
    elif word == "softmax":
        flow.softmax(step, key, -1)
    elif word in LAYER_ACTIVATIONS:
        flow.activation(step, key, word, _alpha(step, word, parameter))
    else:
        known = ", ".join(("linear:NAME", "batch_norm:NAME", *LAYER_ACTIVATIONS))
        raise ModelError(f"layers: {label(step.op, '?')!r} is not known; known: {known}")


def _alpha(step: Step, word: str, parameter: str) -> float:
    try:
        return float(parameter) if parameter else DEFAULT_ALPHA.get(word, 0.0)
    except ValueError:
        raise ModelError(f"layers: {label(step.op, '?')!r}: expected a number behind the colon") from None


def _array(arrays: dict[str, np.ndarray], name: str, part: str, rank: int) -> np.ndarray:
    array = arrays.get(f"{name}.{part}")
    if array is None:
        raise ModelError(
            f"layers: {label(f'{name}.{part}', '?')!r} is not in the file; there are: {_names(arrays)}"
        )
    if array.ndim != rank:
        raise ModelError(f"layers: {name}.{part}: expected {rank} axes, got shape {array.shape}")
    return array


def _names(arrays: dict[str, np.ndarray]) -> str:
    names = [f"{label(name, '?')} {tuple(array.shape)}" for name, array in arrays.items()]
    return ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")


def _propose(arrays: dict[str, np.ndarray]) -> str:
    """Return a list of layers that uses every linear layer in the file, with relu in between as a guess."""
    linear = [n.removesuffix(".weight") for n, a in arrays.items() if n.endswith(".weight") and a.ndim == 2]
    return ", relu, ".join(f"linear:{label(name, '?')}" for name in linear[:20]) + ", softmax"
