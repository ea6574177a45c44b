"""Small UF2 files for tests."""

import struct

RP2040, RP2350, ABSOLUTE = 0xE48BFF56, 0xE48BFF59, 0xE48BFF57


def uf2_block(
    number: int, total: int, family: int, payload: bytes = b"x" * 256, address: int = 0x10000000
) -> bytes:
    header = struct.pack(
        "<8I", 0x0A324655, 0x9E5D5157, 0x2000, address + 256 * number, len(payload), number, total, family
    )
    return header + payload.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)


def uf2_file(family: int = RP2040, n_blocks: int = 3, first: bytes = b"x" * 256) -> bytes:
    return b"".join(uf2_block(n, n_blocks, family, first if n == 0 else b"x" * 256) for n in range(n_blocks))
