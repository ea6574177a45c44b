"""The published training by the very script of the demonstration, on this computer: a wrong loss is no right one."""

import contextlib
import dataclasses
import inspect
import io

import anne
import pytest
from anne import reference_trainer
from anne_tools.boards.demo_training import run_training
from anne_tools.networks import published_training


class ThisComputer:
    """Runs scripts of the board as a board would; anne.train_model is the C core here, too, where it is installed."""

    name = "this computer"

    def require_anne(self) -> None:
        pass

    def exec(self, source: str, timeout_s: float = 0) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(source, {"__name__": "board"})
        return printed.getvalue()


@pytest.fixture(autouse=True)
def native(monkeypatch):
    monkeypatch.setattr(anne, "native", True)


def test_the_eleven_losses_are_those_that_were_published():
    seen = []
    run = run_training(ThisComputer(), seen.append)
    assert run.problems == []
    # the original's notebook, printed there every tenth epoch
    losses = " ".join(f"{loss:.4f}" for loss in run.losses.values())
    assert losses == "12.9150 3.9324 1.6254 1.0154 0.7056 0.5174 0.3950 0.3116 0.2530 0.2105 0.1813"
    assert (run.runs["native"].accuracy, run.runs["native"].confusion) == (1.0, [[10, 0], [0, 10]])
    assert (len(run.runs["reference"].losses), seen) == (3, ["native", "reference"])
    assert (
        run.as_json()["speed_up"] == run.speed_up
    )  # whatever it is on a computer that does other things, too


def test_another_rate_of_learning_is_a_problem():
    run = run_training(ThisComputer(), training=dataclasses.replace(published_training(), lr=0.049))
    assert run.problems[0].startswith("4-3-1 learns: epoch 1: expected loss 12.9150, got 1")
    assert len(run.problems) == 11


def test_a_core_that_computes_something_else_is_a_problem(monkeypatch):
    source = inspect.getsource(reference_trainer.train_model)
    other = source.replace("activation, lr))", "activation, 1.01 * lr))")
    assert other != source
    monkeypatch.setattr(inspect, "getsource", lambda function: other)
    (problem,) = run_training(ThisComputer()).problems
    assert "losses of native and plain Python differ by up to 0.0" in problem
