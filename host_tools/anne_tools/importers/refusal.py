"""What a model needs and this project has not: all of it in one line, with counts, the largest obstacle first.

An importer looks through the whole file before it refuses anything, so that nobody mends one thing to hear of the next.
"""

from __future__ import annotations

from collections import Counter

from ..errors import ModelError

MOST_KINDS = 12
# What helps against layers that no importer has, by parts of their names; the first that is found.
_RECURRENT = "a recurrent layer; convolutions over time (Conv1D, dilated and causal) may do its work"
_ATTENTION = "attention; convolutions over time (Conv1D, dilated) may do its work"
HINTS = {
    **dict.fromkeys(("lstm", "gru", "rnn", "recurrent", "bidirectional"), _RECURRENT),
    "attention": _ATTENTION,
    "randomcrop": "it cuts out the middle when it does not train; write Cropping2D instead",
    "conv3d": "of volumes; supported are images and signals",
    "lambda": "its code is not run; write it with operators of the framework, such as x / 255, or as a layer",
}


class Missing:
    """Collects what is missing.

    >>> missing = Missing()
    >>> missing.layer("Conv2D", "layer 0 (Conv2D 'first')")
    >>> missing.structure("a state (variables)")
    >>> missing.refuse("keras")
    ModelError: needs Conv2D (1), a state (variables); the first is layer 0 (Conv2D 'first'); anne convert --supported
    keras lists what can be used
    """

    def __init__(self):
        self._layers: Counter[str] = Counter()
        self._structure: dict[str, None] = {}  # in order, each once
        self._first = ""
        self._hints: dict[str, str] = {}  # what is said of a layer, each hint once

    def layer(self, kind: str, where: str, hint: str = "") -> None:
        """Note a layer or operator of `kind`, a clean word; `where` names it in messages, `hint` says what helps."""
        self._first = self._first or f"{where}{hint and f' ({hint})'}"
        if known := next((HINTS[part] for part in HINTS if part in kind.lower()), ""):
            self._hints.setdefault(known, f"{kind}: {known}")
        self._layers[kind] += 1

    def structure(self, what: str) -> None:
        """Note what else is needed, such as "a state (variables)"; once, however often it is met."""
        self._structure[what] = None

    def refuse(self, source: str) -> None:
        """Raise ModelError if anything is missing; `source` is one of supported.SOURCES, which has the others."""
        kinds = [f"{kind} ({count})" for kind, count in self._layers.most_common(MOST_KINDS)]
        if len(self._layers) > MOST_KINDS:
            kinds.append(f"{len(self._layers) - MOST_KINDS} more kinds of layers")
        needs = kinds + list(self._structure)[:MOST_KINDS]
        if not needs:
            return
        first = f"; the first is {self._first}" if self._first else ""
        first += "".join(f"; {said}" for said in self._hints.values())
        tail = f"; anne convert --supported {source} lists what can be used" if self._layers else ""
        raise ModelError(f"needs {', '.join(needs)}{first}{tail or ', which is not supported'}")
