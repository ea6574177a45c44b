"""The arena: what lies in it before a network runs, and which of its tensors share a place, changes no output.

Files of the converter: random networks that branch, whose tensors its planner puts where others are no longer needed,
and the golden models. arena.c lays their tensors apart, fills all memory before it runs, and compares; it does the same
with graphs and layers that no converter would write.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from core import MODELS, run_program
from figures import Found, ReliabilityError
from random_graphs import converted, for_each_network

# Networks that are converted; of arena.c's own, shapes of each kind of layer, and graphs
SHORT, LONG = (80, 100, 2000), (2000, 2000, 50_000)


def arena(soak: bool) -> Found:
    """Planned as it is and laid apart, with an arena that was full of anything."""
    n_networks, n_shapes, n_graphs = LONG if soak else SHORT
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = [shutil.copy(path, folder) and path.name for path in sorted(MODELS.glob("*.anne"))]
        n_golden = len(names)

        def write(graph, x, dtype):
            data = converted(graph, x, dtype).data
            names.append(f"{len(names)}.anne")
            (folder / names[-1]).write_bytes(data)

        for_each_network(n_networks, write)
        found = run_program("arena", n_shapes, n_graphs, folder, *names)
    if 2 * found["shared"] < len(names) or 2 * found["graphs"] < n_graphs:
        raise ReliabilityError(f"arena: {found}: too few tensors share a place for this to mean anything")
    return Found(
        f"{len(names) - n_golden:,} networks of the converter, {n_golden} golden models, {n_graphs:,} random graphs, "
        f"{n_shapes:,} shapes of each layer: {found['runs']:,} runs",
        f"outputs equal to the bit; in {found['shared']:,} files and {found['graphs']:,} graphs tensors shared bytes",
    )
