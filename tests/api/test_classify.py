"""Classes: which one, what speaks for it, and where there is none, the same on every backend.

The files come from tests/golden/make_models.py.
"""

import json
import struct
from array import array
from binascii import crc32

import anne
from check import close, golden, inf, nan, raises, same

FLOWER = [5.0, 3.5, 1.5, 0.25]
NO_CLASSES = (
    "classify: expected a classifier, got one output without sigmoid, labels or threshold; use predict"
)


def load(name):
    return anne.load(golden(name + ".anne"))


def inputs(name):
    with open(golden(name + ".json", "answers")) as file:
        return json.loads(file.read())["inputs"]


def with_entry(name, tag, content=b""):
    """Return the model with one metadata entry's bytes changed, or with the entry under an unknown tag."""
    with open(golden(name + ".anne"), "rb") as file:
        data = bytearray(file.read())
    n_tensors, _, layers_bytes = struct.unpack_from("<III", data, 20)
    at = 48 + 32 * n_tensors + layers_bytes
    while struct.unpack_from("<I", data, at)[0] != tag:
        at += 8 + (struct.unpack_from("<I", data, at + 4)[0] + 3) // 4 * 4
    if content:
        data[at + 8 : at + 8 + len(content)] = content
    else:
        data[at : at + 4] = struct.pack("<I", 999)
    data[12:16] = struct.pack("<I", crc32(bytes(data[16:])) & 0xFFFFFFFF)
    return anne.load(bytes(data))


LABELS, THRESHOLD = 2, 5


def test_the_largest_output_names_the_class():
    net = load("small_float32")
    y = net.predict(FLOWER)
    same(net.classify(FLOWER), (["setosa", "versicolor", "virginica"][y.index(max(y))], max(y)))


def test_one_output_decides_by_the_threshold():
    # yes above 0.3: the file's threshold
    net = load("binary_float32")
    for x in inputs("binary_float32"):
        p = net.predict(x)[0]
        same(net.classify(x), ("yes", p) if p > 0.3 else ("no", 1 - p))


def test_at_the_threshold_it_is_the_first_class():
    # scikit-learn: predict() is 1 where decision_function() > 0, that is, where the probability is above 0.5
    same(load("tie_float32").predict([1, 2]), [0.5])
    same(load("tie_float32").classify([1, 2]), ("no", 0.5))
    same(load("tie_int8").classify([1, 2]), ("no", 0.5))
    # the float32 next below 0.5 as the threshold: 0.5 is above it
    same(with_entry("tie_float32", THRESHOLD, struct.pack("<f", 0.5 - 2**-25)).classify([1, 2]), ("yes", 0.5))
    # without a threshold in the file it is 0.5
    same(with_entry("tie_float32", THRESHOLD).classify([1, 2]), ("no", 0.5))


def test_without_labels_the_class_has_a_number():
    net = load("image_float32")
    y = net.predict([1, 2, 3, 4, 5, 6])
    same(net.classify([1, 2, 3, 4, 5, 6]), (y.index(max(y)), max(y)))
    same(with_entry("tie_float32", LABELS).classify([1, 2]), (0, 0.5))


def test_of_scores_the_value_is_the_score():
    # three outputs of leaky_relu are no probabilities: the largest as it is
    net = load("unaligned_float32")
    x = [1, 2, 3, 4]
    y = net.predict(x)
    same(net.classify(x), (y.index(max(y)), max(y)))


def test_a_number_is_no_class():
    for name in ("level_float32", "level_int8"):
        net = load(name)
        close(net.predict([1, 2]), [0.5], 0.05)  # 2 1 - 2 + 1/2
        raises(ValueError, NO_CLASSES, net.classify, [1, 2])


def test_a_number_with_a_threshold_or_labels_decides():
    # binary_float32 without its labels, then without its threshold: a probability all the same
    for tag in (LABELS, THRESHOLD):
        index = with_entry("binary_float32", tag).classify([9, 9, 9])[0]
        assert index in (0, 1, "no", "yes"), index


def test_nan_is_no_class():
    text = "classify: output 0 is NaN, neither more nor less than any number: no class"
    for name in ("small_float32", "binary_float32", "image_float32", "unaligned_float32", "tie_float32"):
        net = load(name)
        x = [nan] * len(inputs(name)[0])
        raises(ValueError, text, net.classify, x)
        raises(ValueError, text, net.classify, array("f", x))


def test_infinity_is_a_number():
    # unaligned: weights and inputs are finite but the first, so outputs are infinite: inf, or -inf 0.25
    net = load("unaligned_float32")
    y = net.predict([inf, 0, 0, 0])
    same([abs(v) for v in y], [inf, inf, inf])
    same(net.classify([inf, 0, 0, 0]), (y.index(max(y)), max(y)))


def test_infinities_that_cancel():
    # outputs of inf and -inf, whose sum is NaN, though none of them is
    net = load("unaligned_float32")
    for i in range(4):
        for v in (inf, -inf):
            x = [0, 0, 0, 0]
            x[i] = v
            y = net.predict(x)
            same(net.classify(x), (y.index(max(y)), max(y)))


def test_integers_know_no_nan():
    # NaN becomes the zero point, as 0 does
    net = load("image_int8")
    same(net.classify([nan] * 6), net.classify([0] * 6))
