"""importers/axes.py: how a value lies in its tensor. numpy moves the elements for real and says what is expected."""

from __future__ import annotations

import math
import random

import numpy as np
from anne_tools.importers import axes
from anne_tools.importers.axes import Axes

IMAGE = (1, 3, 4, 5)


def value_of(tensor: np.ndarray, lying: Axes | None, shape) -> np.ndarray:
    """The value whose elements lie in `tensor` as the axes say."""
    if lying is None:
        return tensor.reshape(shape)
    places = [lying.order.index(factor) for factor in range(len(lying.order))]
    return tensor.reshape([lying.sizes[f] for f in lying.order]).transpose(places).reshape(shape)


def test_an_image_in_a_tensor_channels_last():
    lying = axes.arranged(None, IMAGE, axes.channels_last(4))
    assert lying == Axes((3, 20), (1, 0))
    image = np.arange(60).reshape(IMAGE)
    np.testing.assert_array_equal(value_of(image.transpose(0, 2, 3, 1), lying, IMAGE), image)
    assert axes.order_in(lying, IMAGE) == (0, 2, 3, 1)


def test_axes_of_1_and_neighbours_are_no_other_order():
    assert axes.arranged(None, (1, 1, 4, 5), (0, 2, 3, 1)) is None
    assert axes.arranged(None, (1, 3, 1, 1), (0, 2, 3, 1)) is None
    assert axes.arranged(None, IMAGE, (0, 1, 2, 3)) is None


def test_a_flattened_image_lies_in_pieces():
    lying = axes.arranged(None, IMAGE, axes.channels_last(4))
    assert axes.order_in(lying, (1, 60)) is None
    assert not axes.lies(lying, (1, 60), (0, 1))
    image = np.arange(60).reshape(IMAGE)
    assert axes.places(lying) == image.transpose(0, 2, 3, 1).reshape(-1).tolist()


def test_a_shape_that_does_not_fit_is_told():
    lying = Axes((2, 3), (1, 0))
    assert axes.refined(lying, (1, 3, 2)) is None
    assert axes.transposed(lying, (3, 2), (1, 0)) == (False, None)
    assert axes.order_in(lying, (3, 2)) is None


def test_channels_of_groups_that_change_places():
    """ShuffleNet: (1, 6, 4) as (1, 2, 3, 4), transposed, as (1, 6, 4) again: one move in the tensor, at its end."""
    lying = axes.arranged(None, (1, 6, 4), (0, 2, 1))
    ok, lying = axes.transposed(lying, (1, 2, 3, 4), (0, 2, 1, 3))
    assert ok and lying == Axes((3, 2, 4), (2, 1, 0))
    assert axes.move(lying, (1, 6, 4), (0, 2, 1)) == ((4, 2, 3), (0, 2, 1))


def shapes(n: int, rng: random.Random) -> tuple[int, ...]:
    parts = []
    while n > 1 and len(parts) < 5:
        part = rng.choice([d for d in range(1, n + 1) if n % d == 0])
        parts.append(part)
        n //= part
    return (*parts, n)


def test_any_reshapes_and_transpositions():
    """Seed 20261126: the value that numpy has moved is the one that the axes say lies in the tensor."""
    rng = random.Random(20261126)
    n_moved = 0
    for _ in range(500):
        tensor = np.arange(n := rng.choice([12, 24, 60]))
        shape, lying = shapes(n, rng), None
        value = tensor.reshape(shape)
        for _ in range(6):
            shape = shapes(n, rng)
            value = value.reshape(shape)
            order = rng.sample(range(len(shape)), len(shape))
            ok, moved = axes.transposed(lying, shape, order)
            if ok:
                lying, value = moved, value.transpose(order)
                shape = value.shape
            np.testing.assert_array_equal(value_of(tensor, lying, shape), value)
            wanted = rng.sample(range(len(shape)), len(shape))
            if axes.refined(lying, shape) is None:
                continue
            step = axes.move(lying, shape, wanted)
            assert (step is None) == axes.lies(lying, shape, wanted)
            result = tensor if step is None else tensor.reshape(step[0]).transpose(step[1]).reshape(-1)
            np.testing.assert_array_equal(result, value.transpose(wanted).reshape(-1))
            n_moved += step is not None
            after = axes.arranged(lying, shape, wanted)
            np.testing.assert_array_equal(value_of(result, after, shape), value)
            order = axes.order_in(lying, shape)
            if order is not None:
                assert axes.lies(lying, shape, order)
                assert math.prod(value.shape) == n
    assert n_moved > 500
