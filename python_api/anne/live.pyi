"""Types of anne.live; what it does stands in live.py."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .model import Model

def stream(
    net: Model,
    source: Iterable[Sequence[float]] | Callable[[], Sequence[float] | None],
    hz: float = 20,
    write: Callable[[str], Any] = print,
) -> None: ...
