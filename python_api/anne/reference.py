"""AI-ANNE in plain Python: the meaning of every function, written to be read.

These are the functions of AI-ANNE ("(A) (N)eural (N)et for (E)xploration", D. Klinkhammer, arXiv 2501.03256), by the
same names and with the same order of arguments. They run on any Python: MicroPython on a Pico, CPython on a PC. The
native module `_anne` computes the same values faster; whatever it does not understand (a wrong length, a string, an
unusual type) it hands over to the functions here. So this file also decides what is an error and what it says.

A matrix is a list of rows. `x` is features by samples, x[feature][sample], as AI-ANNE has it; one sample may be given
as the plain list of its features. `weights` are units by features, one row a unit.
"""

import math
from array import array

_SEQUENCES = (list, tuple, array, bytes, bytearray, memoryview)
_NUMBERS = (int, float, bool)  # in MicroPython a bool is no int


# --- Activations of one number ---------------------------------------------------------------------------------------
# Each is right for every finite number and for +-inf; NaN in, NaN out: comparisons let NaN fall through.


_LEAST = 2.0**-126  # the least normal float32: what is nearer to 0 counts as 0


def _exp(v, alpha=0.0):
    # On a Pico floats have 32 bits and math.exp raises above 88.7228, where the result no longer fits.
    return math.exp(v) if not v > 88.722832 else math.inf


def _linear(v, alpha):
    return v


def _relu(v, alpha):
    return 0.0 if v < 0 else v


def _relu6(v, alpha):
    return 0.0 if v < 0 else 6.0 if v > 6 else v


def _leaky_relu(v, alpha):
    return alpha * v if v < 0 else v


def _elu(v, alpha):
    return alpha * math.expm1(v) if v < 0 else v


def _sigmoid(v, alpha):
    # 1 / (1 + e^-v), but with e^-|v|, which cannot overflow
    e = _exp(-abs(v))
    return (e if v < 0 else 1.0) / (1.0 + e)


def _hard_sigmoid(v, alpha):
    # relu6(v + 3) / 6, as Keras 3 and PyTorch define it
    return _relu6(v + 3, alpha) / 6


def _tanh(v, alpha):
    # tanh(10) is 1 to 9 digits: no need to ask libm, which raises for large v where floats have 32 bits
    return 1.0 if v > 10 else -1.0 if v < -10 else math.tanh(v)


def _softplus(v, alpha):
    # ln(1 + e^v) = max(v, 0) + ln(1 + e^-|v|); for small e, ln(1 + e) = e - e^2/2 keeps its digits
    e = _exp(-abs(v))
    return _relu(v, alpha) + (math.log(1 + e) if e > 0.001 else e - e * e / 2)


def _swish(v, alpha):
    return -0.0 if v == -math.inf else v * _sigmoid(v, alpha)


def _hard_swish(v, alpha):
    return -0.0 if v == -math.inf else v * _hard_sigmoid(v, alpha)


def _gelu(v, alpha):
    # v times the normal distribution's share below v (Hendrycks and Gimpel, arXiv 1606.08415)
    return -0.0 if v == -math.inf else 0.5 * v * (1 + math.erf(v * 0.7071067811865476))


def _log(v, alpha):
    if v < _LEAST:
        return math.nan if v <= -_LEAST else -math.inf
    return math.log(v) if v < math.inf else v


def _sqrt(v, alpha):
    if v < _LEAST:
        return math.nan if v <= -_LEAST else v * 0
    return math.sqrt(v) if v < math.inf else v


def _rsqrt(v, alpha):
    root = _sqrt(v, alpha)
    return math.copysign(math.inf, v) if root == 0 else 1 / root


def _softmax(values, is_log):
    # e^v / sum of e^v, or its logarithm; shifted by the maximum no exponential can overflow, and the result is the same
    top = values[0]
    for v in values:
        top = v if v > top else top
    exponentials = [_exp(v - top) for v in values]
    total = 0.0
    for e in exponentials:
        total += e
    if is_log:
        # total is 0 or NaN where the maximum is no number, or infinite
        shift = math.log(total) if 0 < total < math.inf else math.nan
        return [v - top - shift for v in values]
    return [e / total for e in exponentials]


# name, function of one value and alpha, default alpha. The order gives the numbers in a model file (FORMAT.md).
_ACTIVATION_TABLE = (
    ("linear", _linear, 0.0),
    ("relu", _relu, 0.0),
    ("relu6", _relu6, 0.0),
    ("leaky_relu", _leaky_relu, 0.01),
    ("elu", _elu, 1.0),
    ("sigmoid", _sigmoid, 0.0),
    ("hard_sigmoid", _hard_sigmoid, 0.0),
    ("tanh", _tanh, 0.0),
    ("softplus", _softplus, 0.0),
    ("swish", _swish, 0.0),
    ("hard_swish", _hard_swish, 0.0),
    ("gelu", _gelu, 0.0),
    ("softmax", None, 0.0),
    ("log_softmax", None, 0.0),
    ("exp", _exp, 0.0),
    ("log", _log, 0.0),
    ("sqrt", _sqrt, 0.0),
    ("rsqrt", _rsqrt, 0.0),
    ("abs", lambda v, alpha: abs(v), 0.0),
    ("negative", lambda v, alpha: -v, 0.0),
    ("square", lambda v, alpha: v * v, 0.0),
)
ACTIVATIONS = tuple(name for name, _, _ in _ACTIVATION_TABLE)


def activate(activation, values, alpha=None):
    """Return the list of activation(v) for v in `values`, floats; softmax and log_softmax over all of them.

    `alpha` is the slope of leaky_relu (0.01) or the scale of elu (1.0); None takes that default.
    ValueError for an unknown activation.
    """
    for name, function, default_alpha in _ACTIVATION_TABLE:
        if name == activation:
            if function is None:
                return _softmax(values, name != "softmax")
            alpha = default_alpha if alpha is None else alpha
            return [function(v, alpha) for v in values]
    raise ValueError("unknown activation %r; known: %s" % (activation, ", ".join(ACTIVATIONS)))


# --- What counts as a number, a list, a matrix -----------------------------------------------------------------------


def _plain(x):
    # a list, or a number, of what has a type of its own: array.array on a PC, NumPy, ulab
    return x.tolist() if hasattr(x, "tolist") else x


def _sequence(x, what):
    x = _plain(x)
    if not isinstance(x, _SEQUENCES):
        raise TypeError("%s: expected a list of numbers, got %s" % (what, type(x).__name__))
    return x


def _number(v, what):
    if not isinstance(v, _NUMBERS):
        kind, v = type(v).__name__, _plain(v)
        if not isinstance(v, _NUMBERS):
            raise TypeError("%s: expected a number, got %s" % (what, kind))
    try:
        return float(v)
    except OverflowError:
        return math.inf if v > 0 else -math.inf


def _numbers(x, what):
    return [_number(v, what) for v in _sequence(x, what)]


def _length(got, expected, what, things):
    if got != expected:
        raise ValueError("%s: expected %d %s, got %d" % (what, expected, things, got))


def _is_matrix(x):
    return len(x) > 0 and not isinstance(_plain(x[0]), _NUMBERS + (str,))


def _rows(x, what, things):
    rows = [_numbers(row, what) for row in x]
    for row in rows:
        _length(len(row), len(rows[0]), what, things)
    return rows


def _samples(x, what):
    # features by samples, or one sample's features -> list of samples, and whether it was just one
    x = _sequence(x, what)
    if _is_matrix(x):
        rows = _rows(x, what, "samples in each row of x")
        samples, single = [list(sample) for sample in zip(*rows)], False
    else:
        samples, single = [_numbers(x, what)], True
    if not samples or not samples[0]:
        raise ValueError("%s: x is empty" % what)
    return samples, single


def _weights(w, n_out, n_in, what):
    # units by features, nested or flat -> list of rows
    w = _sequence(w, what)
    if _is_matrix(w):
        _length(len(w), n_out, what, "rows of weights")
        rows = [_numbers(row, what) for row in w]
        for row in rows:
            # the other way round: that many weights want that many inputs
            _length(n_in, len(row), what, "inputs")
        return rows
    flat = _numbers(w, what)
    if len(flat) != n_out * n_in:
        raise ValueError(
            "%s: expected %d weights (%d units x %d inputs), got %d"
            % (what, n_out * n_in, n_out, n_in, len(flat))
        )
    return [flat[r * n_in : (r + 1) * n_in] for r in range(n_out)]


def _takes_floats(out):
    # MicroPython's arrays do not tell their type code or whether they can be written: try it, and undo it.
    if isinstance(out, (list, tuple, str)):
        return False
    try:
        before = out[0]
        out[0] = 0.5
        taken = out[0] == 0.5
        out[0] = before
    except (TypeError, ValueError, LookupError):
        return False
    return taken


def _write(out, values, what):
    # copy values to out, a writable array('f') of that length, and return out
    if not _takes_floats(out) or len(out) != len(values):
        got = type(out).__name__ + (" of %d" % len(out) if isinstance(out, _SEQUENCES) else "")
        raise TypeError("%s: out: expected a writable array('f') of %d, got %s" % (what, len(values), got))
    for i in range(len(values)):
        out[i] = values[i]
    return out


# --- AI-ANNE's functions ---------------------------------------------------------------------------------------------


def dense(nunit, x, w, b, activation, out=None, alpha=None):
    """Return one list of outputs per unit, a value per sample: activation(w x + b).

    x is features by samples, w is units by features (nested, or flat as array('f')), b one value a unit. For one
    sample x may be the list of its features, and the result is the list of the units' outputs; then `out`, a writable
    array('f') of `nunit`, takes the outputs without any allocation and is returned. `alpha`: see `activate`.
    ValueError for an unknown activation or shapes that do not fit, TypeError for what are not numbers.
    """
    if not isinstance(nunit, int) or isinstance(nunit, bool):
        raise TypeError("dense: nunit: expected a whole number, got %s" % type(nunit).__name__)
    if nunit < 1:
        raise ValueError("dense: nunit: expected at least 1, got %d" % nunit)
    if activation not in ACTIVATIONS:
        activate(activation, [])
    if alpha is not None:
        alpha = _number(alpha, "dense: alpha")
    samples, single = _samples(x, "dense")
    rows = _weights(w, nunit, len(samples[0]), "dense")
    bias = _numbers(b, "dense")
    _length(len(bias), nunit, "dense", "values of bias")
    columns = []
    for sample in samples:
        column = []
        for r in range(nunit):
            total = bias[r]
            for j in range(len(sample)):
                total += rows[r][j] * sample[j]
            column.append(total)
        columns.append(activate(activation, column, alpha))
    if out is not None:
        if not single:
            raise ValueError("dense: out takes one sample, got x of %d samples" % len(samples))
        return _write(out, columns[0], "dense")
    return columns[0] if single else [list(row) for row in zip(*columns)]


def neuron(x, w, b, activation, alpha=None):
    """Return the outputs of one unit, a value per sample.

    x is features by samples (or one sample's features), w its weights, one a feature, b its bias, a number.
    Errors as in `dense`.
    """
    w = _sequence(w, "neuron")
    bias = _number(b, "neuron")
    samples, _ = _samples(x, "neuron")
    _length(len(samples[0]), len(w), "neuron", "inputs")
    result = dense(1, [list(row) for row in zip(*samples)], [w], [bias], activation, None, alpha)
    return result[0]


def relu(x):
    """Return the list of max(0, v) for v in x."""
    return activate("relu", _numbers(x, "relu"))


def leaky_relu(x, alpha=0.01):
    """Return the list of v where v >= 0, and alpha v elsewhere, for v in x."""
    return activate("leaky_relu", _numbers(x, "leaky_relu"), _number(alpha, "leaky_relu: alpha"))


def sigmoid(x):
    """Return the list of 1 / (1 + e^-v) for v in x."""
    return activate("sigmoid", _numbers(x, "sigmoid"))


def tanh(x):
    """Return the list of hyperbolic tangents of v for v in x."""
    return activate("tanh", _numbers(x, "tanh"))


def softmax(x):
    """Return the list of e^v / (sum of e^v over x) for v in x: it adds up to 1. ValueError if x is empty."""
    values = _numbers(x, "softmax")
    if not values:
        raise ValueError("softmax: x is empty")
    return activate("softmax", values)


# --- List helpers ----------------------------------------------------------------------------------------------------


def zeros(rows, cols):
    """Return a matrix of `rows` lists of `cols` zeros."""
    return [[0 for _ in range(cols)] for _ in range(rows)]


def zero_dim(x):
    """Return a list of zeros as long as x."""
    return [0 for _ in range(len(x))]


def add_dim(x, y):
    """Return the list of sums x[i] + y[i]. ValueError if the lengths differ."""
    _length(len(y), len(x), "add_dim", "values in y")
    return [x[i] + y[i] for i in range(len(x))]


def transpose(M):
    """Return the rows of M as columns; a list of n numbers becomes a matrix of n rows of one."""
    M = _sequence(M, "transpose")
    if not _is_matrix(M):
        return [[v] for v in M]
    for row in M:
        _length(len(row), len(M[0]), "transpose", "values in each row")
    return [list(column) for column in zip(*M)]


def dot(A, B):
    """Return the matrix product A B, A of n rows of k, B of k rows of m. ValueError if they do not fit."""
    for row in A:
        _length(len(B), len(row), "dot", "rows in the second matrix")
    columns = transpose(B)
    return [[sum(a * b for a, b in zip(row, column)) for column in columns] for row in A]


def print_matrix(M, decimals=3):
    """Print M, a row a line, with that many decimals."""
    for row in M:
        print(" ".join("%.*f" % (decimals, v) for v in row))


def classification_report(ytrue, ypred):
    """Return (accuracy, [[TN, FP], [FN, TP]]) for labels 0 and 1.

    ValueError if the lists differ in length, are empty, or hold another label.
    """
    _length(len(ypred), len(ytrue), "classification_report", "predictions")
    if len(ytrue) == 0:
        raise ValueError("classification_report: ytrue is empty")
    matrix = zeros(2, 2)
    for t, p in zip(ytrue, ypred):
        if t not in (0, 1) or p not in (0, 1):
            raise ValueError("classification_report: expected labels 0 and 1, got %r and %r" % (t, p))
        matrix[int(t)][int(p)] += 1
    return (matrix[0][0] + matrix[1][1]) / len(ytrue), matrix
