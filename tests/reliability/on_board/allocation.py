"""Lets every allocation of load, predict, predict_into and close fail once.

Prints the number of models, of allocations that failed, and of those that ended in a MemoryError: the others were
tried again, or only wanted to say more about an error.
"""

import os
import sys

from models import NAMES, arrays, free_bytes, load, raw

VARIABLE = "ANNE_FAILING_ALLOCATION"


def use(name, x, out):
    net = load(name)
    net.predict_into(x, out)
    y = net.predict(x)
    net.close()
    return y


def raises(name, x, out, y, number):
    """Return whether `use` ends in a MemoryError if an allocation fails; anything else must leave the result."""
    try:
        os.putenv(VARIABLE, number)
        assert use(name, x, out) == y, (name, number)
    except MemoryError:
        return True
    finally:
        os.putenv(VARIABLE, "0")
    return False


def failures(name):
    """Return how many allocations failed, and how many of those ended in a MemoryError."""
    net = load(name)
    x, out = arrays(net)
    net.close()
    y = use(name, x, out)
    expected = raw(out)
    for again in (False, True):  # what is done only once, as importing what tells of errors, is done first
        raised, before = 0, free_bytes()
        for n in range(len(NUMBERS)):
            raised += raises(name, x, out, y, NUMBERS[n])
            if os.getenv(VARIABLE) != "failed":
                break
            after = free_bytes()
            assert after == before or not again, (name, n, before - after)
            assert use(name, x, out) == y and raw(out) == expected, (name, n)
    assert n < len(NUMBERS) - 1, "more allocations than numbers"
    return n, raised


NUMBERS = [str(i + 1) for i in range(3000)]
names = sys.argv[1:] or NAMES
found = [failures(name) for name in names]
print(len(names), sum(n for n, _ in found), sum(raised for _, raised in found))
