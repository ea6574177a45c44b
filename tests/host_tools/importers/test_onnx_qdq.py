"""importers/onnx_qdq.py, onnx_int8.py: networks of PyTorch that ONNX Runtime quantised, and single layers.

The files in tests/golden/onnx/qdq were written by tests/golden/make_qdq.py with PyTorch 2.13.0 and ONNX Runtime 1.32.0,
whose answers are what is expected. It multiplies sums by a float, we by an integer and a shift, so that a layer's value
can be a step beside, and more of what later layers make of that.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anne_tools.conversion.convert import convert
from anne_tools.conversion.frameworks import as_here
from anne_tools.network.graph import INPUT_AXES

GOLDEN = Path(__file__).parents[2] / "golden" / "onnx" / "qdq"


NETWORKS = {  # what they are made of
    "cnn": "conv max_pool conv activation average_pool reshape dense dense activation activation",
    "mobilenet": "conv conv depthwise_conv conv add conv activation reduce reshape conv conv activation multiply "
    "reduce dense",
    "resnet": "add multiply conv conv conv add conv conv add reduce dense",
    "ds_cnn": "conv depthwise_conv conv depthwise_conv conv average_pool reshape quantize layer_norm quantize dense "
    "activation activation",
    "unet": "conv pad max_pool conv prelu slice slice conv_transpose resize activation activation activation "
    "concatenate conv activation",
    "autoencoder": "conv conv activation conv conv",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_pytorch_are_near_onnx_runtime(name):
    converted = convert(GOLDEN / f"{name}.onnx")
    graph = converted.graph
    assert [layer.kind for layer in graph.layers] == NETWORKS[name].split()
    told = "no int8 layer for it: LayerNormalization" in graph.metadata.provenance["notes"]
    assert told == (name == "ds_cnn")
    with np.load(GOLDEN / "expected.npz") as arrays:
        steps = beside(converted, arrays[f"{name}_x"], arrays[f"{name}_y"])
    # measured: 65 % (resnet, of 11 layers) to 85 % equal; unet and autoencoder 2 steps beside, else 1
    assert steps.max() <= 2 and (steps == 0).mean() > 0.6


def beside(converted, x: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How many steps the answers to samples, in the source's order of axes, are beside what is expected."""
    graph = converted.graph
    order, (tensor,) = graph.source_axes(INPUT_AXES)[0], graph.output_tensors
    got = converted.predict(x.transpose(order) if order else x)
    (expected,) = as_here(graph, [expected])
    off = np.abs(got.reshape(expected.shape) - expected) / float(tensor.quantization.scale[0])
    assert np.abs(off - np.rint(off)).max() < 0.01
    return np.rint(off)


# Single layers, of which a value is a step beside where it lies close to the middle between two

RNG = np.random.default_rng(20261126)


def f32(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.3, shape).astype(np.float32)


CONSTANTS = {
    **{
        "w": f32(8, 6, 3, 3),
        "b": f32(8),
        "up": f32(6, 4, 3, 2),
        "grouped": f32(6, 2, 2, 2),
        "channel": f32(6, 1, 1),
    },
    **{
        "whole": f32(6, 8, 8),
        "row": f32(8),
        "number": np.float32(0.7),
        "slope": f32(6, 1, 1),
        "matrix": f32(8, 5),
    },
    **{"low": np.float32(-0.5), "high": np.float32(0.9), "pads": np.array([0, 0, 1, 2, 0, 0, 0, 1])},
    **{
        "sizes": np.array([1, 6, 16, 12]),
        "begin": np.array([1]),
        "end": np.array([7]),
        "axis": np.array([3]),
    },
    "flat": np.array([1, -1, 8]),
}
QUANTISED = "Conv ConvTranspose Gemm MatMul Add Sub Mul Relu Clip Sigmoid Tanh Softmax MaxPool AveragePool Split PRelu"
QUANTISED += (
    " GlobalAveragePool LeakyRelu HardSwish Concat Resize Slice Transpose Pad Reshape Flatten Softplus"
)
SINGLE = {
    "y = Add(x, channel)": "add",
    "y = Add(number, x)": "add",
    "y = Sub(whole, x)": "subtract",
    "y = Sub(x, row)": "subtract",
    "y = Mul(channel, x)": "multiply",
    "a = Mul(x, number)\ny = Relu(a)": "multiply",
    "y = ConvTranspose(x, up; strides=[2, 2], pads=[1, 0, 1, 1], output_padding=[1, 0])": "conv_transpose",
    "y = ConvTranspose(x, grouped; group=3)": "conv_transpose",
    "c = ConvTranspose(x, up)\ny = Relu(c)": "conv_transpose",
    "c = Conv(x, w, b)\ny = Clip(c, low, high)": "conv",
    "y = PRelu(x, slope)": "prelu",
    "y = LeakyRelu(x; alpha=0.2)": "activation",
    "y = HardSwish(x)": "activation",
    "y = Sigmoid(x)": "activation",
    "y = Tanh(x)": "activation",
    "y = Softplus(x)": "activation",
    "y = MaxPool(x; kernel_shape=[2, 3], strides=[2, 1])": "max_pool",
    "y = AveragePool(x; kernel_shape=[3, 3], pads=[1, 1, 1, 1])": "average_pool",
    "y = GlobalAveragePool(x)": "reduce",
    "a = Relu(x)\ny = Concat(x, a; axis=1)": "activation concatenate",
    "y = Resize(x, , , sizes; mode='linear', coordinate_transformation_mode='asymmetric')": "resize",
    "y = Slice(x, begin, end, axis)": "slice",
    "t = Transpose(x; perm=[0, 2, 3, 1])\ny = Sigmoid(t)": "transpose activation",
    "y = Pad(x, pads, number)": "pad",
    "f = Flatten(x)\ny = Sigmoid(f)": "activation",
    "y = MatMul(x, matrix)": "conv",
    "r = Reshape(x, flat)\ny = MatMul(r, matrix)": "conv",
    "y = Softmax(x; axis=1)": "activation activation",
    "y = Softmax(x; axis=3)": "activation activation",
}


# TensorFlow Lite rounds twice where ONNX Runtime does once: a slope, a mean and its scale, probabilities and theirs.
LEAST = {
    "activation": 0.84,
    "average_pool": 0.95,
    "reduce": 0.85,
    "resize": 0.9,
    "activation activation": 0.8,
}


@pytest.mark.parametrize("text", SINGLE)
@pytest.mark.parametrize("values, per_channel", [("QInt8", True), ("QUInt8", False)])
def test_single_layers_are_int8_and_near_onnx_runtime(tmp_path, text, values, per_channel):
    pytest.importorskip("onnx")
    quantization = pytest.importorskip("onnxruntime.quantization")
    from onnx_writer import session, write

    shape = (1, 6, 8, 8)
    used = {name: array for name, array in CONSTANTS.items() if f"{name}," in text or f"{name})" in text}
    used |= {name: CONSTANTS[name] for name in CONSTANTS if f"{name};" in text or f"({name}" in text}
    path = write(tmp_path / "floats.onnx", text, used, shape, opset=17)
    x = RNG.normal(0, 1, (40, *shape)).astype(np.float32)

    class Samples(quantization.CalibrationDataReader):
        rest = iter(x)

        def get_next(self):
            return next(({"x": row} for row in self.rest), None)

    target = tmp_path / "quantised.onnx"
    quantization.quantize_static(
        path,
        target,
        Samples(),
        op_types_to_quantize=QUANTISED.split(),
        per_channel=per_channel,
        activation_type=getattr(quantization.QuantType, values),
        weight_type=quantization.QuantType.QInt8,
        extra_options={"ForceQuantizeNoInputCheck": True},
    )
    converted = convert(target)
    assert set(SINGLE[text].split()) <= {layer.kind for layer in converted.graph.layers}
    assert "quantize" not in {layer.kind for layer in converted.graph.layers}
    run = session(target)
    steps = beside(converted, x[:, 0], np.concatenate([run.run(None, {"x": row})[0] for row in x]))
    assert steps.max() <= 1 and (steps == 0).mean() > LEAST.get(SINGLE[text], 0.98)
