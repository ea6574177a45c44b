"""Types of anne.reference, which are those of the same functions in anne; what each means stands in reference.py."""

from array import array
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, overload

class _Listed(Protocol):
    """What gives itself as a list: arrays of NumPy and ulab."""

    def tolist(self) -> Any: ...

_Numbers: TypeAlias = Sequence[float]
_Matrix: TypeAlias = Sequence[Sequence[float]]
_Weights: TypeAlias = _Numbers | _Matrix | _Listed

ACTIVATIONS: tuple[str, ...]

def activate(activation: str, values: _Numbers, alpha: float | None = None) -> list[float]: ...

# One sample's features give the units' outputs, features by samples a list for each unit; `out` takes one sample.
@overload
def dense(
    nunit: int,
    x: _Numbers | _Listed,
    w: _Weights,
    b: _Numbers | _Listed,
    activation: str,
    out: array[float],
    alpha: float | None = None,
) -> array[float]: ...
@overload
def dense(
    nunit: int,
    x: _Numbers,
    w: _Weights,
    b: _Numbers | _Listed,
    activation: str,
    out: None = None,
    alpha: float | None = None,
) -> list[float]: ...
@overload
def dense(
    nunit: int,
    x: _Matrix,
    w: _Weights,
    b: _Numbers | _Listed,
    activation: str,
    out: None = None,
    alpha: float | None = None,
) -> list[list[float]]: ...
@overload
def dense(
    nunit: int,
    x: _Listed,
    w: _Weights,
    b: _Numbers | _Listed,
    activation: str,
    out: None = None,
    alpha: float | None = None,
) -> Any: ...
def neuron(
    x: _Numbers | _Matrix | _Listed,
    w: _Numbers | _Listed,
    b: float,
    activation: str,
    alpha: float | None = None,
) -> list[float]: ...
def relu(x: _Numbers | _Listed) -> list[float]: ...
def leaky_relu(x: _Numbers | _Listed, alpha: float = 0.01) -> list[float]: ...
def sigmoid(x: _Numbers | _Listed) -> list[float]: ...
def tanh(x: _Numbers | _Listed) -> list[float]: ...
def softmax(x: _Numbers | _Listed) -> list[float]: ...
def zeros(rows: int, cols: int) -> list[list[int]]: ...
def zero_dim(x: Sequence[Any]) -> list[int]: ...
def add_dim(x: _Numbers, y: _Numbers) -> list[float]: ...
def transpose(M: _Numbers | _Matrix | _Listed) -> list[list[float]]: ...
def dot(A: _Matrix, B: _Matrix) -> list[list[float]]: ...
def print_matrix(M: _Matrix, decimals: int = 3) -> None: ...
def classification_report(ytrue: Sequence[int], ypred: Sequence[int]) -> tuple[float, list[list[int]]]: ...

# Shared with the other modules of the package.
_SEQUENCES: tuple[type, ...]
_NUMBERS: tuple[type, ...]

def _plain(x: Any) -> Any: ...
def _sequence(x: Any, what: str) -> Any: ...
def _number(v: Any, what: str) -> float: ...
def _numbers(x: Any, what: str) -> list[float]: ...
