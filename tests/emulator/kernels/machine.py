"""Kernels on a bare emulated RP2040: no MicroPython, no boot; a call takes what its instructions take.

What would be a HardFault for a misaligned access raises `Fault`. The emulator with the flash cache notices all of them;
where it is not built, PyPI's notices word loads only, and a `strict` machine looks at each instruction before it runs,
which takes ten times as long.
"""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from anne_tools.boards.emulator_core import CACHED, choose_core, core_module
from elftools.elf.elffile import ELFFile

NATIVE_MODULE = Path(__file__).parents[3] / "native_module"
COMPILER = "arm-none-eabi-gcc"
_ENV = dict(re.findall(r"^([A-Z_]+)=(.*)$", (NATIVE_MODULE / "flags.env").read_text(), re.M))
CORE_FLAGS = f"{_ENV['ANNE_FLAGS']} {_ENV['ANNE_WARNINGS']} {_ENV['ANNE_KERNEL_FLAGS']}".split()
FLAGS = [
    "-mcpu=cortex-m0plus",
    "-mthumb",
    *CORE_FLAGS,
    "-g",
    "-nostartfiles",
    "-Wl,-e0",
    "-Wl,--no-warn-rwx-segments",
]
RAM = 0x20000000
STACK = RAM + 0x42000
GUARD = b"\xa5" * 8
_SCRIPT = """SECTIONS {
    . = 0x20000100;
    .text : { *(.text* .time_critical* .rodata*) }
    .data : { *(.data* .bss*) }
}"""
_FATAL = ("aligned", "invalid memory", "undefined address", "not implemented yet")


class Fault(Exception):
    """What would be a HardFault on silicon."""


class _Strict:
    """The emulator's logger."""

    def debug(self, component: str, message: str) -> None:
        pass

    info = debug

    def warning(self, component: str, message: str) -> None:
        if any(words in message for words in _FATAL):
            raise Fault(f"{component}: {message}")

    def error(self, component: str, message: str) -> None:
        raise Fault(f"{component}: {message}")


def link(sources: list[str], flags: tuple[str, ...] = ()) -> bytes:
    """Return an ELF file of sources, paths below native_module, at the start of SRAM."""
    with tempfile.TemporaryDirectory() as folder:
        elf, script = Path(folder, "kernels.elf"), Path(folder, "ram.ld")
        script.write_text(_SCRIPT)
        paths = [str(NATIVE_MODULE / source) for source in sources]
        command = [
            COMPILER,
            *FLAGS,
            *flags,
            f"-I{NATIVE_MODULE}",
            f"-T{script}",
            "-o",
            str(elf),
            *paths,
            "-lm",
        ]
        subprocess.run(command, check=True)
        return elf.read_bytes()


class Machine:
    """An emulated core with linked kernels in its SRAM."""

    def __init__(self, sources: list[str], flags: tuple[str, ...] = (), strict: bool = False) -> None:
        package = choose_core(None)
        boards = core_module(package, "boards")
        self._strict = strict and package != CACHED
        self._rp = boards.build_rp2040_from_spec(boards.BOARDS["pico"])
        self._rp.logger = _Strict()
        self._rp.on_break = self._on_break
        self._symbols: dict[str, int] = {}
        elf = ELFFile(io.BytesIO(link(sources, flags)))
        for segment in elf.iter_segments():
            if segment["p_type"] == "PT_LOAD":
                self._write(segment["p_vaddr"], segment.data())
                self._end = (segment["p_vaddr"] + segment["p_memsz"] + 15) // 16 * 16
        for symbol in elf.get_section_by_name(".symtab").iter_symbols():
            self._symbols[symbol.name] = symbol["st_value"] & ~1
        self._write(RAM, b"\x00\xbe")  # a breakpoint: where calls return to
        self.forget()

    def _on_break(self, code: int) -> None:
        self._stopped = True

    def _write(self, address: int, data: bytes) -> None:
        self._rp.sram[address - RAM : address - RAM + len(data)] = data

    def forget(self) -> None:
        """Make room: arrays placed so far may be overwritten."""
        self._next = self._end

    def place(self, values: np.ndarray | bytes) -> int:
        """Copy an array into SRAM, with guard bytes behind it; return its address, a multiple of 4."""
        data = values if isinstance(values, bytes) else np.ascontiguousarray(values).tobytes()
        address = self._next
        self._next += (len(data) + len(GUARD) + 3) // 4 * 4
        assert self._next < STACK - 4096, "out of SRAM"
        self._write(address, data + GUARD)
        return address

    def read(self, address: int, dtype: str, n: int) -> np.ndarray:
        """Return an array placed before; AssertionError if the guard behind it was overwritten."""
        values, size = self.read_unguarded(address, dtype, n), n * np.dtype(dtype).itemsize
        behind = bytes(self._rp.sram[address - RAM + size : address - RAM + size + len(GUARD)])
        assert behind == GUARD, f"bytes behind {n} values of {dtype} were overwritten"
        return values

    def read_unguarded(self, address: int, dtype: str, n: int) -> np.ndarray:
        """Return an array that lies within one placed before."""
        start = address - RAM
        return np.frombuffer(bytes(self._rp.sram[start : start + n * np.dtype(dtype).itemsize]), dtype)

    def write(self, address: int, values: np.ndarray) -> None:
        """Copy an array to an address in SRAM."""
        self._write(address, values.tobytes())

    @property
    def result(self) -> int:
        """What the last call returned: an integer or an address."""
        return int(self._rp.core.registers[0])

    def write_register(self, address: int, value: int) -> None:
        """Write a register of the chip, as the core would."""
        self._rp.write_uint32(address, value)

    def read_register(self, address: int) -> int:
        """Read a register of the chip, with what reading does to it."""
        return int(self._rp.read_uint32(address))

    def load_rom(self, words: list[int]) -> None:
        """Give the chip a boot ROM."""
        self._rp.load_bootrom(words)

    def _check_access(self) -> None:
        """Fault if the next instruction's load or store is misaligned. Encodings: ARMv6-M manual, A5.2."""
        core, sram = self._rp.core, self._rp.sram
        opcode = int.from_bytes(sram[core.pc - RAM : core.pc - RAM + 2], "little")
        registers, imm5, family = core.registers, opcode >> 6 & 31, opcode >> 12
        base = registers[opcode >> 3 & 7]
        width, address = 1, 0
        if family == 0x5:  # STR, STRH, STRB, LDRSB, LDR, LDRH, LDRB, LDRSH with the sum of two registers
            width, address = (4, 2, 1, 1, 4, 2, 1, 2)[opcode >> 9 & 7], base + registers[opcode >> 6 & 7]
        elif family == 0x6:  # STR, LDR
            width, address = 4, base + 4 * imm5
        elif family == 0x8:  # STRH, LDRH
            width, address = 2, base + 2 * imm5
        elif family == 0xC:  # STM, LDM
            width, address = 4, registers[opcode >> 8 & 7]
        elif family == 0x9 or opcode & 0xF600 == 0xB400:  # relative to sp; PUSH, POP
            width, address = 4, core.sp
        if address % width:
            raise Fault(f"{width} bytes at {address & 0xFFFFFFFF:#x} by {opcode:#06x} at {core.pc:#x}")

    def call(self, name: str, *arguments: int) -> int:
        """Run a function to its end and return its cycles; AssertionError if it does not keep registers.

        Arguments are integers and addresses, the first four in registers, then on the stack.
        """
        core, stacked = self._rp.core, arguments[4:]
        sp = STACK - 64 - 8 * ((len(stacked) + 1) // 2)
        self._write(sp, np.array(stacked, np.int64).astype("<u4").tobytes())
        for i, value in enumerate(arguments[:4]):
            core.registers[i] = value & 0xFFFFFFFF
        for i in range(4, 12):
            core.registers[i] = 0x11111111 * i
        core.sp, core.lr, core.pc = sp, RAM | 1, self._symbols[name]
        self._stopped = False
        start, step = core.cycles, core.execute_instruction
        while not self._stopped:
            if self._strict:
                self._check_access()
            step()
        kept = all(core.registers[i] == 0x11111111 * i for i in range(4, 12))
        assert core.sp == sp and kept, f"{name} does not keep r4-r11 or sp"
        return core.cycles - start
