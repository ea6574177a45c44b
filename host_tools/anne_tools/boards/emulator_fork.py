"""Copies of a booted machine: `with forked(machine) as copy:` costs milliseconds and leaves the original as it is.

The emulator's state lies in C objects that cannot be copied piece by piece, so the copy is a forked process with the
whole of it in memory. `ForkedPico` offers EmulatedPico's methods and properties and passes them on through a pipe.
"""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from ..errors import DeviceError
from .emulator import EmulatedPico


class ForkedPico:
    """A copy of an EmulatedPico in its own process, with the same methods; of callbacks only `on_output`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(EmulatedPico, name, None)
        if name.startswith("_") or attribute is None and name not in ("uf2", "elf", "layout"):
            raise AttributeError(f"EmulatedPico has no {name}")
        if callable(attribute):
            return lambda *arguments, **options: self._call(name, arguments, options)
        return self._call(name, None, {})

    def _call(self, name: str, arguments: tuple | None, options: dict) -> Any:
        on_output = options.pop("on_output", None)
        self._connection.send((name, arguments, options, on_output is not None))
        while True:
            kind, value = self._connection.recv()
            if kind == "output":
                on_output(value)
            elif kind == "raised":
                raise value
            else:
                return value


@contextmanager
def forked(machine: EmulatedPico) -> Iterator[ForkedPico]:
    """Give a copy of a machine that is used and then thrown away. DeviceError on systems without fork (Windows)."""
    if not hasattr(os, "fork"):
        raise DeviceError("a copy of the emulated Pico needs fork, which Windows has not; boot another one")
    ours, its = Pipe()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            _serve(machine, its)
        finally:
            os._exit(0)
    its.close()
    try:
        yield ForkedPico(ours)
    finally:
        ours.close()
        os.waitpid(pid, 0)


def _serve(machine: EmulatedPico, connection: Connection) -> None:
    while True:
        try:
            name, arguments, options, streams = connection.recv()
        except EOFError:
            return
        if streams:
            options["on_output"] = lambda text: connection.send(("output", text))
        try:
            attribute = getattr(machine, name)
            result = attribute if arguments is None else attribute(*arguments, **options)
            connection.send(("result", result))
        except Exception as error:  # whatever it is, it belongs to the caller on the other side
            error.add_note("in the forked emulator:\n" + traceback.format_exc())
            connection.send(("raised", error))
