"""Quantised ONNX files (QDQ, as ONNX Runtime's quantiser writes them) as int8 networks, with the file's own integers.

Between a DequantizeLinear and the next QuantizeLinear stands float arithmetic on integers; both together are an int8
layer (`onnx_int8`), as ONNX Runtime runs them, too, with or without a relu. What has no int8 layer is computed in
floats, between layers that turn integers into those and back.
ONNX Runtime multiplies the sums by a float, this project by an integer and a shift (FORMAT.md), so a value can come out
one step beside, where it lies close to the middle between two. uint8 is int8 with all values and zero points 128 less.

A file without int8 layers, or of other integers, is read as a float network by `Operators`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import ModelError
from ..layers import Quantize
from ..layers.tables import FIXED_OUTPUT
from ..network.tensor import Quantization
from . import budget
from .flow import Step
from .flow_images import Images
from .onnx_int8 import BENDS, MOVES, OF_VALUES, TWO, Constant, Int8Layers, NotInt8Error, Pending
from .onnx_operators import OPERATORS
from .onnx_plan import operator
from .onnx_shapes import Node, step_of

NOTE = "int8 as in the file; each layer's values can be a step beside ONNX Runtime's, which rounds in another way"
# Operators that hand an int8 value on.
_SAME_VALUES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Dropout")
_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
# Layers that compute nothing.
_PLUMBING = ("quantize", "reshape", "transpose")


class QdqOperators(Int8Layers):
    """Operators where values are int8. `inputs` are shapes by name; the QuantizeLinear of each makes it int8."""

    def __init__(
        self,
        inputs: dict[str, list[int]],
        images: set[str],
        opset: int,
        beside: Any,
        constants: dict[str, np.ndarray],
        nodes: list[tuple[int, dict[str, Any]]],
    ):
        super().__init__(Images(), opset, beside)
        for name, shape in inputs.items():
            self.flow.input(name, name, shape, is_image=name in images)
        self.flow.constants.update(constants)
        self.integers: dict[str, Any] = {}  # of an input, once there are some: the value
        self.floats: dict[Any, Any] = {}  # of an int8 value, once they are needed: the value in floats
        self.in_floats: dict[str, None] = {}  # operators without an int8 layer
        self.read_as_floats = _read_as_floats(nodes)

    def run(self, index: int, node: dict[str, Any]) -> None:
        """Do what one node says, in floats where no int8 layer does it. NotInt8Error for other integers than int8."""
        step, op = step_of(index, node), operator(node)
        this = Node(step, node, self.flow)
        if op == "QuantizeLinear":
            return self._quantize(step, this)
        if op == "DequantizeLinear":
            return self._dequantize(step, this)
        if op == "Shape":
            return self._shape(step, this)
        waits = [name for name in this.inputs if name in self.pending]
        try:
            self._in_integers(step, this, op, waits)
        except NotInt8Error:
            return self._in_floats(index, node)
        if step.output in self.pending:
            before = [each for name in waits for each in self.pending[name].nodes]
            made = replace(self.pending[step.output], nodes=(*before, (index, node)))
            self.pending[step.output] = made
        return None

    def _in_integers(self, step: Step, node: Node, op: str, waits: list[str]) -> None:
        """Do what a node says with integers. NotInt8Error where no int8 layer does it."""
        if op not in _WEIGHTED and op not in TWO and op != "PRelu":
            self._settings_as_floats(node)
        of_int8 = node.has(0) and self.is_int8(node.key(0))
        if op in _WEIGHTED:
            (self.convolution if op.startswith("Conv") else self.matrix)(step, node)
        elif op == "Add" and (waits or self.product_in(node)) and not self.all_int8(node):
            self.add_bias(step, node, self.pending[waits[0]] if waits else self.product_in(node))
        elif op in TWO and self.is_with_constant(node):
            self.pending[step.output] = Pending(step, node.key(0), node=node)
        elif op in BENDS or op == "Clip":
            self.bend(step, node, waits)
        elif of_int8 and (op == "PRelu" or (op in OF_VALUES and self.all_int8(node))):
            if node.count > 2 and op == "Sum":
                raise NotInt8Error(f"{step.where} of {node.count}")
            self.pending[step.output] = Pending(step, node.key(0), node=node)
        elif op in MOVES and of_int8:
            OPERATORS[op](self, replace(step, dtype="int8", quantization=self.of(node.key(0))), node)
        elif op == "Pad" and of_int8 and self._reaches(node):
            self.pad(replace(step, dtype="int8"), node)
        elif waits or (op not in _SAME_VALUES and any(name in self.flow.values for name in node.inputs)):
            raise NotInt8Error(f"{step.where} of floats")
        elif any(name in self.quantized for name in node.inputs):
            raise NotInt8Error(f"{step.where} of quantised constants")
        else:
            OPERATORS[op](self, step, node)

    def _shape(self, step: Step, node: Node) -> None:
        """Shape, of what waits, too: it goes on waiting."""
        waiting, noted = dict(self.pending), dict(self.in_floats)
        key = node.key(0)
        if key in waiting or key in self.quantized:
            key = self._as_float(key)
            self.pending, self.in_floats = waiting, noted
        self.shape(step, node.reading([key]))

    def _reaches(self, node: Node) -> bool:
        """Whether an int8 value reaches what it is padded with."""
        given = self.flow.constants.get(node.key(2)) if node.has(2) else node.attribute("value", 0.0)
        q, value = self.of(node.key(0)), np.asarray(0.0 if given is None else given).reshape(-1)
        steps = value / float(q.scale[0]) + q.zero_point
        return bool((steps > -128.5).all() and (steps < 127.5).all())

    def _settings_as_floats(self, node: Node) -> None:
        """Constants beside the first input, such as limits, are numbers whether the file quantises them or not."""
        for name in node.inputs[1:]:
            if name in self.quantized:
                self._as_float(name)

    # In floats

    def _in_floats(self, index: int, node: dict[str, Any]) -> None:
        """Do what a node says in floats."""
        if all(name in self.flow.values or not name for name in node["output"]):
            return  # it has been done for another reader
        read = [self._as_float(name) if name else name for name in node["input"]]
        if any(name in self.flow.values for name in read) and operator(node) not in _SAME_VALUES:
            self.in_floats[operator(node)] = None
        super().run(index, {**node, "input": read})
        for name in node["output"]:
            self.pending.pop(name, None)

    def _as_float(self, name: Any) -> Any:
        """Return what `name` stands for as a value or a constant of floats."""
        if name in self.pending:
            for index, node in self.pending.pop(name).nodes:
                self._in_floats(index, node)
        elif name in self.quantized and name not in self.flow.constants:
            constant = self.quantized[name]
            budget.elements(f"constant {str(name)[:40]}", constant.integers.shape)
            self.flow.constants[name] = constant.real
        name = self.integers.get(name, name)
        if not self.is_int8(name):
            return name
        if name not in self.floats:
            step = Step(len(self.flow.layers), "DequantizeLinear", "floats", (name, "floats"))
            self._change_type(step, name)
            self.floats[name] = step.output
        return self.floats[name]

    def _change_type(self, step: Step, key: Any) -> None:
        """The same values in the step's type."""
        x = self.flow.as_it_lies(step, key)
        self.flow.values[step.output] = self.flow.alike(step, Quantize, x)

    # The file's own changes of type

    def _quantize(self, step: Step, node: Node) -> None:
        quantization = self._quantization(node)
        key = node.key(0)
        if key in self.pending:
            try:
                return self.done(self.pending[key], step.output, quantization)
            except NotInt8Error:
                key = self._as_float(key)
        if key in self.flow.constants:
            raise NotInt8Error(f"{step.where} of a constant")
        step = replace(step, dtype="int8", quantization=quantization)
        if key not in self.integers and self._is_input_of_integers(key):
            self.flow.quantized_input(step, key)
            self.integers[key] = step.output
            return None
        key = self.integers.get(key, key)
        if not self.is_int8(key):
            return self._change_type(step, key)
        return self.done(Pending(step, key), step.output, quantization)

    def _dequantize(self, step: Step, node: Node) -> None:
        key = node.key(0)
        if key not in self.flow.constants:
            if not self.is_int8(key) or self._quantization(node) != self.of(key):
                raise NotInt8Error(f"{step.where} of floats")
            return self.flow.same(step, key)
        scale = node.constant(1, "the scale").astype(np.float64).reshape(-1)
        given = node.constant(2, "the zero point") if node.has(2) else np.zeros(1, np.int8)
        zero_point = given.astype(np.int64).reshape(-1)
        budget.elements(step.where, self.flow.constants[key].shape)
        integers = self.flow.constants[key].astype(np.int64)
        axis = int(node.attribute("axis", 1))
        axis += integers.ndim if axis < 0 else 0
        if not zero_point.size or len(set(zero_point.tolist())) > 1:
            return self.dequantize(step, node)  # which makes floats of it
        if scale.size > 1 and (axis >= integers.ndim or scale.size != integers.shape[axis]):
            raise ModelError(
                f"{step.where}: {scale.size} scales do not fit axis {axis} of shape {integers.shape}"
            )
        zero = int(zero_point[0])
        is_uint8 = self.flow.constants[key].dtype == np.uint8
        made = Constant(integers - zero, scale, axis, zero - (128 if is_uint8 else 0))
        self.quantized[step.output] = made
        return None

    def finish(self, outputs: list[str]) -> None:
        """Append the layers that wait for the file's outputs, whose scale the file does not say: a softmax or the like
        has one, others are floats. NotInt8Error if nothing is computed in integers."""
        for output in outputs:
            made = self.pending.get(output)
            known = None if made is None else self._of_own_scale(made)
            if known is not None and output not in self.flow.values:
                self.done(made, output, known)
            elif output not in self.flow.values or output in self.pending:
                self._as_float(output)
        types = {
            self.flow.tensors[layer.output].dtype for layer in self.flow.layers if layer.kind not in _PLUMBING
        }
        if types == {"float32"}:
            raise NotInt8Error("no layer of integers")
        self.flow.notes.append(NOTE)
        if self.in_floats:
            names = ", ".join(self.in_floats)
            self.flow.notes.append(f"in floats between integers, as there is no int8 layer for it: {names}")

    def _of_own_scale(self, made: Pending) -> Quantization | None:
        """The scale and zero point of what waits, where they are known without a QuantizeLinear behind it."""
        if made.node is not None:
            return Quantization(*FIXED_OUTPUT["softmax"]["int8"]) if made.step.op == "Softmax" else None
        if made.weights is None and made.limits:
            return self.of(made.key)
        own = FIXED_OUTPUT.get(made.activation, {}).get("int8") if made.is_activation else None
        return None if own is None else Quantization(*own)

    def _is_input_of_integers(self, key: Any) -> bool:
        """Whether the value is an input of the network that all who read it want as integers."""
        value = self.flow.values.get(key)
        if value is None or value.tensor not in self.flow.inputs or value.tensor in self.flow.read:
            return False
        return self.flow.inputs[value.tensor] not in self.read_as_floats

    def _quantization(self, node: Node) -> Quantization:
        """Return the scale and zero point of a value, as int8 has them."""
        scale = node.constant(1, "the scale").astype(np.float64).reshape(-1)
        zero_point = node.constant(2, "the zero point").reshape(-1) if node.has(2) else np.zeros(1, np.uint8)
        if scale.size != 1 or zero_point.size != 1 or zero_point.dtype not in (np.int8, np.uint8):
            raise NotInt8Error(f"{node.step.where}: other types than int8 and uint8, or a scale a channel")
        if not (np.isfinite(scale[0]) and scale[0] > 0):
            raise ModelError(f"{node.step.where}: scales must be positive and finite")
        return Quantization(scale, int(zero_point[0]) - (128 if zero_point.dtype == np.uint8 else 0))


def _read_as_floats(nodes: list[tuple[int, dict[str, Any]]]) -> set[str]:
    """The values that something else reads than QuantizeLinear, perhaps behind changes of shape."""
    found: set[str] = set()
    for _, node in reversed(nodes):
        op = operator(node)
        if op == "QuantizeLinear" or (op in _SAME_VALUES and not found.intersection(node["output"])):
            continue
        found.update(node["input"])
    return found
