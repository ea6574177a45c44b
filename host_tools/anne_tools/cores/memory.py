"""The arena of a model file over time: which values lie where, from which layer to which, and when it is fullest."""

from __future__ import annotations

from dataclasses import dataclass

from anne.model_file import ModelFile

from ..network.graph import default_names
from .files import layer_names
from .packed import input_names


@dataclass(frozen=True)
class Value:
    """A tensor in the arena, called by the layer that makes it. It is needed from layer `first` to layer `last`.

    Layers have the numbers they have in messages, from 0; -1 is before the first, their count after the last. `nbytes`
    are whole words, as it takes them.
    """

    name: str
    index: int
    offset: int
    nbytes: int
    first: int
    last: int


@dataclass
class Storage:
    """Bytes of the arena that one value has, or several in turn: turned in place, or under another shape."""

    values: list[Value]

    @property
    def offset(self) -> int:
        """Where it begins."""
        return self.values[0].offset

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return max(value.nbytes for value in self.values)

    @property
    def first(self) -> int:
        """The layer that makes the first of its values."""
        return self.values[0].first

    @property
    def last(self) -> int:
        """The last layer that needs one of them."""
        return max(value.last for value in self.values)


_ROLES = ("input", "in place", "output", "kept")


@dataclass
class LiveValue:
    """What lies in a storage while a layer runs; `role` is one of _ROLES, "in place" for input and output in one."""

    name: str
    role: str
    offset: int
    nbytes: int


@dataclass
class ArenaUse:
    """How an arena of `nbytes` is used: at most `live_bytes` at once, less than which no arena with these values has.

    That is first so at layer number `layer`, called `layer_name`, where `live` lie in it; -1 and "" before any layer.
    """

    nbytes: int
    live_bytes: int
    layer: int
    layer_name: str
    live: list[LiveValue]

    @property
    def where(self) -> str:
        """In words when it is fullest."""
        return f"at layer {self.layer} ({self.layer_name})" if self.layer >= 0 else "before the first layer"

    def line(self) -> str:
        """Return all of it in words."""
        live = " + ".join(_words(value, self.live) for value in self.live)
        if self.live_bytes == self.nbytes:
            return f"arena: {self.nbytes} bytes, largest {self.where}: {live}"
        return f"arena: {self.nbytes} bytes, of which at most {self.live_bytes} at once, {self.where}: {live}"


def _words(value: LiveValue, live: list[LiveValue]) -> str:
    alone = sum(other.role == value.role for other in live) == 1 and value.role != "kept"
    return f"{value.role} {value.nbytes}" + ("" if alone else f" ({value.name})")


def storages(file: ModelFile) -> list[Storage]:
    """Return the storages of a model file, from the lowest place up, and in the order in which they are made."""
    found: list[Storage] = []
    for value in sorted(_values(file), key=lambda value: (value.offset, value.first)):
        if found and found[-1].offset == value.offset and value.first <= found[-1].last:
            found[-1].values.append(
                value
            )  # at once in one place: the loader lets that be for one storage only
        else:
            found.append(Storage([value]))
    return found


def _values(file: ModelFile) -> list[Value]:
    first = {tensor.index: -1 for tensor in file.inputs}
    last = dict(first)
    for layer in file.layers:
        last |= {tensor.index: layer.index for tensor in layer.inputs}
        for made in (first, last):
            made |= {tensor.index: layer.index for tensor in layer.outputs}
    last |= {tensor.index: len(file.layers) for tensor in file.outputs}
    names = _names(file)
    return [
        Value(names[i], i, t.arena_offset, (t.nbytes + 3) // 4 * 4, first[i], last[i])
        for i, t in enumerate(file.tensors)
    ]


def _names(file: ModelFile) -> list[str]:
    names = [""] * len(file.tensors)
    for name, tensor in zip(input_names(file), file.inputs, strict=True):
        names[tensor.index] = name
    for layer, layer_name in zip(file.layers, layer_names(file), strict=True):
        for name, tensor in zip(default_names(layer_name, len(layer.outputs)), layer.outputs, strict=True):
            names[tensor.index] = name
    return names


def arena_use(file: ModelFile) -> ArenaUse:
    """Return how the arena of a model file is used, and what lies in it where it is fullest."""
    all_ = storages(file)
    live_bytes = {
        layer: sum(storage.nbytes for storage in all_ if storage.first <= layer <= storage.last)
        for layer in range(-1, len(file.layers))
    }
    layer = max(live_bytes, key=lambda layer: (live_bytes[layer], -layer))
    name = layer_names(file)[layer] if layer >= 0 else ""
    all_.sort(key=lambda storage: storage.values[0].index)
    live = [_live(storage, layer, file) for storage in all_ if storage.first <= layer <= storage.last]
    live.sort(key=lambda value: _ROLES.index(value.role))  # else as they are made
    return ArenaUse(file.arena_bytes, live_bytes[layer], layer, name, live)


def _live(storage: Storage, layer: int, file: ModelFile) -> LiveValue:
    """Of the values in a storage while a layer runs, the one that it reads; else the one that is there longest."""
    there = [value for value in storage.values if value.first <= layer <= value.last]
    reads, makes = set(), set()
    if layer >= 0:
        reads = {tensor.index for tensor in file.layers[layer].inputs}
        makes = {tensor.index for tensor in file.layers[layer].outputs}
    read = [value for value in there if value.index in reads]
    made = any(value.index in makes for value in there)
    role = {(1, 1): "in place", (1, 0): "input", (0, 1): "output", (0, 0): "kept"}[bool(read), made]
    if layer < 0:
        role = "input"
    return LiveValue((read or there)[0].name, role, storage.offset, storage.nbytes)
