"""What `make costs` measures: models with many layers, each kernel in many sizes, in groups by what they are for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from anne.model_file import KINDS
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import DTYPES, quantize
from anne_tools.errors import ModelError
from anne_tools.layers import Dense, Embedding, Quantize, room
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.activations import ACTIVATIONS
from anne_tools.network.tensor import Quantization, Tensor

# The sizes of dense layers one after another, so that each pair of neighbours is a layer: every number of rows left
# over from blocks, odd columns, and large ones both ways round. A second model has layers of several panels.
# fmt: off
CHAIN = (1, 1, 4, 8, 3, 16, 16, 4, 2, 3, 2, 1, 8, 1, 64, 10, 64, 32, 128, 16, 5, 30, 7, 100, 128, 12, 13, 14, 15)
# fmt: on
PLAIN_CHAIN = (1, 1, 4, 8, 3, 16, 16, 4, 2, 3, 2, 1, 8, 1, 64, 10, 64, 32, 5, 30, 7, 40)
LONG_CHAIN = {
    "s8_quad": (640, 64, 600, 12),
    "s8_f32": (640, 64, 600, 12),
    "s4": (300, 64, 300, 12),
    "f32_aligned": (400, 20, 200, 20),
    Dense.ALIGNED_RELU: (400, 20, 200, 20),
    "s16": (400, 32, 200, 33),
}
# A kernel of dense layers, and the dtype of a conversion that leads to it.
KERNELS = Dense.DTYPES | {Dense.ALIGNED_RELU: "float32"}
CALLS = ((4, 8), (10, 64), (64, 10), (128, 32))
ELEMENTS = (3, 16, 64)
RANDOM = np.random.default_rng(1)
# A group's name and its model files. Activations come first: what they take is not the kernels' of other layers.
Group = tuple[str, Callable[[], Iterator[bytes]]]


def packed(builder: GraphBuilder, dtype: str, outputs: list[Tensor] | None = None) -> bytes:
    """The graph as it was built, without passes, quantised on random inputs."""
    graph = builder.build(outputs=outputs)
    x = RANDOM.normal(0, 1, (64, *graph.tensors[graph.inputs[0]].shape))
    return pack(quantize(graph, dtype, x))


def around_zero(n: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n, 4) and bias that make of inputs of 0.5 values alternately above and below 0."""
    weights, values = RANDOM.normal(0, spread, (n, 4)), spread * np.abs(RANDOM.normal(0, 1, n))
    values[RANDOM.integers(2) :: 2] *= -1
    return weights, values - 0.5 * weights.sum(axis=1)


def groups() -> list[Group]:
    """Everything that is measured."""
    kinds = [kind for kind in map(room, KINDS.values()) if kind.timed]
    return [
        ("activation", activations),
        *((f"dense {kernel}", lambda kernel=kernel: dense(kernel)) for kernel in KERNELS),
        ("scaling", lambda: calls(True)),
        ("call", lambda: calls(False)),
        ("quantize", quantizes),
        ("embeddings", embeddings),
        *((kind.__name__, lambda kind=kind: timed(kind)) for kind in kinds),
    ]


def dense_chain(kernel: str, chain: tuple[int, ...]) -> GraphBuilder:
    """Dense layers one after another, with weights that lead to the kernel."""
    builder = GraphBuilder((chain[0],))
    for i, (n_in, n_out) in enumerate(pairwise(chain)):
        weights = RANDOM.normal(0, n_in**-0.5, (n_out, n_in))
        if kernel == "f32":  # a column apart, so that layouts.choose takes f32
            weights[:, 1:] *= 1e-4
            weights[:, 0] += 1
        activation = "relu" if kernel == Dense.ALIGNED_RELU else "linear"
        builder.dense(f"dense_{i}", weights, RANDOM.normal(0, 0.1, n_out), activation)
    return builder


def dense(kernel: str) -> Iterator[bytes]:
    """Layers of a dense kernel."""
    dtype = KERNELS[kernel]
    chains = [PLAIN_CHAIN if kernel == "f32" else CHAIN] * (3 if dtype.startswith("int") else 1)
    for chain in (*chains, *([LONG_CHAIN[kernel]] if kernel in LONG_CHAIN else [])):
        yield packed(dense_chain(kernel, chain), dtype)


def activations() -> Iterator[bytes]:
    """Activations alone, behind dense layers, for values as networks have them; of two sizes in several rows."""
    names = {
        "float32": list(ACTIVATIONS),
        "int16": ["tanh", "softmax"],
        "int8": ["tanh", "softmax", "log_softmax"],
    }
    for dtype, activations in names.items():
        for n in (*ELEMENTS, 24, 40):
            builder, outputs = GraphBuilder((4,)), []
            for i, name in enumerate(activations):
                spread = 4 if name == "log_softmax" else 1  # which is integers only where answers are clear
                weights, bias = around_zero(n, spread)
                if name in ("log", "sqrt", "rsqrt"):
                    weights, bias = np.abs(weights), np.abs(bias)
                builder.dense(f"spread_{i}", weights, bias, at=builder.first)
                if n in (24, 40):
                    builder.reshape(f"rows_{i}", (n // 8, 8))
                outputs.append(builder.activation(f"activation_{i}", name))
            yield packed(builder, dtype, outputs)


def calls(scaled: bool) -> Iterator[bytes]:
    """A dense layer, `scaled` behind a scaling, with few and many inputs and outputs."""
    for dtype in ("float32", "int8", "int16"):
        for n_in, n_out in CALLS:
            builder = GraphBuilder((n_in,))
            if scaled:
                builder.scaling("scaling", np.full(n_in, 0.5), np.full(n_in, 0.25))
            builder.dense("dense", RANDOM.normal(0, 1, (n_out, n_in)), RANDOM.normal(0, 1, n_out))
            yield packed(builder, dtype)


def quantizes() -> Iterator[bytes]:
    """From each type to each other one that differs, and to integers of another scale."""
    path = ("int8", "int16", "int8", "int8", "float32", "int16", "int16", "float32")
    for n in ELEMENTS:
        builder = GraphBuilder((n,))
        for i, dtype in enumerate(path):
            made = builder.add(Quantize, f"quantize_{i}")
            quantization = None if dtype == "float32" else Quantization(np.float32(0.01 + 0.001 * i), 0)
            builder.last = builder.tensors[made.name] = Tensor(made.name, made.shape, dtype, quantization)
        yield pack(builder.build())


def embeddings() -> Iterator[bytes]:
    """Of numbers that are integers."""
    for dtype in ("int8", "int16"):
        for n in ELEMENTS:
            numbers = Tensor("numbers", (n,), dtype, Quantization(np.float32(1), 0))
            builder = GraphBuilder(input_tensor=numbers)
            for width in Embedding.TIMED_WIDTHS:
                table = np.linspace(-1, 1, 8 * width).reshape(8, width).astype(np.float32)
                builder.add(Embedding, f"embedding {width}", table, inputs=[builder.first])
            read = {name for layer in builder.layers for name in layer.inputs}
            outputs = [tensor for name, tensor in builder.tensors.items() if name not in read]
            yield pack(builder.build(outputs=outputs))


def timed(kind: type) -> Iterator[bytes]:
    """What a kind says (`Layer.timed`), behind dense layers; whatever nothing reads is an output of the network."""
    for dtype in DTYPES if kind.SIZES else ("float32", "int8", "int16"):
        for n in (*ELEMENTS, *kind.timed_larger):
            builder = GraphBuilder((4,))
            for i in range(2 if n <= ELEMENTS[-1] else 1):  # large ones once, as memory has it
                inputs = [
                    builder.dense(f"{i}_{k}", *around_zero(n), at=builder.first)
                    for k in range(kind.n_inputs or 2)
                ]
                kind.timed(builder, inputs)
            read = {name for layer in builder.layers for name in layer.inputs}
            try:
                yield packed(
                    builder, dtype, [tensor for name, tensor in builder.tensors.items() if name not in read]
                )
            except ModelError:
                break  # a kind that has no such type
