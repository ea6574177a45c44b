"""Writes tests/golden/models: a model file of every kind, and beside each what it must answer.

    python tests/golden/make_models.py

Weights and inputs come from numpy's PCG64 with the seed below; expected outputs from `anne.reference_model` on CPython,
as raw values of the output's own type (float32 ones are computed in double precision). Of several inputs or outputs a
sample is a list with an entry for each. tests/host_tools/cores/test_golden.py holds the files against a new run.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from anne.model_file import ModelFile
from anne.reference_model import Model
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.layers import (
    Add,
    ArgMax,
    AveragePool,
    Clip,
    Concatenate,
    Conv,
    ConvTranspose,
    Delay,
    Dense,
    DepthwiseConv,
    Embedding,
    LayerNorm,
    MaxPool,
    Multiply,
    Pad,
    Prelu,
    Reduce,
    Resize,
    Slice,
    Subtract,
    Transpose,
)
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.activations import ACTIVATIONS
from anne_tools.network.graph import Graph, Metadata
from anne_tools.network.tensor import Quantization

FOLDER = Path(__file__).with_name("models")
SEED = 2501
# Inputs of a model, and of one with more than 100 inputs, which the emulated Pico reads slowly.
N_SAMPLES, N_SAMPLES_WIDE = 4, 2


def weights(rng: np.random.Generator, n_out: int, n_in: int) -> np.ndarray:
    return rng.normal(0, n_in**-0.5, (n_out, n_in))


def small(rng: np.random.Generator) -> Graph:
    """4 features, scaled, through layers of 5 and 4 to three classes: a bit of everything people have."""
    b = GraphBuilder((4,))
    b.scaling("scaler", [0.5, 1, 2, 0.25], [-1, 0, 0.5, 0.125])
    b.dense("hidden", weights(rng, 5, 4), rng.normal(size=5), "relu")
    b.dense("squashed", weights(rng, 4, 5), rng.normal(size=4), "tanh")
    b.dense("scores", weights(rng, 3, 4), rng.normal(size=3))
    b.activation("classes", "softmax")
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    metadata = Metadata(
        name="small", labels=["setosa", "versicolor", "virginica"], feature_names=names,
        provenance={"importer": "make_models.py", "seed": str(SEED)},
    )  # fmt: skip
    return b.build(metadata)


def activations(rng: np.random.Generator) -> Graph:
    """A dense layer of 6 units for every activation, one after another."""
    b = GraphBuilder((6,))
    for name in ACTIVATIONS[:13]:  # those that there were when this file was made
        alpha = {"leaky_relu": 0.2, "elu": 0.7}.get(name, 0.0)
        fused = name if name != "softmax" else "linear"
        b.dense(f"dense {name}", 2 * weights(rng, 6, 6), rng.normal(size=6), fused, alpha)
    b.activation("softmax", "softmax")
    return b.build(Metadata(name="activations"))


def binary(rng: np.random.Generator) -> Graph:
    """One output between two classes, the second above 0.3."""
    b = GraphBuilder((3,))
    b.dense("decision", weights(rng, 1, 3), rng.normal(size=1), "sigmoid")
    return b.build(Metadata(name="binary", labels=["no", "yes"], threshold=0.3))


def tie(rng: np.random.Generator) -> Graph:
    """Exactly between two classes: sigmoid(0) = 1/2, whatever comes in."""
    b = GraphBuilder((2,))
    b.dense("decision", np.zeros((1, 2)), [0], "sigmoid")
    return b.build(Metadata(name="tie", labels=["no", "yes"], threshold=0.5))


def level(rng: np.random.Generator) -> Graph:
    """A number, no class: 2 x0 - x1 + 1/2."""
    b = GraphBuilder((2,))
    b.dense("level", [[2, -1]], [0.5])
    return b.build(Metadata(name="level"))


def wide(rng: np.random.Generator) -> Graph:
    """More columns than the int8 kernels sum at once (508), and not a multiple of the eight rows they take."""
    b = GraphBuilder((513,))
    b.dense("wide", weights(rng, 9, 513), rng.normal(size=9), "relu")
    return b.build(Metadata(name="wide"))


def broad(rng: np.random.Generator) -> Graph:
    """The same for floats, which are summed 168 at once, and int16, six rows at once."""
    b = GraphBuilder((175,))
    b.dense("broad", weights(rng, 9, 175), rng.normal(size=9), "relu")
    return b.build(Metadata(name="broad"))


def image(rng: np.random.Generator) -> Graph:
    """2 by 3 pixels, flattened."""
    b = GraphBuilder((2, 3))
    b.reshape("flatten", (-1,))
    b.dense("scores", weights(rng, 2, 6), rng.normal(size=2), "relu6")
    return b.build(Metadata(name="image"))


def unaligned(rng: np.random.Generator) -> Graph:
    """Weights of such different sizes in a row that only floats hold them."""
    b = GraphBuilder((4,))
    b.dense("spread", weights(rng, 3, 4) * [1, 1e-6, 1e6, 1], rng.normal(size=3), "leaky_relu", 0.25)
    return b.build(Metadata(name="unaligned"))


def residual(rng: np.random.Generator) -> Graph:
    """A hidden layer, another, and the sum of both."""
    b = GraphBuilder((4,))
    hidden = b.dense("hidden", weights(rng, 6, 4), rng.normal(size=6), "relu")
    b.dense("more", weights(rng, 6, 6), rng.normal(size=6))
    b.add(Add, "sum", activation="relu", inputs=[hidden, b.last])
    b.dense("scores", weights(rng, 3, 6), rng.normal(size=3))
    return b.build(Metadata(name="residual"))


def two_inputs(rng: np.random.Generator) -> Graph:
    """2 by 3 pixels and a number, which meet in a sum."""
    b = GraphBuilder()
    image, speed = b.input("image", (2, 3)), b.input("speed", (1,))
    b.reshape("flatten", (-1,), at=image)
    seen = b.dense("seen", weights(rng, 4, 6), rng.normal(size=4), "sigmoid")
    felt = b.dense("felt", weights(rng, 4, 1), rng.normal(size=4), at=speed)
    b.add(Add, "met", "relu", inputs=[seen, felt])
    b.dense("steering", weights(rng, 2, 4), rng.normal(size=2))
    return b.build(Metadata(name="two inputs"))


def two_outputs(rng: np.random.Generator) -> Graph:
    """Which of three it is, and where: both from the same five units."""
    b = GraphBuilder((4,))
    shared = b.dense("shared", weights(rng, 5, 4), rng.normal(size=5), "relu")
    b.dense("scores", weights(rng, 3, 5), rng.normal(size=3))
    score = b.activation("classes", "softmax")
    box = b.dense("box", weights(rng, 2, 5), rng.normal(size=2), at=shared)
    return b.build(Metadata(name="two outputs", output_names=["score", "box"]), [score, box])


def padded(rng: np.random.Generator) -> Graph:
    """2 by 3 pixels in the middle of 4 by 6, which are zeros; in the end two numbers behind three of 1."""
    b = GraphBuilder((2, 3))
    b.add(Pad, "frame", (1, 1), (1, 2))
    b.reshape("flatten", (-1,))
    b.dense("scores", weights(rng, 2, 24), rng.normal(size=2))
    b.add(Pad, "ones", (3,), (0,), 1.0)
    return b.build(Metadata(name="padded"))


def joined(rng: np.random.Generator) -> Graph:
    """Two branches of unlike range and the input itself, row by row beside each other."""
    b = GraphBuilder((2, 3))
    image = b.last
    b.reshape("flatten", (-1,))
    small = b.dense("small", weights(rng, 4, 6), rng.normal(size=4), "tanh")
    large = b.dense("large", 9 * weights(rng, 2, 6), rng.normal(size=2), at=b.tensors[b.layers[0].output])
    rows = [image, b.reshape("pairs", (2, 2), at=small), b.reshape("ones", (2, 1), at=large)]
    b.add(Concatenate, "joined", 1, inputs=rows)
    return b.build(Metadata(name="joined"))


def pooled(rng: np.random.Generator) -> Graph:
    """5 by 4 pixels of 5 channels: the greatest of each 2 by 2; then means, with padding that counts and without."""
    b = GraphBuilder((5, 4, 5))
    b.add(MaxPool, "greatest", Window.same((5, 4), (2, 2), (2, 2)), "relu")
    b.add(AveragePool, "mean", Window((2, 2), before=(1, 0), after=(0, 1)))
    b.add(AveragePool, "faded", Window((2, 3), (2, 1), before=(1, 1), after=(0, 1)), True)
    b.reshape("signal", (2, 10))
    b.add(MaxPool, "later", Window((1, 2), dilation=(1, 1)))
    return b.build(Metadata(name="pooled"))


def listening(rng: np.random.Generator) -> Graph:
    """Two frames of three at a time; the last five of what a dense layer makes of each pair, and of the frames."""
    b = GraphBuilder((2, 3))
    frames = b.add(Delay, "frames", 5)
    heard = b.dense(
        "heard", weights(rng, 4, 15), rng.normal(size=4), "relu", at=b.reshape("flat", (-1,), at=frames)
    )
    b.add(Delay, "before", 3, inputs=[b.reshape("row", (1, 4), at=heard)])
    b.dense("scores", weights(rng, 2, 12), rng.normal(size=2), at=b.reshape("all", (-1,)))
    return b.build(Metadata(name="listening"))


def convolved(rng: np.random.Generator) -> Graph:
    """5 by 6 pixels: windows of 3 by 3 that reach out of them, then of 2 by 3 with steps and gaps in two groups, then
    of one pixel; scores of what is left."""
    b = GraphBuilder((5, 6, 1))
    b.add(Conv, "same", filters(rng, 4, 3, 3, 1), rng.normal(size=4), Window.same((5, 6), (3, 3)), 1, "relu")
    window = Window((2, 3), (2, 1), (1, 2), (1, 0), (0, 0))
    b.add(Conv, "groups", filters(rng, 6, 2, 3, 2), rng.normal(size=6), window, 2, "relu6")
    b.add(Conv, "pixels", filters(rng, 5, 1, 1, 6), rng.normal(size=5), Window((1, 1)))
    b.reshape("flatten", (-1,))
    b.dense("scores", weights(rng, 3, b.last.size), rng.normal(size=3))
    return b.build(Metadata(name="convolved"))


def signal(rng: np.random.Generator) -> Graph:
    """11 samples of 2 channels in time, windows of 3 of them; more than 508 columns in the end."""
    b = GraphBuilder((11, 2))
    b.add(Conv, "steps", filters(rng, 60, 1, 3, 2), rng.normal(size=60), Window((1, 3), (1, 1)), 1, "relu")
    b.add(Conv, "all", filters(rng, 9, 1, 9, 60), rng.normal(size=9), Window((1, 9), before=(0, 1)))
    return b.build(Metadata(name="signal"))


def filters(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Weights (n_out, kernel_h, kernel_w, n_in)."""
    return np.float32(rng.normal(0, np.prod(shape[1:]) ** -0.5, shape))


def separable(rng: np.random.Generator) -> Graph:
    """Windows of their own for each of three channels of an image: twice as many channels, then in steps of two."""
    b = GraphBuilder((5, 6, 3))
    window = Window.same((5, 6), (3, 3), dilation=(1, 2))
    b.add(DepthwiseConv, "wide", filters(rng, 6, 3, 3), filters(rng, 6), window, "relu6")
    b.add(DepthwiseConv, "halves", filters(rng, 6, 2, 2), filters(rng, 6), Window((2, 2), (2, 2)))
    b.reshape("flatten", (-1,))
    b.dense("scores", weights(rng, 2, 36), rng.normal(size=2))
    return b.build(Metadata(name="separable"))


def enlarged(rng: np.random.Generator) -> Graph:
    """A signal of its own window for each channel, then twice as long and one more; as an image, to twice its rows."""
    b = GraphBuilder((4, 2))
    b.add(DepthwiseConv, "smooth", filters(rng, 2, 1, 3), filters(rng, 2), Window.same((1, 4), (1, 3)))
    longer = Window((1, 3), (1, 2), before=(0, 1), after=(0, 1))
    b.add(ConvTranspose, "longer", filters(rng, 3, 1, 3, 2), filters(rng, 3), longer, (0, 1), "relu")
    b.reshape("rows", (2, 4, 3))
    b.add(
        ConvTranspose,
        "larger",
        filters(rng, 2, 2, 3, 3),
        filters(rng, 2),
        Window((2, 3), (2, 1), after=(0, 2)),
    )
    return b.build(Metadata(name="enlarged"))


def reduced(rng: np.random.Generator) -> Graph:
    """3 by 4 pixels of 3 channels: the mean of each row, the sum over rows; the greatest and the least of those."""
    b = GraphBuilder((3, 4, 3))
    rows = b.add(Reduce, "rows", "mean", (1,))
    total = b.add(Reduce, "total", "sum", (0,))
    b.add(Reduce, "greatest", "max", (1,), inputs=[rows])
    b.add(Reduce, "mean", "mean", (0,))
    mean = b.last
    least = b.add(Reduce, "least", "min", (0,), inputs=[rows])
    return b.build(Metadata(name="reduced"), [total, mean, least])


def moved(rng: np.random.Generator) -> Graph:
    """3 by 4 pixels of 2 channels: mirrored at the borders, every other row from the last on, channels first."""
    b = GraphBuilder((3, 4, 2))
    b.add(Pad, "mirrored", (1, 2, 0), (2, 1, 0), mode="reflect")
    b.add(Slice, "rows", (5, 1, 0), (3, 5, 2), (-2, 1, 1))
    b.add(Transpose, "channels first", (2, 0, 1))
    b.add(Pad, "more", (1, 0, 1), (0, 2, 0), mode="symmetric")
    b.add(Pad, "edge", (0, 1, 0), (0, 0, 3), mode="edge")
    return b.build(Metadata(name="moved"))


def gated(rng: np.random.Generator) -> Graph:
    """Squeeze-and-excite: 2 by 3 pixels of four channels times a gate each; constants; a weight for each pixel."""
    b = GraphBuilder((2, 3, 4))
    image = b.last
    b.reshape("flatten", (-1,))
    gate = b.dense("gate", weights(rng, 4, 24), rng.normal(size=4), "sigmoid")
    excited = b.add(Multiply, "excite", inputs=[image, gate])
    b.add(Subtract, "less", constant=rng.normal(size=(3, 1)), constant_first=True, inputs=[excited])
    shifted = b.add(Add, "shift", "relu", constant=np.array(0.25))
    b.reshape("again", (-1,), at=excited)
    b.dense("spots", weights(rng, 6, 24), rng.normal(size=6))
    b.reshape("map", (2, 3, 1))
    b.add(Multiply, "attend", inputs=[b.last, shifted])
    b.reshape("all", (-1,))
    b.dense("scores", weights(rng, 3, 24), rng.normal(size=3))
    return b.build(Metadata(name="gated"))


def rows(rng: np.random.Generator) -> Graph:
    """2 by 3 pixels of 4 channels, whose shares are counted pixel by pixel."""
    b = GraphBuilder((2, 3, 4))
    b.activation("shares", "softmax")
    return b.build(Metadata(name="rows"))


def row_logarithms(rng: np.random.Generator) -> Graph:
    """The logarithms of such shares."""
    b = GraphBuilder((2, 3, 4))
    b.activation("logarithms", "log_softmax")
    return b.build(Metadata(name="row logarithms"))


def resized(rng: np.random.Generator) -> Graph:
    """3 by 4 pixels of 2 channels made larger and smaller, by the nearest and between them."""
    b = GraphBuilder((3, 4, 2))
    b.add(Resize, "larger", (5, 6), "bilinear", half_pixel_centers=True)
    b.add(Resize, "twice", (10, 12), "nearest")
    b.add(Resize, "smaller", (4, 3), "bilinear", align_corners=True)
    b.reshape("signal", (12, 2))
    b.add(Resize, "shorter", (1, 7), "bilinear")
    return b.build(Metadata(name="resized"))


def embedded(rng: np.random.Generator) -> Graph:
    """Three numbers, each of which stands for a row of a table of five; then two sums of the rows."""
    b = GraphBuilder((3,))
    b.add(Embedding, "words", rng.normal(size=(5, 4)))
    b.reshape("flat", (-1,))
    b.dense("sums", weights(rng, 2, 12), rng.normal(size=2))
    return b.build(Metadata(name="embedded"))


def normed(rng: np.random.Generator) -> Graph:
    """3 rows of 5 far from 0, normed; which feature is the greatest in each."""
    b = GraphBuilder((3, 5))
    b.add(LayerNorm, "normed", rng.normal(1, 0.2, 5), rng.normal(size=5), 1e-3)
    out = b.last
    which = b.add(ArgMax, "which")
    return b.build(Metadata(name="normed"), [out, which])


def decided(rng: np.random.Generator) -> Graph:
    """A class for each of two rows."""
    b = GraphBuilder((2, 4))
    b.add(ArgMax, "class")
    return b.build(Metadata(name="decided"))


def limited(rng: np.random.Generator) -> Graph:
    """Slopes for what is negative, limits; of integers a norm in floats between two quantize layers."""
    b = GraphBuilder((2, 3))
    b.add(Prelu, "slopes", np.float32(rng.normal(0, 0.5, 3)))
    b.add(Clip, "clip", -0.4, 1.5)
    b.add(LayerNorm, "norm", rng.uniform(0.5, 2, 3), rng.normal(size=3), 1e-3)
    b.add(Prelu, "slope", np.float32(0.25))
    return b.build(Metadata(name="limited"))


def four_bits(graph: Graph) -> Graph:
    """The int8 graph with weights of 4 bits, drawn anew."""
    rng = np.random.default_rng(SEED + 4)
    graph = graph.copy()
    for i, layer in enumerate(graph.layers):
        if isinstance(layer, (Conv, Dense)):
            drawn = rng.integers(-8, 8, layer.weights.shape).astype(np.int8)
            scale = Quantization(layer.weights_quantization.scale * 16)
            bias = (layer.bias // 16).astype(np.int32)
            graph.layers[i] = replace(layer, weights=drawn, bias=bias, weights_quantization=scale)
    return graph


MODELS = {
    small: ("float32", "int8", "int16", "int8-weights", "int4"),
    activations: ("float32", "int8", "int16"),
    binary: ("float32", "int8"),
    tie: ("float32", "int8"),
    level: ("float32", "int8"),
    wide: ("int8", "int4"),
    broad: ("float32", "int16", "int8-weights"),
    image: ("float32", "int8"),
    unaligned: ("float32",),
    residual: ("float32", "int8", "int16"),
    two_inputs: ("float32", "int8", "int16"),
    two_outputs: ("float32", "int8", "int16"),
    padded: ("float32", "int8", "int16"),
    joined: ("float32", "int8", "int16"),
    pooled: ("float32", "int8", "int16"),
    moved: ("float32", "int8", "int16"),
    resized: ("float32", "int8", "int16"),
    embedded: ("float32", "int8", "int16"),
    listening: ("float32", "int8", "int16"),
    convolved: ("float32", "int8", "int16", "int8-weights", "int4"),
    signal: ("float32", "int8", "int16", "int8-weights", "int4"),
    separable: ("float32", "int8", "int16", "int8-weights"),
    enlarged: ("float32", "int8", "int16", "int8-weights"),
    reduced: ("float32", "int8", "int16"),
    gated: ("float32", "int8", "int16"),
    rows: ("float32", "int8", "int16"),
    row_logarithms: ("float32", "int8"),
    normed: ("float32",),
    decided: ("float32", "int8", "int16"),
    limited: ("float32", "int8", "int16"),
}


def models() -> dict[str, Graph]:
    """Every golden model by its file's name."""
    result = {}
    for maker, dtypes in MODELS.items():
        rng = np.random.default_rng(SEED)
        graph = maker(rng)
        calibration = [rng.normal(size=(64, *tensor.shape)) for tensor in graph.input_tensors]
        calibration = calibration[0] if len(calibration) == 1 else calibration
        for dtype in dtypes:
            quantized = quantize(graph, dtype if dtype != "int4" else "int8", calibration)
            name = f"{maker.__name__}_{dtype.replace('-', '_')}"
            result[name] = four_bits(quantized) if dtype == "int4" else quantized
    return result


def samples(data: bytes) -> list[np.ndarray]:
    """A few values of each input, in its own type: floats in 64ths, of integers two with the extremes."""
    tensors = ModelFile(data).inputs
    rng, wide = np.random.default_rng(SEED + 1), any(tensor.size > 100 for tensor in tensors)
    n, result = N_SAMPLES_WIDE if wide else N_SAMPLES, []
    for tensor in tensors:
        if tensor.dtype == "float32":
            drawn = np.rint(64 * rng.normal(size=(n, tensor.size))) / 64
        else:
            drawn = rng.integers(tensor.least, tensor.greatest + 1, (n, tensor.size))
            drawn[0], drawn[1] = tensor.least, tensor.greatest
        result.append(drawn.astype(tensor.dtype))
    return result


def packed(values: list[np.ndarray]) -> np.ndarray:
    """The bytes of all inputs, or outputs, as they stand in the arena one after another, a row a sample."""
    return np.hstack([array.view(np.uint8) for array in values])


def outputs(data: bytes, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The reference's values of each output, in its own type."""
    model = Model(data)
    ends = np.cumsum([tensor.nbytes for tensor in model.file.outputs])
    raw = np.empty((len(inputs[0]), ends[-1]), np.uint8)
    for x, y in zip(packed(inputs), raw, strict=True):
        out = bytearray(len(y))
        model.run_raw(x.tobytes(), out)
        y[:] = out
    parts = np.split(raw, ends[:-1], axis=1)
    return [
        np.frombuffer(part.tobytes(), tensor.dtype).reshape(len(raw), -1)
        for part, tensor in zip(parts, model.file.outputs, strict=True)
    ]


def listed(values: list[np.ndarray]) -> list[list]:
    """The samples as lists of numbers; as a list of such lists each, if there are several inputs (outputs)."""
    if len(values) == 1:
        return values[0].tolist()
    return [[part.tolist() for part in sample] for sample in zip(*values, strict=True)]


def golden_files() -> dict[str, bytes]:
    """Every file of tests/golden/models by name."""
    files = {}
    for name, graph in models().items():
        data = pack(graph)
        x = samples(data)
        y = outputs(data, x)
        files[f"{name}.anne"] = pack(graph, (packed(x), packed(y)))
        values = {"inputs": listed(x), "outputs": listed(y)}
        files[f"{name}.json"] = (json.dumps(values, indent=None) + "\n").encode()
    return files


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, content in golden_files().items():
        (FOLDER / name).write_bytes(content)
        print(f"{len(content):6} {name}")
