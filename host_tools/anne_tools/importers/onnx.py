"""ONNX (.onnx) to a Graph: networks of PyTorch, Keras, scikit-learn and others; numpy is all it needs.

Inputs and outputs keep the file's order and names; images, channels first in the file, become channels last.
The network is read for a batch of 1, whatever the file's batch axis says, a number or a symbol; float16 and float64
become float32. Quantised files (QDQ) become int8 networks where they fit (`onnx_qdq`); else weights are dequantised,
the rounding of values is dropped, and a note says so.

Weights may lie in a second file beside it (`onnx_external`). Subgraphs (If, Loop) are refused.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from anne.model_file import MAX_TENSORS

from ..errors import ModelError
from ..network.graph import Graph, Metadata
from . import budget, onnx_images
from .channels import Use, images
from .flow import Flow, label
from .flow_images import Images
from .given_shapes import Shapes, filled, in_order
from .onnx_external import ExternalData
from .onnx_files import BFLOAT16, DOUBLE, FLOAT, FLOAT16, parse_model, to_array
from .onnx_int8 import NotInt8Error
from .onnx_operators import ARITHMETIC, ELEMENTWISE, HINTS, JOINT_HINTS, OPERATORS, Operators
from .onnx_plan import DOMAINS, Plan, operator, plan
from .onnx_qdq import QdqOperators
from .onnx_shapes import step_of
from .refusal import Missing
from .survey import Operation, joins

FLOATS = {FLOAT: "float32", FLOAT16: "float16", DOUBLE: "float64", BFLOAT16: "bfloat16"}
INTEGERS = (6, 7)
# Operators that take one computed value, beside constants.
OF_ONE = ("MatMul", "Gemm", "Conv", "ConvTranspose", "PRelu", "Pow", "Gather", "Resize")
# Operators of an image, and those that leave the order of axes as it is.
OF_IMAGE = onnx_images.OPERATORS.keys() - {"LayerNormalization"}
PASSES_ON = {
    *ELEMENTWISE,
    *ARITHMETIC,
    "Sum",
    "Pad",
    "Concat",
    "Slice",
    "Split",
    "QuantizeLinear",
    "DequantizeLinear",
}
# Operators that take integers for real numbers.
_TAKES_INTEGERS = (
    "Cast",
    "Gather",
    "ai.onnx.ml.Scaler",
    "ai.onnx.ml.LinearClassifier",
    "ai.onnx.ml.LinearRegressor",
)


def read(source: Path, input_shape: Shapes | None = None) -> Graph:
    """Return the graph of the ONNX file `source`. ModelError for what is damaged or not supported.

    `input_shape` (without batch; of several inputs a dict by name, or a list) says how long open axes are.
    """
    source = Path(source)
    with np.errstate(all="ignore"):  # what is not finite is refused by Graph.check, not warned of
        return _Reader(parse_model(source.read_bytes()), ExternalData(source.parent), input_shape).graph()


class _Reader:
    """Plans, refuses what cannot be read, then lets the operators build the graph."""

    def __init__(self, model: dict[str, Any], beside: ExternalData, input_shape: Shapes | None = None):
        self.model, self.message, self.beside = model, model["graph"], beside
        budget.operations(len(self.message["node"]))
        self.opset = max(
            (o.get("version", 1) for o in model["opset_import"] if o.get("domain", "") in DOMAINS), default=1
        )
        self.plan = plan(self.message)
        self._close_shapes(input_shape)
        self._refuse_unsupported(self.plan)
        tensors = {tensor.get("name", ""): tensor for tensor in self.message["initializer"]}
        needed = {name for _, node in self.plan.nodes for name in node["input"]} & tensors.keys()
        self.constants = {
            name: to_array(tensors[name], f"constant {label(name, '?')}", beside) for name in sorted(needed)
        }
        self.whole: set[str] = set()  # inputs of integers
        self.types = {tensors[name].get("data_type", 0) for name in needed}

    def graph(self) -> Graph:
        """Return the checked graph."""
        values = {value.get("name", ""): value for value in self.message["input"]}
        if not self.plan.inputs:
            raise ModelError(
                f"the output {label(self.plan.outputs[0], '?')!r} is a constant, or computed by no layer"
            )
        read, left_out = set(self.plan.inputs), [name for name in self.plan.unread if _no_input(values[name])]
        kept = read.union(self.plan.unread).difference(left_out)
        inputs = {name: self._input_shape(value) for name, value in values.items() if name in kept}
        flow = self._quantized(inputs) or self._floats(inputs)
        if left_out:
            names = ", ".join(label(name, "?") for name in left_out)
            flow.notes.append(
                f"inputs that nothing reads and that are no floats of one size are left out: {names}"
            )
        narrow = sorted(FLOATS[number] for number in self.types & (FLOATS.keys() - {FLOAT}))
        if narrow:
            flow.notes.append(f"{' and '.join(narrow)} in the file, here all is float32")
        producer = f"{self.model.get('producer_name', '')} {self.model.get('producer_version', '')}"
        provenance = {"format": f"onnx, opset {self.opset}", "producer": label(producer, "?")}
        graph = flow.graph(self.plan.outputs, Metadata(provenance=provenance), self.plan.outputs)
        graph.metadata.sources = sorted(self.beside.counted)
        if len(graph.outputs) == 1 and len(self.plan.labels) == max(2, graph.tensors[graph.outputs[0]].size):
            graph.metadata.labels = self.plan.labels
        return graph

    def _floats(self, inputs: dict[str, list[int]]) -> Flow:
        """Return the flow of a network of floats; `inputs` are shapes by name."""
        operators = Operators(Images(), self.opset, self.beside)
        for name, shape in inputs.items():
            operators.flow.input(name, name, shape, is_image=name in self.images)
        self._mark_whole(operators.flow)
        operators.flow.constants.update(self.constants)
        for index, node in self.plan.nodes:
            operators.run(index, node)
        return operators.flow

    def _quantized(self, inputs: dict[str, list[int]]) -> Flow | None:
        """Return the flow of an int8 network; None if the file is not quantised, or not in a way that fits."""
        if not any(operator(node) == "QuantizeLinear" for _, node in self.plan.nodes):
            return None
        operators = QdqOperators(
            inputs, self.images, self.opset, self.beside, self.constants, self.plan.nodes
        )
        self._mark_whole(operators.flow)
        try:
            for index, node in self.plan.nodes:
                operators.run(index, node)
            operators.finish(self.plan.outputs)
        except NotInt8Error:
            return None
        return operators.flow

    def _mark_whole(self, flow: Flow) -> None:
        for name in self.whole.intersection(flow.values):
            flow.values[name] = replace(flow.values[name], pattern="whole")

    def _refuse_unsupported(self, planned: Plan) -> None:
        """Raise ModelError if anything that is needed cannot be read, naming all of it."""
        missing = Missing()
        joining = set(joins((_operation(node) for _, node in planned.nodes), planned.inputs))
        read = set(planned.inputs)
        for position, (index, node) in enumerate(planned.nodes):
            op, where = operator(node), step_of(index, node).where
            if op not in OPERATORS:
                missing.layer(op, where, HINTS.get(op, ""))
            elif position in joining:
                missing.layer(f"{op} of two computed values", where, JOINT_HINTS.get(op, ""))
        for what, names in (("input", planned.inputs + planned.unread), ("output", planned.outputs)):
            if len(names) > MAX_TENSORS or (what == "output" and not names):
                missing.structure(f"{len(names)} {what}s")
        if self.message["sparse_initializer"]:
            missing.structure("sparse weights")
        for value in self.message["input"]:
            if value.get("name", "") in read and (text := _open_shape(value)):
                missing.structure(
                    f"an input of open shape {text} (only the batch axis may be); say it with --input-shape"
                )
        missing.refuse("onnx")

    def _close_shapes(self, given: Shapes | None) -> None:
        """Put the sizes that the user gives into the inputs. ModelError where the file has others."""
        names = [*self.plan.inputs, *self.plan.unread]
        values = {value.get("name", ""): value for value in self.message["input"]}
        shapes = in_order(given, names, len(names))
        for name, shape in zip(names, shapes, strict=True):
            tensor = values[name].get("type", {}).get("tensor_type", {}) if shape is not None else {}
            dims = tensor.get("shape", {}).get("dim", [])
            if shape is None:
                continue
            fixed = [int(dim.get("dim_value", 0)) or None for dim in dims[1:]] if dims else None
            sizes = filled(tuple(shape), fixed)
            batch = dims[0] if dims else {"dim_value": 1}
            tensor["shape"] = {"dim": [batch, *({"dim_value": size} for size in sizes)]}

    @cached_property
    def _readers(self) -> dict[str, set[str]]:
        """The operators that read each value."""
        readers: dict[str, set[str]] = {}
        for _, node in self.plan.nodes:
            for name in node["input"]:
                readers.setdefault(name, set()).add(operator(node))
        return readers

    @cached_property
    def images(self) -> set[str]:
        """The inputs that are images."""
        uses = []
        for _, node in self.plan.nodes:
            op = operator(node)
            uses.append(Use(op in OF_IMAGE, op in PASSES_ON, tuple(node["input"]), tuple(node["output"])))
        return images(uses, self.plan.inputs)

    def _input_shape(self, value: dict[str, Any]) -> list[int]:
        """Return the input's shape with 1 for a symbolic batch axis; ModelError where it is no float."""
        name = label(value.get("name", ""), "?")
        tensor = value.get("type", {}).get("tensor_type", {})
        number = tensor.get("elem_type", FLOAT)
        if number in INTEGERS and self._readers.get(value.get("name", ""), set()) <= set(_TAKES_INTEGERS):
            self.whole.add(value.get("name", ""))
            number = FLOAT
        if number not in FLOATS:
            raise ModelError(f"input {name}: expected floats, got type {number}")
        self.types.add(number)
        shape = [int(dim.get("dim_value", 0)) for dim in tensor.get("shape", {}).get("dim", [])]
        return [max(1, shape[0]), *shape[1:]] if len(shape) > 1 else shape


def _no_input(value: dict[str, Any]) -> bool:
    """Whether an input cannot be one of a model file: no floats, or of a size left open."""
    tensor = value.get("type", {}).get("tensor_type", {})
    return tensor.get("elem_type", FLOAT) not in FLOATS or bool(_open_shape(value))


def _open_shape(value: dict[str, Any]) -> str:
    """Return an input's shape as text if other axes than the first are left open, else ""."""
    dims = value.get("type", {}).get("tensor_type", {}).get("shape", {}).get("dim", [])
    sizes = [int(dim.get("dim_value", 0)) for dim in dims]
    if sizes and min(sizes[1:] or sizes) >= 1:
        return ""
    shown = [label(dim.get("dim_param", "") or str(dim.get("dim_value", "?")), "?") for dim in dims]
    return f"({', '.join(shown)})"


def _operation(node: dict[str, Any]) -> Operation:
    op = operator(node)
    kind = "step" if op in ELEMENTWISE else "constant" if op == "Shape" else ""
    if op in ("Add", "Sub", "Sum", "Mul", "Min", "Max", "Concat"):
        kind = "sum"
    elif op in ("Div", "Where"):
        kind = "product"
    elif op in OF_ONE:
        kind = "join"
    return Operation(kind, tuple(name for name in node["input"] if name), tuple(node["output"]))
