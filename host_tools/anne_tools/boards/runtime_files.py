"""The files that make AI-ANNE out of MicroPython's own firmware, chosen for a board; and what mip installs them by."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from anne.unfit import DENSE_KINDS

from ..errors import DeviceError, ModelError
from .built import find
from .firmware import versions

# MicroPython's numbers of processors (py/persistentcode.h) -> for which _anne-NAME.mpy is built; one that is built for
# a smaller processor of a family runs on the larger, too.
PROCESSORS = {2: "x64", 4: "armv6m", 7: "armv7emsp", 8: "armv7emsp"}
# Which kinds of layers a module has: every one, or those of chains of dense layers alone, without training.
KINDS = ("all", "dense")
_ENDING = {"all": "", "dense": "-dense"}
# What `import anne` takes of the heap beside the module's own bytes; without a module the reference comes with it
# (tests/emulator/test_runtime.py measures).
_PACKAGE_HEAP_BYTES, _PYTHON_HEAP_BYTES = 9 * 1024, 50 * 1024
# The first MicroPython that loads files of a version, and native code of its sub-version.
_SINCE = "1.23"


@dataclass(frozen=True)
class BoardFacts:
    """What a board says of itself, as on_device/runtime_probe.py prints it: sizes in bytes.

    `mpy` is sys.implementation._mpy, `platform` sys.platform, `own` whether its firmware is ours, `library` the folder
    of packages, `installed` the version of the runtime that is there, "" for none, "unknown" for one that mip brought.
    """

    name: str
    version: tuple[int, ...]
    mpy: int
    platform: str
    machine: str
    own: bool
    library: str
    installed: str
    block_bytes: int
    storage_free: int
    heap_free: int

    @property
    def firmware(self) -> str:
        """Its firmware in words: MicroPython 1.25.0."""
        name = "MicroPython" if self.name == "micropython" else self.name
        return f"{name} {'.'.join(map(str, self.version))}"


@dataclass(frozen=True)
class Runtime:
    """`package`: the paths below the folder anne, and contents; `module`: _anne.mpy, b"" where all runs in Python.

    `processor` is what the module is for, `kinds` one of KINDS.
    """

    processor: str
    package: dict[str, bytes]
    module: bytes
    kinds: str = "all"

    def files(self) -> dict[str, bytes]:
        """Return all by their paths below /lib, the module last."""
        files = {f"anne/{name}": content for name, content in self.package.items()}
        return files | ({"_anne.mpy": self.module} if self.module else {})

    @property
    def stamp(self) -> str:
        """What tells it from every other: the version, the processor, the CRC-32 of all files."""
        crc = zlib.crc32(b"".join(self.files().values()))
        return f"{versions().project} {self.processor or 'python'}{_ENDING[self.kinds]} {crc:08x}"

    @property
    def heap_bytes(self) -> int:
        """About what `import anne` takes of the heap."""
        return len(self.module) + _PACKAGE_HEAP_BYTES if self.module else _PYTHON_HEAP_BYTES


def kinds_of(stamp: str) -> str:
    """Return what a runtime of that stamp has, one of KINDS; of an unknown one all."""
    return "dense" if "-dense " in stamp else "all"


def kinds_for(layers: Iterable[str]) -> str:
    """Return which module runs layers of these kinds: "dense", or "all"."""
    return "dense" if set(layers) <= set(DENSE_KINDS) else "all"


def package_files() -> dict[str, bytes]:
    """Return the compiled package, path to bytes. ModelError if it is not built."""
    folder = find("anne")
    if folder is None:
        raise ModelError("the package for stock firmware is not there; in the source folder do: make runtime")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.mpy"))}


def module_file(processor: str, kinds: str = "all") -> Path | None:
    """Return the native module for a processor, None if there is none."""
    return find(f"_anne-{processor}{_ENDING[kinds]}.mpy")


def runtime_for(device: str, facts: BoardFacts, kinds: str = "all") -> Runtime:
    """Return what a board gets, by what it says of itself; `device` is what it is called in messages.

    Without native code for its processor that is the package alone. DeviceError if its firmware is no MicroPython or
    cannot load the files; ModelError if they are not built.
    """
    if facts.name != "micropython":
        raise DeviceError(
            f"{device}: expected MicroPython, got {facts.firmware}; put MicroPython on it, or on a Pico our firmware: "
            "anne flash"
        )
    package = package_files()
    processor = PROCESSORS.get(facts.mpy >> 10 & 15, "")
    if processor == "armv6m" and facts.platform != "rp2":
        processor = ""  # it uses the divider of the RP2040
    path = module_file(processor, kinds) if processor else None
    module = path.read_bytes() if path else b""
    version, sub_version = package["__init__.mpy"][1], module[2] & 3 if module else None
    if facts.mpy & 0xFF != version or (module and facts.mpy >> 8 & 3 != sub_version):
        theirs = f"{facts.mpy & 0xFF}.{facts.mpy >> 8 & 3}" if facts.mpy else "no version"
        ours = f"{version}.{sub_version}" if module else f"{version}"
        raise DeviceError(
            f"{device}: {facts.firmware} loads .mpy files of {theirs}, AI-ANNE's are of {ours}; put MicroPython "
            f"{_SINCE} or later on it"
        )
    return Runtime(processor, package, module, kinds) if module else Runtime("", package, b"")


# --- mip --------------------------------------------------------------------------------------------------------------


def mip_package(package: dict[str, bytes], module: str) -> str:
    """Return the package.json by which mip installs the package and the native module, a file's name, "" for none.

    The files lie beside it as `find` names them: the folder anne, _anne-PROCESSOR.mpy. The module comes last.
    """
    urls = [[f"anne/{name}", f"anne/{name}"] for name in package]
    if module:
        urls.append(["_anne.mpy", module])
    return json.dumps({"urls": urls, "deps": [], "version": versions().project}, indent=1) + "\n"


def mip_files() -> dict[str, bytes]:
    """Return a folder for mip, path to bytes: files, and for each processor a package-PROCESSOR.json beside them.

    package.json is a Pico's, package-dense.json the one with dense layers alone; package-python.json is for boards
    without native code. ModelError if not all is built.
    """
    package = package_files()
    files = {f"anne/{name}": content for name, content in package.items()}
    for processor in ("armv6m", "armv7emsp"):
        for kinds, ending in _ENDING.items():
            path = module_file(processor, kinds)
            if path is None:
                raise ModelError(
                    f"_anne-{processor}{ending}.mpy is not there; in the source folder do: make runtime"
                )
            files[path.name] = path.read_bytes()
            files[f"package-{processor}{ending}.json"] = mip_package(package, path.name).encode()
    for ending in _ENDING.values():
        files[f"package{ending}.json"] = files[f"package-armv6m{ending}.json"]
    files["package-python.json"] = mip_package(package, "").encode()
    return files
