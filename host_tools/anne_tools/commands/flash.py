"""`anne flash`: put a firmware on a real Pico."""

from pathlib import Path

import click

from ..boards.firmware import BOARDS
from .common import progress


@click.command(
    "flash",
    epilog="\b\nExamples:\n  anne flash                        (board plugged in with BOOTSEL held)\n"
    "  anne flash --on /dev/ttyACM0      (board that runs MicroPython)\n  anne flash --board pico2 my.uf2",
)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--board",
    type=click.Choice(list(BOARDS)),
    default="pico",
    show_default=True,
    help="pico-models is a Pico with 1 MB for models in flash (/rom) and 512 KB of storage, which is formatted.",
)
@click.option(
    "--on",
    "port",
    metavar="PORT",
    help="Serial port of a board that runs MicroPython: it is told to restart as a USB drive.",
)
@click.option(
    "--drive",
    type=click.Path(path_type=Path),
    help="Where the bootloader's drive is mounted, if not found by itself.",
)
def command(path: Path | None, board: str, port: str | None, drive: Path | None) -> None:
    """Copy AI-ANNE's firmware, or the UF2 file PATH, onto a Pico's bootloader drive.

    The file is checked first: whole, and made for this board. Files in the board's storage stay as they are, but from
    pico to pico-models and back: then the storage is formatted.
    """
    from ..boards import flash
    from ..boards.firmware import find_firmware, firmware_banner
    from ..boards.uf2 import read_uf2
    from ..errors import DeviceError, ModelError

    if port == "emulator":
        raise click.UsageError("the emulated Pico takes its firmware from each command's --uf2")
    uf2 = find_firmware(path, board)
    family = BOARDS[board]
    read_uf2(uf2, family)
    click.echo(f"{uf2}: {firmware_banner(uf2)}", err=True)
    if warning := flash.storage_warning(uf2):
        click.echo(warning, err=True)
    if port:
        from ..boards.serial_device import SerialDevice

        with progress(f"restarts the board on {port} as a drive"):
            SerialDevice(port).bootloader()
    folders = [drive] if drive else None
    with progress("waits for the board's drive"):
        target = flash.wait_for_drive(15.0 if port else 0.0, folders)
    if target is None:
        if drive:
            raise DeviceError(f"{drive}: not a Pico's bootloader: expected a drive with INFO_UF2.TXT")
        raise DeviceError(flash.instructions(board))
    if target.family != family:
        raise ModelError(
            f"{target.path} is a {flash.BOARD_NAMES[target.family]}; for that: anne flash --board "
            f"{next(name for name, chip in BOARDS.items() if chip == target.family)}"
        )
    what = f"copies {uf2.name} to {target.path}"
    with progress(what) as tell:
        flash.copy_firmware(uf2, target, family, lambda done, total: tell(what, done, total))
    click.echo(f"Done: {uf2.name} is on the board at {target.path}; it restarts with it now.")
