"""The shapes of a Keras model's inputs: what the file declares, and what the user says of axes that it leaves open."""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from .given_shapes import Shapes, filled, in_order
from .keras_model import KerasLayer


def input_shapes(model: KerasLayer, names: list[str], given: Shapes | None) -> list[tuple[int, ...]]:
    """Return the shape of one sample of each input, whose names, if they have some, are `names`.

    ModelError where an axis is open and `given` does not say how long it is, or says what the file contradicts.
    """
    n = len(model.inputs)
    wanted = in_order(given, names, n)
    return [_input_shape(model, number, wanted[number]) for number in range(n)]


def _input_shape(model: KerasLayer, number: int, given: Any) -> tuple[int, ...]:
    """The shape of one sample of an input, from wherever this version of Keras wrote it."""
    shape = _declared_shape(model, number)
    if shape is None and (first := _first_layer(model)) and first.class_name == "Dense":
        shape = [None, first.variables[0].shape[0]]
    if given is not None:
        return filled(tuple(given), shape[1:] if isinstance(shape, (list, tuple)) else None)
    if not isinstance(shape, (list, tuple)):
        raise ModelError(
            "the input shape is not in the file; say it with --input-shape, or give the model a keras.Input and save "
            "it again"
        )
    if not all(isinstance(d, int) and d > 0 for d in shape[1:]):
        raise ModelError(
            f"expected an input of fixed size, got {tuple(shape)}; say it with --input-shape, or give keras.Input the "
            "full shape"
        )
    return tuple(shape[1:])


def _declared_shape(layer: KerasLayer, number: int = 0) -> Any:
    """The shape (batch axis first) that a layer declares, or a model, or its first layer, for an input; or None."""
    build = layer.config.get("build_config") or {}
    first = layer.layers[max(layer.inputs[number].layer, 0)] if layer.layers and layer.inputs else None
    for shape in (
        layer.config.get("batch_shape"),
        layer.config.get("batch_input_shape"),
        _declared_shape(first) if first else None,
        layer.config.get("build_input_shape"),
        build.get("input_shape"),
    ):
        if shape is not None:
            return shape
    return None


def _first_layer(model: KerasLayer) -> KerasLayer | None:
    """The layer that a Sequential without a declared shape begins with."""
    calls = model.order[:1]
    while calls and (layer := model.layers[calls[0].layer]).is_model:
        model, calls = layer, layer.order[:1]
    return model.layers[calls[0].layer] if calls else None
