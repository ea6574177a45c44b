#!/usr/bin/env python3
"""Prepare a machine for building: Debian packages where missing, and build/venv with this project in it.

Needs nothing but Python's standard library, changes nothing that is already there, and is quick then.
Packages are installed as root, or by sudo if that asks nothing; else one line says what to type.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "build" / "venv"
LOGS = ROOT / "build" / "logs"
DEBIAN_KEYS = Path(os.environ.get("DEBIAN_KEYRING", "/usr/share/keyrings/debian-archive-keyring.gpg"))
OLDEST_PYTHON = (3, 11)


class BootstrapError(Exception):
    """Shown to the user without a traceback."""


def has_tool(name: str) -> Callable[[], bool]:
    """Return a probe for a program on the PATH."""
    return lambda: shutil.which(name) is not None


def compiler_has(compiler: str, file: str) -> Callable[[], bool]:
    """Return a probe for a library of a compiler: it answers with the bare name for one that it does not find."""

    def probe() -> bool:
        if shutil.which(compiler) is None:
            return False
        answer = subprocess.run([compiler, f"-print-file-name={file}"], capture_output=True, text=True)
        return os.path.isabs(answer.stdout.strip())

    return probe


def pkg_config_has(name: str) -> Callable[[], bool]:
    """Return a probe for a library with its headers, by pkg-config."""

    def probe() -> bool:
        pkg_config = shutil.which("pkg-config")
        return pkg_config is not None and subprocess.run([pkg_config, "--exists", name]).returncode == 0

    return probe


def has_ensurepip() -> bool:
    """Whether this Python can make virtual environments; Debian's leaves that to python3-venv."""
    return subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode == 0


def has_python_headers() -> bool:
    """Whether modules in C can be compiled for this Python; Debian's leaves the headers to python3-dev."""
    return Path(sysconfig.get_config_var("INCLUDEPY"), "Python.h").exists()


# Every Debian package the build needs, and how to tell that it (or its like) is there.
PACKAGES: dict[str, Callable[[], bool]] = {
    "build-essential": has_tool("g++"),
    "bzip2": has_tool("bzip2"),
    "cmake": has_tool("cmake"),
    "debian-archive-keyring": DEBIAN_KEYS.exists,
    "gcc-arm-none-eabi": has_tool("arm-none-eabi-gcc"),
    "git": has_tool("git"),
    "libffi-dev": pkg_config_has("libffi"),
    "libnewlib-arm-none-eabi": compiler_has("arm-none-eabi-gcc", "libc.a"),
    "libstdc++-arm-none-eabi-newlib": compiler_has("arm-none-eabi-g++", "libstdc++.a"),
    "ninja-build": has_tool("ninja"),
    "pkg-config": has_tool("pkg-config"),
    "python3-venv": has_ensurepip,
    "xz-utils": has_tool("xz"),
}

# What only some targets need: the fuzzer, the processor core of the Pico 2, the emulator with the flash cache. An
# option of this program for each.
TEST_PACKAGES: dict[str, dict[str, Callable[[], bool]]] = {
    "fuzzer": {
        "clang": has_tool("clang"),
        "libclang-rt-dev": compiler_has("clang", f"libclang_rt.fuzzer-{platform.machine()}.a"),
    },
    "qemu": {"qemu-system-arm": has_tool("qemu-system-arm")},
    "riscv": {
        "gcc-riscv64-unknown-elf": has_tool("riscv64-unknown-elf-gcc"),
        "picolibc-riscv64-unknown-elf": compiler_has("riscv64-unknown-elf-gcc", "picolibc.specs"),
        "qemu-system-misc": has_tool("qemu-system-riscv32"),
    },
    "flash_cache": {"python3-dev": has_python_headers},
    "explorer": {
        "clang": has_tool("clang"),
        "esbuild": has_tool("esbuild"),
        "lld": has_tool("wasm-ld"),
        "wasi-libc": Path("/usr/lib/wasm32-wasi/libc.a").exists,
    },
    "browser": {"chromium": has_tool("chromium")},
}


# Where the Python packages are (pyproject.toml, wheel.packages).
PYTHON_FOLDERS = ("host_tools/anne_tools", "python_api/anne", "python_api/_anne")


def run_step(title: str, command: list[str], log: str) -> None:
    """Run a command with its output in build/logs; the screen has the title and, on a terminal, how long it takes."""
    LOGS.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    print(f"{title} ...", end="", flush=True)
    with open(LOGS / log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        while True:
            try:
                status = process.wait(timeout=1)
                break
            except subprocess.TimeoutExpired:
                if sys.stdout.isatty():
                    print(f"\r{title} ... {time.monotonic() - start:.0f} s", end="", flush=True)
    back = f"\r{title} ..." if sys.stdout.isatty() else ""
    print(f"{back} {time.monotonic() - start:.0f} s", flush=True)
    if status != 0:
        tail = (LOGS / log).read_text(errors="replace").splitlines()[-20:]
        raise BootstrapError(
            "\n".join([*tail, f"failed ({status}): {' '.join(command)}", f"log: {LOGS / log}"])
        )


def missing_packages() -> list[str]:
    """Return the names of packages of which nothing is found."""
    return [name for name, found in PACKAGES.items() if not found()]


def may_sudo() -> bool:
    """Whether sudo is there and asks for no password."""
    return (
        shutil.which("sudo") is not None
        and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0
    )


def install_packages() -> None:
    """Install what is missing. BootstrapError with the line to type where that takes someone else's rights."""
    missing = missing_packages()
    if not missing:
        return
    line = f"apt-get install {' '.join(missing)}"
    if shutil.which("apt-get") is None:
        raise BootstrapError(f"missing: {' '.join(missing)} (Debian's names; this system has no apt-get)")
    if os.geteuid() == 0:
        prefix = []
    elif may_sudo():
        prefix = ["sudo", "-n"]
    else:
        raise BootstrapError(
            f"packages are missing, and installing them takes root's rights; type:\n\n    sudo {line}\n"
        )
    prefix += ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    run_step("reading the package lists", [*prefix, "update"], "apt-update.log")
    run_step(line, [*prefix, "install", "--no-install-recommends", *missing], "apt-install.log")
    if still_missing := missing_packages():
        raise BootstrapError(f"installed, but still not found: {' '.join(still_missing)}")


def base_python() -> str:
    """Return the Python below this one, which where build/venv is activated goes when that is made anew."""
    return sys._base_executable  # the venv module asks it, too


def make_venv(extras: set[str]) -> None:
    """Make build/venv with this project (editable) and its extras, unless it is there and pyproject.toml unchanged.

    The installed project knows each of its modules by a path, so one that has moved or is new is installed anew.
    """
    stamp = VENV / "anne-stamp.json"
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    modules = sorted(str(path) for folder in PYTHON_FOLDERS for path in (ROOT / folder).rglob("*.py"))
    modules_digest = hashlib.sha256("\n".join(modules).encode()).hexdigest()
    installed = json.loads(stamp.read_text()) if stamp.exists() else {}
    same = installed.get("digest") == digest and installed.get("modules") == modules_digest
    if same and extras <= set(installed["extras"]):
        return
    extras = extras | set(installed.get("extras", ()))  # what another target needs stays
    if installed.get("digest") != digest:
        shutil.rmtree(VENV, ignore_errors=True)
        run_step("making build/venv", [base_python(), "-m", "venv", str(VENV)], "venv.log")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
    run_step("installing the Python build tools", [*pip, "scikit-build-core>=1.0"], "pip-build.log")
    names = ",".join(sorted(extras))
    target = f"{ROOT}[{names}]" if names else str(ROOT)
    run_step(f"installing anne_tools[{names}]", [*pip, "--no-build-isolation", "-e", target], "pip.log")
    for library in VENV.glob("lib/python*/site-packages/anne_tools/libanne.*"):
        os.utime(library, (0, 0))  # else CMake would leave it, if its own was built in the same second
    told = {"digest": digest, "modules": modules_digest, "extras": sorted(extras)}
    stamp.write_text(json.dumps(told))


def build_flash_cache() -> None:
    """Build the emulator with the flash cache into build/venv, unless it is there and made of the same."""
    sources = sorted((ROOT / "host_tools" / "flash_cache").iterdir())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources if path.is_file())).hexdigest()
    stamp = VENV / "flash-cache-stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    command = [str(VENV / "bin" / "python"), str(ROOT / "host_tools" / "flash_cache" / "build.py")]
    run_step("building the emulator with the flash cache", command, "flash-cache.log")
    stamp.write_text(digest)


def main() -> int:
    """Run the steps; 0 if everything is there afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fuzzer", action="store_true", help="clang, too, with libFuzzer")
    parser.add_argument("--qemu", action="store_true", help="QEMU for Arm, too, 81 MB")
    parser.add_argument("--riscv", action="store_true", help="QEMU and a compiler for RISC-V, too, 1.4 GB")
    parser.add_argument(
        "--flash-cache", action="store_true", help="the emulator with the flash cache, too, 40 s"
    )
    parser.add_argument(
        "--explorer", action="store_true", help="what the explorer page is built with, too, 150 MB"
    )
    parser.add_argument("--browser", action="store_true", help="Chromium, too, which tests the page, 300 MB")
    parser.add_argument("--extras", default="", help="comma-separated extras of pyproject.toml to install")
    args = parser.parse_args()
    if sys.version_info < OLDEST_PYTHON:
        wanted, got = (".".join(map(str, version[:2])) for version in (OLDEST_PYTHON, sys.version_info))
        print(
            f"bootstrap: expected Python {wanted} or newer, got {got}; type: make PYTHON=python{wanted}",
            file=sys.stderr,
        )
        return 1
    for option, packages in TEST_PACKAGES.items():
        if getattr(args, option):
            PACKAGES.update(packages)
    try:
        install_packages()
        extras = {name for name in args.extras.split(",") if name}
        make_venv(extras | {"flash-cache"} if args.flash_cache else extras)
        if args.flash_cache:
            build_flash_cache()
    except BootstrapError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
