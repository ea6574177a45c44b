"""Why a port cannot be used, in one line that says what to do; and a Pico's bootloader drive."""

import fcntl
import os
import pty
import tty

import pytest
from anne_tools import flash
from anne_tools.device import open_device
from anne_tools.errors import DeviceError, ModelError
from anne_tools.firmware import find_firmware, firmware_banner, versions
from anne_tools.serial_device import SerialDevice
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
    steps: list[int] = []
    flash.copy_firmware(uf2, flash.BootDrive(drive, "rp2040"), "rp2040", steps.append)
    assert (drive / "anne-pico.uf2").read_bytes() == uf2.read_bytes()
    assert sum(steps) == 300 * 512


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
    monkeypatch.setattr("anne_tools.firmware._CHECKOUT", tmp_path)
    with pytest.raises(ModelError, match="make firmware"):
        find_firmware()


def test_a_firmware_says_what_it_holds(tmp_path):
    uf2 = tmp_path / "a.uf2"
    uf2.write_bytes(uf2_file(first=b"\0\1MicroPython v1.25.0 on 2025-04-15 with AI-ANNE\0" + b"x" * 206))
    assert firmware_banner(uf2) == "MicroPython v1.25.0 on 2025-04-15 with AI-ANNE [rp2040]"


def test_versions_name_what_the_firmware_is_built_from():
    found = versions()
    assert list(found.pins) == ["MicroPython", "pico-sdk", "TinyUSB"]
    assert found.line().startswith(f"AI-ANNE {found.project} (MicroPython ")
