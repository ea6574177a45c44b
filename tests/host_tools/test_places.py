"""Places of tensors in the arena: both loaders take exactly the files in which no tensor is written where one lies that
is still needed. The rule is tried pair by pair here, on random networks; the loaders go through them in order.
"""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass

import pytest
from anne.model_file import KINDS, MAX_LAYERS, ModelFile
from anne_tools.cores.native import status_of

SEED = 9
_KIND_NUMBERS = {name: number for number, name in KINDS.items()}
FOREVER = MAX_LAYERS + 1
MOST = 4  # elements of a tensor
GRAPH = 9  # ANNE_ERROR_GRAPH, of anne.h


@dataclass
class Layer:
    """One that reads tensor x and makes tensor y; tensor 0 is the input of the network."""

    kind: str
    x: int
    y: int


@dataclass
class Net:
    """Layers in order; number of elements and place of each tensor, in words; the output's number."""

    layers: list[Layer]
    sizes: list[int]
    places: list[int]
    output: int

    def needed(self, tensor: int) -> int:
        """Return the last layer, from 1, that reads the tensor; 0 if none does."""
        if tensor == self.output:
            return FOREVER
        return max((i for i, layer in enumerate(self.layers, 1) if layer.x == tensor), default=0)

    def made(self, tensor: int) -> int:
        """Return the layer that makes the tensor; 0 for the input of the network."""
        return next((i for i, layer in enumerate(self.layers, 1) if layer.y == tensor), 0)

    def overlap(self, a: int, b: int) -> bool:
        ends = [self.places[t] + self.sizes[t] for t in (a, b)]
        return self.places[a] < ends[1] and self.places[b] < ends[0]

    def clash(self, a: int, b: int) -> bool:
        """Tell whether b is made, while a is needed, over a; but for a layer that turns one into the other."""
        if not self.made(a) <= self.made(b) <= self.needed(a) or not self.overlap(a, b):
            return False
        turned = self.made(b) == self.needed(a) and self.places[a] == self.places[b]
        return not (turned and self.layers[self.made(b) - 1].kind in ("activation", "reshape"))

    def is_good(self) -> bool:
        tensors = range(len(self.sizes))
        return not any(self.clash(a, b) for a in tensors for b in tensors if a != b)


def any_net(rng: random.Random, n_layers: int) -> Net:
    numbers = list(range(1, n_layers + 1))
    rng.shuffle(numbers)  # tensors stand in the file in any order
    made, layers, sizes = [0], [], [rng.randint(1, MOST)] + [0] * n_layers
    for y in numbers:
        x = made[-1] if rng.random() < 0.4 else rng.choice(made)
        kind = rng.choice(list(_KIND_NUMBERS))
        sizes[y] = rng.randint(1, MOST) if kind == "dense" else sizes[x]
        layers.append(Layer(kind, x, y))
        made.append(y)
    net = Net(layers, sizes, [0] * (n_layers + 1), rng.choice(made))
    room = rng.randint(MOST, MOST * (n_layers + 2))
    careless = rng.choice((0, 0, 0, 1 / n_layers))
    for i, t in enumerate(made):
        place(rng, net, t, made[:i], room, careless)
    return net


def place(rng: random.Random, net: Net, tensor: int, before: list[int], room: int, careless: float) -> None:
    """Give a tensor a place where it clashes with none before it, if a few tries find one; or, careless, any place."""
    layer = net.layers[net.made(tensor) - 1] if net.made(tensor) else None
    for _ in range(30):
        net.places[tensor] = rng.randint(0, room - net.sizes[tensor])
        if layer and (layer.kind == "reshape" or (layer.kind == "activation" and rng.random() < 0.5)):
            net.places[tensor] = net.places[layer.x]  # a reshape must lie there
        if rng.random() < careless or not any(net.clash(a, tensor) for a in before):
            return


def file_of(net: Net) -> bytes:
    tensors = b""
    for t, (size, at) in enumerate(zip(net.sizes, net.places, strict=True)):
        role = (t == 0) + 2 * (t == net.output)
        tensors += struct.pack("<4B4IfiI", 1, role, 1, 0, size, 0, 0, 0, 1.0, 0, 4 * at)
    records = b""
    for layer in net.layers:
        n_in, n_out = net.sizes[layer.x], net.sizes[layer.y]
        constants, parameters = {
            "dense": ([n_in * n_out, n_out], [1, 0, 0]),  # layout f32
            "scaling": ([n_in, n_in], []),
        }.get(layer.kind, ([], []))
        rest = struct.pack("<HH", layer.x, layer.y)
        rest += b"".join(struct.pack("<II", 0, 4 * n) for n in constants)
        rest += struct.pack(f"<{len(parameters)}i", *parameters)
        kind = _KIND_NUMBERS[layer.kind]
        records += struct.pack("<HH4Bf", kind, 12 + len(rest), 1, 1, len(constants), 0, 0.0) + rest
    data = bytes(4 * MOST * MOST)
    arena = 4 * max(at + size for at, size in zip(net.places, net.sizes, strict=True))
    header = struct.pack("<8I", arena, len(net.sizes), len(net.layers), len(records), 0, len(data), 0, 0)
    body = header + tensors + records + data
    return b"ANNE" + struct.pack("<HHII", 1, 48, 16 + len(body), zlib.crc32(body)) + body


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
    found = [check(any_net(rng, rng.randint(1, 12))) for _ in range(3000)]
    assert 500 < sum(found) < 2500, sum(found)  # both kinds are there


def test_networks_as_large_as_can_be():
    rng = random.Random(SEED)
    found = [check(any_net(rng, MAX_LAYERS)) for _ in range(6)]
    assert len(found) == 6


@pytest.mark.parametrize("shift", [0, 1])
def test_many_alive_at_once(shift):
    # layers 1 to 128 read the input, layers 129 to 256 what those made; each tensor has a place of its own, or the last
    # lies where its layer reads
    n = MAX_LAYERS // 2
    layers = [Layer("scaling", 0, 1 + i) for i in range(n)]
    layers += [Layer("scaling", 1 + i, 1 + n + i) for i in range(n)]
    sizes = [1] * (1 + 2 * n)
    places = [0] + [1 + i for i in range(n)] + [1 + n + i for i in range(n)]
    places[-1] -= shift * n
    assert check(Net(layers, sizes, places, 2 * n)) == (shift == 0)
