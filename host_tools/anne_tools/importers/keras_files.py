"""Keras files: the model that one describes (`keras_model`), its calls in order, its variables filled in.

Two containers are read, with zipfile, json and h5py (in `hdf5`), and nothing in them is ever executed:

- `.keras` is a zip file. `config.json` describes the layers; `model.weights.h5` stores each layer's variables
  under `layers/<class in snake case>[_<count>]/vars/<number>`, counted by class in the order of the config.
  The user's name of a layer is not part of that path; newer Keras repeats it in an attribute of `vars`. Keras 2.13
  counts a layer with weights twice (dense, dense_2), and on Windows paths were joined by backslashes, into one name.
- `.h5` holds the same description in the attribute `model_config` of the root, and one group a layer below
  `model_weights`, whose attribute `weight_names` lists its variables. A model inside a model has one group
  for all of its layers: first what is trainable, then what is not, each in the order of the layers.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..errors import ModelError
from . import budget
from .hdf5 import Group, read_hdf5
from .keras_calls import arrange
from .keras_model import WRAPPERS, KerasLayer, parse_model, snake_case
from .keras_variables import has_variables, is_called, variable_names

# Where a .keras file keeps the layers of a model; the second name was that of Keras 2.12 and 2.13.
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
MAX_JOINED_NAMES = 10_000


def read_file(path: Path, check: Callable[[KerasLayer], None]) -> tuple[KerasLayer, str]:
    """Return the model of a `.keras` or `.h5` file, variables filled in, and the version of Keras that wrote
    it.

    `check(model)` is called before the order of layers or any variable is looked at: it refuses layers that
    cannot be used, by raising.
    """
    if zipfile.is_zipfile(path):
        return _read_zip(path, check)
    root = read_hdf5(path.read_bytes(), "model_weights")
    if "model_config" not in root.attributes:
        raise ModelError(
            "no model_config in it: it holds weights only; save the whole model with model.save()"
        )
    model = parse_model(budget.parse_json(root.attributes["model_config"], "model_config"))
    check(model)
    arrange(model)
    _fill_from_h5(model, root.group("model_weights"))
    return model, str(root.attributes.get("keras_version", "2"))


def _read_zip(path: Path, check: Callable[[KerasLayer], None]) -> tuple[KerasLayer, str]:
    with budget.open_zip(path) as archive:
        model = parse_model(budget.parse_json(budget.read_member(archive, "config.json"), "config.json"))
        version = "3"
        if "metadata.json" in archive.namelist():
            metadata = budget.parse_json(budget.read_member(archive, "metadata.json"), "metadata.json")
            version = str(metadata.get("keras_version", version))
        check(model)
        arrange(model)
        weights = budget.read_member(archive, "model.weights.h5")
    _fill_from_keras(model, _with_slashes(read_hdf5(weights, *CONTAINERS)))
    return model, version


# Variables


def _with_slashes(group: Group) -> Group:
    """Return the group with names as Windows joins paths, `layers\\dense`, taken apart into groups inside groups."""
    parts_left = MAX_JOINED_NAMES
    whole = Group(group.path, group.attributes)
    for name, member in group.members.items():
        *outer, last = name.split("\\")
        parts_left -= len(outer)
        if parts_left < 0:
            raise ModelError(f"more than {MAX_JOINED_NAMES} groups in joined names")
        at = whole
        for part in outer:
            inner = at.members.setdefault(part, Group(f"{at.path.rstrip('/')}/{part}"))
            if not isinstance(inner, Group):
                raise ModelError(f"{at.path}: expected {part!r} to be a group")
            at = inner
        if isinstance(known := at.members.get(last), Group) and isinstance(member, Group):
            known.members.update(member.members)
        else:
            at.members[last] = member
    return whole


def _fill_from_keras(model: KerasLayer, group: Group) -> None:
    """Read the variables of a .keras file's weights, `group` being the model's own."""
    container = group.group(next(filter(group.members.__contains__, CONTAINERS), CONTAINERS[0]))
    for layer, found in _groups_of(container, [layer for layer in model.layers if has_variables(layer)]):
        if layer.class_name in WRAPPERS:
            layer, found = layer.layers[0], found.group("layer")
        if layer.is_model:
            _fill_from_keras(layer, found)
        else:
            variables, names = found.group("vars"), sum(variable_names(layer), [])
            layer.variables = [
                variables.array(str(n), f"{layer} {name}", layer.policy) for n, name in enumerate(names)
            ]


def _groups_of(container: Group, layers: list[KerasLayer]) -> Iterator[tuple[KerasLayer, Group]]:
    """Each layer with its group: the one that says its name, else the next of its class that says no layer's.

    How a class is counted has changed from version to version; that the numbers rise with the layers has not.
    """
    groups = {key: group for key, group in container.members.items() if _holds_arrays(group)}
    names = {layer.name for layer in layers}
    said = {key: name for key in groups if (name := _own_name(groups[key])) in names}
    key_of = {name: key for key, name in said.items()}
    waiting = {
        stem: sorted((key for key in groups if key not in said and _stem(key) == stem), key=_count)[::-1]
        for stem in {snake_case(layer.class_name) for layer in layers}
    }
    for layer in layers:
        stem = snake_case(layer.class_name)
        if layer.name not in key_of and not waiting[stem]:
            raise ModelError(f"layer {layer}: expected its weights in {container.path}/{stem}, not found")
        yield layer, container.group(key_of.get(layer.name) or waiting[stem].pop())
    left = next((keys[0] for keys in waiting.values() if keys), None)
    if left:
        raise ModelError(f"{container.path}/{left} holds the weights of a layer that the model has not")


def _holds_arrays(member: Group | np.ndarray | str) -> bool:
    if isinstance(member, Group):
        return any(map(_holds_arrays, member.members.values()))
    return True


def _own_name(group: Group | np.ndarray | str) -> str | None:
    variables = group.members.get("vars") if isinstance(group, Group) else None
    return variables.attributes.get("name") if isinstance(variables, Group) else None


def _stem(key: str) -> str:
    return re.sub(r"_[0-9]{1,9}$", "", key)


def _count(key: str) -> int:
    return int(key.rpartition("_")[2]) if _stem(key) != key else 0


def _fill_from_h5(model: KerasLayer, groups: Group) -> None:
    """Read the variables of an .h5 file: one group a layer of the outermost model, by the layer's name."""
    for layer in model.layers:
        trained, others = _slots(layer)
        slots = trained + others
        if not slots:
            continue
        group = groups.group(layer.name)
        paths = group.texts("weight_names")
        if len(paths) != len(slots):
            raise ModelError(f"layer {layer}: expected {len(slots)} weights in the file, got {len(paths)}")
        for path, (owner, name) in zip(paths, slots, strict=True):
            stored = path.rpartition("/")[2].partition(":")[0]
            if not is_called(stored, name):
                raise ModelError(f"layer {owner}: expected its {name} next in the file, got {path}")
            owner.variables.append(group.array(path, f"{owner} {name}", owner.policy))


def _slots(layer: KerasLayer, trainable: bool = True) -> tuple[list, list]:
    """Return the (layer, variable) pairs stored for `layer`: trainable ones, and then the others."""
    trainable = trainable and layer.config.get("trainable", True) is not False
    trained, others = [], []
    for inner in layer.layers:
        more_trained, more_others = _slots(inner, trainable)
        trained += more_trained
        others += more_others
    own_trained, own_others = ([(layer, name) for name in names] for names in variable_names(layer))
    if not trainable:
        return [], trained + own_trained + others + own_others
    return trained + own_trained, others + own_others
