"""The metadata of a model file, FORMAT.md's section of that name: words about the network, and golden samples."""

import math
import struct

from .checks import refuse

# number in the file -> name
TAGS = {
    1: "name",
    2: "labels",
    3: "feature_names",
    4: "provenance",
    5: "threshold",
    6: "golden_inputs",
    7: "golden_outputs",
    8: "layer_names",
    9: "input_names",
    10: "output_names",
}
MAX_NAME_BYTES = 255  # so that a loaded model can keep its name


def read(section, inputs, outputs, n_layers):
    """Return the entries of `section`, a memoryview, as a dict from name to memoryview.

    inputs and outputs are lists of the network's Tensors. ValueError if an entry is not what its name promises.
    """
    entries = {}
    lines = {
        "labels": max(2, outputs[0].size),
        "feature_names": sum([tensor.size for tensor in inputs]),
        "layer_names": n_layers,
        "input_names": len(inputs),
        "output_names": len(outputs),
    }
    while len(section):
        if len(section) < 8:
            refuse("metadata", "an entry", "%d bytes left" % len(section))
        tag, size = struct.unpack_from("<II", section[:8])
        if size > len(section) - 8:
            refuse("metadata", "an entry of at most %d bytes" % (len(section) - 8), size)
        if tag in TAGS:
            name, content = TAGS[tag], section[8 : 8 + size]
            if name in entries:
                refuse("metadata: " + name, "one entry", "another")
            entries[name] = content
            if name in ("labels", "threshold") and len(outputs) > 1:
                refuse("metadata: " + name, "a network of one output", len(outputs))
            _check(name, content, lines.get(name))
        section = section[8 + (size + 3) // 4 * 4 :]
    _check_golden(entries, inputs, outputs)
    return entries


def _check(name, content, n_lines):
    where = "metadata: " + name
    if len(content) == 0:
        refuse(where, "an entry that is not empty", "0 bytes")
    if name == "threshold":
        if len(content) != 4:
            refuse(where, "4 bytes", len(content))
        threshold = struct.unpack_from("<f", content)[0]
        if not -math.inf < threshold < math.inf:
            refuse(where, "a finite number", threshold)
    elif name[:6] != "golden":
        if name == "name" and len(content) > MAX_NAME_BYTES:
            refuse(where, "at most %d bytes" % MAX_NAME_BYTES, len(content))
        lines = text(content, where).count("\n") + 1
        if n_lines is not None and lines != n_lines:
            refuse(where, "%d lines" % n_lines, lines)


def text(content, where):
    """Return bytes as text; ValueError unless they are UTF-8."""
    try:
        decoded = str(bytes(content), "utf-8")
    except UnicodeError:
        refuse(where, "UTF-8", "other bytes")
    if len(decoded) == len(content):
        return decoded  # ASCII, and nearly always: a Pico takes 30 us for each character below
    # what MicroPython lets pass: forms longer than need be, surrogates, and numbers beyond the last character
    size = 0
    for character in decoded:
        point = ord(character)
        size += 1 if point < 0x80 else 2 if point < 0x800 else 3 if point < 0x10000 else 4
        if 0xD800 <= point < 0xE000 or point > 0x10FFFF:
            refuse(where, "UTF-8", "the number %d" % point)
    if size != len(content):
        refuse(where, "UTF-8", "a longer form of it")
    return decoded


def _check_golden(entries, inputs, outputs):
    counts = []
    for name, tensors in (("golden_inputs", inputs), ("golden_outputs", outputs)):
        size = len(entries.get(name, b""))
        sample = sum([tensor.nbytes for tensor in tensors])
        if size % sample:
            refuse("metadata: " + name, "samples of %d bytes" % sample, "%d bytes" % size)
        counts.append(size // sample)
    if counts[0] != counts[1]:
        refuse("metadata: golden_outputs", "%d samples" % counts[0], counts[1])
