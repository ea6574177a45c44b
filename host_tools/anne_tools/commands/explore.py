"""`anne explore`: the explorer page in a browser, with a board where there is one."""

import time
import webbrowser
from contextlib import suppress
from pathlib import Path

import click

from .common import board_file_option, flash_cache_option, progress, uf2_option


@click.command(
    "explore",
    epilog="\b\nExamples:\n  anne explore\n  anne explore --on emulator\n  anne explore --on /dev/ttyACM0 --no-browser",
)
@click.option("--on", "where", metavar="emulator|PORT", help="A board for the page; none if it is not given.")
@click.option(
    "--port", default=0, show_default="a free one", type=click.IntRange(0, 65535), help="Port of the page."
)
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in the browser.")
@board_file_option
@flash_cache_option
@uf2_option
def command(
    where: str | None,
    port: int,
    browser: bool,
    board_file: Path | None,
    flash_cache: bool | None,
    uf2: Path | None,
) -> None:
    """Show a page to choose data, build a network, let it learn, and see what every neuron does.

    It is served on this machine only, at an address with a secret in it, until Ctrl-C. With --on it can send the
    network to a board and show what the board computes. Without, the same page runs from the file
    build/anne-explorer.html, too.
    """
    from ..boards.explorer import Explorer, find_page
    from ..boards.lines import EmulatedLine, SerialLine

    page = find_page()
    device = None
    line = None
    if where == "emulator":
        from ..boards.open_device import open_device

        with progress("starts an emulated Pico"):
            device = open_device(where, firmware=uf2, board_file=board_file, flash_cache=flash_cache)
        line = EmulatedLine(device.machine)
    elif where:
        line = SerialLine(where)
    explorer = Explorer(line, port, page)
    click.echo(f"{explorer.url}\nCtrl-C ends it.")
    if browser:
        webbrowser.open(explorer.url)
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
    explorer.close()
    if device:
        device.close()
