"""One call of a Keras layer, and how its settings are read: every importer of a layer asks here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..errors import ModelError
from ..network.tensor import Tensor
from .keras_arguments import Place, arguments
from .keras_model import KerasLayer

_SHOWN = 80
# A step of the budget pays for looking at so many weights, which is done several times.
WEIGHTS_PER_STEP = 250
# What layers over one and over two axes read.
IMAGES = {1: "(time, channels)", 2: "(rows, columns, channels)"}


@dataclass
class Step:
    """One call of a layer: the tensors `x` that it reads, and a name that no other call has.

    `known` is what was computed from the layer's variables before; all calls share it. `node` is the call as the file
    has it. `made` are its outputs where it has several; else it is the builder's last tensor.
    """

    layer: KerasLayer
    name: str
    x: list[Tensor]
    version: str
    known: list[Any]
    node: Any = None
    made: list[Tensor] = field(default_factory=list)

    @property
    def source(self) -> str:
        return str(self.layer)

    @property
    def config(self) -> dict[str, Any]:
        return self.layer.config

    def refuse(self, what: str) -> NoReturn:
        """Raise ModelError: what is wrong with the layer."""
        raise ModelError(f"layer {self.layer}: {what}")

    def once(self, compute: Callable[[], Any]) -> Any:
        """Return what `compute` gives, the same arrays in each call of the layer."""
        if not self.known:
            self.known.append(compute())
        return self.known[0]

    def expect_channels_last(self) -> None:
        """ModelError for channels_first, but for what has no channels."""
        if self.config.get("data_format") == "channels_first" and len(self.x[0].shape) > 1:
            self.refuse("data_format channels_first is not supported; build the model with channels_last")

    @property
    def dimensions(self) -> int:
        """1 or 2, the number in the class's name: Conv1D, Conv2DTranspose."""
        return int(self.layer.class_name.removesuffix("Transpose")[-2])

    def expect_image(self) -> int:
        """Return `dimensions`; ModelError unless it reads an image, or a signal, channels last, as its class says."""
        self.expect_channels_last()
        n, shape = self.dimensions, self.x[0].shape
        if len(shape) != n + 1:
            self.refuse(f"expected an input {IMAGES[n]}, got shape {shape}")
        return n

    def integers(self, key: str, n: int, least: int = 1, default: Any = None) -> tuple[int, ...]:
        """Return a setting of `n` integers from `least` on; a single one stands for all."""
        value = self.config.get(key, default)
        values = [value] * n if is_integer(value) else value
        if not isinstance(values, (list, tuple)) or len(values) != n or not all(map(is_integer, values)):
            self.refuse(f"expected {n} integers for {key}, got {str(value)[:_SHOWN]}")
        if min(values) < least:
            self.refuse(f"expected {key} from {least} on, got {str(value)[:_SHOWN]}")
        return tuple(values)

    def pairs(self, key: str, n: int) -> list[list[int]]:
        """Return a setting of two integers for each of `n` axes."""
        value = self.config.get(key)
        pairs = [value] if self.layer.class_name.endswith("1D") else value
        if not isinstance(pairs, list) or len(pairs) != n or not all(map(_is_pair, pairs)):
            self.refuse(f"expected two integers for each of {n} axes, got {str(value)[:_SHOWN]}")
        return pairs

    def number(self, key: str, default: float) -> float:
        """Return a setting that is a number; `default` where it is missing or None."""
        value = self.config.get(key)
        if value is None:
            return default
        if not isinstance(value, (int, float)):
            self.refuse(f"expected a number for {key}, got {str(value)[:_SHOWN]}")
        return float(value)

    def axis(self, value: Any, rank: int) -> int:
        """Return an axis as Keras counts it, with a batch axis, among `rank` axes without one."""
        if isinstance(value, (list, tuple)) and len(value) == 1:
            (value,) = value
        if not is_integer(value) or not -rank <= value <= rank or value == 0:
            self.refuse(f"expected an axis from 1 to {rank}, or from the end, got {str(value)[:_SHOWN]}")
        return value - 1 if value > 0 else rank + value

    def argument(self, position: int, *names: str, default: Any = None) -> Any:
        """Return an argument of an operator: a setting, by name, or by its position in the call; else `default`."""
        args, kwargs = arguments(self.node)
        for name in names:
            for given in (self.config, kwargs):
                if name in given:
                    return given[name]
        return args[position] if position < len(args) else default

    def operands(self) -> list[Any]:
        """Return the two operands of an operator: a Tensor, or a constant."""
        args, kwargs = arguments(self.node)
        found = args + [kwargs[name] for name in ("x", "x1", "y", "x2") if name in kwargs]
        if len(found) < 2:
            self.refuse(f"expected two operands, got {len(found)}")
        return [self.x[one.number] if isinstance(one, Place) else one for one in found[:2]]


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_pair(width: Any) -> bool:
    return isinstance(width, list) and len(width) == 2 and all(map(is_integer, width))
