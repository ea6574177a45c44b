"""Types of networks that learn; what each method does stands in trainer.py."""

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import Any, TypeAlias, overload

from .inside import Table
from .model import _Nested
from .reference import _Listed, _Matrix, _Numbers
from .training import _Layer

_Target: TypeAlias = float | str | _Numbers
_Rows: TypeAlias = _Numbers | _Matrix | _Listed | Callable[[], Iterable[tuple[_Numbers, _Target]]]
_Targets: TypeAlias = Sequence[_Target] | _Listed

class Trainer:
    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    lr: float
    batch: int
    labels: list[str] | None
    scaling: str | None
    def __init__(
        self,
        sizes: Sequence[int],
        activations: Sequence[str],
        loss: str | None = None,
        optimizer: str = "adam",
        lr: float = 0.01,
        batch: int = 8,
        seed: int = 0,
        momentum: float = 0.0,
        decay: float = 0.0,
        scaling: str | None = None,
        labels: Sequence[str] | None = None,
    ) -> None: ...
    @property
    def weights(self) -> list[_Layer]: ...
    @weights.setter
    def weights(self, layers: Sequence[tuple[_Matrix, _Numbers]]) -> None: ...
    @overload
    def fit(
        self,
        x: _Rows,
        y: _Targets | None = None,
        epochs: int = 20,
        validation: None = None,
        shuffle: bool = True,
    ) -> list[float]: ...
    @overload
    def fit(
        self,
        x: _Rows,
        y: _Targets | None = None,
        epochs: int = 20,
        *,
        validation: tuple[_Rows, _Targets],
        shuffle: bool = True,
    ) -> dict[str, list[Any]]: ...
    @overload
    def predict(self, x: _Numbers) -> list[float]: ...
    @overload
    def predict(self, x: _Nested) -> Any: ...
    @overload
    def classify(self, x: _Numbers) -> tuple[str | int, float]: ...
    @overload
    def classify(self, x: _Nested) -> Any: ...
    def evaluate(self, x: _Rows, y: _Targets | None = None) -> tuple[float | None, float]: ...
    def confusion(self, x: _Rows, y: _Targets | None = None) -> Table: ...
    def save(
        self,
        path: str | PathLike[str] | None,
        labels: Sequence[str] | None = None,
        feature_names: Sequence[str] | None = None,
        scaling: tuple[_Numbers, _Numbers] | None = None,
        name: str | None = None,
    ) -> bytes: ...

def train_model(
    X: _Numbers | _Matrix | _Listed,
    y: _Numbers | _Listed,
    layer_sizes: Sequence[int],
    activations: Sequence[str],
    epochs: int,
    lr: float,
    layers: Sequence[tuple[_Matrix, _Numbers]] | None = None,
) -> tuple[list[_Layer], list[float]]: ...
