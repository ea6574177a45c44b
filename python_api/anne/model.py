"""Trained networks from model files: `load` and `Model`.

The arithmetic is done by a core, `_anne.Model` in C or `reference_model.Model` in Python; here is what people see.
"""

import gc
import math
import struct
import sys

from .classes import class_of, is_probability
from .model_file import ModelFile

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
    ordinary filesystem is always read into RAM.
    ValueError if the file is damaged or not understood, MemoryError if it does not fit; OSError as `open` raises it;
    TypeError for anything else as `source`.
    """
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
    if not isinstance(source, (bytes, bytearray, memoryview)):
        kind = type(source).__name__
        raise TypeError("load: expected a path or the bytes of a model file, got " + kind)
    if copy is None:
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


class Model:
    """A network that can predict: see `load`. Usable with `with`; `close` gives its memory back.

    Attributes: `name`, `labels`, `feature_names` (lists of text), `input_shape`, `output_shape`, `input_dtype`,
    `output_dtype`, `input_scale`, `input_zero_point`, `output_scale`, `output_zero_point`, `copied` (whether the
    weights were copied to RAM), `nbytes` (of the file).
    """

    def __init__(self, data, copy=False):
        self._core = core = _Core(data, copy)
        # Bound once: finding a method costs more than running a small network.
        self.predict = core.predict
        self.predict_into = core.predict_into
        self.copied = core.copied
        self.nbytes = len(data)
        self._data = data
        self._file = None
        file = self._read()
        self.name = file.text("name", "model")
        self.labels = file.lines("labels")
        self.feature_names = file.lines("feature_names")
        self._threshold = (
            struct.unpack("<f", file.metadata["threshold"])[0] if "threshold" in file.metadata else None
        )
        self._is_probability = None  # what classify finds when it is first asked
        self._describe(file.inputs[0], file.outputs[0])

    def _describe(self, x, y):
        self.input_shape, self.input_dtype = x.shape, x.dtype
        self.input_scale, self.input_zero_point = x.scale, x.zero_point
        self.output_shape, self.output_dtype = y.shape, y.dtype
        self.output_scale, self.output_zero_point = y.scale, y.zero_point

    def _read(self):
        # The file's tables, for words about the model; running it does not need them.
        if self._data is None:
            raise ValueError("the model is closed")
        return ModelFile(self._data, checked=True)

    def close(self):
        """Give the memory back. Everything that needs the network raises ValueError from here on."""
        self._core.close()
        self._data = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    # --- Answers -----------------------------------------------------------------------------------------------------

    def classify(self, x):
        """Return (label, value) of the class that the outputs for x stand for; its number if there are no labels.

        That is the class of the largest output, and the value is that output: a probability after softmax, a score
        elsewhere. One output decides between two classes: the second above its threshold (0.5), the first at it and
        below; if it is a probability (sigmoid), the value is that of the class, else the output itself.
        ValueError if an output is NaN, as then there is no class; and for a network that tells no classes: one output,
        which is no probability, and neither labels nor threshold in the file.
        """
        y = self.predict(x)
        if len(y) == 1 and self._is_probability is None:
            self._is_probability = is_probability(self._read())
        index = class_of(y, self._threshold)
        value = max(y) if len(y) > 1 else 1 - y[0] if self._is_probability and index == 0 else y[0]
        return (self.labels[index] if index < len(self.labels) else index), value

    # --- Looking inside ----------------------------------------------------------------------------------------------

    def trace(self, x):
        """Return a Table of every neuron's output, layer by layer: rows of (layer, values as a list of floats)."""
        file = self._read()
        self._core.set_input(x)
        rows = [("input", self._core.values(file.inputs[0].index))]
        for layer, name in zip(file.layers, _names(file)):
            # read at once: a later layer may use the same memory
            self._core.run(layer.index, layer.index + 1)
            rows.append((name, self._core.values(layer.outputs[0].index)))
        return Table(("layer", "values"), rows)

    def profile(self, x, repeat=10):
        """Return a Table of what each layer costs: rows of (layer, microseconds, cycles per MAC), and their sum.

        Each layer is run `repeat` times. Cycles are given where the processor's clock is known, for layers with MACs.
        """
        file = self._read()
        self._core.set_input(x)
        rows = []
        for layer, name in zip(file.layers, _names(file)):
            elapsed_us = self._core.layer_us(layer.index, repeat) / repeat
            rows.append((name, elapsed_us, _cycles_per_mac(elapsed_us, layer.macs)))
        total_us, macs = sum(row[1] for row in rows), sum(layer.macs for layer in file.layers)
        rows.append(("all layers", total_us, _cycles_per_mac(total_us, macs)))
        return Table(("layer", "us", "cycles/MAC"), rows)

    def selftest(self):
        """Return how many of the file's golden samples were run: each must give its golden output.

        Integers must be equal, and so must NaN and infinities; finite floats differ by at most 1e-5 of the largest
        finite output. ValueError if one differs, or if the file has no golden samples.
        """
        file = self._read()
        x, y = file.inputs[0], file.outputs[0]
        inputs, outputs = file.metadata.get("golden_inputs", b""), file.metadata.get("golden_outputs", b"")
        n = len(inputs) // x.nbytes
        if n == 0 or len(inputs) != n * x.nbytes or len(outputs) != n * y.nbytes:
            raise ValueError("selftest: the file has no golden samples")
        out = bytearray(y.nbytes)
        for i in range(n):
            self._core.run_raw(inputs[i * x.nbytes : (i + 1) * x.nbytes], out)
            expected = struct.unpack("<%d%s" % (y.size, y.letter), outputs[i * y.nbytes : (i + 1) * y.nbytes])
            got = struct.unpack("<%d%s" % (y.size, y.letter), out)
            if not _agree(expected, got, 1e-5 if y.dtype == "float32" else 0):
                raise ValueError("selftest: sample %d: expected %s, got %s" % (i, expected, got))
        return n

    def __repr__(self):
        if self._data is None:
            return self.name + ": closed"
        file = self._read()
        rows = []
        for layer, name in zip(file.layers, _names(file)):
            shape = "%s -> %s" % (_shape(layer.inputs[0]), _shape(layer.outputs[0]))
            rows.append((name, layer.kind, layer.activation, shape, layer.kernel, layer.nbytes, layer.macs))
        rows.append(("all", "", "", "", "", sum(row[5] for row in rows), sum(row[6] for row in rows)))
        place = "copied to RAM" if self.copied else "used where it lies"
        head = "%s: %d bytes, %s; %s" % (
            self.name,
            self.nbytes,
            place,
            "native" if _NATIVE else "plain Python",
        )
        columns = ("layer", "kind", "activation", "shape", "kernel", "bytes", "MACs")
        return head + "\n" + repr(Table(columns, rows))


def _agree(expected, got, relative):
    # whether values differ by at most `relative` of the largest finite one expected; what is not finite must be equal
    bound = relative * max([abs(v) for v in expected if -math.inf < v < math.inf] or [0])
    return all(e == g or abs(e - g) <= bound or (e != e and g != g) for e, g in zip(expected, got))


class Table:
    """Rows of values under column names; prints as a table. `rows` is a list of tuples."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]

    def __repr__(self):
        lines = [self.columns] + [[_cell(value) for value in row] for row in self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(line[i] + " " * (widths[i] - len(line[i])) for i in range(len(widths))).rstrip()
            for line in lines
        )


def _cell(value):
    if isinstance(value, list):
        return " ".join("%.4g" % v for v in value)
    return "%.1f" % value if isinstance(value, float) else "" if value is None else str(value)


def _shape(tensor):
    return "x".join(str(n) for n in tensor.shape)


def _names(file):
    names = file.lines("layer_names")
    return names if len(names) == file.n_layers else ["layer %d" % i for i in range(file.n_layers)]


def _cycles_per_mac(elapsed_us, macs):
    if not macs or sys.platform != "rp2":
        return None
    import machine

    return elapsed_us * (machine.freq() / 1000000) / macs
