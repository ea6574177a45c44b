"""Runs on the Pico: how long a model's predictions take, layer by layer, and its memory; prints one JSON document.

The host sets before: `model_path`, `copy` (of `anne.load`), `flush` (whether the RP2040's flash cache is emptied for a
cold call), `n_repeats`, and for each of `inputs` and `outputs` its array's type code and size.
"""

import gc
import json
import sys
import time
from array import array

import anne
import machine

XIP_FLUSH = 0x14000004  # RP2040 datasheet 2.6.3.6

# The calls are written out where they are timed, and what the clock takes is measured without one: a function in
# between would cost as much as a small network. Nothing else is looked up between them, as MicroPython remembers few
# places of names, and two of one place would each time be looked for.


def predict_us(net, x):
    times_us, ticks_us, ticks_diff = [0] * n_repeats, time.ticks_us, time.ticks_diff  # noqa: F821
    for i in range(n_repeats):  # noqa: F821
        start = ticks_us()
        net.predict(x)
        times_us[i] = ticks_diff(ticks_us(), start)
    return median(times_us)


def predict_into_us(net, x, y):
    times_us, ticks_us, ticks_diff = [0] * n_repeats, time.ticks_us, time.ticks_diff  # noqa: F821
    for i in range(n_repeats):  # noqa: F821
        start = ticks_us()
        net.predict_into(x, y)
        times_us[i] = ticks_diff(ticks_us(), start)
    return median(times_us)


def first_us(net, x, y):
    """A call with nothing in the flash cache, neither the interpreter nor the library nor weights; None on a Pico 2."""
    if not flush or "RP2040" not in sys.implementation._machine:  # noqa: F821
        return None
    ticks_us, ticks_diff = time.ticks_us, time.ticks_diff
    machine.mem32[XIP_FLUSH] = 1
    start = ticks_us()
    net.predict_into(x, y)
    return ticks_diff(ticks_us(), start)


def nothing_us():
    times_us, ticks_us, ticks_diff = [0] * n_repeats, time.ticks_us, time.ticks_diff  # noqa: F821
    for i in range(n_repeats):  # noqa: F821
        start = ticks_us()
        times_us[i] = ticks_diff(ticks_us(), start)
    return median(times_us)


def one_or_all(values):
    return values if len(values) > 1 else values[0]


def median(times_us):
    return sorted(times_us)[len(times_us) // 2]


def main():
    gc.collect()
    free_before = gc.mem_free()
    net = anne.load(model_path, copy=copy)  # noqa: F821
    gc.collect()
    free_after = gc.mem_free()
    # not 0, with which floats are faster than on real data
    x = one_or_all([array(code, [0.5 if code == "f" else 50] * n) for code, n in inputs])  # noqa: F821
    y = one_or_all([array(code, [0] * n) for code, n in outputs])  # noqa: F821
    floats = one_or_all([[0.5] * n for _, n in inputs])  # noqa: F821
    clock_us = nothing_us()
    print(
        json.dumps(
            {
                "clock_hz": machine.freq(),
                "predict_us": predict_us(net, floats) - clock_us,
                "predict_into_us": predict_into_us(net, x, y) - clock_us,
                "first_us": first_us(net, x, y),
                "layers_us": [row[1] for row in net.profile(floats, n_repeats)][:-1],  # noqa: F821
                "ram_bytes": free_before - free_after,
                "free_bytes": free_after,
            }
        )
    )


main()
