"""What each Keras layer and activation means, as layers of a graph.

Taken from the Keras 3 API reference; where Keras 2 meant something else by the same name (hard_sigmoid), the version in
the file decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError
from ..layers import Add, Pad
from ..layers.build import GraphBuilder
from ..network.tensor import Tensor
from .keras_model import MODELS, SUMS, KerasLayer

# Keras's names of activation functions: ours, and alpha.
FUNCTIONS = {
    "linear": ("linear", 0.0),
    "relu": ("relu", 0.0),
    "relu6": ("relu6", 0.0),
    "leaky_relu": ("leaky_relu", 0.2),
    "elu": ("elu", 1.0),
    "sigmoid": ("sigmoid", 0.0),
    "hard_sigmoid": ("hard_sigmoid", 0.0),
    "tanh": ("tanh", 0.0),
    "softplus": ("softplus", 0.0),
    "swish": ("swish", 0.0),
    "silu": ("swish", 0.0),
    "hard_swish": ("hard_swish", 0.0),
    "hard_silu": ("hard_swish", 0.0),
    "gelu": ("gelu", 0.0),
    "softmax": ("softmax", 0.0),
}
# Layers that do something in training only.
TRAINING_ONLY = (
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
)


@dataclass
class Step:
    """One call of a layer: the tensors `x` that it reads, and a name that no other call has.

    `known` is what was computed from the layer's variables before; all calls share it.
    """

    layer: KerasLayer
    name: str
    x: list[Tensor]
    version: str
    known: list[Any]

    @property
    def source(self) -> str:
        return str(self.layer)

    def once(self, compute: Callable[[], Any]) -> Any:
        """Return what `compute` gives, the same arrays in each call of the layer."""
        if not self.known:
            self.known.append(compute())
        return self.known[0]


# Layers: each function appends to the builder what one call of a Keras layer does; the builder's last tensor is the
# first, of most the only one, that it reads


def _dense(b: GraphBuilder, step: Step) -> None:
    activation, alpha = _activation_of(step.layer)
    kernel, *rest = step.layer.variables
    if kernel.ndim != 2:
        raise ModelError(f"layer {step.layer}: expected a kernel (n_in, n_out), got shape {kernel.shape}")
    factor = _argument_factor(activation, step.version)

    def arrays() -> tuple[np.ndarray, np.ndarray]:
        bias = rest[0] * factor if rest else np.zeros(kernel.shape[1])
        with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, which the builder refuses
            return np.ascontiguousarray(kernel.T * factor, np.float32), bias.astype(np.float32)

    weights, bias = step.once(arrays)
    b.dense(step.name, weights, bias, activation, alpha, source=step.source)


def _activation(b: GraphBuilder, step: Step) -> None:
    activation, alpha = _activation_of(step.layer)
    factor = _argument_factor(activation, step.version)
    if factor != 1:
        b.scaling(f"{step.name} factor", factor, 0.0, source=step.source)
    b.activation(step.name, activation, alpha, source=step.source)


def _training_only(b: GraphBuilder, step: Step) -> None:
    b.activation(step.name, "linear", source=step.source)


def _flatten(b: GraphBuilder, step: Step) -> None:
    if step.layer.config.get("data_format") == "channels_first" and len(b.last.shape) > 1:
        raise ModelError(f"layer {step.layer}: data_format channels_first is not supported")
    b.reshape(step.name, (-1,), source=step.source)


def _reshape(b: GraphBuilder, step: Step) -> None:
    b.reshape(step.name, tuple(step.layer.config["target_shape"]), source=step.source)


def _zero_padding(b: GraphBuilder, step: Step) -> None:
    """ZeroPadding1D to 3D: zeros around all axes but the channels, which are last."""
    config, rank = step.layer.config, len(b.last.shape)
    if config.get("data_format") == "channels_first":
        raise ModelError(f"layer {step.layer}: data_format channels_first is not supported")
    padding = config.get("padding")
    widths = [padding] if step.layer.class_name == "ZeroPadding1D" else padding
    if not isinstance(widths, list) or len(widths) != rank - 1 or not all(map(_is_pair, widths)):
        shown = str(padding)[:80]
        raise ModelError(
            f"layer {step.layer}: expected two integers for each of {rank - 1} axes, got {shown}"
        )
    before, after = zip(*widths, (0, 0), strict=True)
    b.add(Pad, step.name, before, after, source=step.source)


def _is_pair(width: Any) -> bool:
    return isinstance(width, list) and len(width) == 2 and all(isinstance(n, int) for n in width)


def _rescaling(b: GraphBuilder, step: Step) -> None:
    b.scaling(step.name, step.layer.config["scale"], step.layer.config.get("offset", 0.0), source=step.source)


def _batch_normalization(b: GraphBuilder, step: Step) -> None:
    """gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta."""
    _expect_last_axis(step.layer, len(b.last.shape))
    config = step.layer.config

    def arrays() -> tuple[np.ndarray, np.ndarray]:
        *trained, mean, variance = (v.astype(np.float64) for v in step.layer.variables)
        gamma = trained.pop(0) if config.get("scale", True) else 1.0
        beta = trained.pop(0) if config.get("center", True) else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):  # the builder refuses what is not finite
            scale = gamma / np.sqrt(variance + float(config.get("epsilon", 1e-3)))
            return scale, beta - mean * scale

    b.scaling(step.name, *step.once(arrays), source=step.source)


def _normalization(b: GraphBuilder, step: Step) -> None:
    """(x - mean) / max(sqrt(variance), 1e-7), or its inverse; constants from `adapt` or the settings."""
    config = step.layer.config
    if config.get("axis", -1) not in (None, []):
        _expect_last_axis(step.layer, len(b.last.shape))

    def arrays() -> tuple[np.ndarray, np.ndarray]:
        constants = step.layer.variables[:2] or [config["mean"], config["variance"]]
        mean, variance = (np.ravel(np.asarray(c, np.float64)) for c in constants)
        with np.errstate(invalid="ignore"):
            deviation = np.maximum(np.sqrt(variance), 1e-7)
        return (deviation, mean) if config.get("invert") else (1 / deviation, -mean / deviation)

    b.scaling(step.name, *step.once(arrays), source=step.source)


def _add(b: GraphBuilder, step: Step) -> None:
    """x[0] + x[1] + ..., from left to right."""
    total, *others = step.x
    for number, x in enumerate(others):
        name = f"{step.name} {number}" if len(others) > 1 else step.name
        total = b.add(Add, name, inputs=[total, x], source=step.source)


def _expect_last_axis(layer: KerasLayer, rank: int) -> None:
    axis = layer.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
    if axis not in (-1, rank):
        raise ModelError(f"layer {layer}: expected the last axis, got axis={axis}")


LAYERS = {
    "Activation": _activation,
    "Add": _add,
    "BatchNormalization": _batch_normalization,
    "Dense": _dense,
    "ELU": _activation,
    "Flatten": _flatten,
    "LeakyReLU": _activation,
    "Normalization": _normalization,
    "ReLU": _activation,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "Softmax": _activation,
    "ZeroPadding1D": _zero_padding,
    "ZeroPadding2D": _zero_padding,
    "ZeroPadding3D": _zero_padding,
}
SUPPORTED = f"{', '.join(LAYERS)}, and layers for training only ({', '.join(TRAINING_ONLY)})"
LAYERS |= dict.fromkeys(TRAINING_ONLY, _training_only) | dict.fromkeys(SUMS, _add)


# Activations


def _activation_of(layer: KerasLayer) -> tuple[str, float]:
    """Return (activation, alpha) of a layer with such a setting, or of a layer that is an activation."""
    if layer.class_name not in ("Dense", "Activation"):
        return _activation_layer(layer.class_name, layer.config, str(layer))
    return _named_activation(layer.config.get("activation") or "linear", str(layer))


def _named_activation(setting: Any, where: str) -> tuple[str, float]:
    """A function's name, or a dict that describes a function or an activation layer."""
    if isinstance(setting, dict):
        class_name, config = setting.get("class_name"), setting.get("config")
        if class_name not in ("function", *MODELS) and isinstance(config, dict):
            return _activation_layer(str(class_name), config, where)
        setting = config
    if not isinstance(setting, str) or setting not in FUNCTIONS:
        known = ", ".join(FUNCTIONS)
        raise ModelError(f"layer {where}: activation {setting!r} is not supported; supported: {known}")
    return FUNCTIONS[setting]


def _activation_layer(class_name: str, config: dict[str, Any], where: str) -> tuple[str, float]:
    """What a layer such as ReLU does with its settings; LeakyReLU's slope was `alpha` in Keras 2."""
    match class_name:
        case "Activation":
            return _named_activation(config.get("activation") or "linear", where)
        case "ReLU":
            return _relu(config, where)
        case "LeakyReLU":
            return "leaky_relu", float(config.get("negative_slope", config.get("alpha", 0.3)))
        case "ELU":
            return "elu", float(config.get("alpha", 1.0))
        case "Softmax":
            if config.get("axis", -1) not in (-1, [-1]):
                raise ModelError(
                    f"layer {where}: expected softmax over the last axis, got axis={config['axis']}"
                )
            return "softmax", 0.0
    raise ModelError(f"layer {where}: activation {class_name!r} is not supported")


def _relu(config: dict[str, Any], where: str) -> tuple[str, float]:
    slope, threshold = float(config.get("negative_slope") or 0), float(config.get("threshold") or 0)
    maximum = config.get("max_value")
    if threshold == 0 and maximum is None:
        return ("leaky_relu", slope) if slope else ("relu", 0.0)
    if threshold == 0 and slope == 0 and maximum == 6:
        return "relu6", 0.0
    raise ModelError(
        f"layer {where}: ReLU(max_value={maximum}, negative_slope={slope}, threshold={threshold}) is not "
        "supported; supported: max_value None or 6, threshold 0, and a negative_slope without max_value"
    )


def _argument_factor(activation: str, version: str) -> float:
    """What the argument of an activation is multiplied with so that Keras 3's formula gives what `version`
    meant.

    hard_sigmoid was clip(0.2 x + 0.5) in Keras 2 and is clip(x / 6 + 0.5) since: the same for 1.2 x.
    """
    return 1.2 if activation == "hard_sigmoid" and version.startswith(("1", "2")) else 1.0
