"""Simplify a graph without changing what it computes: Graph -> (Graph, notes), the notes for the user's report.

Most passes look at two neighbours, a layer and the only one that reads its output, and put one layer in their place.
Each names the kinds it joins, and has a file of its own. All arithmetic is done in float64; `simplify` rounds to
float32 once, at its end. Whatever comes quantised from its file stays as it is, integer for integer, except for layers
that only move or repeat values.
"""

from __future__ import annotations

from ...network.graph import Graph
from .balance_inputs import balance_inputs as balance_inputs
from .crop_windows import crop_windows as crop_windows
from .drop_no_ops import drop_no_ops
from .fold_scalings import fold_scalings
from .fold_transposes import fold_transposes as fold_transposes
from .fuse_activations import fuse_activations
from .integer_scalings import integer_scalings as integer_scalings
from .integer_scalings import scaled_tensors as scaled_tensors
from .merge_dense import merge_dense
from .merge_pads import merge_pads
from .merge_reshapes import merge_reshapes
from .rewrite import Passed, rounded
from .spread_scalings import spread_scalings as spread_scalings

PASSES = (
    drop_no_ops,
    merge_reshapes,
    fuse_activations,
    crop_windows,
    fold_transposes,
    merge_dense,
    merge_pads,
)


def simplify(graph: Graph, fold_input_scaling: bool = True) -> Passed:
    """Return (an equal graph with fewer layers, one note a change).

    `fold_input_scaling` False keeps a scaling of the network's inputs as the first layer. Where inputs become
    integers that matters: they share one scale, and only after scaling are features of unlike range alike.
    """
    notes: list[str] = []
    count = -1
    while count != len(notes):
        count = len(notes)
        for one_pass in PASSES:
            graph, more = one_pass(graph)
            notes += more
        for one_pass in (fold_scalings, spread_scalings):
            graph, more = one_pass(graph, fold_input_scaling)
            notes += more
    return rounded(graph).check(), notes
