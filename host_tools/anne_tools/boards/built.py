"""Where the files for boards are: those a checkout has built, else those that came with the installed package.

find("anne-pico.uf2")      firmwares
find("_anne-armv6m.mpy")   the native module for MicroPython's own firmware, one a processor
find("anne")               the folder of the anne package's .mpy files
"""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
# In a wheel; `make release` fills it (host_tools/release).
RUNTIME = Path(__file__).resolve().parents[1] / "runtime"
# Below build/, where CMake puts what is for boards.
_FOLDERS = ("", "natmod")


def find(name: str) -> Path | None:
    """Return the file or folder called `name`, None if there is none.

    It is looked for in build/ of the current folder, of those above, and of the source checkout that this package is
    used from; then in the installed package.
    """
    here = Path.cwd()
    builds = [folder / "build" for folder in (here, *here.parents, CHECKOUT)]
    for folder in [*(build / below for build in builds for below in _FOLDERS), RUNTIME]:
        if (folder / name).exists():
            return folder / name
    return None
