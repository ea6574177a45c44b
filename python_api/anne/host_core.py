"""The native module on a PC: the C code of the firmware, in the library that the host tools are installed with.

It has what `_anne` has on a board, and its results are the board's to the bit; what it does not plainly understand, the
reference answers. ImportError without the library.
"""

import ctypes
from array import array
from operator import index

from . import host_trainer, reference, reference_model
from .host_trainer import Trainer
from .reference import (
    ACTIVATIONS,
    add_dim,
    classification_report,
    dot,
    print_matrix,
    transpose,
    zero_dim,
    zeros,
)

_LIBRARY = host_trainer._LIBRARY


def _declared(name, result, arguments):
    try:
        function = getattr(_LIBRARY, "anne_host_" + name)
    except AttributeError:
        raise ImportError("the host library libanne is older than this package; install both anew") from None
    function.restype, function.argtypes = result, arguments
    return function


_pointer = ctypes.c_void_p
_version = _declared("version", ctypes.c_char_p, [])
_open = _declared("open", _pointer, [ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)])
_close = _declared("close", None, [_pointer])
_reset = _declared("reset", None, [_pointer])
_put = _declared("put", None, [_pointer, ctypes.c_char_p])
_run = _declared("run_layers", None, [_pointer, ctypes.c_uint32, ctypes.c_uint32])
_get = _declared("get", None, [_pointer, ctypes.c_uint32, _pointer])
_dense = _declared("dense", None, [_pointer, _pointer, _pointer, ctypes.c_size_t, ctypes.c_size_t, _pointer])
_activate = _declared("activate", None, [ctypes.c_uint32, ctypes.c_float, _pointer, ctypes.c_size_t])

version = _version().decode()


# --- The model -------------------------------------------------------------------------------------------------------


class _Arena:
    """What layers have made, each tensor's numbers as they stand there."""

    def __init__(self, model):
        self._model = model

    def __getitem__(self, number):
        tensor = self._model.file.tensors[number]
        values = array(tensor.letter, bytes(tensor.nbytes))
        _get(self._model._handle, number, values.buffer_info()[0])
        return values


class Model(reference_model.Model):
    """A model file ready to run: what is given and told is the reference's, what is computed is the C core's."""

    _handle = None

    def __init__(self, data, copy=False):
        data = bytes(data)
        super().__init__(data)
        self.copied = bool(copy)
        status = ctypes.c_int()
        self._handle = _open(data, len(data), ctypes.byref(status))
        if not self._handle:
            raise (
                MemoryError("load: no memory for the model")
                if status.value < 0
                else ImportError(
                    "the host library libanne is not of this package's version; install both anew"
                )
            )
        self._values = _Arena(self)

    def _free(self):
        if self._handle:
            _close(self._handle)
            self._handle = None

    __del__ = _free

    def close(self):
        super().close()
        self._free()

    def reset(self):
        self._open_file()
        _reset(self._handle)

    def _begin(self, values):
        tensors = self._open_file().inputs
        raw = [bytes(array(tensor.letter, numbers)) for tensor, numbers in zip(tensors, values)]
        _put(self._handle, b"".join(raw))

    def run(self, first, last):
        n = self._open_file().n_layers
        if not (0 <= first <= n and 0 <= last <= n):
            raise IndexError("run: expected layers within 0 and %d, got %d to %d" % (n, first, last))
        _run(self._handle, index(first), index(last))  # none where the last is before the first


def load(*arguments, **keywords):
    """Return what `anne.model.load` does."""
    from .model import load

    return load(*arguments, **keywords)


# --- Functions -------------------------------------------------------------------------------------------------------


def _floats(x):
    # array('f') of a flat list or array of numbers; None for anything else
    if isinstance(x, array) and x.typecode == "f":
        return x
    if isinstance(x, (list, tuple)) and all(type(v) in (int, float) for v in x):
        try:
            return array("f", x)
        except OverflowError:
            pass
    return None


def _rows(x, n_rows, n):
    # the same of n_rows rows of n, nested or flat
    if isinstance(x, (list, tuple)) and x and isinstance(x[0], (list, tuple)):
        rows = [_floats(row) for row in x]
        if len(rows) != n_rows or any(row is None or len(row) != n for row in rows):
            return None
        x = [v for row in rows for v in row]
    flat = _floats(x)
    return flat if flat is not None and len(flat) == n_rows * n else None


def _address(values):
    return values.buffer_info()[0]


def _activated(name, values, alpha=None):
    if alpha is None:
        alpha = reference._ACTIVATION_TABLE[ACTIVATIONS.index(name)][2]
    _activate(ACTIVATIONS.index(name), alpha, _address(values), len(values))
    return values


def _layer(weights, bias, x, activation, alpha):
    y = array("f", bytes(4 * len(bias)))
    _dense(_address(weights), _address(bias), _address(x), len(x), len(bias), _address(y))
    return list(_activated(activation, y, alpha))


def dense(nunit, x, w, b, activation, out=None, alpha=None):
    """Return what `anne.reference.dense` does."""
    columns = None
    if (
        type(nunit) is int
        and nunit > 0
        and activation in ACTIVATIONS
        and type(alpha) in (int, float, type(None))
    ):
        if alpha is not None:
            alpha = reference._number(alpha, "dense: alpha")
        columns = _columns(nunit, x, w, b, activation, alpha)
    several = isinstance(x, (list, tuple)) and x and isinstance(x[0], (list, tuple))
    if columns is None or (out is not None and several):
        return reference.dense(nunit, x, w, b, activation, out, alpha)
    if out is not None:
        return reference._write(out, columns[0], "dense")
    return [list(row) for row in zip(*columns)] if several else columns[0]


def _columns(nunit, x, w, b, activation, alpha):
    # the outputs for each sample; None for what the reference should look at
    if isinstance(x, (list, tuple)) and x and isinstance(x[0], (list, tuple)):
        n_in, n = len(x), len(x[0])
        flat = _rows(x, n_in, n) if n else None
        samples = [flat[i::n] for i in range(n)] if flat is not None else []
    else:
        flat = _floats(x)
        samples, n_in = [flat] if flat else [], len(flat or ())
    if not samples or not n_in:
        return None
    weights, bias = _rows(w, nunit, n_in), _floats(b)
    if weights is None or bias is None or len(bias) != nunit:
        return None
    return [_layer(weights, bias, sample, activation, alpha) for sample in samples]


def neuron(x, w, b, activation, alpha=None):
    """Return what `anne.reference.neuron` does."""
    if type(b) in (int, float) and _floats(w) and activation in ACTIVATIONS and alpha is None:
        columns = _columns(1, x, w, [b], activation, None)
        if columns is not None:
            return [column[0] for column in columns]
    return reference.neuron(x, w, b, activation, alpha)


def _function(name):
    def function(x):
        values = _floats(x)
        return list(_activated(name, array("f", values))) if values else getattr(reference, name)(x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = getattr(reference, name).__doc__
    return function


relu = _function("relu")
sigmoid = _function("sigmoid")
tanh = _function("tanh")
softmax = _function("softmax")


def leaky_relu(x, alpha=0.01):
    """Return what `anne.reference.leaky_relu` does."""
    values = _floats(x)
    if not values:
        return reference.leaky_relu(x, alpha)
    alpha = reference._number(alpha, "leaky_relu: alpha")
    return list(_activated("leaky_relu", array("f", values), alpha))
