"""Places in the arena: small networks worked out by hand, random ones against the rules of FORMAT.md, pair by pair."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations

import pytest
from anne_tools.conversion import arena
from anne_tools.conversion.arena import IN_PLACE, OWN, SAME, Plan, Step, Storage, place, plan

SEED = 10
N_NETWORKS = 1000
MOST_OVER_BOUND = 1.05


@dataclass
class Network:
    """What `plan` takes."""

    nbytes: dict[str, int]
    inputs: list[str]
    outputs: list[str]
    steps: list[Step]

    def plan(self) -> Plan:
        return plan(self.nbytes, self.inputs, self.outputs, self.steps)


# --- By hand ----------------------------------------------------------------------------------------------------------


def test_sizes_are_rounded_up_to_words():
    # 5 bytes take 8, 3 take 4
    assert plan({"x": 5, "y": 3}, ["x"], ["y"], [Step(("x",), ("y",))]) == Plan({"x": 0, "y": 8}, 12, 12)


def test_a_chain_goes_to_and_fro():
    steps = [Step(("a",), ("b",)), Step(("b",), ("c",)), Step(("c",), ("d",))]
    made = plan(dict.fromkeys("abcd", 40), ["a"], ["d"], steps)
    assert made == Plan({"a": 0, "b": 40, "c": 0, "d": 40}, 80, 80)


def test_a_residual_sum_stays_where_the_trunk_is():
    # x -> a -> b -> c; s = a + c: the sum may lie where a or c lies, and takes a's place, which is the older
    steps = [
        Step(("x",), ("a",)),
        Step(("a",), ("b",)),
        Step(("b",), ("c",)),
        Step(("a", "c"), ("s",), IN_PLACE),
    ]
    made = plan({"x": 8, "a": 16, "b": 32, "c": 16, "s": 16}, ["x"], ["s"], steps)
    assert made.offsets["s"] == made.offsets["a"]
    assert made.nbytes == made.lower_bound == 64  # a, b and c, when c is made


def test_a_value_that_is_needed_again_is_not_turned():
    steps = [Step(("x",), ("a",)), Step(("a",), ("b",), IN_PLACE), Step(("a", "b"), ("c",), IN_PLACE)]
    made = plan(dict.fromkeys("xabc", 4), ["x"], ["c"], steps)
    assert made.offsets["a"] != made.offsets["b"]
    assert made.offsets["c"] in (made.offsets["a"], made.offsets["b"])
    assert made.nbytes == 8


def test_nor_one_whose_bytes_are_needed_under_another_shape():
    # r is a; b = turned a, while r is read later
    steps = [
        Step(("x",), ("a",)),
        Step(("a",), ("r",), SAME),
        Step(("a",), ("b",), IN_PLACE),
        Step(("r", "b"), ("c",)),
    ]
    made = plan(dict.fromkeys("xarbc", 4), ["x"], ["c"], steps)
    assert made.offsets["r"] == made.offsets["a"] != made.offsets["b"]


def test_nor_an_output_of_the_network():
    steps = [Step(("x",), ("a",)), Step(("a",), ("b",), IN_PLACE)]
    made = plan(dict.fromkeys("xab", 4), ["x"], ["a", "b"], steps)
    assert made.offsets["a"] != made.offsets["b"]


def test_nor_an_input_of_the_network():
    made = plan({"x": 4, "y": 4}, ["x"], ["y"], [Step(("x",), ("y",), IN_PLACE)])
    assert made == Plan({"x": 0, "y": 4}, 8, 8)


def test_a_value_of_another_size_is_not_turned():
    steps = [Step(("x",), ("a",)), Step(("a",), ("b",), IN_PLACE)]
    assert plan({"x": 4, "a": 8, "b": 4}, ["x"], ["b"], steps).nbytes == 12


def test_inputs_lie_there_from_the_start_whether_read_or_not():
    # b is not read; c is made when only a must be kept
    made = plan({"a": 4, "b": 8, "c": 8}, ["a", "b"], ["c"], [Step(("a",), ("c",))])
    assert made.offsets["a"] >= 8 or made.offsets["b"] >= 4  # apart
    assert made.nbytes == made.lower_bound == 12


def test_an_output_that_nothing_reads_has_a_place_while_its_layer_runs():
    made = plan({"x": 4, "y": 4, "z": 8}, ["x"], ["y"], [Step(("x",), ("y", "z"))])
    assert sorted(made.offsets.values()) in ([0, 4, 8], [0, 8, 12])
    assert made.nbytes == 16


def test_where_greatest_first_fails_another_order_is_found():
    """The bound is 12 + 8, at layer 1. Greatest first puts both of 12 at 0, the 8 on one, and the 4 on all: 24."""
    storages = [Storage(12, 1, 1), Storage(12, 3, 3), Storage(8, 1, 2), Storage(4, 2, 3)]
    assert first_fit(storages, range(4)) == 24
    offsets = place(storages)
    assert max(offset + storage.nbytes for offset, storage in zip(offsets, storages, strict=True)) == 20


# --- Against all orders -----------------------------------------------------------------------------------------------


def first_fit(storages: list[Storage], order: Iterable[int]) -> int:
    """Bytes of the arena if each in turn goes where it is free for its whole life, as low as that is."""
    ends: dict[int, int] = {}
    for i in order:
        a = storages[i]
        taken = [
            (ends[j] - storages[j].nbytes, ends[j])
            for j in ends
            if a.first <= storages[j].last and storages[j].first <= a.last
        ]
        free = [
            offset
            for offset in [0, *(end for _, end in taken)]
            if all(offset + a.nbytes <= start or end <= offset for start, end in taken)
        ]
        ends[i] = min(free) + a.nbytes
    return max(ends.values())


def least_bytes(storages: list[Storage]) -> int:
    """The smallest arena there is: any plan, all pushed down as far as they go, is the first fit of some order."""
    return min(first_fit(storages, order) for order in permutations(range(len(storages))))


@pytest.mark.parametrize("seed", range(40))
def test_few_storages_are_placed_as_well_as_can_be(seed):
    rng = random.Random(seed)
    storages = []
    for _ in range(6):
        first = rng.randrange(6)
        storages.append(Storage(4 * rng.randint(1, 9), first, min(first + rng.randrange(4), 6)))
    offsets = place(storages)
    total = max(offset + storage.nbytes for offset, storage in zip(offsets, storages, strict=True))
    assert total == least_bytes(storages)


# --- Random networks --------------------------------------------------------------------------------------------------


class Drawn:
    """A random network as it grows: chains, branches and joins, long skips, several inputs and outputs."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.steps: list[Step] = []
        self.nbytes = {f"in{i}": self.size() for i in range(self.rng.choice([1, 1, 1, 2, 3]))}
        self.inputs = list(self.nbytes)
        self.values = list(self.nbytes)
        self.reach = self.rng.choice([1, 2, 3, 5])  # how far back layers read, mostly
        for _ in range(self.rng.choice([3, 5, 8, 12, 20, 30, 50, 80, 120, 200])):
            self.grow()

    def size(self) -> int:
        """Images, vectors and odd numbers of elements, of 1, 2 or 4 bytes."""
        channels = self.rng.choice([4, 8, 16, 32])
        elements = [
            16 * 16 * channels,
            8 * 8 * channels,
            self.rng.choice([10, 64, 128]),
            int(2 ** self.rng.uniform(0, 14)),
        ]
        return self.rng.choice([1, 2, 4]) * self.rng.choice(elements)

    def pick(self) -> str:
        """The last value, one of the last few, or any."""
        kind, n = self.rng.random(), len(self.values)
        back = (
            1
            if kind < 0.6
            else min(n, self.reach + 1)
            if kind < 0.9
            else min(n, 3 * self.reach)
            if kind < 0.97
            else n
        )
        return self.values[-1 - self.rng.randrange(back)]

    def add(self, inputs: list[str], sizes: list[int], kind: str = OWN) -> None:
        outputs = [f"{len(self.steps)}.{i}" for i in range(len(sizes))]
        self.nbytes |= dict(zip(outputs, sizes, strict=True))
        self.values += outputs
        self.steps.append(Step(tuple(inputs), tuple(outputs), kind))

    def grow(self) -> None:
        x, rng = self.pick(), self.rng
        same_size = [name for name in self.values if self.nbytes[name] == self.nbytes[x]]
        kind = rng.choices(["own", "turn", "reshape", "add", "join", "split"], [40, 15, 10, 15, 12, 8])[0]
        if kind == "own":
            self.add([x], [self.size()])
        elif kind == "turn":
            self.add([x], [self.nbytes[x]], IN_PLACE)
        elif kind == "reshape":
            self.add([x], [self.nbytes[x]], SAME)
        elif kind == "add":
            self.add([x, rng.choice(same_size[-6:])], [self.nbytes[x]], IN_PLACE)
        elif kind == "join":
            joined = sorted({self.pick() for _ in range(rng.randint(2, 4))})
            total = sum(self.nbytes[name] for name in joined)
            self.add(joined, [total if total < 200_000 else self.size()])
        else:
            parts = rng.randint(2, 3)
            self.add([x], [max(1, self.nbytes[x] // parts)] * parts)

    def network(self) -> Network:
        """Of the values that nothing reads most are outputs; sometimes one is that is read."""
        read = {name for step in self.steps for name in step.inputs}
        ends = [
            name
            for name in self.values
            if name not in read and name not in self.inputs and self.rng.random() < 0.8
        ]
        outputs = set(ends or self.values[-1:]) | ({self.pick()} if self.rng.random() < 0.1 else set())
        return Network(
            self.nbytes, self.inputs, [name for name in self.values if name in outputs], self.steps
        )


def clashes(network: Network, offsets: dict[str, int]) -> list[tuple[str, str]]:
    """Pairs of values of which one is made over the other while that is needed, whatever the planner says of lives."""
    maker = {name: number for number, step in enumerate(network.steps, 1) for name in step.outputs}
    root, first, last = {}, {}, {}
    for name in network.nbytes:
        step = network.steps[maker[name] - 1] if name in maker else None
        root[name] = root[step.inputs[0]] if step and step.place == SAME else name
        first.setdefault(root[name], maker.get(name, 0))
        readers = [number for number, step in enumerate(network.steps, 1) if name in step.inputs]
        end = len(network.steps) + 1 if name in network.outputs else max([maker.get(name, 0), *readers])
        last[root[name]] = max(last.get(root[name], 0), end)

    def turned(a: str, b: str) -> bool:
        """Whether the layer that makes b leaves it where its input a lies, and may."""
        step = network.steps[first[b] - 1]
        return (
            step.place == IN_PLACE and a in {root[name] for name in step.inputs} and len(step.outputs) == 1
            and last[a] == first[b] and offsets[a] == offsets[b] and network.nbytes[a] == network.nbytes[b]
        )  # fmt: skip

    found = [(name, root[name]) for name in root if offsets[name] != offsets[root[name]]]
    names = list(first)  # in the order in which they are made
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            apart = (
                offsets[a] + network.nbytes[a] <= offsets[b] or offsets[b] + network.nbytes[b] <= offsets[a]
            )
            if not apart and first[b] <= last[a] and not turned(a, b):
                found.append((a, b))
    return found


@pytest.mark.parametrize("part", range(4))
def test_random_networks(part):
    """No two values that live at the same time overlap, and the arena is near its lower bound."""
    over = []
    for seed in range(SEED * N_NETWORKS + part, (SEED + 1) * N_NETWORKS, 4):
        network = Drawn(seed).network()
        made = network.plan()
        assert made.offsets.keys() == network.nbytes.keys()
        assert not clashes(network, made.offsets), seed
        assert all(offset >= 0 and offset % 4 == 0 for offset in made.offsets.values())
        assert made.nbytes == max(
            made.offsets[name] + (size + 3) // 4 * 4 for name, size in network.nbytes.items()
        )
        over.append(made.nbytes / made.lower_bound)
    assert min(over) == 1
    assert max(over) <= MOST_OVER_BOUND
    assert sum(ratio == 1 for ratio in over) >= 0.95 * len(over)


def test_the_check_finds_clashes():
    network = Network(
        {"x": 4, "y": 4, "z": 4}, ["x"], ["z"], [Step(("x",), ("y",)), Step(("x", "y"), ("z",), IN_PLACE)]
    )
    assert clashes(network, {"x": 0, "y": 4, "z": 0}) == []
    assert clashes(network, {"x": 0, "y": 0, "z": 4}) == [("x", "y")]
    assert clashes(network, {"x": 0, "y": 4, "z": 2}) == [("x", "z"), ("y", "z")]


def test_the_same_network_has_the_same_plan():
    first, second = (Drawn(SEED).network() for _ in range(2))
    assert first.plan() == second.plan()


def test_the_search_ends_after_its_work(monkeypatch):
    """256 storages, so close that so little work does not reach the bound."""
    looked_at = []
    first_fit = arena._first_fit
    monkeypatch.setattr(
        arena, "_first_fit", lambda order, *rest: (looked_at.append(len(order)), first_fit(order, *rest))[1]
    )
    rng = random.Random(SEED)
    storages = [
        Storage(4 * rng.randint(1, 4000), f := rng.randrange(90), f + rng.randrange(1, 12))
        for _ in range(256)
    ]
    pairs = sum(a.first <= b.last and b.first <= a.last for a in storages for b in storages)
    offsets = place(storages, work=50_000)
    total = max(offset + storage.nbytes for offset, storage in zip(offsets, storages, strict=True))
    assert total > arena.lower_bound(storages)
    assert len(looked_at) == 6 + -(-50_000 // pairs)  # the six orders, then rounds until the work is used up
