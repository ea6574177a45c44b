"""Golden models on RISC-V cores as the RP2350 has them, under QEMU: the bits of the host, floats included."""

from __future__ import annotations

import sys

from figures import ROOT, Found, ReliabilityError

sys.path.append(str(ROOT / "host_tools"))
import numpy as np
import riscv32
from anne_tools.cores.native import NativeModel
from cortex_m33 import golden_samples, run

MODELS = ROOT / "tests" / "golden" / "models"


def riscv(soak: bool) -> Found:
    """All outputs of all samples, golden and random, have the host's bits. FileNotFoundError without the programs."""
    if lacks := riscv32.RISCV32.missing():
        raise FileNotFoundError(f"{lacks} is not installed")
    paths = sorted(MODELS.glob("*.anne"))
    jobs = [golden_samples(path, 500 if soak else 5) for path in paths]
    answers, fused = run(riscv32.elf(), jobs, riscv32.RISCV32)
    if fused != 2.0**-11:
        raise ReliabilityError("a product and a sum are rounded as one there")
    wrong = [
        path.stem for path, job, y in zip(paths, jobs, answers, strict=True) if not _same(job, y.outputs)
    ]
    if wrong:
        raise ReliabilityError(f"other bits than on the host: {', '.join(wrong)}")
    n = sum(len(x) for _, x in jobs)
    return Found(f"{len(paths)} models, {n:,} samples on an emulated RV32IMAC", "outputs equal to the bit")


def _same(job: tuple[bytes, np.ndarray], outputs: bytes) -> bool:
    data, x = job
    with NativeModel(data) as model:
        return outputs == model.run_raw(x).tobytes()
