"""What the kinds with two operands share: broadcasting as NumPy does it, and a constant in the place of an input."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from math import prod
from typing import Any, ClassVar

import numpy as np
from anne import model_file
from anne.binary import broadcast

from ..errors import ModelError
from ..network.activations import activate, check_activation
from ..network.layer import IN_PLACE, Integers, Layer, Record, Shape, check_finite
from ..network.tensor import Quantization, Tensor, value_quantization
from . import tables
from .activated import alpha_in_file
from .prices import Chip

LEAST_JOINED = 8  # as in native_module/kernels/add.h


class TwoOperands(Layer):
    """What Binary and Prelu have in common; the fields of Binary stand in either, or properties of their names."""

    place: ClassVar[str] = IN_PLACE

    @property
    def is_quantized(self) -> bool:
        return self.constant_quantization is not None

    # --- What it means

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        check_activation(self.activation, self.alpha, where)
        shapes = list(map(tuple, shapes))
        if self.constant is not None:
            if self.constant.ndim > 4 or self.constant.size == 0:
                got = self.constant.shape
                raise ModelError(
                    f"{where}: expected a constant of at most 4 dimensions and not empty, got {got}"
                )
            check_finite(self.constant, where, "values of the constant")
            shapes.insert(0 if self.constant_first else 1, _bare(self.constant.shape))
        made = broadcast(*shapes)
        if made is None:
            raise ModelError(
                f"{where}: expected shapes that are equal, or of which one has 1, on each axis, got {shapes[0]} and "
                f"{shapes[1]}"
            )
        return [made]

    def joined(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return what the kind makes of its operands, real numbers."""
        raise NotImplementedError

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        operands = list(x)
        if self.constant is not None:
            constant = self._real_constant().astype(x[0].dtype)
            operands.insert(0 if self.constant_first else 1, constant.reshape(1, *_bare(constant.shape)))
        rank = max(array.ndim for array in operands)
        a, b = (_lifted(array, rank) for array in operands)
        return [activate(self.activation, self.joined(a, b), self.alpha)]

    def _real_constant(self) -> np.ndarray:
        q = self.constant_quantization
        return self.constant if q is None else (self.constant.astype(np.float64) - q.zero_point) * q.scale[0]

    # --- Its integers

    def finest(self, a: float, b: float, dtype: str) -> float:
        """Return the scale that the output must be above for operands of these scales."""
        raise NotImplementedError

    def factors(self, a: float, b: float, output: float, dtype: str) -> list[int]:
        """Return the words of parameters on integers for these scales, but for the limits."""
        raise NotImplementedError

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        """As any layer, but with an output no finer than the kernel can have it: where sums cancel to so little, it is
        the rounding of the inputs."""
        _, (target,) = super().quantized(sources, targets, into)
        layer = self if self.constant is None else self._with_integers(into.dtype)
        finest = layer.finest(*layer._scales(sources), into.dtype) * (
            1 + 2.0**-20
        )  # above it as float32, too
        if target.quantization.scale[0] < finest:
            coarser = Quantization(np.float32(finest), target.quantization.zero_point)
            target = replace(target, quantization=coarser)
        return layer, [target]

    def _with_integers(self, dtype: str) -> TwoOperands:
        real, limits = self._real_constant(), np.iinfo(dtype)
        q = value_quantization(float(real.min()), float(real.max()), dtype)
        integers = np.clip(np.rint(real / q.scale[0]) + q.zero_point, limits.min, limits.max)
        return self.with_constant(integers.astype(dtype), q)

    def with_constant(self, constant: np.ndarray, quantization: Quantization) -> TwoOperands:
        """Return it with integers as constant."""
        raise NotImplementedError

    def _scales(self, sources: list[Tensor]) -> list[float]:
        scales = [float(tensor.quantization.scale[0]) for tensor in sources]
        if self.constant is not None:
            scales.insert(0 if self.constant_first else 1, float(self.constant_quantization.scale[0]))
        return scales

    # --- In the file

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (target,) = targets
        dtypes = [tensor.dtype for tensor in (*sources, target)]
        constants, words = [], []
        if self.constant is not None:
            constants, words, dtype = self._constant_in_file()
            dtypes.append(dtype)
        if len(set(dtypes)) > 1:
            raise ModelError(f"{self.name}: expected values of one type, got {', '.join(dtypes)}")
        parameters = []
        if target.dtype != "float32":
            scales = (*self._scales(sources), float(target.quantization.scale[0]))
            parameters = [*self.factors(*scales, target.dtype), *tables.limits(self.activation, target)]
        return Record(self.kind, self.activation, alpha_in_file(self), constants, [*parameters, *words])

    def _constant_in_file(self) -> tuple[list[bytes], list[int], str]:
        """Return constants, words of parameters that tell of it, and its type."""
        q = self.constant_quantization
        array = self.constant.astype("<f4") if q is None else self.constant
        shape = _bare(array.shape)
        words = [0 if self.constant_first else 1, q.zero_point if q else 0, *[1] * (4 - len(shape)), *shape]
        return [array.astype(array.dtype.newbyteorder("<")).tobytes()], words, str(array.dtype)

    # --- What it costs

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        """Tensors of one shape; then one with a number a column, a number a row, and a number for all."""
        builder.add(cls, "timed", inputs=inputs)
        builder.reshape("rows", (-1, 4 if inputs[0].size % 4 == 0 else 1))
        for shape in (builder.last.shape[1:], (builder.last.shape[0], 1), (1,)):
            cls.timed_constant(builder, np.linspace(0.5, 1.5, prod(shape), dtype=np.float32).reshape(shape))

    @classmethod
    def timed_constant(cls, builder: Any, constant: np.ndarray) -> None:
        """Append a layer with that operand."""
        builder.add(cls, "timed constant", constant=constant)

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        """Elements, and rows of them along which both operands go on, or one has a single value; those of int8 that are
        computed the exact way by themselves.
        """
        n, (row, repeated) = layer.outputs[0].size, cls.row_of(layer)
        if layer.outputs[0].dtype == "int8" and not cls.joins(layer, row, repeated):
            return {"exact": n, "run": n // row}
        return {"n_out": n, "row": n // row}

    @classmethod
    def joins(cls, layer: model_file.Layer, row: int, repeated: tuple[bool, bool]) -> bool:
        """Return whether a row of int8 is computed the quick way; a kind that has but one says so of all."""
        return True

    @classmethod
    def row_of(cls, layer: model_file.Layer) -> tuple[int, tuple[bool, bool]]:
        """Return the elements of a row, and of which operands it has a single value."""
        y = layer.outputs[0].shape
        shapes = [tuple(tensor.shape) for tensor in layer.inputs]
        if len(shapes) == 1:
            shapes.append(tuple(layer.parameters[-len(y) :]))  # of the constant, with 1 in front
        shapes = [(1,) * (len(y) - len(shape)) + shape for shape in shapes]
        axes = [((shapes[0][i] != n, shapes[1][i] != n), n) for i, n in enumerate(y) if n > 1]
        repeated = axes[-1][0] if axes else (False, False)
        return prod(n for _, n in takewhile(lambda axis: axis[0] == repeated, reversed(axes))), repeated

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Chip) -> float:
        return super().cycles(layer, chip) + chip.activation_cycles(layer)


@dataclass
class Binary(TwoOperands):
    """output = activation(a ? b), `a` and `b` being the inputs in order, or one of them the `constant`.

    The shape of either may have 1, or no axis, where the other has more. `alpha` as in Activation. The constant is b,
    or a if `constant_first`; its shape is without a batch axis; with `constant_quantization` it holds integers.
    """

    activation: str = "linear"
    alpha: float = 0.0
    constant: np.ndarray | None = None
    constant_first: bool = False
    constant_quantization: Quantization | None = None

    n_inputs: ClassVar[int | None] = 2

    def __post_init__(self):
        super().__post_init__()
        if self.constant is not None:
            self.n_inputs, self.constant = 1, np.asarray(self.constant)

    def with_constant(self, constant: np.ndarray, quantization: Quantization) -> Binary:
        return replace(self, constant=constant, constant_quantization=quantization)


def _bare(shape: Shape) -> Shape:
    """Return the shape without leading axes of 1; (1,) of a number."""
    shape = tuple(int(n) for n in shape) or (1,)
    return _bare(shape[1:]) if len(shape) > 1 and shape[0] == 1 else shape


def _lifted(array: np.ndarray, rank: int) -> np.ndarray:
    """Return samples with axes of 1 behind the first, so that they have `rank` in all."""
    return array.reshape(len(array), *[1] * (rank - array.ndim), *array.shape[1:])
