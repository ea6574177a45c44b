#!/usr/bin/env python3
"""Build wheels and sdist, the same bytes each time: `python host_tools/release_wheels.py FOLDER [--runtime FILES]`.

Two wheels: one with the C core, for this machine's system, and one without, for all others. Both carry the files of
the folder --runtime, which land in anne_tools/runtime. SOURCE_DATE_EPOCH is the date of all that is in them.
"""

import argparse
import os
import platform
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("native", "any", "sdist")
# Of a system with glibc every wheel may expect these (PEP 600), in a version that its tag names.
_SYSTEM_LIBRARIES = {"libc.so.6", "libm.so.6"}
# The oldest glibc that auditwheel has a tag for, manylinux2014; pip of Python 3.11 knows none that is older.
_OLDEST_GLIBC = 17


def linux_tag(library: Path) -> str:
    """Return the platform tag for a library of this machine: manylinux_2_N where glibc 2.N is all that it needs."""
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection

    machine = platform.machine()
    with library.open("rb") as file:
        sections = list(ELFFile(file).iter_sections())
        needed, versions = set(), []
        for section in sections:
            if isinstance(section, DynamicSection):
                needed |= {tag.needed for tag in section.iter_tags("DT_NEEDED")}
            if isinstance(section, GNUVerNeedSection):
                versions += [auxiliary.name for _, each in section.iter_versions() for auxiliary in each]
    numbers = [re.fullmatch(r"GLIBC_2\.(\d+)(?:\.\d+)?", version) for version in versions]
    if needed - _SYSTEM_LIBRARIES or None in numbers:
        return f"linux_{machine}"
    glibc = max([_OLDEST_GLIBC, *(int(number[1]) for number in numbers)])
    return f"manylinux_2_{glibc}_{machine}"


def build(folder: Path, runtime: Path | None, kinds: list[str], work: Path) -> list[str]:
    """Put what is asked for into a folder; return the names of the files. CMake works in the folder `work`."""
    from scikit_build_core.build import build_sdist, build_wheel

    os.chdir(ROOT)
    settings = {"build-dir": str(work)}
    if runtime is not None:
        settings[f"wheel.force-include.{runtime.resolve()}"] = "anne_tools/runtime"
    names = []
    if "native" in kinds:
        name = build_wheel(str(folder), settings)
        tag = linux_tag(next(work.rglob("libanne.so")))
        (folder / name).unlink()  # nothing is compiled anew for the tag
        names.append(build_wheel(str(folder), settings | {"wheel.tags": f"py3-none-{tag}"}))
    if "any" in kinds:
        names.append(build_wheel(str(folder), settings | {"wheel.cmake": "false"}))
    if "sdist" in kinds:
        names.append(build_sdist(str(folder), {}))
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where they go")
    parser.add_argument("--runtime", type=Path, help="folder of files for boards, which the wheels carry")
    parser.add_argument(
        "--only", choices=KINDS, action="append", help="what to build; may be repeated; default: all"
    )
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build" / "release" / "cmake", help="where to compile"
    )
    args = parser.parse_args()
    runtime = args.runtime and args.runtime.resolve()
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    build(folder, runtime, args.only or list(KINDS), args.work.resolve())


if __name__ == "__main__":
    main()
