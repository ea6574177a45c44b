"""How a network learns, in plain Python: AI-ANNE's own functions, by its names and in its order of arguments.

A layer is first run forward: `dense_forward`. By how much the loss changes with its outputs, the gradient, then goes
backward: `dense_backward` works out what each weight had to do with it, changes the weights a little against it, and
returns the gradient for the layer before. `reference_trainer.train_model` does that for row after row, epoch after
epoch; `anne.train_model` gives the same in the native module, many times faster, and `anne.Trainer` can do more.
CPython computes in doubles, MicroPython in 32 bits, so that the last digits differ.
"""

import math

from .reference import _NUMBERS, _sequence, activate

TRAINABLE = ("linear", "relu", "leaky_relu", "sigmoid", "tanh")


class Random:
    """Numbers that look random, the same ones from the same seed on every Python.

    A linear congruential generator with the constants of Numerical Recipes. Its low bits have short periods, so only
    high ones are used. After a small seed the first numbers would be small, too, so three are left out.
    """

    def __init__(self, seed=0):
        self.state = seed & 0xFFFFFFFF
        for _ in range(3):
            self.below(1)

    def below(self, n):
        """Return a whole number from 0 to n - 1; n is at most 65536."""
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 16) * n >> 16

    def uniform(self):
        """Return a number from 0 up to, but not including, 1: 24 bits, as many as a float32 holds."""
        self.below(1)
        return (self.state >> 8) / 16777216


_RANDOM = Random()


def init_layer(input_size, output_size):
    """Return (weights, biases) to begin with, between -0.5 and 0.5: a row of weights a neuron, and one bias."""
    rows = []
    for n in [input_size] * output_size + [output_size]:
        rows.append([_RANDOM.uniform() - 0.5 for _ in range(n)])
    return rows[:-1], rows[-1]


def normalize(X):
    """Return the rows of X with each column between 0 and 1: (v - min) / (max - min + 1e-9)."""
    columns = []
    for column in zip(*X):
        low = min(column)
        columns.append([(v - low) / (max(column) - low + 1e-9) for v in column])
    return [list(row) for row in zip(*columns)]


def line(losses):
    """Return the first loss, a picture of how it went on, and the last, as a line of text."""
    low, text, width = min(losses), "", min(len(losses), 20)
    spread = max(losses) - low or 1
    for i in range(width):
        text += chr(0x2581 + int((losses[i * len(losses) // width] - low) / spread * 7))
    return "loss %.4f %s %.4f" % (losses[0], text, losses[-1])


# --- Derivatives: by how much an activation's output changes with its input. All can be told from the output. -------


def derivative(activation, output):
    """Return it for a number, or the list of it for a list. ValueError for an activation that has none here."""
    if not isinstance(output, _NUMBERS):
        return [derivative(activation, v) for v in _sequence(output, "training: output")]
    if activation == "sigmoid":
        return output * (1 - output)
    if activation == "tanh":
        return 1 - output * output
    if activation not in TRAINABLE:
        known = ", ".join(TRAINABLE)
        raise ValueError("training: unknown activation %r; known: %s" % (activation, known))
    return 1.0 if output > 0 or activation == "linear" else 0.01 if activation == "leaky_relu" else 0.0


def relu_derivative(output):
    """Return 1 where the output is above 0, else 0; of a number or a list."""
    return derivative("relu", output)


def leaky_relu_derivative(output):
    """Return 1 where the output is above 0, else 0.01; of a number or a list."""
    return derivative("leaky_relu", output)


def sigmoid_derivative(output):
    """Return output (1 - output); of a number or a list."""
    return derivative("sigmoid", output)


def tanh_derivative(output):
    """Return 1 - output^2; of a number or a list."""
    return derivative("tanh", output)


# --- A layer forward and backward, and the loss -----------------------------------------------------------------------


def dense_forward(inputs, weights, biases, activation="relu"):
    """Return (outputs, pre_activations) of a layer: of each neuron, activated and not."""
    sums = []
    for row, total in zip(weights, biases):
        for w, x in zip(row, inputs):
            total += w * x
        sums.append(total)
    return activate(activation, sums), sums


def dense_backward(
    inputs, grad_outputs, outputs, pre_activations, weights, biases, activation="relu", lr=0.01
):
    """Return the gradient for the inputs from that for the outputs; and change weights and biases against theirs.

    `outputs` and `pre_activations` are what `dense_forward` gave.
    """
    input_grads = [0.0] * len(inputs)
    for j in range(len(weights)):
        row = weights[j]
        delta = grad_outputs[j] * derivative(activation, outputs[j])
        for i in range(len(inputs)):
            input_grads[i] += row[i] * delta  # with the weight as it was
            row[i] -= lr * delta * inputs[i]
        biases[j] -= lr * delta
    return input_grads


_EPSILON = 1e-7  # keeps away the logarithm of 0, and a division by it


def binary_cross_entropy(predicted, target):
    """Return the loss of a probability where `target`, 0 or 1, is true: 0 if it is right, 16 if it is quite wrong."""
    return -target * math.log(predicted + _EPSILON) - (1 - target) * math.log(1 - predicted + _EPSILON)


def binary_cross_entropy_derivative(predicted, target):
    """Return by how much `binary_cross_entropy` changes with the probability."""
    return (1 - target) / (1 - predicted + _EPSILON) - target / (predicted + _EPSILON)
