"""PyTorch to a Graph: an nn.Module or ExportedProgram in memory, a .pt2 file, or a state_dict (.pth) with its layers.

- nn.Module: torch.export traces it (undecomposed, in eval mode); the only way here that needs PyTorch. Its input shape
  is that of the first nn.Linear, or the option `input_shape`.
- .pt2, written by torch.export.save: JSON and raw weights, read without PyTorch.
- .pth, a state_dict: weights by name without a graph, so the option `layers` says how they are used, such as
  "linear:fc1, relu, linear:fc2, softmax". Read without PyTorch and without running the pickle's code.

The network is read for a batch of 1. Dropout goes, batch normalisation becomes a Scaling. log_softmax is refused: what
ends in it is to be exported with softmax, or with neither, as the largest score stays the largest.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..network.graph import Graph, Metadata
from . import budget
from .choice import refuse_choice
from .flow import Flow, Step, label
from .refusal import Missing
from .torch_calls import Call
from .torch_files import Node, Program, Ref, is_pt2, read_pt2
from .torch_layers import state_dict_graph
from .torch_pth import read_state_dict
from .torch_trace import trace

# What a damaged zip, or JSON of another shape than the schema's, leads to
DAMAGE = (
    *(AttributeError, EOFError, IndexError, KeyError, OverflowError, StopIteration, TypeError, ValueError),
    *(NotImplementedError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error),
)
HINT = {
    "log_softmax": "export the network with softmax, or without either: the largest score stays the largest",
    "_weight_norm": 'call torch.nn.utils.parametrize.remove_parametrizations(layer, "weight") before the export',
}


def read(
    source: Any,
    layers: str | Sequence[str] | None = None,
    input_shape: Sequence[int] | None = None,
    network: str | int | None = None,
) -> Graph:
    """Return the graph of a path, an nn.Module or an ExportedProgram.

    `layers` belongs to a state_dict, `input_shape` (without batch) to an nn.Module; `network` picks one of several
    state_dicts in a checkpoint. ModelError for what is damaged or not supported.
    """
    if not isinstance(source, (str, Path)):
        refuse_choice(network)
        return _Reader(trace(source, input_shape)).graph()
    path = Path(source)
    try:
        if is_pt2(path):
            refuse_choice(network)
            return _Reader(read_pt2(path)).graph()
        arrays, notes = read_state_dict(path, network)
    except ModelError:
        raise
    except DAMAGE as error:
        raise ModelError(f"the file is damaged ({type(error).__name__}: {str(error)[:100]})") from error
    return state_dict_graph(arrays, layers, notes)


# A program

ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "swish",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
}
SUMS = ("add", "sub", "rsub", "div")  # of two computed values, where products may be part of an activation
ARITHMETIC = {"add": "+", "sub": "-", "rsub": "-", "mul": "*", "div": "/"}
NO_EFFECT = (
    "alias",
    "clone",
    "contiguous",
    "detach",
    "dropout",
    "feature_dropout",
    "alpha_dropout",
    "identity",
    "lift_fresh_copy",
)
VIEWS = (
    "view",
    "reshape",
    "flatten",
    "squeeze",
    "unsqueeze",
    "permute",
    "transpose",
    "t",
    "alias",
    "detach",
    "contiguous",
)


class _Reader:
    """Walks the calls in order."""

    def __init__(self, program: Program):
        budget.operations(len(program.nodes))
        shape = program.input_shape
        self.program = program
        self.flow = Flow()
        self.flow.input(program.input, program.input, shape)
        self.flow.constants.update(program.constants)
        self.made_by: dict[str, Node] = {}
        self.last_read = {ref: index for index, node in enumerate(program.nodes) for ref in _references(node)}

    def graph(self) -> Graph:
        """Return the checked graph."""
        self._refuse_missing()
        for index, node in enumerate(self.program.nodes):
            op = _without_underscore(node.op)
            step = Step(index, label(op, "?"), label(node.module, "") or label(node.output, "?"), node.output)
            if not node.output:
                raise ModelError(f"{step.where}: its output is not one tensor or one size")
            if node.output in self.flow.values or node.output in self.flow.constants:
                raise ModelError(f"{step.where}: its output {label(node.output, '?')!r} is computed twice")
            OPERATORS[op](self, step, Call(step, node, self.flow))
            self.made_by[node.output] = node
            if op != node.op:
                self._in_place(step, node, index)
        return self.flow.graph([self.program.output], Metadata(provenance=dict(self.program.provenance)))

    def _refuse_missing(self) -> None:
        """ModelError for all that the program needs and we lack, before anything is read."""
        missing = Missing()
        known = set(self.program.constants)  # and what is computed of constants and sizes alone
        for index, node in enumerate(self.program.nodes):
            op, computed = _without_underscore(node.op), [r for r in _references(node) if r.name not in known]
            if op not in OPERATORS:
                missing.layer(label(op, "?"), f"layer {index} ({label(op, '?')})", HINT.get(op, ""))
            elif op in SUMS and len(computed) > 1:
                missing.layer(f"{op} of two computed values", f"layer {index} ({op})")
            elif op == "sym_size" or not computed:
                known.add(node.output)
        for what in self.program.structure:
            missing.structure(what)
        missing.refuse(", ".join(sorted(name for name in OPERATORS if not name.startswith("_"))))

    def _in_place(self, step: Step, node: Node, index: int) -> None:
        """relu_(x) changes x: who reads x later reads the result; refused where x is a view of something read later."""
        changed = next(iter(node.arguments.values()), None)
        if not isinstance(changed, Ref) or changed.name not in self.flow.values:
            raise ModelError(f"{step.where} changes a constant in place, which is not supported")
        maker = self.made_by.get(changed.name)
        if maker is not None and maker.op in VIEWS:
            base = next(iter(maker.arguments.values()))
            if self.last_read.get(base, -1) > index:
                raise ModelError(
                    f"{step.where} changes a view of a value that is read later, which is not supported"
                )
        self.flow.values[changed.name] = self.flow.values[node.output]

    # Operators

    def linear(self, step: Step, call: Call) -> None:
        """input @ weight.T + bias."""
        bias = call.constant("bias") if call.get("bias") is not None else None
        self.flow.dense(step, call.key("input"), call.constant("weight"), bias)

    def matmul(self, step: Step, call: Call) -> None:
        """self @ other, mm: a value and a constant."""
        weights = call.constant("other" if call.get("other") is not None else "mat2")
        self.flow.dense(step, call.key("self"), weights.T, None)

    def addmm(self, step: Step, call: Call) -> None:
        """self + mat1 @ mat2, where only mat1 is computed."""
        if call.get("alpha", 1) != 1 or call.get("beta", 1) != 1:
            raise ModelError(f"{step.where}: alpha and beta other than 1 are not supported")
        self.flow.dense(step, call.key("mat1"), call.constant("mat2").T, call.constant("self"))

    def activation(self, step: Step, call: Call) -> None:
        """An activation without parameters."""
        self.flow.activation(step, call.key("self"), ACTIVATIONS[step.op])

    def leaky_relu(self, step: Step, call: Call) -> None:
        """leaky_relu with its slope."""
        self.flow.activation(step, call.key("self"), "leaky_relu", call.number("negative_slope", 0.01))

    def prelu(self, step: Step, call: Call) -> None:
        """prelu with one slope for all is leaky_relu."""
        slope = call.constant("weight")
        if slope.size != 1:
            raise ModelError(f"{step.where}: one slope for all is supported, got {slope.size}")
        self.flow.activation(step, call.key("self"), "leaky_relu", float(slope.reshape(())))

    def elu(self, step: Step, call: Call) -> None:
        """elu with alpha; its other scales must be 1."""
        if call.number("scale", 1) != 1 or call.number("input_scale", 1) != 1:
            raise ModelError(f"{step.where}: scales other than 1 are not supported")
        self.flow.activation(step, call.key("self"), "elu", call.number("alpha", 1.0))

    def gelu(self, step: Step, call: Call) -> None:
        """gelu; its approximation by tanh is read as the exact form."""
        if call.get("approximate", "none") != "none":
            self.flow.notes.append("gelu: the tanh approximation became the exact form (at most 0.0005 off)")
        self.flow.activation(step, call.key("self"), "gelu")

    def softplus(self, step: Step, call: Call) -> None:
        """softplus with beta 1; beyond the threshold PyTorch gives x, which is the same in float32."""
        if call.number("beta", 1) != 1 or call.number("threshold", 20) < 15:
            raise ModelError(f"{step.where}: expected beta 1 and a threshold of 20")
        self.flow.activation(step, call.key("self"), "softplus")

    def clamp(self, step: Step, call: Call) -> None:
        """clamp, hardtanh: 0 to 6 is relu6, 0 to infinity relu."""
        default = (-1.0, 1.0) if step.op == "hardtanh" else (-math.inf, math.inf)
        names = ("min_val", "max_val") if step.op == "hardtanh" else ("min", "max")
        low, high = (call.number(name, value) for name, value in zip(names, default, strict=True))
        if low != 0 or high not in (6, math.inf):
            raise ModelError(f"{step.where} to {low:g} ... {high:g} is not supported; supported: 0 ... 6")
        self.flow.activation(step, call.key("self"), "relu6" if high == 6 else "relu")

    def softmax(self, step: Step, call: Call) -> None:
        """softmax along `dim`."""
        self.flow.softmax(step, call.key("self"), call.integer("dim", -1))

    def batch_norm(self, step: Step, call: Call) -> None:
        """Batch normalisation with the statistics of training."""
        if call.get("training", False):
            raise ModelError(f"{step.where} is in training mode; call model.eval() before the export")
        if call.get("running_mean") is None or call.get("running_var") is None:
            raise ModelError(f"{step.where} has no statistics (track_running_stats=False)")
        weight, bias = (call.constant(n) if call.get(n) is not None else None for n in ("weight", "bias"))
        mean, variance = call.constant("running_mean"), call.constant("running_var")
        self.flow.batch_norm(step, call.key("input"), weight, bias, mean, variance, call.number("eps", 1e-5))

    def arithmetic(self, step: Step, call: Call) -> None:
        """add, sub, mul, div with a number or a constant."""
        if call.get("alpha", 1) != 1 or call.get("rounding_mode") is not None:
            raise ModelError(f"{step.where} with alpha or rounding is not supported")
        keys = []
        for name in ("self", "other"):
            value = call.get(name)
            if isinstance(value, Ref):
                keys.append(value.name)
            else:  # a number
                keys.append(f"{step.output}:{name}")
                self.flow.constants[keys[-1]] = np.array(call.number(name, None))
        self.flow.arithmetic(step, ARITHMETIC[step.op], *(reversed(keys) if step.op == "rsub" else keys))

    def same(self, step: Step, call: Call) -> None:
        """No effect when the network is used rather than trained."""
        if call.get("train", False):
            raise ModelError(f"{step.where} is in training mode; call model.eval() before the export")
        self.flow.same(step, call.first())

    def reshape(self, step: Step, call: Call) -> None:
        """view, reshape."""
        self.flow.reshape(
            step, call.key("self"), call.integers("size" if call.get("size") is not None else "shape")
        )

    def flatten(self, step: Step, call: Call) -> None:
        """Axes from start_dim to end_dim become one."""
        shape = call.shape("self")
        start, end = call.axis("start_dim", 0, len(shape)), call.axis("end_dim", -1, len(shape))
        self.flow.reshape(
            step, call.key("self"), shape[:start] + (math.prod(shape[start : end + 1]),) + shape[end + 1 :]
        )

    def squeeze(self, step: Step, call: Call) -> None:
        """Axes of 1 go, but for the batch axis unless it is named."""
        shape = call.shape("self")
        dims = call.get("dim")
        if dims is None:
            axes = [i for i in range(1, len(shape)) if shape[i] == 1]
        else:
            dims = dims if isinstance(dims, list) else [dims]
            axes = [d + len(shape) if isinstance(d, int) and d < 0 else d for d in dims]
        kept = [d for i, d in enumerate(shape) if i not in axes or d != 1]
        self.flow.reshape(step, call.key("self"), kept or [1])

    def unsqueeze(self, step: Step, call: Call) -> None:
        """A new axis of 1."""
        shape = list(call.shape("self"))
        shape.insert(call.axis("dim", 0, len(shape) + 1), 1)
        self.flow.reshape(step, call.key("self"), shape)

    def permute(self, step: Step, call: Call) -> None:
        """permute, transpose, t."""
        rank = len(call.shape("self"))
        order = list(range(rank))
        if step.op == "permute":
            order = [d + rank if d < 0 else d for d in call.integers("dims")]
        elif rank > 1:
            a, b = (
                (call.axis("dim0", 0, rank), call.axis("dim1", 1, rank)) if step.op == "transpose" else (0, 1)
            )
            order[a], order[b] = order[b], order[a]
        self.flow.transpose(step, call.key("self"), order)

    def size(self, step: Step, call: Call) -> None:
        """One size of a value, for a batch of 1."""
        shape = call.shape("self")
        self.flow.constants[step.output] = np.array(shape[call.axis("dim", 0, len(shape))])


def _references(node: Node) -> list[Ref]:
    return [value for value in node.arguments.values() if isinstance(value, Ref)]


def _without_underscore(op: str) -> str:
    """relu for relu_, which changes its input in place."""
    return op[:-1] if op.endswith("_") and not op.endswith("__") else op


OPERATORS: dict[str, Callable[[_Reader, Step, Call], None]] = {
    "linear": _Reader.linear,
    "matmul": _Reader.matmul,
    "mm": _Reader.matmul,
    "addmm": _Reader.addmm,
    "leaky_relu": _Reader.leaky_relu,
    "prelu": _Reader.prelu,
    "elu": _Reader.elu,
    "gelu": _Reader.gelu,
    "softplus": _Reader.softplus,
    "clamp": _Reader.clamp,
    "clamp_min": _Reader.clamp,
    "hardtanh": _Reader.clamp,
    "softmax": _Reader.softmax,
    "_softmax": _Reader.softmax,
    "batch_norm": _Reader.batch_norm,
    "view": _Reader.reshape,
    "_unsafe_view": _Reader.reshape,
    "reshape": _Reader.reshape,
    "flatten": _Reader.flatten,
    "squeeze": _Reader.squeeze,
    "unsqueeze": _Reader.unsqueeze,
    "permute": _Reader.permute,
    "transpose": _Reader.permute,
    "t": _Reader.permute,
    "sym_size": _Reader.size,
    **dict.fromkeys(ACTIVATIONS, _Reader.activation),
    **dict.fromkeys(ARITHMETIC, _Reader.arithmetic),
    **dict.fromkeys(NO_EFFECT, _Reader.same),
}
