"""The emulated Pico itself: runs scripts, gives the same figures each time, notices what would crash a real one."""

import json

import pytest
from anne_tools.boards import emulator_core
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.emulator import EmulatedPico, EmulatorFault
from anne_tools.boards.emulator_fork import forked
from anne_tools.boards.layout import FLASH_BASE, PICO
from anne_tools.errors import DeviceError, ModelError

# Loads and stores without MicroPython's own checks, so that the emulator has to notice.
LOAD = "@micropython.asm_thumb\ndef load(r0): ldr(r0,[r0,0])\nload(%#x)"
STORE = "@micropython.asm_thumb\ndef store(r0):\n mov(r1,5)\n str(r1,[r0,0])\nstore(%#x)"


def test_exec_returns_what_is_printed(pico):
    assert pico.exec("print(1 + 1)") == ("2\n", "")


def test_exec_returns_the_traceback(pico):
    stdout, stderr = pico.exec("print('before')\n1/0")
    assert stdout == "before\n"
    assert stderr.splitlines()[-1] == "ZeroDivisionError: divide by zero"


def test_names_stay_for_the_next_script(pico):
    pico.exec("x = 20")
    assert pico.exec("print(x + 1)") == ("21\n", "")


def test_a_long_script_runs_as_a_short_one(pico):
    """5,000 bytes are put into RAM rather than typed; line numbers in its traceback stay its own."""
    stdout, stderr = pico.exec("#" * 5000 + "\nprint('long')\n1/0")
    assert stdout == "long\n"
    assert stderr.splitlines()[1:] == [
        '  File "<stdin>", line 3, in <module>',
        "ZeroDivisionError: divide by zero",
    ]


def test_output_comes_as_it_is_printed(pico):
    parts: list[str] = []
    pico.exec("import time\nfor i in range(3):\n print(i, 'é')\n time.sleep_ms(5)", on_output=parts.append)
    assert "".join(parts) == "0 é\n1 é\n2 é\n"
    assert len(parts) > 1


def test_control_characters_are_refused(pico):
    with pytest.raises(ValueError, match="control characters"):
        pico.exec("print('\x04')")


def test_equal_scripts_take_equal_cycles(machine):
    script = "import time\nt=time.ticks_us()\nfor i in range(300): str(i)\nprint(time.ticks_diff(time.ticks_us(),t))"
    figures = set()
    for _ in range(2):
        with forked(machine) as copy:
            figures.add((copy.exec(script), copy.cycles, copy.elapsed_us))
    assert len(figures) == 1


def test_usb_is_quiet_while_a_script_runs(pico):
    """An empty loop costs 387 cycles a turn without USB work (measured), about 1,200 with the emulator's own host."""
    before = pico.cycles
    pico.exec("for i in range(100): pass")
    short = pico.cycles - before
    before = pico.cycles
    pico.exec("for i in range(300): pass")
    assert (pico.cycles - before - short) / 200 < 600


def test_interrupt_stops_a_script_at_a_given_time(pico):
    before_us = pico.elapsed_us
    assert "KeyboardInterrupt" in pico.exec("while True: pass", interrupt_after_s=0.01)[1]
    assert 10_000 < pico.elapsed_us - before_us < 15_000
    assert pico.exec("print('alive')") == ("alive\n", "")


def test_a_script_that_takes_too_long_is_interrupted(pico):
    with pytest.raises(DeviceError, match=r"0\.02 s of emulated time.*interrupted"):
        pico.exec("while True: pass", timeout_s=0.02)
    assert pico.exec("print('alive')") == ("alive\n", "")


def test_a_reset_by_the_script_is_told(pico):
    with pytest.raises(DeviceError, match="the script reset the board"):
        pico.exec("import machine; machine.reset()")
    assert pico.exec("print('alive')") == ("alive\n", "")


def test_a_fork_leaves_the_original_alone(machine):
    with forked(machine) as copy:
        copy.exec("x = 1")
    with forked(machine) as copy:
        assert "NameError" in copy.exec("x")[1]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (LOAD % 0x20000001, "not 32 bit aligned|misaligned access"),
        (LOAD % 0x30000000, "invalid memory"),
        (STORE % 0x30000000, "undefined address"),
        (STORE % 0, "something wrote into ROM at 0x0"),
        (STORE % 0x10000200, "firmware's flash at 0x10000200"),
    ],
)
def test_what_would_crash_or_harm_a_real_pico_is_a_fault(pico, script, message):
    with pytest.raises(EmulatorFault, match=message):
        pico.exec(script)


def test_a_faulty_machine_works_again_after_reset(pico):
    with pytest.raises(EmulatorFault):
        pico.exec(LOAD % 0x20000001)
    with pytest.raises(EmulatorFault):
        pico.exec("print('not before')")
    pico.reset()
    assert pico.exec("print('alive')") == ("alive\n", "")


def test_memory_reads_what_the_board_sees(pico):
    pico.exec("import uctypes\nb = bytearray(b'AI-ANNE!')")
    address = int(pico.exec("print(uctypes.addressof(b))")[0])
    assert pico.read_memory(address, 8) == b"AI-ANNE!"


def test_profile_counts_the_calls_of_a_c_function(pico):
    if not pico.symbols:
        pytest.skip("no ELF file beside the firmware")
    _, stderr, calls = pico.exec_profiled("x = 0.5\nfor i in range(10): x * 1.5", "mp_obj_new_float")
    assert stderr == ""
    assert 10 <= len(calls["mp_obj_new_float"]) <= 14  # and the literals 0.5 and 1.5
    assert all(20 < cycles < 5000 for cycles in calls["mp_obj_new_float"])
    assert pico.exec("print(x)") == ("0.5\n", "")  # the breakpoints are gone


def test_file_systems_lie_where_the_firmware_has_them(pico):
    """layout.py's figures against what the booted firmware says of its own."""
    said = pico.exec(
        "import rp2, vfs, uctypes\n"
        "f = rp2.Flash()\nprint(f.ioctl(4, 0) * f.ioctl(5, 0))\n"
        "m = memoryview(vfs.rom_ioctl(2, 0))\nprint(uctypes.addressof(m), len(m))"
    )
    storage_bytes, romfs_address, romfs_bytes = map(int, said[0].split())
    assert storage_bytes == PICO.storage_bytes
    assert PICO.storage_offset + storage_bytes == 2 * 1024 * 1024
    assert (romfs_address - FLASH_BASE, romfs_bytes) == (PICO.romfs_offset, PICO.romfs_bytes)


def test_files_put_in_before_boot_are_there(machine):
    fresh = EmulatedPico(
        machine.uf2, files={"lib/hello.py": b"print('hello')\n", "/data.bin": bytes(range(256)) * 40}
    )
    fresh.boot()
    assert fresh.exec("import hello") == ("hello\n", "")
    assert fresh.exec("print(len(open('data.bin', 'rb').read()))") == ("10240\n", "")
    assert fresh.read_file("/data.bin") == bytes(range(256)) * 40


def test_a_file_the_board_writes_can_be_read(pico):
    pico.exec("with open('/note.txt', 'w') as f: f.write('from the board')")
    assert pico.read_file("/note.txt") == b"from the board"
    assert pico.read_file("/none.txt") is None


def test_a_terminal_gets_the_prompt_and_all_that_was_typed_is_carried_out(machine):
    typed = [b"x = 6\r", b"", b"for i in range(2): print(x * (i + 7))\r\r"]
    shown = bytearray()
    fresh = EmulatedPico(machine.uf2)
    fresh.boot()
    fresh.interact(lambda timeout_s: typed.pop(0) if typed else None, shown.extend)
    lines = shown.decode().replace("\r\n", "\n").splitlines()
    assert lines[1].startswith("MicroPython v")
    assert lines[-3:] == ["42", "48", ">>> "]


# A call after a flush of the cache (datasheet 2.6.3.2), and three more; microseconds of each.
COLD = """
import time, machine
def work():
    for i in range(20): str(i)
def us():
    start = time.ticks_us()
    work()
    return time.ticks_diff(time.ticks_us(), start)
us()
machine.mem32[0x14000004] = 1
print([us() for i in range(4)])
"""


def test_with_the_flash_cache_a_first_call_takes_longer(cached):
    with forked(cached) as pico:
        assert pico.flash_cache
        before = pico.flash_misses
        first, *others = json.loads(pico.exec(COLD)[0])
        assert first > max(others) + 100  # 250 misses
        assert max(others) < 1.1 * min(others)
        assert pico.flash_misses > before


def test_a_flush_from_outside_is_one(cached):
    misses = []
    for flush in (False, True):
        with forked(cached) as pico:
            pico.exec("print(1)")
            if flush:
                pico.flush_flash_cache()
            before = pico.flash_misses
            pico.exec("print(1)")
            misses.append(pico.flash_misses - before)
    assert misses[1] > 1.5 * misses[0]


def test_without_the_cache_nothing_is_cold(machine):
    plain = EmulatedPico(machine.uf2)
    plain.set_flash_miss_cycles(50)
    plain.flush_flash_cache()
    assert not plain.flash_cache and plain.flash_misses == 0


def test_with_misses_that_cost_nothing_flash_is_as_fast_as_ram(cached):
    with forked(cached) as pico:
        pico.set_flash_miss_cycles(0)
        assert not pico.flash_cache and EmulatedDevice(pico).flash == "no cache"
        first, *others = json.loads(pico.exec(COLD)[0])
        assert first <= 1.01 * max(others)  # the first of all reads its bytecode from flash, too


@pytest.mark.parametrize(
    "store",
    [
        STORE % 0x20040002,
        "@micropython.asm_thumb\ndef store(r0):\n strh(r0,[r0,0])\nstore(0x20040001)",
    ],
)
def test_with_the_flash_cache_misaligned_stores_are_faults(cached, store):
    with forked(cached) as pico, pytest.raises(EmulatorFault, match="HardFault: misaligned access"):
        pico.exec(store)


def test_a_flash_cache_that_is_not_built_is_an_error(monkeypatch, machine):
    monkeypatch.setattr(emulator_core, "flash_cache_built", lambda: False)
    with pytest.raises(ModelError, match="make flash-cache"):
        EmulatedPico(machine.uf2, flash_cache=True)
    assert emulator_core.choose_core(None) == "rp2040py"
