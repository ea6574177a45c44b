"""ONNX (.onnx) to a Graph: dense networks in float32, as PyTorch, Keras and others export them; numpy is all it needs.

The network is read for a batch of 1, whatever the file's batch axis says, a number or a symbol. Constants are folded;
shapes computed in the file are computed here. MatMul and Add become Dense; BatchNormalization, and constants that are
added or multiplied, become Scaling. In quantised files (QDQ), weights are dequantised; quantised activations are
refused, as they would be lost.

External data and subgraphs (If, Loop) are refused. Source: ONNX operators, https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..graph import Graph, Metadata
from . import budget
from .flow import Flow, Step, label
from .onnx_files import parse_model, to_array

NO_EFFECT = ("Identity", "Dropout")
# Operators of one input without parameters
ACTIVATIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "HardSwish": "hard_swish",
}
# Operators of one input with a parameter `alpha`, and its default
WITH_ALPHA = {"LeakyRelu": ("leaky_relu", 0.01), "Elu": ("elu", 1.0)}
ARITHMETIC = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
INT64_MAX = 2**63 - 1


def read(source: Path) -> Graph:
    """Return the graph of the ONNX file `source`. ModelError for what is damaged or not supported."""
    with np.errstate(all="ignore"):  # what is not finite is refused by Graph.check, not warned of
        return _Reader(parse_model(Path(source).read_bytes())).graph()


class _Reader:
    """Walks the nodes in order, which ONNX demands to be the order in which they can run."""

    def __init__(self, model: dict[str, Any]):
        self.model, self.message = model, model["graph"]
        if self.message["sparse_initializer"]:
            raise ModelError("sparse weights are not supported")
        budget.operations(len(self.message["node"]))
        self.opset = max(
            (o.get("version", 1) for o in model["opset_import"] if o.get("domain", "") in DOMAINS), default=1
        )
        constants = {
            tensor.get("name", ""): to_array(tensor, f"constant {label(tensor.get('name', ''), '?')}")
            for tensor in self.message["initializer"]
        }
        inputs = [value for value in self.message["input"] if value.get("name", "") not in constants]
        if len(inputs) != 1 or len(self.message["output"]) != 1:
            counts = f"{len(inputs)} inputs and {len(self.message['output'])} outputs"
            raise ModelError(f"expected a model of one input and one output, got {counts}")
        name = inputs[0].get("name", "")
        self.flow = Flow(label(name, "input"), name, _input_shape(inputs[0]))
        self.flow.constants.update(constants)

    def graph(self) -> Graph:
        """Return the checked graph."""
        for index, node in enumerate(self.message["node"]):
            self._node(index, node)
        producer = f"{self.model.get('producer_name', '')} {self.model.get('producer_version', '')}"
        provenance = {"format": f"onnx, opset {self.opset}", "producer": label(producer, "?")}
        return self.flow.graph(self.message["output"][0].get("name", ""), Metadata(provenance=provenance))

    def _node(self, index: int, node: dict[str, Any]) -> None:
        op = node.get("op_type", "")
        outputs = node["output"]
        step = Step(
            index,
            label(op, "?"),
            label(node.get("name", ""), "") or f"{label(op, '?').lower()}_{index}",
            (outputs or [""])[0],
        )
        if op not in OPERATORS or node.get("domain", "") not in DOMAINS:
            hint = HINTS.get(op, "")
            raise ModelError(
                f"{step.where} is not supported{hint}; supported: {', '.join(sorted(OPERATORS))}"
            )
        if not outputs or not outputs[0]:
            raise ModelError(f"{step.where} has no output")
        if step.output in self.flow.values or step.output in self.flow.constants:
            raise ModelError(f"{step.where}: its output {label(step.output, '?')!r} is computed twice")
        OPERATORS[op](self, step, _Node(step, node, self.flow))

    # Operators

    def gemm(self, step: Step, node: _Node) -> None:
        """alpha * A @ B + beta * C, where A flows (not transposed) and B, C are constants."""
        if node.attribute("transA", 0):
            raise ModelError(f"{step.where}: transA is not supported")
        weights = node.constant(1, "B").astype(np.float64) * node.attribute("alpha", 1.0)
        if weights.ndim != 2:
            raise ModelError(f"{step.where}: expected a matrix B, got shape {weights.shape}")
        bias = node.constant(2, "C").astype(np.float64) * node.attribute("beta", 1.0) if node.has(2) else None
        self.flow.dense(step, node.key(0), weights if node.attribute("transB", 0) else weights.T, bias)

    def matmul(self, step: Step, node: _Node) -> None:
        """A @ B where A flows and B is a constant."""
        weights = node.constant(1, "the matrix on the right")
        if weights.ndim != 2:
            raise ModelError(f"{step.where}: expected a matrix on the right, got shape {weights.shape}")
        self.flow.dense(step, node.key(0), weights.T, None)

    def activation(self, step: Step, node: _Node) -> None:
        """An activation without parameters."""
        self.flow.activation(step, node.key(0), ACTIVATIONS[step.op])

    def with_alpha(self, step: Step, node: _Node) -> None:
        """LeakyRelu, Elu."""
        name, default = WITH_ALPHA[step.op]
        self.flow.activation(step, node.key(0), name, float(node.attribute("alpha", default)))

    def prelu(self, step: Step, node: _Node) -> None:
        """PRelu with one slope for all is leaky_relu."""
        slope = node.constant(1, "the slope").astype(np.float64).reshape(-1)
        if not slope.size or (slope != slope[0]).any():
            raise ModelError(f"{step.where}: one slope for all is supported, got {slope.size}")
        self.flow.activation(step, node.key(0), "leaky_relu", float(slope[0]))

    def hard_sigmoid(self, step: Step, node: _Node) -> None:
        """HardSigmoid with alpha 1/6, beta 1/2, as PyTorch and Keras 3 have it; a Graph has no others."""
        alpha, beta = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
        if not (math.isclose(alpha, 1 / 6, rel_tol=1e-5) and beta == 0.5):
            raise ModelError(f"{step.where}: expected alpha 1/6 and beta 1/2, got {alpha:.6g} and {beta:.6g}")
        self.flow.activation(step, node.key(0), "hard_sigmoid")

    def gelu(self, step: Step, node: _Node) -> None:
        """Gelu; its approximation by tanh is read as the exact form."""
        if node.attribute("approximate", "none") != "none":
            self.flow.notes.append("gelu: the tanh approximation became the exact form (at most 0.0005 off)")
        self.flow.activation(step, node.key(0), "gelu")

    def swish(self, step: Step, node: _Node) -> None:
        """Swish with alpha 1."""
        if node.attribute("alpha", 1.0) != 1.0:
            raise ModelError(f"{step.where}: expected alpha 1, got {node.attribute('alpha', 1.0):g}")
        self.flow.activation(step, node.key(0), "swish")

    def clip(self, step: Step, node: _Node) -> None:
        """Clip to (0, 6) is relu6, to (0, infinity) relu."""
        low, high = (
            float(node.constant(i, name).reshape(-1)[0])
            if node.has(i)
            else float(node.attribute(name, default))
            for i, name, default in ((1, "min", -math.inf), (2, "max", math.inf))
        )
        if low != 0 or not (high == 6 or high >= 3.4e38):
            raise ModelError(
                f"{step.where}: clipping to {low:g} ... {high:g} is not supported; supported: 0 ... 6"
            )
        self.flow.activation(step, node.key(0), "relu6" if high == 6 else "relu")

    def softmax(self, step: Step, node: _Node) -> None:
        """Softmax; before opset 13 over all axes from `axis` on, since then along it."""
        axis = int(node.attribute("axis", -1 if self.opset >= 13 else 1))
        if self.opset < 13:
            shape = self.flow.value(step, node.key(0)).shape
            axis += len(shape) if axis < 0 else 0
            if math.prod(shape[:axis]) != 1:
                raise ModelError(f"{step.where}: from axis {axis} of shape {shape} is not supported")
            axis = -1
        self.flow.softmax(step, node.key(0), axis)

    def arithmetic(self, step: Step, node: _Node) -> None:
        """Add, Sub, Mul, Div."""
        self.flow.arithmetic(step, ARITHMETIC[step.op], node.key(0), node.key(1))

    def batch_normalization(self, step: Step, node: _Node) -> None:
        """(x - mean) / sqrt(variance + epsilon) * scale + offset along axis 1."""
        scale, offset, mean, variance = (
            node.constant(i, what) for i, what in enumerate(("scale", "B", "mean", "var"), 1)
        )
        epsilon = node.attribute("epsilon", 1e-5)
        self.flow.batch_norm(step, node.key(0), scale, offset, mean, variance, epsilon)

    def reshape(self, step: Step, node: _Node) -> None:
        """Reshape; a target of 0 keeps that axis."""
        target = [
            int(d)
            for d in (
                node.constant(1, "the shape").reshape(-1) if node.has(1) else node.attribute("shape", [])
            )
        ]
        if not node.attribute("allowzero", 0):
            shape = self._shape(step, node.key(0))
            target = [shape[i] if d == 0 and i < len(shape) else d for i, d in enumerate(target)]
        self.flow.reshape(step, node.key(0), target)

    def flatten(self, step: Step, node: _Node) -> None:
        """Flatten to two axes: those before `axis`, those from there on."""
        shape, axis = self._shape(step, node.key(0)), int(node.attribute("axis", 1))
        axis += len(shape) if axis < 0 else 0
        self.flow.reshape(step, node.key(0), (math.prod(shape[:axis]), math.prod(shape[axis:])))

    def squeeze(self, step: Step, node: _Node) -> None:
        """Squeeze: axes of 1 go; all of them, but for the batch axis, where none are given."""
        shape = list(self._shape(step, node.key(0)))
        axes = node.axes(len(shape))
        if not axes:
            keep_batch = node.key(0) not in self.flow.constants
            axes = [i for i, d in enumerate(shape) if d == 1 and (i or not keep_batch)]
        if any(shape[axis] != 1 for axis in axes):
            raise ModelError(f"{step.where}: cannot drop axes {axes} of shape {tuple(shape)}")
        self.flow.reshape(step, node.key(0), [d for i, d in enumerate(shape) if i not in axes] or [1])

    def unsqueeze(self, step: Step, node: _Node) -> None:
        """Unsqueeze: new axes of 1."""
        shape = list(self._shape(step, node.key(0)))
        count = len(node.axes(0))
        for axis in sorted(node.axes(len(shape) + count)):
            shape.insert(axis, 1)
        self.flow.reshape(step, node.key(0), shape)

    def transpose(self, step: Step, node: _Node) -> None:
        """Transpose, of constants or of axes of 1."""
        rank = len(self._shape(step, node.key(0)))
        self.flow.transpose(
            step, node.key(0), [int(a) for a in node.attribute("perm", list(range(rank))[::-1])]
        )

    def same(self, step: Step, node: _Node) -> None:
        """No effect when the network is used rather than trained."""
        self.flow.same(step, node.key(0))

    def cast(self, step: Step, node: _Node) -> None:
        """Cast: of constants it is done, of values between float types it is dropped."""
        types = {1: np.float32, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}
        to = node.attribute("to", 0)
        if node.key(0) in self.flow.constants and to in types:
            self.flow.constants[step.output] = self.flow.fold(
                step, np.ndarray.astype, node.constant(0, "x"), types[to]
            )
        elif to in (1, 10, 11):
            self.flow.same(step, node.key(0))
        else:
            raise ModelError(f"{step.where} to type {to} is not supported; supported: float")

    def erf(self, step: Step, node: _Node) -> None:
        """Erf, as a part of gelu."""
        self.flow.erf(step, node.key(0))

    def greater(self, step: Step, node: _Node) -> None:
        """Greater, as a part of softplus."""
        self.flow.greater(step, node.key(0), node.constant(1, "the threshold"))

    def where(self, step: Step, node: _Node) -> None:
        """Where, as a part of softplus."""
        self.flow.where(step, node.key(0), node.key(1), node.key(2))

    # Constants and shapes

    def constant(self, step: Step, node: _Node) -> None:
        """Constant: a tensor, a number, a list of numbers."""
        for name, dtype in (
            ("value", None),
            ("value_float", np.float32),
            ("value_floats", np.float32),
            ("value_int", np.int64),
            ("value_ints", np.int64),
        ):
            value = node.attribute(name, None)
            if value is not None:
                array = to_array(value, step.where) if isinstance(value, dict) else np.array(value, dtype)
                self.flow.constants[step.output] = array
                return
        raise ModelError(f"{step.where}: this kind of constant is not supported")

    def shape(self, step: Step, node: _Node) -> None:
        """Shape: the dimensions of a value, for a batch of 1."""
        shape = np.array(self._shape(step, node.key(0)), np.int64)
        self.flow.constants[step.output] = shape[
            node.attribute("start", 0) : node.attribute("end", INT64_MAX)
        ]

    def gather(self, step: Step, node: _Node) -> None:
        """Gather along axis 0 of a constant vector, as the reading of one dimension needs it."""
        vector, indices = node.constant(0, "data"), node.constant(1, "the indices")
        if vector.ndim != 1 or node.attribute("axis", 0):
            raise ModelError(f"{step.where} is supported for constant shapes only")
        self.flow.constants[step.output] = self.flow.fold(step, lambda i: vector[i], indices)

    def slice(self, step: Step, node: _Node) -> None:
        """Slice of a constant vector."""
        vector = node.constant(0, "data")
        begin, end = (node.constant(i, "the range").reshape(-1) for i in (1, 2))
        stride = node.constant(4, "the step").reshape(-1) if node.has(4) else np.ones(1, np.int64)
        if vector.ndim != 1 or not begin.size == end.size == stride.size == 1 or not stride[0]:
            raise ModelError(f"{step.where} is supported for constant shapes only")
        self.flow.constants[step.output] = vector[int(begin[0]) : int(end[0]) : int(stride[0])]

    def concat(self, step: Step, node: _Node) -> None:
        """Concat of constant vectors, as shapes are put together."""
        parts = [node.constant(i, "what is joined") for i in range(node.count)]
        if not parts or any(part.ndim != 1 or part.size > 64 for part in parts):
            raise ModelError(f"{step.where} is supported for constant shapes only")
        self.flow.constants[step.output] = np.concatenate(parts)

    def dequantize(self, step: Step, node: _Node) -> None:
        """DequantizeLinear of a constant, such as weights of a QDQ file."""
        if node.key(0) not in self.flow.constants:
            raise ModelError(
                f"{step.where}: quantised activations are not supported; use the model before quantisation"
            )
        values, scale = (
            node.constant(0, "x").astype(np.float64),
            node.constant(1, "the scale").astype(np.float64),
        )
        zero_point = node.constant(2, "the zero point").astype(np.float64) if node.has(2) else np.zeros(())
        axis = int(node.attribute("axis", 1))
        if scale.size > 1:
            scale, zero_point = (_along(step, a, values.ndim, axis) for a in (scale, zero_point))
        made = self.flow.fold(
            step, lambda v, s, z: ((v - z) * s).astype(np.float32), values, scale, zero_point
        )
        self.flow.constants[step.output] = made

    def _shape(self, step: Step, key: str) -> tuple[int, ...]:
        """The full shape of a constant or of a value."""
        return (
            self.flow.constants[key].shape if key in self.flow.constants else self.flow.value(step, key).shape
        )


class _Node:
    """One node's inputs and attributes."""

    def __init__(self, step: Step, node: dict[str, Any], flow: Flow):
        self.step, self.flow = step, flow
        self.inputs = node["input"]
        self.count = len(self.inputs)
        self.attributes = {attribute.get("name", ""): attribute for attribute in node["attribute"]}

    def has(self, position: int) -> bool:
        """Whether the optional input at `position` is given."""
        return position < self.count and bool(self.inputs[position])

    def key(self, position: int) -> str:
        """Return the name of the input at `position`."""
        if not self.has(position):
            raise ModelError(f"{self.step.where}: expected {position + 1} inputs, got {self.count}")
        return self.inputs[position]

    def constant(self, position: int, what: str) -> np.ndarray:
        """Return the input at `position`, which must be a constant."""
        return self.flow.constant(self.step, self.key(position), what)

    def attribute(self, name: str, default):
        """Return an attribute's value, of the kind that `default` is of: number, text or list; any kind for None."""
        attribute = self.attributes.get(name)
        if attribute is None:
            return default
        if "ref_attr_name" in attribute or "g" in attribute:
            raise ModelError(
                f"{self.step.where}: attribute {name} is a graph or a reference, which is not supported"
            )
        value = next((attribute[field] for field in ("f", "i", "s", "t") if field in attribute), None)
        if value is None:
            value = attribute["ints"] or attribute["floats"]
        if not value and default is not None:
            return type(default)()  # protobuf leaves out a value of 0, "" or []
        kinds = {float: (float, int), int: (int,), str: (str,), list: (list,), type(None): (object,)}
        if not isinstance(value, kinds[type(default)]):
            raise ModelError(f"{self.step.where}: attribute {name} is not a {type(default).__name__}")
        return value

    def axes(self, rank: int) -> list[int]:
        """Return `axes`, an input since opset 13 and an attribute before, counted from the front."""
        axes = (
            self.constant(1, "the axes").reshape(-1).tolist() if self.has(1) else self.attribute("axes", [])
        )
        axes = [int(a) + (rank if a < 0 else 0) for a in axes]
        if rank and any(not 0 <= a < rank for a in axes):
            raise ModelError(f"{self.step.where}: axes {axes} do not exist, there are {rank}")
        return axes


def _input_shape(value: dict[str, Any]) -> list[int]:
    """Return the input's shape with 1 for a symbolic batch axis; ModelError where other sizes are open."""
    name = label(value.get("name", ""), "?")
    tensor = value.get("type", {}).get("tensor_type", {})
    if tensor.get("elem_type", 1) not in (1, 10, 11):
        raise ModelError(f"input {name}: expected floats, got type {tensor['elem_type']}")
    dims = tensor.get("shape", {}).get("dim", [])
    shape = [int(dim.get("dim_value", 0)) for dim in dims]
    if len(shape) > 1 and shape[0] < 1:
        shape[0] = 1
    if not shape or min(shape) < 1:
        text = ", ".join(
            label(dim.get("dim_param", "") or str(dim.get("dim_value", "?")), "?") for dim in dims
        )
        raise ModelError(f"input {name}: expected fixed sizes behind the batch axis, got ({text})")
    return shape


def _along(step: Step, values: np.ndarray, rank: int, axis: int) -> np.ndarray:
    """Return a vector shaped so that it spreads along `axis` of `rank`."""
    if not -rank <= axis < rank:
        raise ModelError(f"{step.where}: axis {axis} does not exist, there are {rank}")
    shape = [1] * rank
    shape[axis] = -1
    return values.reshape(shape)


DOMAINS = ("", "ai.onnx")
HINTS = {
    "LogSoftmax": " (export the network with Softmax, or without either: the largest score stays the largest)"
}
OPERATORS = {
    "Gemm": _Reader.gemm,
    "MatMul": _Reader.matmul,
    "PRelu": _Reader.prelu,
    "HardSigmoid": _Reader.hard_sigmoid,
    "Gelu": _Reader.gelu,
    "Swish": _Reader.swish,
    "Clip": _Reader.clip,
    "Softmax": _Reader.softmax,
    "BatchNormalization": _Reader.batch_normalization,
    "Reshape": _Reader.reshape,
    "Flatten": _Reader.flatten,
    "Squeeze": _Reader.squeeze,
    "Unsqueeze": _Reader.unsqueeze,
    "Transpose": _Reader.transpose,
    "Cast": _Reader.cast,
    "Erf": _Reader.erf,
    "Greater": _Reader.greater,
    "Where": _Reader.where,
    "Constant": _Reader.constant,
    "Shape": _Reader.shape,
    "Gather": _Reader.gather,
    "Slice": _Reader.slice,
    "Concat": _Reader.concat,
    "DequantizeLinear": _Reader.dequantize,
    **dict.fromkeys(ACTIVATIONS, _Reader.activation),
    **dict.fromkeys(WITH_ALPHA, _Reader.with_alpha),
    **dict.fromkeys(ARITHMETIC, _Reader.arithmetic),
    **dict.fromkeys(NO_EFFECT, _Reader.same),
}
