"""The tensors of a model file: FORMAT.md, "Tensors"."""

import math
import struct

from .checks import refuse

TENSOR_BYTES = 32
MAX_ELEMENTS = 1 << 20

# number in the file -> name, bytes an element, struct letter, least and greatest integer
DTYPES = {1: ("float32", 4, "f", 0, 0), 2: ("int8", 1, "b", -128, 127), 3: ("int16", 2, "h", -32768, 32767)}


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
