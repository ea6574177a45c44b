"""Trained networks from model files: what `load` and `Model` do.

The files and what they must answer come from tests/golden/make_models.py; test_golden_models.py runs all of them.
"""

import gc
import json
from array import array

import anne
from check import close, golden, heap_used, nan, raises, same
from model_writer import INPUT, INT8, INT16, OUTPUT, RESHAPE, Writer

BRANCHING = (
    ("residual_float32", "residual_int8", "residual_int16")
    + ("two_inputs_float32", "two_inputs_int8", "two_inputs_int16")
    + ("two_outputs_float32", "two_outputs_int8", "two_outputs_int16")
)
LETTERS = {"float32": "f", "int8": "b", "int16": "h"}
FLOWER = [5.0, 3.5, 1.5, 0.25]


def data_of(name):
    with open(golden(name + ".anne"), "rb") as file:
        return file.read()


def load(name, **keywords):
    return anne.load(golden(name + ".anne"), **keywords)


def size_of(shape):
    size = 1
    for n in shape:
        size *= n
    return size


def expected(name):
    """Return raw inputs and raw outputs: a list for each sample, of lists where there are several of them."""
    with open(golden(name + ".json", "answers")) as file:
        values = json.loads(file.read())
    return values["inputs"], values["outputs"]


def test_selftest_counts_the_golden_samples():
    for name in ("small_float32", "image_int8") + BRANCHING:
        same(load(name).selftest(), 4)


# --- Answers


def test_predict_takes_real_numbers_and_gives_them():
    for name in ("small_float32", "small_int8"):
        y = load(name).predict(FLOWER)
        same(len(y), 3)
        close(sum(y), 1, 0.02)  # probabilities, in steps of 1/256 for int8


def test_predict_takes_every_kind_of_list():
    x = [5, 3, 1, 2]
    for name in ("small_float32", "small_int8"):
        net = load(name)
        y = net.predict(x)
        for other in (
            tuple(x),
            array("f", x),
            memoryview(array("f", x)),
            array("h", x),
            bytes(x),
            bytearray(x),
        ):
            same(net.predict(other), y)
        same(net.predict(memoryview(b"\x09\x05\x03\x01\x02")[1:]), y)


def test_integer_inputs():
    # an array of the input's own type holds the integers themselves; a memoryview of one, too
    net = load("image_int8")
    raw, answers = expected("image_int8")
    real = [(q - net.input_zero_point) * net.input_scale for q in raw[2]]
    y = [(q - net.output_zero_point) * net.output_scale for q in answers[2]]
    close(net.predict(array("b", raw[2])), y, 1e-6)
    close(net.predict(memoryview(array("b", raw[2]))), y, 1e-6)
    close(net.predict(real), y, 1e-6)


def test_inputs_are_rounded_and_limited_never_wrapped():
    net = load("image_int8")
    most = [(127 - net.input_zero_point) * net.input_scale] * 6
    least = [(-128 - net.input_zero_point) * net.input_scale] * 6
    same(net.predict([1e30] * 6), net.predict(most))
    same(net.predict([float("inf")] * 6), net.predict(most))
    same(net.predict([10**400] * 6), net.predict(most))
    same(net.predict([-1e30] * 6), net.predict(least))
    same(net.predict([nan] * 6), net.predict([0] * 6))  # NaN becomes the zero point


def long_model(dtype):
    """A network that gives back its 200 numbers, in steps of 0.5."""
    w = Writer()
    x = w.tensor((200,), dtype, INPUT, 0.5)
    y = w.tensor((200,), dtype, OUTPUT, 0.5, at=0)
    w.layer(RESHAPE, (x,), (y,))
    return anne.load(w.data())


def test_long_lists_are_rounded_element_by_element():
    # -12.5, -12.375 and so on to 12.375, some of them integers: to halves, the middle between two away from zero
    x = [i / 8 if i % 8 else i // 8 for i in range(-100, 100)]
    steps = [(abs(i) + 2) // 4 * (1 if i > 0 else -1) for i in range(-100, 100)]
    for dtype, letter in ((INT8, "b"), (INT16, "h")):
        net = long_model(dtype)
        same(net.predict(x), [step / 2 for step in steps])
        same(net.predict(array("f", x)), [step / 2 for step in steps])
        same(list(net.predict_into(x, array(letter, [0] * 200))), steps)
        same(list(net.predict_into(x, array("f", [0] * 200))), [step / 2 for step in steps])
        raises(TypeError, "predict: expected a number, got str", net.predict, x[:150] + ["1"] + x[151:])


def test_nan_and_infinity_in_floats():
    net = load("image_float32")
    close(net.predict([nan] * 6), [nan, nan], 0)
    same(net.output_shape, (2,))


def test_predict_into_floats_or_the_outputs_own_type():
    net = load("image_int8")
    raw, answers = expected("image_int8")
    integers, floats = array("b", [0, 0]), array("f", [0, 0])
    net.predict_into(array("b", raw[3]), integers)
    net.predict_into(array("b", raw[3]), floats)
    same(list(integers), answers[3])
    close(list(floats), [(q - net.output_zero_point) * net.output_scale for q in answers[3]], 1e-6)
    view = memoryview(array("b", [9, 9, 9, 9]))
    net.predict_into(array("b", raw[3]), view[1:3])
    same(list(view), [9] + answers[3] + [9])
    view = memoryview(array("f", [9, 9, 9, 9]))
    net.predict_into(array("b", raw[3]), view[1:3])
    same([view[0], view[3]], [9, 9])
    same(list(view[1:3]), list(floats))


def test_predict_into_takes_no_heap():
    for name in ("small_float32", "small_int8", "small_int16"):
        net = load(name)
        x, out = array("f", FLOWER), array("f", [0, 0, 0])

        def predict():
            net.predict_into(x, out)  # noqa: B023
            net.predict_into(FLOWER, out)  # noqa: B023

        if anne.native:
            same(heap_used(predict), 0)
        close(list(net.predict_into(x, out)), net.predict(FLOWER), 1e-6)


# --- What the file tells


def test_attributes():
    net = load("small_int8")
    same(net.name, "small")
    same(net.labels, ["setosa", "versicolor", "virginica"])
    same(net.feature_names, ["sepal length", "sepal width", "petal length", "petal width"])
    same((net.input_shape, net.output_shape), ((4,), (3,)))
    same((net.input_dtype, net.output_dtype), ("float32", "int8"))
    same((net.input_scale, net.input_zero_point), (1, 0))
    same((net.output_scale, net.output_zero_point), (1 / 256, -128))  # of TensorFlow Lite's softmax
    same(net.nbytes, len(data_of("small_int8")))
    same(load("image_int8").input_shape, (2, 3))
    same(load("image_int8").input_dtype, "int8")


def test_print_shows_every_layer():
    lines = repr(load("small_int8")).split("\n")
    assert lines[0].startswith("small: %d bytes" % len(data_of("small_int8"))), lines[0]
    assert lines[0].endswith("native" if anne.native else "plain Python"), lines[0]
    same(lines[1].split(), ["layer", "kind", "activation", "shape", "kernel", "bytes", "MACs"])
    same(
        [line.split()[0] for line in lines[2:]],
        ["scaler", "hidden", "squashed", "squashed_tanh", "scores", "classes", "all"],
    )
    # hidden: 4 inputs, 5 units: 20 multiplications
    same(lines[3].split()[1:7], ["dense", "relu", "4", "->", "5", "s8_quad"])
    same(lines[3].split()[-1], "20")
    same(lines[-1].split()[-1], str(4 * 5 + 5 * 4 + 4 * 3))


def test_trace_shows_every_layers_values():
    net = load("small_float32")
    table = net.trace(FLOWER)
    same([row[0] for row in table], ["input", "scaler", "hidden", "squashed", "scores", "classes"])
    same(table[0][1], FLOWER)
    # x scale + offset: 5 0.5 - 1, 3.5 1 + 0, 1.5 2 + 0.5, 0.25 0.25 + 0.125
    same(table[1][1], [1.5, 3.5, 3.5, 0.1875])
    same([len(row[1]) for row in table], [4, 4, 5, 4, 3, 3])
    same(table[5][1], net.predict(FLOWER))


def test_profile_times_every_layer():
    table = load("small_int8").profile(FLOWER, 3)
    same(table.columns, ("layer", "us", "cycles/MAC"))
    same(len(table), 7)
    assert all(row[1] >= 0 for row in table)
    close(table[6][1], sum(row[1] for row in table[:6]), 1e-3)
    for repeat in (0, -1):
        text = "profile: repeat: expected at least 1, got %d" % repeat
        raises(ValueError, text, load("small_int8").profile, FLOWER, repeat)


# --- Lives


class Path:
    """What pathlib's paths have."""

    def __fspath__(self):
        return golden("small_int8.anne")


def test_a_path_of_pathlib():
    same(anne.load(Path()).predict(FLOWER), load("small_int8").predict(FLOWER))


def test_with_closes():
    with load("small_int8") as net:
        net.predict(FLOWER)
    raises(ValueError, "the model is closed", net.predict, FLOWER)


def test_a_closed_model_says_so():
    net = load("small_float32")
    net.close()
    net.close()
    out = array("f", [0, 0, 0])
    raises(ValueError, "the model is closed", net.predict, FLOWER)
    raises(ValueError, "the model is closed", net.predict_into, FLOWER, out)
    raises(ValueError, "the model is closed", net.classify, FLOWER)
    raises(ValueError, "the model is closed", net.trace, FLOWER)
    raises(ValueError, "the model is closed", net.profile, FLOWER)
    raises(ValueError, "the model is closed", net.selftest)
    # no exception: MicroPython prints what a thread held that ended with one, and falls over another
    same(repr(net), "small: closed")


def test_several_models_at_once():
    first, second = load("small_int8"), load("small_float32")
    a, b = first.predict(FLOWER), second.predict(FLOWER)
    third = load("small_int8")
    same(third.predict([0, 0, 0, 0]) == a, False)
    same(first.predict(FLOWER), a)
    same(second.predict(FLOWER), b)
    first.close()
    same(third.predict(FLOWER), a)


def test_the_bytes_may_be_dropped():
    data = bytearray(data_of("small_int8"))
    nets = [anne.load(data), anne.load(memoryview(data)), anne.load(bytes(data))]
    answers = [net.predict(FLOWER) for net in nets]
    del data
    gc.collect()
    litter = [bytearray(100) for _ in range(50)]
    same([net.predict(FLOWER) for net in nets], answers)
    del litter


def test_a_collection_between_any_two_calls():
    x = array("f", FLOWER)
    out = array("f", [0, 0, 0])
    answer = load("small_int8").predict(x)
    gc.collect()
    net = load("small_int8")
    gc.collect()
    net.predict_into(x, out)
    gc.collect()
    same(list(out), answer)
    predict = net.predict
    del net
    gc.collect()
    [bytearray(64) for _ in range(20)]
    same(predict(x), answer)


def test_bytes_at_an_odd_address():
    data = memoryview(b"\x00" + data_of("small_int8"))[1:]
    same(anne.load(data).predict(FLOWER), load("small_int8").predict(FLOWER))


def test_bytes_changed_after_loading():
    def told(net):
        rows = [list(row) for row in net.trace(FLOWER)]
        return (
            net.predict(FLOWER),
            net.classify(FLOWER),
            rows,
            repr(net),
            net.selftest(),
            net.labels,
            net.name,
        )

    data = bytearray(data_of("small_int8"))
    net = anne.load(data)
    before = told(net)
    for i in range(len(data)):
        data[i] = 0xFF
    same(told(net), before)


def test_copy():
    data = data_of("small_int8")
    same(anne.load(data, copy=True).predict(FLOWER), anne.load(data, copy=False).predict(FLOWER))
    same(anne.load(data, copy=True).copied, anne.native)


def test_a_file_that_was_copied_to_ram_is_read_as_it_was():
    # the Pico 2's core writes weights in another order there
    for name in ("small_int8", "joined_int8", "broad_int16", "convolved_int16"):
        data = data_of(name)
        net, other = anne.load(data, copy=True), anne.load(data, copy=True)
        net.selftest()
        same(net._core.read(0, len(data)) == data, True)
        net.selftest()
        other.selftest()
        same(data_of(name) == data, True)


def test_a_program_that_closes_the_model_while_it_reads():
    class Closes:
        def tolist(self):
            net.close()
            return FLOWER

    net = load("small_float32")
    raises(ValueError, "the model is closed", net.predict, Closes())


def test_a_program_that_changes_out_while_it_reads():
    class Changes:
        def tolist(self):
            out[0] = 5
            return FLOWER

    net = load("small_float32")
    out = array("f", [0, 0, 0])
    close(list(net.predict_into(Changes(), out)), net.predict(FLOWER), 1e-6)
