"""Every golden model, on the samples in it: integers to the bit, floats with the bits of the C core on a PC.

A test a model, test_NAME for tests/golden/models/NAME.anne. Integers must be the file's own golden outputs, floats what
bits.txt tells, which the host library says before a backend runs (backends.py); that those are right, other tests ask
frameworks.
"""

import sys
from array import array
from binascii import unhexlify

import anne
from check import close, golden, same

LETTERS = {"float32": "f", "int8": "b", "int16": "h"}
SIZES = {"f": 4, "b": 1, "h": 2}
IS_M33 = "Cortex-M33" in getattr(sys.implementation, "_machine", "")
BITS = {}  # in hex, by the models' names


def bits_of(name):
    if not BITS:
        with open(golden("bits.txt")) as file:
            for line in file:
                model, text = line.split()
                BITS[model] = text
    return unhexlify(BITS[name])


def sums_floats(layer):
    # in the processor's floating-point unit, where it has one: whatever is not prepared for sums in integers
    return layer.layout == "f32" or layer.kind in ("depthwise_conv", "conv_transpose")


def bound_of(net):
    """Return what floats may be off, as a part of the largest output: 0 for the same bits."""
    layers = [net._core.layer(i) for i in range(net._core.n_layers)]
    if not anne.native:
        # the reference has floats of 64 bits: within 1e-6 of a layer's largest output
        return 1e-6 * len(layers)
    if IS_M33 and [layer for layer in layers if sums_floats(layer)]:
        # some dozen roundings of 2^-24, in another order: kernels/dense_f32.h, and tests/emulator/kernels for random x
        return 2.0**-20
    return 0


def arrays(ports, data):
    """Return the values of inputs or outputs, as they stand in the arena one after another: an array each."""
    values, at = [], 0
    for port in ports:
        letter, size = LETTERS[port.dtype], 1
        for n in port.shape:
            size *= n
        end = at + size * SIZES[letter]
        values.append(array(letter, data[at:end]))
        at = end
    return values


def check(name):
    net = anne.load(golden(name + ".anne"))
    floats = "float32" in [port.dtype for port in net.outputs]
    bits, bound, n, at = bits_of(name) if floats else b"", bound_of(net), 0, 0
    while True:
        sample = net._core.golden(n)
        if sample is None:
            break
        x, y = arrays(net.inputs, sample[0]), sample[1]
        expected = arrays(net.outputs, bits[at : at + len(y)] if floats else y)
        outs = arrays(net.outputs, bytes(len(y)))
        out = outs if len(outs) > 1 else outs[0]
        assert net.predict_into(x if len(x) > 1 else x[0], out) is out
        for got, numbers in zip(outs, expected):
            compare(got, numbers, bound)
        at += len(y)
        n += 1
    assert n > 0
    same(len(bits), at if floats else 0)


def compare(got, expected, bound):
    if bytes(got) != bytes(expected):
        finite = [abs(v) for v in expected if v - v == 0]
        close(list(got), list(expected), bound * max(finite) if bound and finite else 0)


def __getattr__(name):
    if not name.startswith("test_"):
        raise AttributeError(name)
    return lambda: check(name[5:])
