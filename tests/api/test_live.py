"""anne.stream: one line of JSON a row, the same numbers as predict, trace and classify give, on every backend."""

import json

import anne
from check import close, golden, inf, nan, raises, same

ROWS = [[5.0, 3.5, 1.5, 0.25], [6.5, 3.0, 5.5, 2.0]]


def frames(source, **settings):
    """What a stream of the golden model small_float32 writes, a dict a line."""
    net, lines = anne.load(golden("small_float32.anne")), []
    anne.stream(net, source, 1000, write=lines.append, **settings)
    return net, [json.loads(line) for line in lines]


def test_a_line_has_every_value():
    net, lines = frames(ROWS)
    same(len(lines), 2)
    for line, row in zip(lines, ROWS):
        close(line["x"], row, 1e-6)
        traced = [values for _, values in net.trace(row)]
        close(line["layers"], traced[1:], 1e-6)  # as many digits as JSON has
        close(line["layers"][-1], net.predict(row), 1e-6)
        same(line["answer"], net.classify(row)[0])
        assert line["us"] >= 0


def test_a_function_is_asked_until_it_has_none():
    rows = iter(ROWS + [None])
    same(len(frames(lambda: next(rows))[1]), 2)


def test_a_generator_gives_rows():
    same(len(frames(row for row in ROWS)[1]), 2)


def test_what_is_no_row_of_this_network():
    net = anne.load(golden("small_float32.anne"))
    raises(ValueError, "...expected 4", anne.stream, net, [[1.0, 2.0]], write=print)


def test_hz_out_of_range():
    net = anne.load(golden("small_float32.anne"))
    for hz in (0, -1, 1001, "20", nan):
        raises(
            ValueError, "stream: hz: expected a number from 0.01 to 1000, got ...", anne.stream, net, ROWS, hz
        )


def test_what_gives_no_rows():
    net = anne.load(golden("small_float32.anne"))
    text = "stream: source: expected a list of rows, what gives rows, or a function, got 5"
    raises(ValueError, text, anne.stream, net, 5)


def test_nan_and_infinities_are_null_as_json_has_no_word_for_them():
    _, (line,) = frames([[nan, inf, -inf, 1.0]])
    same(line["x"], [None, None, None, 1.0])
    same(line["layers"][-1], [None, None, None])  # each sums a NaN
    same(line["answer"], None)


def test_a_network_that_keeps_something_takes_each_row_once():
    net, lines = anne.load(golden("listening_float32.anne")), []
    shape = net.input_shape
    n = 1
    for size in shape:
        n *= size
    rows = [[(7 * i + 5 * row) % 11 / 8 - 0.5 for i in range(n)] for row in range(6)]
    anne.stream(net, rows, 1000, write=lines.append)
    net.reset()
    for row, line in zip(rows, lines):
        close(json.loads(line)["layers"][-1], net.predict(row), 1e-5)


def test_ctrl_c_in_the_middle_leaves_whole_lines():
    def interrupted():
        yield ROWS[0]
        raise KeyboardInterrupt

    net, lines = anne.load(golden("small_float32.anne")), []
    try:
        anne.stream(net, interrupted(), 1000, write=lines.append)
        raise AssertionError("it went on")
    except KeyboardInterrupt:
        pass
    close(json.loads(lines[0])["x"], ROWS[0], 1e-6)


def test_what_is_no_network():
    for net, kind in ((None, "NoneType"), ("net.anne", "str")):
        text = "stream: expected a network that load gave, got " + kind
        raises(ValueError, text, anne.stream, net, [[1.0, 2.0]], write=print)
