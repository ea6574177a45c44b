"""Weights as the kernels read them: which layout a layer takes, and its constants as bytes.

A layer is dense or a convolution: its weights are (n_out, ...), and what one row of them multiplies is its n_in inputs.

`anne.layouts` unpacks what is packed here and names the layouts; FORMAT.md describes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from anne import model_file
from anne.layouts import LAYOUTS as READERS
from anne.layouts import S4, S8F32, F32Aligned, S8Quad
from anne.layouts.rows import MAX_BIAS, MAX_SHIFT
from anne.weights import LAYOUTS

from ..errors import ModelError
from ..network import tflm
from ..network.tensor import Tensor

NUMBERS = {name: number for number, (name, *_) in LAYOUTS.items()}
# The type that a layout is for.
DTYPES = {
    "f32": "float32",
    "f32_aligned": "float32",
    "s8_f32": "int8-weights",
    "s16": "int16",
    "s8_quad": "int8",
    "s4": "int4",
}
# Bytes of weights, bias and factors in each type, of n_out rows of n_in weights.
SIZES: dict[str, Callable[[int, int], int]] = {
    "float32": lambda n_in, n_out: 4 * n_in * (n_out + n_out % 2) + 8 * n_out,
    "int8-weights": lambda n_in, n_out: _quad_bytes(n_in, n_out) + 8 * n_out,
    "int16": lambda n_in, n_out: (4 * ((n_in + 1) // 2) + 12) * n_out,
    "int8": lambda n_in, n_out: _quad_bytes(n_in, n_out) + 12 * n_out,
    "int4": lambda n_in, n_out: 4 * S4.columns(n_in) * -(-n_out // 8) + 12 * n_out + 4,
}
# Those of rows that stand one after another as they are; of four bits there is none, so int4 has int8's.
PLAIN_SIZES: dict[str, Callable[[int, int], int]] = {
    "float32": lambda n_in, n_out: 4 * n_in * n_out + 4 * n_out,
    "int8-weights": lambda n_in, n_out: n_in * n_out + 8 * n_out,
    "int16": lambda n_in, n_out: 2 * n_in * n_out + 12 * n_out,
    "int8": lambda n_in, n_out: n_in * n_out + 12 * n_out,
    "int4": lambda n_in, n_out: n_in * n_out + 12 * n_out,
}


def _quad_bytes(n_in: int, n_out: int) -> int:
    return 4 * S8Quad.columns(n_in) * -(-n_out // 4)


def choose(layer: Any, source: Tensor) -> int:
    """Return the number of the fastest layout that is exact for the layer's weights and the types around it."""
    n_in = rows(layer.weights).shape[1]
    match source.dtype, layer.weights.dtype.name:
        case "float32", "int8" if n_in <= S8F32.MAX_IN:
            return NUMBERS["s8_f32"]
        case "float32", _:
            aligns = not layer.has_float_unit and _alignable(real_weights(layer))
            return NUMBERS["f32_aligned" if aligns else "f32"]
        case "int16", "int16" | "int8":
            return NUMBERS["s16"]
        case "int8", "int8":
            fits = layer.weights.min() >= -8 and layer.weights.max() <= 7
            return NUMBERS["s4" if fits else "s8_quad"]
    raise ModelError(f"{layer.name}: no kernel for {layer.weights.dtype.name} weights on {source.dtype}")


def constants(layout: int, layer: Any, source: Tensor, target: Tensor, groups: int = 1) -> list[bytes]:
    """Return the constants of the layer's record: weights, bias and what scales the sums.

    Of several `groups` of rows the weights come group after group, each packed like those of a layer.
    """

    def packed(pack: Callable[..., bytes], weights: np.ndarray, *args: Any) -> bytes:
        return b"".join(pack(group, *args) for group in np.split(rows(weights), groups))

    match LAYOUTS[layout][0]:
        case "f32":
            return [_bytes(real_weights(layer), "<f4"), _bytes(layer.bias, "<f4")]
        case "f32_aligned":
            parts = [aligned(group) for group in np.split(real_weights(layer), groups)]
            exponents = np.concatenate([part[1] for part in parts])
            return [
                b"".join(part[0] for part in parts),
                _bytes(layer.bias, "<f4"),
                _bytes(exponents, "<i4"),
            ]
        case "s8_f32":
            scale = np.broadcast_to(layer.weights_quantization.scale, layer.bias.shape)
            return [packed(quads, layer.weights), _bytes(layer.bias, "<f4"), _bytes(scale, "<f4")]
        case "s8_quad":
            return [packed(quads, layer.weights), *integer_rows(layer, source, target)]
        case "s4":
            panel = panel_columns(rows(layer.weights))
            words = packed(eights, layer.weights, panel)
            return [words, *integer_rows(layer, source, target), _bytes(panel, "<u4")]
        case "s16":
            return [packed(pairs, layer.weights), *integer_rows(layer, source, target)]
    raise AssertionError(layout)


def plain(layer: Any, source: Tensor, target: Tensor) -> list[bytes]:
    """Return the constants of a layer whose weights stand row after row as they are: those of a depthwise convolution.

    Weights and bias; then of integers the factors, of int8 weights on floats the scales.
    """
    return _plain(layer, source, target, lambda weights: weights)


def by_taps(layer: Any, source: Tensor, target: Tensor) -> list[bytes]:
    """Return the constants of a transposed convolution: as `plain`, but the rows of all weights of a tap together.

    What its windows leave out is not there to be corrected: the bias has no zero point in it.
    """
    return _plain(layer, source, target, lambda weights: weights.transpose(1, 2, 0, 3), zero_point=0)


def _plain(
    layer: Any,
    source: Tensor,
    target: Tensor,
    ordered: Callable[[np.ndarray], np.ndarray],
    zero_point: int | None = None,
) -> list[bytes]:
    """`ordered` gives the weights in the order in which they stand; `zero_point` is taken for the input's."""
    weights = layer.weights
    match source.dtype, weights.dtype.name:
        case "float32", "int8":
            scale = np.broadcast_to(layer.weights_quantization.scale, layer.bias.shape)
            return [_bytes(ordered(weights), "i1"), _bytes(layer.bias, "<f4"), _bytes(scale, "<f4")]
        case "float32", _:
            real = real_weights(layer).reshape(weights.shape)
            return [_bytes(ordered(real), "<f4"), _bytes(layer.bias, "<f4")]
        case ("int8", "int8") | ("int16", "int16" | "int8"):
            numbers = integer_rows(layer, source, target, zero_point)
            return [_bytes(ordered(weights), "i1" if source.dtype == "int8" else "<i2"), *numbers]
    raise ModelError(f"{layer.name}: no kernel for {weights.dtype.name} weights on {source.dtype}")


def rows(weights: np.ndarray) -> np.ndarray:
    """Return weights (n_out, ...) as (n_out, n_in): of a convolution a row is what its window multiplies."""
    return weights.reshape(len(weights), -1)


def real_weights(layer: Any) -> np.ndarray:
    """Return the weights as real numbers, (n_out, n_in)."""
    weights = rows(layer.weights)
    if layer.weights_quantization is None:
        return weights
    return weights * layer.weights_quantization.scale.reshape(-1, 1)


def _alignable(weights: np.ndarray) -> bool:
    """Whether float32 weights may share an exponent with the rest of their row.

    A column of far greater weights than the others belongs to an input of far smaller values (a scaler folded into the
    layer, say): aligned to one exponent each, weights and inputs would both lose what counts.
    """
    columns = np.abs(weights).max(axis=0)
    columns = columns[columns > 0]
    return weights.shape[1] <= F32Aligned.MAX_IN and (
        columns.size == 0 or columns.max() <= 64 * np.median(columns)
    )


def aligned(weights: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Return weights (n_out, n_in) as f32_aligned has them, and the exponent of each row.

    Source: FORMAT.md; `anne.layouts.F32Aligned.limbs` is the way back.
    """
    n_out, n_in = weights.shape
    exponents = np.frexp(np.abs(weights).max(axis=1).astype(np.float64))[1] - 24
    exponents = np.maximum(exponents, F32Aligned.MIN_EXPONENT)
    integers = np.zeros(((n_out + 1) // 2 * 2, n_in), np.int64)
    integers[:n_out] = np.rint(np.ldexp(weights.astype(np.float64), -exponents[:, None]))
    high = (integers + 2048) >> 12
    words = ((high << 16) + (integers - 4096 * high) + 2048) & 0xFFFFFFFF
    panels = [words[:, first : first + F32Aligned.PANEL] for first in range(0, n_in, F32Aligned.PANEL)]
    pairs = [_bytes(panel[r : r + 2].T, "<u4") for panel in panels for r in range(0, len(panel), 2)]
    return b"".join(pairs), exponents


def quads(weights: np.ndarray) -> bytes:
    """Return int8 weights (n_out, n_in) as s8_quad has them: bytes w + 128, padded with w = 0, eight rows alternating.

    Source: FORMAT.md; `anne.layouts.S8Quad.row` is the way back.
    """
    panels = [weights[:, first : first + S8Quad.PANEL] for first in range(0, weights.shape[1], S8Quad.PANEL)]
    return b"".join(_panel(panel) for panel in panels)


def _panel(weights: np.ndarray) -> bytes:
    n_out, n_in = weights.shape
    padded = np.full(((n_out + 3) // 4 * 4, S8Quad.columns(n_in)), 128, np.uint8)
    padded[:n_out, :n_in] = weights.astype(np.int16) + 128
    return b"".join(padded[r : r + 8].T.tobytes() for r in range(0, len(padded), 8))


def panel_columns(weights: np.ndarray) -> int:
    """Return how many columns of weights -8 to 7 an s4 kernel can sum in 16 bits: the fewest, most even panels."""
    n_in = weights.shape[1]
    magnitudes = np.abs(weights.astype(np.int64))
    for count in range(1, n_in + 1):
        panel = S4.columns(-(-n_in // count))
        sums = np.add.reduceat(magnitudes, np.arange(0, n_in, panel), axis=1)
        if sums.max() <= S4.HEAVIEST:
            return panel
    raise AssertionError("four columns always fit")


def eights(weights: np.ndarray, panel: int) -> bytes:
    """Return weights -8 to 7 (n_out, n_in) as s4 has them: eight rows a word, nibbles w + 8, padded with w = 0.

    Source: FORMAT.md; `anne.layouts.S4.row` is the way back.
    """
    return b"".join(
        _eights_panel(weights[:, first : first + panel]) for first in range(0, weights.shape[1], panel)
    )


def _eights_panel(weights: np.ndarray) -> bytes:
    n_out, n_in = weights.shape
    padded = np.full(((n_out + 7) // 8 * 8, S4.columns(n_in)), 8, np.uint32)
    padded[:n_out, :n_in] = weights.astype(np.int64) + 8
    nibbles = padded.reshape(-1, 8, padded.shape[1]) << (4 * np.arange(8, dtype=np.uint32))[:, None]
    return _bytes(nibbles.sum(axis=1), "<u4")


def pairs(weights: np.ndarray) -> bytes:
    """Return int16 weights (n_out, n_in) as s16 has them: two columns a word, six rows alternating.

    Source: FORMAT.md; `anne.layouts.S16.row` is the way back.
    """
    n_out, n_in = weights.shape
    padded = np.zeros((n_out, (n_in + 1) // 2 * 2), np.int64)
    padded[:, :n_in] = weights
    words = (padded[:, 0::2] + 32768 + (padded[:, 1::2] << 16)) & 0xFFFFFFFF
    alternate = n_out // 6 * 6
    sixes = [_bytes(words[r : r + 6].T, "<u4") for r in range(0, alternate, 6)]
    return b"".join([*sixes, _bytes(words[alternate:], "<u4")])


def _bytes(values: np.ndarray, dtype: str) -> bytes:
    return np.ascontiguousarray(values, dtype).tobytes()


def integer_rows(layer: Any, source: Tensor, target: Tensor, zero_point: int | None = None) -> list[bytes]:
    """Return bias with the input's zero point folded in, and (multiplier, shift) of each row; weights (n_out, ...).

    `zero_point` is taken for the input's.
    """
    weights = rows(layer.weights).astype(np.int64)
    zero_point = source.quantization.zero_point if zero_point is None else zero_point
    bias = layer.bias.astype(np.int64) - zero_point * weights.sum(axis=1)
    if np.abs(bias).max() > MAX_BIAS:
        raise ModelError(
            f"{layer.name}: expected biases within 2^28 of an input step, got {np.abs(bias).max()}"
        )
    if source.dtype == "int16" and ((np.abs(weights).sum(axis=1) << 15) + np.abs(bias)).max() >= 1 << 31:
        raise ModelError(
            f"{layer.name}: the weights of a row add up to {np.abs(weights).sum(axis=1).max():,} steps, more than "
            "int16 values have 32 bits for; convert the float model, with --dtype int16 or int8"
        )
    multiplier, shift = tflm.dense_multipliers(
        source.quantization.scale[0], layer.weights_quantization.scale, target.quantization.scale[0]
    )
    if source.dtype == "int16" and layer.weights.dtype == np.int8:  # of a .tflite file
        multiplier, shift = tflm.of_15_bits(multiplier, shift)
    if shift.max() > MAX_SHIFT:
        raise ModelError(
            f"{layer.name}: its output scale is too fine for its weights (factor 2^{shift.max()})"
        )
    multiplier, shift = np.broadcast_to(multiplier, bias.shape), np.broadcast_to(shift, bias.shape)
    if source.dtype == "int8":
        bias, multiplier, shift = _like_the_others(~weights.any(axis=1), bias, multiplier, shift)
    return [_bytes(bias, "<i4"), _bytes(np.stack([multiplier, shift], axis=1), "<i4")]


def _like_the_others(
    dead: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return bias, multiplier and shift with other ones for the `dead` rows, whose weights are all 0: with the same
    outputs, and a shift as the other rows have.

    The scale of such weights is any number, and one factor far from the others has the board rescale all rows the exact
    way, for 70 cycles instead of 20 (native_module/kernels/requantize.c).
    """
    alive = shift[~dead & (multiplier > 0)]
    most = alive.max(initial=-32)
    if not dead.any() or not -19 <= most <= 0:  # else the new bias would leave its bounds
        return bias, multiplier, shift
    left = np.maximum(shift, 0)
    shifted = np.clip(bias << left, -(1 << 31), (1 << 31) - 1)  # as the core, which saturates
    steps = tflm.rounding_shift(tflm.high_mul(shifted, multiplier), left - shift)
    # 2^(most - 1) times an even number is exact; beyond +-256 steps any output is at its limit
    as_others = np.clip(steps, -256, 256) << (1 - most)
    return (
        np.where(dead, as_others, bias),
        np.where(dead, 1 << 30, multiplier),
        np.where(dead, most, shift),
    )


def unpacked(layer: model_file.Layer) -> np.ndarray:
    """Return the weights (n_out, n_in) of a dense layer in a file as real numbers, all times one that is not 0."""
    weights = np.array(READERS[layer.kernel].rows(layer, layer.inputs[0].size, layer.outputs[0].size), float)
    match layer.kernel:
        case "f32":
            return weights
        case "s8_f32":
            factors = np.frombuffer(layer.constants[2], "<f4").astype(float)
        case "f32_aligned":  # pairs (h, l) of 4096 h + l, and an exponent a row
            weights = weights @ (4096, 1)
            factors = 2.0 ** np.frombuffer(layer.constants[2], "<i4")
        case _:  # columns may be padded; the factor of a row is its scale times what all rows share
            multipliers, shifts = np.frombuffer(layer.constants[2], "<i4").reshape(-1, 2).T
            weights = weights[:, : layer.inputs[0].size]
            factors = multipliers * 2.0 ** (shifts - 31)
    return weights * factors[:, None]
