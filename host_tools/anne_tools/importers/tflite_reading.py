"""What every TensorFlow Lite operator's method needs: its step in the flow, its inputs, what its scales must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

import numpy as np

from ..errors import ModelError
from ..layers import Clip, Quantize
from ..network.tensor import Quantization
from .flow import Flow, Step
from .tflite_files import FUSED_ACTIVATIONS, INT4, FileTensor, Operator, TfliteFile

WHOLE = ("int32", "int64")


class Reading:
    """Operators read and write the values of `flow`, which are named by their tensor's index in the file."""

    def __init__(self, file: TfliteFile, flow: Flow):
        self.file, self.flow = file, flow
        self.clipped: set[int] = set()  # operators whose fused activation becomes a layer behind
        self.ends = Counter(file.outputs)
        self.uses = Counter(i for op in file.operators for i in op.inputs) + self.ends

    def load(self, op: Operator) -> None:
        """Constants of the file that `op` reads become constants of the flow."""
        for index in op.inputs:
            if index < 0 or index in self.flow.values or index in self.flow.constants:
                continue
            if (data := self.file.tensor(index).data) is not None:
                self.flow.constants[index] = data

    def finish(self, op: Operator) -> None:
        """Limit what `op` has made to -1 and 1, if it is one of `clipped`."""
        if op.index in self.clipped:
            output = self.file.tensor(op.outputs[0])
            step = Step(op.index, op.name, _short(output.name), output.index, *type_of(output))
            self.flow.layer(step, output.index, Clip, -1.0, 1.0)

    def _step(self, op: Operator, computed: bool = True, position: int = 0) -> Step:
        """Return the operator as a step, with the type of its output if that is `computed` rather than a constant."""
        index = op.outputs[position]
        output = self.file.tensor(index)
        if index in self.flow.values or index in self.flow.constants:
            raise ModelError(f"{op.where}: its output, tensor {index}, is computed twice")
        return Step(op.index, op.name, _short(output.name), index, *(type_of(output) if computed else ()))

    def _input(self, op: Operator, position: int) -> int:
        if position >= len(op.inputs) or op.inputs[position] < 0:
            raise ModelError(f"{op.where}: its input {position} is missing")
        return op.inputs[position]

    def _is_constant(self, op: Operator, position: int) -> bool:
        return self._input(op, position) in self.flow.constants

    def _whole(self, op: Operator, step: Step, position: int, what: str, most: int = 8) -> list[int]:
        """Return the whole numbers of a constant input, at most as many as a tensor has axes."""
        given = self.flow.constant(step, self._input(op, position), what)
        if given.dtype.kind not in "iu" or given.size > most:
            raise ModelError(
                f"{op.where}: {what}: expected at most {most} whole numbers, got {given.size} of {given.dtype}"
            )
        return [int(number) for number in given.reshape(-1)]

    def _axis(self, op: Operator, axis: int, rank: int) -> int:
        """Return `axis` counted from the front; ModelError if there is none."""
        if not -rank <= axis < rank:
            raise ModelError(f"{op.where}: axis {axis} of {rank} axes does not exist")
        return axis % rank

    def _quantization(self, op: Operator, key: int) -> tuple[float, int] | None:
        q = self.file.tensor(key).quantization
        return None if q is None else (float(q.scale[0]), q.zero_point)

    def _demand(self, step: Step, demanded: tuple[float, int] | None) -> None:
        """ModelError if an output of integers has another scale or zero point than its operator gives."""
        if demanded is None or step.dtype == "float32":
            return
        scale, zero_point = float(step.quantization.scale[0]), step.quantization.zero_point
        if abs(scale - demanded[0]) > 1e-3 * demanded[0] or zero_point != demanded[1]:
            raise ModelError(
                f"{step.where}: expected an output of scale {demanded[0]:g} and zero point {demanded[1]}, "
                f"got {scale:g} and {zero_point}"
            )

    def _keeping(self, op: Operator, position: int = 0, output: int = 0) -> Step:
        """Return the step of an operator whose integers mean the same as those of input `position`."""
        step = self._step(op, position=output)
        if step.dtype != "float32":
            self._demand(step, self._quantization(op, self._input(op, position)))
        return step

    def _requantized(self, step: Step, key: Hashable) -> None:
        """The same real values under another scale: of int8 by a table, of int16 by a factor, as a table has lines."""
        if step.dtype == "int16":
            self.flow.layer(step, key, Quantize)
        else:
            self.flow.activation(step, key, "linear")

    def _fused(self, op: Operator, options) -> str:
        number = options.FusedActivationFunction() if options is not None else 0
        name = FUSED_ACTIVATIONS.get(number, str(number))
        if name == "RELU_N1_TO_1":
            self.clipped.add(op.index)
            return "linear"
        if name not in ("linear", "relu", "relu6"):
            raise ModelError(
                f"{op.where}: fused activation {name} is not supported; supported: NONE, RELU, RELU6, "
                "RELU_N1_TO_1"
            )
        return name

    def _options(self, op: Operator, title: str):
        """Return the options of an operator that has none by default."""
        options = op.options(title)
        if options is None:
            raise ModelError(f"{op.where}: its options are missing")
        return options


def type_of(tensor: FileTensor) -> tuple[str, Quantization | None]:
    """Return the type and quantisation of a value that flows; ModelError but for float32, int8 and int16."""
    where = f"tensor {tensor.index} ({tensor.name})"
    if tensor.dtype == "float32":
        return "float32", None
    if tensor.dtype not in ("int8", "int16") or tensor.stored == INT4:
        raise ModelError(
            f"{where}: expected float32, or int8, uint8 or int16 with a scale, got {tensor.stored}"
        )
    q = tensor.quantization
    if q is None or q.scale.size != 1:
        raise ModelError(f"{where}: expected one scale for an {tensor.dtype} tensor")
    if tensor.dtype == "int16" and q.zero_point:
        raise ModelError(f"{where}: expected zero point 0 for an int16 tensor, got {q.zero_point}")
    return tensor.dtype, q


def real_values(values: np.ndarray, tensor: FileTensor, quantization: Quantization | None) -> np.ndarray:
    """Return the float32 values of a constant, quantised (one scale, or one a slice along an axis) or float16."""
    values = values.astype(np.float32)
    if quantization is None:
        return values
    scale = quantization.scale
    if scale.size > 1:
        scale = scale.reshape([-1 if axis == tensor.scale_axis else 1 for axis in range(values.ndim)])
    return ((values - quantization.zero_point) * scale).astype(np.float32)


def _short(name: str) -> str:
    """Return the layer's name out of TensorFlow's path: "model/dense_1/MatMul;model/dense_1/BiasAdd" is dense_1."""
    parts = name.partition(";")[0].split("/")
    return (parts[-2] if len(parts) > 1 else parts[0])[:40] or "tensor"
