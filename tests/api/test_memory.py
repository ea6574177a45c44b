"""Heap: none for the way of arrays and `out`, and nothing that a garbage collection could take away."""

import gc
from array import array

import anne
import anne.reference
from check import Skip, close, heap_used, same

# 4 inputs, 3 units; weights 1..12 / 8 and bias 1, 2, 3
N_IN, N_OUT = 4, 3
X = [1.0, -2.0, 3.0, -4.0]
W = [v / 8 for v in range(1, 13)]
B = [1.0, 2.0, 3.0]
# rows of W times X: (1 - 4 + 9 - 16) / 8 = -1.25, (5 - 12 + 21 - 32) / 8 = -2.25, (9 - 20 + 33 - 48) / 8 = -3.25
Y = [-0.25, -0.25, -0.25]


def test_out_takes_no_heap():
    x, w, b, out = array("f", X), array("f", W), array("f", B), array("f", B)

    def every_activation():
        for activation in anne.ACTIVATIONS:
            anne.dense(N_OUT, x, w, b, activation, out)

    if anne.native:
        same(heap_used(every_activation), 0)
    anne.dense(N_OUT, x, w, b, "linear", out)
    same(list(out), Y)


def test_out_by_keyword_takes_no_heap():
    x, w, b, out = array("f", X), array("f", W), array("f", B), array("f", B)

    def call():
        anne.dense(N_OUT, x, w, b, "relu", out=out)

    if anne.native:
        same(heap_used(call), 0)


def test_views_take_no_heap():
    x, w, b, out = (
        memoryview(array("f", X)),
        memoryview(array("f", W)),
        memoryview(array("f", B)),
        array("f", B),
    )
    if anne.native:
        same(heap_used(anne.dense, N_OUT, x, w, b, "sigmoid", out), 0)


def test_large_arrays_take_no_heap():
    n = 100
    x, w, b, out = array("f", [1] * n), array("f", [0.5] * n * 10), array("f", [1] * 10), array("f", [0] * 10)
    if anne.native:
        same(heap_used(anne.dense, 10, x, w, b, "relu", out), 0)
    anne.dense(10, x, w, b, "relu", out)
    same(list(out), [51.0] * 10)  # 100 times 0.5, plus 1


def test_a_list_costs_its_floats_only():
    # On a PC, where words are twice the Pico's: 3 floats of 32 bytes, a list of 32 and its places of 32 to 64, and as
    # much for the call. Copies of 100 weights, 400 bytes, are given back at once.
    if anne.native:
        assert heap_used(anne.dense, N_OUT, X, W, B, "relu") <= 256
        assert heap_used(anne.dense, 1, [1.0] * 100, [1.0] * 100, [0], "relu") <= 256


def test_a_collection_at_any_allocation():
    if not hasattr(gc, "threshold") or not anne.native:
        raise Skip("needs MicroPython's heap and the native module")
    matrix = [[v, 2 * v] for v in X]
    forty = [float(v) for v in range(40)]
    gc.threshold(1)  # every allocation collects
    try:
        same(anne.dense(N_OUT, X, [W[0:4], W[4:8], W[8:12]], B, "linear"), Y)
        # the second sample is twice the first: -2.5 + 1, -4.5 + 2, -6.5 + 3
        same(anne.dense(N_OUT, matrix, W, B, "linear"), [[-0.25, -1.5], [-0.25, -2.5], [-0.25, -3.5]])
        same(anne.neuron(matrix, W[0:4], 1.0, "linear"), [-0.25, -1.5])
        same(anne.relu(forty), forty)
    finally:
        gc.threshold(-1)


def test_native_and_reference_agree():
    # within 1e-6 of the largest output, and of the largest sum before the activation: the bound of the kernels
    x, w, b = array("f", X), array("f", W), array("f", B)
    seed = 1
    values = []
    for _ in range(N_IN * N_OUT + N_IN + N_OUT):
        seed = seed * 1103515245 + 12345 & 0x7FFFFFFF  # a linear congruential generator, glibc's constants
        values.append((seed >> 8 & 0xFFFF) / 8192 - 4)
    w, x, b = values[:12], values[12:16], values[16:19]
    sums = anne.reference.dense(N_OUT, x, w, b, "linear")
    for activation in anne.ACTIVATIONS:
        expected = anne.reference.dense(N_OUT, x, w, b, activation)
        largest = max(abs(v) for v in expected + sums if v == v)  # roots of what is negative are NaN
        close(anne.dense(N_OUT, x, w, b, activation), expected, 1e-6 * largest)
