"""What came out of a run: real numbers, the classes they stand for, and how far they are from what was expected."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from anne.classes import class_of
from anne.model_file import ModelFile

from ..data.samples import parted
from .numbers import to_source_type
from .packed import real_outputs, unpacked

# Float outputs may differ from the golden ones by this part of the sample's largest (as in `Model.selftest`).
GOLDEN_BOUND = 1e-5
NO_CLASS = -1


@dataclass
class Result:
    """A run: `values` of each output as asked for, classes they stand for if any, whether golden ones were met."""

    values: list[np.ndarray]
    classes: list[str | None]
    golden: bool
    problem: str

    def to_json(self) -> dict:
        """Return all but the values as plain data for JSON."""
        return {"classes": self.classes, "golden": self.golden, "problem": self.problem}


def result(file: ModelFile, outputs: np.ndarray, expected: np.ndarray | None, raw: bool) -> Result:
    """Return what a run gave: real numbers, or with `raw` integers of its source's type or the model's own; `expected`
    are golden outputs, if known."""
    real = real_outputs(outputs, file.outputs)
    problem = ""
    if expected is not None:
        missed = [
            off
            for off, bound in differences(expected, outputs, file.outputs, GOLDEN_BOUND)
            if not off <= bound
        ]
        if missed:
            problem = f"golden outputs are missed by {max(missed):.3g}"
    parts = (
        unpacked(outputs, file.outputs) if raw else parted(real, [t.shape for t in file.outputs], "outputs")
    )
    return Result(
        [to_source_type(part, file) if raw else part for part in parts],
        class_names(file, real),
        expected is not None and not problem,
        problem,
    )


def class_names(file: ModelFile, real: np.ndarray) -> list[str | None]:
    """Return the label of each sample's class as `Model.classify` finds it, None where it finds none (an output is
    NaN); [] for a file without labels."""
    labels = file.lines("labels")
    if not labels:
        return []
    threshold = struct.unpack("<f", file.metadata["threshold"])[0] if "threshold" in file.metadata else None
    indices = classes(real.reshape(len(real), -1), threshold)
    return [None if i == NO_CLASS else labels[i] if i < len(labels) else str(i) for i in indices]


def classes(outputs: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return each sample's class number as `Model.classify` decides; NO_CLASS where one is NaN."""
    threshold = None if threshold is None else float(np.float32(threshold))  # as it stands in a model file
    known = ~np.isnan(outputs).any(axis=1)
    numbers = np.full(len(outputs), NO_CLASS)
    numbers[known] = [class_of(y, threshold) for y in outputs[known].tolist()]
    return numbers


def differences(
    expected: np.ndarray, got: np.ndarray, tensors: Sequence[Any], float_bound: float
) -> list[tuple[float, float]]:
    """Return (the largest difference over all samples, what it may be) for each of the raw outputs `tensors`: integers
    must be equal."""
    return [
        (
            max(difference(e, g) for e, g in zip(want, have, strict=True)),
            float_bound if want.dtype.kind == "f" else 0.0,
        )
        for want, have in zip(unpacked(expected, tensors), unpacked(got, tensors), strict=True)
    ]


def difference(expected: np.ndarray, got: np.ndarray) -> float:
    """Return the largest difference: of integers in steps, of floats relative to the largest finite one expected, if
    one is more than float32's denormals, which count as 0.

    Infinite if a NaN or an infinity stands where another value was expected, or the other way round.
    """
    if expected.dtype.kind != "f":
        return float(np.abs(expected.astype(np.float64) - got).max())
    finite = np.isfinite(expected)
    same = np.array_equal(expected[~finite], got[~finite], equal_nan=True)
    if not same or not np.isfinite(got[finite]).all():
        return np.inf
    expected, got = expected[finite].astype(np.float64), got[finite]
    if not expected.size:
        return 0.0
    largest = float(np.abs(expected).max())
    return float(np.abs(expected - got).max()) / (largest if largest >= np.finfo(np.float32).tiny else 1.0)
