"""Writes small model files as FORMAT.md has them: networks of several inputs and outputs, to be checked by hand."""

import struct
from binascii import crc32

FLOAT32, INT8, INT16 = 1, 2, 3
INPUT, OUTPUT = 1, 2
DENSE, ACTIVATION, RESHAPE, ADD, PAD, CONV = 1, 2, 4, 5, 6, 7
MAX_POOL, AVERAGE_POOL, REDUCE = 9, 10, 11
LAYER_NORM, ARG_MAX = 24, 25
SUBTRACT, MULTIPLY = 14, 15
DEPTHWISE_CONV = 8
CONCATENATE, SLICE, TRANSPOSE, DELAY = 12, 13, 18, 23
LINEAR, RELU, RELU6, SOFTMAX = 0, 1, 2, 12
NAME, LABELS, FEATURE_NAMES, THRESHOLD, GOLDEN_INPUTS, GOLDEN_OUTPUTS, LAYER_NAMES = 1, 2, 3, 5, 6, 7, 8
INPUT_NAMES, OUTPUT_NAMES = 9, 10


class Writer:
    """A model file in the making: tensors and layers in the order they are added, then entries of metadata."""

    def __init__(self):
        self.n_tensors, self.n_layers, self.arena_bytes = 0, 0, 0
        self.tensors, self.layers, self.metadata, self.constants = b"", b"", b"", b""

    def tensor(self, shape, dtype=FLOAT32, role=0, scale=1.0, zero_point=0, at=None):
        """Add a tensor at that offset in the arena, or behind all others; return its number."""
        n_bytes = {FLOAT32: 4, INT8: 1, INT16: 2}[dtype]
        for n in shape:
            n_bytes *= n
        at = self.arena_bytes if at is None else at
        self.arena_bytes = max(self.arena_bytes, at + (n_bytes + 3) // 4 * 4)
        sizes = tuple(shape) + (0,) * (4 - len(shape))
        self.tensors += struct.pack("<4B4I", dtype, role, len(shape), 0, *sizes)
        self.tensors += struct.pack("<fiI", scale, zero_point, at)
        self.n_tensors += 1
        return self.n_tensors - 1

    def layer(self, kind, inputs, outputs, activation=LINEAR, constants=(), parameters=()):
        tensors = inputs + outputs
        tensors = struct.pack("<%dH" % len(tensors), *tensors) + b"\0\0" * (len(tensors) % 2)
        n_bytes = 12 + len(tensors) + 8 * len(constants) + 4 * len(parameters)
        counts = len(inputs), len(outputs), len(constants)
        self.layers += struct.pack("<HH4Bf", kind, n_bytes, *counts, activation, 0.0) + tensors
        for constant in constants:
            self.layers += struct.pack("<II", len(self.constants), len(constant))
            self.constants += constant + b"\0" * (-len(constant) % 4)
        self.layers += struct.pack("<%di" % len(parameters), *parameters)
        self.n_layers += 1

    def entry(self, tag, content):
        if isinstance(content, str):
            content = content.encode()
        self.metadata += struct.pack("<II", tag, len(content)) + content + b"\0" * (-len(content) % 4)

    def data(self):
        """Return the bytes of the file."""
        sections = self.tensors + self.layers + self.metadata + self.constants
        head = struct.pack(
            "<8I",
            self.arena_bytes, self.n_tensors, self.n_layers, len(self.layers), len(self.metadata),
            len(self.constants), 0, 0,
        )  # fmt: skip
        checked = head + sections
        crc = crc32(checked) & 0xFFFFFFFF
        return struct.pack("<4sHHII", b"ANNE", 1, 48, 16 + len(checked), crc) + checked


# The int8 input "speed", and the output "box", which lies in its place: real value = (q + 1) / 2
SPEED_SCALE, SPEED_ZERO = 0.5, -1


NAMES = "image\nspeed", "score\nbox"
# of each golden sample: the outputs, score and then box as it stands
GOLDEN = (6, 1, 3, -1), (21, -4, 0, -1)


def two_by_two(names=NAMES, golden=GOLDEN):
    """Return a file of two inputs and two outputs, which nothing connects.

    image, 2 by 3 floats -> score, two floats: their sum, and the first minus the last, plus 1
    speed, 2 of int8 -> box, the same, but 0 for what is negative; written over its input
    """
    w = Writer()
    image = w.tensor((2, 3), role=INPUT)
    speed = w.tensor((2,), INT8, INPUT, SPEED_SCALE, SPEED_ZERO)
    flat = w.tensor((6,), at=0)
    score = w.tensor((2,), role=OUTPUT)
    box = w.tensor((2,), INT8, OUTPUT, SPEED_SCALE, SPEED_ZERO, at=24)
    w.layer(RESHAPE, (image,), (flat,))
    weights = struct.pack("<12f", 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, -1)
    w.layer(DENSE, (flat,), (score,), constants=(weights, struct.pack("<2f", 0, 1)), parameters=(1, 0, 0))
    table = struct.pack("<256b", *[max(q, SPEED_ZERO) for q in range(-128, 128)])
    w.layer(ACTIVATION, (speed,), (box,), RELU, constants=(table,))
    w.entry(NAME, "two by two")
    w.entry(LAYER_NAMES, "flatten\nscores\nclip")
    if names:
        w.entry(INPUT_NAMES, names[0])
        w.entry(OUTPUT_NAMES, names[1])
    samples = (1, 1, 1, 1, 1, 1, 3, -5), (1, 2, 3, 4, 5, 6, 0, -128)
    w.entry(GOLDEN_INPUTS, b"".join([struct.pack("<6f2b", *x) for x in samples]))
    w.entry(GOLDEN_OUTPUTS, b"".join([struct.pack("<2f2b", *y) for y in golden]))
    return w.data()


def fork(names=True):
    """Return a file of one input of three floats and two outputs: relu of it, and relu6."""
    w = Writer()
    x = w.tensor((3,), role=INPUT)
    low = w.tensor((3,), role=OUTPUT)
    both = w.tensor((3,), role=OUTPUT)
    w.layer(ACTIVATION, (x,), (low,), RELU)
    w.layer(ACTIVATION, (x,), (both,), RELU6)
    if names:
        w.entry(INPUT_NAMES, "x")
        w.entry(OUTPUT_NAMES, "low\nboth")
    return w.data()


def total(n=2, names=None):
    """Return a file of n inputs of three floats, a, b ..., and one output of three labels: relu of their sum."""
    w = Writer()
    inputs = [w.tensor((3,), role=INPUT) for _ in range(n)]
    so_far = inputs[0]
    for i in range(1, n):
        last = i == n - 1
        y = w.tensor((3,), role=OUTPUT * last, at=0)  # where the first input lies
        w.layer(ADD, (so_far, inputs[i]), (y,), RELU * last)
        so_far = y
    w.entry(INPUT_NAMES, names or "\n".join("abcdefgh"[:n]))
    w.entry(LABELS, "first\nsecond\nthird")
    return w.data()
