"""True answers as classes. A label is a name, so what is expected here follows from the labels alone."""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.answers import true_classes
from anne_tools.conversion.convert import convert
from anne_tools.errors import ModelError
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.graph import Graph, Metadata


def network(n_outputs: int, labels: list[str] = (), own: list[str] = (), activation: str = "linear") -> Graph:
    builder = GraphBuilder((2,))
    builder.dense("dense", np.ones((n_outputs, 2)), np.zeros(n_outputs))
    if activation != "linear":
        builder.activation("end", activation)
    return builder.build(Metadata(labels=list(labels), source_labels=list(own)))


ANSWERS = {
    # labels that are numbers: by value, whatever their place
    "1, 2, 3": ([3, 1, 2], 3, ["1", "2", "3"], [2, 0, 1]),
    "as floats, as a .csv file gives them": ([3.0, 1.0], 3, ["1", "2", "3"], [2, 0]),
    "as text": (["3", "1.0", " 2"], 3, ["1", "2", "3"], [2, 0, 1]),
    "10, 20, 30": ([20, 30], 3, ["10", "20", "30"], [1, 2]),
    "-1 and 1": ([1, -1, 1], 1, ["-1", "1"], [1, 0, 1]),
    "labels of floats": ([1, 2], 2, ["1.0", "2.0"], [0, 1]),
    "in any order": ([0, 1, 2], 3, ["2", "0", "1"], [1, 2, 0]),
    "fractions": ([0.5, 1.5], 2, ["0.5", "1.5"], [0, 1]),
    # a class that no answer has shifts nothing
    "only the last": ([3, 3], 3, ["1", "2", "3"], [2, 2]),
    "a name and numbers": (["2", "other"], 3, ["1", "2", "other"], [1, 2]),
    # words
    "words": (["b", "a"], 2, ["a", "b"], [1, 0]),
    "accents written in two ways": (["gro\u0308ße"], 2, ["klein", "größe"], [1]),
    "truth values": ([True, False], 1, ["False", "True"], [1, 0]),
    "truth values as numbers": ([1, 0], 1, ["False", "True"], [1, 0]),
    "bytes": ([b"b", b"a"], 2, ["a", "b"], [1, 0]),
    "objects, as pandas has words": (np.array(["b", "a"], object), 2, ["a", "b"], [1, 0]),
    # where no label is a number, numbers count the classes
    "numbers for words": ([0, 2, 1], 3, ["a", "b", "c"], [0, 2, 1]),
    "numbers without labels": ([0, 2, 1], 3, [], [0, 2, 1]),
    "rows of ones and zeros": ([[0, 1], [1, 0]], 2, [], [1, 0]),
    "a column": ([[2], [1]], 2, ["1", "2"], [1, 0]),
    # numbers to be predicted
    "one output that is no probability": ([0.0, 1.0], 1, [], None),
    "truth values for such an output": ([True, False], 1, [], None),
    "fractions without labels": ([0.5, 1.0], 1, [], None),
    "other numbers without labels": ([3, 4], 1, [], None),
    "several ones in a row": ([[1, 1], [1, 0]], 2, [], None),
}


@pytest.mark.parametrize(("y", "n_outputs", "labels", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_answers_are_matched_by_name_then_by_value(y, n_outputs, labels, expected):
    found = true_classes(np.asarray(y), network(n_outputs, labels))
    assert (None if found is None else found.tolist()) == expected


@pytest.mark.parametrize("activation", ["sigmoid", "hard_sigmoid"])
def test_one_probability_tells_two_classes(activation):
    """As `Model.classify` has it, which refuses one output of any other kind without labels or threshold."""
    assert true_classes(np.array([0.0, 1.0]), network(1, activation=activation)).tolist() == [0, 1]


def test_words_are_no_numbers_to_be_predicted():
    with pytest.raises(ModelError, match="test answers: expected numbers, got a, b"):
        true_classes(np.array(["a", "b"]), network(1))


def test_labels_that_a_user_gives_do_not_hide_what_the_source_calls_its_classes():
    graph = network(3, ["low", "middle", "high"], own=["1", "2", "3"])
    assert true_classes(np.array([1, 2]), graph).tolist() == [0, 1]
    assert true_classes(np.array(["high"]), graph).tolist() == [2]
    with pytest.raises(ModelError, match=r"expected low, middle, high, got 0$"):
        true_classes(np.array([0, 1]), graph)


@pytest.mark.parametrize(
    ("y", "n_outputs", "labels", "activation", "message"),
    [
        ([0, 1, 2], 3, ["1", "2", "3"], "linear", "expected 1, 2, 3, got 0"),
        (
            ["cat", "dog", "bird"],
            2,
            ["cat", "dog"],
            "linear",
            "expected cat, dog or class numbers 0 to 1, got bird",
        ),
        ([1, 2, 3], 3, ["a", "b", "c"], "linear", "expected a, b, c or class numbers 0 to 2, got 3"),
        ([1.0, np.nan], 2, ["1", "2"], "linear", "expected 1, 2, got nan"),
        ([1, 2, 3], 3, [], "softmax", "expected class numbers 0 to 2, got 3"),
        ([-1, 1], 1, [], "sigmoid", "expected class numbers 0 to 1, got -1"),
        (["a", "b"], 3, [], "linear", "expected class numbers 0 to 2, got a, b"),
        (list(range(5, 12)), 2, ["1", "2"], "linear", "expected 1, 2, got 10, 11, 5, 6, 7 and 2 more"),
        (
            ["a"],
            3,
            ["a", "a", "b"],
            "linear",
            "'a' is the label of several classes; give the classes' numbers",
        ),
    ],
)
def test_answers_that_no_class_has_are_named(y, n_outputs, labels, activation, message):
    with pytest.raises(ModelError) as error:
        true_classes(np.asarray(y), network(n_outputs, labels, activation=activation))
    assert str(error.value) == f"test answers: {message}"


def test_labels_in_another_order_than_the_sources_classes_are_refused():
    with pytest.raises(ModelError, match="labels: the model's classes are a, b, in this order"):
        convert(network(2, ["a", "b"]), labels=["b", "a"])
    graph = network(2)
    graph.metadata.feature_names = ["width", "height"]
    with pytest.raises(
        ModelError, match="feature names: the model's features are width, height, in this order"
    ):
        convert(graph, feature_names=["height", "width"])


@pytest.mark.parametrize("classes", [[1, 2, 3], [-1, 1], [10, 20, 30], ["x", "y", "z"], [0.5, 1.5, 2.5]])
def test_scikit_learns_accuracy_is_the_one_told(classes):
    """Also where the test data lack a class: the expected value is the model's own score."""
    pytest.importorskip("sklearn", reason="the extra ai-anne[sklearn]")
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    iris = load_iris()
    of_classes = iris.target < len(classes)
    x, y = iris.data[of_classes], np.array(classes)[iris.target[of_classes]]
    if isinstance(classes[0], float):  # scikit-learn refuses fractions as classes; their text it takes
        y = y.astype(str)
    model = LogisticRegression(C=0.01).fit(x, y)
    for kept in (y == y, y != y[0], y == y[-1]):
        accuracy = convert(model, test=(x[kept], y[kept])).report.accuracy
        assert accuracy.float_percent == pytest.approx(100 * model.score(x[kept], y[kept]))
        assert accuracy.labels == [str(name) for name in classes]
