"""Runs on the Pico: what weights cost until they can be used, as numbers in a program and as a model file; prints JSON.

The host sets before: `program_path` and `model_path`, the same network as both.
"""

import gc
import json
import time

import anne


def program_us():
    gc.collect()
    start = time.ticks_us()
    with open(program_path) as file:  # noqa: F821
        exec(file.read(), {})
    return time.ticks_diff(time.ticks_us(), start)


def load_us():
    gc.collect()
    start = time.ticks_us()
    anne.load(model_path)  # noqa: F821
    return time.ticks_diff(time.ticks_us(), start)


print(json.dumps({"program_ms": program_us() / 1000, "load_ms": load_us() / 1000}))
