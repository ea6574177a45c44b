"""Which emulator runs: PyPI rp2040py, or its copy with a model of the flash cache, where that is built.

The copy, rp2040py_flash_cache, is built by `make flash-cache` (host_tools/flash_cache); docs/flash_cache.md says what
it models. Both can be imported in one process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from ..errors import ModelError

PLAIN, CACHED = "rp2040py", "rp2040py_flash_cache"

# What a miss takes of the core's cycles, while the flash's clock is half of the core's: fitted (docs/flash_cache.md).
MISS_CYCLES = 50

# What stands in output and records beside figures: what flash cost in them.
FLASH = {True: "cache model", False: "no cache"}


def flash_cache_built() -> bool:
    """Whether this environment has the emulator with the model of the flash cache."""
    return find_spec(CACHED) is not None


def choose_core(flash_cache: bool | None) -> str:
    """Return the package to emulate with; None takes the one with the cache where it is built.

    ModelError where the cache is asked for and not built.
    """
    built = flash_cache_built()
    flash_cache = built if flash_cache is None else flash_cache
    if flash_cache and not built:
        raise ModelError(
            "the emulator with the flash cache is not built here; in the source folder do: make flash-cache "
            "(or leave the cache out: --no-flash-cache)"
        )
    return CACHED if flash_cache else PLAIN


def core_module(package: str, name: str) -> ModuleType:
    """Return a module of the package, such as "usb.cdc"; ModuleNotFoundError where the emulator is not installed."""
    return import_module(f"{package}.{name}")


class FlashCache:
    """What an emulated Pico shows of its flash cache, and lets others do to it. Without one, all of it does nothing."""

    _chip: Any

    @property
    def flash_cache(self) -> bool:
        """Whether reads of flash go through the model of the cache, and misses cost what they do on silicon."""
        return getattr(self._chip, "flash_miss_cycles", 0) > 0

    @property
    def flash_misses(self) -> int:
        """Reads of flash so far that were not in the cache; each made the core, or the DMA, wait."""
        return getattr(self._chip, "flash_misses", 0)

    def flush_flash_cache(self) -> None:
        """Forget what is in the cache, so that what follows is cold."""
        if hasattr(self._chip, "flash_misses"):
            self._chip.flush_flash_cache()

    def set_flash_miss_cycles(self, cycles: int = MISS_CYCLES) -> None:
        """Let a miss take so many cycles. With 0 flash is as fast as RAM, and PUSH and POP are still in time."""
        if hasattr(self._chip, "flash_misses"):
            self._chip.flash_miss_cycles = cycles


@dataclass
class Core:
    """A chip of one of the two packages, its ROM's content, and what runs it."""

    chip: Any
    bootrom: Any
    simulator: Any
    execute_batch: Callable[[Any, int], None]
    serial_line: Any


def make_core(flash_cache: bool | None) -> Core:
    """Return a chip by `choose_core`."""
    package = choose_core(flash_cache)
    boards = core_module(package, "boards")
    chip = boards.build_rp2040_from_spec(boards.BOARDS["pico"])
    simulator = core_module(package, "simulator").Simulator(rp2040=chip)
    return Core(
        chip,
        core_module(package, "device.bootrom").BOOTROM_B1,
        simulator,
        core_module(package, "execute_batch").execute_batch,
        core_module(package, "usb.cdc").USBCDC,
    )
