"""The firmware files that `make firmware` built: right chip, right place in flash, right versions."""

import re
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINS = dict(re.findall(r"^([A-Z_]+)=(\S+)$", (ROOT / "micropython/versions.env").read_text(), re.M))
VERSION = (ROOT / "VERSION").read_text().strip()

# Family ids of the UF2 specification. Flash begins at 0x10000000; code may use it up to ROMFS:
# Pico 2048 - 1408 - 176 = 480 KB, with room for models 2048 - 512 - 1024 = 512, Pico 2 4096 - 3072 - 256 = 768 KB.
BOARDS = [
    ("anne-pico", 0xE48BFF56, 480, b"AI-ANNE on Raspberry Pi Pico with RP2040"),
    ("anne-pico-models", 0xE48BFF56, 512, b"AI-ANNE on Raspberry Pi Pico with RP2040"),
    ("anne-pico2", 0xE48BFF59, 768, b"AI-ANNE on Raspberry Pi Pico 2 with RP2350"),
]
RP2350_ABSOLUTE = 0xE48BFF57  # one block of it in front, picotool's way round the erratum RP2350-E10


def blocks(name: str) -> list[tuple[int, int, bytes]]:
    """Return (family id, address, data) of each 512-byte block of a UF2 file."""
    path = ROOT / "build" / f"{name}.uf2"
    if not path.exists():
        pytest.skip(f"{path.name} is not built")
    data = path.read_bytes()
    found = []
    for at in range(0, len(data), 512):
        _, _, _, address, n_bytes, _, _, family = struct.unpack_from("<8I", data, at)
        found.append((family, address, data[at + 32 : at + 32 + n_bytes]))
    return found


@pytest.mark.parametrize(("name", "family", "code_kb", "machine"), BOARDS)
def test_family_and_place(name, family, code_kb, machine):
    image = [block for block in blocks(name) if block[0] != RP2350_ABSOLUTE]
    assert {block[0] for block in image} == {family}
    assert min(block[1] for block in image) == 0x10000000
    assert max(block[1] + len(block[2]) for block in image) <= 0x10000000 + code_kb * 1024


@pytest.mark.parametrize(("name", "family", "code_kb", "machine"), BOARDS)
def test_banner_names_the_pinned_versions(name, family, code_kb, machine):
    image = b"".join(data for block_family, _, data in blocks(name) if block_family == family)
    banner = (
        f"MicroPython v{PINS['MICROPYTHON_VERSION']} on 2025-04-15 with AI-ANNE {VERSION}, "
        f"pico-sdk {PINS['PICO_SDK_VERSION']}, tinyusb {PINS['TINYUSB_VERSION']}"
    )
    assert banner.encode() in image
    assert machine in image


def test_firmware_names_no_folder_of_the_machine_it_was_built_on():
    for name, *_ in BOARDS:
        assert str(ROOT).encode() not in b"".join(data for _, _, data in blocks(name))
