"""Why a port cannot be used, in one line that says what to do; and a Pico's bootloader drive."""

import fcntl
import os
import pty
import tty
from pathlib import Path

import pytest
from anne_tools.boards import built, flash
from anne_tools.boards.firmware import find_firmware, firmware_banner, versions
from anne_tools.boards.open_device import open_device
from anne_tools.boards.serial_device import SerialDevice
from anne_tools.cli import cli
from anne_tools.errors import DeviceError, ModelError
from click.testing import CliRunner
from fake_board import hangs, vanishes
from uf2_files import RP2040, RP2350, uf2_file

pytest.importorskip("mpremote")

PICO_INFO = "UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n"
PICO2_INFO = "UF2 Bootloader v1.0\nModel: Raspberry Pi RP2350\nBoard-ID: RP2350\n"


@pytest.fixture
def drive(tmp_path, monkeypatch):
    """A folder that looks like a Pico in bootloader mode, the only drive there is."""
    folder = tmp_path / "RPI-RP2"
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text(PICO_INFO)
    monkeypatch.setattr(flash, "mounted_folders", lambda: [tmp_path, folder])
    return folder


def test_no_such_port():
    with pytest.raises(
        DeviceError, match=r"^/dev/ttyNONE: no such port; ports with a Pico: .*--on emulator$"
    ):
        open_device("/dev/ttyNONE")


def test_no_such_port_because_the_board_is_in_bootloader_mode(drive):
    with pytest.raises(DeviceError, match=r"bootloader mode \(.*RPI-RP2\): anne flash$"):
        open_device("/dev/ttyNONE")


def test_no_permission(tmp_path, monkeypatch):
    port = tmp_path / "ttyACM0"
    port.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DeviceError, match=r"permission denied; do: sudo usermod -aG dialout"):
        open_device(str(port))


def test_a_port_in_use():
    controller, terminal = pty.openpty()
    fcntl.flock(terminal, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as pyserial holds a port it has opened
    try:
        with pytest.raises(DeviceError, match="in use by another program"):
            SerialDevice(os.ttyname(terminal))
    finally:
        os.close(terminal)
        os.close(controller)


def test_something_that_is_not_micropython(capsys):
    controller, terminal = pty.openpty()
    tty.setraw(terminal)  # no echo
    try:
        with pytest.raises(DeviceError, match="no answer from MicroPython"):
            SerialDevice(os.ttyname(terminal), connect_s=0.3)
    finally:
        os.close(terminal)
        os.close(controller)
    assert capsys.readouterr().out == ""


# --- A board that goes wrong while it is used ------------------------------------------------------------------------


def anne(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="anne")


MODEL = Path(__file__).parents[2] / "golden" / "models" / "small_int8.anne"


@pytest.mark.parametrize("command", ["deploy", "run", "bench"])
def test_a_board_without_ai_anne(fake_board, command):
    sent = []

    def stock(board, source):
        sent.append(source)
        if "import anne" in source:
            return "no module named 'anne'\n"
        return "Raspberry Pi Pico with RP2040, MicroPython v1.25.0\n"

    board = fake_board(stock)
    result = anne(command, MODEL, "--on", board.port)
    assert result.exit_code == 1
    message = "this board has no AI-ANNE; put our firmware on it (anne flash), or AI-ANNE onto its own: "
    assert result.stderr.splitlines()[-1] == f"anne: {board.port}: {message}anne deploy --runtime"
    assert not [source for source in sent if "open(" in source]


@pytest.mark.parametrize("command", ["deploy", "run", "bench"])
def test_a_board_that_is_unplugged(fake_board, command):
    board = fake_board(vanishes)
    result = anne(command, MODEL, "--on", board.port)
    assert result.exit_code == 1
    line = result.stderr.splitlines()[-1]
    assert line.startswith(f"anne: {board.port}: the board is gone (")
    assert line.endswith("); was it unplugged or reset? Plug it in again and repeat")


def test_a_board_that_neither_ends_nor_obeys_ctrl_c(fake_board, monkeypatch):
    monkeypatch.setattr("anne_tools.boards.serial_device._INTERRUPT_S", 0.1)
    board = fake_board(hangs)
    device = SerialDevice(board.port, connect_s=0.5)
    with pytest.raises(
        DeviceError, match=r": (the script took longer|no answer).*is stuck or busy: unplug it"
    ):
        device.exec("while True: pass", timeout_s=0.1)
    device.close()


def test_a_board_that_says_nothing_more(fake_board):
    board = fake_board(lambda board, source: "")
    device = SerialDevice(board.port, connect_s=0.5)
    board.hang()
    read_until = device._transport.read_until
    device._transport.read_until = lambda *what, **how: read_until(*what, **{**how, "timeout": 0.1})
    with pytest.raises(
        DeviceError, match=r"no answer .*; the board is stuck or busy: unplug it, .* and repeat$"
    ):
        device.put("/net.anne", bytes(1000))
    device.close()


def test_a_board_that_takes_nothing_more(fake_board, monkeypatch):
    monkeypatch.setattr("anne_tools.boards.serial_device._WRITE_S", 0.2)
    board = fake_board(lambda board, source: "")
    device = SerialDevice(board.port, connect_s=0.5)
    board.hang()
    with pytest.raises(
        DeviceError, match=r"no answer \(Write timeout\); the board is stuck or busy: unplug it"
    ):
        device._asked(lambda: device._transport.serial.write(bytes(1_000_000)))
    device.close()


def test_what_is_no_serial_port(tmp_path):
    (tmp_path / "net.anne").touch()
    with pytest.raises(DeviceError, match=r"net\.anne: not a serial port; ports with a Pico: "):
        SerialDevice(str(tmp_path / "net.anne"))


def test_a_bootloader_is_known_by_its_usb_ids(tmp_path, monkeypatch):
    for name, vendor, product in (("1-1", "1d6b", "0002"), ("1-2", "2e8a", "0003")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "idVendor").write_text(vendor + "\n")
        (tmp_path / name / "idProduct").write_text(product + "\n")
    monkeypatch.setattr(flash, "_USB_DEVICES", tmp_path)
    monkeypatch.setattr(flash, "mounted_folders", lambda: [])
    monkeypatch.setattr(flash, "unmounted_boot_disk", lambda: None)
    assert flash.bootloader() == "USB 2e8a:0003"
    monkeypatch.setattr("anne_tools.boards.serial_device.pico_ports", lambda: [])
    result = anne("deploy", MODEL)
    assert result.exit_code == 1
    assert result.stderr == (
        "anne: the board is in bootloader mode (USB 2e8a:0003); put the firmware on it with: anne flash\n"
    )


# --- The bootloader's drive, and firmware files ----------------------------------------------------------------------


@pytest.mark.parametrize(("info", "family"), [(PICO_INFO, "rp2040"), (PICO2_INFO, "rp2350")])
def test_a_bootloader_is_known_by_its_info_file(tmp_path, info, family):
    (tmp_path / "INFO_UF2.TXT").write_text(info)
    assert flash.boot_drives([tmp_path]) == [flash.BootDrive(tmp_path, family)]


@pytest.mark.parametrize("info", [None, "", "Board-ID: something else\n"])
def test_other_drives_are_left_alone(tmp_path, info):
    if info is not None:
        (tmp_path / "INFO_UF2.TXT").write_text(info)
    assert flash.boot_drives([tmp_path]) == []


def test_firmware_is_copied_whole(tmp_path, drive):
    uf2 = tmp_path / "anne-pico.uf2"
    uf2.write_bytes(uf2_file(RP2040, 300))
    steps: list[tuple[int, int]] = []
    flash.copy_firmware(uf2, flash.BootDrive(drive, "rp2040"), "rp2040", lambda *done: steps.append(done))
    assert (drive / "anne-pico.uf2").read_bytes() == uf2.read_bytes()
    assert steps == [(65536, 153600), (131072, 153600), (153600, 153600)]  # 300 blocks of 512 bytes


def test_firmware_for_another_board_is_not_copied(tmp_path, drive):
    uf2 = tmp_path / "anne-pico2.uf2"
    uf2.write_bytes(uf2_file(RP2350))
    with pytest.raises(
        ModelError, match=r"is for Raspberry Pi Pico 2, the board at .* is a Raspberry Pi Pico$"
    ):
        flash.copy_firmware(uf2, flash.BootDrive(drive, "rp2040"), "rp2350")
    assert not (drive / "anne-pico2.uf2").exists()


def test_firmware_is_found_from_a_folder_below(tmp_path, monkeypatch):
    built = tmp_path / "build" / "anne-pico.uf2"
    built.parent.mkdir()
    built.write_bytes(uf2_file())
    (tmp_path / "examples").mkdir()
    monkeypatch.chdir(tmp_path / "examples")
    monkeypatch.delenv("ANNE_FIRMWARE", raising=False)
    assert find_firmware() == built
    monkeypatch.setenv("ANNE_FIRMWARE", "elsewhere.uf2")
    with pytest.raises(ModelError, match=r"elsewhere\.uf2: no such firmware file \(ANNE_FIRMWARE\)"):
        find_firmware()
    assert find_firmware(built) == built


def test_no_firmware_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANNE_FIRMWARE", raising=False)
    monkeypatch.setattr("anne_tools.boards.built.CHECKOUT", tmp_path)
    with pytest.raises(ModelError, match="make firmware"):
        find_firmware()


def test_files_for_boards_are_found_in_a_build_folder_then_in_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(built, "CHECKOUT", tmp_path / "no checkout")
    monkeypatch.setattr(built, "RUNTIME", tmp_path / "package")
    assert built.find("_anne-armv6m.mpy") is None
    for folder in ("package", "build/natmod"):  # each goes before those that are there already
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "_anne-armv6m.mpy").touch()
        assert built.find("_anne-armv6m.mpy") == tmp_path / folder / "_anne-armv6m.mpy"


def test_a_firmware_says_what_it_holds(tmp_path):
    uf2 = tmp_path / "a.uf2"
    uf2.write_bytes(uf2_file(first=b"\0\1MicroPython v1.25.0 on 2025-04-15 with AI-ANNE\0" + b"x" * 206))
    assert firmware_banner(uf2) == "MicroPython v1.25.0 on 2025-04-15 with AI-ANNE [rp2040]"


def test_versions_name_what_the_firmware_is_built_from():
    found = versions()
    assert list(found.pins) == ["MicroPython", "pico-sdk", "TinyUSB"]
    assert found.line().startswith(f"AI-ANNE {found.project} (MicroPython ")
