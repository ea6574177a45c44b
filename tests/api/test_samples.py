"""One sample and several: what counts as which, and that several get the answers each gets alone.

The files come from tests/golden/make_models.py: small has inputs of shape (4,), image of (2, 3).
"""

import gc
from array import array

import anne
from check import Skip, close, golden, heap_used, nan, raises, same

FLOWER, OTHER = [5.0, 3.5, 1.5, 0.25], [6.5, 3.0, 5.5, 2.0]
PIXELS, REVERSE = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]


def load(name):
    return anne.load(golden(name + ".anne"))


def nested(x):
    """Return six numbers as two rows of three."""
    return [x[:3], x[3:]]


class Rows:
    """What NumPy's arrays and numbers have: lists of plain numbers, or a plain number, by tolist."""

    def __init__(self, values):
        self.values = values

    def tolist(self):
        return self.values


def test_a_list_of_rows_gives_a_list_of_answers():
    for name in ("small_float32", "small_int8", "small_int16"):
        net = load(name)
        one, other = net.predict(FLOWER), net.predict(OTHER)
        same(net.predict([FLOWER, OTHER, FLOWER]), [one, other, one])
        same(net.predict([FLOWER]), [one])
        # as many rows as inputs
        same(net.predict([FLOWER, OTHER] * 2), [one, other] * 2)
        same(net.predict((tuple(FLOWER), array("f", OTHER))), [one, other])
        same(net.predict([bytes([5, 3, 1, 2]), [5, 3, 1, 2]]), [net.predict([5, 3, 1, 2])] * 2)


def test_a_call_is_predict():
    net = load("small_float32")
    same(net(FLOWER), net.predict(FLOWER))
    same(net([FLOWER, OTHER]), net.predict([FLOWER, OTHER]))


def test_an_input_of_two_axes_nested_is_one_sample():
    for name in ("image_float32", "image_int8"):
        net = load(name)
        one, other = net.predict(PIXELS), net.predict(REVERSE)
        same(net.predict(nested(PIXELS)), one)
        same(net.predict([nested(PIXELS), nested(REVERSE)]), [one, other])
        same(net.predict([PIXELS, REVERSE]), [one, other])
        same(net.predict([PIXELS, nested(REVERSE)]), [one, other])
        same(net.predict([array("f", PIXELS[:3]), PIXELS[3:]]), one)
        out = array("f", [0, 0])
        close(list(net.predict_into(nested(PIXELS), out)), one, 1e-6)
        same(net.trace(nested(PIXELS))[0][1], net.trace(PIXELS)[0][1])


def test_integers_of_the_inputs_own_type_in_rows():
    net = load("image_int8")
    raw = array("b", [-128, -1, 0, 1, 64, 127])
    same(net.predict([raw, raw]), [net.predict(raw)] * 2)


def test_what_has_tolist():
    net = load("small_float32")
    same(net.predict(Rows([FLOWER, OTHER])), net.predict([FLOWER, OTHER]))
    same(net.predict([Rows(FLOWER), Rows(OTHER)]), net.predict([FLOWER, OTHER]))
    net = load("image_float32")
    same(net.predict(Rows(nested(PIXELS))), net.predict(PIXELS))
    same(net.predict([Rows(PIXELS[:3]), Rows(PIXELS[3:])]), net.predict(PIXELS))


def test_numbers_that_have_tolist():
    for name in ("small_float32", "small_int8"):
        net = load(name)
        same(net.predict([Rows(v) for v in FLOWER]), net.predict(FLOWER))
        same(net.predict([[Rows(v) for v in FLOWER], OTHER]), net.predict([FLOWER, OTHER]))
        raises(TypeError, "predict: expected a number, got Rows", net.predict, [5.0, 3.5, 1.5, Rows([0.25])])
    net = load("image_int8")
    same(net.predict([[Rows(v) for v in row] for row in nested(PIXELS)]), net.predict(PIXELS))
    # 2 * 0.5 + 3 * 4 + 1
    x, w, b = [Rows(2), Rows(3)], [Rows(0.5), Rows(4)], Rows(1)
    same(anne.dense(1, x, w, [b], "linear"), [14.0])
    same(anne.dense(1, [[v] for v in x], [w], [b], "linear"), [[14.0]])
    same(anne.neuron(x, w, b, "linear"), [14.0])
    same(anne.relu(x), [2.0, 3.0])


def test_numpy_arrays():
    try:
        import numpy
    except ImportError:
        raise Skip("no NumPy here") from None
    net = load("small_float32")
    x = numpy.array([FLOWER, OTHER], numpy.float32)
    same(net.predict(x), net.predict([FLOWER, OTHER]))
    same(net.predict(list(x)), net.predict([FLOWER, OTHER]))
    same(net.predict(x[0]), net.predict(FLOWER))
    same(net.predict(list(x[0])), net.predict(FLOWER))
    same(net.predict(list(numpy.array([5, 3, 1, 2]))), net.predict([5, 3, 1, 2]))
    net = load("image_float32")
    x = numpy.array([nested(PIXELS), nested(REVERSE)])
    same(net.predict(x), net.predict([PIXELS, REVERSE]))
    same(net.predict(x[1]), net.predict(REVERSE))
    same(net.predict(x.reshape(2, 6)), net.predict([PIXELS, REVERSE]))


def test_classify_rows():
    net = load("small_float32")
    same(net.classify([FLOWER, OTHER]), [net.classify(FLOWER), net.classify(OTHER)])
    net = load("tie_float32")
    same(net.classify([[1, 2], [3, 4]]), [("no", 0.5)] * 2)
    text = "classify: row 1: output 0 is NaN, neither more nor less than any number: no class"
    raises(ValueError, text, net.classify, [[1, 2], [nan, 1]])


def test_rows_of_another_shape():
    net = load("small_float32")
    raises(ValueError, "predict: row 1: expected 4 inputs, got 3", net.predict, [FLOWER, FLOWER[1:]])
    raises(ValueError, "predict: row 0: expected 4 inputs, got 0", net.predict, [[]])
    raises(ValueError, "predict: row 0: expected 4 inputs, got 1x4", net.predict, [[FLOWER]])
    raises(ValueError, "predict: row 0: expected 4 inputs, got 1x1", net.predict, [[[[[FLOWER]]]]])
    raises(ValueError, "predict: expected 4 inputs, got 8", net.predict, FLOWER * 2)
    net = load("image_float32")
    raises(ValueError, "predict: expected 2x3 inputs, got 5", net.predict, PIXELS[1:])
    # its axes the other way round
    raises(ValueError, "predict: row 0: expected 2x3 inputs, got 2", net.predict, [[1, 4], [2, 5], [3, 6]])
    raises(ValueError, "predict: row 1: expected 2x3 inputs, got 3x2", net.predict, [PIXELS, [[1, 4]] * 3])
    text = "predict: row 0: expected 2x3 inputs, got lists of unlike length"
    raises(ValueError, text, net.predict, [[[1, 2, 3], [4, 5]]])


def test_rows_that_are_none():
    net = load("small_float32")
    raises(TypeError, "predict: row 1: expected a list of numbers, got int", net.predict, [FLOWER, 5])
    raises(TypeError, "predict: row 1: expected a list of numbers, got str", net.predict, [FLOWER, "1234"])
    raises(TypeError, "predict: expected a number, got list", net.predict, [1, 2, 3, [4]])
    raises(TypeError, "predict: expected a number, got str", net.predict, [FLOWER, [1, 2, 3, "4"]])
    raises(TypeError, "predict: expected a number, got str", net.predict, ["1234"])
    itself = [1]
    itself[0] = itself
    raises(ValueError, "predict: row 0: expected 4 inputs, got 1x1", net.predict, itself)


def test_predict_into_takes_one_sample():
    net, out = load("small_float32"), array("f", [7, 8, 9])
    raises(ValueError, "predict: expected 4 inputs, got 2x4", net.predict_into, [FLOWER, OTHER], out)
    raises(ValueError, "predict: expected 4 inputs, got 2x4", net.trace, [FLOWER, OTHER])
    same(list(out), [7, 8, 9])


def test_a_program_that_closes_the_model_between_rows():
    class Closes:
        def tolist(self):
            net.close()
            return FLOWER

    net = load("small_float32")
    raises(ValueError, "the model is closed", net.predict, [FLOWER, Closes()])


def test_a_collection_at_any_allocation():
    if not hasattr(gc, "threshold") or not anne.native:
        raise Skip("needs MicroPython's heap and the native module")
    net, image = load("small_float32"), load("image_float32")
    answers, answer = net.predict([FLOWER, OTHER] * 5), image.predict(PIXELS)
    gc.threshold(1)  # every allocation collects
    try:
        same(net.predict([FLOWER, OTHER] * 5), answers)
        same(net.predict((tuple(FLOWER), array("f", OTHER), bytes([5, 3, 1, 2])))[:2], answers[:2])
        same(image.predict([nested(PIXELS), PIXELS]), [answer, answer])
    finally:
        gc.threshold(-1)


def test_rows_cost_their_answers_only():
    net = load("small_float32")
    one, twenty = heap_used(net.predict, FLOWER), heap_used(net.predict, [FLOWER] * 20)
    # a list of 3 floats each, and a place in the list of answers and in the tuple of samples
    if anne.native:
        assert twenty <= 20 * (one + 32) + 1024, (one, twenty)
