"""TensorFlow Lite operators that work element by element: activations, arithmetic, limits, and changes of type."""

from __future__ import annotations

from ..errors import ModelError
from ..network.tflm import LOGISTIC_OUTPUT, SOFTMAX_OUTPUT, TANH_OUTPUT
from .tflite_files import Operator
from .tflite_reading import Reading, real_values

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


class Arithmetic(Reading):
    """Their methods."""

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
            tensor = self.file.tensor(key)
            self.flow.constants[step.output] = self.flow.fold(
                step, real_values, self.flow.constants[key], tensor, tensor.quantization
            )
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


OPERATORS = {
    "QUANTIZE": Arithmetic.quantize,
    "DEQUANTIZE": Arithmetic.dequantize,
    **dict.fromkeys(ARITHMETIC, Arithmetic.arithmetic),
    **dict.fromkeys(ACTIVATIONS, Arithmetic.activation),
}
