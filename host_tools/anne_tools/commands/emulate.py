"""`anne emulate`: a prompt, or a script, in an emulated Pico."""

import sys
from contextlib import suppress
from pathlib import Path

import click

from .common import board_file_option, flash_cache_option, flash_told, progress, uf2_option
from .keys import LeaveError, keys


@click.command(
    "emulate",
    epilog="\b\nExamples:\n  anne emulate\n  anne emulate blink.py\n  anne emulate --board-file pico.img\n"
    "  echo 'import anne; print(anne.native)' | anne emulate",
)
@click.argument("script", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--put",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Put a file into its storage first; may be given several times.",
)
@click.option(
    "--rom",
    "rom_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Put a file into /rom, where models are used in flash; all such files together replace what is there.",
)
@click.option(
    "--timeout", "timeout_s", default=60.0, show_default=True, help="Emulated seconds a script may take."
)
@board_file_option
@flash_cache_option
@uf2_option
def command(
    script: Path | None,
    files: tuple[Path, ...],
    rom_files: tuple[Path, ...],
    timeout_s: float,
    board_file: Path | None,
    flash_cache: bool | None,
    uf2: Path | None,
) -> None:
    """Run SCRIPT in an emulated Pico with AI-ANNE's firmware, or talk to its Python prompt.

    Each start is a fresh board, of which nothing is kept but with --board-file. Leave the prompt with Ctrl-X. The
    emulator runs at some 7 MHz of the Pico's 125, or 25 where `make flash-cache` has compiled it: a second on the board
    takes 18 seconds, or 5. Exit status 1 if the script ends with an error.
    """
    from ..boards.open_device import open_device
    from ..data.files import read_whole

    stored = {f"/{path.name}": read_whole(path) for path in files}
    romfs = {path.name: read_whole(path) for path in rom_files}
    with progress("starts an emulated Pico"):
        device = open_device(
            "emulator",
            firmware=uf2,
            files=stored,
            romfs=romfs,
            board_file=board_file,
            flash_cache=flash_cache,
        )
    with device:
        if script:
            _run_script(device, script, timeout_s)
        else:
            _prompt(device)


def _run_script(device: object, script: Path, timeout_s: float) -> None:
    from ..errors import DeviceError

    def show(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    try:
        device.exec(script.read_text("utf-8"), timeout_s, show)
    except DeviceError as error:
        if not error.traceback:
            raise
        click.echo(error.traceback.rstrip().replace("<stdin>", str(script)), err=True)
        raise SystemExit(1) from None


def _prompt(device: object) -> None:
    def write(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    if sys.stdin.isatty():
        click.echo("An emulated Pico with AI-ANNE's firmware. Ctrl-X leaves.", err=True)
        click.echo(flash_told(device.flash), err=True)
    with suppress(LeaveError), keys() as read:
        device.machine.interact(read, write)
    click.echo()
