"""Write the golden files tests/golden/onnx/qdq/*.onnx: small networks of PyTorch, exported by it and quantised by ONNX
Runtime, and what ONNX Runtime makes of samples.

Run with `pip install torch==2.13.0 onnx==1.23.2 onnxscript onnxruntime==1.32.0` and no arguments. Seed 20261126.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from make_torch import export_onnx
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn
from torch.nn import functional as F

SEED = 20261126
N_SAMPLES, N_CALIBRATION = 16, 64
HERE = Path(__file__).parent
BY_DEFAULT = (
    "Conv ConvTranspose Gemm MatMul Add Mul Relu Clip Sigmoid Softmax MaxPool AveragePool GlobalAveragePool"
)
BY_DEFAULT += " LeakyRelu Concat Resize Slice Split Transpose Pad Reshape Flatten Squeeze Unsqueeze"


def conv(n_in: int, n_out: int, kernel: int, *bent: nn.Module, **options) -> nn.Sequential:
    """A convolution with batch normalisation."""
    options = {"padding": kernel // 2, "bias": False} | options
    return nn.Sequential(nn.Conv2d(n_in, n_out, kernel, **options), nn.BatchNorm2d(n_out), *bent)


class Cnn(nn.Module):
    """Convolutions with norms, pools, dense layers, probabilities."""

    input_shape = (1, 10, 10)

    def __init__(self):
        super().__init__()
        self.one, self.two = conv(1, 4, 3, nn.ReLU()), conv(4, 6, 3, nn.LeakyReLU(0.1))
        self.dense, self.head = nn.Linear(24, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = F.max_pool2d(self.one(x), 2)
        x = F.avg_pool2d(self.two(x), 2).flatten(1)
        return torch.softmax(self.head(F.relu(self.dense(x))), 1)


class MobileNet(nn.Module):
    """Inverted residuals of MobileNetV2 and V3: relu6, hard_swish, squeeze and excite."""

    input_shape = (3, 8, 8)

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 4, 3, nn.ReLU6(), stride=2)
        self.wide = nn.Sequential(
            conv(4, 8, 1, nn.ReLU6()), conv(8, 8, 3, nn.ReLU6(), groups=8), conv(8, 4, 1)
        )
        self.more = conv(4, 8, 1, nn.Hardswish())
        self.down, self.up = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        x = self.more(x + self.wide(x))
        x = x * torch.sigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class ResNet(nn.Module):
    """A residual block that halves the image, a block that keeps it, on an image scaled by constants."""

    input_shape = (3, 8, 8)

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(3, 6, 3, nn.ReLU(), stride=2), conv(6, 6, 3))
        self.short = conv(3, 6, 1, stride=2)
        self.same = nn.Sequential(conv(6, 6, 3, nn.ReLU()), conv(6, 6, 3))
        self.head = nn.Linear(6, 4)
        self.register_buffer("shift", torch.tensor([0.1, -0.2, 0.3]).reshape(1, 3, 1, 1))
        self.register_buffer("factor", torch.tensor([1.2, 0.8, 1.0]).reshape(1, 3, 1, 1))

    def forward(self, x):
        x = (x + self.shift) * self.factor
        x = F.relu(self.body(x) + self.short(x))
        x = F.relu(self.same(x) + x)
        return self.head(x.mean((2, 3)))


class DsCnn(nn.Module):
    """Keyword spotting: depthwise separable convolutions over time and frequency, a norm that has no int8 form."""

    input_shape = (1, 12, 6)

    def __init__(self):
        super().__init__()
        self.stem = conv(1, 6, 3, nn.ReLU(), stride=2)
        self.blocks = nn.Sequential(
            *(conv(6, 6, 3, nn.ReLU(), groups=6), conv(6, 8, 1, nn.ReLU())),
            *(conv(8, 8, 3, nn.ReLU(), groups=8), conv(8, 6, 1, nn.ReLU())),
        )
        self.norm, self.head = nn.LayerNorm(6), nn.Linear(6, 4)

    def forward(self, x):
        x = F.avg_pool2d(self.blocks(self.stem(x)), (6, 3)).flatten(1)
        return torch.softmax(self.head(self.norm(x)), 1)


class UNet(nn.Module):
    """Down, up by a transposed convolution and by sizes, joined with what was before; its output is an image."""

    input_shape = (2, 8, 8)

    def __init__(self):
        super().__init__()
        self.first, self.middle = conv(2, 4, 3, nn.ReLU()), conv(4, 6, 3, nn.PReLU(6))
        self.up, self.last = nn.ConvTranspose2d(6, 4, 2, stride=2), nn.Conv2d(14, 2, 1)

    def forward(self, x):
        a = self.first(x)
        b = self.middle(F.max_pool2d(F.pad(a, (1, 1, 1, 1)), 2))[:, :, :4, 1:]
        return torch.sigmoid(self.last(torch.cat([a, self.up(b), F.interpolate(b, scale_factor=2)], 1)))


class Autoencoder(nn.Module):
    """Anomaly detection: dense layers on rows of features, through a narrow one."""

    input_shape = (5, 12)

    def __init__(self):
        super().__init__()
        sizes = [12, 8, 3, 8, 12]
        self.body = nn.Sequential()
        for n_in, n_out in zip(sizes, sizes[1:], strict=False):
            self.body.extend([nn.Linear(n_in, n_out), nn.Tanh() if n_out == 3 else nn.ReLU()])

    def forward(self, x):
        y = self.body[:-1](x)
        return torch.clamp(y, -1.5, 1.25).transpose(1, 2)


# Network, its weights a channel or not, type of its values; the others of these are like them.
CASES = {
    "cnn": (Cnn, True, "QInt8"),
    "mobilenet": (MobileNet, True, "QUInt8"),
    "resnet": (ResNet, False, "QInt8"),
    "ds_cnn": (DsCnn, True, "QInt8"),
    "unet": (UNet, True, "QUInt8"),
    "autoencoder": (Autoencoder, False, "QUInt8"),
}


class Samples(quantization.CalibrationDataReader):
    """What the quantiser calibrates with."""

    def __init__(self, x: np.ndarray):
        self.rest = iter(x)

    def get_next(self):
        return next(({"x": row[None]} for row in self.rest), None)


def make(name: str, expected: dict) -> None:
    """Write one network's file, and add samples and answers to `expected`."""
    kind, per_channel, values = CASES[name]
    torch.manual_seed(SEED)
    model = kind()
    with torch.no_grad():
        for _ in range(20):
            model(torch.randn(32, *model.input_shape))  # statistics for batch normalisation
    model.eval()
    path = HERE / "onnx" / "qdq" / f"{name}.onnx"
    with tempfile.TemporaryDirectory() as folder:
        floats, ready = Path(folder) / "floats.onnx", Path(folder) / "ready.onnx"
        export_onnx(model, {"x": torch.randn(1, *model.input_shape)}, floats, False, 17)
        quant_pre_process(floats, ready, skip_symbolic_shape=True)
        quantization.quantize_static(
            ready,
            path,
            Samples(torch.randn(N_CALIBRATION, *model.input_shape).numpy()),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=[*BY_DEFAULT.split(), "PRelu"],
            per_channel=per_channel,
            activation_type=getattr(quantization.QuantType, values),
            weight_type=quantization.QuantType.QInt8,
        )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    x = torch.randn(N_SAMPLES, *model.input_shape).numpy()
    expected[f"{name}_x"] = x
    expected[f"{name}_y"] = np.concatenate([session.run(None, {"x": row[None]})[0] for row in x])


def main() -> None:
    """Write all files."""
    logging.disable(logging.WARNING)
    expected: dict[str, np.ndarray] = {}
    (HERE / "onnx" / "qdq").mkdir(exist_ok=True)
    for name in CASES:
        make(name, expected)
    np.savez_compressed(HERE / "onnx" / "qdq" / "expected.npz", **expected)


if __name__ == "__main__":
    main()
