"""Our ROMFS images, as MicroPython on the board reads them."""

from anne_tools.boards.emulator import EmulatedPico

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
