"""Reads a model file and proves that it is whole: FORMAT.md in Python.

`ModelFile(bytes)` is the file as tensors, layers and metadata; ValueError says what is wrong, where, what was expected
and what was found. The native module checks the same things in the same order and refuses the same files; when it does,
this module tells why.
"""

import binascii
import struct

from . import metadata
from .checks import refuse
from .layers import KINDS as KINDS
from .metadata import TAGS as TAGS
from .places import Lives
from .records import MAX_CONSTANTS as MAX_CONSTANTS
from .records import Layer as Layer
from .records import read_record
from .tensors import DTYPES as DTYPES
from .tensors import MAX_ELEMENTS as MAX_ELEMENTS
from .tensors import TENSOR_BYTES, Tensor

VERSION = 1
HEADER_BYTES = 48
MAX_TENSORS = 257  # enough for as many layers as can be, in a chain
MAX_LAYERS = 256
MAX_ARENA_BYTES = 1 << 30
MAX_CONSTANT_BYTES = 1 << 24


class ModelFile:
    """A checked model file: `tensors`, `layers`, `metadata` (a dict by the names of metadata.TAGS), `arena_bytes`.

    `inputs` and `outputs` are the network's, in the order of its tensors.
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
        if not self.inputs or not self.outputs:
            got = "%d and %d" % (len(self.inputs), len(self.outputs))
            refuse("tensors", "at least 1 input and 1 output of the network", got)
        self._constants = self.data[at + layers_bytes + metadata_bytes :]
        self._read_layers(self.data[at : at + layers_bytes])
        at += layers_bytes
        section = self.data[at : at + metadata_bytes]
        self.metadata = metadata.read(section, self.inputs, self.outputs, self.n_layers)

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
        lives = Lives(self.tensors)
        for index in range(self.n_layers):
            where = "layer %d" % index
            if len(section) < 12:
                refuse(where, "a record", "%d bytes left" % len(section))
            record_bytes = struct.unpack_from("<H", section[2:4])[0]
            if record_bytes < 12 or record_bytes > len(section) or record_bytes % 4:
                refuse(where, "a record of 12 to %d bytes, a multiple of 4" % len(section), record_bytes)
            layer = read_record(index, where, section[:record_bytes], self.tensors, self._constants)
            constant_bytes += layer.nbytes
            if constant_bytes > MAX_CONSTANT_BYTES:
                refuse(where, "constants of up to %d bytes so far" % MAX_CONSTANT_BYTES, constant_bytes)
            lives.note(layer)
            if not self._checked:
                layer.room.check(layer)
            self.layers.append(layer)
            section = section[record_bytes:]
        if len(section):
            refuse("layers", "%d records" % self.n_layers, "%d bytes more" % len(section))
        lives.check(self.layers)

    def text(self, name, default=""):
        """Return a metadata entry as text, which it has been proven to be."""
        return str(bytes(self.metadata[name]), "utf-8") if name in self.metadata else default

    def lines(self, name):
        """Return a metadata entry's lines as a list."""
        return self.text(name).split("\n") if name in self.metadata else []
