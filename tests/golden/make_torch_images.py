"""Write the golden files tests/golden/torch/images_*.pt2, tests/golden/onnx/images/*.onnx: networks of images and
signals, and what the real PyTorch says.

Run with `pip install torch==2.13.0 onnx==1.23.2 onnxscript` and no arguments. Seed 20261126.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from make_torch import export_onnx, export_pt2
from torch import nn
from torch.nn import functional as F

SEED = 20261126
N_SAMPLES = 4
HERE = Path(__file__).parent


class Squeeze(nn.Module):
    """Squeeze and excite: channels weighted by what the whole image says."""

    def __init__(self, n: int):
        super().__init__()
        self.pool, self.down, self.up = nn.AdaptiveAvgPool2d(1), nn.Conv2d(n, 2, 1), nn.Conv2d(2, n, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.up(F.relu(self.down(self.pool(x)))))


class Mobile(nn.Module):
    """What MobileNet and EfficientNet are made of: inverted residuals, depthwise, squeeze and excite, global pool."""

    input_shape = (3, 12, 10)

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU6()
        )
        self.wide = nn.Sequential(
            *(nn.Conv2d(6, 12, 1, bias=False), nn.BatchNorm2d(12), nn.Hardswish()),
            *(nn.Conv2d(12, 12, 3, padding=1, groups=12), nn.SiLU(), Squeeze(12), nn.Conv2d(12, 6, 1)),
        )
        self.grouped = nn.Conv2d(6, 8, 3, groups=2, padding="same", dilation=2)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        x = F.max_pool2d(x + self.wide(x), 2)
        x = F.prelu(self.grouped(x), torch.tensor([0.3]))
        return torch.softmax(self.head(x.mean((2, 3))), 1)


class Flat(nn.Module):
    """LeNet: the image is flattened before a dense layer, whose weights are by channels first."""

    input_shape = (1, 9, 9)

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(4, 3, 2), nn.ReLU()),
            *(nn.Flatten(), nn.Dropout(), nn.Linear(27, 6), nn.ReLU(), nn.Linear(6, 3)),
        )

    def forward(self, x):
        return self.body(x)


class Hourglass(nn.Module):
    """A small U-Net: down, up again by three ways, joined; its outputs are images."""

    input_shape = (2, 8, 8)

    def __init__(self):
        super().__init__()
        self.first, self.middle = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.up, self.last = (
            nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1),
            nn.Conv2d(12, 2, 1),
        )

    def forward(self, x):
        a = F.relu(self.first(x))
        b = F.relu(self.middle(F.avg_pool2d(a, 3, 2, 1)))
        near, smooth = F.interpolate(b, scale_factor=2), F.interpolate(b, size=(8, 8), mode="bilinear")
        y = torch.cat([self.up(b), near, smooth], 1)
        return self.last(F.pad(y, (1, 1, 1, 1))), a[:, 1:3, ::2]


class Signal(nn.Module):
    """Time series: convolutions in one dimension, dilated, with parts of the channels apart."""

    input_shape = (3, 24)

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(3, 8, 5, padding=4, dilation=2)
        self.norm, self.second = nn.BatchNorm1d(8), nn.Conv1d(4, 4, 3, stride=2, groups=4)
        self.rows, self.head = nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x):
        gate, value = self.norm(self.first(x)).chunk(2, dim=1)
        x = F.max_pool1d(self.second(torch.tanh(value) * torch.sigmoid(gate)), 2)
        x = F.relu(self.rows(x.transpose(1, 2)))
        return self.head(x.amax(1))


class Shuffle(nn.Module):
    """ShuffleNet: channels change places between groups; ConvNeXt: a norm over the channels, which come last for it."""

    input_shape = (4, 6, 6)

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(4, 6, 1, groups=2), nn.Conv2d(6, 6, 3, groups=3)
        self.norm, self.rows = nn.LayerNorm(6), nn.Linear(6, 4)

    def forward(self, x):
        x = self.one(x)
        x = x.view(-1, 2, 3, 6, 6).transpose(1, 2).reshape(-1, 6, 6, 6)
        x = self.norm(self.two(x).permute(0, 2, 3, 1))
        return F.avg_pool2d(self.rows(x).permute(0, 3, 1, 2), 2).flatten(1)


class Gate(nn.Module):
    """Squeeze and excite with views and expand_as; weight_norm, a group norm, an unflattened code, pixel_shuffle."""

    input_shape = (3, 6, 8)

    def __init__(self):
        super().__init__()
        self.first = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3, padding=1))
        self.norm, self.pool = nn.GroupNorm(2, 4), nn.AdaptiveMaxPool2d(1)
        self.dense, self.unflatten = nn.Linear(4, 48), nn.Unflatten(1, (4, 3, 4))
        self.up, self.shuffle = nn.ConvTranspose2d(4, 4, 2, stride=2), nn.PixelShuffle(2)

    def forward(self, x):
        x = self.norm(self.first(x))
        b, c, _, _ = x.size()
        gates = torch.sigmoid(self.pool(x).view(b, c))
        x = x * gates.view(b, c, 1, 1).expand_as(x)
        x = x + self.up(self.unflatten(self.dense(x.mean((2, 3)))))
        return self.shuffle(x)


CASES = {
    "mobile": Mobile,
    "flat": Flat,
    "hourglass": Hourglass,
    "signal": Signal,
    "shuffle": Shuffle,
    "gate": Gate,
}


def make(name: str) -> tuple[nn.Module, torch.Tensor]:
    """Return the network, its statistics those of some data, and samples for it."""
    torch.manual_seed(SEED)
    model = CASES[name]()
    with torch.no_grad():
        for _ in range(5):  # for batch normalisation
            model(torch.randn(32, *model.input_shape))
    return model.eval(), torch.randn(N_SAMPLES, *model.input_shape)


def main() -> None:
    """Write all files."""
    logging.disable(logging.WARNING)
    expected = {}
    (HERE / "onnx" / "images").mkdir(exist_ok=True)
    for name in CASES:
        model, x = make(name)
        with torch.no_grad():
            made = model(x)
        expected[f"{name}_x"] = x.numpy()
        for index, y in enumerate(made if isinstance(made, tuple) else (made,)):
            expected[f"{name}_y{index}"] = y.numpy()
        export_pt2(model, x, HERE / "torch" / f"images_{name}.pt2")
        for opset, dynamo in ((20, True), (17, False)):
            path = HERE / "onnx" / "images" / f"{name}_opset{opset}.onnx"
            export_onnx(model, {"x": x}, path, dynamo, opset)
    np.savez_compressed(HERE / "torch" / "images.npz", **expected)


if __name__ == "__main__":
    main()
