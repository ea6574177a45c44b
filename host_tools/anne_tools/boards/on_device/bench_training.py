"""Runs on the Pico (and on CPython): how long it takes to learn; prints a JSON document behind what trainers print.

The host sets before: `model_path`, a network for `anne.Head` to begin with, `n_inputs` of it, and `n_repeats`. Data
come from the generator of `anne.training` in steps of 2^-24, which are the same numbers everywhere.
"""

import json
import time
from array import array
from binascii import crc32

import anne
from anne.training import Random

try:
    from _anne import Trainer as Core
except ImportError:
    from anne.host_trainer import Trainer as Core

ticks_us = getattr(time, "ticks_us", lambda: time.perf_counter_ns() // 1000)
ticks_diff = getattr(time, "ticks_diff", lambda end, start: end - start)

SIZES = 64, 32, 10
N_ROWS, N_CLASSES, N_EXAMPLES, EPOCHS = 10, 3, 60, 20


def noise(random, n):
    values = array("f", bytes(4 * n))
    for i in range(n):
        values[i] = random.uniform() - 0.5
    return values


def rows():
    """Epochs of the core alone, row by row: microseconds of each, and the CRC of the weights in the end."""
    random = Random(1)
    settings = (
        0.01,
        0.0,
        0.0,
        1,
        1,
        0,
    )  # lr, momentum, decay, batch, numbers of y a row, the generator's state
    core = Core(SIZES, ("relu", "softmax"), "categorical_cross_entropy", "sgd", settings)
    core.set(noise(random, sum([(a + 1) * b for a, b in zip(SIZES, SIZES[1:])])))  # noqa: B905
    x, y = noise(random, SIZES[0] * N_ROWS), array("f", [i % SIZES[-1] for i in range(N_ROWS)])
    losses, times_us = array("f", [0]), []
    for _ in range(n_repeats):  # noqa: F821
        start = ticks_us()
        core.run(x, y, None, losses)
        times_us.append(ticks_diff(ticks_us(), start))
    return times_us, crc32(core.get()) & 0xFFFFFFFF


def examples(n_inputs):
    """Three classes, each with inputs of its own that are large."""
    random = Random(2)
    for i in range(N_EXAMPLES):
        x, label = noise(random, n_inputs), i % N_CLASSES
        for k in range(label, n_inputs, N_CLASSES):
            x[k] += 1
        yield "abc"[label], list(x)


def head():
    """A whole fit of anne.Head: microseconds, the losses, how many examples are right in the end."""
    head = anne.Head(anne.load(model_path), ["a", "b", "c"])  # noqa: F821
    for label, x in examples(n_inputs):  # noqa: F821
        head.add(label, x)
    start = ticks_us()
    losses = head.fit(EPOCHS)
    elapsed_us = ticks_diff(ticks_us(), start)
    right = [head.classify(x)[0] == label for label, x in examples(n_inputs)]  # noqa: F821
    return elapsed_us, list(losses), sum(right)


def main():
    times_us, crc = rows()
    head_us, losses, n_right = head()
    print(
        json.dumps(
            {
                "epoch_us": sorted(times_us)[len(times_us) // 2],
                "weights_crc": crc,
                "head_us": head_us,
                "head_losses": losses,
                "head_right": n_right,
            }
        )
    )


main()
