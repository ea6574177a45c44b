"""What a kernel costs in cycles: a formula with a price for each of its parts. Chips are tables of such prices.

They stand in boards/prices_rp2040.py and boards/prices_rp2350.py, where `make costs` writes them. The rooms of the
kinds know how often each part occurs in a layer, and have estimates for the RP2350 of what was not measured yet.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass, fields, replace
from typing import ClassVar

from anne import model_file
from anne.layouts import F32Aligned, S8Quad


@dataclass(frozen=True)
class Blocks:
    """How a dense kernel goes over its weights: blocks of `rows`, and those left over in blocks of `rest` rows.

    More rows left than `rest` make one more block, unless they come one by one (1). Columns are padded to a multiple of
    `columns` and taken in panels of at most `panel`.
    """

    rows: int
    rest: int = 0
    columns: int = 1
    panel: int = 1 << 20

    def counts(self, n_in: int, n_out: int, times: int = 1) -> dict[str, int]:
        """Return padded columns; of blocks and of rests how often one is begun, and their columns; all that `times`."""
        panels = -(-n_in // self.panel)
        columns = -(-n_in // self.columns) * self.columns
        blocks, left = divmod(n_out, self.rows)
        if self.rest == 1 or left <= self.rest:
            rests = -(-left // (self.rest or 1))
        else:
            blocks, rests = blocks + 1, 0
        counts = {
            "n_in": columns,
            "block": panels * blocks,
            "rest": panels * rests,
            "block_column": columns * blocks,
            "rest_column": columns * rests,
        }
        return {part: times * n for part, n in counts.items()}


# Of the assembly for the RP2040, by the layout of the weights.
BLOCKS = {
    "f32": Blocks(1, panel=7),
    "f32_aligned": Blocks(2, panel=F32Aligned.PANEL),
    "s8_f32": Blocks(8, 4, 4, S8Quad.PANEL),
    "s8_quad": Blocks(8, 4, 4, S8Quad.PANEL),
    "s16": Blocks(6, 1, 2),
    "s4": Blocks(8, 0, 4),
}


def blocks_of(layer: model_file.Layer) -> Blocks:
    """Return how the kernel goes over the weights of a layer in a file; the panels of s4 are there."""
    blocks = BLOCKS[layer.kernel]
    if layer.kernel == "s4":
        return replace(blocks, panel=struct.unpack("<I", layer.constants[3])[0])
    return blocks


@dataclass(frozen=True)
class Cost:
    """Cycles: each field times how often it occurs, which the kinds say in `counts`.

    Those from `block` to `rest_column` are for a kernel that takes several rows, channels or bytes at a time, and those
    left over; `exact` for results that are rescaled the exact way; `row` for rows in one piece; those from `window` on
    for the places of a window, runs of what it sees, what is begun for several places, and what is found once for many.
    """

    base: float = 0.0
    per_input: float = 0.0
    per_output: float = 0.0
    per_mac: float = 0.0
    block: float = 0.0
    rest: float = 0.0
    block_column: float = 0.0
    rest_column: float = 0.0
    exact: float = 0.0
    row: float = 0.0
    window: float = 0.0
    run: float = 0.0
    job: float = 0.0
    table: float = 0.0

    # What is counted has the field's name, but for these.
    COUNTED: ClassVar[dict[str, str]] = {"per_input": "n_in", "per_output": "n_out", "per_mac": "macs"}

    @classmethod
    def terms(cls, **counts: float) -> tuple[float, ...]:
        """Return how often each field occurs where its parts occur so often."""
        names = [cls.COUNTED.get(field.name, field.name) for field in fields(cls)]
        unknown = counts.keys() - set(names)
        if unknown:
            raise TypeError(f"expected counts of {', '.join(names)}, got {', '.join(unknown)}")
        return tuple((counts | {"base": 1}).get(name, 0) for name in names)

    def cycles(self, **counts: float) -> float:
        """Return the cycles where the parts occur so often, as for `terms`."""
        return sum(cost * term for cost, term in zip(astuple(self), self.terms(**counts), strict=True))


@dataclass(frozen=True)
class Chip:
    """A chip's prices: `kernels` as the module says; `activations_f32` what elements and rows of
    floats take beside a layer's base, after a dense layer or alone.

    `call` is `predict` itself, list in and list out, on floats and on integers. `flash_byte` is what a byte of weights
    costs more when it comes from flash: a word that misses the 16 KB cache takes 50 cycles (docs/flash_cache.md).
    `source` says where the figures are from; `rewrites`, whether weights in RAM are rewritten (native_module/repack.c).
    """

    kernels: dict[str, Cost]
    activations_f32: dict[str, Cost]
    call: dict[str, Cost]
    flash_byte: float
    source: str
    rewrites: bool = False

    def activation_cycles(self, layer: model_file.Layer) -> float:
        """Return what the activation of a layer in a file costs; on integers it is part of the kernel."""
        output = layer.outputs[0]
        if output.dtype != "float32":
            return 0.0
        return self.activations_f32[layer.activation].cycles(**rows_of(output))


def rows_of(tensor: model_file.Tensor) -> dict[str, int]:
    """Return elements and rows along the last axis of a tensor, as `Cost.terms` takes them."""
    return {"n_out": tensor.size, "row": tensor.size // tensor.shape[-1]}
