"""What TensorFlow Lite operators give whose inputs are all constants: shapes mostly, which the converter computes.

    SHAPE -> GATHER -> REDUCE_PROD -> PACK -> RESHAPE

leads around a dense layer of every row, for instance. All of it is computed when the file is read.
"""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from . import budget
from .tflite_files import Operator
from .tflite_reading import WHOLE, Reading

MOST = 1000  # numbers in such a constant


class Constants(Reading):
    """Their methods."""

    def shape(self, op: Operator) -> None:
        """SHAPE: the constant dimensions of a tensor, of batch 1."""
        step = self._step(op, computed=False)
        self.flow.constants[step.output] = np.array(self.flow.value(step, self._input(op, 0)).shape, np.int64)

    def folded(self, op: Operator) -> bool:
        """Compute `op` if all that it reads are constants and it is one of FOLDS; return whether."""
        if op.name not in FOLDS or not op.inputs or not all(key in self.flow.constants for key in op.inputs):
            return False
        if op.name in NUMBERS and self.file.tensor(op.outputs[0]).dtype not in WHOLE:
            return False
        step = self._step(op, computed=False)
        arrays = [self.flow.constant(step, key, "its input") for key in op.inputs]
        if max(array.size for array in arrays) > MOST or sum(array.size for array in arrays) > MOST:
            raise ModelError(f"{op.where} of constants: expected at most {MOST} numbers")
        budget.steps(sum(array.size for array in arrays), op.where)
        try:
            made = self.flow.constants[step.output] = np.asarray(FOLDS[op.name](self, op, *arrays))
        except (TypeError, ValueError, IndexError) as error:
            raise ModelError(f"{op.where} of constants: {str(error)[:150]}") from error
        budget.elements(op.where, made.shape)
        budget.steps(made.size // 100, op.where)
        return True

    def _gathered(self, op: Operator, values: np.ndarray, places: np.ndarray) -> np.ndarray:
        options = op.options("GatherOptions")
        return np.take(values, places, options.Axis() if options is not None else 0)

    def _product(self, op: Operator, values: np.ndarray, axes: np.ndarray) -> np.ndarray:
        options = op.options("ReducerOptions")
        keep = options is not None and bool(options.KeepDims())
        return np.prod(values, tuple(int(axis) for axis in axes.reshape(-1)), keepdims=keep)

    def _joined(self, op: Operator, *arrays: np.ndarray) -> np.ndarray:
        options = op.options("ConcatenationOptions")
        return np.concatenate(arrays, options.Axis() if options is not None else 0)

    def _computed(self, op: Operator, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return NUMBERS[op.name](left, right)

    def _packed(self, op: Operator, *arrays: np.ndarray) -> np.ndarray:
        options = op.options("PackOptions")
        return np.stack(arrays, options.Axis() if options is not None else 0)

    def _sliced(self, op: Operator, values: np.ndarray, *limits: np.ndarray) -> np.ndarray:
        begin, end, stride = ([int(number) for number in array.reshape(-1)] for array in limits)
        options = self._options(op, "StridedSliceOptions")
        index: list = []
        for axis, (b, e, s) in enumerate(zip(begin, end, stride, strict=True)):
            first = None if options.BeginMask() >> axis & 1 else b
            last = None if options.EndMask() >> axis & 1 else e
            index.append(b if options.ShrinkAxisMask() >> axis & 1 else slice(first, last, s))
        if options.EllipsisMask() or options.NewAxisMask() or len(index) > values.ndim:
            raise ModelError(f"{op.where} of a constant: its masks or limits are not supported")
        return values[tuple(index)]


# Of whole numbers only: others have scales, or are folded by the flow.
NUMBERS = {"ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "DIV": np.floor_divide}
NUMBERS |= {"MINIMUM": np.minimum, "MAXIMUM": np.maximum}
FOLDS = {
    **dict.fromkeys(NUMBERS, Constants._computed),
    "GATHER": Constants._gathered,
    "REDUCE_PROD": Constants._product,
    "CONCATENATION": Constants._joined,
    "PACK": Constants._packed,
    "STRIDED_SLICE": Constants._sliced,
}


def _not_computed(reading: Constants, op: Operator) -> None:
    raise ModelError(f"{op.where} of computed values is not supported; supported: of a constant shape")


OPERATORS = {"SHAPE": Constants.shape, "REDUCE_PROD": _not_computed}
