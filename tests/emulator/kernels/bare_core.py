"""A bare RP2040 with the flash cache: no firmware, a few instructions at a time, counted."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from anne_tools.boards.emulator_core import CACHED, core_module

FLASH, RAM, STACK = 0x10000000, 0x20000000, 0x20040000
HANDLER = RAM + 0x8000
MISS = 50


def assemble(text: str) -> bytes:
    """Return the machine code of Thumb instructions, which ";" parts."""
    source = ".syntax unified\n.cpu cortex-m0plus\n.thumb\n" + text.replace(";", "\n") + "\n"
    with tempfile.TemporaryDirectory() as folder:
        object_file, binary = Path(folder, "code.o"), Path(folder, "code.bin")
        subprocess.run(["arm-none-eabi-as", "-o", object_file, "-"], input=source.encode(), check=True)
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", object_file, binary], check=True)
        return binary.read_bytes()


@dataclass(frozen=True)
class Spent:
    """What a piece of code took: cycles, and reads of flash that missed the cache."""

    cycles: int
    misses: int


class _Logger:
    """Keeps what the emulator warns of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def debug(self, component: str, message: str) -> None:
        pass

    info = debug

    def warning(self, component: str, message: str) -> None:
        self.warnings.append(message)

    error = warning


class BareCore:
    """The chip; its registers, memories and cache stay as they are from one `run` to the next."""

    def __init__(self) -> None:
        boards = core_module(CACHED, "boards")
        self.chip = boards.build_rp2040_from_spec(boards.BOARDS["pico"])
        self.core = self.chip.core
        self.chip.logger = self.logger = _Logger()
        self.core.sp = STACK
        self.core.vtor = RAM + 0x4000
        self.write(RAM + 0x4000 + 4 * 3, HANDLER)

    def write(self, address: int, word: int) -> None:
        """Put a word into RAM, past the core."""
        self.chip.sram[address - RAM : address - RAM + 4] = word.to_bytes(4, "little")

    def read(self, address: int) -> int:
        """Return a word of RAM."""
        return int.from_bytes(self.chip.sram[address - RAM : address - RAM + 4], "little")

    def run(self, text: str, at: int = RAM, **registers: int) -> Spent:
        """Put code where it is to run, set registers (r0=...), run to its end."""
        code = assemble(text)
        memory, base = (self.chip.sram, RAM) if at >= RAM else (self.chip.flash, FLASH)
        memory[at - base : at - base + len(code)] = code
        for name, value in registers.items():
            self.core.registers[int(name[1:])] = value
        self.core.pc = at
        cycles, misses = self.core.cycles, self.chip.flash_misses
        while at <= self.core.pc < at + len(code):
            self.core.execute_instruction()
        return Spent(self.core.cycles - cycles, self.chip.flash_misses - misses)
