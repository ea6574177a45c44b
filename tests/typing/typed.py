"""What users write, as a type checker must take it; test_typing.py has mypy read this file, strictly. Never run."""

from array import array
from pathlib import Path
from typing import Any, assert_type

import anne
import anne.reference
import anne_tools
import numpy as np
from anne.inside import Table

# --- On a board, or with the reference ------------------------------------------------------------------------------

w, b = [[2.0, -1.0], [0.5, 3.0]], [0, 1]
assert_type(anne.dense(2, [1.0, 2.0], w, b, "relu"), list[float])
assert_type(anne.dense(2, [[1.0, 4.0], [2.0, 5.0]], w, b, "relu"), list[list[float]])
assert_type(anne.dense(2, array("f", [1, 2]), array("f", [2, -1, 0.5, 3]), b, "elu", alpha=0.5), list[float])
assert_type(anne.dense(2, [1, 2], w, b, "relu", out=array("f", [0, 0])), "array[float]")
assert_type(anne.dense(2, np.ones((2, 5)), np.array(w), np.array(b), "relu"), Any)
assert_type(anne.reference.dense(2, (1, 2), w, b, "tanh"), list[float])
assert_type(anne.reference.activate("leaky_relu", [1.0, -1.0], 0.1), list[float])
assert_type(anne.neuron([1, 2], [0.5, 3], 1, "sigmoid"), list[float])
assert_type(anne.softmax(anne.relu([1, 2])), list[float])
assert_type(anne.transpose([1, 2, 3]), list[list[float]])
assert_type(anne.classification_report([0, 1], [1, 1]), tuple[float, list[list[int]]])
assert_type(anne.native, bool)
assert_type(anne.ACTIVATIONS, tuple[str, ...])

with anne.load("net.anne", copy=True) as net:
    assert_type(net.predict([5.9, 3.0, 4.2, 1.5]), list[float])
    assert_type(net.predict([[5.9, 3.0, 4.2, 1.5]]), Any)  # one sample of two axes, or several samples
    assert_type(net.predict([[5.9, 3.0, 4.2, 1.5], (6, 3, 5, 2)]), Any)
    assert_type(net.predict([[[1, 2, 3], [4, 5, 6]]]), Any)
    assert_type(net([5.9, 3.0, 4.2, 1.5]), list[float])
    label, value = net.classify([5.9, 3.0, 4.2, 1.5])
    assert_type(label, str | int)
    assert_type(value, float)
    for label, value in net.classify(np.ones((3, 4))):
        print(label, value)
    net.predict_into(array("b", [1, 2, 3, 4]), array("b", [0, 0, 0]))
    score, box = array("b", [0, 0, 0]), array("f", [0])
    assert_type(net.predict({"image": [1.0, 2.0], "speed": [3.0]}), Any)
    assert_type(net.predict([[1.0, 2.0], array("f", [3])]), Any)
    outs: list[array[Any]] = [score, box]
    assert_type(net.predict_into({"image": score, "speed": [3.0]}, outs), "list[array[Any]]")
    net.predict_into([[1.0, 2.0], [3.0]], [score, box])
    net.predict_into(([1.0, 2.0], [3.0]), (score, box))
    assert_type(net.inputs[0].name, str)
    assert_type([port.shape for port in net.outputs], list[tuple[int, ...]])
    assert_type(net.trace([1, 2, 3, 4]), Table)
    for name, microseconds, _ in net.profile([1, 2, 3, 4], repeat=3):
        print(name, microseconds)
    assert_type(net.labels, list[str])
    assert_type(net.selftest(), int)
assert_type(anne.load(Path("net.anne")), anne.Model)

learner = anne.Trainer([4, 8, 3], ["relu", "softmax"], scaling="standard", seed=1)
flowers = [[5.9, 3.0, 4.2, 1.5], [5.1, 3.5, 1.4, 0.2]]
assert_type(learner.fit(flowers, ["versicolor", "setosa"], epochs=3), list[float])
assert_type(learner.fit(array("f", [1, 2, 3, 4]), [2], validation=(flowers, [0, 1])), dict[str, list[Any]])
learner.fit(lambda: zip(flowers, [0, 1], strict=True))
assert_type(learner.evaluate(flowers, [0, 1]), tuple[float | None, float])
assert_type(learner.confusion(flowers, [0, 1]), Table)
assert_type(learner.predict(flowers[0]), list[float])
label, value = learner.classify(flowers[0])
assert_type(learner.save("mine.anne", feature_names=["a", "b", "c", "d"]), bytes)
learner.weights = learner.weights
layers, losses = anne.train_model(flowers, [0, 1], [4, 3, 1], ["relu", "sigmoid"], 100, 0.05)
assert_type(losses, list[float])
assert_type(anne.relu_derivative(0.5), float)
assert_type(anne.relu_derivative([0.5]), list[float])

# --- On a PC --------------------------------------------------------------------------------------------------------

x = np.zeros((100, 4))


def told(step: str, done: int, total: int) -> None:
    print(step, done, total)


try:
    converted = anne_tools.convert(
        "net.keras",
        calibrate=x,
        dtype="int8",
        labels=["no", "yes"],
        test=(x, [0] * 100),
        board="pico2",
        progress=told,
    )
except anne_tools.ModelError as error:
    raise SystemExit(str(error)) from None
assert_type(converted, anne_tools.Converted)
assert_type(converted.to_bytes(), bytes)
assert_type(converted.predict([[1.0, 2.0, 3.0, 4.0]]), Any)  # an array, of several outputs a list of arrays
assert_type(converted.report.warnings, list[str])
assert_type(converted.report.fit.fits, bool)
assert_type(converted.report.fit.predicted_ms, float | None)
if converted.report.accuracy:
    assert_type(converted.report.accuracy.model_percent, float)
converted.save("net.anne")

# --- What a checker must not take: mypy says so where one of these is no error ---------------------------------------

anne.dense("2", [1.0], [[1.0]], [0.0], "relu")  # type: ignore[call-overload]
anne.relu("text")  # type: ignore[arg-type]
net.labels = []  # type: ignore[misc]
net.inputs = []  # type: ignore[misc]
anne_tools.convert("net.keras", dtype="int7")  # type: ignore[arg-type]
anne_tools.convert("net.keras", board="uno")  # type: ignore[arg-type]
