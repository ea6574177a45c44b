"""The order in which the calls of a Keras model's layers run, and which tensors each reads.

Files count the calls of a layer, but not all from 0: in Keras 3 those of a Functional count from 1 in the lists of a
model's inputs and outputs; in Keras 2 those of models count from 1 everywhere, but for a Sequential that was made
without an input's shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import ModelError
from . import budget
from .keras_model import MERGING, Call, KerasLayer, Key
from .keras_references import Reference, named_references


def arrange(model: KerasLayer) -> int:
    """Fill in inputs, outputs and order of calls of a model and of those in it; return the steps of one run.

    ModelError for what is no network: circles, tensors that nobody makes, calls that read more or less than their layer
    takes; or for more steps than MAX_OPERATIONS: a model may use another twice, and that one a third twice, so a short
    file can describe any number of them.
    """
    steps_of = [arrange(layer) if layer.is_model else 0 for layer in model.layers]
    if model.class_name == "Sequential":
        _arrange_sequential(model)
    else:
        _Functional(model).arrange()
    # a sum of several tensors becomes as many layers less one
    steps = sum(
        1 + steps_of[call.layer] if model.layers[call.layer].is_model else max(1, len(call.reads) - 1)
        for call in model.order
    )
    if steps > budget.MAX_OPERATIONS:
        raise ModelError(
            f"model {model.name!r}: {steps} layers run in it, more than the limit of {budget.MAX_OPERATIONS}"
        )
    return steps


def _arrange_sequential(model: KerasLayer) -> None:
    """Each layer reads what the one before it makes."""
    model.inputs = last = [Key(-1, 0, 0)]
    for position, layer in enumerate(model.layers):
        if layer.class_name != "InputLayer":
            model.order.append(_checked(layer, Call(position, 0, last)))
            last = [Key(position, 0, n) for n in range(layer.n_outputs)]
    model.outputs = last


class _Functional:
    """The calls of a Functional model while they are brought into order."""

    def __init__(self, model: KerasLayer):
        self.model = model
        self.positions = {layer.name: position for position, layer in enumerate(model.layers)}
        if len(self.positions) != len(model.layers):
            raise ModelError(f"model {model.name!r}: two of its layers have one name")
        self.inputs = [end for _, end in named_references(model.config.get("input_layers"))]
        self.outputs = [end for _, end in named_references(model.config.get("output_layers"))]
        self.first_in_calls, self.first_in_ends = self._first_numbers()

    def _first_numbers(self) -> tuple[dict[str, int], dict[str, int]]:
        """The number of the first call of each model in this one, in calls and in the lists of inputs and outputs."""
        least_in_calls = _least(end for layer in self.model.layers for call in layer.calls for end in call)
        least_in_ends = _least(self.inputs + self.outputs)
        in_calls, in_ends = {}, {}
        for layer in filter(lambda layer: layer.is_model, self.model.layers):
            name = layer.name
            if layer.calls_of_keras_2:
                least = min(least_in_calls.get(name, 1), least_in_ends.get(name, 1))
                in_calls[name] = in_ends[name] = least
            elif layer.class_name != "Sequential":
                in_ends[name] = least_in_ends.get(name, 0)
        return in_calls, in_ends

    def arrange(self) -> None:
        model = self.model
        model.inputs = [self._key(end, self.first_in_ends) for end in self.inputs]
        for key in model.inputs:
            if (layer := model.layers[key.layer]).class_name != "InputLayer":
                raise ModelError(f"model {model.name!r}: expected inputs to be InputLayers, got {layer}")
        if len(set(model.inputs)) != len(model.inputs):
            raise ModelError(f"model {model.name!r}: expected each input once")
        model.outputs = [self._key(end, self.first_in_ends) for end in self.outputs]
        model.order = list(self._order())

    def _order(self) -> Iterator[Call]:
        """The calls that the outputs need, each after those it reads from."""
        done = {key[:2] for key in self.model.inputs}
        reads: dict[tuple[int, int], list[Key]] = {}  # of calls that have begun
        waiting = [key[:2] for key in reversed(self.model.outputs)]
        while waiting:
            at = waiting[-1]
            if at not in done and at not in reads:
                reads[at] = [self._key(end, self.first_in_calls) for end in self._references_at(at)]
                needed = [key[:2] for key in reversed(reads[at]) if key[:2] not in done]
                if any(call in reads for call in needed):
                    raise ModelError(f"model {self.model.name!r}: its layers form a circle")
                waiting += needed
                continue
            waiting.pop()
            if at not in done:
                done.add(at)
                yield _checked(self.model.layers[at[0]], Call(*at, reads.pop(at)))

    def _references_at(self, at: tuple[int, int]) -> list[Reference | None]:
        position, number = at
        layer = self.model.layers[position]
        if layer.class_name == "InputLayer":
            raise ModelError(f"model {self.model.name!r}: {layer} is none of its inputs")
        reads = layer.calls[number]
        return [end for end in reads if end is not None] if layer.is_operator else reads

    def _key(self, end: Reference | None, first: dict[str, int]) -> Key:
        """The tensor that a reference means, its calls counted from 0."""
        if end is None:
            raise ModelError(f"model {self.model.name!r}: expected tensors only, got a constant")
        name, number, output = end
        if name not in self.positions:
            raise ModelError(f"model {self.model.name!r}: no layer is called {name!r}")
        position = self.positions[name]
        layer = self.model.layers[position]
        key = Key(position, number - first.get(name, 0), output)
        n_calls = 1 if layer.class_name == "InputLayer" else len(layer.calls)
        if not (0 <= key.call < n_calls and 0 <= output < layer.n_outputs):
            raise ModelError(f"model {self.model.name!r}: {layer} has no output {output} of a call {number}")
        return key


def _least(ends: Iterable[Reference | None]) -> dict[str, int]:
    """The least number of a call, 0 or 1, by the layer's name."""
    least: dict[str, int] = {}
    for end in filter(None, ends):
        least[end[0]] = max(0, min(end[1], least.get(end[0], 1)))
    return least


def _checked(layer: KerasLayer, call: Call) -> Call:
    """Return the call; ModelError if it reads another number of tensors than its layer takes."""
    expected = len(layer.inputs) if layer.is_model else 1
    takes_any = layer.is_operator or layer.class_name in MERGING
    if not call.reads or len(call.reads) != expected and not takes_any:
        raise ModelError(f"layer {layer}: expected to read {expected} tensors, got {len(call.reads)}")
    return call
