"""Floats and whole numbers of the module for stock firmware (binding/loaded), by the boot ROM and the divider of an
emulated RP2040. Expected are numpy's, which are IEEE 754's, and Python's; denormals are 0, before and after.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from anne_tools.boards.emulator_core import choose_core, core_module

from .machine import Machine

FOLDER = "binding/loaded"
# 0, denormals, the least normal ones, neighbours of 1 and of 2^24, the greatest, infinities and NaN; with both signs
MAGNITUDES = [
    *(0, 1, 0x400000, 0x7FFFFF, 0x800000, 0x800001, 0xFFFFFF, 0x1000000, 0x3F7FFFFF, 0x3F800000, 0x3F800001),
    *(0x40490FDB, 0x4B7FFFFF, 0x4B800000, 0x4B800001, 0x7F000000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000),
]
EDGES = [bits | sign for bits in MAGNITUDES for sign in (0, 1 << 31)]
FINITE = 0x7F7FFFFF
SIO = 0xD0000000
UDIVIDEND, UDIVISOR, QUOTIENT, REMAINDER, CSR = (SIO + at for at in (0x60, 0x64, 0x70, 0x74, 0x78))


@pytest.fixture(scope="module")
def machine() -> Machine:
    sources = [f"{FOLDER}/rom_floats.S", f"{FOLDER}/whole_numbers.S"]
    machine = Machine(sources, ("-Wl,--wrap=__aeabi_uldivmod",))
    machine.load_rom(core_module(choose_core(None), "device.bootrom").BOOTROM_B1)
    machine.call("py_find_rom_floats")
    assert machine.result == 1
    return machine


def pairs() -> list[tuple[int, int]]:
    """All pairs of edges; and random ones, half of them of neighbouring exponents, as most sums are."""
    random = np.random.default_rng(1)
    a = random.integers(0, 1 << 32, 400, np.uint32)
    b = random.integers(0, 1 << 32, 400, np.uint32)
    near = random.integers(-3, 4, 200).astype(np.int64) << 23
    b[:200] = (a[:200].astype(np.int64) + near & 0x7FFFFFFF | b[:200] & 1 << 31).astype(np.uint32)
    return [*itertools.product(EDGES, EDGES), *zip(a.tolist(), b.tolist(), strict=True)]


def float_of(bits: int) -> np.float32:
    x = np.uint32(bits).view(np.float32)
    return np.copysign(np.float32(0), x) if abs(x) < np.float32(2**-126) else x


def is_result(got: int, expected: np.float32) -> bool:
    if np.isnan(expected):
        return bool(np.isnan(np.uint32(got).view(np.float32)))
    if expected == 0 or abs(expected) < np.float32(2**-126):
        return got << 1 & 0xFFFFFFFF == 0  # of either sign
    return got == int(np.float32(expected).view(np.uint32))


@pytest.mark.parametrize(
    ("name", "operation"),
    [("fadd", np.add), ("fsub", np.subtract), ("fmul", np.multiply), ("fdiv", np.divide)],
)
def test_arithmetic(machine, name, operation):
    with np.errstate(all="ignore"):
        for a, b in pairs():
            machine.call(f"__aeabi_{name}", a, b)
            expected = operation(float_of(a), float_of(b))
            assert is_result(machine.result & 0xFFFFFFFF, expected), f"{a:#x} {b:#x} {machine.result:#x}"


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("eq", np.equal),
        ("lt", np.less),
        ("le", np.less_equal),
        ("gt", np.greater),
        ("ge", np.greater_equal),
        ("un", lambda a, b: np.isnan(a) | np.isnan(b)),
    ],
)
def test_comparisons(machine, name, operation):
    for a, b in pairs():
        machine.call(f"__aeabi_fcmp{name}", a, b)
        assert machine.result == bool(operation(float_of(a), float_of(b))), f"{a:#x} {b:#x}"


def integers() -> list[int]:
    """Powers of 2 and their neighbours, halves between two floats among them; and random ones."""
    near = [(1 << n) + d for n in range(33) for d in (-3, -2, -1, 0, 1, 2, 3)]
    ties = [(1 << n) + (k << n - 24) for n in range(24, 32) for k in (1, 3, 5)]
    random = np.random.default_rng(2).integers(0, 1 << 32, 500).tolist()
    return [n & 0xFFFFFFFF for n in [*near, *ties, *random]]


def test_floats_of_whole_numbers(machine):
    for n in integers():
        machine.call("__aeabi_ui2f", n)
        assert is_result(machine.result & 0xFFFFFFFF, np.float32(n)), n
        signed = n - (n >> 31 << 32)
        machine.call("__aeabi_i2f", n)
        assert is_result(machine.result & 0xFFFFFFFF, np.float32(signed)), signed


def test_whole_numbers_of_floats(machine):
    for bits in [*EDGES, *(int(np.float32(n).view(np.uint32)) for n in integers())]:
        machine.call("__aeabi_f2uiz", bits)
        x = np.uint32(bits).view(np.float32)
        if not np.isnan(x):
            whole = int(np.clip(np.float64(x), 0, 2**32 - 1))
            assert machine.result & 0xFFFFFFFF == whole, f"{bits:#x}"


@pytest.mark.parametrize("busy", [False, True])
def test_divisions_leave_an_interrupted_one_as_it_was(machine, busy):
    random = np.random.default_rng(3)
    values = [(7, 2), (1 << 31, 3), (0xFFFFFFFF, 1), *random.integers(1, 1 << 32, (100, 2)).tolist()]
    for a, b in values:
        signed_a, signed_b = (n - (n >> 31 << 32) for n in (a, b))
        quotient = abs(signed_a) // abs(signed_b) * (1 if (signed_a < 0) == (signed_b < 0) else -1)
        for name, expected in (("uidivmod", a // b), ("idivmod", quotient), ("fdiv", None)):
            if busy:  # 1000 / 7 = 142, and 6
                machine.write_register(UDIVIDEND, 1000)
                machine.write_register(UDIVISOR, 7)
            machine.call(f"__aeabi_{name}", *((a, b) if expected is not None else (a & FINITE, b & FINITE)))
            if expected is not None:
                assert machine.result & 0xFFFFFFFF == expected & 0xFFFFFFFF, (a, b)
            assert machine.read_register(CSR) >> 1 & 1 == busy
            if busy:
                assert (machine.read_register(REMAINDER), machine.read_register(QUOTIENT)) == (6, 142)


def test_another_chip_has_none():
    machine = Machine([f"{FOLDER}/rom_floats.S"])
    machine.load_rom([0] * 4096)
    machine.call("py_find_rom_floats")
    assert machine.result == 0
