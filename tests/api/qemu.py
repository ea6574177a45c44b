"""MicroPython on processor cores that QEMU has (micropython/qemu.cmake), where the native module is built in.

Nothing of it is a board: the tests and the golden files lie in memory as ROMFS, files that tests write in 64 KB beside
it. A file's tests have a machine of their own, which is there in a tenth of a second. An instruction takes 8 ns of the
machine's time (-icount), so a run takes the same time there each time.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from anne_tools.boards.romfs import romfs_image


@dataclass(frozen=True)
class Qemu:
    """A machine: QEMU's arguments, and where in its memory a disk for writing and the two images lie."""

    arguments: tuple[str, ...]
    disk: int
    tests: int
    golden: int

    def run(self, elf: Path, tests: dict[str, bytes], golden: dict[str, bytes], script: str) -> str:
        """Run a script with these files in /tests, which is in sys.path, and /golden; return what it prints."""
        with tempfile.TemporaryDirectory() as folder:
            command = [
                "qemu-system-arm",
                *self.arguments,
                "-icount",
                "shift=3,sleep=off",
                "-kernel",
                str(elf),
            ]
            command += ["-display", "none", "-monitor", "none", "-serial", "stdio"]
            command += ["-semihosting-config", "enable=on,target=native"]
            mounts = ""
            for name, files, address in (("tests", tests, self.tests), ("golden", golden, self.golden)):
                image = romfs_image(files)
                path = Path(folder, name)
                path.write_bytes(image)
                command += ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]
                mounts += _MOUNT.format(address=address, n_bytes=len(image), name=name)
            source = _DISK.format(address=self.disk) + mounts + _RUN.format(script=script)
            return _output(command, b"\r\x01" + source.encode() + b"\x04")


MACHINES = {
    "qemu-m0": Qemu(
        (
            "-M",
            "microbit",
            "-global",
            "nrf51-soc.flash-size=4194304",
            "-global",
            "nrf51-soc.sram-size=524288",
        ),
        disk=0x20040000,
        tests=0x100000,
        golden=0x200000,
    ),
    "qemu-m33": Qemu(("-M", "mps2-an505"), disk=0x10140000, tests=0x10200000, golden=0x10300000),
}

_DISK = """
import machine, sys, uctypes, vfs
class Disk:
    data = uctypes.bytearray_at({address}, 65536)
    def readblocks(self, block, buf, offset=0):
        at = block * 512 + offset
        buf[:] = memoryview(self.data)[at : at + len(buf)]
    def writeblocks(self, block, buf, offset=0):
        at = block * 512 + offset
        self.data[at : at + len(buf)] = buf
    def ioctl(self, op, arg):
        return {{4: 128, 5: 512}}.get(op, 0)
vfs.VfsLfs2.mkfs(Disk())
vfs.mount(vfs.VfsLfs2(Disk()), "/")
"""
_MOUNT = """
vfs.mount(vfs.VfsRom(uctypes.bytearray_at({address}, {n_bytes})), "/{name}")
"""
_RUN = """
del Disk
sys.path.append("/tests")
try:
    {script}
except BaseException as error:
    sys.print_exception(error)
finally:
    machine.reset()
"""
# What the port prints of an exception of the processor's own, before it stays where it is.
_FAULT = b"exception caught:"
_SECONDS = 120


def _output(command: list[str], typed: bytes) -> str:
    """Return what the machine prints on its serial line once a raw REPL has taken what is typed."""
    qemu = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    clock = threading.Timer(_SECONDS, qemu.kill)
    clock.start()
    printed = b""
    try:
        qemu.stdin.write(typed)
        qemu.stdin.flush()
        while part := qemu.stdout.read1():
            printed += part
            if _FAULT in printed and b"xPSR" in printed:
                qemu.kill()
    finally:
        ended = clock.is_alive()
        clock.cancel()
        qemu.kill()
        qemu.communicate()
    text = printed.decode(errors="replace").replace("\r\n", "\n").partition("OK")[2]
    return text if ended else f"{text}\nno end in {_SECONDS} s"
