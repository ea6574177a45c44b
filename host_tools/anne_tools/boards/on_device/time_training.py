"""Runs on the Pico (and on CPython): the published training by one backend; prints one JSON document.

The host sets `task`, a JSON text, before: layers to begin with as [weights, bias], their activations and sizes, inputs,
labels, lr, threshold, epochs, and the backend: "native" is `anne.train_model`, "reference" the function in `source`, a
program, which needs the names of `anne.training`.
"""

import json
import time

import anne

ticks_us = getattr(time, "ticks_us", lambda: time.perf_counter_ns() // 1000)
ticks_diff = getattr(time, "ticks_diff", lambda end, start: end - start)


def outputs(layers, activations, x):
    for (weights, bias), activation in zip(layers, activations):  # noqa: B905
        x = anne.dense(len(bias), x, weights, bias, activation)
    return x


def main(task):
    inputs, labels, activations = task["inputs"], task["labels"], task["activations"]
    names = {"train_model": anne.train_model}
    if task["backend"] == "reference":
        exec("from anne.training import *\n" + source, names)  # noqa: F821
    train = names["train_model"]

    def timed(epochs):
        start = ticks_us()
        learnt = train(inputs, labels, task["sizes"], activations, epochs, task["lr"], task["layers"])
        return ticks_diff(ticks_us(), start), learnt

    timed(1)  # what is imported, is imported here
    first_us, _ = timed(1)
    all_us, (layers, losses) = timed(task["epochs"])
    predictions = [1 if outputs(layers, activations, x)[0] > task["threshold"] else 0 for x in inputs]
    accuracy, confusion = anne.classification_report(labels, predictions)
    print(
        json.dumps(
            {
                "native": anne.native,
                "losses": ["%.9g" % loss for loss in losses],
                "accuracy": accuracy,
                "confusion": confusion,
                "first_us": first_us,
                "epoch_us": (all_us - first_us) / (task["epochs"] - 1),
            }
        )
    )


main(json.loads(task))  # noqa: F821
