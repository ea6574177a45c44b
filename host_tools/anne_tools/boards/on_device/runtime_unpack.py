"""Runs on any board: takes apart anne.pack, as it would take a minute to send each file by itself.

The host sets before: `folder`, where packages are and anne.pack is; `files`, (path in anne.new, bytes) in the order
that they have in it. Prints the CRC-32 of what was written.
"""

import os
from binascii import crc32


def make_folder(path):
    try:  # noqa: SIM105 (a board has no contextlib)
        os.mkdir(path)
    except OSError:  # it is there
        pass


def copy(source, path, n_bytes):
    with open(path, "wb") as file:
        while n_bytes:
            n_bytes -= file.write(source.read(min(n_bytes, 4096)))


def main():
    crc, buffer, made = 0, bytearray(4096), ""
    with open(folder + "/anne.pack", "rb") as source:  # noqa: F821
        for name, n_bytes in files:  # noqa: F821
            path = folder + "/anne.new/" + name  # noqa: F821
            parent = path[: path.rfind("/")]
            if parent != made:
                make_folder(folder + "/anne.new")  # noqa: F821
                make_folder(parent)
                made = parent
            copy(source, path, n_bytes)
    for name, _ in files:  # noqa: F821
        with open(folder + "/anne.new/" + name, "rb") as file:  # noqa: F821
            while n := file.readinto(buffer):
                crc = crc32(memoryview(buffer)[:n], crc)
    print(crc & 0xFFFFFFFF)


main()
