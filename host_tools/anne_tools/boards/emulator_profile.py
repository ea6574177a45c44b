"""Breakpoints in an emulated Pico, and with them the cycles of each call of a C function; where its functions lie."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

CLOCK_HZ = 125_000_000
_BKPT = b"\x00\xbe"


class Breakpoints:
    """BKPT instructions written over the firmware's; what they replace is carried out when one is hit, in its own
    time.

    `memory(address)` gives the array that holds an address, and the offset in it.
    """

    def __init__(self, chip: Any, clock: Any, memory: Callable[[int], tuple[memoryview, int]]) -> None:
        self._core, self._clock, self._memory = chip.core, clock, memory
        self._set: dict[int, tuple[bytes, Callable[[], None]]] = {}

    def time_calls(self, entry: int, calls: list[int]) -> None:
        """Append to `calls` the cycles from each entry of the function to its return, callees included."""
        open_calls: list[tuple[int, int, int]] = []  # cycles at entry, return address, stack pointer
        watched: set[int] = set()

        def enter() -> None:
            return_address = self._core.lr & ~1
            open_calls.append((self._core.cycles, return_address, self._core.sp))
            if return_address not in watched:
                watched.add(return_address)
                self.set(return_address, lambda: leave(return_address))

        def leave(address: int) -> None:
            if open_calls and open_calls[-1][1] == address and self._core.sp >= open_calls[-1][2]:
                calls.append(self._core.cycles - open_calls.pop()[0])

        self.set(entry, enter)

    def set(self, address: int, callback: Callable[[], None]) -> None:
        """Call back each time the instruction at `address` is about to run; callbacks at one address are all
        called."""
        if address in self._set:
            original, earlier = self._set[address]
            self._set[address] = original, lambda: (earlier(), callback())
            return
        memory, offset = self._memory(address)
        self._set[address] = bytes(memory[offset : offset + 2]), callback
        memory[offset : offset + 2] = _BKPT

    def hit(self) -> bool:
        """Handle a BKPT the core has just met; return False if it is none of ours."""
        address = self._core.pc - 2
        if address not in self._set:
            return False
        original, callback = self._set[address]
        memory, offset = self._memory(address)
        callback()
        memory[offset : offset + 2] = original
        self._core.pc = address
        cycles = self._core.execute_instruction()
        memory[offset : offset + 2] = _BKPT
        self._core.cycles -= 1  # the BKPT itself, which the emulator counts as one
        self._clock.tick((cycles - 1) * 1e9 / CLOCK_HZ)
        return True

    def hide(self, memory: bytearray, base: int) -> None:
        """Put the original instructions back into a copy of memory that begins at `base`."""
        for address, (original, _) in self._set.items():
            if base <= address < base + len(memory):
                memory[address - base : address - base + 2] = original

    def clear(self) -> None:
        for address, (original, _) in self._set.items():
            memory, offset = self._memory(address)
            memory[offset : offset + 2] = original
        self._set.clear()


def read_symbols(elf: Path) -> dict[str, tuple[int, int]]:
    """Return the functions and objects of an ELF file: name to address and bytes."""
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as file:
        return {
            symbol.name: (symbol["st_value"] & ~1, symbol["st_size"])
            for symbol in ELFFile(file).get_section_by_name(".symtab").iter_symbols()
            if symbol["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT")
        }
