"""anne.model_writer, which writes files on the board, against pack, which writes them here: the same bytes."""

from __future__ import annotations

import random
from array import array
from itertools import pairwise

import numpy as np
import pytest
from anne import model_writer
from anne.model_file import ModelFile
from anne.training import TRAINABLE
from anne_tools.conversion.arena import OWN, Step, plan
from anne_tools.conversion.pack import pack
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.activations import DEFAULT_ALPHA
from anne_tools.network.graph import Metadata

ACTIVATIONS = (*TRAINABLE, "softmax")
SEED = 13


def both(layers, activations, scaling=None, **metadata) -> tuple[bytes, bytes]:
    """Return what model_writer and pack make of dense layers, (weights (n_out, n_in), bias), with these activations."""
    b = GraphBuilder((layers[0][0].shape[1],))
    if scaling:
        b.scaling("scaling", *scaling)
    for (weights, bias), activation in zip(layers, activations, strict=True):
        i = len(b.layers)
        alpha = DEFAULT_ALPHA.get(activation, 0.0)
        if "softmax" in activation:
            b.dense(f"dense {i}", weights, bias)
            b.activation(activation, activation)
        else:
            b.dense(f"dense {i}", weights, bias, activation, alpha)
    flat = [(array("f", weights.ravel()), array("f", bias)) for weights, bias in layers]
    made = model_writer.dense_network(None, flat, activations, scaling=scaling, **metadata)
    return made, pack(b.build(Metadata(**metadata)))


def dense(chance: np.random.Generator, n_in: int, n_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Random weights and bias, as float32 has them; now and then a row, a column or a bias of other size, or of 0."""
    weights = chance.normal(size=(n_out, n_in)) * 2.0 ** chance.integers(-20, 20)
    match chance.integers(5):
        case 0:
            weights[chance.integers(n_out)] = 0
        case 1:
            weights[:, chance.integers(n_in)] = 0
        case 2:  # too large for the others to be aligned to, where there are three columns
            weights[:, chance.integers(n_in)] *= 1e4
        case 3:
            weights[chance.integers(n_out)] *= 1e-9
    bias = chance.normal(size=n_out) if chance.integers(3) else np.zeros(n_out)
    return weights.astype(np.float32), bias.astype(np.float32)


@pytest.mark.parametrize("seed", range(60))
def test_random_chains_have_the_bytes_that_the_converter_makes(seed):
    chance = np.random.default_rng([SEED, seed])
    sizes = chance.integers(1, 40, size=chance.integers(2, 9)).tolist()
    layers = [dense(chance, n_in, n_out) for n_in, n_out in pairwise(sizes)]
    activations = [ACTIVATIONS[chance.integers(len(ACTIVATIONS))] for _ in layers]
    metadata, n_out = {}, sizes[-1]
    if chance.integers(2):
        metadata["labels"] = [f"class {i}" for i in range(max(2, n_out))]
        metadata["feature_names"] = [f"é {i}" for i in range(sizes[0])]
        metadata["name"] = "a network"
    scaling = chance.normal(size=(2, sizes[0])).astype(np.float32).tolist() if chance.integers(2) else None
    made, packed = both(layers, activations, scaling, **metadata)
    assert made == packed


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation):
    chance = np.random.default_rng(SEED)
    made, packed = both([dense(chance, 3, 4), dense(chance, 4, 2)], [activation, activation])
    assert made == packed
    # softmax is a layer of its own
    assert len(ModelFile(made).layers) == (4 if "softmax" in activation else 2)


def test_more_columns_than_a_panel_of_aligned_weights():
    # panels have 168 columns; an odd number of rows is made even
    chance = np.random.default_rng(SEED)
    weights = chance.uniform(-1, 1, (3, 400)).astype(np.float32)
    made, packed = both([(weights, np.zeros(3, np.float32))], ["linear"])
    assert made == packed
    assert ModelFile(made).layers[0].layout == "f32_aligned"


def test_a_column_far_greater_than_the_others_is_not_aligned():
    # 64 times the median is the limit, in either writer
    for factor, layout in ((64, "f32_aligned"), (65, "f32")):
        weights = np.ones((2, 3), np.float32)
        weights[:, 1] = factor
        made, packed = both([(weights, np.ones(2, np.float32))], ["relu"])
        assert made == packed
        assert ModelFile(made).layers[0].layout == layout


def test_equal_constants_are_stored_once():
    layer = np.ones((4, 4), np.float32), np.zeros(4, np.float32)
    one, two = (both([layer] * n, ["tanh"] * n)[0] for n in (1, 2))
    # a tensor, a record with three constants, and a name of a layer, which is 8 bytes
    assert len(two) - len(one) == 32 + (16 + 3 * 8 + 12) + 8


# --- Places in the arena ----------------------------------------------------------------------------------------------


def planned(sizes: list[int]) -> tuple[list[int], int]:
    """Return what the converter's planner makes of a chain of so many bytes."""
    names = [str(i) for i in range(len(sizes))]
    steps = [Step((x,), (y,), OWN) for x, y in pairwise(names)]
    made = plan(dict(zip(names, sizes, strict=True)), names[:1], names[-1:], steps)
    return [made.offsets[name] for name in names], made.nbytes


def test_chains_are_planned_as_the_converter_does_and_take_what_two_neighbours_do():
    chance = random.Random(SEED)
    for _ in range(2000):
        sizes = [4 * chance.randint(1, chance.choice((4, 40))) for _ in range(chance.randint(2, 12))]
        places, nbytes = model_writer.chain(sizes)
        assert ([places[i] for i in range(len(sizes))], nbytes) == planned(sizes), sizes
        assert nbytes == max(a + b for a, b in pairwise(sizes))


def test_a_chain_that_greatest_first_misses():
    # greatest first: 40 at 0, 36 at 0, 32 behind the 40, 24 behind both: 96 bytes instead of 72
    assert model_writer.chain([40, 32, 24, 36]) == ([0, 40, 0, 36], 72)


# --- What the format cannot hold --------------------------------------------------------------------------------------


def test_metadata_that_does_not_fit_is_refused():
    layers = [(array("f", [1, 2, 3, 4]), array("f", [0, 0]))]
    for entry, expected in (("labels", "2 lines, got 3"), ("feature_names", "2 lines, got 3")):
        with pytest.raises(ValueError, match=f"metadata: {entry}: expected {expected}"):
            model_writer.dense_network(None, layers, ["relu"], **{entry: ["a", "b", "c"]})
    with pytest.raises(ValueError, match="name: expected at most 255 bytes, got 256"):
        model_writer.dense_network(None, layers, ["relu"], name="n" * 256)
