"""Training on the board: the very bits of the host's C core, Ctrl-C, and what flash-resident Python sees of it."""

import struct
from array import array

import pytest
from anne import host_trainer

LATENCY_MS = 50
RUN = "core.run(x, y, order, array('f', bytes(4000)))"
ROWS = 12
# Each (sizes, activations, loss, optimizer, (lr, momentum, decay, batch, n_targets, random_state)); the last has
# about as many weights as a heap has room for, and a copy of them
NETWORKS = {
    "small": ((4, 3, 1), ("relu", "sigmoid"), "binary_cross_entropy", "sgd", (0.125, 0.0, 0.0, 1, 1, 3)),
    "momentum": ((4, 8, 2), ("leaky_relu", "tanh"), "mse", "sgd", (1 / 64, 0.875, 1 / 1024, 5, 2, 4)),
    "adam": (
        (9, 16, 3),
        ("sigmoid", "softmax"),
        "categorical_cross_entropy",
        "adam",
        (1 / 64, 0.0, 0.0, 8, 1, 1 << 31),
    ),
    "deep": (
        (5, 4, 4, 4, 3),
        ("relu", "tanh", "linear", "softmax"),
        "mse",
        "adam",
        (1 / 64, 0.0, 1 / 64, 3, 3, 6),
    ),
    "large": (
        (120, 140, 10),
        ("relu", "softmax"),
        "categorical_cross_entropy",
        "sgd",
        (1 / 1024, 0.0, 0.0, 1, 1, 7),
    ),
}
# The same numbers here and there: such as floats hold exactly, in arrays that do not grow.
BEGIN = """
from array import array
def filled(values, number):
    for i in range(len(values)):
        values[i] = number(i)
    return values
def begin(Trainer, sizes, activations, loss, optimizer, settings, n_rows):
    core = Trainer(sizes, activations, loss, optimizer, settings)
    core.set(filled(core.get(), lambda i: (11 * i * i + 5 * i) % 23 / 32 - 0.375))
    x = filled(array("f", bytes(4 * n_rows * sizes[0])), lambda i: (7 * i * i + 3 * i) % 19 / 16 - 0.25)
    y = filled(array("f", bytes(4 * n_rows * settings[4])), lambda i: i % 2)
    return core, x, y, array("H", range(n_rows))
"""


def begun(name: str, n_rows: int = ROWS) -> str:
    """Return the program that makes core, x, y and order on the board."""
    return f"{BEGIN}\nfrom _anne import Trainer\ncore, x, y, order = begin(Trainer, *{NETWORKS[name]!r}, {n_rows})\n"


def run(pico, program: str, **options: float) -> str:
    stdout, stderr = pico.exec(program, **options)
    assert stderr == "", stdout + stderr
    return stdout


def on_host(name: str, n_epochs: int) -> tuple[bytes, bytes]:
    """Return the bytes of the losses and of the parameters that the host's C core has after so many epochs."""
    names: dict[str, object] = {}
    exec(BEGIN, names)
    core, x, y, order = names["begin"](host_trainer.Trainer, *NETWORKS[name], ROWS)
    losses = array("f", bytes(4 * n_epochs))
    assert core.run(x, y, order, losses) == n_epochs
    return bytes(losses), bytes(core.get())


@pytest.mark.parametrize("name", NETWORKS)
def test_the_board_has_the_hosts_bits(pico, name):
    n_epochs = 3 if name == "large" else 20
    program = (
        f"{begun(name)}losses, n = array('f', bytes({4 * n_epochs})), 0\n"
        "while n < len(losses):\n part = losses[n:]\n m = core.run(x, y, order, part)\n losses[n:] = part\n n += m\n"
        "from binascii import crc32, hexlify\nprint(hexlify(losses), crc32(core.get()))"
    )
    losses, parameters = on_host(name, n_epochs)
    from binascii import crc32

    assert run(pico, program).split() == [repr(losses.hex().encode()), str(crc32(parameters))]
    assert all(abs(v) < 100 for v in struct.unpack(f"<{n_epochs}f", losses))


@pytest.mark.parametrize("name", ["small", "adam", "large"])
def test_ctrl_c_is_heard_and_leaves_a_usable_trainer(pico, name):
    run(
        pico,
        begun(name, 40 if name == "large" else 200) + "first = array('f', [0])\ncore.run(x, y, order, first)",
    )
    for after_s in (0.02, 0.0531):
        pressed_us = pico.elapsed_us + after_s * 1e6
        program = f"try:\n while True: {RUN}\nexcept KeyboardInterrupt: print('stopped')"
        assert run(pico, program, interrupt_after_s=after_s) == "stopped\n"
        latency_ms = (pico.elapsed_us - pressed_us) / 1e3
        assert latency_ms < LATENCY_MS
        print(f"{latency_ms:.1f} ms")
    # it goes on from there, and learns
    learns = "losses = array('f', bytes(8)); n = core.run(x, y, order, losses)\nprint(n > 0, losses[n - 1] < first[0])"
    assert run(pico, learns) == "True True\n"


def test_a_programs_callbacks_wait_until_it_has_trained(pico):
    """A timer's callback may do anything with the arrays; it comes when the call has ended."""
    program = begun("adam", 200) + (
        "from machine import Timer\ncalls = []\n"
        "timer = Timer(freq=500, callback=lambda it: calls.append(len(calls)))\n"
        "import time\ntime.sleep_ms(20); losses = array('f', bytes(20))\n"
        "def learn():\n before = len(calls); n = core.run(x, y, order, losses); return n, len(calls) - before\n"
        "n, during = learn()\ntime.sleep_ms(20); timer.deinit()\n"
        "print(n > 0, during <= 1, len(calls) > 5)"  # one may come as the call begins or ends
    )
    assert run(pico, program) == "True True True\n"
