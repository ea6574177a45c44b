"""What Windows has not is not needed: the package is imported and used with all of it hidden, and UTF-8 not assumed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Modules and functions of POSIX, hidden once Python's own library and others' packages have looked for them.
HIDDEN = """
import csv, ctypes, importlib, json, multiprocessing.connection, pathlib, pkgutil, runpy, subprocess, tempfile, zipfile
import click.testing, numpy, rich.console, rich.progress, rich.table
import contextlib, os, platform, select, signal, sys, warnings
platform.uname()
with contextlib.suppress(ImportError):
    import h5py
MODULES = "termios tty pty fcntl resource pwd grp syslog readline".split()
for name in MODULES:
    sys.modules[name] = None
for module, names in (
    (os, "fork forkpty wait waitpid fchown fchmod chown lchown getuid geteuid getgid mkfifo nice setsid uname "
         "O_CLOEXEC O_NOFOLLOW sched_getaffinity statvfs killpg ttyname"),
    (signal, "SIGKILL SIGHUP SIGPROF SIGALRM SIGUSR1 SIGPIPE alarm setitimer getitimer ITIMER_PROF pthread_sigmask"),
    (select, "poll epoll"),
):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "win32"
warnings.filterwarnings("error", category=EncodingWarning, module="anne")
"""
# Each is what a user would install besides.
FRAMEWORKS = {
    "torch",
    "h5py",
    "tflite",
    "flatbuffers",
    "sklearn",
    "matplotlib",
    "onnx",
    "keras",
    "mpremote",
    "serial",
}

IMPORT_ALL = f"""
import anne, anne_tools
for package in (anne, anne_tools):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name in ("anne_tools.libanne", "anne_tools.__main__"):  # for ctypes; a program
            continue
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            if error.name.partition(".")[0] not in {FRAMEWORKS}:
                raise
            print(found.name, error.name)
"""

USE = """
import anne_tools.cli
from anne_tools.cores import native
native.library_path = lambda: None
numpy.save("x.npy", numpy.random.default_rng(1).normal(0, 1, (20, 2)))
open("net.json", "w", encoding="utf-8").write(
    json.dumps({"labels": ["größer", "kleiner"], "layers": [{"weights": [[1, -1], [-1, 1]], "activation": "softmax"}]})
)
open("t.csv", "w", encoding="utf-8").write("a,b,größe\\n" + "".join(f"{i},{i % 3},{'ab'[i % 2]}\\n" for i in range(20)))
for command in (
    "convert net.json --calibrate x.npy --dtype int8 -o net.anne --uf2",
    "inspect net.anne",
    "run net.anne --input x.npy",
    "verify net.anne",
    "train t.csv --layers 2,3,1 --epochs 2 -o t.anne",
    "convert net.json -o net.anne",
    "--version",
):
    result = click.testing.CliRunner().invoke(anne_tools.cli.cli, command.split(), prog_name="anne")
    assert result.exit_code == 0, (command, result.output, result.exception)
result = click.testing.CliRunner().invoke(
    anne_tools.cli.cli, "run iris-8 --board-file pico.img".split(), prog_name="anne"
)
print(result.output)
"""


def run(code: str, folder: Path) -> str:
    (folder / "program.py").write_text(HIDDEN + code, encoding="utf-8")
    command = [sys.executable, "-X", "warn_default_encoding", "-X", "utf8=0", "program.py"]
    environment = {"LC_ALL": "C", "PATH": "", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_modules_are_imported(tmp_path):
    assert "anne_tools.cli" not in run(IMPORT_ALL, tmp_path)


def test_networks_are_converted_run_and_trained(tmp_path):
    """By the reference, as no library is there either. What Windows cannot do is said in one line."""
    told = run(USE, tmp_path)
    assert told == ("anne: pico.img: board files need file locks of Linux or macOS; on Windows use WSL\n\n")
