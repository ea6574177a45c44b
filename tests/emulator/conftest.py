"""Machines for the tests that boot the real firmware: one boot a session, a copy of it for each test.

The firmware is build/anne-pico.uf2, or the file ANNE_FIRMWARE names. Without one these tests skip; `make test`
builds it first.
"""

from collections.abc import Iterator

import pytest
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.emulator_core import flash_cache_built
from anne_tools.boards.emulator_fork import ForkedPico, forked
from anne_tools.boards.firmware import find_firmware
from anne_tools.errors import ModelError


@pytest.fixture(scope="session")
def machine() -> EmulatedPico:
    """A booted Pico with our firmware, flash as fast as RAM. Tests leave it as it is; they take `pico` or `device`."""
    try:
        uf2 = find_firmware()
    except ModelError as error:
        pytest.skip(str(error))
    elf = uf2.with_suffix(".elf")
    machine = EmulatedPico(uf2, elf if elf.exists() else None, flash_cache=None)
    machine.set_flash_miss_cycles(0)
    machine.boot()
    return machine


@pytest.fixture
def pico(machine: EmulatedPico) -> Iterator[ForkedPico]:
    """A copy of the booted machine for this test alone."""
    with forked(machine) as copy:
        yield copy


@pytest.fixture(scope="session")
def cached(machine: EmulatedPico) -> EmulatedPico:
    """The same with the flash cache, booted anew. Tests leave it as it is."""
    if not flash_cache_built():
        pytest.skip("the emulator with the flash cache is not built: make flash-cache")
    cached = EmulatedPico(machine.uf2, machine.elf, flash_cache=True)
    cached.boot()
    return cached


@pytest.fixture
def device(pico: ForkedPico) -> EmulatedDevice:
    """The same, as the Device interface that real boards have, too."""
    return EmulatedDevice(pico)
