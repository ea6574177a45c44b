"""Places of tensors in the arena: both loaders take exactly the files in which no tensor is written where one lies that
is still needed. The rule is tried pair by pair here, on random networks that branch; the loaders go through them in
order.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from anne.model_file import MAX_LAYERS, MAX_TENSORS, ModelFile
from anne.reference_model import Model
from anne_tools.cores.native import NativeModel, status_of
from by_hand import INPUT, OUTPUT, Record, Values, model

SEED = 9
FOREVER = MAX_LAYERS + 1
MOST = 4  # elements of a tensor
GRAPH = 9  # ANNE_ERROR_GRAPH, of anne.h
# Kinds of each way to have a place.
DRAWN = ("dense", "activation", "scaling", "reshape", "add", "multiply", "pad")
TWO = ("add", "multiply")
IN_PLACE = ("activation", *TWO)


@dataclass
class Layer:
    """One that reads tensors and makes tensor y."""

    kind: str
    inputs: list[int]
    y: int


@dataclass
class Net:
    """Layers in order; number of elements and place of each tensor, in words; inputs and outputs of the network.

    Tensors that a reshape makes one of the other share their bytes: they have one root, the first of them.
    """

    layers: list[Layer]
    sizes: list[int]
    places: list[int]
    inputs: list[int]
    outputs: list[int]

    @cached_property
    def roots(self) -> list[int]:
        roots = list(range(len(self.sizes)))
        for layer in self.layers:
            if layer.kind == "reshape":
                roots[layer.y] = roots[layer.inputs[0]]
        return roots

    @cached_property
    def made(self) -> list[int]:
        """For each tensor the layer that makes it, from 1; 0 for an input of the network."""
        by_layer = {layer.y: number for number, layer in enumerate(self.layers, 1)}
        return [by_layer.get(t, 0) for t in range(len(self.sizes))]

    @cached_property
    def needed(self) -> list[int]:
        """For each root the last layer that makes or reads one of its tensors."""
        needed = [0] * len(self.sizes)
        for number, layer in enumerate(self.layers, 1):
            for tensor in (*layer.inputs, layer.y):
                needed[self.roots[tensor]] = number
        for tensor in self.outputs:
            needed[self.roots[tensor]] = FOREVER
        return needed

    def overlap(self, a: int, b: int) -> bool:
        ends = [self.places[t] + self.sizes[t] for t in (a, b)]
        return self.places[a] < ends[1] and self.places[b] < ends[0]

    def clash(self, a: int, b: int) -> bool:
        """Tell whether root b is made over root a while that is needed; a layer may turn one into the other."""
        if not self.made[a] <= self.made[b] <= self.needed[a] or not self.overlap(a, b):
            return False
        if self.made[b] == 0 or self.made[b] < self.needed[a] or self.places[a] != self.places[b]:
            return True
        layer = self.layers[self.made[b] - 1]
        if self.sizes[a] != self.sizes[b]:
            return True  # of two operands the smaller is read again and again
        return layer.kind not in IN_PLACE or a not in [self.roots[t] for t in layer.inputs]

    def is_good(self) -> bool:
        roots = set(self.roots)
        return not any(self.clash(a, b) for a in roots for b in roots if a != b)


def any_net(rng: random.Random, n_layers: int) -> Net:
    n_inputs = rng.choice((1, 1, 2, 3)) if n_layers < MAX_LAYERS else 1
    numbers = list(range(n_inputs + n_layers))
    rng.shuffle(numbers)  # tensors stand in the file in any order
    inputs, layers, sizes = numbers[:n_inputs], [], [0] * len(numbers)
    made = list(inputs)
    for t in inputs:
        sizes[t] = rng.randint(1, MOST)
    for y in numbers[n_inputs:]:
        x = made[-1] if rng.random() < 0.4 else rng.choice(made)
        kind = rng.choice(DRAWN)
        least = {"dense": 1, "pad": sizes[x]}.get(kind)
        sizes[y] = rng.randint(least, MOST) if least else sizes[x]
        others = []
        if kind in TWO:  # of one size, or one of them a number
            others = [rng.choice([t for t in made if sizes[t] in (1, sizes[x]) or sizes[x] == 1])]
            sizes[y] = max(sizes[x], sizes[others[0]])
        layers.append(Layer(kind, [x, *others], y))
        made.append(y)
    outputs = rng.sample(made, min(rng.choice((1, 1, 2, 3)), len(made)))
    net = Net(layers, sizes, [0] * len(made), inputs, outputs)
    room = rng.randint(MOST, MOST * (len(made) + 1))
    careless = rng.choice((0, 0, 0, 1 / len(made)))
    for i, t in enumerate(made):
        if net.roots[t] == t:
            place(rng, net, t, [a for a in made[:i] if net.roots[a] == a], room, careless)
        else:
            net.places[t] = net.places[net.roots[t]]
    return net


def place(rng: random.Random, net: Net, root: int, before: list[int], room: int, careless: float) -> None:
    """Give a root a place where it clashes with none before it, if a few tries find one; or, careless, any place."""
    layer = net.layers[net.made[root] - 1] if net.made[root] else None
    for _ in range(30):
        net.places[root] = rng.randint(0, room - net.sizes[root])
        if layer and layer.kind in IN_PLACE and rng.random() < 0.5:
            net.places[root] = net.places[rng.choice(layer.inputs)]
        if rng.random() < careless or not any(net.clash(a, root) for a in before):
            return


def file_of(net: Net) -> bytes:
    tensors = [Values("float32", size) for size in net.sizes]
    roles = [INPUT * (t in net.inputs) + OUTPUT * (t in net.outputs) for t in range(len(tensors))]
    return model(tensors, roles, [record(net, layer) for layer in net.layers], [4 * at for at in net.places])


def record(net: Net, layer: Layer) -> Record:
    n_in, n_out = net.sizes[layer.inputs[0]], net.sizes[layer.y]
    counts, parameters = {
        "dense": ([n_in * n_out, n_out], (1, 0, 0)),  # layout f32
        "scaling": ([n_in, n_in], ()),
        "pad": ([], (0, n_out - n_in)),  # zeros in front
    }.get(layer.kind, ([], ()))
    constants = [np.ones(n, "<f4") for n in counts]
    return Record(layer.kind, layer.inputs, [layer.y], constants, parameters=parameters)


def verdicts(data: bytes) -> tuple[int, str]:
    """Return the core's status, and what the reader in Python says."""
    try:
        ModelFile(data)
    except ValueError as error:
        return status_of(data), str(error)
    return status_of(data), ""


def check(net: Net) -> bool:
    """Assert that both loaders find what the rule says, and return it."""
    status, text = verdicts(file_of(net))
    good = net.is_good()
    assert (status, bool(text)) == ((0, False) if good else (GRAPH, True)), (net, text)
    assert good or "a place of its own in the arena" in text, text
    return good


def test_random_networks():
    rng = random.Random(SEED)
    nets = [any_net(rng, rng.randint(1, 12)) for _ in range(3000)]
    good = [net for net in nets if check(net)]
    assert 500 < len(good) < 2500, len(good)  # both kinds are there
    for kind in IN_PLACE:  # and such that turn an input into their output
        assert sum(any(turns(net, layer, kind) for layer in net.layers) for net in good) > 100


def turns(net: Net, layer: Layer, kind: str) -> bool:
    return layer.kind == kind and net.places[layer.y] in [net.places[t] for t in layer.inputs]


def test_good_networks_give_what_tensors_in_places_of_their_own_would():
    # the reference keeps tensors apart, wherever the file has them; weights are 1, so numbers are whole
    rng = random.Random(SEED + 1)
    nets = [any_net(rng, rng.randint(2, 8)) for _ in range(600)]
    good = [net for net in nets if net.is_good()]
    assert len(good) > 200
    for net in good:
        data = file_of(net)
        x = [np.float32(rng.randint(-9, 9)) for t in net.inputs for _ in range(net.sizes[t])]
        expected = bytearray(4 * sum(net.sizes[t] for t in net.outputs))
        Model(data).run_raw(np.array(x).tobytes(), expected)
        with NativeModel(data) as native:
            packed = np.array(x).view(np.uint8) if len(native.inputs) > 1 else np.array(x)
            assert native.run_raw(packed).tobytes() == bytes(expected), net


def test_networks_with_one_tensor_elsewhere():
    # what a reshape makes stays with what it is made of
    rng = random.Random(SEED)
    found = []
    while len(found) < 1500:
        net = any_net(rng, rng.randint(2, 8))
        if net.is_good():
            root, place = rng.choice(net.roots), rng.choice(net.places) + rng.choice((0, 0, 1))
            net.places = [place if r == root else at for r, at in zip(net.roots, net.places, strict=True)]
            found.append(check(net))
    assert 200 < sum(found) < 1300, sum(found)


def test_networks_as_large_as_can_be():
    rng = random.Random(SEED)
    found = [check(any_net(rng, MAX_LAYERS)) for _ in range(6)]
    assert len(found) == 6


@pytest.mark.parametrize("shift", [0, 1])
def test_many_alive_at_once(shift):
    # layers 1 to 128 read the input, layers 129 to 256 what those made; each tensor has a place of its own, or the last
    # lies where its layer reads
    n = MAX_LAYERS // 2
    layers = [Layer("scaling", [0], 1 + i) for i in range(n)]
    layers += [Layer("scaling", [1 + i], 1 + n + i) for i in range(n)]
    sizes = [1] * (1 + 2 * n)
    places = [0] + [1 + i for i in range(n)] + [1 + n + i for i in range(n)]
    places[-1] -= shift * n
    assert check(Net(layers, sizes, places, [0], [2 * n])) == (shift == 0)


@pytest.mark.parametrize("shift", [0, 1])
def test_as_many_inputs_as_can_be(shift):
    # no layer reads the last, which lies where another does, or where no other does
    n = MAX_TENSORS - 1
    places = [*range(n - 1), n - 1 - shift, n]
    net = Net([Layer("add", [0, 1], n)], [1] * (n + 1), places, list(range(n)), [n])
    assert check(net) == (shift == 0)


def test_a_tensor_is_needed_as_long_as_its_reshape():
    # x -> reshape -> r; x -> activation -> y, in place of x: r is still to be read by the last layer, or it is not
    layers = [Layer("reshape", [0], 1), Layer("activation", [0], 2), Layer("add", [1, 2], 3)]
    assert not check(Net(layers, [2] * 4, [0, 0, 0, 2], [0], [3]))
    assert check(Net(layers, [2] * 4, [0, 0, 2, 0], [0], [3]))  # add turns r, and with it x, into its output
    layers = [Layer("reshape", [0], 1), Layer("activation", [0], 2), Layer("add", [2, 2], 3)]
    assert check(Net(layers, [2] * 4, [0, 0, 0, 0], [0], [3]))
    assert not check(Net(layers, [2] * 4, [0, 0, 0, 2], [0], [1, 3]))  # r is an output of the network


def test_an_input_that_no_layer_reads_may_be_overwritten():
    layers = [Layer("activation", [0], 2)]
    assert check(Net(layers, [1] * 3, [0, 1, 1], [0, 1], [2]))
    assert not check(Net(layers, [1] * 3, [0, 1, 1], [0, 1], [1, 2]))  # it is an output, too
