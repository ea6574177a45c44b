"""Tables as spreadsheets and pandas write them: a row a line, with commas, semicolons, tabs or spaces between values.

    text -> rows of cells -> is the first a header? -> numbers, with decimal points or decimal commas

Whether the first line is a header decides how many samples there are, so it is asked where it cannot be told.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import ModelError
from .texts import read_text

_POINT = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII
)
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
# 1,234 and 1,234,567: a decimal comma, or commas between thousands
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
# Thousands between separators, with a fraction or without: 1.234,5 and 1 234
_GROUPED = re.compile(r"[+-]?\d{1,3}([.,' \u00a0\u202f\u2019]\d{3})+([.,]\d*)?", re.ASCII)
_MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
# What pandas writes for truth values, and numpy takes them for.
_TRUTH = {"true": "1", "false": "0"}
# What pandas writes above the column of its row numbers, and calls it when it reads that again.
_INDEX_NAMES = {"", "Unnamed: 0"}
# Lines that tell which separator a file has.
_LOOKED_AT = 20
# From so many columns on, 0, 1, 2 ... over fractions is taken for pandas' header.
_SURE_COLUMNS = 3


@dataclass
class Table:
    """A .csv file: `cells` below the header, row by row; `names` of the columns if the header has words.

    `header` tells whether there was one, `doubt` what could be one and was taken for data, `notes` what was decided.
    `columns` are the numbers of the columns in the file, from 1, where some were left out; else empty.
    """

    path: Path
    cells: list[list[str]]
    names: list[str] = field(default_factory=list)
    header: bool = False
    doubt: str = ""
    notes: list[str] = field(default_factory=list)
    first_row: int = 1
    separator: str = ","
    columns: list[int] = field(default_factory=list)

    def column(self, index: int) -> str:
        """Return what messages call a column: its number in the file, and its name if it has one."""
        number = self.columns[index] if self.columns else index + 1
        return f"column {number} ({self.names[index]})" if self.names else f"column {number}"

    def only(self, kept: list[int]) -> Table:
        """Return the table with the columns of these indices."""
        return replace(
            self,
            cells=[[row[index] for index in kept] for row in self.cells],
            names=[self.names[index] for index in kept] if self.names else [],
            columns=[self.columns[index] if self.columns else index + 1 for index in kept],
        )

    def values(self) -> np.ndarray:
        """Return the cells as float64 (rows, columns); ModelError names the first cell that is no number."""
        points = [[_TRUTH.get(cell.lower(), cell) for cell in row] for row in with_points(self)]
        try:
            return np.array(points, np.float64)
        except ValueError:
            raise _no_number(self) from None

    def words(self) -> np.ndarray | None:
        """Return the only column as text if one of its cells is no number, else None."""
        if len(self.cells[0]) > 1 or all(map(is_number, (row[0] for row in self.cells))):
            return None
        return np.array([row[0] for row in self.cells])


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, with a decimal point or a decimal comma."""
    return bool(_POINT.fullmatch(cell) or _COMMA.fullmatch(cell))


def _is_value(cell: str) -> bool:
    return is_number(cell) or cell.lower() in _TRUTH


def read_table(path: Path, header: bool | None = None) -> Table:
    """Return the table in a .csv file; `header` says whether its first line is one, None: see for yourself.

    ModelError in one line for what is no table, and for rows of unlike length.
    """
    try:
        separator, rows = _rows(read_text(path), path.name)
    except csv.Error as error:
        raise ModelError(f"{path.name}: not a table: {error}") from None
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise _unlike_row(path.name, rows, number, separator)
    return headed(Table(path, rows, separator=separator), header)


def headed(table: Table, header: bool | None, n_columns: int | None = None) -> Table:
    """Return the table without its header; `header` None: as the first `n_columns` look, where others may be words."""
    if header is None:
        numbers = replace(table, cells=[row[:n_columns] for row in table.cells])
        header = _is_header(numbers)
        table = replace(table, doubt=numbers.doubt, notes=numbers.notes)
    return with_header(table) if header else table


def _unlike_row(name: str, rows: list[list[str]], number: int, separator: str) -> ModelError:
    """The error for a row of another length than the first: that one may be a title."""
    lengths = {len(row) for row in rows[1:]}
    if len(lengths) == 1 and len(rows) > 2:
        shown, n_others = ", ".join(rows[0])[:40], lengths.pop()
        return ModelError(
            f"{name}: row 1 has {len(rows[0])} values ({shown!r}), all others {n_others}; remove it if it is a title"
        )
    hint = "; decimal commas? then write points, or semicolons between values" if separator == "," else ""
    return ModelError(
        f"{name}: row {number}: expected {len(rows[0])} values, got {len(rows[number - 1])}{hint}"
    )


def with_header(table: Table) -> Table:
    """Return the table with its first row taken for the header; pandas' column of row numbers is left out."""
    head, cells, notes = table.cells[0], table.cells[1:], list(table.notes)
    if not cells:
        raise ModelError(f"{table.path.name}: no rows below the header")
    below = Table(table.path, cells, head, True, "", notes, 2, table.separator)
    if len(head) > 1 and head[0] in _INDEX_NAMES and _counts_rows([row[0] for row in cells]):
        notes.append(f"{table.path.name}: its first column has no name and is taken for row numbers")
        below = below.only(list(range(1, len(head))))
    first, *others = below.names
    numbers = all(map(is_number, below.names))
    return replace(below, names=[] if numbers else [first.removeprefix("#").strip(), *others])


def _counts_rows(column: list[str]) -> bool:
    return all(_WHOLE.fullmatch(cell) for cell in column) and len(set(column)) == len(column)


# --- Text into cells --------------------------------------------------------------------------------------------------


def _rows(text: str, name: str) -> tuple[str, list[list[str]]]:
    """The separator and the rows of cells, without empty lines and columns around them."""
    separator = None
    if text[:4].lower() == "sep=":  # Excel's own first line
        separator, text = text[4:5], text.partition("\n")[2]
    lines = text.rstrip("\n").split("\n")
    above, lines = _without_comments(lines)
    separator = separator or _separator(lines)
    rows = _cells(lines, separator)
    head = _cells(above, separator)  # numpy.savetxt writes the header as a comment
    if head and len(head[0]) == len(rows[0]):
        rows = head + rows
    while rows and not any(rows[-1]):
        rows.pop()
    while rows and not any(rows[0]):
        rows.pop(0)
    if not rows:
        raise ModelError(f"{name}: no rows")
    n_empty = sum(not any(row) for row in rows)
    if (
        n_empty and max(map(len, rows)) == 1 and n_empty < len(rows) // 2
    ):  # an empty line after each is a way to write
        empty = next(number for number, row in enumerate(rows, 1) if not any(row))
        raise ModelError(f"{name}: row {empty} of {len(rows)} is empty; every sample needs a value")
    rows = [row for row in rows if any(row) or len(row) > 1]
    while len(rows[0]) > 1 and not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    return separator, rows


def _without_comments(lines: list[str]) -> tuple[list[str], list[str]]:
    """The comment right above the first values ([] if there is none), and the lines that are none: no # before them."""
    kept = [number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    if not kept:  # all are called so
        return [], lines
    above = [line for line in lines[: kept[0]][-1:] if line.startswith("#")]
    return above, [line for line in lines[kept[0] :] if not line.startswith("#")]


def _cells(lines: list[str], separator: str) -> list[list[str]]:
    if separator == " ":
        return [line.removeprefix("#").split() for line in lines]
    return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]


def _separator(lines: list[str]) -> str:
    """The separator that gives the first lines equally many cells, more than one; where none does, what is there."""
    looked_at = [line for line in lines if line.strip()][:_LOOKED_AT]
    if _is_one_column_with_commas(lines):
        return ";"
    for separator in (";", "\t", ","):
        if not looked_at or separator not in looked_at[0]:  # one cell of any length, csv.reader has a limit
            continue
        counts = {len(row) for row in csv.reader(looked_at, delimiter=separator)}
        if len(counts) == 1 and counts != {1}:
            return separator
    for separator in (";", "\t", ","):
        if any(separator in line for line in looked_at):
            return separator
    numbers = [line.split() for line in looked_at[1:] or looked_at]
    several = all(len(row) > 1 and all(map(is_number, row)) for row in numbers)
    return " " if numbers and several else ","


def _is_one_column_with_commas(lines: list[str]) -> bool:
    """Below a header of one word 5,1 is one number and not two."""
    cells = [line.strip() for line in lines if line.strip()]
    if not cells or is_number(cells[0]) or "," in cells[0]:
        return False
    numbers = all(_COMMA.fullmatch(cell) or _WHOLE.fullmatch(cell) for cell in cells[1:])
    return numbers and any("," in cell for cell in cells)


# --- Is the first row a header? ---------------------------------------------------------------------------------------


def _is_header(table: Table) -> bool:
    """Whether it is, as far as that is sure; a doubt that its numbers of rows may settle is left in the table."""
    name, head, below = table.path.name, table.cells[0], table.cells[1:]
    numbers = [is_number(cell) for cell in head]
    if all(map(_is_value, head)) and not all(numbers):
        if not any(numbers) and len(head) > 1 and below:  # names of two classes, or values
            table.doubt = f"{name}: is its first line, {', '.join(head[:4])}, a header or a sample?"
        return False
    if all(numbers):
        return bool(below) and _is_numeric_header(table)
    if len(head) == 1:
        return bool(below) and is_number(below[0][0]) and head[0].lower() not in _MISSING
    counts = [str(i) for i in range(len(head) - 1)]
    if not any(numbers) or (head[0] in _INDEX_NAMES and head[1:] == counts):
        missing = all(cell.lower() in _MISSING for cell in head)
        return not missing and bool(below) and any(map(_is_value, below[0]))
    cell = head[numbers.index(False)]
    raise ModelError(
        f"{name}: row 1: expected numbers, got {cell!r}{_hint(cell) or '; if it is a header, say --header'}"
    )


def _is_numeric_header(table: Table) -> bool:
    """A first row of numbers: pandas' 0, 1, 2 ... is one; what else looks like one is asked about."""
    head, below = table.cells[0], table.cells[1:]
    whole = all(_WHOLE.fullmatch(cell) for cell in head)
    fractions = any(not _WHOLE.fullmatch(cell) for row in below for cell in row)
    shown = ", ".join(head[:4]) + (" ..." if len(head) > 4 else "")
    if len(head) == 1:
        if whole and below and not any(_WHOLE.fullmatch(row[0]) for row in below):
            table.doubt = f"{table.path.name}: is its first line, {shown}, a header or a sample?"
        return False
    counts = head in ([str(i) for i in range(len(head))], [str(i + 1) for i in range(len(head))])
    # what pandas writes where the names of columns are floats
    floats = len(head) >= _SURE_COLUMNS and head in (
        [f"{i + first}.0" for i in range(len(head))] for first in (0, 1)
    )
    if counts and fractions and len(head) >= _SURE_COLUMNS:
        table.notes.append(
            f"{table.path.name}: its first line, {shown}, is taken for a header; else: --no-header"
        )
        return True
    if counts or floats or _stands_out(head, below, whole):
        table.doubt = f"{table.path.name}: is its first line, {shown}, a header or a sample?"
    return False


def _stands_out(head: list[str], below: list[list[str]], whole: bool) -> bool:
    """Whether the first row, and no other, counts up: in whole numbers, or evenly, as years and wavelengths do."""

    def counts_up(row: list[str]) -> bool:
        try:
            steps = np.diff([float(cell.replace(",", ".")) for cell in row])
        except ValueError:
            return False
        even = len(row) > _SURE_COLUMNS and np.allclose(steps, steps[0], rtol=1e-6)
        return bool((steps > 0).all() and (even or (whole and all(map(_WHOLE.fullmatch, row)))))

    return counts_up(head) and not any(map(counts_up, below))


# --- Cells into numbers -----------------------------------------------------------------------------------------------


def with_points(table: Table) -> list[list[str]]:
    """Return the cells with decimal points. ModelError where a comma may be either, and where both are used."""
    with_comma = [cell for row in table.cells for cell in row if "," in cell]
    if not with_comma:
        if any(
            "_" in cell for row in table.cells for cell in row
        ):  # Python's numbers may have that, no table's
            raise _no_number(table)
        return table.cells
    name = table.path.name
    with_point = next((cell for row in table.cells for cell in row if "." in cell), None)
    if any("." in cell for cell in with_comma):
        raise _no_number(table)
    if with_point is not None:
        raise ModelError(
            f"{name}: decimal points and commas ({with_point!r}, {with_comma[0]!r}); use one of them"
        )
    sure = table.separator == ";" and len(table.cells[0]) > 1
    if not sure and all(map(_THOUSANDS.fullmatch, with_comma)):
        raise ModelError(
            f"{name}: {with_comma[0]!r} may be a decimal comma or thousands; write a point, or neither"
        )
    if not all(map(_COMMA.fullmatch, with_comma)):
        raise _no_number(table)
    return [[cell.replace(",", ".") for cell in row] for row in table.cells]


def _hint(cell: str) -> str:
    """What to do about a cell that is no number; "" if nobody knows."""
    if cell.lower() in _MISSING or cell.startswith("#"):  # Excel's errors: #N/A, #DIV/0!
        return "; a value is missing: fill it in, or leave that row out"
    return "; write it without separators of thousands" if _GROUPED.fullmatch(cell) else ""


def _no_number(table: Table) -> ModelError:
    """The error for the first cell that is no number, or for its column where no cell is one."""
    cells = ((r, c) for r, row in enumerate(table.cells) for c in range(len(row)) if not _is_value(row[c]))
    row, column = next(cells, (0, 0))
    cell, below = table.cells[row][column], [cells[column] for cells in table.cells]
    several = len(table.cells[0]) > 1
    if several and len(below) > 1 and not any(map(_is_value, below)):
        return ModelError(
            f"{table.path.name}: {table.column(column)} holds no numbers but {cell!r} and the like; "
            "leave it out (true answers are a file of their own)"
        )
    number = table.columns[column] if table.columns else column + 1
    where = f"row {row + table.first_row}" + (f", column {number}" if several else "")
    return ModelError(f"{table.path.name}: {where}: expected numbers, got {cell!r}{_hint(cell)}")
