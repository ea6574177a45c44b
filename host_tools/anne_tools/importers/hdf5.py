"""HDF5 files as plain groups and arrays, read by another process because damaged files crash libhdf5."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py  # noqa: F401 - hdf5_dump needs it: whoever lacks it shall hear of it before a process is started
import numpy as np

from ..errors import ModelError
from . import budget
from .bfloat16 import to_float32

TIMEOUT_S = 30
# What becomes of an array at worst: as it is stored, as float64, and that once more on its way to float32.
_COPIES = 4
# What a process ends with that has used up the processor time hdf5_dump allows itself.
_TOO_SLOW = -getattr(signal, "SIGPROF", 0)


@dataclass
class Group:
    """A group: text attributes, and members that are groups, arrays, or texts saying why they were not read."""

    path: str
    attributes: dict[str, str | list[str]] = field(default_factory=dict)
    members: dict[str, Group | np.ndarray | str] = field(default_factory=dict)

    def group(self, path: str) -> Group:
        """Return the group at `path` below this one; ModelError if there is none."""
        member = self._member(path, "a group")
        if not isinstance(member, Group):
            raise ModelError(f"{self.path}: expected {path!r} to be a group, found {_what(member)}")
        return member

    def array(self, path: str, what: str, dtype: str = "") -> np.ndarray:
        """Return the numbers at `path` as float64, which holds float32 exactly; `what` is their name in errors.

        `dtype` says what they are where the file does not: uint16 are the bits of "bfloat16".
        """
        member = self._member(path, "numbers")
        if not isinstance(member, np.ndarray):
            raise ModelError(f"{what}: expected numbers at {path!r}, found {_what(member)}")
        budget.elements(what, member.shape)  # layers may name one array as often as they like
        if dtype == "bfloat16" and member.dtype == np.uint16:
            member = to_float32(member)
        return member.astype(np.float64)

    def texts(self, attribute: str) -> list[str]:
        """Return a list kept in an attribute, or, where it is long, in several with numbers at their ends."""
        if attribute not in self.attributes:
            parts = [f"{attribute}{number}" for number in range(len(self.attributes))]
            return [text for part in parts for text in self.attributes.get(part, [])]
        value = self.attributes[attribute]
        return [value] if isinstance(value, str) else value

    def _member(self, path: str, expected: str) -> Group | np.ndarray | str:
        member: Any = self
        for part in filter(None, path.split("/")):
            if not isinstance(member, Group) or part not in member.members:
                raise ModelError(f"{self.path}: expected {expected} at {path!r}, not found")
            member = member.members[part]
        return member


def _what(member: Group | np.ndarray | str) -> str:
    return member if isinstance(member, str) else "a group" if isinstance(member, Group) else "numbers"


def read_hdf5(data: bytes, *members: str) -> Group:
    """Return the root group of an HDF5 file, of its members only those named (all if none is).

    ModelError if the file is damaged, even where libhdf5 crashes or hangs.
    """
    most = budget.bytes_left()
    limits = most // _COPIES, most // budget.JSON_BYTES_PER_BYTE
    status, output, errors = run_dump([*map(str, limits), *members], data, sum(limits) * 2)
    if status is None:
        raise ModelError(f"damaged HDF5: it could not be read in {TIMEOUT_S} s")
    if status:
        lines = errors.decode(errors="replace").strip().splitlines() if status == 1 else []
        failure = "is too slow on it" if status == _TOO_SLOW else "crashed on it"
        raise ModelError(f"damaged HDF5: {lines[-1][:200] if lines else f'the HDF5 library {failure}'}")
    if len(output) > sum(limits) * 2:
        raise ModelError(f"HDF5: it unpacks to more than the limit of {sum(limits) * 2} bytes")
    budget.spend(_COPIES * len(output), "HDF5")
    length = int.from_bytes(output[:8], "little")
    return _group("/", json.loads(output[8 : 8 + length]), memoryview(output)[8 + length :])


def run_dump(arguments: list[str], data: bytes, most_bytes: int) -> tuple[int | None, bytes, bytes]:
    """Return the status of hdf5_dump (None: it took too long), its output, and the end of its errors.

    Of the output at most `most_bytes` and one more are read: what the program promises is not believed.
    """
    command = [sys.executable, str(Path(__file__).with_name("hdf5_dump.py")), *arguments]
    late = threading.Event()
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        timer = threading.Timer(TIMEOUT_S, lambda: (late.set(), process.kill()))
        timer.start()
        try:
            with suppress(BrokenPipeError):  # it has ended already; its status says why
                process.stdin.write(data)
                process.stdin.close()
            output = process.stdout.read(most_bytes + 1)
            if len(output) > most_bytes:
                process.kill()
            process.wait()
        finally:
            timer.cancel()
            process.kill()
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 1000))
        return None if late.is_set() else process.returncode, output, errors.read()


def _group(path: str, tree: dict[str, Any], arrays: memoryview) -> Group:
    group = Group(path, tree["attributes"])
    for name, member in tree["members"].items():
        if isinstance(member, dict):
            is_array = "dtype" in member
            below = f"{path.rstrip('/')}/{name}"
            group.members[name] = _array(member, arrays) if is_array else _group(below, member, arrays)
        else:
            group.members[name] = member
    return group


def _array(array: dict[str, Any], arrays: memoryview) -> np.ndarray:
    is_bfloat16, shape = array["dtype"] == "bfloat16", tuple(array["shape"])
    dtype = np.dtype("<u2" if is_bfloat16 else array["dtype"])
    values = (
        np.frombuffer(arrays, dtype, math.prod(shape), array["at"])
        if math.prod(shape)
        else np.empty(0, dtype)
    )
    return (to_float32(values) if is_bfloat16 else values).reshape(shape)
