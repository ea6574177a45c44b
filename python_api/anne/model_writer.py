"""Writes model files where they are made: a chain of dense layers as training leaves it, and any file in one step.

FORMAT.md says what each byte means; numbers of kinds and tags here are those there. `dense_network` gives, byte for
byte, what the converter on a PC makes of the same network (host_tools/anne_tools/conversion/pack.py): so a board runs
what it has learnt itself as fast as what it was given.
"""

import math
import os
import struct
from array import array
from binascii import crc32

from .model import load
from .reference import ACTIVATIONS


def dense_network(path, layers, activations, name="model", labels=(), feature_names=(), scaling=None):
    """Return the bytes of a model file of dense layers, one after another; write them to `path` unless that is None.

    `layers` are pairs of arrays of floats, (weights, bias): weights row after row, as many rows as biases.
    `activations` has the name of each one's, of those that can be trained. `scaling` is what is done to the inputs
    first: a pair of their factors, and what is added then. Layers are called scaling; dense 1, dense 2 ...; softmax,
    which is a layer of its own. ValueError if the file would not load: where a weight is NaN, say, or labels are not as
    many as outputs.
    """
    names, records, data, by_rows = [], [], [], []
    # in bytes, of each value; softmax has that of its input
    sizes = [4 * len(layers[0][0]) // len(layers[0][1])]
    if scaling:
        names.append("scaling")
        record(records, 3, 0, 1, data, "linear", [array("f", values) for values in scaling])
        sizes += sizes
    for (weights, bias), activation in zip(layers, activations):
        n = len(records)
        names.append("dense %d" % n)
        rest = "softmax" in activation
        record(records, 1, n, n + 1, data, "linear" if rest else activation, packed(weights, bias))
        if rest:
            names.append(activation)
            record(records, 2, n + 1, n + 2, data, activation)
            by_rows.append(len(sizes))
        sizes.append(4 * len(bias))
    places, arena_bytes = chain(sizes)
    tensors = []
    for i in range(len(sizes)):
        tensors += [tensor(sizes[i], places[i], not i)] * (1 + by_rows.count(i))
    tensors[-1] = tensor(sizes[i], places[i], 2)
    metadata = lines(1, [name]) + lines(2, labels) + lines(3, feature_names) + lines(8, names)
    file = model_file(arena_bytes, tensors, records, metadata, data)
    write_file(path, file)
    return file


def write_file(path, data):
    """Write `data` to the file `path` in one step: after a power cut the old file is there, or the new one, whole.

    Until it is whole it is called .anne-save, in the same folder; whatever has that name is lost. OSError, with the
    old file untouched, if the storage is full. Nothing is written if `path` is None.
    """
    if path is None:
        return
    path = str(path)
    beside = path[: max(path.rfind("/"), path.rfind("\\")) + 1] + ".anne-save"
    try:
        with open(beside, "wb") as file:
            file.write(data)
        getattr(os, "replace", os.rename)(beside, path)
    finally:
        try:  # noqa: SIM105
            os.remove(beside)
        except OSError:
            pass  # as it should be


# --- The parts of a file ---------------------------------------------------------------------------------------------


def tensor(n_bytes, at, role=0):
    """Return a tensor of floats, of so many bytes from byte `at` of the arena on; role 1 is the network's input, 2 its
    output."""
    return struct.pack("<4B4IfiI", 1, role, 1, 0, n_bytes // 4, 0, 0, 0, 1.0, 0, at)


def record(records, kind, x, y, data, activation="linear", constants=()):
    """Append to `records` a layer from tensor x to tensor y, and to `data` its constants, equal ones once."""
    rest = b""
    for constant in constants:
        constant = bytes(constant)
        if constant not in data:
            data.append(constant)
        rest += struct.pack("<II", sum(map(len, data[: data.index(constant)])), len(constant))
    if kind == 1:
        rest += struct.pack(
            "<III", len(constants) * 5 - 9, 0, 0
        )  # the layout: 1 with two of them, 6 with three
    alpha = 0.01 if activation == "leaky_relu" else 0.0
    head = kind, 16 + len(rest), 1, 1, len(constants), ACTIVATIONS.index(activation), alpha, x, y
    records.append(struct.pack("<HH4BfHH", *head) + rest)


def lines(tag, texts):
    """Return an entry of metadata of texts, one a line; nothing if there are none."""
    content = "\n".join(texts).encode()
    return content and struct.pack("<II", tag, len(content)) + content + bytes(-len(content) % 4)


def model_file(arena_bytes, tensors, records, metadata, data):
    """Return the file of these bytes, or lists of bytes. It has been loaded once: ValueError says why it cannot be."""
    parts = [b"".join(tensors), b"".join(records), metadata, b"".join(data)]
    sizes = list(map(len, parts))
    parts.insert(0, struct.pack("<8I", arena_bytes, len(tensors), len(records), *sizes[1:], 0, 0))
    crc = 0
    for part in parts:
        crc = crc32(part, crc)
    parts.insert(0, struct.pack("<4sHHII", b"ANNE", 1, 48, 48 + sum(sizes), crc & 0xFFFFFFFF))
    file = b"".join(parts)
    load(file, False).close()
    return file


def packed(weights, bias):
    """Return the constants of a dense layer on floats in the fastest layout that is exact for them.

    That is f32_aligned, which has three; or f32, which has two, where a column is so much greater than the others that
    these would have no bits left. host_tools/anne_tools/layers/layouts.py decides and packs likewise.
    ValueError if one of the numbers, or their sum, is not finite.
    """
    if (sum(weights) + sum(bias)) * 0 != 0:
        raise ValueError("save: expected finite weights and biases, got NaN or infinity: train anew")
    n_out = len(bias)
    n_in = len(weights) // n_out

    def most(first, step, n):
        return max(map(abs, [weights[i] for i in range(first, first + step * n, step)]))

    columns = sorted(filter(None, [most(j, n_in, n_out) for j in range(n_in)])) or [0]
    middle = len(columns) // 2  # half of this one from the front and from the back is the median
    if n_in > 65535 or columns[-1] > 32 * (columns[middle] + columns[-1 - middle]):
        return weights, bias
    exponents = array("i")
    for row in range(n_out):
        exponents.append(max(math.frexp(most(row * n_in, 1, n_in))[1] - 24, -149))
    words = bytearray(4 * n_in * (n_out + n_out % 2))
    at = 0
    for first in range(0, n_in, 168):
        for row in range(0, n_out, 2):
            for i in range(2 * first, 2 * min(first + 168, n_in)):
                r, v = row + i % 2, 2048
                if r < n_out:
                    v += round(math.ldexp(weights[r * n_in + i // 2], -exponents[r]))
                struct.pack_into("<Hh", words, at, v & 4095, v >> 12)
                at += 4
    return words, bias, exponents


def chain(sizes):
    """Return at which byte of the arena each value of a chain lies, of so many bytes, and the bytes of the arena.

    Only neighbours are needed at one time. Greatest first, each at the lowest place that is free; where that takes more
    than two neighbours do, every other one begins at 0, and those between end where the greatest two do.
    host_tools/anne_tools/conversion/arena.py plans likewise.
    """
    n, least, places, order = len(sizes), 0, {}, []
    for i in range(n):
        order.append(i - n * sizes[i])
        if i:
            least = max(least, sizes[i - 1] + sizes[i])
    for key in sorted(order):
        i, at = key % n, 0
        for j in (
            i - 1,
            i + 1,
            i - 1,
        ):  # a step behind one neighbour may lead into the other, which is looked at again
            if j in places and places[j] - sizes[i] < at < places[j] + sizes[j]:
                at = places[j] + sizes[j]
        places[i] = at
        if at + sizes[i] > least:
            return [i % 2 * (least - sizes[i]) for i in range(n)], least
    return places, least
