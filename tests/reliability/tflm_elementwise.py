"""Layers of one operator that works element by element: as .tflite files for TensorFlow Lite Micro, and as graphs.

The graphs are put together from what was written, not imported, so that operators and types are compared that the
importer does not take (int16).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from anne_tools.layers import Add, Clip, Multiply, Prelu, Quantize, Subtract
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Quantization, Tensor

FUSED = {0: "linear", 1: "relu", 3: "relu6"}  # numbers of fused activations
BINARY = {"ADD": Add, "SUB": Subtract, "MUL": Multiply}
NAMES = (*BINARY, "PRELU", "MINIMUM", "MAXIMUM", "QUANTIZE", "DEQUANTIZE")
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


def prelu(dtype: str) -> Callable:
    """A writer of PRELU: a slope for each channel, for each element, or one; the interpreter has no int16."""

    def write(w, rng) -> tuple[int, int]:
        shape = any_shape(rng)
        of_slope = shape[1 + rng.integers(0, len(shape) - 1) :] if rng.random() < 0.8 else (1,)
        quantized, values = [{}] * 3, rng.normal(size=of_slope)
        if dtype != "float32":
            scales = np.float32(2.0 ** rng.uniform(-8, 0, 2))
            output = np.float32(scales[0] * 2.0 ** rng.uniform(-1, 3))
            zeros = rng.integers(*ZERO_POINTS[dtype], 3)
            quantized = [
                {"scale": float(s), "zero_point": int(z)}
                for s, z in zip([*scales, output], zeros, strict=True)
            ]
            values = rng.integers(-128, 128, of_slope)
        x, slope, y = (
            w.tensor(shape, dtype, **quantized[0]),
            w.tensor(of_slope, dtype, values, **quantized[1]),
            w.tensor(shape, dtype, **quantized[2]),
        )
        w.operator("PRELU", [x, slope], [y])
        return x, y

    return write


def limit(name: str, dtype: str) -> Callable:
    """A writer of MINIMUM or MAXIMUM with a number."""

    def write(w, rng) -> tuple[int, int]:
        shape, q, value = any_shape(rng), {}, rng.normal()
        if dtype != "float32":
            q = {"scale": 2.0 ** rng.uniform(-8, 0), "zero_point": int(rng.integers(*ZERO_POINTS[dtype]))}
            value = rng.integers(-128, 128)
        x, c, y = (
            w.tensor(shape, dtype, **q),
            w.tensor((1,), dtype, [value], **q),
            w.tensor(shape, dtype, **q),
        )
        w.operator(name, [x, c], [y])
        return x, y

    return write


def cast(source: str, target: str) -> Callable:
    """A writer of QUANTIZE, or of DEQUANTIZE to floats."""

    def write(w, rng) -> tuple[int, int]:
        shape, ends = any_shape(rng), []
        scale = 2.0 ** rng.uniform(-8, 0)
        for dtype in (source, target):
            q = {}
            if dtype != "float32":
                # of one range, more or less
                fine = 2.0**-8 if dtype == "int16" else 1.0
                q = {
                    "scale": scale * fine * 2.0 ** rng.uniform(-1, 1),
                    "zero_point": int(rng.integers(*ZERO_POINTS[dtype])),
                }
            ends.append(w.tensor(shape, dtype, **q))
        w.operator("DEQUANTIZE" if target == "float32" else "QUANTIZE", ends[:1], ends[1:])
        return ends[0], ends[1]

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
    name = next(key for key in NAMES if getattr(_operators(), key) == code)
    if name in ("QUANTIZE", "DEQUANTIZE"):
        return Quantize("layer", inputs, names[-1])
    if name == "PRELU":
        return Prelu("layer", inputs, names[-1], *constants[names[1]])
    if name in ("MINIMUM", "MAXIMUM"):
        ((array, q),) = constants.values()
        number = float(array[0]) if q is None else float((array[0] - float(q.zero_point)) * q.scale[0])
        limits = (-np.inf, number) if name == "MINIMUM" else (number, np.inf)
        return Clip("layer", inputs, names[-1], *limits)
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
CASTS = [("float32", "int8"), ("float32", "int16"), ("int8", "float32"), ("int16", "float32")]
CASTS += [("int8", "int8"), ("int8", "int16"), ("int16", "int8"), ("int16", "int16")]
WRITERS: dict[str, Callable] = {
    f"{word}_{short}": with_graph(operands(name, dtype))
    for word, name in (("add_unlike", "ADD"), ("subtract", "SUB"), ("multiply", "MUL"))
    for dtype, short in _SHORT.items()
}
for _dtype in ("float32", "int8"):
    WRITERS[f"prelu_{_SHORT[_dtype]}"] = with_graph(prelu(_dtype))
    WRITERS[f"minimum_{_SHORT[_dtype]}"] = with_graph(limit("MINIMUM", _dtype))
    WRITERS[f"maximum_{_SHORT[_dtype]}"] = with_graph(limit("MAXIMUM", _dtype))
for _source, _target in CASTS:
    WRITERS[f"quantize_{_SHORT[_source]}_to_{_SHORT[_target]}"] = with_graph(cast(_source, _target))
