"""Weights in a second file beside an ONNX model, as today's torch.onnx.export writes them.

The model names the file, and is hostile: the name must be a plain one, in the model's own folder also after links have
been followed, of a regular file, long enough for what is claimed. (ONNX's own loader could be made to read any file,
CVE-2024-27318.)
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import ModelError
from . import budget
from .flow import label

# A colon begins a stream or follows a drive on Windows; elsewhere onnx writes names such as "onnx::MatMul_12".
_NOT_PLAIN = set("/\\\0") | (set(":") if os.name == "nt" else set())
_FILE_STEPS = 100  # of opening a file


class ExternalData:
    """The files in the folder of one model, which is what counts for its budget as if all were one file."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.counted: set[Path] = set()

    def count(self, entries: list[dict[str, str]], where: str) -> None:
        """Add the file that `entries` name to the budget, once."""
        budget.steps(_FILE_STEPS, where)
        path = self._path(_said(entries).get("location", ""), where)
        if path not in self.counted:
            self.counted.add(path)
            with _opened(path, where) as (_, size):
                budget.add_file(size)

    def read(self, entries: list[dict[str, str]], expected: int, where: str) -> bytes:
        """Return the `expected` bytes of a tensor, whose `entries` say location, offset and length."""
        said = _said(entries)
        offset = _number(said.get("offset") or "0", where, "offset")
        length = _number(said.get("length") or str(expected), where, "length")
        if length != expected:
            raise ModelError(f"{where}: expected {expected} bytes in a second file, got a length of {length}")
        path = self._path(said.get("location", ""), where)
        with _opened(path, where) as (file, size):
            if offset + length > size:
                raise ModelError(
                    f"{where}: expected {length} bytes at {offset} of {path.name}, which has {size}"
                )
            budget.spend(length, where)
            file.seek(offset)
            data = file.read(length)
        if len(data) != length:
            raise ModelError(f"{where}: {path.name} became shorter while it was read")
        return data

    def _path(self, name: str, where: str) -> Path:
        """Return the path of a file with a plain `name` that really lies in the model's folder."""
        shown = label(name, "?")
        if not name or set(name) & _NOT_PLAIN or name in (".", ".."):
            raise ModelError(
                f"{where}: its weights are in {shown!r}; expected a plain name of a file beside the model"
            )
        try:
            folder, path = self.folder.resolve(), (self.folder / name).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(f"{where}: {shown!r} cannot be followed") from error
        if path.parent != folder:
            raise ModelError(f"{where}: {shown!r} is a link out of the model's folder, which is not followed")
        return path


@contextmanager
def _opened(path: Path, where: str) -> Iterator[tuple[BinaryIO, int]]:
    """The regular file `path` and its size; ModelError for all else, also for what would wait for a writer."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ModelError(f"{where}: {path.name} beside the model is not a regular file")
            yield file, status.st_size
    except OSError as error:
        raise ModelError(
            f"{where}: its weights are in {path.name} beside the model, which cannot be read: {error.strerror}"
        ) from error


def _said(entries: list[dict[str, str]]) -> dict[str, str]:
    return {entry.get("key", ""): entry.get("value", "") for entry in entries}


def _number(text: str, where: str, what: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ModelError(f"{where}: its {what} in a second file is {label(text, '?')!r}, not a number")
    return int(text)
