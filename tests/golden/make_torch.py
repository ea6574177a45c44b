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


class Block(nn.Module):
    """A residual block: two linear layers beside the way around them."""

    def __init__(self, n: int):
        super().__init__()
        self.fc1, self.norm, self.fc2 = nn.Linear(n, n), nn.BatchNorm1d(n), nn.Linear(n, n)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.fc2(self.relu(self.norm(self.fc1(x))))
        out += x
        return self.relu(out)


class Residual(nn.Module):
    """A residual MLP: blocks inside a module inside the network, changed in place."""

    input_shapes = {"x": (6,)}

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(6, 8), nn.ReLU(inplace=True))
        self.body = nn.Sequential(Block(8), nn.Sequential(Block(8), Block(8)))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return torch.softmax(self.head(self.body(self.stem(x))), dim=1)


class TwoInputs(nn.Module):
    """An image and a speed, which meet in a sum with alpha."""

    input_shapes = {"image": (3, 4), "speed": (2,)}

    def __init__(self):
        super().__init__()
        self.see, self.feel, self.out = nn.Linear(12, 5), nn.Linear(2, 5), nn.Linear(5, 2)

    def forward(self, image, speed):
        both = torch.add(self.see(image.flatten(1)), torch.tanh(self.feel(speed)), alpha=0.5)
        return self.out(torch.relu(both))


class TwoOutputs(nn.Module):
    """A dict of outputs, of which one leads to the other, and one is the input."""

    input_shapes = {"x": (4,)}

    def __init__(self):
        super().__init__()
        self.hidden, self.steer, self.stop = nn.Linear(4, 6), nn.Linear(6, 2), nn.Linear(6, 1)

    def forward(self, x):
        h = torch.tanh(self.hidden(x))
        return {"steer": self.steer(h), "stop": torch.sigmoid(self.stop(h)), "more": (h, x)}


class Sums(nn.Module):
    """Sums and differences of all sorts, a module that is used twice, and products that are activations."""

    input_shapes = {"x": (5,)}

    def __init__(self):
        super().__init__()
        self.shared, self.fc = nn.Linear(5, 5), nn.Linear(5, 5)

    def forward(self, x):
        y = x + x
        y = self.shared(y) + self.shared(torch.tanh(y)) + self.fc(y)  # three ways meet
        y = y * torch.sigmoid(y) + x * nn.functional.relu6(x + 3) / 6  # swish, hard_swish
        return (y - x) - torch.rsub(self.fc(y), x, alpha=2)


class Padded(nn.Module):
    """Padding by modules and functions, of two axes and of one, with zeros, a float and an integer; on two branches."""

    input_shapes = {"x": (2, 3)}

    def __init__(self):
        super().__init__()
        self.frame, self.fc1 = nn.ZeroPad2d((1, 2, 1, 0)), nn.Linear(18, 5)
        self.ends, self.fc2 = nn.ConstantPad1d((2, 0), -1.5), nn.Linear(7, 3)

    def forward(self, x):
        h = torch.relu(self.fc1(self.frame(x).flatten(1)))
        both = self.ends(h) + nn.functional.pad(h, (0, 2))
        return nn.functional.pad(self.fc2(both), (1, 1), value=3)


BRANCHES = {
    "residual": Residual,
    "two_inputs": TwoInputs,
    "two_outputs": TwoOutputs,
    "sums": Sums,
    "padded": Padded,
}
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


def make_branches(name: str) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """Return a network that branches, likewise, and N_SAMPLES of each of its inputs, by name."""
    torch.manual_seed(SEED)
    model = BRANCHES[name]()
    x = {name: torch.randn(N_SAMPLES, *shape) for name, shape in model.input_shapes.items()}
    with torch.no_grad():
        model.train()(**x)
    return model.eval(), x


def outputs_of(model: nn.Module, x: dict[str, torch.Tensor]) -> list[np.ndarray]:
    """Return all that the model gives, as a list."""
    with torch.no_grad():
        return [
            y.numpy() for y in torch.utils._pytree.tree_leaves(model(**{n: v.clone() for n, v in x.items()}))
        ]


def export_branches() -> None:
    """Write the networks that branch, and branches.npz with their inputs (NAME_x_INPUT) and outputs (NAME_y_0 ...)."""
    expected = {}
    folder = HERE / "onnx" / "branches"
    folder.mkdir(exist_ok=True)
    for name in BRANCHES:
        model, x = make_branches(name)
        expected |= {f"{name}_x_{key}": value.numpy() for key, value in x.items()}
        expected |= {f"{name}_y_{index}": y for index, y in enumerate(outputs_of(model, x))}
        program = torch.export.export(model, tuple(value[:1] for value in x.values()))
        save_pt2(program, HERE / "torch" / f"{name}.pt2")
        names = ["steer", "stop", "hidden", "same"] if name == "two_outputs" else ["y"]
        for opset, dynamo in ((20, True), (17, False)):
            export_onnx(model, x, folder / f"{name}_opset{opset}.onnx", dynamo, opset, names)
    np.savez_compressed(HERE / "torch" / "branches.npz", **expected)


def export_onnx(
    model: nn.Module, x: dict[str, torch.Tensor], path: Path, dynamo: bool, opset: int, outputs=None
) -> None:
    """Write `path` with one of PyTorch's two exporters, the batch axis symbolic."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dynamo:
            batch = {0: torch.export.Dim("batch")}
            names = ["input"] if isinstance(model, nn.Sequential) else list(x)
            options = {"dynamic_shapes": dict.fromkeys(names, batch), "external_data": False}
        else:
            options = {"dynamic_axes": {name: {0: "batch"} for name in x}, "input_names": list(x)}
        if outputs is not None:
            options["output_names"] = outputs
        torch.onnx.export(model, tuple(x.values()), path, dynamo=dynamo, opset_version=opset, **options)
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
    save_pt2(torch.export.export(model, (x if dynamic else x[:1],), dynamic_shapes=shapes), path)


def save_pt2(program: torch.export.ExportedProgram, path: Path) -> None:
    """Write `path` without what tells of this machine."""
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
        export_onnx(model, {"x": x}, HERE / "onnx" / f"{name}_opset20.onnx", dynamo=True, opset=20)
        export_onnx(model, {"x": x}, HERE / "onnx" / f"{name}_opset17.onnx", dynamo=False, opset=17)
    export_external(expected)
    export_branches()
    model, x = make("mlp")
    export_pt2(model, x, HERE / "torch" / "mlp_dynamic.pt2", dynamic=True)
    model, _ = make("plain")
    torch.save(model.state_dict(), HERE / "torch" / "plain_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(model, HERE / "torch" / "plain_module.pt")
    for folder in ("torch", "onnx"):
        np.savez_compressed(HERE / folder / "expected.npz", **expected)


if __name__ == "__main__":
    main()
