"""AI-ANNE's networks and plain JSON against arithmetic by hand and against the published results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute

NETWORKS = Path(__file__).parents[3] / "host_tools" / "anne_tools" / "networks"


def plain(**changes) -> dict:
    """2 inputs -> 3 relu -> 1 linear; `changes` replace keys."""
    return {
        "layers": [
            {"weights": [[1, 2], [3, 4], [-1, 0.5]], "bias": [0.5, 0, 1], "activation": "relu"},
            {"weights": [[1, -1, 2]], "bias": [0.25]},
        ],
    } | changes


def first_layer(**changes) -> dict:
    network = plain()
    network["layers"][0] |= changes
    return network


def test_plain_json_by_hand(tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(plain()))
    graph = load(path)
    # x = (1, 1): hidden 1+2+0.5 = 3.5, 3+4+0 = 7, -1+0.5+1 = 0.5; output 3.5 - 7 + 2 * 0.5 + 0.25 = -2.25
    # x = (-1, 0): hidden -0.5 -> 0, -3 -> 0, 1+1 = 2; output 2 * 2 + 0.25 = 4.25
    np.testing.assert_array_equal(execute(graph, [[1, 1], [-1, 0]]), [[-2.25], [4.25]])
    assert graph.metadata.name == "tiny" and graph.metadata.threshold is None


@pytest.mark.parametrize(
    "scaling, expected",
    [
        ({"mean": [1, 2], "std": [2, 4]}, [1, -1]),  # (3 - 1) / 2, (-2 - 2) / 4
        ({"min": [1, 0], "max": [5, 8]}, [0.5, -0.25]),  # (3 - 1) / 4, (-2 - 0) / 8
        ({"scale": [2, 3], "offset": [1, -1]}, [7, -7]),  # 3 * 2 + 1, -2 * 3 - 1
        ({"scale": [2], "offset": [1]}, [7, -3]),
    ],
)
def test_scaling_of_the_inputs(scaling, expected):
    identity = {"layers": [{"weights": [[1, 0], [0, 1]]}], "scaling": scaling}
    np.testing.assert_allclose(execute(load(identity), [[3, -2]]), [expected], rtol=1e-8)


def test_metadata():
    network = plain(name="n", features=["a", "b"], labels=["no", "yes"], threshold=0.3)
    metadata = load(network).metadata
    assert (metadata.name, metadata.feature_names, metadata.labels) == ("n", ["a", "b"], ["no", "yes"])
    assert metadata.threshold == 0.3
    assert load(plain(labels=["no", "yes"])).metadata.threshold == 0.5


def test_alpha_and_its_defaults():
    alphas = [
        load(first_layer(activation=activation, **settings)).layers[0].alpha
        for activation, settings in (("leaky_relu", {}), ("elu", {}), ("elu", {"alpha": 0.5}), ("relu", {}))
    ]
    assert alphas == [0.01, 1.0, 0.5, 0.0]


def test_numpy_arrays_in_a_dict():
    graph = load({"layers": [{"weights": np.eye(2, dtype=np.float32), "bias": np.array([1, 2])}]})
    np.testing.assert_array_equal(execute(graph, [[5, 5]]), [[6, 7]])


def test_variants_of_a_published_network():
    path = NETWORKS / "iris_6_neurons.json"
    names = [load(path, network=wanted).metadata.name for wanted in (None, 1, "iris-6-relu")]
    assert names == ["iris-6", "iris-6", "iris-6-relu"]
    with pytest.raises(
        ModelError, match=r"2 networks \(1 or iris-6: relu, sigmoid, sigmoid; 2 or iris-6-relu: .*none is '3'"
    ):
        load(path, network=3)
    with pytest.raises(
        ModelError, match=r"the file holds 1 network \(1 or toy: the only one\), and none is 'x'"
    ):
        load(plain(name="toy"), network="x")


@pytest.mark.parametrize(
    "network, message",
    [
        ({}, "expected a list of layers under the key 'layers'"),
        ({"layers": []}, "expected a list of layers"),
        ({"layers": {"a": 1}}, "expected a list of layers"),
        ({"layers": [3]}, "layer 0: expected an object with weights, bias and activation, got int"),
        ({"layers": [{}]}, "layer 0: weights are missing"),
        (first_layer(activaton="relu"), "layer 0: unknown activaton; known: name,"),
        (first_layer(activation="rleu"), "layer 0 (dense_0): unknown activation 'rleu'; known: linear,"),
        (first_layer(activation=None), "unknown activation None"),
        (first_layer(activation=["relu"]), "unknown activation ['relu']"),
        (first_layer(alpha="x"), "layer 0: alpha: expected a number, got 'x'"),
        (first_layer(alpha=float("inf")), "alpha must be finite, got inf"),
        (
            first_layer(weights=[[1, 2], [3]]),
            "layer 0: weights: expected a list of equally long lists of numbers, got [[1, 2], [3]]",
        ),
        (
            first_layer(weights=[1, 2]),
            "layer 0: weights: expected a list of equally long lists of numbers, got [1, 2]",
        ),
        (
            first_layer(weights=[["1", "2"]]),
            "layer 0: weights: expected a list of equally long lists of numbers",
        ),
        (
            first_layer(weights=[[True, False]]),
            "layer 0: weights: expected a list of equally long lists of numbers",
        ),
        (first_layer(weights=[[]]), "layer 0: weights: expected a list of equally long lists of numbers"),
        (first_layer(bias=[1]), "layer 0 (dense_0): expected 3 values of bias, got shape (1,)"),
        (first_layer(bias=[1, 2, float("nan")]), "layer 0 (dense_0): 1 of 3 bias are NaN or infinite"),
        (first_layer(bias=[1, 2, 1e39]), "layer 0 (dense_0): 1 of 3 bias are NaN or infinite"),
        (first_layer(n_in=4), "layer 0: n_in is 4, but the weights have 2"),
        (first_layer(weights=[[1, 2]] * 4, bias=[0] * 4), "layer 1 (dense_1): expected 3 inputs, got 4"),
        (
            plain(scaling={"mean": [1, 2]}),
            "scaling: expected mean and std, min and max, or scale and offset; got mean",
        ),
        (plain(scaling={"mean": [1, 2, 3], "std": [1, 2]}), "scaling: expected 2 values of mean, got 3"),
        (plain(scaling={"mean": [1, 2], "std": [0, 1]}), "scaling: expected std above 0, got 0.0"),
        (plain(scaling={"min": [1, 2], "max": [0, 9]}), "scaling: expected max - min above 0"),
        (plain(features=["a"]), "features: expected a list of 2 names, got ['a']"),
        (plain(labels=["a"]), "labels: expected a list of 2 names, got ['a']"),
        (plain(labels="ab"), "labels: expected a list of 2 names, got 'ab'"),
        (plain(threshold="high"), "threshold: expected a number, got 'high'"),
        ({"w1": [[1]], "activations": ["relu"]}, "expected b1, as there are 1 activations"),
    ],
)
def test_bad_network_is_refused(tmp_path, network, message):
    with pytest.raises(ModelError) as error:
        load(network)
    assert message in str(error.value) and "\n" not in str(error.value)
    path = tmp_path / "net.json"
    path.write_text(json.dumps(network))
    with pytest.raises(ModelError) as error:
        load(path)
    assert str(error.value).startswith("net.json: ") and message in str(error.value)


@pytest.mark.parametrize(
    "data, message",
    [
        (b"{", "the text is not valid JSON: "),
        (b"[1, 2]", "the text: expected a JSON object, got list"),
        (b'{"layers": "\xff"}', "expected text in UTF-8, got byte 0xff at 12"),
        (
            b'{"layers": ' + b"[" * 100_000,
            "the text: its lists and objects are nested too deeply",
        ),
        (b"", "the file is empty"),
    ],
)
def test_damaged_json(tmp_path, data, message):
    path = tmp_path / "net.json"
    path.write_bytes(data)
    with pytest.raises(ModelError) as error:
        load(path)
    assert str(error.value).startswith(f"net.json: {message}")


# The published networks, as they come with the host tools


def test_variants_name_the_activations():
    network = plain(
        variants=[{"name": "first", "activations": ["tanh", "sigmoid"]}, {"activations": ["relu", "relu"]}]
    )
    graph = load(network)
    assert [layer.activation for layer in graph.layers] == [
        "tanh",
        "sigmoid",
    ] and graph.metadata.name == "first"


@pytest.mark.parametrize("variants", [[{}], [{"activations": ["relu"]}], [3], {"a": 1}, "ab"])
def test_variants_that_do_not_fit(variants):
    with pytest.raises(ModelError, match="^variants: expected a list of objects"):
        load(plain(variants=variants))


@pytest.mark.parametrize("name", ["iris_6_neurons", "iris_8_neurons", "iris_4_4_2_1"])
def test_network_that_comes_along_gives_the_expected_outputs(name):
    path = NETWORKS / f"{name}.json"
    network = json.loads(path.read_text())
    if network["rows"] == "iris.csv":
        x = np.loadtxt(NETWORKS / "iris.csv", delimiter=",")[:, 1:]
    else:
        x = json.loads((NETWORKS / network["rows"]).read_text())["inputs"]
    got = execute(load(path), x)[:, 0]
    np.testing.assert_allclose(got, network["variants"][0]["expected"]["outputs"], rtol=0, atol=1e-6)


# The same, as far as the files with all that was measured are at hand


PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "ai-anne"


def published(name: str) -> dict:
    path = PUBLISHED / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    "name, activations, counts",
    [
        ("iris_6_neurons", None, [8, 2, 0, 10]),
        ("iris_6_neurons", ["relu", "relu", "relu"], [9, 1, 0, 10]),
        ("iris_8_neurons", None, [8, 2, 0, 10]),
        ("iris_app_export_4_4_2_1", None, [46, 4, 0, 50]),
    ],
)
def test_published_network_gives_the_published_confusion_matrix(name, activations, counts):
    network = published(name)
    for layer, activation in zip(network["layers"], activations or [], strict=False):
        layer["activation"] = activation
    graph = load(network | {"labels": ["versicolor", "virginica"]})
    if "X_raw" in network:
        x, classes = np.array(network["X_raw"]), np.array(network["y"])
    else:  # its inputs are published scaled
        x = np.array(network["X_test"]) * network["std"] + network["mean"]
        classes = np.array(network["y_test"])
    positive = execute(graph, x)[:, 0] > graph.metadata.threshold
    table = [np.sum((classes == truth) & (positive == answer)) for truth in (0, 1) for answer in (0, 1)]
    assert table == counts


def test_self_learned_network_has_the_published_loss():
    # The last of the published losses is summed while the weights still change within the epoch, so it is a
    # bound.
    network = published("selflearning_4_3_1_seed0")
    p = execute(load(network), np.array(network["X"]))[:, 0]
    y = np.array(network["y"])
    loss = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert 0 < loss < network["published_loss_trace"][-1][1]
