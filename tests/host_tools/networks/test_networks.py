"""The published networks: complete, and giving on this computer what was published."""

import csv
import json
from importlib.resources import files
from pathlib import Path

import pytest
from anne_tools.boards.demo import run_reference
from anne_tools.errors import ModelError
from anne_tools.networks import published_network, published_networks

SOURCE = Path(__file__).resolve().parents[4] / "shared" / "data" / "ai-anne"

# What AI-ANNE's weights give, TN, FP, FN, TP (measured from them once, in double precision).
EXPECTED = {
    "iris-8": (20, [[8, 2], [0, 10]]),
    "iris-6": (20, [[8, 2], [0, 10]]),
    "iris-6-relu": (20, [[9, 1], [0, 10]]),
    "iris-4-4-2-1": (100, [[46, 4], [0, 50]]),
}


def test_all_four_are_there_in_order():
    assert list(published_networks()) == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_reference_gives_the_published_result(name):
    n_rows, confusion = EXPECTED[name]
    result = run_reference(published_network(name))
    run = result.runs["reference"]
    assert result.problems == []
    assert run.confusion == confusion
    assert run.accuracy == (confusion[0][0] + confusion[1][1]) / n_rows


def test_an_output_that_is_nan_is_a_problem(monkeypatch):
    # one of 20, and not the first: comparisons with NaN are false, so a maximum may pass over it
    network = published_network("iris-8")
    outputs = [*network.expected_outputs[:5], float("nan"), *network.expected_outputs[6:]]
    answers = iter(outputs)
    monkeypatch.setattr("anne.reference.dense", lambda n, x, w, b, a: [next(answers) if n == 1 else 0.0])
    problem = run_reference(network).problems[-1]
    assert problem.endswith("outputs differ from the expected by up to nan, allowed 1e-05")


@pytest.mark.parametrize("name", EXPECTED)
def test_weights_are_n_out_by_n_in(name):
    for layer in published_network(name).layers:
        assert [len(row) for row in layer.weights] == [layer.n_in] * layer.n_out
        assert len(layer.bias) == layer.n_out


def test_the_test_rows_are_the_scaled_rows_of_the_table():
    """z = (x - mean) / std of the iris.csv rows the file names, to the 8 decimals that were published."""
    rows = json.loads(files("anne_tools.networks").joinpath("iris_test_20.json").read_text())
    table = list(csv.reader(files("anne_tools.networks").joinpath("iris.csv").read_text().splitlines()))
    for number, scaled, label in zip(rows["rows_of_iris_csv"], rows["inputs"], rows["labels"], strict=True):
        values = [float(v) for v in table[number]]
        z = [(v - m) / s for v, m, s in zip(values[1:], rows["mean"], rows["std"], strict=True)]
        assert label == values[0]
        assert scaled == pytest.approx(z, abs=6e-9)


@pytest.mark.skipif(not SOURCE.exists(), reason="the source of the data is not beside the checkout")
@pytest.mark.parametrize(
    ("file", "name"),
    [("iris_8_neurons", "iris-8"), ("iris_6_neurons", "iris-6"), ("iris_app_export_4_4_2_1", "iris-4-4-2-1")],
)
def test_weights_are_the_published_ones_transposed(file, name):
    source = json.loads((SOURCE / f"{file}.json").read_text())
    for layer, published in zip(published_network(name).layers, source["layers"], strict=True):
        assert layer.weights == [list(row) for row in zip(*published["W_in_by_out"], strict=True)]
        assert layer.bias == published["b"]


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ModelError, match=r"no published network 'iris-9'; there are: iris-8, iris-6, "):
        published_network("iris-9")
