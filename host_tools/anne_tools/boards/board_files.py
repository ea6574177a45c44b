"""Scripts and files that a command needs on a Pico for a while, under names that are nobody's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files

from ..errors import DeviceError, ModelError
from .device import Device
from .emulated_device import EmulatedDevice
from .fit import fit
from .layout import FLASH_BASE

# What a temporary file begins with, by which on_device/free_path.py knows it again after a power cut; model files do.
MARK = b"ANNE"


def script(name: str, **names: object) -> str:
    """Return a script of on_device/ with values for its free names in front."""
    assignments = "".join(f"{key}={value!r}\n" for key, value in names.items())
    return assignments + files(__package__).joinpath("on_device", name).read_text("utf-8")


@contextmanager
def temporary_file(
    device: Device,
    content: bytes,
    purpose: str,
    folder: str = "/",
    on_bytes: Callable[[int, int], None] | None = None,
) -> Iterator[str]:
    """Put a file onto the board and give its path, which no file had; in the end it is removed, unless renamed.

    `content` begins with MARK, `folder` ends with "/" (or is "", the current one), `purpose` is a word in the name.
    `on_bytes` is told how many bytes of how many are there. What a power cut or an unplugged cable leaves goes when
    the next file for this purpose comes into this folder.
    """
    assert content.startswith(MARK)
    path = device.exec(script("free_path.py", folder=folder, purpose=purpose)).strip()
    try:
        device.put(path, content, on_bytes)
        yield path
    finally:
        with suppress(DeviceError):  # what went wrong before is the news
            device.exec(f"try:\n __import__('os').remove({path!r})\nexcept OSError:\n pass")


def has_romfs(device: Device) -> bool:
    """Return whether the board's firmware has a ROMFS partition: MicroPython's own has none."""
    return device.exec(script("rom_partition.py")).strip() != "0"


@contextmanager
def file_in_romfs(device: EmulatedDevice, content: bytes) -> Iterator[str]:
    """Give the path of a file in an emulated Pico's /rom, alone there; in the end what was there is back.

    Nothing on the board may be using a file in /rom. ModelError if it does not fit, or if its firmware has no /rom.
    """
    if not has_romfs(device):
        raise ModelError(
            f"{device.name}: too large for its RAM, and its firmware has no ROMFS for it; use ours (anne flash)"
        )
    machine, layout = device.machine, device.machine.layout
    before = machine.read_memory(FLASH_BASE + layout.romfs_offset, layout.romfs_bytes)
    mount = script("rom_partition.py") + script("rom_mount.py", n_bytes=0)
    machine.write_romfs({"bench": content})
    try:
        device.exec(mount)
        yield "/rom/bench"
    finally:
        machine.write_flash(layout.romfs_offset, before)
        with suppress(DeviceError):  # an empty partition cannot be mounted
            device.exec(mount)


@contextmanager
def loadable_file(device: Device, data: bytes) -> Iterator[tuple[str, bool | None]]:
    """Put a model file where the board can load it; give its path and the `copy` of anne.load. In the end it is gone.

    That is the storage, but /rom of an emulated Pico for a model that is too large for RAM. ModelError if it fits
    neither; what a real board has room for, it says itself.
    """
    if device.kind != "emulator" or fit(data, "pico").place == "storage":
        with temporary_file(device, data, "model") as path:
            yield path, None
        return
    board = device.machine.layout.board
    verdict = fit(data, board)
    if not verdict.place:
        larger = (
            f"; another firmware has room: --uf2 build/anne-{verdict.firmware}.uf2"
            if verdict.firmware
            else ""
        )
        raise ModelError(f"it does not fit the {board}: {verdict.reason}{larger}")
    with file_in_romfs(device, data) as path:
        yield path, False
