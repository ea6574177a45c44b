"""What `anne bench` measures beside models: the ways to ask for a prediction, and weights in a program."""

import math

import numpy as np
import pytest
from anne_tools.boards.bench import WAYS_NETWORK, bench, bench_pasted, bench_ways
from anne_tools.boards.bench_training import _check, bench_training
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.emulator_fork import forked
from anne_tools.boards.layout import PICO
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.conversion.standard_models import head_base, pasted_models, published_graph
from anne_tools.errors import ModelError
from anne_tools.layers.build import GraphBuilder
from anne_tools.networks import published_network


def test_each_way_to_ask_is_faster_than_plain_python(device):
    data = convert(published_graph(published_network(WAYS_NETWORK))).data
    ways = bench_ways(device, data, n_repeats=1)
    assert ways[0].way.startswith("anne.reference") and len(ways) == 6
    assert all(way.us < ways[0].us for way in ways[1:])
    assert ways[-1].heap_bytes == 0  # predict_into


def test_a_file_is_there_sooner_than_numbers_in_a_program(device):
    """9 inputs, 10 outputs: 90 weights and 10 biases."""
    (measured,) = bench_pasted(device, pasted_models()[:1])
    assert measured.numbers == 100
    assert 0 < measured.load_ms < measured.program_ms


def test_learning_is_timed_and_its_results_are_checked(device):
    published, call, rows, head = bench_training(device, head_base(), n_repeats=1)
    assert published.ms < published.reference_ms / 20 and published.ms < call.ms < call.reference_ms
    assert published.original_ms == 47  # its own code, measured once
    assert rows.what.startswith("64-32-10") and 0 < rows.per_weight < 160
    assert rows.ms == pytest.approx(rows.per_weight * (64 * 32 + 32 * 10) / 125e3)  # the Pico's 125 MHz
    assert head.what.startswith("Head, 32 to 3") and head.ms > 0


def test_a_board_that_learns_something_else_is_no_fast_one():
    here = {"weights_crc": 1, "head_losses": [1.0, 0.5], "head_right": 60}
    _check(here, here)
    for there in (
        {"weights_crc": 2},
        {"head_losses": [1.0, 0.502]},
        {"head_losses": [1.0, math.nan]},
        {"head_right": 59},
    ):
        with pytest.raises(ModelError, match="learnt"):
            _check({**here, **there}, here)


def dense(n_in, n_out):
    random = np.random.default_rng(1)
    builder = GraphBuilder((n_in,))
    builder.dense("dense", random.normal(0, n_in**-0.5, (n_out, n_in)), np.zeros(n_out))
    return pack(quantize(builder.build(), "int8", random.normal(0, 1, (16, n_in))))


def test_with_the_flash_cache_weights_cost_fifty_cycles_a_word(cached):
    """640x64: 40,960 bytes, more than the cache holds, so all miss in each call, and code that they have displaced."""
    with forked(cached) as pico:
        result = bench(EmulatedDevice(pico), dense(640, 64), "net", budget_ms=10)
    assert result.flash == "cache model"
    more_cycles = (result.flash_us - result.predict_into_us) * 125
    assert more_cycles == pytest.approx(50 / 4 * result.macs, rel=0.06)
    assert result.predicted_flash_us - result.predicted_us == pytest.approx(more_cycles / 125, rel=0.06)
    assert result.first_us > result.predict_into_us + 50


def test_with_the_flash_cache_a_small_net_stays_in_it(cached):
    """32x32: 1 KB of weights; most of them the first call alone reads, some have a set in common with code."""
    with forked(cached) as pico:
        result = bench(EmulatedDevice(pico), dense(32, 32), "net", budget_ms=10)
    all_us = 50 * 32 * 32 / 4 / 125
    assert result.flash_first_us - result.first_us == pytest.approx(all_us, rel=0.3)
    assert result.flash_us - result.predict_into_us < 0.3 * all_us


def test_bench_leaves_rom_as_it_was(cached):
    with forked(cached) as pico:
        device = EmulatedDevice(pico)
        before = pico.kept_flash[: PICO.romfs_bytes]
        bench(device, dense(4, 4), "net", budget_ms=1)
        assert pico.kept_flash[: PICO.romfs_bytes] == before


def test_without_the_cache_there_is_no_first_call_nor_flash(device):
    result = bench(device, dense(4, 4), "net", budget_ms=1)
    assert (result.flash, result.first_us, result.flash_us) == ("no cache", None, None)
