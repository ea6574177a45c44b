"""Networks of several inputs and outputs used while they are in use: the right answer, or an exception that says so."""

import gc
import sys
from array import array

import anne
from check import Skip, raises, same
from model_writer import two_by_two
from test_ports import ANSWER, IMAGE, ONES, OTHER_ANSWER, OTHER_SPEED, SPEED, outs
from test_wrong_use import Uses, interrupts, timer

CLOSED = "the model is closed"


def load():
    return anne.load(two_by_two())


# --- Programs that run while x is read


def test_a_program_that_predicts_while_it_reads():
    # the other input may have been put by then
    net, found = load(), []

    def predict():
        found.append(net.predict([ONES, OTHER_SPEED]))

    same(net.predict([IMAGE, Uses(predict, SPEED)]), ANSWER)
    same(net.predict([Uses(predict, IMAGE), SPEED]), ANSWER)
    same(net.predict({"speed": SPEED, "image": Uses(predict, IMAGE)}), ANSWER)
    same(net.predict([[IMAGE, IMAGE], [SPEED, Uses(predict, SPEED)]]), [ANSWER, ANSWER])
    out = outs()
    net.predict_into([array("f", IMAGE), Uses(predict, SPEED)], out)
    same([list(y) for y in out], ANSWER)
    same(found, [OTHER_ANSWER] * 5)


class Number(Uses):
    """A number that runs a program when it is read."""

    def tolist(self):
        self.program()
        return self.values


def test_numbers_that_run_programs():
    # in lists of several samples, whose numbers are read when their turn comes
    net, found = load(), []

    def predict():
        found.append(net.predict([ONES, OTHER_SPEED]))

    rows = [[2.0, Number(predict, -2.0)], SPEED, [Number(predict, 2.0), -2.0]]
    same(net.predict([[IMAGE] * 3, rows]), [ANSWER] * 3)
    assert len(found) >= 2 and found == [OTHER_ANSWER] * len(found), found
    raises(TypeError, "...", net.predict, [[IMAGE], [[2.0, Number(lambda: None + 1, 2.0)]]])
    raises(ValueError, CLOSED, net.predict, [[IMAGE] * 2, [SPEED, [2.0, Number(net.close, -2.0)]]])


class Sequence(array):
    """An array of its own kind, whose numbers are read by a program."""

    def tolist(self):
        self.program()
        return list(self)


def test_arrays_that_run_programs():
    # "h" is no input's own type, so the numbers are asked for
    net, found = load(), []
    x = Sequence("h", [2, -2])

    def predict():
        found.append(net.predict([ONES, OTHER_SPEED]))

    x.program = predict
    same(net.predict([IMAGE, x]), ANSWER)
    same(net.predict([x, IMAGE][::-1]), ANSWER)
    same(net.predict([[IMAGE], [x]]), [ANSWER])
    assert found and found == [OTHER_ANSWER] * len(found), found
    x.program = net.close
    raises(ValueError, CLOSED, net.predict, [IMAGE, x])


def test_a_program_that_closes_the_model():
    for make in (
        lambda net: [IMAGE, Uses(net.close, SPEED)],
        lambda net: {"image": Uses(net.close, IMAGE), "speed": SPEED},
        lambda net: [[IMAGE, IMAGE], [SPEED, Uses(net.close, SPEED)]],
    ):
        net = load()
        raises(ValueError, CLOSED, net.predict, make(net))
    net = load()
    raises(ValueError, CLOSED, net.predict_into, [Uses(net.close, IMAGE), SPEED], outs())


def test_a_program_that_changes_x():
    net = load()
    x = [IMAGE, None]
    x[1] = Uses(x.clear, SPEED)
    same(net.predict(x), ANSWER)
    x = [array("f", IMAGE), None]
    x[1] = Uses(lambda: x[0].append(7), SPEED)
    raises(ValueError, "predict: image: expected 2x3 inputs, got 7", net.predict, x)
    x = {"image": IMAGE}
    x["speed"] = Uses(lambda: x.pop("image"), SPEED)
    same(net.predict(x), ANSWER)
    same(net.predict([IMAGE, SPEED]), ANSWER)


def test_a_program_that_changes_out():
    net, out = load(), outs()
    x = [IMAGE, Uses(lambda: out.pop(), SPEED)]
    wanted = "predict_into: out: expected a list of arrays for score, box, got 1"
    raises(TypeError, wanted, net.predict_into, x, out)
    out = outs()
    x = [IMAGE, Uses(lambda: out[1].append(5), SPEED)]
    wanted = "predict_into: out: box: expected a writable array('f') or array('b') of 2, got array('f') of 3"
    raises(TypeError, wanted, net.predict_into, x, out)
    same([list(y) for y in out], [[0, 0], [0, 0, 5]])
    out, other = outs(), outs()

    def exchange():
        out[0] = other[0]

    net.predict_into([IMAGE, Uses(exchange, SPEED)], out)
    same(list(other[0]), ANSWER[0])


def test_a_program_that_fails():
    net = load()
    raises(TypeError, "...", net.predict, [IMAGE, Uses(lambda: None + 1, SPEED)])
    text = "predict: speed: expected 2 inputs, got 3"
    raises(ValueError, text, net.predict, [IMAGE, Uses(gc.collect, [1, 2, 3])])
    same(net.predict([IMAGE, SPEED]), ANSWER)


# --- Interrupts, timers


def used_by_two(begin):
    # as in test_wrong_use; without the heap, which a hard interrupt does not have
    net, out, callbacks_out = load(), outs(), outs()
    x, other = {"image": array("f", IMAGE), "speed": SPEED}, (ONES, memoryview(array("f", OTHER_SPEED)))
    calls = array("i", [0, 0])  # those of the callback that were answered, and refused

    def use(it):
        try:
            net.predict_into(other, callbacks_out)
            calls[0] += 1
        except RuntimeError:
            calls[1] += 1

    stop = begin(use, 2000)
    for _ in range(5000):
        net.predict_into(x, out)
        same([list(y) for y in out], ANSWER)
        if calls[0] >= 10 and sum(calls) >= 40:
            break
    stop()
    same([list(y) for y in callbacks_out], OTHER_ANSWER)
    assert calls[0] >= 10, calls
    return calls[1]


def test_a_timer_uses_the_model():
    same(used_by_two(timer), 0)  # its callback waits until the model has run


def test_an_interrupt_uses_the_model():
    assert used_by_two(interrupts) > 0


# --- Lives


def test_a_closed_model_says_so():
    net = load()
    net.close()
    for call in (
        lambda: net.predict([IMAGE, SPEED]),
        lambda: net.predict([IMAGE]),
        lambda: net.predict_into([IMAGE, SPEED], outs()),
        lambda: net.classify([IMAGE, SPEED]),
        lambda: net.trace([IMAGE, SPEED]),
        lambda: net.inputs,
        lambda: net.outputs,
        lambda: net._core.inputs,
        lambda: net._core.port_name("output", 1),
        net.selftest,
    ):
        raises(ValueError, CLOSED, call)
    same(repr(net), "two by two: closed")


def test_a_subclass_is_a_model():
    class Named(type(load()._core)):
        def predict(self, x):
            return super().predict(x), "named"

    net = Named(two_by_two())
    same(net.predict({"image": IMAGE, "speed": SPEED}), (ANSWER, "named"))
    out = outs()
    net.predict_into([IMAGE, SPEED], out)
    same([list(y) for y in out], ANSWER)
    same((len(net.inputs), len(net.outputs)), (2, 2))
    same(net.port_name("output", 1), "box")


def test_a_collection_at_any_allocation():
    if not hasattr(gc, "threshold") or not anne.native:
        raise Skip("needs MicroPython's heap and the native module")
    net, x = load(), [[IMAGE], [[Number(gc.collect, 2.0), -2]]]
    gc.threshold(1)  # every allocation collects
    try:
        same(net.predict(x), [ANSWER])
    finally:
        gc.threshold(-1)


def test_a_collection_at_any_allocation_of_what_is_seldom():
    if not hasattr(gc, "mem_alloc") or not anne.native:
        raise Skip("needs MicroPython's heap and the native module")
    if sys.platform == "rp2":
        raise Skip("minutes on an emulated Pico")
    net, out = load(), outs()
    gc.threshold(1)
    try:
        same(net.predict([IMAGE, SPEED]), ANSWER)
        same(net.predict({"speed": Uses(gc.collect, SPEED), "image": IMAGE}), ANSWER)
        net.predict_into([Uses(gc.collect, IMAGE), SPEED], out)
        same([list(y) for y in out], ANSWER)
        raises(ValueError, "predict: expected inputs image, speed; speed missing", net.predict, [IMAGE])
        raises(TypeError, "predict_into: out: box: ...", net.predict_into, [IMAGE, SPEED], [out[0], None])
        same([port.name for port in net.inputs + net.outputs], ["image", "speed", "score", "box"])
    finally:
        gc.threshold(-1)


def test_two_threads_use_one_model():
    if sys.platform != "linux" or sys.implementation.name != "micropython":
        raise Skip("needs threads of MicroPython's")
    import _thread
    from time import sleep_ms

    net = load()
    inputs, expected = ([IMAGE, SPEED], {"image": ONES, "speed": OTHER_SPEED}), (ANSWER, OTHER_ANSWER)
    answered, wrong, ended = [0, 0], [], [0, 0]

    def use(which):
        out = outs()
        for _ in range(3000):
            try:
                net.predict_into(inputs[which], out)
                if [list(y) for y in out] != expected[which]:
                    wrong.append(which)
                answered[which] += 1
            except RuntimeError as error:
                if str(error) != "the model is running":
                    wrong.append(str(error))
        ended[which] = 1

    _thread.start_new_thread(use, (0,))
    _thread.start_new_thread(use, (1,))
    while sum(ended) < 2:
        sleep_ms(1)
    same(wrong, [])
    assert answered[0] and answered[1], answered
