"""What a network says while it runs, line by line, for whoever follows it: a page, a plot, a program on a PC."""

import json
import time

try:
    from time import ticks_diff, ticks_us
except ImportError:
    from .reference_model import ticks_diff, ticks_us  # of a PC

from .checks import within


def stream(net, source, hz=20, write=print):
    """Write a line of JSON for each row of `source`, `hz` times a second, until it ends.

    net: a Model of one input; source: a list of rows, anything that gives rows one after another, or a function that
    reads a sensor and returns a row, and None at the end; hz: 0.01 to 1000, as many rows a second or, where they take
    longer, as many as can be; write: is called with each line.
    A line is {"x": the row, "layers": every layer's values, "answer": the class where the network has labels,
    "us": microseconds of a prediction}. Ctrl-C ends it, too, with KeyboardInterrupt.
    ValueError for a row that is none of this network, or hz out of range.
    """
    within(hz, 0.01, 1000, "stream: hz")
    rows = _asked(source) if callable(source) else source
    step = int(1000000 / hz)
    began = ticks_us()
    for row in rows:
        start = ticks_us()
        net.predict(row)
        us = ticks_diff(ticks_us(), start)
        values = [values for _, values in net.trace(row)]
        frame = {"x": values[0], "layers": values[1:], "us": us}
        if net.labels:
            frame["answer"] = net.classify(row)[0]
        write(json.dumps(frame))
        left = step - ticks_diff(ticks_us(), began)
        if left > 0:
            time.sleep(left / 1000000)
        began = ticks_us()


def _asked(source):
    # the rows that a function gives, up to None; MicroPython's iter() takes no function
    row = source()
    while row is not None:
        yield row
        row = source()
