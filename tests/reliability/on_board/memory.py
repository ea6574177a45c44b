"""What models do with the heap: `heap_locked`, `leaks` and `collections` print how much they tried."""

import gc
import sys
from array import array

import anne
from models import LETTERS, NAMES, arrays, data_of, free_bytes, load

from micropython import heap_lock, heap_unlock


def heap_locked(names):
    """Run predict_into with a heap that gives nothing; print the models and the kinds of arguments."""
    for name in names:
        net = load(name)
        x, out = arrays(net)
        floats = array("f", x), array("f", out)
        expected = bytes(net.predict_into(x, out))
        views = memoryview(x), memoryview(out)
        numbers = list(x)
        heap_lock()
        try:
            net.predict_into(x, out)
            net.predict_into(views[0], views[1])
            net.predict_into(floats[0], floats[1])
            net.predict_into(numbers, out)
        finally:
            heap_unlock()
        net.predict_into(x, out)
        assert bytes(out) == expected, name
    print(len(names), 4)


def leaks(names, predictions, loads):
    """Predict, load and close, and fail to load, again and again; the heap is as free as before."""
    for name in names:
        _again(name, 50, 10)  # what is done only once is done first
        before = free_bytes()
        _again(name, predictions, loads)
        after = free_bytes()
        assert after == before, (name, before - after)
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
        y, expected = net.predict(x), bytes(net.predict_into(x, out))
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
    out = array(LETTERS[net.output_dtype], [0] * len(y))
    for _ in range(3):
        gc.collect()
        net.predict_into(x, out)
        gc.collect()
        assert bytes(out) == expected, net.name
        assert net.predict(x) == y, net.name
    predict = net.predict
    del net, litter
    gc.collect()
    assert predict(x) == y


if __name__ == "__main__":
    what, numbers = sys.argv[1], [int(n) for n in sys.argv[2:]]
    globals()[what](NAMES, *numbers)
