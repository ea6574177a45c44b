"""A model file put together by hand from FORMAT.md: for networks and numbers that no converter would write."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from anne.model_file import DTYPES, KINDS
from anne.reference import ACTIVATIONS

DTYPE_NUMBERS = {row[0]: number for number, row in DTYPES.items()}
_KIND_NUMBERS = {name: number for number, name in KINDS.items()}
INPUT, OUTPUT = 1, 2


class Values(NamedTuple):
    """A tensor; a shape that is a number is of rank 1."""

    dtype: str
    shape: int | tuple[int, ...]
    scale: float = 1.0
    zero_point: int = 0

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.shape if isinstance(self.shape, tuple) else (self.shape,)

    @property
    def itemsize(self) -> int:
        return DTYPES[DTYPE_NUMBERS[self.dtype]][1]

    @property
    def arena_bytes(self) -> int:
        """What it takes in the arena, a multiple of 4."""
        return (int(np.prod(self.sizes)) * self.itemsize + 3) // 4 * 4


@dataclass
class Record:
    """A layer: `inputs` and `outputs` are numbers of tensors."""

    kind: str
    inputs: list[int]
    outputs: list[int]
    constants: list[np.ndarray] = field(default_factory=list)
    activation: str = "linear"
    parameters: tuple[int, ...] = ()


def model(
    tensors: list[Values],
    roles: list[int],
    records: list[Record],
    places: list[int] | None = None,
    metadata: bytes = b"",
) -> bytes:
    """Return the file's bytes. `places` are the tensors' in the arena; without, one lies behind the other."""
    if places is None:
        places = [sum(t.arena_bytes for t in tensors[:i]) for i in range(len(tensors))]
    rows = b"".join(map(_tensor, tensors, roles, places))
    arena = max(at + t.arena_bytes for t, at in zip(tensors, places, strict=True))
    section, data = b"", b""
    for record in records:
        section += _record(record, len(data))
        data += b"".join(constant.tobytes() + bytes(-constant.nbytes % 4) for constant in record.constants)
    counts = (arena, len(tensors), len(records), len(section), len(metadata), len(data), 0, 0)
    body = struct.pack("<8I", *counts) + rows + section + metadata + data
    return b"ANNE" + struct.pack("<HHII", 1, 48, 16 + len(body), zlib.crc32(body)) + body


def _tensor(values: Values, role: int, place: int) -> bytes:
    rank = len(values.sizes)
    head = struct.pack("<4B4I", DTYPE_NUMBERS[values.dtype], role, rank, 0, *values.sizes, *[0] * (4 - rank))
    return head + struct.pack("<fiI", values.scale, values.zero_point, place)


def _record(record: Record, data_bytes: int) -> bytes:
    """The record's bytes; its constants lie one after another from `data_bytes` on."""
    ends = record.inputs + record.outputs
    rest = struct.pack(f"<{len(ends)}H", *ends) + bytes(len(ends) % 2 * 2)
    for constant in record.constants:
        rest += struct.pack("<II", data_bytes, constant.nbytes)
        data_bytes += (constant.nbytes + 3) // 4 * 4
    rest += struct.pack(f"<{len(record.parameters)}i", *record.parameters)
    counts = (len(record.inputs), len(record.outputs), len(record.constants))
    head = (_KIND_NUMBERS[record.kind], 12 + len(rest), *counts, ACTIVATIONS.index(record.activation), 0.0)
    return struct.pack("<HH4Bf", *head) + rest
