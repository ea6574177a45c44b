"""Random networks through the whole chain: converted, then run by the reference, the host library and the unix port.

random_layers.py draws the networks. Each layer of the reference gets the very input that the native layer had, so that
its own error is measured: integers must be equal, floats within 1e-6 of the layer's largest output; where sums cancel,
of their terms, and for gelu of what it is taken of (DESIGN.md, "Numbers"). The unix port runs the same C under
MicroPython and must give the same bits.
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
from anne.model_file import ModelFile
from anne_tools.conversion.convert import Converted, convert
from anne_tools.conversion.quantize import DTYPES, INTEGER_DTYPES
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import raw_inputs, unpacked
from anne_tools.layers import (
    AveragePool,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    LayerNorm,
    Reduce,
    Resize,
)
from anne_tools.network.graph import Graph
from anne_tools.network.layer import Layer
from anne_tools.network.tensor import Tensor
from figures import ROOT, Found, ReliabilityError
from hypothesis import HealthCheck, given, seed, settings
from random_layers import graphs

UNIX_PORT = Path(os.environ.get("ANNE_UNIX_PORT", ROOT / "build" / "micropython-unix"))
BOUND = 1e-6
SHORT_GRAPHS, LONG_GRAPHS = 150, 5000
N_SAMPLES = 3


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
            ends = [[Tensor("", t.shape) for t in some] for some in (layer.inputs, layer.outputs)]
            largest = _largest(real, x, expected, *ends)
            with np.errstate(invalid="ignore"):
                error = np.where(got == expected, 0, np.abs(got - expected)).max()
            assert error <= BOUND * largest + 1e-37, f"{layer.where}: off by {error} of {largest}"
    for y, got in zip(file.outputs, outputs, strict=True):
        expected = values[y.index]
        assert np.array_equal(got.ravel(), expected), f"tensor {y.index}: {got}, expected {expected}"


def _largest(
    layer: Layer, x: list[np.ndarray], outputs: np.ndarray, sources: list[Tensor], targets: list[Tensor]
) -> float:
    """What errors of a float layer are relative to: its largest output, or more."""
    largest = np.abs(outputs).max()
    x = [each.reshape(1, *source.shape) for each, source in zip(x, sources, strict=True)]
    linear = (
        replace(layer, activation="linear") if getattr(layer, "activation", "linear") != "linear" else layer
    )
    terms = None
    if isinstance(layer, (Conv, ConvTranspose, Dense, DepthwiseConv)):
        terms = replace(linear, weights=np.abs(layer.weights), bias=np.abs(layer.bias))
    elif isinstance(layer, AveragePool) or (isinstance(layer, Reduce) and layer.operation in ("mean", "sum")):
        terms = linear
    if terms is not None:  # sums that cancel leave what float32 loses of their terms
        return max(largest, terms.run([np.abs(x[0])], sources, targets)[0].max())
    if isinstance(layer, Resize):  # between pixels of unlike sign
        return np.abs(x[0]).max()
    if isinstance(layer, LayerNorm):  # a mean that cancels what is near it
        deviation = np.sqrt(x[0].astype(float).var(axis=-1, keepdims=True) + layer.epsilon)
        return (np.abs(layer.gamma * x[0] / deviation) + np.abs(layer.beta)).max()
    if getattr(layer, "activation", "") == "gelu":
        return max(largest, np.abs(linear.run(x, sources, targets)[0]).max())
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
