"""Slice, Transpose and the borders of Pad in every type, from the graph to the C core, against numpy."""

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Pad, Slice, Transpose
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(26)
DTYPES = ["float32", "int8", "int16"]


def check(dtype, shape, expected_of, kind, *args, **kwargs):
    """Both cores, and numpy's network, move elements as `expected_of` does; all bits are kept, those of NaN, too."""
    b = GraphBuilder(shape)
    b.add(kind, "moved", *args, **kwargs)
    x = RANDOM.normal(size=(5, *shape))
    np.testing.assert_array_equal(execute(b.build(), x), expected_of(x))
    data = pack(quantize(b.build(), dtype, x))
    bits = RANDOM.integers(0, 256, (5, *shape, np.dtype(dtype).itemsize), np.uint8)
    if dtype == "float32":
        bits[..., 3] &= 0xBF  # the reference's floats have no signalling NaN
    raw = bits.view(dtype)[..., 0]
    expected = np.ascontiguousarray(expected_of(raw)).tobytes()
    with NativeModel(data) as model:
        assert model.run_raw(raw).tobytes() == expected, (shape, args)
        assert reference_outputs(data, raw).tobytes() == expected, (shape, args)


def any_shape(rank, most=6):
    return tuple(map(int, RANDOM.integers(1, most, rank)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_slices(dtype, rank):
    for _ in range(40):
        shape = any_shape(rank, 8 if rank < 4 else 5)
        begin = [int(RANDOM.integers(0, n)) for n in shape]
        step = [int(RANDOM.choice([-2, -1, 1, 1, 1, 2, 3])) for _ in shape]
        most = [(n - 1 - b if s > 0 else b) // abs(s) + 1 for n, b, s in zip(shape, begin, step, strict=True)]
        size = [int(RANDOM.integers(1, m + 1)) for m in most]
        indices = [b + s * np.arange(n) for b, n, s in zip(begin, size, step, strict=True)]
        check(
            dtype,
            shape,
            lambda x, i=indices: x[np.ix_(np.arange(len(x)), *i)],
            Slice,
            tuple(begin),
            tuple(size),
            tuple(step),
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_transpositions(dtype, rank):
    for _ in range(30):
        order = tuple(map(int, RANDOM.permutation(rank)))
        check(
            dtype,
            any_shape(rank),
            lambda x, o=order: np.transpose(x, (0, *(axis + 1 for axis in o))),
            Transpose,
            order,
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["reflect", "symmetric", "edge"])
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_borders(dtype, mode, rank):
    for _ in range(15):
        shape = any_shape(rank, 5)
        most = [{"reflect": n - 1, "symmetric": n, "edge": 4}[mode] for n in shape]
        before, after = (tuple(int(RANDOM.integers(0, m + 1)) for m in most) for _ in range(2))
        widths = [(0, 0), *zip(before, after, strict=True)]
        check(
            dtype,
            shape,
            lambda x, w=widths: np.pad(x, w, mode=mode),
            Pad,
            before,
            after,
            mode=mode,
        )


@pytest.mark.parametrize(
    ("kind", "args", "problem"),
    [
        (Slice, ((0,), (1,), (1,)), r"expected begin, size and step of 2 axes, got 1, 1 and 1"),
        (Slice, ((0, 2), (1, 2), (1, 1)), r"expected indices of 0 to 2, got 2 from 2 on by steps of 1"),
        (Slice, ((0, 0), (1, 2), (1, -1)), r"expected indices of 0 to 2, got 2 from 0 on by steps of -1"),
        (Slice, ((0, 0), (1, 0), (1, 1)), r"expected indices of 0 to 2, got 0 from 0 on by steps of 1"),
        (Slice, ((0, 0), (1, 1), (1, 0)), r"expected indices of 0 to 2, got 1 from 0 on by steps of 0"),
        (Transpose, ((0,),), r"expected each of 2 axes once, got \(0,\)"),
        (Transpose, ((1, 1),), r"expected each of 2 axes once, got \(1, 1\)"),
        (
            Pad,
            ((0, 3), (0, 0), 0.0, "reflect"),
            r"expected at most 2 elements on either side of 3 to reflect, got 3 and 0",
        ),
        (Pad, ((0, 0), (0, 0), 0.0, "wrap"), r"expected a mode of constant, reflect, .* got 'wrap'"),
    ],
)
def test_what_does_not_fit(kind, args, problem):
    with pytest.raises(ModelError, match=problem):
        GraphBuilder((2, 3)).add(kind, "moved", *args)
