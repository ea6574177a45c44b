"""`anne romfs`: files in a Pico's flash, where models are used in place, under /rom."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..boards.fit import BOARDS
from .common import Tell, board_file_option, console, json_option, place, print_json, progress, uf2_option
from .models import board_option, only_port, print_table

if TYPE_CHECKING:
    from ..boards.device import Device
    from ..boards.rom_partition import RomPartition

_files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE..."
)
_on_option = click.option(
    "--on", "where", metavar="PORT|emulator", help="Default: the only Pico on a USB port."
)


@click.group(
    "romfs",
    epilog="\b\nExamples:\n  anne romfs put a.anne b.anne      (onto the one Pico that is plugged in)"
    "\n  anne romfs list --json\n  anne romfs build models/ -o models.uf2   (to drag onto a board's drive)"
    "\n  anne romfs build models/ -o rom.romfs    (for mpremote romfs deploy)",
)
def command() -> None:
    """Fill the ROMFS partition of a Pico, whose files are used where they lie in flash.

    It has 160 KB, with the firmware pico-models 1 MB (anne flash --board pico-models). On the Pico:
    anne.load("/rom/net.anne", copy=False). To put one model there and check it: anne deploy net.anne --as /rom/
    """


@command.command("build")
@_files_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="The image, such as rom.romfs; or a UF2 file with it, such as rom.uf2.",
)
@board_option
@json_option
def build(files: tuple[Path, ...], output: Path, board: str, as_json: bool) -> None:
    """Write an image of ROMFS with these files in it, or a UF2 file that brings it to a board.

    Each begins at a multiple of 16 bytes, as models need it. A folder stands for the files in it, which keep their
    paths in it. The image is for `mpremote romfs deploy`. The UF2 file is for a board with our firmware: hold BOOTSEL,
    plug it in, drag the file onto the drive. /rom has these files then and no others.
    """
    from ..boards.romfs import romfs_image
    from ..boards.romfs_uf2 import romfs_uf2
    from ..data.files import write_atomically

    contents = _read(files)
    image = romfs_image(contents)
    is_uf2 = output.suffix.lower() == ".uf2"
    write_atomically(output, romfs_uf2(contents, board) if is_uf2 else image, list(files))
    room = BOARDS[board].romfs_bytes if is_uf2 else None
    _report(contents, len(image), room, {"output": str(output)}, as_json)


@command.command("list")
@click.argument("image", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_on_option
@board_file_option
@uf2_option
@json_option
def show(
    image: Path | None, where: str | None, board_file: Path | None, uf2: Path | None, as_json: bool
) -> None:
    """Tell what is in the partition of a Pico, or in the file IMAGE: an image of ROMFS, or a UF2 file with one."""
    from ..boards.romfs import image_bytes, romfs_files
    from ..boards.romfs_uf2 import files_of_uf2
    from ..data.files import read_whole
    from ..errors import ModelError

    if image and image.suffix.lower() == ".uf2":
        board, files, used = files_of_uf2(image)
        about = {"image": str(image), "board": board}
        _report(files, used, BOARDS[board].romfs_bytes, about, as_json)
        return
    if image:
        content = read_whole(image)
        if not image_bytes(content):
            raise ModelError(f"{image}: expected an image of ROMFS, which begins with d2 cd 31")
        _report(romfs_files(content), image_bytes(content), None, {"image": str(image)}, as_json)
        return
    with _partition(where, board_file, uf2) as (device, partition, tell):
        tell("reads what is in /rom", 0, 0)
        files, used = partition.files(), len(partition.image)
    _report(files, used, partition.n_bytes, {"device": device.name}, as_json)


@command.command("put")
@_files_argument
@click.option(
    "--board",
    type=click.Choice(["pico", "pico-models"]),
    default="pico",
    show_default=True,
    help="What an emulated Pico is; a board file stays what it was.",
)
@click.option("--replace", is_flag=True, help="Instead of what is there; without it, beside that.")
@_on_option
@board_file_option
@uf2_option
@json_option
def put(
    files: tuple[Path, ...],
    board: str,
    replace: bool,
    where: str | None,
    board_file: Path | None,
    uf2: Path | None,
    as_json: bool,
) -> None:
    """Put files into the partition of a Pico.

    Files of the same path are replaced, others stay. A folder stands for the files in it, which keep their paths in
    it. All is written anew: if the power fails meanwhile, /rom is gone, and the same command brings it back if the
    files are given again.
    """
    given = _read(files)
    with _partition(where, board_file, uf2, board) as (device, partition, tell):
        tell("reads what is in /rom", 0, 0)
        contents = given if replace else {**partition.files(), **given}
        tell("writes /rom", 0, 0)
        used = partition.write(contents, lambda *done: tell("writes /rom", *done))
    _report(contents, used, partition.n_bytes, {"device": device.name}, as_json)
    if not as_json and device.kind == "emulator" and not board_file:
        console().print(
            "This emulated Pico is thrown away now. To keep one: anne romfs put --board-file pico.img "
            + " ".join(shlex.quote(str(path)) for path in files)
        )


def _read(paths: tuple[Path, ...]) -> dict[str, bytes]:
    """The files by their paths in /rom. ModelError for two of one path, an image of them, or none."""
    from ..boards.romfs import HEAD_BYTES, image_bytes
    from ..data.files import read_whole
    from ..errors import ModelError

    found: dict[str, Path] = {}
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in inside:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            if name in found:
                raise ModelError(f"/rom/{name}: expected one file, got {found[name]} and {file}")
            found[name] = file
    if not found:
        raise ModelError(f"expected files, got none in {', '.join(map(str, paths))}")
    contents = {name: read_whole(file) for name, file in found.items()}
    for name, content in contents.items():
        if image_bytes(content[:HEAD_BYTES]):
            raise ModelError(
                f"{found[name]}: expected a file for /rom, got an image of a whole ROMFS; give the files in it "
                "(anne romfs list), or write it by `mpremote romfs deploy`"
            )
    return contents


@contextmanager
def _partition(
    where: str | None, board_file: Path | None, uf2: Path | None, board: str = "pico"
) -> Iterator[tuple[Device, RomPartition, Tell]]:
    """Give a Pico, its partition, and a function that tells of progress."""
    from ..boards.open_device import open_device
    from ..boards.rom_partition import RomPartition

    where, options = place(where, "", board_file, uf2, board=board)
    where = where or only_port()
    with progress(f"connects to {where}") as tell, open_device(where, **options) as device:
        yield device, RomPartition(device), tell


def _report(
    files: dict[str, bytes], used: int, n_bytes: int | None, about: dict[str, Any], as_json: bool
) -> None:
    """Print the files, the bytes that they take, and those of the partition (None of an image)."""
    if as_json:
        listed = [{"path": path, "bytes": len(content)} for path, content in sorted(files.items())]
        print_json({**about, "files": listed, "used_bytes": used, "romfs_bytes": n_bytes})
        return
    out = console()
    print_table(
        out,
        ["file", "bytes"],
        [[path, str(len(content))] for path, content in sorted(files.items())],
        left=("file",),
    )
    room = "" if n_bytes is None else f" of {n_bytes}, {n_bytes - used} are free"
    out.print(f"{next(iter(about.values()))}: {used} bytes{room}")
