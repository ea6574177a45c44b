"""True answers of test data as classes of a network: matched by name, then by value, and never by their place."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan

import numpy as np
from anne.classes import PROBABILITIES

from ..data.texts import same_name
from ..errors import ModelError
from ..network.graph import Graph
from ..network.layer import SAME

_SHOWN = 5


def true_classes(y: np.ndarray, graph: Graph, output: int = 0) -> np.ndarray | None:
    """Return each true answer for output number `output` as the number of a class, None if they are numbers to predict.

    y are names or numbers, one a sample, or for each sample a row of one 1 and zeros. They are looked up among the
    labels, then among what the source called its classes: "1", 1 and 1.0 are one value. Only where no label is a number
    do numbers count the classes, from 0; and not of a network that tells none: one output, which is no probability,
    without labels or threshold. ModelError naming the answers that no class has.
    """
    y = np.asarray(y)
    labels, own = graph.metadata.labels, graph.metadata.source_labels
    n_outputs = graph.output_tensors[output].size
    n_classes = max(2, n_outputs, len(labels))
    if y.ndim == 2 and y.shape[1] == n_classes and _is_one_hot(y):
        return y.argmax(axis=1)
    if y.size != len(y):
        return None
    answers = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        for value in y.ravel().tolist()
    ]
    kinds = set(answers)
    for names in (labels, own):
        found = {answer: _index(answer, names) for answer in kinds}
        if None not in found.values():
            return np.array([found[answer] for answer in answers])
    is_classifier = n_outputs > 1 or bool(labels) or tells_classes(graph, output)
    are_words = all(value_of(label) is None for label in [*labels, *own])
    counted = n_classes if is_classifier and are_words else 0
    if all(_counts(answer, counted) for answer in kinds):
        return np.array([int(value_of(answer)) for answer in answers])
    values = [value_of(answer) for answer in kinds]
    whole = None not in values and all(value.is_integer() for value in values)
    if labels or None in values or (whole and tells_classes(graph, output)):
        raise _no_class(kinds, labels, own, counted)
    return None


def value_of(name: object) -> float | None:
    """Return the number that a name or an answer stands for, None if it is a word; false and true are 0 and 1."""
    text = same_name(name).lower()
    if text in ("false", "true"):
        return float(text == "true")
    try:
        value = float(text) if "_" not in text else nan
    except ValueError:
        return None
    return value if isfinite(value) else None


def _index(answer: object, names: Sequence[str]) -> int | None:
    """The number of the class that an answer names or is equal to. ModelError if two have that name."""
    compared = [same_name(name) for name in names]
    if compared.count(same_name(answer)) > 1:
        raise ModelError(
            f"test answers: {answer!r} is the label of several classes; give the classes' numbers"
        )
    if same_name(answer) in compared:
        return compared.index(same_name(answer))
    value, values = value_of(answer), [value_of(name) for name in names]
    return values.index(value) if value is not None and value in values else None


def _is_one_hot(y: np.ndarray) -> bool:
    return y.dtype.kind in "biuf" and bool(np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all())


def tells_classes(graph: Graph, output: int) -> bool:
    """Whether the output tells classes, where no label says so."""
    return (
        graph.metadata.threshold is not None or last_activation(graph, graph.outputs[output]) in PROBABILITIES
    )


def last_activation(graph: Graph, tensor: str) -> str:
    """Return the activation that `tensor` ends in, whatever its shape became afterwards; "" if there is none."""
    for layer in reversed(graph.layers):
        if tensor in layer.outputs and layer.place == SAME:
            tensor = layer.input
        elif tensor in layer.outputs:
            return getattr(layer, "activation", "")
    return ""


def _counts(answer: object, n_classes: int) -> bool:
    """Whether an answer is a class by number, from 0."""
    value = value_of(answer)
    return value is not None and value.is_integer() and 0 <= value < n_classes


def _no_class(kinds: set, labels: list[str], own: list[str], n_counted: int) -> ModelError:
    """The error that names the answers no class has. `n_counted` classes may be told by number."""
    expected = [", ".join(labels[:_SHOWN]) + (" ..." if len(labels) > _SHOWN else "")] if labels else []
    if n_counted:
        expected.append(f"class numbers 0 to {n_counted - 1}")
    strange = [kind for kind in kinds if _index(kind, labels) is None and not _counts(kind, n_counted)]
    if own:
        strange = [kind for kind in strange if _index(kind, own) is None]
    shown = sorted(f"{kind:g}" if isinstance(kind, float) else str(kind) for kind in strange or kinds)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ModelError(
        f"test answers: expected {' or '.join(expected) or 'numbers'}, got {', '.join(shown[:_SHOWN])}{more}"
    )
