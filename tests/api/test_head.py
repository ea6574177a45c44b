"""New classes for networks that are there, by anne.Head: what it learns, what it saves, and what it refuses.

The networks come from tests/golden/make_models.py. What `predict` gives is held against a softmax of the features that
`trace` tells, and the file that `save` writes against `predict`.
"""

import gc
import json
import os

import anne
from check import Skip, close, golden, raises, same

LABELS = ["left", "right", "shake"]
# of each label some inputs, each around a point of its own
POINTS = {"left": [5, 1, 0, 1], "right": [1, 4, 1, 0], "shake": [0, 0, 3, 5]}
STEPS = [[0.5, 0, 0.25, 0], [0, 0.5, 0, 0.25], [-0.25, 0, 0.5, 0], [0, -0.5, 0, -0.25]]


def examples():
    """Return (inputs, labels): 12 examples in turn."""
    x, y = [], []
    for step in STEPS:
        for label in LABELS:
            x.append([a + b for a, b in zip(POINTS[label], step)])
            y.append(label)
    return x, y


def taught(name="small_float32", **settings):
    net = anne.load(golden(name + ".anne"))
    head = anne.Head(net, LABELS, **settings)
    x, y = examples()
    for i in range(len(y)):
        head.add(y[i], x[i])
    return net, head


BASES = "small_float32", "small_int8", "small_int16", "small_int8_weights", "small_int4"


def test_it_learns_the_classes_that_it_is_shown():
    for name in BASES:
        _, head = taught(name, lr=0.1)
        losses = head.fit(60)
        same(len(losses), 60)
        assert losses[-1] < losses[0] / 4, losses
        x, y = examples()
        same([head.classify(row)[0] for row in x], y)
        accuracy, loss = head.evaluate(x, y)
        same(accuracy, 1.0)
        close(loss, losses[-1], losses[-1] / 2)  # the last epoch's is of weights on the way
        same([list(row[1:]) for row in head.confusion(x, y)], [[4, 0, 0], [0, 4, 0], [0, 0, 4]])


def test_it_answers_by_the_features_of_the_layer_before_the_last():
    # the layers of `small` are scaler, hidden, squashed, scores, classes: "squashed" is what scores reads
    net, head = taught()
    head.fit(5)
    x = [1.0, 2.0, 3.0, 4.0]
    features = [values for layer, values in net.trace(x) if layer == "squashed"][0]
    ((weights, bias),) = head._trainer.weights
    close(head.predict(x), anne.dense(3, features, weights, bias, "softmax"), 1e-5)
    same(head.classify(x), (LABELS[head.predict(x).index(max(head.predict(x)))], max(head.predict(x))))


def test_the_network_stays_as_it_is():
    net, head = taught()
    before = net.predict([1, 2, 3, 4])
    head.fit(3)
    same(net.predict([1, 2, 3, 4]), before)


def test_the_same_seed_gives_the_same_head():
    one, two, other = [taught(seed=seed)[1] for seed in (7, 7, 8)]
    same(one.fit(4), two.fit(4))
    assert one.predict([1, 2, 3, 4]) != other.predict([1, 2, 3, 4])


def test_fit_goes_on_and_examples_may_come_in_between():
    _, head = taught(lr=0.05)
    first = head.fit(10)
    head.add("left", [5, 1, 0, 1])
    second = head.fit(10)
    assert second[-1] < first[0], (first, second)


# --- The file ---------------------------------------------------------------------------------------------------------


def saved(head):
    """Return the network in the file that head saves, and the file's bytes."""
    path = "head_test.anne"
    try:
        data = head.save(path)
        with open(path, "rb") as file:
            same(file.read(), data)
        return anne.load(path), data
    finally:
        os.remove(path)


def test_what_it_saves_answers_as_it_does():
    for name in BASES:
        _, head = taught(name, lr=0.1)
        head.fit(30)
        made, _ = saved(head)
        for row in examples()[0]:
            close(made.predict(row), head.predict(row), 1e-5)
            same(made.classify(row)[0], head.classify(row)[0])


def test_bases_of_every_shape():
    # windows, images, branches, several inputs, streams; a last layer that is all there is
    for name in (
        "binary_int8", "broad_int8_weights", "convolved_float32", "convolved_int8", "embedded_int16", "gated_int8",
        "image_float32", "listening_int8", "residual_int8", "separable_int16", "two_inputs_float32",
        "two_inputs_int8", "unaligned_float32",
    ):  # fmt: skip
        net = anne.load(golden(name + ".anne"))
        with open(golden(name + ".json", "answers")) as file:
            x = json.loads(file.read())["inputs"][:2]
        head = anne.Head(net, LABELS)
        head.add("left", x[0])
        head.add("shake", x[1])
        head.fit(2)
        made, _ = saved(head)
        for row in x:
            net.reset()  # as the streams of both are to begin alike
            made.reset()
            close(made.predict(row), head.predict(row), 1e-5)
        gc.collect()


def test_what_the_file_says_of_itself():
    net, head = taught("small_int8")
    made, data = saved(head)
    same((made.name, made.labels, made.feature_names), ("small", LABELS, net.feature_names))
    names = [row[0] for row in made.trace([1, 2, 3, 4])][1:]
    same(names, ["scaler", "hidden", "squashed", "squashed_tanh", "to floats", "head", "softmax"])
    assert b"importer: make_models.py" in data
    raises(ValueError, "selftest: the file has no golden samples", made.selftest)


def test_constants_of_layers_that_go_are_left_out():
    # a head on a head takes the place of it
    net, head = taught()
    _, data = saved(head)
    again = anne.Head(anne.load(data), LABELS)
    for label in LABELS:
        again.add(label, POINTS[label])
    again.fit(1)
    same(len(saved(again)[1]), len(data))


def test_a_head_of_one_layer_only():
    # level: one dense layer, which the head replaces: its features are the inputs
    net = anne.load(golden("level_float32.anne"))
    head = anne.Head(net, ["up", "down"], lr=0.5)
    for i in range(4):
        head.add("up", [1.0 + i, 0.0])
        head.add("down", [0.0, 1.0 + i])
    head.fit(20)
    made, _ = saved(head)
    same([made.classify(x)[0] for x in ([2, 0], [0, 2])], ["up", "down"])
    same(made.labels, ["up", "down"])


# --- What it refuses --------------------------------------------------------------------------------------------------


def test_networks_that_do_not_end_in_a_dense_layer():
    for name, got in (
        ("pooled_float32", "max_pool"),
        ("padded_int8", "pad"),
        ("two_outputs_float32", "several outputs"),
        ("rows_float32", "activation"),
    ):
        net = anne.load(golden(name + ".anne"))
        text = "Head: expected a network that ends in a dense layer, got " + got
        raises(ValueError, text, anne.Head, net, LABELS)


def test_nothing_is_written_without_a_path():
    before = sorted(os.listdir("."))
    _, head = taught()
    same(anne.load(head.save(None)).labels, LABELS)
    same(sorted(os.listdir(".")), before)


def test_labels():
    net = anne.load(golden("small_float32.anne"))
    text = "Head: labels: expected two or more, each another, got "
    for labels, got in (([], "none"), (["a"], "a"), (["a", "b", "a"], "a, b, a")):
        raises(ValueError, text + got, anne.Head, net, labels)
    for wrong, got in (([1, 2], "[1, 2]"), ("ab", "'ab'"), (["a", "b\n"], "['a', 'b\\n']"), (None, "None")):
        message = "Head: labels: expected a list of texts, each a line, got " + got
        raises(ValueError, message, anne.Head, net, wrong)
    raises(ValueError, "Head: expected a network that load gave, got int", anne.Head, 3, LABELS)
    _, head = taught()
    message = "add: expected numbers that the network can work on, got nan or infinity"
    raises(ValueError, message, head.add, "left", [float("nan"), 0, 0, 0])
    head.fit(1)  # of what was added before

    head = anne.Head(net, LABELS)
    text = "add: label: expected one of left, right, shake, got 'up'"
    raises(ValueError, text, head.add, "up", [1, 2, 3, 4])
    raises(ValueError, "evaluate: row 0: y: expected one of ...", head.evaluate, [[1, 2, 3, 4]], ["up"])


def test_examples_of_too_few_classes():
    net = anne.load(golden("small_float32.anne"))
    head = anne.Head(net, LABELS)
    text = "fit: expected examples of two classes or more, got %s: add them"
    raises(ValueError, text % "none", head.fit)
    head.add("right", [1, 2, 3, 4])
    head.add("right", [1, 2, 3, 5])
    raises(ValueError, text % "only of right", head.fit)
    head.add("shake", [0, 0, 0, 0])
    same(len(head.fit(2)), 2)
    raises(ValueError, "fit: epochs: expected ...", head.fit, 0)


def test_a_wrong_example_is_not_kept():
    _, head = taught()
    before = head.fit(1)
    raises(ValueError, "predict: expected 4 inputs, got 3", head.add, "left", [1, 2, 3])
    _, other = taught()
    other.fit(1)
    same(other.fit(1), head.fit(1))
    assert before


def test_no_room_leaves_everything_as_it_was():
    if not hasattr(gc, "mem_free"):
        raise Skip("memory without end")
    _, head = taught()
    hoard, size = [], gc.mem_free()
    gc.collect()
    while size >= 16:
        try:
            hoard.append(bytearray(size))
        except MemoryError:
            size //= 2
    n = 0
    try:
        while n < 1000:
            head.add("left", [1, 2, 3, 4])
            n += 1
    except MemoryError:
        hoard = None
    gc.collect()
    same(len(head._x), 4 * len(head._y))
    head.fit(1)
