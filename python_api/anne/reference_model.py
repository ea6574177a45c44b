"""Runs a model file in plain Python, layer by layer: each layer's room in `layers` says what it means.

`Model` has the interface of the native module's `_anne.Model` and gives the same results: integers equal to the bit,
float32 within 1e-6 of a layer's largest output (on a PC Python's floats have 64 bits, so these are the better ones).
"""

import struct
from array import array
from collections import namedtuple

from .arithmetic import float32, round_limited
from .model_file import ModelFile
from .values import (
    refuse_out,
    refuse_outs,
    sample,
    sample_of_input,
    sample_of_inputs,
    samples,
    samples_of_inputs,
    typecode,
)

try:
    from time import ticks_diff, ticks_us
except ImportError:  # CPython
    from time import perf_counter_ns

    def ticks_us():
        return perf_counter_ns() // 1000

    def ticks_diff(later, earlier):
        return later - earlier


# --- Numbers ---------------------------------------------------------------------------------------------------------


def quantize(v, tensor):
    """Return the integer of `tensor` that stands for the real v: v / scale, rounded to 32 bits, then to whole."""
    return round_limited(float32(float32(v) / tensor.scale), tensor.zero_point, tensor.least, tensor.greatest)


def dequantize(q, tensor):
    """Return the real number that the integer q of `tensor` stands for."""
    return float32((q - tensor.zero_point) * tensor.scale)


# --- The model -------------------------------------------------------------------------------------------------------


# The most steps, multiplications and elements read or written, that all layers may take: some 20 s on a PC. A file of
# 8 MB of weights needs no more; but 12 KB of activations could ask for 2^28, and one pool for as much.
MAX_STEPS = 1 << 24

# What is said about a layer; inputs and outputs are tuples of numbers of tensors, nbytes are of its constants.
LayerFacts = namedtuple("LayerFacts", ("kind", "activation", "layout", "inputs", "outputs", "nbytes", "macs"))


class Model:
    """A model file ready to run. `data` are its bytes, which are copied; ValueError if it is not whole.

    `copy` is for the native module: Python's objects know no address.
    """

    copied = False
    workspace_bytes = 0

    def __init__(self, data, copy=False):
        self.file = ModelFile(bytes(data))
        self.nbytes, self.n_layers = len(self.file.data), self.file.n_layers
        self._values = {}
        self._steps = sum(layer.steps for layer in self.file.layers)

    def _open_file(self):
        if self.file is None:
            raise ValueError("the model is closed")
        return self.file

    def close(self):
        """Give up the file and all values; everything but close raises ValueError from here on."""
        self.file = None
        self._values = {}

    @property
    def inputs(self):
        """The numbers of the tensors that are the network's inputs, in the order of the file."""
        return tuple([t.index for t in self._open_file().inputs])

    @property
    def outputs(self):
        return tuple([t.index for t in self._open_file().outputs])

    # --- Answers

    def predict(self, x):
        """Return the output for x as a list of floats, or a list of them where the network has several; for several x a
        list with an answer for each.

        For one input, x is a list, tuple, array or memoryview of as many numbers as the input has elements, or nested
        lists: see `samples`; for several, a list or dict of such: see `samples_of_inputs`. For an integer input numbers
        are rounded to it, except an array of the input's own type ('b' for int8, 'h' for int16), which holds the
        integers themselves. ValueError for a wrong length, TypeError for what are not numbers.
        """
        inputs = self._open_file().inputs
        several = len(inputs) > 1
        given = samples_of_inputs(x, self._named_inputs()) if several else samples(x, inputs[0].shape)
        if isinstance(given, tuple):
            return [self._answer(one if several else [one]) for one in given]
        return self._answer(given) if several else self._answer([x], [given])

    def _answer(self, entries, numbers=None):
        self._put(entries, numbers)
        answers = [self.values(t.index) for t in self._run_all()]
        return answers if len(answers) > 1 else answers[0]

    def predict_into(self, x, out):
        """Fill `out` with the output for x, and return it.

        `out` is a writable array of as many elements as the output has, or a list of such where the network has several
        outputs: array('f') takes real numbers, an array of the output's own type ('b', 'h') the integers themselves.
        TypeError for anything else.
        """
        outputs = self._open_file().outputs
        outs = out if len(outputs) > 1 else [out]
        self._check_outs(outs)
        self.set_input(x)
        self._check_outs(outs)  # again, as x.tolist() might have changed them
        for output, one in zip(self._run_all(), outs):
            code = typecode(one)
            for i, q in enumerate(self._values[output.index]):
                one[i] = q if code == output.letter else dequantize(q, output)
        return out

    def _check_outs(self, outs):
        outputs = self._open_file().outputs
        several = len(outputs) > 1
        if not isinstance(outs, (list, tuple)) or len(outs) != len(outputs):
            refuse_outs(outs, [self.port_name("output", i) for i in range(len(outputs))])
        for i, output in enumerate(outputs):
            out = outs[i]
            read_only = getattr(out, "readonly", False)  # of a memoryview
            if typecode(out) not in ("f", output.letter) or len(out) != output.size or read_only:
                name = self.port_name("output", i) if several else None
                refuse_out(out, output.size, output.letter, name)

    def run_raw(self, x, out):
        """Run on the bytes of the inputs as they stand in the arena, one after another; write those of the outputs to
        `out`."""
        inputs, outputs = self._open_file().inputs, self.file.outputs
        x_bytes, y_bytes = sum(t.nbytes for t in inputs), sum(t.nbytes for t in outputs)
        if len(x) != x_bytes or len(out) != y_bytes:
            what = x_bytes, y_bytes, len(x), len(out)
            raise ValueError("run_raw: expected %d and %d bytes, got %d and %d" % what)
        values, at = [], 0
        for tensor in inputs:
            values.append(struct.unpack_from("<%d%s" % (tensor.size, tensor.letter), x, at))
            at += tensor.nbytes
        self._begin(values)
        # what is beyond float32 becomes infinite
        out[:] = b"".join([bytes(array(t.letter, self._values[t.index])) for t in self._run_all()])

    def reset(self):
        """Forget what layers keep from one run to the next (a delay): the next sample begins a new stream."""
        for layer in self._open_file().layers:
            layer.state = None

    def _run_all(self):
        file = self._open_file()
        self.run(0, file.n_layers)
        return file.outputs

    def set_input(self, x):
        """Set the inputs' values, those of one sample as `predict` takes it."""
        inputs = self._open_file().inputs
        if len(inputs) > 1:
            self._put(sample_of_inputs(x, self._named_inputs()))
        else:
            self._put([x], [sample(x, inputs[0].shape)])

    def _named_inputs(self):
        inputs = self._open_file().inputs
        return [(self.port_name("input", i), t.shape) for i, t in enumerate(inputs)]

    def _put(self, entries, numbers=None):
        # an entry an input, which might be an array of its own type; and the numbers in them, if they are known
        inputs = self._open_file().inputs
        if numbers is None and len(inputs) == 1:
            numbers = [sample(entries[0], inputs[0].shape)]
        elif numbers is None:
            named = self._named_inputs()
            numbers = [sample_of_input(x, name, shape) for x, (name, shape) in zip(entries, named)]
        self._begin([_stored(*each) for each in zip(self._open_file().inputs, entries, numbers)])

    def _begin(self, values):
        # each input's values; ValueError if their way through all layers is too long, whoever runs them, in one go or
        # each
        if self._steps > MAX_STEPS:
            raise ValueError(
                "run: expected at most %d multiplications and elements in plain Python, got %d: use the native core"
                % (MAX_STEPS, self._steps)
            )
        self._values = dict(zip(self.inputs, values))

    def run(self, first, last):
        """Run layers `first` to `last` - 1 on the values that are there."""
        for layer in self._open_file().layers[first:last]:
            x = [self._values.get(t.index) for t in layer.inputs]
            if None in x:
                raise ValueError("run: layer %d has no input yet: run the layers before it" % layer.index)
            for tensor, values in zip(layer.outputs, layer.room.run(layer, x)):
                self._values[tensor.index] = values

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
        x, y = [tuple([t.index for t in tensors]) for tensors in (layer.inputs, layer.outputs)]
        return LayerFacts(layer.kind, layer.activation, layer.layout, x, y, layer.nbytes, layer.macs)

    def port_name(self, what, index):
        """Return the name of an "input" or "output" of the network, by its place among those.

        Where the file has none it is that word, with its number if there are several.
        """
        file = self._open_file()
        name = self.line(what + "_names", index)
        n = len(file.inputs if what == "input" else file.outputs)
        return name or ("%s %d" % (what, index) if n > 1 else what)

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
        """Return golden sample number `index`: inputs and outputs as they stand in the arena, one after another.

        None if there are fewer.
        """
        file = self._open_file()
        sample = []
        for name, tensors in (("golden_inputs", file.inputs), ("golden_outputs", file.outputs)):
            n_bytes = sum(t.nbytes for t in tensors)
            sample.append(bytes(file.metadata.get(name, b"")[index * n_bytes : (index + 1) * n_bytes]))
        return tuple(sample) if sample[0] else None

    def read(self, offset, size):
        """Return `size` bytes of the file, from `offset` on."""
        data = self._open_file().data
        if offset < 0 or size < 0 or offset + size > len(data):
            raise ValueError("read: beyond the end of the file")
        return data[offset : offset + size]


def _stored(tensor, x, numbers):
    # the numbers in x as the tensor holds them; x might be an array of its own type
    if tensor.letter == "f":
        return [float32(v) for v in numbers]
    if typecode(x) == tensor.letter:
        return [int(v) for v in numbers]
    return [quantize(v, tensor) for v in numbers]
