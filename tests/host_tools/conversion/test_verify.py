"""verify: pairs that agree, pairs that do not, and what each framework says where it is installed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.standard_models import DTYPES, random_graph
from anne_tools.conversion.verify import RMS_LIMITS, Comparison, Elsewhere, _quantisation, type_of, verify
from anne_tools.cores.files import open_model
from anne_tools.cores.local import HOST, run_local
from anne_tools.errors import ModelError
from anne_tools.layers import Dense
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.graph import Graph, Metadata
from package_files import mltk_file

RANDOM = np.random.default_rng(9)
ALL_DTYPES = [*DTYPES, "int4"]
X = RANDOM.normal(0, 1, (30, 5))


def network() -> Graph:
    return random_graph((5, 6, 3))


def by_pair(comparisons: list[Comparison]) -> dict[tuple[str, str], Comparison]:
    return {(c.first, c.second): c for c in comparisons}


@pytest.mark.parametrize("dtype", DTYPES)
def test_reference_and_core_agree(dtype):
    data = convert(network(), dtype, calibrate=X).data
    (comparison,) = verify(data, x=X)
    assert (comparison.first, comparison.second, comparison.n_samples) == ("reference", "C core", 30)
    assert comparison.good
    if dtype in ("int8", "int16"):
        assert (comparison.largest, comparison.unit, comparison.bound) == (0, "steps", 0)


def test_elsewhere_is_compared_with_the_core_and_told_of():
    data = convert(network(), "int8", calibrate=X).data
    told = []

    def one_step_off(data, x, tell):
        tell(1, 1)
        return run_local(data, x, HOST) + 1

    (_, same) = verify(data, x=X, elsewhere=Elsewhere("here", lambda data, x, tell: run_local(data, x, HOST)))
    (_, off) = verify(data, None, X, Elsewhere("there", one_step_off), lambda *step: told.append(step))
    assert (same.first, same.second, same.largest, same.good) == ("C core", "here", 0, True)
    assert (off.second, off.largest, off.unit, off.good) == ("there", 1, "steps", False)
    assert told == [("runs on there", 1, 1)]


def test_without_samples_the_golden_ones_are_taken():
    (comparison,) = verify(convert(network()).data)
    assert comparison.n_samples == 4


def test_against_its_source_floats_are_judged_and_quantisation_is_told():
    floats = by_pair(verify(convert(network()).data, network(), X))
    assert floats["float graph", "C core"].bound == pytest.approx(1e-5)
    assert floats["float graph", "C core"].good
    integers = by_pair(verify(convert(network(), "int8", calibrate=X).data, network(), X))
    assert integers["float graph", "C core"].bound is None
    assert 0 < integers["float graph", "C core"].largest < 0.2


def test_another_networks_weights_are_noticed():
    other = network()
    other.layers[0].weights = other.layers[0].weights * np.float32(1.01)
    comparison = by_pair(verify(convert(network()).data, other, X))["float graph", "C core"]
    assert not comparison.good
    assert comparison.largest > 1e-4


@pytest.mark.parametrize("dtype", ALL_DTYPES)
def test_the_limit_of_quantisation_is_the_types_own(dtype):
    """Within it from the network itself; beyond it from one whose second row of weights is its negative."""
    data = convert(network(), dtype, calibrate=X).data
    own = by_pair(verify(data, network(), X))["float graph", "C core"]
    assert type_of(open_model(data)) == dtype
    assert own.good
    assert own.rms_bound == RMS_LIMITS.get(dtype)
    other = network()
    last = next(layer for layer in reversed(other.layers) if isinstance(layer, Dense))
    last.weights = last.weights * np.array([[1], [-1], [1]], np.float32)
    assert not by_pair(verify(data, other, X))["float graph", "C core"].good


def test_quantisation_is_told_as_parts_of_the_range():
    """By hand: outputs 0 to 4 and differences 0, 0.04, -0.08, 0 make 0.02 at most, rms 0.01 sqrt(1 + 4) / 2."""
    exact = np.array([[0.0, 1.0], [2.0, 4.0]])
    told = _quantisation(exact, exact + [[0, 0.04], [-0.08, 0]], 0.012, "C core", Metadata(labels=["a", "b"]))
    assert told.largest == pytest.approx(0.02)
    assert told.rms == pytest.approx(0.01 * np.sqrt(5) / 2)
    assert (told.good, told.same_answer_percent) == (True, 100.0)
    told.rms_bound = 0.011
    assert (told.good, told.difference, told.allowed) == (False, "1.1 % rms of the range", "1.1 % rms")


def test_a_limit_of_ones_own():
    data = convert(network(), "int8", calibrate=X).data
    assert not by_pair(verify(data, network(), X, limit=1e-6))["float graph", "C core"].good


def test_samples_are_drawn_between_those_that_the_network_was_calibrated_with():
    """Beyond it int16 would saturate, which says nothing about the conversion."""
    for seed in range(5):
        data = convert(network(), "int16", calibrate=np.random.default_rng(seed).normal(0, 1, (30, 5))).data
        assert by_pair(verify(data, network()))["float graph", "C core"].rms < 0.001


def test_what_would_take_minutes_in_plain_python_is_skipped_and_said():
    """250 activations of 2^20 elements are 13 KB."""
    builder = GraphBuilder((1 << 20,))
    for i in range(250):
        builder.activation(f"relu {i}", "relu")
    (comparison,) = verify(pack(builder.build()))
    assert comparison.skipped == (
        "a sample takes 262144000 steps, more than the 16777216 that plain Python is given"
    )


def test_another_networks_shape_is_refused():
    with pytest.raises(ModelError, match=r"input of the model file: expected \(4,\), got \(5,\)"):
        verify(convert(network()).data, random_graph((4, 3)), X)


def test_a_comparison_that_was_skipped_is_no_failure():
    assert Comparison("a", "b", skipped="not installed").good
    assert not Comparison("a", "b", 1, 2e-5, "relative", 1e-5).good
    assert not Comparison("a", "b", 1, float("nan"), "relative", 1e-5).good


# --- Frameworks -------------------------------------------------------------------------------------------------------


def test_where_no_framework_can_be_asked_that_is_said():
    first = verify(convert(network()).data, network(), X)[0]
    assert (first.skipped, first.good) == ("no framework runs anne_tools", True)


def test_a_framework_that_is_not_installed_is_said(monkeypatch):
    """None in sys.modules is Python's own way to say that a module cannot be imported."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    path = Path(__file__).parents[2] / "golden" / "onnx" / "mlp_opset17.onnx"
    first = verify(convert(path).data, path)[0]
    assert (first.first, first.second, first.skipped) == (
        "source framework",
        "float graph",
        "onnxruntime is not installed",
    )


def test_pytorch_gets_a_pt2_only_from_who_trusts_it(monkeypatch):
    """torch.export.load falls back to unpickling sample inputs, which the importer never looks at."""
    path = Path(__file__).parents[2] / "golden" / "torch" / "plain.pt2"
    data = convert(path).data
    opened = []
    torch = SimpleNamespace(export=SimpleNamespace(load=opened.append))
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert verify(data, path)[0].skipped == "PyTorch may run code in a .pt2; --trust-pickle lets it"
    assert opened == []
    with pytest.raises(
        ModelError, match=r"for \.pt2 failed: AttributeError"
    ):  # asked: `load` returns no program here
        verify(data, path, trust_pickle=True)
    assert opened == [str(path)]


def test_scikit_learn_is_asked():
    """A binary classifier: the file's one output is the probability of the second class."""
    pytest.importorskip("sklearn", reason="the extra ai-anne[sklearn]")
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(X, X[:, 0] > 0)
    first = verify(convert(model).data, model, X)[0]
    assert first.first.startswith("scikit-learn ")
    assert (first.second, first.n_samples, first.good) == ("float graph", 30, True)


def test_keras_is_asked(tmp_path):
    keras = pytest.importorskip("keras", reason="keras with a backend")
    layers = [keras.layers.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)]
    path = tmp_path / "net.keras"
    keras.Sequential(layers).save(path)
    first = verify(convert(path).data, path, X)[0]
    assert first.first.startswith("Keras ")
    assert first.good


def test_keras_is_asked_by_name_where_a_model_has_inputs_and_outputs_by_name(tmp_path):
    """The names are in another order than the alphabet's, and what they stand for is of one shape."""
    keras = pytest.importorskip("keras", reason="keras with a backend")
    right, left = keras.layers.Input((3,), name="right"), keras.layers.Input((3,), name="left")
    total = keras.layers.Add()([keras.layers.Dense(2)(right), keras.layers.Dense(2)(left)])
    ends = {"second": total, "first": keras.layers.Dense(2)(right)}
    path = tmp_path / "net.keras"
    keras.Model({"right": right, "left": left}, ends).save(path)
    asked = [each for each in verify(convert(path).data, path) if "Keras" in each.first]
    assert [(each.output, each.good) for each in asked] == [
        ("first", True),
        ("second", True),
    ]


def test_torch_is_asked():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    first = verify(convert(model).data, model, X)[0]
    assert first.first.startswith("PyTorch ")
    assert first.good


def test_tflite_micro_gives_the_same_integers():
    """MLPerf Tiny's autoencoder in int8, floats in and out: 640 outputs, equal to the bit through ten layers."""
    pytest.importorskip("tflite_micro", reason="the interpreter of TensorFlow Lite Micro")
    pytest.importorskip("tflite", reason="the extra ai-anne[tflite]")
    path = mltk_file("anomaly_detection.tflite")
    comparisons = by_pair(verify(convert(path).data, path))
    exact = comparisons["TFLite Micro", "C core"]
    assert (exact.largest, exact.bound, exact.good) == (0, 0, True)
    assert exact.n_samples == 100


def test_layers_are_told_with_what_arises_in_them():
    """Dense layers of weights that four bits hold exactly, but for one."""
    random = np.random.default_rng(1)
    b = GraphBuilder((16,))
    for name in ("first", "second", "third", "fourth"):
        exact = random.integers(-7, 8, (16, 16)) / 32
        exact[:, 0] = 7 / 32
        b.dense(name, random.normal(0, 0.25, (16, 16)) if name == "third" else exact, None, "relu")
    graph, x = b.build(), random.normal(0, 1, (100, 16))
    data = convert(graph, "int4", calibrate=x).data
    (quantised,) = [c for c in verify(data, graph, x) if c.first == "float graph"]
    assert [layer.name for layer in quantised.layers] == ["first", "second", "third", "fourth"]
    worst = max(quantised.layers, key=lambda layer: layer.arises)
    assert worst.name == "third" and worst.error > 0.01
    assert quantised.to_json()["layers"][2]["name"] == "third"
