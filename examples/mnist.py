"""MNIST's handwritten digits in 28 x 28 pixels: 784-32-10, trained with PyTorch.

python examples/mnist.py -o mnist.anne
"""

import torch
from common import main
from datasets import Data, mnist
from torch import nn

EPOCHS = 30
BATCH = 32


def train(data: Data) -> nn.Module:
    torch.manual_seed(0)
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    network = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Linear(32, len(data.labels)))
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3, weight_decay=1e-4)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
    # cross_entropy contains the softmax; the Pico should say probabilities, too.
    return nn.Sequential(*network, nn.Softmax(dim=-1)).eval()


if __name__ == "__main__":
    main(mnist, train)
