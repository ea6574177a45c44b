"""ADD on integers, from scales to the C core, against the interpreter in the package `tflite-micro`.

A layer of random shape, scales, zero points and activation is packed into a model file; the interpreter runs the same
layer as a .tflite file. Both its meaning in Python and the C core must give the interpreter's integers.
"""

import numpy as np
import pytest
from anne.layers import add as meaning
from anne.model_file import ModelFile
from anne_tools.conversion.pack import pack
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import packed
from anne_tools.errors import ModelError
from anne_tools.layers import Add
from anne_tools.network import tflm, tflm_binary
from anne_tools.network.graph import Graph
from anne_tools.network.tensor import Quantization, Tensor

FUSED = {"linear": 0, "relu": 1, "relu6": 3}
# Bits to the left of the point that a sum gains: the output's scale is at least 2 max(a, b) / 2^bits.
LEFT = {"int8": 20, "int16": 15}


class Sum:
    """The layer by the interpreter, by its meaning in Python, and by the C core; `quantizations` of a, b and output."""

    def __init__(self, shape, dtype, quantizations, activation):
        from tflite_writer import Oracle, TfliteWriter

        w = TfliteWriter()
        a, b, y = (
            w.tensor((1, *shape), dtype, scale=scale, zero_point=zero) for scale, zero in quantizations
        )
        w.operator("ADD", [a, b], [y], fusedActivationFunction=FUSED[activation])
        self.oracle = Oracle(w.to_bytes([a, b], [y]), 3 * 2 * 12**3)
        tensors = [
            Tensor(name, shape, dtype, Quantization(np.float32(scale), zero))
            for name, (scale, zero) in zip("aby", quantizations, strict=True)
        ]
        layer = Add("sum", ["a", "b"], "y", activation)
        data = pack(Graph(["a", "b"], ["y"], [layer], {t.name: t for t in tensors}))
        self.layer, self.native = ModelFile(data).layers[0], NativeModel(data)

    def check(self, a, b):
        expected = self.oracle(a[None], b[None])[0]
        plain = meaning.run(self.layer, [a.ravel().tolist(), b.ravel().tolist()])
        assert plain == [expected.ravel().tolist()]
        (core,) = self.native.trace(packed([a[None], b[None]])).values()
        np.testing.assert_array_equal(core, expected)


def random_layer(rng, dtype):
    """Shape, quantisations and activation: of most, scales that networks have; of some, whatever a file may say."""
    shape = tuple(int(d) for d in rng.integers(1, 12, rng.integers(1, 4)))
    base, spread = rng.choice([-5, -5, -30, 20]), rng.choice([1, 4, 12])
    a, b = np.float32(2.0 ** (base + rng.uniform(-spread, spread, 2)))
    b = a if rng.random() < 0.2 else b
    finest = 2 * max(a, b) / 2.0 ** LEFT[dtype]
    output = np.float32(max(a, b) * 2.0 ** rng.uniform(-2, 4))
    if rng.random() < 0.1:
        output = np.float32(
            finest * (1 + 2.0 ** -rng.integers(0, 23))
        )  # the sum is hardly made smaller, or not
    zeros = rng.integers(-128, 128, 3) if dtype == "int8" else np.zeros(3, int)
    zeros[rng.random(3) < 0.1] = -128 if dtype == "int8" else 0
    # For 6 / scale beyond 32 bits the interpreter gives up.
    activation = str(rng.choice([name for name in FUSED if name != "relu6" or output > 1e-8]))
    return shape, list(zip((a, b, output), map(int, zeros), strict=True)), activation


@pytest.mark.parametrize("dtype", LEFT)
def test_add_gives_the_integers_of_tflite_micro(dtype):
    pytest.importorskip("tflite_micro")
    rng = np.random.default_rng([20261126, LEFT[dtype]])
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    for _ in range(700):
        shape, quantizations, activation = random_layer(rng, dtype)
        a, b = rng.integers(least, most + 1, (2, *shape)).astype(dtype)
        a.flat[0], b.flat[0] = rng.choice([least, most], 2)
        a.flat[-1] = b.flat[-1] = rng.choice([least, most])
        try:
            Sum(shape, dtype, quantizations, activation).check(a, b)
        except AssertionError as error:
            raise AssertionError(f"{shape} {quantizations} {activation}: {error}") from None


@pytest.mark.parametrize("dtype", LEFT)
def test_relu6_where_float32_and_float64_differ_in_the_limit(dtype):
    # The quotient 6 / scale, which float32 rounds up to a half and float64 does not, or the other way round.
    pytest.importorskip("tflite_micro")
    rng = np.random.default_rng(20261126)
    halves = rng.integers(20, 100 if dtype == "int8" else 30000, 200_000) + 0.5
    scales = np.float32(6 / halves)
    by_float32 = np.floor(np.float32(np.float32(6) / scales) + np.float64(0.5))
    by_float64 = np.floor(6 / scales.astype(np.float64) + 0.5)
    scales = np.unique(scales[by_float32 != by_float64])[:20]
    assert scales.size
    most = np.full((1,), np.iinfo(dtype).max, dtype)
    for scale in scales:
        large = (1.0 if dtype == "int8" else scale, 0)
        Sum((1,), dtype, [large, large, (scale, 0)], "relu6").check(most, most)


def test_limits_of_scales_whose_six_is_beyond_all_integers():
    assert tflm.clamp_range("relu6", 1e-40, -5, "int8") == (-5, 127)
    assert tflm.clamp_range("relu6", 1e-12, 0, "int16") == (0, 32767)


@pytest.mark.parametrize("dtype", LEFT)
def test_an_output_finer_than_the_sum_is_refused(dtype):
    # 2 max(a, b) / 2^bits is the finest: with it, or a finer one, the sum would have to grow
    finest = 2.0 / 2 ** LEFT[dtype]
    assert tflm_binary.add_factors(1.0, 0.5, np.nextafter(np.float32(finest), np.float32(1)), dtype)[5] == 0
    with pytest.raises(ModelError, match=r"its output scale .* is too fine for inputs of scale 1.0 and 0.5"):
        tflm_binary.add_factors(1.0, 0.5, finest, dtype)
