"""The firmware with room for models: where its partitions lie, and what becomes of a board that goes over to it."""

import numpy as np
import pytest
from anne_tools.boards.bench import bench
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.firmware import find_firmware
from anne_tools.boards.layout import FLASH_BASE, MODELS
from anne_tools.boards.open_device import open_device
from anne_tools.boards.rom_partition import RomPartition
from anne_tools.boards.runner import run_device
from anne_tools.conversion.convert import convert
from anne_tools.conversion.standard_models import random_graph
from anne_tools.cores.local import run_local
from anne_tools.errors import ModelError

SIZES = """import rp2, vfs, uctypes
f, m = rp2.Flash(), memoryview(vfs.rom_ioctl(2, 0))
print(f.ioctl(4, 0) * f.ioctl(5, 0), uctypes.addressof(m), len(m))
"""


@pytest.fixture(scope="module")
def uf2():
    try:
        return find_firmware(board="pico-models")
    except ModelError as error:
        pytest.skip(str(error))


def test_1_mb_of_romfs_and_512_kb_of_storage(uf2):
    big = bytes(range(256)) * 3600  # 900 KB
    board = EmulatedPico(uf2, files={"/own.txt": b"mine"}, romfs={"big": big})
    assert board.layout == MODELS
    board.boot()
    stdout, stderr = board.exec(SIZES)
    assert (stdout.split(), stderr) == (
        [str(512 * 1024), str(FLASH_BASE + MODELS.romfs_offset), str(1024 * 1024)],
        "",
    )
    assert board.exec("print(open('/own.txt').read())") == ("mine\n", "")
    assert board.exec(f"print(len(memoryview(open('/rom/big', 'rb'))) == {len(big)})") == ("True\n", "")
    assert board.read_file("/own.txt") == b"mine"


def test_the_storage_of_a_board_that_goes_over_is_formatted(uf2, machine, tmp_path):
    path = tmp_path / "pico.img"
    with open_device("emulator", firmware=machine.uf2, board_file=path) as device:
        device.put("/own.txt", b"mine")
    with pytest.raises(
        ModelError, match="expected a pico-models, got the board file of a pico, whose storage"
    ):
        open_device("emulator", board="pico-models", board_file=path)
    with open_device("emulator", firmware=uf2, board_file=path) as device:
        assert device.exec("import os; print(os.listdir('/'))").strip() == "[]"
        device.put("/new.txt", b"new")
    with open_device("emulator", board_file=path) as device:  # though the old storage still looks formatted
        assert device.exec("import os; print(os.listdir('/'))").strip() == "['new.txt']"


def test_a_model_too_large_for_ram_runs_from_flash_and_is_measured(uf2, machine):
    x = np.random.default_rng(1).normal(0, 1, (8, 512))
    data = convert(random_graph((512, 512, 8)), "int8", calibrate=x).data  # 260 KB of weights
    x = x[:2]
    with open_device("emulator", firmware=uf2) as device:
        np.testing.assert_array_equal(run_device(device, data, x), run_local(data, x, "host"))
        assert bench(device, data, "large").predict_into_us > 0
    refused = pytest.raises(
        ModelError, match="does not fit the pico: .* room: --uf2 build/anne-pico-models.uf2"
    )
    with open_device("emulator", firmware=machine.uf2) as device, refused:
        run_device(device, data, x)


def test_a_board_file_of_it_is_opened_with_it(uf2, tmp_path):
    path = tmp_path / "pico.img"
    with open_device("emulator", board="pico-models", board_file=path) as device:
        device.put("/own.txt", b"mine")
        RomPartition(device).write({"big": bytes(300_000)})
    with open_device("emulator", board_file=path) as device:
        assert device.get("/own.txt") == b"mine"
        assert RomPartition(device).files() == {"big": bytes(300_000)}
