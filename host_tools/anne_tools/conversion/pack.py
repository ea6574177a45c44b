"""Graph -> the bytes of a model file, as FORMAT.md has them.

Constants of the format (versions, numbers of types and kinds) come from the reader, `anne.model_file`, so that they
are written once.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from anne import model_file
from anne.metadata import MAX_NAME_BYTES

from ..errors import ModelError
from ..layers import layouts, tables
from ..network.graph import (
    ACTIVATIONS,
    DEFAULT_ALPHA,
    Activation,
    Dense,
    Graph,
    Layer,
    Metadata,
    Reshape,
    Scaling,
    Tensor,
)

_DTYPE_NUMBERS = {name: number for number, (name, *_) in model_file.DTYPES.items()}
_KIND_NUMBERS = {name: number for number, name in model_file.KINDS.items()}
_TAG_NUMBERS = {name: number for number, name in model_file.TAGS.items()}
_ITEM_BYTES = {name: size for name, size, *_ in model_file.DTYPES.values()}


@dataclass
class Record:
    """What a layer becomes in the file: constants as bytes, parameters as int32."""

    kind: str
    activation: str
    alpha: float
    constants: list[bytes]
    parameters: list[int]


def pack(graph: Graph, golden: tuple[np.ndarray, np.ndarray] | None = None) -> bytes:
    """Return the model file of `graph`.

    `golden` are inputs and outputs as they stand in the arena (arrays of the tensors' dtypes, a sample a row), for the
    model's self-test. ModelError for what the format cannot hold.
    """
    check_limits(graph.check())
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        got = f"{len(graph.inputs)} and {len(graph.outputs)}"
        raise ModelError(f"expected a network of one input and one output, got {got}")
    order = {name: index for index, name in enumerate(_tensor_order(graph))}
    offsets, arena_bytes = plan_arena(graph)
    data = _Data()
    tensors = b"".join(_tensor_bytes(graph, graph.tensors[name], offsets[name]) for name in order)
    records = [record(layer, graph) for layer in graph.layers]
    constant_bytes = sum(len(constant) for made in records for constant in made.constants)
    if constant_bytes > (most := model_file.MAX_CONSTANT_BYTES):
        raise ModelError(
            f"expected at most {most} bytes of weights and tables in all layers, got {constant_bytes}"
        )
    layers = b"".join(
        _record_bytes(layer, made, order, data) for layer, made in zip(graph.layers, records, strict=True)
    )
    metadata = _metadata_bytes(graph, golden)
    file = _file_bytes(
        tensors, layers, metadata, bytes(data.bytes), arena_bytes, len(order), len(graph.layers)
    )
    try:
        model_file.ModelFile(
            file, checked=True
        )  # all but the constants, which the layouts prove as they are made
    except ValueError as error:
        raise ModelError(str(error)) from None
    return file


def _float32(where: str, value: float) -> float:
    """Return `value` if a float32 can hold it; ModelError else."""
    with np.errstate(over="ignore"):
        if not math.isfinite(np.float32(value)):
            raise ModelError(f"{where}: expected a number that float32 can hold, got {value}")
    return float(value)


def check_limits(
    graph: Graph, most_layers: int = model_file.MAX_LAYERS, most_values: int | None = None
) -> None:
    """ModelError if the format cannot hold the graph's layers or weights, which is told from their sizes.

    So it costs nothing, and can come before anything is computed. `most_layers` may be more than the format's where
    some are yet to be merged; `most_values` are the values between layers that one sample may compute.
    """
    if len(graph.layers) > most_layers:
        raise ModelError(
            f"expected at most {model_file.MAX_LAYERS} layers in a model file, got {len(graph.layers)}"
        )
    sizes = {name: graph.tensors[name].size for name in _tensor_order(graph)}
    if empty := next((name for name, size in sizes.items() if size < 1), None):
        raise ModelError(
            f"tensor {empty}: expected at least 1 element, got shape {graph.tensors[empty].shape}"
        )
    if most_values is not None and sum(sizes.values()) > most_values:
        raise ModelError(
            f"expected at most {most_values} values in all layers together, got {sum(sizes.values())}"
        )
    weights = sum(layer.weights.size for layer in graph.layers if isinstance(layer, Dense))
    if weights > (most := 2 * model_file.MAX_CONSTANT_BYTES):  # of four bits each
        raise ModelError(f"expected at most {most} weights in all layers, got {weights}")


def _tensor_order(graph: Graph) -> list[str]:
    return graph.inputs + [layer.output for layer in graph.layers]


def _file_bytes(tensors, layers, metadata, data, arena_bytes, n_tensors, n_layers) -> bytes:
    body = tensors + layers + metadata + data
    total = model_file.HEADER_BYTES + len(body)
    counts = struct.pack("<8I", arena_bytes, n_tensors, n_layers, len(layers), len(metadata), len(data), 0, 0)
    crc = zlib.crc32(counts + body)
    return (
        struct.pack("<4sHHII", b"ANNE", model_file.VERSION, model_file.HEADER_BYTES, total, crc)
        + counts
        + body
    )


# --- Tensors and their places -----------------------------------------------------------------------------------------


def tensor_bytes(tensor: Tensor) -> int:
    """Bytes of a tensor's values in the arena."""
    return tensor.size * _ITEM_BYTES[tensor.dtype]


def _tensor_bytes(graph: Graph, tensor: Tensor, offset: int) -> bytes:
    role = (tensor.name in graph.inputs) + 2 * (tensor.name in graph.outputs)
    rank = len(tensor.shape)
    if not 1 <= rank <= 4:
        raise ModelError(f"tensor {tensor.name}: expected 1 to 4 dimensions, got shape {tensor.shape}")
    scale, zero_point = 1.0, 0
    if tensor.quantization is not None and tensor.dtype != "float32":
        scale = _float32(f"tensor {tensor.name}: scale", tensor.quantization.scale[0])
        zero_point = tensor.quantization.zero_point
    shape = tuple(tensor.shape) + (0,) * (4 - rank)
    return struct.pack(
        "<4B4IfiI", _DTYPE_NUMBERS[tensor.dtype], role, rank, 0, *shape, scale, zero_point, offset
    )


def plan_arena(graph: Graph) -> tuple[dict[str, int], int]:
    """Return (offset of each tensor, bytes of the arena): first fit, large tensors first, in place where that works.

    A tensor lives from the layer that makes it to the last that reads it; network inputs from the start, network
    outputs to the end. Tensors that live at the same time share no bytes.
    """
    groups = _in_place_groups(graph)
    made = dict.fromkeys(graph.inputs, 0) | {layer.output: i + 1 for i, layer in enumerate(graph.layers)}
    last = dict(made)
    for i, layer in enumerate(graph.layers):
        last[layer.input] = i + 1
    for name in graph.outputs:
        last[name] = len(graph.layers) + 1
    spans: dict[str, tuple[int, int, int]] = {}
    for name in made:
        first, end, size = spans.get(groups[name], (made[name], 0, 0))
        size = max(size, (tensor_bytes(graph.tensors[name]) + 3) // 4 * 4)
        spans[groups[name]] = (min(first, made[name]), max(end, last[name]), size)
    placed: dict[str, int] = {}
    for root in sorted(spans, key=lambda root: -spans[root][2]):
        first, end, size = spans[root]
        taken = sorted(
            (placed[other], placed[other] + spans[other][2])
            for other in placed
            if spans[other][0] <= end and first <= spans[other][1]
        )
        offset = 0
        for start, stop in taken:
            if offset + size <= start:
                break
            offset = max(offset, stop)
        placed[root] = offset
    arena_bytes = max(placed[root] + spans[root][2] for root in placed)
    return {name: placed[groups[name]] for name in made}, arena_bytes


def _in_place_groups(graph: Graph) -> dict[str, str]:
    """The tensor in whose place each tensor lies: itself, or the input of the layer that works in place."""
    groups = {name: name for name in graph.inputs}
    for layer in graph.layers:
        source, target = graph.tensors[layer.input], graph.tensors[layer.output]
        alone = sum(1 for _ in graph.consumers(layer.input)) == 1 and layer.input not in graph.outputs
        in_place = isinstance(layer, Reshape) or (
            isinstance(layer, Activation)
            and alone
            and layer.input not in graph.inputs
            and source.dtype == target.dtype
        )
        groups[layer.output] = groups[layer.input] if in_place else layer.output
    return groups


# --- Layers -----------------------------------------------------------------------------------------------------------


def record(layer: Layer, graph: Graph) -> Record:
    """Return what `layer` becomes in the file; ModelError if the format has nothing for it."""
    source, target = graph.tensors[layer.input], graph.tensors[layer.output]
    if isinstance(layer, Dense):
        layout = layouts.choose(layer, source, target)
        limits = tables.limits(layer.activation, target)
        constants = layouts.constants(layout, layer, source, target)
        return Record("dense", layer.activation, _alpha(layer), constants, [layout, *limits])
    if isinstance(layer, Activation):
        if layer.activation == "softmax" and source.size != source.shape[-1]:
            raise ModelError(f"{layer.name}: expected softmax over a flat tensor, got shape {source.shape}")
        constants = [] if source.dtype == "float32" else [tables.table(layer, source, target)]
        return Record("activation", layer.activation, _alpha(layer), constants, [])
    if isinstance(layer, Scaling):
        return Record("scaling", "linear", 0.0, _scaling_constants(layer, source, target), [])
    return Record("reshape", "linear", 0.0, [], [])


def _alpha(layer: Dense | Activation) -> float:
    return _float32(f"layer {layer.name}: alpha", layer.alpha) if layer.activation in DEFAULT_ALPHA else 0.0


def _scaling_constants(layer: Scaling, source: Tensor, target: Tensor) -> list[bytes]:
    n = source.shape[-1]
    scale, offset = np.broadcast_to(layer.scale, n), np.broadcast_to(layer.offset, n)
    if target.dtype != "float32":
        # the output's integers directly: x scale / s + offset / s, rounded; the zero point is added after rounding
        scale, offset = scale / target.quantization.scale[0], offset / target.quantization.scale[0]
    for values in (scale, offset):
        _float32(f"layer {layer.name}: scaling", np.abs(values).max())
    return [np.asarray(values, "<f4").tobytes() for values in (scale, offset)]


class _Data:
    """The data section as it grows; equal constants are stored once."""

    def __init__(self):
        self.bytes = bytearray()
        self.offsets: dict[bytes, int] = {}

    def add(self, constant: bytes) -> tuple[int, int]:
        """Return (offset, bytes) of `constant` in the section."""
        if constant not in self.offsets:
            self.offsets[constant] = len(self.bytes)
            self.bytes += constant + bytes(-len(constant) % 4)
        return self.offsets[constant], len(constant)


def _record_bytes(layer: Layer, record: Record, order: dict[str, int], data: _Data) -> bytes:
    tensors = struct.pack("<2H", order[layer.input], order[layer.output])
    constants = b"".join(struct.pack("<II", *data.add(constant)) for constant in record.constants)
    parameters = struct.pack(f"<{len(record.parameters)}i", *record.parameters)
    rest = tensors + constants + parameters
    head = struct.pack(
        "<HH4Bf",
        _KIND_NUMBERS[record.kind],
        12 + len(rest),
        1,
        1,
        len(record.constants),
        ACTIVATIONS.index(record.activation),
        record.alpha,
    )
    return head + rest


# --- Metadata ---------------------------------------------------------------------------------------------------------


def _metadata_bytes(graph: Graph, golden: tuple[np.ndarray, np.ndarray] | None) -> bytes:
    metadata = graph.metadata
    entries = {
        "name": _lines("name", [metadata.name], MAX_NAME_BYTES),
        "labels": _lines("label", metadata.labels),
        "feature_names": _lines("feature name", metadata.feature_names),
        "provenance": _lines("provenance", [f"{key}: {value}" for key, value in metadata.provenance.items()]),
        "threshold": b""
        if metadata.threshold is None
        else struct.pack("<f", _float32("threshold", metadata.threshold)),
        "layer_names": _lines("layer name", [layer.name for layer in graph.layers]),
    }
    if golden is not None:
        entries["golden_inputs"], entries["golden_outputs"] = (array.tobytes() for array in golden)
    return b"".join(_entry(tag, content) for tag, content in entries.items() if content)


def _lines(what: str, lines: list[str], most_bytes: int | None = None) -> bytes:
    """The texts as UTF-8, one a line. ModelError for what is no line of text, or longer than it may be."""
    for line in lines:
        if "\n" in line:
            raise ModelError(f"{what} {line!r}: expected one line")
        try:
            n_bytes = len(line.encode())
        except UnicodeEncodeError:  # halves of surrogate pairs, as of a command line that is not UTF-8
            raise ModelError(f"{what} {line!r}: expected UTF-8 text") from None
        if most_bytes is not None and n_bytes > most_bytes:
            raise ModelError(f"{what} {line[:20]!r}...: expected at most {most_bytes} bytes, got {n_bytes}")
    return "\n".join(lines).encode()


def _entry(tag: str, content: bytes) -> bytes:
    return struct.pack("<II", _TAG_NUMBERS[tag], len(content)) + content + bytes(-len(content) % 4)


__all__ = ["Metadata", "Record", "check_limits", "pack", "plan_arena", "record", "tensor_bytes"]
