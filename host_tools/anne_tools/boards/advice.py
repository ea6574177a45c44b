"""What would make a model fit that does not: another type of numbers, fewer units in hidden layers.

A network of dense layers is told the units of each; one of images, whose layers depend on each other's channels, what
part of them it may keep (advice_images.py).

Sizes follow from the layouts (FORMAT.md, "Kind 1, dense"). Only what a user can change is advised: a network's inputs
and outputs are what they are, so the last layer keeps its units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from anne.layouts import S8Quad
from anne.model_file import Layer, ModelFile

from ..layers import Dense, room
from .advice_images import VALUE_BYTES, Images

# Whether so many bytes of file and of workspace fit.
Fits = Callable[[int, int], bool]


@dataclass(frozen=True)
class Size:
    """A dense layer as far as its size goes."""

    n_in: int
    n_out: int


_SMALLER = {
    "float32": ("int8", "int8-weights", "int4"),
    "int8-weights": ("int8", "int4"),
    "int16": ("int8", "int4"),
    "int8": ("int4",),
    "int4": (),
}
# Elements of an int8 softmax at most (FORMAT.md, "Activations").
_SOFTMAX_S8 = 511
# The table of an activation that becomes a layer of its own on integers, with its record.
_TABLE_BYTES = 1200
_CHANNELS = "give the hidden layers at most {:.0%} of their channels"
# Of its units, what a hidden layer must keep; else all hidden layers become smaller.
_LEAST_PART = 1 / 4


@dataclass(frozen=True)
class _Plan:
    """A file with its dense layers in another type or of other sizes; what else is in it stays."""

    dtype: str
    dense: tuple[Size, ...]
    other_bytes: int
    other_workspace: int
    other_values: int
    # Where values have several readers, a layer's units are not only the next one's inputs.
    is_chain: bool

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes of the file and of its workspace, about."""
        weight_bytes, value_bytes = Dense.SIZES[self.dtype], VALUE_BYTES[self.dtype]
        values = max(
            self.other_values,
            value_bytes * max((layer.n_in + layer.n_out for layer in self.dense), default=0),
        )
        file_bytes = sum(weight_bytes(layer.n_in, layer.n_out) for layer in self.dense) + self.other_bytes
        return file_bytes, values + self.other_workspace

    def as_type(self, dtype: str) -> _Plan:
        is_new = self.dtype in ("float32", "int8-weights") and dtype in ("int8", "int4")
        tables = _TABLE_BYTES * len(self.dense) if is_new else 0
        return replace(self, dtype=dtype, other_bytes=self.other_bytes + tables)

    def hidden(self) -> list[int]:
        """Which layers feed another dense layer, so that their units are nobody's but the network's own."""
        if not self.is_chain:
            return []
        pairs = zip(self.dense, self.dense[1:], strict=False)
        return [index for index, (layer, reader) in enumerate(pairs) if layer.n_out == reader.n_in]

    def with_units(self, units: dict[int, int]) -> _Plan:
        dense = list(self.dense)
        for index, n in units.items():
            dense[index] = replace(dense[index], n_out=n)
            dense[index + 1] = replace(dense[index + 1], n_in=n)
        return replace(self, dense=tuple(dense))


def advice(file: ModelFile, names: list[str], file_bytes: int, workspace: int, fits: Fits) -> list[str]:
    """Return what would make the file fit, a line each, what costs least first; [] if there is nothing."""
    golden = sum(len(file.metadata.get(name, b"")) for name in ("golden_inputs", "golden_outputs"))
    if golden and fits(file_bytes - golden, workspace):
        return [f"convert it again: its golden samples take {golden} bytes, and are left out where they do"]
    if any(room(layer.kind).SIZES and not _is_dense(layer) for layer in file.layers):
        return _for_images(file, file_bytes - golden, workspace, fits)
    plan = _plan(file, file_bytes - golden, workspace)
    if plan is None:
        return []
    names = [name for layer, name in zip(file.layers, names, strict=True) if _is_dense(layer)]
    smaller = [dtype for dtype in _SMALLER[plan.dtype] if _can_be(file, dtype)]
    what = _what(file, plan.dtype)
    told = [f"{what} {line}" for line in _types(plan, smaller, file_bytes, fits)]
    units = _units(plan, names, fits)
    if units:
        told.append(units)
    if not told:
        for dtype in smaller[-1:]:
            units = _units(plan.as_type(dtype), names, fits)
            told += [f"{what} with --dtype {dtype}, and {units}"] if units else []
    return told


def _for_images(file: ModelFile, file_bytes: int, workspace: int, fits: Fits) -> list[str]:
    """The same for a network with layers of weights that are not dense."""
    plan = Images.of(file, file_bytes, workspace)
    what = _what(file, plan.dtype)
    smaller = [dtype for dtype in _SMALLER[plan.dtype] if _can_be(file, dtype)]
    told = [f"{what} {line}" for line in _types(plan, smaller, file_bytes, fits)]
    if part := plan.most_part(fits):
        told.append(_CHANNELS.format(part))
    if plan.fits_half_the_image(fits):
        told.append("give it images of half the rows and columns")
    if not told:
        for dtype in smaller[-1:]:
            if part := plan.as_type(dtype).most_part(fits):
                told.append(
                    f"{what} with --dtype {dtype}, and give the hidden layers at most {part:.0%} of their channels"
                )
    return told


def _plan(file: ModelFile, file_bytes: int, workspace: int) -> _Plan | None:
    """The file as it is; None if it has no dense layers, or of several types."""
    layers = [layer for layer in file.layers if _is_dense(layer)]
    dtypes = {Dense.DTYPES[layer.kernel] for layer in layers}
    if len(dtypes) != 1:
        return None
    plan = _Plan(
        dtypes.pop(),
        tuple(Size(layer.inputs[0].size, layer.outputs[0].size) for layer in layers),
        file_bytes - sum(layer.nbytes for layer in layers),
        0,
        max(map(_value_bytes, file.layers[: file.layers.index(layers[0])]), default=0),
        _is_chain(file),
    )
    return replace(plan, other_workspace=max(0, workspace - plan.sizes[1]))


def _is_dense(layer: Layer) -> bool:
    return layer.kind == "dense"


def _is_chain(file: ModelFile) -> bool:
    """Whether each layer reads what the one before it has made, and nothing else."""
    flow = [file.inputs[0], *(layer.outputs[0] for layer in file.layers)]
    return len(flow) == len(file.tensors) and all(
        layer.inputs == [before] for layer, before in zip(file.layers, flow, strict=False)
    )


def _value_bytes(layer: Layer) -> int:
    return layer.inputs[0].nbytes + layer.outputs[0].nbytes


def _can_be(file: ModelFile, dtype: str) -> bool:
    """Whether the kernels of a type take the file's layers."""
    rooms = [(room(layer.kind), layer) for layer in file.layers]
    if dtype != "int8-weights" and not all(kind.has_integers for kind, _ in rooms):
        return False
    if any(kind.SIZES and kind.row_length(layer) > S8Quad.MAX_IN for kind, layer in rooms):
        return False
    softmax = [layer.outputs[0].shape[-1] for layer in file.layers if layer.activation == "softmax"]
    return dtype == "int8-weights" or max(softmax, default=0) <= _SOFTMAX_S8


def _what(file: ModelFile, dtype: str) -> str:
    """What is to be converted: integers that were calibrated here were made from floats, those of a .tflite not."""
    calibrated = any(line.startswith("calibration: ") for line in file.lines("provenance"))
    has_floats = calibrated or dtype in ("float32", "int8-weights")
    return "convert" if has_floats else "convert the network of floats that it was made from"


def _types(plan: _Plan | Images, smaller: list[str], file_bytes: int, fits: Fits) -> list[str]:
    """A line with the types that would do: int4 only where no other does, as it may cost accuracy."""
    good = [dtype for dtype in smaller if fits(*plan.as_type(dtype).sizes)]
    good = [dtype for dtype in good if dtype != "int4"] or good
    if not good:
        return []
    saved = file_bytes - plan.as_type(good[0]).sizes[0]
    return [f"with --dtype {' or '.join(good)}: that saves about {saved} bytes"]


def _units(plan: _Plan, names: list[str], fits: Fits) -> str:
    """How many units would do: in the hidden layer that can keep most of its own, else in all of them; "" if none."""
    hidden = plan.hidden()
    parts = {index: _most(plan, index, fits) / plan.dense[index].n_out for index in hidden}
    index = max(parts, key=parts.get, default=None)
    if index is not None and parts[index] >= _LEAST_PART:
        n_out = plan.dense[index].n_out
        return f"give {names[index]} at most {round(parts[index] * n_out)} units instead of {n_out}"
    part = _most_part(plan, fits)
    if not part:
        return ""
    shrunk = _shrunk(plan, part)
    if len(shrunk) == 1:
        (index,) = shrunk
        return f"give {names[index]} at most {shrunk[index]} units instead of {plan.dense[index].n_out}"
    units = [f"{n} for {names[index]}" for index, n in shrunk.items()]
    return f"give the hidden layers at most {part:.0%} of their units: {', '.join(units)}"


def _most(plan: _Plan, index: int, fits: Fits) -> int:
    """The most units of a hidden layer with which the file fits, a multiple of 8 as kernels like it; 0 if none do."""
    fitting, too_many = 0, plan.dense[index].n_out // 8 + 1
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        if fits(*plan.with_units({index: 8 * middle}).sizes):
            fitting = middle
        else:
            too_many = middle
    return 8 * fitting


def _shrunk(plan: _Plan, part: float) -> dict[int, int]:
    """Units of the hidden layers that are large enough to be made smaller; a narrow one is narrow for a reason."""
    shrunk = {index: int(part * plan.dense[index].n_out) // 8 * 8 for index in plan.hidden()}
    return {index: n for index, n in shrunk.items() if n}


def _most_part(plan: _Plan, fits: Fits) -> float:
    """The largest part of the units of all hidden layers with which the file fits, in steps of 5 %; 0 if none does."""
    parts = (percent / 100 for percent in range(95, 0, -5))
    return next((part for part in parts if fits(*plan.with_units(_shrunk(plan, part)).sizes)), 0.0)
