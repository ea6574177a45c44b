"""A model used while it is in use, or not as it is meant: an exception or the right answer, never anything else."""

import gc
import sys
from array import array

import anne
from check import Skip, golden, raises, same

FLOWER = array("f", [5.0, 3.5, 1.5, 0.25])
OTHER = array("f", [6.5, 3.0, 5.5, 2.0])
RUNNING = "the model is running"


def load(name="small_int8"):
    return anne.load(golden(name + ".anne"))


def answer(net, x):
    return list(net.predict_into(x, array("f", [0, 0, 0])))


class Uses:
    """A list of numbers that runs a program when it is read."""

    def __init__(self, program, values=FLOWER):
        self.program, self.values = program, values

    def tolist(self):
        self.program()
        return list(self.values)


# --- Again while it runs


def test_a_program_that_predicts_while_it_reads():
    net = load()
    expected, other = answer(net, FLOWER), answer(net, OTHER)
    found = []
    same(answer(net, Uses(lambda: found.append(answer(net, OTHER)))), expected)
    same(net.predict(Uses(lambda: found.append(net.predict(OTHER)))), expected)
    same(found, [other, other])


def test_a_program_that_fails_while_it_reads():
    net = load()
    expected = answer(net, FLOWER)
    raises(TypeError, "...", net.predict, Uses(lambda: None + 1))
    raises(ValueError, "predict: expected 4 inputs, got 5", net.predict, Uses(lambda: None, [1] * 5))
    same(answer(net, FLOWER), expected)


def test_a_program_that_closes_what_it_reads_for():
    net = load()
    raises(ValueError, "the model is closed", net.predict_into, Uses(net.close), array("f", [0, 0, 0]))


def interrupts(callback, freq):
    """Call callback(it) `freq` times a second, 2,000 at least, in a hard interrupt; return what stops that."""
    if sys.platform != "rp2":
        raise Skip("no interrupts")
    import rp2

    @rp2.asm_pio()
    def program():
        irq(rel(0))  # noqa: F821

    machine = rp2.StateMachine(0, program, freq=freq)
    machine.irq(callback, hard=True)
    machine.active(1)

    def stop():
        machine.active(0)
        machine.irq(None)

    return stop


def timer(callback, freq):
    """The same as `interrupts` by a timer, whose callback comes when the interpreter has time for it."""
    if sys.platform != "rp2":
        raise Skip("no timers")
    from machine import Timer

    return Timer(freq=freq, callback=callback).deinit


def used_by_two(begin):
    # main program and callback use one model with inputs of their own: who comes while it runs is told so
    net, x = load("small_float32"), memoryview(OTHER)
    expected, other = answer(net, FLOWER), answer(net, OTHER)
    out, callbacks_out = array("f", [0, 0, 0]), array("f", [0, 0, 0])
    calls = array("i", [0, 0])  # those of the callback that were answered, and refused

    def use(it):
        try:
            net.predict_into(x, callbacks_out)
            calls[0] += 1
        except RuntimeError:
            calls[1] += 1

    stop = begin(use, 2000)
    for _ in range(5000):
        same(list(net.predict_into(FLOWER, out)), expected)
        if calls[0] >= 10 and sum(calls) >= 40:
            break
    stop()
    same(list(callbacks_out), other)
    same(answer(net, FLOWER), expected)
    assert calls[0] >= 10, calls
    return calls[1]


def test_a_timer_uses_the_model():
    same(used_by_two(timer), 0)  # its callback waits until the model has run


def test_an_interrupt_uses_the_model():
    assert used_by_two(interrupts) > 0


def test_an_interrupt_closes_the_model():
    for extra in range(10):
        net = load("small_float32")
        calls = array("i", [0, 0])

        def shut(it):
            calls[0] += 1  # noqa: B023
            if calls[0] > 5:  # noqa: B023
                try:
                    net.close()  # noqa: B023
                except RuntimeError:
                    calls[1] += 1  # noqa: B023  # it runs; the next call comes at another moment

        stop = interrupts(shut, 2000 + 37 * extra)
        try:
            while calls[0] < 1000:
                net.predict(FLOWER)
            ended = "it goes on"
        except ValueError as error:
            ended = str(error)
        stop()
        same(ended, "the model is closed")


def test_two_threads_use_one_model():
    if sys.platform != "linux" or sys.implementation.name != "micropython":
        raise Skip("needs threads of MicroPython's")
    import _thread
    from time import sleep_ms

    net = load("small_float32")
    inputs = FLOWER, OTHER
    expected = [answer(net, x) for x in inputs]
    answered, refused, wrong, ended = [0, 0], [0, 0], [], [0, 0]

    def use(which):
        out = array("f", [0, 0, 0])
        for _ in range(3000):
            try:
                net.predict_into(inputs[which], out)
                if list(out) != expected[which]:
                    wrong.append(which)
                answered[which] += 1
            except RuntimeError as error:
                if str(error) != RUNNING:
                    wrong.append(str(error))
                refused[which] += 1
        ended[which] = 1

    _thread.start_new_thread(use, (0,))
    _thread.start_new_thread(use, (1,))
    while sum(ended) < 2:
        sleep_ms(1)
    same(wrong, [])
    assert answered[0] and answered[1], (answered, refused)
    same(answer(net, FLOWER), expected[0])


def test_a_thread_closes_the_model():
    if sys.platform != "linux" or sys.implementation.name != "micropython":
        raise Skip("needs threads of MicroPython's")
    import _thread
    from time import sleep_ms

    for _ in range(20):
        net, ended = load("small_float32"), []

        def use():
            while not ended:  # noqa: B023
                try:
                    net.predict(FLOWER)  # noqa: B023
                except RuntimeError:
                    pass  # it is being closed
                except ValueError as error:
                    ended.append(str(error))  # noqa: B023

        _thread.start_new_thread(use, ())
        while not ended:
            try:
                sleep_ms(1)
                net.close()
            except RuntimeError:
                pass
        same(ended, ["the model is closed"])


# --- Not as it is meant


def test_load_and_predict_at_any_depth():
    # on the Pico the stack ends where the heap begins: 8 KB, of which checking a file takes a third
    if not anne.native:
        raise Skip("Python looks after it")
    with open(golden("small_int8.anne"), "rb") as file:
        data = file.read()
    net = load()
    x, out = FLOWER, array("f", [0, 0, 0])
    expected = answer(net, FLOWER)

    def at(depth, function):
        return at(depth - 1, function) if depth else function()

    def below_the_stack():
        return bytes(512)

    if sys.platform == "rp2":
        import uctypes

        def below_the_stack():
            return uctypes.bytes_at(0x20040000 - 512, 512)

    core, ended, heap = type(net._core), [0, 0], below_the_stack()
    for function in (
        lambda: core(data),
        lambda: net.predict_into(x, out),
        lambda: anne.dense(1, x, x, [0], "tanh"),
    ):
        for depth in range(60):
            gc.collect()  # so that what is made lies low in the heap, and its end tells of the stack alone
            try:
                at(depth, function)
                ended[0] += 1
            except RuntimeError as error:
                same(str(error), "maximum recursion depth exceeded")
                ended[1] += 1
            assert below_the_stack() == heap, (depth, ended)
    assert ended[0] > 20, ended
    same(answer(net, FLOWER), expected)


# of the core's methods
ARGUMENTS = {
    "close": (),
    "predict": (FLOWER,),
    "predict_into": (FLOWER, array("f", [0, 0, 0])),
    "reset": (),
    "run_raw": (bytes(FLOWER), bytearray(3)),
    "set_input": (FLOWER,),
    "run": (0, 1),
    "values": (0,),
    "layer_us": (0, 1),
    "tensor": (0,),
    "layer": (0,),
    "text": ("name",),
    "line": ("labels", 0),
    "threshold": (),
    "port_name": ("input", 0),
    "golden": (0,),
    "read": (0, 4),
}


def test_a_subclass_is_a_model():
    class Named(type(load()._core)):
        def predict(self, x):
            return super().predict(x), "named"

    with open(golden("small_int8.anne"), "rb") as file:
        net = Named(file.read())
    expected = load().predict(FLOWER)
    same(net.predict(FLOWER), (expected, "named"))
    for name, arguments in ARGUMENTS.items():
        if name not in ("close", "predict"):
            getattr(net, name)(*arguments)
    same(net.run_raw(bytes(FLOWER), bytearray(3)), None)
    same(net.nbytes, load().nbytes)
    net.close()
    raises(ValueError, "the model is closed", net.set_input, FLOWER)


def test_a_subclass_before_it_is_made():
    if sys.implementation.name != "micropython":
        raise Skip("Python looks after it")
    core = type(load()._core)

    class Early(core):
        def __init__(self, data):
            for name, function in core.__dict__.items():
                raises(TypeError, "expected a Model", function, self, *ARGUMENTS[name])
            super().__init__(data)

    with open(golden("small_int8.anne"), "rb") as file:
        net = Early(file.read())
    same(net.predict(FLOWER), load().predict(FLOWER))


def test_what_is_no_model():
    if sys.implementation.name != "micropython":
        raise Skip("Python looks after it")
    core = type(load()._core)
    for nobody in (None, 5, 1.5, "model", [], core, len, FLOWER, object()):
        raises(TypeError, "...", core.predict, nobody, FLOWER)
        raises(TypeError, "...", core.close, nobody)
        # where nothing has looked at the object before
        for name, function in core.__dict__.items():
            raises(TypeError, "...", function, nobody, *ARGUMENTS[name])
    raises(TypeError, "...", core.predict)
    raises(TypeError, "...", core)
    raises(TypeError, "...", core, 5)
    raises(TypeError, "...", core, b"", False, 1)


def test_arguments_too_many_and_too_few():
    net = load()
    out = array("f", [0, 0, 0])
    raises(TypeError, "...", net.predict)
    raises(TypeError, "...", net.predict, FLOWER, out)
    raises(TypeError, "...", net.predict_into, FLOWER)
    raises(TypeError, "...", net.predict_into, FLOWER, out, 1)
    raises(TypeError, "...", net.predict, FLOWER, out=out)
    same(len(net.predict(FLOWER)), 3)


def test_layers_that_do_not_exist():
    if not anne.native:
        raise Skip("the reference counts as Python does")
    net = load()
    core, n = net._core, len(net.trace(FLOWER)) - 1
    for first, last in ((-1, n), (0, n + 1), (n + 1, n + 1), (1 << 29, n)):
        raises(IndexError, "...", core.run, first, last)
    raises(TypeError, "...", core.run, "0", n)
    raises(TypeError, "...", core.run, 0, 1.5)
    raises(IndexError, "...", core.layer_us, n, 1)
    raises(TypeError, "...", core.layer_us, 0, None)
    raises(IndexError, "...", core.values, 99)
    core.run(n, 0)  # none
    core.layer_us(0, -5)
    same(net.predict(FLOWER), load().predict(FLOWER))


def test_bytes_of_the_file():
    path = golden("small_int8.anne")
    with open(path, "rb") as file:
        data = file.read()
    core = anne.load(path)._core
    n = len(data)
    for offset, size in ((0, n), (0, 0), (n, 0), (5, 11), (n - 1, 1)):
        same(core.read(offset, size), data[offset : offset + size])
    for offset, size in (
        (0, n + 1),
        (n, 1),
        (n + 1, 0),
        (-1, 1),
        (1, -1),
        (5, n - 4),
        (1 << 29, 1 << 29),
        (-1, 2),
    ):
        raises(ValueError, "read: beyond the end of the file", core.read, offset, size)
    raises(TypeError, "...", core.read, "0", 1)
    raises(TypeError, "...", core.read, 0, None)
    core.close()
    raises(ValueError, "the model is closed", core.read, 0, 1)


def test_raw_bytes_of_the_wrong_size():
    core = load()._core
    x, y = bytes(FLOWER), bytearray(3)
    for wrong_x, wrong_y in ((x[:-1], y), (x + b"0", y), (b"", y), (x, bytearray(2)), (x, bytearray(4))):
        text = "run_raw: expected 16 and 3 bytes, got %d and %d" % (len(wrong_x), len(wrong_y))
        raises(ValueError, text, core.run_raw, wrong_x, wrong_y)
    raises(TypeError, "...", core.run_raw, x, bytes(3))
    raises(TypeError, "...", core.run_raw, None, y)
    core.run_raw(x, y)
