"""How far a .tflite file, imported, packed and run by the C core, is from TensorFlow Lite Micro's interpreter.

`python tflite_agreement.py FILE...` tells it of any files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import packed, unpacked
from anne_tools.errors import ModelError
from anne_tools.importers import budget, tflite
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Tensor
from tflite_writer import Oracle

SEED = 20261126
ARENA_BYTES = 4 << 20


def samples(dtype: str, shape, n: int = 6) -> np.ndarray:
    """Return n random samples: floats around 0, or any integers of the type."""
    rng = np.random.default_rng(SEED)
    if dtype == "float32":
        return rng.normal(0, 1, (n, *shape)).astype(np.float32)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max + 1, (n, *shape)).astype(dtype)


def assert_agreement(graph: Graph, oracle, given: np.ndarray, kinds: list[str]) -> None:
    """Assert that the graph has layers of those kinds, reshapes apart, and gives what the oracle does of each sample:
    integers exactly, floats within 1e-5 of the largest."""
    expected = np.concatenate([oracle(sample[None]) for sample in given])
    assert [layer.kind for layer in graph.layers if layer.kind != "reshape"] == kinds
    with NativeModel(pack(graph)) as native:
        got = native.run_raw(given).reshape(expected.shape)
    bound = 0 if got.dtype != np.float32 else 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


def imported(path: Path) -> Graph:
    """Return the graph of a file, under the budget that `load` begins."""
    with budget.begin(path.stat().st_size):
        return tflite.read(path)


def largest_difference(path: Path, n: int, draw=None) -> float:
    """Return the largest difference on n random inputs, given one after another: steps of integers, or parts of the
    largest float output. `draw(rng, shape)` gives samples for inputs of floats and whole numbers."""
    graph = imported(path)
    oracle, rng = Oracle(path.read_bytes(), ARENA_BYTES), np.random.default_rng(SEED)
    interpreter = oracle.interpreter
    ends = [interpreter.get_input_details(index) for index in range(len(graph.inputs))]
    outputs = [interpreter.get_output_details(index) for index in range(len(graph.outputs))]
    worst = 0.0
    with NativeModel(pack(quantize(graph, "float32"))) as native:
        for index in range(n):
            samples = [_sample(rng, tensor, index, draw) for tensor in graph.input_tensors]
            files = [
                _as_in_file(sample, tensor, end["dtype"]).reshape(end["shape"])
                for sample, tensor, end in zip(samples, graph.input_tensors, ends, strict=True)
            ]
            got = unpacked(
                native.run_raw(packed([sample[None] for sample in samples]), index > 0), native.outputs
            )
            expected = oracle.outputs(len(outputs), *files)
            for y, right, tensor, end in zip(got, expected, graph.output_tensors, outputs, strict=True):
                made = _as_in_file(y[0], tensor, end["dtype"]).astype(np.float64)
                error = np.abs(made - right.reshape(made.shape)).max()
                worst = max(worst, float(error / _unit(tensor, right)))
    return worst


def _sample(rng: np.random.Generator, tensor: Tensor, index: int, draw) -> np.ndarray:
    if tensor.dtype == "float32":
        draw = draw or (lambda rng, shape: rng.normal(0, 1, shape))
        return draw(rng, tensor.shape).astype(np.float32)
    extremes = {0: np.iinfo(tensor.dtype).min, 1: np.iinfo(tensor.dtype).max}
    drawn = rng.integers(extremes[0], extremes[1] + 1, tensor.shape).astype(tensor.dtype)
    return np.full_like(drawn, extremes[index]) if index in extremes else drawn


def _as_in_file(values: np.ndarray, tensor: Tensor, dtype) -> np.ndarray:
    """Return int8 values as the file has them: int8, uint8 (which is 128 more), or float32; floats as whole numbers."""
    dtype = np.dtype(dtype)
    if values.dtype == np.int8 and dtype == np.float32:
        real = values.astype(np.float32) - np.float32(tensor.quantization.zero_point)
        return np.float32(tensor.quantization.scale[0]) * real
    if values.dtype == np.int8 and dtype == np.uint8:
        return values.view(np.uint8) ^ 0x80
    return values.astype(dtype)


def _unit(tensor: Tensor, expected: np.ndarray) -> float:
    """Return what an output's difference is measured in."""
    if tensor.dtype == "float32":
        return max(float(np.abs(expected).max()), 1e-30)
    return float(tensor.quantization.scale[0]) if expected.dtype == np.float32 else 1.0


if __name__ == "__main__":
    for file in map(Path, sys.argv[1:]):
        try:
            print(f"{file.name}: {largest_difference(file, 10):g} off")
        except (ModelError, RuntimeError) as error:
            print(f"{file.name}: {error}")
