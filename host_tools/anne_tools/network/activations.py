"""Activations: their names, and what they compute, in numpy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from anne.reference import ACTIVATIONS as ACTIVATIONS  # in the order of their numbers in a model file

from ..errors import ModelError

# The slope or scale `alpha` of those that have one, where nothing else is said.
DEFAULT_ALPHA = {"leaky_relu": 0.01, "elu": 1.0}
# Those that a layer of another kind may end in (FORMAT.md, "Activations"), on floats and on integers; the others are
# layers of their own.
FUSED_FLOAT = tuple(name for name in ACTIVATIONS if "softmax" not in name)
FUSED_INTEGER = ("linear", "relu", "relu6")


_erf = np.frompyfunc(math.erf, 1, 1)


def _relu(x, alpha):
    """max(x, 0)."""
    return np.maximum(x, 0)


def _relu6(x, alpha):
    """min(max(x, 0), 6), the clipped relu of MobileNet (arXiv 1704.04861)."""
    return np.clip(x, 0, 6)


def _leaky_relu(x, alpha):
    """x above 0, alpha * x below (Maas et al., 2013)."""
    return np.where(x >= 0, x, alpha * x)


def _elu(x, alpha):
    """x above 0, alpha * (exp(x) - 1) below (arXiv 1511.07289)."""
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _sigmoid(x, alpha):
    """1 / (1 + exp(-x)); the exponent is never positive, so nothing overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _hard_sigmoid(x, alpha):
    """relu6(x + 3) / 6, as in Keras 3, PyTorch and TFLite (Keras 2 had clip(0.2 * x + 0.5, 0, 1))."""
    return np.clip(x + 3, 0, 6) / 6


def _softplus(x, alpha):
    """log(1 + exp(x)), written so that exp cannot overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _swish(x, alpha):
    """x * sigmoid(x), also called silu (arXiv 1710.05941)."""
    return x * _sigmoid(x, alpha)


def _hard_swish(x, alpha):
    """x * relu6(x + 3) / 6 (arXiv 1905.02244)."""
    return x * _hard_sigmoid(x, alpha)


def _gelu(x, alpha):
    """x * (1 + erf(x / sqrt(2))) / 2, the exact form (arXiv 1606.08415), default of Keras and PyTorch."""
    return x * (1 + _erf(x / math.sqrt(2)).astype(x.dtype)) / 2


def _softmax(x, alpha):
    """exp(x) / sum(exp(x)) over the last axis, shifted by the largest x so that exp cannot overflow."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _log_softmax(x, alpha):
    """x - log(sum(exp(x))) over the last axis, likewise."""
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


# Outside their domains, and where the result is too large, these are NaN or infinite without a warning; denormals count
# as 0.


def _exp(x, alpha):
    """exp(x), inf beyond the floats."""
    with np.errstate(over="ignore"):
        return np.exp(x)


def _log(x, alpha):
    """log(x): -inf of 0, NaN below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(_normal(x))


def _sqrt(x, alpha):
    """sqrt(x): NaN below 0."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(_normal(x))


def _rsqrt(x, alpha):
    """1 / sqrt(x): inf of 0, NaN below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 / np.sqrt(_normal(x))


def _square(x, alpha):
    """x * x."""
    with np.errstate(over="ignore", under="ignore"):
        return x * x


def _normal(x):
    return np.where(np.abs(x) < 2.0**-126, x * 0, x)


_ACTIVATIONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "linear": lambda x, alpha: x,
    "relu": _relu,
    "relu6": _relu6,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "sigmoid": _sigmoid,
    "hard_sigmoid": _hard_sigmoid,
    "tanh": lambda x, alpha: np.tanh(x),
    "softplus": _softplus,
    "swish": _swish,
    "hard_swish": _hard_swish,
    "gelu": _gelu,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "abs": lambda x, alpha: np.abs(x),
    "negative": lambda x, alpha: -x,
    "square": _square,
}


def activate(activation: str, x: np.ndarray, alpha: float = 0.0) -> np.ndarray:
    """Return activation(x), same shape and float type as x. ModelError for an unknown name."""
    if activation not in _ACTIVATIONS:
        raise ModelError(f"unknown activation {activation!r}; known: {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[activation](x, alpha).astype(x.dtype, copy=False)


def check_activation(activation: str, alpha: float, where: str) -> None:
    """ModelError unless it is one of ACTIVATIONS with a finite alpha."""
    if activation not in ACTIVATIONS:
        raise ModelError(f"{where}: unknown activation {activation!r}; known: {', '.join(ACTIVATIONS)}")
    if not np.isfinite(alpha):
        raise ModelError(f"{where}: alpha must be finite, got {alpha}")
