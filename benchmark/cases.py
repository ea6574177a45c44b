"""A case of the benchmark: what to run on the emulated Pico, on what, and what must come out."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.emulator_core import MISS_CYCLES
from anne_tools.errors import ModelError

ON_PICO = Path(__file__).with_name("on_pico.py")

# Data go into the flash behind the firmware's, where files would be: its first blocks, which say that it is formatted,
# are left alone. They are copied into RAM up to RAM_BYTES; those beyond it are used in flash, as fast as in RAM.
FLASH_OFFSET, FLASH_END = 0xB0000, 0x200000
RAM_BYTES = 100_000
CLOCK_HZ = 125_000_000
# Floats may be off by so much of the largest output: ours from the host library, others from sums in 64 bits.
OWN_BOUND, PEER_BOUND = 1e-6, 1e-5


@dataclass
class Case:
    """A function of on_pico.py, its arguments as (type code, array), the expected output."""

    what: str
    function: str
    arguments: list[tuple[str, np.ndarray]]
    expected: np.ndarray
    bound: float = 0.0
    repeats: int = 3


def check(case: Case, output: np.ndarray) -> None:
    """ModelError if the output is not the expected one: integers equal, floats within the case's bound."""
    expected = np.asarray(case.expected).reshape(-1)
    off = np.abs(output.astype(np.float64) - expected)
    allowed = case.bound * float(np.abs(expected).max(initial=0.0))
    if not (off <= allowed).all():  # a NaN is wrong, too
        worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
        raise ModelError(
            f"wrong result: {case.what}: output {worst} is {output[worst]}, expected {expected[worst]}"
            + (f" within {allowed:.3g}" if allowed else "")
        )


class Bench:
    """The emulated Pico with on_pico.py in it."""

    def __init__(self, device: EmulatedDevice) -> None:
        self.device, self._flash = device, device.flash
        device.exec(ON_PICO.read_text())

    def flash_cycles(self, case: Case) -> int | None:
        """The same with the weights in flash, by the model of its cache; None where the emulator has none."""
        return self.cycles(case, in_flash=True) if self._flash == "cache model" else None

    def cycles(self, case: Case, in_flash: bool = False) -> int:
        """Run a case, check its output, return the median of its calls. ModelError if the output is wrong.

        Weights are in RAM; where they are too large for it, they are in flash, and that is taken to be as fast.
        """
        parts, blob = [], bytearray()
        for code, values in case.arguments:
            data = np.ascontiguousarray(values).tobytes()
            parts.append((code, FLASH_OFFSET + len(blob), len(data)))
            blob += data + bytes(-len(data) % 4)
        if FLASH_OFFSET + len(blob) > FLASH_END:
            raise ModelError(f"{case.what}: {len(blob)} bytes do not fit the flash")
        self.device.machine.write_flash(FLASH_OFFSET, bytes(blob))
        expected = np.asarray(case.expected)
        copied = in_ram(len(blob)) and not in_flash
        task = (case.function, parts, expected.dtype.char, expected.size, case.repeats, copied)
        self.device.machine.set_flash_miss_cycles(MISS_CYCLES if copied or in_flash else 0)
        told = json.loads(self.device.exec(f"job{task!r}", timeout_s=300))
        check(case, np.frombuffer(bytes.fromhex(told["output"]), expected.dtype))
        return int(statistics.median(told["cycles"]))


def in_ram(n_bytes: int) -> bool:
    """Whether a case's data are copied into RAM."""
    return n_bytes <= RAM_BYTES


def model_record(
    name: str, peer: str | None, cycles: int, arena: int | None, flash_cycles: int | None = None
) -> dict[str, Any]:
    """Return the record of a whole model; `flash_cycles` are with its weights in flash, None if not measured."""
    return {
        "model": name,
        "ms": cycles / CLOCK_HZ * 1e3,
        "flash_ms": flash_cycles and flash_cycles / CLOCK_HZ * 1e3,
        "arena_bytes": arena,
        "cycles": cycles,
        "peer": peer,
    }
