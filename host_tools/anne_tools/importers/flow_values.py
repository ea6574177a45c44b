"""What flows through a network that is being read, and the layers made of it so far.

An operation reads values by name. Some are constants, known here as arrays; the others flow through the network, and
belong to a tensor of the graph. Both keep their full shape, with a batch axis of 1 in front, since operations that
compute shapes do so, too; the graph's own shapes go without it.

The layers that a pattern of small arithmetic leaves behind unused (`flow_patterns`) are pruned at the end.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from anne.model_file import MAX_TENSORS

from ..errors import ModelError
from ..layers import Activation, Reshape
from ..network.graph import INPUT_AXES, OUTPUT_AXES, Graph, Metadata, as_outputs
from ..network.layer import Layer
from ..network.tensor import Quantization, Tensor
from . import budget
from .axes import Axes, arranged, channels_last
from .ends import charged, leading_to, printable

Key = Hashable
_INPUT_STEPS = 20
# The pattern of a value that is its `base` repeated along axes of 1.
SPREAD = "spread"


@dataclass(frozen=True)
class Step:
    """One operation: its place and class in the file, a name for the layer, the value it makes, and that one's type."""

    index: int
    op: str
    name: str
    output: Key
    dtype: str = "float32"
    quantization: Quantization | None = None

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"layer {self.index} ({self.op})"


@dataclass(frozen=True)
class Value:
    """What flows: a tensor of the graph, its shape with the batch axis, how it was made of `base` (patterns), and how
    it lies in the tensor, where that is not in the order of its axes."""

    tensor: str
    shape: tuple[int, ...]
    pattern: str = ""
    base: Value | None = None
    factor: float = 1.0
    axes: Axes | None = None


class Values:
    """The graph under construction: `input` for each input, operations, `graph` at the end."""

    def __init__(self):
        self.batch: int | None = None  # none before an input that has one
        self.constants: dict[Key, np.ndarray] = {}
        self.values: dict[Key, Value] = {}
        self.tensors: dict[str, Tensor] = {}
        self.layers: list[Layer] = []
        self.maker: dict[str, Layer] = {}  # by the tensor that a layer makes
        self.read: set[str] = set()  # the tensors that layers read
        self.notes: list[str] = []
        self.orders: dict[str, tuple[int, ...]] = {}  # of an input: how its axes lie
        self.inputs: dict[str, str] = {}  # tensor -> what the framework calls it, "" if nothing

    # The network's ends

    def input(
        self,
        name: str,
        key: Key,
        shape: Sequence[int],
        dtype: str = "float32",
        quantization: Quantization | None = None,
        is_image: bool = False,
    ) -> None:
        """Add an input of the network, the value `key`; `name` is the framework's, "" if it has none.

        `is_image` makes an image (N, C, H, W) or a signal (N, C, T) channels last, as it is then given to the network.
        """
        shape, shown = tuple(int(d) for d in shape), label(name, "input")
        budget.steps(_INPUT_STEPS, f"input {shown}")
        if not shape or min(shape) < 1:
            raise ModelError(f"input {shown}: expected fixed sizes behind the batch axis, got {shape}")
        if len(self.inputs) == MAX_TENSORS:
            raise ModelError(f"expected at most {MAX_TENSORS} inputs, got more")
        if key in self.values or key in self.constants:
            raise ModelError(f"input {shown}: {str(key)[:80]!r} is an input or a constant before it")
        budget.elements(f"input {shown}", shape)
        if len(shape) > 1:
            # A file may fix the batch of its export; the network does the same to each row, so one is read.
            if self.batch not in (None, shape[0]):
                raise ModelError(f"input {shown}: expected a batch of {self.batch}, got shape {shape}")
            self.batch, shape = shape[0], (1, *shape[1:])
        order = channels_last(len(shape)) if is_image and shape[0] == 1 else range(len(shape))
        made = self._tensor(shown, tuple(shape[axis] for axis in order), dtype, quantization)
        self.values[key] = replace(made, shape=shape, axes=arranged(None, shape, order))
        self.inputs[made.tensor] = name
        self.orders[made.tensor] = tuple(order)

    def quantized_input(self, step: Step, key: Key) -> None:
        """The input `key`, which nothing has read, is quantised at once: the network takes the integers instead."""
        x = self.as_it_lies(step, key)
        if x.tensor not in self.inputs or x.tensor in self.read:
            raise ModelError(f"{step.where}: float32 to {step.dtype} is supported at the input only")
        del self.values[key]
        like = self.tensors[x.tensor]
        self.tensors[x.tensor] = replace(like, dtype=step.dtype, quantization=step.quantization)
        self.values[step.output] = x

    def graph(self, outputs: Sequence[Key], metadata: Metadata, names: Sequence[str] = ()) -> Graph:
        """Return the checked graph whose outputs are those values, without layers that lead nowhere.

        `names` are the framework's for the outputs, if it has some; those of the inputs are known.
        """
        for key in outputs:
            if key not in self.values or not self.values[key].tensor:
                raise ModelError(f"the output {str(key)[:80]!r} is a constant, or computed by no layer")
        if names and len(names) != len(outputs):
            raise ModelError(f"expected {len(outputs)} output names, got {len(names)}")
        ordered = [self._as_output(key) for key in charged(outputs)]
        tensors = [value.tensor for value, _ in ordered]
        ends = as_outputs(tensors, list(self.inputs), self._copy)
        layers = leading_to(ends, self.layers)
        for key, orders in (
            (INPUT_AXES, list(self.orders.values())),
            (OUTPUT_AXES, [order for _, order in ordered]),
        ):
            if any(list(order) != sorted(order) for order in orders):
                metadata.provenance[key] = "; ".join(" ".join(map(str, order)) for order in orders)
        if self.notes:
            metadata.provenance["notes"] = "; ".join(self.notes)
        metadata.input_names, metadata.output_names = _names(self.inputs.values()), _names(names)
        used = {*self.inputs, *(name for layer in layers for name in (*layer.inputs, *layer.outputs))}
        kept = {name: tensor for name, tensor in self.tensors.items() if name in used}
        return Graph(list(self.inputs), ends, layers, kept, metadata).check()

    def _as_output(self, key: Key) -> tuple[Value, tuple[int, ...]]:
        """Return the value `key` as an output of the network may have it, and the order of its axes."""
        return self.values[key], tuple(range(len(self.values[key].shape)))

    def _copy(self, name: str) -> str:
        """Return another tensor with the same values."""
        like = self.tensors[name]
        made = self._tensor("copy", (1, *like.shape), like.dtype, like.quantization)
        self._append(Activation("copy", name, made.tensor, "linear"))
        return made.tensor

    # What operations read

    def constant(self, step: Step, key: Key, what: str) -> np.ndarray:
        """Return the constant `key`; ModelError if it is computed."""
        if key not in self.constants:
            raise ModelError(f"{step.where}: {what} must be a constant")
        array = self.constants[key]
        budget.steps(1 + array.size // 1000, step.where)  # whoever reads it looks at all of it
        return array

    def as_it_lies(self, step: Step, key: Key) -> Value:
        """Return the value `key` in whatever order it has; ModelError if it is a constant, unknown, or half of a
        pattern."""
        value = self._any_value(step, key)
        if not value.tensor:
            raise ModelError(
                f"{step.where} reads {value.pattern} of a value, which is supported as part of gelu only"
            )
        return value

    def _any_value(self, step: Step, key: Key) -> Value:
        if key in self.constants:
            raise ModelError(f"{step.where}: expected a computed input, got a constant")
        if key not in self.values:
            raise ModelError(f"{step.where}: its input {str(key)[:80]!r} is not computed before it")
        return self.values[key]

    # What is made

    def _tensor(
        self, name: str, shape: tuple[int, ...], dtype: str, quantization: Quantization | None
    ) -> Value:
        name = f"{name}:{len(self.tensors)}"
        self.tensors[name] = Tensor(name, without_batch(shape), dtype, quantization)
        return Value(name, shape)

    def _layer(
        self, step: Step, kind: type[Layer], x: Value | Sequence[Value], shape: tuple[int, ...], *args
    ) -> Value:
        """Append a layer of `kind` that reads one value or several; return what it makes."""
        sources = [x.tensor] if isinstance(x, Value) else [value.tensor for value in x]
        return self._made(step, kind(step.name, sources, "", *args, source=step.op), shape)

    def _made(self, step: Step, layer: Layer, shape: tuple[int, ...]) -> Value:
        """Append `layer`, whose inputs are known, and return what it makes: of `shape`, and of the step's type."""
        for given in (self.tensors[name].dtype for name in layer.inputs):
            if given != step.dtype and not (layer.changes_type or layer.takes_floats):
                raise ModelError(f"{step.where}: expected a {given} output, got {step.dtype}")
        made = self._tensor(step.name, shape, step.dtype, step.quantization)
        layer.outputs = (made.tensor,)
        self._append(layer)
        return made

    def reshaped(self, step: Step, x: Value, shape: tuple[int, ...]) -> Value:
        """Return `x` under a shape of the same size, by a Reshape unless only the batch axis differs."""
        if without_batch(shape) == without_batch(x.shape):
            return Value(x.tensor, shape, x.pattern, x.base, x.factor)
        like = self.tensors[x.tensor]
        made = self._tensor(step.name, shape, like.dtype, like.quantization)
        self._append(Reshape(step.name, x.tensor, made.tensor, source=step.op))
        return made

    def _append(self, layer: Layer) -> None:
        self.layers.append(layer)
        self.read.update(layer.inputs)
        self.maker |= dict.fromkeys(layer.outputs, layer)


def without_batch(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape without its batch axis of 1."""
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


def label(name: str, default: str) -> str:
    """Return a layer's name from a file: printable, short, never empty."""
    return "".join(c if c.isprintable() else "?" for c in name[:80].strip())[:40] or default


def _names(names: Iterable[str]) -> list[str]:
    """Return the names of all inputs or outputs as lines of text; [] unless each has one of its own."""
    lines = list(map(printable, names))
    return lines if all(lines) and len(set(lines)) == len(lines) else []
