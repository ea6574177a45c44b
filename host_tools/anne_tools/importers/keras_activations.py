"""Keras's activation functions, and the layers that are one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..layers import room
from ..layers.build import GraphBuilder
from .keras_model import MODELS
from .keras_step import Step

_MOST = float(np.finfo(np.float32).max)


class Function(NamedTuple):
    """An activation, its alpha, and the limits of what it gives, None where it has none."""

    activation: str
    alpha: float = 0.0
    limits: tuple[float, float] | None = None


# Keras's names of activation functions.
FUNCTIONS = {
    "linear": Function("linear"),
    "relu": Function("relu"),
    "relu6": Function("relu6"),
    "leaky_relu": Function("leaky_relu", 0.2),
    "elu": Function("elu", 1.0),
    "sigmoid": Function("sigmoid"),
    "hard_sigmoid": Function("hard_sigmoid"),
    "hard_tanh": Function("linear", 0.0, (-1.0, 1.0)),
    "tanh": Function("tanh"),
    "softplus": Function("softplus"),
    "swish": Function("swish"),
    "silu": Function("swish"),
    "hard_swish": Function("hard_swish"),
    "hard_silu": Function("hard_swish"),
    "gelu": Function("gelu"),
    "exponential": Function("exp"),
    "softmax": Function("softmax"),
    "log_softmax": Function("log_softmax"),
}
# Layers that end in an activation that they name.
ACTIVATED = "activation"


def activation_layer(b: GraphBuilder, step: Step) -> None:
    """A layer that is an activation."""
    if step.layer.class_name == "Softmax":
        softmax(b, step, step.config.get("axis", -1), "softmax")
        return
    function = _of_class(step.layer.class_name, step.config, step)
    factor = argument_factor(function, step.version)
    if factor != 1:
        b.scaling(f"{step.name} factor", factor, 0.0, source=step.source)
    if function.activation != "linear" or not function.limits:
        b.activation(step.name, function.activation, function.alpha, source=step.source)
    limit(b, step, function)


def limit(b: GraphBuilder, step: Step, function: Function) -> None:
    """Append the limits of a function, if it has some."""
    if function.limits:
        b.add(room("clip"), f"{step.name}_limits", *function.limits, source=step.source)


def softmax(b: GraphBuilder, step: Step, axis: Any, activation: str) -> None:
    """Softmax over any axis: another than the last is brought there, and back."""
    rank = len(b.last.shape)
    at = step.axis(axis, rank)
    if at == rank - 1:
        b.activation(step.name, activation, source=step.source)
        return
    order = tuple(range(rank))
    swapped = (*order[:at], rank - 1, *order[at + 1 : -1], at)
    b.add(room("transpose"), f"{step.name}_there", swapped, source=step.source)
    b.activation(step.name, activation, source=step.source)
    b.add(room("transpose"), f"{step.name}_back", swapped, source=step.source)


def function_of(step: Step) -> Function:
    """Return the activation that a layer ends in by its setting."""
    return _named(step.config.get(ACTIVATED) or "linear", step)


def _named(setting: Any, step: Step) -> Function:
    """A function's name, or a dict that describes a function or an activation layer."""
    if isinstance(setting, dict):
        class_name, config = setting.get("class_name"), setting.get("config")
        if class_name not in ("function", *MODELS) and isinstance(config, dict):
            return _of_class(str(class_name), config, step)
        setting = config
    if not isinstance(setting, str) or setting not in FUNCTIONS:
        step.refuse(f"activation {setting!r} is not supported; supported: {', '.join(FUNCTIONS)}")
    return FUNCTIONS[setting]


def _of_class(class_name: str, config: dict[str, Any], step: Step) -> Function:
    """What a layer such as ReLU does with its settings; LeakyReLU's slope was `alpha` in Keras 2."""
    match class_name:
        case "Activation":
            return _named(config.get("activation") or "linear", step)
        case "ReLU":
            return _relu(config, step)
        case "LeakyReLU":
            return Function("leaky_relu", float(config.get("negative_slope", config.get("alpha", 0.3))))
        case "ELU":
            return Function("elu", float(config.get("alpha", 1.0)))
        case "Softmax" if config.get("axis", -1) in (-1, [-1]):
            return Function("softmax")
        case "Softmax":
            step.refuse(f"expected softmax over the last axis, got axis={str(config['axis'])[:80]}")
    step.refuse(f"activation {class_name!r} is not supported")


def _relu(config: dict[str, Any], step: Step) -> Function:
    slope, threshold = float(config.get("negative_slope") or 0), float(config.get("threshold") or 0)
    maximum = config.get("max_value")
    if threshold != 0 or (maximum is not None and not float(maximum) >= 0):
        step.refuse(
            f"ReLU(max_value={maximum}, negative_slope={slope}, threshold={threshold}) is not supported; "
            "supported: threshold 0, and a max_value that is not negative"
        )
    if maximum is None:
        return Function("leaky_relu", slope) if slope else FUNCTIONS["relu"]
    if slope:
        return Function("leaky_relu", slope, (-_MOST, float(maximum)))
    return FUNCTIONS["relu6"] if maximum == 6 else Function("linear", 0.0, (0.0, float(maximum)))


def argument_factor(function: Function, version: str) -> float:
    """What the argument of an activation is multiplied with so that Keras 3's formula gives what `version`
    meant.

    hard_sigmoid was clip(0.2 x + 0.5) in Keras 2 and is clip(x / 6 + 0.5) since: the same for 1.2 x.
    """
    return 1.2 if function.activation == "hard_sigmoid" and version.startswith(("1", "2")) else 1.0
