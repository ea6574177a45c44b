"""What models do with MicroPython's heap: programs of the folder on_board, in the unix port."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile

from core import MODELS, PROGRAMS
from figures import ROOT, Found, ReliabilityError

UNIX_PORT = ROOT / "build" / "micropython-unix"
ON_BOARD = ROOT / "tests" / "reliability" / "on_board"
SMALL = (
    "binary_float32",
    "image_int8",
    "small_int4",
    "graph_0",
    "graph_1",
)  # those of the fewest allocations
GRAPHS = 12  # networks that branch, most of them with several inputs or outputs


def run_unix(program: str, *arguments: object) -> list[int]:
    """Run a program of on_board; return the numbers it prints. ReliabilityError with what it said if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        for path in MODELS.glob("*.anne"):
            shutil.copy(path, folder)
        subprocess.run([PROGRAMS / "make_models", "graphs", folder, str(GRAPHS)], check=True)
        environment = os.environ | {
            "ASAN_OPTIONS": "detect_leaks=0",  # MicroPython ends without freeing what it has
            "ANNE_GOLDEN": f"{folder}/",
            "MICROPYPATH": f".frozen:{ON_BOARD}",
        }
        command = [UNIX_PORT, "-X", "heapsize=512k", ON_BOARD / program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=3600)
    if done.returncode:
        raise ReliabilityError(f"{program} {arguments}:\n{(done.stdout + done.stderr)[-4000:]}")
    return [int(word) for word in done.stdout.split()]


def allocation(soak: bool) -> Found:
    """Every allocation of load, predict, predict_into and close fails once."""
    models, failed, raised = run_unix("allocation.py", *([] if soak else SMALL))
    return Found(
        f"{failed:,} allocations of {models} models",
        f"{raised:,} ended in MemoryError, the others in the right result; then load and predict work, free heap "
        "equal to the byte",
    )


def heap_lock(soak: bool) -> Found:
    """predict_into without any heap."""
    models, ways = run_unix("memory.py", "heap_locked")
    return Found(f"{models} models x {ways} kinds of input and output", "no allocation")


def leaks(soak: bool) -> Found:
    """Predictions, loads and failed loads."""
    models, predictions, loads = run_unix("memory.py", "leaks", *((10_000, 1_000) if soak else (300, 30)))
    return Found(
        f"{models} models x {predictions:,} predictions, {loads:,} times load and close, {loads:,} failed loads",
        "free heap equal to the byte",
    )


def collections(soak: bool) -> Found:
    """Garbage collections between calls and at every allocation."""
    models, ways = run_unix("memory.py", "collections")
    return Found(f"{models} models x {ways} ways, the file's bytes dropped", "results unchanged")
