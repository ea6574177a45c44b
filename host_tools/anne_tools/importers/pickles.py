"""Pickled scikit-learn estimators, by pickle or joblib: opened only if the user says that the file can be trusted.

A pickle is a program: opening it runs whatever its author put there, before anything can be checked. There is
no safe way to read an estimator from one, so without `trust_pickle` not a byte is decoded.

A file may hold a dict, list or tuple of a scaler and a model; they are read as the pipeline that they are.
"""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..network.graph import Graph
from . import sklearn
from .choice import choose, refuse_choice
from .flow import label

# Parts of a key that say that a scaler is for the answers.
OF_ANSWERS = ("y", "target", "targets", "output", "outputs", "label", "labels", "response")


def read(
    source: Path, load: Callable[[Any], Graph], trust_pickle: bool = False, network: str | int | None = None
) -> Graph:
    """Return the Graph of the estimator in a pickle or joblib file, or of the scaler and the model in it.

    `load` reads an object alone, whatever its framework is (importers.load). `network` says what to use of a dict, list
    or tuple: keys or numbers from 1, in the order they run, such as "scaler+model". ModelError without `trust_pickle`,
    if the file cannot be opened, or if no model is in it.
    """
    if not trust_pickle:
        raise ModelError(
            "a pickle runs code of its author when it is opened; if you made it yourself, or trust who did, "
            "add --trust-pickle (in Python: trust_pickle=True)"
        )
    steps, note = unpickle(source, network)
    graph = load(steps[0]) if len(steps) == 1 else sklearn.read(steps)
    provenance = graph.metadata.provenance
    provenance.setdefault("importer", "sklearn")
    if note:
        provenance["notes"] = "; ".join(filter(None, (note, provenance.get("notes"))))
    return graph


def unpickle(source: Path, network: str | int | None = None) -> tuple[list[Any], str]:
    """Return the estimators of a file in the order they run, mostly one, after running whatever else is in it; and a
    note on what was chosen."""
    value = _load(source)
    if isinstance(value, Mapping) and not _is_plain_network(value):
        named = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        named = [(str(number), item) for number, item in enumerate(value, 1)]
    else:
        refuse_choice(network)
        return [value], ""
    parts = [Part(label(key, "?"), item) for key, item in named if sklearn.is_estimator(item)]
    if not parts:
        raise ModelError(
            f"a {type(value).__name__} without a scikit-learn estimator in it; save the model alone"
        )
    used = _without_choice(parts) if network is None else _chosen(parts, str(network))
    note = "read " + ", then ".join(str(part) for part in used)
    left = [str(part) for part in parts if part not in used]
    return [part.estimator for part in used], f"{note}; {', '.join(left)} not used" if left else note


@dataclass(frozen=True, eq=False)
class Part:
    """An estimator and its key in the dict or its number in the list."""

    key: str
    estimator: Any

    def __str__(self) -> str:
        return f"{self.key!r} ({type(self.estimator).__name__})"

    @property
    def is_of_answers(self) -> bool:
        """Whether it says that it treats what the model gives, not what it takes."""
        words = self.key.lower().replace("-", "_").split("_")
        return type(self.estimator).__name__ in ("LabelEncoder", "LabelBinarizer") or any(
            word in OF_ANSWERS for word in words
        )


def _without_choice(parts: list[Part]) -> list[Part]:
    """Return the only model, behind the only transformer if that fits; ModelError that lists all if it is not clear."""
    models = [part for part in parts if sklearn.is_model(part.estimator)]
    others = [
        part for part in parts if part not in models and type(part.estimator).__name__ != "LabelEncoder"
    ]
    listed = ", ".join(f"{part.key}: {type(part.estimator).__name__}" for part in parts[:20])
    if not models:
        raise ModelError(f"no model among the estimators in the file ({listed})")
    if len(models) == 1 and not others:
        return models
    is_prepared = hasattr(models[0].estimator, "steps")  # a pipeline, with a scaler of its own
    if len(models) == 1 and len(others) == 1 and not others[0].is_of_answers and not is_prepared:
        return [*others, *models]
    example = models[:1] if is_prepared else [*others[:1], *models[:1]]
    raise ModelError(
        f"the file holds several estimators ({listed}); say which to use, in the order they run, with "
        f"--network {'+'.join(part.key for part in example)} (in Python: network=)"
    )


def _chosen(parts: list[Part], wanted: str) -> list[Part]:
    """Return the parts that the user names, with + between them."""
    names = [[part.key] for part in parts]
    classes = [type(part.estimator).__name__ for part in parts]
    return [parts[choose(classes, names, one.strip())] for one in wanted.split("+")]


def _is_plain_network(value: Mapping) -> bool:
    """Whether a dict is AI-ANNE's plain network, which has a reader of its own."""
    return "layers" in value or "w1" in value or "final_w1" in value


# Opening


def _load(source: Path) -> Any:
    """Return the object in a file; joblib, where it is installed, reads plain and compressed pickles alike."""
    try:
        import joblib
    except ImportError:
        joblib = None
    try:
        if joblib is not None:
            return joblib.load(source)
        with source.open("rb") as file:
            return pickle.load(file)
    except ModuleNotFoundError as error:
        raise _missing_module(error) from error
    except AttributeError as error:
        if not str(error).startswith(("Can't get attribute", "module ")):
            raise
        raise ModelError(
            f"needs a class or function that its module does not have ({error}); if it is your own, put it into a file "
            "of its own, save the model again, and put that file's folder on PYTHONPATH"
        ) from error


def _missing_module(error: ModuleNotFoundError) -> Exception:
    """What to say of a module that a pickle needs; the error itself for scikit-learn, whose extra is then named."""
    root = str(error.name).partition(".")[0]
    if root in ("sklearn", "joblib", "numpy", "scipy") and root == error.name:
        return error
    try:
        version = getattr(importlib.import_module(root), "__version__", "")
    except ImportError:
        return ModelError(
            f"needs module {error.name}, which is not installed; if it is your own, put its folder on PYTHONPATH"
        )
    return ModelError(
        f"needs module {error.name}, which {root} {version} does not have; it was saved by another version"
    )
