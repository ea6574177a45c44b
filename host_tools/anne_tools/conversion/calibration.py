"""Typical inputs, and what in them is no typical value: a reading of 1e9 from a loose wire, -9999 for "missing".

Integers have few steps. One value far beyond all others makes each so coarse that the others become 0. Such a value may
also be what the network is for: a feature that is rarely on. Its size does not tell, so here are only the ways to cut;
choose.py tries them on the network and takes one only if the answers for all other samples need it.

For each feature the samples are put in the order of their distance from its median. Where a distance is more than GAPS
times the one before it, everything from there on may be cut. A feature that is constant but for such values is most
likely one that is rarely on; it is cut only far beyond the other features' usual distance. At most one sample in ten
(two, in small sets) is taken for an outlier. Last come the farthest PARTS of values with a
long tail, which has no gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..network.graph import Graph

# How many times as far as the one before: from what is surely no reading to what may well be one.
GAPS = (1024.0, 64.0, 4.0)
# Where values become larger bit by bit there is no gap; then these parts of them.
PARTS = (0.01, 0.05)
# Of the samples, how many may have a value that is cut.
_MOST_BEYOND = 1 / 4
_LEAST_OUTLIERS, _ONE_IN = 2, 10
# What is far for a feature that is constant otherwise, in usual distances.
_CONSTANT = 64.0
# Values whose order is found at once.
_BLOCK_VALUES = 1 << 22
# Features that a warning names.
_NAMED = 3


@dataclass(frozen=True)
class Cut:
    """Limits for each feature, `least` and `most` (n_features,), infinite where nothing is cut; and `beyond`, which of
    the samples have a value beyond them, (n_samples,)."""

    least: np.ndarray
    most: np.ndarray
    beyond: np.ndarray

    def is_like(self, other: Cut) -> bool:
        """Whether both cut the same."""
        return np.array_equal(self.least, other.least) and np.array_equal(self.most, other.most)

    def limited(self, x: np.ndarray) -> np.ndarray:
        """Return x (n, *shape) with all values within the limits."""
        if not self.beyond.any():
            return x
        return np.clip(x.reshape(len(x), -1), self.least, self.most).reshape(x.shape)


def cuts(x: np.ndarray) -> list[Cut]:
    """Return the ways to cut x (n_samples, *shape): none, then from what lies farthest to what lies less far."""
    x = x.reshape(len(x), -1)
    n, n_features = x.shape
    found = [Cut(np.full(n_features, -np.inf), np.full(n_features, np.inf), np.zeros(n, bool))]
    n_outliers = min(max(_LEAST_OUTLIERS, n // _ONE_IN), n // 4)
    if not n_outliers:
        return found
    medians, farthest = _order(x, n_outliers)
    spread = farthest[0][farthest[0] > 0]
    usual = float(np.median(spread)) if spread.size else 0.0
    ways = [_before_gap(farthest, gap, usual) for gap in GAPS]
    ways += [_without_part(farthest, int(part * n)) for part in PARTS if part * n >= 1]
    for kept in ways:
        if np.isfinite(kept).any():
            cut = _cut(x, medians, kept)
            if cut.beyond.sum() <= _MOST_BEYOND * n and not found[-1].is_like(cut):
                found.append(cut)
    return found


def warnings(graph: Graph, x: np.ndarray, cut: Cut) -> list[str]:
    """Return what to tell of the values of x that `cut` cuts: which inputs, in how many samples, how large they are."""
    names, shape = graph.metadata.feature_names, x.shape[1:]
    flat = x.reshape(len(x), -1)
    beyond = (flat < cut.least) | (flat > cut.most)
    features = np.flatnonzero(beyond.any(axis=0))
    farthest = np.abs(np.where(beyond, flat, 0.0))[:, features].max(axis=0)
    told = []
    for feature in features[np.argsort(-farthest, kind="stable")][:_NAMED]:
        values = flat[beyond[:, feature], feature]
        where = ", ".join(map(str, np.unravel_index(feature, shape)))
        name = f"{names[feature]!r}" if len(names) == flat.shape[1] else f"input {where}"
        told.append(
            f"calibration data: {name} reaches {values[np.abs(values).argmax()]:.6g} in {len(values)} of "
            f"{len(x)} samples, where the others lie within {cut.least[feature]:.6g} to {cut.most[feature]:.6g}"
        )
    if len(features) > _NAMED:
        told.append(f"calibration data: {len(features) - _NAMED} more inputs have such values")
    return told


def _blocks(x: np.ndarray) -> list[slice]:
    step = max(1, _BLOCK_VALUES // len(x))
    return [slice(first, first + step) for first in range(0, x.shape[1], step)]


def _order(x: np.ndarray, n_outliers: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the features' medians, and their greatest distances from it: (n_outliers + 1, n_features), ascending."""
    medians, farthest = [], []
    for block in _blocks(x):
        median = np.median(x[:, block], axis=0)
        distances = np.abs(x[:, block] - median)
        at = len(x) - 1 - n_outliers
        distances.partition(at, axis=0)
        medians.append(median)
        farthest.append(np.sort(distances[at:], axis=0))
    return np.concatenate(medians), np.concatenate(farthest, axis=1)


def _without_part(farthest: np.ndarray, n_cut: int) -> np.ndarray:
    """The greatest distance of each feature without its `n_cut` greatest, infinite if that is not far less."""
    kept = farthest[-1 - n_cut]
    return np.where((kept > 0) & (farthest[-1] > GAPS[-1] * kept), kept, np.inf)


def _before_gap(farthest: np.ndarray, gap: float, usual: float) -> np.ndarray:
    """The greatest distance of each feature before the first gap; infinite if there is none."""
    before = np.where(farthest[:-1] > 0, farthest[:-1], _CONSTANT * usual or np.inf)
    is_gap = farthest[1:] > gap * before
    first = is_gap.argmax(axis=0)
    kept = np.take_along_axis(farthest, first[None], axis=0)[0]
    return np.where(is_gap.any(axis=0), kept, np.inf)


def _cut(x: np.ndarray, medians: np.ndarray, kept: np.ndarray) -> Cut:
    least, most = np.full(len(kept), -np.inf), np.full(len(kept), np.inf)
    beyond = np.zeros(len(x), bool)
    features = np.flatnonzero(np.isfinite(kept))
    for block in _blocks(x[:, features]):
        at = features[block]
        inside = np.abs(x[:, at] - medians[at]) <= kept[at]
        values = np.where(inside, x[:, at], medians[at])
        least[at], most[at] = values.min(axis=0), values.max(axis=0)
        beyond |= ~inside.all(axis=1)
    return Cut(least, most, beyond)
