"""What several commands show or take alike."""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..texts import harmless

uf2_option = click.option(
    "--uf2",
    type=click.Path(path_type=Path),
    help="Firmware file; default: $ANNE_FIRMWARE, else build/anne-pico.uf2 here or in a folder above.",
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


def place(
    where: str | None, default: str, board_file: Path | None, uf2: Path | None
) -> tuple[str, dict[str, Path | None]]:
    """Return where to run and the options for `open_device`; a board file means the emulator."""
    if board_file and where not in (None, "emulator"):
        raise click.UsageError(f"--board-file is an emulated Pico; it does not go with --on {where}")
    return "emulator" if board_file else where or default, {"firmware": uf2, "board_file": board_file}


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


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[str, int], None]]:
    """Show on stderr how far a long step is: call what is given with a text and how many parts are done more.

    A bar on a terminal; elsewhere a line at most every five seconds.
    """
    if not sys.stderr.isatty():
        yield _plain_progress(total, what)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(harmless(what), total=total)
        yield lambda text, n: bar.update(task, description=harmless(text or what), advance=n)


def _plain_progress(total: int, what: str) -> Callable[[str, int], None]:
    done, told_s = 0, time.monotonic()

    def tell(text: str, n: int) -> None:
        nonlocal done, told_s
        done += n
        if time.monotonic() - told_s > 5:
            told_s = time.monotonic()
            click.echo(harmless(f"{text or what} ({done}/{total})"), err=True)

    return tell
