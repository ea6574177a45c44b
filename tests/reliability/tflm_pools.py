"""Pools, reductions and what goes by rows for tflm_kernels.py: a function writes a model of one layer, and returns its
input, its output and what this layer is here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from anne_tools.layers import Activation, ArgMax, AveragePool, MaxPool, Reduce
from anne_tools.layers.windows import Window
from anne_tools.network import tflm
from anne_tools.network.graph import Graph
from anne_tools.network.layer import Layer
from anne_tools.network.tensor import Quantization, Tensor

FUSED = {"linear": 0, "relu": 1, "relu6": 3}


def graph_of(layer: Layer, tensors) -> Graph:
    """The graph of one layer, whose tensors are those of a TfliteWriter; the output's shape is what the layer makes."""
    found = {t.name: graph_tensor(t) for t in tensors}
    shape = found[layer.input].shape
    found[layer.output] = replace(found[layer.output], shape=layer.output_shapes([shape], [shape], "")[0])
    return Graph([layer.input], [layer.output], [layer], found).check()


def graph_tensor(t) -> Tensor:
    """The tensor of a graph for one of a TfliteWriter."""
    types, q = {0: "float32", 7: "int16", 9: "int8"}, t.quantization
    quantization = Quantization(q.scale, q.zeroPoint[0]) if q is not None else None
    return Tensor(t.name, tuple(t.shape[1:]) or (1,), types[t.type], quantization)


def any_quantization(rng, dtype: str) -> dict:
    """Scale and zero point, none for floats."""
    if dtype == "float32":
        return {}
    zero_point = int(rng.integers(-128, 128)) if dtype == "int8" else 0
    return {"scale": float(2.0 ** rng.uniform(-8, 0)), "zero_point": zero_point}


def pool(kind: type[Layer], dtype: str) -> Callable:
    """A writer of MAX_POOL_2D or AVERAGE_POOL_2D, with padding "same" or none."""

    def write(w, rng) -> tuple[int, int, Graph]:
        size = tuple(int(n) for n in rng.integers(1, 12, 2))
        channels = int(rng.choice([1, 3, rng.integers(1, 40)]))
        kernel = tuple(int(rng.integers(1, min(n, 6) + 1)) for n in size)
        stride = tuple(int(n) for n in rng.integers(1, 4, 2))
        same = bool(rng.random() < 0.5)
        window = Window.same(size, kernel, stride) if same else Window(kernel, stride)
        q = any_quantization(rng, dtype)
        shape = (*size, channels)
        x = w.tensor((1, *shape), dtype, **q)
        y = w.tensor((1, *window.image_shape(shape, channels, "pool")), dtype, **q)
        activation = str(rng.choice(list(FUSED)))
        options = {"padding": 0 if same else 1, "fusedActivationFunction": FUSED[activation]}
        options |= {
            "filterHeight": kernel[0],
            "filterWidth": kernel[1],
            "strideH": stride[0],
            "strideW": stride[1],
        }
        w.operator("MAX_POOL_2D" if kind is MaxPool else "AVERAGE_POOL_2D", [x], [y], 2, **options)
        names = [w.tensors[i].name for i in (x, y)]
        return x, y, graph_of(kind("pool", *names, window, activation=activation), w.tensors)

    return write


def any_rows(rng, most: int) -> tuple[int, ...]:
    """One to three axes, the last of up to `most` elements."""
    return (*(int(n) for n in rng.integers(1, 8, rng.integers(0, 3))), int(rng.integers(1, most)))


def by_rows(name: str, dtype: str, output: tuple[float, int] | None = None) -> Callable:
    """A writer of SOFTMAX or LOG_SOFTMAX over the last axis; `output` is the scale and zero point of integers."""

    def write(w, rng) -> tuple[int, int, Graph]:
        shape, q = any_rows(rng, 60), any_quantization(rng, dtype)
        x = w.tensor((1, *shape), dtype, **q)
        y = w.tensor((1, *shape), dtype, **({"scale": output[0], "zero_point": output[1]} if output else {}))
        w.operator(name, [x], [y], 2, **({"beta": 1.0} if name == "SOFTMAX" else {}))
        names = [w.tensors[i].name for i in (x, y)]
        return x, y, graph_of(Activation("rows", *names, name.lower()), w.tensors)

    return write


def arg_max(dtype: str) -> Callable:
    """A writer of ARG_MAX along the last axis, whose output is int32 there."""

    def write(w, rng) -> tuple[int, int, Graph]:
        shape, q = any_rows(rng, 60), any_quantization(rng, dtype)
        x = w.tensor((1, *shape), dtype, **q)
        y = w.tensor((1, *shape[:-1]), "int32")
        w.operator("ARG_MAX", [x, w.tensor((1,), "int32", [len(shape)])], [y], outputType=2)
        source, target = (w.tensors[i].name for i in (x, y))
        made = Tensor(target, shape[:-1] or (1,), dtype)
        if dtype != "float32":
            made = replace(made, dtype="int16", quantization=Quantization(1.0))
        tensors = {source: graph_tensor(w.tensors[x]), target: made}
        return x, y, Graph([source], [target], [ArgMax("where", source, target)], tensors).check()

    return write


OPERATORS = {"mean": "MEAN", "sum": "SUM", "max": "REDUCE_MAX", "min": "REDUCE_MIN"}


def reduce(operation: str, dtype: str) -> Callable:
    """A writer of MEAN, SUM, REDUCE_MAX or REDUCE_MIN over any axes but the batch's, which stay as 1 or do not."""

    def write(w, rng) -> tuple[int, int, Graph]:
        rank = int(rng.integers(1, 4))
        shape = tuple(int(n) for n in rng.integers(1, 12, rank))
        axes = sorted(int(a) for a in rng.choice(rank, rng.integers(1, rank + 1), replace=False))
        keep = bool(rng.random() < 0.5)
        left = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
        source = any_quantization(rng, dtype)
        target = dict(source)
        if source and operation in ("mean", "sum") and rng.random() < 0.7:
            target = any_quantization(rng, dtype)
            target["scale"] = float(source["scale"] * 2.0 ** rng.uniform(-2, 4))
        x = w.tensor((1, *shape), dtype, **source)
        y = w.tensor((1, *left), dtype, **target)
        w.operator(
            OPERATORS[operation],
            [x, w.tensor((len(axes),), "int32", [a + 1 for a in axes])],
            [y],
            keepDims=keep,
        )
        names = [w.tensors[i].name for i in (x, y)]
        flat = [t for t in w.tensors if t.name in names]
        graph = graph_of(Reduce("reduce", *names, operation, tuple(axes)), flat)
        return x, y, graph

    return write


KERNELS: dict[str, Callable] = (
    {
        f"{word}_{suffix}": pool(kind, dtype)
        for word, kind in (("max_pool", MaxPool), ("average_pool", AveragePool))
        for suffix, dtype in (("f32", "float32"), ("s8", "int8"), ("s16", "int16"))
    }
    | {
        f"reduce_{operation}_{suffix}": reduce(operation, dtype)
        for operation in OPERATORS
        for suffix, dtype in (("f32", "float32"), ("s8", "int8"), ("s16", "int16"))
        if operation in ("mean", "sum") or dtype != "int16"  # the interpreter takes no greatest of int16
    }
    | {
        "softmax_rows_f32": by_rows("SOFTMAX", "float32"),
        "softmax_rows_s8": by_rows("SOFTMAX", "int8", tflm.SOFTMAX_OUTPUT),
        "log_softmax_f32": by_rows("LOG_SOFTMAX", "float32"),
        "log_softmax_s8": by_rows("LOG_SOFTMAX", "int8", tflm.LOG_SOFTMAX_OUTPUT),
        "arg_max_f32": arg_max("float32"),
        "arg_max_s8": arg_max("int8"),
    }
)
