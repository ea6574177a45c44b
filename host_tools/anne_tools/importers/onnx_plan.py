"""What of an ONNX file has to be computed, in which order, and what the classes are called.

Nodes may stand in any order, though ONNX demands one in which they can run; only those that the output needs count.
A classifier of scikit-learn (sklearn-onnx) has two outputs, the class and the probabilities, and the latter may be a
list of maps (ZipMap): the probabilities become the output, the names of the classes the labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import ModelError
from .flow import label

Node = dict[str, Any]
DOMAINS = ("", "ai.onnx")
MOST_OUTPUTS = 8  # of a file whose class labels are looked for
ML_DOMAIN = "ai.onnx.ml"
# What may stand between where a class is found and the output that tells it.
_PASSES_ON = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
_CLASSIFIERS = ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier")


@dataclass
class Plan:
    """`nodes` with their places in the file, in an order in which they can run; names of the file's `inputs` and
    `outputs` that are left to be read; `labels` of the classes, [] if the file has none; inputs that stay `unread`."""

    nodes: list[tuple[int, Node]]
    inputs: list[str]
    outputs: list[str]
    labels: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class _Nodes:
    """The nodes of a graph by what they make."""

    def __init__(self, graph: dict[str, Any]):
        self.nodes: list[Node] = graph["node"]
        self.constants = {tensor.get("name", ""): tensor for tensor in graph["initializer"]}
        self.maker: dict[str, int] = {}
        for index, node in enumerate(self.nodes):
            for name in filter(None, node["output"]):
                if name in self.maker or name in self.constants:
                    raise ModelError(
                        f"layer {index} ({operator(node)}): its output {label(name, '?')!r} is computed twice"
                    )
                self.maker[name] = index

    def made(self, name: str) -> Node | None:
        """The node that makes the value `name`."""
        return self.nodes[self.maker[name]] if name in self.maker else None

    def behind(self, name: str) -> tuple[str, Node | None]:
        """Return the value that `name` tells in another form, and its node."""
        node = self.made(name)
        for _ in self.nodes:
            if node is None or operator(node) not in _PASSES_ON or not node["input"]:
                break
            name = node["input"][0]
            node = self.made(name)
        return name, node

    def check_known(self, order: list[int], given: set[str]) -> None:
        """ModelError if one of the nodes reads a value that is neither made, nor a constant, nor in `given`."""
        for index in order:
            for name in filter(None, self.nodes[index]["input"]):
                if name not in self.maker and name not in self.constants and name not in given:
                    raise ModelError(
                        f"layer {index} ({operator(self.nodes[index])}): its input {label(name, '?')!r} is computed "
                        "by no node"
                    )

    def order(self, outputs: list[str]) -> Iterator[int]:
        """Yield the places of the nodes that `outputs` need, each after those it reads. ModelError for a circle."""
        done: set[int] = set()
        entered: set[int] = set()
        stack = [self.maker[name] for name in reversed(outputs) if name in self.maker]
        while stack:
            index = stack[-1]
            if index in done:
                stack.pop()
                continue
            needed = [self.maker[name] for name in self.nodes[index]["input"] if name in self.maker]
            waits = [i for i in reversed(needed) if i not in done]
            if not waits:
                done.add(stack.pop())
                yield index
                continue
            if index in entered:
                raise ModelError(
                    f"layer {index} ({operator(self.nodes[index])}) needs its own output: the nodes form a circle"
                )
            entered.add(index)
            stack += waits


def operator(node: Node) -> str:
    """Return a node's operator as messages name it, with its domain if that is not ONNX's own."""
    name, domain = label(node.get("op_type", ""), "?"), label(node.get("domain", ""), "")
    return name if domain in DOMAINS else f"{domain}.{name}"


def plan(graph: dict[str, Any]) -> Plan:
    """Return the Plan of a graph. ModelError if its nodes form a circle."""
    nodes = _Nodes(graph)
    names = [value.get("name", "") for value in graph["output"]]
    looked_at = names if len(names) <= MOST_OUTPUTS else []
    told = {name: labels for name in looked_at if (labels := _labels_told(nodes, name)) is not None}
    outputs = [name for name in names if name not in told] or names
    order = list(nodes.order(outputs))
    needed = {name for index in order for name in nodes.nodes[index]["input"]} | set(outputs)
    given = [value.get("name", "") for value in graph["input"]]
    nodes.check_known(order, set(given))
    computed = [name for name in dict.fromkeys(given) if name not in nodes.constants]
    inputs = [name for name in computed if name in needed]
    labels = next((found for found in told.values() if found), []) or _labels_of_scores(nodes, order)
    unread = [name for name in computed if name not in needed]
    return Plan([(index, nodes.nodes[index]) for index in order], inputs, outputs, labels, unread)


def _labels_told(nodes: _Nodes, name: str) -> list[str] | None:
    """Return the names of the classes if the value `name` is the class found ([]: they have none), else None."""
    found, node = nodes.behind(name)
    if node is None:
        return None
    if operator(node).removeprefix(f"{ML_DOMAIN}.") in _CLASSIFIERS:
        return class_labels(node) if found == node["output"][0] else None
    if operator(node) == f"{ML_DOMAIN}.ArrayFeatureExtractor" and len(node["input"]) == 2:
        classes, (_, index) = nodes.constants.get(node["input"][0]), nodes.behind(node["input"][1])
        if classes is not None and index is not None and operator(index) == "ArgMax":
            return [_text(each) for each in _values(classes)]
    return [] if operator(node) == "ArgMax" else None


def _labels_of_scores(nodes: _Nodes, order: list[int]) -> list[str]:
    """Return the names that a node on the way of the probabilities gives the classes."""
    for index in reversed(order):
        if operator(nodes.nodes[index]) in (f"{ML_DOMAIN}.ZipMap", f"{ML_DOMAIN}.LinearClassifier"):
            return class_labels(nodes.nodes[index])
    return []


def class_labels(node: Node) -> list[str]:
    """Return the labels that stand in a node's attributes."""
    for attribute in node["attribute"]:
        if attribute.get("name") in ("classlabels_int64s", "classlabels_ints", "classlabels_strings"):
            return [_text(each) for each in attribute["ints"] or attribute["strings"]]
    return []


def _values(tensor: dict[str, Any]) -> list:
    """The values of a tensor of integers or texts."""
    from .onnx_files import STRING, to_array

    if tensor.get("data_type") == STRING:
        return tensor["string_data"]
    return to_array(tensor, "the names of the classes").reshape(-1).tolist()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
