#!/usr/bin/env python3
"""Write a native .mpy file from the linked module, an ELF file with its dynamic relocations.

usage: link_mpy.py ARCHITECTURE MODULE.elf names.h OUTPUT.mpy

MicroPython's own tools/mpy_ld.py links object files itself, without leaving anything out, and takes no absolute
addresses in code; so it demands position-independent code, larger and slower, and refuses a part of libgcc. The linker
has done all that here, and what is left are words to which MicroPython adds an address when it loads the file: of the
file itself, of its names, of its table of functions, or of an object in that table.
https://docs.micropython.org/en/latest/reference/mpyfiles.html has the format.
"""

import re
import sys
from pathlib import Path

from elftools.elf.elffile import ELFFile

VERSION, SUB_VERSION, SMALL_INT_BITS = 6, 3, 31
ARCHITECTURES = {"x64": 2, "armv6m": 4, "armv7emsp": 7}
VIPER, RELOCATED = 2, 0x10

# To what a word is added: the file's code, its names, or MicroPython's table of functions, whose entries follow.
TEXT, NAMES, TABLE = 0, 6, 8
TABLE_ENTRIES = {  # by their places in py/nativeglue.h, mp_fun_table_t
    "py_none": 0,
    "py_false": 1,
    "py_true": 2,
    "nlr_push": 32,
    "mp_type_type": 73,
    "mp_type_str": 74,
    "mp_type_list": 75,
    "mp_type_dict": 76,
    "mp_type_fun_builtin_1": 78,
}
DESTINATIONS = {"mp_native_qstr_table": NAMES, "mp_fun_table": TABLE}
DESTINATIONS |= {name: TABLE + 1 + place for name, place in TABLE_ENTRIES.items()}


class LinkError(Exception):
    """The module is no such file."""


def number(value: int) -> bytes:
    """Return a whole number as .mpy files have it: 7 bits a byte, the last without the highest bit."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.insert(0, 0x80 | value & 0x7F)
    return bytes(out)


def words_of(elf: ELFFile) -> tuple[bytearray, dict[int, int]]:
    """Return the code, each word without the address that is to be added to it, and what that is, by the word's place.

    LinkError for an address that is unknown, or at an odd place.
    """
    section = elf.get_section_by_name(".text")
    code, size = bytearray(section.data()), elf.elfclass // 8
    relative, absolute = (23, {2, 21}) if elf["e_machine"] == "EM_ARM" else (8, {1, 6})
    destinations: dict[int, int] = {}
    for table in elf.iter_sections():
        if table["sh_type"] not in ("SHT_REL", "SHT_RELA"):
            continue
        symbols = elf.get_section(table["sh_link"])
        for entry in table.iter_relocations():
            place, kind = entry["r_offset"], entry["r_info_type"]
            added = (
                entry["r_addend"] if table.is_RELA() else int.from_bytes(code[place : place + size], "little")
            )
            if kind == relative:
                destination = TEXT
            elif kind in absolute:
                symbol = symbols.get_symbol(entry["r_info_sym"])
                if symbol["st_shndx"] == "SHN_UNDEF":
                    if symbol.name not in DESTINATIONS:
                        raise LinkError(f"no {symbol.name} in a .mpy file")
                    destination = DESTINATIONS[symbol.name]
                else:
                    destination, added = TEXT, added + symbol["st_value"]
            else:
                raise LinkError(f"relocation of type {kind} at {place:#x}")
            if place % size != 0:
                raise LinkError(f"an address at {place:#x}, which is no multiple of {size}")
            code[place : place + size] = added.to_bytes(size, "little")
            destinations[place // size] = destination
    return code, destinations


def relocations(destinations: dict[int, int]) -> bytes:
    """Return them as .mpy files have them: runs of words with one destination in the code, others one by one."""
    out, places, expected = bytearray(), sorted(destinations), None
    while places:
        first, destination = places[0], destinations[places[0]]
        n = 1
        while destination == TEXT and n < len(places) and destinations.get(first + n) == TEXT:
            n += 1
        jumps = first != expected
        kind = destination << 1 | (n > 1) if destination == TEXT else destination
        out += (
            bytes([kind << 1 | jumps])
            + (number(first << 1) if jumps else b"")
            + (number(n) if n > 1 else b"")
        )
        places, expected = places[n:], first + n
    return bytes(out) + b"\xff"


def mpy(architecture: str, elf: ELFFile, names: list[str], file_name: str) -> bytes:
    """Return the .mpy file. LinkError for a module that cannot be one."""
    if elf["e_entry"] & ~1 != 0:
        raise LinkError("mpy_init is not the first function")
    code, destinations = words_of(elf)
    out = bytes([ord("M"), VERSION, ARCHITECTURES[architecture] << 2 | SUB_VERSION, SMALL_INT_BITS])
    out += number(1 + len(names)) + number(0)
    for name in [file_name, *names]:
        out += number(len(name) << 1) + name.encode() + b"\0"
    out += number(len(code) << 3 | VIPER) + code + number(RELOCATED)
    return out + relocations(destinations)


def main() -> int:
    """Return 1, with the reason, if the module cannot be linked."""
    architecture, elf, header, output = sys.argv[1:]
    names = re.findall(r"^#define NAME_(\w+) ", Path(header).read_text(), re.MULTILINE)
    with open(elf, "rb") as file:
        try:
            out = mpy(architecture, ELFFile(file), names, "_anne.py")
        except LinkError as error:
            print(f"link_mpy: {error}", file=sys.stderr)
            return 1
    Path(output).write_bytes(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
