#!/usr/bin/env python3
"""Print what the native module's .mpy files take, on a board's storage and of its heap. Used by `make size`.

usage: report_sizes.py FILES...
"""

import sys
from pathlib import Path


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of a .mpy file, and where it ends."""
    value = 0
    while True:
        value, at = value << 7 | data[at] & 0x7F, at + 1
        if data[at - 1] < 0x80:
            return value, at


def code_bytes(data: bytes) -> int:
    """Return how many bytes of machine code a file has, the first child of its module (link_mpy.py, mpy-tool)."""
    n_names, at = read_number(data, 4)
    n_objects, at = read_number(data, at)
    if n_objects != 0:
        raise ValueError("a file with objects is not ours")
    for _ in range(n_names):
        length, at = read_number(data, at)
        if length & 1 == 0:
            at += (length >> 1) + 1
    module, at = read_number(data, at)
    _, at = read_number(data, at + (module >> 3))
    return read_number(data, at)[0] >> 3


def main() -> int:
    """Print a line for each file."""
    print(f"{'native module for stock firmware':40} {'file':>8} {'code, in RAM':>14}")
    for path in map(Path, sys.argv[1:]):
        data = path.read_bytes()
        print(f"  {path.stem:38} {len(data):8,} {code_bytes(data):14,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
