"""What every kind of layer has; the kinds themselves live in layers/, a room each.

Whatever goes through a network (check, execute, quantise, pack, cost, report) asks the layer and knows no kind.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from .tensor import Tensor

Shape = tuple[int, ...]
# Where the output may lie: in a place of its own; where an input lies that nothing needs afterwards; always in the
# input's place, as it is the same bytes.
OWN, IN_PLACE, SAME = "own", "in place", "same"


@dataclass
class Record:
    """What a layer becomes in the file: constants as bytes, parameters as int32 (FORMAT.md, "Layers")."""

    kind: str
    activation: str = "linear"
    alpha: float = 0.0
    constants: list[bytes] = field(default_factory=list)
    parameters: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Integers:
    """What a layer is quantised into: values of `dtype`; the least and greatest value of each output; the greatest
    weight."""

    dtype: str
    spans: Sequence[tuple[float, float]]
    most_weight: int


@dataclass
class Layer(ABC):
    """One step from the tensors named `inputs` to those named `outputs`; a single name stands for a tuple of one.

    `source` is the layer's name and class in the framework's file, for reports and errors. Methods get the tensors
    themselves: `sources` and `targets`, one for each name.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    source: str = field(default="", kw_only=True)

    # How many inputs it takes; None for any number.
    n_inputs: ClassVar[int | None] = 1
    n_outputs: ClassVar[int | None] = 1
    place: ClassVar[str] = OWN
    # Its outputs hold values of its first input: on integers they have its type, scale and zero point.
    keeps_values: ClassVar[bool] = False
    # On integers its inputs and its output all have one scale and zero point (conversion/scales.py).
    one_scale: ClassVar[bool] = False
    # It keeps something from one sample to the next: samples are one stream.
    keeps_state: ClassVar[bool] = False
    # Its output jumps where values are (nearly) equal, so that their rounding decides.
    decides: ClassVar[bool] = False
    # On integers its input stays a float, and the output has integers.
    takes_floats: ClassVar[bool] = False
    # Whether there are kernels of integers for it.
    has_integers: ClassVar[bool] = True
    # Its weights may have four bits in a file; else int4 gives it int8, as fewer steps would save nothing.
    has_four_bits: ClassVar[bool] = False
    # Its output may be of another type than its inputs: quantize, arg_max, embedding.
    changes_type: ClassVar[bool] = False

    def __post_init__(self):
        self.inputs, self.outputs = _names(self.inputs), _names(self.outputs)

    @property
    def kind(self) -> str:
        """Its kind's word in model files and reports: max_pool for the class MaxPool."""
        return re.sub(r"(?<=.)(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def input(self) -> str:
        """The first input."""
        return self.inputs[0]

    @property
    def output(self) -> str:
        """The first output."""
        return self.outputs[0]

    def needs_floats(self, into: Integers) -> bool:
        """Whether it stays in floats in a network of integers, between layers that turn those into floats and back."""
        return not self.has_integers

    @property
    def title(self) -> str:
        """What it is called in notes and errors."""
        return self.source or self.name

    # --- What it means

    @abstractmethod
    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        """Return the shapes it gives for inputs of `shapes`; `declared`, of its outputs, is used by few.

        ModelError, which begins with `where`, if weights, parameters or sizes do not fit, or a float is not finite.
        """

    @abstractmethod
    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        """Return its outputs (n_samples, *shape) for inputs likewise; real numbers, of the inputs' float type."""

    def expected(self, x: np.ndarray) -> np.ndarray:
        """Return inputs as the layer expects them, for x drawn around 0, most within 1."""
        return x

    # --- Its integers

    @property
    def n_weights(self) -> int:
        """How many weights it has, each of which is multiplied once for a sample."""
        return 0

    @property
    def is_quantized(self) -> bool:
        """Whether its weights are integers."""
        return False

    def with_integer_weights(self) -> Layer:
        """Return it with int8 weights between values that stay floats."""
        return self

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        """Return the layer on integers, and its outputs with scale and zero point; `sources` are quantised already.

        ModelError if the kind has no integers.
        """
        if self.keeps_values:
            like = sources[0]
            return self, [replace(t, dtype=like.dtype, quantization=like.quantization) for t in targets]
        return self, [t.with_range(into.dtype, span) for t, span in zip(targets, into.spans, strict=True)]

    # --- In the file

    @abstractmethod
    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        """Return what it becomes in the file; ModelError if the format has nothing for it."""

    # --- What it costs. Of a layer in a file: `layer` is a model_file.Layer, `chip` a layers.prices.Chip

    # How large it would be as another type of conversion: bytes of its constants for n_out rows of n_in weights, by
    # (n_in, n_out). Empty for kinds without weights.
    SIZES: ClassVar[dict[str, Callable[[int, int], int]]] = {}

    @classmethod
    def row_length(cls, layer: model_file.Layer) -> int:
        """Return how many weights a row has in a layer of the kind in a file."""
        return max(1, round(layer.macs / layer.outputs[0].size))

    # Appends a layer of the kind to a GraphBuilder; it reads as many flat tensors of one size as it takes. `make costs`
    # measures it and writes the prices for the RP2040. None for kinds that host_tools/measure_costs.py names.
    timed: ClassVar[Callable[[Any, list[Tensor]], Any] | None] = None
    # Sizes of these tensors with which it is measured, too, beside some up to 64.
    timed_larger: ClassVar[tuple[int, ...]] = ()
    # The prices on the RP2350's Cortex-M33, estimated from its instruction timings: a layers.prices.Cost for each name.
    ON_CORTEX_M33: ClassVar[dict[str, Any]] = {}

    @classmethod
    def neuron_weights(cls, layer: model_file.Layer) -> np.ndarray | None:
        """Return the weights between neurons and those before them, (n_out, n_in), all times one number; for a drawing.

        None for kinds that have no such neurons.
        """
        return None

    @classmethod
    def written_as(cls, layer: model_file.Layer) -> str:
        """Return the type of a conversion (float32, int8-weights ...) that its weights tell, "" for none."""
        return ""

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        """Return the name under which its kernel's price stands in the tables of a chip."""
        return f"{layer.kind} {layer.outputs[0].dtype}"

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        """Return how often each part of that price occurs, as `Cost.terms` takes it."""
        return {"n_out": layer.outputs[0].size, "macs": layer.macs}

    @classmethod
    def priced_as(cls, layer: model_file.Layer, chip: Any) -> tuple[str, dict[str, Any]]:
        """Return the name of the layer's price on that chip, and how often its parts occur there."""
        return cls.price_name(layer), cls.counts(layer)

    @classmethod
    def cycles(cls, layer: model_file.Layer, chip: Any) -> float:
        """Return the cycles that one sample takes."""
        name, counts = cls.priced_as(layer, chip)
        return chip.kernels[name].cycles(**counts)


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


# --- What the rooms share ---------------------------------------------------------------------------------------------


def check_same_values(layer: Layer, source: Tensor, target: Tensor) -> None:
    """ModelError unless equal numbers mean equal values in the layer's input and output."""
    if not source.means_the_same(target):
        raise ModelError(f"{layer.name}: expected an output with the scale and zero point of the input")


def check_finite(array: np.ndarray, where: str, what: str) -> None:
    """ModelError if one of the numbers is NaN or infinite."""
    bad = int(np.size(array) - np.count_nonzero(np.isfinite(array)))
    if bad:
        raise ModelError(f"{where}: {bad} of {array.size} {what} are NaN or infinite")


def float32(where: str, value: float) -> float:
    """Return `value` if a float32 can hold it; ModelError else."""
    with np.errstate(over="ignore"):
        if not math.isfinite(np.float32(value)):
            raise ModelError(f"{where}: expected a number that float32 can hold, got {value}")
    return float(value)
