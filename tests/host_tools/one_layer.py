"""A model file of one layer, put together by hand from FORMAT.md: for numbers that no converter would write."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
from anne.layers.dense import LAYOUTS
from anne.model_file import DTYPES, KINDS
from anne.reference import ACTIVATIONS

_DTYPE_NUMBERS = {row[0]: number for number, row in DTYPES.items()}
_KIND_NUMBERS = {name: number for number, name in KINDS.items()}
_LAYOUT_NUMBERS = {row[0]: number for number, row in LAYOUTS.items()}


class Values(NamedTuple):
    """A tensor of rank 1."""

    dtype: str
    size: int
    scale: float = 1.0
    zero_point: int = 0


def one_layer(
    kind: str,
    x: Values,
    y: Values,
    constants: list[np.ndarray],
    activation: str = "linear",
    parameters: tuple[int, ...] = (),
) -> bytes:
    """Return the file's bytes; the output lies behind the input."""
    x_bytes = (x.size * DTYPES[_DTYPE_NUMBERS[x.dtype]][1] + 3) // 4 * 4
    y_bytes = (y.size * DTYPES[_DTYPE_NUMBERS[y.dtype]][1] + 3) // 4 * 4
    tensors = _tensor(x, 1, 0) + _tensor(y, 2, x_bytes)
    data, places = b"", b""
    for constant in constants:
        places += struct.pack("<II", len(data), constant.nbytes)
        data += constant.tobytes() + bytes(-constant.nbytes % 4)
    rest = struct.pack("<HH", 0, 1) + places + struct.pack(f"<{len(parameters)}i", *parameters)
    counts = (1, 1, len(constants), ACTIVATIONS.index(activation))
    record = struct.pack("<HH4Bf", _KIND_NUMBERS[kind], 12 + len(rest), *counts, 0.0) + rest
    total = 48 + len(tensors) + len(record) + len(data)
    header = struct.pack("<8I", x_bytes + y_bytes, 2, 1, len(record), 0, len(data), 0, 0)
    body = header + tensors + record + data
    return b"ANNE" + struct.pack("<HHII", 1, 48, total, zlib.crc32(body)) + body


def dense(
    layout: str, n_in: int, constants: list[np.ndarray], limits: tuple[int, int] | None = None, n_out: int = 1
) -> bytes:
    """Return a file of a dense layer in that layout; `limits` are the type's own if not given."""
    _, x_dtype, y_dtype, _ = LAYOUTS[_LAYOUT_NUMBERS[layout]]
    least, most = limits or DTYPES[_DTYPE_NUMBERS[y_dtype]][3:]
    parameters = (_LAYOUT_NUMBERS[layout], least, most)
    return one_layer("dense", Values(x_dtype, n_in), Values(y_dtype, n_out), constants, parameters=parameters)


def _tensor(values: Values, role: int, arena_offset: int) -> bytes:
    head = struct.pack("<4B4I", _DTYPE_NUMBERS[values.dtype], role, 1, 0, values.size, 0, 0, 0)
    return head + struct.pack("<fiI", values.scale, values.zero_point, arena_offset)
