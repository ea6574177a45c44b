"""Runs on the Pico: how long a model's predictions take, layer by layer, and its memory; prints one JSON document.

The host sets before: `model_path`, `n_repeats`, and for the input array its type code and size.
"""

import gc
import json
import time
from array import array

import anne
import machine


def median_us(function, *arguments):
    times_us = []
    for _ in range(n_repeats):  # noqa: F821
        start = time.ticks_us()
        function(*arguments)
        times_us.append(time.ticks_diff(time.ticks_us(), start))
    return sorted(times_us)[n_repeats // 2]  # noqa: F821


def nothing(*arguments):
    pass


def main():
    gc.collect()
    free_before = gc.mem_free()
    net = anne.load(model_path)  # noqa: F821
    gc.collect()
    free_after = gc.mem_free()
    x_value = 0.5 if x_code == "f" else 50  # noqa: F821  # not 0, with which floats are faster than on real data
    x = array(x_code, [x_value] * x_size)  # noqa: F821
    y = array(y_code, [0] * y_size)  # noqa: F821
    floats = [0.5] * x_size  # noqa: F821
    clock_us = median_us(nothing, x, y)
    print(
        json.dumps(
            {
                "clock_hz": machine.freq(),
                "predict_us": median_us(net.predict, floats) - clock_us,
                "predict_into_us": median_us(net.predict_into, x, y) - clock_us,
                "layers_us": [row[1] for row in net.profile(floats, n_repeats)][:-1],  # noqa: F821
                "ram_bytes": free_before - free_after,
                "free_bytes": free_after,
            }
        )
    )


main()
