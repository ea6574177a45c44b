"""The native module with dense layers alone, in MicroPython's own firmware: what it runs and what it refuses.

Behaviour and bits are asked as tests/api asks all backends.
"""

import ast
import re
import sys
from pathlib import Path

import pytest
from anne.model_file import ModelFile
from anne.unfit import DENSE_KINDS
from anne_tools.boards.deploy import deploy
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.emulator_fork import forked
from anne_tools.errors import DeviceError

API = Path(__file__).parents[1] / "api"
sys.path.insert(0, str(API))
import backends  # noqa: E402

DENSE = [
    path.stem
    for path in sorted((API.parent / "golden" / "models").glob("*.anne"))
    if {layer.kind for layer in ModelFile(path.read_bytes()).layers} <= set(DENSE_KINDS)
]
BEHAVIOUR = ("test_dense", "test_functions")
AGAIN = "this board's _anne.mpy has dense layers alone; put the one with all there, from a PC: anne deploy --runtime"
LEFT_OUT = """
import anne
net = anne.load('/golden/models/small_int8.anne')
for call in (
    lambda: anne.load('/golden/models/signal_int8.anne'),
    lambda: anne.load('/golden/models/gated_float32.anne'),
    lambda: anne.Trainer([2, 1], ['sigmoid']),
    lambda: anne.Head(net, ['yes', 'no']),
):
    try:
        print(call())
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def machine():
    try:
        return backends.stock_machine("1.25.0", "dense")
    except backends.NotBuiltError as missing:
        pytest.skip(str(missing))


def failed(machine, file: str, names: list[str]) -> dict[str, str]:
    outcomes = backends.run_by(backends.stock("1.25.0", "dense"), file, names)
    assert list(outcomes) == names
    assert any(outcome.kind == "passed" for outcome in outcomes.values())
    return {name: outcome.text for name, outcome in outcomes.items() if outcome.kind == "failed"}


def test_golden_models_have_the_same_bits(machine):
    assert len(DENSE) > 20
    assert failed(machine, "test_golden_models", [f"test_{name}" for name in DENSE]) == {}


@pytest.mark.parametrize("file", BEHAVIOUR)
def test_it_behaves_like_every_other(machine, file):
    body = ast.parse((API / f"{file}.py").read_text()).body
    names = [
        node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert failed(machine, file, names) == {}


def test_what_it_leaves_out_it_says(machine):
    """A convolution; a product, layer 2 of its network, behind dense ones; training."""
    with forked(machine) as pico:
        stdout, stderr = pico.exec(LEFT_OUT)
    assert stderr == ""
    assert stdout.splitlines() == [
        f"ValueError layer 0 conv: {AGAIN}",
        f"ValueError layer 2 multiply: {AGAIN}",
        f"RuntimeError Trainer: {AGAIN}",
        f"RuntimeError Trainer: {AGAIN}",
    ]


def test_a_model_of_other_kinds_takes_no_place(machine):
    """What `anne deploy` would replace stays; with force it is as the user says."""
    models = API.parent / "golden" / "models"
    dense, convolved = ((models / f"{name}_int8.anne").read_bytes() for name in ("small", "signal"))
    with forked(machine) as copy:
        pico = EmulatedDevice(copy)
        deploy(pico, dense, "/net.anne")
        refusal = re.escape(f"layer 0 conv: {AGAIN}")
        with pytest.raises(DeviceError, match=refusal):
            deploy(pico, convolved, "/net.anne")
        assert pico.get("/net.anne") == dense
        with pytest.raises(DeviceError, match=refusal):  # its golden samples
            deploy(pico, convolved, "/net.anne", force=True)
        assert pico.get("/net.anne") == convolved
