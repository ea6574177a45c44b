"""Operators of an exported program on images: convolutions, pools, sizes, normalisation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from . import sampling
from .flow import Step
from .flow_images import Images
from .torch_calls import Call


class ImageOperators:
    """Those operators; they read and write the values of `flow`."""

    def __init__(self, flow: Images):
        self.flow = flow

    def conv(self, step: Step, call: Call) -> None:
        """conv1d, conv2d, and those with padding="same" or "valid"; `convolution`, which may be a transposed one."""
        if call.get("transposed", False):
            return self.conv_transpose(step, call)
        weights, pads, auto = call.constant("weight"), [], ""
        padding = call.get("padding", 0)
        if isinstance(padding, str):
            auto = {"same": "SAME_UPPER", "valid": ""}.get(padding)
            if auto is None:
                raise ModelError(f"{step.where}: padding {padding[:40]!r} is not supported")
        else:
            pads = self._numbers(call, "padding", 0)
        window = self.flow.window(
            step,
            call.key("input"),
            weights.shape[2:],
            self._numbers(call, "stride", 1),
            self._numbers(call, "dilation", 1),
            pads,
            auto=auto,
        )
        groups = call.integer("groups", 1)
        return self.flow.convolution(
            step, call.key("input"), weights, self._optional(call, "bias"), window, groups
        )

    def conv_transpose(self, step: Step, call: Call) -> None:
        """conv_transpose1d, conv_transpose2d."""
        weights = call.constant("weight")
        window = self.flow.window(
            step,
            call.key("input"),
            weights.shape[2:],
            self._numbers(call, "stride", 1),
            self._numbers(call, "dilation", 1),
            self._numbers(call, "padding", 0),
        )
        more = self._numbers(call, "output_padding", 0)
        more = (0, 0, *more)[-2:]
        bias, groups = self._optional(call, "bias"), call.integer("groups", 1)
        self.flow.transposed_convolution(step, call.key("input"), weights, bias, window, more, groups)

    def pool(self, step: Step, call: Call) -> None:
        """max_pool1d, max_pool2d, avg_pool1d, avg_pool2d."""
        key = call.key("self")
        kernel = self._numbers(call, "kernel_size", 0)
        stride = self._numbers(call, "stride", 0) if call.get("stride") else kernel
        at = step, key, kernel, stride, self._numbers(call, "dilation", 1), self._numbers(call, "padding", 0)
        ceil = bool(call.get("ceil_mode", False))
        window = self.flow.window(*at, ceil=ceil)
        if step.op.startswith("max"):
            return self.flow.max_pool(step, key, window)
        if call.get("divisor_override") is not None:
            raise ModelError(f"{step.where}: divisor_override is not supported")
        counted = bool(call.get("count_include_pad", True))
        reaches = window != self.flow.window(*at)
        if counted and reaches and any(window.before):
            raise ModelError(f"{step.where}: ceil_mode with count_include_pad is not supported here")
        return self.flow.average_pool(step, key, window, counted and not reaches)

    def adaptive_pool(self, step: Step, call: Call) -> None:
        """adaptive_avg_pool1d, adaptive_max_pool2d and so on: to one, or where the sizes divide."""
        key, operation = call.key("self"), "max" if "max" in step.op else "mean"
        size = self.flow.size(step, key)
        wanted = call.get("output_size")
        wanted = wanted if isinstance(wanted, list) else [wanted] * (2 if "2d" in step.op else 1)
        wanted = [n if w is None else w for w, n in zip(wanted, size[-len(wanted) :], strict=True)]
        if not all(isinstance(n, int) for n in wanted):
            raise ModelError(f"{step.where}: its argument output_size is not a list of sizes")
        if call.read:  # beside the greatest values their places
            step = replace(step, output=(step.output, 0))
        self.flow.adaptive_pool(step, key, (1, *wanted)[-2:], operation)

    def upsample(self, step: Step, call: Call) -> None:
        """upsample_nearest1d, upsample_nearest2d, upsample_bilinear2d, upsample_linear1d and so on."""
        key = call.key(next(iter(call.arguments)))
        shape = call.shape(next(iter(call.arguments)))
        size, new = shape[2:], self._new_size(step, call, shape[2:])
        factors = call.get("scale_factors") or [call.get(name) for name in ("scales_h", "scales_w", "scales")]
        factors = [f for f in factors if isinstance(f, (int, float))]
        if len(factors) != len(size):
            factors = [b / a for a, b in zip(size, new, strict=True)]
        mode = "nearest" if "nearest" in step.op else "linear"
        how, rounding = "asymmetric", "floor"
        if "exact" in step.op:
            how, rounding = "half_pixel", "round_prefer_ceil"
        elif mode == "linear":
            how = "align_corners" if call.get("align_corners", False) else "half_pixel"
        flags = sampling.flags(step.where, mode, list(zip(size, new, factors, strict=True)), how, rounding)
        self.flow.resize(step, key, (1, *new)[-2:], "nearest" if mode == "nearest" else "bilinear", *flags)

    def _new_size(self, step: Step, call: Call, size: tuple[int, ...]) -> list[int]:
        if call.get("output_size") is not None:
            new = call.integers("output_size")
        else:
            factors = call.get("scale_factors")
            factors = factors if isinstance(factors, list) else []
            if len(factors) != len(size) or not all(
                isinstance(f, (int, float)) and 0 < f < 1e4 for f in factors
            ):
                raise ModelError(f"{step.where}: expected a size or factors for {len(size)} axes")
            new = [math.floor(n * f) for n, f in zip(size, factors, strict=True)]
        if len(new) != len(size) or min(new, default=0) < 1:
            raise ModelError(f"{step.where}: to {new} from {size} is not supported")
        return new

    def batch_norm(self, step: Step, call: Call) -> None:
        """Batch normalisation with the statistics of training."""
        if call.get("training", False):
            raise ModelError(f"{step.where} is in training mode; call model.eval() before the export")
        if call.get("running_mean") is None or call.get("running_var") is None:
            raise ModelError(f"{step.where} has no statistics (track_running_stats=False)")
        weight, bias = self._optional(call, "weight"), self._optional(call, "bias")
        mean, variance = call.constant("running_mean"), call.constant("running_var")
        self.flow.batch_norm(step, call.key("input"), weight, bias, mean, variance, call.number("eps", 1e-5))

    def instance_norm(self, step: Step, call: Call) -> None:
        """Instance normalisation with each sample's own statistics."""
        if not call.get("use_input_stats", True):
            return self.batch_norm(step, call)
        channels = call.shape("input")[1]
        weight, bias = self._optional(call, "weight"), self._optional(call, "bias")
        weight = np.ones(channels) if weight is None else weight
        bias = np.zeros(channels) if bias is None else bias
        return self.flow.instance_norm(step, call.key("input"), weight, bias, call.number("eps", 1e-5))

    def group_norm(self, step: Step, call: Call) -> None:
        """Group normalisation."""
        channels = call.shape("input")[1]
        weight, bias = self._optional(call, "weight"), self._optional(call, "bias")
        weight = np.ones(channels) if weight is None else weight
        bias = np.zeros(channels) if bias is None else bias
        groups, epsilon = call.integer("num_groups", 1), call.number("eps", 1e-5)
        self.flow.group_norm(step, call.key("input"), groups, weight, bias, epsilon)

    def blocks(self, step: Step, call: Call) -> None:
        """pixel_shuffle, pixel_unshuffle."""
        to_space = step.op == "pixel_shuffle"
        block = call.integer("upscale_factor" if to_space else "downscale_factor", 1)
        self.flow.blocks(step, call.key("self"), block, to_space, channels_first=True)

    def layer_norm(self, step: Step, call: Call) -> None:
        """Layer normalisation over the last axes."""
        rank, n = len(call.shape("input")), len(call.integers("normalized_shape"))
        weight, bias = self._optional(call, "weight"), self._optional(call, "bias")
        weight = np.ones(1) if weight is None else weight
        bias = np.zeros(1) if bias is None else bias
        axes = range(rank - n, rank)
        self.flow.layer_norm(step, call.key("input"), axes, weight, bias, call.number("eps", 1e-5))

    def _optional(self, call: Call, name: str) -> np.ndarray | None:
        return call.constant(name) if call.get(name) is not None else None

    def _numbers(self, call: Call, name: str, default: int) -> list[int]:
        """An argument of a number for each axis, or one for all."""
        value = call.get(name)
        if value is None or value == []:
            return []
        numbers = call.integers(name) if isinstance(value, list) else [call.integer(name, default)]
        rank = len(call.shape(next(iter(call.arguments)))) - 2
        return numbers * rank if len(numbers) == 1 else numbers


# Those of an image.
OPERATORS = {
    **dict.fromkeys(("conv1d", "conv2d", "convolution", "_convolution"), ImageOperators.conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d"), ImageOperators.conv_transpose),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"), ImageOperators.pool),
    **dict.fromkeys(
        ("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d"),
        ImageOperators.adaptive_pool,
    ),
    **dict.fromkeys(
        (
            *("upsample_nearest1d", "upsample_nearest2d", "_upsample_nearest_exact1d"),
            *("_upsample_nearest_exact2d", "upsample_linear1d", "upsample_bilinear2d"),
        ),
        ImageOperators.upsample,
    ),
    "batch_norm": ImageOperators.batch_norm,
    "instance_norm": ImageOperators.instance_norm,
    "group_norm": ImageOperators.group_norm,
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), ImageOperators.blocks),
}
