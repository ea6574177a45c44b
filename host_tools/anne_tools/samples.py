"""Samples for a network: read from files, checked against its input's shape."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np

from .errors import ModelError


def as_samples(x: np.ndarray, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Return x as (n_samples, *shape), its type as it was; a single sample becomes one row.

    ModelError if x are not numbers, or not whole samples of `shape`.
    """
    x = np.asarray(x)
    size = int(np.prod(shape))
    if x.dtype.kind not in "fiub":
        raise ModelError(f"{what}: expected numbers, got {x.dtype}")
    if x.shape == tuple(shape) or x.shape == (size,):
        x = x.reshape(1, *shape)
    if x.ndim < 1 or x.size == 0 or x.size != len(x) * size:
        raise ModelError(f"{what}: expected (n_samples, {', '.join(map(str, shape))}), got shape {x.shape}")
    return x.reshape(len(x), *shape)


def read_array(path: Path) -> np.ndarray:
    """Return the numbers (or words) in a .npy file, the only array of a .npz file, or a .csv file.

    ModelError says what is wrong with the file. Pickled objects in .npy files are refused.
    """
    readers = {".npy": _read_numpy, ".npz": _read_numpy, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        raise ModelError(f"{path.name}: expected a file of {', '.join(readers)}")
    try:
        return readers[path.suffix.lower()](path)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path.name}: damaged, or not what its name says: {str(error).splitlines()[0]}"
        ) from error


def _read_numpy(path: Path) -> np.ndarray:
    content = np.load(path, allow_pickle=False)
    if isinstance(content, np.ndarray):
        return content
    with content:
        if len(content.files) != 1:
            raise ModelError(f"{path.name}: expected one array, got {', '.join(content.files) or 'none'}")
        return content[content.files[0]]


def _read_csv(path: Path) -> np.ndarray:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    if len(rows) > 1 and not any(map(_is_number, rows[0])) and any(map(_is_number, rows[1])):
        del rows[0]  # a header
    if not rows:
        raise ModelError(f"{path.name}: no rows")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ModelError(f"{path.name}: row {number}: expected {len(rows[0])} values, got {len(row)}")
        for cell in row:
            if not _is_number(cell) and len(row) > 1:
                raise ModelError(f"{path.name}: row {number}: expected numbers, got {cell!r}")
    if not all(_is_number(cell) for row in rows for cell in row):
        return np.array([row[0] for row in rows])
    values = np.array(rows, np.float64)
    return values[:, 0] if values.shape[1] == 1 else values


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
