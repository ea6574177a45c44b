"""Runs on the Pico: one prediction of a small network by each way there is to ask for it, one JSON document.

The host sets before: `task`, a JSON text with layers as [n_out, weights, bias, activation] and one input `x`;
`model_path`, the same network as a model file; `n_repeats`.
"""

import gc
import json
import time
from array import array

import anne
from anne import reference


def median_us(function, x):
    times_us = []
    for _ in range(n_repeats):  # noqa: F821
        start = time.ticks_us()
        function(x)
        times_us.append(time.ticks_diff(time.ticks_us(), start))
    return sorted(times_us)[n_repeats // 2]  # noqa: F821


def lists_of(dense, layers):
    def forward(x):
        for n_out, weights, bias, activation in layers:
            x = dense(n_out, x, weights, bias, activation)
        return x

    return forward


def arrays_of(layers):
    """The layers' calls with weights, bias and outputs as arrays: nothing is allocated."""
    calls = [
        (n_out, array("f", [w for row in weights for w in row]), array("f", bias), activation, array("f", [0] * n_out))
        for n_out, weights, bias, activation in layers
    ]

    def forward(x, dense=anne.dense):
        for n_out, weights, bias, activation, out in calls:
            x = dense(n_out, x, weights, bias, activation, out)
        return x

    return forward


def heap_bytes(function, x):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    function(x)
    used = gc.mem_alloc() - before
    gc.enable()
    return used


def main(task):
    layers, x = task["layers"], task["x"]
    x_array = array("f", x)
    net = anne.load(model_path)  # noqa: F821
    out = array("f", [0] * layers[-1][0])
    ways = [
        ("anne.reference.dense, lists", lists_of(reference.dense, layers), x),
        ("anne.dense, lists", lists_of(anne.dense, layers), x),
        ("anne.dense, arrays and out=", arrays_of(layers), x_array),
        ("Model.predict, lists", net.predict, x),
        ("Model.predict_into, arrays", lambda x: net.predict_into(x, out), x_array),
    ]
    clock_us = median_us(lambda x: x, x)
    print(
        json.dumps(
            [
                {
                    "way": way,
                    "us": median_us(function, argument) - clock_us,
                    "heap_bytes": heap_bytes(function, argument),
                    "output": "%.9g" % function(argument)[0],
                }
                for way, function, argument in ways
            ]
        )
    )


main(json.loads(task))  # noqa: F821
