"""What the programs in this folder share; they run on MicroPython's unix port and on the emulated Pico."""

import gc
import os
from array import array

import anne

LETTERS = {"float32": "f", "int8": "b", "int16": "h"}
FOLDER = os.getenv("ANNE_GOLDEN") if hasattr(os, "getenv") else "/"
NAMES = sorted(name[:-5] for name in os.listdir(FOLDER or "/") if name.endswith(".anne"))


def load(name):
    return anne.load(FOLDER + name + ".anne")


def data_of(name):
    with open(FOLDER + name + ".anne", "rb") as file:
        return file.read()


def arrays(net):
    """Return an input of ones and room for the output, in the network's own types; of several, a list of arrays."""
    return _arrays(net.inputs, 1), _arrays(net.outputs, 0)


def _arrays(ports, value):
    made = [array(LETTERS[port.dtype], [value] * _size(port.shape)) for port in ports]
    return made if len(made) > 1 else made[0]


def each(function, arrays):
    """Return function(arrays), or a list of what it makes of each of several."""
    return [function(one) for one in arrays] if isinstance(arrays, list) else function(arrays)


def raw(arrays):
    """Return the bytes of an array, or of several."""
    return b"".join([bytes(one) for one in arrays]) if isinstance(arrays, list) else bytes(arrays)


def _size(shape):
    size = 1
    for n in shape:
        size *= n
    return size


def free_bytes():
    """Return the free heap, with nothing kept alive by what calls left behind on the stack."""
    _overwrite_stack(20)
    gc.collect()
    return gc.mem_free()


def _overwrite_stack(depth, a=0, b=0, c=0, d=0, e=0, f=0, g=0, h=0):
    if depth:
        _overwrite_stack(depth - 1)
