"""Values into and out of a model, for both cores: what is one sample, what are several, and where an answer may go."""

from array import array

from .reference import _NUMBERS, _SEQUENCES, _numbers, _plain, _sequence


def samples(x, shape):
    """Return one sample, x, as a flat list of floats; or, if x is a list of samples, a tuple of them.

    One sample are as many numbers as `shape` has, in one list, or in lists nested as `shape` is. Any other list of
    lists is a list of samples, whose shapes are looked at here, their numbers by `sample` when they are used.
    ValueError for another shape, TypeError for what are not numbers.
    """
    x = _sequence(x, "predict")
    if not _nested(x) or _flattened(x, shape) is not None:
        return sample(x, shape)
    rows, size = [], _size(shape)
    for row in x:
        # as it is if it is flat: an array of integers may be the model's own
        if not isinstance(row, _SEQUENCES) or len(row) != size or _nested(row):
            row = sample(row, shape, "predict: row %d" % len(rows))
        rows.append(row)
    return tuple(rows)


def sample(x, shape, what="predict"):
    """Return one sample as a flat list of floats; ValueError and TypeError as above, and they begin with `what`."""
    x = _sequence(x, what)
    values = _flattened(x, shape) if _nested(x) else x
    if values is not None:
        values = _numbers(values, what)
    if values is None or len(values) != _size(shape):
        raise ValueError("%s: expected %s inputs, got %s" % (what, _shown(shape), _found(x, shape)))
    return values


def _nested(x):
    return len(x) > 0 and not isinstance(x[0], _NUMBERS) and isinstance(_plain(x[0]), _SEQUENCES)


def _size(shape):
    size = 1
    for n in shape:
        size *= n
    return size


def _flattened(x, shape):
    # the numbers of lists that are nested exactly as `shape` is, else None
    level = [x]
    for n in shape:
        below = []
        for part in level:
            part = _plain(part)
            if not isinstance(part, _SEQUENCES) or len(part) != n:
                return None
            below.extend(part)
        level = below
    return None if _nested(level) else level


def _found(x, shape):
    # the shape of x as far as its first elements tell, and no deeper than is needed to see that it is another
    found, x = [], _plain(x)
    while isinstance(x, _SEQUENCES) and len(found) <= len(shape):
        found.append(len(x))
        x = _plain(x[0]) if len(x) else None
    return _shown(found) if tuple(found) != tuple(shape) else "lists of unlike length"


def _shown(shape):
    return "x".join([str(n) for n in shape])


def typecode(x):
    """Return the letter of an array, or of a memoryview where Python tells it (MicroPython does not), else ""."""
    if isinstance(x, memoryview):
        return getattr(x, "format", "")
    return repr(x[:0])[7] if isinstance(x, array) else ""


def refuse_out(out, size, letter):
    """Raise the TypeError that tells what `out` must be for an output of `size` values of type `letter`."""
    wanted = "array('f')" if letter == "f" else "array('f') or array('%s')" % letter
    code = typecode(out) if isinstance(out, array) else ""
    got = type(out).__name__ + ("('%s') of %d" % (code, len(out)) if code else "")
    raise TypeError("predict_into: out: expected a writable %s of %d, got %s" % (wanted, size, got))
