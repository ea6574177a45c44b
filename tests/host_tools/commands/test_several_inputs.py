"""A network of two inputs and two outputs through convert, inspect, run and verify.

Right values: `execute`, the network's meaning in numpy, within what float32 rounds.
"""

import json

import numpy as np
import pytest
from anne_tools.cli import cli
from anne_tools.conversion.pack import pack
from anne_tools.cores.native import NativeModel
from anne_tools.layers import Add
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute
from click.testing import CliRunner

RANDOM = np.random.default_rng(20)
X = {"image": RANDOM.normal(0, 1, (7, 6)), "speed": RANDOM.normal(0, 2, (7, 3))}


def network():
    b = GraphBuilder()
    image, speed = b.input("image", (6,)), b.input("speed", (3,))
    left = b.dense("left", RANDOM.normal(0, 1, (5, 6)), activation="relu", at=image)
    right = b.dense("right", RANDOM.normal(0, 1, (5, 3)), at=speed)
    met = b.add(Add, "met", "relu", inputs=[left, right])
    box = b.dense("box", RANDOM.normal(0, 1, (4, 5)), at=met)
    score = b.dense("score", RANDOM.normal(0, 1, (2, 5)), at=met)
    graph = b.build(outputs=[score, box])
    graph.metadata.output_names = ["score", "box"]
    return graph


GRAPH = network()
SCORE, BOX = GRAPH.split_outputs(execute(GRAPH, X))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.anne").write_bytes(pack(GRAPH))
    np.savez("x.npz", **X)
    for name, values in X.items():
        np.save(f"{name}.npy", values)
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(cli, ["run", "net.anne", *arguments])


@pytest.mark.parametrize(
    "given",
    [
        ["--input", "x.npz"],
        ["--input", "image=image.npy", "--input", "speed=speed.npy"],
        ["--input", "speed=speed.npy", "--input", "image=image.npy"],
    ],
)
@pytest.mark.parametrize("where", ["host", "reference"])
def test_run(folder, given, where):
    told = run(*given, "--on", where, "--json")
    outputs = json.loads(told.stdout)["outputs"]
    assert list(outputs) == ["score", "box"]
    np.testing.assert_allclose(outputs["score"], SCORE, atol=1e-5)
    np.testing.assert_allclose(outputs["box"], BOX, atol=1e-5)
    assert run(*given, "--output", "y.npz").exit_code == 0
    with np.load("y.npz") as written:
        assert sorted(written.files) == ["box", "score"]
        np.testing.assert_allclose(written["box"], BOX, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--input", "image=image.npy"], "--input: expected inputs image, speed; speed missing"),
        (["--input", "image.npy"], "image.npy: the network has 2 inputs: expected NAME=FILE for each of image, speed"),
        (["--input", "image=image.npy", "--input", "image=image.npy"], "got image twice"),
        (["--input", "image=image.npy", "--input", "speed.npy"], "got speed.npy without a name"),
        (["--input", "colour=image.npy"], "expected inputs image, speed; got colour"),
        (["--input", "speed=image.npy", "--input", "image=speed.npy"], "image: expected (n_samples, 6), got"),
        (["1", "2"], "VALUES are for a network of one input; give --input NAME=FILE for image, speed"),
        (["--input", "x.npz", "--output", "y.npy"], "the network has 2 outputs, which need a .npz file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(folder, arguments, problem):
    told = run(*arguments)
    assert told.exit_code in (1, 2)
    assert problem in (told.stderr or str(told.exception))


def test_names_that_hold_others_or_are_words_of_numpy(folder):
    graph = network()
    graph.metadata.input_names, graph.metadata.output_names = ["a", "a=b"], ["file", "allow_pickle"]
    (folder / "net.anne").write_bytes(pack(graph))
    told = run("--input", "a=b=speed.npy", "--input", "a=image.npy", "--output", "y.npz")
    assert told.exit_code == 0, told.stderr
    score, box = graph.split_outputs(execute(graph, list(X.values())))
    with np.load("y.npz") as written:
        assert written.files == ["file", "allow_pickle"]
        np.testing.assert_allclose(written["file"], score, atol=1e-5)
        np.testing.assert_allclose(written["allow_pickle"], box, atol=1e-5)
    assert "expected inputs a, a=b; got =speed.npy" in run("--input", "=speed.npy").stderr


def test_another_number_of_samples(folder):
    np.save("speed.npy", X["speed"][:4])
    told = run("--input", "image=image.npy", "--input", "speed=speed.npy")
    problem = "--input: expected as many samples of each input, got 7 of image, 4 of speed"
    assert problem in (told.stderr or str(told.exception))


def test_inspect_names_inputs_and_outputs(folder):
    told = CliRunner().invoke(cli, ["inspect", "net.anne", "--json"])
    document = json.loads(told.stdout)
    assert [(one["name"], one["shape"]) for one in document["inputs"]] == [("image", [6]), ("speed", [3])]
    assert [(one["name"], one["shape"]) for one in document["outputs"]] == [("score", [2]), ("box", [4])]
    text = CliRunner().invoke(cli, ["inspect", "net.anne"]).stdout
    assert (
        "input image: 6 float32\ninput speed: 3 float32\noutput score: 2 float32\noutput box: 4 float32"
        in text
    )


def test_verify_takes_samples_by_name(folder):
    told = CliRunner().invoke(cli, ["verify", "net.anne", "--input", "x.npz", "--json"])
    (compared,) = json.loads(told.stdout)["comparisons"]
    assert (compared["n_samples"], compared["good"]) == (7, True)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16", "int8-weights"])
def test_convert_in_every_type(dtype):
    from anne_tools import convert

    converted = convert(GRAPH, dtype, calibrate=X, test=(X, {"box": BOX, "score": SCORE.argmax(axis=1)}))
    limit = {"float32": 1e-6, "int8": 0.02, "int16": 1e-3, "int8-weights": 0.01}[
        dtype
    ]  # of each output's range
    for got, expected, told in zip(
        converted.predict(list(X.values())), (SCORE, BOX), converted.report.deviations, strict=True
    ):
        rms = np.sqrt(np.mean(np.square(got - expected))) / np.ptp(expected)
        assert rms <= limit and told.rms / told.output_range == pytest.approx(rms)
    assert [told.output for told in converted.report.deviations] == ["score", "box"]
    assert list(converted.report.accuracies) == ["score"] and list(converted.report.all_targets) == ["box"]
    assert converted.report.golden_samples > 0
    with NativeModel(converted.data) as model:
        assert model.file.lines("input_names") == ["image", "speed"]
        assert model.file.lines("output_names") == ["score", "box"]
