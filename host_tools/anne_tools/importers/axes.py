"""In which order the elements of a value lie in its tensor, where that is not the order of its axes.

A framework's image is (N, C, H, W), the tensor for it (H, W, C). What moves axes or joins them (transpose, reshape)
moves nothing in the tensor: it only changes what is known of the order. A layer asks for the order that it needs, and
only where another one is there a Transpose is put before it.

Axes are written as factors: the value's index counts through `sizes`, the last the fastest, and `order` says which of
them counts at each place of the tensor, from the outermost on. Without axes (None) both are the same. Factors of 1 are
left out, and neighbours in both are one, so that equal orders are equal objects.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Axes:
    """`sizes` of the factors as the index has them; `order`, the factor at each place of the tensor."""

    sizes: Shape
    order: Shape


@dataclass(frozen=True)
class Refined:
    """Axes cut into factors so small that each axis of a shape is a group of whole ones."""

    sizes: Shape
    order: Shape
    groups: tuple[Shape, ...]

    def sequence(self, order: Sequence[int]) -> Shape:
        """The factors as they lie in a tensor whose axes have that order."""
        return tuple(factor for axis in order for factor in self.groups[axis])


def channels_last(rank: int) -> Shape:
    """The order of an image (N, C, H, W) or a signal (N, C, T) in a tensor (H, W, C) or (T, C)."""
    return (0, *range(2, rank), 1)


def simplified(sizes: Sequence[int], order: Sequence[int]) -> Axes | None:
    """Return the axes without factors of 1, neighbours joined; None if nothing is moved."""
    kept = [factor for factor in order if sizes[factor] > 1]
    starts = [f for at, f in enumerate(kept) if not at or not _follows(sizes, kept[at - 1], f)]
    if len(starts) < 2:
        return None
    runs = dict.fromkeys(starts, 1)
    start = 0
    for factor in kept:
        start = factor if factor in runs else start
        runs[start] *= sizes[factor]
    names = sorted(runs)
    return Axes(tuple(runs[f] for f in names), tuple(names.index(f) for f in starts))


def _follows(sizes: Sequence[int], first: int, second: int) -> bool:
    """Whether `second` is the next factor behind `first` in the index, but for factors of 1."""
    return first < second and all(sizes[f] == 1 for f in range(first + 1, second))


def refined(axes: Axes | None, shape: Shape) -> Refined | None:
    """Return the axes cut so that those of `shape` are whole groups; None where they do not fit into each other."""
    given = axes or Axes((math.prod(shape),), (0,))
    sizes: list[int] = []
    owners: list[int] = []  # of each factor the one that it is cut from
    groups: list[list[int]] = [[] for _ in shape]
    at, left = 0, given.sizes[0]
    for axis, size in enumerate(shape):
        while size > 1:
            if left == 1:
                at, left = at + 1, given.sizes[at + 1]
            part = min(size, left)
            if size % part or left % part:
                return None
            groups[axis].append(len(sizes))
            sizes.append(part)
            owners.append(at)
            size, left = size // part, left // part
    order = [factor for owner in given.order for factor, of in enumerate(owners) if of == owner]
    return Refined(tuple(sizes), tuple(order), tuple(map(tuple, groups)))


def transposed(axes: Axes | None, shape: Shape, order: Sequence[int]) -> tuple[bool, Axes | None]:
    """Return (True, the axes of the value whose axis i was axis order[i]); False where they are to be moved first."""
    cut = refined(axes, shape)
    if cut is None:
        return False, None
    names = cut.sequence(order)
    return True, simplified([cut.sizes[f] for f in names], [names.index(f) for f in cut.order])


def move(axes: Axes | None, shape: Shape, order: Sequence[int]) -> tuple[Shape, Shape] | None:
    """Return (shape of the tensor, order of a Transpose) that puts axes as `order` has them; None if they lie so.

    ValueError where axes and shape do not fit into each other: what lies plain always does.
    """
    cut = refined(axes, shape)
    if cut is None:
        raise ValueError("the axes do not fit into each other")
    wanted = cut.sequence(order)
    places = [cut.order.index(factor) for factor in wanted]
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] + 1 == place:
            runs[-1].append(place)
        else:
            runs.append([place])
    if len(runs) < 2:
        return None
    by_place = sorted(runs)
    sizes = tuple(math.prod(cut.sizes[cut.order[place]] for place in run) for run in by_place)
    return sizes, tuple(by_place.index(run) for run in runs)


def arranged(axes: Axes | None, shape: Shape, order: Sequence[int]) -> Axes | None:
    """Return the axes of a value of `shape` whose tensor has its axes in `order`."""
    return simplified(shape, order)


def order_in(axes: Axes | None, shape: Shape) -> Shape | None:
    """Return the order in which the axes of `shape` lie, those of 1 in front; None if one lies in pieces."""
    cut = refined(axes, shape)
    if cut is None:
        return None
    lying: list[int] = []
    for factor in cut.order:
        axis = next(a for a, group in enumerate(cut.groups) if factor in group)
        if not lying or lying[-1] != axis:
            lying.append(axis)
    order = (*(a for a, size in enumerate(shape) if size == 1), *lying)
    return order if cut.sequence(order) == cut.order else None


def lies(axes: Axes | None, shape: Shape, order: Sequence[int]) -> bool:
    """Whether the tensor has the axes of `shape` in `order`."""
    cut = refined(axes, shape)
    return cut is not None and cut.sequence(order) == cut.order


def places(axes: Axes) -> list[int]:
    """Return for each element of the tensor its place in the value."""
    import numpy as np

    n = math.prod(axes.sizes)
    return np.arange(n).reshape(axes.sizes).transpose(axes.order).reshape(-1).tolist()
