"""What a board saves of what it has learnt outlasts a reset, also one in the middle of saving.

tests/reliability/power_cut.py cuts at every operation of the flash, on MicroPython's unix port; here the emulated
Pico resets itself between two steps of `write_file`, with the real flash driver and file system behind it.
"""

import pytest
from anne_tools.errors import DeviceError

# A network of one layer that tells `label`; where write_file stands, RESET says.
SAVE = """
import anne, machine
from array import array
from anne import model_writer as w
layers = [(array("f", [1, -1, 0, 2]), array("f", [0, 1]))]

def save(label):
    return w.dense_network("/net.anne", layers, ["softmax"], labels=[label, "other"])
"""
# Each step of write_file that a reset may come before; None: it is left to end.
RESET = """
import os

def reset(step):
    if step == {step!r}:
        machine.reset()

class File:
    def __init__(self, path, mode):
        reset("open")
        self.file = open(path, mode)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        reset("close")
        self.file.close()
    def write(self, data):
        self.file.write(data[:200])
        reset("write")
        self.file.write(data[200:])

class Os:
    def rename(self, old, new):
        reset("rename")
        os.rename(old, new)
        reset("renamed")
    remove = os.remove

w.open, w.os = File, Os()
save("new")
"""
LOOK = """
import anne, os
net = anne.load("/net.anne")
print(net.labels[0], len(net.predict([1, 2])), sorted(os.listdir("/")))
"""


@pytest.mark.parametrize(
    "step, label",
    [("open", "old"), ("write", "old"), ("close", "old"), ("rename", "old"), ("renamed", "new")],
)
def test_a_reset_while_saving_leaves_the_old_model_or_the_new_one(pico, step, label):
    assert pico.exec(SAVE + 'save("old")') == ("", "")
    with pytest.raises(DeviceError, match="reset"):
        pico.exec(SAVE + RESET.format(step=step))
    stdout, stderr = pico.exec(LOOK)
    assert stderr == "" and stdout.split()[:2] == [label, "2"]
    # and saving once more leaves nothing else there
    assert pico.exec(SAVE + 'save("newer")') == ("", "")
    stdout, stderr = pico.exec(LOOK)
    assert (stdout.split(maxsplit=2)[::2], stderr) == (["newer", "['net.anne']\n"], "")


TEACH = """
import anne, time
from array import array
from anne import model_writer as w
random = anne.training.Random(5)
layers = []
for n_in, n_out in ((16, 32), (32, 4)):
    layers.append((array("f", [random.uniform() - 0.5 for _ in range(n_in * n_out)]), array("f", [0] * n_out)))
t = time.ticks_us()
net = anne.load(w.dense_network(None, layers, ["relu", "softmax"]))
writing = time.ticks_us() - t
head = anne.Head(net, ["left", "right", "shake"])
t = time.ticks_us()
for i in range(60):
    k = i % 3
    head.add(head.labels[k], [(j % 3 == k) + random.uniform() / 2 for j in range(16)])
adding = time.ticks_us() - t
t = time.ticks_us()
head.fit(20)
fitting = time.ticks_us() - t
t = time.ticks_us()
head.save("/mine.anne")
saving = time.ticks_us() - t
print(writing, adding, fitting, saving)
"""


def test_what_was_taught_is_there_after_a_reset(pico):
    stdout, stderr = pico.exec(TEACH)
    assert stderr == ""
    writing_us, adding_us, fitting_us, saving_us = map(int, stdout.split()[-4:])
    # 60 examples of 32 features, 20 times: the goal is a quarter of a second
    assert fitting_us <= 250_000
    # as measured once, and a half more: 32 x 16 and 4 x 32 weights written, 60 examples of 16 numbers, 32 x 3 weights
    assert writing_us <= 160_000 and adding_us <= 240_000 and saving_us <= 50_000
    pico.reset()
    told = "import anne; net = anne.load('/mine.anne'); x = [int(j % 3 == 1) for j in range(16)]\n"
    stdout, stderr = pico.exec(told + "print(net.classify(x)[0], net.labels)")
    assert (stdout, stderr) == ("right ['left', 'right', 'shake']\n", "")
