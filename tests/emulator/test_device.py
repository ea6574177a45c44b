"""The Device interface: what holds for the emulated Pico holds for one behind a serial line, too.

The serial one is `rp2040py`'s own emulator in a process of its own, behind a socket; mpremote talks to it as to a
board.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from anne_tools.boards.bench import QUIET_LOOP_CYCLES, loop_cycles, why_slower
from anne_tools.boards.device import Device
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.emulator_fork import forked
from anne_tools.boards.open_device import open_device
from anne_tools.boards.serial_device import SerialDevice
from anne_tools.errors import DeviceError


@pytest.fixture(scope="module")
def serial_line(machine: EmulatedPico) -> Iterator[Device]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "rp2040py",
        "micropython",
        "--image",
        str(machine.uf2),
        "--tcp-port",
        str(port),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with _connected(f"socket://127.0.0.1:{port}") as device:
            yield device
    finally:
        process.terminate()
        process.wait(10)


def _connected(where: str) -> Device:
    for _ in range(50):
        try:
            return SerialDevice(where, connect_s=2.0)
        except DeviceError as error:  # not listening yet, or the USB line is not up yet
            last = error
            time.sleep(0.2)
    raise last


@pytest.fixture(params=["emulator", "serial"])
def board(request: pytest.FixtureRequest, machine: EmulatedPico) -> Iterator[Device]:
    if request.param == "serial":
        yield request.getfixturevalue("serial_line")
        return
    with forked(machine) as copy:
        yield EmulatedDevice(copy)


def test_exec_returns_what_is_printed(board):
    assert board.exec("for i in range(3): print(i)") == "0\n1\n2\n"


def test_exec_passes_output_on_as_it_comes(board):
    parts: list[str] = []
    assert board.exec("print('one')\nprint('two')", on_output=parts.append) == "one\ntwo\n"
    assert "".join(parts) == "one\ntwo\n"


def test_an_exception_is_told_in_a_line_and_with_its_traceback(board):
    with pytest.raises(DeviceError, match=r"^.*: ValueError: dense: expected 4 inputs, got 3$") as caught:
        board.exec("def f():\n raise ValueError('dense: expected 4 inputs, got 3')\nf()")
    assert "in f\n" in caught.value.traceback


def test_a_script_that_takes_too_long_is_interrupted_and_the_board_goes_on(board):
    with pytest.raises(DeviceError, match=r"0\.05 s.*interrupted"):
        board.exec("while True: pass", timeout_s=0.05)
    assert board.exec("print('alive')") == "alive\n"


def test_files_go_there_and_back(board):
    content = bytes(range(256)) * 3
    board.put("/models/new/iris.anne", content)
    assert board.get("/models/new/iris.anne") == content
    assert board.exec("import os; print(os.stat('/models/new/iris.anne')[6])") == "768\n"
    board.put("/models/new/iris.anne", b"shorter")
    assert board.get("/models/new/iris.anne") == b"shorter"


def test_rename_replaces_and_remove_removes(board):
    board.put("/a", b"new")
    board.put("/b", b"old")
    board.rename("/a", "/b")
    assert board.get("/b") == b"new"
    board.remove("/b")
    with pytest.raises(DeviceError, match=r"no file /b$"):
        board.get("/b")
    with pytest.raises(DeviceError, match="ENOENT"):
        board.remove("/b")


def test_files_that_a_program_holds_open_stay_whole(board):
    board.exec("log = open('/log.txt', 'w'); n = log.write('before, ')")
    board.put("/models/other.anne", bytes(1500))
    board.exec("n = log.write('after'); log.close()")
    assert board.get("/log.txt") == b"before, after"
    assert board.get("/models/other.anne") == bytes(1500)


def test_a_file_that_is_replaced_while_open_is_the_new_one(board):
    """As littlefs has it: what is written by the old name's handle from then on goes nowhere."""
    board.put("/held.txt", b"old")
    board.exec("held = open('/held.txt', 'a')")
    board.put("/new.txt", b"new")
    board.rename("/new.txt", "/held.txt")
    board.exec("n = held.write('lost'); held.close()")
    assert board.get("/held.txt") == b"new"


def test_a_full_storage_is_told(machine):
    nearly_full = EmulatedPico(machine.uf2, files={"/big": bytes(1370 * 1024)})
    nearly_full.boot()
    board = EmulatedDevice(nearly_full)
    with pytest.raises(DeviceError, match=r"^the emulated Pico: its storage is full; remove files from it$"):
        board.put("/more", bytes(40 * 1024))
    board.remove("/big")
    board.put("/more", b"fits")
    assert board.get("/more") == b"fits"


def test_a_busy_usb_is_why_bench_is_slower(board):
    """The other emulator's host asks for data all the time: 1,200 cycles a turn of an empty loop, measured."""
    cycles = loop_cycles(board)
    if board.kind == "emulator":
        assert cycles == pytest.approx(QUIET_LOOP_CYCLES, rel=0.02)
        assert why_slower(board.name, cycles) == ""
    else:
        assert 1000 < cycles < 1400
        assert f"takes {cycles:.0f} cycles a turn instead of 387" in why_slower(board.name, cycles)


def test_reset_forgets_names_and_keeps_files(board):
    board.put("/kept", b"1")
    board.exec("x = 1")
    board.reset()
    assert board.exec("print(open('/kept').read(), 'x' in globals())") == "1 False\n"


def test_a_board_says_what_it_is(board):
    assert board.kind in ("emulator", "serial")
    assert "RP2040, MicroPython v1." in board.describe()
    board.require_anne()  # raises if it has no AI-ANNE


def test_a_closed_serial_device_says_so(machine):
    with pytest.raises(DeviceError, match=r"^socket://127\.0\.0\.1:9: nothing answers there"):
        open_device("socket://127.0.0.1:9")


def test_open_device_boots_the_emulator_with_files(machine):
    with open_device("emulator", firmware=machine.uf2, files={"/data.txt": b"put in before boot"}) as device:
        assert device.exec("print(open('/data.txt').read())") == "put in before boot\n"
        before = device.cycles
        device.exec("pass")
        assert device.cycles > before


def test_without_ai_anne_both_ways_out_are_named(device, monkeypatch):
    # what stock firmware says of `import anne`
    monkeypatch.setattr(type(device), "exec", lambda self, source: "no module named 'anne'\n")
    with pytest.raises(DeviceError, match=r"no AI-ANNE; .*\(anne flash\).*: anne deploy --runtime$"):
        device.require_anne()


def test_what_is_wrong_with_ai_anne_is_told(device, monkeypatch):
    text = "anne: expected _anne.mpy of version 0.1.0, got 0.0.9; put the right one there"
    monkeypatch.setattr(type(device), "exec", lambda self, source: text + "\n")
    with pytest.raises(DeviceError, match=f": {text}$"):
        device.require_anne()
