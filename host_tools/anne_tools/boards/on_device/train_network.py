"""Runs on the Pico (and on CPython): trains a network by `anne.Trainer`, which prints; then prints a JSON document.

The host sets before: `task`, a JSON text with `trainer` (arguments of anne.Trainer by name), `fit` and
`save` (those of its methods by name), `n_rows` and `n_in`; `rows_path` and `first`, where in that file the rows begin,
float32 values and then the answers to all of them; `model_path`, the file to write.
"""

import json
import time
from array import array

import anne

ticks_ms = getattr(time, "ticks_ms", lambda: time.perf_counter_ns() // 1_000_000)
ticks_diff = getattr(time, "ticks_diff", lambda end, start: end - start)


def floats(file, n):
    values = array("f", bytes(4 * n))
    file.readinto(values)
    return values


def main(task):
    trainer = anne.Trainer(**task["trainer"])
    with open(rows_path, "rb") as file:  # noqa: F821
        file.seek(first)  # noqa: F821
        x, y = floats(file, task["n_rows"] * task["n_in"]), floats(file, task["n_rows"])
    start = ticks_ms()
    losses = trainer.fit(x, y, **task["fit"])
    elapsed_s = ticks_diff(ticks_ms(), start) / 1000
    trainer.save(model_path, **task["save"])  # noqa: F821
    print(json.dumps({"losses": list(losses), "elapsed_s": elapsed_s}))


main(json.loads(task))  # noqa: F821
