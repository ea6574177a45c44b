"""Graph -> the bytes of a model file, as FORMAT.md has them.

Constants of the format (versions, numbers of types and kinds) come from the reader, `anne.model_file`, so that they
are written once.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from anne import model_file
from anne.metadata import MAX_NAME_BYTES

from ..errors import ModelError
from ..network.activations import ACTIVATIONS
from ..network.graph import Graph
from ..network.layer import Layer, Record, float32
from ..network.tensor import Tensor
from .arena import Step, plan

_DTYPE_NUMBERS = {name: number for number, (name, *_) in model_file.DTYPES.items()}
_KIND_NUMBERS = {name: number for number, name in model_file.KINDS.items()}
_TAG_NUMBERS = {name: number for number, name in model_file.TAGS.items()}


def pack(graph: Graph, golden: tuple[np.ndarray, np.ndarray] | None = None) -> bytes:
    """Return the model file of `graph`.

    `golden` are inputs and outputs as they stand in the arena (arrays of the tensors' dtypes, a sample a row), for the
    model's self-test. ModelError for what the format cannot hold.
    """
    check_limits(graph.check())
    order = {name: index for index, name in enumerate(_tensor_order(graph))}
    offsets, arena_bytes = plan_arena(graph)
    data = _Data()
    tensors = b"".join(_tensor_bytes(graph, graph.tensors[name], offsets[name]) for name in order)
    records = [layer.record(*graph.ends(layer)) for layer in graph.layers]
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
    weights = sum(layer.n_weights for layer in graph.layers)
    if weights > (most := 2 * model_file.MAX_CONSTANT_BYTES):  # of four bits each
        raise ModelError(f"expected at most {most} weights in all layers, got {weights}")


def _tensor_order(graph: Graph) -> list[str]:
    """Inputs of the network, then what the layers make; outputs of the network change places so that they come in
    their order."""
    order = graph.inputs + [name for layer in graph.layers for name in layer.outputs]
    outputs = iter(name for name in graph.outputs if name not in graph.inputs)
    return [next(outputs) if name in graph.outputs and name not in graph.inputs else name for name in order]


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


def _tensor_bytes(graph: Graph, tensor: Tensor, offset: int) -> bytes:
    role = (tensor.name in graph.inputs) + 2 * (tensor.name in graph.outputs)
    rank = len(tensor.shape)
    if not 1 <= rank <= 4:
        raise ModelError(f"tensor {tensor.name}: expected 1 to 4 dimensions, got shape {tensor.shape}")
    scale, zero_point = 1.0, 0
    if tensor.quantization is not None and tensor.dtype != "float32":
        scale = float32(f"tensor {tensor.name}: scale", tensor.quantization.scale[0])
        zero_point = tensor.quantization.zero_point
    shape = tuple(tensor.shape) + (0,) * (4 - rank)
    return struct.pack(
        "<4B4IfiI", _DTYPE_NUMBERS[tensor.dtype], role, rank, 0, *shape, scale, zero_point, offset
    )


def plan_arena(graph: Graph) -> tuple[dict[str, int], int]:
    """Return (offset of each tensor, bytes of the arena)."""
    sizes = {name: graph.tensors[name].nbytes for name in _tensor_order(graph)}
    steps = [Step(layer.inputs, layer.outputs, layer.place) for layer in graph.layers]
    planned = plan(sizes, graph.inputs, graph.outputs, steps)
    return planned.offsets, planned.nbytes


# --- Layers -----------------------------------------------------------------------------------------------------------


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
    indices = [order[name] for name in (*layer.inputs, *layer.outputs)]
    tensors = struct.pack(f"<{len(indices)}H", *indices) + bytes(len(indices) % 2 * 2)
    constants = b"".join(struct.pack("<II", *data.add(constant)) for constant in record.constants)
    parameters = struct.pack(f"<{len(record.parameters)}i", *record.parameters)
    rest = tensors + constants + parameters
    head = struct.pack(
        "<HH4Bf",
        _KIND_NUMBERS[record.kind],
        12 + len(rest),
        len(layer.inputs),
        len(layer.outputs),
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
        else struct.pack("<f", float32("threshold", metadata.threshold)),
        "layer_names": _lines("layer name", [layer.name for layer in graph.layers]),
        "input_names": _lines("input name", metadata.input_names),
        "output_names": _lines("output name", metadata.output_names),
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
