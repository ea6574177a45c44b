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


def flat(layer):
    """The layer with weights and bias as arrays."""
    n_out, weights, bias, activation = layer
    return n_out, array("f", [w for row in weights for w in row]), array("f", bias), activation


# Each way is written out where it is timed: calling a function that holds the calls would cost as much as two of them.
# Each returns the microseconds of every repetition and the output.


def with_lists(dense, layers, x, n):
    (n1, w1, b1, a1), (n2, w2, b2, a2), (n3, w3, b3, a3), (n4, w4, b4, a4) = layers
    times_us = []
    for _ in range(n):
        start = time.ticks_us()
        y = dense(n4, dense(n3, dense(n2, dense(n1, x, w1, b1, a1), w2, b2, a2), w3, b3, a3), w4, b4, a4)
        times_us.append(time.ticks_diff(time.ticks_us(), start))
    return times_us, y


def with_arrays(dense, layers, x, n):
    (n1, w1, b1, a1), (n2, w2, b2, a2), (n3, w3, b3, a3), (n4, w4, b4, a4) = layers
    y1, y2, y3, y = [array("f", [0] * layer[0]) for layer in layers]
    times_us = []
    for _ in range(n):
        start = time.ticks_us()
        dense(n1, x, w1, b1, a1, y1)
        dense(n2, y1, w2, b2, a2, y2)
        dense(n3, y2, w3, b3, a3, y3)
        dense(n4, y3, w4, b4, a4, y)
        times_us.append(time.ticks_diff(time.ticks_us(), start))
    return times_us, y


def with_predict(net, x, n):
    predict = net.predict
    times_us = []
    for _ in range(n):
        start = time.ticks_us()
        y = predict(x)
        times_us.append(time.ticks_diff(time.ticks_us(), start))
    return times_us, y


def with_predict_into(net, x, n):
    predict_into, y = net.predict_into, array("f", [0])
    times_us = []
    for _ in range(n):
        start = time.ticks_us()
        predict_into(x, y)
        times_us.append(time.ticks_diff(time.ticks_us(), start))
    return times_us, y


def with_nothing(n):
    times_us = []
    for _ in range(n):
        start = time.ticks_us()
        times_us.append(time.ticks_diff(time.ticks_us(), start))
    return times_us


def median(times_us):
    return sorted(times_us)[len(times_us) // 2]


def heap_bytes(function, arguments):
    """What one prediction leaves on the heap: the difference between two repetitions and one."""
    used = []
    for n in (1, 2):
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        function(*(arguments + (n,)))
        used.append(gc.mem_alloc() - before)
        gc.enable()
    return used[1] - used[0]


def main(task):
    layers, x = task["layers"], task["x"]
    arrays, x_array = [flat(layer) for layer in layers], array("f", x)
    net = anne.load(model_path)  # noqa: F821
    ways = [
        ("anne.reference.dense, lists", with_lists, (reference.dense, layers, x)),
        ("anne.dense, lists", with_lists, (anne.dense, layers, x)),
        ("anne.dense, lists, weights as arrays", with_lists, (anne.dense, arrays, x)),
        ("anne.dense, arrays and out=", with_arrays, (anne.dense, arrays, x_array)),
        ("Model.predict, lists", with_predict, (net, x)),
        ("Model.predict_into, arrays", with_predict_into, (net, x_array)),
    ]
    clock_us = median(with_nothing(n_repeats))  # noqa: F821
    told = []
    for way, function, arguments in ways:
        gc.collect()
        times_us, y = function(*(arguments + (n_repeats,)))  # noqa: F821
        us, used = median(times_us) - clock_us, heap_bytes(function, arguments)
        told.append({"way": way, "us": us, "heap_bytes": used, "output": "%.9g" % y[0]})
    print(json.dumps(told))


main(json.loads(task))  # noqa: F821
