"""Runs on the Pico: the peers in Python, and `job`, which measures one case of cases.py and prints JSON.

Data lie in the flash, where cases.py has put them; `in_ram` says whether they are copied into RAM first.
"""

import gc
import json
from array import array
from binascii import hexlify

import _bench
import anne
from anne import reference

import micropython


@micropython.native
def native(w, b, x, out):
    n_in = len(x)
    k = 0
    for r in range(len(out)):
        total = b[r]
        for j in range(n_in):
            total += w[k] * x[j]
            k += 1
        out[r] = total


@micropython.viper
def viper_s8(w, b, x, out):
    n_in = int(len(x))
    n_out = int(len(out))
    weights = ptr8(w)  # noqa: F821
    bias = ptr32(b)  # noqa: F821
    values = ptr8(x)  # noqa: F821
    sums = ptr32(out)  # noqa: F821
    k = 0
    for r in range(n_out):
        total = bias[r]
        for j in range(n_in):
            total += ((weights[k] ^ 128) - 128) * ((values[j] ^ 128) - 128)  # ptr8 knows no sign
            k += 1
        sums[r] = total


@micropython.viper
def viper_s16(w, b, x, out):
    n_in = int(len(x))
    n_out = int(len(out))
    weights = ptr16(w)  # noqa: F821
    bias = ptr32(b)  # noqa: F821
    values = ptr16(x)  # noqa: F821
    sums = ptr32(out)  # noqa: F821
    k = 0
    for r in range(n_out):
        total = bias[r]
        for j in range(n_in):
            total += ((weights[k] ^ 32768) - 32768) * ((values[j] ^ 32768) - 32768)
            k += 1
        sums[r] = total


def in_python(function):
    def measured(w, b, x, out, cycles):
        _bench.call(function, (w, b, x, out), cycles)

    return measured


def reference_dense(w, b, x, out, cycles):
    y = _bench.call(reference.dense, (len(out), list(x), w, b, "linear"), cycles)
    out[:] = array("f", y)


def model(file, x, out, cycles):
    net = anne.load(file, copy=False)
    _bench.call(net.predict_into, (x, out), cycles)


def split_net(shape, values):
    """Layers as (n_out, weights, bias) from one array with weights and bias of each."""
    layers, k = [], 0
    for n_in, n_out in zip(shape, shape[1:]):  # noqa: B905
        n = n_in * n_out
        layers.append((n_out, values[k : k + n], values[k + n : k + n + n_out]))
        k += n + n_out
    return layers


def forward(layers, activations, x):
    dense = reference.dense
    for i, (n_out, w, b) in enumerate(layers):
        x = dense(n_out, x, w, b, activations[i])
    return x


def reference_net(values, x, out, cycles):
    y = _bench.call(forward, (split_net(NET[0], values), NET[1], list(x)), cycles)
    out[:] = array("f", y)


def eml_net(values, x, out, cycles):
    codes = {"linear": 0, "relu": 1, "sigmoid": 2}
    layers = split_net(NET[0], values)
    arrays = tuple((w, b, codes[name]) for (_, w, b), name in zip(layers, NET[1]))  # noqa: B905
    _bench.eml_net(arrays)
    _bench.call(_bench.eml_predict, (x, out), cycles)


NET = ([], [])  # shape and activations of the network; set by whole_models.py
FUNCTIONS = {
    "layer": _bench.layer,
    "requantise": _bench.requantise,
    "model": model,
    "plain_s8": _bench.plain_s8,
    "plain_s16": _bench.plain_s16,
    "plain_f32": _bench.plain_f32,
    "eml_layer": _bench.eml_layer,
    "native": in_python(native),
    "viper_s8": in_python(viper_s8),
    "viper_s16": in_python(viper_s16),
    "reference_dense": reference_dense,
    "reference_net": reference_net,
    "eml_net": eml_net,
    "spin": lambda n, x, out, cycles: _bench.spin(n[0], cycles),
}


def job(name, parts, out_code, n_out, n_repeats, in_ram):
    """Call FUNCTIONS[name] on the parts, (type code, offset, bytes) each; "" leaves a part as raw bytes."""
    gc.collect()
    arguments = []
    for code, offset, n in parts:
        raw = _bench.flash(offset, n)
        raw = bytes(raw) if in_ram or code else raw
        arguments.append(array(code, raw) if code else raw)
        raw = None
        gc.collect()
    out = array(out_code, [0] * n_out)
    cycles = array("I", [0] * n_repeats)
    arguments += [out, cycles]
    FUNCTIONS[name](*arguments)
    print(json.dumps({"cycles": list(cycles), "output": hexlify(out).decode()}))
