"""The cores of training, what `anne.Trainer` stands on: native, the host library's, and plain Python.

Each test runs on every core that this Python has. Steps are worked out by hand with numbers that floats hold exactly,
longer ways by `anne.reference_trainer` in doubles.
"""

import math
import sys
from array import array

import anne
from check import Skip, close, heap_used, inf, nan, same

IS_MICROPYTHON = sys.implementation.name == "micropython"
CORES = []
if anne.native:
    from _anne import Trainer

    CORES.append(Trainer)
else:
    from anne.reference_trainer import Trainer

    CORES.append(Trainer)
    try:
        from anne.host_trainer import Trainer

        CORES.append(Trainer)
    except ImportError:
        pass


def floats(*values):
    return array("f", values)


def settings(lr=0.125, momentum=0.0, decay=0.0, batch=1, n_targets=1, random_state=1):
    return lr, momentum, decay, batch, n_targets, random_state


def run(core, x, y, n_epochs=1, order=None):
    """Return the losses of n epochs."""
    losses = floats(*[-1] * n_epochs)
    same(core.run(floats(*x), floats(*y), order, losses), n_epochs)
    return list(losses)


def loss_of(core, x, y):
    """Return the mean loss of the rows of a single input and output."""
    losses = [core.predict(floats(x[i]), floats(0), floats(y[i])) for i in range(len(x))]
    return sum(losses) / len(x)


def line(make, optimizer="sgd", parameters=(2.0, 1.0), **others):
    """Return a core that learns y = w x + b."""
    core = make((1, 1), ("linear",), "mse", optimizer, settings(**others))
    core.set(floats(*parameters))
    return core


# --- Steps worked out by hand


def test_parameters_are_zero_until_they_are_set():
    for make in CORES:
        core = make((2, 3, 1), ("relu", "sigmoid"), "mse", "sgd", settings())
        same(list(core.get()), [0] * 13)
        core.set(floats(*range(13)))
        parameters = core.get()
        same(list(parameters), list(range(13)))
        parameters[0] = 99.0  # of a copy
        same(list(core.get()), list(range(13)))


def test_one_step_of_a_line():
    # 2 * 3 + 1 = 7 instead of 5; the loss 4 grows by 2 * 2 with the output, so by 12 with w and 4 with b
    for make in CORES:
        core = line(make)
        same(loss_of(core, [3], [5]), 4.0)
        same(list(core.get()), [2, 1])
        same(run(core, [3], [5]), [4.0])
        same(list(core.get()), [0.5, 0.5])
        out = floats(0)
        same(core.predict(floats(4), out, None), None)
        same(list(out), [2.5])


def test_a_batch_takes_the_mean_of_its_rows():
    # 7 instead of 5 as above; 3 instead of 5: by -4 with w and b; the third row is a batch of its own: 2, b = 1
    for make in CORES:
        core = line(make, batch=2)
        same(run(core, [3, 1, 0], [5, 5, 2]), [3.0])
        same(list(core.get()), [2 - (12 - 4) / 2 / 8, 1 + 2 / 8])
        same(loss_of(core, [0, 0], [1.25, 2.25]), 0.5)


def test_momentum_keeps_half_of_the_last_step():
    # gradients by b: 4 (3 instead of 1), then b = 3 - 0.5 = 2.5: 3, and half of the 4
    for make in CORES:
        core = line(make, momentum=0.5, parameters=(0.0, 3.0))
        same(run(core, [0], [1], 2), [4.0, 2.25])
        same(list(core.get()), [0, 3 - 4 / 8 - (3 + 2) / 8])


def test_decay_pulls_weights_and_biases():
    # the output is right, so only decay is left: w -= 0.125 * 0.5 w
    for make in CORES:
        core = line(make, decay=0.5)
        same(run(core, [3], [7]), [0.0])
        same(list(core.get()), [2 - 0.125, 1 - 0.0625])


def test_adam_begins_with_a_step_of_lr():
    # both means are without bias g and g^2, so the step is lr g / |g|
    for make in CORES:
        core = line(make, "adam")
        run(core, [3], [5])
        close(list(core.get()), [2 - 0.125, 1 - 0.125], 1e-6)


def test_a_class_by_its_number():
    # two classes of one half each: -ln 0.5; the gradient by their sums is 0.5 and -0.5
    for make in CORES:
        for n_targets, y in ((1, [1]), (2, [0, 1])):
            core = make(
                (2, 2), ("softmax",), "categorical_cross_entropy", "sgd", settings(1, n_targets=n_targets)
            )
            close(core.predict(floats(1, 2), floats(0, 0), floats(*y)), math.log(2), 1e-6)
            close(run(core, [1, 2], y), [math.log(2)], 1e-6)
            close(list(core.get()), [-0.5, -1, 0.5, 1, -0.5, 0.5], 1e-6)


def test_rows_are_shuffled_by_the_generator():
    # as DESIGN.md has it: from the end, with a number below i + 1 for place i
    for make in CORES:
        n, state = 20, 12345
        core = line(make, random_state=state)
        order, expected = array("H", range(n)), list(range(n))
        for _ in range(2):
            run(core, range(n), range(n), 1, order)
            for i in reversed(range(1, n)):
                state = (state * 1664525 + 1013904223) % (1 << 32)
                j = ((state >> 16) * (i + 1)) >> 16
                expected[i], expected[j] = expected[j], expected[i]
            same(list(order), expected)


def test_any_state_of_the_generator():
    for make in CORES:
        for state in (0, (1 << 30) - 1, 1 << 31, (1 << 32) - 1):
            order = array("H", [0, 1, 2])
            run(line(make, random_state=state), [0, 0, 0], [0, 0, 0], 1, order)
            same(sorted(order), [0, 1, 2])


# --- Longer ways

ROWS = 12
X = [((7 * i * i + 3 * i) % 19) / 19 - 0.3 for i in range(4 * ROWS)]
Y = [((5 * i * i + i) % 7) / 7 for i in range(3 * ROWS)]
CLASSES = [i % 3 for i in range(ROWS)]
START = [((11 * i * i + 5 * i) % 23) / 23 - 0.5 for i in range(5 * 5 + 6 * 3)]
# activations, loss, optimizer, settings, y; the losses of epochs 1 and 30 that anne.reference_trainer has on CPython
WAYS = (
    (("relu", "linear"), "mse", "sgd", settings(0.05, n_targets=3), Y),
    (("tanh", "softmax"), "categorical_cross_entropy", "adam", settings(0.05, batch=5), CLASSES),
    (
        ("leaky_relu", "sigmoid"),
        "binary_cross_entropy",
        "sgd",
        settings(0.5, 0.9, 0.001, 4, 3),
        [float(y > 0.5) for y in Y],
    ),
    (("sigmoid", "softmax"), "mse", "adam", settings(0.02, 0, 0.01, 12, 3), Y),
)
LOSSES = ((0.1417649, 0.1138697), (1.140286, 0.8104554), (0.6995587, 0.5078161), (0.1434528, 0.1303376))


def begun(make, way):
    activations, loss, optimizer, numbers, _ = way
    core = make((4, 5, 3), activations, loss, optimizer, numbers)
    core.set(floats(*START))
    return core, array("H", range(ROWS))


def test_ways_of_thirty_epochs():
    for make in CORES:
        for way, expected in zip(WAYS, LOSSES):
            core, order = begun(make, way)
            losses = run(core, X, way[4], 30, order)
            close([losses[0], losses[-1]], expected, 1e-5)
            again, order = begun(make, way)  # in two calls as in one
            first = run(again, X, way[4], 10, order)
            same(first + run(again, X, way[4], 20, order), losses)
            same(list(again.get()), list(core.get()))


def test_what_is_not_finite_ends_it():
    for make in CORES:
        for x in (nan, inf, 1e30):
            losses = floats(*[-1] * 5)
            core = line(make)
            done = core.run(floats(x), floats(1), None, losses)
            assert done < 5 and not abs(losses[done - 1]) < inf, (x, done, losses)
            same(list(losses[done:]), [-1] * (5 - done))
            core.set(floats(2, 1))  # and a new beginning can be made
            same(run(core, [3], [5]), [4.0])


def test_training_takes_no_heap():
    core, order = begun(Trainer, WAYS[1])
    x, y, losses, out = floats(*X), floats(*CLASSES), floats(*[0] * 20), floats(0, 0, 0)
    start, row = floats(*START), floats(*X[:4])

    def learn():
        core.set(start)
        core.run(x, y, order, losses)
        core.predict(row, out, None)

    if anne.native:
        same(heap_used(learn), 0)
    else:
        learn()
    assert losses[19] < losses[0] and out[0] > 0, (losses, out)


# --- Not as it is meant


class Odd:
    """A number that runs a program when it is read."""

    def __init__(self, program):
        self.program = program

    def __float__(self):
        self.program()
        return 1.0

    __int__ = __index__ = __float__


def refused(function, *arguments):
    # whatever is wrong with them, by one of these
    try:
        result = function(*arguments)
    except (ValueError, TypeError, OverflowError) as error:
        return error
    raise AssertionError("not refused: %r gave %r" % (arguments, result))


def test_networks_that_are_refused():
    good = (4, 5, 3), ("relu", "softmax"), "mse", "sgd", settings(n_targets=3)
    sizes = [4, 5, 3]
    wrong = (
        (None, 5, "453", (), (4,), (4, 5), (4, 5, 3, 1), (4, 0, 3), (4, -5, 3), (4, 65536, 3), (4, 5.0, 3))
        + ((4, 1 << 70, 3), (4, None, 3), (4, "5", 3), {4: 5}, b"453", floats(4, 5, 3), (1,) * 12)
        + ((65535, 65535, 3), (4097, 4096, 3), [4, Odd(sizes.clear), 3]),
        (None, "relu", (), ("relu",), ("softmax", "relu"), ("relu", "gelu"), ("relu", None), ("relu", 5))
        + (("relu", "soft" + str(None)), ("relu", "softmax", "relu"), ("relu", ["softmax"])),
        (None, "", "mae", 0, ("mse",), "binary_cross_entropy"),
        (None, "", "rmsprop", 1, ["sgd"]),
        (None, (), 5, settings()[:5], settings() + (1,), settings(n_targets=1), settings(n_targets=2))
        + (
            settings(n_targets=3, batch=0),
            settings(n_targets=3, batch=-1),
            settings(n_targets=3, batch=65536),
        )
        + (settings(n_targets=3, batch=2.0), settings("1", n_targets=3), settings(None, n_targets=3))
        + (settings(n_targets=3, momentum=[]), settings(n_targets=3, random_state=1.5))
        + (settings(n_targets=3, random_state=None), settings(n_targets="3"), settings(n_targets=-3)),
    )
    for make in CORES:
        if is_reference(make):
            continue
        make(*good)
        for place, values in enumerate(wrong):
            for value in values:
                arguments = list(good)
                arguments[place] = value
                refused(make, *arguments)
        refused(make)
        refused(make, *good + (1,))


def is_reference(make):
    # whose callers prove everything
    return make.__module__ == "anne.reference_trainer" if hasattr(make, "__module__") else False


def test_arrays_that_are_refused():
    x, y, order, losses = floats(*X), floats(*CLASSES), array("H", range(ROWS)), floats(0, 0)
    small = array("H", range(ROWS))
    small[5] = ROWS
    nothing = (
        None,
        5,
        "1",
        b"",
        b"1234" * 12,
        [],
        list(x),
        (),
        floats(),
        array("d", X),
        array("i", [0] * ROWS),
    )
    wrong = (
        nothing + (x[:-1], x[:3], x + x, Odd(dict)),
        nothing + (y[:-1], y + y, y + floats(0)),
        nothing[1:] + (order[:-1], order + order, array("h", range(ROWS)), small, array("H", [65535] * ROWS)),
        nothing,
    )
    for make in CORES:
        if is_reference(make):
            continue
        core, _ = begun(make, WAYS[1])
        good = x, y, order, losses
        for place, values in enumerate(wrong):
            for value in values:
                arguments = list(good)
                arguments[place] = value
                refused(core.run, *arguments)
        for value in nothing + (x[:2], x[:5]):
            refused(core.predict, value, floats(0, 0, 0), None)
            refused(core.predict, x[:4], value, None)
        for value in nothing[1:] + (y[:2],):
            refused(core.predict, x[:4], floats(0, 0, 0), value)
        for value in nothing + (x[:2], x[:5]):
            refused(core.set, value)
        for function in (core.get, core.set, core.run, core.predict):
            refused(function, 1, 2, 3, 4, 5)
        # nothing has come of all that
        same(list(core.get()), list(floats(*START)))
        same(list(order), list(range(ROWS)))
        same(list(losses), [0, 0])
        same(core.run(*good), 2)
        losses[0] = losses[1] = 0
        order = good[2]
        for i in range(ROWS):
            order[i] = i


def test_views_and_one_array_for_all():
    if not IS_MICROPYTHON:
        raise Skip("on a PC a trainer's core takes arrays only")
    for make in CORES:
        core = line(make)
        parts = memoryview(floats(9, 3, 5, -1, 9))
        same(core.run(parts[1:2], parts[2:3], memoryview(array("H", [7, 0]))[1:], parts[3:4]), 1)
        same(list(parts), [9, 3, 5, 4, 9])
        same(list(core.get()), [0.5, 0.5])
        one = floats(4)
        core.predict(one, one, None)
        same(list(one), [2.5])
        core.run(one, one, None, one)  # whatever comes of it
        refused(core.predict, floats(4), memoryview(b"1234"), None)


def test_no_memory():
    if not IS_MICROPYTHON:
        raise Skip("Python looks after it")
    import gc

    gc.collect()
    before = gc.mem_alloc()
    for sizes in ((1000, 1000, 1000), (60000, 200, 1), (4000, 4000)):
        try:
            Trainer(sizes, ("relu",) * (len(sizes) - 1), "mse", "adam", settings(n_targets=sizes[-1]))
        except MemoryError:
            gc.collect()
            assert gc.mem_alloc() - before < 512, (sizes, gc.mem_alloc() - before)
        else:
            raise AssertionError("%r fits" % (sizes,))


def test_any_numbers():
    # NaN, infinities and the like in every place; classes that there are not
    values = (nan, inf, -inf, 0.0, -0.0, 3.4e38, -3.4e38, 1e-45, 1e-38, 1.5, -1, 3, 65536, 4e9)
    for make in CORES:
        if is_reference(make):
            continue  # Python's floats raise exceptions
        for number, way in enumerate(WAYS):
            few = sys.platform == "rp2"  # each value on one way, as it is slow there
            for value in [values[i] for i in range(number * few, len(values), 4 if few else 1)]:
                activations, loss, optimizer, numbers, y = way
                for lr, momentum, decay in (
                    (0.1, 0.0, 0.0),
                    (value, 0.0, 0.0),
                    (0.1, value, 0.0),
                    (0.1, 0.0, value),
                ):
                    core = make((4, 5, 3), activations, loss, optimizer, (lr, momentum, decay) + numbers[3:])
                    for xs, ys, start in (
                        ([value] * len(X), y, START),
                        (X, [value] * len(y), START),
                        (X, y, [value] * len(START)),
                    ):
                        core.set(floats(*start))
                        losses = floats(0, 0)
                        assert 1 <= core.run(floats(*xs), floats(*ys), None, losses) <= 2
                        core.predict(floats(*xs[:4]), floats(0, 0, 0), floats(*ys[: numbers[4]]))


def test_a_hard_interrupt_writes_and_calls():
    # what no proof before the run can know: numbers of rows that there are not, and another call
    if sys.platform != "rp2":
        raise Skip("no interrupts")
    from test_wrong_use import interrupts

    core, order = begun(Trainer, WAYS[1])
    x, y, losses, out = floats(*X), floats(*CLASSES), floats(*[0] * 30), floats(0, 0, 0)
    calls, said = array("i", [0, 0]), []
    written = order, x, x[:4], out  # in one: a function of more than four names around it needs the heap

    def meddle(it):
        numbers, values, row, outputs = written
        numbers[calls[0] % ROWS] = 65535 - calls[0]
        values[calls[0] % ROWS] = 1e38
        calls[0] += 1
        try:
            core.predict(row, outputs, None)
        except RuntimeError:
            calls[1] += 1

    stop = interrupts(meddle, 2000)
    for _ in range(20):
        try:
            core.run(x, y, order, losses)
        except ValueError as error:
            said.append(str(error))
            for i in range(ROWS):
                order[i] = i
    stop()
    assert calls[1] > 10, calls
    assert set(said) <= {"Trainer: arguments of a wrong type or size"}, said
    core.set(floats(*START))
    core.predict(floats(*X[:4]), out, None)
    assert abs(sum(out) - 1) < 1e-5, out


def test_a_program_that_reads_numbers_meanwhile():
    # it may make an array shorter, where a list of settings is read
    if not IS_MICROPYTHON:
        raise Skip("Python looks after it")
    numbers = list(settings(n_targets=3))
    numbers[0] = Odd(numbers.clear)
    refused(Trainer, (4, 5, 3), ("relu", "relu"), "mse", "sgd", numbers)
    same(len(numbers), 6)  # it was not run


def test_what_is_no_trainer():
    if not IS_MICROPYTHON:
        raise Skip("Python looks after it")
    core = line(Trainer)
    for nobody in (None, 5, [], Trainer, floats(1), anne):
        for name in ("get", "set", "run", "predict"):
            refused(getattr(Trainer, name), nobody)
            refused(Trainer.get, nobody)
    same(list(core.get()), [2, 1])


def test_a_subclass_is_a_trainer():
    for make in CORES:

        class Named(make):
            def get(self):
                return "named", super().get()

        core = Named((1, 1), ("linear",), "mse", "sgd", settings())
        core.set(floats(2, 1))
        same(run(core, [3], [5]), [4.0])
        name, parameters = core.get()
        same((name, list(parameters)), ("named", [0.5, 0.5]))
