"""What `anne bench` measures beside models: the ways to ask for a prediction, and weights in a program."""

from anne_tools.boards.bench import WAYS_NETWORK, bench_pasted, bench_ways
from anne_tools.conversion.convert import convert
from anne_tools.conversion.standard_models import pasted_models, published_graph
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
