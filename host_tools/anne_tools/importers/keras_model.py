"""What a Keras file says of a model: its layers with their settings and calls, no meaning attached yet.

A Sequential is a list of layers; a Functional also lists the calls of each ("inbound nodes"), in one of two ways, which
`keras_references` reads. A model inside a model is one of its layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..errors import ModelError
from . import budget
from .flow import label
from .keras_references import Reference, is_call_of_keras_3, references

MODELS = ("Sequential", "Functional", "Model")
WRAPPERS = ("TimeDistributed",)
# Layers that take any number of tensors from two on.
MERGING = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
# Before the names of operators, which are layers in files: those of keras.ops, and TensorFlow's in Keras 2.
OPS, TENSORFLOW = "ops.", "tf."
_TENSORFLOW_CLASSES = ("TFOpLambda", "SlicingOpLambda", "ClassMethod")
OWN_MODULES = ("keras", "tf_keras", "tensorflow", "builtins")


class Key(NamedTuple):
    """A tensor inside a model: the position of the layer that makes it, which call of it, and which of its outputs."""

    layer: int
    call: int
    output: int


class Call(NamedTuple):
    """One call of the layer at position `layer`, its number `number`, and the tensors that it reads."""

    layer: int
    number: int
    reads: list[Key]


@dataclass
class KerasLayer:
    """One entry of a model's list of layers; for a model inside a model, `layers` are its own (else empty).

    `calls` are the references that each of its calls reads, None for a constant, and `nodes` the same calls as the file
    has them; `variables` are in the order in which Keras made them. Of a wrapper the layer in it is one of `layers`. Of
    a model, `keras_calls.arrange` fills in what it takes (`inputs`), what it gives (`outputs`), and its layers' calls
    in the `order` in which they run, several of one layer if it is shared.
    """

    class_name: str
    name: str
    config: dict[str, Any]
    calls: list[list[Reference | None]] = field(default_factory=list)
    calls_of_keras_2: bool = False  # which counts them otherwise
    nodes: list[Any] = field(default_factory=list)
    layers: list[KerasLayer] = field(default_factory=list)
    variables: list[np.ndarray] = field(default_factory=list)
    inputs: list[Key] = field(default_factory=list)
    outputs: list[Key] = field(default_factory=list)
    order: list[Call] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.class_name} {self.name!r}"

    @property
    def is_model(self) -> bool:
        return self.class_name in MODELS

    @property
    def is_operator(self) -> bool:
        """Whether it is an operator, whose arguments may be constants."""
        return self.class_name.startswith((OPS, TENSORFLOW))

    @property
    def n_outputs(self) -> int:
        """How many tensors a call of it makes."""
        if self.is_model:
            return len(self.outputs)
        if self.class_name != f"{OPS}Split":
            return 1
        parts = self.config.get("indices_or_sections")
        return len(parts) + 1 if isinstance(parts, list) else parts if isinstance(parts, int) else 1

    @property
    def policy(self) -> str:
        """The name of its dtype policy, such as float32 or mixed_bfloat16; "" if it has none."""
        policy = self.config.get("dtype")
        settings = policy.get("config") if isinstance(policy, dict) else {"name": policy}
        return str(settings.get("name") or "") if isinstance(settings, dict) else ""

    def listed(self) -> Iterator[KerasLayer]:
        """The layers as the file lists them, each once, models inside models opened up, without InputLayers."""
        for layer in self.layers:
            if layer.is_model:
                yield from layer.listed()
            elif layer.class_name != "InputLayer":
                yield layer


def snake_case(class_name: str) -> str:
    """Return the name Keras files a class under: BatchNormalization -> batch_normalization, ReLU -> re_lu."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def parse_model(entry: dict[str, Any], depth: int = 0) -> KerasLayer:
    """Return the layer an entry of the config describes; a model's own layers are parsed, too."""
    config = entry.get("config")
    class_name = label(str(entry.get("class_name")), "?")
    if depth > budget.MAX_LEVELS:
        raise ModelError(f"more than {budget.MAX_LEVELS} models inside each other")
    if not _is_kerass_own(entry):
        class_name = label(str(entry.get("registered_name") or f"{entry.get('module')}.{class_name}"), "?")
    if depth == 0 and class_name not in MODELS:
        raise ModelError(f"a model of class {class_name} is not supported; supported: Sequential, Functional")
    if class_name in MODELS and isinstance(config, list):
        config = {"layers": config}  # Keras before 2.2.3 wrote a Sequential as the bare list
    config = config if isinstance(config, dict) else {}
    name = str(entry.get("name") or config.get("name") or "")
    nodes = entry.get("inbound_nodes") or []
    calls = [references(node) for node in nodes]
    is_keras_2 = bool(nodes) and not is_call_of_keras_3(nodes[0])
    if class_name in _TENSORFLOW_CLASSES:
        class_name = TENSORFLOW + label(str(config.get("function")), class_name)
    elif _is_of_keras_ops(entry, config, bool(nodes) and not is_keras_2):
        class_name = OPS + class_name
    layer = KerasLayer(class_name, name, config, calls, is_keras_2, nodes)
    if layer.is_model:
        entries = config.get("layers") or []
        budget.operations(len(entries))
        layer.layers = [parse_model(e, depth + 1) for e in entries]
    elif class_name in WRAPPERS:
        inner = config.get("layer")
        layer.layers = [parse_model(inner if isinstance(inner, dict) else {}, depth + 1)]
    return layer


def _is_of_keras_ops(entry: dict[str, Any], config: dict[str, Any], is_keras_3: bool) -> bool:
    """Whether an entry is an operator, which may be called as a layer is: Add. An .h5 file does not say its module."""
    if (module := entry.get("module")) is not None:
        return str(module).startswith(("keras.src.ops", "keras.ops"))
    return is_keras_3 and "trainable" not in config and entry.get("class_name") not in ("InputLayer", *MODELS)


def _is_kerass_own(entry: dict[str, Any]) -> bool:
    """False for a class of the user's, which may be called Dense as well as anything else."""
    module = entry.get("module")
    registered = str(entry.get("registered_name") or "")
    return (module is None or str(module).partition(".")[0] in OWN_MODULES) and (
        ">" not in registered or registered.startswith("Keras>")
    )
