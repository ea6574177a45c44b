"""Places for values in the arena: what lives at the same time shares no byte, and the whole is small.

A *storage* is a run of bytes that one value has, or several after each other: a reshaped value is the same bytes, and
a layer that works in place leaves its output where its input was. A storage lives from the layer that makes its first
value to the last that needs one of them. Drawn over time, storages are rectangles, which may slide up and down only:

    bytes ^   +-----------+
          |   | c         |   +-----+
          +---+----+------+---+ e   |
          | a      | d        |     |
          +--------+----------+-----+--> layers

The arena cannot be smaller than the most bytes that live at one layer: the lower bound. To reach it is an NP-complete
problem (dynamic storage allocation), and now and then impossible; with as many values as a model file may have, simple
means come within a few percent, mostly to the byte:

1. First fit: storage after storage goes to the lowest place that is free for its whole life. All depends on the order.
   Greatest first comes first (TensorFlow Lite Micro's planner; "greedy by size" of Pisarchyk and Lee, "Efficient
   Memory Management for Deep Neural Net Inference", arXiv 2001.03288); then those from crowded layers first (their
   "greedy by breadth"), those with many or large rivals, and long-lived ones.
   In a chain, where only neighbours live at the same time, that reaches the bound, or else every other storage begins
   at 0 and those between end at the bound: two neighbours together never exceed it. (`python_api/anne/model_writer.py`
   plans chains so on a board.)
2. While no order reaches the bound, its own failure mends it ("squeaky wheel" optimization, Joslin and Clements 1999):
   what ended above the bound is placed before all its rivals in the next round. Where that leads nowhere, a few
   storages of the best order change their turns (as in TVM's hill climbing planner).

It stops at the bound, or after a fixed amount of work; the result depends on nothing but the sizes and lifetimes. (An
exact search, as MiniMalloc's, Moffitt 2023, would only rarely gain more, for time without limit.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from ..network.layer import IN_PLACE, OWN, SAME

# How often a placed storage may be looked at in the search: about a tenth of a second. A round of first fit looks at
# each pair of storages that live at the same time, twice.
WORK = 300_000
# Rounds without a better result after which an order is given up.
PATIENCE = 20


@dataclass(frozen=True)
class Step:
    """A layer as the planner sees it: names of the values it reads and makes, and where those may lie.

    A value made IN_PLACE may lie where one lies that the layer reads, if it is alone, has as many bytes, and nothing
    needs the other afterwards.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    place: str = OWN


@dataclass(frozen=True)
class Storage:
    """Bytes that live from layer `first` to layer `last`, both included; 0 is before the first layer."""

    nbytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """Where each value lies, the bytes of the arena, and the bytes below which no arena can be."""

    offsets: dict[str, int]
    nbytes: int
    lower_bound: int


def plan(nbytes: dict[str, int], inputs: Sequence[str], outputs: Sequence[str], steps: list[Step]) -> Plan:
    """Return the places of all values of a network, whose `inputs` and `outputs` are values too; multiples of 4.

    `nbytes` are the values' sizes. Inputs live from the start, whether read or not, and outputs to the end; a value
    that nothing reads lives while its layer runs.
    """
    lives = _lives(inputs, outputs, steps)
    best, tried = None, []
    for groups in _choices(nbytes, inputs, steps, lives):
        if groups in tried:
            continue
        tried.append(groups)
        made = _placed(nbytes, lives, groups)
        best = made if best is None or made.nbytes < best.nbytes else best
        if best.nbytes == best.lower_bound:
            break
    return best


def _placed(nbytes: dict[str, int], lives: dict, groups: dict[str, str]) -> Plan:
    storages = _storages(nbytes, lives, groups)
    offsets = dict(zip(storages, place(list(storages.values())), strict=True))
    total = max(offset + storages[root].nbytes for root, offset in offsets.items())
    return Plan({name: offsets[groups[name]] for name in lives}, total, lower_bound(list(storages.values())))


# --- Values to storages -----------------------------------------------------------------------------------------------


def _rounded(nbytes: int) -> int:
    return (nbytes + 3) // 4 * 4


def _lives(inputs: Sequence[str], outputs: Sequence[str], steps: list[Step]) -> dict[str, tuple[int, int]]:
    """(first, last) layer of each value by itself, layers counted from 1, in the order in which values are made."""
    lives = dict.fromkeys(inputs, (0, 0))
    for number, step in enumerate(steps, 1):
        lives |= {name: (lives[name][0], number) for name in step.inputs}
        lives |= dict.fromkeys(step.outputs, (number, number))
    return lives | {name: (lives[name][0], len(steps) + 1) for name in outputs}


def _choices(
    nbytes: dict[str, int], inputs: Sequence[str], steps: list[Step], lives: dict
) -> Iterator[dict[str, str]]:
    """Ways to share storages, the most promising first, all of the same lower bound: see `_groups`.

    Of the layers that may work in place, all do at first: that never raises what lives at a layer, so it gives the
    least bound. It does not depend on which input gives way, as all have the same size; but the plan does. The input
    whose storage is oldest leaves lifetimes that lie in each other, which stack well (the sums of a residual network
    stay in one place). Where that misses the bound, the youngest gives way; then the oldest again, but only in layers
    where the bound leaves no room for an output of its own, as shorter lives are easier to place.
    """
    targets = _targets(nbytes, inputs, steps, lives)
    yield (groups := _groups(steps, targets, lives, min))
    yield _groups(steps, targets, lives, max)
    load = _load(list(_storages(nbytes, lives, groups).values()))
    for number, step in enumerate(steps, 1):
        if step.place == IN_PLACE and load[number] + _rounded(nbytes[step.outputs[0]]) <= max(load):
            targets[number - 1] = []
    yield _groups(steps, targets, lives, min)


def _targets(
    nbytes: dict[str, int], inputs: Sequence[str], steps: list[Step], lives: dict
) -> list[list[str]]:
    """For each step the values in whose place its output may lie, all its input if it is the same bytes.

    An input of the network does not give way, as it never did: the same network has the same file as ever.
    """
    same = {name: name for name in inputs}  # the first of those that are the same bytes under other shapes
    for step in steps:
        same |= {name: same[step.inputs[0]] if step.place == SAME else name for name in step.outputs}
    needed: dict[str, int] = {}
    for name, root in same.items():
        needed[root] = max(needed.get(root, 0), lives[name][1])
    targets = []
    for number, step in enumerate(steps, 1):
        free = [name for name in step.inputs if name not in inputs and needed[same[name]] == number]
        if step.place == SAME:
            targets.append([step.inputs[0]])
        elif step.place == IN_PLACE and len(step.outputs) == 1:
            targets.append([name for name in free if nbytes[name] == nbytes[step.outputs[0]]])
        else:
            targets.append([])
    return targets


def _groups(
    steps: list[Step], targets: list[list[str]], lives: dict, choose: Callable[..., str]
) -> dict[str, str]:
    """The first value of each value's storage; `choose` is min for the oldest of the targets, max for the youngest."""
    groups = {name: name for name, (first, _) in lives.items() if first == 0}
    for step, names in zip(steps, targets, strict=True):
        roots = [groups[name] for name in names]
        root = choose(roots, key=lambda root: lives[root][0]) if roots else None
        groups |= {name: root or name for name in step.outputs}
    return groups


def _storages(nbytes: dict[str, int], lives: dict, groups: dict[str, str]) -> dict[str, Storage]:
    """Each storage by the name of its first value."""
    storages: dict[str, Storage] = {}
    for name, (first, last) in lives.items():
        size = _rounded(nbytes[name])
        old = storages.get(groups[name], Storage(size, first, last))
        storages[groups[name]] = Storage(max(old.nbytes, size), min(old.first, first), max(old.last, last))
    return storages


def lower_bound(storages: list[Storage]) -> int:
    """The most bytes that live at one layer."""
    return max(_load(storages))


def _load(storages: list[Storage]) -> list[int]:
    """Bytes that live at each layer."""
    changes = [0] * (max(storage.last for storage in storages) + 2)
    for storage in storages:
        changes[storage.first] += storage.nbytes
        changes[storage.last + 1] -= storage.nbytes
    return list(accumulate(changes))


# --- Storages to places -----------------------------------------------------------------------------------------------


def place(storages: list[Storage], work: int = WORK) -> list[int]:
    """Return an offset for each storage; no two that live at the same time overlap."""
    bound = lower_bound(storages)
    rivals = [
        [j for j, b in enumerate(storages) if i != j and a.first <= b.last and b.first <= a.last]
        for i, a in enumerate(storages)
    ]
    best: tuple[int, list[int], list[int]] | None = None
    found = []
    for order in _orders(storages, rivals):
        offsets, total = _first_fit(order, storages, rivals)
        found.append((total, len(found), order))
        if best is None or total < best[0]:
            best = total, offsets, order
        if total == bound:
            return offsets
        if all(abs(i - j) == 1 for i, others in enumerate(rivals) for j in others):
            return [i % 2 * (bound - storage.nbytes) for i, storage in enumerate(storages)]
    return _search([order for *_, order in sorted(found)], best, storages, rivals, bound, work)


def _orders(storages: list[Storage], rivals: list[list[int]]) -> Iterator[list[int]]:
    """Orders for first fit, the most promising first."""
    sizes = [storage.nbytes for storage in storages]
    yield sorted(range(len(sizes)), key=lambda i: -sizes[i])
    load = _load(storages)
    lengths = [storage.last - storage.first + 1 for storage in storages]
    crowds = [max(load[storage.first : storage.last + 1]) for storage in storages]
    weights = [sum(sizes[j] for j in others) for others in rivals]
    for key in (
        lambda i: (-crowds[i], -lengths[i]),
        lambda i: (-crowds[i], -sizes[i]),
        lambda i: -weights[i] * sizes[i],
        lambda i: -lengths[i] * sizes[i],
        lambda i: -lengths[i],
    ):
        yield sorted(range(len(sizes)), key=key)


def _first_fit(order: list[int], storages: list[Storage], rivals: list[list[int]]) -> tuple[list[int], int]:
    """Return (offsets, bytes of all): in this order, each at the lowest place that no rival has yet."""
    offsets, ends, total = [-1] * len(order), [0] * len(order), 0
    for i in order:
        size, offset = storages[i].nbytes, 0
        for start, end in sorted((offsets[j], ends[j]) for j in rivals[i] if offsets[j] >= 0):
            if offset + size <= start:
                break
            offset = max(offset, end)
        offsets[i], ends[i] = offset, offset + size
        total = max(total, ends[i])
    return offsets, total


def _search(orders, best, storages, rivals, bound: int, work: int) -> list[int]:
    """Return the best offsets found from these orders in so much work; `best` is (bytes, offsets, order) so far."""
    chance = Random(0)
    sets = [set(others) for others in rivals]
    cost = len(rivals) + sum(map(len, rivals))
    orders = list(reversed(orders))
    while work > 0:
        order = list(orders.pop()) if orders else _shaken(best[2], chance)
        least, tries = best[0] + bound, 0  # of this order
        while work > 0 and tries <= PATIENCE:
            offsets, total = _first_fit(order, storages, rivals)
            work -= cost
            if total < best[0]:
                best = total, offsets, list(order)
            if total == bound:
                return offsets
            least, tries = (total, 0) if total < least else (least, tries + 1)
            for i in [i for i in order if offsets[i] + storages[i].nbytes > bound]:
                order.remove(i)
                order.insert(next(at for at, j in enumerate(order) if j in sets[i]), i)
    return best[1]


def _shaken(order: list[int], chance: Random) -> list[int]:
    """A copy in which one to three have another turn."""
    order = list(order)
    for _ in range(1 + int(3 * chance.random())):
        moved = order.pop(int(len(order) * chance.random()))
        order.insert(int((len(order) + 1) * chance.random()), moved)
    return order
