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
from pathlib import Path

import numpy as np
from anne.model_file import ModelFile
from anne_tools.conversion.convert import convert
from anne_tools.conversion.quantize import DTYPES
from anne_tools.cores.native import NativeModel
from anne_tools.cores.numbers import quantize_input
from anne_tools.errors import ModelError
from anne_tools.layers import Dense
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.activations import ACTIVATIONS
from anne_tools.network.graph import Graph
from figures import ROOT, Found, ReliabilityError
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

UNIX_PORT = Path(os.environ.get("ANNE_UNIX_PORT", ROOT / "build" / "micropython-unix"))
BOUND = 1e-6
SHORT_GRAPHS, LONG_GRAPHS = 150, 5000
N_SAMPLES = 3
# What the converter says of networks that it cannot have in a type; a graph that it refuses is drawn anew.
REFUSALS = ["a scaling between integer layers is not supported"]


@st.composite
def graphs(draw) -> tuple[Graph, np.ndarray]:
    """A chain of one to five layers of every kind, and inputs for it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.sampled_from([(1,), (4,), (7,), (33,), (2, 3), (3, 2, 2)]))
    x = rng.normal(0, 10.0 ** draw(st.integers(-3, 3)), (8, *shape))
    b = GraphBuilder(shape)
    for i in range(draw(st.integers(1, 5))):
        kinds = ["scaling", "activation", "reshape"] + (
            ["dense", "dense", "softmax"] if len(b.last.shape) == 1 else []
        )
        _add(b, f"layer {i}", draw(st.sampled_from(kinds)), rng, draw)
    if len(b.last.shape) > 1:
        b.reshape("flat", (-1,))
    return b.build(), x


def _add(b: GraphBuilder, name: str, kind: str, rng: np.random.Generator, draw) -> None:
    activation = draw(st.sampled_from([each for each in ACTIVATIONS if each != "softmax"]))
    alpha = {"leaky_relu": 0.1, "elu": 1.5}.get(activation, 0.0)
    n = b.last.shape[-1]
    match kind:
        case "dense":
            n_out, size = draw(st.integers(1, 20)), 10.0 ** draw(st.integers(-2, 1))
            weights = rng.normal(0, size, (n_out, n)) * (
                rng.random((n_out, n)) < draw(st.sampled_from([1, 0.3]))
            )
            b.dense(name, weights, rng.normal(0, size, n_out), activation, alpha)
        case "activation":
            b.activation(name, activation, alpha)
        case "softmax":
            b.activation(name, "softmax")
        case "scaling":
            b.scaling(name, rng.uniform(0.1, 3, n), rng.normal(0, 2, n))
        case "reshape":
            b.reshape(name, draw(st.sampled_from([(-1,), (1, -1), (-1, 1)])))


# --- Host native against the reference -------------------------------------------------------------------------------


def check_layers(data: bytes, floats: Graph, sample: np.ndarray) -> None:
    """Each layer of the native core against the reference on the same input; AssertionError where they differ.

    `floats` are the same layers with real weights.
    """
    file = ModelFile(data)
    values = {file.inputs[0].index: sample.ravel()}
    with NativeModel(data) as native:
        trace = native.trace(sample)
        for layer, real in zip(file.layers, floats.layers, strict=True):
            y = layer.outputs[0]
            x = values[layer.inputs[0].index]
            expected = np.array(layer.room.run(layer, [x.tolist()])[0])
            got = values[y.index] = trace[y.index].ravel()
            if y.dtype != "float32":
                assert np.array_equal(got, expected), f"{layer.where}: {got}, expected {expected}"
                continue
            largest = np.abs(expected).max()
            if isinstance(real, Dense):  # sums that cancel leave what float32 loses of their terms
                largest = max(largest, (np.abs(real.weights) @ np.abs(x) + np.abs(real.bias)).max())
            elif layer.activation == "gelu":
                largest = np.abs(x).max()
            error = np.abs(got - expected).max()
            assert error <= BOUND * largest + 1e-37, f"{layer.where}: off by {error} of {largest}"


def converted(graph: Graph, x: np.ndarray, dtype: str) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Convert and check; return the file, inputs as they stand in the arena, and the native core's raw outputs."""
    made = convert(graph, dtype, calibrate=x if dtype in ("int8", "int16", "int4") else None)
    data = made.data
    with NativeModel(data) as native:
        inputs = quantize_input(x[:N_SAMPLES], native.input)
        outputs = native.run_raw(inputs)
    for sample in inputs:
        check_layers(data, made.graph, sample)
    return data, inputs, outputs


# --- The unix port ---------------------------------------------------------------------------------------------------

SCRIPT = """
import anne, json, sys
from array import array
folder = sys.argv[1]
letters = {"float32": "f", "int8": "b", "int16": "h", "uint8": "B"}
def read(name, dtype):
    with open(folder + "/" + name, "rb") as file:
        return array(letters[dtype], file.read())
with open(folder + "/list.json") as file:
    models = json.load(file)
def same(a, b):
    return bytes(a) == bytes(b) or all(p == q or (p != p and q != q) for p, q in zip(a, b))
assert anne.native
wrong = []
for name, x_dtype, y_dtype, n_samples in models:
    net = anne.load(folder + "/" + name + ".anne")
    x, y = read(name + ".x", x_dtype), read(name + ".y", y_dtype)
    n_in, n_out = len(x) // n_samples, len(y) // n_samples
    out = y[:n_out]
    for i in range(n_samples):
        run = net._core.run_raw if x_dtype == "uint8" else net.predict_into  # packed: of several inputs
        run(x[i * n_in:(i + 1) * n_in], out)
        if not same(out, y[i * n_out:(i + 1) * n_out]):
            wrong.append((name, i, out, y[i * n_out:(i + 1) * n_out]))
            break
print([(name, i, list(a[:4]), list(b[:4])) for name, i, a, b in wrong[:5]])
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
            entries.append([str(i), inputs.dtype.name, outputs.dtype.name, len(inputs)])
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


def properties(soak: bool) -> Found:
    """Random networks in every type."""
    models, dtypes = [], []

    @settings(
        max_examples=LONG_GRAPHS if soak else SHORT_GRAPHS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(graphs(), st.sampled_from(DTYPES))
    def equal(drawn, dtype):
        try:
            models.append(converted(*drawn, dtype))
        except ModelError as error:
            if any(text in str(error) for text in REFUSALS):
                reject()
            raise
        dtypes.append(dtype)

    equal()
    for first in range(0, len(models), 500):
        check_unix_port(models[first : first + 500])
    counts = ", ".join(f"{dtypes.count(dtype)} {dtype}" for dtype in DTYPES)
    return Found(
        f"{len(models):,} networks ({counts}), {N_SAMPLES} inputs each",
        f"integers equal, floats within {BOUND:g} of a layer's largest output (of its terms where they cancel); "
        "unix port equal to the bit",
    )
