"""A graph out of a state_dict and a list of layers, since weights by name do not say how they are used.

Every array of the file is read by a layer of the list, or named in a refusal; what the file does not say and the list
does not either, as the epsilon of a batch normalisation, is PyTorch's default, and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import ModelError
from ..network.activations import DEFAULT_ALPHA
from ..network.graph import Graph, Metadata
from .flow import Flow, Step, label
from .refusal import Missing
from .torch_modules import KINDS, Module, find_modules

LAYER_ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "elu", "sigmoid", "hard_sigmoid", "tanh", "softplus"),
    *("swish", "hard_swish", "gelu", "softmax"),
)
LAYER_ALIASES = {"silu": "swish", "hardswish": "hard_swish", "hardsigmoid": "hard_sigmoid"}
DEFAULT_EPSILON = 1e-5
PLACEHOLDER = "ACTIVATION"
MAX_PROPOSAL = 1000  # a message is cut off somewhere, and half a list is none
# The settings of a layer and what they are where nothing is said.
SETTINGS = {
    "batch_norm": {"eps": DEFAULT_EPSILON},
    **{name: {"alpha": a} for name, a in DEFAULT_ALPHA.items()},
}
SYNTAX = re.compile(r"(\w+)\s*(?::\s*([^()]*[^\s()])\s*)?(?:\((.*)\))?")
KNOWN = ("linear:NAME", "batch_norm:NAME(eps=1e-5)", "prelu:NAME", "ignore:NAME", *LAYER_ACTIVATIONS)


@dataclass(frozen=True)
class Entry:
    """One layer of the list: as it was written, its word, the module it reads ("" for an activation), settings."""

    text: str
    word: str
    name: str = ""
    settings: dict[str, float] = field(default_factory=dict)


def state_dict_graph(
    arrays: dict[str, np.ndarray], layers: str | Sequence[str] | None, notes: Sequence[str] = ()
) -> Graph:
    """Return the graph of weights by name and a list of layers, as text with commas or as a list.

    A layer is "linear:NAME", "batch_norm:NAME" or "prelu:NAME", which read the arrays of the module NAME, or an
    activation. Settings stand in brackets: "batch_norm:bn1(eps=0.001)", "leaky_relu(alpha=0.2)". "ignore:NAME" says
    that those arrays are no part of the network. `notes` are handed on. ModelError with a proposal where `layers` is
    missing, and if the list leaves arrays out.
    """
    modules = find_modules(arrays)
    if not layers:
        raise ModelError(_ask_for_layers(modules))
    entries = [_parse(text) for text in _split(layers)]
    ignored = {name for name in modules for e in entries if e.word == "ignore" and _is_below(name, e.name)}
    entries = [entry for entry in entries if entry.word != "ignore"]
    first = next((entry for entry in entries if entry.word == "linear"), None)
    if first is None:
        raise ModelError(f"layers: expected at least one linear:NAME; in the file: {_contents(modules)}")
    flow = Flow()
    flow.input("", "x0", (1, _module(modules, first).array("weight", 2).shape[1]))
    flow.notes += notes
    for index, entry in enumerate(entries):
        step = Step(index, entry.text, entry.name or f"{entry.word}_{index}", f"x{index + 1}")
        _add(flow, modules, step, f"x{index}", entry)
    left = [str(m) for name, m in modules.items() if name not in {e.name for e in entries} | ignored]
    if left:
        raise ModelError(
            f"the layers leave out {_some(left)}; list them where they run, or ignore:NAME what is not used"
        )
    listed = ", ".join(entry.text for entry in entries)
    return flow.graph([f"x{len(entries)}"], Metadata(provenance={"format": "state_dict", "layers": listed}))


def _add(flow: Flow, modules: dict[str, Module], step: Step, key: str, entry: Entry) -> None:
    """Append what an entry of the list stands for."""
    if entry.word in KINDS:
        module = _module(modules, entry)
        if module.note and module.note not in flow.notes:
            flow.notes.append(module.note)
    if entry.word == "linear":
        flow.dense(step, key, module.array("weight", 2), module.optional("bias"))
    elif entry.word == "batch_norm":
        mean, variance = module.array("running_mean", 1), module.array("running_var", 1)
        weight, bias = module.optional("weight"), module.optional("bias")
        flow.batch_norm(step, key, weight, bias, mean, variance, _setting(flow, entry, "eps"))
    elif entry.word == "prelu":
        flow.activation(step, key, "leaky_relu", float(module.array("weight", 1)[0]))
    elif entry.word == "softmax":
        flow.softmax(step, key, -1)
    else:
        alpha = _setting(flow, entry, "alpha") if entry.word in DEFAULT_ALPHA else 0.0
        flow.activation(step, key, entry.word, alpha)


def _setting(flow: Flow, entry: Entry, name: str) -> float:
    """Return a setting; PyTorch's default, with a note, where the list does not give it."""
    if name in entry.settings:
        return entry.settings[name]
    default = SETTINGS[entry.word][name]
    flow.notes.append(
        f"{entry.text}: {name} {default:g} assumed, PyTorch's default, as a state_dict does not say; "
        f"to give it: {entry.text}({name}={default:g})"
    )
    return default


# The list of layers


def _split(layers: str | Sequence[str]) -> Iterator[str]:
    """The entries of a list, or of a text with commas that do not stand in brackets."""
    texts = re.split(r",(?![^()]*\))", layers) if isinstance(layers, str) else map(str, layers)
    return (text.strip() for text in texts if text.strip())


def _parse(text: str) -> Entry:
    found = SYNTAX.fullmatch(text)
    shown = f"layers: {label(text, '?')!r}"
    if not found:
        raise ModelError(f"{shown}: expected a layer such as linear:NAME, batch_norm:NAME(eps=1e-5) or relu")
    word, name, settings = found.groups(default="")
    word = LAYER_ALIASES.get(word, word)
    if word == PLACEHOLDER:
        raise ModelError(f"{shown} stands for an activation: {', '.join(LAYER_ACTIVATIONS)}; or leave it out")
    if word not in {entry.partition(":")[0] for entry in KNOWN}:
        raise ModelError(f"{shown} is not known; known: {', '.join(KNOWN)}")
    if word in DEFAULT_ALPHA and name:  # leaky_relu:0.2, as it was once written
        name, settings = "", f"alpha={name}"
    if bool(name) is (word in LAYER_ACTIVATIONS):
        raise ModelError(f"{shown}: expected {next(e for e in KNOWN if e.partition(':')[0] == word)}")
    return Entry(text, word, name, dict(_settings(shown, word, settings)))


def _settings(shown: str, word: str, text: str) -> Iterator[tuple[str, float]]:
    """The settings in brackets by name."""
    known = SETTINGS.get(word, {})
    for setting in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (part.strip() for part in setting.partition("="))
        name = "alpha" if name == "negative_slope" else name  # PyTorch's word
        if name not in known:
            takes = f"{word} takes {', '.join(known)}" if known else f"{word} takes no settings"
            raise ModelError(f"{shown}: {takes}, got {label(setting, '?')!r}")
        try:
            number = float(value)
        except ValueError:
            raise ModelError(f"{shown}: expected a number for {name}, got {label(value, '?')!r}") from None
        if not np.isfinite(number) or (name == "eps" and number < 0):
            raise ModelError(
                f"{shown}: {name} must be finite{' and not negative' * (name == 'eps')}, got {value}"
            )
        yield name, number


def _module(modules: dict[str, Module], entry: Entry) -> Module:
    """Return what an entry reads; ModelError if it is not in the file, or cannot be that."""
    if entry.name not in modules:
        raise ModelError(
            f"layers: {label(entry.name, '?')!r} is not in the file; there are: {_contents(modules)}"
        )
    module = modules[entry.name]
    if module.kind != entry.word:
        raise ModelError(f"layers: {label(entry.text, '?')}: the file has {module} there")
    return module


def _is_below(name: str, above: str) -> bool:
    return name == above or name.startswith(f"{above}.")


# What a state_dict does not say, such as strides and paddings, an exported program does.
IGNORE_OR_EXPORT = (
    "ignore:NAME in --layers if the network does not use it; else save the whole network, which has its strides, too: "
    "torch.export.save(torch.export.export(model.eval(), (x,)), 'net.pt2')"
)


# Without a list of layers


def _ask_for_layers(modules: dict[str, Module]) -> str:
    """The message, with a proposal if it can be right. ModelError for a file with layers that are not supported."""
    missing = Missing()
    for module in modules.values():
        if module.kind not in KINDS:
            missing.layer(module.kind, str(module), IGNORE_OR_EXPORT)
    missing.refuse("torch-layers")
    ask = (
        "a state_dict has no graph: give its layers in the order they run with --layers (in Python: layers=)"
    )
    proposal = _propose(list(modules.values()))
    if proposal is None:
        return f"{ask}, with the activations between them; in the file: {_contents(modules)}"
    return (
        f'{ask}, for instance --layers "{proposal}", with the network\'s own activation, such as relu, for each '
        f"{PLACEHOLDER}, or without it where there is none, and with what follows the last layer"
    )


def _propose(modules: list[Module]) -> str | None:
    """Return a list with every module of the file; None where their order is not certain, or sizes do not fit.

    The order is certain in an nn.Sequential, whose modules have numbers, and for linear layers of which each takes
    another number of inputs, and the last does not give what the first takes: those may begin anywhere. The activations
    are not in the file; a placeholder stands for them where the numbers leave a gap, and at least once between two
    linear layers.
    """
    places = [_place(module) for module in modules]
    linear = [module for module in modules if module.kind == "linear"]
    is_sequential = all(place is not None and place[0] == places[0][0] for place in places)
    sizes = [module.array("weight", 2).shape[1] for module in linear]
    is_circle = len(linear) > 1 and linear[-1].n_out == sizes[0]
    is_chain = linear == modules and len(set(sizes)) == len(sizes) and not is_circle
    if not linear or not (is_sequential or is_chain):
        return None
    if is_sequential:  # files may have their arrays sorted by name, 10 before 2
        modules, places = zip(
            *sorted(zip(modules, places, strict=True), key=lambda each: each[1]), strict=True
        )
    size, entries, before = None, [], None
    for module, place in zip(modules, places, strict=True):
        if not module.fits(size):
            return None
        is_gap = is_sequential and before is not None and place[1] != before + 1
        if before is not None and (is_gap or (module.kind == "linear" and entries[-1].startswith("linear"))):
            entries.append(PLACEHOLDER)
        entries.append(f"{module.kind}:{module.name}")
        size, before = module.n_out or size, place[1] if is_sequential else 0
    proposal = ",".join(entries)
    can_be_written = all(SYNTAX.fullmatch(entry) and "," not in entry for entry in entries)
    return proposal if can_be_written and len(proposal) <= MAX_PROPOSAL else None


def _place(module: Module) -> tuple[str, int] | None:
    """Where a module stands in an nn.Sequential, ("net", 2) for net.2; None if its name is no number."""
    parent, _, last = module.name.rpartition(".")
    return (parent, int(last)) if last.isdecimal() and len(last) < 6 else None


def _contents(modules: dict[str, Module]) -> str:
    return _some([str(module) for module in modules.values()])


def _some(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
