"""A user's files: plain ones are read; written are whole ones or none, and never over what was given to be read."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..errors import ModelError


def check_source(path: Path) -> Path:
    """Return `path` if a plain file is there. ModelError if not: a pipe may never end, and a device has no end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ModelError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise ModelError(f"{path}: expected a file, got {kind}")
    return path


def read_whole(path: Path) -> bytes:
    """Return what a plain file holds. ModelError in one line if there is none, or it cannot be read."""
    try:
        return check_source(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from None


def check_target(path: Path, sources: Iterable[Path | None] = ()) -> Path:
    """Return the file that writing to `path` replaces: itself, or where a symbolic link leads.

    ModelError if it may not be written: it is one of `sources` (under whatever name: links are seen through), a folder,
    a device, a pipe, a file that is read-only or has a second name (which would keep the old content), or there is no
    such folder.
    """
    try:
        target = path.resolve()
        there = path.stat() if path.exists() else None
        if target.is_symlink():  # that could not be followed; before Python 3.13 it was a RuntimeError
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None
    if there is None:
        if not target.parent.is_dir():
            raise ModelError(f"{path}: cannot be written: {target.parent} is no folder")
        return target
    for source in sources:
        with suppress(OSError):
            if source is not None and os.path.samestat(source.stat(), there):
                raise ModelError(
                    f"{path}: would replace {source}, which is read; name another file to write to"
                )
    if not stat.S_ISREG(there.st_mode):
        kind = "a folder" if stat.S_ISDIR(there.st_mode) else "a pipe or a device"
        raise ModelError(f"{path}: expected a file or a new name to write to, got {kind}")
    if not os.access(target, os.W_OK):
        raise ModelError(f"{path}: cannot be written: it is read-only")
    if there.st_nlink > 1:
        raise ModelError(
            f"{path}: has another name (a hard link) that would keep the old content; remove it first"
        )
    return target


def write_atomically(path: Path, data: bytes, sources: Iterable[Path | None] = ()) -> None:
    """Write `data` beside `path`, then rename: a reader sees the old file or the new. Mode and owner stay.

    ModelError as of `check_target`, and if it fails; then `path` is as it was.
    """
    target = check_target(path, sources)
    beside = target.with_name(f".anne-{secrets.token_hex(8)}.tmp")  # a name that is nobody's
    try:
        with beside.open("xb") as file:
            _take_mode(file.fileno(), target)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _take_mode(descriptor: int, target: Path) -> None:
    """Give an open file the owner and the mode of `target`, if that is there."""
    if not target.exists() or not hasattr(os, "fchown"):
        return
    there = target.stat()
    with suppress(PermissionError):  # only root may give files away
        os.fchown(descriptor, there.st_uid, there.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(there.st_mode))
