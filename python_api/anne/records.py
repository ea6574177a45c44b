"""The records of layers: FORMAT.md, "Layers"."""

import math
import struct

from .checks import refuse
from .layers import KINDS, room
from .reference import ACTIVATIONS

MAX_CONSTANTS = 6


class Layer:
    """A record: kind, inputs, outputs (Tensors), constants (memoryviews), parameters (integers), activation, alpha."""

    state = None  # what it keeps from one run to the next; None at first

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
    def room(self):
        """The module with what its kind means."""
        return room(self.kind)

    @property
    def macs(self):
        """Multiplications (with additions) of one prediction."""
        return self.room.macs(self) if hasattr(self.room, "macs") else 0

    @property
    def steps(self):
        """What the reference does for one prediction: multiplications, elements read or written, and others."""
        others = self.room.steps(self) if hasattr(self.room, "steps") else 0
        return self.macs + others + max(sum([t.size for t in ends]) for ends in (self.inputs, self.outputs))

    @property
    def layout(self):
        """The name of the layout of its weights; None if its kind has but one."""
        return self.room.layout(self) if hasattr(self.room, "layout") else None

    @property
    def kernel(self):
        """What computes it: the layout's name if there is one, else the type."""
        return self.layout or self.inputs[0].dtype


def read_record(index, where, record, tensors, data):
    """Return the Layer in `record`, bytes, with its tensors of `tensors` and its constants in `data`."""
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
    if any(t >= len(tensors) for t in indices[:n]) or any(indices[n:]):
        refuse(where, "tensors below %d" % len(tensors), indices)
    ends = [tensors[t] for t in indices[:n]]
    constants = []
    for i in range(n_constants):
        offset, size = struct.unpack_from("<II", record[at + 8 * i : at + 8 * i + 8])
        if offset % 4 or offset + size > len(data):
            refuse(
                where,
                "constant %d inside %d bytes" % (i, len(data)),
                "%d at %d" % (size, offset),
            )
        constants.append(data[offset : offset + size])
    parameters = struct.unpack_from("<%di" % ((len(record) - fixed) // 4), record[fixed:])
    if kind not in KINDS:
        refuse(
            where,
            "a layer kind of %s" % ", ".join(KINDS[number] for number in sorted(KINDS)),
            "number %d" % kind,
        )
    return Layer(
        index, KINDS[kind], ends[:n_inputs], ends[n_inputs:], constants, parameters,
        ACTIVATIONS[activation], alpha,
    )  # fmt: skip
