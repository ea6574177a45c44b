"""What a prediction costs in energy on an RP2040: an estimate from its datasheet's typical currents, nothing measured.

    energy = cycles / clock * 3.3 V * current      current = core + io,   all at room temperature

The core is fed by a linear regulator, so its current flows at 3.3 V, too. Published, RP2040 datasheet, "Power
consumption" (5.7.2, 1.1 V, typical): the core takes CORE_48_MA at 48 MHz ("Popcorn", a player of video and sound) and
SLEEP_MA in sleep; pins and USB take IO_MA ("BOOTSEL mode - Active"). Ours: a straight line through these two points to
any other clock, and in proportion to the core's voltage, which the datasheet wants at 1.15 V for 200 MHz.

At the USB plug of a Pico add what its converter and flash take: the Pico datasheet has 8.7 mA at 5 V for the mode in
which the chip takes 10.4 mA at 3.3 V ("BOOTSEL mode - Idle"), so BOARD_FACTOR times the chip's energy.
"""

from __future__ import annotations

SUPPLY_V = 3.3
CORE_48_MA = 10.9
SLEEP_MA = 0.39
IO_MA = 1.2 + 1.4
BOARD_FACTOR = (8.7 * 5.0) / ((9.0 + 1.2 + 0.2) * SUPPLY_V)
# Clocks in MHz with the core's voltage.
CLOCKS = {48: 1.1, 125: 1.1, 200: 1.15}


def current_ma(clock_mhz: int) -> float:
    """Return the current at 3.3 V of a busy RP2040 at a clock of CLOCKS, in mA."""
    core = SLEEP_MA + (CORE_48_MA - SLEEP_MA) * clock_mhz / 48 * CLOCKS[clock_mhz] / CLOCKS[48]
    return core + IO_MA


def microjoules(cycles: float, clock_mhz: int) -> float:
    """Return the energy in microjoules that an RP2040 takes for so many cycles at a clock of CLOCKS."""
    return cycles / clock_mhz * SUPPLY_V * current_ma(clock_mhz) / 1e3


def energies(cycles: float) -> dict[str, float]:
    """Return the microjoules of so many cycles at each of CLOCKS, by the clock in MHz as text, for JSON."""
    return {str(clock): microjoules(cycles, clock) for clock in CLOCKS}
