"""Teach a network new classes on a board: its last layer learns from five examples of each, in a third of a second.

python examples/teach.py                   on an emulated Pico, with recordings of a smart watch
python examples/teach.py --on /dev/ttyACM0 the same on a Pico

The base is the network of motion.py, which tells what someone does from 6 axes; `anne.Head` replaces its last layer.
With a sensor at the Pico, gestures.py teaches your own gestures in the same way.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from anne_tools.boards.device import Device
from anne_tools.boards.open_device import open_device
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.layers import Conv, Reduce
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.graph import Graph, Metadata
from datasets import AXES, Data, watch_signals

WEIGHTS = Path(__file__).resolve().parent / "weights" / "motion.npz"
EPSILON = 1e-5  # of PyTorch's BatchNorm1d
# What is taught, with so many recordings of each; as many are kept to see what was learnt.
GESTURES = ("Badminton", "Running", "Walking")
N_TAUGHT = 5

# On the board, after the names of the example: path, labels, n_taught.
TEACH = """
import anne, time
from array import array
net = anne.load("/motion.anne")
head = anne.Head(net, labels)
window = array("f", bytes(2400))  # 100 times 6 axes
with open("/recorded", "rb") as file:
    for label in taught:
        file.readinto(window)
        head.add(label, window)
start = time.ticks_ms()
head.fit(40)
print("taught in", time.ticks_diff(time.ticks_ms(), start), "ms")
n_bytes = len(head.save("/gestures.anne"))
print("/gestures.anne is written:", n_bytes, "bytes")
"""
# After a reset.
TELL = """
import anne
from array import array
net = anne.load("/gestures.anne")
window = array("f", bytes(2400))
right = 0
with open("/recorded", "rb") as file:
    file.seek(2400 * n_taught)
    for label in others:
        file.readinto(window)
        said, value = net.classify(window)
        right += said == label
        print("%-10s %-10s %.3f" % (label, said, value))
print("right:", right, "of", len(others))
"""


def base(weights: dict[str, np.ndarray], calibration: np.ndarray) -> bytes:
    """Return the network of motion.py as an int8 model file, from the weights that PyTorch trained.

    `calibration` are recordings, (n, 100, 6), that tell the ranges of its values.
    """
    return pack(quantize(_graph(weights), "int8", calibration))


def _graph(weights: dict[str, np.ndarray]) -> Graph:
    b = GraphBuilder((100, 6))
    scale = weights["0.weight"] / np.sqrt(weights["0.running_var"] + EPSILON)
    b.scaling("scaler", scale, weights["0.bias"] - weights["0.running_mean"] * scale)
    for name in ("1", "3", "5"):
        kernel = weights[f"{name}.weight"].transpose(0, 2, 1)[:, None]  # (n_out, 1, times, n_in)
        window = Window((1, 5), (1, 2), before=(0, 2), after=(0, 2))
        b.add(Conv, f"conv {name}", kernel, weights[f"{name}.bias"], window, 1, "relu")
    b.add(Reduce, "mean", "mean", (0,))
    b.dense("scores", weights["9.weight"], weights["9.bias"])
    b.activation("softmax", "softmax")
    return b.build(Metadata(name="motion", labels=["Badminton", "Running", "Standing", "Walking"]))


def recordings(data: Data) -> tuple[np.ndarray, list[str], list[str]]:
    """Return recordings that the base has not seen, and their labels: those to teach with, then those to judge by."""
    x, y = [], []
    for n in range(2 * N_TAUGHT):
        for gesture in GESTURES:
            x.append(data.x_test[data.y_test == data.labels.index(gesture)][n])
            y.append(gesture)
    n_taught = N_TAUGHT * len(GESTURES)
    return np.float32(x), y[:n_taught], y[n_taught:]


def teach(device: Device, taught: list[str], others: list[str]) -> None:
    """Teach on the board with what lies in its storage, reset it, and print what it then says of the others."""
    names = f"labels, taught, n_taught, others = {GESTURES!r}, {taught!r}, {len(taught)}, {others!r}\n"
    device.exec(names + TEACH, on_output=lambda text: print(text, end="", flush=True))
    device.reset()
    device.exec(names + TELL, on_output=lambda text: print(text, end="", flush=True))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Teach a network new classes on a Pico.")
    parser.add_argument(
        "--on", default="emulator", metavar="PORT", help="a Pico's port; without, an emulated one"
    )
    where = parser.parse_args().on
    data = watch_signals()
    with np.load(WEIGHTS) as arrays:
        model = base(dict(arrays), data.x_train)
    x, taught, others = recordings(data)
    files = {"/motion.anne": model, "/recorded": x.tobytes()}
    print(f"base: {len(model)} bytes; {len(x)} recordings of {', '.join(AXES)}")
    with open_device(where, files=files) as device:
        teach(device, taught, others)


if __name__ == "__main__":
    main()
