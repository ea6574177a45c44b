"""The variables that each Keras layer has by its settings, in the order in which Keras made them."""

from __future__ import annotations

from .keras_model import KerasLayer

_WITH_KERNEL = (
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
)


def variable_names(layer: KerasLayer) -> tuple[list[str], list[str]]:
    """Return the names of the variables a layer has by its settings: (trained by gradients, others)."""
    config = layer.config
    bias = ["bias"] * bool(config.get("use_bias", True))
    normalised = ["gamma"] * bool(config.get("scale", True)) + ["beta"] * bool(config.get("center", True))
    match layer.class_name:
        case name if name in _WITH_KERNEL:
            return ["kernel"] + bias, []
        case "SeparableConv1D" | "SeparableConv2D":
            return ["depthwise_kernel", "pointwise_kernel"] + bias, []
        case "BatchNormalization":
            return normalised, ["moving_mean", "moving_variance"]
        case "LayerNormalization" | "GroupNormalization":
            return normalised, []
        case "PReLU":
            return ["alpha"], []
        case "Embedding":
            return ["embeddings"], []
        case "Normalization" if config.get("mean") is None:
            return [], ["mean", "variance", "count"]
    return [], []


def has_variables(layer: KerasLayer) -> bool:
    """Whether a layer, or one inside it, has variables."""
    return any(map(has_variables, layer.layers)) or any(variable_names(layer))


def is_called(stored: str, name: str) -> bool:
    """Whether an .h5 file stores a variable of that name under `stored`: Keras 2 has depthwise_kernel for kernel."""
    return stored == name or (stored, name) == ("depthwise_kernel", "kernel")
