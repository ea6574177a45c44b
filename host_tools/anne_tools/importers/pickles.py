"""Pickled scikit-learn estimators (.pkl, .joblib): opened only if the user says that the file can be trusted.

A pickle is a program: opening it runs whatever its author put there, before anything can be checked. There is
no safe way to read an estimator from one, so without `trust_pickle` not a byte is decoded.
"""

from __future__ import annotations

import pickle
from pathlib import Path

from ..errors import ModelError
from ..graph import Graph


def read(source: Path, trust_pickle: bool = False) -> Graph:
    """Return the Graph of the estimator in a pickle or joblib file.

    ModelError without `trust_pickle`, if the file cannot be opened, or if what is in it is no estimator.
    """
    if not trust_pickle:
        raise ModelError(
            "a pickle runs code of its author when it is opened; if you made it yourself, or trust who did, "
            "add --trust-pickle (in Python: trust_pickle=True)"
        )
    from . import load

    return load(unpickle(source))


def unpickle(source: Path) -> object:
    """Return the object in a pickle or joblib file, after running whatever else is in it."""
    if source.suffix.lower() == ".joblib":
        import joblib

        return joblib.load(source)
    with source.open("rb") as file:
        return pickle.load(file)
