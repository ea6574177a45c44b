"""The arguments of one call of an exported program, each as the kind of value that an operator needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelError
from .flow import Flow, Step
from .torch_files import Node, Ref


class Call:
    """One call's arguments."""

    def __init__(self, step: Step, node: Node, flow: Flow):
        self.step, self.arguments, self.flow, self.read = step, node.arguments, flow, node.read

    def is_read(self, index: int) -> bool:
        """Whether the value of that index is read, of several that the call makes."""
        return index in self.read

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument as it stands."""
        return self.arguments.get(name, default)

    def key(self, name: str) -> str:
        """Return the name of the value that an argument is."""
        value = self.get(name)
        if not isinstance(value, Ref):
            raise ModelError(f"{self.step.where}: its argument {name} is not a tensor")
        return value.name

    def first(self) -> str:
        """Return the name of the value that the first argument is."""
        return self.key(next(iter(self.arguments), "self"))

    def constant(self, name: str) -> np.ndarray:
        """Return an argument that must be a constant."""
        return self.flow.constant(self.step, self.key(name), f"its argument {name}")

    def number(self, name: str, default: float | None) -> float:
        """Return an argument that must be a number; the default where it is left out or None."""
        value = self.get(name)
        value = default if value is None else value
        if not isinstance(value, (int, float)):
            raise ModelError(f"{self.step.where}: its argument {name} is not a number")
        return float(value)

    def integer(self, name: str, default: int) -> int:
        """Return an argument that must be an integer."""
        value = self.get(name, default)
        if (
            isinstance(value, Ref)
            and value.name in self.flow.constants
            and self.flow.constants[value.name].ndim == 0
        ):
            value = int(self.flow.constants[value.name])
        if not isinstance(value, int):
            raise ModelError(f"{self.step.where}: its argument {name} is not a known integer")
        return value

    def integers(self, name: str) -> list[int]:
        """Return an argument that must be a list of integers; sizes computed before are known."""
        values = self.get(name)
        if not isinstance(values, list) or len(values) > 8:
            raise ModelError(f"{self.step.where}: its argument {name} is not a list of sizes")
        return [Call(self.step, Node("", {name: value}, ""), self.flow).integer(name, 0) for value in values]

    def axis(self, name: str, default: int, rank: int) -> int:
        """Return an argument that must be one of `rank` axes, counted from the front."""
        axis = self.integer(name, default)
        if not -rank <= axis < rank:
            raise ModelError(f"{self.step.where}: axis {axis} does not exist, there are {rank}")
        return axis % rank

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the full shape of an argument."""
        key = self.key(name)
        return (
            self.flow.constants[key].shape
            if key in self.flow.constants
            else self.flow.value(self.step, key).shape
        )
