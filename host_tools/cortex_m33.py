"""The core on a Cortex-M33 with its floating-point unit, as the Pico 2 has it, under QEMU.

QEMU's board mps2-an505 has that core and nothing of the Pico 2 else; a program reads models and samples and writes
outputs by semihosting (run_models.c). Instructions are counted, not cycles, of which QEMU knows nothing.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import packed

NATIVE_MODULE = Path(__file__).resolve().parent.parent / "native_module"
BENCHMARK = NATIVE_MODULE.parent / "benchmark"
_ENV = dict(re.findall(r"^([A-Z_]+)=(.*)$", (NATIVE_MODULE / "flags.env").read_text(), re.M))
CORE_FLAGS = f"{_ENV['ANNE_FLAGS']} {_ENV['ANNE_WARNINGS']} {_ENV['ANNE_KERNEL_FLAGS']}".split()
SMALL_KERNELS, SMALL_FLAGS = _ENV["ANNE_SMALL_KERNELS"].split(), _ENV["ANNE_SMALL_FLAGS"]
HARD_FLOATS = ["-mcpu=cortex-m33", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"]
SOFTFP = [
    "-mcpu=cortex-m33",
    "-mthumb",
    "-march=armv8-m.main+fp+dsp",
    "-mfloat-abi=softfp",
]  # as pico-sdk has it
FIRMWARE_FLAGS = [*HARD_FLOATS, *CORE_FLAGS]
_HARNESS = Path(__file__).with_name("run_models.c")
OWN = 1 << 31  # of its requests


@dataclass(frozen=True)
class Machine:
    """What builds for a processor core, and what emulates it: a program with its arguments but the ELF file's name.

    Memory for the program begins at `memory`; a tick of its counter is so many `instructions`.
    """

    compiler: str
    emulator: tuple[str, ...]
    memory: int
    instructions: float

    def missing(self) -> str:
        """Return which of its programs is not there, "" if both are."""
        return next((name for name in (self.compiler, self.emulator[0]) if shutil.which(name) is None), "")

    def script(self) -> str:
        """Return the linker's script."""
        return f"""SECTIONS {{
            . = {self.memory:#x};
            .text : {{ KEEP(*(.vectors)) *(.text* .time_critical* .rodata* .srodata*) }}
            .data : {{ *(.data* .sdata* .bss* .sbss* COMMON) }}
            end_of_stack = {self.memory + (4 << 20):#x};
        }}"""


# In QEMU's own time an instruction takes 2^6 ns, and a tick of the board's clock of 20 MHz 50.
M33 = Machine(
    "arm-none-eabi-gcc",
    ("qemu-system-arm", "-M", "mps2-an505", "-icount", "shift=6,sleep=off"),
    0x10000000,
    50 / 64,
)


def with_plain_loops(
    flags: Sequence[str] = (*HARD_FLOATS, *CORE_FLAGS),
    core: Sequence[Path] | None = None,
    machine: Machine | None = None,
) -> bytes:
    """Return an ELF file of the core, by default as the Pico 2 has it, and of the loops that it is compared with."""
    loops = [BENCHMARK / "plain.c", BENCHMARK / "plain_layers.c"]
    return build([*(core or core_sources()), *loops], [*flags, "-DPLAIN_LOOPS", f"-I{BENCHMARK}"], machine)


def missing() -> str:
    """Return which of the programs that it takes is not there, "" if all are."""
    return M33.missing()


def core_sources() -> list[Path]:
    """Return what the core consists of: all C but the binding and the doors of the host, and this processor's loops."""
    core = [
        path for folder in (".", "layers", "train", "kernels") for path in NATIVE_MODULE.glob(f"{folder}/*.c")
    ]
    return [path for path in core if path.name != "host.c"] + sorted(NATIVE_MODULE.glob("kernels/armv8m/*.S"))


def build(
    core: Iterable[Path], flags: list[str], machine: Machine | None = None, program: Path = _HARNESS
) -> bytes:
    """Return an ELF file of run_models.c, or another program, with the core, sources or a library; compiled with the
    flags.
    """
    machine = machine or M33
    with tempfile.TemporaryDirectory() as folder:
        elf, script = Path(folder, "models.elf"), Path(folder, "core.ld")
        script.write_text(machine.script())
        command = [machine.compiler, *flags, "-std=gnu11", f"-I{NATIVE_MODULE}", f"-I{_HARNESS.parent}"]
        parts = list(map(str, core))
        small = [part for part in parts if Path(part).suffix == ".c" and Path(part).stem in SMALL_KERNELS]
        if small:
            subprocess.run([*command, SMALL_FLAGS, "-c", *small], check=True, cwd=folder)
        parts = [f"{Path(part).stem}.o" if part in small else part for part in parts]
        link = ["-nostartfiles", f"-T{script}", "-Wl,--no-warn-rwx-segments"]
        subprocess.run([*command, *link, str(program), *parts, "-lm", "-o", str(elf)], check=True, cwd=folder)
        return elf.read_bytes()


@dataclass
class Answer:
    """What a model says to its samples: the raw outputs, one after the other, and what each layer took for each.

    `kernel` is what the first layer's sums took of it, for the first sample; None but for dense layers on integers.
    `workspace_bytes` is what the model needs beside its file.
    """

    outputs: bytes
    layers: list[list[int]]
    kernel: int | None = None
    workspace_bytes: int = 0

    @property
    def instructions(self) -> list[int]:
        """All layers together, for each sample."""
        return [sum(layers) for layers in self.layers]


@dataclass
class Plain:
    """A product by the loop anyone would write: weights (n_out, n_in), bias and x; floats, or sums of 32 bits."""

    weights: np.ndarray
    bias: np.ndarray
    x: np.ndarray

    def packed(self) -> bytes:
        """Return the request for it."""
        kind = self.weights.dtype
        head = struct.pack("<5I", 0xFFFFFFFF, kind.itemsize, kind.kind == "f", *self.weights.shape[::-1])
        return head + b"".join(
            np.ascontiguousarray(part).tobytes() for part in (self.weights, self.bias, self.x)
        )


# Of benchmark/plain_layers.c, in the order of run_models.c; each for three types.
LAYERS = ("conv", "depthwise", "add", "multiply", "max", "mean")
_TYPES = ("int8", "int16", "float32")


@dataclass
class PlainLayer:
    """A layer by such loops, of x (side, side, channels): `weights` (or the second operand) and bias, empty where there
    are none; windows of `kernel` by `kernel`, `pad` of them before the first pixel, `made` by `made` in all.
    """

    kind: str
    x: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    kernel: int = 1
    stride: int = 1
    pad: int = 0
    made: int = 0

    @property
    def size(self) -> int:
        """Numbers of the result."""
        if self.kind in ("add", "multiply"):
            return self.x.size
        return self.made**2 * (self.bias.size if self.bias.size else self.x.shape[2])

    def packed(self) -> bytes:
        """Return the request for it."""
        number = LAYERS.index(self.kind) * len(_TYPES) + _TYPES.index(self.x.dtype.name)
        parts = (self.weights, self.bias, self.x)
        sizes = (*(part.nbytes for part in parts), self.size * self.x.itemsize)
        image = (
            self.x.shape[0],
            self.x.shape[2],
            self.bias.size,
            self.kernel,
            self.stride,
            self.pad,
            self.made,
        )
        head = struct.pack("<13I", 0xFFFFFFFE, number, *sizes, *image)
        return head + b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


def plain(
    elf: bytes, products: Sequence[Plain | PlainLayer], machine: Machine | None = None
) -> list[tuple[np.ndarray, int]]:
    """Return the result of each, and the instructions that it took; of an ELF file `with_plain_loops`."""
    machine = machine or M33
    reply, at, results = replied(elf, b"".join(product.packed() for product in products), machine), 0, []
    for product in products:
        kind, n = (
            (product.bias.dtype, len(product.bias))
            if isinstance(product, Plain)
            else (product.x.dtype, product.size)
        )
        (ticks,) = struct.unpack_from("<I", reply, at)
        results.append((np.frombuffer(reply, kind, n, at + 4), round(ticks * machine.instructions)))
        at += 4 + kind.itemsize * n
    return results


def run(
    elf: bytes, models: list[tuple[bytes, np.ndarray]], machine: Machine | None = None, *, own: bool = False
) -> tuple[list[Answer], float]:
    """Return each model's answer to its samples (n, ...), and what (1 + 2^-12)^2 - 1 is there.

    With `own` the models' bytes are their own, as of a file that was copied to RAM: so weights may be rewritten.
    """
    flag = OWN if own else 0
    request = b"".join(
        struct.pack("<II", len(data), len(x) | flag) + data + np.ascontiguousarray(x).tobytes()
        for data, x in models
    )
    machine = machine or M33
    reply = replied(elf, request, machine)
    answers, at = [], 0
    for data, x in models:
        (status,) = struct.unpack_from("<I", reply, at)
        assert status == 0, f"the loader refuses a model there: {status}"
        with NativeModel(data) as model:
            n_layers, n_bytes = len(model.file.layers), sum(t.nbytes for t in model.file.outputs)
        answer, at = Answer(b"", []), at + 8
        (answer.workspace_bytes,) = struct.unpack_from("<I", reply, at - 4)
        for _ in range(len(x)):
            ticks = struct.unpack_from(f"<{n_layers}I", reply, at)
            at += 4 * n_layers
            answer.layers.append([round(n * machine.instructions) for n in ticks])
            answer.outputs += reply[at : at + n_bytes]
            at += n_bytes
        (ticks,) = struct.unpack_from("<I", reply, at)
        answer.kernel, at = round(ticks * machine.instructions) or None, at + 4
        answers.append(answer)
    (fused,) = struct.unpack("<f", reply[at:])
    return answers, fused


def replied(elf: bytes, request: bytes, machine: Machine) -> bytes:
    """Return what the program writes into "reply" when it is run with that "request"."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "models.elf").write_bytes(elf)
        Path(folder, "request").write_bytes(request)
        command = [*machine.emulator, "-display", "none", "-monitor", "none", "-serial", "none"]
        command += ["-semihosting-config", "enable=on,target=native", "-kernel", "models.elf"]
        subprocess.run(command, check=True, cwd=folder, timeout=600)
        return Path(folder, "reply").read_bytes()


def golden_samples(path: Path, n_random: int) -> tuple[bytes, np.ndarray]:
    """Return a golden model's file, and its golden inputs followed by random ones, raw."""
    data, rng, inputs = path.read_bytes(), np.random.default_rng(31), []
    golden = json.loads(path.with_suffix(".json").read_text())["inputs"]
    with NativeModel(data) as model:
        for index, x in enumerate(model.inputs):
            given = golden if len(model.inputs) == 1 else [sample[index] for sample in golden]
            known = np.array(given, x.dtype).reshape(-1, x.size)
            if x.dtype == "float32":
                random = rng.normal(0, 3, (n_random, x.size)).astype(np.float32)
            else:
                random = rng.integers(x.least, x.greatest + 1, (n_random, x.size)).astype(x.dtype)
            inputs.append(np.concatenate([known, random]))
    return data, packed(inputs)
