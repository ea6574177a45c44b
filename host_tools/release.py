#!/usr/bin/env python3
"""Fill dist/ with a release: wheels, sdist, files for boards, SHA256SUMS, SIZES.md, NOTES.md. Used by `make release`.

What is for boards has been built before. Two builds of a commit give the same files: all that is dated has the
commit's date, firmwares that of their pins.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from anne_tools.boards.firmware import BOARDS
from anne_tools.boards.runtime_files import mip_files
from bootstrap import ROOT, BootstrapError, run_step
from release_notes import git, release_notes, size_table

DIST, BUILD = ROOT / "dist", ROOT / "build"
RUNTIME = BUILD / "release" / "runtime"
# What a build leaves for boards and browsers, by what it is called in dist/ and in the wheel.
BUILT = {
    **{f"anne-{board}.uf2": BUILD / f"anne-{board}.uf2" for board in BOARDS},
    **{
        name: BUILD / "natmod" / name
        for chip in ("armv6m", "armv7emsp", "x64")
        for name in (f"_anne-{chip}.mpy", f"_anne-{chip}-dense.mpy")
    },
    "anne": BUILD / "natmod" / "anne",
    "anne-explorer.html": BUILD / "anne-explorer.html",
}


def stage() -> None:
    """Put what is built for boards and browsers into RUNTIME, nothing else. BootstrapError names what is not built."""
    missing = [str(path.relative_to(ROOT)) for path in BUILT.values() if not path.exists()]
    if missing:
        raise BootstrapError(f"expected to be built, but is not there: {', '.join(missing)}")
    shutil.rmtree(RUNTIME, ignore_errors=True)
    RUNTIME.mkdir(parents=True)
    for name, path in BUILT.items():
        if path.is_dir():
            shutil.copytree(
                path, RUNTIME / name, ignore=lambda folder, names: [n for n in names if _no_mpy(folder, n)]
            )
        else:
            shutil.copyfile(path, RUNTIME / name)


def _no_mpy(folder: str, name: str) -> bool:
    return not name.endswith(".mpy") and not Path(folder, name).is_dir()


def built_from() -> str:
    """Return in a sentence which commit this is, and whether more is in it."""
    commit, date = git(ROOT, "log", "-1", "--format=%h %cs").split()
    changed = git(ROOT, "status", "--porcelain")
    return f"Built from commit {commit} of {date}" + (
        " with changes that are not committed." if changed else "."
    )


def checksums(folder: Path, names: list[str]) -> str:
    """Return what `sha256sum --check` reads in the folder."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}" for name in names]
    return "\n".join(lines) + "\n"


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def main() -> int:
    try:
        source, date = built_from(), git(ROOT, "log", "-1", "--format=%ct")
    except (OSError, subprocess.CalledProcessError):
        print(
            "release: expected a git checkout, whose commits tell what is new; got a folder without",
            file=sys.stderr,
        )
        return 1
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    os.environ["SOURCE_DATE_EPOCH"] = date
    try:
        stage()
        shutil.rmtree(DIST, ignore_errors=True)
        command = [sys.executable, str(ROOT / "host_tools" / "release_wheels.py"), str(DIST)]
        command += ["--runtime", str(RUNTIME), "--only"]
        run_step("building the wheel with the C core", [*command, "native"], "release-native.log")
        run_step("building the wheel without it", [*command, "any"], "release-any.log")
        run_step("packing the source", [*command, "sdist"], "release-sdist.log")
    except BootstrapError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    shutil.copytree(RUNTIME, DIST, dirs_exist_ok=True)
    for name in git(ROOT, "ls-files", "examples", "lessons/de", "lessons/en").splitlines():
        (DIST / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, DIST / name)
    for name, content in mip_files().items():
        (DIST / name).write_bytes(content)
    (DIST / "SIZES.md").write_text(size_table(DIST, files_of(DIST)), encoding="utf-8")
    (DIST / "NOTES.md").write_text(release_notes(ROOT, version, source), encoding="utf-8")
    (DIST / "SHA256SUMS").write_text(checksums(DIST, files_of(DIST)), encoding="utf-8")
    print((DIST / "SIZES.md").read_text(encoding="utf-8"), end="")
    print(f"{source} In dist/: {len(files_of(DIST))} files, NOTES.md and SHA256SUMS among them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
