"""Compiles the package `anne` for stock firmware: a .mpy for each .py, as folders have them.

usage: compile_package.py MPY_CROSS FROM TO        folders; what was in TO before is removed

Bytecode, the same for every board. No line numbers, as in our own firmware: their memory would come off the heap.
"""

import shutil
import subprocess
import sys
from pathlib import Path

NOT_ON_BOARDS = ("host_core.py", "host_trainer.py")  # over the library on a PC


def main() -> None:
    mpy_cross, package, compiled = map(Path, sys.argv[1:])
    shutil.rmtree(compiled, ignore_errors=True)
    for source in sorted(package.rglob("*.py")):
        if source.name in NOT_ON_BOARDS:
            continue
        name = source.relative_to(package)
        target = (compiled / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        told = ["-s", str(Path(package.name) / name), "-o", str(target)]  # the path in tracebacks
        subprocess.run([str(mpy_cross), "-O3", *told, str(source)], check=True)


if __name__ == "__main__":
    main()
