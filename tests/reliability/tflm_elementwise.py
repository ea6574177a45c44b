"""Layers of one operator that works element by element: as .tflite files for TensorFlow Lite Micro, and as graphs.

The graphs are put together from what was written, not imported, so that operators and types are compared that the
importer does not take (int16).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from anne_tools.layers import Add, Multiply, Subtract
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Quantization, Tensor

FUSED = {0: "linear", 1: "relu", 3: "relu6"}  # numbers of fused activations
BINARY = {"ADD": Add, "SUB": Subtract, "MUL": Multiply}
ZERO_POINTS = {"int8": (-128, 128), "int16": (0, 1)}


def any_shape(rng) -> tuple[int, ...]:
    """(1, up to three dimensions)."""
    return (1, *(int(d) for d in rng.integers(1, 12, rng.integers(1, 4))))


def operands(name: str, dtype: str) -> Callable:
    """A writer of an operator of BINARY: shapes that are broadcast, one time in three with a constant."""

    def write(w, rng) -> tuple[list[int], int]:
        shape = any_shape(rng)
        shapes = [list(shape), list(shape)]
        if rng.random() < 0.7:  # on each axis either may have 1; and leave axes out in front
            for axis in range(1, len(shape)):
                which = rng.integers(0, 4)
                if which < 2:
                    shapes[which][axis] = 1
            shapes[1] = shapes[1][rng.integers(0, len(shape)) :]
            shapes = shapes[:: rng.choice([1, -1])]
        constant = int(rng.integers(0, 6))  # neither but for 0 and 1
        quantized = [{}] * 3
        if dtype != "float32":
            scales = np.float32(2.0 ** rng.uniform(-8, 0, 2))
            natural = scales.max() if name != "MUL" else scales.prod() * (100 if dtype == "int8" else 30000)
            output = np.float32(natural * 2.0 ** rng.uniform(-2, 3))
            zeros = rng.integers(*ZERO_POINTS[dtype], 3)
            quantized = [
                {"scale": float(s), "zero_point": int(z)}
                for s, z in zip([*scales, output], zeros, strict=True)
            ]
        ends = []
        for i in range(2):
            values = rng.normal(size=shapes[i])
            if dtype != "float32":
                info = np.iinfo(dtype)
                values = rng.integers(info.min, info.max + 1, shapes[i])
            ends.append(w.tensor(shapes[i], dtype, values if i == constant else None, **quantized[i]))
        made = np.broadcast_shapes(*map(tuple, shapes))
        y = w.tensor(made, dtype, **quantized[2])
        fused = int(rng.choice(list(FUSED)))
        w.operator(name, ends, [y], 2, fusedActivationFunction=fused)
        return [end for i, end in enumerate(ends) if i != constant], y

    return write


def graph(w) -> Graph:
    """What the file of one such operator says."""
    operator, tensors, constants = w.operators[0], {}, {}
    names = [w.tensors[index].name for index in (*operator.inputs, *operator.outputs)]
    for index in (*operator.inputs, *operator.outputs):
        t = w.tensors[index]
        dtype = {0: "float32", 7: "int16", 9: "int8"}[t.type]
        q = t.quantization and Quantization(np.float32(t.quantization.scale), t.quantization.zeroPoint[0])
        if t.buffer:
            data = np.frombuffer(w.buffers[t.buffer].data.tobytes(), dtype)
            constants[t.name] = data.reshape(t.shape), q
        else:
            shape = tuple(t.shape)
            # without the batch axis, which constants and operands of fewer axes have not
            bare = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
            tensors[t.name] = Tensor(t.name, bare, dtype, q)
    inputs = [name for name in names[:-1] if name in tensors]
    layer = _layer(w, operator, names, inputs, constants)
    (made,) = layer.output_shapes([tensors[name].shape for name in inputs], [], "layer")
    tensors[names[-1]] = replace(tensors[names[-1]], shape=made)  # a constant brings no axes of 1
    return Graph(inputs, names[-1:], [layer], tensors).check()


def _layer(w, operator, names, inputs, constants):
    code = w.codes[operator.opcodeIndex].builtinCode
    name = next(key for key in BINARY if getattr(_operators(), key) == code)
    kwargs = {}
    for key, (array, q) in constants.items():
        kwargs = {"constant": array, "constant_first": names[0] == key, "constant_quantization": q}
    activation = FUSED[operator.builtinOptions.fusedActivationFunction]
    return BINARY[name]("layer", inputs, names[-1], activation, **kwargs)


def _operators():
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    return schema.BuiltinOperator


def with_graph(write: Callable) -> Callable:
    """The writer that returns the graph, too."""

    def write_both(w, rng) -> tuple:
        return (*write(w, rng), graph(w))

    return write_both


_SHORT = {"float32": "f32", "int8": "s8", "int16": "s16"}
WRITERS: dict[str, Callable] = {
    f"{word}_{short}": with_graph(operands(name, dtype))
    for word, name in (("add_unlike", "ADD"), ("subtract", "SUB"), ("multiply", "MUL"))
    for dtype, short in _SHORT.items()
}
