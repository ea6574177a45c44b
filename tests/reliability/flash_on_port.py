"""Runs on MicroPython's unix port: its littlefs on a flash in RAM whose power can be cut at any operation.

    micropython-unix flash_on_port.py exec BLOCKS        as the raw REPL, a statement a line in JSON
    micropython-unix flash_on_port.py sweep TASK.json    cuts at every operation of the statements in the task

The flash is the Pico's: pages of 256 bytes, in which a program can only clear bits, and blocks of 4096, which are
erased to ones. It is mounted as `_boot.py` does it on the board.
"""

import gc
import io
import json
import os
import sys
from binascii import a2b_base64

import anne
import vfs

BLOCK_BYTES, PAGE_BYTES = 4096, 256
EIO = 5
# What of the interrupted operation was done: nothing, or the first or the second half of its bytes.
CUTS = {"clean": (0, 0), "torn, first half done": (0, 2), "torn, second half done": (1, 2)}


class Flash:
    """A block device that loses its power at operation `cut_at` (counted from 0) and does nothing from then on."""

    def __init__(self, image, cut_at=-1, cut="clean"):
        self.image, self.cut_at, self.cut = image, cut_at, cut
        self.operations, self.off = 0, False

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        buffer[:] = memoryview(self.image)[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset):
        assert offset % PAGE_BYTES == 0 and len(buffer) % PAGE_BYTES == 0
        return self._operate(block * BLOCK_BYTES + offset, len(buffer), buffer)

    def ioctl(self, operation, argument):
        if operation == 4:
            return len(self.image) // BLOCK_BYTES
        if operation == 5:
            return BLOCK_BYTES
        if operation == 6:
            return self._operate(argument * BLOCK_BYTES, BLOCK_BYTES, None)
        return 0

    def _operate(self, at, n_bytes, data):
        """Program `data`, or erase if it is None."""
        first, last = 0, n_bytes
        if self.operations == self.cut_at and not self.off:
            half, halves = CUTS[self.cut]
            first, last = (half * n_bytes // 2, (half + 1) * n_bytes // 2) if halves else (0, 0)
            self.off = True
        elif self.off:
            return -EIO
        self.operations += 1
        if data is None:
            self.image[at + first : at + last] = b"\xff" * (last - first)
        else:
            image = self.image
            for i in range(first, last):
                image[at + i] &= data[i]
        return -EIO if self.off else 0


def mount(flash):
    """Put it in place of what is mounted at /."""
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(flash, progsize=PAGE_BYTES), "/")


def formatted(n_blocks, files):
    image = bytearray(b"\xff" * (n_blocks * BLOCK_BYTES))
    flash = Flash(image)
    vfs.VfsLfs2.mkfs(flash, progsize=PAGE_BYTES)
    mount(flash)
    for path, content in files.items():
        with open(path, "wb") as file:
            file.write(content)
    return image


def content_of(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def names_below(folder):
    """Return the paths of all files there."""
    names = set()
    for name, kind, *_ in os.ilistdir(folder or "/"):
        path = folder + "/" + name
        names |= names_below(path) if kind == 0x4000 else {path}
    return names


def run(statements, image, cut_at=-1, cut="clean"):
    """Mount and run, up to the cut; return the flash."""
    flash, names = Flash(image, cut_at, cut), {"print": lambda *words: None}
    mount(flash)
    for statement in statements:
        try:
            exec(statement, names)
        except OSError:  # with the power on: a question, such as whether a folder is there
            if flash.off:
                break
    return flash


class Sweep:
    """One deployment, `statements`, that replaces what is at `path` by `new`; files of other names must not change."""

    def __init__(self, path, new, statements, others):
        self.path, self.new, self.statements, self.others = path, new, statements, others
        self.outcomes = {"old": 0, "new": 0}

    def check(self, allowed, where):
        """Return whether the old or the new model is at `path`.

        It must be one of the `allowed` (None: no file) and load, and the other files must be whole.
        """
        found = content_of(self.path)
        if found not in allowed:
            raise ValueError(f"{where}: {self.path} is neither old nor new")
        if found is not None:
            anne.load(found).close()  # it checks the CRC
        for path, content in self.others.items():
            if content_of(path) != content:
                raise ValueError(f"{where}: {path} was harmed")
        return "new" if found == self.new else "old"

    def cut_everywhere(self, image):
        """Cut at every operation in each manner; return the flash after an undisturbed run, and how many cuts."""
        mount(Flash(image))
        old, whole, n_cuts = content_of(self.path), bytearray(image), 0
        n_operations = run(self.statements, whole).operations
        for cut in CUTS:
            for cut_at in range(n_operations):
                where = f"operation {cut_at} of {n_operations}, {cut}"
                tried = bytearray(image)
                assert run(self.statements, tried, cut_at, cut).off
                mount(Flash(tried))
                self.outcomes[self.check((old, self.new), where)] += 1
                run(self.statements, tried)  # and it can be deployed again
                mount(Flash(tried))
                self.check((self.new,), where + ", then deployed again")
                if names_below("") != set(self.others) | {self.path}:
                    raise ValueError(where + ": a temporary file stays")
                n_cuts += 1
                gc.collect()
        return whole, n_cuts


def sweep(task):
    """Deploy the models of `task` in turn, several times with cuts everywhere."""
    others = {path: a2b_base64(text) for path, text in task["others"].items()}
    image, n_cuts = formatted(task["n_blocks"], others), 0
    outcomes = {"old": 0, "new": 0}
    for _ in range(task["n_rounds"]):
        for new, statements in task["deployments"]:
            one = Sweep(task["path"], a2b_base64(new), statements, others)
            image, n = one.cut_everywhere(image)
            n_cuts += n
            for outcome in outcomes:
                outcomes[outcome] += one.outcomes[outcome]
    print(json.dumps({"cuts": n_cuts, "old": outcomes["old"], "new": outcomes["new"]}))


def answer(line, names):
    """Run a statement as the raw REPL does."""
    try:
        exec(json.loads(line), names)
        sys.stdout.write("\x04\x04")
    except Exception as error:
        text = io.StringIO()
        sys.print_exception(error, text)
        sys.stdout.write("\x04" + text.getvalue() + "\x04")


def main():
    if sys.argv[1] == "sweep":
        with open(sys.argv[2]) as file:
            task = json.load(file)
        sweep(task)
    else:
        formatted(int(sys.argv[2]), {})
        names = {}
        for line in sys.stdin:
            answer(line, names)


main()
