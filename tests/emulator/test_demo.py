"""The published networks on the emulated Pico, and that a wrong result does not pass for a right one; `anne bench`."""

import dataclasses

import pytest
from anne_tools.boards import bench
from anne_tools.boards.demo import run_network
from anne_tools.boards.demo_training import run_training
from anne_tools.conversion import standard_models
from anne_tools.networks import published_network


@pytest.mark.parametrize(
    ("name", "confusion"),  # TN, FP, FN, TP as published or, for iris-6, as its published weights give
    [("iris-8", [[8, 2], [0, 10]]), ("iris-6", [[8, 2], [0, 10]]), ("iris-6-relu", [[9, 1], [0, 10]])],
)
def test_native_gives_the_published_result(device, name, confusion):
    result = run_network(device, published_network(name), ("native",))
    assert result.problems == []
    assert result.runs["native"].confusion == confusion
    assert 0 < result.runs["native"].median_us < 1000


def test_native_and_reference_agree_on_the_device(device):
    network = published_network("iris-8")
    few = dataclasses.replace(network, inputs=network.inputs[:3], labels=network.labels[:3])
    seen = []
    result = run_network(
        device,
        dataclasses.replace(few, expected_outputs=network.expected_outputs[:3]),
        on_backend=seen.append,
    )
    assert result.largest_difference <= 1e-6
    assert result.speed_up > 5
    assert seen == ["native", "reference"]


def test_a_wrong_weight_is_a_problem(device):
    network = published_network("iris-8")
    first = network.layers[0]
    broken = dataclasses.replace(first, weights=[[0.0, 0.0, 0.0, 0.0], first.weights[1]])
    result = run_network(
        device, dataclasses.replace(network, layers=[broken, *network.layers[1:]]), ("native",)
    )
    assert any("outputs differ" in problem for problem in result.problems)


def test_pasted_weights_cost_more_than_a_file(device, monkeypatch):
    """Four times the numbers take more than four times as long to compile; a file is loaded in a millisecond or two."""
    monkeypatch.setattr(standard_models, "PASTED_SHAPES", ((4, 4), (9, 8)))
    few, many = bench.bench_pasted(device, standard_models.pasted_models())
    assert (few.numbers, many.numbers) == (20, 80)
    assert many.program_ms > 4 * few.program_ms
    assert many.load_ms < 10 < many.program_ms
    assert device.exec("import os; print(os.listdir())") == "[]\n"


def test_the_published_training_comes_out_natively_and_begins_so_in_plain_python(device):
    run = run_training(device)
    assert run.problems == []
    # as the original's notebook printed them, every tenth epoch
    losses = " ".join(f"{loss:.4f}" for loss in run.losses.values())
    assert losses == "12.9150 3.9324 1.6254 1.0154 0.7056 0.5174 0.3950 0.3116 0.2530 0.2105 0.1813"
    assert run.runs["native"].confusion == [[10, 0], [0, 10]]
    assert run.speed_up > 30
