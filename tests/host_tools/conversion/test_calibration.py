"""Outliers in calibration data: they must not make integers useless, and a feature that is rarely on is none.

Accuracies are recomputed from predictions; what a cut must keep follows from how the data were made.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.calibration import cuts
from anne_tools.conversion.convert import Converted, convert
from anne_tools.conversion.quantize import quantize
from anne_tools.errors import ModelError
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph, Metadata

N = 400


def network(weights: list[float], names: list[str] | None = None) -> Graph:
    """A classifier of three classes in which feature i counts about weights[i]."""
    rng = np.random.default_rng(2)
    builder = GraphBuilder((len(weights),))
    builder.dense("hidden", rng.normal(0, 1, (16, len(weights))) * weights, rng.normal(0, 0.3, 16), "relu")
    builder.dense("scores", rng.normal(0, 0.5, (3, 16)), np.zeros(3), "softmax")
    return builder.build(Metadata(feature_names=names or []))


def uniform(n_features: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(0, 1, (N, n_features))


def same_answers(converted: Converted, graph: Graph, x: np.ndarray) -> float:
    return float(np.mean(converted.predict(x).argmax(axis=1) == execute(graph, x).argmax(axis=1)))


# --- What may be cut --------------------------------------------------------------------------------------------------


def test_a_value_far_beyond_all_others_may_be_cut():
    x = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0], [1e9]])
    none, *others = cuts(x)
    assert not none.beyond.any()
    assert others[0].beyond.tolist() == [False] * 9 + [True]
    assert (others[0].least.tolist(), others[0].most.tolist()) == ([0.0], [8.0])
    assert others[0].limited(x).ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8]


def test_the_farthest_is_cut_first():
    """Gaps of about 1e5 and of 50: the first cut is at the larger, the next at both."""
    x = uniform(2)
    x[7, 0], x[9, 1] = 1e5, 50
    beyond = [np.flatnonzero(cut.beyond).tolist() for cut in cuts(x)]
    assert beyond[:3] == [[], [7], [7, 9]]


@pytest.mark.parametrize("x", [uniform(3), np.zeros((N, 2)), np.ones((1, 2)), np.eye(4)])
def test_there_is_nothing_to_cut(x):
    assert len(cuts(x)) == 1


def test_a_feature_that_is_rarely_on_is_not_far():
    x = uniform(3)
    x[:, 1] = 0
    x[5, 1] = 20  # others are half a unit from their medians
    assert len(cuts(x)) == 1


# --- What is cut ------------------------------------------------------------------------------------------------------


def spoilt(how: str) -> tuple[np.ndarray, int]:
    """Return uniform samples of four features with outliers, and how many samples have one."""
    x = uniform(4)
    match how:
        case "one":
            x[7, 2] = 1e9
        case "negative":
            x[7, 2] = -1e9
        case "as large as floats go":
            x[7, 2] = 3e38
        case "a whole sample":
            x[7] = 65535
        case "several":
            x[[3, 200, 301], [0, 1, 2]] = 1e9, 1e6, -4000
        case "a code for missing":
            x[::20, 1] = -9999
    return x, int((np.abs(x) > 1).any(axis=1).sum())


@pytest.mark.parametrize("dtype", ["int8", "int16", "int4"])
@pytest.mark.parametrize(
    "how",
    ["one", "negative", "as large as floats go", "a whole sample", "several", "a code for missing"],
)
def test_outliers_cost_no_answers(how, dtype):
    """Against the same conversion on clean samples, for those and for 400 others: one answer in a hundred at most."""
    graph, clean = network([1, 1, 1, 1]), uniform(4)
    x, n_spoilt = spoilt(how)
    fresh = np.random.default_rng(4).uniform(0, 1, (N, 4))
    before, after = (convert(graph, dtype, calibrate=samples) for samples in (clean, x))
    assert same_answers(after, graph, fresh) >= same_answers(before, graph, fresh) - 0.01
    assert f"which {n_spoilt} of {N} samples have" in after.report.warnings[-1]


def test_the_warning_says_where_how_many_how_large_and_what_was_taken():
    x = uniform(3)
    x[:, 1] = np.round(x[:, 1] * 8) / 2  # 0 to 4
    x[[5, 6], 1] = -1e9, 2e9
    graph = network([1, 1, 1], ["a", "warmth", "c"])
    told = convert(graph, "int8", calibrate=x).report.warnings
    assert told[0] == (
        "calibration data: 'warmth' reaches 2e+09 in 2 of 400 samples, where the others lie within 0 to 4"
    )
    assert "with them the answers for all others would be off by " in told[1]


def test_samples_that_were_cut_are_in_no_golden_sample_and_no_comparison():
    x, _ = spoilt("one")
    converted = convert(network([1, 1, 1, 1]), "int8", calibrate=x)
    assert converted.report.deviation.n_samples == N - 1
    assert converted.report.deviation.rms < 0.01
    assert "calibration: 400 samples, 1 with outliers" in converted.to_bytes().decode("latin1")


def test_a_long_tail_without_a_gap_is_cut_where_that_helps():
    """Values of a Cauchy distribution: of 8,000 the largest is some 5,000 times the median magnitude."""
    x = np.random.default_rng(3).standard_cauchy((1000, 8))
    graph = network([1] * 8)
    converted = convert(graph, "int8", calibrate=x)
    near = x[np.abs(x).max(axis=1) < 10]
    assert same_answers(converted, graph, near) > 0.8  # 0.33 with the range of all values
    assert any("in 10 of 1000 samples" in warning for warning in converted.report.warnings)


# --- What is not cut --------------------------------------------------------------------------------------------------


def rare(kind: str) -> tuple[Graph, np.ndarray, np.ndarray]:
    """Return a network, samples, and which of them have what is rare."""
    x, weights = uniform(8), [1.0] * 8
    match kind:
        case "one-hot, once":
            x[:, 3], x[7, 3] = 0, 1
        case "one-hot, one in a hundred":
            x[:, 3], x[::100, 3] = 0, 1
        case "beside small features":
            x, weights = x / 20, [5.0] * 8
            x[:, 3], x[::200, 3] = 0, 1
        case "spikes of 100":
            weights[3] = 0.01
            x[:, 3], x[::100, 3] = 0, 100
        case "spikes of 100 over noise":
            weights[3] = 0.05
            x[::100, 3] = 100
        case "a single feature":
            x, weights = np.zeros((N, 1)), [1.0]
            x[5] = 5
    is_rare = np.abs(x - np.median(x, axis=0)).max(axis=1) > 0.7  # of the others none
    return network(weights), x, is_rare


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize(
    "kind",
    [
        "one-hot, once",
        "one-hot, one in a hundred",
        "beside small features",
        "spikes of 100",
        "spikes of 100 over noise",
        "a single feature",
    ],
)
def test_what_is_rare_but_real_is_kept(kind, dtype):
    """Probabilities of the samples that have it are as near as int8 has them: 0.03."""
    graph, x, is_rare = rare(kind)
    assert 0 < is_rare.sum() < N / 20
    converted = convert(graph, dtype, calibrate=x)
    assert converted.report.warnings == []
    assert np.abs(converted.predict(x) - execute(graph, x))[is_rare].max() < 0.03


def test_a_network_of_integers_keeps_its_own_ranges():
    """As an int8 .tflite has them: whatever is given to calibrate, it answers to the bit as before."""
    clean, (x, _) = uniform(4), spoilt("one")
    integers = quantize(network([1, 1, 1, 1]), "int8", clean)
    before, after = convert(integers), convert(integers, calibrate=x)
    assert (after.report.dtype, after.report.warnings) == ("int8", [])
    assert np.array_equal(after.predict(clean), before.predict(clean))
    assert np.array_equal(
        after.predict(clean), convert(network([1, 1, 1, 1]), "int8", calibrate=clean).predict(clean)
    )


# --- What is refused, what is told ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_values_that_are_no_float32_are_refused(value):
    x = uniform(4)
    x[7, 2] = value
    message = "calibration data: 1 values are NaN, infinite or beyond float32, the first in sample 7; leave"
    with pytest.raises(ModelError, match=message):
        convert(network([1, 1, 1, 1]), "int8", calibrate=x)


def test_a_type_that_is_far_off_is_told():
    """Rows of 1 and 300 weights of 0.02, which in four bits are 0: half of each sum is lost."""
    builder = GraphBuilder((301,))
    builder.dense("dense", np.hstack([np.ones((2, 1)), np.full((2, 300), 0.02) * [[1], [-1]]]), [0.0, 0.0])
    x = np.random.default_rng(1).uniform(-1, 1, (N, 301))
    (warning,) = convert(builder.build(), "int4", calibrate=x).report.warnings
    assert "the answers as int4 are off by" in warning
    assert convert(builder.build(), "int8", calibrate=x).report.warnings == []


def test_scikit_learns_digits_with_one_pixel_of_1e9():
    """97.41 % on clean data; 45.8 % with the range of all values."""
    pytest.importorskip("sklearn", reason="the extra ai-anne[sklearn]")
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    digits = load_digits()
    train, test = slice(0, 1200), slice(1200, None)
    model = MLPClassifier((32,), max_iter=60, random_state=0).fit(digits.data[train], digits.target[train])
    spoilt = digits.data[train].copy()
    spoilt[100, 20] = 1e9
    clean, cut = (
        convert(model, "int8", calibrate=x, test=(digits.data[test], digits.target[test])).report.accuracy
        for x in (digits.data[train], spoilt)
    )
    assert cut.model_percent >= clean.model_percent - 0.5
    assert clean.model_percent >= clean.float_percent - 0.5
