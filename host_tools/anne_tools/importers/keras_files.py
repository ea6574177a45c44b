"""What a Keras file says: a chain of layers with their settings and variables, no meaning attached yet.

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from . import budget
from .flow import label
from .hdf5 import Group, read_hdf5

MODELS = ("Sequential", "Functional", "Model")
# Where a .keras file keeps the layers of a model; the second name was that of Keras 2.12 and 2.13.
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
MAX_JOINED_NAMES = 10_000
OWN_MODULES = ("keras", "tf_keras", "tensorflow", "builtins")


@dataclass
class KerasLayer:
    """One entry of a model's list of layers; for a model inside a model, `layers` are its own (else empty).

    `variables` are in the order in which Keras made them; `order` lists the indices of `layers` in the order
    in which they run, one of them twice if its layer is shared.
    """

    class_name: str
    name: str
    config: dict[str, Any]
    inbound: list = field(default_factory=list)
    layers: list[KerasLayer] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    variables: list[np.ndarray] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.class_name} {self.name!r}"

    @property
    def is_model(self) -> bool:
        return self.class_name in MODELS

    @property
    def policy(self) -> str:
        """The name of its dtype policy, such as float32 or mixed_bfloat16; "" if it has none."""
        policy = self.config.get("dtype")
        settings = policy.get("config") if isinstance(policy, dict) else {"name": policy}
        return str(settings.get("name") or "") if isinstance(settings, dict) else ""

    def listed(self) -> Iterator[KerasLayer]:
        """The layers as the file lists them, each once, models inside models opened up, without InputLayers."""
        for layer in self.layers:
            if layer.is_model:
                yield from layer.listed()
            elif layer.class_name != "InputLayer":
                yield layer

    def models(self) -> Iterator[KerasLayer]:
        """This model and those inside it."""
        yield self
        for layer in self.layers:
            if layer.is_model:
                yield from layer.models()

    def ends(self, which: str) -> list:
        """The (layer, node, tensor) triples in the model's list `input_layers` or `output_layers`."""
        found = self.config.get(which) or []
        if isinstance(found, dict):
            found = list(found.values())
        found = [found] if found and isinstance(found[0], str) else found
        return found if isinstance(found, list) else []

    def chain(self) -> Iterator[KerasLayer]:
        """The layers in the order they run, shared ones as often as they do; see `arrange`."""
        for index in self.order:
            layer = self.layers[index]
            if layer.is_model:
                yield from layer.chain()
            elif layer.class_name != "InputLayer":
                yield layer


def variable_names(layer: KerasLayer) -> tuple[list[str], list[str]]:
    """Return the names of the variables a layer has by its settings: (trained by gradients, others)."""
    config = layer.config
    match layer.class_name:
        case "Dense":
            return ["kernel"] + ["bias"] * bool(config.get("use_bias", True)), []
        case "BatchNormalization":
            trained = ["gamma"] * bool(config.get("scale", True)) + ["beta"] * bool(
                config.get("center", True)
            )
            return trained, ["moving_mean", "moving_variance"]
        case "Normalization" if config.get("mean") is None:
            return [], ["mean", "variance", "count"]
    return [], []


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
    model = _parse_model(budget.parse_json(root.attributes["model_config"], "model_config"))
    check(model)
    _arrange(model)
    _fill_from_h5(model, root.group("model_weights"))
    return model, str(root.attributes.get("keras_version", "2"))


def _read_zip(path: Path, check: Callable[[KerasLayer], None]) -> tuple[KerasLayer, str]:
    with budget.open_zip(path) as archive:
        model = _parse_model(budget.parse_json(budget.read_member(archive, "config.json"), "config.json"))
        version = "3"
        if "metadata.json" in archive.namelist():
            metadata = budget.parse_json(budget.read_member(archive, "metadata.json"), "metadata.json")
            version = str(metadata.get("keras_version", version))
        check(model)
        _arrange(model)
        weights = budget.read_member(archive, "model.weights.h5")
    _fill_from_keras(model, _with_slashes(read_hdf5(weights, *CONTAINERS)))
    return model, version


# The description of the layers


def _parse_model(entry: dict[str, Any], depth: int = 0) -> KerasLayer:
    """Return the layer an entry of the config describes; a model's own layers are parsed, too."""
    config = entry.get("config")
    class_name = label(str(entry.get("class_name")), "?")
    if depth > budget.MAX_LEVELS:
        raise ModelError(f"more than {budget.MAX_LEVELS} models inside each other")
    if not _is_kerass_own(entry):
        class_name = label(str(entry.get("registered_name") or f"{entry.get('module')}.{class_name}"), "?")
    if depth == 0 and class_name not in MODELS:
        raise ModelError(f"a model of class {class_name} is not supported; supported: Sequential, Functional")
    if class_name in MODELS and isinstance(config, list):
        config = {"layers": config}  # Keras before 2.2.3 wrote a Sequential as the bare list
    config = config if isinstance(config, dict) else {}
    name = str(entry.get("name") or config.get("name") or "")
    layer = KerasLayer(class_name, name, config, entry.get("inbound_nodes") or [])
    if layer.is_model:
        entries = config.get("layers") or []
        budget.operations(len(entries))
        layer.layers = [_parse_model(e, depth + 1) for e in entries]
    return layer


def _arrange(model: KerasLayer) -> int:
    """Fill in the order in which layers run, of inner models, too; return how many steps that is.

    ModelError if it is not a chain, or of more steps than MAX_OPERATIONS: a model may use another twice, and that one a
    third twice, so a short file can describe any number of them.
    """
    steps_of = [_arrange(layer) if layer.is_model else 1 for layer in model.layers]
    sequential = model.class_name == "Sequential"
    model.order = list(range(len(model.layers))) if sequential else _functional_order(model)
    steps = sum(steps_of[index] for index in model.order)
    if steps > budget.MAX_OPERATIONS:
        raise ModelError(
            f"model {model.name!r}: {steps} layers run in it, more than the limit of {budget.MAX_OPERATIONS}"
        )
    return steps


def _is_kerass_own(entry: dict[str, Any]) -> bool:
    """False for a class of the user's, which may be called Dense as well as anything else."""
    module = entry.get("module")
    registered = str(entry.get("registered_name") or "")
    return (module is None or str(module).partition(".")[0] in OWN_MODULES) and (
        ">" not in registered or registered.startswith("Keras>")
    )


def _functional_order(model: KerasLayer) -> list[int]:
    """Return indices of the layers from the one input to the one output; ModelError if not a chain."""
    index_of = {layer.name: index for index, layer in enumerate(model.layers)}
    (start, *_), (name, node, _) = (_one_tensor(model, which) for which in ("input_layers", "output_layers"))
    order = []
    while True:
        if name not in index_of:
            raise ModelError(f"model {model.name!r}: no layer is called {name!r}")
        if len(order) > budget.MAX_OPERATIONS:
            raise ModelError(f"model {model.name!r}: its layers form a circle")
        order.append(index_of[name])
        if name == start:
            return order[::-1]
        name, node, _ = _one_source(model, index_of[name], node)


def _one_tensor(model: KerasLayer, which: str) -> tuple[str, int, int]:
    """The one (layer, node, tensor) in the model's list `input_layers` or `output_layers`."""
    found = model.ends(which)
    if len(found) != 1:
        raise ModelError(f"model {model.name!r}: {len(found)} {which}; only models with one are supported")
    return tuple(found[0])


def _one_source(model: KerasLayer, index: int, node: int) -> tuple[str, int, int]:
    """The one (layer, node, tensor) that call number `node` of a layer reads."""
    nodes = model.layers[index].inbound
    # A model inside another counts its own construction as node 0, which the file leaves out.
    sources = list(_histories(nodes[min(node, len(nodes) - 1)])) if nodes else []
    if len(sources) != 1:
        count = sum(layer.class_name != "InputLayer" for layer in model.layers[:index])
        raise ModelError(
            f"layer {count} ({model.layers[index]}) reads {len(sources)} tensors; only chains of layers are supported"
        )
    return sources[0]


def _histories(node: Any) -> Iterator[tuple[str, int, int]]:
    """Every (layer, node, tensor) in one inbound node of Keras 3 (nested dicts) or Keras 2 (nested lists)."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            history = (
                node.get("config", {}).get("keras_history")
                if node.get("class_name") == "__keras_tensor__"
                else None
            )
            if history:
                yield tuple(history)
            elif "args" in node:
                waiting += [list((node.get("kwargs") or {}).values()), node["args"]]
        elif isinstance(node, list):
            if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
                yield tuple(node[:3])
            else:
                budget.steps(len(node), "the connections of layers")
                waiting += reversed(node)


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
        if layer.is_model:
            _fill_from_keras(layer, found)
        else:
            variables, names = found.group("vars"), sum(variable_names(layer), [])
            layer.variables = [
                variables.array(str(n), f"{layer} {name}", layer.policy) for n, name in enumerate(names)
            ]


def has_variables(layer: KerasLayer) -> bool:
    """Whether a layer, or one inside it, has variables."""
    return any(map(has_variables, layer.layers)) or any(variable_names(layer))


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


def snake_case(class_name: str) -> str:
    """Return the name Keras files a class under: BatchNormalization -> batch_normalization, ReLU -> re_lu."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


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
            if stored != name:
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
