"""What a network is to learn from a table, and training on this computer: every refusal in one line."""

from pathlib import Path

import anne
import numpy as np
import pytest
from anne_tools.boards.lesson import judge, plan, targets
from anne_tools.boards.training import Settings, train
from anne_tools.cores.local import HOST, run_local
from anne_tools.data.labelled import Labelled
from anne_tools.errors import ModelError

OPTIONS = {
    "optimizer": "sgd",
    "lr": 0.1,
    "batch": 1,
    "seed": 0,
    "momentum": 0.0,
    "decay": 0.0,
    "scaling": None,
}


def table(answers: list[str], n_features: int = 2) -> Labelled:
    x = np.arange(len(answers) * n_features, dtype=np.float32).reshape(len(answers), n_features)
    return Labelled(Path("t.csv"), x, answers, [f"f{i}" for i in range(n_features)], "kind")


@pytest.mark.parametrize(
    ("answers", "sizes", "loss", "activations", "labels"),
    [
        (["no", "yes", "no"], [2, 4, 2], "categorical_cross_entropy", ["relu", "softmax"], ["no", "yes"]),
        (["no", "yes", "no"], [2, 4, 1], "binary_cross_entropy", ["relu", "sigmoid"], ["no", "yes"]),
        (["1.5", "2", "3"], [2, 4, 4, 1], "mse", ["relu", "relu", "linear"], None),
        (["10", "9", "9"], [2, 1], "binary_cross_entropy", ["sigmoid"], ["9", "10"]),
    ],
)
def test_the_answers_tell_loss_and_last_layer(answers, sizes, loss, activations, labels):
    found = plan(table(answers), sizes, ["relu"], None, **OPTIONS)
    assert (found.loss, found.activations, found.labels) == (loss, activations, labels)


def test_targets_are_class_numbers_or_numbers():
    data = table(["10", "9", "9"])
    assert targets(data, plan(data, [2, 2], ["relu"], None, **OPTIONS)).tolist() == [1, 0, 0]
    assert targets(data, plan(data, [2, 1], ["relu"], "mse", **OPTIONS)).tolist() == [10, 9, 9]


@pytest.mark.parametrize(
    ("answers", "sizes", "message"),
    [
        (["a", "b"], [3, 2], "expected 2 inputs first, as t.csv has so many columns (f0, f1) beside the answers"),
        (["a", "a"], [2, 2], "expected two different answers or more, got only 'a'"),
        (["a", "b"], [2, 3], "expected 2 outputs last, one for each answer, or 1 as there are two, got 3; the"),
        (["a", "b", "c"], [2, 1], "3 outputs last, one for each answer, got 1; the answers (kind) are a, b, c"),
        (["1", "2", "3"], [2, 2], "expected 3 outputs last, one for each answer, or 1 to learn numbers, got 2"),
    ],
)  # fmt: skip
def test_layers_that_do_not_fit_the_table_are_refused(answers, sizes, message):
    with pytest.raises(ModelError) as error:
        plan(table(answers), sizes, ["relu"], None, **OPTIONS)
    assert message in str(error.value)


def test_softmax_is_for_the_last_layer():
    with pytest.raises(
        ModelError, match="^--activation: expected that of the layers before the last, .* got softmax$"
    ):
        plan(table(["a", "b"]), [2, 4, 2], ["softmax"], None, **OPTIONS)
    # of a single layer it is the last one's, and a wrong one is for the trainer to refuse
    assert plan(table(["a", "b"]), [2, 2], ["softmax"], None, **OPTIONS).activations == ["softmax"]
    assert plan(table(["a", "b"]), [2, 2], ["tanh"], None, **OPTIONS).activations == ["tanh"]


def settings(**changed) -> Settings:
    names = {"sizes": [2, 2], "activations": ["softmax"], "loss": "categorical_cross_entropy"}
    return Settings(**{**OPTIONS, **names, "labels": ["a", "b"], **changed})


def test_one_row_of_the_larger_number_and_one_of_the_smaller_are_learnt():
    data = Labelled(Path("t.csv"), np.float32([[0, 1], [1, 0]]), ["a", "b"])
    heard = []
    trained = train(settings(), data.x, np.array([0, 1]), 200, {"name": "n"}, on_text=heard.append)
    assert len(trained.losses) == 200
    assert trained.losses[-1] < 0.1 < trained.losses[0]
    # what Trainer.fit says before it begins
    assert heard[0].startswith("2-2, 6 weights")
    assert heard[0].endswith(": reading")
    judged = judge(trained.data, data)
    assert (judged.n_rows, judged.accuracy, judged.confusion) == (2, 1.0, [[1, 0], [0, 1]])
    wrong = judge(trained.data, Labelled(Path("t.csv"), data.x, ["b", "b"]))
    assert (wrong.accuracy, wrong.confusion) == (0.5, [[0, 0], [1, 1]])


def test_numbers_are_judged_by_their_error():
    """y = 3 x0 - x1 is what one linear output can say."""
    x = np.random.default_rng(1).normal(0, 1, (50, 2)).astype(np.float32)
    y = 3 * x[:, 0] - x[:, 1]
    line = settings(sizes=[2, 1], activations=["linear"], loss="mse", labels=None)
    trained = train(line, x, y, 20, {})
    judged = judge(trained.data, Labelled(Path("t.csv"), x, [f"{v:.9g}" for v in y]))
    assert judged.rms_error < 1e-3
    assert judged.accuracy is None


def test_what_the_trainer_refuses_is_said_in_its_words():
    x = np.float32([[1e6, 1], [-1e6, 0]])
    line = settings(sizes=[2, 1], activations=["linear"], loss="mse", labels=None, lr=10.0)
    with pytest.raises(ModelError, match="diverged in epoch .*; begin anew, with a smaller lr than 10"):
        train(line, x, np.array([0, 1]), 5, {})
    with pytest.raises(ModelError, match="softmax"):
        train(settings(activations=["relu"]), x, np.array([0, 1]), 5, {})


def test_rows_that_a_board_has_no_memory_for_are_learnt_one_by_one(monkeypatch):
    """As a board does for which they are too many: the file is that of an own Trainer that gets them in their order."""
    x = np.random.default_rng(2).normal(0, 1, (7, 2)).astype(np.float32)
    y = np.array([0, 1, 1, 0, 1, 0, 0])
    own = anne.Trainer([2, 2], ["softmax"], None, "sgd", 0.1, 3, labels=["a", "b"], scaling="minmax")
    own.fit(x.tolist(), y.tolist(), 4, shuffle=False)
    fit, refused = anne.Trainer.fit, []

    def full(self, x, *rest, **options):
        if not callable(x):
            refused.append(x)
            raise MemoryError
        return fit(self, x, *rest, **options)

    monkeypatch.setattr(anne.Trainer, "fit", full)
    trained = train(settings(batch=3, scaling="minmax"), x, y, 4, {"name": "n"})
    assert len(refused) == 1
    assert trained.data == own.save(None, name="n")


def test_more_rows_than_a_trainer_shuffles_are_shuffled_once():
    # sorted by class: row by row in that order the network would end with all in the last class
    n = 65538
    x = np.repeat(np.array([[0.0, 0.0], [1.0, 1.0]], np.float32), n // 2, axis=0)
    settings = plan(table(["no"] * 2 + ["yes"] * 2), [2, 1], ["relu"], None, **OPTIONS)
    y = np.repeat(np.array([0, 1], np.float32), n // 2)
    trained = train(settings, x, y, 1, {"name": "big"})
    outputs = run_local(trained.data, x[[0, -1]], HOST)
    assert outputs[0, 0] < 0.1
    assert outputs[1, 0] > 0.9
