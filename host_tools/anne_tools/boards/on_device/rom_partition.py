"""Runs on the Pico: leaves the ROMFS partition and a buffer of one of its blocks in `_anne_rom`.

Prints the bytes of both; 0 if the firmware has no such partition.
"""

import vfs

_anne_rom = vfs.rom_ioctl(2, 0) if hasattr(vfs, "rom_ioctl") else -1  # as mpremote asks for it
if isinstance(_anne_rom, int):
    print(0)
else:
    _anne_rom = (_anne_rom, bytearray(_anne_rom.ioctl(5, 0)))
    print(_anne_rom[0].ioctl(4, 0) * len(_anne_rom[1]), len(_anne_rom[1]))
