"""`anne deploy`: a model file onto a Pico, or AI-ANNE itself onto a board with MicroPython's own firmware."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from .common import board_file_option, console, json_option, place, print_json, progress, uf2_option
from .models import board_option, only_port, open_model_file


@click.command(
    "deploy",
    epilog="\b\nExamples:\n  anne deploy net.anne                     (the one Pico that is plugged in)"
    "\n  anne deploy net.anne --on /dev/ttyACM0 --as /models/net.anne"
    "\n  anne deploy net.anne --board-file pico.img        (an emulated Pico, kept in that file)"
    "\n  anne deploy --runtime                     (AI-ANNE onto stock firmware, on the one board that is plugged in)",
)
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option(
    "--runtime",
    "runtime",
    is_flag=False,
    flag_value="",
    metavar="[PORT]",
    help="Bring AI-ANNE itself onto a board with MicroPython's own firmware: the package and, where the processor has "
    "one, its native module. The board is asked what it is.",
)
@click.option("--on", "where", metavar="PORT|emulator", help="Default: the only Pico on a USB port.")
@click.option(
    "--as",
    "path",
    help="Path on the board, or a folder that ends with /; default: /. In /rom a model is used where it lies in flash.",
)
@click.option("--force", is_flag=True, help="Even if it is too large to be loaded there, or there already.")
@board_option
@board_file_option
@uf2_option
@json_option
def command(
    model: Path | None,
    runtime: str | None,
    where: str | None,
    path: str | None,
    force: bool,
    board: str,
    board_file: Path | None,
    uf2: Path | None,
    as_json: bool,
) -> None:
    """Put a model file onto a Pico and check it there; or, with --runtime, AI-ANNE onto MicroPython's own firmware.

    It is sent under a temporary name, its CRC is compared on the board, then it is renamed: a file of that name stays
    whole until the new one is. With --as /rom/ it goes into the ROMFS partition, beside what is there (anne romfs). The
    model's golden samples are then run on the board.

    With --runtime the files go to /lib under temporary names, their CRC is compared, then they take their place. Then
    the board is a Pico W, or any other with MicroPython of the same .mpy version.
    """
    # nothing emulates a Pico 2, or the Wi-Fi of a Pico W: what is for one goes onto a Pico then
    emulated = board if board == "pico-models" else "pico"
    where, options = place(where or runtime or None, "", board_file, uf2, board=emulated)
    if (model is None) == (runtime is None):
        raise click.UsageError("expected a MODEL, or --runtime for AI-ANNE itself")
    if model is None:
        _deploy_runtime(where or only_port(), options, force, as_json)
    else:
        _deploy_model(model, where, options, path, board, force, as_json)


def _deploy_runtime(where: str, options: dict[str, Any], force: bool, as_json: bool) -> None:
    from ..boards.open_device import open_device
    from ..boards.runtime import deploy_runtime

    with progress(f"connects to {where}") as tell, open_device(where, **options) as device:
        done = deploy_runtime(device, force, tell)
    if as_json:
        print_json(done.to_json())
        return
    say = console().print
    say(f"{done.device}: {done.board}, {done.firmware}")
    if done.done == "not needed":
        say("Its firmware has AI-ANNE: it needs no runtime. Next: anne deploy net.anne")
        return
    how = f"native for {done.processor}" if done.processor else "no native code for its processor: in Python"
    say(f"AI-ANNE {done.version}, {how}: {done.n_files} files, {done.n_bytes} bytes, {done.done}")
    say(f"import anne takes {done.heap_taken} bytes of heap; {done.heap_free} are free")
    if where == "emulator" and not options["board_file"]:
        say("This emulated Pico is thrown away now. To keep one, add: --board-file pico.img")


def _deploy_model(
    model: Path,
    where: str,
    options: dict[str, Any],
    path: str | None,
    board: str,
    force: bool,
    as_json: bool,
) -> None:
    from ..boards.deploy import ROM, deploy, path_on_board
    from ..boards.open_device import open_device
    from ..cores.files import size_and_crc

    board_file = options["board_file"]
    path = path_on_board(path, model.name)
    data, _ = open_model_file(model)
    where = where or only_port()
    with progress(f"connects to {where}") as tell, open_device(where, **options) as device:
        done = deploy(device, data, path, board, force, tell)
    if as_json:
        print_json(done.to_json())
        return
    say = console().print
    say(f"{done.device}: {done.path}, {size_and_crc(done.file_bytes, done.crc32)} as sent")
    if done.golden_samples:
        say(f"{done.golden_samples} golden samples run there: outputs as they must be")
    if where == "emulator" and not board_file:
        say(
            "This emulated Pico is thrown away now. To keep one: anne deploy --board-file pico.img "
            f"{shlex.quote(str(model))}"
            + (f" --as {shlex.quote(done.path)}" if done.path.startswith(ROM) else "")
        )
        return
    if board_file:
        say(f"Its prompt: anne emulate --board-file {shlex.quote(str(board_file))}")
    in_place = ", copy=False" if done.path.startswith(ROM) else ""
    say(f"On the Pico: import anne; net = anne.load({done.path!r}{in_place})")
