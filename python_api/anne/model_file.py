"""Reads a model file and proves that it is whole: FORMAT.md in Python.

`ModelFile(bytes)` is the file as tensors, layers and metadata; ValueError says what is wrong, where, what was expected
and what was found. The native module checks the same things in the same order and refuses the same files; when it does,
this module tells why. (Weights are looked through in layouts.py, which firmware does not have.)
"""

import binascii
import math
import struct

from . import metadata
from .checks import check_bytes, check_floats, refuse
from .metadata import TAGS as TAGS
from .reference import ACTIVATIONS

VERSION = 1
HEADER_BYTES = 48
TENSOR_BYTES = 32
MAX_TENSORS = 257  # the input, and what each layer makes
MAX_LAYERS = 256
MAX_ELEMENTS = 1 << 20
MAX_ARENA_BYTES = 1 << 30
MAX_CONSTANT_BYTES = 1 << 24
MAX_CONSTANTS = 6

# number in the file -> name, bytes an element, struct letter, least and greatest integer
DTYPES = {1: ("float32", 4, "f", 0, 0), 2: ("int8", 1, "b", -128, 127), 3: ("int16", 2, "h", -32768, 32767)}
KINDS = {1: "dense", 2: "activation", 3: "scaling", 4: "reshape"}
# layout of a dense layer's weights -> the kernel's name, types of input and output, number of constants
LAYOUTS = {
    1: ("f32", "float32", "float32", 2),
    2: ("s8_quad", "int8", "int8", 3),
    3: ("s4", "int8", "int8", 4),
    4: ("s8_f32", "float32", "float32", 3),
    5: ("s16", "int16", "int16", 3),
    6: ("f32_aligned", "float32", "float32", 3),
}


class Tensor:
    """A value between layers: dtype ("float32", "int8", "int16"), shape, scale, zero_point, arena_offset."""

    def __init__(self, index, record, arena_bytes):
        where = "tensor %d" % index
        dtype, self.role, rank, reserved = struct.unpack_from("<4B", record)
        shape = struct.unpack_from("<4I", record[4:])
        self.scale, self.zero_point, self.arena_offset = struct.unpack_from("<fiI", record[20:])
        if dtype not in DTYPES:
            refuse(where, "dtype 1 to 3", dtype)
        if self.role > 3 or reserved != 0:
            refuse(where, "role 0 to 3 and 0 after the rank", "%d and %d" % (self.role, reserved))
        if not 1 <= rank <= 4:
            refuse(where, "rank 1 to 4", rank)
        self.index = index
        self.dtype, self.itemsize, self.letter, self.least, self.greatest = DTYPES[dtype]
        self.shape = shape[:rank]
        self.size = 1
        for i in range(4):
            if i >= rank and shape[i] != 0:
                refuse(where, "a shape of rank %d" % rank, shape)
            if i < rank:
                if not 1 <= shape[i] <= MAX_ELEMENTS // self.size:
                    refuse(where, "a shape of 1 to %d elements" % MAX_ELEMENTS, shape)
                self.size *= shape[i]
        self._check_numbers(where, arena_bytes)

    def _check_numbers(self, where, arena_bytes):
        if not 2.0**-125 <= self.scale < math.inf or (self.dtype == "float32" and self.scale != 1):
            wanted = "a finite scale from 2^-125 on" if self.dtype != "float32" else "scale 1"
            refuse(where, wanted, self.scale)
        least, greatest = (-128, 127) if self.dtype == "int8" else (0, 0)
        if not least <= self.zero_point <= greatest:
            refuse(where, "zero_point %d to %d" % (least, greatest), self.zero_point)
        end = self.arena_offset + self.size * self.itemsize
        if self.arena_offset % 4 or end > arena_bytes:
            refuse(
                where,
                "a place inside an arena of %d bytes" % arena_bytes,
                "%d to %d" % (self.arena_offset, end),
            )

    @property
    def is_input(self):
        return self.role & 1 != 0

    @property
    def is_output(self):
        return self.role & 2 != 0

    @property
    def nbytes(self):
        return self.size * self.itemsize

    def overlaps(self, other):
        """Tell whether the two share a byte of the arena."""
        return (
            self.arena_offset < other.arena_offset + other.nbytes
            and other.arena_offset < self.arena_offset + self.nbytes
        )


class Layer:
    """A record: kind, inputs, outputs (Tensors), constants (memoryviews), parameters (integers), activation, alpha."""

    def __init__(self, index, kind, inputs, outputs, constants, parameters, activation, alpha):
        self.index, self.kind, self.inputs, self.outputs = index, kind, inputs, outputs
        self.constants, self.parameters = constants, parameters
        self.activation, self.alpha = activation, alpha
        self.where = "layer %d %s" % (index, kind)

    @property
    def nbytes(self):
        """Bytes of its constants in the file."""
        return sum(len(constant) for constant in self.constants)

    @property
    def macs(self):
        """Multiplications (with additions) of one prediction."""
        return self.inputs[0].size * self.outputs[0].size if self.kind == "dense" else 0

    @property
    def layout(self):
        """The name of the layout of a dense layer's weights, else None."""
        return LAYOUTS[self.parameters[0]][0] if self.kind == "dense" else None

    @property
    def kernel(self):
        """What computes it: the layout's name for a dense layer, else the type."""
        return self.layout or self.inputs[0].dtype


# --- What each kind of layer must look like ---------------------------------------------------------------------------


def check_layer(layer):
    """ValueError unless the layer's shapes, types, constants and parameters are what its kind needs."""
    n_constants, n_parameters = len(layer.constants), len(layer.parameters)
    if len(layer.inputs) != 1 or len(layer.outputs) != 1:
        refuse(layer.where, "1 input and 1 output", "%d and %d" % (len(layer.inputs), len(layer.outputs)))
    expected_constants, expected_parameters = _COUNTS[layer.kind](layer)
    if (n_constants, n_parameters) != (expected_constants, expected_parameters):
        got = "%d and %d" % (n_constants, n_parameters)
        refuse(layer.where, "%d constants and %d parameters" % (expected_constants, expected_parameters), got)
    _CHECKS[layer.kind](layer, layer.inputs[0], layer.outputs[0])


def _dense_counts(layer):
    if not layer.parameters or layer.parameters[0] not in LAYOUTS:
        refuse(layer.where, "a layout of %s" % sorted(LAYOUTS), layer.parameters[:1])
    return LAYOUTS[layer.parameters[0]][3], 3


def _check_dense(layer, x, y):
    _, x_dtype, y_dtype, _ = LAYOUTS[layer.parameters[0]]
    if len(x.shape) != 1 or len(y.shape) != 1:
        refuse(layer.where, "flat input and output", "shapes %s and %s" % (x.shape, y.shape))
    if (x.dtype, y.dtype) != (x_dtype, y_dtype):
        refuse(layer.where, "%s to %s" % (x_dtype, y_dtype), "%s to %s" % (x.dtype, y.dtype))
    names = ACTIVATIONS[:3] if y.dtype != "float32" else ACTIVATIONS[:-1]
    if layer.activation not in names:
        refuse(layer.where, "an activation of %s" % ", ".join(names), layer.activation)
    least, most = layer.parameters[1:]
    if not y.least <= least <= most <= y.greatest:
        refuse(layer.where, "limits inside %d to %d" % (y.least, y.greatest), "%d to %d" % (least, most))
    try:
        from .layouts import LAYOUTS as readers
    except ImportError:
        return  # not in firmware: there the native module alone looks through weights
    readers[layer.parameters[0]].check(layer, x.size, y.size)


def _check_activation(layer, x, y):
    if x.dtype != y.dtype or x.shape != y.shape:
        refuse(layer.where, "an output of %s %s" % (x.dtype, x.shape), "%s %s" % (y.dtype, y.shape))
    if x.dtype == "float32":
        return
    if layer.activation == "softmax":
        letter, entries, first, most, bits, zero_point = (
            ("i", 256, 0x7FFFFFFF, 511, 8, -128) if x.dtype == "int8" else ("h", 513, 0x7FFF, 65536, 15, 0)
        )
        if x.size > most:
            refuse(layer.where, "at most %d elements" % most, x.size)
        if (y.scale, y.zero_point) != (2.0**-bits, zero_point):
            got = "%s and %d" % (y.scale, y.zero_point)
            refuse(layer.where, "an output of scale 2^-%d and zero_point %d" % (bits, zero_point), got)
    else:
        letter, entries, first = ("b", 256, None) if x.dtype == "int8" else ("h", 513, None)
    check_bytes(layer, 0, struct.calcsize("<%d%s" % (entries, letter)), "table")
    if first is not None:
        table = struct.unpack_from("<%d%s" % (entries, letter), layer.constants[0])
        if table[0] != first or min(table) < 0:
            refuse(layer.where, "exponentials from %d down to 0" % first, "%d to %d" % (table[0], min(table)))


def _check_scaling(layer, x, y):
    if x.dtype != "float32" or x.shape != y.shape:
        refuse(
            layer.where, "float32 and an output of shape %s" % (x.shape,), "%s and %s" % (x.dtype, y.shape)
        )
    check_floats(layer, 0, x.shape[-1], "scale")
    check_floats(layer, 1, x.shape[-1], "offset")


def _check_reshape(layer, x, y):
    same = x.dtype == y.dtype and x.scale == y.scale and x.zero_point == y.zero_point and x.size == y.size
    if not same or x.arena_offset != y.arena_offset:
        refuse(layer.where, "an output of the same type, size and place", "%s %s" % (y.dtype, y.shape))


_COUNTS = {
    "dense": _dense_counts,
    "activation": lambda layer: (0 if layer.inputs[0].dtype == "float32" else 1, 0),
    "scaling": lambda layer: (2, 0),
    "reshape": lambda layer: (0, 0),
}
_CHECKS = {
    "dense": _check_dense,
    "activation": _check_activation,
    "scaling": _check_scaling,
    "reshape": _check_reshape,
}


class ModelFile:
    """A checked model file: `tensors`, `layers`, `metadata` (a dict by the names of metadata.TAGS), `arena_bytes`.

    `data` is bytes or a memoryview; it is not copied. ValueError if anything in it is not as FORMAT.md has it.
    With `checked` (the core has already taken the file) constants are not looked through again.
    """

    def __init__(self, data, checked=False):
        self.data = memoryview(data)
        self._checked = checked
        layers_bytes, metadata_bytes = self._read_header()
        at = HEADER_BYTES
        self.tensors = []
        for i in range(self.n_tensors):
            self.tensors.append(Tensor(i, self.data[at : at + TENSOR_BYTES], self.arena_bytes))
            at += TENSOR_BYTES
        self.inputs = [t for t in self.tensors if t.is_input]
        self.outputs = [t for t in self.tensors if t.is_output]
        if len(self.inputs) != 1 or len(self.outputs) != 1:
            got = "%d and %d" % (len(self.inputs), len(self.outputs))
            refuse("tensors", "1 input and 1 output of the network", got)
        self._constants = self.data[at + layers_bytes + metadata_bytes :]
        self._read_layers(self.data[at : at + layers_bytes])
        at += layers_bytes
        self._check_places()
        section = self.data[at : at + metadata_bytes]
        self.metadata = metadata.read(section, self.inputs[0], self.outputs[0], self.n_layers)

    def _read_header(self):
        data = self.data
        if bytes(data[:4]) != b"ANNE":
            refuse("file", "a model file (it begins with 'ANNE')", bytes(data[:4]))
        if len(data) < HEADER_BYTES:
            refuse("file", "at least %d bytes" % HEADER_BYTES, len(data))
        version, header_bytes = struct.unpack_from("<HH", data[4:8])
        if version != VERSION or header_bytes != HEADER_BYTES:
            refuse("file", "version %d of the format (update the firmware?)" % VERSION, version)
        total, crc, self.arena_bytes, self.n_tensors, self.n_layers = struct.unpack_from("<5I", data[8:28])
        layers_bytes, metadata_bytes, data_bytes, reserved0, reserved1 = struct.unpack_from(
            "<5I", data[28:48]
        )
        if total != len(data):
            refuse("file", "%d bytes" % total, len(data))
        if not self._checked and binascii.crc32(data[16:]) & 0xFFFFFFFF != crc:
            refuse(
                "file",
                "a CRC-32 of 0x%08x" % crc,
                "0x%08x: damaged" % (binascii.crc32(data[16:]) & 0xFFFFFFFF),
            )
        if self.arena_bytes > MAX_ARENA_BYTES or self.arena_bytes % 4:
            refuse("header", "arena_bytes up to %d, a multiple of 4" % MAX_ARENA_BYTES, self.arena_bytes)
        if not 1 <= self.n_tensors <= MAX_TENSORS:
            refuse("header", "1 to %d tensors" % MAX_TENSORS, self.n_tensors)
        if not 1 <= self.n_layers <= MAX_LAYERS:
            refuse("header", "1 to %d layers" % MAX_LAYERS, self.n_layers)
        if reserved0 or reserved1:
            refuse("header", "0 in reserved fields", (reserved0, reserved1))
        sections = (layers_bytes, metadata_bytes, data_bytes)
        added = HEADER_BYTES + TENSOR_BYTES * self.n_tensors + sum(sections)
        if added != total or any(n % 4 for n in sections):
            refuse("header", "sections of %d bytes, each a multiple of 4" % total, added)
        return layers_bytes, metadata_bytes

    def _read_layers(self, section):
        self.layers = []
        constant_bytes = 0
        self.made = [0 if t.is_input else None for t in self.tensors]
        self.needed = [MAX_LAYERS + 1 if t.is_output else 0 for t in self.tensors]
        for index in range(self.n_layers):
            where = "layer %d" % index
            if len(section) < 12:
                refuse(where, "a record", "%d bytes left" % len(section))
            record_bytes = struct.unpack_from("<H", section[2:4])[0]
            if record_bytes < 12 or record_bytes > len(section) or record_bytes % 4:
                refuse(where, "a record of 12 to %d bytes, a multiple of 4" % len(section), record_bytes)
            layer = self._read_record(index, where, section[:record_bytes])
            constant_bytes += layer.nbytes
            if constant_bytes > MAX_CONSTANT_BYTES:
                refuse(where, "constants of up to %d bytes so far" % MAX_CONSTANT_BYTES, constant_bytes)
            self._note_lifetimes(layer)
            if not self._checked:
                check_layer(layer)
            self.layers.append(layer)
            section = section[record_bytes:]
        if len(section):
            refuse("layers", "%d records" % self.n_layers, "%d bytes more" % len(section))

    def _read_record(self, index, where, record):
        kind, _, n_inputs, n_outputs, n_constants, activation, alpha = struct.unpack_from("<HH4Bf", record)
        n = n_inputs + n_outputs
        at = 12 + (n + 1) // 2 * 4
        fixed = at + 8 * n_constants
        if n_inputs < 1 or n_outputs < 1 or n_constants > MAX_CONSTANTS or fixed > len(record):
            refuse(
                where,
                "inputs, outputs and constants in %d bytes" % len(record),
                (n_inputs, n_outputs, n_constants),
            )
        if activation >= len(ACTIVATIONS) or not -math.inf < alpha < math.inf:
            refuse(where, "a known activation and a finite alpha", (activation, alpha))
        indices = struct.unpack_from("<%dH" % ((at - 12) // 2), record[12:at])
        if any(t >= self.n_tensors for t in indices[:n]) or any(indices[n:]):
            refuse(where, "tensors below %d" % self.n_tensors, indices)
        tensors = [self.tensors[t] for t in indices[:n]]
        constants = []
        for i in range(n_constants):
            offset, size = struct.unpack_from("<II", record[at + 8 * i : at + 8 * i + 8])
            if offset % 4 or offset + size > len(self._constants):
                refuse(
                    where,
                    "constant %d inside %d bytes" % (i, len(self._constants)),
                    "%d at %d" % (size, offset),
                )
            constants.append(self._constants[offset : offset + size])
        parameters = struct.unpack_from("<%di" % ((len(record) - fixed) // 4), record[fixed:])
        if kind not in KINDS:
            refuse(
                where,
                "a layer kind of %s" % ", ".join(KINDS[number] for number in sorted(KINDS)),
                "number %d" % kind,
            )
        return Layer(
            index, KINDS[kind], tensors[:n_inputs], tensors[n_inputs:], constants, parameters,
            ACTIVATIONS[activation], alpha,
        )  # fmt: skip

    def _note_lifetimes(self, layer):
        for tensor in layer.inputs:
            if self.made[tensor.index] is None:
                refuse(layer.where, "inputs that are computed before it", "tensor %d" % tensor.index)
            self.needed[tensor.index] = max(self.needed[tensor.index], layer.index + 1)
        for tensor in layer.outputs:
            if self.made[tensor.index] is not None:
                refuse(layer.where, "outputs that nothing else computes", "tensor %d" % tensor.index)
            self.made[tensor.index] = layer.index + 1

    def _check_places(self):
        # No tensor is written where one lies that is still needed. Layer after layer, those alive are kept in the order
        # of their places; as they do not overlap, a new one can overlap only the two that it comes between.
        for tensor in self.tensors:
            if self.made[tensor.index] is None:
                refuse("tensor %d" % tensor.index, "a layer that computes it", "none")
        alive = list(self.inputs)  # which the first layer reads, as nothing else is there
        for layer in self.layers:
            x, y = layer.inputs[0], layer.outputs[0]
            is_last = self.needed[x.index] == layer.index + 1
            # a layer may turn its input into its output where it lies, if nothing needs the input afterwards
            in_place = layer.kind in ("activation", "reshape") and x.arena_offset == y.arena_offset
            if is_last and in_place:
                del alive[_place(alive, x)]
            place = _place(alive, y)
            for other in alive[max(place - 1, 0) : place + 1]:
                if y.overlaps(other):
                    where, got = "tensor %d" % y.index, "bytes of tensor %d" % other.index
                    refuse(where, "a place of its own in the arena", got)
            if is_last and not in_place:
                del alive[_place(alive, x)]
            if self.needed[y.index] > layer.index + 1:
                alive.insert(_place(alive, y), y)

    def text(self, name, default=""):
        """Return a metadata entry as text, which it has been proven to be."""
        return str(bytes(self.metadata[name]), "utf-8") if name in self.metadata else default

    def lines(self, name):
        """Return a metadata entry's lines as a list."""
        return self.text(name).split("\n") if name in self.metadata else []


def _place(alive, tensor):
    # how many of them, in the order of their places, begin before the tensor does
    low, high = 0, len(alive)
    while low < high:
        middle = (low + high) // 2
        if alive[middle].arena_offset < tensor.arena_offset:
            low = middle + 1
        else:
            high = middle
    return low
