"""The modules that the arrays of a state_dict belong to; weights that pruning or weight_norm split are put together.

An array is called after its module: "fc1.weight" is the weight of fc1. What a module is can be told by the names and
shapes of its arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..errors import ModelError
from . import budget
from .flow import label

KINDS = ("linear", "batch_norm", "prelu")  # those that are supported
# Arrays that say nothing about what a network computes.
WITHOUT_EFFECT = ("num_batches_tracked",)
# What is not supported: by the gates of a recurrent layer, or by an array that only it has.
RECURRENT = {4: "LSTM", 3: "GRU", 1: "RNN"}
PARTS = {
    "in_proj_weight": "MultiheadAttention",
    "weight_u": "a linear layer with spectral_norm",
    "weight_orig": "a layer with a reparametrisation",
    "weight_v": "a layer with a reparametrisation",
    "weight.original": "a layer with a parametrization",
}


@dataclass
class Module:
    """What has its arrays under one name ("." for those without).

    `kind` is one of KINDS, or a word for what is not supported; `note` says what was assumed to put a weight together.
    """

    name: str
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        shapes = [f"{label(part, '?')} {array.shape}" for part, array in list(self.arrays.items())[:6]]
        more = ", ..." if len(self.arrays) > 6 else ""
        return f"{self.kind}:{label(self.name, '?')} ({', '.join(shapes)}{more})"

    @property
    def kind(self) -> str:
        """What the names and shapes of the arrays tell."""
        names, weight = set(self.arrays), self.arrays.get("weight")
        rank = weight.ndim if weight is not None else 0
        if "weight_ih_l0" in names:
            gates = self.arrays["weight_ih_l0"].shape[0] // max(1, self.arrays["weight_hh_l0"].shape[-1])
            return RECURRENT.get(gates, "RNN")
        if {"running_mean", "running_var"} <= names <= {"running_mean", "running_var", "weight", "bias"}:
            return "batch_norm"
        if names <= {"weight", "bias"} and rank == 2:
            return "linear"
        if names == {"weight"} and rank == 1:
            return "prelu" if weight.size == 1 else "PReLU of several slopes or norm without bias"
        if names <= {"weight", "bias"} and rank > 2:
            return f"Conv{rank - 2}d"
        if names == {"weight", "bias"} and rank == 1:
            return "LayerNorm or BatchNorm without statistics"
        return next((word for part, word in PARTS.items() if part in names), "an unknown layer")

    @property
    def n_out(self) -> int | None:
        """The number of values that a linear layer gives."""
        return self.arrays["weight"].shape[0] if self.kind == "linear" else None

    def fits(self, size: int | None) -> bool:
        """Whether the module takes `size` values; None says that any number will do."""
        if size is None:
            return self.kind == "linear"
        if self.kind == "linear":
            return self.arrays["weight"].shape[1] == size
        return self.kind == "prelu" or self.arrays["running_mean"].shape == (size,)

    def array(self, part: str, rank: int) -> np.ndarray:
        """Return an array; ModelError if it is missing or has other than `rank` axes."""
        if part not in self.arrays:
            raise ModelError(f"layers: {label(self.name, '?')}.{part} is not in the file; there is {self}")
        array = self.arrays[part]
        if array.ndim != rank:
            raise ModelError(
                f"layers: {label(self.name, '?')}.{part}: expected {rank} axes, got {array.shape}"
            )
        return array

    def optional(self, part: str) -> np.ndarray | None:
        """Return an array of one axis, None if it is not there."""
        return self.array(part, 1) if part in self.arrays else None


def find_modules(arrays: dict[str, np.ndarray]) -> dict[str, Module]:
    """Return the modules by name, in the order of the file."""
    modules: dict[str, Module] = {}
    for full, array in arrays.items():
        name, _, part = full.replace(".parametrizations.", ".parametrizations|").rpartition(".")
        if "|" in name:  # fc1.parametrizations.weight.original0
            name, _, owner = name.partition(".parametrizations|")
            part = f"{owner}.{part}"
        if part not in WITHOUT_EFFECT:
            name = name or "."  # the arrays of a lone layer
            modules.setdefault(name, Module(name)).arrays[part] = array
    for module in modules.values():
        for part in ("weight", "bias"):
            _put_together(module, part)
    return modules


def _put_together(module: Module, part: str) -> None:
    """Replace what torch.nn.utils made of an array by the array, as the module computes with it."""
    arrays = module.arrays
    pruned = (f"{part}_orig", f"{part}_mask")
    normed = ((f"{part}_g", f"{part}_v"), (f"{part}.original0", f"{part}.original1"))
    if all(name in arrays for name in pruned):
        values, mask = (arrays.pop(name) for name in pruned)
        if values.shape != mask.shape:
            raise ModelError(
                f"{label(module.name, '?')}.{part}: its mask has shape {mask.shape}, not {values.shape}"
            )
        budget.elements(module.name, values.shape)
        arrays[part] = values * mask
    for names in normed:
        if all(name in arrays for name in names):
            arrays[part] = with_norm(
                f"{label(module.name, '?')}.{part}", *(arrays.pop(name) for name in names)
            )
            if names == normed[1]:
                module.note = f"{label(module.name, '?')}: its parametrization was taken for weight_norm"


def with_norm(where: str, size: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """weight_norm: the direction with the norm `size`, along those axes that `size` does not have."""
    axes = tuple(
        axis for axis in range(direction.ndim) if size.ndim == 0 or size.shape[axis : axis + 1] == (1,)
    )
    kept = tuple(1 if axis in axes else n for axis, n in enumerate(direction.shape))
    if size.ndim and size.shape != kept:
        raise ModelError(f"{where}: norms of shape {size.shape} do not fit {direction.shape}")
    budget.elements(where, (3, *direction.shape))  # the direction, its squares, the product
    size, direction = size.astype(np.float64), direction.astype(np.float64)
    with np.errstate(all="ignore"):  # 0 / 0 is NaN, as in PyTorch, and refused like every other
        return size * direction / np.sqrt(np.sum(direction**2, axis=axes, keepdims=True))
