"""Activations on floats in the firmware: the bits that the host's C gives, whose errors the C tests measure."""

import numpy as np
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.native import NativeModel
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.activations import ACTIVATIONS

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

# Sigmoids of `x` in the main program, of its first 20 in hard interrupts at all moments; counts of interrupts, and of
# wrong results of either. The comparisons allocate nothing.
INTERRUPTED = """import anne, rp2, uctypes
from array import array
from binascii import unhexlify
x, expected = array("f", unhexlify("{x}")), unhexlify("{y}")
models = [anne.load(data) for data in {models}]
y, few_x, few_y = array("f", bytes(len(expected))), x[:20], array("f", bytes(80))
few_bytes, few_expected = uctypes.bytearray_at(uctypes.addressof(few_y), 80), expected[:80]
counts = array("i", [0, 0, 0])
@rp2.asm_pio()
def program():
    irq(rel(0))
def use(it):
    counts[0] += 1
    models[1].predict_into(few_x, few_y)
    counts[1] += few_bytes != few_expected
machine = rp2.StateMachine(0, program, freq=3001)
machine.irq(use, hard=True)
machine.active(1)
for _ in range(150):
    models[0].predict_into(x, y)
    counts[2] += bytes(y) != expected
machine.active(0)
machine.irq(None)
print(*counts)
"""


def inputs() -> np.ndarray:
    """Floats of all sizes and both signs, where the curves bend, infinities; (n_samples, N)."""
    sizes = np.linspace(0, 0x7F800000, 3 * N).astype(np.uint32).view(np.float32)
    bends = np.linspace(0, 14, 4 * N, dtype=np.float32)
    edges = np.array([0.125, 0.25, 3, 6, 10, 13, 20, 87.33, 88.72283, 0.70710678, 1], np.float32)
    edges = np.concatenate([np.nextafter(edges, np.float32(0)), edges, np.nextafter(edges, np.float32(100))])
    positive = np.concatenate([sizes, bends, np.resize(edges, N)])
    return np.concatenate([positive, -positive]).reshape(-1, N)


def model_file(activation: str, n: int = N) -> bytes:
    builder = GraphBuilder((n,))
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


def test_sigmoids_share_the_divider_with_interrupts(pico):
    x = np.linspace(-9, 9, 200, dtype=np.float32)
    models = [model_file("sigmoid", n) for n in (200, 20)]
    y = NativeModel(models[0]).run_raw(x)
    script = INTERRUPTED.format(x=x.astype("<f4").tobytes().hex(), y=y.tobytes().hex(), models=models)
    printed, error = pico.exec(script)
    interrupts, *wrong = map(int, printed.split())
    assert (error, wrong) == ("", [0, 0])
    assert interrupts > 100
