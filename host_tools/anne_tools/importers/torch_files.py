"""A .pt2 file (torch.export.save) without PyTorch: a zip of JSON (the graph, undecomposed) and raw weights -> Program.

Every length, index and stride of the JSON is compared with the bytes that are there; nothing is executed.

Source: torch/_export/serde/schema.py (schema version 8) of PyTorch 2.13.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from . import budget
from .bfloat16 import to_float32
from .budget import open_zip, read_member
from .flow import label

SCHEMA_MAJOR = 8
_MAX_PATH = 200
OLD_PT2 = "serialized_exported_program.json"
# torch._export.serde.schema.ScalarType -> numpy
SCALAR_TYPES = {
    1: "u1",
    2: "i1",
    3: "<i2",
    4: "<i4",
    5: "<i8",
    6: "<f2",
    7: "<f4",
    8: "<f8",
    12: "?",
    13: "bfloat16",
}


@dataclass(frozen=True)
class Ref:
    """An argument that is another value of the program, by name."""

    name: str


@dataclass
class Node:
    """One call: operator such as "linear" (without overload), arguments by name, the value it makes.

    What makes several values has a name for all of them; a "getitem" behind it picks one.
    """

    op: str
    arguments: dict[str, Any]
    output: str
    module: str = ""  # path of the nn.Module that called it, such as "fc1"
    read: frozenset[int] = frozenset()  # of several values those that are read, by index


@dataclass
class Program:
    """An exported network: calls in order; constants by the names the calls use; (name, shape) of each input.

    Inputs are named after the arguments of the module's forward; `output_names` are the keys of the dict that it
    returned, [] for what is no dict. `structure` says what else it needs, such as "an input of kind token".
    """

    nodes: list[Node]
    constants: dict[str, np.ndarray]
    inputs: list[tuple[str, tuple[int, ...]]]
    outputs: list[str]
    output_names: list[str] = field(default_factory=list)
    provenance: dict[str, str] = field(default_factory=dict)
    structure: list[str] = field(default_factory=list)


def is_pt2(path: Path) -> bool:
    """Whether a file is what torch.export.save writes, under whatever name."""
    if not zipfile.is_zipfile(path):
        return False
    with open_zip(path) as archive:
        return any(name.endswith(("/models/model.json", OLD_PT2)) for name in archive.namelist())


def read_pt2(path: Path) -> Program:
    """Return the program of a file that torch.export.save wrote. ModelError for other versions and layouts."""
    with open_zip(path) as archive:
        root = root_folder(archive, "/models/model.json")
        model = _json(archive, f"{root}/models/model.json")
        major = _get(model, "schema_version", "major")
        if major != SCHEMA_MAJOR:
            minor = _get(model, "schema_version", "minor")
            raise ModelError(
                f".pt2 schema version {major}.{minor} is not supported; supported: {SCHEMA_MAJOR}"
            )
        if optional_member(archive, f"{root}/byteorder", b"little") != b"little":
            raise ModelError("files of big-endian machines are not supported")
        arrays = {}
        for what in ("weights", "constants"):
            folder = f"{root}/data/{what}"
            config = _get(_json(archive, f"{folder}/model_{what}_config.json"), "config")
            arrays |= _weights(archive, folder, config)
    return _program(model, arrays)


def _program(model: dict, arrays: dict[str, np.ndarray]) -> Program:
    graph, signature = _get(model, "graph_module", "graph"), _get(model, "graph_module", "signature")
    constants, inputs, structure = {}, [], []
    specs = _get(signature, "input_specs")
    budget.steps(4 * len(specs), "inputs")
    for spec in specs:
        kind, entry = next(iter(spec.items()))
        if kind == "user_input":
            inputs.append(_get(entry, "arg", "as_tensor", "name"))
        elif kind in ("parameter", "buffer", "tensor_constant"):
            name = entry.get(f"{kind}_name")
            if name not in arrays:
                raise ModelError(f"{kind} {str(name)[:60]!r} is missing in the file")
            constants[_get(entry, "arg", "name")] = arrays[name]
        elif kind != "constant_input":  # a number or None, which the calls have
            structure.append(f"an input of kind {label(str(kind), '?')}")
    outputs = []
    specs = _get(signature, "output_specs")
    budget.steps(4 * len(specs), "outputs")
    for spec in specs:
        if "user_output" not in spec:
            structure.append(f"an output of kind {label(str(next(iter(spec), '?')), '?')}")
        elif "as_none" in (arg := _get(spec, "user_output", "arg")):
            structure.append("an output that is None")
        else:
            outputs.append(_get(arg, "as_tensor", "name"))
    refuse_no_ends(len(inputs), len(outputs))
    provenance = {"format": "pt2", "framework": f"PyTorch {model.get('torch_version', '?')}"}
    entries = _get(graph, "nodes")
    budget.operations(len(entries))
    nodes = [node for index, entry in enumerate(entries) for node in _nodes(entry, index)]
    budget.operations(len(nodes))
    shapes = [_shape(_get(graph, "tensor_values", name, "sizes")) for name in inputs]
    ends = list(zip(inputs, shapes, strict=True)), outputs
    return Program(nodes, constants, *ends, _output_names(model["graph_module"]), provenance, structure)


def _shape(sizes: list[dict]) -> tuple[int, ...]:
    """Return a shape; a symbolic size is an expression, which is fine for the batch axis only."""
    return tuple(int(size.get("as_int", 1 if axis == 0 else -1)) for axis, size in enumerate(sizes))


def refuse_no_ends(n_inputs: int, n_outputs: int) -> None:
    """ModelError for a model without inputs or outputs."""
    if not n_inputs or not n_outputs:
        raise ModelError(f"expected a model of inputs and outputs, got {n_inputs} and {n_outputs}")


def _output_names(graph_module: dict) -> list[str]:
    calls = graph_module.get("module_call_graph") or [{}]
    return names_of_outputs((calls[0].get("signature") or {}).get("out_spec") or "")


def names_of_outputs(tree: str) -> list[str]:
    """Return the names of what stands in a returned dict, "a", or "a.0" in a tuple there; [] for what is no dict.

    `tree` is how torch.utils._pytree writes what a module returned: [1, {"type": ..., "context": the keys of a dict,
    once more as JSON, "children_spec": [...]}].
    """
    spec = budget.parse_json(f'{{"spec": {tree or "[]"}}}', "the names of the outputs")["spec"]
    return list(_leaves(spec[1], "")) if spec and _keys(spec[1]) else []


def _leaves(spec: dict, path: str) -> Iterator[str]:
    """The dotted path of each leaf."""
    budget.steps(1, "the names of the outputs")
    children = spec["children_spec"]
    if spec["type"] is None:
        yield path
    with budget.level("outputs"):
        for key, child in zip(_keys(spec) or range(len(children)), children, strict=True):
            yield from _leaves(child, f"{path}.{key}"[:_MAX_PATH] if path else str(key)[:_MAX_PATH])


def _keys(spec: dict) -> list:
    if spec["type"] not in ("builtins.dict", "collections.OrderedDict"):
        return []
    return budget.parse_json(f'{{"keys": {spec["context"]}}}', "the names of the outputs")["keys"]


def _nodes(entry: dict, index: int) -> Iterator[Node]:
    """Yield one call, and a getitem for each value if it makes several; none for an assertion, which makes none."""
    outputs = _get(entry, "outputs")
    op = operator_name(_get(entry, "target"))
    if not outputs:
        return
    arguments = {argument["name"]: _argument(argument["arg"]) for argument in _get(entry, "inputs")}
    made = [_argument(output) for output in outputs]
    several = made[0] if len(made) == 1 and isinstance(made[0], list) else made if len(made) > 1 else []
    stack = entry.get("metadata", {}).get("nn_module_stack", "").rpartition(";")[2].split(",")
    module = stack[1] if len(stack) > 1 else ""
    if not several or not all(isinstance(each, Ref) for each in several):
        name = made[0].name if len(made) == 1 and isinstance(made[0], Ref) else ""
        yield Node(op, arguments, name, module)
        return
    whole = f"{op} {index}"
    yield Node(op, arguments, whole, module, frozenset(range(len(several))))
    for at, each in enumerate(several):
        yield Node("getitem", {"self": Ref(whole), "index": at}, each.name, module)


def _argument(arg: dict) -> Any:
    """Return a number, text, list or None as it is, and a Ref for what another call made."""
    kind, value = next(iter(arg.items()))
    if kind in ("as_int", "as_float", "as_bool", "as_string", "as_ints", "as_floats", "as_bools"):
        return value
    if kind in ("as_tensor", "as_name"):
        return Ref(value["name"] if kind == "as_tensor" else value)
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
        return _argument(value)
    if kind in ("as_sym_ints", "as_tensors"):
        return [_argument({"as_tensor": v} if kind == "as_tensors" else v) for v in value]
    # devices, layouts, numeric types: nothing that changes a value
    return None


def operator_name(target: str) -> str:
    """Return "linear" for "torch.ops.aten.linear.default"; operators from elsewhere keep their full name."""
    parts = target.removeprefix("torch.ops.").split(".")
    return parts[1] if len(parts) in (2, 3) and parts[0] == "aten" else target


def _weights(archive: zipfile.ZipFile, folder: str, config: dict) -> dict[str, np.ndarray]:
    """Return the arrays that `config` describes; those that share a member of the archive share its bytes."""
    budget.steps(10 * len(config), "weights")
    storages, arrays = {}, {}
    for name, entry in config.items():
        where = f"weights {name[:60]!r}"
        if entry.get("use_pickle"):
            raise ModelError(f"{where} are pickled, which is not supported")
        meta, member = _get(entry, "tensor_meta"), _get(entry, "path_name")
        dtype = SCALAR_TYPES.get(_get(meta, "dtype"))
        if dtype is None:
            raise ModelError(f"{where}: type {meta['dtype']} is not supported")
        if (member, dtype) not in storages:
            storages[member, dtype] = from_bytes(where, read_member(archive, f"{folder}/{member}"), dtype)
        sizes, strides = ([_get(n, "as_int") for n in _get(meta, key)] for key in ("sizes", "strides"))
        offset = _get(meta, "storage_offset", "as_int")
        arrays[name] = strided(where, storages[member, dtype], offset, sizes, strides)
    return arrays


def from_bytes(where: str, data: bytes, dtype: str) -> np.ndarray:
    """Return a flat array; bfloat16, which numpy lacks, as float32."""
    size = 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
    if len(data) % size:
        raise ModelError(f"{where}: {len(data)} bytes are not a whole number of {dtype}")
    if dtype == "bfloat16":
        budget.elements(where, (len(data) // size,))
        return to_float32(np.frombuffer(data, "<u2"))
    return np.frombuffer(data, dtype)


def strided(where: str, storage: np.ndarray, offset: int, sizes: list[int], strides: list[int]) -> np.ndarray:
    """Return the view of `storage` that a tensor is; ModelError where it would reach outside."""
    numbers = [offset, *sizes, *strides]
    if len(sizes) != len(strides) or len(sizes) > 8 or not all(type(n) is int and n >= 0 for n in numbers):
        raise ModelError(f"{where}: its sizes and strides do not fit")
    if not budget.elements(where, sizes):  # as the float64 they become
        return np.zeros(sizes, storage.dtype)
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if last >= storage.size:
        raise ModelError(f"{where}: expected at least {last + 1} values in the file, got {storage.size}")
    step = storage.itemsize
    view = np.lib.stride_tricks.as_strided(
        storage[offset:], sizes, [s * step for s in strides], writeable=False
    )
    return np.ascontiguousarray(view).reshape(sizes)


def _get(value: Any, *keys: str) -> Any:
    """Return value[key1][key2]...; ModelError where one is missing."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise ModelError(f"the .pt2 file is damaged: {'.'.join(keys)} is missing")
        value = value[key]
    return value


def _json(archive: zipfile.ZipFile, name: str) -> dict:
    return budget.parse_json(read_member(archive, name), name)


def root_folder(archive: zipfile.ZipFile, ending: str) -> str:
    """Return the folder in the archive that everything is in."""
    names = archive.namelist()
    roots = [name.removesuffix(ending) for name in names if name.endswith(ending)]
    if len(roots) == 1:
        return roots[0]
    if any(name.endswith(OLD_PT2) for name in names):
        raise ModelError(
            "written by an older PyTorch; save it again with torch.export.save of PyTorch 2.9 or later"
        )
    raise ModelError(f"expected one member {ending.lstrip('/')}, got {len(roots)}")


def optional_member(archive: zipfile.ZipFile, name: str, default: bytes) -> bytes:
    return read_member(archive, name, 64) if name in archive.namelist() else default
