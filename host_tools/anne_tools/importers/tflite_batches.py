"""Convolutions with a dilation as the converter spells them out: an image's pixels dealt to several images and back.

    SPACE_TO_BATCH_ND (block, paddings) -> convolution -> BATCH_TO_SPACE_ND (block, crops)

is a convolution whose dilation is the block, padded by the paddings less the crops. That of a signal has an EXPAND_DIMS
or RESHAPE before the convolution and one behind.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import ModelError
from ..layers import Clip, room
from ..layers.windows import Window
from .flow import Step
from .tflite_files import Operator
from .tflite_weights import VALID, Weighted

CONVOLUTIONS = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}
RESHAPES = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
SUPPORTED = "supported is a convolution with a dilation: SPACE_TO_BATCH_ND, a convolution, BATCH_TO_SPACE_ND"


class Batches(Weighted):
    """The method of SPACE_TO_BATCH_ND, which reads the operators up to BATCH_TO_SPACE_ND, too."""

    def __init__(self, file, flow):
        super().__init__(file, flow)
        self.readers: dict[int, list[Operator]] = {}
        for op in file.operators:
            for index in op.inputs:
                self.readers.setdefault(index, []).append(op)
        self.done: set[int] = set()  # operators read with one before

    def space_to_batch(self, op: Operator) -> None:
        """SPACE_TO_BATCH_ND."""
        step = self._keeping(op)
        conv, last = self._chain(op)
        made = replace(step, output=last.outputs[0], op=conv.name)
        made = replace(made, dtype=self._keeping(last).dtype, quantization=self._keeping(last).quantization)
        block, begin = self._widths(op, step)
        back, crops = self._widths(last, step)
        before = tuple(pad[0] - crop[0] for pad, crop in zip(begin, crops, strict=True))
        after = tuple(pad[1] - crop[1] for pad, crop in zip(begin, crops, strict=True))
        if block != back or min(*before, *after, *block) < 0:
            raise ModelError(
                f"{op.where}: blocks {block} and {back} padded by {before} and {after}; {SUPPORTED}"
            )
        self._dilated(op, conv, made, block, before, after)

    def _chain(self, op: Operator) -> tuple[Operator, Operator]:
        """Return the convolution and the BATCH_TO_SPACE_ND behind `op`; what lies between is done with it."""
        found, conv = op, None
        while found.name != "BATCH_TO_SPACE_ND":
            index = found.outputs[0]
            readers = self.readers.get(index, [])
            if len(readers) != 1 or readers[0].inputs[0] != index or self.ends[index]:
                raise ModelError(f"{op.where}: its values are read otherwise; {SUPPORTED}")
            found = readers[0]
            self.load(found)
            self.done.add(found.index)
            if found.name in CONVOLUTIONS and conv is None:
                conv = found
            elif found.name not in (*RESHAPES, "BATCH_TO_SPACE_ND"):
                raise ModelError(f"{op.where}: it is read by {found.name}; {SUPPORTED}")
        if conv is None:
            raise ModelError(f"{op.where}: no convolution is behind it; {SUPPORTED}")
        return conv, found

    def _widths(self, op: Operator, step: Step) -> tuple[list[int], list[list[int]]]:
        """Return the block, and the paddings or crops of each axis."""
        block = self._whole(op, step, 1, "its block", 2)
        numbers = self._whole(op, step, 2, "its padding", 4)
        if len(numbers) != 2 * len(block) or not block:
            raise ModelError(f"{op.where}: expected two numbers for each of {len(block)} axes, got {numbers}")
        return block, [numbers[i : i + 2] for i in range(0, len(numbers), 2)]

    def _dilated(self, op: Operator, conv: Operator, step: Step, block, before, after) -> None:
        options = self._options(conv, CONVOLUTIONS[conv.name])
        is_depthwise = conv.name == "DEPTHWISE_CONV_2D"
        inner = replace(step, index=conv.index)
        weights, quantization = self._weights(conv, inner, 3 if is_depthwise else 0)
        window = (options.StrideH(), options.StrideW(), options.DilationHFactor(), options.DilationWFactor())
        if weights.ndim != 4 or window != (1, 1, 1, 1) or options.Padding() != VALID:
            raise ModelError(f"{conv.where}: strides, dilation and padding {window}; {SUPPORTED} without any")
        shape = self.flow.value(step, self._input(op, 0)).shape
        if len(shape) != len(block) + 2 or shape[0] != 1:
            raise ModelError(f"{op.where}: {len(block)} axes do not fit shape {shape}")
        kernel = weights.shape[1:3]
        if len(block) == 1:  # a signal, whose axis is either of an image's
            if min(kernel) != 1:
                raise ModelError(f"{conv.where}: a kernel {kernel} does not fit a signal")
            weights = weights.reshape(weights.shape[0], 1, max(kernel), weights.shape[3])
            block, before, after = [1, *block], (0, *before), (0, *after)
        if is_depthwise:
            weights, kind, more = weights[0].transpose(2, 0, 1), "depthwise_conv", ()
        else:
            kind, more = "conv", (max(1, shape[-1] // max(1, weights.shape[3])),)
        taps = weights.shape[1:3]
        bias, fused = self._bias(conv, inner, quantization), self._fused(conv, options)
        self._convolution(
            step,
            self._input(op, 0),
            room(kind),
            weights,
            bias,
            Window(taps, (1, 1), tuple(block), tuple(before), tuple(after)),
            *more,
            fused,
            quantization=quantization,
        )
        if conv.index in self.clipped:
            self.flow.layer(step, step.output, Clip, -1.0, 1.0)


def _not_alone(reading: Batches, op: Operator) -> None:
    raise ModelError(f"{op.where}: {SUPPORTED}")


OPERATORS = {"SPACE_TO_BATCH_ND": Batches.space_to_batch, "BATCH_TO_SPACE_ND": _not_alone}
