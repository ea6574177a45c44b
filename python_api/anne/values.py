"""Values into and out of a model, for both cores: what is one sample, what are several, and where an answer may go."""

from array import array

from .reference import _NUMBERS, _SEQUENCES, _numbers, _plain, _sequence
from .texts import harmless, listed

_ARRAYS = (array, bytes, bytearray, memoryview)

# --- One input -------------------------------------------------------------------------------------------------------


def samples(x, shape, what="predict"):
    """Return one sample, x, as a flat list of floats; or, if x is a list of samples, a tuple of them.

    One sample are as many numbers as `shape` has, in one list, or in lists nested as `shape` is. Any other list of
    lists is a list of samples, whose shapes are looked at here, their numbers by `sample` when they are used.
    ValueError for another shape, TypeError for what are not numbers.
    """
    x = _sequence(x, what)
    if not _nested(x) or _flattened(x, shape) is not None:
        return sample(x, shape, what)
    rows, size = [], _size(shape)
    for row in x:
        # as it is if it is flat: an array of integers may be the model's own
        if not isinstance(row, _SEQUENCES) or len(row) != size or _nested(row):
            row = sample(row, shape, "%s: row %d" % (what, len(rows)))
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


# --- Several inputs: `inputs` are (name, shape) of each, in the order of the file ------------------------------------


def samples_of_inputs(x, inputs):
    """Return one sample, a list with an entry an input; or, if the entries hold several each, a tuple of such lists.

    x is a list with an entry an input, or a dict of them by name; an entry is what `samples` takes. Their shapes are
    looked at here, their numbers by `sample_of_input` when they are used.
    ValueError for inputs that are missing or too many, else as `samples`, and it tells which input.
    """
    entries = _entries(x, inputs, samples)
    counts = [len(entry) if isinstance(entry, tuple) else 0 for entry in entries]
    for i in range(1, len(counts)):
        if counts[i] != counts[0]:
            what = _counted(counts[0]), harmless(inputs[i][0]), harmless(inputs[0][0]), _counted(counts[i])
            raise ValueError("predict: expected %s of %s, as of %s, got %s" % what)
    return tuple([list(row) for row in zip(*entries)]) if counts[0] else entries


def _counted(n):
    return "a list of %d samples" % n if n else "one sample"


def sample_of_inputs(x, inputs):
    """Return one sample as a list with an entry an input; ValueError for several."""
    return _entries(x, inputs, sample)


def sample_of_input(x, name, shape):
    """Return one entry of a sample as a flat list of floats."""
    return sample(x, shape, "predict: " + harmless(name))


def _entries(x, inputs, read):
    entries = []
    for entry, (name, shape) in zip(_in_order(x, inputs), inputs):
        # an array as it is if it is flat: it may be of the input's own type
        if not isinstance(entry, _ARRAYS) or len(entry) != _size(shape):
            entry = read(entry, shape, "predict: " + harmless(name))
        entries.append(entry)
    return entries


def _in_order(x, inputs):
    # the entries in the order of the inputs
    names = [name for name, _ in inputs]
    if isinstance(x, dict):
        wrong = [name + " missing" for name in names if name not in x]
        wrong += ["%s unknown" % (name,) for name in x if name not in names]
        x = x if wrong else [x[name] for name in names]
    else:
        x = _plain(x)
        if not isinstance(x, _SEQUENCES):
            kind = type(x).__name__
            raise TypeError("predict: expected a list or dict of inputs %s, got %s" % (listed(names), kind))
        wrong = [name + " missing" for name in names[len(x) :]]
        if len(x) > len(names):
            wrong = ["got %d" % len(x)]
    if wrong:
        raise ValueError("predict: expected inputs %s; %s" % (listed(names), listed(wrong)))
    return x


# --- Where an answer goes --------------------------------------------------------------------------------------------


def typecode(x):
    """Return the letter of an array, or of a memoryview where Python tells it (MicroPython does not), else ""."""
    if isinstance(x, memoryview):
        return getattr(x, "format", "")
    return repr(x[:0])[7] if isinstance(x, array) else ""


def refuse_out(out, size, letter, name=None):
    """Raise the TypeError that tells what `out` must be for an output of `size` values of type `letter`.

    `name` is that of the output, where there are several.
    """
    what = "predict_into: out" + (": " + harmless(name) if name else "")
    wanted = "array('f')" if letter == "f" else "array('f') or array('%s')" % letter
    code = typecode(out) if isinstance(out, array) else ""
    got = type(out).__name__ + ("('%s') of %d" % (code, len(out)) if code else "")
    raise TypeError("%s: expected a writable %s of %d, got %s" % (what, wanted, size, got))


def refuse_outs(out, names):
    """Raise the TypeError that tells that `out` must be a list with an array for each output; `names` are theirs."""
    got = len(out) if isinstance(out, (list, tuple)) else type(out).__name__
    raise TypeError("predict_into: out: expected a list of arrays for %s, got %s" % (listed(names), got))
