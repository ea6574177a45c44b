"""Activations on floats in the firmware: the bits that the host's C gives, whose errors the C tests measure."""

import numpy as np
from anne_tools.graph import ACTIVATIONS, GraphBuilder
from anne_tools.native import NativeModel
from anne_tools.pack import pack
from anne_tools.quantize import quantize

N = 128
SCRIPT = """import anne
from array import array
from binascii import hexlify, unhexlify
x, y = array("f", unhexlify("{x}")), array("f", bytes({n_bytes}))
for data in {models}:
    model = anne.load(data)
    for i in range(0, len(x), {n}):
        model.predict_into(x[i : i + {n}], y)
        print(hexlify(y).decode())
"""


def inputs() -> np.ndarray:
    """Floats of all sizes and both signs, where the curves bend, infinities; (n_samples, N)."""
    sizes = np.linspace(0, 0x7F800000, 3 * N).astype(np.uint32).view(np.float32)
    bends = np.linspace(0, 14, 4 * N, dtype=np.float32)
    edges = np.array([0.125, 0.25, 3, 6, 10, 13, 20, 87.33], np.float32)
    edges = np.concatenate([np.nextafter(edges, np.float32(0)), edges, np.nextafter(edges, np.float32(100))])
    positive = np.concatenate([sizes, bends, np.resize(edges, N)])
    return np.concatenate([positive, -positive]).reshape(-1, N)


def model_file(activation: str) -> bytes:
    builder = GraphBuilder((N,))
    builder.activation("a", activation, 0.3)
    return pack(quantize(builder.build(), "float32"))


def bits(y: np.ndarray) -> np.ndarray:
    """The bits of floats; denormals, which the chip's multiplication does not have, are 0; 0 and NaN have no sign."""
    y = np.where(np.isnan(y), np.float32(np.nan), y)
    return np.where(np.abs(y) < 2.0**-126, np.float32(0), y).view(np.uint32)


def test_the_firmware_gives_the_bits_of_the_host(pico):
    names = [name for name in ACTIVATIONS if name != "linear"]
    models = [model_file(name) for name in names]
    x = inputs()
    script = SCRIPT.format(x=x.astype("<f4").tobytes().hex(), n_bytes=4 * N, n=N, models=models)
    printed, error = pico.exec(script)
    assert not error
    results = np.frombuffer(bytes.fromhex(printed.replace("\n", "")), "<f4").reshape(len(names), *x.shape)
    for name, data, got in zip(names, models, results, strict=True):
        np.testing.assert_array_equal(bits(got), bits(NativeModel(data).run_raw(x)), name)
