"""Training on an emulated core: the bits of the host library, and as fast as promised."""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("rp2040py")
from .machine import COMPILER, NATIVE_MODULE, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

SOURCES = [str(path.relative_to(NATIVE_MODULE)) for path in sorted((NATIVE_MODULE / "train").glob("*.c"))]
SOURCES += [f"kernels/{name}_f32.c" for name in ("activations", "adam", "parts", "quotient", "unary")]
SOURCES += ["kernels/q31.c", "kernels/armv6m/activations_f32.S", "kernels/armv6m/parts_f32.S"]
LINEAR, RELU, SIGMOID, TANH, SOFTMAX = 0, 1, 5, 7, 12
MSE, BINARY, CATEGORICAL = range(3)
SGD, ADAM = range(2)


@dataclass
class Settings:
    sizes: tuple[int, ...]
    activations: tuple[int, ...]
    loss: int
    optimizer: int = SGD
    lr: float = 0.05
    momentum: float = 0.0
    decay: float = 0.0
    batch: int = 1
    n_targets: int = 1

    def words(self) -> bytes:
        """anne_trainer_t on the chip, where enumerations are bytes."""
        n = len(self.activations)
        fields = [
            n,
            *self.sizes,
            *[0] * (8 - n),
            *self.activations,
            *[0] * (8 - n),
            self.loss,
            self.optimizer,
        ]
        fields += [self.lr, self.momentum, self.decay, self.batch, self.n_targets, 1, 0]
        return struct.pack("<I9I8BBBxx3f4I", *fields) + bytes(9 * 4)


def run(
    machine: Machine, settings: Settings, parameters: np.ndarray, x: np.ndarray, y: np.ndarray, n_epochs: int
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Parameters and losses as bits, and each epoch's cycles."""
    machine.forget()
    trainer, loss = machine.place(settings.words()), machine.place(bytes(4))
    machine.call("anne_trainer_valid", trainer)
    assert machine.result & 1
    machine.call("anne_trainer_words", trainer)
    n_words = machine.result
    memory = machine.place(bytes(4 * n_words))
    machine.call("anne_trainer_place", trainer, memory)
    machine.write(memory, parameters.astype("<f4"))
    places = [machine.place(part.astype("<f4")) for part in (x, y)]
    order = machine.place(np.arange(len(x)).astype("<u2"))
    cycles, losses = [], []
    for _ in range(n_epochs):
        cycles.append(machine.call("anne_trainer_epoch", trainer, *places, order, len(x), 0, 0, loss))
        losses.append(machine.read(loss, "<f4", 1)[0])
    machine.read(memory, "<u4", n_words)
    return machine.read_unguarded(memory, "<f4", len(parameters)), np.array(losses), cycles
