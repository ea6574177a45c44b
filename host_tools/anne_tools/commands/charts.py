"""Curves in a terminal: dots of Braille letters, two across and four down in each, or stars where there are none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_BLANK = 0x2800
# The bit of each dot of a Braille letter, by row and column.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_WIDTH, _HEIGHT = 60, 8


def chart(values: Sequence[float], across: str, encoding: str = "utf-8", width: int = _WIDTH) -> list[str]:
    """Return lines of text with the curve of `values`, upwards from 0 to the greatest, to the right from 1 to the last;
    `across` says below it what that counts.

    Values are finite and not negative, one at least. Where there are more than dots across, a column of dots has all of
    its values; where there are fewer, the curve goes straight between them.
    """
    greatest = max(values)
    axis = [f"{greatest:.3g}", *[""] * (_HEIGHT - 2), "0"]
    margin = max(map(len, axis))
    corner, line = ("\u2524", "\u2502") if _can(encoding) else ("|", "|")
    rows = _letters(values, greatest, width) if _can(encoding) else _stars(values, greatest, width)
    last = str(len(values))
    below = f"{'':>{margin}}  1{across:^{width - 1 - len(last)}}{last}"
    return [
        f"{label:>{margin}} {corner if label else line}{row}".rstrip(f" {chr(_BLANK)}")
        for label, row in zip(axis, rows, strict=True)
    ] + [below]


def _can(encoding: str) -> bool:
    return encoding.lower().replace("-", "").startswith("utf")


def _letters(values: Sequence[float], greatest: float, width: int) -> list[str]:
    dots = _grid(values, greatest, 2 * width, 4 * _HEIGHT)
    codes = np.full((_HEIGHT, width), _BLANK)
    for row, bits in enumerate(_DOTS):
        for column, bit in enumerate(bits):
            codes += dots[row::4, column::2] * bit
    return ["".join(map(chr, line)) for line in codes.tolist()]


def _stars(values: Sequence[float], greatest: float, width: int) -> list[str]:
    return ["".join(" *"[dot] for dot in line) for line in _grid(values, greatest, width, _HEIGHT).tolist()]


def _grid(values: Sequence[float], greatest: float, width: int, height: int) -> np.ndarray:
    """Return 1 where the curve is, (height, width), the first row being the greatest value."""
    n = max(len(values), width)  # points of the curve, enough for each column to have one
    points = np.interp(np.linspace(0, len(values) - 1, n), np.arange(len(values)), values)
    columns = np.arange(n) * width // n
    rows = np.rint((1 - points / (greatest or 1)) * (height - 1)).astype(int)
    grid = np.zeros((height, width), int)
    before = rows[0]
    for column in range(width):
        here = rows[columns == column]
        low, high = min(here.min(), before), max(here.max(), before)
        grid[low : high + 1, column] = 1  # down to where the last column ended, so that the curve is one line
        before = here[-1]
    return grid
