"""What is copied, counted for its price: in rows (native_module/kernels/rows.c), or element by element (strided.c)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from anne import model_file

from .prices import Cost

SHORT_BYTES = 32
ON_CORTEX_M33 = Cost(100, 5, 0.5, 6, rest_column=4, row=20, run=15, job=40)
ITEM_BYTES = {"float32": 4, "int16": 2, "int8": 1}


def item_bytes(tensor: model_file.Tensor) -> int:
    """Return the bytes of an element."""
    return ITEM_BYTES[tensor.dtype]


def copied(row_bytes: int, n: int = 1, offset: int = 0, drift: int = 0) -> dict[str, int]:
    """Return the parts of a Cost for n rows: steps of a word or a byte of short ones, calls and bytes of long ones.

    The first comes from a multiple of 4 and goes `offset` bytes behind one, each next one `drift` further behind.
    """
    if row_bytes > SHORT_BYTES:
        return {"row": n, "job": n} | called(row_bytes, n, offset, drift)
    in_words = row_bytes % 4 == offset % 4 == drift % 4 == 0
    return {"row": n, "n_in": n * row_bytes // (4 if in_words else 1)}


def called(row_bytes: int, n: int, offset: int, drift: int) -> dict[str, int]:
    """Return the bytes of n calls of memcpy: where both addresses are alike it goes by words, else by bytes."""
    alike = sum((offset + i * drift) % 4 == 0 for i in range(n)) if drift % 4 else n * (offset % 4 == 0)
    return {"n_out": alike * row_bytes, "rest_column": (n - alike) * row_bytes}


def moved(sizes: Sequence[int], steps: Sequence[int], element_bytes: int) -> dict[str, int]:
    """Return the parts for what goes, axis by axis, `steps` elements further in the input; short or gathered ones."""
    axes: list[tuple[int, int]] = []  # from the last to the first
    for n, step in zip(reversed(sizes), reversed(steps), strict=True):
        if n > 1 and axes and step == axes[-1][0] * axes[-1][1]:
            axes[-1] = (n * axes[-1][0], axes[-1][1])
        elif n > 1:
            axes.append((n, step))
    if not axes or axes[0][1] == 1:
        row, *outer = axes or [(1, 1)]
        return copied(row[0] * element_bytes, prod(n for n, _ in outer))
    return {"run": prod(n for n, _ in axes[1:]), "macs": prod(n for n, _ in axes)}


def summed(*parts: dict[str, int]) -> dict[str, int]:
    """Return parts of a Cost that occur one after another."""
    return {
        name: sum(part.get(name, 0) for part in parts) for name in {name for part in parts for name in part}
    }
