"""The network between an importer and a model file: layers and tensors over numpy arrays.

Importers build a Graph, passes simplify it, quantize gives it integers, pack writes it. Nothing here knows a
framework or a byte of the file format.

Conventions: shapes carry no batch axis; images are channels last (H, W, C); `weights` of a dense layer are
(n_out, n_in), one row a unit, as `anne.dense` takes them (Keras keeps the transpose).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from anne.model_file import MAX_ELEMENTS

from ..errors import ModelError

# Activations in the order of their numbers in a model file (FORMAT.md, "Activations").
ACTIVATIONS = (
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
    "softplus",
    "swish",
    "hard_swish",
    "gelu",
    "softmax",
)
# The slope or scale `alpha` of those that have one, where nothing else is said.
DEFAULT_ALPHA = {"leaky_relu": 0.01, "elu": 1.0}
MAX_AXES = 32


# Keys of provenance: "uint8" where the network's source takes or gives that and the model file has int8 for it, whose
# values are 128 less.
INPUT_TYPE, OUTPUT_TYPE = "input type", "output type"


@dataclass(frozen=True)
class Quantization:
    """real = scale * (integer - zero_point); `scale` holds one value, or one a row of weights."""

    scale: np.ndarray
    zero_point: int = 0

    def __post_init__(self):
        object.__setattr__(self, "scale", np.atleast_1d(np.asarray(self.scale, np.float64)))


@dataclass(frozen=True)
class Tensor:
    """A value that flows between layers: `shape` without the batch axis; dtype float32, int8 or int16."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    quantization: Quantization | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass
class Layer:
    """One step from the tensor named `input` to the tensor named `output`.

    `source` is the layer's name and class in the framework's file, for reports and errors.
    """

    name: str
    input: str
    output: str
    source: str = field(default="", kw_only=True)

    @property
    def kind(self) -> str:
        """The layer's word in reports: dense, activation, scaling, reshape."""
        return type(self).__name__.lower()


@dataclass
class Dense(Layer):
    """output = activation(weights @ input + bias).

    `weights` is (n_out, n_in) and `bias` (n_out,), float32; or, from a quantised file, int8 and int32 with
    `weights_quantization` (one scale, or one a row; zero point 0).
    """

    weights: np.ndarray
    bias: np.ndarray
    activation: str = "linear"
    alpha: float = 0.0
    weights_quantization: Quantization | None = None


@dataclass
class Activation(Layer):
    """output = activation(input), element by element; softmax over the last axis. `alpha` as in Dense."""

    activation: str
    alpha: float = 0.0


@dataclass
class Scaling(Layer):
    """output = input * scale + offset along the last axis.

    Scalers, Normalization, Rescaling and BatchNormalization (with its moving statistics) all become this.
    """

    scale: np.ndarray
    offset: np.ndarray


@dataclass
class Reshape(Layer):
    """The same elements in the same order under another shape: Flatten, Reshape. The shape is the output tensor's."""


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
            where = f"layer {index} ({layer.source or layer.name})"
            if layer.input not in ready:
                raise ModelError(f"{where}: its input {layer.input!r} is not computed before it")
            if layer.output in ready:
                raise ModelError(f"{where}: its output {layer.output!r} is computed twice")
            expected = output_shape(
                layer, self.tensors[layer.input].shape, self.tensors[layer.output].shape, where
            )
            got = self.tensors[layer.output].shape
            if tuple(got) != tuple(expected):
                raise ModelError(f"{where}: expected output shape {expected}, got {got}")
            ready.add(layer.output)
        for name in self.outputs:
            if name not in ready:
                raise ModelError(f"output {name!r} is computed by no layer")
        return self

    @property
    def is_quantized(self) -> bool:
        """Whether its values are integers, as in an int8 .tflite."""
        return any(tensor.dtype != "float32" for tensor in self.tensors.values())

    def consumers(self, tensor: str) -> Iterator[Layer]:
        """The layers that read `tensor`."""
        return (layer for layer in self.layers if layer.input == tensor)

    def copy(self) -> Graph:
        """A graph whose lists and layers can be changed without touching this one (arrays are shared)."""
        return Graph(
            list(self.inputs),
            list(self.outputs),
            [replace(layer) for layer in self.layers],
            dict(self.tensors),
            replace(self.metadata),
        )


def output_shape(
    layer: Layer, shape: tuple[int, ...], declared: tuple[int, ...], where: str
) -> tuple[int, ...]:
    """Return the shape `layer` gives for an input of `shape`; `declared` is used by Reshape alone.

    Raises ModelError where weights, parameters or sizes do not fit, or where a float is not finite.
    """
    if isinstance(layer, Dense):
        return _dense_shape(layer, shape, where)
    if isinstance(layer, Scaling):
        for what, array in (("scale", layer.scale), ("offset", layer.offset)):
            if array.shape not in ((), (1,), shape[-1:]):
                raise ModelError(f"{where}: expected {shape[-1]} values of {what}, got shape {array.shape}")
            _check_finite(array, where, what)
        return shape
    if isinstance(layer, Activation):
        _check_activation(layer.activation, layer.alpha, where)
        return shape
    if isinstance(layer, Reshape):
        if math.prod(shape) != math.prod(declared):
            raise ModelError(f"{where}: cannot reshape {shape} to {declared}")
        return declared
    raise ModelError(f"{where}: unknown layer kind {layer.kind}")


def _dense_shape(layer: Dense, shape: tuple[int, ...], where: str) -> tuple[int, ...]:
    if layer.weights.ndim != 2:
        raise ModelError(f"{where}: expected weights (n_out, n_in), got shape {layer.weights.shape}")
    n_out, n_in = layer.weights.shape
    if len(shape) != 1:
        raise ModelError(f"{where}: expected a flat input, got shape {shape}; add a Flatten layer")
    if shape[0] != n_in:
        raise ModelError(f"{where}: expected {n_in} inputs, got {shape[0]}")
    if layer.bias.shape != (n_out,):
        raise ModelError(f"{where}: expected {n_out} values of bias, got shape {layer.bias.shape}")
    _check_activation(layer.activation, layer.alpha, where)
    _check_finite(layer.weights, where, "weights")
    _check_finite(layer.bias, where, "bias")
    return (n_out,)


def _check_activation(activation: str, alpha: float, where: str) -> None:
    if activation not in ACTIVATIONS:
        raise ModelError(f"{where}: unknown activation {activation!r}; known: {', '.join(ACTIVATIONS)}")
    if not np.isfinite(alpha):
        raise ModelError(f"{where}: alpha must be finite, got {alpha}")


def _check_finite(array: np.ndarray, where: str, what: str) -> None:
    bad = int(np.size(array) - np.count_nonzero(np.isfinite(array)))
    if bad:
        raise ModelError(f"{where}: {bad} of {array.size} {what} are NaN or infinite")


def _few_axes(where: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return `shape` as Python's integers; ModelError before their product grows without end."""
    if len(shape) > MAX_AXES:
        raise ModelError(f"{where}: {len(shape)} axes are more than the limit of {MAX_AXES}")
    return tuple(int(d) for d in shape)


class GraphBuilder:
    """Builds a chain layer by layer, as most importers meet it; shapes are computed on the way.

    >>> b = GraphBuilder((4,))
    >>> b.dense("hidden", weights, bias, activation="relu")
    >>> graph = b.build()
    """

    def __init__(self, input_shape: tuple[int, ...], input_tensor: Tensor | None = None):
        first = input_tensor or Tensor("input", _few_axes("input", input_shape))
        self.layers: list[Layer] = []
        self.tensors = {first.name: first}
        self.first = self.last = first

    def add(
        self, layer_class: type[Layer], name: str, *args, shape: tuple[int, ...] | None = None, **kwargs
    ) -> Tensor:
        """Append a layer of `layer_class` after the last one; return its output tensor.

        `shape` is needed by Reshape alone; other arguments go to the layer. Raises ModelError as Graph.check does.
        """
        output = f"{name}:out{len(self.layers)}"
        layer = layer_class(name, self.last.name, output, *args, **kwargs)
        where = f"layer {len(self.layers)} ({layer.source or layer.name})"
        computed = output_shape(layer, self.last.shape, shape or self.last.shape, where)
        self.last = self.tensors[output] = Tensor(output, tuple(int(d) for d in computed))
        self.layers.append(layer)
        return self.last

    def dense(self, name: str, weights, bias=None, activation="linear", alpha=0.0, source="") -> Tensor:
        """Append a Dense layer; `weights` (n_out, n_in), `bias` None for zeros."""
        weights = np.ascontiguousarray(weights, np.float32)
        bias = np.zeros(weights.shape[0], np.float32) if bias is None else np.asarray(bias, np.float32)
        return self.add(Dense, name, weights, bias, activation, alpha, source=source)

    def activation(self, name: str, activation: str, alpha=0.0, source="") -> Tensor:
        """Append an Activation layer."""
        return self.add(Activation, name, activation, alpha, source=source)

    def scaling(self, name: str, scale, offset, source="") -> Tensor:
        """Append a Scaling layer: output = input * scale + offset along the last axis."""
        return self.add(
            Scaling, name, np.asarray(scale, np.float64), np.asarray(offset, np.float64), source=source
        )

    def reshape(self, name: str, shape: tuple[int, ...], source="") -> Tensor:
        """Append a Reshape to `shape`; one dimension may be -1."""
        shape = _few_axes(f"layer {len(self.layers)} ({source or name})", shape)
        if shape.count(-1) == 1:
            known = -math.prod(shape)
            shape = tuple(self.last.size // known if d == -1 and known else d for d in shape)
        return self.add(Reshape, name, shape=shape, source=source)

    def build(self, metadata: Metadata | None = None) -> Graph:
        """Return the checked Graph from the input to the last layer."""
        if not self.layers:
            raise ModelError("the model has no layers")
        return Graph(
            [self.first.name], [self.last.name], self.layers, self.tensors, metadata or Metadata()
        ).check()
