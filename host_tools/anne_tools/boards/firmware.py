"""The firmware files: where they are, what they hold, and what this project builds them from."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from .built import CHECKOUT, find
from .uf2 import read_uf2, uf2_family

# The boards by the names of their firmwares, build/anne-NAME.uf2, and their chips; pico-models is a Pico with more room
# for models in flash (layout.py).
BOARDS = {"pico": "rp2040", "pico-models": "rp2040", "pico2": "rp2350"}
_BANNER = re.compile(rb"MicroPython v[\x20-\x7e]{8,200}")


@dataclass(frozen=True)
class Versions:
    """The project's version, and the releases of what its firmware is built from, as versions.env pins them."""

    project: str
    pins: dict[str, str]

    def line(self) -> str:
        parts = ", ".join(f"{name} {version}" for name, version in self.pins.items())
        return f"AI-ANNE {self.project}" + (f" ({parts})" if parts else "")


def versions() -> Versions:
    """Return the versions, from the source checkout or the installed package's own data."""
    pins = {}
    for env in (CHECKOUT / "micropython" / "versions.env", Path(__file__).parents[1] / "versions.env"):
        if env.exists():
            found = dict(re.findall(r"^([A-Z0-9_]+)_VERSION=(\S+)$", env.read_text("utf-8"), re.M))
            names = {"MICROPYTHON": "MicroPython", "PICO_SDK": "pico-sdk", "TINYUSB": "TinyUSB"}
            pins = {name: found[key] for key, name in names.items() if key in found}
            break
    return Versions(_project_version(), pins)


def _project_version() -> str:
    version_file = CHECKOUT / "VERSION"
    if version_file.exists():
        return version_file.read_text("utf-8").strip()
    from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

    try:
        return distribution(packages_distributions()["anne_tools"][0]).version
    except (PackageNotFoundError, KeyError):
        return "(not installed)"


def find_firmware(chosen: str | Path | None = None, board: str = "pico") -> Path:
    """Return the firmware file for a board.

    It is what was chosen (an option), else the environment variable ANNE_FIRMWARE, else anne-BOARD.uf2 where `built`
    finds it. ModelError says how to get one.
    """
    if chosen:
        return _existing(Path(chosen), "chosen")
    if os.environ.get("ANNE_FIRMWARE"):
        return _existing(Path(os.environ["ANNE_FIRMWARE"]), "ANNE_FIRMWARE")
    path = find(f"anne-{board}.uf2")
    if path is None:
        raise ModelError(
            f"no firmware: build/anne-{board}.uf2 not found from {Path.cwd()} upward, nor did it come with this "
            "package; in the source folder do: make firmware (or name a file with --uf2 or ANNE_FIRMWARE)"
        )
    return path


def _existing(path: Path, how: str) -> Path:
    if not path.is_file():
        raise ModelError(f"{path}: no such firmware file ({how})")
    return path


def firmware_banner(path: Path) -> str:
    """Return what a firmware file says it is: the text its REPL greets with, and the chip it is for."""
    family = uf2_family(path)
    image = b"".join(payload for _, payload in sorted(read_uf2(path)))
    match = _BANNER.search(image)
    return f"{match.group().decode() if match else 'no MicroPython'} [{family}]"
