"""Runs on the Pico (and on CPython): trains a network by `anne.Trainer`, which prints; then prints a JSON document.

The host sets before: `task`, a JSON text with `trainer` (arguments of anne.Trainer by name), `fit` and
`save` (those of its methods by name), `n_rows` and `n_in`; `rows_path` and `first`, where in that file the rows begin,
float32 values and then the answers to all of them; `model_path`, the file to write.
"""

import gc
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


def whole(task):
    with open(rows_path, "rb") as file:  # noqa: F821
        file.seek(first)  # noqa: F821
        return floats(file, task["n_rows"] * task["n_in"]), floats(file, task["n_rows"])


def row_by_row(task):
    n_rows, n_in = task["n_rows"], task["n_in"]
    kind = int if task["trainer"]["labels"] else float
    with open(rows_path, "rb") as x, open(rows_path, "rb") as y:  # noqa: F821
        x.seek(first)  # noqa: F821
        y.seek(first + 4 * n_rows * n_in)  # noqa: F821
        for _ in range(n_rows):
            yield floats(x, n_in), kind(floats(y, 1)[0])


def main(task):
    trainer = anne.Trainer(**task["trainer"])
    start = ticks_ms()
    try:
        losses = trainer.fit(*whole(task), **task["fit"])
    except MemoryError:  # which has left the trainer as it was
        gc.collect()
        losses = trainer.fit(lambda: row_by_row(task), **task["fit"])
    elapsed_s = ticks_diff(ticks_ms(), start) / 1000
    trainer.save(model_path, **task["save"])  # noqa: F821
    print(json.dumps({"losses": list(losses), "elapsed_s": elapsed_s}))


main(json.loads(task))  # noqa: F821
