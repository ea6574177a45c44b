"""A table to learn from: columns of numbers, and one with the answer to each row: the name of a class, or a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import ModelError
from .csv_files import Table, headed, is_number, read_table, with_points
from .texts import same_name


@dataclass(frozen=True)
class Labelled:
    """Rows to learn from: `x` float32 (n_rows, n_features), and the text of each row's answer.

    `names` are those of the features and `target` that of the answers, where a header has them; `notes` what was
    decided.
    """

    path: Path
    x: np.ndarray
    answers: list[str]
    names: list[str] = field(default_factory=list)
    target: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def are_numbers(self) -> bool:
        """Whether all answers are."""
        return all(map(_is_finite, self.answers))

    @property
    def classes(self) -> list[str]:
        """The different answers: numbers by their size, words by the alphabet."""
        different = sorted(set(self.answers))
        return sorted(different, key=float) if self.are_numbers else different

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each class has."""
        counted = Counter(self.answers)
        return {name: counted[name] for name in self.classes}

    def class_numbers(self, classes: Sequence[str]) -> np.ndarray:
        """Return for each row its answer's place in `classes`."""
        numbers = {name: number for number, name in enumerate(classes)}
        return np.array([numbers[answer] for answer in self.answers], np.float32)

    def numbers(self) -> np.ndarray:
        """Return the answers as numbers; ModelError names the first that is none."""
        wrong = next((answer for answer in self.answers if not _is_finite(answer)), None)
        if wrong is not None:
            named = f" ({self.target})" if self.target else ""
            raise ModelError(f"{self.path.name}: the answers{named}: expected numbers, got {wrong!r}")
        return np.array(list(map(float, self.answers)), np.float32)

    def only(self, rows: np.ndarray) -> Labelled:
        """Return the rows of these indices."""
        return replace(self, x=self.x[rows], answers=[self.answers[row] for row in rows])


def read_labelled(
    path: Path, target: str | None = None, ignored: Sequence[str] = (), header: bool | None = None
) -> Labelled:
    """Return the table in a .csv file: the column called `target`, else the last, has the answers; those called
    `ignored` are left out.

    ModelError in one line says what is wrong, as for any table, and for columns that are not there.
    """
    whole = read_table(path, header=False)
    if len(whole.cells[0]) < 2:
        raise ModelError(f"{path.name}: expected columns of numbers and one of answers, got one column")
    if header is None and (target is not None or ignored):
        header = True  # names are in a header
    if header is None and len(whole.cells) == 1 and not any(map(is_number, whole.cells[0])):
        header = True  # names, and nothing below them
    first, *below = (row[-1] for row in whole.cells)
    if header is None and not is_number(first) and first in below:
        header = False  # a class, and not the word for all of them
    table = headed(whole, header, n_columns=-1)
    if table.doubt:
        raise ModelError(f"{table.doubt}; say --header or --no-header")
    if (target is not None or ignored) and not table.names:
        raise ModelError(
            f"{path.name}: columns have no names without a header; {target or ignored[0]!r} is none"
        )
    answers = len(table.cells[0]) - 1 if target is None else _column(table, target)
    left_out = {answers, *(_column(table, name) for name in ignored)}
    features = table.only([index for index in range(len(table.cells[0])) if index not in left_out])
    if not features.cells[0]:
        raise ModelError(f"{path.name}: expected columns of numbers beside the answers, got none")
    return Labelled(
        path,
        _numbers(features),
        _answers(table, answers),
        features.names,
        table.names[answers] if table.names else "",
        table.notes,
    )


def _column(table: Table, name: str) -> int:
    found = [i for i, other in enumerate(table.names) if same_name(other) == same_name(name)]
    if len(found) != 1:
        problem = f"{len(found)} columns are called" if found else "no column is called"
        raise ModelError(f"{table.path.name}: {problem} {name!r}; there are: {', '.join(table.names)}")
    return found[0]


def _numbers(features: Table) -> np.ndarray:
    for index in range(len(features.cells[0])):
        if not any(is_number(row[index]) for row in features.cells) and features.names:
            cell, name = features.cells[0][index], features.names[index]
            raise ModelError(
                f"{features.path.name}: {features.column(index)}: expected numbers, got {cell!r}; "
                f"it is left out by: --ignore {name!r}"
            )
    values = features.values()
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    for row, column in np.argwhere(~np.isfinite(values)):
        raise ModelError(
            f"{features.path.name}: row {row + features.first_row}, {features.column(column)}: expected a number that "
            f"float32 has, got {features.cells[row][column]!r}; fill it in, or leave that row out"
        )
    return values


def _answers(table: Table, index: int) -> list[str]:
    answers = [row[index] for row in table.cells]
    if "" in answers:
        raise ModelError(
            f"{table.path.name}: row {answers.index('') + table.first_row}, {table.column(index)}: the answer is "
            "missing; fill it in, or leave that row out"
        )
    if all(map(is_number, answers)) and any("," in answer for answer in answers):
        # columns beside it make sure that its commas are no thousands, as for the table
        kept = [
            index,
            *(i for i in range(len(table.cells[0])) if all(is_number(row[i]) for row in table.cells)),
        ]
        return [row[0] for row in with_points(table.only(kept))]
    return answers


def _is_finite(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def split(data: Labelled, part: float, seed: int, by_class: bool) -> tuple[Labelled, Labelled]:
    """Return the rows to learn from, and `part` of them, held out to test; each in the file's order.

    With `by_class` each class gives of its rows the same part, to the nearest whole one. The same seed gives the same.
    """
    groups: dict[str, list[int]] = {}
    for row, answer in enumerate(data.answers):
        groups.setdefault(answer if by_class else "", []).append(row)
    random = np.random.default_rng(seed)
    held_out = np.zeros(len(data.answers), bool)
    for _, rows in sorted(groups.items()):
        held_out[random.permutation(rows)[: int(part * len(rows) + 0.5)]] = True
    return data.only(np.flatnonzero(~held_out)), data.only(np.flatnonzero(held_out))
