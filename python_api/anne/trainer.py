"""Networks that learn, on a board or on a PC: `Trainer`, and AI-ANNE's `train_model`.

A core computes: `_anne.Trainer` in C, or what `trainer_core` finds. Data and weights reach it as floats of 32 bits.
"""

import math
import time
from array import array

from .checks import counted, expect, known, refuse, texts, whole, within
from .classes import class_of
from .inside import Table
from .reference import _NUMBERS, _numbers, _sequence
from .training import TRAINABLE, Random, init_layer, line
from .values import sample, samples

try:
    from _anne import Trainer as _Core
except ImportError:
    from .trainer_core import Trainer as _Core

_LOSSES = ("mse", "binary_cross_entropy", "categorical_cross_entropy")
_LAST = ("", "sigmoid", "softmax")  # the last activation that each needs
_MOST = 3.4e38  # what is greater is infinite in 32 bits


class Trainer:
    # Assigned, as firmware keeps no docstrings: there it is what help(net) says.
    __doc__ = """Trainer([4, 8, 3], ["relu", "softmax"]): a network of dense layers that learns from examples.

    loss: mse, binary_cross_entropy, categorical_cross_entropy; optimizer: adam, or sgd, which may have momentum
    scaling: minmax, standard: learnt from the first data; labels: names of classes; lr, batch, decay, seed
    fit(x, y, epochs=20, validation=None): x: rows, or a function that gives (row, target) one by one;
        y: numbers of classes, their names, or what each output should be; validation: (x, y)
    predict(x), classify(x), evaluate(x, y), confusion(x, y), weights, save(path, labels, feature_names, scaling, name)
    """

    def __init__(
        self, sizes, activations, loss=None, optimizer="adam", lr=0.01, batch=8,
        seed=0, momentum=0.0, decay=0.0, scaling=None, labels=None,
    ):  # fmt: skip
        """Begin with small random weights.

        sizes: how many inputs, then how many neurons each layer has; activations: one a layer, softmax only last
        loss: "mse", "binary_cross_entropy" for sigmoid, "categorical_cross_entropy" for softmax; None: what fits
        optimizer: "adam", or "sgd", which may have momentum; lr: how far a step goes; batch: rows for one step
        decay: by which weights are drawn to 0; seed: of the first weights, the same everywhere; labels: of the classes,
        None: as y has them; scaling: "minmax" or "standard", learnt from the first data and part of the network then
        """
        what, n_layers, n = "Trainer: ", counted(sizes) - 1, 0
        expect(0 < n_layers < 9, what + "sizes", "a list of 2 to 9", sizes)
        expect(counted(activations) == n_layers, what + "activations", "a list of %d" % n_layers, activations)
        for v in sizes:
            whole(v, what + "sizes")
        for n_in, n_out in zip(sizes, sizes[1:]):
            expect((n_in + 1) * n_out <= 1 << 24, what + "sizes", "at most 2^24 weights in a layer", sizes)
            n += (n_in + 1) * n_out
        last = activations[-1]
        for name in activations[:-1]:
            known(name, TRAINABLE, what + "activations")
        known(last, TRAINABLE + _LAST[2:], what + "last activation")
        loss = loss or _LOSSES[_LAST.index(last) if last in _LAST else 0]
        known(loss, _LOSSES, what + "loss")
        known(optimizer, ("sgd", "adam"), what + "optimizer")
        known(scaling or "minmax", ("minmax", "standard"), what + "scaling")
        needed = _LAST[_LOSSES.index(loss)]
        expect(needed in ("", last), what + loss, needed + " at the end", last)
        expect(last != "softmax" or n_out > 1, what + last, "2 outputs or more", "1; use sigmoid")
        for name, v, least, most in (
            ("lr", lr, 1e-9, 1e9),
            ("momentum", momentum, 0, 1),
            ("decay", decay, 0, 1),
        ):
            within(v, least, most, what + name)
        expect(not momentum or optimizer == "sgd", what + "momentum", "optimizer='sgd' with it", optimizer)
        whole(batch, what + "batch")
        within(seed, 0, 1e9, what + "seed", int)
        self.sizes, self.activations, self.loss = tuple(sizes), tuple(activations), loss
        self.lr, self.batch, self.scaling, self._scaling = lr, batch, scaling, None
        self._n_classes, self._n_targets = max(2, n_out), 1 if needed == "softmax" else n_out
        self.labels = labels and self._names(labels, what + "labels")
        random, parameters, at = Random(seed), array("f", bytes(4 * n)), 0
        for name, n_in, n_out in zip(activations, sizes, sizes[1:]):
            # as wide as keeps values alike from layer to layer, and gradients, too (Glorot); relu halves them (He)
            limit = math.sqrt(6 / (n_in + (0 if "relu" in name else n_out)))
            for i in range(at, at + n_in * n_out):
                parameters[i] = (2 * random.uniform() - 1) * limit
            at += (n_in + 1) * n_out
        settings = lr, momentum, decay, batch, self._n_targets, random.state
        self._core = _Core(self.sizes, self.activations, loss, optimizer, settings)
        self._core.set(parameters)
        # all weights again for their gradients, twice more for Adam; and the layers' values
        copies = 4 if optimizer == "adam" else 2 if batch > 1 or momentum or decay else 1
        words = copies * n + sum(sizes[1:]) + 2 * sum(sizes[:-1]) + 4 * max(sizes[1:])
        self._text = "%s, %d weights, %.1f KB" % ("-".join(map(str, sizes)), n, words / 256)

    def __repr__(self):
        return self._text

    @property
    def weights(self):
        """Of each layer (weights, biases): a list of numbers for each neuron, and a number. It can be assigned, too."""
        layers = []
        for weights, biases in self._layers():  # flat arrays
            n_in = len(weights) // len(biases)
            layers.append(([list(weights[i : i + n_in]) for i in range(0, len(weights), n_in)], list(biases)))
        return layers

    @weights.setter
    def weights(self, layers):
        what, parameters, sizes = "weights", array("f"), self.sizes
        for layer, n_in, n_out in zip(_sequence(layers, what), sizes, sizes[1:]):
            expect(counted(layer) == 2, what, "(rows, biases) of each layer", layer)
            rows = [_numbers(row, what) for row in list(_sequence(layer[0], what)) + [layer[1]]]
            got, expected = list(map(len, rows)), "%d rows of %d numbers, %d biases" % (n_out, n_in, n_out)
            expect(got == [n_in] * n_out + [n_out], what, expected, "lists of %s" % got)
            for row in rows:
                parameters.extend(array("f", row))
        n = len(self._core.get())
        expect(len(parameters) == n, what, "%d numbers" % n, len(parameters))
        self._core.set(parameters)

    def _layers(self):
        parameters, at, layers = self._core.get(), 0, []
        for n_in, n_out in zip(self.sizes, self.sizes[1:]):
            end = at + n_in * n_out
            layers.append((parameters[at:end], parameters[end : end + n_out]))
            at = end + n_out
        return layers

    def _rows(self, x, y, what):
        # yield for each row its numbers, and the numbers or the text that it should give
        i, n_in, in_x, is_function = 0, self.sizes[0], what + ": x", callable(x)
        if is_function:
            pairs = x()
            expect(pairs is not None, in_x, "a function that gives rows", "one that returns None")
        else:
            x, y = _sequence(x, in_x), _sequence(y, what + ": y")
            n = len(x)
            if n and isinstance(x[0], _NUMBERS):  # a flat array
                flat, n = x, -(-n // n_in)
                x = (flat[k : k + n_in] for k in range(0, len(flat), n_in))
            expect(n == len(y), what + ": y", "%d, one for each row of x" % n, len(y))
            pairs = zip(x, y)
        n_classes = self._n_classes if self._n_targets == 1 else 0
        for pair in pairs:
            if is_function:
                expect(counted(pair) == 2, "%s: row %d" % (what, i), "(numbers, target)", pair)
            numbers, target = pair
            if isinstance(target, str) and self.labels and target in self.labels:
                target = self.labels.index(target)
            # Most rows and targets are as they should be: that is found out first, without a text for each.
            if isinstance(target, int) and 0 <= target < n_classes:
                target = [target]
            elif self.labels or what != "fit" or not isinstance(target, str):
                target = self._target(target, "%s: row %d: y" % (what, i))
            try:
                row = array("f", numbers) if isinstance(numbers, (list, tuple, array)) else ()
            except (TypeError, OverflowError):
                row = ()
            if len(row) != n_in or sum(row) * 0 != 0:
                where = "%s: row %d" % (what, i)
                row = _numbers(numbers, where)
                expect(len(row) == n_in, where, "%d inputs" % n_in, len(row))
                for v in row:
                    within(v, -_MOST, _MOST, where)
            yield row, target
            i += 1
        expect(i, in_x, "rows", "none")

    def _target(self, target, where):
        # the numbers that the core learns from: of softmax the class's, else one for each output
        if isinstance(target, str):
            expect(self.labels, where, "a number, as no labels are known", repr(target))
            known(target, self.labels, where)
        n_out, values = self.sizes[-1], [target]
        if not isinstance(target, _NUMBERS):
            values = _numbers(target, where)
            expect(len(values) == n_out, where, "%d numbers" % n_out, len(values))
        elif n_out > 1:
            expect(target in range(n_out), where, "a class from 0 to %d" % (n_out - 1), target)
            values = [0.0] * n_out
            values[int(target)] = 1.0
        least, most = (-_MOST, _MOST) if self.loss == "mse" else (0, 1)
        for v in values:
            within(v, least, most, where)
        if self._n_targets < n_out:
            expect(sorted(values)[-2:] == [0, 1], where, "a single 1 among 0", values)
            return [values.index(1)]
        return values

    def _scaled(self, row):
        if self._scaling:
            factors, offsets = self._scaling
            for i in range(len(row)):
                row[i] = row[i] * factors[i] + offsets[i]
        return row if isinstance(row, array) else array("f", row)

    def _names(self, names, what):
        names, n = texts(names, what), self._n_classes
        expect(len(set(names)) == len(names) == n, what, "%d different classes" % n, ", ".join(names)[:60])
        return names

    def _look(self, x, y):
        # learn the classes' names and the scaling, where they are still unknown; return the number of rows
        first, differ, names, n_rows, standard = None, False, set(), 0, self.scaling == "standard"
        for row, target in self._rows(x, y, "fit"):
            n_rows += 1
            if n_rows == 1:
                low, high, first = list(row), [0.0] * len(row) if standard else list(row), target
            for i in range(len(row)):
                v, change = row[i], row[i] - low[i]
                if standard:  # the mean, and the sum of squares about it, without large squares (Welford)
                    low[i] += change / n_rows
                    high[i] += change * (v - low[i])
                else:
                    low[i], high[i] = min(low[i], v), max(high[i], v)
            differ = differ or target != first
            if isinstance(target, str):
                names.add(target)
        if names:
            self.labels = self._names(sorted(names), "fit: labels")
        expect(differ or self.loss == "mse", "fit: y", "two classes or more", "only one")
        if self.scaling and not self._scaling:
            for i in range(len(low)):
                spread = math.sqrt(high[i] / n_rows) if standard else high[i] - low[i]
                high[i] = 1 / spread if spread > 1e-30 else 1.0  # what never changes becomes 0
                low[i] *= -high[i]
            self._scaling = high, low
        return n_rows

    def _fill(self, rows, most, xs=None):
        # (numbers, targets, how many) of as many rows as there are, at most `most`, as the core takes them
        n_in, n_y, n, is_ready = self.sizes[0], self._n_targets, 0, xs is not None
        xs, ys = xs or array("f", bytes(4 * most * n_in)), array("f", bytes(4 * most * n_y))
        for row, target in rows:
            if not is_ready:
                xs[n * n_in : n * n_in + n_in] = self._scaled(row)
            ys[n * n_y : n * n_y + n_y] = array("f", target)
            n += 1
            if n == most:
                return xs, ys, n
        return xs[: n * n_in], ys[: n * n_y], n

    def fit(self, x, y=None, epochs=20, validation=None, shuffle=True):
        """Learn from the rows of x what each should give; return the list of each epoch's mean loss. Again: go on.

        x: a list of rows, or one flat array. y for each row: the number of its class (or what the one output should
        be), its class's name, or a list of what each output should be. Or x is a function that gives rows one by one,
        as (numbers, target), which need not fit in memory: called once an epoch, once before and once after.
        validation: another (x, y), looked at after each epoch: then a dict, of loss, val_loss, val_accuracy
        ValueError if it diverges: its weights are of no use then. MemoryError, or Ctrl-C, before the first epoch
        leaves it as it was; Ctrl-C later keeps what was learnt until then.
        """
        whole(epochs, "fit: epochs")
        kept, what = (self.labels, self._scaling), "fit: validation"
        print(self._text, end=": reading\r")  # some hundred rows take a second
        try:
            n_rows = self._look(x, y)
            if validation is not None:
                expect(counted(validation) == 2, what, "(x, y)", repr(validation)[:60])
                for _ in self._rows(validation[0], validation[1], what):
                    pass
            print("%s: %d rows, %d epochs" % (self._text, n_rows, epochs))
            data, order, checks = (x, y), None, []  # (accuracy, loss) of each epoch
            if not callable(x):
                is_ready = not self._scaling and repr(x[:0]) == "array('f')"  # and need not be copied
                data = self._fill(self._rows(x, y, "fit"), n_rows, x if is_ready else None)
                if shuffle:
                    expect(n_rows <= 65536, "fit: x", "at most 65536 rows, or shuffle=False", n_rows)
                    order = array("H", range(n_rows))
        except BaseException:
            self.labels, self._scaling = kept
            print()  # else what is said of it stands in the line about reading
            raise
        losses = self._learn(data[0], data[1], order, epochs, "fit", validation, checks)
        accuracy, _ = checks[-1] if checks else self._judge(x, y, "fit")[1:]
        print(line(losses) + (" " * 14 if accuracy is None else ", accuracy %.3f" % accuracy))
        if not checks:
            return losses
        accuracies, val_losses = zip(*checks)
        return {"loss": losses, "val_loss": list(val_losses), "val_accuracy": list(accuracies)}

    def _learn(self, xs, ys, order, epochs, what, validation=None, checks=None):
        # all epochs of data as the core takes them, or of what a function gives; return the losses
        losses, shown = array("f"), time.time()
        while len(losses) < epochs:
            if callable(xs):
                losses.append(self._stream(xs))
            else:
                part = array("f", bytes(4 * (1 if validation else epochs - len(losses))))
                losses.extend(part[: self._core.run(xs, ys, order, part)])
            if losses and not -_MOST < losses[-1] < _MOST:
                advice = "" if self._scaling or what != "fit" else ", or scaling='standard'"
                told = "%s: diverged in epoch %d: the loss is infinite or nan; begin anew, with a smaller lr than %g%s"
                raise ValueError(told % (what, len(losses), self.lr, advice))
            if validation:
                checks.append(self._judge(validation[0], validation[1], "fit: validation")[1:])
            if what != "train_model" and time.time() - shown > 1:
                shown = time.time()
                print(line(losses), "epoch %d  " % len(losses), end="\r")
        return list(losses)

    def _stream(self, x):
        # one epoch, a batch at a time; return its loss
        rows, n, n_rows, total, part = self._rows(x, None, "fit"), 1, 0, 0.0, array("f", [0])
        while n:
            xs, ys, n = self._fill(rows, self.batch)
            if n:
                self._core.run(xs, ys, None, part)
                n_rows += n
                total += n * part[0]
        return total / n_rows

    def predict(self, x):
        """Return the outputs for x, a row of numbers, as a list; for several rows a list of such lists."""
        rows, answers = samples(x, self.sizes[:1], "predict"), []
        if not isinstance(rows, tuple):
            return self._answer(rows)[0]
        for row in rows:
            answers.append(self._answer(sample(row, self.sizes[:1], "predict: row %d" % len(answers)))[0])
        return answers

    def _answer(self, row, target=None):
        # the outputs for a row as it was given, and its loss
        out = array("f", bytes(4 * self.sizes[-1]))
        loss = self._core.predict(self._scaled(row), out, target and array("f", target))
        return list(out), loss

    def classify(self, x):
        """Return (label, value) of the class that the outputs for x stand for, as a Model does; or a list of such."""
        self._need_classes("classify", "predict")
        y = self.predict(x)
        return list(map(self._class, y)) if isinstance(y[0], list) else self._class(y)

    def _need_classes(self, what, instead):
        is_classifier = self.labels or self.sizes[-1] > 1 or self.activations[-1] == "sigmoid"
        expect(is_classifier, what, "a classifier", "one output without sigmoid or labels; use " + instead)

    def _class(self, y):
        index = class_of(y)
        # one output is a probability of the second class, or a score for both
        value = (
            y[index] if len(y) > 1 else 1 - y[0] if index < 1 and self.activations[-1] == "sigmoid" else y[0]
        )
        return (self.labels[index] if self.labels else index), value

    def evaluate(self, x, y=None):
        """Return (accuracy, loss) for rows as `fit` takes them: the share of right classes, None without; mean loss."""
        return self._judge(x, y, "evaluate")[1:]

    def confusion(self, x, y=None):
        """Return a Table, for rows as `fit` takes them: a row for each class, how many of it were taken for which."""
        self._need_classes("confusion", "evaluate")
        return self._judge(x, y, "confusion")[0]

    def _judge(self, x, y, what):
        # (a table of true and told classes, the share of right ones, None without classes, the mean loss)
        names, total, n_right, n = list(map(str, self.labels or range(self._n_classes))), 0.0, 0, 0
        rows = [[name] + [0] * len(names) for name in names]
        for row, target in self._rows(x, y, what):
            outputs, loss = self._answer(row, target)
            total += loss
            if total - total != 0:
                refuse(what, "a finite loss", "%s: begin anew, with a smaller lr" % total)
            true = int(target[0]) if self._n_targets < self.sizes[-1] else class_of(target)
            told = class_of(outputs)
            rows[true][told + 1] += 1
            n_right += true == told
            n += 1
        accuracy = n_right / n if self.labels or self.activations[-1] in _LAST else None
        return Table(["class"] + names, rows), accuracy, total / n

    def save(self, path, labels=None, feature_names=None, scaling=None, name=None):
        """Write the network to `path`, as a file that anne.load reads, and return its bytes.

        What scaling it has learnt is part of it, the optimiser's state is not; (factors, offsets) in `scaling` say what
        was done to the data before they came here. A power cut leaves the file that there was, or the new one.
        """
        from .model_writer import dense_network

        what, n = "save: scaling", self.sizes[0]
        if scaling:
            expect(not self._scaling, what, "None, as it is learnt", scaling)
            scaling = [_numbers(values, what) for values in _sequence(scaling, what)]
            expect(list(map(len, scaling)) == [n, n], what, "2 lists of %d numbers" % n, scaling)
        labels, scaling = texts(labels or self.labels or (), "save: labels"), scaling or self._scaling
        name, names = name or "model", texts(feature_names or (), "save: feature_names")
        return dense_network(path, self._layers(), self.activations, name, labels, names, scaling)


def train_model(X, y, layer_sizes, activations, epochs, lr, layers=None):
    """Return (layers, losses) as `reference_trainer.train_model` does, where it is explained; through the core."""
    trainer = Trainer(layer_sizes, activations, _LOSSES[1], "sgd", lr, 1)
    whole(epochs, "train_model: epochs")
    trainer.weights = layers or list(map(init_layer, layer_sizes, layer_sizes[1:]))
    n = len(_sequence(y, "train_model: y"))
    xs, ys, _ = trainer._fill(trainer._rows(X, y, "train_model"), n)
    losses = trainer._learn(xs, ys, None, epochs, "train_model")
    return trainer.weights, [loss * n for loss in losses]
