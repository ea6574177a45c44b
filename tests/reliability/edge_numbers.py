"""Numbers at the edges of their types, through every way a layer runs: the same outcome on every backend.

Model files of one layer have random constants, extremes of their types included (make_model.c); inputs are NaN,
infinities, denormals, +-FLT_MAX and both extremes of integers, alone and among others. The native core must give what
the reference gives (integers equal, floats NaN for NaN, infinity for infinity, else within 1e-5 of the largest), and
the unix port what the native core gives. Which outcome that is, DESIGN.md says ("Numbers"), and tests/api holds it with
examples on every backend, the emulated Pico included.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from anne.model_file import ModelFile
from anne.reference_model import Model
from anne_tools.cores.native import NativeModel
from anne_tools.layers import Conv
from anne_tools.layers.windows import Window
from anne_tools.network.tensor import Tensor
from core import PROGRAMS
from figures import Found, ReliabilityError
from random_graphs import check_unix_port

SHORT_FILES, LONG_FILES = 5, 60
FLT_MAX, DENORMAL = np.finfo(np.float32).max, np.float32(1e-40)
SPECIAL = np.array([np.nan, np.inf, -np.inf, FLT_MAX, -FLT_MAX, DENORMAL, -DENORMAL, 0.0, -0.0], np.float32)


def edge_inputs(tensor, rng) -> np.ndarray:
    """Inputs (n, size) in the tensor's own type: each extreme throughout, alone among others, and all mixed."""
    n = tensor.size
    if tensor.dtype != "float32":
        least, most = tensor.least, tensor.greatest
        mixed = rng.choice([least, most, 0, -1], (3, n))
        return np.concatenate([np.full((1, n), least), np.full((1, n), most), mixed]).astype(tensor.dtype)
    rows = [np.full(n, value) for value in SPECIAL]
    for value in SPECIAL:
        row = rng.normal(size=n)
        row[rng.integers(n)] = value
        rows.append(row)
    finite = SPECIAL[3:]
    rows += [rng.choice(SPECIAL, n), rng.choice(finite, n), rng.choice(finite[2:], n)]
    return np.array(rows, np.float32)


def packed_inputs(tensors, rng) -> np.ndarray:
    """Inputs for a network of several: each tensor's, in an order of its own, as bytes side by side."""
    each = [np.concatenate([edge_inputs(tensor, rng) for _ in range(4)]) for tensor in tensors]
    return np.concatenate([rng.permutation(rows).view(np.uint8) for rows in each], axis=1)


def run_reference(data: bytes, inputs: np.ndarray) -> np.ndarray:
    """The reference's raw outputs, one row an input."""
    model = Model(data)
    tensor = model.file.outputs[0]
    outputs = np.empty((len(inputs), tensor.size), tensor.dtype)
    for sample, row in zip(inputs, outputs, strict=True):
        raw = bytearray(tensor.nbytes)
        model.run_raw(sample.tobytes(), raw)
        row[:] = np.frombuffer(raw, tensor.dtype)
    return outputs


# Layers whose sums `too_large` knows.
OF_PLAIN_FLOATS = (
    "dense_f32",
    "conv_f32",
    "depthwise_f32",
    "depthwise_s8_f32",
    "conv_transpose_f32",
    "conv_transpose_s8_f32",
)


def too_large(data: bytes, inputs: np.ndarray) -> np.ndarray:
    """Which sums of a layer of plain floats leave float32 on the way: the reference, in 64 bits, may come back."""
    layer = ModelFile(data).layers[0]
    types = (
        np.int8 if len(layer.constants) == 3 else np.float32,
        np.float32,
    )  # int8 weights have scales, too
    weights, bias = (
        np.abs(np.frombuffer(each, dtype).astype(np.float64))
        for each, dtype in zip(layer.constants, types, strict=False)
    )
    finite = np.abs(np.where(np.isfinite(inputs), inputs, 0).astype(np.float64))
    if layer.kind == "dense":
        return finite @ weights.reshape(len(bias), -1).T + bias > FLT_MAX
    if layer.kind != "conv":  # no output has more than all weights, of the largest number each
        sums = finite.max(axis=1) * weights.sum() + bias.max()
        return np.repeat(sums[:, None] > FLT_MAX, layer.outputs[0].size, axis=1)
    x, y = (Tensor("", tensor.shape) for tensor in (layer.inputs[0], layer.outputs[0]))
    p = layer.parameters
    kernel, stride, dilation, before, groups = p[:2], p[2:4], p[4:6], p[6:8], p[8]
    after = [(n - 1) * s + (k - 1) * d for n, s, k, d in zip(_size(y), stride, kernel, dilation, strict=True)]
    weights = weights.reshape(len(bias), *kernel, -1)
    conv = Conv("", "", "", weights, bias, Window(kernel, stride, dilation, before, after), groups)
    (sums,) = conv.run([finite.reshape(-1, *x.shape)], [x], [y])
    return sums.reshape(len(inputs), -1) > FLT_MAX


def _size(image: Tensor) -> tuple[int, ...]:
    return (1, *image.shape)[-3:-1]


# The reference computes x (1 + erf(x / sqrt(2))) / 2 as it is written, and 1 + erf has 53 bits behind the point. For x
# below -8.3 nothing is left of it, where the native core is right, and gelu is -4e-16 and less.
LOST_BY_GELU = 2e-15


def check(name: str, data: bytes, rng) -> tuple[bytes, np.ndarray, np.ndarray, int]:
    """One file against the reference; return it with inputs and native outputs, and how many outputs were compared."""
    file = ModelFile(data)
    inputs = packed_inputs(file.inputs, rng) if len(file.inputs) > 1 else edge_inputs(file.inputs[0], rng)
    with NativeModel(data) as native:
        raw = native.run_raw(inputs).tobytes()
    outputs = got = np.frombuffer(raw, file.outputs[0].dtype).reshape(len(inputs), -1)
    skip = too_large(data, inputs) if name in OF_PLAIN_FLOATS else np.zeros(got.shape, bool)
    expected = run_reference(data, inputs)
    bad = ~same(got, expected, LOST_BY_GELU if file.layers[0].activation == "gelu" else 1e-37) & ~skip
    if bad.any():
        row, at = np.argwhere(bad)[0]
        what = f"{name}, {len(data)} bytes: {inputs[row].ravel()[:8]}: output {at}"
        raise ReliabilityError(f"{what}: {got[row, at]}, expected {expected[row, at]}")
    return data, inputs, outputs, int((~skip).sum())


def same(got: np.ndarray, expected: np.ndarray, least: float = 1e-37) -> np.ndarray:
    """Where outputs, a row an input, agree: equal integers; floats both NaN, both the same infinity, or close: within
    1e-5 of the row's largest, or `least`."""
    if got.dtype.kind != "f":
        return got == expected
    finite = np.where(np.isfinite(expected), np.abs(expected.astype(np.float64)), 0)
    bound = 1e-5 * finite.max(axis=1, keepdims=True) + least
    return np.isclose(got.astype(np.float64), expected, rtol=0, atol=bound, equal_nan=True)


def numbers(soak: bool) -> Found:
    """Every way a layer runs, in several files each."""
    files = LONG_FILES if soak else SHORT_FILES
    models, n_outputs = [], 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([PROGRAMS / "make_models", "layers", folder, str(files)], check=True)
        paths = sorted(Path(folder).glob("*.anne"))
        for index, path in enumerate(paths):
            rng = np.random.default_rng(index)
            *model, n = check(path.stem.rpartition("_")[0], path.read_bytes(), rng)
            models.append(model)
            n_outputs += n
    for first in range(0, len(models), 200):
        check_unix_port(models[first : first + 200])
    n_inputs = sum(len(inputs) for _, inputs, _ in models)
    n_kinds = len({path.stem.rpartition("_")[0] for path in paths})
    return Found(
        f"{len(models):,} layers of {n_kinds} kinds, {n_inputs:,} inputs of NaN, infinities, denormals, +-FLT_MAX, "
        "integer extremes",
        f'{n_outputs:,} outputs: reference, host native and unix port agree (DESIGN.md, "Numbers", and tests/api say '
        "on what)",
    )
