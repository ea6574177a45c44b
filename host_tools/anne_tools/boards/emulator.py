"""An emulated Raspberry Pi Pico that runs a firmware file, the same way every time.

`EmulatedPico` drives PyPI `rp2040py` synchronously: no threads, no asyncio, nothing that depends on the wall clock.
All input is handed over at points of emulated time, so cycle counts and `time.ticks_us()` are identical from run to
run. The driver is our own design on the hooks that `rp2040py` offers: endpoint callbacks, clock alarms, logger and
`on_break`.

What its figures are worth: instruction timing follows the Cortex-M0+ manual. With `flash_cache=True`
(docs/flash_cache.md) reads of flash go through a model of the cache, and any misaligned access is a fault. Without it
flash is as fast as RAM, PUSH with lr and POP with pc are one cycle short each, and a misaligned word *store* or any
misaligned halfword goes unnoticed. There is no second core. Misaligned loads, bad addresses and unknown instructions
raise `EmulatorFault`, as do stores into ROM (address 0 and up) and into the firmware's part of flash.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..errors import DeviceError
from . import flash_files
from .emulator_core import FlashCache, make_core
from .emulator_profile import Breakpoints, read_symbols
from .emulator_usb import OnOutput, RawReplReply, UsbHost
from .layout import FLASH_BASE, FLASH_BYTES, KEPT_OFFSET, layout_of
from .uf2 import pieces_in_flash

RAM_BASE = 0x20000000

_RAW_REPL_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
_FATAL_WARNINGS = ("aligned", "invalid memory", "undefined address", "not implemented yet")

# The firmware takes some 1,400 cycles for each byte typed, so a longer script is put into its RAM instead.
_TYPED_BYTES = 400
_MAKE_ROOM = b"_anne_source=bytearray(%d);print(__import__('uctypes').addressof(_anne_source))"
_RUN_IT = b"exec(compile(str(globals().pop('_anne_source'),'utf-8'),'<stdin>','exec'))"
_OWN_FRAME = '  File "<stdin>", line 1, in <module>\n'


class EmulatorFault(DeviceError):
    """The firmware did what crashes a real Pico, or what harms it: the message says what and where."""


class _Watch:
    """The emulator's logger: its warnings about what would be a HardFault on silicon stop the machine."""

    def __init__(self, machine: "EmulatedPico") -> None:
        self._machine = machine

    def debug(self, component: str, message: str) -> None:
        pass

    info = debug

    def warning(self, component: str, message: str) -> None:
        if any(words in message for words in _FATAL_WARNINGS):
            self._machine._fault(f"{component}: {message}")

    def error(self, component: str, message: str) -> None:
        self._machine._fault(f"{component}: {message}")


class EmulatedPico(FlashCache):
    """One emulated Pico with a firmware in its flash: boot it, run scripts on it, look into it.

    `uf2` is the firmware; `elf`, with its symbols, names the place of a fault and is needed for `profile`. `files` and
    `romfs` (path to bytes) are put into the storage at `/` and into the read-only file system `/rom` before it boots;
    `kept_flash` is what `kept_flash` of an earlier machine gave, with both file systems in it.
    `strict=False` lets the firmware go on after what would crash a real Pico. `flash_cache` True wants the model of the
    flash cache (ModelError where it is not built), None takes it where it is.
    """

    def __init__(
        self,
        uf2: str | Path,
        elf: str | Path | None = None,
        *,
        files: Mapping[str, bytes] | None = None,
        romfs: Mapping[str, bytes] | None = None,
        kept_flash: bytes | None = None,
        strict: bool = True,
        flash_cache: bool | None = False,
    ) -> None:
        self.uf2, self.elf = Path(uf2), Path(elf) if elf else None
        self._strict = strict
        core = make_core(flash_cache)
        self._chip, self._simulator, self._execute_batch = core.chip, core.simulator, core.execute_batch
        self._clock, self._core = self._simulator.clock, self._chip.core
        self._chip.logger = _Watch(self)
        self._chip.load_bootrom(core.bootrom)
        if kept_flash:
            self.write_flash(KEPT_OFFSET, kept_flash)
        self._flash_firmware()
        if files:
            self._format_with(files)
        if romfs:
            self.write_romfs(romfs)
        self._host = UsbHost(core.serial_line, self._chip.usb_ctrl, self._on_data)
        self._deadline = self._clock.create_alarm(self._stop)
        self._interrupt = self._clock.create_alarm(lambda: self._host.send(b"\x03"))
        self._receive: Callable[[bytes], bool] = lambda data: False
        self._finished: Callable[[], bool] = lambda: False
        self._fault_text: str | None = None
        self._breakpoints = Breakpoints(self._chip, self._clock, self._memory)
        self._chip.on_break = self._on_break
        self._symbols: dict[str, tuple[int, int]] | None = None
        self._core.pc = FLASH_BASE
        self._guarded = self._guarded_bytes()

    def _flash_firmware(self) -> None:
        pieces = pieces_in_flash(self.uf2)
        for address, payload in pieces:
            self.write_flash(address - FLASH_BASE, payload)
        self.layout = layout_of(pieces)

    # --- running

    def boot(self, timeout_s: float = 60.0) -> None:
        """Run from power-on until MicroPython's raw REPL answers; boot.py and main.py, if any, are interrupted."""
        self._run_until(lambda: self._host.connected, timeout_s, "USB to come up")
        tail = bytearray()

        def prompt(data: bytes) -> bool:
            tail.extend(data)
            return tail.endswith(_RAW_REPL_PROMPT)

        self._host.send(b"\r\x03\x03\x01")
        self._run(prompt, timeout_s, "the raw REPL")

    def reset(self) -> None:
        """Press RESET: RAM and interpreter start anew, flash stays."""
        self._fault_text = None
        self._chip.enter_reset()
        self._chip.leave_reset()
        self._guarded = self._guarded_bytes()
        self.boot()

    def exec(
        self,
        source: str | bytes,
        timeout_s: float = 60.0,
        *,
        on_output: OnOutput | None = None,
        interrupt_after_s: float | None = None,
    ) -> tuple[str, str]:
        """Run a script on the board; return what it printed and the traceback, if it ended with one.

        Seconds are emulated ones. `on_output` sees the output as it comes. `interrupt_after_s` presses Ctrl-C that
        long after the script was sent. Raises DeviceError if it is not finished in time (it is interrupted, the board
        stays usable) or resets the board (which is booted again), EmulatorFault for what would crash a real Pico.
        """
        source = source.encode() if isinstance(source, str) else source
        if any(byte in source for byte in b"\x01\x02\x03\x04\x05"):
            raise ValueError(
                "exec: a script cannot contain the control characters 1 to 5; write them as escapes"
            )
        if len(source) <= _TYPED_BYTES:
            return self._exec_typed(source, timeout_s, on_output, interrupt_after_s)
        stdout, stderr = self._exec_typed(_MAKE_ROOM % len(source), 10.0, None, None)
        if stderr:
            return stdout, stderr
        self.write_memory(int(stdout), source)
        stdout, stderr = self._exec_typed(_RUN_IT, timeout_s, on_output, interrupt_after_s)
        return stdout, stderr.replace(_OWN_FRAME, "", 1)

    def _exec_typed(
        self, source: bytes, timeout_s: float, on_output: OnOutput | None, interrupt_after_s: float | None
    ) -> tuple[str, str]:
        reply, resets = RawReplReply(on_output), self._host.resets
        self._finished = lambda: self._host.resets != resets
        if interrupt_after_s is not None:
            self._interrupt.schedule(interrupt_after_s * 1e9)
        self._host.send(source + b"\x04")
        try:
            self._run(reply.feed, timeout_s, "the script to end")
        except TimeoutError as error:
            self._host.send(b"\x03")
            self._run(reply.feed, 10.0, "the interrupted script to end")
            raise DeviceError(f"{error}; it was interrupted\n{reply.split()[1]}") from None
        finally:
            self._interrupt.cancel()
            self._finished = lambda: False
        if self._host.resets != resets:
            self.boot()
            raise DeviceError("the script reset the board")
        self._check_guarded()
        return reply.split()

    def _run(self, receive: Callable[[bytes], bool], timeout_s: float, what: str) -> None:
        """Run until `receive`, which is given all output, returns True."""
        done = False

        def note(data: bytes) -> bool:
            nonlocal done
            done = done or receive(data)
            return done

        self._receive = note
        try:
            self._run_until(lambda: done or self._finished(), timeout_s, what)
        finally:
            self._receive = lambda data: False

    def _run_until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        end_ns = self._clock.nanos + timeout_s * 1e9
        while not condition():
            if self._fault_text:  # of an earlier script: what follows a fault may harm the flash
                raise EmulatorFault(self._fault_text)
            if self._clock.nanos >= end_ns:
                where = self.where(self._core.pc)
                raise TimeoutError(
                    f"waited {timeout_s:g} s of emulated time for {what}, in vain (pc {where})"
                )
            self._deadline.schedule(min(end_ns - self._clock.nanos, 10e6))
            self._simulator.stopped = False
            while not self._simulator.stopped:
                self._execute_batch(self._simulator, 1)
            self._deadline.cancel()
            if self._fault_text:
                raise EmulatorFault(self._fault_text)

    def _on_data(self, data: bytes) -> None:
        if self._receive(bytes(data)):
            self._stop()

    def _stop(self) -> None:
        self._simulator.stopped = True

    # --- a terminal

    def interact(self, read: Callable[[float], bytes | None], write: Callable[[bytes], None]) -> None:
        """Connect a terminal to the friendly REPL, no faster than real time, until `read` says it is over.

        `read(timeout_s)` waits up to that long and returns what was typed (b"" for nothing), None at the end of input;
        then what was sent is still carried out, up to the prompt after it. `write` gets the board's output.
        """
        tail, active_us = bytearray(), self.elapsed_us

        def show(data: bytes) -> bool:
            nonlocal active_us
            active_us = self.elapsed_us
            write(data)
            tail.extend(data)
            del tail[:-4]
            return False

        def at_rest() -> bool:  # at the prompt, and not just passing through it from one line to the next
            return self._host.idle and tail == b">>> " and self.elapsed_us - active_us > 50_000

        self._receive = show
        self._host.send(b"\x02")
        wall_start, emulated_start, over = time.monotonic(), self.elapsed_us, False
        while not (over and at_rest()):
            self._deadline.schedule(5e6)  # time passes only up to the next alarm while the firmware sleeps
            self._simulator.stopped = False
            self._execute_batch(self._simulator, 1)
            if self._fault_text:
                raise EmulatorFault(self._fault_text)
            if over:
                continue
            ahead_s = (self.elapsed_us - emulated_start) / 1e6 - (time.monotonic() - wall_start)
            typed = read(min(max(ahead_s, 0.0), 0.05))
            if typed:
                self._host.send(typed)
            over = typed is None
        self._deadline.cancel()
        self._receive = lambda data: False

    # --- looking inside

    @property
    def cycles(self) -> int:
        """CPU cycles spent so far; sleeping costs none."""
        return int(self._core.cycles)

    @property
    def elapsed_us(self) -> float:
        """Emulated time since power-on."""
        return self._clock.nanos / 1e3

    def read_memory(self, address: int, n_bytes: int) -> bytes:
        memory, offset = self._memory(address)
        return bytes(memory[offset : offset + n_bytes])

    def write_memory(self, address: int, data: bytes) -> None:
        """Change what the board has in its RAM (or flash), in no time; whose memory it is, is the caller's care."""
        memory, offset = self._memory(address)
        memory[offset : offset + len(data)] = data

    def _memory(self, address: int) -> tuple[memoryview, int]:
        if address >= RAM_BASE:
            return self._chip.sram, address - RAM_BASE
        return self._chip.flash, address - FLASH_BASE

    # --- flash: files, and what must not change

    def write_flash(self, offset: int, data: bytes) -> None:
        """Write bytes into the flash from `offset` on, as a programmer would; no file system knows of it."""
        self._chip.flash[offset : offset + len(data)] = data

    def _format_with(self, files: Mapping[str, bytes]) -> None:
        """Fill the storage behind `/`; only before it boots, as MicroPython must not find its storage changed."""
        self.write_flash(self.layout.storage_offset, flash_files.littlefs_image(files, self.layout))

    @property
    def kept_flash(self) -> bytes:
        """What of the flash is not firmware: ROMFS and storage, as one piece from KEPT_OFFSET on."""
        return self.read_memory(FLASH_BASE + KEPT_OFFSET, FLASH_BYTES - KEPT_OFFSET)

    def read_file(self, path: str) -> bytes | None:
        """The content of a closed file in the storage, None if there is none."""
        begin = FLASH_BASE + self.layout.storage_offset
        return flash_files.littlefs_file(self.read_memory(begin, self.layout.storage_bytes), path)

    def write_romfs(self, files: Mapping[str, bytes]) -> None:
        """Replace what lies under `/rom`; MicroPython sees it from the next boot or reset."""
        image = flash_files.romfs_partition(files, self.layout)
        self.write_flash(self.layout.romfs_offset, image)

    def _guarded_bytes(self) -> tuple[bytes, bytes]:
        flash = bytearray(self._chip.flash[: self.layout.romfs_offset])
        self._breakpoints.hide(flash, FLASH_BASE)
        return bytes(self._chip.bootrom), bytes(flash)

    def _check_guarded(self) -> None:
        for name, base, before, now in zip(
            ("ROM", "the firmware's flash"),
            (0, FLASH_BASE),
            self._guarded,
            self._guarded_bytes(),
            strict=True,
        ):
            if before != now and self._strict:
                at = next(i for i, (a, b) in enumerate(zip(before, now, strict=True)) if a != b)
                raise EmulatorFault(
                    f"something wrote into {name} at {base + at:#x}: was {before[at]:#x}, is {now[at]:#x}"
                )

    # --- faults, symbols, profile

    def _on_break(self, code: int) -> None:
        if not self._breakpoints.hit():
            self._fault(f"breakpoint instruction {code}: the firmware panicked")

    def _fault(self, text: str) -> None:
        if self._strict and self._fault_text is None:
            self._fault_text = f"{text} (pc {self.where(self._core.pc)}, lr {self.where(self._core.lr & ~1)})"
            self._stop()

    @property
    def symbols(self) -> dict[str, tuple[int, int]]:
        """Functions and objects of the firmware: name to address and bytes; empty without an ELF file."""
        if self._symbols is None:
            self._symbols = read_symbols(self.elf) if self.elf else {}
        return self._symbols

    def where(self, address: int) -> str:
        """Return an address, with the function it lies in where that is known."""
        for name, (start, size) in self.symbols.items():
            if start <= address < start + size:
                return f"{address:#x} {name}+{address - start}"
        return f"{address:#x}"

    @contextmanager
    def profile(self, *names: str) -> Iterator[dict[str, list[int]]]:
        """Collect the cycles of each call of the named C functions, from entry to return, callees included."""
        calls: dict[str, list[int]] = {name: [] for name in names}
        for name in names:
            if name not in self.symbols:
                raise ValueError(
                    f"profile: no function {name} in {self.elf or 'the firmware: give its ELF file'}"
                )
        for name in names:
            self._breakpoints.time_calls(self.symbols[name][0], calls[name])
        try:
            yield calls
        finally:
            self._breakpoints.clear()

    def exec_profiled(
        self, source: str, *names: str, timeout_s: float = 60.0
    ) -> tuple[str, str, dict[str, list[int]]]:
        """`exec` under `profile`: stdout, stderr, cycles of each call by function."""
        with self.profile(*names) as calls:
            stdout, stderr = self.exec(source, timeout_s)
        return stdout, stderr, calls
