"""`dense` and `neuron`: shapes in, shapes out, and what they compute."""

from array import array

import anne
from check import close, nan, raises, same

# two units over three inputs: row r is the weights of unit r
W = [[1, 2, 3], [-1, 0.5, 0]]
B = [10, -1]
# for x = (1, 2, 4): 1 + 4 + 12 + 10 = 27 and -1 + 1 + 0 - 1 = -1
X, Y = [1, 2, 4], [27, -1]


def test_one_sample():
    same(anne.dense(2, X, W, B, "linear"), Y)
    same(anne.dense(2, X, W, B, "relu"), [27, 0])


def test_features_by_samples():
    # a second sample (0, 2, -3): 4 - 9 + 10 = 5 and 1 - 1 = 0
    same(anne.dense(2, [[1, 0], [2, 2], [4, -3]], W, B, "linear"), [[27, 5], [-1, 0]])
    same(anne.dense(2, ((1, 0), (2, 2), (4, -3)), W, B, "linear"), [[27, 5], [-1, 0]])


def test_one_sample_as_a_matrix_of_one_column():
    same(anne.dense(2, [[1], [2], [4]], W, B, "linear"), [[27], [-1]])


def test_flat_weights():
    flat = array("f", W[0] + W[1])
    same(anne.dense(2, X, flat, B, "linear"), Y)
    same(anne.dense(2, X, W[0] + W[1], B, "linear"), Y)
    same(anne.dense(2, X, memoryview(flat), array("f", B), "linear"), Y)
    same(anne.dense(2, array("f", X), [array("f", W[0]), array("f", W[1])], B, "linear"), Y)


def test_every_kind_of_x():
    for x in (tuple(X), array("f", X), array("i", X), bytes(X), bytearray(X), memoryview(array("f", X))):
        same(anne.dense(2, x, W, B, "linear"), Y)
    part = memoryview(array("f", [9] + X + [9]))[1:4]
    same(anne.dense(2, part, W, B, "linear"), Y)
    odd = memoryview(b"\x09\x01\x02\x04")[1:]  # begins at an odd address
    same(anne.dense(2, odd, W, B, "linear"), Y)


def test_a_slice_with_an_odd_address_as_weights():
    weights = memoryview(bytes([7, 1, 2, 3, 4, 5, 6]))[1:]
    # (1, 2, 3) and (4, 5, 6) on (1, 2, 4) with bias (10, -1): 1 + 4 + 12 + 10 and 4 + 10 + 24 - 1
    same(anne.dense(2, X, weights, B, "linear"), [27, 37])


def test_rows_of_arrays_as_samples():
    x = [array("f", [1, 0]), array("f", [2, 2]), array("f", [4, -3])]
    same(anne.dense(2, x, W, B, "linear"), [[27, 5], [-1, 0]])


def test_keywords():
    same(anne.dense(nunit=2, x=X, w=W, b=B, activation="relu"), [27, 0])
    same(anne.neuron(x=X, w=W[0], b=10, activation="linear"), [27])
    same(anne.dense(2, X, W, B, "leaky_relu", alpha=0.5), [27, -0.5])
    same(anne.dense(2, X, W, B, "leaky_relu", None, 0.5), [27, -0.5])


def test_softmax_is_over_the_units_of_a_sample():
    # sums (0, 0) and (0, ln 3): e^0 : e^ln3 = 1 : 3
    ln3 = 1.0986123
    x = [[0, 1]]
    close(anne.dense(2, x, [[0], [ln3]], [0, 0], "softmax"), [[0.5, 0.25], [0.5, 0.75]], 1e-6)


def test_out_takes_the_result_and_is_returned():
    out = array("f", [nan, nan])
    result = anne.dense(2, array("f", X), W, B, "linear", out=out)
    assert result is out
    same(list(out), Y)
    same(list(anne.dense(2, X, W, B, "relu", out)), [27, 0])
    view = memoryview(array("f", [5, 5, 5, 5]))
    anne.dense(2, X, W, B, "linear", out=view[1:3])
    same(list(view), [5, 27, -1, 5])


def test_out_may_be_an_argument():
    # the old values are used throughout: (1, 1) -> 1 + 2 and 3 + 4
    x = array("f", [1, 1])
    anne.dense(2, x, [[1, 2], [3, 4]], [0, 0], "linear", out=x)
    same(list(x), [3, 7])
    bias = array("f", [1, 1])
    anne.dense(2, [1, 1], [[1, 2], [3, 4]], bias, "linear", out=bias)
    same(list(bias), [4, 8])
    values = array("f", [1, 1, 0, 0])
    view = memoryview(values)
    anne.dense(2, view[0:2], [[1, 2], [3, 4]], [0, 0], "linear", out=view[1:3])
    same(list(values), [1, 3, 7, 0])
    weights = array("f", [1, 2, 3, 4])
    anne.dense(2, [1, 1], weights, [0, 0], "linear", out=memoryview(weights)[0:2])
    same(list(weights), [3, 7, 3, 4])


def test_neuron():
    same(anne.neuron(X, W[0], B[0], "linear"), [27])
    same(anne.neuron([[1, 0], [2, 2], [4, -3]], W[0], B[0], "linear"), [27, 5])
    same(anne.neuron([[1, 0], [2, 2], [4, -3]], W[1], B[1], "relu"), [0, 0])
    same(anne.neuron(X, array("f", W[0]), 10.0, "linear"), [27])
    same(anne.neuron(X, W[1], B[1], "leaky_relu", 0.5), [-0.5])


def test_neuron_does_what_the_name_says():
    # the original's leaky_relu ran relu, its softmax tanh
    close(anne.neuron([-2], [1], 0, "leaky_relu"), [-0.02], 1e-8)
    same(anne.neuron([[-2, 5]], [1], 0, "softmax"), [1, 1])


def test_large_layers():
    # weights of unit r are all r; x = 1, 2, 4, 8, 1, 2, ... so every sum is exact: r * sum(x)
    n_in, n_out = 45, 21
    x = [float(1 << i % 4) for i in range(n_in)]
    w = [[float(r)] * n_in for r in range(n_out)]
    expected = [r * sum(x) + 1 for r in range(n_out)]
    same(anne.dense(n_out, x, w, [1] * n_out, "linear"), expected)
    flat = array("f", [v for row in w for v in row])
    same(anne.dense(n_out, array("f", x), flat, array("f", [1] * n_out), "linear"), expected)
    same(anne.dense(n_out, [[v, 0] for v in x], w, [1] * n_out, "linear"), [[e, 1] for e in expected])


def test_huge_and_tiny_products():
    # 2^100 2^100 overflows to inf; 2^100 2^-100 = 1; what cancels leaves the rest
    same(
        anne.dense(1, [2.0**100], [[2.0**100]], [0], "linear"), [float("inf")] if anne.native else [2.0**200]
    )
    same(anne.dense(1, [2.0**100, 3], [[2.0**-100, 1]], [0], "linear"), [4])
    same(anne.dense(1, [2.0**60, -(2.0**60)], [[1, 1]], [0], "linear"), [0])


def test_a_weight_of_0_does_not_hide_what_counts():
    # 0 1e20 + 1e-10 1e-20
    close(anne.dense(1, [1e20, 1e-20], [0, 1e-10], [0], "linear"), [1e-30], 1e-36)
    close(anne.dense(1, [1e-20, 1e20, 1e30], [1e-10, 0, 0], [0], "linear"), [1e-30], 1e-36)


def test_infinities_and_nan_go_through():
    inf = float("inf")
    same(anne.dense(1, [inf, 1], [[1, 1]], [0], "linear"), [inf])
    same(anne.dense(2, [1, 1], [[1, -inf], [1, 1]], [0, 0], "linear"), [-inf, 2])
    close(anne.dense(1, [inf, 1], [[0, 1]], [0], "linear"), [nan], 0)  # inf times 0
    close(anne.dense(1, [inf, inf], [[1, -1]], [0], "linear"), [nan], 0)
    close(anne.dense(2, [nan], [[1], [0]], [0, 0], "relu"), [nan, nan], 0)
    close(anne.dense(1, [1], [[1]], [nan], "linear"), [nan], 0)


def test_results_are_new_lists():
    first = anne.dense(2, X, W, B, "linear")
    second = anne.dense(2, X, W, B, "linear")
    first[0] = 0
    same(second, Y)


def test_unknown_activation():
    text = "unknown activation 'rellu'; known: " + ", ".join(anne.ACTIVATIONS)
    raises(ValueError, text, anne.dense, 2, X, W, B, "rellu")
    raises(ValueError, text, anne.neuron, X, W[0], 0, "rellu")
    assert "leaky_relu" in text and "softmax" in text
