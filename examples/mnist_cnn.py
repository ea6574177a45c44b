"""MNIST's handwritten digits by convolutions instead of dense layers, trained with PyTorch.

python examples/mnist_cnn.py -o mnist-cnn.anne
"""

import torch
from common import main_trained
from datasets import Data, mnist_images
from torch import nn
from training import fit

EPOCHS = 40


def network(data: Data) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(3 * 3 * 24, len(data.labels)),
    )


def shifted(x: torch.Tensor) -> torch.Tensor:
    """Return the images, all moved by the same one or two pixels, or none."""
    rows, columns = (int(n) for n in torch.randint(-2, 3, (2,)))
    return x.roll((rows, columns), (2, 3))


def train(data: Data) -> nn.Module:
    torch.manual_seed(0)
    return fit(network(data), data, EPOCHS, 5e-3, shifted)


if __name__ == "__main__":
    main_trained("mnist_cnn", mnist_images, network, train)
