"""Types of a trainer's core in plain Python; what each method does stands in reference_trainer.py."""

from array import array
from collections.abc import Sequence

from .reference import _Matrix, _Numbers
from .training import Random, _Layer

class Trainer:
    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss_name: str
    optimizer: str
    lr: float
    momentum: float
    decay: float
    batch: int
    n_targets: int
    random: Random
    parameters: list[float]
    velocity: list[float]
    squares: list[float]
    step: int
    def __init__(
        self,
        sizes: tuple[int, ...],
        activations: tuple[str, ...],
        loss: str,
        optimizer: str,
        settings: tuple[float, float, float, int, int, int],
    ) -> None: ...
    def get(self) -> array[float]: ...
    def set(self, parameters: _Numbers) -> None: ...
    def values(self, x: _Numbers) -> list[list[float]]: ...
    def predict(self, x: _Numbers, out: array[float], y: _Numbers | None) -> float | None: ...
    def targets(self, y: _Numbers) -> list[float]: ...
    def loss_of(self, outputs: _Numbers, targets: _Numbers) -> float: ...
    def gradient(self, values: list[list[float]], targets: _Numbers) -> list[float]: ...
    def run(
        self, x: array[float], y: array[float], order: array[int] | None, losses: array[float]
    ) -> int: ...

def train_model(
    X: _Matrix,
    y: _Numbers,
    layer_sizes: Sequence[int],
    activations: Sequence[str],
    epochs: int,
    lr: float,
    layers: Sequence[tuple[_Matrix, _Numbers]] | None = None,
) -> tuple[list[_Layer], list[float]]: ...
