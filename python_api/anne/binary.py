"""What kinds with two operands share (FORMAT.md, "Two operands"): one may be a constant, shapes are broadcast."""

from .checks import (
    check_activation,
    check_bytes,
    check_counts,
    check_floats,
    check_limits,
    check_tensors,
    refuse,
)
from .tensors import MAX_ELEMENTS

# which operand a constant is, its zero point and its shape, behind the kind's own parameters
_WORDS = 6


def check(layer, n_parameters):
    """ValueError unless operands, output and activation fit, for a kind with that many parameters on integers."""
    constant = len(layer.inputs) == 1 and len(layer.constants) == 1
    check_tensors(layer, 1 if constant else 2)
    x, y = layer.inputs[0], layer.outputs[0]
    n_parameters = 0 if x.dtype == "float32" else n_parameters
    check_counts(layer, int(constant), n_parameters + (_WORDS if constant else 0))
    for other in layer.inputs[1:] + layer.outputs:
        if other.dtype != x.dtype:
            refuse(layer.where, "tensors of %s" % x.dtype, other.dtype)
    if constant:
        _check_words(layer)
    a, b = shapes(layer)
    expected = broadcast(a, b)
    if expected is None:
        refuse(layer.where, "shapes that fit each other", "%s and %s" % (a, b))
    if y.shape != expected:
        refuse(layer.where, "an output of shape %s" % (expected,), "%s" % (y.shape,))
    if constant:
        size = 1
        for n in layer.parameters[-4:]:
            size *= n
        if x.letter == "f":
            check_floats(layer, 0, size, "constant")
        else:
            check_bytes(layer, 0, size * x.itemsize, "constant")
    check_activation(layer)


def _check_words(layer):
    first, zero_point = layer.parameters[-_WORDS:-4]
    room = MAX_ELEMENTS
    for n in layer.parameters[-4:]:
        if not 1 <= n <= room:
            refuse(layer.where, "a constant of 1 to %d elements" % MAX_ELEMENTS, layer.parameters[-4:])
        room //= n
    least, most = (-128, 127) if layer.inputs[0].dtype == "int8" else (0, 0)
    if first not in (0, 1) or not least <= zero_point <= most:
        wanted = "operand 0 or 1 and a zero_point of %d to %d" % (least, most)
        refuse(layer.where, wanted, "%d and %d" % (first, zero_point))


def shapes(layer):
    """Return the shapes of a and b."""
    found = [x.shape for x in layer.inputs]
    if len(found) == 1:
        shape = layer.parameters[-4:]
        while len(shape) > 1 and shape[0] == 1:
            shape = shape[1:]
        found.insert(layer.parameters[-_WORDS], shape)
    return found


def broadcast(a, b):
    """Return the shape of what is made of operands of shapes a and b; None if an axis has neither one length nor 1."""
    if len(a) < len(b):
        a, b = b, a
    made = a[: len(a) - len(b)]
    for n, m in zip(a[len(made) :], b):
        if n != m and 1 not in (n, m):
            return None
        made += (m if n == 1 else n,)
    return made


def check_factor(layer, at, what, wanted, least, most, largest):
    """ValueError unless multiplier and shift, parameters `at` and the next, are 0 or more and least to most.

    The multiplier is at most `largest` with the greatest shift.
    """
    multiplier, shift = layer.parameters[at : at + 2]
    if multiplier < 0 or not least <= shift <= most or (shift == most and multiplier > largest):
        wanted = "a factor of %s of 0 to %s and a shift of %d to %d" % (what, wanted, least, most)
        refuse(layer.where, wanted, "%d and %d" % (multiplier, shift))


def check_sum(layer):
    """The check of add and subtract."""
    check(layer, 8)
    if layer.inputs[0].dtype != "float32":
        # factors of at most 1/2 for a and b: then no sum of both leaves 32 bits
        check_factor(layer, 0, "a", "1/2", -31, 0, 1 << 30)
        check_factor(layer, 2, "b", "1/2", -31, 0, 1 << 30)
        check_factor(layer, 4, "a + b", "1", -31, 0, 0x7FFFFFFF)
        check_limits(layer, 6)
