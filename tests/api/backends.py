"""Where the tests in this folder run: CPython, MicroPython's unix port, the emulated Pico with our firmware and with
MicroPython's own.

A backend takes a file's tests in one go and gives what `run_tests.py` printed there; `run` makes outcomes of it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.emulator_fork import forked
from anne_tools.boards.firmware import find_firmware
from anne_tools.boards.runtime_files import Runtime, module_file, package_files
from anne_tools.cores.native import NativeModel, library_path
from anne_tools.errors import DeviceError, ModelError
from qemu import MACHINES

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GOLDEN = HERE.parent / "golden"
GOLDEN_MODELS = sorted(path.stem for path in (GOLDEN / "models").glob("*.anne"))
UNIX_PORT = Path(os.environ.get("ANNE_UNIX_PORT", ROOT / "build/micropython-unix"))
MPY_CROSS = Path(
    os.environ.get("ANNE_MPY_CROSS", ROOT / "build/sources/micropython/mpy-cross/build/mpy-cross")
)


class NotBuiltError(Exception):
    """The backend is not there; the text says how to get it."""


@dataclass(frozen=True)
class Outcome:
    """What became of a test: "passed", "skipped" or "failed", and why."""

    kind: str
    text: str = ""


def run(backend: str, file: str, names: list[str]) -> dict[str, Outcome]:
    """Run tests of one file; a test that takes the interpreter down with it costs only itself."""
    return run_by(BACKENDS[backend], file, names)


def run_by(run_there: Callable[[str, list[str]], str], file: str, names: list[str]) -> dict[str, Outcome]:
    """The same on what is in BACKENDS or is like those."""
    outcomes: dict[str, Outcome] = {}
    while left := [name for name in names if name not in outcomes]:
        output = run_there(file, left)
        outcomes |= _outcomes(output) or dict.fromkeys(left, Outcome("failed", "no test began\n" + output))
    return outcomes


def _outcomes(output: str) -> dict[str, Outcome]:
    outcomes, name = {}, ""
    for part in ("\n" + output).split("\n@ ")[1:]:
        line, _, text = part.partition("\n")
        kind, _, reason = line.partition(" ")
        if kind in ("passed", "skipped", "failed"):
            outcomes[name] = Outcome(kind, reason or text)
        else:
            name = line
            outcomes[name] = Outcome("failed", "the interpreter ended here\n" + text)
    return outcomes


# --- CPython and the unix port ----------------------------------------------------------------------------------------


def _cpython(file: str, names: list[str]) -> str:
    """The reference, in CPython."""
    return _process([sys.executable, "-B"], file, names)


def _cpython_native(file: str, names: list[str]) -> str:
    """The C core in CPython, by the host library."""
    if library_path() is None:
        raise NotBuiltError("no libanne; `make test` builds it")
    core = {"ANNE_CORE": "native", "PYTHONPATH": str(ROOT / "python_api")}
    return _process([sys.executable, "-B"], file, names, core)


def _unix(file: str, names: list[str]) -> str:
    """The native module under sanitizers, in MicroPython's unix port with a heap of about the Pico's."""
    if not UNIX_PORT.exists():
        raise NotBuiltError(f"no {UNIX_PORT}; `make test` builds it")
    return _process([str(UNIX_PORT), "-X", "heapsize=512k"], file, names)


def _process(interpreter: list[str], file: str, names: list[str], more: dict[str, str] | None = None) -> str:
    # leaks are MicroPython's own: it ends without freeing what it has
    environment = (
        os.environ | {"ASAN_OPTIONS": "detect_leaks=0", "ANNE_GOLDEN": f"{_golden_folder()}/"} | (more or {})
    )
    command = [*interpreter, str(HERE / "run_tests.py"), file, *names]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, env=environment
        )
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode() + "\nno end in 120 s"
    return done.stdout


# --- The emulated Pico ------------------------------------------------------------------------------------------------


def _emulator(file: str, names: list[str]) -> str:
    """The firmware's native module, in a copy of one booted machine."""
    return _on_machine(_machine(), file, names)


def stock(version: str, kinds: str = "all") -> Callable[[str, list[str]], str]:
    """MicroPython's own firmware with package and native module in /lib, where `anne deploy --runtime` puts them."""

    def run_there(file: str, names: list[str]) -> str:
        machine = stock_machine(version, kinds)
        output = _on_machine(machine, file, names)
        # They lie in the heap. What found no memory behind other tests, which left it in pieces, runs once more alone;
        # of two outcomes the later one counts.
        for name, outcome in _outcomes(output).items():
            if outcome.kind == "failed" and "MemoryError" in outcome.text:
                output += "\n" + _on_machine(machine, file, [name])
        return output

    return run_there


def _on_machine(machine: EmulatedPico, file: str, names: list[str]) -> str:
    printed: list[str] = []
    with forked(machine) as pico:
        script = f"import run_tests; run_tests.run({file!r}, {names!r})"
        try:
            _, stderr = pico.exec(script, on_output=printed.append)
        except (DeviceError, TimeoutError) as error:
            stderr = f"\n{error}"
    return "".join(printed).replace("\r\n", "\n") + stderr


@cache
def _machine() -> EmulatedPico:
    try:
        return _booted(find_firmware(), {})
    except ModelError as error:
        raise NotBuiltError(str(error)) from None


@cache
def stock_machine(version: str, kinds: str = "all") -> EmulatedPico:
    """Such a machine, to copy. NotBuiltError if something for it is not there."""
    uf2, module = ROOT / f"build/stock-pico-{version}.uf2", module_file("armv6m", kinds)
    missing = ROOT / f"build/sources-{version}/missing"
    if missing.exists():
        raise NotBuiltError(missing.read_text().strip())
    if not uf2.exists() or module is None:
        raise NotBuiltError(f"no {uf2} or no _anne-armv6m.mpy; `make test` builds them")
    runtime = Runtime("armv6m", package_files(), module.read_bytes())
    machine = _booted(uf2, {f"lib/{name}": content for name, content in runtime.files().items()})
    machine.exec("import anne")  # once for all copies
    return machine


def _booted(uf2: Path, files: dict[str, bytes]) -> EmulatedPico:
    files = files | _compiled_tests() | {f"golden/{name}": data for name, data in _golden_files().items()}
    elf = uf2.with_suffix(".elf")
    machine = EmulatedPico(uf2, elf if elf.exists() else None, files=files, flash_cache=None)
    machine.set_flash_miss_cycles(0)
    machine.boot()
    return machine


@cache
def _compiled_tests() -> dict[str, bytes]:
    """The tests and what they share, compiled here, as the emulated Pico would take seconds for each file."""
    paths = [
        *HERE.glob("test_*.py"),
        *(HERE / f"{name}.py" for name in ("check", "model_writer", "run_tests")),
    ]
    return {path.with_suffix(".mpy").name: _compiled(path) for path in paths}


@cache
def _golden_files() -> dict[str, bytes]:
    """The files of tests/golden that tests read. Models have a folder without their answers, as LittleFS is slow in
    large ones; bits.txt has for each of them that gives floats its name, and what the host library gives."""
    files = {f"training/{path.name}": path.read_bytes() for path in (GOLDEN / "training").iterdir()}
    bits = []
    for name in GOLDEN_MODELS:
        path = GOLDEN / "models" / f"{name}.anne"
        files[f"models/{path.name}"] = path.read_bytes()
        files[f"answers/{name}.json"] = path.with_suffix(".json").read_bytes()
        with NativeModel(path.read_bytes()) as model:
            x = np.frombuffer(model.file.metadata["golden_inputs"], np.uint8)
            if len(model.inputs) == 1:
                x = x.view(model.input.dtype)
            if "float32" in [port.dtype for port in model.outputs]:
                bits.append(f"{name} {model.run_raw(x).tobytes().hex()}\n")
    return files | {"models/bits.txt": "".join(bits).encode()}


@cache
def _golden_folder() -> Path:
    """The same as a folder."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    for name, content in _golden_files().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return folder


def _compiled(path: Path) -> bytes:
    if not MPY_CROSS.exists():
        raise NotBuiltError(f"no {MPY_CROSS}; `make test` builds it")
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "file.mpy"
        subprocess.run([str(MPY_CROSS), "-s", path.name, "-o", str(compiled), str(path)], check=True)
        return compiled.read_bytes()


# --- Processor cores under QEMU ---------------------------------------------------------------------------------------


def _qemu(name: str) -> Callable[[str, list[str]], str]:
    def run(file: str, names: list[str]) -> str:
        elf = ROOT / "build" / f"{name}.elf"
        if not elf.exists():
            raise NotBuiltError(f"no {elf.name}; `make test` builds it")
        if shutil.which("qemu-system-arm") is None:
            raise NotBuiltError("no qemu-system-arm; `make test` installs it")
        script = f"import run_tests; run_tests.run({file!r}, {names!r})"
        return MACHINES[name].run(elf, _compiled_tests(), _golden_files(), script)

    return run


BACKENDS: dict[str, Callable[[str, list[str]], str]] = {
    "cpython": _cpython,
    "cpython-native": _cpython_native,
    "unix": _unix,
    "emulator": _emulator,
    "stock-1.25.0": stock("1.25.0"),
    "stock-1.26.1": stock("1.26.1"),
    **{name: _qemu(name) for name in MACHINES},
}
