"""Runs a model file in plain Python: the meaning of every layer, integers included.

`Model` has the interface of the native module's `_anne.Model` and gives the same results: integers equal to the bit,
float32 within 1e-6 of a layer's largest output (on a PC Python's floats have 64 bits, so these are the better ones).
"""

import struct
from array import array
from collections import namedtuple

from .arithmetic import (
    activated,
    high_mul,
    line,
    plus,
    round_limited,
    rounding_shift,
    saturating_left_shift,
    times,
)
from .layouts import LAYOUTS
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


# --- Layers: each takes the record and the input's values, and returns the output's ----------------------------------


def dense(layer, x):
    return LAYOUTS[layer.parameters[0]].run(layer, x)


def activation(layer, x):
    tensor = layer.inputs[0]
    if tensor.dtype == "float32":
        return activated(layer, x)
    if layer.activation == "softmax":
        return softmax_s8(layer, x) if tensor.dtype == "int8" else softmax_s16(layer, x)
    if tensor.dtype == "int8":
        table = struct.unpack_from("<256b", layer.constants[0])
        return [table[q + 128] for q in x]
    table = struct.unpack_from("<513h", layer.constants[0])
    return [line(table, q + 32768) for q in x]


def softmax_s16(layer, x):
    table = struct.unpack_from("<513h", layer.constants[0])
    top = max(x)
    exponentials = [line(table, top - q) for q in x]
    total = sum(exponentials)
    return [min(((e << 15) + total // 2) // total, 32767) for e in exponentials]


def one_over_one_plus(a):
    """Return 1 / (1 + a) for a in [0, 1), both with 31 bits behind the point, by three steps of Newton's method."""
    half = (a + (1 << 31)) >> 1
    x = 1515870810 + high_mul(half, -1010580540)
    for _ in range(3):
        x += saturating_left_shift(high_mul(x, (1 << 29) - high_mul(half, x)), 2)
    return saturating_left_shift(x, 1)


def softmax_s8(layer, x):
    # gemmlowp's fixed-point softmax, as TensorFlow Lite Micro has it; the exponentials come with the file
    table = struct.unpack_from("<256i", layer.constants[0])
    top = max(x)
    total = sum(rounding_shift(table[top - q], 12) for q in x)
    headroom = 0
    while total << headroom < 1 << 31:
        headroom += 1
    reciprocal = one_over_one_plus((total << headroom) - (1 << 31))
    shift = 12 - headroom + 31 - 8
    return [min(rounding_shift(high_mul(reciprocal, table[top - q]), shift) - 128, 127) for q in x]


def scaling(layer, x):
    n = layer.inputs[0].shape[-1]
    scale = struct.unpack_from("<%df" % n, layer.constants[0])
    offset = struct.unpack_from("<%df" % n, layer.constants[1])
    y = [plus(times(x[i], scale[i % n]), offset[i % n]) for i in range(len(x))]
    out = layer.outputs[0]
    if out.dtype == "float32":
        return y
    return [round_limited(v, out.zero_point, out.least, out.greatest) for v in y]


def reshape(layer, x):
    return x


RUN = {"dense": dense, "activation": activation, "scaling": scaling, "reshape": reshape}


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
            self._values[layer.outputs[0].index] = RUN[layer.kind](layer, self._values[layer.inputs[0].index])

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
