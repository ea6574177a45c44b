"""The published IRIS networks on a Pico: run by the native module and by plain Python, compared and timed.

Nothing here knows a result: what is returned was computed on the device, and `problems` holds it against what the data
files in networks/ say must come out.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..errors import DeviceError
from ..networks import THRESHOLD, Network
from .board_files import script
from .device import Device

# The original AI-ANNE's own code for one prediction, measured once on an emulated RP2040 at 125 MHz with quiet USB (see
# emulator_usb.py): its code of 2024 for iris-8, its later code for single samples for iris-4-4-2-1. Cited, not measured
# by this run.
ORIGINAL_US = {"iris-8": 7400, "iris-4-4-2-1": 1500}
# float32 on the device against double precision: two dozen roundings of relative size 6e-8, times what the weights
# amplify.
OUTPUT_TOLERANCE = 1e-5


@dataclass(frozen=True)
class BackendRun:
    """What one backend, "native" or "reference", made of a network's rows. `median_us` is for one sample."""

    backend: str
    outputs: list[float]
    predictions: list[int]
    accuracy: float
    confusion: list[list[int]]
    median_us: int


@dataclass(frozen=True)
class NetworkRun:
    """A network on a device, by each backend that was asked for."""

    network: Network
    runs: dict[str, BackendRun]
    problems: list[str] = field(default_factory=list)

    @property
    def largest_difference(self) -> float | None:
        """The largest difference between native's and the reference's outputs, if both ran."""
        if len(self.runs) < 2:
            return None
        native, reference = self.runs["native"], self.runs["reference"]
        return _largest_difference(native.outputs, reference.outputs)

    @property
    def speed_up(self) -> float | None:
        if len(self.runs) < 2 or self.runs["native"].median_us <= 0:
            return None
        return self.runs["reference"].median_us / self.runs["native"].median_us

    def as_json(self) -> dict:
        """Return plain data for `--json`."""
        return {
            "network": self.network.name,
            "title": self.network.title,
            "published_accuracy": self.network.published,
            "note": self.network.note,
            "labels": self.network.labels,
            "backends": {name: vars(run) for name, run in self.runs.items()},
            "largest_difference": self.largest_difference,
            "speed_up": self.speed_up,
            "original_us_cited": ORIGINAL_US.get(self.network.name),
            "problems": self.problems,
        }


def run_network(
    device: Device,
    network: Network,
    backends: tuple[str, ...] = ("native", "reference"),
    on_backend: Callable[[str], None] | None = None,
) -> NetworkRun:
    """Run a network on a Pico with our firmware and check what comes out.

    `on_backend` is told the name of each backend before it begins.
    """
    device.require_anne()
    task = {
        "layers": [[layer.n_out, layer.weights, layer.bias, layer.activation] for layer in network.layers],
        "inputs": network.inputs,
        "labels": network.labels,
        "threshold": THRESHOLD,
        "backends": backends,
    }
    source = script("time_network.py", task=json.dumps(task))
    runs: dict[str, BackendRun] = {}

    left = list(backends)

    def begin_next() -> None:
        if left and on_backend:
            on_backend(left.pop(0))

    def note(text: str) -> None:
        for _ in range(text.count("\n")):
            begin_next()

    begin_next()
    lines = device.exec(source, timeout_s=120, on_output=note).splitlines()
    for answer in map(json.loads, lines):
        if answer["backend"] == "native" and not answer["native"]:
            raise DeviceError(f"{device.name}: anne runs without its native module")
        runs[answer["backend"]] = _backend_run(answer)
    return NetworkRun(network, runs, _problems(network, runs))


def _backend_run(answer: dict) -> BackendRun:
    return BackendRun(
        answer["backend"],
        [float(y) for y in answer["outputs"]],
        answer["predictions"],
        round(answer["accuracy"], 6),
        answer["confusion"],
        answer["median_us"],
    )


def run_reference(network: Network) -> NetworkRun:
    """Run a network by plain Python on this computer; no times, as they would say nothing about a Pico."""
    from anne import reference

    outputs = []
    for x in network.inputs:
        for layer in network.layers:
            x = reference.dense(layer.n_out, x, layer.weights, layer.bias, layer.activation)
        outputs.append(x[0])
    predictions = [int(y > THRESHOLD) for y in outputs]
    accuracy, confusion = reference.classification_report(network.labels, predictions)
    runs = {"reference": BackendRun("reference", outputs, predictions, accuracy, confusion, 0)}
    return NetworkRun(network, runs, _problems(network, runs))


def _largest_difference(a: list[float], b: list[float]) -> float:
    """NaN if one of the differences is, which Python's max would pass over."""
    return float(np.abs(np.subtract(a, b)).max())


def _problems(network: Network, runs: dict[str, BackendRun]) -> list[str]:
    """Return what differs from what must come out, in words."""
    problems = []
    for run in runs.values():
        where = f"{network.name}, {run.backend}"
        if (
            run.confusion != network.expected_confusion
            or abs(run.accuracy - network.expected_accuracy) > 1e-6
        ):
            problems.append(
                f"{where}: expected {network.expected_accuracy:.0%} {network.expected_confusion}, "
                f"got {run.accuracy:.0%} {run.confusion}"
            )
        worst = _largest_difference(run.outputs, network.expected_outputs)
        if not worst <= OUTPUT_TOLERANCE:
            problems.append(
                f"{where}: outputs differ from the expected by up to {worst:.2g}, allowed {OUTPUT_TOLERANCE}"
            )
    return problems
