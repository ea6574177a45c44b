"""Every kernel that TensorFlow Lite Micro has, too, against its reference kernels (the package `tflite-micro`).

A layer of random shape, scales and values is written as a .tflite file, imported, packed and run by the C core; the
interpreter runs the same file. Integers must be equal, floats within 1e-5 of the layer's largest output (of a dense
layer: of its largest sum, or of a tenth of the terms where they cancel). Of int16 layers ADD is the same there; dense
layers have another scheme (8-bit weights), and are compared with the reference alone (random_graphs.py).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from anne.model_file import ModelFile
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import packed
from anne_tools.errors import ModelError
from anne_tools.importers import tflite
from anne_tools.layers import Conv, Reduce
from anne_tools.layers.windows import Window
from anne_tools.network import tflm
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Quantization, Tensor
from figures import ROOT, Found, ReliabilityError
from tflm_depthwise import BIASES
from tflm_depthwise import KERNELS as DEPTHWISE
from tflm_elementwise import WRITERS, any_shape
from tflm_moves import KERNELS as MOVES
from tflm_pools import KERNELS as POOLS

sys.path.insert(0, str(ROOT / "tests" / "host_tools"))  # tflite_writer

BOUND = 1e-5
SHORT_SHAPES, LONG_SHAPES = 15, 1000
N_INPUTS = 4
RELU, RELU6 = 1, 3  # numbers of fused activations


# --- Models of one layer: each function writes it and returns its inputs and its output -------------------------------


def dense_integers(w, rng, most: int = 127, dtype: str = "int8") -> tuple[int, int]:
    """FULLY_CONNECTED on int8 or int16, int8 weights from -most to most, one scale or one a row."""
    n_in, n_out = int(rng.choice([rng.integers(1, 40), rng.integers(1, 600)])), int(rng.integers(1, 40))
    tensors = _sums(w, rng, dtype, (1, n_in), (n_out, n_in), (1, n_out), most)
    fused = int(rng.choice([0, RELU, RELU6]))
    w.operator("FULLY_CONNECTED", tensors[:3], tensors[3:], 4, fusedActivationFunction=fused)
    return tensors[0], tensors[3]


def dense_s4(w, rng) -> tuple[int, int]:
    """The same with weights that fit four bits."""
    return dense_integers(w, rng, 7)


def dense_s16(w, rng) -> tuple[int, int]:
    """The same between int16 values, "int16x8"."""
    return dense_integers(w, rng, 127, "int16")


def dense_f32(w, rng, spread: float = 0.0) -> tuple[int, int]:
    """FULLY_CONNECTED on float32; columns differ in size by 10^spread and more."""
    n_in, n_out = int(rng.choice([rng.integers(2, 40), rng.integers(2, 600)])), int(rng.integers(1, 40))
    columns = 10.0 ** rng.choice([-spread, 0, spread], n_in)
    x = w.tensor((1, n_in))
    weights = w.tensor((n_out, n_in), data=rng.normal(size=(n_out, n_in)) * columns)
    bias = w.tensor((n_out,), data=rng.normal(size=n_out))
    y = w.tensor((1, n_out))
    fused = int(rng.choice([0, RELU, RELU6]))
    w.operator("FULLY_CONNECTED", [x, weights, bias], [y], fusedActivationFunction=fused)
    return x, y


def dense_f32_spread(w, rng) -> tuple[int, int]:
    """The same with columns so different that they are not aligned to one exponent."""
    return dense_f32(w, rng, 6)


def activation_s8(name: str, output: tuple[float, int] | None = None, same: bool = False) -> Callable:
    """A writer of an int8 activation; `output` is the scale and zero point that the interpreter demands."""

    def write(w, rng) -> tuple[int, int]:
        shape = (1, int(rng.integers(1, 512))) if name == "SOFTMAX" else any_shape(rng)
        scale, zero_point = float(np.float32(2.0 ** rng.uniform(-8, 0))), int(rng.integers(-128, 128))
        out = output or (scale * 2.0 ** rng.uniform(-1, 2), int(rng.integers(-128, 128)))
        out = (scale, zero_point) if same else out
        x = w.tensor(shape, "int8", scale=scale, zero_point=zero_point)
        y = w.tensor(shape, "int8", scale=out[0], zero_point=out[1])
        w.operator(name, [x], [y], **_options(name, rng))
        return x, y

    return write


def activation_s16(name: str) -> Callable:
    """A writer of an int16 activation that is made of factors."""

    def write(w, rng) -> tuple[int, int]:
        shape, scale = any_shape(rng), float(np.float32(2.0 ** rng.uniform(-16, -8)))
        x = w.tensor(shape, "int16", scale=scale)
        y = w.tensor(shape, "int16", scale=scale * 2.0 ** rng.uniform(-1, 2) if rng.random() < 0.7 else scale)
        w.operator(name, [x], [y], **_options(name, rng))
        return x, y

    return write


def activation_f32(name: str) -> Callable:
    """A writer of a float32 activation."""

    def write(w, rng) -> tuple[int, int]:
        shape = (1, int(rng.integers(1, 600))) if name == "SOFTMAX" else any_shape(rng)
        x, y = w.tensor(shape), w.tensor(shape)
        w.operator(name, [x], [y], **_options(name, rng))
        return x, y

    return write


def _options(name: str, rng) -> dict:
    if name == "SOFTMAX":
        return {"beta": 1.0}
    return {"alpha": float(np.float32(rng.uniform(0, 1)))} if name == "LEAKY_RELU" else {}


def scaling_f32(w, rng) -> tuple[int, int]:
    """MUL and ADD with one constant for each element of the last axis."""
    shape = any_shape(rng)
    x, middle, y = w.tensor(shape), w.tensor(shape), w.tensor(shape)
    scale, offset = (w.tensor(shape[-1:], data=rng.normal(size=shape[-1])) for _ in range(2))
    w.operator("MUL", [x, scale], [middle])
    w.operator("ADD", [middle, offset], [y])
    return x, y


def add_integers(dtype: str) -> Callable:
    """A writer of ADD on int8 or int16; int16 has no zero points."""

    def write(w, rng) -> tuple[list[int], int]:
        shape = any_shape(rng)
        scales = 2.0 ** rng.uniform(-8, 0, 2)
        scale = float(scales.max() * 2.0 ** rng.uniform(-2, 3))
        zero_points = rng.integers(-128, 128, 3) if dtype == "int8" else [0, 0, 0]
        a, b, y = (
            w.tensor(shape, dtype, scale=scale, zero_point=zero_point)
            for scale, zero_point in zip([*scales, scale], zero_points, strict=True)
        )
        w.operator("ADD", [a, b], [y], 2, fusedActivationFunction=int(rng.choice([0, RELU, RELU6])))
        return [a, b], y

    return write


def add_f32(w, rng) -> tuple[list[int], int]:
    """ADD on float32."""
    shape = any_shape(rng)
    a, b, y = (w.tensor(shape) for _ in range(3))
    w.operator("ADD", [a, b], [y], fusedActivationFunction=int(rng.choice([0, RELU, RELU6])))
    return [a, b], y


def pad(dtype: str) -> Callable:
    """A writer of PAD with zeros or PADV2 with a value, around up to three axes, some of them left as they are."""

    def write(w, rng) -> tuple[int, int]:
        shape = any_shape(rng)
        widths = [(0, 0), *(rng.integers(0, 6, 2) * rng.integers(0, 2) for _ in shape[1:])]
        output = [int(before + n + after) for n, (before, after) in zip(shape, widths, strict=True)]
        q, value = {}, rng.normal()
        if dtype == "int8":
            q = {"scale": 2.0 ** rng.uniform(-8, 0), "zero_point": int(rng.integers(-128, 128))}
            value = rng.integers(-128, 128)
        x, y = (w.tensor(each, dtype, **q) for each in (shape, output))
        inputs = [x, w.tensor((len(shape), 2), "int32", widths)]
        if rng.random() < 0.5:
            inputs.append(w.tensor((1,), dtype, [value], **q))
        w.operator("PADV2" if len(inputs) == 3 else "PAD", inputs, [y], 2)
        return x, y

    return write


def conv(dtype: str) -> Callable:
    """A writer of CONV_2D on images: any window, one scale or one a channel, groups."""

    def write(w, rng) -> tuple[int, int]:
        groups, n_in = int(rng.choice([1, 1, 1, 2, 3])), int(rng.choice([1, 2, 3, 4, 5, 8, 16, 20]))
        n_out = groups * int(rng.integers(1, 12))
        image, kernel = rng.integers(1, 14, 2), rng.integers(1, 6, 2)
        stride = rng.integers(1, 4, 2)
        dilation = rng.integers(1, 4, 2) if rng.random() < 0.4 else np.array([1, 1])
        if rng.random() < 0.5:  # SAME
            padding, made = 0, -(-image // stride)
        else:
            image = np.maximum(image, (kernel - 1) * dilation + 1)
            padding, made = 1, (image - (kernel - 1) * dilation - 1) // stride + 1
        shapes = (1, *image, groups * n_in), (n_out, *kernel, n_in), (1, *made, n_out)
        tensors = _sums(w, rng, dtype, *([int(d) for d in shape] for shape in shapes))
        w.operator(
            "CONV_2D",
            tensors[:3],
            tensors[3:],
            3,
            padding=padding,
            strideH=int(stride[0]),
            strideW=int(stride[1]),
            dilationHFactor=int(dilation[0]),
            dilationWFactor=int(dilation[1]),
            fusedActivationFunction=int(rng.choice([0, RELU, RELU6])),
        )
        return tensors[0], tensors[3]

    return write


def _sums(w, rng, dtype: str, x_shape, weights_shape, y_shape, most: int = 127) -> list[int]:
    """Input, weights, bias and output of such shapes, an output channel for each of the first axis of the weights."""
    n_out, n_in = weights_shape[0], int(np.prod(weights_shape[1:]))
    if dtype == "float32":
        data = rng.normal(size=weights_shape), rng.normal(size=n_out)
        return [w.tensor(x_shape), *(w.tensor(d.shape, data=d) for d in data), w.tensor(y_shape)]
    scale, zero_points = 2.0 ** rng.uniform(-8, 0), rng.integers(-128, 128, 2)
    finest, coarsest = -9, 3
    if dtype == "int16":  # factors of 2^-17 at least
        scale, zero_points, finest, coarsest = scale / 256, (0, 0), -7, 1.5
    scales = 2.0 ** rng.uniform(finest, -4, n_out if rng.random() < 0.5 else 1)
    output_scale = float(scale * scales.max() * most * n_in**0.5 * 2.0 ** rng.uniform(-3, coarsest))
    x = w.tensor(x_shape, dtype, scale=scale, zero_point=zero_points[0])
    weights = w.tensor(weights_shape, "int8", rng.integers(-most, most + 1, weights_shape), scale=scales)
    numbers = rng.integers(-3000, 3000, n_out)
    bias = w.tensor((n_out,), BIASES[dtype], numbers, scale=scale * np.float32(scales))
    return [x, weights, bias, w.tensor(y_shape, dtype, scale=output_scale, zero_point=zero_points[1])]


KERNELS: dict[str, Callable] = {
    "dense_s8_quad": dense_integers,
    "dense_s4": dense_s4,
    "dense_s16": dense_s16,
    "dense_f32_aligned": dense_f32,
    "dense_f32": dense_f32_spread,
    "scaling_f32": scaling_f32,
    **{f"{name.lower()}_f32": activation_f32(name) for name in ("RELU", "RELU6", "LEAKY_RELU", "ELU")},
    **{f"{name.lower()}_f32": activation_f32(name) for name in ("LOGISTIC", "TANH", "HARD_SWISH", "SOFTMAX")},
    **{f"{name.lower()}_s8": activation_s8(name) for name in ("RELU", "LEAKY_RELU", "ELU", "HARD_SWISH")},
    "relu6_s8": activation_s8("RELU6", same=True),
    "logistic_s8": activation_s8("LOGISTIC", tflm.LOGISTIC_OUTPUT),
    "relu_s16": activation_s16("RELU"),
    "leaky_relu_s16": activation_s16("LEAKY_RELU"),
    "tanh_s8": activation_s8("TANH", tflm.TANH_OUTPUT),
    "softmax_s8": activation_s8("SOFTMAX", tflm.SOFTMAX_OUTPUT),
    "add_f32": add_f32,
    "add_s8": add_integers("int8"),
    "add_s16": add_integers("int16"),
    "pad_f32": pad("float32"),
    "pad_s8": pad("int8"),
    "conv_f32": conv("float32"),
    "conv_s8": conv("int8"),
    "conv_s16": conv("int16"),
    **POOLS,
    **MOVES,
    **DEPTHWISE,
    **WRITERS,
}


# --- Comparing -------------------------------------------------------------------------------------------------------


def inputs_for(rng, tensor) -> np.ndarray:
    """Inputs in the tensor's own type: integers with both extremes, floats of several sizes."""
    if tensor.dtype == "float32":
        return np.float32(rng.normal(0, 10.0 ** rng.integers(-2, 2), (N_INPUTS, *tensor.shape)))
    x = rng.integers(tensor.least, tensor.greatest + 1, (N_INPUTS, *tensor.shape))
    x[0], x[1] = tensor.least, tensor.greatest
    return x.astype(tensor.dtype)


def compare(name: str, seed: int, path: Path) -> None:
    """One layer of one shape; ReliabilityError if the two differ, or if another kernel than `name` would run it."""
    from tflite_writer import Oracle, TfliteWriter

    rng = np.random.default_rng([seed, list(KERNELS).index(name)])
    writer = TfliteWriter()
    x, y, *made = KERNELS[name](writer, rng)  # the graph, too, of what no importer reads
    ends = x if isinstance(x, list) else [x]
    content = writer.to_bytes(ends, [y])
    path.write_bytes(content)
    graph = made[0] if made else BY_HAND.get(name, lambda _: tflite.read(path))(writer)
    data = pack(quantize(graph, "float32"))
    layers = ModelFile(data).layers
    if name.startswith("dense") and f"dense_{layers[0].layout}" != name:
        return compare(name, seed + LONG_SHAPES, path)  # drawn again: these weights have another kernel
    oracle = Oracle(content, 4 * sum(tensor.size for tensor in graph.tensors.values()))
    with NativeModel(data) as native:
        inputs = [inputs_for(rng, tensor) for tensor in native.file.inputs]
        if name == "logistic_f32":
            inputs = [
                np.maximum(x, -9) for x in inputs
            ]  # below, TensorFlow Lite Micro gives e^x for e^x / (1 + e^x)
        for samples in zip(*inputs, strict=True):
            sample = samples[0]
            got = list(native.trace(packed([x[None] for x in samples])).values())[-1]
            shaped = (x.reshape(writer.tensors[end].shape) for x, end in zip(samples, ends, strict=True))
            expected = oracle(*shaped).reshape(got.shape)
            good = np.array_equal(got, expected)
            if got.dtype == np.float32:
                error = np.abs(got.astype(np.float64) - expected).max()
                good = error <= BOUND * _largest(graph.layers[0], sample, expected)
            if not good:
                raise ReliabilityError(
                    f"{name}, seed {seed}: {got.ravel()[:8]}, expected {expected.ravel()[:8]}"
                )
    return None


def _convolution(writer) -> Graph:
    """What a .tflite says of one CONV_2D; the importer knows none in groups."""
    x, weights, bias, y = (_tensor(t) for t in writer.tensors)
    o = writer.operators[0].builtinOptions
    kernel, groups = weights.shape[1:3], x.shape[-1] // weights.shape[3]
    stride, dilation = (o.strideH, o.strideW), (o.dilationHFactor, o.dilationWFactor)
    window = Window.same(x.shape[1:3], kernel, stride, dilation) if o.padding == 0 else None
    constants = [
        np.frombuffer(bytes(writer.buffers[t.buffer].data), each.dtype).reshape(each.shape)
        for t, each in zip(writer.tensors[1:3], (weights, bias), strict=True)
    ]
    if bias.dtype == "int64":
        constants[1] = constants[1].astype(np.int32)
    layer = Conv(
        "conv",
        x.name,
        y.name,
        *constants,
        window or Window(kernel, stride, dilation),
        groups,
        FUSED[o.fusedActivationFunction],
        weights_quantization=weights.quantization,
    )
    ends = {each.name: replace(each, shape=each.shape[1:]) for each in (x, y)}
    return Graph([x.name], [y.name], [layer], ends).check()


def _tensor(t) -> Tensor:
    dtype = {0: "float32", 2: "int32", 4: "int64", 7: "int16", 9: "int8"}[t.type]
    q = t.quantization and Quantization(np.float32(t.quantization.scale), t.quantization.zeroPoint[0])
    return Tensor(t.name, tuple(t.shape), dtype, q)


FUSED = {0: "linear", RELU: "relu", RELU6: "relu6"}
# Layers that the importer does not take, as it would have them.
BY_HAND = {"conv_f32": _convolution, "conv_s8": _convolution, "conv_s16": _convolution}


def _largest(layer, x: np.ndarray, outputs: np.ndarray) -> float:
    """What errors are relative to: the largest output; of sums the largest, or a tenth of its terms."""
    if isinstance(layer, Reduce) and not layer.keeps_values:
        axes = tuple(layer.axes)
        terms = np.abs(x).sum(axis=axes) if layer.operation == "sum" else np.abs(x).mean(axis=axes)
        return max(float(np.abs(outputs).max()), 0.1 * float(terms.max()))
    if not hasattr(layer, "weights"):
        return float(np.abs(outputs).max())
    linear = replace(layer, activation="linear")
    of_sizes = replace(linear, weights=np.abs(layer.weights), bias=np.abs(layer.bias))
    ends = Tensor("x", x.shape), Tensor("y", outputs.shape)
    sums, terms = (
        each.run([values[None]], [ends[0]], [ends[1]])[0]
        for each, values in ((linear, x), (of_sizes, np.abs(x)))
    )
    return max(float(np.abs(sums).max()), 0.1 * float(terms.max()))


def _compare_all(job: tuple[str, int]) -> None:
    name, shapes = job
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(shapes):
            try:
                compare(name, seed, Path(folder, "layer.tflite"))
            except ModelError as error:
                raise ReliabilityError(f"{name}, seed {seed}: {error}") from error


def kernels(soak: bool) -> Found:
    """All kernels in random shapes."""
    shapes = LONG_SHAPES if soak else SHORT_SHAPES
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_compare_all, [(name, shapes) for name in KERNELS]))
    n_int8, n_int16 = (
        sum(name.endswith(ends) for name in KERNELS) for ends in (("_s8", "_s4", "_quad"), "_s16")
    )
    n_float = len(KERNELS) - n_int8 - n_int16
    return Found(
        f"{n_int8} kernels on int8, {n_int16} on int16, {n_float} on float32 x {shapes:,} shapes, {N_INPUTS} inputs "
        "each",
        f"integers equal to the bit; float32 within {BOUND:g} of the largest output (1e-6 of the terms if they cancel)",
    )


if __name__ == "__main__":
    _compare_all((sys.argv[1], int(sys.argv[2])))
