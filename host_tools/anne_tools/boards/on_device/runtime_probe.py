"""Runs on any board: prints what it is and what it has, as a tuple (boards/runtime.py names its values)."""

import gc
import os
import sys


def library():
    # where mip and `anne deploy --runtime` put packages
    for folder in sys.path:
        if folder.endswith("/lib") and not folder.startswith("/rom"):
            return folder
    return "/lib"


def has_built_in():
    # whether the firmware itself has AI-ANNE: found where no folder is looked into
    kept, before = list(sys.path), sys.modules.pop("_anne", None)
    sys.path[:] = ["/no-folder-of-this-name"]
    try:
        import _anne  # noqa: F401

        return True
    except ImportError:
        return False
    finally:
        sys.path[:] = kept
        if before:
            sys.modules["_anne"] = before


def installed(folder):
    # the version that `anne deploy --runtime` wrote; mip writes none
    try:
        with open(folder + "/anne/version.txt") as file:
            return file.read()
    except OSError:
        pass
    try:
        os.stat(folder + "/_anne.mpy")
        return "unknown"
    except OSError:
        return ""


def main():
    about, folder = sys.implementation, library()
    mpy = getattr(about, "_mpy", getattr(about, "mpy", 0))
    storage = os.statvfs(folder[: folder.rfind("/")] or "/")
    gc.collect()
    print(
        (
            about[0],
            tuple(about[1])[:3],
            mpy,
            sys.platform,
            getattr(about, "_machine", "") or os.uname().machine,
            has_built_in(),
            folder,
            installed(folder),
            storage[1],
            storage[1] * storage[4],
            gc.mem_free(),
        )
    )


main()
