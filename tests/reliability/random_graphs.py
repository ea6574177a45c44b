"""Random networks through the whole chain: converted, then run by the reference, the host library and the unix port.

hypothesis draws the network (a failure is shrunk to the smallest that fails); weights and inputs come of a seed it
draws. Each layer of the reference gets the very input that the native layer had, so that its own error is measured:
integers must be equal, floats within 1e-6 of the layer's largest output; where sums cancel, of their terms, and for
gelu of its input (DESIGN.md, "Numbers"). The unix port runs the same C under MicroPython and must give the same bits.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from anne.binary import broadcast
from anne.model_file import ModelFile
from anne_tools.conversion.convert import Converted, convert
from anne_tools.conversion.quantize import DTYPES, INTEGER_DTYPES
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import raw_inputs, unpacked
from anne_tools.data.samples import joined
from anne_tools.layers import (
    Add,
    Concatenate,
    Conv,
    Delay,
    Dense,
    Multiply,
    Pad,
    Resize,
    Slice,
    Subtract,
    Transpose,
)
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.activations import ACTIVATIONS
from anne_tools.network.graph import Graph
from anne_tools.network.layer import Layer
from anne_tools.network.tensor import Tensor
from figures import ROOT, Found, ReliabilityError
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

UNIX_PORT = Path(os.environ.get("ANNE_UNIX_PORT", ROOT / "build" / "micropython-unix"))
BOUND = 1e-6
SHORT_GRAPHS, LONG_GRAPHS = 150, 5000
N_SAMPLES = 3


@st.composite
def graphs(draw) -> tuple[Graph, np.ndarray]:
    """A network of layers of every kind, with up to three inputs and outputs; and samples for it, joined.

    Layers read what was made last, or else anything there is: so chains are drawn, and branches that end, meet again
    in a sum, or share what they read.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    b, x = GraphBuilder(), []
    for i in range(draw(st.sampled_from([1, 1, 2, 3]))):
        shapes = [(1,), (4,), (7,), (33,), (2, 3), (3, 2, 2)]
        shape = draw(st.sampled_from([b.first.shape] if i and draw(st.booleans()) else shapes))
        b.input(f"x{i}", shape)
        x.append(rng.normal(0, 10.0 ** draw(st.integers(-3, 3)), (8, *shape)))
    made = list(b.tensors.values())
    for i in range(draw(st.integers(1, 8))):
        at = draw(st.sampled_from([made[-1]] * len(made) + made))
        kinds = ["scaling", "activation", "reshape", "add", "subtract", "multiply", "constant"]
        kinds += ["concatenate", "slice", "transpose", "delay", "border"]
        kinds += ["resize"] if len(at.shape) in (2, 3) else []
        kinds += ["dense", "dense", "softmax"] if len(at.shape) == 1 else []
        kinds += ["conv", "conv"] if len(at.shape) in (2, 3) else []
        made.append(_layer(b, f"layer {i}", draw(st.sampled_from(kinds)), at, rng, draw))
    outputs = draw(st.lists(st.sampled_from(made), max_size=2, unique_by=lambda tensor: tensor.name))
    return b.build(outputs=[made[-1], *(tensor for tensor in outputs if tensor is not made[-1])]), joined(x)


def _layer(
    b: GraphBuilder, name: str, kind: str, at: Tensor, rng: np.random.Generator, draw: DrawFn
) -> Tensor:
    activation = draw(st.sampled_from([each for each in ACTIVATIONS if "softmax" not in each]))
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
        case "conv":
            rows = draw(st.integers(1, 2)) if len(at.shape) == 3 else 1
            kernel, groups = (rows, draw(st.integers(1, 3))), draw(st.sampled_from([1, n]))
            n_out = groups * draw(st.integers(1, 4))
            weights = np.float32(rng.normal(size=(n_out, *kernel, n // groups)))
            window = Window.same((1, *at.shape)[-3:-1], kernel, (1, draw(st.integers(1, 2))))
            bias = np.float32(rng.normal(size=n_out))
            return b.add(Conv, name, weights, bias, window, groups, activation, alpha, inputs=[at])
        case "activation":
            return b.activation(name, activation, alpha, at=at)
        case "softmax":
            return b.activation(name, "softmax", at=at)
        case "scaling":
            return b.scaling(name, rng.uniform(0.1, 3, n), rng.normal(0, 2, n), at=at)
        case "reshape":
            return b.reshape(name, draw(st.sampled_from([(-1,), (1, -1), (-1, 1)])), at=at)
        case "add":
            others = [tensor for tensor in b.tensors.values() if tensor.shape == at.shape]
            return b.add(Add, name, activation, alpha, inputs=[at, draw(st.sampled_from(others))])
        case "subtract" | "multiply":  # the other may go with many elements, or many others with one
            fitting = [tensor for tensor in b.tensors.values() if _fits(tensor.shape, at.shape)]
            operands = draw(st.permutations([at, draw(st.sampled_from(fitting))]))
            return b.add(
                Subtract if kind == "subtract" else Multiply, name, activation, alpha, inputs=operands
            )
        case "constant":
            c = rng.normal(0, 2, draw(st.sampled_from([(), (n,), at.shape])))
            made = draw(st.sampled_from([Add, Subtract, Multiply]))
            first = draw(st.booleans())
            return b.add(made, name, activation, alpha, constant=c, constant_first=first, inputs=[at])
        case "concatenate":
            axis = draw(st.integers(0, len(at.shape) - 1))
            others = [tensor for tensor in b.tensors.values() if _joins(tensor.shape, at.shape, axis)]
            return b.add(
                Concatenate, name, axis, inputs=[at, *draw(st.lists(st.sampled_from(others), max_size=3))]
            )
        case _:
            return b.add(*_move(kind, name, at, draw), inputs=[at])


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


def _joins(a: tuple[int, ...], b: tuple[int, ...], axis: int) -> bool:
    """Whether the two have one shape but along the axis, and are small."""
    return len(a) == len(b) and a[:axis] == b[:axis] and a[axis + 1 :] == b[axis + 1 :] and a[axis] < 40


def _fits(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    made = broadcast(a, b)
    return made is not None and np.prod(made) < 200


# --- Host native against the reference -------------------------------------------------------------------------------


def check_layers(data: bytes, floats: Graph, sample: np.ndarray) -> None:
    """Each layer of the native core against the reference on the same inputs, and the outputs of the network against
    what their layers made; AssertionError where they differ.

    `floats` are the same layers with real weights. A layer that overwrote what another needs would differ in that one.
    """
    file = ModelFile(data)
    inputs = unpacked(sample[None], file.inputs)
    values = {tensor.index: x.ravel() for tensor, x in zip(file.inputs, inputs, strict=True)}
    with NativeModel(data) as native:
        trace = native.trace(sample)
        outputs = unpacked(native.run_raw(sample[None]), file.outputs)
    for layer, real in zip(file.layers, floats.layers, strict=True):
        x = [values[tensor.index] for tensor in layer.inputs]
        for y, expected in zip(
            layer.outputs, layer.room.run(layer, [each.tolist() for each in x]), strict=True
        ):
            got = values[y.index] = trace[y.index].ravel()
            expected = np.array(expected)
            if y.dtype != "float32":
                assert np.array_equal(got, expected), f"{layer.where}: {got}, expected {expected}"
                continue
            largest, error = (
                _largest(real, x, expected, (layer.inputs[0].shape, y.shape)),
                np.abs(got - expected).max(),
            )
            assert error <= BOUND * largest + 1e-37, f"{layer.where}: off by {error} of {largest}"
    for y, got in zip(file.outputs, outputs, strict=True):
        expected = values[y.index]
        assert np.array_equal(got.ravel(), expected), f"tensor {y.index}: {got}, expected {expected}"


def _largest(layer: Layer, x: list[np.ndarray], outputs: np.ndarray, shapes: tuple) -> float:
    """What errors of a float layer are relative to: its largest output, or more."""
    largest = np.abs(outputs).max()
    if isinstance(layer, Dense):  # sums that cancel leave what float32 loses of their terms
        return max(largest, (np.abs(layer.weights) @ np.abs(x[0]) + np.abs(layer.bias)).max())
    if isinstance(layer, Conv):
        terms = replace(layer, weights=np.abs(layer.weights), bias=np.abs(layer.bias), activation="linear")
        x_shape, y_shape = shapes
        ends = [Tensor("", shape) for shape in (x_shape, y_shape)]
        return max(largest, terms.run([np.abs(x[0]).reshape(1, *x_shape)], ends[:1], ends[1:])[0].max())
    if isinstance(layer, Resize):  # between pixels of unlike sign
        return np.abs(x[0]).max()
    if getattr(layer, "activation", "") == "gelu":
        return np.abs(np.sum(x, axis=0)).max()
    return largest


def converted(graph: Graph, x: np.ndarray, dtype: str) -> Converted:
    """Return the network in that type: of these kinds there is none that cannot be had."""
    return convert(graph, dtype, calibrate=x if dtype in INTEGER_DTYPES else None)


def checked(graph: Graph, x: np.ndarray, dtype: str) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Convert and check; return the file, and inputs and outputs of the native core as they stand in the arena."""
    made = converted(graph, x, dtype)
    with NativeModel(made.data) as native:
        inputs = raw_inputs(x[:N_SAMPLES], native.file)
        outputs = native.run_raw(inputs)
    for sample in inputs:
        check_layers(made.data, made.graph, sample)
    return made.data, inputs, outputs


# --- The unix port ---------------------------------------------------------------------------------------------------

SCRIPT = """
import anne, json, sys
from array import array
folder = sys.argv[1]
letters = {"float32": "f", "int8": "b", "int16": "h"}
def read(name):
    with open(folder + "/" + name, "rb") as file:
        return file.read()
def arrays(ports, packed):
    made, at = [], 0
    for port in ports:
        one = array(letters[port.dtype], [0])
        n = len(bytes(one))
        for d in port.shape:
            n *= d
        made.append(array(letters[port.dtype], packed[at:at + n]))
        at += n
    return made if len(made) > 1 else made[0]
def same(a, b):
    if isinstance(a, list):
        return all(same(p, q) for p, q in zip(a, b))
    return bytes(a) == bytes(b) or all(p == q or (p != p and q != q) for p, q in zip(a, b))
assert anne.native
models, wrong = json.loads(read("list.json")), []
for name, n_samples in models:
    net = anne.load(folder + "/" + name + ".anne")
    x, y = read(name + ".x"), read(name + ".y")
    n_in, n_out = len(x) // n_samples, len(y) // n_samples
    out = arrays(net.outputs, bytes(n_out))
    for i in range(n_samples):
        expected = arrays(net.outputs, y[i * n_out:(i + 1) * n_out])
        net.predict_into(arrays(net.inputs, x[i * n_in:(i + 1) * n_in]), out)
        if not same(out, expected):
            wrong.append((name, i, out, expected))
            break
print(wrong[:5])
print(len(models), len(wrong))
"""


def check_unix_port(models: list[tuple[bytes, np.ndarray, np.ndarray]]) -> None:
    """Run all models under MicroPython; ReliabilityError where an output has another bit."""
    if not UNIX_PORT.exists():
        raise FileNotFoundError(f"no {UNIX_PORT}; `make test` builds it")
    with tempfile.TemporaryDirectory() as name:
        folder, entries = Path(name), []
        for i, (data, inputs, outputs) in enumerate(models):
            (folder / f"{i}.anne").write_bytes(data)
            (folder / f"{i}.x").write_bytes(inputs.tobytes())
            (folder / f"{i}.y").write_bytes(outputs.tobytes())
            entries.append([str(i), len(inputs)])
        (folder / "list.json").write_text(json.dumps(entries))
        (folder / "script.py").write_text(SCRIPT)
        command = [UNIX_PORT, "-X", "heapsize=64M", folder / "script.py", folder]
        environment = os.environ | {
            "ASAN_OPTIONS": "detect_leaks=0"
        }  # MicroPython ends without freeing what it has
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.stdout.splitlines()[-1:] != [f"{len(models)} 0"]:
            raise ReliabilityError(f"unix port: {done.stdout[-2000:]}{done.stderr[-2000:]}")


# --- The row ---------------------------------------------------------------------------------------------------------


def for_each_network(n: int, check: Callable[[Graph, np.ndarray, str], None]) -> None:
    """Call `check` with `n` networks, samples for each, and a type, each type as often."""
    for number, dtype in enumerate(DTYPES):
        _for_each_of(dtype, number, n // len(DTYPES), check)


def _for_each_of(dtype: str, number: int, n: int, check: Callable[[Graph, np.ndarray, str], None]) -> None:
    @seed(number)
    @settings(max_examples=n, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(graphs())
    def each(drawn):
        check(*drawn, dtype)

    each()


def properties(soak: bool) -> Found:
    """Random networks in every type."""
    models, dtypes = [], []

    def equal(graph, x, dtype):
        models.append(checked(graph, x, dtype))
        dtypes.append(dtype)

    for_each_network(LONG_GRAPHS if soak else SHORT_GRAPHS, equal)
    for first in range(0, len(models), 500):
        check_unix_port(models[first : first + 500])
    counts = ", ".join(f"{dtypes.count(dtype)} {dtype}" for dtype in DTYPES)
    files = [ModelFile(data, checked=True) for data, *_ in models]
    n_sums = sum(any(layer.kind == "add" for layer in file.layers) for file in files)
    n_inputs, n_outputs = (
        sum(len(ends) > 1 for ends in all_ends)
        for all_ends in ([file.inputs for file in files], [file.outputs for file in files])
    )
    return Found(
        f"{len(models):,} networks ({counts}; {n_sums:,} with sums, {n_inputs:,} of several inputs, {n_outputs:,} of "
        f"several outputs), {N_SAMPLES} samples each",
        f"integers equal, floats within {BOUND:g} of a layer's largest output (of its terms where they cancel); "
        "unix port equal to the bit",
    )
