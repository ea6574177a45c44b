"""AI-ANNE onto a board with MicroPython's own firmware: the package `anne`, and `_anne.mpy`, which computes natively.

Nothing is half-copied: all goes under temporary names first, its CRC-32 is compared there, then it takes its place;
what says the version is written last (on_device/runtime_swap.py).
"""

from __future__ import annotations

import ast
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

from ..errors import DeviceError
from .board_files import script
from .device import Device
from .runtime_files import BoardFacts, Runtime, kinds_of, runtime_for

Progress = Callable[[str, int, int], None]

LEFT_BYTES = 12 * 1024  # of the heap, for a program
# A folder takes two blocks of littlefs; there are three, and /lib.
_FOLDER_BLOCKS = 8


@dataclass
class RuntimeDeployed:
    """What lies on the board now, and what it was asked.

    `done` is "installed", "there already" or "not needed", where the firmware is ours. `processor` is the native
    module's, "" if all runs in Python, `kinds` which layers that has, "all" or "dense"; `version` is the runtime's, ""
    where none was needed. `heap_taken` is what `import anne` took, `heap_all` what it would with all kinds, `heap_free`
    what was left; None where nothing was imported.
    """

    device: str
    board: str
    firmware: str
    done: str
    processor: str
    kinds: str
    native: bool
    version: str
    n_files: int
    n_bytes: int
    heap_taken: int | None
    heap_all: int | None
    heap_free: int

    def to_json(self) -> dict:
        """Return this as plain data for JSON."""
        return asdict(self)


def probe(device: Device) -> BoardFacts:
    """Ask a board what it is. DeviceError if it has no answer."""
    try:
        return BoardFacts(*ast.literal_eval(device.exec(script("runtime_probe.py"))))
    except (ValueError, SyntaxError, TypeError):
        raise DeviceError(
            f"{device.name}: it does not say what it is; is it a board with MicroPython?"
        ) from None


def deploy_runtime(
    device: Device,
    force: bool = False,
    progress: Progress = lambda step, done, total: None,
    kinds: str = "all",
    exactly: bool = False,
) -> RuntimeDeployed:
    """Put AI-ANNE onto a board with stock firmware; return what was done.

    The native module has all kinds of layers, or with `kinds` "dense" dense chains alone. But where one with all is
    there already, of whatever version, other models may need them: it stays so, unless `kinds` are wanted `exactly`.

    DeviceError if it is no MicroPython or too old for the files, has too little heap (without `force`) or storage, or
    gets something else than was sent; ModelError if the files are not built. Then what was there is as before.
    `progress` is told each step before it begins, and how much of how much of it is done.
    """
    facts = probe(device)
    if facts.own:
        none = Runtime("", {}, b"")
        return _told(device, facts, "not needed", none, none, (True, "", "", None, facts.heap_free))
    if facts.installed and not exactly and kinds_of(facts.installed) == "all":
        kinds = "all"
    runtime, whole = (runtime_for(device.name, facts, each) for each in (kinds, "all"))
    clear = script("runtime_clear.py", folder=facts.library)
    if facts.installed == runtime.stamp and not force:
        device.exec(clear)  # a board that was unplugged at the very end
        return _told(device, facts, "there already", runtime, whole, _tried(device, facts))
    if not force:
        _require_heap(device, facts, runtime)
    _require_storage(device, facts, runtime)
    device.exec(clear)
    try:
        _send(device, facts.library, runtime, progress)
        names = {"folder": facts.library, "module": bool(runtime.module), "version": runtime.stamp}
        device.exec(script("runtime_swap.py", **names))
    except DeviceError as error:
        if str(error).endswith("OSError: 28"):  # ENOSPC
            raise DeviceError(f"{device.name}: its storage is full; remove files from it") from None
        raise
    finally:
        with suppress(DeviceError):  # what went wrong before is the news
            device.exec(clear)
    progress("imports it there", 0, 0)
    return _told(device, facts, "installed", runtime, whole, _tried(device, facts))


def _told(
    device: Device, facts: BoardFacts, done: str, runtime: Runtime, whole: Runtime, tried: tuple
) -> RuntimeDeployed:
    native, _, _, heap_taken, heap_free = tried
    more = len(whole.module) - len(runtime.module)
    heap_all = None if heap_taken is None else heap_taken + more
    return RuntimeDeployed(
        device.name, facts.machine, facts.firmware, done, runtime.processor, runtime.kinds, native,
        runtime.stamp if runtime.package else "", len(runtime.files()), sum(map(len, runtime.files().values())),
        heap_taken, heap_all, heap_free,
    )  # fmt: skip


def _require_heap(device: Device, facts: BoardFacts, runtime: Runtime) -> None:
    taken = runtime.heap_bytes
    if taken + LEFT_BYTES > facts.heap_free:
        raise DeviceError(
            f"{device.name}: AI-ANNE takes {taken} bytes of heap and a program some {LEFT_BYTES}, "
            f"{facts.heap_free} are free right after a reset; use a board with more RAM (--force puts it there all the "
            "same)"
        )


def _require_storage(device: Device, facts: BoardFacts, runtime: Runtime) -> None:
    block, sizes = max(facts.block_bytes, 1), [len(content) for content in runtime.files().values()]
    blocks = sum(-(-size // block) for size in [*sizes, sum(sizes)]) + _FOLDER_BLOCKS
    if blocks * block > facts.storage_free:
        raise DeviceError(
            f"{device.name}: its storage has {facts.storage_free} bytes free, AI-ANNE needs {blocks * block}, also in "
            "place of an older one, which stays until the new one is whole; remove files from it"
        )


def _send(device: Device, library: str, runtime: Runtime, progress: Progress) -> None:
    """All files into the board's folder anne.new, the module, too, whole as they were sent."""
    files = {name.removeprefix("anne/"): content for name, content in runtime.files().items()}
    pack = b"".join(files.values())
    sending = f"sends {len(files)} files"
    progress(sending, 0, len(pack))
    device.put(f"{library}/anne.pack", pack, lambda *done: progress(sending, *done))
    progress("writes each and compares the CRC-32 there", 0, 0)
    names = [(name, len(content)) for name, content in files.items()]
    unpack = script("runtime_unpack.py", folder=library, files=names)
    got, expected = device.exec(unpack, timeout_s=300).strip(), str(zlib.crc32(pack))
    if got != expected:
        raise DeviceError(f"{device.name}: sent files with CRC {expected}, there are {got}; repeat it")


def _tried(device: Device, facts: BoardFacts) -> tuple:
    """What `import anne` says there: native, version, folder, heap taken and free. DeviceError if it is another one."""
    told = ast.literal_eval(device.exec(script("runtime_try.py")))
    if told[2] != f"{facts.library}/anne":
        raise DeviceError(
            f"{device.name}: it is there, but {told[2]} is found first; remove that one, then: import anne"
        )
    return told
