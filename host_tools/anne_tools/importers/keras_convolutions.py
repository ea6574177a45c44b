"""Dense layers and convolutions of Keras: what their kernels and windows are here.

Keras keeps a kernel as (rows, columns, n_in, n_out), of a transposed convolution as (rows, columns, n_out, n_in); here
a unit's weights are together, (n_out, rows, columns, n_in). A signal's kernel has one row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..layers import room
from ..layers.build import GraphBuilder
from ..layers.windows import Window
from .keras_activations import Function, argument_factor, function_of, limit
from .keras_step import Step


def dense(b: GraphBuilder, step: Step) -> None:
    """A dense layer; of several axes it goes over the last, at each place: a convolution of one tap."""
    function = function_of(step)
    kernel, *rest = step.layer.variables
    if kernel.ndim != 2:
        step.refuse(f"expected a kernel (n_in, n_out), got shape {kernel.shape}")
    weights, bias = step.once(lambda: _scaled(step, function, kernel.T, rest, kernel.shape[1]))
    shape = b.last.shape
    if len(shape) == 1:
        b.dense(step.name, weights, bias, function.activation, function.alpha, source=step.source)
    else:
        if len(shape) > 3:
            b.reshape(f"{step.name}_rows", (-1, shape[-1]), source=step.source)
        ends = (function.activation, function.alpha)
        kernel = weights[:, None, None, :]
        b.add(room("conv"), step.name, kernel, bias, Window((1, 1)), 1, *ends, source=step.source)
        if len(shape) > 3:
            b.reshape(f"{step.name}_shape", (*shape[:-1], len(bias)), source=step.source)
    limit(b, step, function)


def conv(b: GraphBuilder, step: Step) -> None:
    """Conv1D and Conv2D."""
    kernel, rest, function = _kernel(step)
    n_out = kernel.shape[-1]
    weights, bias = step.once(lambda: _scaled(step, function, np.moveaxis(kernel, -1, 0), rest, n_out))
    (groups,) = step.integers("groups", 1, default=1)
    window = window_of(step, kernel.shape[-4:-2])
    b.add(room("conv"), step.name, weights, bias, window, groups, *function[:2], source=step.source)
    limit(b, step, function)


def depthwise_conv(b: GraphBuilder, step: Step) -> None:
    """DepthwiseConv1D and DepthwiseConv2D: the kernel is (rows, columns, channels, multiplier)."""
    kernel, rest, function = _kernel(step)
    n_out = kernel.shape[2] * kernel.shape[3]
    weights, bias = step.once(lambda: _scaled(step, function, _channel_by_channel(kernel), rest, n_out))
    window = window_of(step, kernel.shape[:2])
    b.add(room("depthwise_conv"), step.name, weights, bias, window, *function[:2], source=step.source)
    limit(b, step, function)


def separable_conv(b: GraphBuilder, step: Step) -> None:
    """SeparableConv1D and SeparableConv2D: a depthwise convolution without bias, and one of one tap."""
    depthwise, _, function = _kernel(step)
    pointwise, *rest = step.layer.variables[1:]
    n_between = depthwise.shape[2] * depthwise.shape[3]
    if pointwise.shape[:-1] != (1,) * (pointwise.ndim - 2) + (n_between,):
        step.refuse(f"expected a pointwise kernel of {n_between} inputs, got shape {pointwise.shape}")
    n_out = pointwise.shape[-1]

    def arrays() -> tuple[np.ndarray, ...]:
        first = _scaled(step, Function("linear"), _channel_by_channel(depthwise), [], n_between)
        kernel = pointwise.reshape(1, 1, n_between, n_out)
        return *first, *_scaled(step, function, np.moveaxis(kernel, -1, 0), rest, n_out)

    weights, no_bias, mixing, bias = step.once(arrays)
    window = window_of(step, depthwise.shape[:2])
    b.add(room("depthwise_conv"), f"{step.name}_depthwise", weights, no_bias, window, source=step.source)
    b.add(room("conv"), step.name, mixing, bias, Window((1, 1)), 1, *function[:2], source=step.source)
    limit(b, step, function)


def conv_transpose(b: GraphBuilder, step: Step) -> None:
    """Conv1DTranspose and Conv2DTranspose: the full output, cropped to size x stride where padding is "same"."""
    kernel, rest, function = _kernel(step)
    n_out = kernel.shape[2]
    weights, bias = step.once(lambda: _scaled(step, function, np.moveaxis(kernel, 2, 0), rest, n_out))
    n = len(step.x[0].shape) - 1
    stride = _two(step.integers("strides", n))
    dilation = _two(step.integers("dilation_rate", n, default=1))
    # how far a kernel reaches beyond its stride: what "same" crops, or, where negative, what is filled with the bias
    beyond = [(k - 1) * d + 1 - s for k, d, s in zip(kernel.shape, dilation, stride, strict=False)]
    before, after, more = (0, 0), (0, 0), tuple(max(0, -over) for over in beyond)
    padding, given = step.config.get("padding", "valid"), step.config.get("output_padding")
    if padding == "same" and given is None:
        before = tuple(max(0, over) // 2 for over in beyond)
        after = tuple(max(0, over) - b for over, b in zip(beyond, before, strict=True))
    elif padding == "valid" and given is not None:
        more = _two(step.integers("output_padding", n, 0), 0)
    elif padding != "valid":
        step.refuse(f"padding {padding!r} with output_padding {given!r} is not supported; leave that None")
    window = Window(kernel.shape[:2], stride, dilation, before, after)
    b.add(
        room("conv_transpose"),
        step.name,
        weights,
        bias,
        window,
        output_padding=more,
        activation=function.activation,
        alpha=function.alpha,
        source=step.source,
    )
    limit(b, step, function)


def window_of(step: Step, kernel: Sequence[int]) -> Window:
    """Return the window of a convolution or a pool over images or signals; `kernel` has as many axes as these, or 2."""
    n = len(step.x[0].shape) - 1
    # a pool's stride is its size unless it is given
    stride = _two(step.integers("strides", n)) if step.config.get("strides") is not None else _two(kernel)
    kernel, dilation = _two(kernel), _two(step.integers("dilation_rate", n, default=1))
    padding = str(step.config.get("padding", "valid"))[:80].lower()
    match padding:
        case "valid":
            return Window(kernel, stride, dilation)
        case "same":
            return Window.same(_two(step.x[0].shape[:-1]), kernel, stride, dilation)
        case "causal" if n == 1:
            return Window(kernel, stride, dilation, before=(0, (kernel[1] - 1) * dilation[1]))
    step.refuse(f"padding {padding!r} is not supported; supported: valid, same, for signals causal")


def _two(sizes: Sequence[int], fill: int = 1) -> tuple[int, int]:
    """Rows and columns: of a signal there is one row."""
    return tuple(sizes) if len(sizes) == 2 else (fill, *sizes)


def _kernel(step: Step) -> tuple[np.ndarray, list[np.ndarray], Function]:
    """Return the first variable as the kernel of an image, the variables behind it, and the activation."""
    n = step.expect_image()
    kernel, *rest = step.layer.variables
    if kernel.ndim != n + 2:
        step.refuse(f"expected a kernel of {n + 2} axes, got shape {kernel.shape}")
    return kernel.reshape((1,) * (2 - n) + kernel.shape), rest, function_of(step)


def _channel_by_channel(kernel: np.ndarray) -> np.ndarray:
    """(rows, columns, channels, multiplier) as (n_out, rows, columns), the multiplier running fastest."""
    rows, columns, channels, multiplier = kernel.shape
    return np.moveaxis(kernel.reshape(rows, columns, channels * multiplier), -1, 0)


def _scaled(
    step: Step, function: Function, weights: np.ndarray, rest: list[np.ndarray], n_out: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias as float32, with the factor of the activation's argument; zeros where there is no bias."""
    factor = argument_factor(function, step.version)
    bias = rest[0] * factor if rest else np.zeros(n_out)
    with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, which the builder refuses
        return np.ascontiguousarray(weights * factor, np.float32), bias.astype(np.float32)
