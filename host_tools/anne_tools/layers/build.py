"""Builds a graph layer by layer, for importers and for whoever writes a network by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from ..network.graph import Graph, Metadata, as_outputs
from ..network.layer import Layer
from ..network.tensor import Tensor
from . import Activation, Dense, Reshape, Scaling

MAX_AXES = 32


def _few_axes(where: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return `shape` as Python's integers; ModelError before their product grows without end."""
    if len(shape) > MAX_AXES:
        raise ModelError(f"{where}: {len(shape)} axes are more than the limit of {MAX_AXES}")
    return tuple(int(d) for d in shape)


class GraphBuilder:
    """Each layer reads the last tensor made, or those it is told to; shapes are computed on the way.

    >>> b = GraphBuilder((4,))
    >>> hidden = b.dense("hidden", weights, bias, activation="relu")
    >>> b.dense("more", more_weights)
    >>> b.add(Add, "sum", inputs=[hidden, b.last])
    >>> graph = b.build()
    """

    def __init__(self, input_shape: tuple[int, ...] | None = None, input_tensor: Tensor | None = None):
        """With one input of that shape, or that is that tensor; without either, inputs come by `input`."""
        self.layers: list[Layer] = []
        self.tensors: dict[str, Tensor] = {}
        self.inputs: list[str] = []
        self.input_names: list[str] = []
        self.last: Tensor | None = None
        if input_tensor is not None or input_shape is not None:
            self._take_input(input_tensor or Tensor("input", _few_axes("input", input_shape)))

    def input(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Add an input of the network, called `name`; return its tensor, from which the next layer reads."""
        self.input_names.append(name)
        return self._take_input(Tensor(name, _few_axes(f"input {name}", shape)))

    def _take_input(self, tensor: Tensor) -> Tensor:
        if tensor.name in self.tensors:
            raise ModelError(f"input {tensor.name!r}: expected another name than that of a tensor before it")
        self.inputs.append(tensor.name)
        self.tensors[tensor.name] = self.last = tensor
        return tensor

    @property
    def first(self) -> Tensor:
        """The first input of the network."""
        return self.tensors[self.inputs[0]]

    def add(
        self,
        layer_class: type[Layer],
        name: str,
        *args,
        inputs: Sequence[Tensor] | None = None,
        shape: tuple[int, ...] | None = None,
        **kwargs,
    ) -> Tensor:
        """Append a layer of `layer_class` that reads `inputs`, the last tensor made if None; return its output.

        `shape` is needed by Reshape alone; other arguments go to the layer. Raises ModelError as Graph.check does.
        """
        sources = [self.last] if inputs is None else list(inputs)
        output = f"{name}:out{len(self.layers)}"
        layer = layer_class(name, [source.name for source in sources], output, *args, **kwargs)
        where = f"layer {len(self.layers)} ({layer.title})"
        shapes = [source.shape for source in sources]
        (computed,) = layer.output_shapes(shapes, [shape or shapes[0]], where)
        self.last = self.tensors[output] = Tensor(output, tuple(int(d) for d in computed))
        self.layers.append(layer)
        return self.last

    def dense(
        self,
        name: str,
        weights,
        bias=None,
        activation="linear",
        alpha=0.0,
        source="",
        at: Tensor | None = None,
    ) -> Tensor:
        """Append a Dense layer; `weights` (n_out, n_in), `bias` None for zeros. `at`: what it reads, as in `add`."""
        weights = np.ascontiguousarray(weights, np.float32)
        bias = np.zeros(weights.shape[0], np.float32) if bias is None else np.asarray(bias, np.float32)
        return self.add(Dense, name, weights, bias, activation, alpha, source=source, inputs=_at(at))

    def activation(
        self, name: str, activation: str, alpha=0.0, source="", at: Tensor | None = None
    ) -> Tensor:
        """Append an Activation layer."""
        return self.add(Activation, name, activation, alpha, source=source, inputs=_at(at))

    def scaling(self, name: str, scale, offset, source="", at: Tensor | None = None) -> Tensor:
        """Append a Scaling layer: output = input * scale + offset along the last axis."""
        scale, offset = np.asarray(scale, np.float64), np.asarray(offset, np.float64)
        return self.add(Scaling, name, scale, offset, source=source, inputs=_at(at))

    def reshape(self, name: str, shape: tuple[int, ...], source="", at: Tensor | None = None) -> Tensor:
        """Append a Reshape to `shape`; one dimension may be -1."""
        shape = _few_axes(f"layer {len(self.layers)} ({source or name})", shape)
        if shape.count(-1) == 1:
            known, size = -math.prod(shape), (at or self.last).size
            shape = tuple(size // known if d == -1 and known else d for d in shape)
        return self.add(Reshape, name, shape=shape, source=source, inputs=_at(at))

    def build(self, metadata: Metadata | None = None, outputs: Sequence[Tensor] | None = None) -> Graph:
        """Return the checked Graph from the inputs to `outputs`, the last layer's if None."""
        if not self.layers:
            raise ModelError("the model has no layers")
        wanted = [self.last] if outputs is None else outputs
        names = as_outputs([tensor.name for tensor in wanted], self.inputs, self._copy)
        metadata = metadata or Metadata()
        metadata.input_names = metadata.input_names or self.input_names
        return Graph(list(self.inputs), names, self.layers, self.tensors, metadata).check()

    def _copy(self, name: str) -> str:
        return self.activation(f"{name} copy", "linear", at=self.tensors[name]).name


def _at(tensor: Tensor | None) -> list[Tensor] | None:
    return None if tensor is None else [tensor]
