"""Putting a firmware file onto a Pico: its bootloader is a USB drive that takes a UF2 file.

A Pico goes into its bootloader when BOOTSEL is held while it is plugged in, or when a running MicroPython is told to.
The drive is called RPI-RP2 (Pico) or RP2350 (Pico 2) and holds INFO_UF2.TXT, which names the board.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import DeviceError, ModelError
from .firmware import BOARDS
from .layout import PICO, layout_of
from .uf2 import read_uf2

LABELS = {"RPI-RP2": "rp2040", "RP2350": "rp2350"}
BOOT_USB_IDS = ("2e8a:0003", "2e8a:000f")  # RP2040, RP2350
_USB_DEVICES = Path("/sys/bus/usb/devices")
BOARD_NAMES = {"rp2040": "Raspberry Pi Pico", "rp2350": "Raspberry Pi Pico 2"}


@dataclass(frozen=True)
class BootDrive:
    """A Pico's bootloader as a mounted drive, and the chip its INFO_UF2.TXT tells of."""

    path: Path
    family: str


def mounted_folders() -> list[Path]:
    """Return where drives are mounted on this computer."""
    if sys.platform == "win32":
        return [Path(f"{letter}:/") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ" if os.path.exists(f"{letter}:/")]
    if sys.platform == "darwin":
        return sorted(Path("/Volumes").glob("*"))
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return [Path(line.split()[1].encode().decode("unicode_escape")) for line in mounts]


def boot_drives(folders: list[Path] | None = None) -> list[BootDrive]:
    """Return the mounted bootloaders among these folders (default: all mounted drives)."""
    drives = []
    for folder in mounted_folders() if folders is None else folders:
        try:
            info = (folder / "INFO_UF2.TXT").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        family = _family_of(info)
        if family:
            drives.append(BootDrive(folder, family))
    return drives


def _family_of(info: str) -> str | None:
    for line in info.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() in ("board-id", "model"):
            for label, family in {**LABELS, "RP2040": "rp2040"}.items():
                if label.lower() in value.lower():
                    return family
    return None


def unmounted_boot_disk() -> str | None:
    """Return the device file of a bootloader that is plugged in but not mounted (Linux), e.g. /dev/sdb1."""
    if not shutil.which("lsblk"):
        return None
    listing = subprocess.run(
        ["lsblk", "-J", "-o", "PATH,LABEL,MOUNTPOINT"], capture_output=True, text=True, check=False
    )
    try:
        pending = json.loads(listing.stdout)["blockdevices"]
    except (ValueError, KeyError):
        return None
    while pending:
        entry = pending.pop()
        pending += entry.get("children", [])
        if entry.get("label") in LABELS and not entry.get("mountpoint"):
            return entry.get("path")
    return None


def bootloader() -> str | None:
    """Return where a board in bootloader mode is: its drive, its disk that is not mounted, or its USB ids (Linux)."""
    drives = boot_drives()
    return str(drives[0].path) if drives else unmounted_boot_disk() or _boot_usb_ids()


def _boot_usb_ids() -> str | None:
    for product in _USB_DEVICES.glob("*/idProduct"):
        ids = f"{_text_of(product.with_name('idVendor'))}:{_text_of(product)}"
        if ids in BOOT_USB_IDS:
            return f"USB {ids}"
    return None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:  # unplugged meanwhile
        return ""


def storage_warning(uf2: Path) -> str:
    """Return in words what happens to the files on a Pico that gets this firmware, "" if they stay."""
    layout = layout_of(read_uf2(uf2))
    if layout == PICO:
        return ""
    return (
        f"{uf2.name} has {layout.romfs_bytes // 1024} KB of ROMFS and a storage of {layout.storage_bytes // 1024} KB "
        "that begins elsewhere. A board that had another firmware FORMATS it when it starts: the files on it are lost. "
        "Copy them first, e.g.: mpremote cp -r : backup. From one version of this firmware to the next they stay. Back "
        "on the usual firmware, format its storage, too: import rp2, vfs; vfs.VfsLfs2.mkfs(rp2.Flash(), progsize=256)"
    )


def copy_firmware(
    uf2: Path, drive: BootDrive, family: str, on_bytes: Callable[[int, int], None] | None = None
) -> None:
    """Copy a checked UF2 file onto the drive; the board then restarts with it.

    `on_bytes` is told how many bytes of how many are written. ModelError if the file is for another chip, DeviceError
    if the copy fails.
    """
    if family != drive.family:
        raise ModelError(
            f"{uf2} is for {BOARD_NAMES[family]}, the board at {drive.path} is a {BOARD_NAMES[drive.family]}"
        )
    target = drive.path / uf2.name
    data = uf2.read_bytes()
    try:
        with open(target, "wb", buffering=0) as file:
            for start in range(0, len(data), 65536):
                file.write(data[start : start + 65536])
                if on_bytes:
                    on_bytes(min(start + 65536, len(data)), len(data))
            _to_the_board(file.fileno())
    except OSError as error:
        raise DeviceError(
            f"{target}: {error.strerror}; plug the board in again with BOOTSEL held, and repeat"
        ) from None


def _to_the_board(file_number: int) -> None:
    """Flush to the drive. The board restarts as soon as it has the last block, so the drive may vanish meanwhile."""
    with suppress(OSError):
        os.fsync(file_number)


def wait_for_drive(seconds: float, folders: list[Path] | None = None) -> BootDrive | None:
    """Return the first bootloader drive that shows up, None if none does in time."""
    end = time.monotonic() + seconds
    while True:
        drives = boot_drives(folders)
        if drives or time.monotonic() >= end:
            return drives[0] if drives else None
        time.sleep(0.25)


def instructions(board: str) -> str:
    """Return what to do by hand, step by step."""
    label = next(label for label, family in LABELS.items() if family == BOARDS[board])
    steps = [
        "No Pico in bootloader mode was found. Step by step:",
        "  1. Unplug the board. Hold its BOOTSEL button and plug it in; let go after a second.",
        f"  2. A drive called {label} appears. Run this command again, or copy the file onto the drive yourself.",
    ]
    disk = unmounted_boot_disk()
    if disk:
        steps.append(f"     ({disk} is such a drive, but not mounted: udisksctl mount -b {disk})")
    steps.append("  With MicroPython already on it, no button is needed: anne flash --on PORT")
    return "\n".join(steps)
