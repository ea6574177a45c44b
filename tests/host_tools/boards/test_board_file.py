"""Board files: kept whole, never over anything else, one process at a time; then with the emulated Pico."""

import os
import signal
import subprocess
import sys

import pytest
from anne_tools.boards.board_file import MAGIC, BoardFile
from anne_tools.boards.firmware import find_firmware
from anne_tools.boards.layout import FLASH_BYTES, KEPT_OFFSET, MODELS, PICO
from anne_tools.boards.open_device import open_device
from anne_tools.cli import cli
from anne_tools.errors import DeviceError, ModelError
from click.testing import CliRunner

FLASH = bytes(range(256)) * ((FLASH_BYTES - KEPT_OFFSET) // 256)


def save(path, flash):
    board = BoardFile(path)
    board.save(flash)
    board.close()


def test_what_is_saved_is_there_again(tmp_path):
    path = tmp_path / "pico.img"
    new = BoardFile(path)
    assert new.flash is None
    new.save(FLASH)
    new.close()
    assert path.read_bytes()[KEPT_OFFSET:] == FLASH
    assert path.stat().st_size == 2 * 1024 * 1024  # a Pico's flash
    again = BoardFile(path)
    assert again.flash == FLASH
    again.close()
    assert os.listdir(tmp_path) == ["pico.img"]


def test_it_knows_which_firmware_it_had(tmp_path):
    path = tmp_path / "pico.img"
    for layout in (PICO, MODELS, PICO):  # of the same flash
        board = BoardFile(path)
        board.save(FLASH, layout)
        board.close()
        again = BoardFile(path)
        assert (again.layout, again.flash) == (layout, FLASH)
        again.close()
    path.write_bytes(MAGIC.ljust(KEPT_OFFSET, b"\xff") + FLASH)  # as version 0.1.0 first wrote them
    board = BoardFile(path)
    assert board.layout == PICO
    board.close()


def test_an_empty_file_is_a_new_board(tmp_path):
    path = tmp_path / "pico.img"
    path.touch()
    BoardFile(path).close()
    assert path.read_bytes() == b""
    save(path, FLASH)
    assert path.stat().st_size == FLASH_BYTES


def test_a_board_that_never_started_leaves_no_file(tmp_path):
    BoardFile(tmp_path / "pico.img").close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        b"my only photograph",
        bytes(FLASH_BYTES),
        MAGIC,
        MAGIC.ljust(FLASH_BYTES - 1),
        MAGIC.ljust(FLASH_BYTES + 1),
    ],
)
def test_what_is_no_board_file_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "holiday.img"
    path.write_bytes(content)
    with pytest.raises(
        ModelError, match=r"holiday\.img: not a board file: expected 2097152 bytes that begin"
    ):
        BoardFile(path)
    assert path.read_bytes() == content


def test_folders_and_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe or a device")):
        with pytest.raises(ModelError, match=f"got {kind}"):
            BoardFile(path)
    with pytest.raises(ModelError, match="cannot be written: .* is no folder"):
        BoardFile(tmp_path / "none" / "pico.img")


def test_links_and_modes_stay(tmp_path):
    path, link = tmp_path / "real.img", tmp_path / "pico.img"
    save(path, FLASH)
    path.chmod(0o640)
    link.symlink_to(path)
    save(link, FLASH[::-1])
    assert link.is_symlink()
    assert path.read_bytes()[KEPT_OFFSET:] == FLASH[::-1]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_second_process_is_refused_until_the_first_has_ended(tmp_path):
    path = tmp_path / "pico.img"
    script = "import sys; from anne_tools.boards.board_file import BoardFile; BoardFile(sys.argv[1])"
    first = BoardFile(path)
    for _ in range(2):  # before and after the file is exchanged
        second = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
        assert second.stderr.splitlines()[-1].endswith(
            "pico.img: another process has this board; end it, or name another file"
        )
        with pytest.raises(DeviceError, match="another process has this board"):
            BoardFile(path)
    first.save(FLASH)
    first.close()
    assert subprocess.run([sys.executable, "-c", script, str(path)]).returncode == 0


def test_a_board_file_is_for_the_emulator(tmp_path):
    with pytest.raises(
        DeviceError, match="/dev/ttyACM0: a board file, romfs and the flash cache are for the emulated Pico"
    ):
        open_device("/dev/ttyACM0", board_file=tmp_path / "pico.img")
    result = CliRunner().invoke(
        cli, ["deploy", "net.anne", "--on", "/dev/ttyACM0", "--board-file", "pico.img"]
    )
    assert result.exit_code == 2
    assert "--board-file is an emulated Pico; it does not go with --on /dev/ttyACM0" in result.stderr


# --- With the emulated Pico -------------------------------------------------------------------------------------------


@pytest.fixture
def uf2():
    pytest.importorskip("rp2040py")
    try:
        return find_firmware()
    except ModelError as error:
        pytest.skip(str(error))


def test_romfs_is_replaced_and_lasts(tmp_path, uf2):
    path = tmp_path / "pico.img"
    for romfs in ({"old.txt": b"0"}, {"new.txt": b"1"}, None):
        with open_device("emulator", firmware=uf2, romfs=romfs, board_file=path) as pico:
            found = pico.exec("import os; print(os.listdir('/rom'))")
    assert found == "['new.txt']\n"


def test_files_last_from_one_start_to_the_next(tmp_path, uf2):
    path = tmp_path / "pico.img"
    with open_device("emulator", firmware=uf2, files={"/a/put.txt": b"1"}, board_file=path) as pico:
        pico.exec("with open('/own.txt', 'w') as file: n = file.write('2')")
        pico.machine.write_romfs({"rom.txt": b"3"})
    with open_device("emulator", firmware=uf2, files={"/b.txt": b"4"}, board_file=path) as pico:
        found = [pico.get(name) for name in ("/a/put.txt", "/own.txt", "/rom/rom.txt", "/b.txt")]
    assert found == [b"1", b"2", b"3", b"4"]
    assert path.read_bytes()[PICO.storage_offset + 8 : PICO.storage_offset + 16] == b"littlefs"


def test_a_firmware_that_does_not_start_leaves_the_board_as_it_was(tmp_path, uf2):
    path = tmp_path / "pico.img"
    save(path, FLASH)
    (tmp_path / "no.uf2").write_bytes(b"no firmware")
    with pytest.raises(ModelError, match="not a UF2 file"):
        open_device("emulator", firmware=tmp_path / "no.uf2", board_file=path)
    board = BoardFile(path)
    assert board.flash == FLASH
    board.close()


def test_a_terminal_that_is_closed_keeps_what_was_written(tmp_path, uf2):
    command = [sys.executable, "-m", "anne_tools", "emulate", "--board-file", "pico.img", "--uf2", uf2]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # tests may run under nohup
    )
    process.stdin.write(b"f = open('/own.txt', 'w'); n = f.write('kept'); f.close(); print('written')\n")
    process.stdin.flush()
    for line in process.stdout:
        if line == b"written\r\n":
            break
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 128 + signal.SIGHUP
    process.stdout.close()
    with open_device("emulator", firmware=uf2, board_file=tmp_path / "pico.img") as pico:
        assert pico.get("/own.txt") == b"kept"
