"""Bounds that keep a hostile file from filling memory, in one place for every importer.

The boards have at most 16 MB of flash, so a network that comes near these bounds could not be used anyway.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence

from ..errors import ModelError

MAX_FILE_BYTES = 512 << 20
MAX_TEXT_BYTES = 32 << 20  # JSON inside or beside a model
MAX_ARRAY_ELEMENTS = 64 << 20
MAX_LAYERS = 10_000
MAX_NESTING = 50  # models inside models


def check_elements(what: str, shape: Sequence[int]) -> int:
    """Return the number of elements of `shape`; ModelError if negative or more than MAX_ARRAY_ELEMENTS.

    Call it before the array is read or made: a few bytes of header can claim any shape.
    """
    elements = math.prod(int(d) for d in shape)
    if elements < 0 or any(int(d) < 0 for d in shape) or elements > MAX_ARRAY_ELEMENTS:
        raise ModelError(f"{what}: {tuple(shape)} is more than the limit of {MAX_ARRAY_ELEMENTS} elements")
    return elements


def read_member(archive: zipfile.ZipFile, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of one member of a zip file, never more than `limit` of them.

    The size in the directory may lie in either direction, so the stream itself is cut off, too (a zip bomb is
    not expanded). ModelError where the member is missing or larger.
    """
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ModelError(f"{name} is missing in the archive") from None
    if info.file_size > limit:
        raise ModelError(f"{name} unpacks to {info.file_size} bytes, more than the limit of {limit}")
    with archive.open(info) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ModelError(f"{name} unpacks to more than the limit of {limit} bytes")
    return data
