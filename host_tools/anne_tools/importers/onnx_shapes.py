"""ONNX operators that make constants or change shapes, and a node's inputs and attributes.

Source: ONNX operators, https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

import math
from copy import copy
from typing import Any

import numpy as np

from ..errors import ModelError
from . import budget
from .flow import MAX_RANK, Step, label
from .flow_images import Images
from .onnx_external import ExternalData
from .onnx_files import to_array

INT64_MAX = 2**63 - 1


def step_of(index: int, node: dict[str, Any]) -> Step:
    """Return node number `index` of the file as a step, its output the first."""
    op = label(node.get("op_type", ""), "?")
    name = label(node.get("name", ""), "") or f"{op.lower()}_{index}"
    return Step(index, op, name, next(iter(node["output"]), ""))


class Node:
    """One node's inputs and attributes."""

    def __init__(self, step: Step, node: dict[str, Any], flow: Images):
        self.step, self.flow = step, flow
        self.inputs, self.outputs = node["input"], node["output"]
        self.count = len(self.inputs)
        self.attributes = {attribute.get("name", ""): attribute for attribute in node["attribute"]}

    def reading(self, keys: list) -> Node:
        """Return the node as one that reads other values."""
        node = copy(self)
        node.inputs, node.count = keys, len(keys)
        return node

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

    def shape(self, position: int) -> tuple[int, ...]:
        """Return the full shape of an input, a constant or a value."""
        key = self.key(position)
        known = self.flow.constants
        return known[key].shape if key in known else self.flow.as_it_lies(self.step, key).shape

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
            value = attribute["ints"] or attribute["floats"] or attribute["strings"]
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


class Shapes:
    """Those operators over one flow; `opset` is the version of ONNX's own, `beside` reads data in a second file."""

    def __init__(self, flow: Images, opset: int, beside: ExternalData | None):
        self.flow, self.opset, self.beside = flow, opset, beside

    def reshape(self, step: Step, node: Node) -> None:
        """Reshape; a target of 0 keeps that axis."""
        target = [
            int(d)
            for d in (
                node.constant(1, "the shape").reshape(-1) if node.has(1) else node.attribute("shape", [])
            )
        ]
        if not node.attribute("allowzero", 0):
            shape = node.shape(0)
            target = [shape[i] if d == 0 and i < len(shape) else d for i, d in enumerate(target)]
        self.flow.reshape(step, node.key(0), target)

    def flatten(self, step: Step, node: Node) -> None:
        """Flatten to two axes: those before `axis`, those from there on."""
        shape, axis = node.shape(0), int(node.attribute("axis", 1))
        axis += len(shape) if axis < 0 else 0
        self.flow.reshape(step, node.key(0), (math.prod(shape[:axis]), math.prod(shape[axis:])))

    def squeeze(self, step: Step, node: Node) -> None:
        """Squeeze: axes of 1 go; all of them, but for the batch axis, where none are given."""
        shape = list(node.shape(0))
        axes = node.axes(len(shape))
        if not axes:
            keep_batch = node.key(0) not in self.flow.constants
            axes = [i for i, d in enumerate(shape) if d == 1 and (i or not keep_batch)]
        if any(shape[axis] != 1 for axis in axes):
            raise ModelError(f"{step.where}: cannot drop axes {axes} of shape {tuple(shape)}")
        self.flow.reshape(step, node.key(0), [d for i, d in enumerate(shape) if i not in axes] or [1])

    def unsqueeze(self, step: Step, node: Node) -> None:
        """Unsqueeze: new axes of 1."""
        shape = list(node.shape(0))
        count = len(node.axes(0))
        if count > MAX_RANK:
            raise ModelError(f"{step.where}: {count} axes are more than the limit of {MAX_RANK}")
        for axis in sorted(node.axes(len(shape) + count)):
            shape.insert(axis, 1)
        self.flow.reshape(step, node.key(0), shape)

    def transpose(self, step: Step, node: Node) -> None:
        """Transpose."""
        rank = len(node.shape(0))
        self.flow.transpose(
            step, node.key(0), [int(a) for a in node.attribute("perm", list(range(rank))[::-1])]
        )

    def constant(self, step: Step, node: Node) -> None:
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
                array = (
                    to_array(value, step.where, self.beside)
                    if isinstance(value, dict)
                    else np.array(value, dtype)
                )
                self.flow.constants[step.output] = array
                return
        raise ModelError(f"{step.where}: this kind of constant is not supported")

    def constant_of_shape(self, step: Step, node: Node) -> None:
        """ConstantOfShape: one number, 0 if none is given, over a shape."""
        shape, value = node.constant(0, "the shape").reshape(-1), node.attribute("value", None)
        array = np.zeros(1, np.float32) if value is None else to_array(value, step.where, self.beside)
        budget.elements(step.where, shape)
        self.flow.constants[step.output] = self.flow.fold(
            step, lambda a: np.full(shape, a.reshape(())), array
        )

    def shape(self, step: Step, node: Node) -> None:
        """Shape: the dimensions of a value, for a batch of 1."""
        shape = np.array(node.shape(0), np.int64)
        self.flow.constants[step.output] = shape[
            node.attribute("start", 0) : node.attribute("end", INT64_MAX)
        ]
