"""The native module as a .mpy file for the Cortex-M33, beside the one that is built in: QEMU has no Pico 2, but its
processor's core."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from anne.model_file import ModelFile
from anne_tools.boards.runtime_files import kinds_for

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "api"))

from qemu import MACHINES

ROOT = Path(__file__).resolve().parents[2]
ELF = ROOT / "build" / "qemu-m33.elf"
NATMOD = ROOT / "build" / "natmod"
MPY_CROSS = ROOT / "build" / "sources" / "micropython" / "mpy-cross" / "build" / "mpy-cross"
MODELS = sorted((ROOT / "tests" / "golden" / "models").glob("*.anne"))

# What is built in has the name _anne already.
PROGRAM = """
import os, _anne, _anne_file
def answers(module, path):
    model, out, i = module.Model(open(path, "rb").read()), b"", 0
    while sample := model.golden(i):
        y = bytearray(len(sample[1]))
        model.run_raw(sample[0], y)
        out, i = out + y, i + 1
    return out
names = os.listdir("/golden")
print(_anne_file.Model is _anne.Model, len(names))
for name in names:
    if answers(_anne, "/golden/" + name) != answers(_anne_file, "/golden/" + name):
        print(name)
"""


def needs(data: bytes) -> str:
    return kinds_for(layer.kind for layer in ModelFile(data).layers)


@pytest.mark.parametrize("kinds", ["all", "dense"])
def test_golden_models_have_the_bits_of_the_module_that_is_built_in(tmp_path, kinds):
    module = NATMOD / ("_anne-armv7emsp.mpy" if kinds == "all" else "_anne-armv7emsp-dense.mpy")
    for file in (ELF, module, MPY_CROSS):
        if not file.exists():
            pytest.skip(f"no {file}; `make test` builds it")
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("no qemu-system-arm; `make test` installs it")
    source = tmp_path / "program.py"
    source.write_text(PROGRAM)
    subprocess.run([MPY_CROSS, source], check=True)
    files = {
        "_anne_file.mpy": module.read_bytes(),
        "program.mpy": source.with_suffix(".mpy").read_bytes(),
    }
    golden = {path.name: path.read_bytes() for path in MODELS}
    golden = {name: data for name, data in golden.items() if kinds in ("all", needs(data))}
    assert len(golden) > 20
    assert MACHINES["qemu-m33"].run(ELF, files, golden, "import program").strip() == f"False {len(golden)}"
