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


def flat(layer):
    """The layer with weights and bias as arrays."""
    n_out, weights, bias, activation = layer
    return n_out, array("f", [w for row in weights for w in row]), array("f", bias), activation


def lists_of(dense, layers):
    """The four layers written out, as one would by hand: a list in, a list out."""
    (n1, w1, b1, a1), (n2, w2, b2, a2), (n3, w3, b3, a3), (n4, w4, b4, a4) = layers

    def forward(x):
        return dense(n4, dense(n3, dense(n2, dense(n1, x, w1, b1, a1), w2, b2, a2), w3, b3, a3), w4, b4, a4)

    return forward


def arrays_of(dense, layers):
    """The same with an array for each layer's outputs: nothing is allocated."""
    (n1, w1, b1, a1), (n2, w2, b2, a2), (n3, w3, b3, a3), (n4, w4, b4, a4) = layers
    y1, y2, y3, y4 = [array("f", [0] * layer[0]) for layer in layers]

    def forward(x):
        dense(n1, x, w1, b1, a1, y1)
        dense(n2, y1, w2, b2, a2, y2)
        dense(n3, y2, w3, b3, a3, y3)
        return dense(n4, y3, w4, b4, a4, y4)

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
        ("anne.dense, lists, weights as arrays", lists_of(anne.dense, [flat(layer) for layer in layers]), x),
        ("anne.dense, arrays and out=", arrays_of(anne.dense, [flat(layer) for layer in layers]), x_array),
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
