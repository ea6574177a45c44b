"""New classes on the emulated Pico: teach.py with recordings, gestures.py with a sensor that is made up.

The recordings come with a package; where that is not installed, teach.py is tried with made-up ones: each class has a
motion of its own, and noise.
"""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rp2040py")

import datasets
import teach
from anne_tools.boards.open_device import open_device
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError

EXAMPLES = Path(teach.__file__).parent
LABELS = ["Badminton", "Running", "Standing", "Walking"]


@pytest.fixture(autouse=True)
def needs_firmware():
    try:
        open_device("emulator").close()
    except ModelError as error:
        pytest.skip(str(error))


def made_up() -> datasets.Data:
    """Ten recordings of each class, twice: all six axes swing, faster and further from class to class, over noise."""
    chance = np.random.default_rng(0)
    time = np.arange(100)[:, None] / 10

    def part():
        swings = [
            (1 + 3 * k) * np.sin((1 + k) * 2 * time + np.arange(6)) for k in range(4) for _ in range(10)
        ]
        return np.float32(np.stack(swings) + chance.normal(0, 0.3, (40, 100, 6)))

    y = np.repeat(np.arange(4), 10)
    return datasets.Data("made up", part(), y, part(), y, LABELS)


@pytest.mark.parametrize("recorded", [False, True], ids=["made up", "recorded"])
def test_three_classes_are_taught_saved_and_told_after_a_reset(recorded, monkeypatch, capsys):
    if recorded:
        pytest.importorskip("aeon", reason="the extra ai-anne[examples]")
    else:
        monkeypatch.setattr(teach, "watch_signals", made_up)
    monkeypatch.setattr("sys.argv", ["teach.py"])
    teach.main()

    told = capsys.readouterr().out
    assert int(re.search(r"taught in (\d+) ms", told)[1]) < 500
    assert re.search(r"/gestures.anne is written: \d+ bytes", told)
    right, n = map(int, re.search(r"right: (\d+) of (\d+)", told).groups())
    assert n == teach.N_TAUGHT * len(teach.GESTURES)
    assert right >= n - 1  # one of three would be a third of them by chance


def test_the_base_answers_as_its_floats_do():
    data = made_up()
    with np.load(teach.WEIGHTS) as arrays:
        weights = dict(arrays)
    graph = teach._graph(weights)
    from anne_tools.network.execute import execute

    with NativeModel(teach.base(weights, data.x_train)) as model:
        assert model.input.shape == (100, 6)
        expected = execute(graph, data.x_test)
        assert np.abs(model.predict(data.x_test) - expected).mean() < 0.05


# What swings is the axis that a gesture has, some readings to and as many fro; the rest is still.
SENSOR = """
import gestures, struct
gestures.TIMES = 3

class I2C:
    def __init__(self):
        self.written, self.n, self.label = [], 0, "left"
    def writeto_mem(self, address, register, value):
        self.written.append((address, register, value))
    def readfrom_mem_into(self, address, register, buffer):
        assert (address, register, len(buffer)) == (0x68, 0x3B, 14)
        self.n += 1
        axis = {"left": 0, "right": 1, "shake": 6}[self.label]
        values = [300, -200, 8192, 1234, 0, 0, 0]  # at rest 1 g, and the temperature
        values[axis] += 16000 if self.n // (6 - axis // 2) % 2 else -16000
        struct.pack_into(">7h", buffer, 0, *values)

i2c = I2C()
def answer(text):
    i2c.label = text.split(",")[0]
gestures.input = answer

sensor = gestures.Mpu6050(i2c)
print(i2c.written == [(0x68, 0x6B, b"\\0"), (0x68, 0x1B, b"\\x08"), (0x68, 0x1C, b"\\x08")])
head = gestures.teach(gestures.anne.load("/motion.anne"), sensor, hz=100000)
head.save("/gestures.anne")
net, window = gestures.anne.load("/gestures.anne"), gestures.array("f", bytes(2400))
for label in gestures.LABELS:
    i2c.label = label
    gestures.record(sensor, window, 100000)
    print(label, net.classify(window)[0], max(window) < 50, abs(window[2]) < 0.01)
"""


def test_a_board_learns_gestures_from_a_sensor():
    with np.load(teach.WEIGHTS) as arrays:
        base = teach.base(dict(arrays), made_up().x_train)
    files = {"/motion.anne": base, "/gestures.py": (EXAMPLES / "gestures.py").read_bytes()}
    with open_device("emulator", files=files) as device:
        told = device.exec(SENSOR).replace("\r\n", "\n").splitlines()
    assert told[0] == "True"
    assert told[-3:] == [f"{label} {label} True True" for label in ("left", "right", "shake")]
