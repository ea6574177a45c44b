"""An nn.Module or ExportedProgram in memory -> Program, by torch.export; the one place that needs PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ModelError
from .torch_files import Node, Program, Ref, one_input_and_output, operator_name


def trace(source: Any, input_shape: Sequence[int] | None) -> Program:
    """Return the program of an nn.Module, traced in eval mode with its modes put back, or of an ExportedProgram."""
    import torch

    if isinstance(source, torch.export.ExportedProgram):
        return _from_exported(source)
    if not isinstance(source, torch.nn.Module):
        raise ModelError(f"expected an nn.Module, got {type(source).__name__}")
    example = torch.zeros(1, *(_first_linear(source) if input_shape is None else input_shape))
    modes = {module: module.training for module in source.modules()}
    try:
        source.eval()
        return _from_exported(torch.export.export(source, (example,)))
    except ModelError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise ModelError(
            f"torch.export cannot trace {type(source).__name__} with an input of shape {tuple(example.shape)} "
            f"({reason}); is input_shape right?"
        ) from error
    finally:
        for module, mode in modes.items():
            module.training = mode


def _first_linear(source: Any) -> tuple[int]:
    import torch

    for module in source.modules():
        if isinstance(module, torch.nn.Linear):
            return (module.in_features,)
    raise ModelError(f"{type(source).__name__} has no nn.Linear: give input_shape, without the batch axis")


def _from_exported(program: Any) -> Program:
    """Return an ExportedProgram as the Program that its .pt2 file would give."""
    import torch

    signature = program.graph_signature
    structure = one_input_and_output(len(signature.user_inputs), len(signature.user_outputs))
    tensors = {**program.state_dict, **program.constants}
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    constants = {key: tensors[name].detach().to(torch.float64).cpu().numpy() for key, name in names.items()}
    calls = [_from_fx(node) for node in program.graph.nodes if node.op == "call_function" and _matters(node)]
    first = next(node for node in program.graph.nodes if node.name == signature.user_inputs[0])
    shape = tuple(
        d if isinstance(d, int) else (1 if i == 0 else -1) for i, d in enumerate(first.meta["val"].shape)
    )
    provenance = {"format": "torch.export", "framework": f"PyTorch {torch.__version__}"}
    return Program(calls, constants, first.name, shape, signature.user_outputs[0], provenance, structure)


def _matters(node: Any) -> bool:
    """Whether a call makes something that is read, or changes something in place; assertions do neither."""
    return bool(node.users) or operator_name(str(node.target)).endswith("_")


def _from_fx(node: Any) -> Node:
    def convert(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [convert(v) for v in value]
        return Ref(value.name) if hasattr(value, "op") else value

    target = node.target
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
    return Node(operator_name(str(target)), arguments, node.name, path.removeprefix("L['self']."))
