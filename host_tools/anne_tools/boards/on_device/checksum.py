"""Runs on the Pico: the length and the CRC-32 of the file at `path`, which the host sets before."""

from binascii import crc32

crc, n_bytes, buffer = 0, 0, bytearray(1024)
with open(path, "rb") as file:  # noqa: F821
    while n := file.readinto(buffer):
        crc = crc32(memoryview(buffer)[:n], crc)
        n_bytes += n
print(n_bytes, crc & 0xFFFFFFFF)
