"""The core on a Cortex-M33 with its floating-point unit, as the Pico 2 has it, under QEMU.

QEMU's board mps2-an505 has that core and nothing of the Pico 2 else; a program reads models and samples and writes
outputs by semihosting (run_models.c).
"""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anne_tools.cores.native import NativeModel

from .machine import COMPILER, NATIVE_MODULE

EMULATOR = "qemu-system-arm"
HARD_FLOATS = ["-mcpu=cortex-m33", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"]
SOFTFP = [
    "-mcpu=cortex-m33",
    "-mthumb",
    "-march=armv8-m.main+fp+dsp",
    "-mfloat-abi=softfp",
]  # as pico-sdk has it
# In QEMU's own time an instruction takes 2^6 ns, and a tick of the board's clock of 20 MHz 50.
_COUNTED = ["-icount", "shift=6,sleep=off"]
_INSTRUCTION_NS, _TICK_NS = 64, 50
_HARNESS = Path(__file__).parent / "run_models.c"
_SCRIPT = """SECTIONS {
    . = 0x10000000;
    .text : { KEEP(*(.vectors)) *(.text* .time_critical* .rodata*) }
    .data : { *(.data* .bss* COMMON) }
    end_of_stack = 0x10400000;
}"""


def core_sources() -> list[Path]:
    """Return what the core consists of: all C but the binding and the doors of the host, and this processor's loops."""
    core = [
        path for folder in (".", "layers", "train", "kernels") for path in NATIVE_MODULE.glob(f"{folder}/*.c")
    ]
    return [path for path in core if path.name != "host.c"] + sorted(NATIVE_MODULE.glob("kernels/armv8m/*.S"))


def build(core: Iterable[Path], flags: list[str]) -> bytes:
    """Return an ELF file of run_models.c with the core, sources or a library, compiled with the flags."""
    with tempfile.TemporaryDirectory() as folder:
        elf, script = Path(folder, "models.elf"), Path(folder, "m33.ld")
        script.write_text(_SCRIPT)
        options = [
            "-std=gnu11",
            f"-I{NATIVE_MODULE}",
            "-nostartfiles",
            f"-Wl,-T{script}",
            "-Wl,--no-warn-rwx-segments",
        ]
        command = [COMPILER, *flags, *options, str(_HARNESS), *map(str, core), "-lm", "-o", str(elf)]
        subprocess.run(command, check=True)
        return elf.read_bytes()


@dataclass
class Answer:
    """What a model says to its samples: the raw outputs, one after the other, and the instructions that each took."""

    outputs: bytes
    instructions: list[int]


def run(elf: bytes, models: list[tuple[bytes, np.ndarray]]) -> tuple[list[Answer], float]:
    """Return each model's answer to its samples (n, ...), and what (1 + 2^-12)^2 - 1 is there."""
    request = b"".join(
        struct.pack("<II", len(data), len(x)) + data + np.ascontiguousarray(x).tobytes() for data, x in models
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "models.elf").write_bytes(elf)
        Path(folder, "request").write_bytes(request)
        command = [EMULATOR, "-M", "mps2-an505", "-display", "none", "-monitor", "none", "-serial", "none"]
        command += ["-semihosting-config", "enable=on,target=native", "-kernel", "models.elf", *_COUNTED]
        subprocess.run(command, check=True, cwd=folder, timeout=300)
        reply = Path(folder, "reply").read_bytes()
    answers, at = [], 0
    for data, x in models:
        (status,) = struct.unpack_from("<I", reply, at)
        assert status == 0, f"the loader refuses a model there: {status}"
        with NativeModel(data) as model:
            n_bytes = 4 + sum(tensor.nbytes for tensor in model.file.outputs)
        samples = [reply[at + 4 + i * n_bytes : at + 4 + (i + 1) * n_bytes] for i in range(len(x))]
        ticks = [struct.unpack_from("<I", sample)[0] for sample in samples]
        outputs = b"".join(sample[4:] for sample in samples)
        answers.append(Answer(outputs, [round(n * _TICK_NS / _INSTRUCTION_NS) for n in ticks]))
        at += 4 + len(x) * n_bytes
    (fused,) = struct.unpack("<f", reply[at:])
    return answers, fused
