"""host_tools/bootstrap.py: what it says and does where packages are missing. No package is installed here."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("bootstrap", ROOT / "host_tools" / "bootstrap.py")
bootstrap = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(bootstrap)


@pytest.fixture
def machine(monkeypatch):
    """A machine without cmake and ninja. Returns the list of commands that bootstrap runs on it."""
    there = {"cmake": False, "ninja-build": False, "git": True}
    monkeypatch.setattr(bootstrap, "PACKAGES", {name: lambda name=name: there[name] for name in there})
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    commands = []

    def run_step(title, command, log):
        commands.append(command)
        if "install" in command:
            there.update(dict.fromkeys(command, True))

    monkeypatch.setattr(bootstrap, "run_step", run_step)
    return commands


def test_without_root_it_says_the_one_line_that_mends_it(machine, monkeypatch):
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(bootstrap, "may_sudo", lambda: False)
    with pytest.raises(bootstrap.BootstrapError, match="sudo apt-get install cmake ninja-build\n"):
        bootstrap.install_packages()
    assert machine == []


@pytest.mark.parametrize(("user", "prefix"), [(0, []), (1000, ["sudo", "-n"])])
def test_root_or_a_sudo_that_asks_nothing_installs_only_what_is_missing(machine, monkeypatch, user, prefix):
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: user)
    monkeypatch.setattr(bootstrap, "may_sudo", lambda: True)
    bootstrap.install_packages()
    apt_get = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    install = [*apt_get, "install", "--no-install-recommends", "cmake", "ninja-build"]
    assert machine == [[*apt_get, "update"], install]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], set()),
        (["--fuzzer"], {"clang", "libclang-rt-dev"}),
        (["--qemu"], {"qemu-system-arm"}),
        (["--flash-cache"], {"python3-dev"}),
    ],
)
def test_what_only_tests_need_is_wanted_on_request(machine, monkeypatch, options, wanted):
    monkeypatch.setattr(bootstrap.sys, "argv", ["bootstrap.py", *options])
    monkeypatch.setattr(bootstrap, "make_venv", lambda extras: None)
    monkeypatch.setattr(bootstrap, "build_flash_cache", lambda: None)
    monkeypatch.setattr(bootstrap, "install_packages", lambda: None)
    assert bootstrap.main() == 0
    assert set(bootstrap.PACKAGES) - {"cmake", "ninja-build", "git"} == wanted


def test_nothing_is_run_where_nothing_is_missing(machine, monkeypatch):
    monkeypatch.setattr(bootstrap, "PACKAGES", {"git": lambda: True})
    bootstrap.install_packages()
    assert machine == []


def test_packages_that_do_not_help_are_an_error(machine, monkeypatch):
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 0)
    monkeypatch.setattr(bootstrap, "PACKAGES", {"cmake": lambda: False})
    with pytest.raises(bootstrap.BootstrapError, match="still not found: cmake"):
        bootstrap.install_packages()


def test_a_failed_step_shows_the_end_of_its_output(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "LOGS", tmp_path)
    with pytest.raises(bootstrap.BootstrapError, match="no such thing\nfailed \\(3\\): "):
        bootstrap.run_step("doing", ["sh", "-c", "echo no such thing; exit 3"], "step.log")


def test_a_steps_title_comes_before_it_and_its_seconds_after(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bootstrap, "LOGS", tmp_path)
    seen = tmp_path / "seen"

    class Process(bootstrap.subprocess.Popen):
        def __init__(self, *arguments, **options):
            seen.write_text(capsys.readouterr().out)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(bootstrap.subprocess, "Popen", Process)
    bootstrap.run_step("doing", ["true"], "step.log")
    assert seen.read_text() == "doing ..."
    assert capsys.readouterr().out == " 0 s\n"


def test_extras_of_other_targets_stay_when_the_environment_is_made_anew(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    stamp = tmp_path / "anne-stamp.json"
    stamp.write_text('{"digest": "of another pyproject.toml", "extras": ["test"]}')

    def run_step(title, command, log):
        tmp_path.mkdir(exist_ok=True)
        machine.append(command)

    monkeypatch.setattr(bootstrap, "run_step", run_step)
    bootstrap.make_venv({"check"})
    assert machine[-1][-1] == f"{ROOT}[check,test]"
    done = len(machine)
    bootstrap.make_venv({"test"})
    assert len(machine) == done


def test_make_demo_builds_no_tests():
    if not (ROOT / "build" / "host" / "build.ninja").exists() or shutil.which("ninja") is None:
        pytest.skip("no build/host")

    def inputs(*targets: str) -> str:
        query = ["ninja", "-C", ROOT / "build" / "host", "-t", "inputs", *targets]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout

    assert "native_module/model.c" in inputs("install", "anne-pico")
    assert "tests/" not in inputs("install", "anne-pico")
    assert "tests/" in inputs("tests/native_module/all")


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="these tests run outside of a virtual environment")
def test_a_new_environment_is_not_made_by_the_python_of_the_old_one():
    # as where build/venv is activated, and pyproject.toml has changed
    assert not Path(bootstrap.base_python()).is_relative_to(sys.prefix)
    assert subprocess.run([bootstrap.base_python(), "-c", "import venv"]).returncode == 0
