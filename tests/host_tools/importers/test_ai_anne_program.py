"""AI-ANNE's MicroPython programs, and what its browser trainer exports, against the published results.

The published 4-4-2-1 network's outputs for rows of iris.csv were measured with its own program (6 digits).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute

# What AI-ANNE's browser trainer exports for pasting, indented as it stands in the program.
EXPORT = """
        # Normalization Parameters
        X_MINS = [4.9, 2.0, 3.0, 1.0]
        X_MAXS = [7.9, 3.8, 6.9, 2.5]

        EPS = 1e-9

        x = [(x[i] - X_MINS[i]) / (X_MAXS[i] - X_MINS[i] + EPS) for i in range(4)]

        # Weights and Biases
        w1 = [[2.0318275159327572,2.1949451951583794,-4.302246268496513,-2.598382621956279],
              [-0.5559216400008825,0.2666561996915462,1.082518497691295,1.0136473449244923],
              [-0.6175798949412958,-0.10454799530402879,-0.054962799172132495,0.1987922857641155],
              [-1.007375608620601,-0.4231575581157903,6.464799480004846,4.215511964957278]]
        b1 = [4.036820213151002,-0.23209355962716968,0.18527410662307447,-1.100843389757179]
        w2 = [[-3.201738501457912,0.7683954027706076,0.44142317549186416,4.328985233516645],
              [2.769779929038592,-0.5009713800557559,-0.3435411703767652,-2.151276169076909]]
        b2 = [-0.8985959523593179,0.7390613653344147]
        w3 = [[7.212246846148128,-4.609981923525531]]
        b3 = [-1.4399910457235603]

        # Neural Network Architecture
        l_out = dense(4, x, w1, b1, 'leaky_relu')
        l_out = dense(2, l_out, w2, b2, 'sigmoid')
        l_out = dense(1, l_out, w3, b3, 'sigmoid')
        print(l_out)
"""
NETWORKS = Path(__file__).parents[3] / "host_tools" / "anne_tools" / "networks"
# Rows of iris.csv (sepal length and width, petal length and width in cm), and the published network's
# outputs.
ROWS = [[7.0, 3.2, 4.7, 1.4], [6.4, 3.2, 4.5, 1.5]]
OUTPUTS = [0.002378, 0.00252]


def test_browser_export(tmp_path):
    path = tmp_path / "export.py"
    path.write_text(EXPORT)
    graph = load(path)
    np.testing.assert_allclose(execute(graph, ROWS)[:, 0], OUTPUTS, rtol=0, atol=1e-6)
    assert [layer.kind for layer in graph.layers] == ["scaling", "dense", "dense", "dense"]
    assert (graph.layers[1].activation, graph.layers[1].alpha) == ("leaky_relu", 0.01)
    assert graph.metadata.threshold == 0.5


def test_program_that_transposes_its_weights(tmp_path):
    path = tmp_path / "main.py"
    path.write_text(
        "import machine\n"
        "def run():\n"
        "    w1 = [[1, 3], [2, 4]]\n"  # rows are inputs, as Keras has them
        "    w1 = transpose(w1)\n"
        "    y1 = anne.dense(2, transpose(x), w1, [0, -1], 'relu')\n"
        "    y2 = anne.dense(1, y1, transpose([[1], [-1]]), [0.5], 'linear')\n"
    )
    # x = (1, 1): 1 + 2 = 3, 3 + 4 - 1 = 6; 3 - 6 + 0.5 = -2.5
    np.testing.assert_array_equal(execute(load(path), [[1, 1]]), [[-2.5]])


def two_networks() -> str:
    """A program with the published networks of 8 and 6 neurons, laid out as AI-ANNE's own for the Pico is."""
    lines = ["def neural_network():"]
    for network, activations, first in (
        ("iris_8_neurons", ["relu", "sigmoid", "relu", "sigmoid"], 1),
        ("iris_6_neurons", ["relu", "relu", "relu"], 5),
    ):
        x = "transpose(Xtest)"
        layers = json.loads((NETWORKS / f"{network}.json").read_text())["layers"]
        for number, (layer, activation) in enumerate(zip(layers, activations, strict=True), first):
            by_input = np.transpose(layer["weights"]).tolist()  # one row an input, as Keras has it
            y = "ypred" if layer is layers[-1] else f"yout{number}"
            lines += [
                f"    w{number} = {by_input}",
                f"    b{number} = {layer['bias']}",
                f"    w{number} = transpose(w{number})",
                f"    {y} = dense({layer['n_out']}, {x}, w{number}, b{number}, '{activation}')",
            ]
            x = y
        lines += ["    print(ypred)"]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "wanted, network, variant",
    [
        (1, "iris_8_neurons", 0),
        ("1", "iris_8_neurons", 0),
        ("yout2", "iris_8_neurons", 0),
        (2, "iris_6_neurons", 1),
        ("yout5", "iris_6_neurons", 1),
    ],
)
def test_one_of_two_networks_in_a_program_gives_the_published_outputs(tmp_path, wanted, network, variant):
    path = tmp_path / "main.py"
    path.write_text(two_networks())
    rows = json.loads((NETWORKS / "iris_test_20.json").read_text())["inputs"]
    published = json.loads((NETWORKS / f"{network}.json").read_text())["variants"][variant]["expected"][
        "outputs"
    ]
    outputs = execute(load(path, network=wanted), rows)[:, 0]
    np.testing.assert_allclose(outputs, published, rtol=0, atol=2e-6)


def test_the_networks_of_a_program_are_listed(tmp_path):
    path = tmp_path / "main.py"
    path.write_text(two_networks())
    listed = (
        "the file holds 2 networks (1 or yout1: 8 neurons in layers of 2, 3, 2, 1; "
        "2 or yout5: 6 neurons in layers of 3, 2, 1)"
    )
    with pytest.raises(ModelError) as error:
        load(path)
    assert (
        str(error.value)
        == f"main.py: {listed}; pick one with --network (in Python: network=), by number or name"
    )
    for wanted in (0, 3, "8", "ypred"):
        with pytest.raises(ModelError) as error:
            load(path, network=wanted)
        assert str(error.value) == f"main.py: {listed}, and none is {str(wanted)!r}"


PROGRAM = "w = [[1, 2]]\nb = [3]\ny = dense(1, x, w, b, 'relu')\n"


@pytest.mark.parametrize(
    "program, message",
    [
        ("", "the file is empty"),
        ("print('hello')\n", "expected a network in the program, found no call of dense(...)"),
        (
            PROGRAM + "z = dense(1, x, w, b, 'relu')\n",
            "the file holds 2 networks (1 or y: 1 neurons in layers of 1; 2 or z: 1 neurons in layers of 1); pick one",
        ),
        (
            PROGRAM.replace("w = [[1, 2]]", ""),
            "line 3: dense: expected weights assigned as a list before, got None",
        ),
        (PROGRAM.replace("'relu'", "act"), "line 3: dense: expected the name of an activation, got None"),
        (PROGRAM.replace("relu", "softmin"), "unknown activation 'softmin'; known: linear, relu,"),
        (PROGRAM.replace("dense(1", "dense(2"), "layer 0: n_out is 2, but the weights have 1"),
        (PROGRAM.replace("[3]", "[3, 4]"), "expected 1 values of bias, got shape (2,)"),
        ("w = [[1,\n", "not a Python program"),
        ("\0", "not a Python program"),
        ("(" * 10000, "not a Python program"),
    ],
)
def test_program_that_cannot_be_read(tmp_path, program, message):
    path = tmp_path / "main.py"
    path.write_text(program)
    with pytest.raises(ModelError) as error:
        load(path)
    assert str(error.value).startswith("main.py: ") and message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_program_is_never_run(tmp_path):
    path = tmp_path / "main.py"
    path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + PROGRAM)
    load(path)
    assert not (tmp_path / "ran").exists()
