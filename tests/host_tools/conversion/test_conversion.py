"""convert: the whole way from a network to a proven file, what it decides, and that nothing is half-written.

Expected accuracies are recomputed here from `execute` (floats) and the converted model's own predictions.
"""

from __future__ import annotations

import json

import anne_tools
import numpy as np
import pytest
from anne.model import Model
from anne_tools.conversion import golden
from anne_tools.conversion.convert import Converted, convert
from anne_tools.conversion.plot import error_plot
from anne_tools.conversion.report import lines
from anne_tools.conversion.standard_models import DTYPES, random_graph
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Add
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph, Metadata

RANDOM = np.random.default_rng(5)
ALL_DTYPES = [*DTYPES, "int4"]


def wine_like(seed: int = 7) -> tuple[Graph, np.ndarray]:
    """Three features of unlike range (about 1, 100 and 1,000), a scaler, two layers; and 200 samples of them."""
    rng = np.random.default_rng(seed)
    mean, std = np.array([1.0, 100.0, 1000.0]), np.array([0.3, 20.0, 300.0])
    builder = GraphBuilder((3,))
    builder.scaling("scaler", 1 / std, -mean / std)
    builder.dense("hidden", rng.normal(0, 1, (8, 3)), rng.normal(0, 0.3, 8), "tanh")
    builder.dense("scores", rng.normal(0, 1, (3, 8)), np.zeros(3), "softmax")
    return builder.build(Metadata(name="wine")), mean + std * rng.normal(0, 1, (200, 3))


# --- What comes out ---------------------------------------------------------------------------------------------------


def test_the_package_offers_it():
    assert anne_tools.convert is convert
    assert anne_tools.Converted is Converted


@pytest.mark.parametrize(
    ("dtype", "bound"),
    [("float32", 1e-5), ("int16", 2e-3), ("int8-weights", 2e-2), ("int8", 6e-2), ("int4", 0.5)],
)
def test_outputs_are_near_the_float_networks(dtype, bound):
    """Probabilities; the bounds are about twice what was seen."""
    graph, x = wine_like()
    converted = convert(graph, dtype, calibrate=x)
    largest = np.abs(converted.predict(x) - execute(graph, x)).max()
    assert largest <= bound
    assert converted.report.deviation.largest == pytest.approx(largest)


def residual() -> tuple[Graph, np.ndarray]:
    """Batch normalisation behind a sum that is read again, of an input that is read raw, too, and of the outputs."""
    rng = np.random.default_rng(3)
    b = GraphBuilder((6,))
    norm = b.scaling("input_norm", rng.uniform(0.5, 2, 6), rng.normal(0, 0.3, 6))
    at = b.add(Add, "input_sum", inputs=[b.first, norm])
    for i in range(2):
        hidden = b.dense(f"hidden {i}", rng.normal(0, 0.4, (6, 6)), rng.normal(0, 0.3, 6), "relu", at=at)
        b.add(Add, f"sum {i}", inputs=[at, hidden])
        at = b.scaling(f"norm {i}", rng.uniform(0.5, 1.5, 6), rng.normal(0, 0.3, 6))
    return b.build(), rng.normal(0, 1, (200, 6))


@pytest.mark.parametrize(
    ("dtype", "bound"),
    [("float32", 1e-6), ("int16", 1e-4), ("int8-weights", 3e-3), ("int8", 2.5e-2), ("int4", 5e-2)],
)
def test_scalings_of_sums_and_of_branches_have_integers(dtype, bound):
    """Relative to the range of the outputs; the bounds are about twice what was seen."""
    graph, x = residual()
    expected = execute(graph, x)
    assert np.abs(convert(graph, dtype, calibrate=x).predict(x) - expected).max() <= bound * np.ptp(expected)


def test_a_scaling_apart_is_tried_where_folding_gives_weights_beyond_a_type():
    # Weights of 1/1000 and 1000 side by side: with four bits the sums' scale is 2^16 times the output's.
    rng = np.random.default_rng(4)
    mean, std = np.array([1000, 1e-3]), np.array([100, 1e-3])
    b = GraphBuilder((2,))
    b.scaling("scaler", 1 / std, -mean / std)
    b.dense("hidden", rng.normal(0, 1, (8, 2)), rng.normal(0, 0.3, 8), "relu")
    b.dense("out", rng.normal(0, 1, (2, 8)))
    converted = convert(b.build(), "int4", calibrate=mean + std * rng.normal(0, 1, (200, 2)))
    assert converted.report.layers[0].kind == "scaling"


@pytest.mark.parametrize("dtype", ALL_DTYPES)
def test_the_file_passes_its_own_self_test(dtype):
    graph, x = wine_like()
    model = Model(convert(graph, dtype, calibrate=x, labels=["a", "b", "c"]).to_bytes())
    assert model.selftest() == 4
    assert model.labels == ["a", "b", "c"]
    assert model.name == "wine"


def test_equal_conversions_give_equal_files():
    graph, x = wine_like()
    assert convert(graph, "int8", calibrate=x).data == convert(graph, "int8", calibrate=x).data


def test_the_source_is_left_as_it_was():
    graph, x = wine_like()
    layers, metadata = list(graph.layers), graph.metadata
    convert(graph, "int8", calibrate=x, labels=["a", "b", "c"], name="other")
    assert graph.layers == layers
    assert graph.metadata is metadata
    assert (graph.metadata.name, graph.metadata.labels) == ("wine", [])


def test_golden_samples_without_calibration_are_what_the_scaler_expects():
    """Drawn as normal numbers behind the scaler: about 1, 100 and 1,000 in front of it."""
    converted = convert(wine_like()[0])
    with NativeModel(converted.data) as model:
        golden = np.frombuffer(bytes(model.file.metadata["golden_inputs"]), "<f4").reshape(-1, 3)
    assert golden.shape == (4, 3)
    assert (np.abs(golden - [1, 100, 1000]) < np.multiply(5, [0.3, 20, 300])).all()


# --- Scaling of inputs ------------------------------------------------------------------------------------------------


def test_a_scaling_stays_where_folding_would_cost_digits():
    graph, x = wine_like()
    converted = convert(graph, "int8", calibrate=x)
    assert [layer.kind for layer in converted.report.layers][:2] == ["scaling", "dense"]
    assert any("inputs are scaled in a layer of their own" in note for note in converted.report.notes)


def test_a_scaling_of_features_alike_is_folded():
    builder = GraphBuilder((3,))
    builder.scaling("scaler", [0.5, 0.5, 0.5], [0.1, 0.1, 0.1])
    builder.dense("dense", RANDOM.normal(0, 1, (4, 3)), np.zeros(4))
    converted = convert(builder.build(), "int8", calibrate=RANDOM.normal(0, 2, (100, 3)))
    assert [layer.kind for layer in converted.report.layers] == ["dense"]


def test_unlike_features_without_a_scaler_get_one():
    """Small features matter as much as large ones here: weights 1 and 1/1000."""
    builder = GraphBuilder((2,))
    builder.dense("dense", [[1.0, 0.001], [1.0, -0.001]], [0.0, 0.0])
    x = RANDOM.uniform(-1, 1, (200, 2)) * [1, 1000]
    converted = convert(builder.build(), "int8", calibrate=x)
    assert converted.report.layers[0].kind == "scaling"
    assert (
        converted.report.deviation.largest < 0.03 * 2
    )  # one scale for both would lose the first feature: 1 step is 8


# --- The report -------------------------------------------------------------------------------------------------------


def test_accuracy_and_confusion_are_those_of_the_predictions():
    graph, x = wine_like()
    y = execute(graph, x).argmax(axis=1)
    y[:20] = (y[:20] + 1) % 3  # 20 of 200 wrong on purpose
    converted = convert(graph, "int8", calibrate=x, test=(x, y))
    accuracy, answers = converted.report.accuracy, converted.predict(x).argmax(axis=1)
    assert accuracy.float_percent == pytest.approx(90.0)
    assert accuracy.model_percent == pytest.approx(100 * np.mean(answers == y))
    assert np.sum(accuracy.model_confusion) == 200
    for true in range(3):
        for answer in range(3):
            assert accuracy.model_confusion[true][answer] == np.sum((y == true) & (answers == answer))


def test_regression_gives_rms_errors():
    builder = GraphBuilder((2,))
    builder.dense("dense", [[1.0, 2.0]], [0.5])
    x = RANDOM.normal(0, 1, (50, 2))
    report = convert(builder.build(), test=(x, x @ [1, 2] + 0.5 + 0.25)).report
    assert report.accuracy is None
    assert report.targets.float_rms == pytest.approx(0.25)
    assert report.targets.model_rms == pytest.approx(0.25, abs=1e-5)


def test_errors_arise_where_they_arise():
    """Between exact layers the second has weights that int8 cannot hold (1 and 1/3000 in one row)."""
    builder = GraphBuilder((2,))
    builder.dense("exact", [[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])
    builder.activation("clip", "relu")
    builder.dense("coarse", [[1.0, 1 / 3000]], [0.0])
    x = np.stack([np.zeros(64), np.linspace(0, 1, 64)], axis=1)
    layers = convert(builder.build(), "int8-weights", calibrate=x).report.layers
    assert [layer.own_error > 0.1 for layer in layers] == [False, True]


def test_the_report_is_plain_json():
    graph, x = wine_like()
    report = convert(graph, "int8", calibrate=x, test=(x, np.zeros(200, int))).report
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert document["layers"][0]["kind"] == "scaling"
    assert document["fit"]["fits"] is True
    assert document["accuracy"]["n_samples"] == 200


def test_progress_is_told():
    graph, x = wine_like()
    seen = []
    convert(graph, "int8", calibrate=np.repeat(x, 3, axis=0), progress=lambda *step: seen.append(step))
    assert seen[:4] == [("calibrating", n, 600 * bool(n)) for n in (0, 256, 512, 600)]
    assert seen[-1] == ("measuring errors", 600, 600)


def test_errors_are_measured_on_some_of_many_calibration_samples():
    graph, x = wine_like()
    report = convert(graph, "int8", calibrate=np.repeat(x, 20, axis=0)).report
    assert [(d.n_samples, d.samples) for d in report.deviations] == [(2048, "calibration samples")]


def test_the_plot_is_a_picture():
    pytest.importorskip("matplotlib", reason="the extra ai-anne[plot]")
    graph, x = wine_like()
    assert error_plot(convert(graph, "int8", calibrate=x).report).startswith(b"\x89PNG\r\n")
    with pytest.raises(ModelError, match="plot: errors are measured on samples"):
        error_plot(convert(graph).report)


def test_names_in_the_plot_are_no_formulas():
    """matplotlib takes what stands between dollars for one, and refuses what is none."""
    pytest.importorskip("matplotlib", reason="the extra ai-anne[plot]")
    graph, x = wine_like()
    graph.metadata.name = graph.layers[-1].name = r"$\frac$"
    assert error_plot(convert(graph, "int8", calibrate=x).report).startswith(b"\x89PNG\r\n")


# --- What cannot be done ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int8"}, r"calibration data: expected samples of shape \(3,\), got none"),
        (
            {"dtype": "int8", "calibrate": np.ones((4, 7))},
            r"calibration data: expected \(n_samples, 3\), got shape \(4, 7\)",
        ),
        ({"labels": ["a", "b"]}, "labels: expected 3, got 2"),
        ({"labels": "abc"}, "labels: expected a list of names, got str 'abc'"),
        ({"labels": 3}, "labels: expected a list of names, got int '3'"),
        ({"labels": {0: "a", 1: "b", 2: "c"}}, "labels: expected a list of names, got dict"),
        ({"labels": {"a", "b", "c"}}, "labels: expected a list of names, got set"),
        ({"test": (np.ones((1, 3)),)}, "test: expected a pair, inputs and true answers"),
        ({"test": np.ones((2, 3))}, "test: expected a pair, inputs and true answers"),
        ({"test": (np.ones((2, 3)), [[1], [1, 2]])}, "test answers: expected one for each input: "),
        ({"feature_names": ["a"]}, "feature names: expected 3, got 1"),
        ({"dtype": "int7"}, "dtype: expected one of float32"),
        ({"board": "uno"}, "board: expected one of pico, pico-models, pico2, pico-w, pico2-w, got 'uno'"),
        ({"test": (np.ones((4, 3)), [1, 2])}, "test answers: expected one for each of 4 inputs, got shape"),
        (
            {"test": (np.ones((1, 3)), ["x"]), "labels": ["a", "b", "c"]},
            "test answers: expected a, b, c or class numbers 0 to 2, got x",
        ),
        (
            {"test": (np.ones((2, 3)), np.ones((2, 2)) / 2)},
            r"test answers: expected shape \(2, 3\) or class numbers",
        ),
    ],
)
def test_wrong_requests(options, message):
    with pytest.raises(ModelError, match=message):
        convert(wine_like()[0], **options)


def test_an_option_for_other_sources_is_refused():
    network = {"layers": [{"weights": [[1.0, 2.0]], "bias": [0.0]}]}
    with pytest.raises(
        ModelError,
        match="an input_shape is for a model whose file leaves it open, not for the ai_anne importer",
    ):
        convert(network, input_shape=(5,))


def test_text_too_long_for_a_path_is_no_file():
    with pytest.raises(ModelError, match="File name too long"):
        convert("x" * 5000)


def test_nan_weights_are_refused_by_the_layers_name():
    network = {"layers": [{"weights": [[1.0, float("nan")]], "bias": [0.0]}]}
    with pytest.raises(ModelError, match=r"layer 0 .*: 1 of 2 weights are NaN or infinite"):
        convert(network)


def test_a_softmax_goes_over_each_row():
    builder = GraphBuilder((6,))
    builder.reshape("rows", (2, 3))
    builder.activation("softmax", "softmax")
    converted = convert(builder.build(), "float32")
    assert converted.predict(np.zeros((1, 6), np.float32)).tolist() == [[[pytest.approx(1 / 3)] * 3] * 2]


@pytest.mark.parametrize("part", ["reference_outputs", "execute"])
def test_cores_that_disagree_stop_the_conversion(part, monkeypatch):
    """Either the reference or the float network is made to say something else than the C core."""
    right = getattr(golden, part)
    monkeypatch.setattr(golden, part, lambda *arguments, **options: 1.1 * right(*arguments, **options))
    with pytest.raises(ModelError, match="self-check: the .* differ: sample 0: "):
        convert(random_graph((3, 2)))


def test_an_input_that_a_layer_computes_is_refused():
    graph = random_graph((2, 2))
    graph.inputs.append(graph.layers[0].output)
    with pytest.raises(ModelError, match="its output '.*' is computed twice"):
        convert(graph)


# --- Files ------------------------------------------------------------------------------------------------------------


def test_saving_replaces_a_file_in_one_step(tmp_path):
    path = tmp_path / "net.anne"
    path.write_bytes(b"old")
    converted = convert(random_graph((3, 2)))
    converted.save(path)
    assert path.read_bytes() == converted.data
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "net.anne"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ModelError, match="net.anne: cannot be written: No space left on device"):
        convert(random_graph((3, 2))).save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_saving_where_there_is_no_folder(tmp_path):
    with pytest.raises(ModelError, match="is no folder"):
        convert(random_graph((3, 2))).save(tmp_path / "none" / "net.anne")


# --- From scikit-learn ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_pipeline_of_scikit_learn(dtype):
    """Iris through StandardScaler and a small MLP: probabilities of scikit-learn itself; int8 loses no sample of 150
    beyond two."""
    pytest.importorskip("sklearn", reason="the extra ai-anne[sklearn]")
    from sklearn.datasets import load_iris
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    iris = load_iris()
    network = MLPClassifier((8,), max_iter=800, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network).fit(iris.data, iris.target)
    converted = convert(
        pipeline, dtype, calibrate=iris.data, labels=iris.target_names, test=(iris.data, iris.target)
    )
    assert np.abs(converted.predict(iris.data) - pipeline.predict_proba(iris.data)).max() < 0.06
    accuracy = converted.report.accuracy
    assert accuracy.float_percent == pytest.approx(100 * pipeline.score(iris.data, iris.target))
    assert accuracy.model_percent >= accuracy.float_percent - 100 * 2 / 150


def test_what_the_importer_took_otherwise_than_the_file_says_stands_in_the_report():
    b = GraphBuilder((2,))
    b.dense("d", np.eye(2))
    graph = b.build(Metadata(provenance={"notes": "float64 became float32"}))
    assert convert(graph).report.notes == ["float64 became float32"]


def test_the_report_names_the_layers_where_the_error_arises():
    graph, x = wine_like()
    report = convert(graph, "int8", calibrate=x).report
    (line,) = [line for line in lines(report) if line.startswith("error arises most in ")]
    worst = max(report.layers, key=lambda layer: layer.own_error)
    assert line.startswith(f"error arises most in {worst.name} {worst.own_error:.2%}, ")
    assert not any("error arises" in line for line in lines(convert(graph, "float32", calibrate=x).report))


def test_a_note_that_holds_for_several_layers_is_said_once():
    builder = GraphBuilder((2,))
    for number in range(3):
        builder.dense(f"layer {number}", np.eye(2), source="linear")
        builder.activation(f"relu {number}", "relu", source="relu")
        builder.activation(f"tanh {number}", "tanh", source="tanh")
    told = lines(convert(builder.build(), "float32").report)
    assert "note: relu (relu): made the activation of linear (3 times)" in told
