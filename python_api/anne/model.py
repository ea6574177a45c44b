"""Trained networks from model files: `load` and `Model`.

The arithmetic is done by a core, `_anne.Model` in C or `reference_model.Model` in Python; here is what people see.
"""

import gc
import sys
from collections import namedtuple

from .classes import class_of, is_probability
from .texts import harmless, listed

try:
    from _anne import Model as _Core

    _NATIVE = True
except ImportError:
    from .reference_model import Model as _Core

    _NATIVE = False

_FLASH = (0x10000000, 0x20000000)  # where the RP2040 and the RP2350 show their flash


def load(source, copy=None):
    """Return the Model in `source`: the path of an .anne file, or its bytes (bytes, bytearray, memoryview).

    `copy` decides where the weights lie while the model runs. False: where they are, in flash if the file is in ROMFS
    or frozen; that saves RAM. True: in RAM, which is several times faster than flash for large models. None: in RAM if
    that leaves half of the free memory, else where they are; `net.copied` and `print(net)` tell. A file from an
    ordinary filesystem is always read into RAM. Weights in RAM are faster on the Pico 2 unless it is by copy=False, as
    the model brings its own ones into another order.
    ValueError if the file is damaged or not understood, MemoryError if it does not fit; OSError as `open` raises it;
    TypeError for anything else as `source`.
    """
    if hasattr(source, "__fspath__"):  # a path of pathlib, on a PC
        source = source.__fspath__()
    read = False  # whether the bytes are only ours: then they may be changed
    if isinstance(source, str):
        with open(source, "rb") as file:
            try:
                source = memoryview(file)  # a file in ROMFS shows itself without being read
            except TypeError:
                n_bytes = file.seek(0, 2)
                file.seek(0)
                source = file.read(
                    n_bytes
                )  # at once: a buffer that grows on the way needs half as much again
                read = True
    if not isinstance(source, (bytes, bytearray, memoryview)):
        kind = type(source).__name__
        raise TypeError("load: expected a path or the bytes of a model file, got " + kind)
    if copy is None and not read:
        copy = _in_flash(source) and len(source) * 2 < _free_bytes()
    return Model(source, copy)


def _in_flash(data):
    if sys.platform != "rp2":
        return False
    import uctypes

    return _FLASH[0] <= uctypes.addressof(data) < _FLASH[1]


def _free_bytes():
    gc.collect()
    return gc.mem_free()


# An input or output of a network.
Port = namedtuple("Port", ("name", "shape", "dtype", "scale", "zero_point"))


class Model:
    # Assigned, as firmware keeps no docstrings: there it is what help(net) says.
    __doc__ = """A network that can predict: see `load`. Usable with `with`; `close` gives its memory back.

    predict(x) or net(x): the outputs for x, a list of floats. One x are as many numbers as the input has: a list, a
        tuple, an array, bytes; or lists nested as input_shape: for (10, 3) ten lists of three. Any other list of lists,
        or array of NumPy, holds several x, and the answer is a list of answers.
    predict_into(x, out): the outputs for one x into an array, which takes no memory
    classify(x): (label, value) of the class, for several x a list of them
    trace(x), profile(x): every neuron's output; what each layer costs
    selftest(): the file's golden samples; print(net): its layers
    reset(): forget what the network keeps between calls, if it listens to a stream (a delay): the next x is its first

    For a network of several inputs, x is a list with an entry for each, or a dict of them by name: each entry one x as
        above, or each as many. Several outputs are a list of lists; predict_into takes a list of arrays for them.

    Attributes: `name`, `labels`, `feature_names` (lists of text), `inputs`, `outputs` (lists of Port: name, shape,
    dtype, scale, zero_point), of the first of each `input_shape`, `output_shape`, `input_dtype`, `output_dtype`,
    `input_scale`, `input_zero_point`, `output_scale`, `output_zero_point`, `copied` (whether the weights were copied to
    RAM), `nbytes` (of the file).
    """

    def __init__(self, data, copy=False):
        self._core = core = _Core(data, copy)
        # Bound once: finding a method costs more than running a small network.
        self.predict = core.predict
        self.predict_into = core.predict_into
        self.copied = core.copied
        self.nbytes = core.nbytes
        self.name = core.text("name") or "model"
        self._threshold = core.threshold()
        self._is_probability = None  # what classify finds when it is first asked
        x, y = core.tensor(core.inputs[0]), core.tensor(core.outputs[0])
        self.input_shape, self.input_dtype = x.shape, x.dtype
        self.input_scale, self.input_zero_point = x.scale, x.zero_point
        self.output_shape, self.output_dtype = y.shape, y.dtype
        self.output_scale, self.output_zero_point = y.scale, y.zero_point
        self._closed = False

    # The rest of what the file says is read when it is asked for: the core finds it where it lies.

    @property
    def labels(self):
        return self._lines("labels")

    @property
    def feature_names(self):
        return self._lines("feature_names")

    @property
    def inputs(self):
        return self._ports("input", self._core.inputs)

    @property
    def outputs(self):
        return self._ports("output", self._core.outputs)

    def _ports(self, what, tensors):
        ports = []
        for i in range(len(tensors)):
            t = self._core.tensor(tensors[i])
            name = self._core.port_name(what, i)
            ports.append(Port(name, t.shape, t.dtype, t.scale, t.zero_point))
        return ports

    def _lines(self, name):
        text = self._core.text(name)
        return text.split("\n") if text else []

    def close(self):
        """Give the memory back. Everything that needs the network raises ValueError from here on."""
        self._core.close()
        self._closed = True

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __call__(self, x):
        """Return predict(x)."""
        return self.predict(x)

    # --- Answers -----------------------------------------------------------------------------------------------------

    def classify(self, x):
        """Return (label, value) of the class that the outputs for x stand for; its number if there are no labels.

        That is the class of the largest output, and the value is that output: a probability after softmax, a score
        elsewhere. One output decides between two classes: the second above its threshold (0.5), the first at it and
        below; if it is a probability (sigmoid), the value is that of the class, else the output itself.
        For several x, as in predict, it is a list of such pairs.
        ValueError if an output is NaN, as then there is no class; and for a network that tells no classes: one number,
        which is no probability, and neither labels nor threshold in the file; or several outputs.
        """
        if len(self._core.outputs) > 1:
            names = [port.name for port in self.outputs]
            got = "%d: %s" % (len(names), listed(names))
            raise ValueError("classify: expected a network of one output, got %s; use predict" % got)
        y = self.predict(x)
        if isinstance(y[0], list):
            return [self._class(y[i], "classify: row %d" % i) for i in range(len(y))]
        return self._class(y, "classify")

    def _class(self, y, what):
        if len(y) == 1 and self._is_probability is None:
            self._is_probability = is_probability(self._core)
        index = class_of(y, self._threshold, what)
        label = self._core.line("labels", index)
        value = y[index] if len(y) > 1 else 1 - y[0] if index == 0 and self._is_probability else y[0]
        return (index if label is None else label), value

    def reset(self):
        """Forget what the network keeps from one x to the next (a delay): the next one is the first of a new stream.

        A network without such layers keeps nothing. `profile` and `selftest` reset it, too.
        """
        self._core.reset()

    # --- Looking inside: in a module of its own, as most programs only predict ----------------------------------------

    def trace(self, x):
        """Return a Table of every neuron's output, layer by layer: rows of (layer, values as a list of floats).

        Inputs come first, under their names. A layer of several outputs has a row for each: name 0, name 1 ...
        """
        from .inside import trace

        return trace(self, x)

    def profile(self, x, repeat=10):
        """Return a Table of what each layer costs: rows of (layer, microseconds, cycles per MAC), and their sum.

        Each layer is run `repeat` times. Cycles are given where the processor's clock is known, for layers with MACs.
        It resets the network. ValueError if `repeat` is below 1.
        """
        from .inside import profile

        return profile(self, x, repeat)

    def selftest(self):
        """Return how many of the file's golden samples were run: each must give its golden output.

        Integers must be equal, and so must NaN and infinities; finite floats differ by at most 1e-5 of the largest
        finite output. ValueError if one differs, or if the file has no golden samples. Before and after, it resets.
        """
        from .inside import selftest

        return selftest(self)

    def __repr__(self):
        if self._closed:
            return harmless(self.name) + ": closed"
        from .inside import text

        return text(self, _NATIVE)
