"""`anne completion`: what bash makes of the Tab key, typed into a bash of its own."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROMPT = "ready> "
SECONDS = 60  # on a busy machine; each key takes half a second


@pytest.fixture
def bash(tmp_path) -> Iterator[Callable[[str, str], str]]:
    """Type keys into a bash with the script, in a folder with net.anne; gives what is shown up to the text awaited."""
    if not shutil.which("bash"):
        pytest.skip("no bash")
    (tmp_path / "net.anne").write_bytes(b"ANNE")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    keys, terminal = pty.openpty()
    process = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-i"], stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path,
        env={"PATH": path, "PS1": PROMPT, "TERM": "dumb", "HOME": str(tmp_path)}, start_new_session=True,
    )  # fmt: skip

    def typed(text: str, awaited: str) -> str:
        os.write(keys, text.encode())
        shown, end = "", time.monotonic() + SECONDS
        while awaited not in shown and time.monotonic() < end:
            if select.select([keys], [], [], 1)[0]:
                shown += os.read(keys, 4096).decode()
        assert awaited in shown, shown
        return shown

    typed("", PROMPT)
    typed('eval "$(anne completion bash)"; echo done\n', "done\r\n" + PROMPT)
    yield typed
    process.kill()
    process.wait()
    os.close(keys)
    os.close(terminal)


def test_commands_options_values_and_files_are_completed(bash):
    bash("anne insp\t", "inspect ")
    bash("n\t", "net.anne ")
    bash("--plot-\t", "memory ")
    bash("net\t", ".anne ")
    bash("--board pico-m\t", "pico-models ")
    bash("\x15anne run n\t", "net.anne ")
    bash("--input n\t", "net.anne ")
    bash("\x15anne comp\t", "completion ")
    bash("z\t", "zsh ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_asks_anne(shell):
    anne = [sys.executable, "-m", "anne_tools"]
    script = subprocess.run([*anne, "completion", shell], capture_output=True, text=True, check=True).stdout
    assert f"_ANNE_COMPLETE={shell}_complete" in script
