"""Runs a model file in plain Python, layer by layer: each layer's room in `layers` says what it means.

`Model` has the interface of the native module's `_anne.Model` and gives the same results: integers equal to the bit,
float32 within 1e-6 of a layer's largest output (on a PC Python's floats have 64 bits, so these are the better ones).
"""

import struct
from array import array
from collections import namedtuple

from .arithmetic import round_limited
from .model_file import ModelFile
from .values import refuse_out, sample, samples, typecode

try:
    from time import ticks_diff, ticks_us
except ImportError:  # CPython
    from time import perf_counter_ns

    def ticks_us():
        return perf_counter_ns() // 1000

    def ticks_diff(later, earlier):
        return later - earlier


# --- Numbers ---------------------------------------------------------------------------------------------------------


def float32(v):
    """Return v rounded to 32 bits, as the C core holds it."""
    return array("f", (v,))[0]


def quantize(v, tensor):
    """Return the integer of `tensor` that stands for the real v: v / scale, rounded to 32 bits, then to whole."""
    return round_limited(float32(float32(v) / tensor.scale), tensor.zero_point, tensor.least, tensor.greatest)


def dequantize(q, tensor):
    """Return the real number that the integer q of `tensor` stands for."""
    return float32((q - tensor.zero_point) * tensor.scale)


# --- The model -------------------------------------------------------------------------------------------------------


# The most steps, multiplications and elements written, that all layers may take: some 10 s on a PC. A file of 8 MB
# of weights needs no more; but 12 KB of activations could ask for 2^28.
MAX_STEPS = 1 << 23

# What is said about a layer; input and output are numbers of tensors, nbytes are of its constants.
LayerFacts = namedtuple("LayerFacts", ("kind", "activation", "layout", "input", "output", "nbytes", "macs"))


class Model:
    """A model file ready to run. `data` are its bytes, which are copied; ValueError if it is not whole.

    `copy` is for the native module: Python's objects know no address.
    """

    copied = False
    workspace_bytes = 0

    def __init__(self, data, copy=False):
        self.file = ModelFile(bytes(data))
        self.nbytes, self.n_layers = len(self.file.data), self.file.n_layers
        self.input, self.output = self.file.inputs[0].index, self.file.outputs[0].index
        self._values = {}
        self._steps = sum(layer.macs + layer.outputs[0].size for layer in self.file.layers)

    def _open_file(self):
        if self.file is None:
            raise ValueError("the model is closed")
        return self.file

    def close(self):
        """Give up the file and all values; everything but close raises ValueError from here on."""
        self.file = None
        self._values = {}

    def predict(self, x):
        """Return the first output as a list of floats for x, the values of the first input; for several x a list of
        them.

        x is a list, tuple, array or memoryview of as many numbers as the input has elements, or nested lists: see
        `samples`. For an integer input they are rounded to it, except an array of the input's own type ('b' for int8,
        'h' for int16), which holds the integers themselves. ValueError for a wrong length, TypeError for what are not
        numbers.
        """
        source = self._open_file().inputs[0]
        given = samples(x, source.shape)
        if isinstance(given, tuple):
            return [self._answer(one, sample(one, source.shape)) for one in given]
        return self._answer(x, given)

    def _answer(self, x, values):
        self._put(x, values)
        return self.values(self._run_all().index)

    def predict_into(self, x, out):
        """Fill `out` with the first output for x, and return it.

        `out` is a writable array of as many elements as the output has: array('f') takes real numbers, an array of the
        output's own type ('b', 'h') the integers themselves. TypeError for anything else.
        """
        output = self._open_file().outputs[0]
        code = typecode(out)
        read_only = getattr(out, "readonly", False)  # of a memoryview
        if code not in ("f", output.letter) or len(out) != output.size or read_only:
            refuse_out(out, output.size, output.letter)
        self.set_input(x)
        self._run_all()
        for i, q in enumerate(self._values[output.index]):
            out[i] = q if code == output.letter else dequantize(q, output)
        return out

    def run_raw(self, x, out):
        """Run on the bytes of the first input as they stand in the arena; write those of the first output to `out`."""
        source, output = self._open_file().inputs[0], self.file.outputs[0]
        if len(x) != source.nbytes or len(out) != output.nbytes:
            got = "%d and %d" % (len(x), len(out))
            raise ValueError(
                "run_raw: expected %d and %d bytes, got %s" % (source.nbytes, output.nbytes, got)
            )
        self._begin(struct.unpack_from("<%d%s" % (source.size, source.letter), x))
        self.run(0, self.file.n_layers)
        out[:] = bytes(
            array(output.letter, self._values[output.index])
        )  # what is beyond float32 becomes infinite

    def _run_all(self):
        file = self._open_file()
        self.run(0, file.n_layers)
        return file.outputs[0]

    def set_input(self, x):
        """Set the first input's values, those of one sample as `predict` takes it."""
        self._put(x, sample(x, self._open_file().inputs[0].shape))

    def _put(self, x, values):
        # `values` are the numbers in x, which might be the input's own
        tensor = self._open_file().inputs[0]
        if tensor.letter == "f":
            values = [float32(v) for v in values]
        elif typecode(x) == tensor.letter:
            values = [int(v) for v in values]
        else:
            values = [quantize(v, tensor) for v in values]
        self._begin(values)

    def _begin(self, values):
        # the input's values; ValueError if its way through all layers is too long, whoever runs them, in one go or each
        if self._steps > MAX_STEPS:
            raise ValueError(
                "run: expected at most %d multiplications and elements in plain Python, got %d: use the native core"
                % (MAX_STEPS, self._steps)
            )
        self._values = {self.input: values}

    def run(self, first, last):
        """Run layers `first` to `last` - 1 on the values that are there."""
        for layer in self._open_file().layers[first:last]:
            if layer.inputs[0].index not in self._values:
                raise ValueError("run: layer %d has no input yet: run the layers before it" % layer.index)
            self._values[layer.outputs[0].index] = layer.room.run(
                layer, [self._values[layer.inputs[0].index]]
            )[0]

    def values(self, tensor):
        """Return tensor number `tensor` of the last run as a list of floats."""
        t = self._open_file().tensors[tensor]
        values = self._values[tensor]
        return list(values) if t.dtype == "float32" else [dequantize(q, t) for q in values]

    def layer_us(self, index, repeat):
        """Return the microseconds that `repeat` runs of one layer take."""
        start = ticks_us()
        for _ in range(repeat):
            self.run(index, index + 1)
        return ticks_diff(ticks_us(), start)

    # --- What the file says

    def tensor(self, index):
        """Return tensor number `index`: dtype, shape, scale and zero_point are its attributes."""
        return self._open_file().tensors[index]

    def layer(self, index):
        """Return the LayerFacts of layer number `index`."""
        layer = self._open_file().layers[index]
        x, y = layer.inputs[0].index, layer.outputs[0].index
        return LayerFacts(layer.kind, layer.activation, layer.layout, x, y, layer.nbytes, layer.macs)

    def text(self, name):
        """Return a metadata entry that is text, by its name in FORMAT.md; None if the file has none."""
        return self._open_file().text(name, None)

    def line(self, name, index):
        """Return a line of it; None if there are fewer."""
        lines = self._open_file().lines(name)
        return lines[index] if index < len(lines) else None

    def threshold(self):
        """Return the file's threshold, or None."""
        threshold = self._open_file().metadata.get("threshold")
        return None if threshold is None else struct.unpack_from("<f", threshold)[0]

    def golden(self, index):
        """Return golden sample number `index`, input and output as they stand in the arena; None if there are fewer."""
        file = self._open_file()
        sample = []
        for name, tensor in (("golden_inputs", file.inputs[0]), ("golden_outputs", file.outputs[0])):
            values = file.metadata.get(name, b"")[index * tensor.nbytes : (index + 1) * tensor.nbytes]
            sample.append(bytes(values))
        return tuple(sample) if sample[0] else None
