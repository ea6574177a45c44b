"""A model file run on this computer, by the C core or the pure-Python reference.

Both take and give arrays of samples. What comes out are the integers (or floats) as they stand in the model's output,
so that results can be compared to the bit; `packed.real_outputs` makes real numbers of them.
"""

from __future__ import annotations

import warnings

import numpy as np

from .core import Core
from .native import NativeModel, library_path
from .packed import given_inputs, raw_inputs
from .plain import PlainModel

HOST, REFERENCE = "host", "reference"
NO_CORE = "no C core here: the Python reference runs, slower"
_told = False


class NoCoreWarning(UserWarning):
    """Said once where the package came without the C core; a class of its own, so that who knows can silence it."""


def tell_if_no_core() -> bool:
    """Return whether the C core is missing here; then it has been said, once."""
    global _told
    if library_path() is not None:
        return False
    if not _told:
        _told = True
        warnings.warn(NO_CORE, NoCoreWarning, stacklevel=2)
    return True


def open_core(data: bytes) -> Core:
    """Return the model file in the C core, or in the reference where that is missing. ModelError if it is refused."""
    return PlainModel(data) if tell_if_no_core() else NativeModel(data)


def run_local(data: bytes, x: np.ndarray, where: str) -> np.ndarray:
    """Return the raw outputs for samples x on this computer: `where` is "host" or "reference"."""
    with PlainModel(data) if where == REFERENCE else open_core(data) as model:
        return model.run_raw(raw_inputs(given_inputs(x, model.file), model.file))


def reference_outputs(data: bytes, inputs: np.ndarray) -> np.ndarray:
    """Return the raw outputs of the pure-Python reference for raw inputs (packed.py), one stream.

    ModelError for a network that is too large for it.
    """
    return PlainModel(data).run_raw(inputs)
