"""Models used as they are not meant to be: tests of tests/api, on each of its backends."""

from __future__ import annotations

import ast
import sys

from figures import ROOT, Found, ReliabilityError

API = ROOT / "tests" / "api"
FILES = ("test_wrong_use", "test_bad_input", "test_bad_models", "test_ports", "test_ports_in_use")


def wrong_use(soak: bool) -> Found:
    """Wrong arguments, closed models, use while in use; the short form leaves to tests/api what takes long."""
    sys.path.insert(0, str(API))
    import backends

    counts = {"passed": 0, "skipped": 0}
    chosen = list(backends.BACKENDS) if soak else ["unix"]
    for file in FILES:
        nodes = ast.parse((API / f"{file}.py").read_text()).body
        names = [n.name for n in nodes if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
        for backend in chosen:
            for name, outcome in backends.run(backend, file, names).items():
                if outcome.kind == "failed":
                    raise ReliabilityError(f"{name} on {backend}:\n{outcome.text}")
                counts[outcome.kind] += 1
    return Found(
        f"{counts['passed']} tests on {' and '.join(chosen)}: arguments, several inputs and outputs, closed "
        "models, programs that a call runs, timers and hard interrupts, threads",
        "an exception or the right result",
    )
