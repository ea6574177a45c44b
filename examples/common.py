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


def make(data: Data, model: Any, dtype: str) -> anne_tools.Converted:
    """Return the trained `model` as a model file, calibrated on the training samples and judged on the test samples."""
    return anne_tools.convert(
        model,
        dtype=dtype,
        calibrate=data.x_train,
        labels=data.labels,
        feature_names=data.feature_names,
        name=data.name,
        test=(data.x_test, data.y_test),
    )


def main(load: Callable[[], Data], train: Train) -> None:
    """The examples' command line: train, convert to --dtype, print the report, save the file with -o."""
    parser = argparse.ArgumentParser(description=f"{load.__doc__}")
    parser.add_argument("--dtype", default=AUTO, choices=(AUTO, *DTYPES))
    parser.add_argument("-o", "--output", type=Path, help="where the model file goes, such as net.anne")
    arguments = parser.parse_args()
    data = load()
    converted = make(data, train(data), arguments.dtype)
    print(f"{data.name}: {len(converted.to_bytes())} bytes as {converted.report.dtype}")
    print("\n".join(lines(converted.report)))
    if arguments.output:
        converted.save(arguments.output)
        print(f"{arguments.output} is written; now: anne run {arguments.output} --on emulator")
