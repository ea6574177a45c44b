"""Builds a Graph from a framework's list of operations on named values, as ONNX, TFLite and torch.export have it.

    flow = Flow()
    flow.input("image", key, (1, 8, 8))          # for each input
    flow.dense(step, key, weights, bias)         # for each operation
    graph = flow.graph([last], Metadata(), names=["score"])

What values are stands in `flow_values`; arithmetic that is an activation spelled out, in `flow_patterns`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..layers import Activation, Conv, Dense, Pad
from ..layers.windows import Window
from ..network.layer import Layer
from ..network.tensor import Quantization
from . import axes as lying
from . import budget
from .flow_arithmetic import Arithmetic
from .flow_axes import MAX_RANK
from .flow_values import Key, Step, Value, label, without_batch  # noqa: F401 - importers have them from here


class Flow(Arithmetic):
    """The graph under construction, and what operations do to it."""

    # What operations make

    def layer(self, step: Step, keys: Key | list[Key], kind: type[Layer], *args, **kwargs) -> Value:
        """Append a layer of any kind, which reads the value `keys`, or several in a list; its output is the step's.

        The arguments are the class's own, behind the names of its inputs and outputs. Its room tells the shape, to
        which the batch axis comes back. Where a kind keeps values, they keep their scale, too. Return what it makes.
        """
        x = [self.value(step, key) for key in (keys if isinstance(keys, list) else [keys])]
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, np.ndarray):
                budget.elements(step.where, argument.shape)
        layer = kind(step.name, [value.tensor for value in x], "", *args, source=step.op, **kwargs)
        (shape,) = layer.output_shapes([without_batch(value.shape) for value in x], [()], step.where)
        if any(without_batch(value.shape) != value.shape for value in x):
            shape = (1, *shape)
        budget.value(step.where, shape)
        if layer.keeps_values:
            step = replace(step, quantization=self.tensors[x[0].tensor].quantization)
        self.values[step.output] = made = self._made(step, layer, shape)
        return made

    def dense(
        self,
        step: Step,
        key: Key,
        weights: np.ndarray,
        bias: np.ndarray | None,
        activation: str = "linear",
        quantization: Quantization | None = None,
    ) -> None:
        """weights (n_out, n_in) times the last axis of a value, row by row, plus bias.

        int8 weights are kept with their `quantization`, and an int32 bias with them; all else becomes float32.
        """
        x = self.as_it_lies(step, key)
        if weights.ndim != 2:
            raise ModelError(f"{step.where}: expected weights of two axes, got shape {weights.shape}")
        n_out, n_in = weights.shape
        if x.shape[-1] != n_in:
            raise ModelError(f"{step.where}: expected {n_in} inputs, got shape {x.shape[1:] or x.shape}")
        bias = np.zeros(n_out) if bias is None else bias
        if bias.size not in (1, n_out):
            raise ModelError(f"{step.where}: expected {n_out} values of bias, got {bias.size}")
        bias = np.broadcast_to(bias.reshape(-1), (n_out,)).astype(
            np.float32 if step.dtype == "float32" else np.int32
        )
        budget.elements(step.where, weights.shape)
        weights = np.ascontiguousarray(weights, np.float32 if quantization is None else np.int8)
        shape = x.shape[:-1] + (n_out,)
        if math.prod(x.shape) != n_in:
            return self._rows(step, x, shape, weights, bias, activation, quantization)
        if x.axes is not None:  # of an image that was flattened: its weights change places
            budget.elements(step.where, weights.shape)
            weights = np.ascontiguousarray(weights[:, lying.places(x.axes)])
        flat = self._under(step, x, (n_in,))
        made = self.placed(step, [flat], Dense, weights, bias, activation, 0.0, quantization)
        self.values[step.output] = self.reshaped(step, replace(made, shape=(1, n_out)), shape)

    def _rows(self, step, x: Value, shape, weights, bias, activation, quantization) -> None:
        """A dense layer on every row: a convolution of one tap."""
        order = self.order_of(step, x)
        if order is None or order[-1] != len(shape) - 1:
            order = tuple(range(len(shape)))
        x = self.arranged(step, x, order)
        given = self.tensors[x.tensor].shape
        if len(given) not in (2, 3):
            x = self._under(step, x, (math.prod(given[:-1]), given[-1]))
        taps = weights.reshape(len(weights), 1, 1, -1)
        made = self.placed(step, [x], Conv, taps, bias, Window((1, 1)), 1, activation, 0.0, quantization)
        made = replace(made, shape=shape, axes=lying.arranged(None, shape, order))
        self.values[step.output] = self._under(step, made, (*given[:-1], len(weights)))

    def activation(self, step: Step, key: Key, name: str, alpha: float = 0.0) -> None:
        """An activation, element by element."""
        x = self.as_it_lies(step, key)
        made = self.alike(step, Activation, x, name, alpha)
        self.values[step.output] = replace(made, pattern=name, base=x)

    def softmax(self, step: Step, key: Key, axis: int, name: str = "softmax") -> None:
        """Softmax along `axis`, or log_softmax."""
        x = self.as_it_lies(step, key)
        rank = len(x.shape)
        if not -rank <= axis < rank or (rank > 1 and axis % rank == 0):
            raise ModelError(f"{step.where}: along axis {axis} of shape {x.shape} is not supported")
        x, _ = self.with_last(step, x, [axis % rank])
        self.values[step.output] = self.by_rows(step, x, x.shape[axis % rank], Activation, name, 0.0)

    def reshape(self, step: Step, key: Key, shape: Sequence[int]) -> None:
        """The same elements under another shape, of which one axis may be -1; constants are reshaped at once."""
        if key in self.constants:
            self.constants[step.output] = self.fold(step, np.reshape, self.constants[key], tuple(shape))
            return
        x = self.as_it_lies(step, key)
        if len(shape) > MAX_RANK:
            raise ModelError(f"{step.where}: {len(shape)} axes are more than the limit of {MAX_RANK}")
        target, size = [int(d) for d in shape], math.prod(x.shape)
        if target and target[0] == self.batch:
            target[0] = 1
        known = math.prod(d for d in target if d != -1)
        if target.count(-1) == 1 and known:
            target[target.index(-1)] = size // known
        if not target or min(target) < 1 or math.prod(target) != size:
            raise ModelError(f"{step.where}: cannot reshape {x.shape} to {tuple(shape)}")
        if x.axes is None:
            x = self.arranged(step, x)
            self.values[step.output] = self.reshaped(step, x, tuple(target))
        else:  # its elements stay where they are until a layer wants them in another order
            self.values[step.output] = replace(x, shape=tuple(target))

    def pad(self, step: Step, key: Key, widths: Sequence[tuple[int, int]], value: float) -> None:
        """`value` before and after the elements of each axis, the batch axis among them, to which none may come."""
        x = self.value(step, key)
        if len(widths) != len(x.shape):
            raise ModelError(f"{step.where}: expected padding of {len(x.shape)} axes, got {len(widths)}")
        shape = tuple(before + n + after for (before, after), n in zip(widths, x.shape, strict=True))
        if min(min(width) for width in widths) < 0 or (len(shape) > 1 and shape[0] != x.shape[0]):
            raise ModelError(
                f"{step.where}: padding by {list(widths)} of shape {x.shape} is not supported; supported is what makes "
                "axes behind the first longer"
            )
        before, after = zip(*(widths[1:] if len(without_batch(shape)) < len(shape) else widths), strict=True)
        self.layer(step, key, Pad, before, after, value)

    def same(self, step: Step, key: Key) -> None:
        """An operation without effect: its output is its input."""
        if key in self.constants:
            self.constants[step.output] = self.constants[key]
        else:
            self.values[step.output] = self._any_value(step, key)

    def transpose(self, step: Step, key: Key, order: Sequence[int]) -> None:
        """Axes in another order: of a constant at once; of a value when a layer wants them so."""
        if key in self.constants:
            self.constants[step.output] = self.fold(step, np.transpose, self.constants[key], tuple(order))
            return
        x = self.as_it_lies(step, key)
        if sorted(order) != list(range(len(x.shape))):
            raise ModelError(f"{step.where}: axes {tuple(order)} do not fit shape {x.shape}")
        fits, axes = lying.transposed(x.axes, x.shape, order)
        if not fits:
            x = self.arranged(step, x)
            _, axes = lying.transposed(x.axes, x.shape, order)
        shape = tuple(x.shape[axis] for axis in order)
        self.values[step.output] = Value(x.tensor, shape, axes=axes)

    def fold(self, step: Step, function: Callable, *args) -> np.ndarray:
        """Return function(*args) on constants; ModelError where numpy refuses, or where too much would be computed."""
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        try:
            budget.elements(step.where, np.broadcast_shapes(*(a.shape for a in arrays)))
            with np.errstate(all="ignore"):
                return np.asarray(function(*args))
        except ModelError:
            raise
        except (TypeError, ValueError, IndexError) as error:
            raise ModelError(f"{step.where}: {str(error)[:150]}") from error
