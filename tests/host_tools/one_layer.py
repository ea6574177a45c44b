"""A model file of one layer, for numbers that no converter would write."""

from __future__ import annotations

import numpy as np
from anne.model_file import DTYPES
from anne.weights import LAYOUTS
from by_hand import DTYPE_NUMBERS, INPUT, OUTPUT, Record, Values, model

_LAYOUT_NUMBERS = {row[0]: number for number, row in LAYOUTS.items()}


def one_layer(
    kind: str,
    x: Values,
    y: Values,
    constants: list[np.ndarray],
    activation: str = "linear",
    parameters: tuple[int, ...] = (),
) -> bytes:
    """Return the file's bytes; the output lies behind the input."""
    return model([x, y], [INPUT, OUTPUT], [Record(kind, [0], [1], constants, activation, parameters)])


def dense(
    layout: str, n_in: int, constants: list[np.ndarray], limits: tuple[int, int] | None = None, n_out: int = 1
) -> bytes:
    """Return a file of a dense layer in that layout; `limits` are the type's own if not given."""
    _, x_dtype, y_dtype, _ = LAYOUTS[_LAYOUT_NUMBERS[layout]]
    least, most = limits or DTYPES[DTYPE_NUMBERS[y_dtype]][3:]
    parameters = (_LAYOUT_NUMBERS[layout], least, most)
    return one_layer("dense", Values(x_dtype, n_in), Values(y_dtype, n_out), constants, parameters=parameters)
