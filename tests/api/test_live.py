"""anne.stream: one line of JSON a row, the same numbers as predict, trace and classify give, on every backend."""

import json

import anne
from check import close, golden, raises, same

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
    for hz in (0, -1, 1001, "20", float("nan")):
        raises(
            ValueError, "stream: hz: expected a number from 0.01 to 1000, got ...", anne.stream, net, ROWS, hz
        )
