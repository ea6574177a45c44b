"""AI-ANNE's helpers by name and order of arguments, and which backend this is."""

import os
import sys

import anne
import anne.reference
from check import raises, same

NAMES = (
    ("dense", "neuron", "relu", "leaky_relu", "sigmoid", "tanh", "softmax")
    + ("zeros", "zero_dim", "add_dim", "transpose", "dot", "print_matrix", "classification_report")
    + ("load", "Model", "native", "ACTIVATIONS")
)


def test_names():
    same([name for name in NAMES if not hasattr(anne, name)], [])


def test_native_tells_what_computes():
    # CPython has the reference unless the native module is asked for; all that MicroPython runs on here has it
    asked_for = os.getenv("ANNE_CORE") if hasattr(os, "getenv") else None
    same(anne.native, sys.implementation.name == "micropython" or asked_for == "native")
    same(anne.dense is anne.reference.dense, not anne.native)


def test_zeros():
    same(anne.zeros(2, 3), [[0, 0, 0], [0, 0, 0]])
    rows = anne.zeros(2, 1)
    rows[0][0] = 1
    same(rows, [[1], [0]])  # rows are lists of their own
    same(anne.zero_dim([5, 6]), [0, 0])


def test_add_dim():
    same(anne.add_dim([1, 2], [10, 20]), [11, 22])
    raises(ValueError, "add_dim: expected 2 values in y, got 1", anne.add_dim, [1, 2], [1])


def test_transpose():
    same(anne.transpose([[1, 2, 3], [4, 5, 6]]), [[1, 4], [2, 5], [3, 6]])
    same(anne.transpose([1, 2]), [[1], [2]])
    same(anne.transpose([]), [])
    raises(ValueError, "transpose: expected 2 values in each row, got 1", anne.transpose, [[1, 2], [3]])


def test_transposed_keras_kernel():
    # Keras keeps a dense kernel as inputs by units: 1*1 + 2*3 and 1*2 + 2*4
    kernel = [[1, 2], [3, 4]]
    same(anne.dense(2, [1, 2], anne.transpose(kernel), [0, 0], "linear"), [7, 10])


def test_dot():
    # (1 2) (5 6)   (1*5 + 2*7  1*6 + 2*8)
    # (3 4) (7 8) = (3*5 + 4*7  3*6 + 4*8)
    same(anne.dot([[1, 2], [3, 4]], [[5, 6], [7, 8]]), [[19, 22], [43, 50]])
    same(anne.dot([[1, 2]], [[3], [4]]), [[11]])
    raises(ValueError, "dot: expected 2 rows in the second matrix, got 1", anne.dot, [[1, 2]], [[3]])


def test_classification_report():
    # truth 0 0 1 1, answers 0 1 1 1: one true negative, one false positive, no false negative, two true positives
    same(anne.classification_report([0, 0, 1, 1], [0, 1, 1, 1]), (0.75, [[1, 1], [0, 2]]))
    report = anne.classification_report
    raises(ValueError, "classification_report: expected 1 predictions, got 2", report, [0], [0, 1])
    raises(ValueError, "classification_report: ytrue is empty", report, [], [])
    raises(ValueError, "classification_report: expected labels 0 and 1, got 2 and 1", report, [2], [1])


def test_print_matrix():
    # what it prints goes to the screen; that it takes its arguments in this order is what can be seen here
    same(anne.print_matrix([[1, 2.5]], 1), None)
    same(anne.print_matrix([[1]], decimals=0), None)
