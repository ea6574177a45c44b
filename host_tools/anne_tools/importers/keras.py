"""Keras 3 and Keras 2 models, `.keras` and `.h5`, without Keras: Sequential and Functional, with branches, several
inputs and outputs, models inside models, and layers and models that are called several times.

A Keras model in memory is saved to a temporary file and read from there.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from ..layers.build import GraphBuilder
from ..network.graph import Graph, Metadata
from ..network.tensor import Tensor
from . import budget
from .ends import leading_to, printable
from .keras_files import read_file
from .keras_inputs import Shapes, input_shapes
from .keras_layers import AUGMENTATIONS, FUNCTIONS, LAYERS, Step
from .keras_model import MERGING, WRAPPERS, KerasLayer, snake_case
from .keras_references import named_references
from .keras_step import WEIGHTS_PER_STEP
from .refusal import Missing

# What Keras calls an input that its user gave no name, and in Keras 2 one before a layer of a Sequential.
_UNNAMED_INPUT = r"(input|input_layer|keras_tensor)(_[0-9]+)?"
_INPUT_OF_SEQUENTIAL = ".*_input"


def read(source: Path | object, input_shape: Shapes | None = None) -> Graph:
    """Return the Graph of a `.keras` or `.h5` file, or of a Keras model in memory.

    `input_shape` (without batch; of several inputs a dict by name, or a list) sets axes that the model leaves open.
    ModelError for layers that are not supported, naming all of them, and for what is no network.
    """
    if not isinstance(source, Path):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            source.save(path)
            return read(path, input_shape)
    model, version = read_file(source, _refuse_unsupported)
    reader = _Reader(version)
    outputs = reader.run(model, reader.inputs(model, input_shape))
    provenance = {
        "framework": f"Keras {version}",
        "layers": ", ".join(layer.class_name for layer in reader.ran),
    }
    notes = []
    if narrow := sorted({layer.policy for layer in reader.ran if layer.policy.endswith("float16")}):
        notes.append(
            f"{', '.join(narrow)}: Keras rounds every layer's values to 16 bits, here they are float32"
        )
    if augment := sorted({layer.class_name for layer in reader.ran} & set(AUGMENTATIONS)):
        notes.append(f"{', '.join(augment)}: for training only, dropped")
    if notes:
        provenance["notes"] = "; ".join(notes)
    return reader.graph(outputs, Metadata(provenance=provenance, output_names=_output_names(model)))


def _refuse_unsupported(model: KerasLayer) -> None:
    """Raise ModelError if anything in the model cannot be used, naming all of it."""
    missing = Missing()
    for index, layer in enumerate(model.listed()):
        where = f"layer {index} ({layer})"
        if layer.class_name in WRAPPERS:
            wrapper, layer = layer, layer.layers[0]
            if layer.is_model or layer.is_operator or layer.class_name in (*MERGING, *WRAPPERS):
                missing.layer(f"{wrapper.class_name} of a {layer.class_name}", where)
                continue
        if layer.class_name not in LAYERS:
            missing.layer(layer.class_name, where)
        elif (activation := layer.config.get("activation")) and _is_unknown(activation):
            missing.layer(f"activation {activation}", where)
        elif layer.class_name in MERGING and any(len(call) < 2 or None in call for call in layer.calls):
            missing.layer(f"{layer.class_name} of a constant", where)
        if layer.config.get("quantization_config") or any(
            t in layer.policy for t in ("int4", "int8", "float8", "gptq")
        ):
            missing.structure("weights quantised by Keras (save the model before model.quantize())")
    missing.refuse("keras")


def _is_unknown(activation: Any) -> bool:
    """Whether an activation is a function by a name that is not known."""
    return isinstance(activation, str) and activation not in FUNCTIONS


class _Reader:
    """Runs through a model call by call, and puts into the builder what each does."""

    def __init__(self, version: str):
        self.version = version
        self.builder = GraphBuilder()
        self.ran: list[KerasLayer] = []
        self.names: dict[str, int] = {}
        self.known: dict[int, list[Any]] = {}  # for each layer, by its id

    def inputs(self, model: KerasLayer, given: Shapes | None) -> list[Tensor]:
        """The inputs of the network."""
        names = _input_names(model)
        shapes = input_shapes(model, names, given)
        if not names:
            self.builder = GraphBuilder(shapes[0])
            return [self.builder.first]
        return [self.builder.input(name, shape) for name, shape in zip(names, shapes, strict=True)]

    def run(self, model: KerasLayer, x: list[Tensor]) -> list[Tensor]:
        """Return the outputs of a model that reads `x`."""
        values = dict(zip(model.inputs, x, strict=True))
        for call in model.order:
            layer, read = model.layers[call.layer], [values[key] for key in call.reads]
            budget.steps(1 + len(read) + len(layer.outputs), "the calls of layers")
            made = self.run(layer, read) if layer.is_model else self._run_layer(layer, call.number, read)
            values |= {(call.layer, call.number, n): tensor for n, tensor in enumerate(made)}
        return [values[key] for key in model.outputs]

    def _run_layer(self, layer: KerasLayer, number: int, x: list[Tensor]) -> list[Tensor]:
        budget.steps(1 + sum(v.size for v in layer.variables) // WEIGHTS_PER_STEP, str(layer))
        self.ran.append(layer)
        self.builder.last = x[0]
        name, known = _distinct(layer.name[:80], self.names), self.known.setdefault(id(layer), [])
        node = layer.nodes[number] if number < len(layer.nodes) else None
        step = Step(layer, name, x, self.version, known, node)
        LAYERS[layer.class_name](self.builder, step)
        return step.made or [self.builder.last]

    def graph(self, outputs: list[Tensor], metadata: Metadata) -> Graph:
        """The checked graph, without layers whose outputs nobody needs: those of a model of which not all is used."""
        budget.operations(len(outputs))
        b = self.builder
        b.layers = leading_to((tensor.name for tensor in outputs), b.layers)
        used = {*b.inputs, *(name for layer in b.layers for name in layer.outputs)}
        b.tensors = {name: tensor for name, tensor in b.tensors.items() if name in used}
        return b.build(metadata, outputs)


# Names and shapes of inputs and outputs


def _input_names(model: KerasLayer) -> list[str]:
    """What Keras calls the inputs, or []: by its own name the only one is not called."""
    named = named_references(model.config.get("input_layers"))
    names = [name for name, _ in named] or [x.name for x in model.layers[:1] if x.class_name == "InputLayer"]
    unnamed = _UNNAMED_INPUT + f"|{_INPUT_OF_SEQUENTIAL}" * (model.class_name == "Sequential")
    if len(names) == 1 and re.fullmatch(unnamed, names[0]):
        return []
    return _all_distinct(names)


def _output_names(model: KerasLayer) -> list[str]:
    """What Keras calls the outputs: as the layers that make them, or by the keys of a dict; or [], likewise."""
    layers = [model.layers[key.layer] for key in model.outputs]
    names = [name for name, _ in named_references(model.config.get("output_layers"))]
    names = names or [layer.name for layer in layers]
    if len(names) == 1 and re.fullmatch(snake_case(layers[0].class_name) + "(_[0-9]+)?", names[0]):
        return []
    return _all_distinct(names)


def _all_distinct(names: list[str]) -> list[str]:
    counts: dict[str, int] = {}
    return [_distinct(printable(name), counts) for name in names]


def _distinct(name: str, counts: dict[str, int]) -> str:
    """Return the name, with a number behind it if it is one of `counts`, which has the names before; note it there."""
    unique = name
    while unique in counts:
        counts[name] += 1
        unique = f"{name}_{counts[name]}"
    counts[unique] = 0
    return unique
