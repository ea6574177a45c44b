"""PyTorch to a Graph: an nn.Module or ExportedProgram in memory, a .pt2 file, or a state_dict (.pth) with its layers.

- nn.Module: torch.export traces it (undecomposed, in eval mode); the only way here that needs PyTorch. Its input shape
  is that of the first nn.Linear, or the option `input_shape`; of several inputs it is a dict by name, or a list.
- .pt2, written by torch.export.save: JSON and raw weights, read without PyTorch.
- .pth, a state_dict: weights by name without a graph, so the option `layers` says how they are used, such as
  "linear:fc1, relu, linear:fc2, softmax". Read without PyTorch and without running the pickle's code.

The network is read for a batch of 1. Dropout goes, batch normalisation becomes a Scaling, images become channels last.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..network.graph import Graph, Metadata
from . import budget, torch_images
from .channels import Use, images
from .choice import refuse_choice
from .flow import Step, label
from .flow_images import Images
from .refusal import Missing
from .torch_calls import Call
from .torch_files import Node, Program, Ref, is_pt2, read_pt2
from .torch_layers import state_dict_graph
from .torch_operators import ACTIVATIONS, ARITHMETIC, NO_EFFECT, OPERATORS, UNARY, Operators
from .torch_pth import read_state_dict
from .torch_trace import Shapes, trace

# What a damaged zip, or JSON of another shape than the schema's, leads to
DAMAGE = (
    *(AttributeError, EOFError, IndexError, KeyError, OverflowError, StopIteration, TypeError, ValueError),
    *(NotImplementedError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error),
)


def read(
    source: Any,
    layers: str | Sequence[str] | None = None,
    input_shape: Shapes | None = None,
    network: str | int | None = None,
) -> Graph:
    """Return the graph of a path, an nn.Module or an ExportedProgram.

    `layers` belongs to a state_dict, `input_shape` (without batch; of each input) to an nn.Module; `network` picks one
    of several state_dicts in a checkpoint. ModelError for what is damaged or not supported.
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

# What they make lies where their first argument lies, wholly or for all that is known.
VIEWS = (
    "dropout",
    "feature_dropout",
    "alpha_dropout",
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
    "slice",
    "select",
    "narrow",
    "split",
    "split_with_sizes",
    "chunk",
    "unbind",
    "getitem",
    "unflatten",
    "expand",
    "expand_as",
)
# Operators that leave the order of axes as it is.
PASSES_ON = (
    *(
        *ACTIVATIONS,
        *ARITHMETIC,
        *UNARY,
        *NO_EFFECT,
        "clamp",
        "clamp_min",
        "hardtanh",
        "leaky_relu",
        "elu",
        "gelu",
    ),
    *("softplus", "prelu", "pow", "maximum", "minimum", "cat", "concat", "slice", "narrow", "split", "chunk"),
    *("split_with_sizes", "getitem", "pad", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d"),
    *("replication_pad1d", "replication_pad2d"),
)


class _Reader:
    """Walks the calls in order."""

    def __init__(self, program: Program):
        budget.operations(len(program.nodes))
        self.program = program
        self.flow = Images()
        uses = (
            Use(
                (op := _without_underscore(node.op)) in torch_images.OPERATORS,
                op in PASSES_ON,
                tuple(ref.name for ref in _references(node)),
                (node.output,),
            )
            for node in program.nodes
        )
        found = images(uses, [name for name, _ in program.inputs])
        for name, shape in program.inputs:
            self.flow.input(name, name, shape, is_image=name in found)
        self.flow.constants.update(program.constants)
        self.operators = Operators(self.flow)
        # by name: the names of values in the same storage, as far as they are read again
        self.storage: dict[str, list[str]] = {}
        reads = ((ref.name, index) for index, node in enumerate(program.nodes) for ref in _references(node))
        self.last_read = dict(reads) | dict.fromkeys(program.outputs, len(program.nodes))

    def graph(self) -> Graph:
        """Return the checked graph."""
        self._refuse_missing()
        for index, node in enumerate(self.program.nodes):
            op = _without_underscore(node.op)
            if op == "getitem" and node.output not in self.last_read:
                continue  # the places of what a pool has found, say
            step = Step(index, label(op, "?"), label(node.module, "") or label(node.output, "?"), node.output)
            if not node.output:
                raise ModelError(f"{step.where}: its output is not one tensor or one size")
            if node.output in self.flow.values or node.output in self.flow.constants:
                raise ModelError(f"{step.where}: its output {label(node.output, '?')!r} is computed twice")
            OPERATORS[op](self.operators, step, Call(step, node, self.flow))
            if op != node.op or op in VIEWS:
                self._share(node)
            if op != node.op and op not in NO_EFFECT:
                self._change(step, node, index)
        metadata = Metadata(provenance=dict(self.program.provenance))
        return self.flow.graph(self.program.outputs, metadata, self.program.output_names)

    def _refuse_missing(self) -> None:
        """ModelError for all that the program needs and we lack, before anything is read."""
        missing = Missing()
        known = set(self.program.constants)  # and what is computed of constants and sizes alone
        for index, node in enumerate(self.program.nodes):
            op, computed = _without_underscore(node.op), [r for r in _references(node) if r.name not in known]
            if op not in OPERATORS:
                missing.layer(label(op, "?"), f"layer {index} ({label(op, '?')})")
            elif op == "div" and len(computed) > 1:
                missing.layer(f"{op} of two computed values", f"layer {index} ({op})")
            elif op == "sym_size" or not computed:
                known.add(node.output)
        for what in self.program.structure:
            missing.structure(what)
        missing.refuse("torch")

    def _share(self, node: Node) -> None:
        """What the node makes lies in the storage of its first argument."""
        base = next(iter(node.arguments.values()), None)
        if isinstance(base, Ref):
            names = self.storage.setdefault(base.name, [base.name])
            names.append(node.output)
            self.storage[node.output] = names

    def _change(self, step: Step, node: Node, index: int) -> None:
        """relu_(x) changes x: who reads x later, under whatever name, reads the result.

        Refused where another view of it is read later, of another shape, and what changes a constant.
        """
        changed, values = next(iter(node.arguments.values()), None), self.flow.values
        if not isinstance(changed, Ref) or changed.name not in values:
            raise ModelError(f"{step.where} changes a constant in place, which is not supported")
        before, names = values[changed.name], self.storage[changed.name]
        budget.steps(len(names), step.where)
        names[:] = [name for name in names if name == node.output or self.last_read.get(name, -1) > index]
        for name in names:
            other = values.get(name, before)
            if name != node.output and (other.tensor, other.shape) != (before.tensor, before.shape):
                raise ModelError(
                    f"{step.where} changes a view of a value that is read later, which is not supported"
                )
            values[name] = values[node.output]


def _references(node: Node) -> list[Ref]:
    listed = (value if isinstance(value, list) else [value] for value in node.arguments.values())
    return [value for values in listed for value in values if isinstance(value, Ref)]


def _without_underscore(op: str) -> str:
    """relu for relu_, which changes its input in place."""
    return op[:-1] if op.endswith("_") and not op.endswith("__") else op
