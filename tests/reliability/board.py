"""What may happen to a Pico while it works, on the emulated one."""

from __future__ import annotations

import random
from functools import cache

import stack_paths
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.emulator_fork import forked
from anne_tools.boards.firmware import find_firmware
from anne_tools.conversion.pack import pack
from anne_tools.layers.build import GraphBuilder
from figures import ROOT, Found, ReliabilityError

MODELS = ROOT / "tests" / "golden" / "models"
DEEP = "deep"
LATENCY_MS = 50

# Not on_board/models.py: with a module on the heap, what calls leave behind on the stack keeps a block alive now and
# then, and the free heap that is compared (pico_soak) differs by it.
_READY = """\
import anne, gc
from array import array
def size(shape):
 n = 1
 for d in shape:
  n *= d
 return n
def filled(ports, value):
 letter = {"float32": "f", "int8": "b", "int16": "h"}
 made = [array(letter[p.dtype], [value] * size(p.shape)) for p in ports]
 return made if len(made) > 1 else made[0]
def ready(name):
 net = anne.load("/" + name + ".anne")
 return net, filled(net.inputs, 1), filled(net.outputs, 0)
def raw(out):
 return b"".join([bytes(a) for a in out]) if isinstance(out, list) else bytes(out)
"""


def deep_model() -> bytes:
    """A network that runs for 90 ms: layers of 9 ms each."""
    builder = GraphBuilder((4000,))
    for i in range(10):
        builder.activation(f"layer {i}", "swish")
    return pack(builder.build())


def names() -> list[str]:
    """The models on the board: every kind of layer in every type, and the deep one."""
    return sorted(path.stem for path in MODELS.glob("*.anne")) + [DEEP]


@cache
def machine() -> EmulatedPico:
    """A booted Pico with all models in its storage; forked for each use."""
    files = {f"/{path.name}": path.read_bytes() for path in MODELS.glob("*.anne")}
    files[f"/{DEEP}.anne"] = deep_model()
    uf2 = find_firmware()
    pico = EmulatedPico(uf2, uf2.with_suffix(".elf"), files=files, flash_cache=None)
    pico.set_flash_miss_cycles(0)
    pico.boot()
    _run(pico, _READY)
    return pico


def _run(pico: EmulatedPico, source: str, **options: float) -> str:
    stdout, stderr = pico.exec(source, **options)
    if stderr:
        raise ReliabilityError(f"{source}\n{stdout}{stderr}")
    return stdout


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------

_FOR_EVER = "try:\n while True: net.predict_into(x, out)\nexcept KeyboardInterrupt: print('stopped')"
_AGAIN = "net.reset(); print(raw(net.predict_into(x, out)) == expected)"


def ctrl_c(soak: bool) -> Found:
    """Ctrl-C over USB at random moments of predictions, among them such as take longer than it may."""
    chosen, moments = (names(), 6) if soak else ([DEEP, "small_int8", "two_inputs_int8"], 2)
    chance = random.Random(1)
    slowest_ms, slowest = 0.0, ""
    for name in chosen:
        with forked(machine()) as pico:
            _run(pico, f"net, x, out = ready({name!r}); expected = raw(net.predict_into(x, out))")
            for _ in range(moments):
                latency_ms = _interrupted(pico, name, chance.uniform(0.01, 0.09 if name == DEEP else 0.02))
                if latency_ms > slowest_ms:
                    slowest_ms, slowest = latency_ms, name
    if slowest_ms > LATENCY_MS:
        raise ReliabilityError(f"ctrl_c: {slowest}: {slowest_ms:.1f} ms")
    return Found(
        f"{len(chosen) * moments} moments of {len(chosen)} models, {moments} of them in a prediction of 90 ms",
        f"KeyboardInterrupt within {slowest_ms:.1f} ms; the model then gives what it gave",
    )


def _interrupted(pico: EmulatedPico, name: str, after_s: float) -> float:
    """Press Ctrl-C while the model runs; return the milliseconds up to the answer."""
    pressed_us = pico.elapsed_us + after_s * 1e6
    stopped = _run(pico, _FOR_EVER, interrupt_after_s=after_s)
    latency_ms = (pico.elapsed_us - pressed_us) / 1e3
    if stopped != "stopped\n" or (again := _run(pico, _AGAIN)) != "True\n":
        raise ReliabilityError(f"ctrl_c: {name}, after {after_s:.4f} s: {stopped}{again}")
    return latency_ms


# --- Stack ------------------------------------------------------------------------------------------------------------

STACK_BOTTOM, STACK_TOP = 0x20040000, 0x20042000  # as the firmware's symbols __StackBottom and __StackTop
STACK_BOUND_BYTES = 4096  # half of it: the program that calls needs some, too, and so do interrupts
_PAINT = f"import uctypes; uctypes.bytearray_at({STACK_BOTTOM}, 6144)[:] = b'\\xa5' * 6144"


def stack(soak: bool) -> Found:
    """How deep the stack gets, all told: interpreter, binding, core, kernels, interrupts."""
    chosen = (
        [name for name in names() if name != DEEP]
        if soak
        else ["small_float32", "wide_int4", "two_inputs_float32"]
    )
    deepest = {"an empty script": 0, "load": 0, "predict": 0}
    with forked(machine()) as pico:
        for name in chosen:
            scripts = {
                "an empty script": "pass",
                "load": f"net, x, out = ready({name!r})",
                "predict": "net.predict_into(x, out); net.predict(x)",
            }
            for what, script in scripts.items():
                _run(pico, _PAINT)
                _run(pico, script)
                deepest[what] = max(deepest[what], _stack_bytes(pico))
    if max(deepest.values()) > STACK_BOUND_BYTES:
        raise ReliabilityError(f"stack: {deepest}")
    found = stack_paths.measure()
    return Found(
        f"{len(chosen)} models on the emulated Pico; {found.functions} functions of the core",
        ", ".join(f"{what}: at most {n_bytes:,} bytes" for what, n_bytes in deepest.items())
        + f" of {STACK_TOP - STACK_BOTTOM:,}, interpreter and interrupts included; no recursion, the core at most "
        f"{found.n_bytes:,} bytes ({' > '.join(found.path)})",
    )


def _stack_bytes(pico: EmulatedPico) -> int:
    """The bytes between the top of the stack and the lowest that is no longer painted."""
    memory = pico.read_memory(STACK_BOTTOM, STACK_TOP - STACK_BOTTOM)
    return len(memory.lstrip(b"\xa5"))


# --- A million predictions --------------------------------------------------------------------------------------------

_CHUNK = """\
from binascii import crc32
net = anne.load("/small_int8.anne")
inputs = [array("f", [5 - i / 2, 3.5 + i / 4, 1.5 + i / 3, i / 8]) for i in range(8)]
out = array("b", [0, 0, 0])
def chunk(n):
 crc = 0
 for i in range(n):
  net.predict_into(inputs[i & 7], out)
  crc = crc32(out, crc)
 gc.collect()
 return crc, gc.mem_free()
chunk(8)
"""


def pico_soak(soak: bool) -> Found:
    """The same predictions again and again: the same answers, and as much heap as before."""
    chunks, predictions = (100, 10_000) if soak else (3, 400)
    with forked(machine()) as pico:
        _run(pico, _CHUNK)
        # All in one script, and the first not counted: what a script leaves on the stack may look like an address to
        # the garbage collector, which then keeps a block or two.
        loop = f"for _ in range({chunks} + 1):\n print(chunk({predictions}))"
        found = _run(pico, loop, timeout_s=600.0 * chunks).splitlines()[1:]
    if len(found) != chunks or len(set(found)) != 1:
        raise ReliabilityError(f"pico_soak: {sorted(set(found))}")
    crc, free = found[0].strip("()").split(", ")
    return Found(
        f"{chunks} times {predictions:,} predictions",
        f"each time CRC {int(crc):08x} of the outputs and {int(free):,} bytes free",
    )
