"""What a pupil does with a Trainer: data in all their forms, answers, what is printed, what is refused and how.

Expected values are worked out by hand, or are the same training's in another form of the data. What cores compute is
held to PyTorch's trajectories in test_trajectories.py.
"""

import gc
import math
from array import array

import anne
import anne.trainer
from anne import Trainer
from check import Skip, close, inf, nan, needs_piece, raises, same

# Two classes on either side of a line, and a third beyond both.
X = [[0.0, 1.0], [1.0, 3.0], [2.0, 0.5], [3.0, 1.0], [0.5, 2.0], [2.5, -1.0], [6.0, 6.0], [7.0, 5.0]]
CLASSES = [0, 0, 1, 1, 0, 1, 2, 2]
TEXTS = ["left", "left", "none", "none", "left", "none", "right", "right"]


class Printed:
    """With it, what a Trainer prints is kept in `lines` instead."""

    def __enter__(self):
        self.lines = []
        anne.trainer.print = self.keep
        return self

    def keep(self, *values, end="\n"):
        self.lines.append(" ".join([str(value) for value in values]) + end)

    def __exit__(self, *error):
        del anne.trainer.print


def fitted(x, y=None, epochs=3, sizes=(2, 4, 3), activations=("tanh", "softmax"), shuffle=True, **others):
    """Return a Trainer that has learnt, quietly."""
    trainer = Trainer(list(sizes), list(activations), **others)
    with Printed():
        trainer.fit(x, y, epochs, shuffle=shuffle)
    return trainer


def fit(*arguments, **others):
    with Printed():
        return Trainer([2, 4, 3], ["tanh", "softmax"]).fit(*arguments, **others)


def line(weight=2.0, bias=1.0, **others):
    """Return a Trainer of y = weight x + bias."""
    trainer = Trainer([1, 1], ["linear"], **others)
    trainer.weights = [([[weight]], [bias])]
    return trainer


# --- Before it learns ---------------------------------------------------------------------------------------------


def test_start_weights_are_the_same_everywhere():
    # the generator's first numbers after seed 0: Numerical Recipes prints 0xAAF95334 and 0x6252E503; Glorot's limit of
    # 2 inputs and 1 output is the root of 6 / 3
    ((weights, biases),) = Trainer([2, 1], ["tanh"]).weights
    expected = [(2 * v / 2**24 - 1) * math.sqrt(2) for v in (0xAAF953, 0x6252E5)]
    close(weights, [expected], 1e-6)
    same(biases, [0.0])
    # He's, before relu: of 2 inputs the root of 3
    close(Trainer([2, 1], ["leaky_relu"]).weights[0][0][0][0], expected[0] * math.sqrt(1.5), 1e-6)
    assert Trainer([2, 1], ["tanh"], seed=1).weights != Trainer([2, 1], ["tanh"]).weights


def test_weights_can_be_assigned():
    trainer = Trainer([2, 2, 1], ["relu", "linear"])
    layers = [([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0]), ([[7.0, 8.0]], [9.0])]
    trainer.weights = layers
    same(trainer.weights, layers)
    same(trainer.predict([1, 2]), [7.0 * 10 + 8 * 17 + 9])
    for wrong, message in (
        (layers[:1], "expected 9 numbers, got 6"),
        # as Keras has them, a row an input: as many numbers, and yet not what is meant
        ([([[7.0], [8.0]], [9.0])], "expected 2 rows of 2 numbers, 2 biases, got lists of [1, 1, 1]"),
        (
            [([[1.0, 2.0, 3.0], [4.0]], [5.0, 6.0])],
            "expected 2 rows of 2 numbers, 2 biases, got lists of [3, 1, 2]",
        ),
    ):
        raises(ValueError, "weights: " + message, setattr, trainer, "weights", wrong)
    for wrong in ([1, 2], [[1], [2]], [None] * 2):
        raises(
            ValueError,
            "weights: expected (rows, biases) of each layer, ...",
            setattr,
            trainer,
            "weights",
            wrong,
        )
    message = "weights: expected a list of numbers, got int"
    raises(TypeError, message, setattr, trainer, "weights", [(1, [2])] * 2)
    raises(
        TypeError, "weights: expected a number, got str", setattr, trainer, "weights", [([["a"]], [1])] * 2
    )
    same(trainer.weights, layers)


def test_memory_is_told_before_it_learns():
    needs_piece(60000)  # 40 KB of the core, 10 of first weights twice
    # 64 * 32 + 32 + 32 * 10 + 10 weights, four times for Adam; 42 outputs, 96 inputs of layers in two words each, four
    # words a unit of the widest layer: 10,002 words, as anne_trainer_place counts them
    same(repr(Trainer([64, 32, 10], ["relu", "softmax"])), "64-32-10, 2410 weights, 39.1 KB")
    # SGD with momentum twice; row by row without anything else once
    same(
        repr(Trainer([64, 32, 10], ["relu", "softmax"], optimizer="sgd", momentum=0.5)),
        "64-32-10, 2410 weights, 20.2 KB",
    )
    same(
        repr(Trainer([64, 32, 10], ["relu", "softmax"], optimizer="sgd", batch=1)),
        "64-32-10, 2410 weights, 10.8 KB",
    )


def test_memory_told_is_what_the_core_takes():
    if not hasattr(gc, "mem_free") or not anne.native:
        raise Skip("needs MicroPython's heap and the native module")
    needs_piece(64000)
    for sizes, others in (([64, 32, 10], {}), ([100, 3, 40, 2], {"optimizer": "sgd", "batch": 1})):
        arguments = sizes, ["relu"] * (len(sizes) - 2) + ["softmax"]
        trainer = Trainer(*arguments, **others)  # names and modules are there now
        trainer = None
        gc.collect()
        before = gc.mem_alloc()
        trainer = Trainer(*arguments, **others)
        gc.collect()
        taken = (gc.mem_alloc() - before) / 1024
        told = float(repr(trainer).split(" ")[-2])
        assert told < taken < told + 1.5, (told, taken)  # settings and names are a little more


def test_the_loss_is_what_fits_the_last_layer():
    for last, loss in (
        ("sigmoid", "binary_cross_entropy"),
        ("softmax", "categorical_cross_entropy"),
        ("tanh", "mse"),
        ("linear", "mse"),
    ):
        same(Trainer([2, 2], [last]).loss, loss)
    same(Trainer([2, 2], ["softmax"], loss="mse").loss, "mse")


# --- Learning -----------------------------------------------------------------------------------------------------


def test_one_step_by_hand():
    # o = 2 * 3 + 1 = 7, loss (7 - 5)^2 = 4; gradient 2 * 2 * (3, 1); a step of 0.125 against it
    trainer = line(optimizer="sgd", lr=0.125, batch=1)
    with Printed():
        same(trainer.fit([[3.0]], [5.0], 1), [4.0])
    same(trainer.weights, [([[0.5]], [0.5])])


def test_it_learns_what_no_single_neuron_can():
    # exclusive or
    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    trainer = fitted(x, y, 200, (2, 8, 1), ("tanh", "sigmoid"), lr=0.1, batch=4)
    same([label for label, _ in trainer.classify(x)], y)
    same(trainer.evaluate(x, y)[0], 1.0)


def test_all_forms_of_data_give_the_same():
    weights = fitted(X, CLASSES).weights
    flat = array("f", [v for row in X for v in row])
    one_hot = [[float(k == c) for k in range(3)] for c in CLASSES]
    for x, y in (
        ([tuple(row) for row in X], array("B", CLASSES)),
        ([array("f", row) for row in X], [float(c) for c in CLASSES]),
        (flat, CLASSES),
        (list(flat), one_hot),
        (X, TEXTS),  # sorted: left, none, right
    ):
        same(fitted(x, y).weights, weights)
    same(list(flat), [v for row in X for v in row])


def test_rows_from_a_function_give_the_same_as_a_list():
    # batches of 3, 3 and 2 rows, and one epoch after the other
    calls = []

    def rows():
        calls.append(1)
        yield from zip(X, CLASSES)

    for scaling in (None, "standard"):
        listed = fitted(X, CLASSES, 4, shuffle=False, batch=3, scaling=scaling)
        streamed = fitted(rows, None, 4, batch=3, scaling=scaling)
        same(streamed.weights, listed.weights)
        close(streamed.evaluate(rows), listed.evaluate(X, CLASSES), 1e-6)
        same(streamed.confusion(rows).rows, listed.confusion(X, CLASSES).rows)
    # a look at the data, four epochs, the accuracy, evaluate and confusion; twice
    same(len(calls), 16)


def test_shuffled_rows_give_other_steps_the_same_ones_again():
    a, b = fitted(X, CLASSES, batch=1), fitted(X, CLASSES, batch=1)
    same(a.weights, b.weights)
    assert a.weights != fitted(X, CLASSES, batch=1, shuffle=False).weights


def test_a_second_fit_goes_on():
    trainer = fitted(X, CLASSES, 2, shuffle=False)
    with Printed():
        trainer.fit(X, CLASSES, 3, shuffle=False)
    same(trainer.weights, fitted(X, CLASSES, 5, shuffle=False).weights)


def test_what_is_printed():
    trainer = Trainer([2, 4, 3], ["tanh", "softmax"])
    with Printed() as printed:
        losses = trainer.fit(X, CLASSES, 40)
    same(len(losses), 40)
    reading, first, last = printed.lines
    same(reading, "2-4-3, 27 weights, 0.6 KB: reading\r")  # before a row is: 1,000 take a Pico seconds
    same(first, "2-4-3, 27 weights, 0.6 KB: 8 rows, 40 epochs\n")
    picture = last.split(" ")[2]
    same(len(picture), 20)
    same(picture[0], "█")  # the loss falls from the greatest
    accuracy = trainer.evaluate(X, CLASSES)[0]
    same(last, "loss %.4f %s %.4f, accuracy %.3f\n" % (losses[0], picture, losses[39], accuracy))


def test_no_accuracy_without_classes():
    with Printed() as printed:
        line().fit([[1], [2], [3]], [1, 2, 3], 1)
    # 3 - 1, 5 - 2, 7 - 3: 4 + 9 + 16, a third of it; a single loss is drawn as the least
    same(printed.lines[2].rstrip(), "loss 9.6667 ▁ 9.6667")
    same(line().evaluate([[1], [2], [3]], [3, 5, 7]), (None, 0.0))


def test_long_training_tells_how_far_it_is():
    trainer = line(lr=0.1)
    clock = FakeClock()
    anne.trainer.time = clock
    try:
        with Printed() as printed:
            trainer.fit([[1], [2]], [1, 2], 3, validation=([[1]], [1]))
    finally:
        anne.trainer.time = clock.kept
    # the clock goes on by a second each time it is asked: told every second epoch at most
    progress = [text for text in printed.lines if text.endswith("\r")][1:]
    same(len(progress), 1)
    assert "epoch 2" in progress[0], progress


class FakeClock:
    def __init__(self):
        self.kept, self.now = anne.trainer.time, 0

    def time(self):
        self.now += 1
        return self.now


def test_validation_after_each_epoch():
    trainer = Trainer([2, 4, 3], ["tanh", "softmax"])
    with Printed() as printed:
        history = trainer.fit(X, CLASSES, 3, validation=(X[:4], CLASSES[:4]))
    same(sorted(history), ["loss", "val_accuracy", "val_loss"])
    same([len(values) for values in history.values()], [3, 3, 3])
    accuracy, loss = trainer.evaluate(X[:4], CLASSES[:4])
    same((history["val_accuracy"][2], history["val_loss"][2]), (accuracy, loss))
    assert printed.lines[-1].endswith("accuracy %.3f\n" % accuracy)
    # looking changes nothing
    same(trainer.weights, fitted(X, CLASSES, 3).weights)


# --- Scaling ------------------------------------------------------------------------------------------------------


def scaled(scaling):
    # a column from 0 to 4 and one that never changes
    trainer = fitted([[0.0, 5.0], [4.0, 5.0], [2.0, 5.0]], [1, 2, 3], 1, (2, 1), ("linear",), scaling=scaling)
    trainer.weights = [([[1.0, 1.0]], [0.0])]
    return trainer


def test_minmax_scaling_is_learnt():
    trainer = scaled("minmax")
    close(trainer.predict([[0, 5], [4, 5], [1, 5], [8, 6]]), [[0], [1], [0.25], [3]], 1e-6)


def test_standard_scaling_is_learnt():
    # mean 2, standard deviation over all rows the root of (4 + 4 + 0) / 3
    trainer = scaled("standard")
    close(trainer.predict([[2, 5], [2 + math.sqrt(8 / 3), 5]]), [[0], [1]], 1e-6)


def test_scaling_stays_when_it_goes_on():
    trainer = scaled("minmax")
    with Printed():
        trainer.fit([[100.0, 7.0], [200.0, 5.0]], [0, 1], 1)
    trainer.weights = [([[1.0, 1.0]], [0.0])]
    close(trainer.predict([4, 5]), [1], 1e-6)


# --- Answers ------------------------------------------------------------------------------------------------------


def three_classes(**others):
    # the outputs are softmax of (x0, x1, 0)
    trainer = Trainer([2, 3], ["softmax"], **others)
    trainer.weights = [([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [0.0, 0.0, 0.0])]
    return trainer


def test_predict_takes_a_row_or_several():
    trainer = line()
    same(trainer.predict([3]), [7.0])
    same(trainer.predict(array("f", [3])), [7.0])
    same(trainer.predict([[3], array("f", [4]), (5,)]), [[7.0], [9.0], [11.0]])
    raises(ValueError, "predict: expected 1 inputs, got 2", trainer.predict, [1, 2])
    raises(ValueError, "predict: row 1: expected 1 inputs, got 2", trainer.predict, [[1], [2, 3]])
    raises(TypeError, "predict: expected a number, got str", trainer.predict, ["a"])


def test_classify_gives_label_and_probability():
    ln2 = math.log(2)
    label, p = three_classes().classify([0.0, ln2])
    same(label, 1)
    close(p, 0.5, 1e-6)  # 2 / (1 + 2 + 1)
    named = three_classes(labels=["a", "b", "c"])
    same([label for label, _ in named.classify([[9, 0], [0, 9], [-9, -9]])], ["a", "b", "c"])
    # one output: the second class above 0.5, and then its probability
    one = Trainer([1, 1], ["sigmoid"], labels=["no", "yes"])
    one.weights = [([[1.0]], [0.0])]
    (no, p), (yes, q) = one.classify([[-math.log(3)], [math.log(3)]])
    same((no, yes), ("no", "yes"))
    close([p, q], [0.75, 0.75], 1e-6)
    raises(
        ValueError,
        "classify: expected a classifier, got one output without sigmoid or labels; use predict",
        line().classify,
        [1],
    )
    raises(
        ValueError,
        "confusion: expected a classifier, got one output without sigmoid or labels; use evaluate",
        line().confusion,
        [[1]],
        [1],
    )


def test_evaluate_and_confusion_by_hand():
    x, y = [[9, 0], [0, 9], [0, 9], [-9, -9]], ["a", "b", "a", "c"]
    trainer = three_classes(labels=["a", "b", "c"])
    accuracy, loss = trainer.evaluate(x, y)
    same(accuracy, 0.75)
    close(loss, 9 / 4, 1e-3)  # -ln p is 9 where it is wrong
    table = trainer.confusion(x, y)
    same(list(table.columns), ["class", "a", "b", "c"])
    same([list(row) for row in table], [["a", 1, 1, 0], ["b", 0, 1, 0], ["c", 0, 0, 1]])
    same(repr(table), "class  a  b  c\na      1  1  0\nb      0  1  0\nc      0  0  1")


def test_a_saved_network_takes_raw_values():
    trainer = fitted(X, TEXTS, scaling="standard")
    net = anne.load(trainer.save(None, feature_names=["across", "up"], name="sides"))
    same((net.name, net.labels, net.feature_names), ("sides", ["left", "none", "right"], ["across", "up"]))
    for row in X:
        close(net.predict(row), trainer.predict(row), 1e-6)
        same(net.classify(row)[0], trainer.classify(row)[0])


def test_scaling_of_ones_own_can_be_saved():
    net = anne.load(line().save(None, scaling=([0.5], [1.0])))
    close(net.predict([4]), [7.0], 1e-6)  # 2 * (4 * 0.5 + 1) + 1
    for wrong, message in (((1, 2), "a list of numbers, got int"), ((["a"], [0]), "a number, got str")):
        raises(TypeError, "save: scaling: expected " + message, line().save, None, scaling=wrong)
    for wrong in ([[1]], [[1, 2], [3, 4]]):
        message = "save: scaling: expected 2 lists of 1 numbers, got ..."
        raises(ValueError, message, line().save, None, scaling=wrong)
    raises(
        ValueError,
        "save: scaling: expected None, as it is learnt, got ...",
        scaled("minmax").save,
        None,
        scaling=([1, 1], [0, 0]),
    )


# --- What is refused ------------------------------------------------------------------------------------------------

TRAINABLE = "linear, relu, leaky_relu, sigmoid, tanh"
REFUSED = (
    ({"sizes": 4}, "sizes: expected a list of 2 to 9, got 4"),
    ({"sizes": [4]}, "sizes: expected a list of 2 to 9, got [4]"),
    ({"sizes": [4, 0, 3]}, "sizes: expected a whole number from 1 to 65535, got 0"),
    ({"sizes": [4, 2.5, 3]}, "sizes: expected a whole number from 1 to 65535, got 2.5"),
    ({"sizes": [4, "8", 3]}, "sizes: expected a whole number from 1 to 65535, got 8"),
    ({"activations": "relu"}, "activations: expected a list of 2, got relu"),
    ({"activations": ["relu"]}, "activations: expected a list of 2, got ['relu']"),
    ({"activations": ["rely", "softmax"]}, "activations: expected one of " + TRAINABLE + ", got 'rely'"),
    (
        {"activations": ["softmax", "linear"]},
        "activations: expected one of " + TRAINABLE + ", got 'softmax'",
    ),
    (
        {"activations": ["relu", "gelu"]},
        "last activation: expected one of " + TRAINABLE + ", softmax, got 'gelu'",
    ),
    (
        {"loss": "mae"},
        "loss: expected one of mse, binary_cross_entropy, categorical_cross_entropy, got 'mae'",
    ),
    ({"loss": "binary_cross_entropy"}, "binary_cross_entropy: expected sigmoid at the end, got softmax"),
    ({"optimizer": "Adam"}, "optimizer: expected one of sgd, adam, got 'Adam'"),
    ({"scaling": "zscore"}, "scaling: expected one of minmax, standard, got 'zscore'"),
    ({"lr": 0}, "lr: expected a number from 1e-09 to 1e+09, got 0"),
    ({"lr": "0.1"}, "lr: expected a number from 1e-09 to 1e+09, got 0.1"),
    ({"lr": nan}, "lr: expected a number from 1e-09 to 1e+09, got nan"),
    ({"momentum": -1}, "momentum: expected a number from 0 to 1, got -1"),
    ({"decay": 2}, "decay: expected a number from 0 to 1, got 2"),
    ({"batch": 0}, "batch: expected a whole number from 1 to 65535, got 0"),
    ({"batch": 8.0}, "batch: expected a whole number from 1 to 65535, got 8.0"),
    ({"seed": None}, "seed: expected a whole number from 0 to 1e+09, got None"),
    ({"labels": ["a", "b"]}, "labels: expected 3 different classes, got a, b"),
    ({"labels": ["a", "b", "a"]}, "labels: expected 3 different classes, got a, b, a"),
    ({"labels": [1, 2, 3]}, "labels: expected a list of texts, each a line, got [1, 2, 3]"),
    ({"labels": "abc"}, "labels: expected a list of texts, each a line, got 'abc'"),
    ({"labels": ["a", "b\n", "c"]}, "labels: expected a list of texts, each a line, got ['a', 'b\\n', 'c']"),
    ({"momentum": 0.9}, "momentum: expected optimizer='sgd' with it, got adam"),
    # the one output would always be 1
    ({"sizes": [4, 8, 1]}, "softmax: expected 2 outputs or more, got 1; use sigmoid"),
    # on a PC this would take 17 GB
    (
        {"sizes": [4, 65535, 65535], "activations": ["relu", "softmax"]},
        "sizes: expected at most 2^24 weights in a layer, got [4, 65535, 65535]",
    ),
)


def test_wrong_arguments_are_named():
    for change, message in REFUSED:
        arguments = {"sizes": [4, 8, 3], "activations": ["relu", "softmax"]}
        arguments.update(change)
        raises(ValueError, "Trainer: " + message, Trainer, **arguments)


def test_wrong_data_are_named():
    for x, y, message in (
        ([], [], "x: expected rows, got none"),
        (X, CLASSES[:7], "y: expected 8, one for each row of x, got 7"),
        (array("f", range(5)), [0, 1, 0], "row 2: expected 2 inputs, got 1"),
        (X[:3] + [[1.0]] + X[4:], CLASSES, "row 3: expected 2 inputs, got 1"),
        (X[:3] + [[1.0, nan]] + X[4:], CLASSES, "row 3: expected a number from -3.4e+38 to 3.4e+38, got nan"),
        (X[:5] + [[-inf, 1]] + X[6:], CLASSES, "row 5: expected a number from -3.4e+38 to 3.4e+38, got -inf"),
        (X, CLASSES[:7] + [3], "row 7: y: expected a class from 0 to 2, got 3"),
        (X, CLASSES[:6] + [-1, 2], "row 6: y: expected a class from 0 to 2, got -1"),
        (X, CLASSES[:6] + [0.5, 2], "row 6: y: expected a class from 0 to 2, got 0.5"),
        (X, [[0, 1]] * 8, "row 0: y: expected 3 numbers, got 2"),
        (X, [[1, 0, 0]] * 7 + [[1, 1, 0]], "row 7: y: expected a single 1 among 0, got [1.0, 1.0, 0.0]"),
        (X, [[1, 0, 0]] * 7 + [[2, 0, 0]], "row 7: y: expected a number from 0 to 1, got 2.0"),
        (X, [1] * 8, "y: expected two classes or more, got only one"),
        (X, ["a"] * 4 + ["b"] * 4, "labels: expected 3 different classes, got a, b"),
        # numbers that somebody forgot to convert: many, of which not all are shown
        (
            X,
            ["%d.5" % i for i in range(1000, 1008)],
            "labels: expected 3 different classes, got 1000.5, 1001.5, ...",
        ),
        (lambda: iter(()), None, "x: expected rows, got none"),
        (
            lambda: iter([(X[0], 1), (X[1], 0), (X[2], 9)]),
            None,
            "row 2: y: expected a class from 0 to 2, got 9",
        ),
        (
            lambda: iter([(X[0], 1), ([1.0, inf], 0)]),
            None,
            "row 1: expected a number from -3.4e+38 to 3.4e+38, got inf",
        ),
        (lambda: None, None, "x: expected a function that gives rows, got one that returns None"),
        (lambda: iter([[1]]), None, "row 0: expected (numbers, target), got [1]"),
    ):
        raises(ValueError, "fit: " + message, fit, x, y)
    raises(TypeError, "fit: row 1: expected a number, got str", fit, [X[0], ["a", 1]], [0, 1])
    raises(TypeError, "fit: y: expected a list of numbers, got NoneType", fit, X)
    raises(TypeError, "fit: x: expected a list of numbers, got int", fit, 3, [1])
    raises(ValueError, "fit: epochs: expected a whole number from 1 to 65535, got 0", fit, X, CLASSES, 0)


def test_labels_that_are_not_known():
    trainer = fitted(X, TEXTS)
    same(trainer.labels, ["left", "none", "right"])
    message = "fit: row 0: y: expected one of left, none, right, got 'up'"
    raises(ValueError, message, trainer.fit, [X[0]], ["up"])
    message = "evaluate: row 0: y: expected a number, as no labels are known, got 'up'"
    raises(ValueError, message, Trainer([2, 3], ["softmax"]).evaluate, [X[0]], ["up"])
    message = "evaluate: row 0: y: expected one of left, none, right, got 'up'"
    raises(ValueError, message, trainer.evaluate, [X[0]], ["up"])


def test_targets_of_one_output():
    trainer = Trainer([1, 1], ["sigmoid"])
    message = "fit: row 1: y: expected a number from 0 to 1, got 2"
    raises(ValueError, message, trainer.fit, [[1], [2]], [0, 2])
    message = "fit: row 0: y: expected a number from -3.4e+38 to 3.4e+38, got nan"
    raises(ValueError, message, line().fit, [[1]], [nan])
    # a number that is to be learnt may be the same for all
    with Printed():
        line().fit([[1], [2]], [3, 3], 1)


def test_refused_data_leave_all_as_it_was():
    trainer = Trainer([2, 4, 3], ["tanh", "softmax"], scaling="minmax")
    weights = trainer.weights
    raises(ValueError, "fit: row 1: y: expected ...", trainer.fit, [X[0], X[1]], [0, 5])
    same((trainer.weights, trainer.labels), (weights, None))
    # nothing of those rows' range is left
    with Printed():
        trainer.fit(X, TEXTS, 3)
    same(trainer.weights, fitted(X, TEXTS, 3, scaling="minmax").weights)


def test_divergence_names_the_epoch_and_what_helps():
    rows = [[1e6], [2e6], [3e6]]
    message = "fit: diverged in epoch 1: the loss is infinite or nan; begin anew, with a smaller lr than 0.5"
    with Printed():
        trainer = line(optimizer="sgd", lr=0.5, batch=1)
        raises(ValueError, message + ", or scaling='standard'", trainer.fit, rows, [1, 2, 3], shuffle=False)


def test_divergence_in_the_last_step_is_told_as_such():
    # the loss before the step was finite, the outputs after it are not
    trainer = Trainer([2, 2], ["softmax"], optimizer="sgd", lr=1e9, batch=4)
    rows = [[1e30, -1e30], [1e37, 3.0]]
    with Printed():
        message = "fit: expected a finite loss, got nan: begin anew, with a smaller lr"
        raises(ValueError, message, trainer.fit, rows, [0, 1], 1)


def test_train_model_has_no_scaling_to_try():
    message = "train_model: diverged in epoch 1: the loss is infinite or nan; begin anew, with a smaller lr than 1e+09"
    rows = [[1e30, 1e38]] * 4
    raises(ValueError, message, anne.train_model, rows, [0, 1, 0, 1], [2, 1], ["sigmoid"], 2, 1e9)
    message = "train_model: y: expected a list of numbers, got NoneType"
    raises(TypeError, message, anne.train_model, rows, None, [2, 1], ["sigmoid"], 2, 1e9)


def test_validation_is_looked_at_before_anything_is_learnt():
    trainer = Trainer([2, 4, 3], ["tanh", "softmax"])
    weights = trainer.weights
    for validation, message in (
        (0.2, "expected (x, y), got 0.2"),
        ((), "expected (x, y), got ()"),
        (([], []), "x: expected rows, got none"),
        ((X, CLASSES[:3]), "y: expected 8, one for each row of x, got 3"),
        ((X, ["up"] * 8), "row 0: y: expected one of left, none, right, got 'up'"),
    ):
        message = "fit: validation: " + message
        raises(ValueError, message, trainer.fit, X, TEXTS, 1, validation=validation)
        same((trainer.weights, trainer.labels), (weights, None))


def test_ctrl_c_before_the_first_epoch_leaves_all_as_it_was():
    trainer = Trainer([2, 4, 3], ["tanh", "softmax"], scaling="minmax")

    def rows():
        yield from zip(X, TEXTS)

    def interrupt(*values, end=""):
        raise KeyboardInterrupt

    anne.trainer.print = interrupt  # labels and scaling are known when the first line is printed
    try:
        trainer.fit(rows, None, 1)
    except KeyboardInterrupt:
        pass
    finally:
        del anne.trainer.print
    same(
        (trainer.labels, trainer.predict(X[0])), (None, Trainer([2, 4, 3], ["tanh", "softmax"]).predict(X[0]))
    )


def test_help_says_what_a_trainer_does():
    for word in ("binary_cross_entropy", "momentum", "validation", "scaling", "labels", "confusion", "save"):
        assert word in Trainer.__doc__, word  # on a board, too, where docstrings are gone


def test_memory_that_is_not_there_leaves_all_as_it_was():
    if not hasattr(gc, "mem_free"):
        raise Skip("memory without end")
    trainer = Trainer([60, 1], ["linear"], scaling="minmax")
    weights = trainer.weights
    x, y = array("f", bytes(4 * 6000)), [0.0, 1.0] * 50
    gc.collect()
    hog = []
    try:
        while gc.mem_free() > 22000:
            hog.append(bytearray(2000))
    except MemoryError:
        pass  # what is free is in smaller pieces
    with Printed():
        raises(MemoryError, "...", trainer.fit, x, y)
    hog = None
    gc.collect()
    same(trainer.weights, weights)
    with Printed():
        trainer.fit([[1.0] * 60, [3.0] * 60], [1.0, 2.0], 1)
    trainer.weights = [([[1.0] * 60], [0.0])]
    close(trainer.predict([2.0] * 60), [30.0], 1e-4)  # from 1 to 3 learnt just now
