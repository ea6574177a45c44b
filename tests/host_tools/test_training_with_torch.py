"""Training against an installed PyTorch: the C core and plain Python, on data of other seeds than the golden file's."""

from __future__ import annotations

import importlib.util
from array import array
from pathlib import Path

import pytest
from anne import host_trainer, reference_trainer

torch = pytest.importorskip("torch", reason="the extra ai-anne[torch]")

_SCRIPT = Path(__file__).resolve().parents[1] / "golden" / "make_training.py"
_spec = importlib.util.spec_from_file_location("make_training", _SCRIPT)
make_training = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_training)


CASES = make_training.cases()


@pytest.mark.parametrize("case", CASES, ids=["-".join((*c["activations"], c["optimizer"])) for c in CASES])
def test_cores_take_pytorchs_steps(case):
    torch.set_num_threads(1)  # more only wait for each other in networks so small
    shared = make_training.shared_data(seed=1)
    losses, parameters = make_training.train(case, shared)
    for core in (host_trainer.Trainer, reference_trainer.Trainer):
        y, n_targets = shared["y"], 2
        if case["loss"] == "categorical_cross_entropy":
            y, n_targets = y[::2], 1
        settings = case["lr"], case["momentum"], case["decay"], shared["batch"], n_targets, 0
        trained = core(shared["sizes"], case["activations"], case["loss"], case["optimizer"], settings)
        trained.set(array("f", shared["start"]))
        got = array("f", bytes(4 * len(losses)))
        assert trained.run(array("f", shared["x"]), array("f", y), None, got) == len(losses)
        assert got.tolist() == pytest.approx(losses, abs=2e-5), case
        assert trained.get().tolist() == pytest.approx(parameters, abs=2e-5), case
