"""UF2, the file format a Pico's bootloader takes: 512-byte blocks, each with its address and a family id (the chip).

Source: the UF2 specification by Microsoft; family ids from its list. Own implementation.
"""

import struct
from pathlib import Path

from ..data.files import read_whole
from ..errors import ModelError
from .layout import FLASH_BASE, FLASH_BYTES

FAMILIES = {"rp2040": 0xE48BFF56, "rp2350": 0xE48BFF59, "absolute": 0xE48BFF57}
_BLOCK_BYTES = 512
_PAYLOAD_BYTES = 256  # a page of flash, as the boot ROM of the RP2040 wants it
_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_FLAG_FAMILY = 0x2000


def read_uf2(path: str | Path, family: str | None = None) -> list[tuple[int, bytes]]:
    """Return the (address, bytes) pieces of a UF2 file, after proving that it is whole.

    `family` is the chip it must be for: "rp2040" or "rp2350". Blocks of the family "absolute" (a workaround for an
    RP2350 erratum, picotool writes one) are checked but not returned. Raises ModelError for anything else than a UF2
    file.
    """
    path = Path(path)
    data = read_whole(path)
    if not data or len(data) % _BLOCK_BYTES:
        raise ModelError(
            f"{path}: not a UF2 file: expected a multiple of {_BLOCK_BYTES} bytes, got {len(data)}"
        )
    pieces = []
    n_blocks: dict[int, set[int]] = {}
    totals: dict[int, int] = {}
    for at in range(0, len(data), _BLOCK_BYTES):
        start0, start1, flags, address, n_bytes, number, total, chip = struct.unpack_from("<8I", data, at)
        (end,) = struct.unpack_from("<I", data, at + _BLOCK_BYTES - 4)
        if (start0, start1, end) != _MAGIC or n_bytes > 476:
            raise ModelError(f"{path}: not a UF2 file: block {at // _BLOCK_BYTES} is damaged")
        chip = chip if flags & _FLAG_FAMILY else 0
        n_blocks.setdefault(chip, set()).add(number)
        totals[chip] = total
        if chip != FAMILIES["absolute"]:
            pieces.append((address, data[at + 32 : at + 32 + n_bytes], chip))
    _check_families(path, n_blocks, totals, family)
    return [(address, payload) for address, payload, _ in pieces]


def uf2_bytes(content: bytes, address: int, family: str) -> bytes:
    """Return the UF2 file that writes `content` to `address`, a multiple of 256, of a chip of that family.

    What is behind it in its last page reads as erased, 0xff; so does what is in its last sector of 4 KB, which the boot
    ROM erases before it writes there.
    """
    pages = [content[at : at + _PAYLOAD_BYTES] for at in range(0, len(content), _PAYLOAD_BYTES)]
    blocks = []
    for number, page in enumerate(pages):
        head = (
            *_MAGIC[:2], _FLAG_FAMILY, address + number * _PAYLOAD_BYTES, _PAYLOAD_BYTES, number, len(pages),
            FAMILIES[family],
        )  # fmt: skip
        payload = page.ljust(_PAYLOAD_BYTES, b"\xff").ljust(_BLOCK_BYTES - 36, b"\0")
        blocks.append(struct.pack("<8I", *head) + payload + struct.pack("<I", _MAGIC[2]))
    return b"".join(blocks)


def pieces_in_flash(path: str | Path) -> list[tuple[int, bytes]]:
    """Return the pieces of a firmware for the Pico, as `read_uf2`. ModelError also for one outside of its flash."""
    pieces = read_uf2(path, family="rp2040")
    end = FLASH_BASE + FLASH_BYTES
    for address, payload in pieces:
        if not FLASH_BASE <= address <= end - len(payload):
            raise ModelError(
                f"{path}: expected a firmware in the flash, {FLASH_BASE:#x} to {end:#x}, got a block at {address:#x}"
            )
    return pieces


def uf2_family(path: str | Path) -> str:
    """Return the chip a UF2 file is for: "rp2040" or "rp2350"."""
    for name in ("rp2040", "rp2350"):
        try:
            read_uf2(path, name)
            return name
        except ModelError as error:
            last = error
    raise last


def _check_families(
    path: Path, n_blocks: dict[int, set[int]], totals: dict[int, int], family: str | None
) -> None:
    names = {number: name for name, number in FAMILIES.items()}
    chips = [chip for chip in n_blocks if chip != FAMILIES["absolute"]]
    for chip in chips:
        name = names.get(chip, f"family {chip:#010x}")
        if family and name != family:
            raise ModelError(f"{path}: a firmware for {family} was expected, this one is for {name}")
        if n_blocks[chip] != set(range(totals[chip])):
            raise ModelError(f"{path}: incomplete: expected {totals[chip]} blocks, got {len(n_blocks[chip])}")
    if len(chips) != 1:
        raise ModelError(f"{path}: expected a firmware for one chip, got {len(chips)}")
