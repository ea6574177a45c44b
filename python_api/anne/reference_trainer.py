"""Training in plain Python: AI-ANNE's own loop, and a trainer's core, as `_anne.Trainer` is in C.

`host_trainer.Trainer` is that C code through the library.

Weights are a list of Python's floats: doubles on CPython, 32 bits on MicroPython, so that the last digits differ.
Whoever calls has proven all arguments. Losses, optimisers and weight decay mean what they mean in PyTorch.
"""

import math
import time
from array import array

from .reference import activate
from .training import (
    Random,
    binary_cross_entropy,
    binary_cross_entropy_derivative,
    dense_backward,
    dense_forward,
    derivative,
    init_layer,
)

_LEAST = 1e-7  # a probability counts as at least that where its logarithm is taken
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's, as its paper has them (Kingma and Ba, arXiv 1412.6980)
_PATIENCE = 1.0  # seconds after which `run` lets its caller show how far it is


def train_model(X, y, layer_sizes, activations, epochs, lr, layers=None):
    """Return (layers, losses) after training on the rows of X, one after the other, `epochs` times.

    `y` holds 0 or 1 for each row, the target of the one output, which needs a sigmoid. Layers are (weights, biases) of
    each; `layers` are those to begin with, and are not changed; None: `init_layer`. The losses are sums over the rows,
    one an epoch.
    """
    if layers is None:
        layers = [init_layer(n_in, n_out) for n_in, n_out in zip(layer_sizes, layer_sizes[1:])]
    layers = [([list(row) for row in weights], list(biases)) for weights, biases in layers]
    losses = []
    for _ in range(epochs):
        total = 0.0
        for values, target in zip(X, y):
            calls = []  # what each layer was given and gave
            for (weights, biases), activation in zip(layers, activations):
                outputs, sums = dense_forward(values, weights, biases, activation)
                calls.append((values, outputs, sums, weights, biases, activation, lr))
                values = outputs
            total += binary_cross_entropy(values[0], target)
            gradient = [binary_cross_entropy_derivative(values[0], target)]
            while calls:
                call = calls.pop()
                gradient = dense_backward(call[0], gradient, *call[1:])
        losses.append(total)
    return layers, losses


class Trainer:
    """One network that learns.

    sizes: of the inputs and of each layer; activations: names, one a layer; softmax only in the last.
    loss: "mse", "binary_cross_entropy" (the last layer is sigmoid) or "categorical_cross_entropy" (softmax).
    optimizer: "sgd" or "adam". settings: (lr, momentum, decay, batch, n_targets, random_state).
    """

    def __init__(self, sizes, activations, loss, optimizer, settings):
        self.sizes, self.activations, self.loss_name, self.optimizer = sizes, activations, loss, optimizer
        self.lr, self.momentum, self.decay, self.batch, self.n_targets, state = settings
        self.random = Random()
        self.random.state = state
        n = sum([(n_in + 1) * n_out for n_in, n_out in zip(sizes, sizes[1:])])
        # layer after layer the weights, a row a neuron, then the biases
        self.parameters = [0.0] * n
        self.velocity = [0.0] * n  # of SGD with momentum; Adam's mean of gradients
        self.squares = [0.0] * n  # Adam's mean of squared gradients
        self.step = 0

    def get(self):
        """Return a copy of all parameters."""
        return array("f", self.parameters)

    def set(self, parameters):
        """Take a copy of all parameters."""
        self.parameters = list(parameters)

    # --- One row ------------------------------------------------------------------------------------------------------

    def values(self, x):
        """Return the values of the inputs and of each layer for one row, a list of lists."""
        values, at, p = [list(x)], 0, self.parameters
        for activation, n_out in zip(self.activations, self.sizes[1:]):
            below = values[-1]
            n_in, sums = len(below), []
            for r in range(n_out):
                total = p[at + n_out * n_in + r]
                for i in range(n_in):
                    total += p[at + r * n_in + i] * below[i]
                sums.append(total)
            values.append(activate(activation, sums))
            at += (n_in + 1) * n_out
        return values

    def predict(self, x, out, y):
        """Write the outputs for x, an array of one row, to `out`; return its loss for y, or None for None."""
        outputs = self.values(x)[-1]
        for i in range(len(outputs)):
            out[i] = outputs[i]
        return None if y is None else self.loss_of(outputs, self.targets(y))

    def targets(self, y):
        """Return one target an output: as they are, or 1 for the class whose number y holds, and 0 for the others."""
        n = self.sizes[-1]
        return list(y) if len(y) == n else [1.0 if i == y[0] else 0.0 for i in range(n)]

    def loss_of(self, outputs, targets):
        """Return the loss of one row."""
        total = 0.0
        for o, y in zip(outputs, targets):
            if self.loss_name == "mse":
                total += (o - y) * (o - y)
            else:
                if y != 0:
                    total -= y * _log(o)
                if y != 1 and self.loss_name == "binary_cross_entropy":
                    total -= (1 - y) * _log(1 - o)
        return total if self.loss_name == "categorical_cross_entropy" else total / len(outputs)

    def gradient(self, values, targets):
        """Return how much the loss of one row changes with each parameter; `values` are those of `self.values`."""
        gradient, at = [0.0] * len(self.parameters), len(self.parameters)
        deltas = self._last_deltas(values[-1], targets)
        for k in reversed(range(len(self.activations))):
            below, n_out = values[k], len(deltas)
            n_in = len(below)
            at -= (n_in + 1) * n_out
            below_gradient = [0.0] * n_in
            for r in range(n_out):
                row = at + r * n_in
                for i in range(n_in):
                    gradient[row + i] = deltas[r] * below[i]
                    below_gradient[i] += deltas[r] * self.parameters[row + i]
                gradient[at + n_out * n_in + r] = deltas[r]
            if k > 0:
                slopes = derivative(self.activations[k - 1], below)
                deltas = [g * slope for g, slope in zip(below_gradient, slopes)]
        return gradient

    def _last_deltas(self, outputs, targets):
        # how much the loss changes with the sums of the last layer
        n = len(outputs)
        differences = [o - y for o, y in zip(outputs, targets)]
        if self.loss_name == "categorical_cross_entropy":
            return differences  # through softmax: all else cancels
        if self.loss_name == "binary_cross_entropy":
            return [d / n for d in differences]  # through sigmoid, likewise
        slopes = [2 * d / n for d in differences]
        if self.activations[-1] != "softmax":
            return [g * s for g, s in zip(slopes, derivative(self.activations[-1], outputs))]
        # every output of softmax changes with every sum: with its own by p (1 - p), with another's by -p q
        mean = sum([p * g for p, g in zip(outputs, slopes)])
        return [p * (g - mean) for p, g in zip(outputs, slopes)]

    # --- Many rows ----------------------------------------------------------------------------------------------------

    def run(self, x, y, order, losses):
        """Train for as many epochs as `losses` has room for, an array('f'), which takes each one's mean loss.

        x and y are flat arrays. `order`, an array('H') of the rows' numbers, is shuffled anew before each epoch; None:
        rows as they stand. Returns how many epochs are done: fewer where a loss is not finite, or after a second.
        """
        began = time.time()
        for epoch in range(len(losses)):
            loss = self._epoch(x, y, order)
            losses[epoch] = loss
            if loss - loss != 0 or time.time() - began >= _PATIENCE:
                return epoch + 1
        return len(losses)

    def _epoch(self, x, y, order):
        n_in, n_y = self.sizes[0], self.n_targets
        n_rows = len(x) // n_in
        if order is not None:
            for i in range(n_rows - 1, 0, -1):
                j = self.random.below(i + 1)
                order[i], order[j] = order[j], order[i]
        epoch_loss, sums, n = 0.0, None, 0
        for k in range(n_rows):
            row = k if order is None else order[k]
            values = self.values(x[row * n_in : (row + 1) * n_in])
            targets = self.targets(y[row * n_y : (row + 1) * n_y])
            epoch_loss += self.loss_of(values[-1], targets)
            gradient = self.gradient(values, targets)
            sums = gradient if n == 0 else [a + b for a, b in zip(sums, gradient)]
            n += 1
            if n == self.batch or k == n_rows - 1:
                self._update([g / n for g in sums])
                n = 0
        return epoch_loss / n_rows

    def _update(self, gradient):
        # whole lists are exchanged at the end, so that Ctrl-C leaves what there was before, or what comes after
        weights, lr, step = self.parameters, self.lr, self.step + 1
        gradient = [g + self.decay * w for g, w in zip(gradient, weights)]
        velocity, squares = self.velocity, self.squares
        if self.optimizer == "adam":
            velocity = [_BETA1 * v + (1 - _BETA1) * g for v, g in zip(velocity, gradient)]
            squares = [_BETA2 * s + (1 - _BETA2) * g * g for s, g in zip(squares, gradient)]
            # both began with 0, and are too small by these factors
            rate, factor = lr / (1 - _BETA1**step), 1 / (1 - _BETA2**step)
            weights = [
                w - rate * v / (math.sqrt(s * factor) + _EPSILON)
                for w, v, s in zip(weights, velocity, squares)
            ]
        else:
            velocity = [self.momentum * v + g for v, g in zip(velocity, gradient)]
            weights = [w - lr * v for w, v in zip(weights, velocity)]
        self.parameters, self.velocity, self.squares, self.step = weights, velocity, squares, step


def _log(p):
    return math.log(_LEAST if p < _LEAST else p)
