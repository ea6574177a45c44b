"""Layer normalisation as TensorFlow's converter spells it out, found before operators are read: one layer.

    m = MEAN(x)                 along the last axis
    g = RSQRT(MEAN(SQUARED_DIFFERENCE(x, m)) + epsilon) * gamma
    y = x * g + (beta - m * g)  or x * g + (NEG(m) * g + beta)

Quantised files have the same, with changes of type around what TensorFlow Lite has no integers for. Their integers in
between are not kept: the layer has floats, and is rounded once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ModelError
from ..layers import LayerNorm, Quantize
from .tflite_batches import Batches
from .tflite_files import Operator
from .tflite_reading import real_values

CASTS = ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class Norm:
    """One that was found: its operators, the last of which makes its output; its input; tensors, -1 if left out."""

    parts: tuple[Operator, ...]
    last: Operator
    x: int
    epsilon: int
    gamma: int
    beta: int


class Norms(Batches):
    """The method of those that were found."""

    def __init__(self, file, flow):
        super().__init__(file, flow)
        self.makers = {index: op for op in file.operators for index in op.outputs}
        self.norms: dict[int, Norm] = {}  # by the operator that ends it
        for op in file.operators:
            if op.name == "SQUARED_DIFFERENCE" and (norm := self._norm(op)) is not None:
                self.norms[norm.last.index] = norm
                self.done |= {part.index for part in norm.parts} - {norm.last.index}

    def layer_norm(self, op: Operator) -> None:
        """A layer normalisation that ends with `op`."""
        norm, step = self.norms[op.index], self._step(op)
        size = self.flow.value(step, norm.x).shape[-1]
        gamma, beta, epsilon = (
            self._real(op, index, default, size)
            for index, default in ((norm.gamma, 1.0), (norm.beta, 0.0), (norm.epsilon, 0.0))
        )
        kind, constants = LayerNorm, (gamma, beta, float(epsilon[0]))
        if step.dtype == "float32":
            self.flow.layer(step, norm.x, kind, *constants)
            return
        as_float, normed = (
            replace(step, output=(step.output, what), dtype="float32", quantization=None)
            for what in ("float", "normed")
        )
        self.flow.layer(as_float, norm.x, Quantize)
        self.flow.layer(normed, as_float.output, kind, *constants)
        self.flow.layer(step, normed.output, Quantize)

    def _real(self, op: Operator, index: int, default: float, size: int) -> np.ndarray:
        """Return a constant of one number, or of `size`, as that many."""
        if index < 0:
            return np.full(size, default, np.float32)
        tensor = self.file.tensor(self._stored(index))
        if tensor.data is None or tensor.data.size not in (1, size):
            raise ModelError(
                f"{op.where}: expected constants of 1 or {size} numbers, got shape {tensor.shape}"
            )
        real = real_values(tensor.data, tensor, tensor.quantization).reshape(-1)
        return np.broadcast_to(real, (size,)).copy()

    def _norm(self, square: Operator) -> Norm | None:
        """Return the layer normalisation around a SQUARED_DIFFERENCE, None if it is no part of one."""
        if len(square.inputs) != 2:
            return None
        x, m = square.inputs
        mean = self.makers.get(m)
        if mean is None or mean.name != "MEAN" or mean.inputs[:1] != (x,):
            return None
        variance = self._only(square, "MEAN")
        total = self._only(variance, "ADD")
        root = self._only(total, "RSQRT")
        if root is None or not self._along_last(mean, x) or not self._along_last(variance, x):
            return None
        epsilon = self._other(total, variance.outputs[0])
        if not self._is_constant_tensor(epsilon):
            return None
        parts, gamma, g = [mean, square, variance, total, root], -1, root.outputs[0]
        scaled = self._only(root, "MUL")
        if scaled is not None and self._is_constant_tensor(self._other(scaled, g)):
            parts, gamma, g = [*parts, scaled], self._other(scaled, g), scaled.outputs[0]
        return self._ends(parts, x, m, g, epsilon, gamma)

    def _ends(self, parts: list[Operator], x: int, m: int, g: int, epsilon: int, gamma: int) -> Norm | None:
        """Return the whole, whose factor is g, if it is one."""
        products = {self._other(op, g): op for op in self.readers.get(g, []) if op.name == "MUL"}
        if len(products) != 2 or x not in products or self.ends[g] or self.uses[g] != 2:
            return None
        (of_mean,) = products.keys() - {x}
        casts, source = self._cast_from(of_mean)
        negative = self.makers.get(source)
        if negative is not None and negative.name == "NEG":
            more, source = self._cast_from(negative.inputs[0])
            casts = [*casts, negative, *more]
        if source != m:
            return None
        shift, beta = self._only(products[of_mean], "ADD" if negative in casts else "SUB"), -1
        parts = [*parts, *casts, *products.values()]
        last = self._only(products[x], "ADD")
        if shift is not None and shift is not last:
            beta = self._other(shift, products[of_mean].outputs[0])
            if not self._is_constant_tensor(beta) or (shift.name == "SUB" and shift.inputs[0] != beta):
                return None
            parts.append(shift)
        if last is None or last not in self.readers.get((shift or last).outputs[0], [last]):
            return None
        made = {index for part in parts for index in part.outputs}
        reading = {op.index for index in made for op in self.readers.get(index, [])}
        inside = {part.index for part in parts} | {last.index}
        if reading - inside or any(self.ends[index] for index in made):
            return None
        return Norm((*parts, last), last, x, epsilon, gamma, beta)

    # Helpers

    def _only(self, op: Operator | None, name: str) -> Operator | None:
        """Return the operator of that name that alone reads what `op` makes."""
        readers = self.readers.get(op.outputs[0], []) if op is not None and op.outputs else []
        return readers[0] if len(readers) == 1 and readers[0].name == name and readers[0].outputs else None

    def _other(self, op: Operator, index: int) -> int:
        """Return the input of two that is not `index`."""
        others = [i for i in op.inputs if i != index]
        return others[0] if len(others) == 1 and len(op.inputs) == 2 else -1

    def _is_constant_tensor(self, index: int) -> bool:
        return self._stored(index) >= 0 and self.file.tensor(self._stored(index)).data is not None

    def _stored(self, index: int) -> int:
        """Return the tensor that the file has for a constant, which may be there in another type."""
        op = self.makers.get(index)
        return op.inputs[0] if op is not None and op.name == "DEQUANTIZE" and op.inputs else index

    def _cast_from(self, index: int) -> tuple[list[Operator], int]:
        """Return the changes of type that lead to a tensor, at most two, and where they begin."""
        casts = []
        while (
            (op := self.makers.get(index)) is not None and op.name in CASTS and op.inputs and len(casts) < 2
        ):
            casts.append(op)
            index = op.inputs[0]
        return casts, index

    def _along_last(self, mean: Operator, x: int) -> bool:
        """Whether a MEAN goes along the last axis of a tensor as large as x, and keeps the axis."""
        options, rank = mean.options("ReducerOptions"), len(self.file.tensor(x).shape)
        axes = self.file.tensor(mean.inputs[1]).data if len(mean.inputs) == 2 else None
        if options is None or not options.KeepDims() or axes is None or axes.size != 1:
            return False
        return int(axes.reshape(())) in (-1, rank - 1)
