"""`anne train` as it is typed: what it prints and writes, JSON, pictures, refusals."""

import json
from pathlib import Path

import anne as package
import pytest
from anne_tools.commands import train
from anne_tools.cores.files import open_model
from command_line import anne, good, refused

IRIS = Path(__file__).parents[3] / "examples/iris.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trained(*options: object) -> dict:
    return json.loads(good("train", IRIS, "--layers", "4,8,3", "-o", "iris.anne", "--json", *options).stdout)


def test_iris_is_learnt_told_and_saved_with_its_names():
    told = good("train", IRIS, "--layers", "4,8,3", "-o", "iris.anne", "--seed", 1).stdout
    lines = told.splitlines()
    assert lines[0] == (
        "iris.csv: 150 rows, 4 columns, answers: 3 classes (setosa 50, versicolor 50, virginica 50)"
    )
    assert (
        "relu softmax, categorical_cross_entropy, adam, lr 0.01, batch 8, standard scaling, seed 1" in lines
    )
    assert any(line.startswith("4-8-3, 67 weights") and "120 rows, 100 epochs" in line for line in lines)
    assert any(line.startswith("loss ") and " in 100 epochs, " in line for line in lines)
    assert any(line.startswith("test: ") and " of 30 rows right, " in line for line in lines)
    assert any(line.split() == ["setosa", "10", "0", "0"] for line in lines)  # nothing is like setosa
    assert "iris.anne" in lines[-1]
    file = open_model(Path("iris.anne").read_bytes())
    assert file.lines("labels") == ["setosa", "versicolor", "virginica"]
    assert file.lines("feature_names") == ["sepal length", "sepal width", "petal length", "petal width"]
    # as in the table, unscaled: the scaling is in the file
    assert package.load("iris.anne").classify([5.1, 3.5, 1.4, 0.2])[0] == "setosa"


def test_json_is_one_document_and_nothing_else():
    told = trained("--epochs", 60)
    assert (told["rows"], told["epochs"], len(told["losses"])) == (150, 60, 60)
    assert told["classes"] == {"setosa": 50, "versicolor": 50, "virginica": 50}
    assert (told["training"]["n_rows"], told["test"]["n_rows"]) == (120, 30)
    assert [sum(row) for row in told["test"]["confusion"]] == [10, 10, 10]
    assert told["test"]["accuracy"] >= 0.8
    assert told["losses"][-1] < 0.2 < told["losses"][0]
    assert told["settings"]["scaling"] == "standard"
    assert Path("iris.anne").stat().st_size == told["model_bytes"]


def test_the_same_seed_gives_the_same_file_and_another_one_another():
    files = []
    for seed in (3, 3, 4):
        trained("--epochs", 2, "--seed", seed)
        files.append(Path("iris.anne").read_bytes())
    assert files[0] == files[1] != files[2]


def test_options_reach_the_trainer():
    told = trained(
        *("--epochs", 1, "--optimizer", "sgd", "--momentum", 0.5, "--lr", 0.02, "--batch", 4, "--decay", 0.01),
        *("--scaling", "none", "--activation", "tanh,softmax", "--loss", "mse", "--test", 0),
    )  # fmt: skip
    settings = told["settings"]
    assert settings.pop("labels") == ["setosa", "versicolor", "virginica"]
    assert settings == {
        "sizes": [4, 8, 3],
        "activations": ["tanh", "softmax"],
        "loss": "mse",
        "optimizer": "sgd",
        "lr": 0.02,
        "batch": 4,
        "seed": 0,
        "momentum": 0.5,
        "decay": 0.01,
        "scaling": None,
    }
    assert "test" not in told
    assert told["training"]["n_rows"] == 150


def test_what_a_long_training_says_has_the_time_that_is_left(monkeypatch):
    told, clock = [], iter([100.0, 104.0])
    monkeypatch.setattr(train.time, "monotonic", lambda: next(clock))
    heard = train._Heard(lambda *step: told.append(step), "trains 4-8-3 on emulator", 100)
    heard.text("4-8-3, 67 weights, 1.3 KB: reading")
    heard.text("4-8-3, 67 weights, 1.3 KB: 120 rows, 100 epochs")
    heard.text("loss 0.6489 \u2588\u2584\u2581 0.0315 epoch 20  ")
    assert heard.first == "4-8-3, 67 weights, 1.3 KB: 120 rows, 100 epochs"
    assert told == [
        ("trains 4-8-3 on emulator: 4-8-3, 67 weights, 1.3 KB: reading the rows", 0, 0),
        ("trains 4-8-3 on emulator: 4-8-3, 67 weights, 1.3 KB: 120 rows, 100 epochs", 0, 0),
        ("trains 4-8-3 on emulator: epoch 20 of 100, 16 s left", 20, 100),  # 4 s for 20
    ]


def test_numbers_are_learnt_too():
    Path("line.csv").write_text("x,y\n" + "".join(f"{x / 10},{2 * x / 10 + 1}\n" for x in range(40)))
    options = ("--optimizer", "sgd", "--lr", 0.1, "--batch", 1, "--activation", "linear")
    told = good("train", "line.csv", "--layers", "1,1", "-o", "line.anne", *options).stdout
    assert "answers: numbers, y" in told
    assert "test: 8 rows, root mean square error " in told
    assert abs(package.load("line.anne").predict([10.0])[0] - 21) < 0.01


def test_a_picture_is_drawn():
    pytest.importorskip("matplotlib")
    for name, begin in (("loss.png", b"\x89PNG"), ("loss.svg", b"<?xml")):
        trained("--epochs", 2, "--plot", name)
        assert Path(name).read_bytes().startswith(begin)
    refused("expected a name that ends with .png or .svg, got loss.txt",
            "train", IRIS, "--layers", "4,3", "-o", "n.anne", "--plot", "loss.txt")  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--layers", "3,3"), "expected 4 inputs first, as iris.csv has so many columns (sepal length, "),
        (("--layers", "4,2"), "expected 3 outputs last, one for each answer, got 2; the answers (species) are setosa,"),
        (("--layers", "4,3", "--target", "kind"), "no column is called 'kind'"),
        (("--layers", "4,8,8,8,8,3", "--lr", "1e9"), "with a smaller lr"),
        (("--layers", "4,8,3", "--activation", "gelu"), "gelu"),
        (("--layers", "4,8,3", "--momentum", "2"), "momentum"),
        (("--layers", "4,3", "--momentum", "0.9"), "expected optimizer='sgd' with it, got adam"),
        (("--layers", "4,3", "--on", "/dev/no-such-port"), "/dev/no-such-port"),
    ],
)  # fmt: skip
def test_what_cannot_be_learnt_is_said_in_one_line_and_nothing_is_written(options, message):
    refused(message, "train", IRIS, "-o", "net.anne", *options)
    assert not Path("net.anne").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "Missing option '--layers'"),
        (("--layers", "4"), "expected numbers of inputs and neurons, such as 4,8,3, got '4'"),
        (("--layers", "4,x"), "got '4,x'"),
        (("--layers", "4,3", "--epochs", "0"), "0 is not in the range"),
        (("--layers", "4,3", "--test", "1"), "1.0 is not in the range"),
        (("--layers", "4,3", "--seed", "-1"), "-1 is not in the range"),
    ],
)
def test_wrong_usage(options, message):
    result = anne("train", IRIS, "-o", "net.anne", *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_the_table_is_never_written_over():
    refused("which is read", "train", IRIS, "--layers", "4,3", "-o", IRIS)


def test_the_tables_of_the_examples_are_those_of_scikit_learn():
    """Fisher's iris data, as scikit-learn has them."""
    datasets = pytest.importorskip("sklearn.datasets")
    from anne_tools.data.labelled import read_labelled

    bunch, data = datasets.load_iris(), read_labelled(IRIS)
    assert data.x.tolist() == bunch.data.astype("float32").tolist()
    assert data.answers == [bunch.target_names[i] for i in bunch.target]
