"""A model file of one layer, for numbers that no converter would write; and what holds of any layer's file."""

from __future__ import annotations

import numpy as np
from anne.model_file import DTYPES
from anne.weights import LAYOUTS
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph
from by_hand import DTYPE_NUMBERS, INPUT, OUTPUT, Record, Values, model

_LAYOUT_NUMBERS = {row[0]: number for number, row in LAYOUTS.items()}


def one_layer(
    kind: str,
    x: Values,
    y: Values,
    constants: list[np.ndarray],
    activation: str = "linear",
    parameters: tuple[int, ...] = (),
) -> bytes:
    """Return the file's bytes; the output lies behind the input."""
    return model([x, y], [INPUT, OUTPUT], [Record(kind, [0], [1], constants, activation, parameters)])


def dense(
    layout: str, n_in: int, constants: list[np.ndarray], limits: tuple[int, int] | None = None, n_out: int = 1
) -> bytes:
    """Return a file of a dense layer in that layout; `limits` are the type's own if not given."""
    _, x_dtype, y_dtype, _ = LAYOUTS[_LAYOUT_NUMBERS[layout]]
    least, most = limits or DTYPES[DTYPE_NUMBERS[y_dtype]][3:]
    parameters = (_LAYOUT_NUMBERS[layout], least, most)
    return one_layer("dense", Values(x_dtype, n_in), Values(y_dtype, n_out), constants, parameters=parameters)


def assert_cores_agree(graph: Graph, dtype: str, x: np.ndarray, random: np.random.Generator) -> None:
    """Assert that both cores give the same for the graph as `dtype`, of integers for any input, and numpy nearly so."""
    data = pack(quantize(graph, dtype, x))
    with NativeModel(data) as model:
        tensor = model.input
        if tensor.dtype == "float32":
            raw = x.astype(np.float32)
        else:
            raw = random.integers(tensor.least, tensor.greatest + 1, x.shape).astype(dtype)
        got, meant = model.run_raw(raw), reference_outputs(data, raw)
        if tensor.dtype == "float32":
            np.testing.assert_allclose(got, meant, atol=2e-6 * max(1, np.abs(meant).max()))
        else:
            assert got.tobytes() == meant.tobytes()
        real = execute(graph, x).reshape(len(x), -1)
        far = np.abs(model.predict(x).reshape(len(x), -1) - real).max()
        assert far <= 0.03 * max(1, np.abs(real).max())
