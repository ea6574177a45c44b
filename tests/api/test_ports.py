"""Networks of several inputs and outputs: what goes in by which name, what comes out, the same on every backend.

The files are made here, by model_writer.py, which says what they compute.
"""

from array import array

import anne
from check import Skip, close, heap_used, nan, raises, same
from model_writer import SPEED_SCALE, SPEED_ZERO, fork, total, two_by_two

IMAGE, SPEED = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, -2.0]
NESTED = [IMAGE[:3], IMAGE[3:]]
# score: 1 + 2 + ... + 6, 1 - 6 + 1; box: 2, and 0 for -2
ANSWER = [[21.0, -4.0], [2.0, 0.0]]
ONES, OTHER_SPEED = [1.0] * 6, [-0.5, 63.5]
OTHER_ANSWER = [[6.0, 1.0], [0.0, 63.5]]


def load(data=None):
    return anne.load(two_by_two() if data is None else data)


class Rows:
    """What NumPy's arrays and numbers have: lists of plain numbers, or a plain number, by tolist."""

    def __init__(self, values):
        self.values = values

    def tolist(self):
        return self.values


# --- One sample


def test_inputs_by_place_and_by_name():
    net = load()
    for x in (
        [IMAGE, SPEED],
        (IMAGE, SPEED),
        [NESTED, SPEED],
        [tuple(IMAGE), tuple(SPEED)],
        [array("f", IMAGE), array("f", SPEED)],
        [memoryview(array("f", IMAGE)), SPEED],
        [bytes([1, 2, 3, 4, 5, 6]), SPEED],
        [array("h", [1, 2, 3, 4, 5, 6]), SPEED],
        [[Rows(v) for v in IMAGE], SPEED],
        [IMAGE, Rows(SPEED)],
        Rows([IMAGE, SPEED]),
        {"image": IMAGE, "speed": SPEED},
        {"speed": SPEED, "image": NESTED},
        {"speed": Rows(SPEED), "im" + "age": array("f", IMAGE)},
    ):
        same(net.predict(x), ANSWER)
        same(net(x), ANSWER)


def test_without_names_they_are_numbered():
    net = load(two_by_two(names=None))
    same(net.predict([IMAGE, SPEED]), ANSWER)
    same(net.predict({"input 0": IMAGE, "input 1": SPEED}), ANSWER)
    same([port.name for port in net.inputs], ["input 0", "input 1"])
    same([port.name for port in net.outputs], ["output 0", "output 1"])
    text = "predict: expected inputs input 0, input 1; input 1 missing, speed unknown"
    raises(ValueError, text, net.predict, {"input 0": IMAGE, "speed": SPEED})


def test_integers_of_an_inputs_own_type():
    net = load()
    raw = array("b", [int(v / SPEED_SCALE) + SPEED_ZERO for v in SPEED])  # 3, -5
    same(net.predict([IMAGE, raw]), ANSWER)
    same(net.predict([IMAGE, memoryview(raw)]), ANSWER)
    # beside an entry that is read in Python
    same(net.predict([Rows(IMAGE), raw]), ANSWER)
    same(net.predict([Rows(IMAGE), memoryview(raw)]), ANSWER)
    same(net.predict([[Rows(IMAGE)], [raw]]), [ANSWER])
    # of no input's own: numbers
    same(net.predict([IMAGE, array("h", [2, -2])]), ANSWER)
    same(net.predict([array("b", [1, 2, 3, 4, 5, 6]), SPEED]), ANSWER)
    same(net.predict([IMAGE, memoryview(bytes([2, 0]))]), ANSWER)


def test_inputs_are_rounded_and_limited():
    net = load()
    same(net.predict([IMAGE, [1e30, -1e30]])[1], [(127 - SPEED_ZERO) * SPEED_SCALE, 0.0])
    same(net.predict([IMAGE, [10**400, nan]])[1], [(127 - SPEED_ZERO) * SPEED_SCALE, 0.0])
    close(net.predict([[nan] * 6, SPEED]), [[nan, nan], [2.0, 0.0]], 0)


def test_inputs_are_put_afresh_each_time():
    # box lies where speed does: what came out is not what goes in next
    net = load()
    for _ in range(3):
        same(net.predict([ONES, OTHER_SPEED]), OTHER_ANSWER)
        same(net.predict([IMAGE, SPEED]), ANSWER)


def test_one_input_and_two_outputs():
    for names in (True, False):
        net = anne.load(fork(names))
        one, other = [[1.0, 0.0, 8.0], [1.0, 0.0, 6.0]], [[0.0, 2.0, 0.0], [0.0, 2.0, 0.0]]
        same(net.predict([1, -2, 8]), one)
        same(net.predict(array("f", [1, -2, 8])), one)
        same(net.predict([[1, -2, 8], (-1, 2, 0)]), [one, other])
        same([port.name for port in net.inputs], ["x" if names else "input"])


def test_two_inputs_and_one_output():
    net = anne.load(total())
    same(net.predict([[1, -2, 3], [1, 1, 1]]), [2.0, 0.0, 4.0])
    same(net.predict({"b": [1, 1, 1], "a": [1, -2, 3]}), [2.0, 0.0, 4.0])
    same(net.predict([[[1, -2, 3]] * 2, [[1, 1, 1], [0, 5, 0]]]), [[2.0, 0.0, 4.0], [1.0, 3.0, 3.0]])
    out = array("f", [0, 0, 0])
    assert net.predict_into([[1, -2, 3], [1, 1, 1]], out) is out
    same(list(out), [2.0, 0.0, 4.0])


def test_many_inputs():
    net = anne.load(total(8))
    same(net.predict([[v, -v, 1] for v in range(8)]), [28.0, 0.0, 8.0])
    same(net.predict({name: [1, 2, 3] for name in "hgfedcba"}), [8.0, 16.0, 24.0])


# --- Several samples


def test_as_many_samples_of_each_input():
    net = load()
    both = [ANSWER, OTHER_ANSWER]
    for x in (
        [[IMAGE, ONES], [SPEED, OTHER_SPEED]],
        ([NESTED, tuple(ONES)], (array("f", SPEED), Rows(OTHER_SPEED))),
        {"image": [array("f", IMAGE), ONES], "speed": [SPEED, OTHER_SPEED]},
        {"speed": Rows([SPEED, OTHER_SPEED]), "image": Rows([NESTED, [ONES[:3]] * 2])},
        [[[Rows(v) for v in IMAGE], ONES], [SPEED, OTHER_SPEED]],
    ):
        same(net.predict(x), both)
    same(net.predict([[IMAGE], [SPEED]]), [ANSWER])
    raw = array("b", [3, -5])
    same(net.predict([[IMAGE] * 3, [raw, memoryview(raw), SPEED]]), [ANSWER] * 3)


def test_numpy_arrays():
    try:
        import numpy
    except ImportError:
        raise Skip("no NumPy here") from None
    net = load()
    same(net.predict([numpy.array(NESTED), numpy.array(SPEED)]), ANSWER)
    same(net.predict({"image": numpy.array(NESTED), "speed": SPEED}), ANSWER)
    images, speeds = numpy.array([IMAGE, ONES]), numpy.array([SPEED, OTHER_SPEED])
    same(net.predict([images, speeds]), [ANSWER, OTHER_ANSWER])
    same(net.predict([images.reshape(2, 2, 3), speeds]), [ANSWER, OTHER_ANSWER])


def test_unlike_numbers_of_samples():
    net = load()
    text = "predict: expected a list of 2 samples of speed, as of image, got a list of 3 samples"
    raises(ValueError, text, net.predict, [[IMAGE] * 2, [SPEED] * 3])
    text = "predict: expected a list of 2 samples of speed, as of image, got one sample"
    raises(ValueError, text, net.predict, [[IMAGE] * 2, SPEED])
    text = "predict: expected one sample of speed, as of image, got a list of 2 samples"
    raises(ValueError, text, net.predict, [IMAGE, [SPEED] * 2])
    raises(ValueError, text, net.predict, {"speed": [SPEED] * 2, "image": array("f", IMAGE)})


# --- Into arrays


def outs():
    return [array("f", [0, 0]), array("f", [0, 0])]


def test_predict_into_a_list_of_arrays():
    net = load()
    out = outs()
    assert net.predict_into([IMAGE, SPEED], out) is out
    same([list(y) for y in out], ANSWER)
    out = tuple(outs())
    assert net.predict_into({"image": ONES, "speed": OTHER_SPEED}, out) is out
    same([list(y) for y in out], OTHER_ANSWER)
    out = [array("f", [0, 0]), array("b", [0, 0])]  # box as it stands: 2 / 0.5 - 1, 0 / 0.5 - 1
    net.predict_into([IMAGE, SPEED], out)
    same([list(y) for y in out], [ANSWER[0], [3, -1]])
    view = memoryview(array("f", [9, 9, 9, 9]))
    net.predict_into([NESTED, SPEED], [view[1:3], memoryview(array("b", [0, 0]))])
    same(list(view), [9, 21, -4, 9])


def test_predict_into_takes_no_heap():
    lists, arrays = [IMAGE, SPEED], (array("f", IMAGE), array("b", [3, -5]))
    named, out = {"speed": arrays[1], "image": IMAGE}, [array("f", [0, 0]), array("b", [0, 0])]
    numbered = {"input 1": SPEED, "input 0": arrays[0]}
    net, unnamed = load(), load(two_by_two(names=None))
    one, two = anne.load(fork()), [array("f", [0] * 3), array("f", [0] * 3)]
    three = array("f", [1, -2, 8])

    def predict():
        net.predict_into(lists, out)
        net.predict_into(arrays, out)
        net.predict_into(named, out)
        unnamed.predict_into(numbered, out)
        one.predict_into(three, two)

    if anne.native:
        same(heap_used(predict), 0)
    predict()
    same([list(y) for y in out], [ANSWER[0], [3, -1]])
    same([list(y) for y in two], [[1, 0, 8], [1, 0, 6]])


def test_what_is_no_list_of_arrays():
    net, x = load(), [IMAGE, SPEED]
    wanted = "predict_into: out: expected a list of arrays for score, box, got "
    raises(TypeError, wanted + "array", net.predict_into, x, array("f", [0, 0]))
    raises(TypeError, wanted + "dict", net.predict_into, x, {"score": outs()[0], "box": outs()[1]})
    raises(TypeError, wanted + "NoneType", net.predict_into, x, None)
    raises(TypeError, wanted + "1", net.predict_into, x, outs()[:1])
    raises(TypeError, wanted + "4", net.predict_into, x, outs() * 2)
    raises(TypeError, wanted + "0", net.predict_into, x, ())
    first, second = outs()
    text = "predict_into: out: score: expected a writable array('f') of 2, got list"
    raises(TypeError, text, net.predict_into, x, [[0, 0], second])
    text = "predict_into: out: box: expected a writable array('f') or array('b') of 2, got array('f') of 3"
    raises(TypeError, text, net.predict_into, x, [first, array("f", [0, 0, 0])])
    text = "predict_into: out: box: expected a writable array('f') or array('b') of 2, got bytes"
    raises(TypeError, text, net.predict_into, x, (first, b"ab"))
    text = "predict_into: out: expected a writable array('f') of 3, got list"
    raises(TypeError, text, anne.load(total()).predict_into, [[1, 2, 3]] * 2, outs())
    same([list(y) for y in (first, second)], [[0, 0], [0, 0]])


def test_a_refused_call_changes_nothing():
    net, out = load(), [array("f", [7, 8]), array("f", [8, 9])]
    for x in ([IMAGE], [IMAGE, [1]], [IMAGE, [1, "2"]], {"image": IMAGE}, [[IMAGE], [SPEED]], None):
        try:
            net.predict_into(x, out)
        except (TypeError, ValueError):
            pass
        else:
            raise AssertionError("not refused: %r" % (x,))
        same([list(y) for y in out], [[7, 8], [8, 9]])
    same(net.predict([IMAGE, SPEED]), ANSWER)


# --- What is wrong with x


def test_missing_unknown_and_surplus_inputs():
    net, inputs = load(), "predict: expected inputs image, speed; "
    raises(ValueError, inputs + "speed missing", net.predict, [IMAGE])
    raises(ValueError, inputs + "image missing, speed missing", net.predict, [])
    raises(ValueError, inputs + "got 3", net.predict, [IMAGE, SPEED, SPEED])
    raises(ValueError, inputs + "speed missing", net.predict, {"image": IMAGE})
    raises(ValueError, inputs + "image missing, speed missing", net.predict, {})
    raises(ValueError, inputs + "colour unknown", net.predict, {"image": 1, "speed": 2, "colour": 3})
    raises(ValueError, inputs + "speed missing, sped unknown", net.predict, {"image": IMAGE, "sped": SPEED})
    raises(ValueError, inputs + "speed missing, 1 unknown", net.predict, {"image": IMAGE, 1: SPEED})
    raises(ValueError, inputs + "speed missing", net.predict_into, [IMAGE], outs())
    raises(ValueError, inputs + "speed missing", net.trace, (IMAGE,))
    raises(ValueError, inputs + "got 3", net.profile, [IMAGE, SPEED, SPEED])


def test_wrong_entries():
    net = load()
    raises(ValueError, "predict: image: expected 2x3 inputs, got 5", net.predict, [IMAGE[1:], SPEED])
    raises(ValueError, "predict: speed: expected 2 inputs, got 0", net.predict, [IMAGE, []])
    raises(ValueError, "predict: speed: expected 2 inputs, got 0", net.predict, [IMAGE, b""])
    raises(
        ValueError, "predict: speed: expected 2 inputs, got 6", net.predict, {"image": IMAGE, "speed": IMAGE}
    )
    raises(TypeError, "predict: image: expected a list of numbers, got float", net.predict, [1.0, 2.0])
    raises(TypeError, "predict: image: expected a list of numbers, got int", net.predict, b"12")
    raises(TypeError, "predict: speed: expected a list of numbers, got str", net.predict, [IMAGE, "12"])
    raises(TypeError, "predict: speed: expected a number, got str", net.predict, [IMAGE, [1, "2"]])
    raises(TypeError, "predict: speed: expected a number, got NoneType", net.predict, [IMAGE, [None, 2]])
    wanted = "predict: expected a list or dict of inputs image, speed, got "
    raises(TypeError, wanted + "str", net.predict, "12")
    raises(TypeError, wanted + "int", net.predict, 5)
    raises(TypeError, wanted + "NoneType", net.predict, None)
    raises(TypeError, wanted + "set", net.predict, {1, 2})
    # of several
    rows = [SPEED, [1, 2, 3]]
    raises(ValueError, "predict: speed: row 1: expected 2 inputs, got 3", net.predict, [[IMAGE, IMAGE], rows])
    rows = [SPEED, [1, "2"]]
    raises(TypeError, "predict: speed: expected a number, got str", net.predict, [[IMAGE, IMAGE], rows])
    raises(
        ValueError, "predict: image: expected 2x3 inputs, got 1x6", net.predict_into, [[IMAGE], SPEED], outs()
    )
    raises(ValueError, "predict: image: expected 2x3 inputs, got 1x2x3", net.trace, [[NESTED], [SPEED]])


def test_a_dict_for_one_input_is_refused():
    raises(
        TypeError,
        "predict: expected a list of numbers, got dict",
        anne.load(fork()).predict,
        {"x": [1, 2, 3]},
    )


# --- What else there is


def test_classify_takes_several_inputs():
    net = anne.load(total())
    same(net.classify([[1, -2, 3], [1, 1, 1]]), ("third", 4.0))
    same(net.classify({"a": [9, 0, 0], "b": [0, 1, 1]}), ("first", 9.0))
    same(net.classify([[[1, -2, 3]] * 2, [[1, 1, 1], [0, 9, 0]]]), [("third", 4.0), ("second", 7.0)])


def test_classify_needs_one_output():
    text = "classify: expected a network of one output, got 2: score, box; use predict"
    raises(ValueError, text, load().classify, [IMAGE, SPEED])
    text = "classify: expected a network of one output, got 2: output 0, output 1; use predict"
    raises(ValueError, text, anne.load(fork(names=False)).classify, [1, 2, 3])


def test_ports():
    net = load()
    image, speed = net.inputs
    same((image.name, image.shape, image.dtype), ("image", (2, 3), "float32"))
    same((image.scale, image.zero_point), (1, 0))
    same((speed.name, speed.shape, speed.dtype), ("speed", (2,), "int8"))
    same((speed.scale, speed.zero_point), (SPEED_SCALE, SPEED_ZERO))
    same([(port.name, port.shape) for port in net.outputs], [("score", (2,)), ("box", (2,))])
    # the first of each
    same((net.input_shape, net.input_dtype, net.input_scale, net.input_zero_point), ((2, 3), "float32", 1, 0))
    same((net.output_shape, net.output_dtype), ((2,), "float32"))


def test_trace_begins_with_the_inputs():
    rows = list(load().trace([NESTED, SPEED]))
    same([name for name, _ in rows], ["image", "speed", "flatten", "scores", "clip"])
    same([values for _, values in rows], [IMAGE, SPEED, IMAGE] + ANSWER)
    rows = list(load(two_by_two(names=None)).trace({"input 0": IMAGE, "input 1": SPEED}))
    same([name for name, _ in rows[:3]], ["input 0", "input 1", "flatten"])


class TwoOutputs:
    """A core whose first layer has two outputs, which no kind of layer has yet."""

    def __init__(self, core, layer):
        self.core, self.facts = core, layer

    def __getattr__(self, name):
        return getattr(self.core, name)

    def layer(self, index):
        return self.facts if index == 0 else self.core.layer(index)


class Facts:
    kind, activation, layout, nbytes, macs = "split", "linear", None, 0, 0

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = inputs, outputs


def test_a_layer_of_two_outputs():
    net = anne.load(fork())
    core = net._core
    x, low = core.inputs[0], core.outputs[0]
    net._core = TwoOutputs(core, Facts((x,), (low, x)))
    rows = list(net.trace([1, -2, 8]))
    same([name for name, _ in rows[:3]], ["x", "layer 0 0", "layer 0 1"])
    same([row[1] for row in rows[1:3]], [[1.0, 0.0, 8.0], [1.0, -2.0, 8.0]])
    line = repr(net).split("\n")[3]
    same(line.split()[:3], ["layer", "0", "split"])
    assert "3 -> 3, 3" in line, line


def test_print_names_inputs_and_outputs():
    lines = repr(load()).split("\n")
    same(lines[1], "image (2x3 float32), speed (2 int8) -> score (2 float32), box (2 int8)")
    same(lines[2].split()[:3], ["layer", "kind", "activation"])
    same([line.split()[0] for line in lines[3:]], ["flatten", "scores", "clip", "all"])
    assert "3, 3 -> 3" in repr(anne.load(total())), repr(anne.load(total()))


def test_profile():
    table = load().profile([IMAGE, SPEED], 2)
    same([row[0] for row in table], ["flatten", "scores", "clip", "all layers"])
    assert all(row[1] >= 0 for row in table)


def test_selftest_takes_packed_samples():
    same(load().selftest(), 2)
    # score is held within 1e-5 of 21, the largest; box, of integers, to the bit
    good, box = (6, 1, 3, -1), (6, 1, 3, 0)
    same(load(two_by_two(golden=(good, (21, -4.0002, 0, -1)))).selftest(), 2)
    text = "selftest: sample 1: score: expected [21.0, -4.0..."
    raises(ValueError, text, load(two_by_two(golden=(good, (21, -4.001, 0, -1)))).selftest)
    text = "selftest: sample 0: box: expected [3, 0], got [3, -1]"
    raises(ValueError, text, load(two_by_two(golden=(box, good))).selftest)


def test_run_raw_takes_packed_bytes():
    core = load()._core
    x, y = core.golden(1)
    same((len(x), len(y)), (26, 10))
    out = bytearray(10)
    core.run_raw(x, out)
    same(bytes(out), y)
    for wrong_x, wrong_y in ((x[:-1], out), (x + b"0", out), (x, bytearray(8))):
        text = "run_raw: expected 26 and 10 bytes, got %d and %d" % (len(wrong_x), len(wrong_y))
        raises(ValueError, text, core.run_raw, wrong_x, wrong_y)


def test_names_are_told_without_harm():
    net = load(two_by_two(names=("im\x1bge\nspe\x7fd", "sco\x00re\nbox")))
    same([port.name for port in net.inputs], ["im\x1bge", "spe\x7fd"])
    same(net.predict({"im\x1bge": IMAGE, "spe\x7fd": SPEED}), ANSWER)
    raises(ValueError, "predict: expected inputs im?ge, spe?d; im?ge missing, spe?d missing", net.predict, [])
    raises(ValueError, "predict: spe?d: expected 2 inputs, got 3", net.predict, [IMAGE, [1, 2, 3]])
    text = "predict_into: out: sco?re: expected a writable array('f') of 2, got list"
    raises(TypeError, text, net.predict_into, [IMAGE, SPEED], [[0, 0], outs()[1]])
    for text in (repr(net), repr(net.trace([IMAGE, SPEED]))):
        assert all(" " <= c <= "~" or c == "\n" for c in text), text


def test_names_as_the_file_has_them():
    # an empty one is as none; of two that are equal, both get the entry
    net = load(two_by_two(names=("\nspeed", "a\n")))
    same([port.name for port in net.inputs + net.outputs], ["input 0", "speed", "a", "output 1"])
    same(net.predict({"input 0": IMAGE, "speed": SPEED}), ANSWER)
    net = anne.load(total(names="a\na"))
    same(net.predict({"a": [1, 2, 3]}), [2.0, 4.0, 6.0])
