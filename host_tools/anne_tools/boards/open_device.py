"""The Pico that a user names.

with open_device("emulator") as pico:            # or "/dev/ttyACM0", "COM5", "socket://127.0.0.1:2040"
    pico.put("/iris.anne", data)
    print(pico.exec("import anne; print(anne.native)"))
"""

from collections.abc import Mapping
from pathlib import Path

from ..errors import DeviceError, ModelError
from .board_file import BoardFile
from .device import Device
from .emulated_device import EmulatedDevice


def open_device(
    where: str,
    *,
    firmware: str | Path | None = None,
    files: Mapping[str, bytes] | None = None,
    romfs: Mapping[str, bytes] | None = None,
    board_file: str | Path | None = None,
    flash_cache: bool | None = False,
    board: str = "pico",
) -> Device:
    """Return the Pico that `where` names: "emulator", or a port ("/dev/ttyACM0", "COM5", "socket://host:port").

    `files` (path to bytes) are put into its storage. The rest is for the emulator: `firmware`, looked for as
    firmware.py says if it is not given, for `board` or, if that is "pico", for what the board file was; `romfs`, files
    that replace what is in /rom; `board_file`, which keeps its flash from one time to the next (board_file.py);
    `flash_cache`, whether reads of flash cost what they do on silicon, None for "where that emulator is built"
    (emulator_core.py). DeviceError if there is no such board, ModelError if there is no firmware or no such emulator,
    or the board file is none or of another board (`firmware` goes over to it all the same).
    """
    if where == "emulator":
        return _open_emulator(firmware, files, romfs, board_file, flash_cache, board)
    if board_file or romfs or flash_cache:
        raise DeviceError(f"{where}: a board file, romfs and the flash cache are for the emulated Pico")
    from .serial_device import SerialDevice

    return _with_files(SerialDevice(where), files)


def _open_emulator(
    firmware: str | Path | None,
    files: Mapping[str, bytes] | None,
    romfs: Mapping[str, bytes] | None,
    board_file: str | Path | None,
    flash_cache: bool | None,
    board: str,
) -> Device:
    from .emulator import EmulatedPico
    from .firmware import find_firmware

    kept = BoardFile(board_file) if board_file else None
    try:
        uf2 = find_firmware(firmware, _board_of(kept, board) if kept and not firmware else board)
        elf = uf2.with_suffix(".elf")
        options = {"kept_flash": kept.flash} if kept else {"files": files}
        options |= {"romfs": romfs, "flash_cache": flash_cache}
        machine = EmulatedPico(uf2, elf if elf.exists() else None, **options)
        machine.boot()
    except BaseException as error:
        if kept:
            kept.close()
        if isinstance(error, TimeoutError):
            raise DeviceError(f"{uf2}: does not boot: {error}") from None
        raise
    return _with_files(EmulatedDevice(machine, kept), files if kept else None)


def _board_of(kept: BoardFile, board: str) -> str:
    """What a board file's firmware is for: `board` if it is new, else what it was; "pico" leaves that open.

    ModelError if it was something else, as the storage would be formatted.
    """
    was = kept.layout.board
    if kept.flash is None or board == was:
        return board
    if board != "pico":
        raise ModelError(
            f"{kept.path}: expected a {board}, got the board file of a {was}, whose storage the other firmware would "
            f"format; name another file, or let it do so: --uf2 build/anne-{board}.uf2"
        )
    return was


def _with_files(device: Device, files: Mapping[str, bytes] | None) -> Device:
    try:
        for path, content in (files or {}).items():
            device.put(path, content)
    except BaseException:
        device.close()
        raise
    return device
