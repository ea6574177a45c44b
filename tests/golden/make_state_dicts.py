"""Write tests/golden/state_dicts with the real PyTorch: state_dicts that are not plain, and what the models say.

Run with `pip install torch==2.13.0` and no arguments. Seed 20261126.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

SEED = 20261126
N_SAMPLES = 8
FOLDER = Path(__file__).parent / "state_dicts"


def pruned(layer: nn.Linear) -> nn.Linear:
    """Half of the weights and a bias are masked; the file has weight_orig and weight_mask."""
    prune.l1_unstructured(layer, "weight", amount=0.5)
    return prune.random_unstructured(layer, "bias", amount=1)


def normed_as_it_was(layer: nn.Linear, dim: int | None) -> nn.Linear:
    """The weight_norm before PyTorch 2: weight_g and weight_v."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(layer, dim=dim)


def models() -> dict[str, nn.Module]:
    """The models by name of their file; all but the last take 4 inputs."""
    return {
        "batch_norm": nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6, eps=0.05), nn.ReLU(), nn.Linear(6, 3)),
        "pruned": nn.Sequential(pruned(nn.Linear(4, 8)), nn.ReLU(), nn.Linear(8, 3)),
        "weight_norm": nn.Sequential(
            parametrizations.weight_norm(nn.Linear(4, 8)),
            nn.LeakyReLU(0.2),
            parametrizations.weight_norm(nn.Linear(8, 3), dim=1),
        ),
        "weight_norm_as_it_was": nn.Sequential(
            normed_as_it_was(nn.Linear(4, 8), 0), nn.ELU(0.5), normed_as_it_was(nn.Linear(8, 3), None)
        ),
        "prelu": nn.Sequential(
            nn.Linear(4, 6), nn.PReLU(init=0.3), nn.BatchNorm1d(6, affine=False), nn.Linear(6, 3)
        ),
        "lone": nn.Linear(4, 3),
        "spectral_norm": nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 3))),
        "convolutions": nn.Sequential(
            *(
                nn.Conv2d(1, 2, 3),
                nn.BatchNorm2d(2),
                nn.ReLU(),
                nn.Conv2d(2, 2, 3),
                nn.LSTM(8, 2),
                nn.Linear(2, 3),
            )
        ),
    }


def main() -> None:
    """Write everything."""
    torch.manual_seed(SEED)
    FOLDER.mkdir(exist_ok=True)
    x = torch.randn(N_SAMPLES, 4) * 2
    expected = {"version": np.array(torch.__version__), "x": x.numpy()}
    for name, model in models().items():
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(1.5)
            if name != "convolutions":
                model.train()(x)  # gives the batch normalisation its statistics
                expected[name] = model.eval()(x).numpy()
        torch.save(model.state_dict(), FOLDER / f"{name}.pth")
        if name == "batch_norm":
            optimizer = torch.optim.Adam(model.parameters())
            model(x).sum().backward()
            optimizer.step()  # it has state of its own now; the model changes, but not what was saved
            state = {
                "epoch": 3,
                "net": torch.load(FOLDER / f"{name}.pth"),
                "optimizer": optimizer.state_dict(),
            }
            torch.save(state, FOLDER / "checkpoint.pth")
    two = {"loss": torch.tensor(0.5), "teacher": nn.Linear(4, 3).state_dict()}
    student = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    expected["student"] = student(x).detach().numpy()
    two["student"] = student.state_dict()
    torch.save(two, FOLDER / "two.pth")
    torch.save(two, FOLDER / "two_legacy.pth", _use_new_zipfile_serialization=False)
    np.savez_compressed(FOLDER / "expected.npz", **expected)


if __name__ == "__main__":
    main()
