"""Samples for a network and true answers: read from files, checked against the network's shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from math import prod
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ModelError
from .csv_files import Table, read_table, with_header
from .files import check_source
from .texts import same_name

TABLES = (".csv", ".tsv", ".txt")
_ASK = "; say --header or --no-header"


@dataclass
class Samples:
    """What a file of inputs holds: `values`, the `names` of its columns if a .csv file has some in its header, `notes`
    on what was decided, and whether there was a `header`."""

    values: np.ndarray
    names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    header: bool = False


def as_samples(
    x: ArrayLike, shape: tuple[int, ...], what: str, source_axes: tuple[int, ...] = ()
) -> np.ndarray:
    """Return x as (n_samples, *shape), its type as it was; a single sample becomes one row.

    The shape counts, not the size: of other shapes only flat samples are taken, (n_samples, size) or one of (size).
    Numbers of one dimension are samples of a network with one input. ModelError for the rest, if x are no numbers, and
    for flat ones where `source_axes`, of each axis the source's with its batch as 0, say that another order may be
    meant.
    """
    x = _as_numbers(x, what)
    shape, size = tuple(shape), prod(shape)
    moved = [
        axis for axis, n in zip(source_axes[1:], shape, strict=False) if n > 1
    ]  # the others change nothing
    may_be_flat = moved == sorted(moved)
    if not may_be_flat and x.ndim in (1, 2) and x.shape[-1:] == (size,):
        raise ModelError(
            f"{what}: flat samples may be channels first, as in the source, or last, as here: give them as "
            f"(n_samples, {', '.join(map(str, shape))}), channels last"
        )
    if x.shape in (shape, (size,)) and x.size:
        return x.reshape(1, *shape)
    if x.size and (x.shape[1:] in (shape, (size,)) or (size == 1 and x.ndim == 1)):
        return x.reshape(len(x), *shape)
    flat = f" or flat, (n_samples, {size})" if len(shape) > 1 and may_be_flat else ""
    hint, first = "", (shape[-1], *shape[:-1])
    if len(shape) in (2, 3) and x.size and first in (x.shape, x.shape[1:]):
        order = (*range(1, len(shape)), 0) if x.shape == first else (0, *range(2, len(shape) + 1), 1)
        hint = f", which looks channels first: give x.transpose{order}"
    expected = f"(n_samples, {', '.join(map(str, shape))})"
    raise ModelError(f"{what}: expected {expected}{flat}, got shape {x.shape}{hint}")


# --- Several inputs ---------------------------------------------------------------------------------------------------
#
# Users give a mapping from the inputs' names to arrays, or a list in their order. Inside, all inputs of a sample stand
# in one row, "joined": (n_samples, elements of all inputs), each input flat. Of one input samples keep their shape.


def as_inputs(
    x: ArrayLike | Mapping[str, ArrayLike],
    shapes: Sequence[tuple[int, ...]],
    names: Sequence[str],
    what: str,
    source_axes: Sequence[tuple[int, ...]] = (),
) -> list[np.ndarray]:
    """Return the samples of each input, (n_samples, *shape) of its type, for what users give (above, and as_samples).

    `source_axes` are those of each input, where they have another order in the source.

    ModelError if an input is missing, unknown, of another shape, or has more or fewer samples than the others.
    """
    arrays = listed(x, shapes, names, what)
    one = len(shapes) == 1
    samples = [
        as_samples(array, shape, what if one else f"{what}: {name}", axes)
        for array, shape, name, axes in zip(
            arrays, shapes, names, source_axes or [()] * len(names), strict=True
        )
    ]
    if len(set(map(len, samples))) > 1:
        got = ", ".join(f"{len(each)} of {name}" for each, name in zip(samples, names, strict=True))
        raise ModelError(f"{what}: expected as many samples of each input, got {got}")
    return samples


def listed(x: Any, shapes: Sequence[tuple[int, ...]], names: Sequence[str], what: str) -> list[Any]:
    """Return what is given for each input, in their order; arrays as they are, joined ones parted."""
    if isinstance(x, Mapping):
        missing, unknown = [n for n in names if n not in x], [str(n) for n in x if n not in names]
        if missing or unknown:
            told = [f"{', '.join(missing)} missing"] if missing else []
            told += [f"got {', '.join(unknown)}"] if unknown else []
            raise ModelError(f"{what}: expected inputs {', '.join(names)}; {', '.join(told)}")
        return [x[name] for name in names]
    if len(names) == 1:
        return [x]
    if isinstance(x, np.ndarray) and x.dtype != object:
        n = sum(map(prod, shapes))
        if x.ndim != 2 or x.shape[1] != n:
            raise ModelError(
                f"{what}: expected a list or mapping of inputs {', '.join(names)}, or an array of all, joined "
                f"(n_samples, {n}); got shape {x.shape}"
            )
        return parted(x, shapes, "inputs")
    if isinstance(x, str | bytes) or not isinstance(x, Sized) or not isinstance(x, Iterable):
        raise ModelError(
            f"{what}: expected a list or mapping of inputs {', '.join(names)}; got {type(x).__name__}"
        )
    if len(x) != len(names):
        raise ModelError(f"{what}: expected {len(names)} inputs ({', '.join(names)}), got {len(x)}")
    return list(x)


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return (n_samples, *shape) arrays side by side, (n_samples, elements of all); a single one as it is."""
    if len(arrays) == 1:
        return arrays[0]
    if len({len(array) for array in arrays}) > 1:
        got = ", ".join(str(len(array)) for array in arrays)
        raise ModelError(f"expected as many samples of each input, got {got}")
    return np.concatenate([np.reshape(array, (len(array), -1)) for array in arrays], axis=1)


def parted(x: np.ndarray, shapes: Sequence[tuple[int, ...]], what: str) -> list[np.ndarray]:
    """Return the arrays that `joined` put together, (n_samples, *shape) each. ModelError if x is of another size."""
    if len(shapes) == 1:
        return [x]
    sizes = [prod(shape) for shape in shapes]
    if x.ndim != 2 or x.shape[1] != sum(sizes):
        raise ModelError(
            f"expected {len(shapes)} {what}, joined (n_samples, {sum(sizes)}), got shape {x.shape}"
        )
    parts = np.split(x, np.cumsum(sizes)[:-1], axis=1)
    return [part.reshape(len(x), *shape) for part, shape in zip(parts, shapes, strict=True)]


def _as_numbers(x: ArrayLike, what: str) -> np.ndarray:
    """x as an array of real numbers; Python's own in an array of objects, as pandas has them, are such, too."""
    try:
        x = np.asarray(x)
        if x.dtype.kind == "O" and all(isinstance(value, Real) for value in x.flat):
            x = x.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{what}: expected rows of as many numbers each: {error}") from None
    if x.dtype.kind not in "fiub":
        raise ModelError(f"{what}: expected numbers, got {x.dtype}")
    return x


# --- Files ------------------------------------------------------------------------------------------------------------


def read_samples(path: Path, header: bool | None = None) -> Samples:
    """Return the numbers in a .npy file, the only array of a .npz file, or a .csv file, a row a sample.

    `header` says whether the first line of a .csv file is one; None: seen for itself, and asked where it is not sure.
    ModelError in one line says what is wrong with the file. Pickled objects in .npy files are refused.
    """
    content = _read(path, header)
    if isinstance(content, np.ndarray):
        return Samples(content)
    values = content.values()
    if content.doubt:
        raise ModelError(content.doubt + _ASK)
    return Samples(values, content.names, content.notes, content.header)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays in a .npz file by their names; ModelError in one line says what is wrong with it."""
    content = _numpy(path, _read_archive)
    return {path.stem: content} if isinstance(content, np.ndarray) else content


def read_answers(
    path: Path, x: Samples, header: bool | None = None, labels: Sequence[str] = ()
) -> np.ndarray:
    """Return the true answers for samples x from a file as `read_samples` takes it: numbers, or one column of words.

    Columns that are called as the `labels` come in their order, whatever it is in the file.
    A first line that is one answer too many is a header if the inputs had one, and else asked about.
    """
    content = _read(path, header)
    if isinstance(content, np.ndarray):
        return content
    if header is None and not content.header and len(content.cells) == len(x.values) + 1:
        if not x.header and not content.doubt:
            raise ModelError(
                f"{path.name}: expected {len(x.values)} answers, got {len(content.cells)} lines; is the first, "
                f"{', '.join(content.cells[0])}, a header?{_ASK}"
            )
        content = with_header(content)
    words = content.words()
    values = content.values() if words is None else words
    names, columns = list(map(same_name, content.names)), list(map(same_name, labels))
    if len(names) > 1 and sorted(names) == sorted(columns) and len(set(columns)) == len(columns):
        values = values[:, [names.index(label) for label in columns]]
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _read(path: Path, header: bool | None) -> np.ndarray | Table:
    suffix = path.suffix.lower()
    if suffix in TABLES:
        return read_table(path, header)
    if suffix not in (".npy", ".npz"):
        raise ModelError(
            f"{path.name}: expected a file of .npy, .npz, {', '.join(TABLES)}; save a table as .csv"
        )
    return _numpy(path, _read_numpy)


def _numpy(path: Path, read: Callable[[Path], Any]) -> Any:
    """What `read` makes of a file of NumPy's; ModelError for whatever is wrong with it."""
    check_source(path)
    try:
        return read(path)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from error
    except ModelError:
        raise
    except Exception as error:  # of any kind: numpy reads headers with Python's parser, and zip files
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        if "object" in reason.lower():  # numpy's words for what only pickle reads
            raise ModelError(
                f"{path.name}: holds Python objects, as pandas has words; save y.astype(str), or x.astype(float)"
            ) from None
        raise ModelError(f"{path.name}: damaged, or not what its name says: {reason}") from error


def _read_archive(path: Path) -> dict[str, np.ndarray] | np.ndarray:
    content = np.load(path, mmap_mode="r", allow_pickle=False)
    if isinstance(content, np.ndarray):
        return np.array(content)
    with content:
        return {name: content[name] for name in content.files}


def _read_numpy(path: Path) -> np.ndarray:
    # mapped first: a .npy header that claims more than the file has costs nothing
    content = np.load(path, mmap_mode="r", allow_pickle=False)
    if isinstance(content, np.ndarray):
        return np.array(content)
    with content:
        if len(content.files) != 1:
            raise ModelError(f"{path.name}: expected one array, got {', '.join(content.files) or 'none'}")
        return content[content.files[0]]
