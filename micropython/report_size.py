"""Tells how much flash and RAM the native module and the frozen package take, room by room.

usage: report_size.py FIRMWARE.elf BARE.elf FOLDER        exit status 1 if that is more than the limits

The totals are the firmware's against those of the same without anything of ours. What a room takes stands in the
linker's map in FOLDER, where the firmware was built: which section of which object file lies where. What no object file
of ours takes (names, functions of libraries that nobody else calls, gaps) is the rest.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

from elftools.elf.elffile import ELFFile

FLASH_START, RAM_START = 0x10000000, 0x20000000
FLASH_LIMIT_BYTES = 144 * 1024
RAM_LIMIT_BYTES = 10 * 1024
# What mpy-tool.py writes for a frozen module: bytecode, constants, tables.
FROZEN = re.compile(
    r"(fun_data|proto_fun|raw_code|children|const_obj|const_\w+_table_data|frozen_module)_\w*"
)

# A section of an object file in the linker's map: name, address, size, file; a long name has a line of its own.
SECTION = re.compile(r"^ (\.\S+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.M)
OURS = re.compile(r".*/native_module/(\w+)(/\w+)?(?:/\w+)?\.[cS]\.o(?:bj)?")
ARCHIVED = re.compile(r".*\.a\((.+)\)")
SHARED = {f"layers/{name}" for name in ("binary", "checks", "layouts", "rows", "sum", "table", "windows")}
Room = tuple[int, int]
# name in an archive -> those of that name: path, and the bytes of each section
Objects = dict[str, list[tuple[str, dict[str, int]]]]


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


def room_of(path: str) -> str | None:
    """Return the room of an object file: layers/KIND, kernels, binding, or the loader around them; None: not ours."""
    found = OURS.fullmatch(path)
    if found is None:
        return None
    folder, name = found[1], found[2] or ""
    if not name:
        return "loader"
    room = folder + name if folder == "layers" else folder
    return "layers, shared" if room in SHARED else room


def core_objects(folder: Path) -> Objects:
    """Return the core's object files, by the names that they have in its archive, which has no folders."""
    objects: Objects = {}
    for path in sorted(folder.glob("CMakeFiles/anne_core.dir/**/*.o*")):
        with path.open("rb") as file:
            sizes = {section.name: section["sh_size"] for section in ELFFile(file).iter_sections()}
        objects.setdefault(path.name, []).append((str(path), sizes))
    return objects


def object_path(name: str, section: str, n_bytes: int, objects: Objects) -> str:
    """Return the object file that the linker's map calls `name`: of those of one name in the archive, the one that has
    the section, of this size if there are several."""
    found = ARCHIVED.fullmatch(name)
    members = objects.get(found[1], []) if found else []
    having = [(path, sizes[section]) for path, sizes in members if section in sizes]
    return min(having, key=lambda one: one[1] != n_bytes, default=(name, 0))[0]


def rooms(linker_map: str, objects: Objects) -> dict[str, Room]:
    """Return name -> (bytes of flash, bytes of RAM) of the native module's rooms."""
    taken: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    placed = linker_map.partition("Linker script and memory map")[2]  # before that: what was left out
    for section, address, size, name in SECTION.findall(placed):
        start, n_bytes = int(address, 16), int(size, 16)
        room = room_of(object_path(name, section, n_bytes, objects))
        if room is None or start < FLASH_START:  # at 0: what debuggers read
            continue
        in_ram = start >= RAM_START
        in_flash = not (in_ram and section.startswith((".bss", "COMMON")))  # code in RAM lies in flash, too
        taken[room][0] += n_bytes * in_flash
        taken[room][1] += n_bytes * in_ram
    return {name: (flash, ram) for name, (flash, ram) in sorted(taken.items())}


def main() -> int:
    """Print the table; 1 if a limit is exceeded."""
    firmware, bare = (symbols(path) for path in sys.argv[1:3])
    space = firmware["__anne_code_end"][0] - FLASH_START
    flash, ram = (count(firmware) - count(bare) for count in (flash_bytes, ram_bytes))
    folder = Path(sys.argv[3])
    table = rooms((folder / "firmware.elf.map").read_text(), core_objects(folder))
    table["anne, frozen (bytecode, constants)"] = frozen_bytes(firmware) - frozen_bytes(bare), 0
    in_flash, in_ram = (sum(column) for column in zip(*table.values(), strict=True))
    table["names, libraries, gaps"] = flash - in_flash, ram - in_ram
    print(f"{'':40}{'flash':>9}{'RAM':>9}")
    for name, (in_flash, in_ram) in table.items():
        print(f"  {name:38}{in_flash:9,}{in_ram:9,}")
    print(f"{'native module and anne package':40}{flash:9,}{ram:9,}")
    print(f"{'  allowed':40}{FLASH_LIMIT_BYTES:9,}{RAM_LIMIT_BYTES:9,}")
    print(f"{'firmware, without anything of ours':40}{flash_bytes(bare):9,}")
    print(f"{'firmware':40}{flash_bytes(firmware):9,} of {space:,} before ROMFS")
    return 0 if flash <= FLASH_LIMIT_BYTES and ram <= RAM_LIMIT_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
