"""Kernels on a bare emulated RP2040: no MicroPython, no boot, a call costs what its instructions cost.

`Machine(sources)` compiles and links C and assembly into SRAM; `call` runs one function and returns its cycles. Word and
halfword accesses at misaligned addresses, which rp2040py lets pass, are not seen here; host tests hold the alignment.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile
from rp2040py.boards import BOARDS, build_rp2040_from_spec

NATIVE_MODULE = Path(__file__).parents[3] / "native_module"
RAM = 0x20000000
DATA = RAM + 0x8000  # code lies below
STACK = RAM + 0x42000
FLAGS = "-mcpu=cortex-m0plus -mthumb -O3 -fno-tree-loop-distribute-patterns -ffunction-sections -ffp-contract=off -g"
_FATAL = ("32 bit aligned", "invalid memory", "undefined address", "not implemented yet")


class Fault(Exception):
    """What would be a HardFault on silicon."""


class _Strict:
    def debug(self, component: str, message: str) -> None:
        pass

    info = debug

    def warning(self, component: str, message: str) -> None:
        if any(words in message for words in _FATAL):
            raise Fault(f"{component}: {message}")

    def error(self, component: str, message: str) -> None:
        raise Fault(f"{component}: {message}")


def link(sources: list[str], flags: str = "") -> bytes:
    """Return an ELF file of the sources (paths below native_module) at the start of SRAM. CalledProcessError if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        elf = Path(folder, "kernels.elf")
        command = ["arm-none-eabi-gcc", *FLAGS.split(), *flags.split(), f"-I{NATIVE_MODULE}", "-nostartfiles"]
        command += ["-Wl,--section-start=.text=0x20000100", "-Wl,-e0", "-Wl,--no-warn-rwx-segments"]
        script = Path(folder, "ram.ld")
        script.write_text(
            "SECTIONS { . = 0x20000100; .text : { *(.text* .time_critical* .rodata*) } .data : { *(.data* .bss*) } }"
        )
        command[-3:-2] = [f"-T{script}"]
        sources = [str(NATIVE_MODULE / source) for source in sources]
        subprocess.run(
            [*command, "-o", str(elf), *sources, "-lm", "-lc", "-lgcc", "--specs=nosys.specs"], check=True
        )
        return elf.read_bytes()


class Machine:
    """An emulated core with the linked kernels in its SRAM."""

    def __init__(self, sources: list[str], flags: str = "") -> None:
        import io

        self.rp = build_rp2040_from_spec(BOARDS["pico"])
        self.rp.logger = _Strict()
        self.core = self.rp.core
        self.rp.on_break = self._on_break
        self.symbols: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        elf = ELFFile(io.BytesIO(link(sources, flags)))
        for segment in elf.iter_segments():
            if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]:
                self.write(segment["p_vaddr"], segment.data())
        for symbol in elf.get_section_by_name(".symtab").iter_symbols():
            self.symbols[symbol.name] = symbol["st_value"]
            self.sizes[symbol.name] = symbol["st_size"]
        self.write(RAM, b"\x00\xbe")  # bkpt: where calls return to
        self.reset_data()

    def _on_break(self, code: int) -> None:
        self._stopped = True

    def reset_data(self) -> None:
        """Forget all arrays placed."""
        self._next = DATA

    def write(self, address: int, data: bytes) -> None:
        self.rp.sram[address - RAM : address - RAM + len(data)] = data

    def place(self, values: np.ndarray | bytes, guard: int = 8) -> int:
        """Copy an array into SRAM at a multiple of 4, with guard bytes behind it; return its address."""
        data = values if isinstance(values, bytes) else np.ascontiguousarray(values).tobytes()
        address = self._next
        self._next = (address + len(data) + guard + 3) // 4 * 4
        assert self._next < STACK - 0x1000
        self.write(address, data + b"\xa5" * guard)
        return address

    def read(self, address: int, dtype: str, n: int) -> np.ndarray:
        """Return n values from SRAM; AssertionError if the guard behind them was overwritten."""
        size = n * np.dtype(dtype).itemsize
        data = bytes(self.rp.sram[address - RAM : address - RAM + size + 8])
        assert data[size:] == b"\xa5" * 8, f"bytes after {n} {dtype} overwritten"
        return np.frombuffer(data[:size], dtype)

    def call(self, name: str, *arguments: int) -> int:
        """Run a function to its end; return its cycles. AssertionError if it does not keep registers."""
        core = self.core
        registers = core.registers
        stacked = arguments[4:]
        sp = STACK - 64 - 8 * ((len(stacked) + 1) // 2)
        for i, value in enumerate(arguments[:4]):
            registers[i] = value & 0xFFFFFFFF
        if stacked:
            self.write(sp, np.array([v & 0xFFFFFFFF for v in stacked], "<u4").tobytes())
        kept = list(range(4, 12))
        for i in kept:
            registers[i] = 0x11111111 * i
        core.sp = sp
        core.lr = RAM | 1
        core.pc = self.symbols[name] & ~1
        self._stopped = False
        start = core.cycles
        step = core.execute_instruction
        for _ in range(50_000_000):
            step()
            if self._stopped:
                break
        assert core.sp == sp and [registers[i] for i in kept] == [0x11111111 * i for i in kept], (
            "registers not kept"
        )
        return core.cycles - start
