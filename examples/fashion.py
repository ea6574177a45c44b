"""Fashion-MNIST, photographs of clothes in 28 x 28 grey pixels: a residual network, trained with PyTorch.

python examples/fashion.py -o fashion.anne

CIFAR-10 comes in no package; this is the hardest set of images that one has.
"""

import torch
from common import main_trained
from datasets import Data, fashion
from torch import nn
from training import fit

EPOCHS = 14


class Block(nn.Module):
    """Two convolutions, and beside them one of 1 x 1, whose sum is taken (He et al., arXiv 1512.03385)."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.long = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.short = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride=2, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.long(x) + self.short(x))


def network(data: Data) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        Block(12, 24),
        Block(24, 48),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(48, len(data.labels)),
    )


def mirrored(x: torch.Tensor) -> torch.Tensor:
    """Return the images, half of them with left and right exchanged."""
    chosen = torch.rand(len(x)) < 0.5
    return torch.where(chosen[:, None, None, None], x.flip(3), x)


def train(data: Data) -> nn.Module:
    torch.manual_seed(0)
    return fit(network(data), data, EPOCHS, 6e-3, mirrored)


if __name__ == "__main__":
    main_trained("fashion", fashion, network, train)
