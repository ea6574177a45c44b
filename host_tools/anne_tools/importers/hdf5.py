"""HDF5 files as plain groups and arrays, read by another process because damaged files crash libhdf5."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py  # noqa: F401 - hdf5_dump needs it: whoever lacks it shall hear of it before a process is started
import numpy as np

from ..errors import ModelError
from . import budget
from .bfloat16 import to_float32

TIMEOUT_S = 30
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
    program = [sys.executable, str(Path(__file__).with_name("hdf5_dump.py"))]
    limits = [str(budget.bytes_left() // 8), str(budget.bytes_left() // budget.JSON_BYTES_PER_BYTE)]
    try:
        done = subprocess.run(
            [*program, *limits, *members], input=data, capture_output=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"damaged HDF5: it could not be read in {TIMEOUT_S} s") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() if done.returncode == 1 else []
        failure = "is too slow on it" if done.returncode == _TOO_SLOW else "crashed on it"
        raise ModelError(f"damaged HDF5: {lines[-1][:200] if lines else f'the HDF5 library {failure}'}")
    arrays = np.load(io.BytesIO(done.stdout), allow_pickle=False)
    return _group("/", json.loads(arrays["tree"].tobytes()), arrays)


def _group(path: str, tree: dict[str, Any], arrays) -> Group:
    group = Group(path, tree["attributes"])
    for name, member in tree["members"].items():
        if isinstance(member, dict):
            group.members[name] = _group(f"{path.rstrip('/')}/{name}", member, arrays)
        else:
            group.members[name] = _array(member, arrays) if isinstance(member, int) else member
    return group


def _array(number: int, arrays) -> np.ndarray:
    name = str(number)
    return arrays[name] if name in arrays else to_float32(arrays[f"{name} bfloat16"])
