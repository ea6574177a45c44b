"""How large a network of images would be in another type, with a part of its channels, or for smaller images.

All hidden layers keep the same part of their channels, as sums, products and depthwise convolutions tie many of them
to each other. What is computed here is about right; it is advised only where there is room to spare.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from anne.model_file import Layer, ModelFile

from ..layers import room

# Bytes of a value between layers, by the type of a conversion.
VALUE_BYTES = {"float32": 4, "int8-weights": 4, "int16": 2, "int8": 1, "int4": 1}
# What must be left beside what is estimated.
_SPARE = 1.05
_ORDER = ("int4", "int8", "int16", "int8-weights", "float32")


@dataclass(frozen=True)
class _Weights:
    """A layer of weights: n_out rows of n_in, of which a part stays where they are hidden channels."""

    kind: str
    n_in: int
    n_out: int
    reads_hidden: bool
    makes_hidden: bool

    def nbytes(self, dtype: str, part: float) -> int:
        n_in = max(1, round(self.n_in * part)) if self.reads_hidden else self.n_in
        n_out = max(1, round(self.n_out * part)) if self.makes_hidden else self.n_out
        return room(self.kind).SIZES[dtype](n_in, n_out)


@dataclass(frozen=True)
class Images:
    """A file as it could be: its layers of weights in `dtype`, with `part` of their hidden channels, and what else is
    in it; of its workspace the values between layers, of which those of the network's inputs keep their size."""

    dtype: str
    layers: tuple[_Weights, ...]
    other_bytes: int
    other_workspace: int
    n_values: int
    n_inputs: int
    part: float = 1.0

    @classmethod
    def of(cls, file: ModelFile, file_bytes: int, workspace: int) -> Images:
        types = [room(layer.kind).written_as(layer) for layer in file.layers]
        dtype = next(dtype for dtype in _ORDER if dtype in types)
        layers = _weights(file)
        n_values = file.arena_bytes // VALUE_BYTES[dtype]
        n_inputs = sum(tensor.size for tensor in file.inputs)
        plan = cls(dtype, layers, 0, workspace - file.arena_bytes, n_values, min(n_inputs, n_values))
        return replace(plan, other_bytes=file_bytes - plan.sizes[0])

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes of the file and of its workspace, about."""
        values = self.n_inputs + self.part * (self.n_values - self.n_inputs)
        weights = sum(layer.nbytes(self.dtype, self.part) for layer in self.layers)
        return weights + self.other_bytes, int(VALUE_BYTES[self.dtype] * values) + self.other_workspace

    def as_type(self, dtype: str) -> Images:
        return replace(self, dtype=dtype)

    def most_part(self, fits: Callable[[int, int], bool]) -> float:
        """The largest part of the channels of all hidden layers with which it fits, in steps of 5 %; 0 if none does."""
        parts = (percent / 100 for percent in range(95, 5, -5))
        return next((part for part in parts if _fits(replace(self, part=part).sizes, fits)), 0.0)

    def fits_half_the_image(self, fits: Callable[[int, int], bool]) -> bool:
        """Whether it fits with a quarter of the values: images of half the rows and columns."""
        file_bytes, workspace = self.sizes
        values = VALUE_BYTES[self.dtype] * self.n_values
        return _fits((file_bytes, workspace - values * 3 // 4), fits)


def _fits(sizes: tuple[int, int], fits: Callable[[int, int], bool]) -> bool:
    return fits(*(int(_SPARE * n) for n in sizes))


def _weights(file: ModelFile) -> tuple[_Weights, ...]:
    """The layers of weights. What they read is hidden if one before them made it; what they make, if one behind them
    reads it, whatever lies between."""
    layers = [layer for layer in file.layers if room(layer.kind).SIZES]
    made = _downstream(file, {tensor.index for layer in layers for tensor in layer.outputs})
    read = _upstream(file, {tensor.index for layer in layers for tensor in layer.inputs})
    return tuple(_of(layer, made, read) for layer in layers)


def _of(layer: Layer, made: set[int], read: set[int]) -> _Weights:
    n_out = layer.outputs[0].shape[-1]
    n_in = room(layer.kind).row_length(layer)
    is_by_channel = layer.kind == "depthwise_conv"  # a row is a window of one channel
    reads_hidden = layer.inputs[0].index in made and not is_by_channel
    return _Weights(layer.kind, n_in, n_out, reads_hidden, layer.outputs[0].index in read)


def _downstream(file: ModelFile, found: set[int]) -> set[int]:
    """The tensors of `found`, and all that is made of them by other layers."""
    for layer in file.layers:
        if any(tensor.index in found for tensor in layer.inputs):
            found |= {tensor.index for tensor in layer.outputs}
    return found


def _upstream(file: ModelFile, found: set[int]) -> set[int]:
    """The tensors of `found`, and all that other layers make them of."""
    for layer in reversed(file.layers):
        if any(tensor.index in found for tensor in layer.outputs):
            found |= {tensor.index for tensor in layer.inputs}
    return found
