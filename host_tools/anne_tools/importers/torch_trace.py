"""An nn.Module or ExportedProgram in memory -> Program, by torch.export; the one place that needs PyTorch."""

from __future__ import annotations

import inspect
import itertools
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import ModelError
from .torch_files import Node, Program, Ref, names_of_outputs, operator_name, refuse_no_ends

# Inputs of a module with an nn.Embedding for which whole numbers are tried, too.
_MOST_CHOSEN = 4

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
    modes = {module: module.training for module in source.modules()}
    try:
        source.eval()
        args, kwargs = _arguments(source, shapes)
        return _from_exported(torch.export.export(source, args, kwargs))
    except ModelError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:200]
        told = [str((1, *shape)) for shape in (shapes.values() if isinstance(shapes, Mapping) else shapes)]
        inputs = f"an input of shape {told[0]}" if len(told) == 1 else f"inputs of shapes {', '.join(told)}"
        hint = "give input_shape, without the batch axis" if input_shape is None else "is input_shape right?"
        raise ModelError(
            f"torch.export cannot trace {type(source).__name__} with {inputs} ({reason}); {hint}"
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
    """Return positional and named arguments for the module's forward: zeros, in a batch of 1, where its weights are."""
    import torch

    first = next((p for p in source.parameters() if p.is_floating_point()), torch.zeros(1))
    for types in _choices(source, len(shapes), first.dtype):
        args, kwargs = _bound(source, shapes, types, first.device)
        if _runs(source, args, kwargs):
            break
    return args, kwargs


def _choices(source: Any, n: int, floats: Any) -> Iterable[Sequence[Any]]:
    """Yield types for `n` inputs: those of the weights, and in a module with an nn.Embedding whole numbers for some."""
    import torch

    has_tables = any(isinstance(module, torch.nn.Embedding) for module in source.modules())
    yield [floats] * n
    if has_tables:
        for chosen in itertools.product((torch.long, floats), repeat=min(n, _MOST_CHOSEN)):
            yield [*chosen, *[floats] * (n - len(chosen))]


def types_of_inputs(source: Any, shapes: Sequence[Sequence[int]]) -> list[Any]:
    """Return the type that each input of a module or program has, of inputs of these `shapes` without the batch."""
    import torch

    if isinstance(source, torch.export.ExportedProgram):
        names = source.graph_signature.user_inputs
        return [node.meta["val"].dtype for node in source.graph.nodes if node.name in names]
    args, kwargs = _arguments(source, shapes)
    return [value.dtype for value in (*args, *kwargs.values())]


def _runs(source: Any, args: tuple, kwargs: dict[str, Any]) -> bool:
    import torch

    try:
        with torch.no_grad():
            source(*args, **kwargs)
    except (RuntimeError, TypeError, IndexError, ValueError):
        return False
    return True


def _bound(source: Any, shapes: Shapes, types: Sequence[Any], device: Any) -> tuple[tuple, dict[str, Any]]:
    """Return zeros of these shapes and types as the module's forward takes them."""
    import torch

    def zeros(shape: Sequence[int], dtype: Any) -> Any:
        return torch.zeros(1, *shape, dtype=dtype, device=device)

    if not isinstance(shapes, Mapping):
        return tuple(map(zeros, shapes, types)), {}
    signature = inspect.signature(source.forward)
    try:
        bound = signature.bind(**dict(zip(shapes, map(zeros, shapes.values(), types), strict=True)))
    except TypeError as error:
        raise ModelError(f"input_shape does not fit {type(source).__name__}.forward: {error}") from error
    return bound.args, bound.kwargs


def _first_linear(source: Any) -> tuple[int]:
    """Return the shape that the first layer takes, if that is a Linear; else ModelError, which asks for it."""
    import torch

    for name, module in source.named_modules():
        if isinstance(module, torch.nn.Linear):
            return (module.in_features,)
        said = _begins_with(module)
        if said:
            layer = " ".join(filter(None, (type(module).__name__, name)))
            raise ModelError(
                f"{type(source).__name__} begins with {layer}: give input_shape={said}, without the batch axis"
            )
    raise ModelError(f"{type(source).__name__} has no nn.Linear: give input_shape, without the batch axis")


def _begins_with(module: Any) -> str:
    """Return the input shape of a layer whose input has axes of any length, in words; "" for another layer."""
    import torch

    nn = torch.nn
    for n, axes in ((1, "time"), (2, "rows, columns")):
        convolutions = getattr(nn, f"Conv{n}d"), getattr(nn, f"ConvTranspose{n}d")
        if isinstance(module, convolutions):
            return f"({module.in_channels}, {axes})"
    if isinstance(module, nn.BatchNorm2d):
        return f"({module.num_features}, rows, columns)"
    if isinstance(module, nn.RNNBase):
        return f"(time, {module.input_size})"
    return "(numbers,)" if isinstance(module, nn.Embedding) else ""


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
