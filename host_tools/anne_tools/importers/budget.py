"""One budget of time, memory, depth and steps for everything that is done with a source, crafted or not.

`load` begins one with the size of the file; the importers charge to it what they are about to do, before they do it. So
a file under 1 MB costs at most a second and 512 MB, whatever is in it, and is else refused by a ModelError. Outside of
`load` every charge has a fresh budget, so that a module can be used alone.

A step is about a microsecond of Python: an item looked at, a field read. Bytes are those of decompressed members, of
arrays and of what JSON becomes, all together. The processor time is the net below both, for what was counted too low.
"""

from __future__ import annotations

import io
import json
import math
import re
import stat
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from anne import model_file

from ..errors import ModelError

MAX_FILE_BYTES = 512 << 20
MAX_LAYERS = model_file.MAX_LAYERS
# A layer of the model file may be several operations of a framework: a product, a sum, an activation, a reshape ...
MAX_OPERATIONS = 16 * MAX_LAYERS
MAX_LEVELS = 50  # models inside models, groups inside groups
MAX_MEMBERS = 10_000  # of a zip file
# What every source may cost, and what each byte of its file adds.
STEPS, STEPS_PER_BYTE = 100_000, 0.25
BYTES, BYTES_PER_BYTE, MAX_BYTES = 64 << 20, 32, 4 << 30
TIME_S, TIME_S_PER_BYTE = 0.4, 1e-7
# JSON as Python's objects, at worst ("[],[],[]"), for each byte of its text
JSON_BYTES_PER_BYTE = 32
# An entry of a zip file's directory; the length of what it has beside its name, which zipfile reads in time that grows
# with the square of it.
_ZIP_ENTRY = re.compile(rb"PK\x01\x02(?=.{26}(..))", re.DOTALL)
_ZIP_ENTRY_BYTES = 32
_ZIP_ENTRY_STEPS, _MEMBER_STEPS = 10, 20
_EXTRA_BYTES_SQUARED_PER_STEP = 50_000


class Budget:
    """What is left for one source: a file of `file_bytes` bytes, or an infinite one, which may take what it takes."""

    def __init__(self, file_bytes: float = 0):
        self.max_steps = self.steps_left = STEPS + STEPS_PER_BYTE * file_bytes
        self.max_bytes = self.bytes_left = (
            min(BYTES + BYTES_PER_BYTE * file_bytes, MAX_BYTES) if math.isfinite(file_bytes) else math.inf
        )
        self.max_time_s = TIME_S + TIME_S_PER_BYTE * file_bytes
        self.end_s = time.thread_time() + self.max_time_s
        self.level = 0


def add_file(file_bytes: int) -> None:
    """The source has another file, of `file_bytes` bytes: as much more may be done as for one of both together."""
    budget, more = _budget(), Budget(min(file_bytes, MAX_FILE_BYTES))
    budget.max_steps += more.max_steps - STEPS
    budget.steps_left += more.max_steps - STEPS
    budget.max_bytes += more.max_bytes - BYTES
    budget.bytes_left += more.max_bytes - BYTES
    budget.max_time_s += more.max_time_s - TIME_S
    budget.end_s += more.max_time_s - TIME_S


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def begin(file_bytes: float) -> Iterator[None]:
    """Everything in this block is charged to one budget. An object that the user made has an infinite one."""
    token = _current.set(Budget(file_bytes))
    try:
        yield
    finally:
        _current.reset(token)


def _budget() -> Budget:
    return _current.get() or Budget()


def steps(n: float, what: str) -> None:
    """Charge `n` steps; ModelError naming `what` if not as many are left, or if the time is over."""
    budget = _budget()
    budget.steps_left -= n
    if budget.steps_left < 0:
        raise ModelError(
            f"{what}: more than the limit of {budget.max_steps:.0f} steps for a file of its size"
        )
    if time.thread_time() > budget.end_s:
        raise ModelError(f"{what}: more than the limit of {budget.max_time_s:.1f} s for a file of its size")


def spend(n_bytes: int, what: str) -> None:
    """Charge memory; ModelError naming `what` if the source has asked for more than its size allows."""
    budget = _budget()
    budget.bytes_left -= n_bytes
    if budget.bytes_left < 0:
        raise ModelError(
            f"{what}: unpacks to more than the limit of {budget.max_bytes} bytes for a file of its size"
        )


def bytes_left() -> int:
    """What the source may still ask for: the limit of a process that reads part of it."""
    return int(max(0, min(_budget().bytes_left, MAX_BYTES)))


def elements(what: str, shape: Sequence[int], item_bytes: int = 8) -> int:
    """Return the number of elements of `shape` and charge its bytes; ModelError if negative or too many.

    Call it before the array is read or made: a few bytes of header can claim any shape.
    """
    if len(shape) > 32:
        raise ModelError(f"{what}: {len(shape)} axes are more than the limit of 32")
    sizes = [int(d) for d in shape]
    if any(d < 0 or d >= 1 << 63 for d in sizes):
        raise ModelError(f"{what}: {_short(tuple(sizes))} is more than the limit of sizes, or negative")
    n = math.prod(sizes)
    spend(n * item_bytes, f"{what}: {tuple(sizes)}")
    return n


def value(what: str, shape: Sequence[int]) -> None:
    """ModelError if a value that flows is larger than a model file's may be; nothing is charged, as none is made."""
    sizes = [int(d) for d in shape]
    if min(sizes, default=0) < 0 or math.prod(sizes) > model_file.MAX_ELEMENTS:
        raise ModelError(
            f"{what}: {_short(tuple(sizes))}: expected at most {model_file.MAX_ELEMENTS} elements"
        )


def layers(n: int) -> None:
    """ModelError if a network of `n` layers cannot become a model file; call it before they are worked on."""
    if n > MAX_LAYERS:
        raise ModelError(f"{n} layers are more than the limit of {MAX_LAYERS}")


def operations(n: int) -> None:
    """ModelError if a file lists more operations than the layers of a model file can stand for."""
    if n > MAX_OPERATIONS:
        raise ModelError(f"{n} operations are more than the limit of {MAX_OPERATIONS}")
    steps(n, "operations")


@contextmanager
def level(what: str) -> Iterator[None]:
    """One level deeper inside this block; ModelError if there are more than MAX_LEVELS of `what`."""
    budget = _budget()
    if budget.level >= MAX_LEVELS:
        raise ModelError(f"more than {MAX_LEVELS} {what} inside each other")
    budget.level += 1
    try:
        yield
    finally:
        budget.level -= 1


def parse_json(text: bytes | str, what: str) -> dict[str, Any]:
    """Return the object in a JSON text; ModelError for other JSON, and for what is deep, huge or damaged."""
    spend(JSON_BYTES_PER_BYTE * len(text), what)
    try:
        value = json.loads(text, parse_int=_integer)
        if isinstance(value, str) and value[:1] == "{":  # JSON that was written as JSON once more
            value = json.loads(value, parse_int=_integer)
    except RecursionError:
        raise ModelError(f"{what}: its lists and objects are nested too deeply") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{what} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelError(f"{what}: expected a JSON object, got {type(value).__name__}")
    return value


def _integer(digits: str) -> int | float:
    """An integer; beyond 64 bits a float, since what is done with long integers takes the square of their length."""
    return int(digits) if len(digits) < 20 else float(digits)


@contextmanager
def open_zip(path: Path | io.BytesIO) -> Iterator[zipfile.ZipFile]:
    """The zip file, if its directory is small enough to be read; zipfile.BadZipFile if it is damaged."""
    entries, reading = 0, 0
    for extra in _extras(path):
        entries, reading = entries + 1, reading + extra**2 // _EXTRA_BYTES_SQUARED_PER_STEP
    if entries > MAX_MEMBERS:
        raise ModelError(f"an archive of {entries} members, more than the limit of {MAX_MEMBERS}")
    steps(_ZIP_ENTRY_STEPS * entries + reading, "the archive's directory")
    with zipfile.ZipFile(path) as archive:
        yield archive


def _extras(path: Path | io.BytesIO) -> Iterator[int]:
    """For at least each entry of a zip file's directory the bytes that it has beside its name, without zipfile's
    objects."""
    tail = b""
    with io.BytesIO(path.getvalue()) if isinstance(path, io.BytesIO) else path.open("rb") as file:
        while block := file.read(1 << 20):
            for found in _ZIP_ENTRY.finditer(tail + block):
                yield int.from_bytes(found[1], "little")
            tail = block[1 - _ZIP_ENTRY_BYTES :]


def read_member(archive: zipfile.ZipFile, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of one member of a zip file, never more than `limit` of them, and charge them before.

    The size in the directory may lie in either direction, so the stream itself is cut off, too (a zip bomb is
    not expanded). ModelError where the member is missing or larger.
    """
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ModelError(f"{_short(name)} is missing in the archive") from None
    if info.file_size > limit:
        raise ModelError(f"{_short(name)} unpacks to {info.file_size} bytes, more than the limit of {limit}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ModelError(
            f"{_short(name)} is compressed in a way that is not read; expected stored or deflated"
        )
    spend(info.file_size, _short(name))
    steps(_MEMBER_STEPS, _short(name))
    with archive.open(info) as stream:
        data = stream.read(info.file_size + 1)
    steps(0, _short(name))
    if len(data) > info.file_size:
        raise ModelError(f"{_short(name)} unpacks to more than the {info.file_size} bytes of the directory")
    return data


def file_bytes(path: Path) -> int:
    """Return the size of a file; ModelError if it is not there, no plain file, empty or larger than MAX_FILE_BYTES."""
    try:
        status = path.stat()
        is_file = stat.S_ISREG(status.st_mode)
        if is_file:  # a pipe would be waited for without end
            path.open("rb").close()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{str(path)!r}: {error}") from error
    if not is_file:
        raise ModelError(f"{path}: neither a folder nor a plain file; save the model in one")
    size = status.st_size
    if size > MAX_FILE_BYTES:
        raise ModelError(f"{path.name}: {size} bytes, more than the limit of {MAX_FILE_BYTES}")
    if not size:
        raise ModelError(f"{path.name}: the file is empty")
    return size


def _short(value: object) -> str:
    return str(value)[:80]
