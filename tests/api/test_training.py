"""AI-ANNE's training in plain Python, and the generator of all that begins at random."""

import math
import sys
from json import loads

import anne
from anne.training import Random
from check import Skip, close, golden, nan, raises, same

# --- The generator ----------------------------------------------------------------------------------------------------

# Numerical Recipes in C, 2nd edition, section 7.1, prints what follows the state 0; the first three are left out.
STATES = (0xAAF95334, 0x6252E503, 0x9F2EC686, 0x57FE6C2D, 0xA3D95FA8, 0x81FDBEE7, 0x94F0AF1A, 0xCBF633B1)


def test_the_generator_gives_the_published_numbers():
    random = Random(0)
    for state in STATES:
        # 24 bits of it, which floats hold exactly
        same(random.uniform(), (state >> 8) / 16777216)
        same(random.state, state)


def test_whole_numbers_come_from_the_high_bits():
    random = Random(0)
    same([random.below(1000) for _ in STATES], [(state >> 16) * 1000 // 65536 for state in STATES])
    same([random.below(1) for _ in range(3)], [0, 0, 0])


def test_a_seed_counts_by_its_low_32_bits():
    same(Random(5 + 2**32).uniform(), Random(5).uniform())
    same(Random(-1).state, Random(2**32 - 1).state)
    assert Random(1).uniform() != Random(2).uniform()


def test_a_layer_begins_between_minus_and_plus_a_half():
    weights, biases = anne.init_layer(3, 40)
    same([len(row) for row in weights], [3] * 40)
    same(len(biases), 40)
    values = [v for row in weights for v in row] + biases
    assert all(-0.5 <= v < 0.5 for v in values)
    # of 160 numbers that are spread evenly, some lie near both ends
    assert min(values) < -0.4 and max(values) > 0.4
    assert anne.init_layer(3, 40)[0] != weights


# --- Functions: expected values worked out by hand ------------------------------------------------------------------


def test_normalize_makes_columns_reach_from_0_to_1():
    # a column that never changes has no range; 1e-9 keeps the division by 0 away
    close(anne.normalize([[1, 10, 7], [3, 20, 7], [2, 40, 7]]), [[0, 0, 0], [1, 1 / 3, 0], [0.5, 1, 0]], 1e-6)
    same(anne.normalize([]), [])


def test_derivatives_of_what_is_no_number():
    # a text holds texts, without end
    message = "training: output: expected a list of numbers, got str"
    raises(TypeError, message, anne.relu_derivative, "a")


def test_derivatives_of_a_number_and_of_a_list():
    outputs = [-2.0, -0.0, 0.0, 0.5]
    for function, expected in (
        (anne.relu_derivative, [0.0, 0.0, 0.0, 1.0]),
        (anne.leaky_relu_derivative, [0.01, 0.01, 0.01, 1.0]),
        (anne.sigmoid_derivative, [-6.0, 0.0, 0.0, 0.25]),
        (anne.tanh_derivative, [-3.0, 1.0, 1.0, 0.75]),
    ):
        same(function(outputs), expected)
        same(function(tuple(outputs)), expected)
        same([function(v) for v in outputs], expected)


def test_a_layer_forward():
    # sums 1 + 2 * 3 - 1 * 4 = 3 and -1 + 0.5 * 3 - 2 * 4 = -7.5
    layer = [3, 4], [[2, -1], [0.5, -2]], [1, -1]
    same(anne.dense_forward(*layer), ([3.0, 0.0], [3.0, -7.5]))
    outputs, sums = anne.dense_forward(*layer, "leaky_relu")
    close([outputs, sums], [[3.0, -0.075], [3.0, -7.5]], 1e-7)
    close(anne.dense_forward([0], [[1]], [0], "sigmoid")[0], [0.5], 0)
    close(anne.dense_forward([0], [[1], [1]], [0, math.log(3)], "softmax")[0], [0.25, 0.75], 1e-6)


def test_a_layer_backward_changes_weights_and_returns_the_gradient():
    # relu lets the gradient 2 of the first neuron through, and nothing of the second
    weights, biases = [[2.0, -1.0], [0.5, -2.0]], [1.0, -1.0]
    outputs, sums = anne.dense_forward([3, 4], weights, biases)
    gradient = anne.dense_backward([3, 4], [2.0, 5.0], outputs, sums, weights, biases, "relu", 0.125)
    same(gradient, [4.0, -2.0])  # 2 * (2, -1), the weights before the step
    same(weights, [[1.25, -2.0], [0.5, -2.0]])  # 2 - 0.125 * 2 * 3, -1 - 0.125 * 2 * 4
    same(biases, [0.75, -1.0])


def test_backward_begins_with_the_default_step():
    weights, biases = [[1.0]], [0.0]
    same(anne.dense_backward([1.0], [1.0], [1.0], [1.0], weights, biases), [1.0])
    close([weights, biases], [[[0.99]], [-0.01]], 1e-7)


def test_binary_cross_entropy():
    close(anne.binary_cross_entropy(0.5, 1), math.log(2), 1e-6)
    close(anne.binary_cross_entropy(0.25, 0), -math.log(0.75), 1e-6)
    # 1e-7 keeps the logarithm of 0 away
    close(anne.binary_cross_entropy(0.0, 1), 16.118, 1e-3)
    close(anne.binary_cross_entropy(1.0, 0), 16.118, 1e-3)
    close(anne.binary_cross_entropy_derivative(0.5, 1), -2.0, 1e-5)
    close(anne.binary_cross_entropy_derivative(0.25, 0), 4 / 3, 1e-5)
    close(anne.binary_cross_entropy_derivative(nan, 0), nan, 0)


def test_an_activation_that_cannot_be_trained():
    known = "linear, relu, leaky_relu, sigmoid, tanh"
    layer = [1.0], [1.0], [1.0], [1.0], [[1.0]], [0.0]
    raises(
        ValueError,
        "training: unknown activation 'softmax'; known: " + known,
        anne.dense_backward,
        *layer,
        "softmax",
    )
    raises(
        ValueError,
        "unknown activation 'rely'; known: " + ", ".join(anne.ACTIVATIONS),
        anne.dense_forward,
        [1],
        [[1]],
        [1],
        "rely",
    )


# --- The published training -------------------------------------------------------------------------------------------


def published():
    """Return train_model's arguments for AI-ANNE's own training, and the losses that it published, by epoch."""
    with open(golden("selflearning.json", "training")) as file:
        data = loads(file.read())
    start = [(layer["weights"], layer["bias"]) for layer in data["layers"]]
    activations = [layer["activation"] for layer in data["layers"]]
    losses = list(zip(data["published"]["epochs"], data["published"]["losses"]))
    return (data["x"], data["y"], [4, 3, 1], activations, data["epochs"], data["lr"], start), losses


def plain():
    try:
        from anne.reference_trainer import train_model
    except ImportError:
        raise Skip("firmware, which has none of it in plain Python") from None
    return train_model


def test_plain_python_learns_as_ai_anne_published():
    if sys.platform == "rp2":
        raise Skip("half a minute on an emulated Pico; `anne demo` runs some epochs there")
    arguments, losses = published()
    before = str(arguments[6])
    layers, got = plain()(*arguments)
    same(["%.4f" % got[epoch - 1] for epoch, _ in losses], ["%.4f" % loss for _, loss in losses])
    same(len(got), 100)
    same(str(arguments[6]), before)
    # AI-ANNE: all 20 rows are right in the end
    (w1, b1), (w2, b2) = layers
    for row, target in zip(arguments[0], arguments[1]):
        hidden, _ = anne.dense_forward(row, w1, b1, "relu")
        (p,), _ = anne.dense_forward(hidden, w2, b2, "sigmoid")
        same(p > 0.5, target == 1)


def test_train_model_learns_the_same_through_the_core():
    arguments, losses = published()
    before = str(arguments[6])
    layers, got = anne.train_model(*arguments)
    same(["%.4f" % got[epoch - 1] for epoch, _ in losses], ["%.4f" % loss for _, loss in losses])
    same(str(arguments[6]), before)
    same([(len(w), len(w[0]), len(b)) for w, b in layers], [(3, 4, 3), (1, 3, 1)])


def test_train_model_begins_by_itself():
    x, y, sizes, activations, _, lr, _ = published()[0]
    layers, losses = anne.train_model(x, y, sizes, activations, 30, lr)
    assert losses[29] < losses[0] / 2
    if not anne.native:
        layers, losses = plain()(x, y, sizes, activations, 30, lr)
        assert losses[29] < losses[0] / 2
