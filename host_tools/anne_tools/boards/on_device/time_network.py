"""Runs on the Pico (and on CPython): a network's outputs and the microseconds of each sample, one JSON document a
line.

The host sets `task`, a JSON text, before: layers as [n_out, weights, bias, activation], inputs, labels, threshold,
and the backends to use: "native" is `anne.dense`, "reference" the same in plain Python.
"""

import json
import time

import anne
from anne import reference

ticks_us = getattr(time, "ticks_us", lambda: time.perf_counter_ns() // 1000)
ticks_diff = getattr(time, "ticks_diff", lambda end, start: end - start)


def forward(dense, layers, x):
    for n_out, weights, bias, activation in layers:
        x = dense(n_out, x, weights, bias, activation)
    return x


def nothing(dense, layers, x):
    return x


def run(function, dense, layers, inputs):
    outputs, times_us = [], []
    for x in inputs:
        start = ticks_us()
        y = function(dense, layers, x)
        times_us.append(ticks_diff(ticks_us(), start))
        outputs.append(y[0])
    return outputs, times_us


def median(values):
    return sorted(values)[len(values) // 2]


def main(task):
    layers, inputs, labels = task["layers"], task["inputs"], task["labels"]
    # what reading the clock and calling a function cost, and what does not belong to the network
    overhead_us = median(run(nothing, None, layers, inputs)[1])
    for backend in task["backends"]:
        dense = anne.dense if backend == "native" else reference.dense
        outputs, times_us = run(forward, dense, layers, inputs)
        predictions = [1 if y > task["threshold"] else 0 for y in outputs]
        accuracy, confusion = anne.classification_report(labels, predictions)
        print(
            json.dumps(
                {
                    "backend": backend,
                    "native": anne.native,
                    "outputs": [f"{y:.9g}" for y in outputs],
                    "predictions": predictions,
                    "accuracy": accuracy,
                    "confusion": confusion,
                    "median_us": median(times_us) - overhead_us,
                }
            )
        )


main(json.loads(task))  # noqa: F821
