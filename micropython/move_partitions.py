"""Makes a firmware with other sizes of ROMFS and storage from one that is built, in some seconds.

usage: move_partitions.py BUILD ROMFS_KB STORAGE_KB OUT        BUILD: its folder; writes OUT.elf and OUT.uf2

Where the partitions lie, one file of MicroPython's alone knows, rp2_flash.c, and the linker, which does not let the
code reach into them. So that file is compiled once more, with the numbers changed in the command that compiled it, and
all is linked with it in place of the first; the commands are those that ninja used. A command that is not as expected
is an error. tests/emulator/test_models_firmware.py asks the result where its partitions are.
"""

import re
import subprocess
import sys
from pathlib import Path

FLASH_BASE, FLASH_BYTES = 0x10000000, 2048 * 1024
OBJECT, MOVED = "CMakeFiles/firmware.dir/rp2_flash.c.o", "moved/rp2_flash.c.o"


def command_of(build: Path, target: str) -> str:
    """Return the shell command by which ninja made `target`."""
    asked = ["ninja", "-C", str(build), "-t", "commands", "-s", target]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()[-1]


def replaced(command: str, pattern: str, new: str) -> str:
    """Return the command with what matches replaced. ValueError if nothing does."""
    changed, n = re.subn(pattern, new, command)
    if n == 0:
        raise ValueError(f"expected {pattern} in the command, found none: {command[:200]}")
    return changed


def compile_command(command: str, romfs_bytes: int, storage_bytes: int) -> str:
    """Return the command that compiles rp2_flash.c for these sizes."""
    command = replaced(command, r"(-DMICROPY_HW_ROMFS_BYTES=)\d+", rf"\g<1>{romfs_bytes}")
    command = replaced(command, r"(-DMICROPY_HW_FLASH_STORAGE_BYTES=)\d+", rf"\g<1>{storage_bytes}")
    return replaced(command, re.escape(OBJECT), MOVED)  # and the file of its dependencies


def link_commands(command: str, code_end: int, out: Path) -> tuple[str, str]:
    """Return the commands that link `out`.elf and turn it into `out`.uf2, from the one that made firmware.elf."""
    link, *after = command.removeprefix(": && ").split(" && ")
    link = replaced(link, re.escape(OBJECT), MOVED)
    link = replaced(link, r"(--defsym=__anne_code_end=)0x[0-9a-f]+", rf"\g<1>{code_end:#x}")
    link = replaced(link, r"-Wl,-Map=\S+", "")
    link = replaced(link, r"-o firmware\.elf", f"-o {out}.elf")
    convert = next(step for step in after if " uf2 convert " in step)
    return link, replaced(convert, r"\S+/firmware\.elf firmware\.uf2", f"{out}.elf {out}.uf2")


def main() -> None:
    build, out = Path(sys.argv[1]), Path(sys.argv[4]).absolute()
    romfs_bytes, storage_bytes = (int(kb) * 1024 for kb in sys.argv[2:4])
    code_end = FLASH_BASE + FLASH_BYTES - storage_bytes - romfs_bytes
    (build / MOVED).parent.mkdir(exist_ok=True)
    for command in (
        compile_command(command_of(build, OBJECT), romfs_bytes, storage_bytes),
        *link_commands(command_of(build, "firmware.elf"), code_end, out),
    ):
        subprocess.run(command, shell=True, check=True, cwd=build)


if __name__ == "__main__":
    main()
