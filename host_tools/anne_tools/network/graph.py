"""The network between an importer and a model file: layers and tensors over numpy arrays.

Importers build a Graph, passes simplify it, quantize gives it integers, pack writes it. Nothing here knows a
framework, a kind of layer or a byte of the file format.

Conventions: shapes carry no batch axis; images are channels last (H, W, C); `weights` of a dense layer are
(n_out, n_in), one row a unit, as `anne.dense` takes them (Keras keeps the transpose).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from anne.model_file import MAX_ELEMENTS

from ..data.samples import joined, listed, parted
from ..errors import ModelError
from .layer import Layer
from .tensor import Tensor

# Keys of provenance: "uint8" where the network's source takes or gives that and the model file has int8 for it, whose
# values are 128 less.
INPUT_TYPE, OUTPUT_TYPE = "input type", "output type"
# "0 2 3 1; 0 1": for each input, or output, the source's axis, the batch being axis 0, that each of ours is; not there
# where all are the same.
INPUT_AXES, OUTPUT_AXES = "input axes", "output axes"


@dataclass
class Metadata:
    """What travels with a model besides arithmetic."""

    name: str = "model"
    labels: list[str] = field(default_factory=list)
    feature_names: list[str] = field(default_factory=list)
    # where the model came from: importer, file, framework version, layer class names ...
    provenance: dict[str, str] = field(default_factory=dict)
    # for classifiers with one output: class 1 if the output is above this
    threshold: float | None = None
    # what the source called its classes, where the user gave them other labels; not in the file
    source_labels: list[str] = field(default_factory=list)
    # the files that were read, which a model file is never written over; not in the file
    sources: list[Path] = field(default_factory=list)
    # what the source calls the network's inputs and outputs, one name each; [] if it has no names
    input_names: list[str] = field(default_factory=list)
    output_names: list[str] = field(default_factory=list)


def orders_in(told: str, n: int) -> list[tuple[int, ...]]:
    """Return what provenance tells of the axes of `n` inputs or outputs: of each the source's axis that each of its
    axes is, the batch being axis 0; () where they are the same, or nothing is told."""
    texts = [text.split() for text in told.split(";")]
    if len(texts) != n or not all(digit in "01234" for text in texts for digit in text):
        return [()] * n
    orders = [tuple(map(int, text)) for text in texts]
    return [() if order == tuple(sorted(order)) else order for order in orders]


@dataclass
class Graph:
    """A network: `layers` in the order they run, `tensors` by name, names of its `inputs` and `outputs`."""

    inputs: list[str]
    outputs: list[str]
    layers: list[Layer]
    tensors: dict[str, Tensor]
    metadata: Metadata = field(default_factory=Metadata)

    def check(self) -> Graph:
        """Return the graph itself if it is whole: every tensor made once before use, all shapes fit.

        Raises ModelError naming the layer, what was expected and what is there.
        """
        for tensor in self.tensors.values():
            if tensor.size > MAX_ELEMENTS:  # before anyone draws samples of it
                raise ModelError(
                    f"tensor {tensor.name!r} of shape {tensor.shape}: expected at most {MAX_ELEMENTS} elements"
                )
        ready = set(self.inputs)
        for index, layer in enumerate(self.layers):
            self._check_layer(layer, f"layer {index} ({layer.title})", ready)
            ready.update(layer.outputs)
        for what, tensors, names in (
            ("input", self.inputs, self.input_names),
            ("output", self.outputs, self.output_names),
        ):
            if len(set(tensors)) != len(tensors):
                raise ModelError(f"expected each {what} of the network once, got {', '.join(tensors)}")
            if len(names) != len(tensors) or len(set(names)) != len(names):
                n = len(tensors)
                raise ModelError(
                    f"{what} names: expected {n}, each another, got {', '.join(map(repr, names))}"
                )
        for name in self.outputs:
            if name not in ready:
                raise ModelError(f"output {name!r} is computed by no layer")
        return self

    def _check_layer(self, layer: Layer, where: str, ready: set[str]) -> None:
        for what, names, n in (
            ("input", layer.inputs, layer.n_inputs),
            ("output", layer.outputs, layer.n_outputs),
        ):
            if not names or n not in (None, len(names)):
                raise ModelError(f"{where}: expected {n or 'some'} {what}s, got {len(names)}")
        for name in layer.inputs:
            if name not in ready:
                raise ModelError(f"{where}: its input {name!r} is not computed before it")
        for index, name in enumerate(layer.outputs):
            if name in ready or name in layer.outputs[:index]:
                raise ModelError(f"{where}: its output {name!r} is computed twice")
        shapes, declared = ([tensor.shape for tensor in ends] for ends in self.ends(layer))
        for expected, got in zip(layer.output_shapes(shapes, declared, where), declared, strict=True):
            if tuple(got) != tuple(expected):
                raise ModelError(f"{where}: expected output shape {expected}, got {got}")

    @property
    def is_quantized(self) -> bool:
        """Whether its values are integers, as in an int8 .tflite."""
        return any(tensor.dtype != "float32" for tensor in self.tensors.values())

    @property
    def integer_dtype(self) -> str:
        """The type of most of its values that are integers; "int8" where none are."""
        types = Counter(tensor.dtype for tensor in self.tensors.values() if tensor.dtype != "float32")
        return max(types, key=types.__getitem__, default="int8")

    def ends(self, layer: Layer) -> tuple[list[Tensor], list[Tensor]]:
        """The tensors that a layer reads, and those it makes."""
        return [self.tensors[name] for name in layer.inputs], [self.tensors[name] for name in layer.outputs]

    def consumers(self, tensor: str) -> Iterator[Layer]:
        """The layers that read `tensor`."""
        return (layer for layer in self.layers if tensor in layer.inputs)

    def source_axes(self, key: str) -> list[tuple[int, ...]]:
        """Return for each input (INPUT_AXES) or output (OUTPUT_AXES) the source's axis that each of its axes is, the
        batch being axis 0; () where they are the same."""
        names = self.inputs if key == INPUT_AXES else self.outputs
        return orders_in(self.metadata.provenance.get(key, ""), len(names))

    def copy(self) -> Graph:
        """A graph whose lists and layers can be changed without touching this one (arrays are shared)."""
        return Graph(
            list(self.inputs),
            list(self.outputs),
            [replace(layer) for layer in self.layers],
            dict(self.tensors),
            replace(self.metadata),
        )

    # --- Samples of several inputs and outputs

    @property
    def input_tensors(self) -> list[Tensor]:
        """The network's inputs, in order."""
        return [self.tensors[name] for name in self.inputs]

    @property
    def output_tensors(self) -> list[Tensor]:
        """The network's outputs, in order."""
        return [self.tensors[name] for name in self.outputs]

    @property
    def input_names(self) -> list[str]:
        """What users call the inputs: their names in the source, else "input", or "input 0" and so on."""
        return self.metadata.input_names or default_names("input", len(self.inputs))

    @property
    def output_names(self) -> list[str]:
        """What users call the outputs, likewise."""
        return self.metadata.output_names or default_names("output", len(self.outputs))

    def split(self, x: np.ndarray | Mapping[str, np.ndarray] | Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the samples of each input, (n_samples, *shape), by the name of its tensor.

        x as data/samples.py takes it, names being those of the tensors or the users'. ModelError if something is
        missing or of another shape.
        """
        names, tensors = self.input_names, self.input_tensors
        if isinstance(x, Mapping) and not all(name in names for name in x):
            x = {names[self.inputs.index(name)] if name in self.inputs else name: x[name] for name in x}
        arrays = listed(x, [tensor.shape for tensor in tensors], names, "execute")
        return {
            tensor.name: _checked(array, tensor.shape, f"input {name}")
            for tensor, name, array in zip(tensors, names, arrays, strict=True)
        }

    def join_outputs(self, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the outputs as one array, likewise."""
        return joined(outputs)

    def split_outputs(self, y: np.ndarray) -> list[np.ndarray]:
        """Return each output, (n_samples, *shape), of what `join_outputs` made."""
        return parted(y, [tensor.shape for tensor in self.output_tensors], "outputs")


def as_outputs(tensors: Iterable[str], inputs: Sequence[str], copy: Callable[[str], str]) -> list[str]:
    """Return names of tensors for the outputs as a model file may have them: each once, inputs first, in their order.

    For any other, `copy` is called with the name of a tensor and returns that of another with the same values.
    """
    places = {name: place for place, name in enumerate(inputs)}
    outputs: dict[str, None] = {}
    last = 0
    for name in tensors:
        if name in outputs or places.get(name, last) < last:
            name = copy(name)
        last = places.get(name, len(places))
        outputs[name] = None
    return list(outputs)


def default_names(what: str, n: int) -> list[str]:
    """Return what `n` inputs or outputs without names are called."""
    return [what] if n == 1 else [f"{what} {index}" for index in range(n)]


def _checked(array: np.ndarray, shape: tuple[int, ...], what: str) -> np.ndarray:
    array = np.asarray(array)
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
        wanted = ", ".join(map(str, ("n_samples", *shape)))
        raise ModelError(f"{what}: expected shape ({wanted}), got {array.shape}")
    return array
