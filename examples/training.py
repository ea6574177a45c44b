"""How the convolutional examples are trained: PyTorch, Adam with one cycle of the learning rate.

Their weights are kept in `weights/`, so that nobody has to train to convert, run and measure them; `--train` trains
anew. PyTorch wants images as (channels, rows, columns); data and model files have the channels last.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from datasets import Data
from torch import nn

WEIGHTS = Path(__file__).resolve().parent / "weights"
BATCH = 64


def channels_first(x: np.ndarray) -> torch.Tensor:
    """Return samples with channels last as PyTorch takes them."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))


def fit(
    network: nn.Module,
    data: Data,
    epochs: int,
    rate: float,
    augment: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> nn.Module:
    """Train `network`, which gives a number a class, on the training samples; `augment` changes a batch of them."""
    x, y = channels_first(data.x_train), torch.from_numpy(data.y_train)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=1e-4)
    steps = epochs * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    network.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            inputs = x[batch] if augment is None else augment(x[batch])
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs), y[batch]).backward()
            optimizer.step()
            schedule.step()
    return network


def with_softmax(network: nn.Module) -> nn.Module:
    """Return the trained network ready to convert: cross_entropy contains a softmax; the Pico should have one, too."""
    return nn.Sequential(network, nn.Softmax(dim=-1)).eval()


def save(name: str, network: nn.Module) -> Path:
    """Write the weights of `network` to `weights/NAME.npz`; return where."""
    WEIGHTS.mkdir(exist_ok=True)
    arrays = {
        key: value.numpy().astype(np.float32)
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    path = WEIGHTS / f"{name}.npz"
    np.savez_compressed(path, **arrays)
    return path


def load(name: str, network: nn.Module) -> nn.Module:
    """Return `network` with the weights of `weights/NAME.npz`."""
    with np.load(WEIGHTS / f"{name}.npz") as arrays:
        state = {key: torch.from_numpy(arrays[key]) for key in arrays.files}
    network.load_state_dict(state, strict=False)  # but for the counters of batches, which only training needs
    return network
