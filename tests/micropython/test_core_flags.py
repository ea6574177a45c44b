"""What was built has the core compiled with the flags that its results rest on (native_module/flags.env).

GCC writes the options of each file into its debugging information.
"""

import re
import sysconfig
from pathlib import Path

import pytest

ELFFile = pytest.importorskip("elftools.elf.elffile").ELFFile

ROOT = Path(__file__).parents[2]
NATIVE_MODULE = ROOT / "native_module"
ENV = dict(re.findall(r"^([A-Z_]+)=(.*)$", (NATIVE_MODULE / "flags.env").read_text(), re.M))
SMALL = {f"kernels/{name}.c" for name in ENV["ANNE_SMALL_KERNELS"].split()}


def sources(folder: str) -> set[str]:
    """Return the C files of a folder of native_module, as paths below it."""
    return {path.relative_to(NATIVE_MODULE).as_posix() for path in NATIVE_MODULE.glob(f"{folder}/*.c")}


KERNELS = sources("kernels")
# What is there only for a Cortex-M33, and what has nothing for it: such files leave no trace elsewhere.
FOR_M33 = {name for name in KERNELS if name.endswith("_armv8m.c")} | {
    "repack.c",
    "kernels/depthwise_unit_f32.c",
}
NOT_FOR_M33 = {"kernels/conv_rows_s8.c", "kernels/dense_f32.c"}
CORE = sources(".") - {"host.c"} | sources("layers") | KERNELS
BUILT = {
    "firmware of the Pico": ROOT / "build/anne-pico.elf",
    "firmware of the Pico 2": ROOT / "build/anne-pico2.elf",
    "Cortex-M0 under QEMU": ROOT / "build/qemu-m0.elf",
    "Cortex-M33 under QEMU": ROOT / "build/qemu-m33.elf",
    "unix port": ROOT / "build/micropython-unix",
    "host library": Path(sysconfig.get_path("platlib")) / "anne_tools/libanne.so",
}
M33 = ("firmware of the Pico 2", "Cortex-M33 under QEMU")


def options_of(path: Path) -> dict[str, set[str]]:
    """Return the compiler's options for each C file of native_module that is in an ELF file, by its path below it."""
    found = {}
    with open(path, "rb") as file:
        for unit in ELFFile(file).get_dwarf_info().iter_CUs():
            attributes = unit.get_top_DIE().attributes
            if "DW_AT_producer" not in attributes:
                continue
            _, below, name = attributes["DW_AT_name"].value.decode().rpartition("native_module/")
            if below and name.endswith(".c"):
                found[name] = set(attributes["DW_AT_producer"].value.decode().split())
    return found


@pytest.mark.parametrize("what", BUILT)
def test_the_core_has_its_flags(what: str):
    if not BUILT[what].exists():
        pytest.skip(f"{BUILT[what].name} is not built")
    options = options_of(BUILT[what])
    assert set(options) >= CORE - (NOT_FOR_M33 if what in M33 else FOR_M33)
    for name, given in options.items():
        assert set(ENV["ANNE_FLAGS"].split()) <= given, name
        if name in KERNELS:
            assert "-fno-tree-loop-distribute-patterns" in given, name
            assert ("-Os" if name in SMALL else "-O2") in given, name
