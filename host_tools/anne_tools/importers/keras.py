"""Keras 3 and Keras 2 models, `.keras` and `.h5`, without Keras: Sequential and linear Functional, nested or
not.

What each layer and activation means is taken from the Keras 3 API reference; where Keras 2 meant something
else by the same name (hard_sigmoid), the version in the file decides. A Keras model in memory is saved to a
temporary file and read from there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..layers.build import GraphBuilder
from ..network.graph import Graph, Metadata
from .keras_files import MODELS, KerasLayer, read_file
from .refusal import Missing

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


def read(source: Path | object) -> Graph:
    """Return the Graph of a `.keras` or `.h5` file, or of a Keras model in memory.

    ModelError for anything but a chain of supported layers, naming all that is not supported.
    """
    if not isinstance(source, Path):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            source.save(path)
            return read(path)
    model, version = read_file(source, _refuse_unsupported)
    chain = list(model.chain())
    builder = GraphBuilder(_input_shape(model, chain))
    for layer in chain:
        LAYERS[layer.class_name](builder, layer, version)
    provenance = {"framework": f"Keras {version}", "layers": ", ".join(layer.class_name for layer in chain)}
    if narrow := sorted({layer.policy for layer in chain if layer.policy.endswith("float16")}):
        provenance["notes"] = (
            f"{', '.join(narrow)}: Keras rounds every layer's values to 16 bits, here they are float32"
        )
    return builder.build(Metadata(provenance=provenance))


def _refuse_unsupported(model: KerasLayer) -> None:
    """Raise ModelError if anything in the model cannot be used, naming all of it."""
    missing = Missing()
    for index, layer in enumerate(model.listed()):
        where = f"layer {index} ({layer})"
        if layer.class_name not in LAYERS:
            missing.layer(layer.class_name, where)
        elif (activation := layer.config.get("activation")) and _is_unknown(activation):
            missing.layer(f"activation {activation}", where)
        if layer.config.get("quantization_config") or any(
            t in layer.policy for t in ("int4", "int8", "float8", "gptq")
        ):
            missing.structure("weights quantised by Keras (save the model before model.quantize())")
    for inner in model.models():
        for which in ("input_layers", "output_layers"):
            count = len(inner.ends(which))
            if inner.class_name != "Sequential" and count != 1:
                missing.structure(f"{count} {which.partition('_')[0]}s")
    missing.refuse(SUPPORTED)


def _is_unknown(activation: Any) -> bool:
    """Whether an activation is a function by a name that is not known."""
    return isinstance(activation, str) and activation not in FUNCTIONS


def _input_shape(model: KerasLayer, chain: list[KerasLayer]) -> tuple[int, ...]:
    """The shape of one sample, from wherever this version of Keras wrote it."""
    shape = _declared_shape(model)
    if shape is None and chain and chain[0].class_name == "Dense":
        shape = [None, chain[0].variables[0].shape[0]]
    if not isinstance(shape, (list, tuple)):
        raise ModelError("the input shape is not in the file; give the model a keras.Input and save it again")
    if not all(isinstance(d, int) and d > 0 for d in shape[1:]):
        raise ModelError(
            f"expected an input of fixed size, got {tuple(shape)}; give keras.Input the full shape"
        )
    return tuple(shape[1:])


def _declared_shape(layer: KerasLayer) -> Any:
    """The shape (batch axis first) that a layer or the first layer of a model declares, or None."""
    build = layer.config.get("build_config") or {}
    for shape in (
        layer.config.get("batch_shape"),
        layer.config.get("batch_input_shape"),
        _declared_shape(layer.layers[layer.order[0]]) if layer.order else None,
        layer.config.get("build_input_shape"),
        build.get("input_shape"),
    ):
        if shape is not None:
            return shape
    return None


# Layers: each function appends what one Keras layer does to the builder


def _dense(b: GraphBuilder, layer: KerasLayer, version: str) -> None:
    activation, alpha = _activation_of(layer)
    kernel, *rest = layer.variables
    if kernel.ndim != 2:
        raise ModelError(f"layer {layer}: expected a kernel (n_in, n_out), got shape {kernel.shape}")
    factor = _argument_factor(activation, version)
    weights, bias = kernel.T * factor, rest[0] * factor if rest else None
    with np.errstate(over="ignore"):  # a weight beyond float32 becomes infinite, which the builder refuses
        b.dense(layer.name, weights, bias, activation, alpha, source=str(layer))


def _activation(b: GraphBuilder, layer: KerasLayer, version: str) -> None:
    activation, alpha = _activation_of(layer)
    factor = _argument_factor(activation, version)
    if factor != 1:
        b.scaling(f"{layer.name} factor", factor, 0.0, source=str(layer))
    b.activation(layer.name, activation, alpha, source=str(layer))


def _training_only(b: GraphBuilder, layer: KerasLayer, version: str) -> None:
    b.activation(layer.name, "linear", source=str(layer))


def _flatten(b: GraphBuilder, layer: KerasLayer, version: str) -> None:
    if layer.config.get("data_format") == "channels_first" and len(b.last.shape) > 1:
        raise ModelError(f"layer {layer}: data_format channels_first is not supported")
    b.reshape(layer.name, (-1,), source=str(layer))


def _reshape(b: GraphBuilder, layer: KerasLayer, version: str) -> None:
    b.reshape(layer.name, tuple(layer.config["target_shape"]), source=str(layer))


def _rescaling(b: GraphBuilder, layer: KerasLayer, version: str) -> None:
    b.scaling(layer.name, layer.config["scale"], layer.config.get("offset", 0.0), source=str(layer))


def _batch_normalization(b: GraphBuilder, layer: KerasLayer, version: str) -> None:
    """gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta."""
    _expect_last_axis(layer, len(b.last.shape))
    *trained, mean, variance = layer.variables
    gamma = trained.pop(0) if layer.config.get("scale", True) else 1.0
    beta = trained.pop(0) if layer.config.get("center", True) else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):  # the builder refuses what is not finite
        scale = gamma / np.sqrt(variance + float(layer.config.get("epsilon", 1e-3)))
        b.scaling(layer.name, scale, beta - mean * scale, source=str(layer))


def _normalization(b: GraphBuilder, layer: KerasLayer, version: str) -> None:
    """(x - mean) / max(sqrt(variance), 1e-7), or its inverse; constants from `adapt` or the settings."""
    if layer.config.get("axis", -1) not in (None, []):
        _expect_last_axis(layer, len(b.last.shape))
    constants = layer.variables[:2] or [layer.config["mean"], layer.config["variance"]]
    mean, variance = (np.ravel(np.asarray(c, np.float64)) for c in constants)
    with np.errstate(invalid="ignore"):
        deviation = np.maximum(np.sqrt(variance), 1e-7)
    if layer.config.get("invert"):
        b.scaling(layer.name, deviation, mean, source=str(layer))
    else:
        b.scaling(layer.name, 1 / deviation, -mean / deviation, source=str(layer))


def _expect_last_axis(layer: KerasLayer, rank: int) -> None:
    axis = layer.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
    if axis not in (-1, rank):
        raise ModelError(f"layer {layer}: expected the last axis, got axis={axis}")


LAYERS = {
    "Activation": _activation,
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
}
SUPPORTED = f"{', '.join(LAYERS)}, and layers for training only ({', '.join(TRAINING_ONLY)})"
LAYERS |= dict.fromkeys(TRAINING_ONLY, _training_only)


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
