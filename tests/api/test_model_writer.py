"""Model files written where they are made: what they answer, the same bytes on every backend, and files in one step.

That the bytes are those that the converter makes of the same network, tests/host_tools/conversion/test_model_writer.py
shows.
"""

import os
from array import array
from binascii import crc32

import anne
from anne import model_writer
from check import close, inf, nan, raises, same


def eighths(n):
    """Return n numbers of -8 to 8, all exact in float32: a generator of Knuth's, its lower bits left out."""
    made, state = array("f", [0] * n), 1
    for i in range(n):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        made[i] = ((state >> 16) % 129 - 64) / 8
    return made


LAYERS = [(eighths(20), eighths(5)), (eighths(15), eighths(3))]
WORDS = {"name": "flowers", "labels": ["a", "é", "c"], "feature_names": ["w", "x", "y", "z"]}


def network(path=None):
    scaling = [0.5, 0.25, 1, 2], [0, 1, -1, 0.5]
    return model_writer.dense_network(path, LAYERS, ["tanh", "softmax"], scaling=scaling, **WORDS)


def test_it_answers_as_the_functions_do():
    net = anne.load(network())
    x = [1.0, -2.0, 3.0, -4.0]
    scaled = [0.5, 0.5, 2.0, -7.5]  # x times the factors, and what is added then
    rows = [[list(w[r * n : r * n + n]) for r in range(len(b))] for n, (w, b) in zip((4, 5), LAYERS)]
    hidden = anne.dense(5, scaled, rows[0], list(LAYERS[0][1]), "tanh")
    close(net.predict(x), anne.dense(3, hidden, rows[1], list(LAYERS[1][1]), "softmax"), 1e-5)


def test_what_it_says_of_itself():
    net = anne.load(network())
    same((net.name, net.labels, net.feature_names), ("flowers", ["a", "é", "c"], ["w", "x", "y", "z"]))
    names = [row[0] for row in net.trace([1, 2, 3, 4])]
    same(names, ["input", "scaling", "dense 1", "dense 2", "softmax"])


def test_the_bytes_are_the_same_everywhere():
    # as the converter makes them: anne_tools.conversion.pack, of the same network, gave this CRC-32
    same(crc32(network()) & 0xFFFFFFFF, 0xC187C4F0)


def test_activations_that_are_there_have_their_parameters():
    for name, expected in (("leaky_relu", -0.02), ("relu", 0.0), ("linear", -2.0)):
        layers = [(array("f", [1]), array("f", [0]))]
        close(anne.load(model_writer.dense_network(None, layers, [name])).predict([-2.0]), [expected], 1e-6)


def test_weights_that_are_not_finite():
    text = "save: expected finite weights and biases, got NaN or infinity: train anew"
    for bad in (nan, inf, -inf):
        for weights, bias in (([1, bad], [0]), ([1, 2], [bad])):
            layers = [(array("f", weights), array("f", bias))]
            raises(ValueError, text, model_writer.dense_network, None, layers, ["relu"])


def test_labels_that_are_not_as_many_as_outputs():
    layers = [(array("f", [1, 2, 3]), array("f", [0, 0, 0]))]
    raises(
        ValueError,
        "metadata: labels: expected 3 lines, got 2",
        model_writer.dense_network,
        None,
        layers,
        ["softmax"],
        labels=["a", "b"],
    )


# --- Files ------------------------------------------------------------------------------------------------------------


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def in_folder(test):
    """Call test(folder) with a new folder, which ends with "/"; it is removed with its files."""
    folder = "anne_writer_test/"
    os.mkdir(folder[:-1])
    try:
        test(folder)
    finally:
        for name in os.listdir(folder[:-1]):
            os.remove(folder + name)
        os.rmdir(folder[:-1])


def test_a_file_is_written_and_replaced():
    def test(folder):
        path = folder + "net.anne"
        data = network(path)
        same(contents(path), data)
        same(anne.load(path).predict([1, 2, 3, 4]), anne.load(data).predict([1, 2, 3, 4]))
        model_writer.write_file(path, b"another")
        same(contents(path), b"another")
        same(os.listdir(folder[:-1]), ["net.anne"])

    in_folder(test)


def test_a_file_that_cannot_be_written_leaves_nothing():
    def test(folder):
        os.mkdir(folder + "net.anne")  # a folder has that name
        try:
            model_writer.write_file(folder + "net.anne", b"ANNE")
        except OSError:
            pass
        else:
            raise AssertionError("expected OSError")
        finally:
            left = os.listdir(folder[:-1])
            os.rmdir(folder + "net.anne")
        same(left, ["net.anne"])

    in_folder(test)


def test_what_a_power_cut_left_is_written_over():
    def test(folder):
        with open(folder + ".anne-save", "wb") as file:
            file.write(b"ANNE, or half of it")
        model_writer.write_file(folder + "net.anne", b"whole")
        same(os.listdir(folder[:-1]), ["net.anne"])
        same(contents(folder + "net.anne"), b"whole")

    in_folder(test)


def test_a_name_without_a_folder_is_in_the_current_one():
    model_writer.write_file("anne_writer_test.anne", b"here")
    same(contents("anne_writer_test.anne"), b"here")
    os.remove("anne_writer_test.anne")
    assert ".anne-save" not in os.listdir(".")
