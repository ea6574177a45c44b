"""What tests of `anne` share on every Python: exceptions by type and text, numbers with a stated bound, heap used."""

import gc

nan = float("nan")
inf = float("inf")


class Skip(Exception):
    """Raised by a test that has nothing to say on this backend."""


def raises(kind, text, function, *arguments, **keywords):
    """Assert that function(*arguments, **keywords) raises an exception of that very type and text.

    A text that ends in "..." or begins with it leaves that end open: for words that belong to the interpreter.
    """
    try:
        result = function(*arguments, **keywords)
    except Exception as error:
        if type(error) is not kind:
            raise
        got = str(error.args[0]) if error.args else ""
        assert matches(got, text), "expected %s: %s\n     got %s" % (kind.__name__, text, got)
        return
    raise AssertionError("expected %s: %s\n     got no exception but %r" % (kind.__name__, text, result))


def matches(got, text):
    if text.startswith("..."):
        return text[3:] in got
    return got.startswith(text[:-3]) if text.endswith("...") else got == text


def close(got, expected, bound):
    """Assert that two numbers, or lists of equal structure, differ by at most `bound`; NaN is close to NaN only."""
    assert is_close(got, expected, bound), "expected %s within %s\n     got %s" % (expected, bound, got)


def is_close(got, expected, bound):
    if isinstance(expected, (list, tuple)):
        if len(got) != len(expected):
            return False
        return all(is_close(g, e, bound) for g, e in zip(got, expected))
    if expected != expected:
        return got != got
    return got == expected or abs(got - expected) <= bound  # the first for infinities


def same(got, expected):
    """Assert equality, with the values in the message."""
    assert got == expected, "expected %r\n     got %r" % (expected, got)


def heap_used(function, *arguments, **keywords):
    """Return the bytes of heap that a call takes and leaves behind as garbage; 0 on CPython, which cannot tell."""
    function(*arguments, **keywords)  # what is done only once
    if not hasattr(gc, "mem_alloc"):
        return 0
    gc.disable()
    before = gc.mem_alloc()
    function(*arguments, **keywords)
    after = gc.mem_alloc()
    gc.enable()
    return after - before


def needs_heap(n_bytes):
    """Skip a test where less is free than it takes: on stock firmware package and module lie in the heap."""
    gc.collect()
    if hasattr(gc, "mem_free") and gc.mem_free() < n_bytes:
        raise Skip("takes %d KB of heap: the native module lies in it there" % (n_bytes // 1000))


def needs_piece(n_bytes):
    """Skip a test where the heap has no piece as large as it takes, as `needs_heap`."""
    gc.collect()
    try:
        found = bool(bytearray(n_bytes))
    except MemoryError:
        found = False
    if not found:
        raise Skip("takes %d KB of heap in one piece: the native module lies in it there" % (n_bytes // 1000))


def golden(name, folder="models"):
    """Return the path of a file of tests/golden/FOLDER on this backend."""
    import os

    golden = os.getenv("ANNE_GOLDEN") if hasattr(os, "getenv") else None
    return (golden or "/golden/") + folder + "/" + name
