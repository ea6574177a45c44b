"""Keras's sums, products and normalisations: of tensors, and of a tensor and constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..layers import room
from ..layers.build import GraphBuilder
from ..network.tensor import Tensor
from . import budget
from .keras_step import Step

_MOST = float(np.finfo(np.float32).max)


# Several tensors, from left to right


def merging(kind: str) -> Callable[[GraphBuilder, Step], None]:
    """Return the importer of a layer that takes any number of tensors: Add, Multiply, Subtract."""

    def run(b: GraphBuilder, step: Step) -> None:
        _folded(b, step, step.x, lambda name, x, y: _pair(b, step, kind, name, x, y))

    return run


def average(b: GraphBuilder, step: Step) -> None:
    """The sum, divided by how many they are."""
    merging("add")(b, step)
    b.scaling(f"{step.name}_mean", 1 / len(step.x), 0.0, source=step.source)


def extreme(sign: int) -> Callable[[GraphBuilder, Step], None]:
    """Return the importer of Maximum (sign 1) or Minimum (-1) of tensors."""

    def run(b: GraphBuilder, step: Step) -> None:
        _folded(b, step, step.x, lambda name, x, y: _extreme(b, step, sign, name, x, y))

    return run


def _folded(b: GraphBuilder, step: Step, x: Sequence[Tensor], join: Callable[..., Tensor]) -> None:
    total, *others = _of_one_rank(b, step, x)
    for number, other in enumerate(others):
        total = join(f"{step.name} {number}" if len(others) > 1 else step.name, total, other)


def _of_one_rank(b: GraphBuilder, step: Step, x: Sequence[Tensor]) -> list[Tensor]:
    """The tensors with axes of one element in front, where one has fewer than another."""
    rank = max(len(one.shape) for one in x)
    return [
        one
        if len(one.shape) == rank
        else b.reshape(f"{step.name}_axes {n}", (1,) * (rank - len(one.shape)) + one.shape, step.source, one)
        for n, one in enumerate(x)
    ]


def _pair(
    b: GraphBuilder,
    step: Step,
    kind: str,
    name: str,
    x: Tensor,
    y: Tensor,
    activation: str = "linear",
) -> Tensor:
    """x + y, x - y or x y, where the smaller one of unlike shapes comes second; x - y is then -(y - x)."""
    swapped = x.size < y.size
    inputs = [y, x] if swapped else [x, y]
    if not (swapped and kind == "subtract"):
        return b.add(room(kind), name, activation, inputs=inputs, source=step.source)
    b.add(room(kind), f"{name}_swapped", inputs=inputs, source=step.source)
    made = b.scaling(name, -1.0, 0.0, source=step.source)
    return (
        made
        if activation == "linear"
        else b.activation(f"{name}_{activation}", activation, source=step.source)
    )


def _extreme(b: GraphBuilder, step: Step, sign: int, name: str, x: Tensor, y: Tensor) -> Tensor:
    """max(x, y) = y + relu(x - y); min(x, y) = y - relu(y - x), y being no larger than x."""
    x, y = (x, y) if y.size >= x.size else (y, x)
    left, right = (x, y) if sign > 0 else (y, x)
    beyond = _pair(b, step, "subtract", f"{name}_beyond", left, right, "relu")
    return b.add(room("add" if sign > 0 else "subtract"), name, inputs=[y, beyond], source=step.source)


# Operators of two, each of which may be a constant


def binary(name: str) -> Callable[[GraphBuilder, Step], None]:
    """Return the importer of an operator: add, subtract, multiply, divide, maximum, minimum."""

    def run(b: GraphBuilder, step: Step) -> None:
        x, y = step.operands()
        if isinstance(x, Tensor) and isinstance(y, Tensor):
            _of_tensors(b, step, name, x, y)
        elif isinstance(x, Tensor):
            _with_constant(b, step, name, x, _constant(step, x, y), is_first=True)
        elif isinstance(y, Tensor):
            _with_constant(b, step, name, y, _constant(step, y, x), is_first=False)
        else:
            step.refuse("expected to read a tensor, got two constants")

    return run


def _of_tensors(b: GraphBuilder, step: Step, name: str, x: Tensor, y: Tensor) -> None:
    if len(x.shape) != len(y.shape):  # NumPy would take the batch axis of one for another axis of the other
        step.refuse(f"expected two tensors of as many axes, got {x.shape} and {y.shape}")
    if name in ("add", "subtract", "multiply"):
        _pair(b, step, name, step.name, x, y)
    elif name in ("maximum", "minimum"):
        _extreme(b, step, 1 if name == "maximum" else -1, step.name, x, y)
    else:
        step.refuse(f"{name} of two tensors is not supported; supported is a constant divisor")


def _constant(step: Step, x: Tensor, value: Any) -> np.ndarray:
    """The constant as one number, or one for each element of the last axis."""
    if isinstance(value, list):
        budget.steps(len(value), str(step.layer))
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        step.refuse(f"expected a constant number, or a list of them, got {str(value)[:80]}")
    if array.size > 1 and array.shape[-1:] == x.shape[-1:] and array.size == x.shape[-1]:
        return array.ravel()
    if array.size != 1:
        step.refuse(
            f"expected one number, or one for each of {x.shape[-1]} channels, got shape {array.shape}"
        )
    return array.reshape(())


def _with_constant(b: GraphBuilder, step: Step, name: str, x: Tensor, c: np.ndarray, is_first: bool) -> None:
    """A scaling, or a limit; `is_first` where the tensor comes before the constant."""
    b.last = x
    if name in ("maximum", "minimum"):
        if c.size > 1:
            step.refuse(f"{name} with several constants is not supported; supported is one number")
        limits = (float(c), _MOST) if name == "maximum" else (-_MOST, float(c))
        b.add(room("clip"), step.name, *limits, source=step.source)
        return
    if name == "divide" and not is_first:
        step.refuse("a constant divided by a tensor is not supported")
    with np.errstate(divide="ignore"):  # the builder refuses what is not finite
        scale, offset = {
            "add": (np.ones(1), c),
            "subtract": (np.ones(1), -c) if is_first else (-np.ones(1), c),
            "multiply": (c, np.zeros(1)),
            "divide": (1 / c if is_first else c, np.zeros(1)),
        }[name]
    b.scaling(step.name, scale, offset, source=step.source)


def negative(b: GraphBuilder, step: Step) -> None:
    """A scaling by -1, which may become part of weights beside it."""
    b.scaling(step.name, -1.0, 0.0, source=step.source)


def power(b: GraphBuilder, step: Step) -> None:
    """x ** 2, x ** 0.5, x ** -0.5."""
    x, exponent = step.operands()
    names = {2: "square", 0.5: "sqrt", -0.5: "rsqrt", 1: "linear"}
    if not isinstance(x, Tensor) or not isinstance(exponent, (int, float)) or exponent not in names:
        step.refuse(f"expected a power of {', '.join(map(str, names))}, got {str(exponent)[:80]}")
    b.activation(step.name, names[exponent], source=step.source)


def clip(b: GraphBuilder, step: Step) -> None:
    least = step.argument(1, "x_min", "clip_value_min")
    most = step.argument(2, "x_max", "clip_value_max")
    if not all(isinstance(limit, (int, float)) for limit in (least, most)):
        step.refuse(f"expected two numbers to clip to, got {str(least)[:40]} and {str(most)[:40]}")
    b.add(room("clip"), step.name, float(least), float(most), source=step.source)


# Scaling and normalisation


def rescaling(b: GraphBuilder, step: Step) -> None:
    b.scaling(step.name, step.config["scale"], step.config.get("offset", 0.0), source=step.source)


def batch_normalization(b: GraphBuilder, step: Step) -> None:
    """gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta."""
    expect_last_axis(step, len(b.last.shape))

    def arrays() -> tuple[np.ndarray, np.ndarray]:
        *trained, mean, variance = (v.astype(np.float64) for v in step.layer.variables)
        gamma = trained.pop(0) if step.config.get("scale", True) else 1.0
        beta = trained.pop(0) if step.config.get("center", True) else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):  # the builder refuses what is not finite
            scale = gamma / np.sqrt(variance + float(step.config.get("epsilon", 1e-3)))
            return scale, beta - mean * scale

    b.scaling(step.name, *step.once(arrays), source=step.source)


def normalization(b: GraphBuilder, step: Step) -> None:
    """(x - mean) / max(sqrt(variance), 1e-7), or its inverse; constants from `adapt` or the settings."""
    config = step.config
    if config.get("axis", -1) not in (None, []):
        expect_last_axis(step, len(b.last.shape))

    def arrays() -> tuple[np.ndarray, np.ndarray]:
        constants = step.layer.variables[:2] or [config["mean"], config["variance"]]
        mean, variance = (np.ravel(np.asarray(c, np.float64)) for c in constants)
        with np.errstate(invalid="ignore"):
            deviation = np.maximum(np.sqrt(variance), 1e-7)
        return (deviation, mean) if config.get("invert") else (1 / deviation, -mean / deviation)

    b.scaling(step.name, *step.once(arrays), source=step.source)


def layer_normalization(b: GraphBuilder, step: Step) -> None:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, of each row by itself."""
    expect_last_axis(step, len(b.last.shape))
    if step.config.get("rms_scaling"):
        step.refuse("rms_scaling is not supported")
    n = b.last.shape[-1]

    def arrays() -> tuple[np.ndarray, np.ndarray]:
        variables = list(step.layer.variables)
        gamma = variables.pop(0) if step.config.get("scale", True) else np.ones(n)
        beta = variables.pop(0) if step.config.get("center", True) else np.zeros(n)
        return gamma.astype(np.float32), beta.astype(np.float32)

    b.add(
        room("layer_norm"),
        step.name,
        *step.once(arrays),
        step.number("epsilon", 1e-3),
        source=step.source,
    )


def group_normalization(b: GraphBuilder, step: Step) -> None:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, mean and variance of groups of channels over all places.

    Groups one after another are the rows of a layer_norm.
    """
    shape = b.last.shape
    expect_last_axis(step, len(shape))
    channels, (groups,) = shape[-1], step.integers("groups", 1, -1, default=32)
    groups = channels if groups == -1 else groups
    if groups < 1 or channels % groups:
        step.refuse(f"expected groups that divide {channels} channels, got {groups}")
    n, source = b.last.size // groups, {"source": step.source}
    budget.elements(str(step.layer), (2, n))
    if groups > 1:
        b.reshape(f"{step.name}_groups", (-1, groups, channels // groups), **source)
        b.add(room("transpose"), f"{step.name}_apart", (1, 0, 2), **source)
    b.reshape(f"{step.name}_rows", (groups, n), **source)
    ends = np.ones(n, np.float32), np.zeros(n, np.float32)
    b.add(room("layer_norm"), f"{step.name}_norm", *ends, step.number("epsilon", 1e-3), **source)
    if groups > 1:
        b.reshape(f"{step.name}_normed", (groups, -1, channels // groups), **source)
        b.add(room("transpose"), f"{step.name}_together", (1, 0, 2), **source)
    b.reshape(f"{step.name}_shape", shape, **source)
    variables = list(step.layer.variables)
    gamma = variables.pop(0) if step.config.get("scale", True) else np.ones(1)
    beta = variables.pop(0) if step.config.get("center", True) else np.zeros(1)
    b.scaling(step.name, gamma, beta, **source)


def prelu(b: GraphBuilder, step: Step) -> None:
    """x above 0, alpha * x below; alpha is one number a channel, or one for each element."""
    (alpha,), shape = step.layer.variables, b.last.shape
    if len(alpha.shape) != len(shape) or any(
        a not in (1, d) for a, d in zip(alpha.shape, shape, strict=True)
    ):
        step.refuse(f"expected an alpha that fits shape {shape}, got shape {alpha.shape}")
    whole = shape[-1:] if alpha.size == alpha.shape[-1] else shape
    budget.elements(str(step.layer), whole)
    slope = step.once(
        lambda: np.broadcast_to(alpha.reshape(alpha.shape[-len(whole) :]), whole).astype(np.float32)
    )
    b.add(room("prelu"), step.name, slope, source=step.source)


def expect_last_axis(step: Step, rank: int) -> None:
    axis = step.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
    if axis not in (-1, rank):
        step.refuse(f"expected the last axis, got axis={str(axis)[:80]}")
