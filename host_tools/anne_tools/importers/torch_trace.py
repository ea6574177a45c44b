"""An nn.Module or ExportedProgram in memory -> Program, by torch.export; the one place that needs PyTorch."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ModelError
from .torch_files import Node, Program, Ref, names_of_outputs, operator_name, refuse_no_ends

# of one input, or of several, by name or in their order
Shapes = Sequence[int] | Sequence[Sequence[int]] | Mapping[str, Sequence[int]]


def trace(source: Any, input_shape: Shapes | None) -> Program:
    """Return the program of an nn.Module, traced in eval mode with its modes put back, or of an ExportedProgram."""
    import torch

    if isinstance(source, torch.export.ExportedProgram):
        return _from_exported(source)
    if not isinstance(source, torch.nn.Module):
        raise ModelError(f"expected an nn.Module, got {type(source).__name__}")
    shapes = _shapes(source, input_shape)
    args, kwargs = _arguments(source, shapes)
    modes = {module: module.training for module in source.modules()}
    try:
        source.eval()
        return _from_exported(torch.export.export(source, args, kwargs))
    except ModelError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:200]
        told = [str((1, *shape)) for shape in (shapes.values() if isinstance(shapes, Mapping) else shapes)]
        inputs = f"an input of shape {told[0]}" if len(told) == 1 else f"inputs of shapes {', '.join(told)}"
        raise ModelError(
            f"torch.export cannot trace {type(source).__name__} with {inputs} ({reason}); is input_shape right?"
        ) from error
    finally:
        for module, mode in modes.items():
            module.training = mode


def _shapes(source: Any, given: Shapes | None) -> Shapes:
    """Return the shape of each input, a mapping by name or a list in their order."""
    if isinstance(given, Mapping):
        return given
    if given is not None:
        return given if any(isinstance(shape, Sequence) for shape in given) else [given]
    names = [
        name
        for name, p in inspect.signature(source.forward).parameters.items()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if len(names) > 1:
        raise ModelError(
            f"{type(source).__name__} has inputs {', '.join(names)}: give input_shape, a dict of each one's shape, "
            "without the batch axis"
        )
    return [_first_linear(source)]


def _arguments(source: Any, shapes: Shapes) -> tuple[tuple, dict[str, Any]]:
    """Return positional and named arguments for the module's forward: zeros, in a batch of 1."""
    import torch

    if not isinstance(shapes, Mapping):
        return tuple(torch.zeros(1, *shape, dtype=type_of_inputs(source)) for shape in shapes), {}
    signature = inspect.signature(source.forward)
    try:
        dtype = type_of_inputs(source)
        bound = signature.bind(
            **{name: torch.zeros(1, *shape, dtype=dtype) for name, shape in shapes.items()}
        )
    except TypeError as error:
        raise ModelError(f"input_shape does not fit {type(source).__name__}.forward: {error}") from error
    return bound.args, bound.kwargs


def type_of_inputs(source: Any) -> Any:
    """Return integers for a network that begins with a table, else floats."""
    import torch

    if isinstance(source, torch.export.ExportedProgram):
        given = [
            node.meta["val"] for node in source.graph.nodes if node.name in source.graph_signature.user_inputs
        ]
        return given[0].dtype if given else torch.float32
    first = next((module for module in source.modules() if list(module.parameters(recurse=False))), None)
    return torch.long if isinstance(first, torch.nn.Embedding) else torch.float32


def _first_linear(source: Any) -> tuple[int]:
    import torch

    for module in source.modules():
        if isinstance(module, torch.nn.Linear):
            return (module.in_features,)
    raise ModelError(f"{type(source).__name__} has no nn.Linear: give input_shape, without the batch axis")


def _from_exported(program: Any) -> Program:
    """Return an ExportedProgram as the Program that its .pt2 file would give."""
    import torch

    signature, kinds = program.graph_signature, torch.export.graph_signature
    inputs, outputs, structure = [], [], []
    for spec in signature.input_specs:
        if spec.kind in (kinds.InputKind.CUSTOM_OBJ, kinds.InputKind.TOKEN):
            structure.append(f"an input of kind {spec.kind.name.lower()}")
        elif spec.kind is kinds.InputKind.USER_INPUT and not isinstance(spec.arg, kinds.ConstantArgument):
            inputs.append(spec.arg.name)
    for spec in signature.output_specs:
        if spec.kind is not kinds.OutputKind.USER_OUTPUT:
            structure.append(f"an output of kind {spec.kind.name.lower()}")
        elif isinstance(spec.arg, kinds.ConstantArgument):
            structure.append(f"an output that is {spec.arg.value}")
        else:
            outputs.append(spec.arg.name)
    refuse_no_ends(len(inputs), len(outputs))
    tensors = {**program.state_dict, **program.constants}
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    constants = {key: tensors[name].detach().to(torch.float64).cpu().numpy() for key, name in names.items()}
    calls = [_from_fx(node) for node in program.graph.nodes if node.op == "call_function" and _matters(node)]
    shapes = {node.name: _shape(node) for node in program.graph.nodes if node.name in inputs}
    ends = [(name, shapes[name]) for name in inputs], outputs, names_of_outputs(_tree(program))
    provenance = {"format": "torch.export", "framework": f"PyTorch {torch.__version__}"}
    return Program(calls, constants, *ends, provenance, structure)


def _shape(node: Any) -> tuple[int, ...]:
    sizes = enumerate(node.meta["val"].shape)
    return tuple(size if isinstance(size, int) else 1 if axis == 0 else -1 for axis, size in sizes)


def _tree(program: Any) -> str:
    """Return how the program's outputs stand in what it returns, as JSON; "" if they stand in a class of its own."""
    from torch.utils import _pytree

    try:
        return _pytree.treespec_dumps(program.call_spec.out_spec)
    except NotImplementedError:
        return ""


def _matters(node: Any) -> bool:
    """Whether a call makes something that is read, or changes something in place; assertions do neither."""
    return bool(node.users) or operator_name(str(node.target)).endswith("_")


def _from_fx(node: Any) -> Node:
    def convert(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [convert(v) for v in value]
        return Ref(value.name) if hasattr(value, "op") else value

    target = node.target
    if target is operator.getitem:
        arguments = {"self": convert(node.args[0]), "index": node.args[1]}
        return Node("getitem", arguments, node.name)
    read = frozenset(user.args[1] for user in node.users if user.target is operator.getitem and user.users)
    schema = getattr(target, "_schema", None)
    names = (
        [argument.name for argument in schema.arguments]
        if schema is not None
        else map(str, range(len(node.args)))
    )
    arguments = {name: convert(value) for name, value in zip(names, node.args, strict=False)}
    arguments |= {name: convert(value) for name, value in node.kwargs.items()}
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path = stack[-1][0] if stack else ""
    return Node(operator_name(str(target)), arguments, node.name, path.removeprefix("L['self']."), read)
