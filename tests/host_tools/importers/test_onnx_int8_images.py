"""importers/onnx_qdq.py on images: networks that ONNX Runtime's own quantiser wrote, and a published one.

ONNX Runtime says what is expected; it multiplies sums by a float, we by an integer and a shift, so a layer's value can
be one step beside, and more of what it makes of that.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from anne_tools.cli import cli
from anne_tools.conversion.convert import convert
from anne_tools.importers import load
from click.testing import CliRunner
from package_files import pulsevad_file

pytest.importorskip("onnx")
quantization = pytest.importorskip("onnxruntime.quantization")

from onnx_writer import session, write  # noqa: E402 - skips come first

RNG = np.random.default_rng(20261126)
SHAPE = (3, 8, 8)


def f32(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.3, shape).astype(np.float32)


CONSTANTS = {
    **{"w": f32(8, 3, 3, 3), "b": f32(8), "dw": f32(8, 1, 3, 3), "zero": np.float32(0), "six": np.float32(6)},
    **{"wd": f32(8, 5), "bd": f32(5), "pw": f32(8, 8, 1, 1), "wf": f32(8 * 36, 4), "lc": f32(16, 5)},
}
NETWORKS = {
    "pools": "c = Conv(x, w, b; pads=[1, 1, 1, 1])\nr = Relu(c)\nm = MaxPool(r; kernel_shape=[2, 2], strides=[2, 2])\n"
    "d = Conv(m, dw; group=8, pads=[1, 1, 1, 1])\nq = Clip(d, zero, six)\ng = GlobalAveragePool(q)\nk = Flatten(g)\n"
    "y = Gemm(k, wd, bd)",
    "branches": "c = Conv(x, w, b; pads=[1, 1, 1, 1])\nr = Relu(c)\np = Conv(r, pw)\na = Add(r, p)\n"
    "t = Concat(a, p; axis=1)\ng = GlobalAveragePool(t)\nk = Flatten(g)\ny = MatMul(k, lc)",
    "flat": "c = Conv(x, w, b)\nr = Relu(c)\nk = Flatten(r)\ny = Gemm(k, wf)",
}
KINDS = {
    "pools": ["conv", "max_pool", "depthwise_conv", "reduce", "dense"],
    "flat": ["conv", "reshape", "dense"],
}


class Samples(quantization.CalibrationDataReader):
    """Random inputs for ONNX Runtime's calibration."""

    def __init__(self):
        random = np.random.default_rng(1)
        self.rest = iter([random.normal(0, 1, (1, *SHAPE)).astype(np.float32) for _ in range(20)])

    def get_next(self):
        return next(({"x": x} for x in self.rest), None)


def quantised(tmp_path, text: str, **options):
    used = text.replace(",", " ").replace("(", " ").replace(")", " ").replace(";", " ").split()
    constants = {name: value for name, value in CONSTANTS.items() if name in used}
    path = write(tmp_path / "floats.onnx", text, constants, (1, *SHAPE))
    target = tmp_path / "quantised.onnx"
    quantization.quantize_static(
        path,
        target,
        Samples(),
        quant_format=quantization.QuantFormat.QDQ,
        weight_type=quantization.QuantType.QInt8,
        **options,
    )
    return target


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("values", ["QInt8", "QUInt8"])
def test_quantised_images_are_int8_and_near_onnx_runtime(tmp_path, name, per_channel, values):
    kind = getattr(quantization.QuantType, values)
    path = quantised(tmp_path, NETWORKS[name], per_channel=per_channel, activation_type=kind)
    converted = convert(path)
    assert converted.report.dtype == "int8"
    if name in KINDS:
        assert [layer.kind for layer in converted.graph.layers] == KINDS[name]
    x = RNG.normal(0, 1, (100, *SHAPE)).astype(np.float32)
    run = functools.partial(session(path).run, None)
    expected = np.concatenate([run({"x": row[None]})[0] for row in x])
    step = float(converted.graph.output_tensors[0].quantization.scale[0])
    steps = np.rint(np.abs(converted.predict(x.transpose(0, 2, 3, 1)) - expected) / step)
    # measured: a convolution alone 99.8 % equal, a global mean behind three of them 92 %, the dense layer there 66 %,
    # as steps of its inputs are several of its output
    assert steps.max() <= 3 and (steps == 0).mean() > 0.6


def test_published_networks_of_pulsevad():
    """The float and the QDQ file of one network: a signal of 21 steps and 64 channels."""
    x = np.random.default_rng(2).normal(-4, 3, (40, 64, 21)).astype(np.float32)
    for file, dtype, least, bound in (
        ("pulsevad_2.1k.onnx", "float32", 0.0, 1e-5),
        ("pulsevad_2.1k_int8.onnx", "int8", 0.55, 2.01),
    ):
        path = pulsevad_file(file)
        converted = convert(path)
        assert converted.report.dtype == dtype
        assert "transpose" not in {layer.kind for layer in converted.graph.layers}
        run = session(path)
        expected = np.concatenate([run.run(None, {"log_mel": row[None]})[0] for row in x])
        got = converted.predict(x.transpose(0, 2, 1))
        quantised = converted.graph.output_tensors[0].quantization
        unit = np.abs(expected).max() if quantised is None else float(quantised.scale[0])
        off = np.abs(got.reshape(expected.shape) - expected) / unit
        assert off.max() <= bound and (off < 0.01).mean() >= least


def test_channels_first_samples_are_refused_with_what_to_do(tmp_path):
    path = quantised(tmp_path, NETWORKS["flat"])
    converted = convert(path)
    with pytest.raises(Exception, match=r"which looks channels first: give x.transpose\(0, 2, 3, 1\)"):
        converted.predict(np.zeros((2, *SHAPE), np.float32))
    told = [note for note in converted.report.notes if "channels last here" in note]
    assert told == [
        "input x: channels last here, (n, 8, 8, 3); of the source's arrays x give x.transpose(0, 2, 3, 1)"
    ]
    assert load(path).metadata.provenance["input axes"] == "0 2 3 1"


def test_flat_samples_of_an_image_are_asked_about(tmp_path):
    path = quantised(tmp_path, NETWORKS["flat"])
    flat = np.zeros((5, 192), np.float32)
    with pytest.raises(Exception, match="calibration data: flat samples may be channels first"):
        convert(path.with_name("floats.onnx"), calibrate=flat)
    with pytest.raises(Exception, match="test inputs: flat samples may be channels first"):
        convert(path.with_name("floats.onnx"), test=(flat, np.zeros(5)))
    converted = convert(path)
    for samples in (flat, flat[0]):
        with pytest.raises(Exception, match="x: flat samples may be channels first"):
            converted.predict(samples)
    saved, given = tmp_path / "net.anne", tmp_path / "x.npy"
    converted.save(saved)
    np.save(given, flat)
    for arguments in (["--input", str(given)], ["--", *["0"] * 192]):
        result = CliRunner().invoke(cli, ["run", str(saved), *arguments])
        assert result.exit_code and "flat samples may be channels first" in result.output
