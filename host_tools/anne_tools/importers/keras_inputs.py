"""The shapes of a Keras model's inputs: what the file declares, and what the user says of axes that it leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ModelError
from .keras_model import KerasLayer

# of one input, or of several, by name or in their order
Shapes = Sequence[int] | Sequence[Sequence[int]] | Mapping[str, Sequence[int]]


def input_shapes(model: KerasLayer, names: list[str], given: Shapes | None) -> list[tuple[int, ...]]:
    """Return the shape of one sample of each input, whose names, if they have some, are `names`.

    ModelError where an axis is open and `given` does not say how long it is, or says what the file contradicts.
    """
    n = len(model.inputs)
    wanted = _in_order(given, names, n)
    return [_input_shape(model, number, wanted[number]) for number in range(n)]


def _in_order(given: Shapes | None, names: list[str], n: int) -> list[Any]:
    """What is given for each input, None for those of which nothing is said."""
    if given is None:
        return [None] * n
    if isinstance(given, Mapping):
        if unknown := [str(name) for name in given if name not in names]:
            raise ModelError(
                f"input_shape: expected inputs {', '.join(names) or 'without names'}; got {unknown[0]}"
            )
        return [given.get(name) for name in names]
    shapes = list(given)
    if not any(isinstance(shape, Sequence) for shape in shapes):
        shapes = [tuple(shapes)]
    if len(shapes) != n:
        raise ModelError(f"input_shape: expected {n} shapes, one for each input, got {len(shapes)}")
    return shapes


def _input_shape(model: KerasLayer, number: int, given: Any) -> tuple[int, ...]:
    """The shape of one sample of an input, from wherever this version of Keras wrote it."""
    shape = _declared_shape(model, number)
    if shape is None and (first := _first_layer(model)) and first.class_name == "Dense":
        shape = [None, first.variables[0].shape[0]]
    if given is not None:
        return _filled(tuple(given), shape)
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


def _filled(given: tuple[Any, ...], declared: Any) -> tuple[int, ...]:
    """The given shape; ModelError if the file's, where it is fixed, is another."""
    if not all(isinstance(d, int) and d > 0 for d in given):
        raise ModelError(f"input_shape: expected positive numbers, got {given}")
    if isinstance(declared, (list, tuple)):
        fixed = declared[1:]
        fits = len(fixed) == len(given) and all(f in (None, g) for f, g in zip(fixed, given, strict=True))
        if not fits:
            raise ModelError(f"input_shape: the model has {tuple(fixed)}, without batch, got {given}")
    return given


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
