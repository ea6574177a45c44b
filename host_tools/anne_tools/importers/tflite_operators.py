"""What each TensorFlow Lite operator does to the flow: one method an operator, named in OPERATORS."""

from __future__ import annotations

from collections.abc import Callable

from . import (
    tflite_arithmetic,
    tflite_batches,
    tflite_constants,
    tflite_moves,
    tflite_pools,
    tflite_state,
    tflite_weights,
)
from .tflite_arithmetic import Arithmetic
from .tflite_constants import Constants
from .tflite_files import Operator
from .tflite_norms import Norms
from .tflite_pools import Pools
from .tflite_state import State


class Operators(State, Pools, Norms, Arithmetic, Constants):
    """All that are supported."""


OPERATORS: dict[str, Callable[[Operators, Operator], None]] = {
    **tflite_constants.OPERATORS,
    **tflite_weights.OPERATORS,
    **tflite_batches.OPERATORS,
    **tflite_moves.OPERATORS,
    **tflite_arithmetic.OPERATORS,
    **tflite_pools.OPERATORS,
    **tflite_state.OPERATORS,
}
