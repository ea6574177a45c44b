"""Tells how much flash and RAM the native module and the frozen package take: the firmware against the same without.

usage: report_size.py FIRMWARE.elf BARE.elf        exit status 1 if that is more than the limits
"""

import re
import sys

from elftools.elf.elffile import ELFFile

FLASH_START = 0x10000000
FLASH_LIMIT_BYTES = 72 * 1024
RAM_LIMIT_BYTES = 10 * 1024
# What mpy-tool.py writes for a frozen module: bytecode, constants, tables.
FROZEN = re.compile(
    r"(fun_data|proto_fun|raw_code|children|const_obj|const_\w+_table_data|frozen_module)_\w*"
)


def symbols(path: str) -> dict[str, tuple[int, int]]:
    """Return name -> (address, size in bytes) of all symbols of an ELF file."""
    with open(path, "rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        return {symbol.name: (symbol["st_value"], symbol["st_size"]) for symbol in table.iter_symbols()}


def flash_bytes(elf: dict[str, tuple[int, int]]) -> int:
    """Return the bytes of flash the image takes, initial values of variables included."""
    return elf["__flash_binary_end"][0] - FLASH_START


def frozen_bytes(elf: dict[str, tuple[int, int]]) -> int:
    """Return the bytes of all frozen modules."""
    return sum(size for name, (_, size) in elf.items() if FROZEN.fullmatch(name))


def ram_bytes(elf: dict[str, tuple[int, int]]) -> int:
    """Return the bytes of RAM that are taken before the heap begins: code that runs from RAM, variables."""
    return elf["__GcHeapStart"][0] - elf["__data_start__"][0]


def main() -> int:
    """Print the table; 1 if a limit is exceeded."""
    firmware, bare = (symbols(path) for path in sys.argv[1:3])
    ours = flash_bytes(firmware) - flash_bytes(bare)
    package = frozen_bytes(firmware) - frozen_bytes(bare)
    space = firmware["__anne_code_end"][0] - FLASH_START
    print(f"{'firmware':44}{flash_bytes(firmware):9,} bytes of {space:,} before ROMFS")
    print(f"{'  the same without anything of ours':44}{flash_bytes(bare):9,}")
    print(f"{'  native module and anne package':44}{ours:9,} bytes of {FLASH_LIMIT_BYTES:,} allowed")
    print(f"{'    frozen package (bytecode, constants)':44}{package:9,}")
    print(f"{'    native module, names':44}{ours - package:9,}")
    ram = ram_bytes(firmware) - ram_bytes(bare)
    print(f"{'  RAM that kernels take off the heap':44}{ram:9,} bytes of {RAM_LIMIT_BYTES:,} allowed")
    return 0 if ours <= FLASH_LIMIT_BYTES and ram <= RAM_LIMIT_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
