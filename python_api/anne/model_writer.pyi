"""Types of anne.model_writer; what each function does stands in model_writer.py."""

from array import array
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, TypeAlias

_Floats: TypeAlias = array[float] | memoryview
_Constants: TypeAlias = Sequence[array[Any] | bytearray | memoryview | bytes]

def dense_network(
    path: str | PathLike[str] | None,
    layers: Sequence[tuple[_Floats, _Floats]],
    activations: Sequence[str],
    name: str = "model",
    labels: Sequence[str] = (),
    feature_names: Sequence[str] = (),
    scaling: tuple[Iterable[float], Iterable[float]] | Sequence[Iterable[float]] | None = None,
) -> bytes: ...
def write_file(path: str | PathLike[str], data: bytes | bytearray | memoryview) -> None: ...
def tensor(n_bytes: int, at: int, role: int = 0) -> bytes: ...
def record(
    records: list[bytes],
    kind: int,
    x: int,
    y: int,
    data: list[bytes],
    activation: str = "linear",
    constants: _Constants = (),
) -> None: ...
def lines(tag: int, texts: Iterable[str]) -> bytes: ...
def model_file(
    arena_bytes: int,
    tensors: Sequence[bytes],
    records: Sequence[bytes],
    metadata: bytes,
    data: Sequence[bytes],
) -> bytes: ...
def packed(weights: _Floats, bias: _Floats) -> _Constants: ...
def chain(sizes: Sequence[int]) -> tuple[list[int] | dict[int, int], int]: ...
