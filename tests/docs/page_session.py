"""A reader who follows a page from its first block to the last: one folder, one Python, one shell, one Pico."""

import contextlib
import doctest
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.firmware import find_firmware
from anne_tools.errors import ModelError
from page_blocks import Block
from page_terminal import seen, terminal


class _Checker(doctest.OutputChecker):
    """Compares what a page shows with what one sees in the end."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return super().check_output(seen(want), seen(got), optionflags)


# `...` in what a page shows stands for anything, as in doctest.
_CHECK = _Checker()
_FLAGS = doctest.ELLIPSIS
_EMULATE = re.compile(r"^anne emulate((?: --(?:put|board-file) \S+)*)$")


def agrees(shown: str, got: str) -> bool:
    """Whether what a page shows is what came, but for spaces at the end of lines."""
    return _CHECK.check_output(shown, got, _FLAGS)


class Session:
    """What the blocks of a page share. `run` raises AssertionError where one does not do what the page shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[str, object] = {"__name__": "__main__"}
        self._pico: EmulatedPico | None = None
        self._environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "MPLBACKEND": "Agg",
            "PYTHONIOENCODING": "utf-8",
            "ANNE_FIRMWARE": str(find_firmware_or_skip()),
        }

    def run(self, block: Block) -> None:
        for path, name in block.files:
            shutil.copy(path, self.folder / name)
        if block.on_board:
            self._type(block)
        elif block.kind == "python":
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block.text, block.place, "exec"), self._names)
        elif block.kind == "pycon":
            self._prompt(block)
        elif block.kind == "console":
            for command, shown in commands(block.text):
                self._command(block, command, shown)

    def _type(self, block: Block) -> None:
        if self._pico is None or block.files:
            self._start(" ".join(f"--put {name}" for _, name in block.files))
        if block.after_reset:
            self._pico.reset()
        got = terminal(self._pico, block.text)
        assert agrees(block.text, got), f"{block.place}: the board shows\n{got}"

    def _start(self, options: str) -> None:
        """Boot a Pico as `anne emulate` does, with what --put brings."""
        files = {f"/{Path(name).name}": name for name in re.findall(r"--put (\S+)", options)}
        contents = {path: (self.folder / name).read_bytes() for path, name in files.items()}
        self._pico = EmulatedPico(self._environment["ANNE_FIRMWARE"], files=contents, flash_cache=None)
        self._pico.boot()

    def _prompt(self, block: Block) -> None:
        test = doctest.DocTestParser().get_doctest(block.text, {}, block.place, block.place, 0)
        test.globs = self._names
        runner, told = doctest.DocTestRunner(_CHECK, verbose=False, optionflags=_FLAGS), io.StringIO()
        with contextlib.chdir(self.folder):
            runner.run(test, out=told.write, clear_globs=False)
        assert not runner.failures, told.getvalue()

    def _command(self, block: Block, command: str, shown: str) -> None:
        if match := _EMULATE.match(command):
            self._start(match[1])
            return
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        status = 1 if re.search(r"^anne: ", shown, re.M) else 0
        assert done.returncode == status, (
            f"{block.place}: {command}: exit status {done.returncode}\n{done.stdout}"
        )
        assert not shown or agrees(shown, done.stdout), f"{block.place}: {command} shows\n{done.stdout}"


def commands(text: str) -> list[tuple[str, str]]:
    """Return what is typed behind each `$`, without its comment, and what the terminal shows then, "" if left out."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append([re.sub(r"\s+# .*$", "", line[2:]), ""])
        else:
            found[-1][1] += f"{line}\n"
    return [(command, shown) for command, shown in found]


def find_firmware_or_skip() -> Path:
    """Return the firmware for the emulated Pico; without one what needs it is skipped."""
    try:
        return find_firmware()
    except ModelError as error:
        pytest.skip(str(error))
