"""Write the golden files in tests/golden/torch and tests/golden/onnx with the real PyTorch: models, and what they say.

Run with `pip install torch==2.13.0 onnx==1.23.2 onnxscript` and no arguments. Seed 20261123. The tests that make their
own models with an installed PyTorch use the classes below, too.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

SEED = 20261123
N_SAMPLES = 16
HERE = Path(__file__).parent


class Mlp(nn.Module):
    """A classifier with a forward of its own: view, batch normalisation, silu by function, dropout, softmax."""

    input_shape = (3, 4)

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(0.3)
        self.fc2 = nn.Linear(8, 6, bias=False)
        self.fc3 = nn.Linear(6, 3)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        x = self.drop(nn.functional.silu(self.norm(self.fc1(x))))
        x = torch.tanh(self.fc2(x)) * 2.0 - 0.5
        return torch.softmax(self.fc3(x), dim=1)


class Activations(nn.Sequential):
    """A chain of linear layers, one before each activation that PyTorch and AI-ANNE share."""

    input_shape = (5,)

    def __init__(self):
        bends = [nn.ReLU(), nn.LeakyReLU(0.2), nn.ELU(0.7), nn.GELU(), nn.Sigmoid(), nn.Tanh(), nn.Softplus()]
        bends += [nn.SiLU(), nn.Hardswish(), nn.Hardsigmoid(), nn.ReLU6(), nn.Softmax(dim=-1)]
        super().__init__(*[layer for bend in bends for layer in (nn.Linear(5, 5), bend)])


class Plain(nn.Sequential):
    """The smallest useful network: what a state_dict with a list of layers describes."""

    input_shape = (4,)

    def __init__(self):
        super().__init__(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=1))


class External(nn.Sequential):
    """Large enough for torch.onnx.export to put weights into a second file, as it does where nothing else is said."""

    input_shape = (16,)

    def __init__(self):
        super().__init__(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))


MODELS = {"mlp": Mlp, "activations": Activations, "plain": Plain}


def make(name: str) -> tuple[nn.Module, torch.Tensor]:
    """Return the model in eval mode, with weights and batch statistics from the seed, and N_SAMPLES inputs."""
    torch.manual_seed(SEED)
    model = MODELS[name]()
    x = torch.randn(N_SAMPLES, *model.input_shape) * 2
    with torch.no_grad():
        model.train()(x)  # gives the batch normalisation its statistics
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model.eval(), x


def export_onnx(model: nn.Module, x: torch.Tensor, path: Path, dynamo: bool, opset: int) -> None:
    """Write `path` with one of PyTorch's two exporters, the batch axis symbolic."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dynamo:
            batch = {0: torch.export.Dim("batch")}
            name = "input" if isinstance(model, nn.Sequential) else "x"
            options = {"dynamic_shapes": {name: batch}, "external_data": False}
        else:
            options = {"dynamic_axes": {"x": {0: "batch"}}, "input_names": ["x"]}
        torch.onnx.export(model, (x,), path, dynamo=dynamo, opset_version=opset, **options)
    written = onnx.load(path)
    for node in written.graph.node:
        del node.metadata_props[:]  # stack traces, with paths of the machine
    onnx.save(written, path)


def export_external(expected: dict) -> None:
    """Write external_opset20.onnx and its .data by torch.onnx.export's defaults; add its answers to `expected`."""
    torch.manual_seed(SEED)
    model, x = External().eval(), torch.randn(N_SAMPLES, *External.input_shape)
    path = HERE / "onnx" / "external_opset20.onnx"
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (x[:1],), path, dynamo=True, opset_version=20)
    written = onnx.load(path, load_external_data=False)
    for node in written.graph.node:
        del node.metadata_props[:]  # stack traces, with paths of the machine
    path.write_bytes(written.SerializeToString())
    with torch.no_grad():
        expected |= {"external_x": x.numpy(), "external_y": model(x).numpy()}


def export_pt2(model: nn.Module, x: torch.Tensor, path: Path, dynamic: bool = False) -> None:
    """Write `path` with torch.export, undecomposed; the batch axis is 1, or symbolic."""
    shapes = [{0: torch.export.Dim("batch")}] if dynamic else None
    program = torch.export.export(model, (x if dynamic else x[:1],), dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of the machine
    torch.export.save(program, path)


def main() -> None:
    """Write everything."""
    logging.disable(logging.WARNING)
    for folder in ("torch", "onnx"):
        (HERE / folder).mkdir(exist_ok=True)
    expected = {"version": np.array(torch.__version__)}
    for name in MODELS:
        model, x = make(name)
        with torch.no_grad():
            expected |= {f"{name}_x": x.numpy(), f"{name}_y": model(x).numpy()}
        export_pt2(model, x, HERE / "torch" / f"{name}.pt2")
        torch.save(model.state_dict(), HERE / "torch" / f"{name}.pth")
        export_onnx(model, x, HERE / "onnx" / f"{name}_opset20.onnx", dynamo=True, opset=20)
        export_onnx(model, x, HERE / "onnx" / f"{name}_opset17.onnx", dynamo=False, opset=17)
    export_external(expected)
    model, x = make("mlp")
    export_pt2(model, x, HERE / "torch" / "mlp_dynamic.pt2", dynamic=True)
    model, _ = make("plain")
    torch.save(model.state_dict(), HERE / "torch" / "plain_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(model, HERE / "torch" / "plain_module.pt")
    for folder in ("torch", "onnx"):
        np.savez_compressed(HERE / folder / "expected.npz", **expected)


if __name__ == "__main__":
    main()
