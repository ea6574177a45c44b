"""ONNX operators on images: convolutions, pools, sizes, and the window that their attributes say.

Source: ONNX operators, https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from ..layers.windows import Window
from . import budget, sampling
from .flow import Step
from .onnx_shapes import Node, Shapes


class ImageOperators(Shapes):
    """Those operators over one flow, a flow_images.Images."""

    def window(self, step: Step, node: Node, kernel: tuple[int, ...], ceil: bool = False) -> Window:
        """Return the window that a node's attributes say."""
        pads = node.attribute("pads", [])
        auto = node.attribute("auto_pad", "NOTSET")
        if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER") or len(pads) % 2:
            raise ModelError(f"{step.where}: its padding is not supported, got {auto[:40]!r} {pads[:16]}")
        half = len(pads) // 2 if auto == "NOTSET" else 0
        return self.flow.window(
            step,
            node.key(0),
            tuple(node.attribute("kernel_shape", list(kernel))),
            node.attribute("strides", []),
            node.attribute("dilations", []),
            pads[:half],
            pads[half : 2 * half],
            auto,
            ceil,
        )

    def conv(self, step: Step, node: Node) -> None:
        """Conv."""
        weights = node.constant(1, "the weights")
        bias = node.constant(2, "the bias") if node.has(2) else None
        window = self.window(step, node, weights.shape[2:])
        self.flow.convolution(step, node.key(0), weights, bias, window, int(node.attribute("group", 1)))

    def conv_transpose(self, step: Step, node: Node) -> None:
        """ConvTranspose."""
        weights = node.constant(1, "the weights")
        bias = node.constant(2, "the bias") if node.has(2) else None
        window, more = self.cut_window(step, node, weights.shape)
        groups = int(node.attribute("group", 1))
        self.flow.transposed_convolution(step, node.key(0), weights, bias, window, more, groups)

    def cut_window(self, step: Step, node: Node, shape: tuple[int, ...]) -> tuple[Window, tuple[int, int]]:
        """Return (window, output padding) of a ConvTranspose with weights of that shape.

        Its padding is cut off, and may be said by the size of the output.
        """
        auto = node.attribute("auto_pad", "NOTSET")
        shape = tuple(node.attribute("kernel_shape", list(shape[2:])))
        size = self.flow.size(step, node.key(0))
        pads, rank = node.attribute("pads", []), 1 if len(node.shape(0)) == 3 else 2
        strides = node.attribute("strides", [])
        wanted = node.attribute("output_shape", [])[-rank:]
        if auto in ("SAME_UPPER", "SAME_LOWER") and not wanted:
            wanted = [n * s for n, s in zip(size[-rank:], strides or [1] * rank, strict=True)]
        half = len(pads) // 2 if auto == "NOTSET" and not wanted else 0
        dilations = node.attribute("dilations", [])
        at = step, node.key(0), shape, strides, dilations
        window = self.flow.window(*at, pads[:half], pads[half : 2 * half])
        more = [0] * (2 - rank) + (node.attribute("output_padding", []) or [0] * rank)
        if len(more) != 2 or min(more) < 0:
            raise ModelError(f"{step.where}: output_padding of {more[:16]} is not supported")
        if wanted:
            before, after = _cut_to(window, size, [*size[: 2 - rank], *wanted], more, auto == "SAME_UPPER")
            if min(before + after) < 0:
                raise ModelError(f"{step.where}: an output of {wanted[:16]} is larger than what it makes")
            window = self.flow.window(*at, before[-rank:], after[-rank:])
        return window, tuple(more)

    def pool(self, step: Step, node: Node) -> None:
        """MaxPool, AveragePool."""
        ceil = bool(node.attribute("ceil_mode", 0))
        window = self.window(step, node, (), ceil)
        if step.op == "MaxPool":
            return self.flow.max_pool(step, node.key(0), window)
        counted = bool(node.attribute("count_include_pad", 0))
        if counted and ceil and window != self.window(step, node, ()) and any(window.before):
            raise ModelError(f"{step.where}: ceil_mode with count_include_pad is not supported here")
        counted = counted and window == self.window(step, node, ())
        return self.flow.average_pool(step, node.key(0), window, counted)

    def global_pool(self, step: Step, node: Node) -> None:
        """GlobalAveragePool, GlobalMaxPool."""
        operation = "mean" if step.op == "GlobalAveragePool" else "max"
        axes = range(2, len(node.shape(0)))
        self.flow.reduce(step, node.key(0), operation, axes, keepdims=True)

    def batch_normalization(self, step: Step, node: Node) -> None:
        """(x - mean) / sqrt(variance + epsilon) * scale + offset along axis 1."""
        if node.attribute("training_mode", 0):
            raise ModelError(f"{step.where} is in training mode; call model.eval() before the export")
        scale, offset, mean, variance = (
            node.constant(i, what) for i, what in enumerate(("scale", "B", "mean", "var"), 1)
        )
        epsilon = node.attribute("epsilon", 1e-5)
        self.flow.batch_norm(step, node.key(0), scale, offset, mean, variance, epsilon)

    def instance_normalization(self, step: Step, node: Node) -> None:
        """InstanceNormalization: each channel by itself."""
        scale, offset = node.constant(1, "scale"), node.constant(2, "B")
        self.flow.instance_norm(step, node.key(0), scale, offset, node.attribute("epsilon", 1e-5))

    def layer_normalization(self, step: Step, node: Node) -> None:
        """LayerNormalization over the axes from `axis` on."""
        rank = len(node.shape(0))
        axis = int(node.attribute("axis", -1))
        axis += rank if axis < 0 else 0
        scale = node.constant(1, "scale")
        offset = node.constant(2, "B") if node.has(2) else np.zeros(1)
        epsilon = node.attribute("epsilon", 1e-5)
        self.flow.layer_norm(step, node.key(0), range(axis, rank), scale, offset, epsilon)

    def blocks(self, step: Step, node: Node) -> None:
        """DepthToSpace, SpaceToDepth."""
        to_space, mode = step.op == "DepthToSpace", node.attribute("mode", "DCR")
        if mode not in ("DCR", "CRD"):
            raise ModelError(f"{step.where}: mode {mode[:40]!r} is not supported; supported: DCR, CRD")
        block = int(node.attribute("blocksize", 0))
        self.flow.blocks(step, node.key(0), block, to_space, channels_first=mode == "CRD")

    def resize(self, step: Step, node: Node) -> None:
        """Resize, Upsample: rows and columns to a size, nearest or linear."""
        shape = node.shape(0)
        old = step.op == "Upsample" or self.opset < 11
        scales, sizes = self._factors(step, node, old)
        if len(sizes) != len(shape) or any(sizes[axis] != shape[axis] for axis in range(min(2, len(shape)))):
            raise ModelError(
                f"{step.where}: from {shape} to {tuple(sizes)[:16]} is not supported; supported: rows and columns"
            )
        mode = node.attribute("mode", "nearest")
        how = "asymmetric" if old else node.attribute("coordinate_transformation_mode", "half_pixel")
        rounding = "floor" if old else node.attribute("nearest_mode", "round_prefer_floor")
        if node.attribute("antialias", 0) or node.attribute("exclude_outside", 0):
            raise ModelError(f"{step.where}: antialias and exclude_outside are not supported")
        ends = list(zip(shape[2:], sizes[2:], scales[2:], strict=True))
        flags = sampling.flags(step.where, mode, ends, how, rounding)
        size = (1, *sizes[2:])[-2:]
        name = "nearest" if mode == "nearest" else "bilinear"
        self.flow.resize(step, node.key(0), size, name, *flags)

    def _factors(self, step: Step, node: Node, old: bool) -> tuple[list[float], list[int]]:
        """The factor and the new length of each axis."""
        shape = node.shape(0)
        at = 1 if old else 2
        axes = [int(axis) % len(shape) for axis in node.attribute("axes", [])] or list(range(len(shape)))
        factors = (
            node.constant(at, "the scales").astype(np.float64).reshape(-1).tolist()
            if node.has(at)
            else node.attribute("scales", [])
        )
        given = node.constant(3, "the sizes").reshape(-1).tolist() if not old and node.has(3) else []
        if node.attribute("keep_aspect_ratio_policy", "stretch") != "stretch" or not (factors or given):
            raise ModelError(f"{step.where}: expected scales, or sizes with the policy stretch")
        if len(given or factors) != len(axes) or not all(0 < n < 1 << 20 for n in given or factors):
            raise ModelError(f"{step.where}: expected positive factors or sizes of {len(axes)} axes")
        scales, sizes = [1.0] * len(shape), list(shape)
        for axis, number in zip(axes, given or factors, strict=True):
            sizes[axis] = int(number) if given else int(np.floor(shape[axis] * number))
            scales[axis] = number / shape[axis] if given else float(number)
        budget.value(step.where, sizes)
        return scales, sizes


def _cut_to(window: Window, size, wanted, more, upper: bool) -> tuple[list[int], list[int]]:
    """How much a transposed convolution cuts off before and after for an output of the size that is wanted."""
    before, after = [], []
    for n, out, k, s, d, p in zip(
        size, wanted, window.kernel, window.stride, window.dilation, more, strict=True
    ):
        total = s * (n - 1) + p + (k - 1) * d + 1 - out
        first = total // 2 if upper else total - total // 2
        before.append(first)
        after.append(total - first)
    return before, after


OPERATORS = {
    "Conv": ImageOperators.conv,
    "ConvTranspose": ImageOperators.conv_transpose,
    "MaxPool": ImageOperators.pool,
    "AveragePool": ImageOperators.pool,
    "GlobalAveragePool": ImageOperators.global_pool,
    "GlobalMaxPool": ImageOperators.global_pool,
    "BatchNormalization": ImageOperators.batch_normalization,
    "InstanceNormalization": ImageOperators.instance_normalization,
    "LayerNormalization": ImageOperators.layer_normalization,
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth"), ImageOperators.blocks),
    "Resize": ImageOperators.resize,
    "Upsample": ImageOperators.resize,
}
