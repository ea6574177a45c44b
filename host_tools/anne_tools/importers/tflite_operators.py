"""What each TensorFlow Lite operator does to the flow: one method an operator, named in OPERATORS."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np

from ..errors import ModelError
from ..network.tensor import Quantization
from ..network.tflm import LOGISTIC_OUTPUT, SOFTMAX_OUTPUT, TANH_OUTPUT
from .flow import Flow, Step
from .tflite_files import FUSED_ACTIVATIONS, FileTensor, Operator, TfliteFile

# Operators that become an Activation; with an int8 output, the scale and zero point that TFLite demands of it.
ACTIVATIONS = {
    "RELU": ("relu", None),
    "RELU6": ("relu6", None),
    "LEAKY_RELU": ("leaky_relu", None),
    "ELU": ("elu", None),
    "LOGISTIC": ("sigmoid", LOGISTIC_OUTPUT),
    "TANH": ("tanh", TANH_OUTPUT),
    "HARD_SWISH": ("hard_swish", None),
    "GELU": ("gelu", None),
    "SOFTMAX": ("softmax", SOFTMAX_OUTPUT),
}
ARITHMETIC = {"ADD": "+", "SUB": "-", "MUL": "*", "DIV": "/"}


class Operators:
    """The operators that are supported; they read and write the values of `flow`, which are named by their tensor's
    index in the file."""

    def __init__(self, file: TfliteFile, flow: Flow):
        self.file, self.flow = file, flow
        self.ends = Counter(file.outputs)
        self.uses = Counter(i for op in file.operators for i in op.inputs) + self.ends

    def fully_connected(self, op: Operator) -> None:
        """output = activation(weights @ input + bias), the input flattened."""
        options = op.options("FullyConnectedOptions")
        if options is not None and options.WeightsFormat():
            raise ModelError(f"{op.where}: weights in a shuffled format are not supported")
        step, key = self._step(op), self._input(op, 0)
        weights = self._centred_weights(op, self.flow.constant(step, self._input(op, 1), "its weights"))
        x = self.flow.value(step, key)
        if weights.ndim == 2 and math.prod(x.shape) == weights.shape[1]:
            self.flow.values[key, "flat"] = self.flow.reshaped(step, x, (1, weights.shape[1]))
            key = (key, "flat")
        quantization = None if weights.dtype.kind == "f" else self._scale_of_weights(op)
        if step.dtype == "int8" and quantization is None:
            raise ModelError(f"{op.where}: expected int8 weights for an int8 input, got {weights.dtype}")
        bias = self._bias(op, step, quantization)
        self.flow.dense(step, key, weights, bias, self._fused(op, options), quantization)
        declared, made = self.file.tensor(step.output).shape, self.flow.values[step.output]
        if math.prod(declared) == math.prod(made.shape):  # as keep_num_dims has it
            self.flow.values[step.output] = self.flow.reshaped(step, made, declared)

    def _scale_of_weights(self, op: Operator) -> Quantization:
        weights = self.file.tensor(op.inputs[1])
        if weights.dtype != "int8" or weights.quantization is None:
            raise ModelError(f"{op.where}: expected int8 weights with a scale")
        return Quantization(weights.quantization.scale)

    def _centred_weights(self, op: Operator, weights: np.ndarray) -> np.ndarray:
        """Return int8 weights with their zero point taken off; ModelError where they do not fit int8 then."""
        q = self.file.tensor(op.inputs[1]).quantization
        if q is None or not q.zero_point or weights.dtype != np.int8:
            return weights
        centred = weights.astype(np.int16) - q.zero_point
        if centred.size and not -128 <= centred.min() <= centred.max() <= 127:
            raise ModelError(
                f"{op.where}: its weights are up to {np.abs(centred).max()} steps from their zero point, supported are "
                "127; quantise the float model anew with a converter of today"
            )
        return centred.astype(np.int8)

    def _bias(self, op: Operator, step: Step, weights: Quantization | None) -> np.ndarray | None:
        """Return the bias, or None; an int32 one must have the scale of input times weights, as TFLite Micro checks."""
        if len(op.inputs) < 3 or op.inputs[2] < 0:
            return None
        bias = self.flow.constant(step, op.inputs[2], "its bias")
        if bias.dtype.kind != ("i" if step.dtype == "int8" else "f"):
            raise ModelError(f"{op.where}: a bias of {bias.dtype} does not go with {step.dtype} outputs")
        given, x = self.file.tensor(op.inputs[2]).quantization, self.file.tensor(op.inputs[0]).quantization
        if step.dtype == "int8" and given is not None and x is not None:
            off = np.abs(x.scale * weights.scale - given.scale) / step.quantization.scale
            if off.max() > 0.02:
                raise ModelError(f"{op.where}: the scale of the bias is not that of input times weights")
        return bias

    def activation(self, op: Operator) -> None:
        """An activation of its own, float32 or int8."""
        step, key = self._step(op), self._input(op, 0)
        name, demanded = ACTIVATIONS[op.name]
        if name == "relu6" and step.dtype == "int8":
            demanded = self._quantization(op, key)
        self._demand(step, demanded)
        if name == "softmax":
            options = op.options("SoftmaxOptions")
            if options is None or options.Beta() != 1.0:
                raise ModelError(
                    f"{op.where}: beta {options.Beta() if options else 0} is not supported; supported: 1"
                )
            return self.flow.softmax(step, key, -1)
        alpha = 1.0 if name == "elu" else 0.0
        if name == "leaky_relu":
            options = op.options("LeakyReluOptions")
            alpha = float(options.Alpha()) if options is not None else 0.0
        if name == "gelu" and (options := op.options("GeluOptions")) is not None and options.Approximate():
            self.flow.notes.append("gelu: the tanh approximation became the exact form (at most 0.0005 off)")
        self.flow.activation(step, key, name, alpha)

    def reshape(self, op: Operator) -> None:
        """RESHAPE to constant dimensions, of which one may be -1; SQUEEZE, EXPAND_DIMS as the output's shape says."""
        step, key = self._step(op), self._input(op, 0)
        target = self.file.tensor(step.output).shape
        options = op.options("ReshapeOptions") if op.name == "RESHAPE" else None
        if op.name == "RESHAPE" and len(op.inputs) > 1 and op.inputs[1] >= 0:
            target = self.flow.constant(step, op.inputs[1], "its shape").reshape(-1)[:9]
        elif options is not None and 0 < options.NewShapeLength() < 9:
            target = [options.NewShape(i) for i in range(options.NewShapeLength())]
        if step.dtype == "int8":
            self._demand(step, self._quantization(op, key))
        self.flow.reshape(step, key, [int(d) for d in target])

    def pad(self, op: Operator) -> None:
        """PAD with zeros, PADV2 with a constant, whose integer means the same as in the input."""
        step, key = self._step(op), self._input(op, 0)
        widths = self.flow.constant(step, self._input(op, 1), "its padding")
        if widths.ndim != 2 or widths.shape[1] != 2 or len(widths) > 8 or widths.dtype.kind != "i":
            raise ModelError(
                f"{op.where}: expected two integers an axis, got {widths.dtype} of shape {widths.shape}"
            )
        if step.dtype == "int8":
            self._demand(step, self._quantization(op, key))
        value = self._padding(op, step) if len(op.inputs) > 2 else 0.0
        self.flow.pad(step, key, [(int(before), int(after)) for before, after in widths], value)

    def _padding(self, op: Operator, step: Step) -> float:
        """Return the real number that PADV2 pads with; as an integer it must have the output's scale."""
        index = self._input(op, 2)
        given, dtype = self.flow.constant(step, index, "its value"), self.file.tensor(index).dtype
        if given.size != 1 or dtype != step.dtype:
            raise ModelError(f"{op.where}: expected one value of {step.dtype}, got {given.size} of {dtype}")
        self._demand(step, self._quantization(op, index))
        return float(_real(given.reshape(1), step.quantization)[0])

    def quantize(self, op: Operator) -> None:
        """QUANTIZE: of a float32 input it is dropped, between int8 tensors it is a change of scale, if any.

        From uint8 to int8, at the ends of many files, there is none.
        """
        key, output = self._input(op, 0), self.file.tensor(op.outputs[0])
        if output.dtype != "int8":
            raise ModelError(f"{op.where}: to {output.dtype} is not supported; supported: int8")
        if self.file.tensor(key).dtype == "int8":
            if self._quantization(op, key) == self._quantization(op, output.index):
                return self.flow.same(self._step(op), key)
            return self.flow.activation(self._step(op), key, "linear")
        if self.uses[key] != 1:
            raise ModelError(f"{op.where}: float32 to int8 is supported at the input only")
        self.flow.quantized_input(self._step(op), key)

    def dequantize(self, op: Operator) -> None:
        """DEQUANTIZE: of a constant it is computed here, before an output it is dropped."""
        step, key = self._step(op), self._input(op, 0)
        if key in self.flow.constants:
            q = self.file.tensor(key).quantization
            self.flow.constants[step.output] = self.flow.fold(step, _real, self.flow.constants[key], q)
            return
        if self.uses[step.output] != self.ends[step.output]:
            raise ModelError(f"{op.where}: int8 to float32 is supported at the output only")
        self.flow.same(step, key)

    def arithmetic(self, op: Operator) -> None:
        """ADD, SUB, MUL, DIV with a constant: a Scaling; ADD of two computed values: an Add; x * LOGISTIC(x): swish."""
        step, keys = self._step(op), (self._input(op, 0), self._input(op, 1))
        fused = self._fused(op, op.options(op.name.title() + "Options"))
        if op.name == "ADD" and not any(key in self.flow.constants for key in keys):
            return self.flow.add(step, *keys, fused)
        if step.dtype != "float32":
            raise ModelError(
                f"{op.where} of int8 tensors is not supported; supported: float32, and ADD of two computed values"
            )
        self.flow.arithmetic(step, ARITHMETIC[op.name], *keys)
        if fused != "linear":
            self.flow.activation(step, step.output, fused)

    # Constants and shapes

    def shape(self, op: Operator) -> None:
        """SHAPE: the constant dimensions of a tensor, of batch 1."""
        step = self._step(op, computed=False)
        self.flow.constants[step.output] = np.array(self.flow.value(step, self._input(op, 0)).shape, np.int64)

    def strided_slice(self, op: Operator) -> None:
        """STRIDED_SLICE of a constant vector, as the reading of one dimension out of a shape needs it."""
        step, options = self._step(op, computed=False), op.options("StridedSliceOptions")
        if options is None:
            raise ModelError(f"{op.where}: its options are missing")
        masks = (options.BeginMask(), options.EndMask(), options.EllipsisMask(), options.NewAxisMask())
        vector, begin, end, stride = (
            self.flow.constant(step, self._input(op, i), f"its input {i}").reshape(-1) for i in range(4)
        )
        if any(masks) or not begin.size == end.size == stride.size == 1 or stride[0] != 1:
            raise ModelError(f"{op.where} is supported for one axis of a constant shape only")
        part = vector[int(begin[0]) : int(end[0])]
        if options.ShrinkAxisMask():
            part = vector[int(begin[0])].reshape(())
        self.flow.constants[step.output] = part

    def pack(self, op: Operator) -> None:
        """PACK: constant numbers to one constant vector."""
        step = self._step(op, computed=False)
        parts = [
            self.flow.constant(step, self._input(op, i), f"its input {i}") for i in range(len(op.inputs))
        ]
        if any(part.size != 1 for part in parts):
            raise ModelError(f"{op.where} is supported for constant numbers only")
        self.flow.constants[step.output] = np.array([int(part.reshape(())) for part in parts], np.int64)

    # Helpers

    def _step(self, op: Operator, computed: bool = True) -> Step:
        """Return the operator as a step, with the type of its output if that is `computed` rather than a constant."""
        output = self.file.tensor(op.outputs[0])
        if op.outputs[0] in self.flow.values or op.outputs[0] in self.flow.constants:
            raise ModelError(f"{op.where}: its output, tensor {op.outputs[0]}, is computed twice")
        return Step(
            op.index, op.name, _short(output.name), op.outputs[0], *(type_of(output) if computed else ())
        )

    def _input(self, op: Operator, position: int) -> int:
        if position >= len(op.inputs) or op.inputs[position] < 0:
            raise ModelError(f"{op.where}: its input {position} is missing")
        return op.inputs[position]

    def _quantization(self, op: Operator, key: int) -> tuple[float, int] | None:
        q = self.file.tensor(key).quantization
        return None if q is None else (float(q.scale[0]), q.zero_point)

    def _demand(self, step: Step, demanded: tuple[float, int] | None) -> None:
        """ModelError if an int8 output has another scale or zero point than its operator gives."""
        if demanded is None or step.dtype != "int8":
            return
        scale, zero_point = float(step.quantization.scale[0]), step.quantization.zero_point
        if abs(scale - demanded[0]) > 1e-3 * demanded[0] or zero_point != demanded[1]:
            raise ModelError(
                f"{step.where}: expected an output of scale {demanded[0]:g} and zero point {demanded[1]}, "
                f"got {scale:g} and {zero_point}"
            )

    def _fused(self, op: Operator, options) -> str:
        number = options.FusedActivationFunction() if options is not None else 0
        name = FUSED_ACTIVATIONS.get(number, str(number))
        if name not in ("linear", "relu", "relu6"):
            raise ModelError(
                f"{op.where}: fused activation {name} is not supported; supported: NONE, RELU, RELU6"
            )
        return name


def type_of(tensor: FileTensor) -> tuple[str, Quantization | None]:
    """Return the type and quantisation of a value that flows; ModelError for other types than float32 and int8."""
    where = f"tensor {tensor.index} ({tensor.name})"
    if tensor.dtype == "float32":
        return "float32", None
    if tensor.dtype != "int8":
        raise ModelError(f"{where}: expected float32, or int8 or uint8 with a scale, got {tensor.dtype}")
    if tensor.quantization is None or tensor.quantization.scale.size != 1:
        raise ModelError(f"{where}: expected one scale for an int8 tensor")
    return "int8", tensor.quantization


def _real(values: np.ndarray, quantization: Quantization | None) -> np.ndarray:
    """Return the float32 values of a constant, quantised (one scale, or one a row) or float16."""
    values = values.astype(np.float32)
    if quantization is None:
        return values
    scale = quantization.scale
    rows = scale.reshape((-1,) + (1,) * (values.ndim - 1)) if scale.size > 1 else scale
    return ((values - quantization.zero_point) * rows).astype(np.float32)


def _short(name: str) -> str:
    """Return the layer's name out of TensorFlow's path: "model/dense_1/MatMul;model/dense_1/BiasAdd" is dense_1."""
    parts = name.partition(";")[0].split("/")
    return (parts[-2] if len(parts) > 1 else parts[0])[:40] or "tensor"


OPERATORS: dict[str, Callable[[Operators, Operator], None]] = {
    "FULLY_CONNECTED": Operators.fully_connected,
    "RESHAPE": Operators.reshape,
    "SQUEEZE": Operators.reshape,
    "EXPAND_DIMS": Operators.reshape,
    "PAD": Operators.pad,
    "PADV2": Operators.pad,
    "QUANTIZE": Operators.quantize,
    "DEQUANTIZE": Operators.dequantize,
    "SHAPE": Operators.shape,
    "STRIDED_SLICE": Operators.strided_slice,
    "PACK": Operators.pack,
    **dict.fromkeys(ARITHMETIC, Operators.arithmetic),
    **dict.fromkeys(ACTIVATIONS, Operators.activation),
}
