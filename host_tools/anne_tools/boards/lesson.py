"""What a network is to learn from a table, and how well it has learnt it.

The answers tell the last layer and the loss: classes have an output each and softmax, or one sigmoid for two; numbers
have one linear output and squared errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..cores.files import open_model
from ..cores.local import HOST, run_local
from ..cores.packed import real_outputs
from ..cores.results import class_names
from ..data.labelled import Labelled
from ..errors import ModelError
from .training import Settings

# Each loss and the activation that its last layer has.
LAST = {"mse": "linear", "binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}
_SHOWN = 6


def plan(
    data: Labelled, sizes: Sequence[int], activations: Sequence[str], loss: str | None, **options: Any
) -> Settings:
    """Return the settings for a network of `sizes` that learns the answers in `data`.

    `activations` are those of all layers, or one for all but the last; `options` are further fields of Settings.
    ModelError in one line where sizes and table do not fit.
    """
    n_features, classes = data.x.shape[1], data.classes
    if sizes[0] != n_features:
        named = f" ({_listed(data.names)})" if data.names else ""
        raise ModelError(
            f"--layers: expected {n_features} inputs first, as {data.path.name} has so many columns{named} beside the "
            f"answers, got {sizes[0]}"
        )
    if len(classes) == 1:
        raise ModelError(f"{data.path.name}: expected two different answers or more, got only {classes[0]!r}")
    loss = loss or _loss(data, sizes[-1])
    as_numbers = loss == "mse" and sizes[-1] == 1
    n_expected = 1 if loss == "binary_cross_entropy" or as_numbers else len(classes)
    if sizes[-1] != n_expected or (loss == "binary_cross_entropy" and len(classes) > 2):
        raise _wrong_end(data, sizes[-1])
    if list(activations) == ["softmax"] and len(sizes) > 2:
        raise ModelError(
            f"--activation: expected that of the layers before the last, which has {LAST[loss]} by itself, got softmax"
        )
    if len(activations) == 1 and len(sizes) > 2:
        activations = [*activations * (len(sizes) - 2), LAST[loss]]
    elif list(activations) == ["relu"]:  # what hidden layers have by default, and this network has none
        activations = [LAST[loss]]
    return Settings(list(sizes), list(activations), loss, labels=None if as_numbers else classes, **options)


def _loss(data: Labelled, n_out: int) -> str:
    """The loss that fits the answers and the outputs."""
    classes = data.classes
    if n_out == len(classes):
        return "categorical_cross_entropy"
    if n_out == 1 and len(classes) == 2:
        return "binary_cross_entropy"
    if n_out == 1 and data.are_numbers:
        return "mse"
    raise _wrong_end(data, n_out)


def _wrong_end(data: Labelled, n_out: int) -> ModelError:
    """The error for a last layer that does not fit the answers."""
    classes = data.classes
    named = f" ({data.target})" if data.target else ""
    expected = [f"{len(classes)} outputs last, one for each answer"]
    expected += (
        ["1 as there are two"] if len(classes) == 2 else ["1 to learn numbers"] if data.are_numbers else []
    )
    return ModelError(
        f"--layers: expected {', or '.join(expected)}, got {n_out}; the answers{named} are {_listed(classes)}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" ... ({len(names)})" if len(names) > _SHOWN else "")


def targets(data: Labelled, settings: Settings) -> np.ndarray:
    """Return for each row the number of its class, or its number."""
    return data.class_numbers(settings.labels) if settings.labels else data.numbers()


@dataclass(frozen=True)
class Judged:
    """What a model file makes of rows whose answers are known: of classes how many are right, and how often which
    class (a row) was taken for which (a column); of numbers the root of the mean squared error."""

    n_rows: int
    n_right: int | None = None
    confusion: list[list[int]] | None = None
    rms_error: float | None = None

    @property
    def accuracy(self) -> float | None:
        return None if self.n_right is None else self.n_right / self.n_rows

    def to_json(self) -> dict:
        """Return plain data for JSON."""
        return {**asdict(self), "accuracy": self.accuracy}


def judge(model: bytes, data: Labelled) -> Judged:
    """Return how well a model file, run by the C core on this computer, answers the rows."""
    file = open_model(model)
    outputs = real_outputs(run_local(model, data.x, HOST), file.outputs)
    labels = file.lines("labels")
    if not labels:
        off = outputs.reshape(-1).astype(np.float64) - data.numbers()
        return Judged(len(off), rms_error=float(np.sqrt(np.mean(off * off))))
    answered = class_names(file, outputs)
    confusion = [
        [sum(pair == (true, said) for pair in zip(data.answers, answered, strict=True)) for said in labels]
        for true in labels
    ]
    return Judged(len(answered), sum(confusion[i][i] for i in range(len(labels))), confusion)
