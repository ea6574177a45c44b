"""Our ROMFS images, as MicroPython on the board reads them; and its partition written through MicroPython."""

from pathlib import Path

import pytest
from anne_tools.boards.device import Device
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.layout import FLASH_BASE
from anne_tools.boards.rom_partition import RomPartition
from anne_tools.boards.romfs_uf2 import romfs_uf2
from anne_tools.boards.uf2 import read_uf2
from anne_tools.errors import DeviceError, ModelError

IRIS = Path(__file__).parents[2] / "examples" / "networks" / "iris-8.anne"
FILES = {
    "a": b"x",
    "empty.bin": b"",
    "models/iris.anne": bytes(range(256)) * 3,
    "models/deep/er/long_name_of_a_file.bin": b"0123456789abcde",
    "hello.py": b"print('from /rom')\n",
}

CHECK = """
import os, uctypes
def walk(folder):
    for name, kind, _, *_ in os.ilistdir(folder):
        path = folder + "/" + name
        if kind == 0x4000:
            walk(path)
        else:
            data = memoryview(open(path, "rb"))
            print(path[5:], len(data), uctypes.addressof(data) % 16 if len(data) else 0, sum(data))
walk("/rom")
import hello
"""


def test_files_are_whole_and_aligned_to_16_bytes_where_they_lie(machine):
    board = EmulatedPico(machine.uf2, romfs=FILES)
    board.boot()
    stdout, stderr = board.exec(CHECK)
    assert stderr == ""
    *lines, last = stdout.splitlines()
    # path, bytes, address modulo 16, sum of bytes
    assert sorted(lines) == sorted(f"{path} {len(data)} 0 {sum(data)}" for path, data in FILES.items())
    assert last == "from /rom"


def test_romfs_can_be_exchanged_with_a_reset(pico):
    pico.write_romfs({"one.txt": b"1"})
    pico.reset()
    assert pico.exec("import os; print(os.listdir('/rom'))") == ("['one.txt']\n", "")


def test_a_uf2_file_dragged_onto_the_board_brings_models_and_leaves_the_rest(pico, tmp_path):
    """The boot ROM writes each block where it says, which stands for the drive here."""
    pico.exec("open('kept.txt', 'w').write('storage')")
    path = tmp_path / "net.uf2"
    path.write_bytes(
        romfs_uf2({"iris.anne": IRIS.read_bytes(), "live.py": b"print('from the drive')\n"}, "pico")
    )
    for address, payload in read_uf2(path, "rp2040"):
        pico.write_flash(address - FLASH_BASE, payload)
    pico.reset()
    script = "import os, anne, live; net = anne.load('/rom/iris.anne'); print(net.selftest(), sorted(os.listdir()))"
    assert pico.exec(script) == ("from the drive\n4 ['kept.txt', 'rom']\n", "")


# --- The partition, through MicroPython -------------------------------------------------------------------------------

LIST = "import os; print(sorted(os.listdir('/rom')))"


def test_files_are_there_at_once_and_after_a_reset(device):
    partition = RomPartition(device)
    assert (partition.n_bytes, partition.files()) == (160 * 1024, {})
    sent = []
    partition.write({"a": b"a" * 5000, "b/c": b"c"}, lambda *done: sent.append(done))
    assert sent[-1] == (8192, 8192)  # two blocks of flash
    assert device.exec(LIST).strip() == "['a', 'b']"
    device.reset()
    assert RomPartition(device).files() == {"a": b"a" * 5000, "b/c": b"c"}
    assert device.get("/rom/b/c") == b"c"


def test_only_blocks_that_change_are_sent(device):
    partition, sent = RomPartition(device), []
    partition.write({"a": bytes(20_000)})
    partition.write({"a": bytes(20_000)}, lambda *done: sent.append(done))
    assert sent == []
    partition.write({"a": bytes(20_000), "b": b"b"}, lambda *done: sent.append(done))
    assert sent[-1] == (8192, 8192)  # the end, where b is, and the first block, which has the length
    partition.write({"b": b"new"})
    assert RomPartition(device).files() == {"b": b"new"}


def test_a_cut_while_it_is_written_leaves_no_rom_and_never_half(device):
    partition = RomPartition(device)
    partition.write({"a": b"a" * 9000})

    def cut(done, total):
        raise KeyboardInterrupt

    with pytest.raises(
        DeviceError, match="/rom was broken off .* gone; put all its files there again: a, c/d$"
    ):
        partition.write({"a": b"b" * 9000, "c/d": b""}, cut)
    device.reset()
    assert RomPartition(device).files() == {}
    assert "'rom'" not in device.exec("import os; print(os.listdir('/'))")


def test_a_damaged_partition_can_be_written_anew(device):
    crafted = bytes.fromhex("d2cd31 ffffffffffff7f")  # a length of 49 bits
    device.machine.write_flash(device.machine.layout.romfs_offset, crafted)
    with pytest.raises(ModelError, match="/rom: romfs: damaged: .* instead: anne romfs put --replace"):
        RomPartition(device).files()
    RomPartition(device).write({"a": b"a"})
    assert RomPartition(device).files() == {"a": b"a"}


def test_too_much_is_refused_and_what_is_there_stays(device):
    partition = RomPartition(device)
    partition.write({"a": b"a"})
    message = r"the files need 200\d+ bytes, the ROMFS partition has 163840; .*anne flash --board pico-models"
    with pytest.raises(ModelError, match=message):
        partition.write({"b": bytes(200_000)})
    assert RomPartition(device).files() == {"a": b"a"}


def test_what_arrives_damaged_is_told(device, monkeypatch):
    def other_byte(buffer, content):
        type(device).write_buffer(device, buffer, content[:-1] + b"?")

    partition = RomPartition(device)
    monkeypatch.setattr(device, "write_buffer", other_byte)
    with pytest.raises(DeviceError, match="/rom: sent 4992 bytes with CRC"):
        partition.write({"a": b"a" * 4960})


def test_buffers_go_over_a_line_of_text_too(device):
    """As on a real board, whose memory nobody else can reach; more than one line of base64, and a part of one."""
    content = bytes(range(256)) * 13
    device.exec(f"buffer = bytearray({len(content)})")
    Device.write_buffer(device, "buffer", content[:3500])
    assert device.read_buffer("buffer", len(content)) == content[:3500].ljust(len(content), b"\0")
    device.write_buffer("buffer", content)
    assert Device.read_buffer(device, "buffer", len(content)) == content
