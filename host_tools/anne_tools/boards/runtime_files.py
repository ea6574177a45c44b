"""The files that make AI-ANNE out of MicroPython's own firmware, chosen for a board; and what mip installs them by."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import DeviceError, ModelError
from .built import find
from .firmware import versions

# MicroPython's numbers of processors (py/persistentcode.h) -> for which _anne-NAME.mpy is built; one that is built for
# a smaller processor of a family runs on the larger, too.
PROCESSORS = {2: "x64", 4: "armv6m", 7: "armv7emsp", 8: "armv7emsp"}
# The first MicroPython that loads files of a version, and native code of its sub-version.
_SINCE = "1.23"


@dataclass(frozen=True)
class BoardFacts:
    """What a board says of itself, as on_device/runtime_probe.py prints it: sizes in bytes.

    `mpy` is sys.implementation._mpy, `platform` sys.platform, `own` whether its firmware is ours, `library` the folder
    of packages, `installed` the version of the runtime that is there, "" for none.
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

    `processor` is what the module is for.
    """

    processor: str
    package: dict[str, bytes]
    module: bytes

    def files(self) -> dict[str, bytes]:
        """Return all by their paths below /lib, the module last."""
        files = {f"anne/{name}": content for name, content in self.package.items()}
        return files | ({"_anne.mpy": self.module} if self.module else {})

    @property
    def stamp(self) -> str:
        """What tells it from every other: the version, the processor, the CRC-32 of all files."""
        crc = zlib.crc32(b"".join(self.files().values()))
        return f"{versions().project} {self.processor or 'python'} {crc:08x}"


def package_files() -> dict[str, bytes]:
    """Return the compiled package, path to bytes. ModelError if it is not built."""
    folder = find("anne")
    if folder is None:
        raise ModelError("the package for stock firmware is not there; in the source folder do: make runtime")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.mpy"))}


def module_file(processor: str) -> Path | None:
    """Return the native module for a processor, None if there is none."""
    return find(f"_anne-{processor}.mpy")


def runtime_for(device: str, facts: BoardFacts) -> Runtime:
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
    path = module_file(processor) if processor else None
    module = path.read_bytes() if path else b""
    version, sub_version = package["__init__.mpy"][1], module[2] & 3 if module else None
    if facts.mpy & 0xFF != version or (module and facts.mpy >> 8 & 3 != sub_version):
        theirs = f"{facts.mpy & 0xFF}.{facts.mpy >> 8 & 3}" if facts.mpy else "no version"
        ours = f"{version}.{sub_version}" if module else f"{version}"
        raise DeviceError(
            f"{device}: {facts.firmware} loads .mpy files of {theirs}, AI-ANNE's are of {ours}; put MicroPython "
            f"{_SINCE} or later on it"
        )
    return Runtime(processor if module else "", package, module)


# --- mip --------------------------------------------------------------------------------------------------------------


def mip_package(processor: str, package: dict[str, bytes]) -> str:
    """Return the package.json by which mip installs the package and the module for a processor, "" for none.

    The files lie beside it as `find` names them: the folder anne, _anne-PROCESSOR.mpy. The module comes last.
    """
    urls = [[f"anne/{name}", f"anne/{name}"] for name in package]
    if processor:
        urls.append(["_anne.mpy", f"_anne-{processor}.mpy"])
    return json.dumps({"urls": urls, "deps": [], "version": versions().project}, indent=1) + "\n"


def mip_files() -> dict[str, bytes]:
    """Return a folder for mip, path to bytes: files, and for each processor a package-PROCESSOR.json beside them.

    package.json is a Pico's; package-python.json is for boards without native code. ModelError if not all is built.
    """
    package = package_files()
    files = {f"anne/{name}": content for name, content in package.items()}
    for processor in ("armv6m", "armv7emsp"):
        path = module_file(processor)
        if path is None:
            raise ModelError(f"_anne-{processor}.mpy is not there; in the source folder do: make runtime")
        files[path.name] = path.read_bytes()
        files[f"package-{processor}.json"] = mip_package(processor, package).encode()
    files["package.json"] = files["package-armv6m.json"]
    files["package-python.json"] = mip_package("", package).encode()
    return files
