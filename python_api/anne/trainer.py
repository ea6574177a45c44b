"""Networks that learn, on a board or on a PC: `Trainer`, and AI-ANNE's `train_model`.

The arithmetic is done by a core: `_anne.Trainer` in C, the same in a library on a PC (`host_trainer`), or
`reference_trainer`. Here is what people see. Data and weights become floats of 32 bits on their way to the core.
"""

import math
import time
from array import array

from .classes import class_of
from .model import Table
from .reference import _NUMBERS, _numbers, _sequence
from .training import TRAINABLE, Random, init_layer
from .values import sample, samples

try:
    from _anne import Trainer as _Core
except ImportError:
    try:
        from .host_trainer import Trainer as _Core
    except ImportError:
        from .reference_trainer import Trainer as _Core

_LOSSES = ("mse", "binary_cross_entropy", "categorical_cross_entropy")
_LAST = ("", "sigmoid", "softmax")  # the last layer that each needs
_MOST = 3.4e38  # what is greater is infinite in 32 bits


def _expect(is_so, what, expected, got):
    if not is_so:
        raise ValueError("%s: expected %s, got %s" % (what, expected, got))


def _known(name, names, what):
    _expect(name in names, what, "one of " + ", ".join(names), repr(name))


def _whole(n, what):
    _expect(type(n) is int and 0 < n < 65536, what, "a whole number from 1 to 65535", n)


def _list_of(x, n, most, what):
    _expect(isinstance(x, (list, tuple)) and n <= len(x) <= most, what, "a list of %d" % most, x)


class Trainer:
    # Assigned, as firmware keeps no docstrings: there it is what help(trainer) says.
    __doc__ = """A network of dense layers that learns from examples: Trainer([4, 8, 3], ["relu", "softmax"]).

    fit(x, y, epochs): learn from rows x and what they should give, y; predict(x), classify(x): as a Model's
    evaluate(x, y): (accuracy, loss); confusion(x, y): a Table, how often which class was taken for which
    save(path): the file that anne.load reads; weights: (weights, biases) of each layer; labels: the classes' names
    """

    def __init__(
        self,
        sizes,
        activations,
        loss=None,
        optimizer="adam",
        lr=0.01,
        batch=8,
        seed=0,
        momentum=0.0,
        decay=0.0,
        scaling=None,
        labels=None,
    ):
        """Begin with small random weights, the same ones for the same `seed` everywhere.

        `sizes`: how many inputs, then how many neurons each layer has; `activations`: one a layer, softmax only last.
        `loss`: "mse", "binary_cross_entropy" for sigmoid, "categorical_cross_entropy" for softmax; None: what fits.
        `optimizer`: "adam" or "sgd", which may have `momentum`. `lr`: how far a step goes; `batch`: rows for one step;
        `decay`: by which weights are drawn to 0. `scaling`: "minmax" or "standard", learnt from the data of the first
        fit, and part of the network from then on. `labels`: names of the classes.
        """
        _list_of(sizes, 2, 9, "Trainer: sizes")
        for n in sizes:
            _whole(n, "Trainer: sizes")
        n = len(sizes) - 1
        _list_of(activations, n, n, "Trainer: activations")
        for name in activations[:-1]:
            _known(name, TRAINABLE, "Trainer: activations")
        last = activations[-1]
        _known(last, TRAINABLE + _LAST[2:], "Trainer: last activation")
        if loss is None:
            loss = _LOSSES[_LAST.index(last) if last in _LAST else 0]
        _known(loss, _LOSSES, "Trainer: loss")
        needed = _LAST[_LOSSES.index(loss)]
        _expect(needed in ("", last), "Trainer: " + loss, needed + " as the last activation", last)
        _known(optimizer, ("sgd", "adam"), "Trainer: optimizer")
        _known(scaling or "minmax", ("minmax", "standard"), "Trainer: scaling")
        _expect(isinstance(lr, _NUMBERS) and 0 < lr < _MOST, "Trainer: lr", "a number above 0", lr)
        for v in momentum, decay:
            is_so = isinstance(v, _NUMBERS) and 0 <= v < 1
            _expect(is_so, "Trainer: momentum, decay", "numbers from 0 to below 1", v)
        _whole(batch, "Trainer: batch")
        _expect(type(seed) is int, "Trainer: seed", "a whole number", seed)
        self.sizes, self.activations = tuple(sizes), tuple(activations)
        self.loss, self.lr, self.batch = loss, lr, batch
        self._kind, self._scaling, self.labels = scaling, None, labels
        if labels:
            self._check_labels(labels, "Trainer")
        random, at = Random(seed), 0
        parameters = array("f", bytes(4 * sum([(a + 1) * b for a, b in zip(sizes, sizes[1:])])))
        for k in range(n):
            n_in, n_out = sizes[k : k + 2]
            # as wide as keeps values alike from layer to layer, and gradients, too (Glorot); relu halves them (He)
            limit = math.sqrt(6 / (n_in + (0 if "relu" in activations[k] else n_out)))
            for i in range(n_in * n_out):
                parameters[at + i] = (2 * random.uniform() - 1) * limit
            at += (n_in + 1) * n_out
        self._n_targets = 1 if needed == "softmax" else n_out
        settings = lr, momentum, decay, batch, self._n_targets, random.state
        self._core = _Core(self.sizes, self.activations, loss, optimizer, settings)
        self._core.set(parameters)
        # what the C core takes: all weights again for their gradients, twice more for Adam; and the layers' outputs
        copies = 4 if optimizer == "adam" else 2 if batch > 1 or momentum or decay else 1
        words = copies * len(parameters) + sum(sizes[1:]) + 2 * max(sizes[1:])
        self._text = "%s, %d weights, %.1f KB" % (
            "-".join([str(n) for n in sizes]),
            len(parameters),
            words / 256,
        )

    def __repr__(self):
        return self._text

    @property
    def _has_classes(self):
        return bool(self.labels or self.loss != "mse")

    @property
    def weights(self):
        """(weights, biases) of each layer: a list of numbers for each neuron, and one number."""
        layers = []
        for weights, bias in self._layers():
            n_in = len(weights) // len(bias)
            rows = [list(weights[i : i + n_in]) for i in range(0, len(weights), n_in)]
            layers.append((rows, list(bias)))
        return layers

    def _layers(self):
        # the same as flat arrays
        parameters, at, layers = self._core.get(), 0, []
        for n_in, n_out in zip(self.sizes, self.sizes[1:]):
            end = at + n_in * n_out
            layers.append((parameters[at:end], parameters[end : end + n_out]))
            at = end + n_out
        return layers

    # --- Data --------------------------------------------------------------------------------------------------------

    def _rows(self, x, y, what):
        # yield for each row its name in messages, its numbers, its target as it was given
        n_in, i = self.sizes[0], 0
        if callable(x):
            pairs = x()
        else:
            x, y = _sequence(x, what + ": x"), _sequence(y, what + ": y")
            step = n_in if len(x) and isinstance(x[0], _NUMBERS) else 1  # of a flat array
            n_rows = "%g rows, one for each of y" % len(y)
            _expect(len(x) == len(y) * step, what + ": x", n_rows, "%g" % (len(x) / step))
            pairs = ((x[i * step : i * step + step] if step > 1 else x[i], y[i]) for i in range(len(y)))
        for pair in pairs:
            where = "%s: row %d" % (what, i)
            _expect(isinstance(pair, (list, tuple)) and len(pair) == 2, where, "(numbers, target)", pair)
            row, target = pair
            row = _numbers([row] if isinstance(row, _NUMBERS) else row, where)
            _expect(len(row) == n_in, where, "%d inputs" % n_in, len(row))
            for v in row:
                _expect(-_MOST < v < _MOST, where, "finite numbers", v)
            yield where, row, target
            i += 1
        _expect(i, what + ": x", "rows", "none")

    def _target(self, target, where):
        # the numbers that the core is to learn from: the class's for softmax, else one for each output
        n_out = self.sizes[-1]
        by_class = self._n_targets < n_out
        where += ": y"
        if isinstance(target, str):
            _known(target, self.labels or (), where)
            target = self.labels.index(target)
        if isinstance(target, _NUMBERS):
            if n_out > 1:
                _expect(target in range(n_out), where, "a class from 0 to %d" % (n_out - 1), target)
                return [target] if by_class else [float(k == target) for k in range(n_out)]
            target = [target]
        values = _numbers(target, where)
        _expect(len(values) == n_out, where, "%d numbers" % n_out, len(values))
        least = -_MOST if self.loss == "mse" else 0
        most = -least or 1
        for v in values:
            _expect(least <= v <= most, where, "numbers from %g to %g" % (least, most), v)
        if by_class:
            _expect(sorted(values)[-2:] == [0, 1], where, "a single 1 among 0", values)
            return [values.index(1)]
        return values

    def _scaled(self, row):
        if self._scaling:
            row = [v * factor + offset for v, factor, offset in zip(row, *self._scaling)]
        return array("f", row)

    def _check_labels(self, labels, what):
        n = max(2, self.sizes[-1])
        _expect(len(labels) == n, what + ": labels", "%d classes" % n, ", ".join(labels))

    def _look(self, x, y):
        # learn what is to be known of the data before they are used; return how many rows there are
        n_in, n_rows, seen, names = self.sizes[0], 0, set(), set()
        low, high, mean, squares = [_MOST] * n_in, [-_MOST] * n_in, [0.0] * n_in, [0.0] * n_in
        for where, row, target in self._rows(x, y, "fit"):
            n_rows += 1
            if isinstance(target, str) and not self.labels:
                names.add(target)
            else:
                values = self._target(target, where)
                if len(values) == 1:
                    seen.add(values[0])
            for i in range(n_in):
                v = row[i]
                low[i], high[i] = min(low[i], v), max(high[i], v)
                change = v - mean[i]  # Welford's way, which never subtracts large squares
                mean[i] += change / n_rows
                squares[i] += change * (v - mean[i])
        if names:
            self._check_labels(sorted(names), "fit")
            self.labels = sorted(names)
        elif self.loss != "mse":
            _expect(len(seen) != 1, "fit: y", "two classes or more", "only one")
        if self._kind and not self._scaling:
            spread = [b - a for a, b in zip(low, high)]
            if self._kind == "standard":
                low, spread = mean, [math.sqrt(v / n_rows) for v in squares]
            factors = [1 / v if v > 1e-30 else 1.0 for v in spread]  # a column that never changes becomes 0
            self._scaling = factors, [-a * factor for a, factor in zip(low, factors)]
        return n_rows

    # --- Learning ----------------------------------------------------------------------------------------------------

    def fit(self, x, y=None, epochs=20, validation=None, shuffle=True):
        """Learn from the rows of x and what each should give; return the list of each epoch's mean loss.

        x: a list of rows, lists or arrays of numbers; or one flat array. y: for each row a number (of its class, if
        there is more than one output), a text, or a list of one number an output. Or x is a function, called once an
        epoch, once before and once after, that gives the rows one by one, as (numbers, target): they need not fit in
        memory. Rows are shuffled for each epoch, unless they come from a function.
        `validation`: another (x, y), evaluated after each epoch; then a dict of lists is returned: loss, val_loss,
        val_accuracy. Fitting again goes on with what is learnt.
        ValueError if data do not fit the network, or if it diverges; MemoryError leaves it as it was.
        """
        _whole(epochs, "fit: epochs")
        kept = self.labels, self._scaling
        try:
            n_rows = self._look(x, y)
            print("%s: %d rows, %d epochs" % (self._text, n_rows, epochs))
            losses, data = array("f", bytes(4 * epochs)), ()
            if not callable(x):
                data = self._fill(self._rows(x, y, "fit"), n_rows)
                data[2] = array("H", range(n_rows)) if shuffle else None
        except:
            self.labels, self._scaling = kept
            raise
        done, began, shown, checks = 0, time.time(), None, []
        while done < epochs:
            part = array("f", bytes(4 * (1 if validation or not data else epochs - done)))
            n = self._core.run(*data, part) if data else self._pass(x, part)
            losses[done : done + n] = part[:n]
            done += n
            self._check_loss(losses, done, "fit")
            if validation:
                checks.append(self.evaluate(*validation))
            if time.time() - (shown or began) > 1 and done < epochs:
                shown = time.time()
                print(_line(losses[:done]) + ", epoch %d" % done, end="\r")
        accuracy, _ = checks[-1] if checks else self.evaluate(x, y)
        text = "" if accuracy is None else ", %saccuracy %.3f" % ("validation " if checks else "", accuracy)
        print(_line(losses) + text + ("" if shown is None else " " * 20))
        if not checks:
            return list(losses)
        return {
            "loss": list(losses),
            "val_loss": [loss for _, loss in checks],
            "val_accuracy": [accuracy for accuracy, _ in checks],
        }

    def _fill(self, rows, most):
        # [numbers, targets, how many] of as many rows as there are, `most` at most, as the core takes them
        n_in, n_y, n = self.sizes[0], self._n_targets, 0
        xs, ys = array("f", bytes(4 * most * n_in)), array("f", bytes(4 * most * n_y))
        for where, row, target in rows:
            xs[n * n_in : n * n_in + n_in] = self._scaled(row)
            ys[n * n_y : n * n_y + n_y] = array("f", self._target(target, where))
            n += 1
            if n == most:
                return [xs, ys, n]
        return [xs[: n * n_in], ys[: n * n_y], n]

    def _pass(self, x, losses):
        # one epoch of rows that a function gives, a batch at a time; returns 1, as a core's run does
        rows, total, n_rows, n = self._rows(x, None, "fit"), 0.0, 0, 1
        while n:
            xs, ys, n = self._fill(rows, self.batch)
            if n:
                self._core.run(xs, ys, None, losses)
                total += losses[0] * n
                n_rows += n
        losses[0] = total / n_rows
        return 1

    def _learn(self, xs, ys, order, epochs, what):
        # all epochs of data as the core takes them; return the list of each one's mean loss
        losses = array("f")
        while len(losses) < epochs:
            part = array("f", bytes(4 * (epochs - len(losses))))
            losses.extend(part[: self._core.run(xs, ys, order, part)])
            self._check_loss(losses, len(losses), what)
        return list(losses)

    def _check_loss(self, losses, n, what):
        loss = losses[n - 1]
        if loss - loss != 0:
            advice = "" if self._scaling else ", or scaling='standard'"
            got = what, n, loss, self.lr, advice
            raise ValueError("%s: diverged in epoch %d: the loss is %s; try a smaller lr than %s%s" % got)

    # --- Answers -----------------------------------------------------------------------------------------------------

    def predict(self, x):
        """Return the outputs for x, a row of numbers, as a list; for several rows a list of such lists."""
        rows = samples(x, self.sizes[:1], "predict")
        if not isinstance(rows, tuple):
            return self._outputs(rows)
        return [
            self._outputs(sample(rows[i], self.sizes[:1], "predict: row %d" % i)) for i in range(len(rows))
        ]

    def _outputs(self, row):
        out = array("f", bytes(4 * self.sizes[-1]))
        self._core.predict(self._scaled(row), out)
        return list(out)

    def classify(self, x):
        """Return (label, value) of the class that the outputs for x stand for, as Model.classify; or a list of such."""
        if not self._has_classes:
            raise ValueError("classify: expected a classifier, got the loss mse and no labels; use predict")
        y = self.predict(x)
        if isinstance(y[0], list):
            return [self._class(y[i], "classify: row %d" % i) for i in range(len(y))]
        return self._class(y, "classify")

    def _class(self, y, what):
        index = class_of(y, None, what)
        value = (
            y[index] if len(y) > 1 else 1 - y[0] if index == 0 and self.activations[-1] == "sigmoid" else y[0]
        )
        return (self.labels[index] if self.labels else index), value

    def _judged(self, x, y, what):
        # yield for each row the loss, its class, and the class that the outputs say
        for where, row, target in self._rows(x, y, what):
            target = self._target(target, where)
            loss = self._core.loss(self._scaled(row), array("f", target))
            true = target[0] if self._n_targets < self.sizes[-1] else class_of(target)
            yield loss, true, class_of(self._outputs(row), None, where)

    def evaluate(self, x, y=None):
        """Return (accuracy, loss) for rows as in `fit`: the share whose class is right, None without; the mean loss."""
        total, right, n = 0.0, 0, 0
        for loss, true, said in self._judged(x, y, "evaluate"):
            total += loss
            right += true == said
            n += 1
        return right / n if self._has_classes else None, total / n

    def confusion(self, x, y=None):
        """Return a Table, for rows as in `fit`: a row for each class, with how many of it were taken for which."""
        names = [str(name) for name in self.labels or range(max(2, self.sizes[-1]))]
        rows = [[name] + [0] * len(names) for name in names]
        for _, true, said in self._judged(x, y, "confusion"):
            rows[int(true)][said + 1] += 1
        return Table(["class"] + names, [tuple(row) for row in rows])

    def save(self, path, labels=None, feature_names=None, scaling=None, name=None):
        """Write the network to `path`, as a file that anne.load reads, and return its bytes.

        The scaling that it has learnt is part of it; (factors, offsets) in `scaling` say what was done to the data
        before they came here. A power cut leaves the file that there was, or the new one.
        """
        from .model_writer import dense_network

        labels, learnt = labels or self.labels or (), self._scaling
        if labels:
            self._check_labels(labels, "save")
        _expect(not (scaling and learnt), "save: scaling", "none, as it is learnt", scaling)
        layers, names = self._layers(), feature_names or ()
        return dense_network(
            path, layers, self.activations, name or "model", labels, names, scaling or learnt
        )


def _line(losses):
    # the first loss, a line of how it went on, the last
    n, low, text = len(losses), min(losses), ""
    spread = max(losses) - low or 1
    for i in range(min(n, 20)):
        v = losses[i * n // min(n, 20)]
        text += chr(0x2581 + int((v - low) / spread * 7))
    return "loss %.4f %s %.4f" % (losses[0], text, losses[-1])


def train_model(X, y, layer_sizes, activations, epochs, lr, layers=None):
    """Return (layers, losses) as `training.train_model` does, where it is explained; through the core."""
    trainer = Trainer(layer_sizes, activations, _LOSSES[1], "sgd", lr, 1)
    _whole(epochs, "train_model: epochs")
    xs, ys, n = trainer._fill(trainer._rows(X, y, "train_model"), len(y))
    core, at, parameters = trainer._core, 0, trainer._core.get()
    for k in range(len(layer_sizes) - 1):
        weights, biases = layers[k] if layers else init_layer(*layer_sizes[k : k + 2])
        for row in list(weights) + [biases]:
            where = "train_model: layers: %d" % k
            row = _numbers(row, where)
            parameters[at : at + len(row)] = array("f", row)
            at += len(row)
    _expect(at == len(parameters), "train_model: layers", "%d numbers" % len(parameters), at)
    core.set(parameters)
    losses = trainer._learn(xs, ys, None, epochs, "train_model")
    return trainer.weights, [loss * n for loss in losses]
