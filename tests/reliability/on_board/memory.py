"""What models do with the heap: `heap_locked`, `leaks` and `collections` print how much they tried."""

import gc
import sys
from array import array

import anne
from models import NAMES, arrays, data_of, each, free_bytes, load, raw

from micropython import heap_lock, heap_unlock


def heap_locked(names):
    """Run predict_into with a heap that gives nothing; print the models and the kinds of arguments."""
    kinds = 0
    for name in names:
        net = load(name)
        x, out = arrays(net)
        expected = raw(net.predict_into(x, out))
        ways = _ways(net, x, out)
        heap_lock()
        try:
            for i in range(len(ways)):
                net.predict_into(ways[i][0], ways[i][1])
            net.reset()  # a stream begins again
        finally:
            heap_unlock()
        net.predict_into(x, out)
        assert raw(out) == expected, name
        kinds = max(kinds, len(ways))
    print(len(names), kinds)


def _ways(net, x, out):
    # arrays, what looks into them, arrays of floats, lists; several inputs also as a tuple and by name
    ways = [(x, out), (each(memoryview, x), each(memoryview, out)), (each(_floats, x), each(_floats, out))]
    ways.append((each(list, x), out))
    if isinstance(x, list):
        names = [port.name for port in net.inputs]
        ways += [(tuple(x), out), ({names[i]: x[i] for i in range(len(x))}, out)]
    return ways


def _floats(values):
    return array("f", values)


def leaks(names, predictions, loads):
    """Predict, load and close, and fail to load, again and again; the heap is as free as before.

    What is done only once, and what looks like a pointer on the stack, settles in a round or two; a leak never does.
    """
    for name in names:
        free = [0]
        while len(free) < 6:
            _again(name, predictions, loads)
            free.append(free_bytes())
            if free[-1] == free[-2]:
                break
        assert free[-1] == free[-2], (name, free)
    print(len(names), predictions, loads)


def _again(name, predictions, loads):
    data, net = data_of(name), load(name)
    broken = [data[:-4], b"", data[:20] + b"\xff" + data[21:], bytes(len(data))]
    x, out = arrays(net)
    for _ in range(predictions):
        net.predict_into(x, out)
        net.predict(x)
    for i in range(loads):
        anne.load(data).close()
        load(name)
        _refused(broken[i % len(broken)])


def _refused(data):
    try:
        anne.load(data)
    except ValueError:
        return
    raise AssertionError("a broken file was loaded")


def collections(names):
    """Collect between any two calls and at every allocation, the file's bytes dropped; the results stay."""
    for name in names:
        net = load(name)
        x, out = arrays(net)
        y = net.predict(x)
        net.reset()  # a stream begins again
        expected = raw(net.predict_into(x, out))
        for kind in (bytes, bytearray, memoryview):
            for threshold in (-1, 1):
                gc.threshold(threshold)
                _collected(kind(data_of(name)), x, y, expected)
                gc.threshold(-1)
    print(len(names), 6)


def _collected(data, x, y, expected):
    net = anne.load(data)
    del data
    gc.collect()
    litter = [bytearray(b"\xff" * 40) for _ in range(30)]
    out = arrays(net)[1]
    for _ in range(3):
        gc.collect()
        net.reset()
        net.predict_into(x, out)
        gc.collect()
        assert raw(out) == expected, net.name
        net.reset()
        assert net.predict(x) == y, net.name
    net.reset()
    predict = net.predict
    del net, litter
    gc.collect()
    assert predict(x) == y


if __name__ == "__main__":
    what, numbers = sys.argv[1], [int(n) for n in sys.argv[2:]]
    globals()[what](NAMES, *numbers)
