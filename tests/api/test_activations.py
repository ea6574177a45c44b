"""The five activation functions, and all that `dense` knows by name: values, limits, NaN."""

import anne
from check import Skip, close, inf, nan, raises, same

# Float results: what 32 bits can hold, and the kernels' own errors (native_module/kernels/activations_f32.h)
BOUND = 1e-6


def one(activation, value, alpha=None):
    """Return activation(value) by way of a dense layer of one unit with weight 1 and bias 0."""
    return anne.dense(1, [value], [[1]], [0], activation, alpha=alpha)[0]


def test_relu_is_the_larger_of_0_and_v():
    same(anne.relu([-2, -0.5, 0, 0.5, 3]), [0, 0, 0, 0.5, 3])


def test_leaky_relu_is_not_relu():
    # -4 times 0.5, and -4 times the default 0.01
    same(anne.leaky_relu([-4, 2], 0.5), [-2, 2])
    close(anne.leaky_relu([-4, 2]), [-0.04, 2], BOUND)
    same(anne.leaky_relu([-4.0], 0), [0])
    same(anne.leaky_relu([-4, 2], alpha=-1), [4, 2])


def test_sigmoid():
    # 1 / (1 + e^-ln 3) = 1 / (1 + 1/3) = 3/4 with ln 3 = 1.0986123
    close(anne.sigmoid([0, 1.0986123, -1.0986123]), [0.5, 0.75, 0.25], BOUND)


def test_tanh():
    # tanh(ln 3 / 2) = (3 - 1) / (3 + 1) = 1/2
    close(anne.tanh([0, 0.54930614, -0.54930614]), [0, 0.5, -0.5], BOUND)


def test_softmax_is_over_all_values():
    # e^0 : e^ln 3 = 1 : 3
    close(anne.softmax([0, 1.0986123]), [0.25, 0.75], BOUND)
    close(anne.softmax([7, 7, 7, 7]), [0.25, 0.25, 0.25, 0.25], BOUND)
    same(anne.softmax([3]), [1])


def test_softmax_is_shifted_by_the_maximum():
    # unshifted, e^1000 would overflow and e^-1000 leave 0/0
    close(
        anne.softmax([1000, 1000 + 1.0986123]), [0.25, 0.75], 1e-4
    )  # 1001.0986 has steps of 6e-5 in float32
    close(anne.softmax([-1000, -1000]), [0.5, 0.5], BOUND)
    same(anne.softmax([-3e38, 3e38]), [0, 1])


def test_far_from_zero():
    # The original raised "math domain error" at sigmoid(-89) and tanh(89): e^89 does not fit a float32.
    close(anne.sigmoid([-89, 89, -1000, 1000, -3e38, 3e38]), [0, 1, 0, 1, 0, 1], BOUND)
    close(anne.tanh([-89, 89, -1000, 1000, -3e38, 3e38]), [-1, 1, -1, 1, -1, 1], BOUND)


def test_infinities():
    both = [-inf, inf]
    same(anne.relu(both), [0, inf])
    same(anne.leaky_relu(both), [-inf, inf])
    same(anne.sigmoid(both), [0, 1])
    same(anne.tanh(both), [-1, 1])
    same(anne.softmax([1, -inf]), [1, 0])
    close(anne.softmax([1, inf]), [nan, nan], 0)  # inf - inf


def test_nan_in_nan_out():
    for function in (anne.relu, anne.leaky_relu, anne.sigmoid, anne.tanh):
        close(function([1, nan]), [function([1])[0], nan], 0)
    close(anne.softmax([1, nan]), [nan, nan], 0)
    close(anne.softmax([nan, 1]), [nan, nan], 0)


def test_small_values_keep_their_digits():
    # tanh v = v - v^3/3 ..., sigmoid v = e^v where e^v is small: relative to the result, not to 1
    close(anne.tanh([1e-20])[0] * 1e20, 1, BOUND)
    close(anne.sigmoid([-69.077553])[0] * 1e30, 1, 1e-5)  # ln(1e-30); 69.077553 has steps of 8e-6


def test_denormals_count_as_0():
    if not anne.native:
        raise Skip("Python's floats have smaller ones")
    least = 2.0**-126  # the least normal float32
    same(anne.leaky_relu([-least, -2 * least], 0.5), [0, -least])
    same(anne.leaky_relu([-least / 2], 2.0**100), [0])
    same(anne.tanh([least]), [least])
    same(anne.dense(1, [-least], [1], [0], "elu"), [-least])
    same(anne.dense(1, [-least], [1], [0], "elu", alpha=0.5), [0])
    same(anne.dense(2, [least], [1, 2], [0, 0], "swish"), [0, least])
    same(anne.softmax([0, 0, 0, 0, -87])[4], 0)  # e^-87 / 4 = 4e-39
    same(anne.dense(2, [least], [1, 0.5], [0, 0], "log")[1], -inf)
    same(anne.dense(2, [least], [1, 0.5], [0, 0], "rsqrt"), [2.0**63, inf])


def test_every_name_of_dense():
    # By the definitions, with e = 2.7182818
    values = (
        ("linear", (-2, 2), (-2, 2)),
        ("relu", (-2, 2), (0, 2)),
        ("relu6", (-2, 2), (0, 2)),
        ("leaky_relu", (-2, 2), (-0.02, 2)),  # 0.01 v
        ("elu", (-1, 2), (-0.63212056, 2)),  # e^-1 - 1
        ("sigmoid", (-1.0986123, 1.0986123), (0.25, 0.75)),
        ("hard_sigmoid", (-1.5, 1.5), (0.25, 0.75)),  # (v + 3) / 6
        ("tanh", (-0.54930614, 0.54930614), (-0.5, 0.5)),
        ("softplus", (-1.0986123, 1.0986123), (0.28768207, 1.3862944)),  # ln(1 + 1/3) and ln(1 + 3)
        ("swish", (-1.0986123, 1.0986123), (-0.27465307, 0.8239592)),  # v sigmoid(v)
        ("hard_swish", (-1.5, 1.5), (-0.375, 1.125)),  # v (v + 3) / 6
        ("gelu", (-1, 1), (-0.15865525, 0.84134475)),  # v times the normal distribution below v
        ("softmax", (-2, 2), (1, 1)),  # one unit
        ("log_softmax", (-2, 2), (0, 0)),  # ln 1
        ("exp", (-1.0986123, 1.0986123), (0.33333333, 3)),
        ("log", (0.33333333, 3), (-1.0986123, 1.0986123)),
        ("sqrt", (2.25, 2), (1.5, 1.4142136)),
        ("rsqrt", (0.25, 2), (2, 0.70710678)),
        ("abs", (-2, 2), (2, 2)),
        ("negative", (-2, 2), (2, -2)),
        ("square", (-1.5, 2), (2.25, 4)),
    )
    same(tuple(name for name, _, _ in values), anne.ACTIVATIONS)
    for name, at, expected in values:
        close([one(name, v) for v in at], expected, BOUND)


def test_beyond_the_bends():
    for name, at, expected in (
        ("relu6", (6, 7, inf), (6, 6, 6)),
        ("elu", (-50, -inf), (-1, -1)),
        ("hard_sigmoid", (-3, -4, 3, 4, -inf, inf), (0, 0, 1, 1, 0, 1)),
        ("softplus", (-inf, inf, 100), (0, inf, 100)),
        ("swish", (-inf, inf, -200), (0, inf, 0)),
        ("hard_swish", (-inf, inf, -4, 4), (0, inf, 0, 4)),
        ("gelu", (-inf, inf, -20, 20), (0, inf, 0, 20)),
        ("exp", (-inf, inf, -200, 89, 200), (0, inf, 0, inf, inf)),
        ("log", (-inf, inf, 0, -1), (nan, inf, -inf, nan)),
        ("sqrt", (-inf, inf, 0, -1), (nan, inf, 0, nan)),
        ("rsqrt", (-inf, inf, 0, -1), (nan, 0, inf, nan)),
        ("abs", (-inf, inf), (inf, inf)),
        ("negative", (-inf, inf), (inf, -inf)),
        ("square", (-inf, inf), (inf, inf)),
    ):
        close([one(name, v) for v in at], expected, BOUND)


def test_nan_through_every_name():
    for name in anne.ACTIVATIONS:
        close(one(name, nan), nan, 0)


def test_alpha_of_elu_and_leaky_relu():
    close(one("elu", -50, 2), -2, BOUND)
    same(one("leaky_relu", -4, 0.25), -1)
    same(one("relu", -4, 0.25), 0)  # the others ignore it


def test_every_kind_of_list():
    from array import array

    for x in ([-1, 2], (-1, 2), array("f", [-1, 2]), array("b", [-1, 2]), memoryview(array("f", [-1, 2]))):
        same(anne.relu(x), [0, 2])
    same(anne.relu(b"\x01\x02"), [1, 2])
    same(anne.relu(memoryview(bytearray(b"\x00\x01\x02"))[1:]), [1, 2])
    same(
        anne.relu(range_as_list()), [float(v) for v in range(50)]
    )  # more than the binding keeps on its stack


def range_as_list():
    return [float(v) for v in range(50)]


def test_the_argument_is_left_as_it_is():
    from array import array

    x = array("f", [-1, 2])
    anne.relu(x)
    anne.softmax(x)
    same(list(x), [-1, 2])


def test_empty():
    same(anne.relu([]), [])
    same(anne.leaky_relu([]), [])
    same(anne.sigmoid(()), [])
    same(anne.tanh([]), [])
    raises(ValueError, "softmax: x is empty", anne.softmax, [])


def test_true_and_false_are_1_and_0():
    same(anne.relu([True, False, -1]), [1, 0, 0])
