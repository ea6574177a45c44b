"""TensorFlow Lite operators that look at windows or along axes: pools, reductions, ARG_MAX."""

from __future__ import annotations

from dataclasses import replace

from ..errors import ModelError
from ..layers import ArgMax, AveragePool, MaxPool, Reduce
from ..network.tensor import Quantization
from .flow_values import without_batch
from .tflite_files import Operator
from .tflite_weights import Weighted

REDUCTIONS = {"MEAN": "mean", "SUM": "sum", "REDUCE_MAX": "max", "REDUCE_MIN": "min"}


class Pools(Weighted):
    """Their methods."""

    def pool(self, op: Operator) -> None:
        """MAX_POOL_2D, AVERAGE_POOL_2D: padding neither wins nor counts."""
        options = self._options(op, "Pool2DOptions")
        step, key = self._keeping(op), self._input(op, 0)
        shape = self.flow.value(step, key).shape
        if len(shape) != 4 or shape[0] != 1:
            raise ModelError(f"{op.where}: expected an image (1, rows, columns, channels), got shape {shape}")
        window = self._window(op, options, shape[1:3], (options.FilterHeight(), options.FilterWidth()))
        kind = MaxPool if op.name == "MAX_POOL_2D" else AveragePool
        self.flow.layer(step, key, kind, window, activation=self._fused(op, options))

    def reduce(self, op: Operator) -> None:
        """MEAN, SUM, REDUCE_MAX, REDUCE_MIN over constant axes."""
        options = op.options("ReducerOptions")
        step = self._keeping(op) if op.name.startswith("REDUCE") else self._step(op)
        key = self._input(op, 0)
        shape = self.flow.value(step, key).shape
        axes = {self._axis(op, axis, len(shape)) for axis in self._whole(op, step, 1, "its axes")}
        kept = [1 if axis in axes else n for axis, n in enumerate(shape)]
        dropped = [n for axis, n in enumerate(shape) if axis not in axes]
        inner = len(shape) - len(without_batch(shape))  # 1 if a batch axis of 1 stands in front
        if not inner and 0 in axes and len(shape) > 1 and self.flow.batch is not None:
            raise ModelError(f"{op.where}: axes {sorted(axes)} of shape {shape}: its batch is not reduced")
        within = tuple(sorted(axis - inner for axis in axes if axis >= inner))
        if within:
            self.flow.layer(step, key, Reduce, REDUCTIONS[op.name], within)
        else:  # its batch of 1 only: nothing, but for the scale
            self._requantized(step, key)
        target = kept if options is not None and options.KeepDims() else dropped
        made = self.flow.values[step.output]
        self.flow.values[step.output] = self.flow.reshaped(step, made, tuple(target) or (1,))

    def arg_max(self, op: Operator) -> None:
        """ARG_MAX along the last axis."""
        step, key = self._step(op, computed=False), self._input(op, 0)
        rank = len(self.flow.value(step, key).shape)
        axis = self._whole(op, step, 1, "its axis", 1)
        if [self._axis(op, a, rank) for a in axis] != [rank - 1]:
            raise ModelError(f"{op.where}: axis {axis} of {rank} axes is not supported; supported: the last")
        if self.file.tensor(key).dtype == "int8":
            step = replace(step, dtype="int16", quantization=Quantization(1.0))
        self.flow.layer(step, key, ArgMax)


OPERATORS = {
    **dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D"), Pools.pool),
    **dict.fromkeys(REDUCTIONS, Pools.reduce),
    "ARG_MAX": Pools.arg_max,
}
