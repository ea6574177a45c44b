"""How long it takes a Pico to learn, measured there: AI-ANNE's own training, a row of a larger network, a new head.

Each result is held against the same on this computer, or against what was published: a fast wrong answer is none.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..cores.files import open_model
from ..errors import ModelError
from .board_files import script, temporary_file
from .demo_training import ORIGINAL_EPOCH_US, run_training
from .device import Device

# What on_device/bench_training.py has learn row by row.
_SIZES, _N_ROWS = (64, 32, 10), 10
# Losses of a head: the layers before it, and the scaling, in float32 there and in part in doubles here.
_LOSS_BOUND = 1e-3


@dataclass
class TrainingTime:
    """One thing that is learnt, in milliseconds: by the C core, in plain Python on the same board, by the original's
    own code (cited); None is what there is not. `per_weight` are cycles for a row, a weight."""

    what: str
    ms: float
    per_weight: float | None = None
    reference_ms: float | None = None
    original_ms: float | None = None


def bench_training(device: Device, head_base: bytes, n_repeats: int = 5) -> list[TrainingTime]:
    """Measure on a Pico how long it learns; `head_base` is a model file whose last layer `anne.Head` exchanges.

    ModelError for what is learnt wrongly.
    """
    published = run_training(device)
    if published.problems:
        raise ModelError("not as published: " + "; ".join(published.problems))
    base = open_model(head_base)
    names = {"n_inputs": base.inputs[0].size, "n_repeats": n_repeats}
    with temporary_file(device, head_base, "model") as path:
        there = device.exec(script("bench_training.py", model_path=path, **names), timeout_s=300)
    clock_hz = float(device.exec("print(__import__('machine').freq())"))
    there, here = json.loads(there.strip().rpartition("\n")[2]), _here(head_base, names)
    _check(there, here)
    row_us = there["epoch_us"] / _N_ROWS
    weights = sum(a * b for a, b in zip(_SIZES, _SIZES[1:], strict=False))
    native, reference = published.runs["native"], published.runs["reference"]
    n_features = base.layers[-2].inputs[0].size
    return [
        TrainingTime(
            "train_model, 4-3-1: an epoch of 20 rows",
            native.epoch_us / 1e3,
            reference_ms=reference.epoch_us / 1e3,
            original_ms=ORIGINAL_EPOCH_US / 1e3,
        ),
        TrainingTime(
            "the same: a call with one epoch",
            native.first_us / 1e3,
            reference_ms=reference.first_us / 1e3,
        ),
        TrainingTime(
            f"{'-'.join(map(str, _SIZES))}, SGD row by row: a row",
            row_us / 1e3,
            per_weight=row_us * clock_hz / 1e6 / weights,
        ),
        TrainingTime(f"Head, {n_features} to 3: fit of 60 examples, 20 epochs", there["head_us"] / 1e3),
    ]


def _here(head_base: bytes, names: dict) -> dict:
    """The same script on this computer."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as printed:
        path = Path(folder, "net.anne")
        path.write_bytes(head_base)
        exec(script("bench_training.py", model_path=str(path), **names), {"__name__": "bench_training"})
    return json.loads(printed.getvalue().strip().rpartition("\n")[2])


def _check(there: dict, here: dict) -> None:
    """ModelError if a board has learnt something else than this computer: weights by the bit, losses nearly."""
    if there["weights_crc"] != here["weights_crc"]:
        raise ModelError("the board's core and this computer's have learnt other weights from the same rows")
    off = float(np.abs(np.subtract(there["head_losses"], here["head_losses"])).max())
    if not off <= _LOSS_BOUND or there["head_right"] != here["head_right"]:
        raise ModelError(
            f"a head has learnt something else on the board: losses differ by up to {off:.2g}, allowed {_LOSS_BOUND}; "
            f"{there['head_right']} examples right, here {here['head_right']}"
        )
