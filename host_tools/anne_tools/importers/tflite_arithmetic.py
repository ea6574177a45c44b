"""TensorFlow Lite operators that work element by element: activations, arithmetic, limits, and changes of type."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..layers import Clip, Prelu, Quantize, Subtract, room, tables
from ..network.tensor import Quantization
from ..network.tflm import LOG_SOFTMAX_OUTPUT, LOGISTIC_OUTPUT, SOFTMAX_OUTPUT, TANH_OUTPUT
from .flow import Step
from .flow_values import without_batch
from .tflite_files import Operator
from .tflite_reading import WHOLE, Reading, real_values

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
    "LOG_SOFTMAX": ("log_softmax", LOG_SOFTMAX_OUTPUT),
    "EXP": ("exp", None),
    "LOG": ("log", None),
    "SQRT": ("sqrt", None),
    "RSQRT": ("rsqrt", None),
    "ABS": ("abs", None),
    "NEG": ("negative", None),
    "SQUARE": ("square", None),
}

ARITHMETIC = {"ADD": "+", "SUB": "-", "MUL": "*", "DIV": "/"}
KINDS = {"ADD": "add", "SUB": "subtract", "MUL": "multiply"}
CLIPS = {"RELU_N1_TO_1": (-1.0, 1.0), "RELU_0_TO_1": (0.0, 1.0)}


class Arithmetic(Reading):
    """Their methods."""

    def activation(self, op: Operator) -> None:
        """An activation of its own, float32 or int8."""
        step, key = self._step(op), self._input(op, 0)
        name, demanded = ACTIVATIONS[op.name]
        if step.dtype == "int16":
            return self._activation_of_int16(op, step, key, name)
        if name == "relu6" and step.dtype == "int8":
            demanded = self._quantization(op, key)
        self._demand(step, demanded)
        self._curve(op, step, key, name)

    def _curve(self, op: Operator, step: Step, key: int, name: str) -> None:
        if name == "log_softmax":
            return self.flow.softmax(step, key, -1, name)
        if name == "softmax":
            options = op.options("SoftmaxOptions")
            if options is None or options.Beta() != 1.0:
                raise ModelError(
                    f"{op.where}: beta {options.Beta() if options else 0} is not supported; supported: 1"
                )
            return self.flow.softmax(step, key, -1)
        if name == "negative" and step.dtype == "float32":
            return self.flow.scaling(step, key, -1.0, 0.0)  # which weights take in
        alpha = 1.0 if name == "elu" else 0.0
        if name == "leaky_relu":
            options = op.options("LeakyReluOptions")
            alpha = float(options.Alpha()) if options is not None else 0.0
        if name == "gelu" and (options := op.options("GeluOptions")) is not None and options.Approximate():
            self.flow.notes.append("gelu: the tanh approximation became the exact form (at most 0.0005 off)")
        self.flow.activation(step, key, name, alpha)

    def _activation_of_int16(self, op: Operator, step: Step, key: int, name: str) -> None:
        """On int16: what bends at 0 by factors, as the interpreter has it; curves by our own table."""
        if name in ("relu", "relu6"):
            rescaled = replace(step, output=(step.output, "rescaled"))
            if self._quantization(op, key) == self._quantization(op, step.output):
                rescaled = replace(rescaled, output=key)
            else:
                self._requantized(rescaled, key)
            return self.flow.layer(step, rescaled.output, Clip, 0.0, 6.0 if name == "relu6" else np.inf)
        if name == "leaky_relu":
            slopes = np.ones(self.flow.value(step, key).shape[-1], np.int16)  # of the scale alpha
            alpha = op.options("LeakyReluOptions").Alpha()
            return self.flow.layer(step, key, Prelu, slopes, Quantization(alpha))
        if name == "log_softmax":
            raise ModelError(f"{op.where} of int16 values is not supported; supported: float32, int8")
        if name in tables.FIXED_OUTPUT:
            self._demand(step, tables.FIXED_OUTPUT[name]["int16"])
        note = f"{name} on int16: a table of its own, a few steps of its output off TensorFlow Lite Micro's"
        if note not in self.flow.notes:
            self.flow.notes.append(note)
        self._curve(op, step, key, name)

    # Changes of type

    def quantize(self, op: Operator) -> None:
        """QUANTIZE: of a float32 input it is dropped, between int8 tensors it is a change of scale, if any.

        From uint8 to int8, at the ends of many files, there is none.
        """
        key, output = self._input(op, 0), self.file.tensor(op.outputs[0])
        if output.dtype not in ("int8", "int16"):
            raise ModelError(f"{op.where}: to {output.dtype} is not supported; supported: int8, int16")
        step = self._step(op)
        if self.file.tensor(key).dtype == output.dtype:
            if self._quantization(op, key) == self._quantization(op, output.index):
                return self.flow.same(step, key)
            return self._requantized(step, key)
        if self.uses[key] == 1 and key in self.file.inputs:
            return self.flow.quantized_input(step, key)
        self.flow.layer(step, key, Quantize)

    def dequantize(self, op: Operator) -> None:
        """DEQUANTIZE: of a constant it is computed here, before an output it is dropped."""
        step, key = self._step(op), self._input(op, 0)
        if key in self.flow.constants:
            tensor = self.file.tensor(key)
            self.flow.constants[step.output] = self.flow.fold(
                step, real_values, self.flow.constants[key], tensor, tensor.quantization
            )
        elif self.uses[step.output] == self.ends[step.output]:
            self.flow.same(step, key)
        else:
            self.flow.layer(step, key, Quantize)

    # Two operands

    def arithmetic(self, op: Operator) -> None:
        """ADD, SUB, MUL, DIV: float32 with a constant is a Scaling; x * LOGISTIC(x) is swish; else a layer."""
        keys = self._input(op, 0), self._input(op, 1)
        if self.file.tensor(op.outputs[0]).dtype in WHOLE:
            return self._whole_numbers(op)
        step, title = self._step(op), op.name.title() + "Options"
        fused, on_left = self._fused(op, op.options(title)), keys[0] in self.flow.constants
        if not any(key in self.flow.constants for key in keys):
            return self._of_two(op, step, fused)
        if step.dtype == "float32" and not self._spreads(keys, on_left):
            self.flow.arithmetic(step, ARITHMETIC[op.name], *keys)
            if fused != "linear":
                self.flow.activation(step, step.output, fused)
            return
        if op.name not in KINDS:
            raise ModelError(f"{op.where} of {step.dtype} tensors is not supported; supported: float32")
        index = keys[0 if on_left else 1]
        constant, tensor = self.flow.constant(step, index, "its constant"), self.file.tensor(index)
        if tensor.dtype != step.dtype or (step.dtype != "float32" and tensor.quantization is None):
            raise ModelError(f"{op.where}: a constant of {tensor.dtype} does not go with {step.dtype} values")
        self.flow.layer(
            step,
            keys[1 if on_left else 0],
            room(KINDS[op.name]),
            fused,
            constant=constant.reshape(without_batch(constant.shape)),
            constant_first=on_left,
            constant_quantization=None if step.dtype == "float32" else tensor.quantization,
        )

    def _spreads(self, keys: tuple[int, int], on_left: bool) -> bool:
        """Whether the value becomes larger by the constant's shape."""
        x, constant = (
            self.flow.values.get(keys[1 if on_left else 0]),
            self.flow.constants[keys[0 if on_left else 1]],
        )
        if x is None:
            return False  # which flow refuses
        try:
            made = np.broadcast_shapes(x.shape, constant.shape)
        except ValueError:
            return False  # which flow refuses
        return len(made) == len(x.shape) and made != x.shape

    def _of_two(self, op: Operator, step: Step, fused: str) -> None:
        """Of two computed values: perhaps a part of a pattern, if float32."""
        if step.dtype == "float32" and (op.name not in KINDS or (op.name == "MUL" and fused == "linear")):
            return self.flow.arithmetic(step, ARITHMETIC[op.name], *op.inputs)
        if op.name not in KINDS:
            raise ModelError(f"{op.where} of {step.dtype} tensors is not supported; supported: float32")
        self.flow.layer(step, list(op.inputs[:2]), room(KINDS[op.name]), fused)

    def squared_difference(self, op: Operator) -> None:
        """SQUARED_DIFFERENCE of float32 values: a difference and its square."""
        step = self._step(op)
        if step.dtype != "float32":
            raise ModelError(f"{op.where} of {step.dtype} tensors is not supported; supported: float32")
        difference = replace(step, output=(step.output, "difference"))
        keys = [self._input(op, 0), self._input(op, 1)]
        constant = [self.flow.constants[key] for key in keys if key in self.flow.constants]
        if constant:
            self.flow.arithmetic(difference, "-", *keys)
        else:
            self.flow.layer(difference, keys, Subtract)
        self.flow.activation(step, difference.output, "square")

    # Limits

    def limit(self, op: Operator) -> None:
        """MINIMUM, MAXIMUM with one constant number; of floats of two computed values, too."""
        step, keys = self._keeping(op), [self._input(op, 0), self._input(op, 1)]
        constants = [key for key in keys if key in self.flow.constants]
        if not constants and step.dtype == "float32":
            return self.flow.extreme(step, op.name == "MAXIMUM", keys)
        if len(constants) != 1:
            raise ModelError(
                f"{op.where} of two computed values of {step.dtype} is not supported; supported: with a constant, or "
                "of float32"
            )
        (index,) = constants
        tensor = self.file.tensor(index)
        given = self.flow.constant(step, index, "its constant")
        if tensor.dtype != step.dtype or not given.size or (given != given.flat[0]).any():
            raise ModelError(
                f"{op.where}: expected one constant of {step.dtype}, got {given.size} of {tensor.dtype}"
            )
        if step.dtype != "float32":
            self._demand(step, self._quantization(op, index))
        number = float(real_values(given.reshape(-1)[:1], tensor, step.quantization)[0])
        limits = (-np.inf, number) if op.name == "MINIMUM" else (number, np.inf)
        key = keys[1 - keys.index(index)]
        if given.ndim > len(self.flow.value(step, key).shape):
            raise ModelError(f"{op.where}: a constant of shape {given.shape} makes its value larger")
        self.flow.layer(step, key, Clip, *limits)

    def clip(self, op: Operator) -> None:
        """RELU_N1_TO_1, RELU_0_TO_1."""
        step = self._keeping(op)
        self.flow.layer(step, self._input(op, 0), Clip, *CLIPS[op.name])

    def prelu(self, op: Operator) -> None:
        """PRELU with constant slopes, one a channel or one an element."""
        step, key, index = self._step(op), self._input(op, 0), self._input(op, 1)
        slope, tensor = self.flow.constant(step, index, "its slopes"), self.file.tensor(index)
        if tensor.dtype != step.dtype:
            raise ModelError(f"{op.where}: slopes of {tensor.dtype} do not go with {step.dtype} values")
        shape = without_batch(self.flow.value(step, key).shape)
        slope = slope.reshape(slope.shape[slope.ndim - len(shape) :]) if slope.ndim > len(shape) else slope
        if slope.size == slope.shape[-1]:
            slope = slope.reshape(-1)
        if slope.size == 1:
            slope = np.full(shape[-1], slope.flat[0])
        q = None if step.dtype == "float32" else tensor.quantization
        self.flow.layer(step, key, Prelu, slope, q)

    # Whole numbers, which choose rows of a table

    def _whole_numbers(self, op: Operator) -> None:
        """Arithmetic of numbers of rows, which SELECT_V2 reads."""

    def select(self, op: Operator) -> None:
        """SELECT_V2(LESS(x, 0), ADD(x, n), x), by which Keras counts rows of a table from its end: x."""
        step, makers = (
            self._step(op, computed=False),
            {index: o for o in self.file.operators for index in o.outputs},
        )
        keys = [self._input(op, i) for i in range(3)]
        less, add = makers.get(keys[0]), makers.get(keys[1])
        if less is None or add is None or (less.name, add.name) != ("LESS", "ADD"):
            raise ModelError(f"{op.where} is supported before rows of a table only")
        if less.inputs[0] != keys[2] or add.inputs[0] != keys[2]:
            raise ModelError(f"{op.where} is supported before rows of a table only")
        self.flow.notes.append("numbers of rows below 0 count as 0, not from the end of the table")
        self.flow.same(step, keys[2])

    def cast(self, op: Operator) -> None:
        """CAST between floats and whole numbers, which are floats here; of floats before rows of a table only."""
        step, key = self._step(op, computed=False), self._input(op, 0)
        types = self.file.tensor(key).dtype, self.file.tensor(step.output).dtype
        if not all(dtype in (*WHOLE, "float32") for dtype in types) or (
            types[1] in WHOLE and self.ends[step.output]
        ):
            raise ModelError(f"{op.where}: from {types[0]} to {types[1]} is not supported")
        self.flow.same(step, key)


def _later(reading: Arithmetic, op: Operator) -> None:
    """LESS, which is looked at by SELECT_V2."""


OPERATORS = {
    "QUANTIZE": Arithmetic.quantize,
    "DEQUANTIZE": Arithmetic.dequantize,
    **dict.fromkeys(ARITHMETIC, Arithmetic.arithmetic),
    **dict.fromkeys(ACTIVATIONS, Arithmetic.activation),
    "SQUARED_DIFFERENCE": Arithmetic.squared_difference,
    **dict.fromkeys(("MINIMUM", "MAXIMUM"), Arithmetic.limit),
    **dict.fromkeys(CLIPS, Arithmetic.clip),
    "PRELU": Arithmetic.prelu,
    "CAST": Arithmetic.cast,
    "LESS": _later,
    "SELECT_V2": Arithmetic.select,
}
