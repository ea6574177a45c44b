"""`anne explore`: the explorer page in a browser, with a board where there is one."""

import json
import time
import webbrowser
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from .common import board_file_option, flash_cache_option, json_option, place, progress, uf2_option


@click.command(
    "explore",
    epilog="\b\nExamples:\n  anne explore                     (the page alone)\n  anne explore --on emulator"
    "\n  anne explore --on /dev/ttyACM0   (on Windows: COM5)",
)
@click.option(
    "--on",
    "where",
    metavar="emulator|PORT",
    help="The page's board: an emulated Pico, or the serial port of a real one. Default: none.",
)
@click.option(
    "--port",
    metavar="NUMBER",
    default=0,
    show_default="a free one",
    type=click.IntRange(0, 65535),
    help="Network port of the page's address.",
)
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in the browser.")
@json_option
@board_file_option
@flash_cache_option
@uf2_option
def command(
    where: str | None,
    port: int,
    browser: bool,
    as_json: bool,
    board_file: Path | None,
    flash_cache: bool | None,
    uf2: Path | None,
) -> None:
    """Show a page to choose data, build a network, let it learn, and see what every neuron does.

    It is served on this machine only, at an address with a secret in it, until Ctrl-C. With --on, its screen "Live"
    sends the network to that board and shows what the board computes; one tab at a time has the board. A real board
    needs AI-ANNE on it: anne flash, or anne deploy --runtime. Without --on, the same page runs from the file
    anne-explorer.html, too, which a release has.
    """
    from ..boards.explorer import Explorer, find_page
    from ..boards.lines import EmulatedLine, SerialLine

    where, options = place(where, "", board_file, uf2, flash_cache)
    page = find_page()
    line: EmulatedLine | SerialLine | None = None
    with ExitStack() as closing:
        if where == "emulator":
            from ..boards.open_device import open_device

            with progress("starts an emulated Pico"):
                device = closing.enter_context(open_device(where, **options))
            line = EmulatedLine(device.machine)
        elif where:
            line = SerialLine(where)
        explorer = Explorer(line, port, page)
        closing.callback(explorer.close)
        if as_json:
            click.echo(json.dumps({"url": explorer.url, "on": where or None}))  # in a line, as it goes on
        else:
            click.echo(f"{explorer.url}\nCtrl-C ends it.")
        if browser:
            webbrowser.open(explorer.url)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
