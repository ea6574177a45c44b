"""What someone does, from the raw signals of a smart watch's 6 axes: a one-dimensional CNN, trained with PyTorch.

python examples/motion.py -o motion.anne

watch.py does the same from 18 features that a program computes first.
"""

import torch
from common import main_trained
from datasets import Data, watch_signals
from torch import nn
from training import fit

EPOCHS = 150


def network(data: Data) -> nn.Module:
    return nn.Sequential(
        nn.BatchNorm1d(6),
        nn.Conv1d(6, 12, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv1d(12, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv1d(16, 24, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(24, len(data.labels)),
    )


def louder_or_softer(x: torch.Tensor) -> torch.Tensor:
    """Return the recordings, each made up to a fifth stronger or weaker."""
    return x * (0.8 + 0.4 * torch.rand(len(x), 1, 1))


def train(data: Data) -> nn.Module:
    torch.manual_seed(0)
    return fit(network(data), data, EPOCHS, 3e-3, louder_or_softer)


if __name__ == "__main__":
    main_trained("motion", watch_signals, network, train)
