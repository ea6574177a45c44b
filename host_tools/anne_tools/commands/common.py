"""What several commands show or take alike."""

import json
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from ..data.texts import harmless


def complete_files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let shells complete files for a parameter that may be something else, too (commands/completion.py)."""
    return [CompletionItem(incomplete, type="file")]


uf2_option = click.option(
    "--uf2",
    type=click.Path(path_type=Path),
    help="Firmware file; default: $ANNE_FIRMWARE, else build/anne-pico.uf2 here or in a folder above, else "
    "the one that came with this package.",
)
header_option = click.option(
    "--header/--no-header",
    default=None,
    help="Whether the first line of .csv files is a header; default: as it looks, and asked where that is not sure.",
)
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document instead of text; NaN and infinities are null.",
)
board_file_option = click.option(
    "--board-file",
    type=click.Path(path_type=Path),
    metavar="PICO.IMG",
    help="An emulated Pico that keeps its flash in this file between commands; made if it is not there.",
)
flash_cache_option = click.option(
    "--flash-cache/--no-flash-cache",
    default=None,
    help="Whether the emulator's reads of flash cost what they do on silicon; default: where `make flash-cache` was.",
)


def flash_told(flash: str) -> str:
    """Return in a line what reads of flash cost in figures; "" for a real board's."""
    return {
        "cache model": "Reads of flash go through a model of the RP2040's cache, as on silicon.",
        "no cache": "Flash is as fast as RAM here, unlike on silicon: `make flash-cache` in the source folder builds a "
        "model of its cache.",
    }.get(flash, "")


def place(
    where: str | None,
    default: str,
    board_file: Path | None,
    uf2: Path | None,
    flash_cache: bool | None = False,
    board: str = "pico",
) -> tuple[str, dict[str, Any]]:
    """Return where to run and the options for `open_device`; a board file means the emulator, which is a `board`."""
    if flash_cache and where not in (None, "emulator"):
        raise click.UsageError(f"--flash-cache is the emulator's; it does not go with --on {where}")
    if board_file and where not in (None, "emulator"):
        raise click.UsageError(f"--board-file is an emulated Pico; it does not go with --on {where}")
    options = {"firmware": uf2, "board_file": board_file, "flash_cache": flash_cache, "board": board}
    return "emulator" if board_file else where or default, options


def print_json(document: Any) -> None:
    click.echo(json_text(document))


def json_text(document: Any) -> str:
    """Return plain data as JSON, which has no word for NaN and infinities: they are null."""
    return json.dumps(_finite(document), indent=1, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def console(stderr: bool = False) -> Any:
    """Return a rich console whose `print` takes a line of any text as it is; plain text where it is not a terminal.

    Names come from files of others: brackets are no markup, and what is not to be seen is escaped, line ends, too.
    """
    from rich.console import Console

    class LineConsole(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            super().print(*(harmless(o) if isinstance(o, str) else o for o in objects), **options)

    return LineConsole(
        stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty()
    )


Tell = Callable[[str, int, int], None]


@contextmanager
def progress(what: str) -> Iterator[Tell]:
    """Show on stderr what goes on, from `what` on: tell what is given the next step before it begins.

    It takes a text, and how much of how much is done: 0 of 0 if nobody knows. A bar on a terminal; elsewhere a line for
    what is not over after two seconds, then at most every five.
    """
    if not sys.stderr.isatty():
        lines = _Lines(what)
        try:
            yield lines.tell
        finally:
            lines.end()
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(harmless(what), total=None)
        yield lambda text, done, total: bar.update(
            task, description=harmless(text), completed=done, total=total or None
        )


class _Lines:
    """Progress in lines of text, printed by a thread, as the step at work may be silent for long."""

    _FIRST_S, _NEXT_S = 2.0, 5.0

    def __init__(self, what: str) -> None:
        self._line, self._over = what, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tell(self, text: str, done: int, total: int) -> None:
        self._line = f"{text} ({100 * done // total} %)" if total else text

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        shown, wait_s = "", self._FIRST_S
        while not self._over.wait(wait_s):
            wait_s = self._NEXT_S
            if self._line != shown:
                shown = self._line
                click.echo(harmless(shown), err=True)
