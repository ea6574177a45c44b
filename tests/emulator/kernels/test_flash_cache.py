"""The emulator's model of the flash cache, its PUSH and POP, its faults: by patterns counted by hand.

Cycles of instructions: Cortex-M0+ Technical Reference Manual r0p1, table 3-1 (loads and stores 2, a taken branch 2,
PUSH and LDM 1 + registers, POP with pc 3 + registers, the rest 1). The cache: RP2040 datasheet 2.6.3: 16 KB in two
ways, so 8 KB from one line of a set to the next; lines of 8 bytes. A miss takes 50 cycles more (docs/flash_cache.md).
"""

import shutil

import pytest
from anne_tools.boards.emulator_core import flash_cache_built

from .bare_core import FLASH, HANDLER, MISS, RAM, STACK, BareCore, Spent

pytestmark = [
    pytest.mark.skipif(not flash_cache_built(), reason="the emulator with the flash cache: make flash-cache"),
    pytest.mark.skipif(not shutil.which("arm-none-eabi-as"), reason="no arm-none-eabi-as"),
]

WAY = 8 * 1024
NO_ALLOCATION, NO_CACHE = 0x01000000, 0x02000000
FLUSH, HITS, ACCESSES, CONTROL = 0x14000004, 0x1400000C, 0x14000010, 0x14000000

LOAD = "ldr r0, [r1]"
# A word a round, r2 rounds from r1 on: 2 + 1 + 1 + 2 cycles, the last branch is not taken.
SUM = "loop: ldr r0, [r1]; adds r1, #4; subs r2, #1; bne loop"


@pytest.fixture
def bare():
    return BareCore()


def misses_of(bare, *addresses):
    """Which of some loads, one after another, miss."""
    return [bare.run(LOAD, r1=address).misses for address in addresses]


# --- data -----------------------------------------------------------------------------------------------------------


def test_a_word_is_read_from_flash_once(bare):
    assert bare.run(LOAD, r1=FLASH + 0x100) == Spent(2 + MISS, 1)
    assert bare.run(LOAD, r1=FLASH + 0x100) == Spent(2, 0)


def test_ram_and_registers_have_no_misses(bare):
    assert bare.run(LOAD, r1=RAM + 0x100) == Spent(2, 0)
    assert bare.run(LOAD, r1=CONTROL).misses == 0


def test_bytes_and_halfwords_of_a_word_come_together(bare):
    loads = "ldrb r0, [r1, #3]; ldrb r0, [r1]; ldrh r0, [r1, #2]; ldr r0, [r1]"
    assert bare.run(loads, r1=FLASH) == Spent(4 * 2 + MISS, 1)


def test_a_line_is_filled_by_halves(bare):
    assert misses_of(bare, FLASH + 8, FLASH + 12, FLASH + 8, FLASH + 12) == [1, 1, 0, 0]


def test_several_words_of_one_instruction_miss_one_by_one(bare):
    assert bare.run("ldm r1!, {r2-r5}", r1=FLASH) == Spent(1 + 4 + 4 * MISS, 4)
    assert bare.run("ldm r1!, {r2-r5}", r1=FLASH) == Spent(1 + 4, 0)


def test_sixteen_kilobytes_fit(bare):
    words = 16 * 1024 // 4
    first = bare.run(SUM, r1=FLASH, r2=words)
    assert first == Spent(6 * words - 1 + MISS * words, words)
    assert bare.run(SUM, r1=FLASH, r2=words) == Spent(6 * words - 1, 0)


def test_eight_bytes_more_cost_the_lines_of_their_set(bare):
    """Three lines in turn in a set of two ways: the one that comes next has just gone. All other sets hit."""
    words = 16 * 1024 // 4 + 2
    assert bare.run(SUM, r1=FLASH, r2=words).misses == words
    for _ in range(2):
        assert bare.run(SUM, r1=FLASH, r2=words) == Spent(6 * words - 1 + 6 * MISS, 6)


def test_of_two_lines_the_one_used_longer_ago_goes(bare):
    a, b, c = FLASH, FLASH + WAY, FLASH + 2 * WAY
    assert misses_of(bare, a, b, a, c) == [1, 1, 0, 1]
    assert misses_of(bare, a, c, b) == [0, 0, 1]  # b went for c, then a for b
    assert misses_of(bare, c, b, a) == [0, 0, 1]


def test_a_line_that_goes_takes_both_halves_along(bare):
    assert misses_of(bare, FLASH, FLASH + 4, FLASH + WAY, FLASH + 2 * WAY) == [1, 1, 1, 1]
    assert misses_of(bare, FLASH + 4, FLASH) == [1, 1]


# --- code -----------------------------------------------------------------------------------------------------------


def test_code_comes_by_words_of_two_instructions(bare):
    assert bare.run("nop;" * 8, at=FLASH) == Spent(8 + 4 * MISS, 4)
    assert bare.run("nop;" * 8, at=FLASH) == Spent(8, 0)


def test_a_loop_misses_in_its_first_round_only(bare):
    """Four instructions, two words; 100 rounds of 6 cycles, the last branch is not taken. The data are in RAM."""
    assert bare.run(SUM, at=FLASH, r1=RAM + 0x100, r2=100) == Spent(100 * 6 - 1 + 2 * MISS, 2)


def test_an_instruction_of_two_halfwords_may_lie_in_two_words(bare):
    assert bare.run("nop; dmb sy; nop", at=FLASH).misses == 2
    assert bare.run("dmb sy; nop", at=FLASH + 0x100).misses == 2


def test_code_and_data_share_the_cache(bare):
    """A loop of one line, and data of the same set, 8 KB and 16 KB behind it.

    The code is read before and after each load, so it stays, and its two words are read once; the two data take the
    other way from each other.
    """
    code = "loop: ldr r0, [r1]; ldr r0, [r3]; subs r2, #1; bne loop"
    spent = bare.run(code, at=FLASH, r1=FLASH + WAY, r2=10, r3=FLASH + 2 * WAY)
    assert spent.misses == 2 + 2 * 10
    assert spent.cycles == 10 * (2 + 2 + 1 + 2) - 1 + MISS * spent.misses


def test_literals_lie_beside_code(bare):
    """ldr r0, [pc] at 0 reads the word at 4, which the instruction after it has not fetched yet."""
    assert bare.run("ldr r0, [pc, #0]; nop; nop; nop", at=FLASH) == Spent(2 + 3 + 2 * MISS, 2)


# --- aliases and registers ------------------------------------------------------------------------------------------


def test_a_miss_without_allocation_leaves_nothing(bare):
    assert misses_of(bare, *[FLASH + NO_ALLOCATION] * 2, FLASH) == [1, 1, 1]
    assert misses_of(bare, FLASH + NO_ALLOCATION) == [0]  # but a hit is one


def test_past_the_cache_all_is_a_miss(bare):
    address = FLASH + NO_CACHE + NO_ALLOCATION
    assert misses_of(bare, FLASH, address, address, FLASH) == [1, 1, 1, 0]


def test_without_asking_the_cache_a_read_still_fills_it(bare):
    assert misses_of(bare, *[FLASH + NO_CACHE] * 2, FLASH) == [1, 1, 0]


def test_aliases_read_bytes_and_halfwords_alike(bare):
    assert bare.run("ldrb r0, [r1, #1]; ldrh r0, [r1, #2]", r1=FLASH + NO_ALLOCATION).misses == 2


def test_a_flush_forgets_all(bare):
    assert misses_of(bare, FLASH, FLASH + 0x1234, FLASH) == [1, 1, 0]
    assert bare.run("str r0, [r1]", r0=1, r1=FLUSH).misses == 0
    assert misses_of(bare, FLASH, FLASH + 0x1234, FLASH) == [1, 1, 0]
    bare.run("str r0, [r1]", r0=0, r1=FLUSH)
    assert misses_of(bare, FLASH) == [0]


def test_a_cache_that_is_off_has_no_hits(bare):
    misses_of(bare, FLASH)
    bare.run("str r0, [r1]", r0=0, r1=CONTROL)
    assert misses_of(bare, FLASH, FLASH) == [1, 1]
    bare.run("str r0, [r1]", r0=1, r1=CONTROL)
    assert misses_of(bare, FLASH) == [0]


def test_the_chip_counts_hits_and_accesses(bare):
    """As pico-examples' flash/cache_perfctr does it."""
    for register in (HITS, ACCESSES):
        bare.run("str r0, [r1]", r1=register)
    counts = []
    for _ in range(2):
        bare.run(LOAD, r1=FLASH)
        counts.append([bare.chip.read_uint32(register) for register in (HITS, ACCESSES)])
    assert counts == [[0, 1], [1, 2]]


def test_a_reset_empties_the_cache(bare):
    misses_of(bare, FLASH)
    bare.chip.reset(preserve_flash=True)
    assert misses_of(bare, FLASH) == [1]


def test_the_core_does_not_wait_for_the_dma(bare):
    """Channel 0 copies two words of flash to RAM (datasheet 2.5): read, write, count, CTRL_TRIG with EN, 32 bits."""
    bare.chip.flash[0x100:0x108] = b"weights!"
    always, increments, size, enable = 0x3F << 15, 0b11 << 4, 0b10 << 2, 1
    control = always | increments | size | enable
    for offset, value in ((0, FLASH + 0x100), (4, RAM + 0x200), (8, 2), (12, control)):
        bare.chip.write_uint32(0x50000000 + offset, value)
    bare.chip.clock.tick(1000)
    bare.chip.clock.tick(1000)
    assert bytes(bare.chip.sram[0x200:0x208]) == b"weights!" and bare.chip.flash_misses == 2
    assert bare.run("nop") == Spent(1, 0)
    assert misses_of(bare, FLASH + 0x100) == [0]  # but it goes through the cache


# --- PUSH, POP, ADCS ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cycles"),
    [
        ("push {r4}", 2),
        ("push {lr}", 2),
        ("push {r4-r7, lr}", 6),
        ("push {r4-r7, lr}; pop {r4-r7}", 6 + 5),
    ],
)
def test_push_takes_a_cycle_for_each_register(bare, text, cycles):
    assert bare.run(text) == Spent(cycles, 0)


@pytest.mark.parametrize(("text", "cycles"), [("pop {pc}", 4), ("pop {r4-r7, pc}", 8)])
def test_pop_with_pc_takes_three_cycles_more(bare, text, cycles):
    bare.core.sp = STACK - 64
    for address in range(STACK - 64, STACK, 4):
        bare.write(address, HANDLER | 1)
    assert bare.run(text) == Spent(cycles, 0)
    assert bare.core.pc == HANDLER


def test_adcs_keeps_the_carry_of_an_all_ones_destination(bare):
    """0xFFFFFFFF + 0 + carry = 2^32: 0, and the carry stays."""
    bare.run("subs r2, r2, r2; adcs r0, r1", r0=0xFFFFFFFF, r1=0)
    assert bare.core.registers[0] == 0 and bare.core.c and bare.core.z


# --- misaligned accesses --------------------------------------------------------------------------------------------

AT = RAM + 0x1000


@pytest.mark.parametrize(
    ("text", "off", "width"),
    [
        ("ldr r0, [r1]", 1, 4),
        ("ldr r0, [r1]", 2, 4),
        ("ldr r0, [r1, r2]", 3, 4),
        ("ldm r1!, {r0}", 2, 4),
        ("str r0, [r1]", 2, 4),
        ("str r0, [r1, r2]", 1, 4),
        ("stm r1!, {r0}", 2, 4),
        ("ldrh r0, [r1]", 1, 2),
        ("ldrh r0, [r1, r2]", 3, 2),
        ("ldrsh r0, [r1, r2]", 1, 2),
        ("strh r0, [r1]", 1, 2),
        ("strh r0, [r1, r2]", 1, 2),
    ],
)
def test_a_misaligned_access_is_a_hard_fault(bare, text, off, width):
    """Armv6-M manual, B1.5.6: nothing is read or written, the handler runs, the stack has where it happened."""
    bare.write(AT, 0x11111111)
    bare.run(text, r0=7, r1=AT + off, r2=0)
    assert bare.core.pc == HANDLER and bare.core.ipsr == 3
    frame = bare.core.sp
    assert [bare.read(frame + 4 * i) for i in (0, 1, 2)] == [7, AT + off, 0]
    assert bare.read(frame + 4 * 6) == RAM
    assert bare.read(AT) == 0x11111111
    assert bare.logger.warnings == [f"HardFault: misaligned access, {width} bytes at {AT + off:#x}"]


@pytest.mark.parametrize(
    "text", ["ldr r0, [r1]", "strh r0, [r1, #2]", "ldrb r0, [r1, #3]", "strb r0, [r1, #1]"]
)
def test_an_aligned_access_is_none(bare, text):
    bare.run(text, r1=AT)
    assert bare.core.pc == RAM + 2 and bare.logger.warnings == []


def test_a_fault_in_the_handler_of_a_fault_is_a_lockup(bare):
    bare.run("ldr r0, [r1]", r1=AT + 2)
    bare.chip.sram[HANDLER - RAM : HANDLER - RAM + 2] = bare.chip.sram[0:2]  # the same again
    bare.core.execute_instruction()
    assert bare.core.pc == HANDLER and "lockup" in bare.logger.warnings[-1]
