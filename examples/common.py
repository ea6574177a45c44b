"""What the examples share: train, convert, tell, save.

Each example gives `main` its data and a function that trains; what a user of anne_tools types is in `make`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anne_tools
from anne_tools.conversion.choose import AUTO
from anne_tools.conversion.quantize import DTYPES
from anne_tools.conversion.report import lines
from datasets import Data

Train = Callable[[Data], Any]
# Training samples whose values tell the ranges of integers: more would only take longer.
CALIBRATION = 1000


def make(data: Data, model: Any, dtype: str) -> anne_tools.Converted:
    """Return the trained `model` as a model file, calibrated on the training samples and judged on the test samples."""
    *size, channels = data.x_train.shape[1:]
    options = (
        {"input_shape": (channels, *size)} if size else {}
    )  # as PyTorch has images, which may be of any size
    return anne_tools.convert(
        model,
        dtype=dtype,
        calibrate=data.x_train[:: max(1, len(data.x_train) // CALIBRATION)],
        labels=data.labels,
        feature_names=data.feature_names,
        name=data.name,
        test=(data.x_test, data.y_test),
        **options,
    )


def main(load: Callable[[], Data], train: Train) -> None:
    """The examples' command line: train, convert to --dtype, print the report, save the file with -o."""
    arguments = _parser(load).parse_args()
    data = load()
    _convert(data, train(data), arguments)


def main_trained(name: str, load: Callable[[], Data], network: Train, train: Train) -> None:
    """Likewise for those whose weights are kept, as training takes minutes: with --train they are made anew."""
    import training

    parser = _parser(load)
    parser.add_argument(
        "--train", action="store_true", help="train instead of taking the weights that are kept"
    )
    arguments = parser.parse_args()
    data = load()
    if arguments.train:
        print(f"training {name}, some minutes ...", flush=True)
        print(f"{training.save(name, train(data))} is written")
    _convert(data, trained(name, network, data), arguments)


def trained(name: str, network: Train, data: Data) -> Any:
    """Return the network with the weights that are kept, ready to convert."""
    import training

    return training.with_softmax(training.load(name, network(data)))


def _parser(load: Callable[[], Data]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"{load.__doc__}")
    parser.add_argument("--dtype", default=AUTO, choices=(AUTO, *DTYPES))
    parser.add_argument("-o", "--output", type=Path, help="where the model file goes, such as net.anne")
    return parser


def _convert(data: Data, model: Any, arguments: argparse.Namespace) -> None:
    converted = make(data, model, arguments.dtype)
    print(f"{data.name}: {len(converted.to_bytes())} bytes as {converted.report.dtype}")
    print("\n".join(lines(converted.report)))
    if arguments.output:
        converted.save(arguments.output)
        print(f"{arguments.output} is written; now: anne run {arguments.output} --on emulator")
