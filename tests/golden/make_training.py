"""Write the golden files of training in tests/golden/training: how PyTorch trains, and what AI-ANNE published.

Run with `pip install torch==2.13.0` and no arguments; PyTorch trains in float64. Seed 20261126.

steps.jsonl: first the network's sizes, the rows, their targets and the start weights that all cases share, then a
line a case: some 100 steps, the loss of each epoch (the mean over rows, each by the weights at its step), and the
weights at the end.
selflearning.json: the network of host_tools/anne_tools/networks with its rows, in one file, for boards.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

SEED = 20261126
HERE = Path(__file__).parent
GOLDEN = HERE / "training"
NETWORKS = HERE.parents[1] / "host_tools" / "anne_tools" / "networks"

SIZES = (3, 4, 2)
N_ROWS = 12
BATCH = 5  # so the last of an epoch has 2 rows
EPOCHS = 34  # of 3 steps each
# the hidden layer's, the last layer's, the loss
NETWORKS_TRAINED = (
    ("tanh", "linear", "mse"),
    ("sigmoid", "relu", "mse"),
    ("linear", "leaky_relu", "mse"),
    ("relu", "sigmoid", "mse"),
    ("leaky_relu", "tanh", "mse"),
    ("tanh", "softmax", "mse"),
    ("relu", "sigmoid", "binary_cross_entropy"),
    ("leaky_relu", "softmax", "categorical_cross_entropy"),
)
# lr, momentum, decay
OPTIMIZERS = (
    ("sgd", 0.125, 0.0, 0.0),
    ("sgd", 0.03125, 0.875, 0.015625),
    ("adam", 0.03125, 0.0, 0.0),
    ("adam", 0.03125, 0.0, 0.015625),
)
ACTIVATIONS = {
    "linear": lambda z: z,
    "relu": torch.relu,
    "leaky_relu": lambda z: nn.functional.leaky_relu(z, 0.01),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda z: torch.softmax(z, 1),
}


def layers(start: list[float]) -> list[nn.Linear]:
    """Return layers with these weights: layer after layer the rows, then the biases."""
    made, at = [], 0
    for n_in, n_out in zip(SIZES, SIZES[1:], strict=False):
        layer = nn.Linear(n_in, n_out, dtype=torch.float64)
        end = at + n_in * n_out
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(start[at:end], dtype=torch.float64).reshape(n_out, n_in))
            layer.bias.copy_(torch.tensor(start[end : end + n_out], dtype=torch.float64))
        made.append(layer)
        at = end + n_out
    return made


def row_losses(loss: str, sums: torch.Tensor, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return each row's loss by PyTorch's own functions."""
    if loss == "mse":
        return nn.functional.mse_loss(outputs, targets, reduction="none").mean(1)
    if loss == "binary_cross_entropy":
        return nn.functional.binary_cross_entropy_with_logits(sums, targets, reduction="none").mean(1)
    return nn.functional.cross_entropy(sums, targets, reduction="none")


def train(case: dict, shared: dict) -> tuple[list[float], list[float]]:
    """Return the losses of the epochs and the parameters at the end."""
    first, last = made = layers(shared["start"])
    parameters = [p for layer in made for p in layer.parameters()]
    lr, momentum, decay = case["lr"], case["momentum"], case["decay"]
    if case["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(parameters, lr, momentum=momentum, weight_decay=decay)
    else:
        optimizer = torch.optim.Adam(parameters, lr, weight_decay=decay)
    x = torch.tensor(shared["x"], dtype=torch.float64).reshape(-1, SIZES[0])
    by_class = case["loss"] == "categorical_cross_entropy"
    targets = torch.tensor([int(y) for y in shared["y"][::2]] if by_class else shared["y"])
    targets = targets if by_class else targets.to(torch.float64).reshape(-1, SIZES[-1])
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for begin in range(0, N_ROWS, BATCH):
            batch = slice(begin, begin + BATCH)
            sums = last(ACTIVATIONS[case["activations"][0]](first(x[batch])))
            outputs = ACTIVATIONS[case["activations"][1]](sums)
            each = row_losses(case["loss"], sums, outputs, targets[batch])
            optimizer.zero_grad()
            each.mean().backward()
            optimizer.step()
            total += each.sum().item()
        losses.append(total / N_ROWS)
    return losses, torch.cat([p.detach().flatten() for p in parameters]).tolist()


def cases() -> list[dict]:
    """Return all cases without their results."""
    return [
        {
            "activations": (hidden, last),
            "loss": loss,
            "optimizer": optimizer,
            "lr": lr,
            "momentum": momentum,
            "decay": decay,
        }
        for hidden, last, loss in NETWORKS_TRAINED
        for optimizer, lr, momentum, decay in OPTIMIZERS
    ]


def shared_data(seed: int = SEED) -> dict:
    """Return what all cases begin with, in numbers that a float32 holds exactly."""
    torch.manual_seed(seed)
    n = sum((n_in + 1) * n_out for n_in, n_out in zip(SIZES, SIZES[1:], strict=False))
    x = torch.round(torch.randn(N_ROWS, SIZES[0]) * 64) / 64
    first = (x[:, 0] + x[:, 1] > x[:, 2]).float()
    second = (x[:, 1] * x[:, 2] > 0).float()
    return {
        "sizes": SIZES,
        "batch": BATCH,
        "x": x.flatten().tolist(),
        "y": torch.stack((first, second), 1).flatten().tolist(),
        "start": (torch.round((torch.rand(n) - 0.5) * 128) / 64).tolist(),
    }


def rounded(values: list[float]) -> list[float]:
    return [float(f"{v:.9g}") for v in values]


def main() -> None:
    shared = shared_data()
    lines = [shared]
    for case in cases():
        losses, parameters = train(case, shared)
        lines.append({**case, "losses": rounded(losses), "parameters": rounded(parameters)})
    (GOLDEN / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    learning = json.loads((NETWORKS / "selflearning_4_3_1.json").read_text())
    rows = json.loads((NETWORKS / learning["rows"]).read_text())
    learning |= {"x": rows["inputs"], "y": rows["labels"]}
    (GOLDEN / "selflearning.json").write_text(json.dumps(learning) + "\n")


if __name__ == "__main__":
    main()
