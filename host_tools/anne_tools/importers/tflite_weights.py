"""TensorFlow Lite operators that have weights: FULLY_CONNECTED, CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV.

Weights are float32 (float16 that DEQUANTIZE has made so, too), or int8 with one scale or one a channel. int8 weights
between float32 values ("dynamic range" files) stay int8, the values stay floats; between int16 values ("int16x8") they
stay int8 in the graph, and the file has them widened.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import ModelError
from ..layers import Conv, ConvTranspose, DepthwiseConv
from ..layers.windows import Window
from ..network import tflm
from ..network.tensor import Quantization
from . import budget
from .flow import Step
from .tflite_files import Operator
from .tflite_reading import Reading

SAME, VALID = 0, 1
MOST_BIAS = 1 << 28
# Types of a bias by that of the output; TensorFlow Lite's int16 has sums of 64 bits.
BIASES = {"float32": (np.float32,), "int8": (np.int32,), "int16": (np.int64,)}
CONVERT_FLOATS = "convert the float model, with --dtype int16"


class Weighted(Reading):
    """Their methods."""

    def fully_connected(self, op: Operator) -> None:
        """output = activation(weights @ input + bias): the input flattened, or each of its rows."""
        options = op.options("FullyConnectedOptions")
        if options is not None and options.WeightsFormat():
            raise ModelError(f"{op.where}: weights in a shuffled format are not supported")
        step, key = self._step(op), self._input(op, 0)
        weights, quantization = self._weights(op, step)
        x = self.flow.value(step, key)
        n_in = weights.shape[-1] if weights.ndim == 2 else 0
        rows, rest = divmod(math.prod(x.shape), n_in) if n_in else (0, 1)
        is_row_by_row = rows > 1 and not rest
        if not rest and (x.shape[-1] != n_in or (is_row_by_row and x.shape[0] != 1)):
            key = self._reshaped(step, key, (1, rows, n_in) if is_row_by_row else (1, n_in))
        bias = self._bias(op, step, quantization)
        bias, quantization = self._without_large(step, key, weights, bias, quantization)
        self.flow.dense(step, key, weights, bias, self._fused(op, options), quantization)
        declared, made = self.file.tensor(step.output).shape, self.flow.value(step, step.output)
        if options is not None and options.KeepNumDims() and x.shape[-1] == n_in:
            declared = (*x.shape[:-1], len(weights))
        elif is_row_by_row:
            declared = rows, len(weights)
        if math.prod(declared) == math.prod(made.shape):
            self.flow.values[step.output] = self.flow.reshaped(step, made, declared)

    def batch_matmul(self, op: Operator) -> None:
        """BATCH_MATMUL with a constant matrix on its right: a dense layer of every row."""
        options = self._options(op, "BatchMatMulOptions")
        step, key = self._step(op), self._input(op, 0)
        weights, quantization = self._weights(op, step)
        matrix = (
            weights.reshape(weights.shape[-2:]) if weights.size == np.prod(weights.shape[-2:]) else weights
        )
        if options.AdjX() or matrix.ndim != 2 or (quantization is not None and quantization.scale.size > 1):
            raise ModelError(f"{op.where}: supported is a constant matrix of one scale on the right")
        self.flow.dense(step, key, matrix if options.AdjY() else matrix.T, None, "linear", quantization)

    def conv(self, op: Operator) -> None:
        """CONV_2D, of as many groups as there are input channels to one of the weights."""
        options = self._options(op, "Conv2DOptions")
        step, key = self._step(op), self._input(op, 0)
        weights, quantization = self._weights(op, step)
        rows, columns, channels = self._image(op, step, key, weights)
        per_group = weights.shape[3]
        if not per_group or channels % per_group:
            raise ModelError(
                f"{op.where}: weights for {per_group} channels do not fit an input of {channels}"
            )
        bias, fused = self._bias(op, step, quantization), self._fused(op, options)
        window = self._window(op, options, (rows, columns), weights.shape[1:3])
        groups = channels // per_group
        self._convolution(
            step,
            key,
            Conv,
            weights,
            bias,
            window,
            groups,
            fused,
            quantization=quantization,
        )

    def depthwise_conv(self, op: Operator) -> None:
        """DEPTHWISE_CONV_2D, weights (1, kernel_h, kernel_w, n_out)."""
        options = self._options(op, "DepthwiseConv2DOptions")
        step, key = self._step(op), self._input(op, 0)
        weights, quantization = self._weights(op, step, axis=3)
        rows, columns, channels = self._image(op, step, key, weights)
        if weights.shape[0] != 1 or not weights.shape[3] or weights.shape[3] % channels:
            raise ModelError(
                f"{op.where}: weights of shape {weights.shape} do not fit an input of {channels} channels"
            )
        bias, fused = self._bias(op, step, quantization), self._fused(op, options)
        window = self._window(op, options, (rows, columns), weights.shape[1:3])
        kernel = weights[0].transpose(2, 0, 1)
        self._convolution(
            step,
            key,
            DepthwiseConv,
            kernel,
            bias,
            window,
            fused,
            quantization=quantization,
        )

    def transpose_conv(self, op: Operator) -> None:
        """TRANSPOSE_CONV: inputs are the output's shape, weights (n_out, kernel_h, kernel_w, n_in), and the image."""
        options = self._options(op, "TransposeConvOptions")
        step, key = self._step(op), self._input(op, 2)
        weights, quantization = self._weights(op, step)
        image = self._image(op, step, key, weights, "its image")
        shape = self._whole(op, step, 0, "its output's shape")
        if len(shape) != 4 or min(shape) < 1 or (weights.shape[3], weights.shape[0]) != (image[2], shape[3]):
            raise ModelError(
                f"{op.where}: weights of shape {weights.shape} do not make {shape} of an input {image}"
            )
        stride, kernel = (options.StrideH(), options.StrideW()), weights.shape[1:3]
        if min(stride) < 1:
            raise ModelError(f"{op.where}: expected positive strides, got {stride}")
        before, after, extra = [], [], []
        for size, made, k, s in zip(image, shape[1:3], kernel, stride, strict=False):
            full = (size - 1) * s + k
            # What a convolution the other way would pad, half of it above, as the interpreter has it.
            there = -(-made // s) if options.Padding() == SAME else (made - k + s) // s
            above = max(0, (there - 1) * s + k - made) // 2
            below = full - above - made
            before.append(above)
            after.append(max(0, below))
            extra.append(max(0, -below))
        window = Window(kernel, stride, (1, 1), tuple(before), tuple(after))
        bias, fused = self._bias(op, step, quantization, 3), self._fused(op, options)
        self._convolution(
            step,
            key,
            ConvTranspose,
            weights,
            bias,
            window,
            tuple(extra),
            fused,
            quantization=quantization,
        )

    # Helpers

    def _convolution(
        self, step: Step, key, kind, weights: np.ndarray, bias, window, *args, quantization
    ) -> None:
        """Append a layer of `kind`; its weights and bias become contiguous arrays of its types."""
        n_out = len(weights)
        bias = np.zeros(n_out) if bias is None else bias.reshape(-1)
        if bias.size != n_out:
            raise ModelError(f"{step.where}: expected {n_out} values of bias, got {bias.size}")
        budget.elements(step.where, weights.shape)
        bias, quantization = self._without_large(step, key, weights, bias, quantization)
        self.flow.layer(
            step,
            key,
            kind,
            np.ascontiguousarray(weights, np.float32 if quantization is None else np.int8),
            bias.astype(np.float32 if step.dtype == "float32" else np.int32),
            window,
            *args,
            weights_quantization=quantization,
        )

    def _without_large(self, step: Step, key, weights: np.ndarray, bias, quantization):
        """Return (bias, scales of the weights) where channels whose weights are all 0 have a scale with which their
        bias is small: as a converter scales them, it is up to 2^30, more than a layer may have.

        What comes out of them, the bias rescaled, is the same to the bit.
        """
        if step.dtype != "int8" or bias is None or np.abs(bias.astype(np.int64)).max(initial=0) <= MOST_BIAS:
            return bias, quantization
        dead = ~weights.reshape(len(weights), -1).any(axis=1)
        x = float(self.flow.tensors[self.flow.value(step, key).tensor].quantization.scale[0])
        y = float(step.quantization.scale[0])
        scales = np.broadcast_to(quantization.scale, dead.shape).copy()
        bias = np.array(bias, np.int64).reshape(-1)
        if len(bias) == len(dead):
            multiplier, shift = tflm.dense_multipliers(x, scales[dead], y)
            low = shift <= 0  # else TensorFlow Lite Micro's own result is undefined
            at = np.flatnonzero(dead)[low]
            bias[at] = np.clip(tflm.rescale(bias[at], multiplier[low], shift[low]), -(2**15), 2**15)
            scales[at] = y / x
        return bias.astype(np.int32), Quantization(scales)

    def _image(
        self, op: Operator, step: Step, key: int, weights: np.ndarray, what: str = "its input"
    ) -> tuple[int, int, int]:
        """Return rows, columns, channels of an image of batch 1; ModelError if it or the weights have other axes."""
        shape = self.flow.value(step, key).shape
        if len(shape) != 4 or shape[0] != 1 or weights.ndim != 4:
            raise ModelError(
                f"{op.where}: expected {what} of shape (1, rows, columns, channels) and weights of 4 axes, got "
                f"{shape} and {weights.shape}"
            )
        return shape[1:]

    def _window(self, op: Operator, options, size: tuple[int, int], kernel: tuple[int, int]) -> Window:
        """Return the window of a convolution or pool."""
        stride = options.StrideH(), options.StrideW()
        has_dilation = hasattr(options, "DilationHFactor")
        dilation = (options.DilationHFactor(), options.DilationWFactor()) if has_dilation else (1, 1)
        if min(*stride, *dilation, *kernel) < 1:
            raise ModelError(
                f"{op.where}: expected a window of positive sizes, got kernel {tuple(kernel)}, strides {stride}, "
                f"dilation {dilation}"
            )
        padding = options.Padding()
        if padding not in (SAME, VALID):
            raise ModelError(f"{op.where}: padding {padding} is not supported; supported: SAME, VALID")
        if padding == SAME:
            return Window.same(size, tuple(kernel), stride, dilation)
        return Window(tuple(kernel), stride, dilation)

    def _reshaped(self, step: Step, key, shape: tuple[int, ...]):
        """Return the key of the value under another shape of the same size."""
        name = (step.output, "reshaped", shape)
        self.flow.values[name] = self.flow.reshaped(step, self.flow.value(step, key), shape)
        return name

    def _weights(self, op: Operator, step: Step, axis: int = 0) -> tuple[np.ndarray, Quantization | None]:
        """Return the weights and, if they are integers, their scale or scales along `axis`."""
        index = self._input(op, 1)
        weights = self._centred_weights(op, self.flow.constant(step, index, "its weights"))
        if weights.dtype.kind == "f":
            if step.dtype != "float32":
                raise ModelError(
                    f"{op.where}: expected int8 weights for an {step.dtype} input, got {weights.dtype}"
                )
            return weights, None
        tensor = self.file.tensor(index)
        if tensor.dtype != "int8" or tensor.quantization is None:
            raise ModelError(f"{op.where}: expected int8 weights with a scale")
        scale = tensor.quantization.scale
        if scale.size > 1 and tensor.scale_axis != axis:
            raise ModelError(
                f"{op.where}: expected one scale or one along axis {axis} of its weights, got them along axis "
                f"{tensor.scale_axis}"
            )
        return weights, Quantization(scale)

    def _centred_weights(self, op: Operator, weights: np.ndarray) -> np.ndarray:
        """Return int8 weights with their zero point taken off; ModelError where they do not fit int8 then."""
        q = self.file.tensor(op.inputs[1]).quantization
        if q is None or not q.zero_point or weights.dtype != np.int8:
            return weights
        centred = weights.astype(np.int16) - q.zero_point
        if centred.size and not -128 <= centred.min() <= centred.max() <= 127:
            raise ModelError(
                f"{op.where}: its weights are up to {np.abs(centred).max()} steps from their zero point, supported are "
                "127; quantise the float model anew with a converter of today"
            )
        return centred.astype(np.int8)

    def _bias(
        self, op: Operator, step: Step, weights: Quantization | None, position: int = 2
    ) -> np.ndarray | None:
        """Return the bias, or None; integers must have the scale of input times weights, as TFLite Micro checks."""
        if len(op.inputs) <= position or op.inputs[position] < 0:
            return None
        bias = self.flow.constant(step, op.inputs[position], "its bias")
        if bias.dtype not in BIASES[step.dtype]:
            raise ModelError(f"{op.where}: a bias of {bias.dtype} does not go with {step.dtype} outputs")
        if step.dtype == "int16" and np.abs(bias.astype(np.float64)).max(initial=0) > MOST_BIAS:
            raise ModelError(
                f"{op.where}: a bias beyond 2^28 input steps times weight steps; {CONVERT_FLOATS}"
            )
        given = self.file.tensor(op.inputs[position]).quantization
        x = self.file.tensor(op.inputs[2 if position == 3 else 0]).quantization
        if step.dtype != "float32" and given is not None and x is not None:
            off = np.abs(x.scale * weights.scale - given.scale) / step.quantization.scale
            if off.max() > 0.02:
                raise ModelError(f"{op.where}: the scale of the bias is not that of input times weights")
        return bias


OPERATORS = {
    "FULLY_CONNECTED": Weighted.fully_connected,
    "CONV_2D": Weighted.conv,
    "DEPTHWISE_CONV_2D": Weighted.depthwise_conv,
    "TRANSPOSE_CONV": Weighted.transpose_conv,
    "BATCH_MATMUL": Weighted.batch_matmul,
}
