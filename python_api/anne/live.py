"""What a network says while it runs, line by line, for whoever follows it: a page, a plot, a program on a PC."""

import json
import time

from .checks import expect, refuse, within

try:
    from time import sleep_us, ticks_add, ticks_diff, ticks_us
except ImportError:  # a PC
    from .reference_model import ticks_diff, ticks_us

    def ticks_add(ticks, us):
        return ticks + us

    def sleep_us(us):
        time.sleep(us / 1000000)


def stream(net, source, hz=20, write=print):
    """Write a line of JSON for each row of `source`, `hz` times a second, until it ends.

    net: a Model of one input; source: a list of rows, anything that gives rows one after another, or a function that
    reads a sensor and returns a row, and None at the end; hz: 0.01 to 1000, as many rows a second or, where they take
    longer, as many as can be; write: is called with each line.
    A line is {"x": the row, "layers": every layer's values, "answer": the class where the network has labels,
    "us": microseconds of a prediction, or of all this where the network keeps something from row to row}. What is NaN
    or infinite, and the class of NaN, is null. Ctrl-C ends it, too, with KeyboardInterrupt.
    ValueError for what is no network, a row that is none of this one, hz out of range, and what gives no rows.
    """
    expect(hasattr(net, "_core"), "stream", "a network that load gave", type(net).__name__)
    within(hz, 0.01, 1000, "stream: hz")
    core, rows, step = net._core, _rows(source), int(1000000 / hz)
    has_answer = net.labels and len(core.outputs) == 1
    # its next prediction is another: there is only one for each row
    keeps = any(core.layer(i).kind == "delay" for i in range(core.n_layers))
    due = ticks_us()
    for row in rows:
        start = ticks_us()
        if not keeps:
            net.predict(row)
            us = ticks_diff(ticks_us(), start)
        values = [_told(values) for _, values in net.trace(row)]
        if keeps:
            us = ticks_diff(ticks_us(), start)
        frame = {"x": values[0], "layers": values[1:], "us": us}
        if has_answer:
            y = core.values(core.outputs[0])
            frame["answer"] = None if any(v != v for v in y) else net._class(y, "stream")[0]
        write(json.dumps(frame))
        due = ticks_add(due, step)
        left = ticks_diff(due, ticks_us())
        if left < -step:  # it cannot keep up: what was missed is not made up for
            due = ticks_us()
        elif left > 0:
            time.sleep(left // 1000 / 1000)
            sleep_us(max(0, ticks_diff(due, ticks_us())))


def _rows(source):
    if callable(source):
        return _asked(source)
    try:
        return iter(source)
    except TypeError:
        refuse("stream: source", "a list of rows, what gives rows, or a function", repr(source)[:60])


def _asked(source):
    # the rows that a function gives, up to None; MicroPython's iter() takes no function
    row = source()
    while row is not None:
        yield row
        row = source()


def _told(values):
    # JSON has no word for NaN and infinities
    return [v if v - v == 0 else None for v in values]
