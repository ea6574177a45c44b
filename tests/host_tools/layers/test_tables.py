"""Activations of integers as tables: each entry is the function of the number its index stands for."""

import math

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Activation
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.tables import FIXED_OUTPUT, limits, table
from anne_tools.network.activations import ACTIVATIONS
from anne_tools.network.tensor import Quantization, Tensor

FUNCTIONS = {
    "linear": lambda v: v,
    "relu": lambda v: max(v, 0.0),
    "relu6": lambda v: min(max(v, 0.0), 6.0),
    "leaky_relu": lambda v: v if v >= 0 else 0.2 * v,
    "elu": lambda v: v if v >= 0 else math.expm1(v),
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "hard_sigmoid": lambda v: min(max(v + 3, 0.0), 6.0) / 6,
    "tanh": math.tanh,
    "softplus": lambda v: math.log1p(math.exp(-abs(v))) + max(v, 0.0),
    "swish": lambda v: v / (1 + math.exp(-v)),
    "hard_swish": lambda v: v * min(max(v + 3, 0.0), 6.0) / 6,
    "gelu": lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2,
    "exp": math.exp,
    # below 0 as at 0
    "log": lambda v: math.log(v) if v > 0 else -math.inf,
    "sqrt": lambda v: math.sqrt(max(v, 0.0)),
    "rsqrt": lambda v: 1 / math.sqrt(v) if v > 0 else math.inf,
    "abs": abs,
    "negative": lambda v: -v,
    "square": lambda v: v * v,
}
ALPHA = {"leaky_relu": 0.2, "elu": 1.0}


def tensor(dtype: str, scale: float, zero_point: int = 0) -> Tensor:
    return Tensor("t", (4,), dtype, Quantization(np.float32(scale), zero_point))


def table_of(name: str, source: Tensor, target: Tensor) -> np.ndarray:
    data = table(Activation("a", "x", "y", name, ALPHA.get(name, 0.0)), source, target)
    return np.frombuffer(data, "<i2" if target.dtype == "int16" else "i1").astype(int)


def target_for(name: str, dtype: str) -> Tensor:
    if name in FIXED_OUTPUT:
        return tensor(dtype, *FIXED_OUTPUT[name][dtype])
    return tensor(dtype, 0.06, -20) if dtype == "int8" else tensor(dtype, 8 / 32767)


def test_every_activation_is_here():
    assert {*FUNCTIONS, "softmax", "log_softmax"} == set(ACTIVATIONS)


# Steps from the true value. The nearest integer is half a step off at most, and a little in float32; what
# TensorFlow Lite Micro rounds twice (linear, relu, leaky_relu, abs, rsqrt) or computes in 16 bits (hard_swish) is
# as it has it (test_tflm.py).
INT8_BOUND = {"linear": 0.76, "relu": 0.76, "leaky_relu": 0.76, "hard_swish": 0.6, "abs": 0.76, "rsqrt": 0.77}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_int8_tables_for_every_input(name):
    rng = np.random.default_rng(20261124)
    for _ in range(40):
        scale, zero_point = float(np.float32(2.0 ** rng.uniform(-10, 1))), int(rng.integers(-128, 128))
        source, target = tensor("int8", scale, zero_point), target_for(name, "int8")
        if name not in FIXED_OUTPUT:
            target = tensor("int8", scale * 2.0 ** rng.uniform(-2, 2), int(rng.integers(-128, 128)))
        out = target.quantization
        exact = [FUNCTIONS[name](scale * (q - zero_point)) for q in range(-128, 128)]
        exact = np.clip(np.array(exact) / float(out.scale[0]) + out.zero_point, -128, 127)
        bound = INT8_BOUND.get(name, 0.501)
        np.testing.assert_allclose(table_of(name, source, target), exact, rtol=0, atol=bound)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_int16_tables_are_the_function_at_every_128th(name):
    source, target = tensor("int16", 8 / 32767), target_for(name, "int16")
    got = table_of(name, source, target)
    scale, out_scale = float(source.quantization.scale[0]), float(target.quantization.scale[0])
    exact = np.array([FUNCTIONS[name](scale * (128 * i - 32768)) for i in range(513)]) / out_scale
    assert len(got) == 513
    np.testing.assert_allclose(got, np.clip(exact, -32768, 32767), atol=0.51)


# The largest curvature |f''|, and the bends: where the slope jumps, and by how much. At 0 there is an entry.
CURVATURE = {
    "elu": 1,
    "sigmoid": 0.0963,
    "tanh": 0.770,
    "softplus": 0.25,
    "swish": 0.5,
    "hard_swish": 1 / 3,
    "gelu": 0.798,
    "square": 2,
}
# Of those that bend more and more, at the greatest or least number of a line.
CURVATURE_AT_END = {"exp": math.exp}
CURVATURE_AT_BEGIN = {
    "log": lambda v: v**-2,
    "sqrt": lambda v: v**-1.5 / 4,
    "rsqrt": lambda v: v**-2.5 * 3 / 4,
}
BENDS = {"relu6": (6, 1), "hard_sigmoid": (3, 1 / 6), "hard_swish": (3, 0.5)}


def int16_layer(name: str, shape: tuple[int, ...], reach: float) -> NativeModel:
    """One activation on int16, for inputs from -reach to reach."""
    builder = GraphBuilder(shape)
    builder.activation("a", name, ALPHA.get(name, 0.0))
    return NativeModel(pack(quantize(builder.build(), "int16", np.linspace(-reach, reach, *shape)[None])))


@pytest.mark.parametrize("reach", [1, 4, 8, 16, 60])
@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "linear" and n not in CURVATURE_AT_BEGIN])
def test_int16_activations_for_every_input(name, reach):
    # DESIGN.md, "Numbers": a step for the two roundings, and what a straight line 128 inputs long is off by
    model = int16_layer(name, (4096,), reach)
    scale, out_scale = float(model.input.scale), float(model.output.scale)
    got = model.run_raw(np.arange(-32768, 32768, dtype=np.int16)).astype(float).ravel()
    exact = np.array([FUNCTIONS[name](scale * q) for q in range(-32768, 32769)]) / out_scale
    at, jump = BENDS.get(name, (0, 0))
    curvature = np.full(65536, CURVATURE.get(name, 0.0))
    if name in CURVATURE_AT_END:
        curvature = np.array([CURVATURE_AT_END[name](scale * q) for q in range(-32768 + 128, 32768 + 128)])
    line = ((128 * scale) ** 2 / 8 * curvature + 32 * scale * jump) / out_scale
    bound = 1.01 + line
    bound[:128] += max(0, exact[0] - 32767)  # the first and the last entry are limited to 32767
    bound[-128:] += max(0, exact[-1] - 32767)
    error = np.abs(got - np.clip(exact[:-1], -32768, 32767))
    assert (error <= bound).all(), (error - bound).max()


@pytest.mark.parametrize("reach", [1, 8, 60])
@pytest.mark.parametrize("name", CURVATURE_AT_BEGIN)
def test_int16_roots_and_logarithms_for_every_input(name, reach):
    """From the second line above 0 on; on the first they are steeper than a line can be. Below 0 they are as at 0."""
    model = int16_layer(name, (4096,), reach)
    scale, out_scale = float(model.input.scale), float(model.output.scale)
    got = model.run_raw(np.arange(-32768, 32768, dtype=np.int16)).astype(float).ravel()
    at_0 = np.clip(FUNCTIONS[name](0) / out_scale, -32768, 32767)
    np.testing.assert_array_equal(got[: 32768 + 1], at_0)
    q = np.arange(128, 32768)
    exact = np.array([FUNCTIONS[name](scale * v) for v in q]) / out_scale
    curvature = np.array([CURVATURE_AT_BEGIN[name](scale * (v - v % 128)) for v in q])
    error = np.abs(got[32768 + 128 :] - exact)
    bound = 1.01 + (128 * scale) ** 2 / 8 * curvature / out_scale
    assert (error <= bound).all(), (error - bound).max()


@pytest.mark.parametrize("reach", [1, 4, 8, 16, 60])
def test_int16_softmax_of_two_for_every_difference(reach):
    model = int16_layer("softmax", (2,), reach)
    scale, difference = float(model.input.scale), np.arange(65536)
    got = model.run_raw(np.stack([np.full(65536, 32767), 32767 - difference], axis=1))
    other = 1 / (1 + np.exp(scale * difference))
    exact = np.minimum(32768 * np.stack([1 - other, other], axis=1), 32767)
    # the line is off by (128 scale)^2 / 8 of e, of which softmax of two passes on a quarter
    np.testing.assert_allclose(got, exact, rtol=0, atol=1.5 + 32768 * (128 * scale) ** 2 / 8 / 4)


def test_softmax_of_int8_has_exponentials_of_31_bits():
    data = table(Activation("a", "x", "y", "softmax"), tensor("int8", 0.1), target_for("softmax", "int8"))
    got = np.frombuffer(data, "<i4").astype(float)
    assert got[0] == 2**31 - 1
    # TensorFlow Lite Micro has 26 bits behind the point of d scale
    np.testing.assert_allclose(got / 2**31, np.exp(-0.1 * np.arange(256)), atol=1e-6)


def test_softmax_of_int16_has_exponentials_of_15_bits():
    source = tensor("int16", 1 / 4096)
    got = table_of("softmax", source, target_for("softmax", "int16"))
    np.testing.assert_allclose(got, 32767 * np.exp(-np.arange(513) / 32), atol=0.51)


def test_a_fixed_output_is_insisted_on():
    with pytest.raises(ModelError, match="expected scale and zero point"):
        table_of("softmax", tensor("int8", 0.1), tensor("int8", 0.1))


def test_a_sigmoid_of_another_scale_than_tensorflow_lites():
    got = table_of("sigmoid", tensor("int8", 0.1), tensor("int8", 0.01, -20))
    # of -12.8, 0 and 12.7: 0, a half and 1 in steps of 0.01 from -20 on
    assert list(got[[0, 128, 255]]) == [-20, 30, 80]


def test_limits_of_fused_activations():
    # real 0 is zero_point -20, real 6 is -20 + 6 / 0.1 = 40
    target = tensor("int8", 0.1, -20)
    assert limits("linear", target) == (-128, 127)
    assert limits("relu", target) == (-20, 127)
    assert limits("relu6", target) == (-20, 40)
    assert limits("relu6", tensor("int16", 0.001)) == (0, 6000)
    assert limits("relu", Tensor("t", (1,))) == (0, 0)
