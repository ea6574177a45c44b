"""The firmware files that `make firmware` and `make test` built: right chip, right place in flash, right versions."""

import datetime
import re
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = sorted(path.stem for path in (ROOT / "micropython/versions").glob("*.env"))
VERSION = (ROOT / "VERSION").read_text().strip()

# Family ids of the UF2 specification. Flash begins at 0x10000000; code may use it up to ROMFS:
# Pico 2048 - 1408 - 176 = 480 KB, with room for models 2048 - 512 - 1024 = 512, Pico 2 4096 - 3072 - 256 = 768 KB.
BOARDS = [
    ("anne-pico", 0xE48BFF56, 480, b"AI-ANNE on Raspberry Pi Pico with RP2040"),
    ("anne-pico-models", 0xE48BFF56, 512, b"AI-ANNE on Raspberry Pi Pico with RP2040"),
    ("anne-pico2", 0xE48BFF59, 768, b"AI-ANNE on Raspberry Pi Pico 2 with RP2350"),
]
RP2350_ABSOLUTE = 0xE48BFF57  # one block of it in front, picotool's way round the erratum RP2350-E10


def pins(*names: str) -> dict[str, str]:
    """Return what the files of pins say."""
    texts = [(ROOT / "micropython" / f"{name}.env").read_text() for name in names]
    return dict(re.findall(r"^([A-Z_]+)=(\S+)$", "\n".join(texts), re.M))


def release_banner(version: str) -> str:
    """Return how MicroPython greets: with its version and the day of its release, in UTC."""
    seconds = int(pins(f"versions/{version}")["SOURCE_DATE_EPOCH"])
    return f"MicroPython v{version} on {datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d}"


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
    chosen = (
        (ROOT / "build/sources/stamp").read_text().split()[1]
    )  # make MICROPYTHON=..., else versions.env's
    common = pins("versions")
    banner = (
        f"{release_banner(chosen)} with AI-ANNE {VERSION}, "
        f"pico-sdk {common['PICO_SDK_VERSION']}, tinyusb {common['TINYUSB_VERSION']}"
    )
    assert banner.encode() in image
    assert machine in image


def test_firmware_names_no_folder_of_the_machine_it_was_built_on():
    for name, *_ in BOARDS:
        assert str(ROOT).encode() not in b"".join(data for _, _, data in blocks(name))


@pytest.mark.parametrize("version", PINNED)
def test_stock_firmware_is_that_version_with_nothing_of_ours(version):
    missing = ROOT / f"build/sources-{version}/missing"
    if missing.exists():
        pytest.skip(missing.read_text().strip())
    image = b"".join(data for _, _, data in blocks(f"stock-pico-{version}"))
    assert release_banner(version).encode() in image
    assert b"; Raspberry Pi Pico with RP2040" in image
    assert b"ANNE" not in image
