"""How exact and how fast each example is in each type: `make accuracy`, or `python examples/accuracy_table.py`.

Trains every example, converts it to every type, runs the whole test split by the host library and a part of it on the
emulated Pico, checks what PROMISES says, and writes docs/accuracy.json, from which host_tools/page_tables.py makes
the table of docs/accuracy.md. Exit status 1 and a line on stderr for each broken promise; then nothing is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import common
import datasets
import numpy as np
from anne.model_file import ModelFile
from anne_tools.boards.bench import bench
from anne_tools.boards.device import Device
from anne_tools.boards.fit import fit
from anne_tools.boards.open_device import open_device
from anne_tools.boards.runner import run_device
from anne_tools.conversion.frameworks import framework_outputs
from anne_tools.conversion.quantize import INTEGER_DTYPES
from anne_tools.cores.files import open_model
from anne_tools.cores.local import run_local
from anne_tools.cores.numbers import dequantize_output
from anne_tools.cores.results import classes, difference
from anne_tools.data.files import write_atomically
from anne_tools.errors import DeviceError
from datasets import Data

# name: the function of datasets that loads its data, whether its weights are kept
EXAMPLES = {
    "iris": ("iris", False),
    "wine": ("wine", False),
    "breast_cancer": ("breast_cancer", False),
    "watch": ("watch", False),
    "digits": ("digits", False),
    "mnist": ("mnist", False),
    "motion": ("watch_signals", True),
    "mnist_cnn": ("mnist_images", True),
    "fashion": ("fashion", True),
}
DTYPES = ("float32", "int8-weights", "int16", "int8", "int4")
RESULT = Path(__file__).resolve().parent.parent / "docs" / "accuracy.json"

# PROMISES
# Percentage points of accuracy that a type may lose against the framework; one sample in any case, as in small test
# splits a single one is more. Nothing is promised of four bits: the table tells.
MOST_LOST = {"float32": 0.5, "int8-weights": 0.5, "int16": 0.5, "int8": 0.5, "int4": 100.0}
# Floats on the Pico and by the host library: relative to the sample's largest output. Integers are equal.
FLOAT_BOUND = 1e-6
DEVICE_SAMPLES = 20
# Multiplications of the samples that run there, at most, as the emulator takes its time.
DEVICE_MACS = 10_000_000


@dataclass
class Row:
    """An example in one type. Accuracies in percent of the whole test split; times in microseconds, medians.

    `same_answer_percent` counts the test samples with the framework's own answer. `device_difference` is the largest
    between the Pico's and the host library's outputs: steps for integers, relative to the largest output for floats.
    `ram_bytes` is what the loaded model takes of the heap, with its weights where they are kept in RAM. What is
    measured on the Pico is None, and n_device 0, for a file that is too large for its RAM.
    """

    data: str
    network: str
    framework: str
    n_train: int
    n_test: int
    dtype: str
    file_bytes: int
    ram_bytes: int | None
    framework_percent: float
    percent: float
    same_answer_percent: float
    n_device: int
    device_difference: float | None
    predict_us: float | None
    predict_into_us: float | None
    notes: list[str]

    def problems(self) -> list[str]:
        """Return the promises that this row breaks, a line each."""
        found = []
        lost = self.framework_percent - self.percent
        allowed = max(MOST_LOST[self.dtype], 100 / self.n_test)
        if lost > allowed + 1e-9:
            found.append(f"accuracy: expected to lose at most {allowed:.2f} points, lost {lost:.2f}")
        bound = 0 if self.dtype in INTEGER_DTYPES else FLOAT_BOUND
        if self.device_difference is not None and not self.device_difference <= bound:
            found.append(
                f"Pico and host: expected outputs within {bound}, they differ by {self.device_difference:.3g}"
            )
        return [f"{self.data}, {self.dtype}: {problem}" for problem in found]


def measure(device: Device, data: Data, model: Any, dtype: str) -> Row:
    """Return the Row of a trained model, converted to `dtype`."""
    converted = common.make(data, model, dtype)
    file = open_model(converted.data)
    framework, (expected,) = framework_outputs(model, [as_trained(data.x_test)], file.inputs)
    on_host = run_local(converted.data, data.x_test, "host")
    right = classes(expected.reshape(len(expected), -1), 0.5)
    answers = classes(dequantize_output(on_host, file.outputs[0]).reshape(len(on_host), -1), 0.5)
    return Row(
        data=data.name,
        network=described(file),
        framework=framework,
        n_train=len(data.x_train),
        n_test=len(data.x_test),
        dtype=dtype,
        file_bytes=len(converted.data),
        framework_percent=100 * float(np.mean(right == data.y_test)),
        percent=100 * float(np.mean(answers == data.y_test)),
        same_answer_percent=100 * float(np.mean(answers == right)),
        notes=converted.report.notes,
        **on_pico(device, converted.data, data, on_host),
    )


def on_pico(device: Device, model: bytes, data: Data, on_host: np.ndarray) -> dict[str, Any]:
    """Return what is measured on the Pico; `on_host` are the host library's outputs."""
    unmeasured: dict[str, Any] = {"n_device": 0} | dict.fromkeys(
        ("ram_bytes", "device_difference", "predict_us", "predict_into_us")
    )
    if fit(model, "pico").place != "storage":
        return unmeasured
    n_macs = sum(layer.macs for layer in open_model(model).layers)
    n_device = max(1, min(DEVICE_SAMPLES, DEVICE_MACS // max(1, n_macs)))
    try:
        outputs = run_device(device, model, data.x_test[:n_device])
        speed = bench(device, model, data.name)
    except DeviceError as error:
        if "MemoryError" not in str(error):
            raise
        return unmeasured  # in one piece there is less free than in all
    return {
        "n_device": n_device,
        "ram_bytes": speed.ram_bytes,
        "device_difference": max(map(difference, on_host[:n_device], outputs)),
        "predict_us": speed.predict_us,
        "predict_into_us": speed.predict_into_us,
    }


def as_trained(x: np.ndarray) -> np.ndarray:
    """Return test samples as the framework takes them: images, all of PyTorch, with their channels first."""
    if x.ndim == 2:
        return x
    from training import channels_first

    return channels_first(x).numpy()


def described(file: ModelFile) -> str:
    """Return a network of dense layers as 4-8-3, another by the input's shape and its layers with weights."""
    weighted = [layer for layer in file.layers if layer.macs]
    if all(layer.kind == "dense" for layer in weighted):
        return "-".join([str(file.inputs[0].size)] + [str(layer.outputs[0].size) for layer in weighted])
    kinds = Counter(layer.kind for layer in weighted)
    shape = "x".join(map(str, file.inputs[0].shape))
    return ", ".join([shape] + [f"{n} {kind}" for kind, n in kinds.items()])


def trained(name: str) -> tuple[Data, Any]:
    """Return the data of an example and its trained model."""
    loader, is_kept = EXAMPLES[name]
    data, module = getattr(datasets, loader)(), import_module(name)
    return data, common.trained(name, module.network, data) if is_kept else module.train(data)


def told(row: Row) -> str:
    """Return the line that tells of a row while the others are measured."""
    host = f"{row.data:14} {row.network:10} {row.dtype:12} {row.file_bytes:6} bytes,"
    host += f" {row.framework_percent:6.2f} % -> {row.percent:6.2f} %,"
    if row.predict_us is None:
        return f"{host} too large for the Pico's RAM"
    return f"{host} {row.ram_bytes:6} of RAM, {row.predict_us:7.0f} us, Pico differs by {row.device_difference:.2g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", nargs="*", default=EXAMPLES, help=f"of {', '.join(EXAMPLES)}")
    parser.add_argument("--output", type=Path, default=RESULT, help="the JSON file to write")
    arguments = parser.parse_args()
    rows = []
    with open_device("emulator", flash_cache=True) as device:
        for name in arguments.examples:
            data, model = trained(name)
            for dtype in DTYPES:
                rows.append(row := measure(device, data, model, dtype))
                print(told(row), flush=True)
    problems = [problem for row in rows for problem in row.problems()]
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    if problems:
        return 1
    arguments.output.parent.mkdir(exist_ok=True)
    write_atomically(arguments.output, (json.dumps([asdict(row) for row in rows], indent=1) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
