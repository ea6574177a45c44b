"""Random networks, drawn by hypothesis: layers of every kind, in branches and chains.

A failure is shrunk to the smallest that fails; weights and inputs come of a seed that hypothesis draws. Axes of one
element, windows at the border and many layers on one tensor are as likely as others.
"""

from __future__ import annotations

import numpy as np
from anne.binary import broadcast
from anne_tools.data.samples import joined
from anne_tools.layers import (
    Add,
    ArgMax,
    AveragePool,
    Clip,
    Concatenate,
    Conv,
    ConvTranspose,
    Delay,
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
from anne_tools.layers.windows import Pair, Window
from anne_tools.network.activations import ACTIVATIONS
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Tensor
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

MOST = 300  # elements of a tensor


@st.composite
def graphs(draw) -> tuple[Graph, np.ndarray]:
    """A network of layers of every kind, with up to three inputs and outputs; and samples for it, joined.

    Layers read what was made last, or else anything there is: so chains are drawn, and branches that end, meet again
    in a sum, or share what they read.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    b, x = GraphBuilder(), []
    for i in range(draw(st.sampled_from([1, 1, 2, 3]))):
        shapes = [(1,), (4,), (7,), (33,), (2, 3), (1, 1), (3, 2, 2), (4, 5, 3), (1, 6, 1), (2, 1, 2, 3)]
        shape = draw(st.sampled_from([b.first.shape] if i and draw(st.booleans()) else shapes))
        b.input(f"x{i}", shape)
        x.append(rng.normal(0, 10.0 ** draw(st.integers(-3, 3)), (8, *shape)))
    made = list(b.tensors.values())
    if draw(st.integers(0, 3)) == 0:
        shape, n_rows = draw(st.sampled_from([(1,), (5,), (2, 3)])), draw(st.integers(1, 9))
        numbers = b.input("numbers", shape)
        x.append(rng.integers(-1, n_rows + 2, (8, *shape)))
        table = np.float32(rng.normal(0, 3, (n_rows, draw(st.integers(1, 5)))))
        made.append(b.add(Embedding, "embedding", table, inputs=[numbers]))
    for i in range(draw(st.integers(1, 8))):
        at = draw(st.sampled_from([made[-1]] * len(made) + made))
        made.append(_layer(b, f"layer {i}", draw(st.sampled_from(_kinds(at))), at, rng, draw))
    ends = [
        made[-1],
        *draw(st.lists(st.sampled_from(made), max_size=2, unique_by=lambda tensor: tensor.name)),
    ]
    if draw(st.integers(0, 5)) == 0:
        ends[0] = b.add(ArgMax, "class", inputs=[made[-1]])
    return b.build(outputs=list({tensor.name: tensor for tensor in ends}.values())), joined(x)


def _kinds(at: Tensor) -> list[str]:
    kinds = [
        "scaling",
        "activation",
        "softmax",
        "reshape",
        "add",
        "subtract",
        "multiply",
        "constant",
        "prelu",
        "clip",
    ]
    kinds += ["concatenate", "slice", "transpose", "delay", "border", "reduce", "norm"]
    kinds += ["dense", "dense", "dense"] if len(at.shape) == 1 else []
    if len(at.shape) in (2, 3):
        kinds += ["resize", "conv", "conv", "depthwise", "depthwise", "max pool", "average pool"]
        kinds += ["transposed"] * 2 if at.size <= MOST // 10 else []
    return kinds


# Those of rows are layers of their own; outside their domains the others give NaN, which nothing can be compared with.
_BENDS = [
    each for each in ACTIVATIONS if each not in ("softmax", "log_softmax", "exp", "log", "sqrt", "rsqrt")
]


def _layer(
    b: GraphBuilder, name: str, kind: str, at: Tensor, rng: np.random.Generator, draw: DrawFn
) -> Tensor:
    activation = draw(st.sampled_from(_BENDS))
    alpha = {"leaky_relu": 0.1, "elu": 1.5}.get(activation, 0.0)
    n = at.shape[-1]
    match kind:
        case "dense":
            lengths = [tensor.size for tensor in b.tensors.values() if len(tensor.shape) == 1]  # to be added
            n_out = draw(st.sampled_from(lengths) | st.integers(1, 20))
            size = 10.0 ** draw(st.integers(-2, 1))
            weights = rng.normal(0, size, (n_out, n)) * (
                rng.random((n_out, n)) < draw(st.sampled_from([1, 0.3]))
            )
            return b.dense(name, weights, rng.normal(0, size, n_out), activation, alpha, at=at)
        case "conv" | "depthwise" | "transposed":
            return b.add(*_convolution(kind, name, at, rng, draw), activation, alpha, inputs=[at])
        case "max pool":
            return b.add(MaxPool, name, _window(at, draw), activation, alpha, inputs=[at])
        case "average pool":
            counts = draw(st.booleans())
            return b.add(AveragePool, name, _window(at, draw), counts, activation, alpha, inputs=[at])
        case "reduce":
            axes = draw(st.sets(st.integers(0, len(at.shape) - 1), min_size=1))
            operation = draw(st.sampled_from(["mean", "sum", "max", "min"]))
            return b.add(Reduce, name, operation, tuple(sorted(axes)), inputs=[at])
        case "norm":
            gamma, beta = np.float32(rng.normal(1, 0.5, n)), np.float32(rng.normal(size=n))
            return b.add(LayerNorm, name, gamma, beta, draw(st.sampled_from([1e-5, 0.1])), inputs=[at])
        case "activation":
            return b.activation(name, activation, alpha, at=at)
        case "softmax":
            return b.activation(name, draw(st.sampled_from(["softmax", "log_softmax"])), at=at)
        case "clip":
            ends = draw(st.sampled_from([(-1.0, 1.0), (0.0, np.inf), (-0.3, 0.2), (-np.inf, 2.0)]))
            return b.add(Clip, name, *ends, inputs=[at])
        case "prelu":
            slope = np.float32(rng.normal(0, 0.5, draw(st.sampled_from([(), (n,), at.shape]))))
            return b.add(Prelu, name, slope, inputs=[at])
        case "scaling":
            return b.scaling(name, rng.uniform(0.1, 3, n), rng.normal(0, 2, n), at=at)
        case "reshape":
            return b.reshape(name, draw(st.sampled_from([(-1,), (1, -1), (-1, 1)])), at=at)
        case "add" | "subtract" | "multiply":  # the other may go with many elements, or many others with one
            fitting = [tensor for tensor in b.tensors.values() if _fits(tensor, at)]
            operands = draw(st.permutations([at, draw(st.sampled_from(fitting))]))
            made = {"add": Add, "subtract": Subtract, "multiply": Multiply}[kind]
            return b.add(made, name, activation, alpha, inputs=operands)
        case "constant":
            c = rng.normal(0, 2, draw(st.sampled_from([(), (n,), at.shape])))
            made = draw(st.sampled_from([Add, Subtract, Multiply]))
            first = draw(st.booleans())
            return b.add(made, name, activation, alpha, constant=c, constant_first=first, inputs=[at])
        case "concatenate":
            axis = draw(st.integers(0, len(at.shape) - 1))
            others = [tensor for tensor in b.tensors.values() if _joins(tensor, at, axis)]
            most = max(0, min(3, MOST // at.size - 1))
            others = draw(st.lists(st.sampled_from(others), max_size=most)) if others else []
            return b.add(Concatenate, name, axis, inputs=[at, *others])
        case _:
            return b.add(*_move(kind, name, at, draw), inputs=[at])


def _window(at: Tensor, draw: DrawFn) -> Window:
    """One that lies right: begun in the image or in its padding, with a tap inside."""
    size = (1, *at.shape)[-3:-1]
    sides = []
    for i, n in enumerate(size):
        kernel = 1 if i == 0 and len(at.shape) == 2 else draw(st.integers(1, 3))
        dilation = draw(st.integers(1, min(2, n)))
        reach = (kernel - 1) * dilation
        before = draw(st.integers(0, reach))
        after = draw(st.integers(max(0, reach + 1 - n - before), reach))
        sides.append((kernel, draw(st.integers(1, 3)), dilation, before, after))
    return Window(*zip(*sides, strict=True))


def _convolution(kind: str, name: str, at: Tensor, rng: np.random.Generator, draw: DrawFn) -> tuple:
    """A convolution of whatever kind, and its arguments before the activation."""
    n, window = at.shape[-1], _window(at, draw)
    drawn = lambda *shape: np.float32(rng.normal(size=shape))  # noqa: E731
    if kind == "conv":
        groups = draw(st.sampled_from([1, n]))
        n_out = groups * draw(st.integers(1, 4 if groups == 1 else 2))
        return Conv, name, drawn(n_out, *window.kernel, n // groups), drawn(n_out), window, groups
    if kind == "depthwise":
        n_out = n * draw(st.integers(1, 2))
        return DepthwiseConv, name, drawn(n_out, *window.kernel), drawn(n_out), window
    size = (1, *at.shape)[-3:-1]
    window, padding = _enlarging(window, size, len(at.shape) == 2, draw)
    n_out = draw(st.integers(1, 4))
    return ConvTranspose, name, drawn(n_out, *window.kernel, n), drawn(n_out), window, padding


def _enlarging(window: Window, size: Pair, is_signal: bool, draw: DrawFn) -> tuple[Window, Pair]:
    """That window where stride and padding count in the output, and how much of that is added."""
    stride = (1, window.stride[1]) if is_signal else window.stride
    sides = []
    for n, k, s, d in zip(size, window.kernel, stride, window.dilation, strict=True):
        full = (n - 1) * s + (k - 1) * d + 1
        before = draw(st.integers(0, full - 1))
        sides.append((before, draw(st.integers(0, full - 1 - before)), draw(st.integers(0, s - 1))))
    before, after, padding = zip(*sides, strict=True)
    return Window(window.kernel, stride, window.dilation, before, after), padding


def _move(kind: str, name: str, at: Tensor, draw: DrawFn) -> tuple:
    """A layer that moves elements, and its arguments."""
    shape = at.shape
    match kind:
        case "slice":
            begin = [draw(st.integers(0, n - 1)) for n in shape]
            step = [draw(st.sampled_from([1, 1, 2, -1])) for _ in shape]
            most = [
                (n - 1 - i if s > 0 else i) // abs(s) + 1 for n, i, s in zip(shape, begin, step, strict=True)
            ]
            return Slice, name, tuple(begin), tuple(draw(st.integers(1, n)) for n in most), tuple(step)
        case "transpose":
            return Transpose, name, tuple(draw(st.permutations(range(len(shape)))))
        case "delay":
            return Delay, name, min(shape[0] + draw(st.integers(0, 2)), max(shape[0], 40))
        case "border":
            mode = draw(st.sampled_from(["symmetric", "edge", "reflect"]))
            width = tuple(int(n > 1 and n < 12) for n in shape)
            return Pad, name, width, (0,) * len(shape), 0.0, mode
        case "resize":
            rows = draw(st.integers(1, 4)) if len(shape) == 3 else 1
            mode, corners, half = draw(
                st.tuples(st.sampled_from(["nearest", "bilinear"]), st.booleans(), st.booleans())
            )
            return Resize, name, (rows, draw(st.integers(1, 6))), mode, corners, half
    raise AssertionError(kind)


def _joins(a: Tensor, b: Tensor, axis: int) -> bool:
    """Whether the two have one shape but along the axis, and are small, and values, not numbers of rows."""
    own, other = list(a.shape), list(b.shape)
    same = len(own) == len(other) and own[:axis] + own[axis + 1 :] == other[:axis] + other[axis + 1 :]
    return same and a.size <= b.size and a.name != "numbers"


def _fits(a: Tensor, b: Tensor) -> bool:
    made = broadcast(a.shape, b.shape)
    return made is not None and np.prod(made) < MOST and a.name != "numbers"
