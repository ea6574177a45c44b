"""Add, subtract and multiply with operands of unlike shapes and with constants, from the graph to both cores, against
NumPy: floats to the bit, integers within half a step and the roundings of the operands."""

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import given_inputs, raw_inputs
from anne_tools.errors import ModelError
from anne_tools.layers import Add, Multiply, Subtract
from anne_tools.layers.build import GraphBuilder

RANDOM = np.random.default_rng(14)
KINDS = {Add: np.add, Subtract: np.subtract, Multiply: np.multiply}
SHAPES = [  # of a and of b
    ((4,), (4,)),
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (1, 1, 4)),
    ((4,), (2, 3, 4)),
    ((2, 3, 4), (2, 3, 1)),
    ((2, 3, 4), (1,)),
    ((1,), (5,)),
    ((2, 1, 4), (1, 3, 1)),
    ((3, 1), (1, 2, 3, 4)),
    ((2, 3, 4, 5), (2, 1, 4, 1)),
]


def with_two(kind, shape_a, shape_b, activation="linear"):
    b = GraphBuilder()
    a, other = b.input("a", shape_a), b.input("b", shape_b)
    b.add(kind, "both", activation, inputs=[a, other])
    return b.build()


def lifted(x, rank):
    return x.reshape(len(x), *[1] * (rank + 1 - x.ndim), *x.shape[1:])


def outputs(data, x):
    """What both cores give, which is the same to the bit."""
    with NativeModel(data) as native:
        raw = raw_inputs(given_inputs(x, native.file), native.file)
        got = native.run_raw(raw)
        assert reference_outputs(data, raw).tobytes() == got.tobytes()
        return native.predict(x)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape_a", "shape_b"), SHAPES)
def test_shapes_are_broadcast_as_numpy_does(kind, shape_a, shape_b, dtype):
    x = [np.float32(RANDOM.uniform(-1, 1, (8, *shape))) for shape in (shape_a, shape_b)]
    rank = max(len(shape_a), len(shape_b))
    expected = KINDS[kind](*(lifted(each, rank) for each in x))
    data = pack(quantize(with_two(kind, shape_a, shape_b), dtype, x))
    got = outputs(data, x).reshape(expected.shape)
    if dtype == "float32":
        np.testing.assert_array_equal(got, expected)
    else:
        step = {"int8": 2 / 255, "int16": 1 / 32767}[dtype]  # of values within 1; sums are within 2
        np.testing.assert_allclose(got, expected, atol=2.1 * step)


CONSTANTS = [((2, 3, 4), (4,)), ((2, 3, 4), ()), ((2, 3, 4), (1, 1, 4)), ((3,), (2, 3)), ((2, 3), (2, 1))]


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16", "int8-weights"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape", "constant"), CONSTANTS)
def test_constants_are_broadcast_too(kind, shape, constant, first, dtype):
    c = np.float32(RANDOM.uniform(-1, 1, constant))
    b = GraphBuilder(shape)
    b.add(kind, "both", constant=c, constant_first=first)
    x = np.float32(RANDOM.uniform(-1, 1, (8, *shape)))
    operands = [lifted(x, c.ndim), c]
    expected = KINDS[kind](*(operands[::-1] if first else operands))
    got = outputs(pack(quantize(b.build(), dtype, x)), x).reshape(expected.shape)
    if dtype in ("float32", "int8-weights"):
        np.testing.assert_array_equal(got, expected)
    else:
        step = {"int8": 2 / 255, "int16": 1 / 32767}[dtype]
        np.testing.assert_allclose(got, expected, atol=2.1 * step)


@pytest.mark.parametrize("kind", KINDS)
def test_an_activation_behind_them(kind):
    x = [np.float32(RANDOM.normal(0, 4, (8, 5))) for _ in range(2)]
    expected = np.clip(KINDS[kind](*x), 0, 6)
    np.testing.assert_array_equal(outputs(pack(with_two(kind, (5,), (5,), "relu6")), x), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_results_that_are_all_nothing(kind):
    # x - x, x + (-x), x 0: their range is no wider than a rounding, and the output is no finer than the kernel has it
    a = np.float32(RANDOM.uniform(0.5, 1, (8, 3)))
    b = {Add: -a, Subtract: a, Multiply: 0 * a}[kind]
    for dtype in ("int8", "int16"):
        got = outputs(pack(quantize(with_two(kind, (3,), (3,)), dtype, [a, b])), [a, b])
        np.testing.assert_allclose(got, np.zeros((8, 3)), atol=3 / 255)


@pytest.mark.parametrize(
    ("shape_a", "shape_b"), [((4,), (3,)), ((2, 3, 4), (2,)), ((2, 3), (3, 2)), ((4, 4), (2, 1, 3))]
)
def test_shapes_that_do_not_fit(shape_a, shape_b):
    with pytest.raises(
        ModelError, match=r"both\): expected shapes that are equal, or of which one has 1, on each"
    ):
        with_two(Multiply, shape_a, shape_b)


@pytest.mark.parametrize(
    ("constant", "problem"),
    [
        (np.zeros((1, 1, 1, 1, 3)), r"expected a constant of at most 4 dimensions and not empty"),
        (np.zeros((0, 3)), r"expected a constant of at most 4 dimensions and not empty"),
        (np.array([1, np.nan, 3]), r"1 of 3 values of the constant are NaN or infinite"),
        (np.zeros(4), r"expected shapes that are equal"),
    ],
)
def test_what_is_no_constant(constant, problem):
    with pytest.raises(ModelError, match=problem):
        GraphBuilder((3,)).add(Multiply, "both", constant=constant)


def test_a_number_of_two_operands():
    b = GraphBuilder((3,))
    with pytest.raises(ModelError, match=r"both\): expected 2 inputs, got 1"):
        convert(_graph_of_one(b))


def _graph_of_one(b):
    b.layers.append(Add("both", "input", "y"))
    b.tensors["y"] = b.tensors["input"]
    b.last = b.tensors["input"]
    return b.build()
