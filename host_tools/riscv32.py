"""The core on RISC-V with 32 bits, as the RP2350's other two processor cores are, under QEMU: portable C throughout."""

from __future__ import annotations

from cortex_m33 import CORE_FLAGS, Machine, build, core_sources

RISCV32 = Machine(
    "riscv64-unknown-elf-gcc",
    ("qemu-system-riscv32", "-M", "virt", "-bios", "none", "-icount", "shift=0"),
    0x80000000,
    1.0,
)
# Of the extensions that Hazard3 has those that its libraries here have, too.
FLAGS = ["-march=rv32imac", "-mabi=ilp32", "--specs=picolibc.specs"]


def elf() -> bytes:
    """Return an ELF file of run_models.c with the core."""
    return build([path for path in core_sources() if path.suffix == ".c"], [*FLAGS, *CORE_FLAGS], RISCV32)
