"""Activations of integers as tables: each entry is the function of the number its index stands for."""

import math

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.graph import ACTIVATIONS, Activation, Quantization, Tensor
from anne_tools.tables import FIXED_OUTPUT, limits, table

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
    assert {*FUNCTIONS, "softmax"} == set(ACTIVATIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_int8_tables(name):
    source, target = tensor("int8", 0.05, 10), target_for(name, "int8")
    got = table_of(name, source, target)
    scale, out_scale = float(source.quantization.scale[0]), float(target.quantization.scale[0])
    exact = [
        FUNCTIONS[name](scale * (q - 10)) / out_scale + target.quantization.zero_point
        for q in range(-128, 128)
    ]
    # TensorFlow Lite Micro rounds some of these twice: one step
    np.testing.assert_allclose(got, np.clip(exact, -128, 127), atol=1.0 if name != "hard_swish" else 1.5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_int16_tables_are_the_function_at_every_128th(name):
    source, target = tensor("int16", 8 / 32767), target_for(name, "int16")
    got = table_of(name, source, target)
    scale, out_scale = float(source.quantization.scale[0]), float(target.quantization.scale[0])
    exact = np.array([FUNCTIONS[name](scale * (128 * i - 32768)) for i in range(513)]) / out_scale
    assert len(got) == 513
    np.testing.assert_allclose(got, np.clip(exact, -32768, 32767), atol=0.51)


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
        table_of("sigmoid", tensor("int8", 0.1), tensor("int8", 0.1))


def test_limits_of_fused_activations():
    # real 0 is zero_point -20, real 6 is -20 + 6 / 0.1 = 40
    target = tensor("int8", 0.1, -20)
    assert limits("linear", target) == (-128, 127)
    assert limits("relu", target) == (-20, 127)
    assert limits("relu6", target) == (-20, 40)
    assert limits("relu6", tensor("int16", 0.001)) == (0, 6000)
    assert limits("relu", Tensor("t", (1,))) == (0, 0)
