"""A trainer's core on a PC: the very C code of the firmware, in the library that the host tools are installed with.

`Trainer` has the interface of `_anne.Trainer` and gives the same results to the bit. ImportError without the library.
"""

import ctypes
import time
from array import array
from importlib.util import find_spec
from pathlib import Path

from .reference import ACTIVATIONS

LIBRARY_NAMES = ("libanne.so", "libanne.dylib", "anne.dll")
LOSSES = ("mse", "binary_cross_entropy", "categorical_cross_entropy")
OPTIMIZERS = ("sgd", "adam")
_WRONG = "Trainer: arguments of a wrong type or size"
_PATIENCE = 1.0  # seconds after which `run` lets its caller show how far it is

# Python's own function that looks for Ctrl-C. The C core asks it between two rows, so the library runs as a part of
# Python would: PyDLL, which raises then.
_CHECK = ctypes.cast(ctypes.pythonapi.PyErr_CheckSignals, ctypes.c_void_p)


def _load():
    # found as import would find it, but not run: it needs numpy, and this does not
    spec = find_spec("anne_tools")
    for folder in (spec and spec.submodule_search_locations) or ():
        for name in LIBRARY_NAMES:
            path = Path(folder, name)
            if path.exists():
                return _declared(ctypes.PyDLL(str(path)))
    raise ImportError("the host library libanne is not installed")


def _declared(library):
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    for name, result, arguments in (
        (
            "new",
            pointer,
            [number, pointer, pointer, number, number, pointer, number, number, number, pointer],
        ),
        ("free", None, [pointer]),
        ("parameters", number, [pointer]),
        ("get", None, [pointer, pointer]),
        ("set", None, [pointer, pointer]),
        ("run", number, [pointer, pointer, pointer, pointer, number, pointer, number, pointer]),
        ("predict", ctypes.c_float, [pointer, pointer, pointer, pointer]),
    ):
        try:
            function = getattr(library, "anne_host_trainer_" + name)
        except AttributeError:
            raise ImportError(
                "the host library libanne is older than this package; install both anew"
            ) from None
        function.restype, function.argtypes = result, arguments
    return library


_LIBRARY = _load()


class Trainer:
    """One network that learns; see `anne.reference_trainer`, whose arguments it takes."""

    _handle = None

    def __init__(self, sizes, activations, loss, optimizer, settings):
        try:
            arguments = _described(sizes, activations, loss, optimizer, *settings)
        except (TypeError, ValueError):
            raise ValueError(_WRONG) from None
        status = ctypes.c_int()
        self._handle = _LIBRARY.anne_host_trainer_new(*arguments, ctypes.byref(status))
        if status.value > 0:
            raise ValueError(_WRONG)
        if status.value < 0:
            raise MemoryError("Trainer: no memory for its layers")
        self._n_in, self._n_out, self._n_targets = sizes[0], sizes[-1], settings[4]
        self._n_parameters = _LIBRARY.anne_host_trainer_parameters(self._handle)

    def __del__(self):
        if self._handle:
            _LIBRARY.anne_host_trainer_free(self._handle)

    def get(self):
        """Return a copy of all parameters."""
        parameters = array("f", bytes(4 * self._n_parameters))
        _LIBRARY.anne_host_trainer_get(self._handle, parameters.buffer_info()[0])
        return parameters

    def set(self, parameters):
        """Take a copy of all parameters."""
        _LIBRARY.anne_host_trainer_set(self._handle, _floats(parameters, self._n_parameters))

    def predict(self, x, out, y):
        """Write the outputs for x, an array of one row, to `out`; return its loss for y, or None for None."""
        targets = None if y is None else _floats(y, self._n_targets)
        arguments = self._handle, _floats(x, self._n_in), _floats(out, self._n_out), targets
        loss = _LIBRARY.anne_host_trainer_predict(*arguments)
        return None if y is None else loss

    def run(self, x, y, order, losses):
        """Train for as many epochs as `losses` has room for; see `anne.reference_trainer`."""
        n_rows = self._n_rows(x)
        arrays = [x, y, losses]
        arguments = [self._handle, _address(x), _floats(y, n_rows * self._n_targets), None, n_rows]
        if order is not None:
            if not _is_array(order, "H", n_rows) or max(order) >= n_rows:
                _refuse()
            arguments[3] = _address(order)
            arrays.append(order)
        if not _is_array(losses, "f") or not losses:
            _refuse()
        # an array that is seen keeps its place, whatever a signal's handler does
        views = [memoryview(each) for each in arrays]
        try:
            return _run(arguments, losses)
        finally:
            for view in views:
                view.release()

    def _n_rows(self, x):
        if not _is_array(x, "f") or len(x) == 0 or len(x) % self._n_in:
            _refuse()
        return len(x) // self._n_in


def _described(sizes, activations, loss, optimizer, lr, momentum, decay, batch, n_targets, random_state):
    # what the library takes to make a trainer; it proves all that is left to prove
    if not all(isinstance(n, int) and 0 < n < 1 << 16 for n in (*sizes, batch, n_targets)):
        raise ValueError
    if len(sizes) != len(activations) + 1 or len(activations) > 8:
        raise ValueError
    numbers = [ACTIVATIONS.index(name) for name in activations]
    return (
        len(activations),
        (ctypes.c_uint32 * len(sizes))(*sizes),
        (ctypes.c_uint32 * len(numbers))(*numbers),
        LOSSES.index(loss),
        OPTIMIZERS.index(optimizer),
        (ctypes.c_float * 3)(lr, momentum, decay),
        batch,
        n_targets,
        random_state & 0xFFFFFFFF,
    )


def _run(arguments, losses):
    began, address = time.monotonic(), _address(losses)
    for epoch in range(len(losses)):
        _LIBRARY.anne_host_trainer_run(*arguments, address + 4 * epoch, 1, _CHECK)
        loss = losses[epoch]
        if loss - loss != 0 or time.monotonic() - began >= _PATIENCE:
            return epoch + 1
    return len(losses)


def _address(values):
    return values.buffer_info()[0]


def _is_array(values, letter, n=None):
    return isinstance(values, array) and values.typecode == letter and n in (None, len(values))


def _floats(values, n):
    # the address of an array('f') of n
    if not _is_array(values, "f", n):
        _refuse()
    return _address(values)


def _refuse():
    raise ValueError(_WRONG)
