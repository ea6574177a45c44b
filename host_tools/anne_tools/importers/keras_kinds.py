"""What Keras and TensorFlow save besides whole models in one file: told by what it is, with what to save instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ModelError

SAVE_WHOLE = 'save the whole model in one file: model.save("net.keras")'
SAVED_MODEL = (
    "a TensorFlow SavedModel, which is a program and not read here; load it where it was made and "
    'save it in one file: model.save("net.keras"), or tf.lite.TFLiteConverter.from_saved_model(folder)'
)
# Files of a SavedModel's folder; the first is the one every tool looks for.
SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb")


def refuse_folder(path: Path) -> None:
    """Raise ModelError that says what the folder `path` is."""
    if any((path / name).is_file() for name in SAVED_MODEL_FILES):
        raise ModelError(f"{path.name}: {SAVED_MODEL}")
    if (path / "model.weights.h5").is_file():
        raise ModelError(f"{path.name}: an unpacked .keras file; zip what is in the folder into net.keras")
    raise ModelError(f"{path}: a folder; expected a model in one file")


def refuse_part_of_saved_model(path: Path) -> None:
    """Raise ModelError if the file `path` is by its name a part of a SavedModel, or another TensorFlow graph."""
    if path.name in SAVED_MODEL_FILES:
        raise ModelError(f"{path.name}: a part of {SAVED_MODEL}")
    if path.suffix.lower() in (".pb", ".pbtxt"):
        raise ModelError(f"{path.name}: a TensorFlow graph, which is not read here; {SAVE_WHOLE}")


def refuse_json(document: Mapping[str, Any]) -> None:
    """Raise ModelError if a JSON document is Keras's description of a model, which has no weights in it."""
    if "class_name" in document and "config" in document:
        what = "the layers of a Keras model without its weights, as model.to_json() gives them"
    elif "modelTopology" in document:
        what = "a TensorFlow.js model"
    else:
        return
    raise ModelError(f"{what}; {SAVE_WHOLE}")
