"""What a kernel costs in cycles: a formula with a price for each of its parts. Chips are tables of such prices.

Those of the RP2040 stand in boards/prices_rp2040.py, where `make costs` writes them, estimates for the RP2350 in the
rooms of the kinds, which also know how often each part occurs in a layer.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from anne import model_file


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

    def counts(self, n_in: int, n_out: int) -> tuple[int, ...]:
        """Return padded columns; of blocks and of rests how often one is begun, and their columns."""
        panels = -(-n_in // self.panel)
        columns = -(-n_in // self.columns) * self.columns
        blocks, left = divmod(n_out, self.rows)
        if self.rest == 1 or left <= self.rest:
            rests = -(-left // (self.rest or 1))
        else:
            blocks, rests = blocks + 1, 0
        return columns, panels * blocks, panels * rests, columns * blocks, columns * rests


@dataclass(frozen=True)
class Cost:
    """Cycles: each field times how often it occurs; those from `block` on for the blocks of a dense kernel, those from
    `window` on for the places of a window, runs of what it sees, jobs of places with the same runs, runs in tables.
    """

    base: float = 0.0
    per_input: float = 0.0
    per_output: float = 0.0
    per_mac: float = 0.0
    block: float = 0.0
    rest: float = 0.0
    block_column: float = 0.0
    rest_column: float = 0.0
    exact_row: float = 0.0
    window: float = 0.0
    run: float = 0.0
    job: float = 0.0
    table: float = 0.0

    @staticmethod
    def terms(
        n_in: int = 0,
        n_out: int = 0,
        macs: int = 0,
        blocks: Blocks | None = None,
        exact_rows: float = 0.0,
        windows: int = 0,
        runs: int = 0,
        jobs: int = 0,
        tables: int = 0,
    ) -> tuple[float, ...]:
        """Return how often each field occurs in a layer of that size."""
        columns, *counts = blocks.counts(n_in, n_out) if blocks else (n_in, 0, 0, 0, 0)
        return (1, columns, n_out, macs, *counts, exact_rows, windows, runs, jobs, tables)

    def cycles(self, *args, **kwargs) -> float:
        """Return the cycles for a layer of the size that `terms` takes."""
        terms = self.terms(*args, **kwargs)
        return sum(cost * term for cost, term in zip(astuple(self), terms, strict=True))


@dataclass(frozen=True)
class Chip:
    """A chip's prices: `kernels` as the module says; `activations_f32` cycles an element, after a dense layer or alone.

    `call` is `predict` itself, list in and list out, on floats and on integers. `flash_byte` is what a byte of weights
    costs more when it comes from flash: a word that misses the 16 KB cache takes 50 cycles (docs/flash_cache.md).
    `source` says where the figures are from.
    """

    kernels: dict[str, Cost]
    activations_f32: dict[str, float]
    call: dict[str, Cost]
    flash_byte: float
    source: str

    def activation_cycles(self, layer: model_file.Layer) -> float:
        """Return what the activation of a layer in a file costs; on integers it is part of the kernel."""
        output = layer.outputs[0]
        return self.activations_f32[layer.activation] * output.size if output.dtype == "float32" else 0.0
