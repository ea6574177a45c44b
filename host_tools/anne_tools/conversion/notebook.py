"""A report as Python shows it: short text at a prompt, a table in a notebook.

Names in it come from files: for text they are made harmless, for HTML they are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ..data.texts import harmless
from .report import Report, layer_table, lines, measured_lines


def text(report: Report) -> str:
    """Return the report in some lines: what it is, what should be looked at, how exact it is, whether it fits."""
    told = [_title(report), *(f"warning: {warning}" for warning in report.warnings)]
    return "\n".join(map(harmless, [*told, *measured_lines(report), *report.fit.lines()]))


def html(report: Report) -> str:
    """Return the whole report as a piece of HTML."""
    columns, rows = layer_table(report.layers)
    table = "".join([_row("th", columns), *(_row("td", row) for row in rows)])
    told = "".join(f"<div>{_safe(line)}</div>" for line in [*lines(report), *report.fit.lines()])
    return f"<div><b>{_safe(_title(report))}</b><table>{table}</table>{told}</div>"


def _title(report: Report) -> str:
    return f"{report.name} as {report.dtype}, {report.file_bytes} bytes"


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_safe(cell)}</{tag}>' for cell in cells)}</tr>"


def _safe(words: str) -> str:
    return escape(harmless(words))
