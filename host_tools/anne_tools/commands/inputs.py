"""Samples from files for the commands: of one input a file, of several a file each or one .npz with their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from ..data.files import check_source
from ..data.samples import Samples, read_arrays, read_samples
from ..data.texts import harmless
from ..errors import ModelError
from .common import complete_files

METAVAR = "[NAME=]FILE"


@dataclass
class Given:
    """What files hold for a network: `values` as `as_inputs` takes them, the `names` of columns that a header has, and
    the files; `table` is the only file's content, of a network of one input."""

    values: Any
    names: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    table: Samples | None = None
    is_named: bool = False

    @property
    def what(self) -> str:
        """What messages call it: the only file, or the option that named one for each input."""
        return "--input" if self.is_named else self.paths[0].name


def input_option(*names: str, help: str) -> Callable:
    """An option for samples, which may be given for each input of a network."""
    return click.option(*names, multiple=True, metavar=METAVAR, help=help, shell_complete=complete_files)


def read_inputs(
    texts: Sequence[str], inputs: Sequence[str], header: bool | None, features: list[str]
) -> Given:
    """Return what `texts`, each a path or NAME=PATH, hold for the network's `inputs`, a list of names.

    ModelError for what is missing, unknown or there twice.
    """
    named = [_parted(text, inputs) for text in texts]
    paths = [path for _, path in named]
    if len(inputs) == 1:
        if len(named) > 1:
            raise ModelError(f"expected samples once, as the network has one input, got {len(named)} files")
        table = read_input(paths[0], header, features)
        return Given(table.values, table.names, paths, table)
    if len(named) == 1 and named[0][0] is None:
        return Given(_arrays(paths[0], inputs), paths=paths)
    found: dict[str, Any] = {}
    for name, path in named:
        if name is None or name in found:
            problem = f"{path.name} without a name" if name is None else f"{name} twice"
            raise ModelError(
                f"expected NAME=FILE for each of {', '.join(inputs)}, or one .npz; got {problem}"
            )
        found[name] = read_input(path, header, []).values
    return Given(found, paths=paths, is_named=True)


def _parted(text: str, inputs: Sequence[str]) -> tuple[str | None, Path]:
    """The name and the path in NAME=PATH, of names that fit the longest; one that no input has is part of a path."""
    for name in sorted(inputs, key=len, reverse=True):
        if text.startswith(f"{name}="):
            return name, Path(text[len(name) + 1 :])
    name, equals, rest = text.partition("=")
    if equals and not Path(text).exists() and Path(rest).exists():
        raise ModelError(f"expected inputs {', '.join(inputs)}; got {name or text}")
    return None, Path(text)


def _arrays(path: Path, inputs: Sequence[str]) -> Any:
    if path.suffix.lower() != ".npz":
        raise ModelError(
            f"{path.name}: the network has {len(inputs)} inputs: expected NAME=FILE for each of {', '.join(inputs)}, "
            "or one .npz with these names"
        )
    check_source(path)
    return read_arrays(path)


def read_input(path: Path, header: bool | None, features: list[str]) -> Samples:
    """Return the samples in a file; what was decided about a header is told on stderr.

    ModelError if its columns are the network's `features` in another order.
    """
    samples = read_samples(path, header)
    if samples.names != features and sorted(samples.names) == sorted(features):
        order = ", ".join(features)
        raise ModelError(
            f"{path.name}: its columns are the network's features, but not in their order: {order}"
        )
    for note in samples.notes:
        click.echo(harmless(f"note: {note}"), err=True)
    return samples
