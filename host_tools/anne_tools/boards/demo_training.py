"""The published training on a Pico: AI-ANNE's own 4-3-1 network learns from 20 rows, natively and in plain Python.

As in demo.py nothing here knows a result: losses come from the device, and `problems` holds them against those that
were published.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from anne import reference_trainer

from ..errors import DeviceError
from ..networks import THRESHOLD, Training, published_training
from .board_files import script
from .device import Device

NAME = "4-3-1 learns"
# An epoch of the original's own code, measured once as demo.ORIGINAL_US says. Cited, not measured by this run.
ORIGINAL_EPOCH_US = 47_000
# Plain Python takes a tenth of a second for an epoch, a second in the emulator: enough to show its speed.
REFERENCE_EPOCHS = 3
# Sums of 20 losses in float32, in another order of additions.
LOSS_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Learning:
    """What one backend made of the training: each epoch's loss, and what it says of its rows in the end.

    `first_us` is for a call with one epoch, which takes the data and the weights, too; `epoch_us` for each further one.
    """

    backend: str
    losses: list[float]
    accuracy: float
    confusion: list[list[int]]
    first_us: float
    epoch_us: float


@dataclass(frozen=True)
class TrainingRun:
    """The training on a device, by each backend that was asked for."""

    training: Training
    runs: dict[str, Learning]
    problems: list[str] = field(default_factory=list)

    @property
    def losses(self) -> dict[int, float]:
        """The native losses of the epochs of which losses were published."""
        losses = self.runs["native"].losses
        return {epoch: losses[epoch - 1] for epoch in self.training.published_losses}

    @property
    def largest_difference(self) -> float:
        """The largest difference between native's and the reference's losses, as a part of them; NaN if one is."""
        native, reference = (self.runs[name].losses for name in ("native", "reference"))
        off = [abs(a - b) / max(abs(b), 1e-9) for a, b in zip(native, reference, strict=False)]
        return max(off) if all(part == part for part in off) else float("nan")

    @property
    def speed_up(self) -> float:
        return self.runs["reference"].epoch_us / self.runs["native"].epoch_us

    def as_json(self) -> dict:
        """Return plain data for `--json`."""
        return {
            "name": NAME,
            "published_losses": {str(k): v for k, v in self.training.published_losses.items()},
            "losses": {str(k): v for k, v in self.losses.items()},
            "backends": {name: vars(run) for name, run in self.runs.items()},
            "largest_difference": self.largest_difference,
            "speed_up": self.speed_up,
            "original_epoch_us_cited": ORIGINAL_EPOCH_US,
            "problems": self.problems,
        }


def run_training(
    device: Device, on_backend: Callable[[str], None] | None = None, training: Training | None = None
) -> TrainingRun:
    """Run the published training on a Pico with our firmware, some epochs of it in plain Python, too, and check it.

    `on_backend` is told the name of each backend before it begins.
    """
    device.require_anne()
    training = training or published_training()
    layers = training.layers
    backends = [("native", training.epochs), ("reference", REFERENCE_EPOCHS)]
    task = {
        "layers": [[layer.weights, layer.bias] for layer in layers],
        "activations": [layer.activation for layer in layers],
        "sizes": [layers[0].n_in, *(layer.n_out for layer in layers)],
        "inputs": training.inputs,
        "labels": training.labels,
        "lr": training.lr,
        "threshold": THRESHOLD,
    }
    source, runs = inspect.getsource(reference_trainer.train_model), {}  # firmware has none of it
    for backend, epochs in backends:
        if on_backend:
            on_backend(backend)
        one = json.dumps({**task, "backend": backend, "epochs": epochs})
        answer = json.loads(device.exec(script("time_training.py", task=one, source=source), timeout_s=120))
        if not answer.pop("native"):
            raise DeviceError(f"{device.name}: anne runs without its native module")
        losses = list(map(float, answer.pop("losses")))
        runs[backend] = Learning(backend, losses, **answer)
    run = TrainingRun(training, runs)
    return TrainingRun(training, runs, _problems(run))


def _problems(run: TrainingRun) -> list[str]:
    """Return what differs from what must come out, in words."""
    problems = [
        f"{NAME}: epoch {epoch}: expected loss {run.training.published_losses[epoch]:.4f}, got {loss:.4f}"
        for epoch, loss in run.losses.items()
        if f"{loss:.4f}" != f"{run.training.published_losses[epoch]:.4f}"
    ]
    if not run.largest_difference <= LOSS_TOLERANCE:
        problems.append(
            f"{NAME}: losses of native and plain Python differ by up to {run.largest_difference:.2g} of them, "
            f"allowed {LOSS_TOLERANCE}"
        )
    return problems
