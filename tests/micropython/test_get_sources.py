"""get_sources.sh on a made-up submodule, with stand-ins for apt-get: what it accepts and what it refuses."""

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

MICROPYTHON = Path(__file__).parents[2] / "micropython"
PINS = dict(re.findall(r"^([A-Z_]+)=(\S+)$", (MICROPYTHON / "versions.env").read_text(), re.M))
# As versions/1.26.1.env pins it, for what follows from a suite of its own.
NEWER, NEWER_PACKAGE = "1.26.1", "1.26.1+ds-1"

# Stands in for Debian's archive: `source` and `download` leave a package's file, `update` writes down the suites.
APT_GET = """#!/bin/sh
for word; do :; done
case "$*" in
    *" source "* | *" download "*) cp "$ARCHIVE/${word%%[=/]*}"_* . ;;
    *" update") grep ^Suites: "${APT_CONFIG%/*}/sources/debian.sources" >"$ARCHIVE/suites" ;;
esac
"""
APT_CACHE = """#!/bin/sh
cat "$ARCHIVE/versions"
"""


def define(names: str, version: str) -> str:
    """Return one #define for each name, with the parts of a version."""
    return "".join(f"#define {n} {part}\n" for n, part in zip(names.split(), version.split("."), strict=True))


def write(root: Path, files: dict[str, str]) -> None:
    """Write texts below a folder."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def submodule_files(pico_sdk: str, micropython: str = PINS["MICROPYTHON_VERSION"]) -> dict[str, str]:
    """Return the files of a populated submodule that tell its versions."""
    numbers = " ".join(f"MICROPY_VERSION_{part}" for part in ("MAJOR", "MINOR", "MICRO"))
    tinyusb = " ".join(f"TUSB_VERSION_{part}" for part in ("MAJOR", "MINOR", "REVISION"))
    parts = zip(("MAJOR", "MINOR", "REVISION"), pico_sdk.split("."), strict=True)
    return {
        "py/mpconfig.h": define(numbers, micropython) + "#define MICROPY_VERSION_PRERELEASE 0\n",
        "lib/tinyusb/src/tusb_option.h": define(tinyusb, PINS["TINYUSB_VERSION"]),
        "lib/pico-sdk/pico_sdk_init.cmake": "",
        "lib/pico-sdk/pico_sdk_version.cmake": "".join(f"set(PICO_SDK_VERSION_{k} {v})\n" for k, v in parts),
    }


@pytest.fixture
def project(tmp_path):
    """Return (folder of the project's micropython/, environment to run get_sources.sh in)."""
    folder = tmp_path / "micropython"
    (folder / "upstream").mkdir(parents=True)
    for name in ("get_sources.sh", "versions.env"):
        shutil.copy(MICROPYTHON / name, folder)
    shutil.copytree(MICROPYTHON / "versions", folder / "versions")
    mbedtls = define("MBEDTLS_VERSION_MAJOR MBEDTLS_VERSION_MINOR", PINS["MBEDTLS_SERIES"])
    picotool = f"set(PICOTOOL_VERSION {PINS['PICOTOOL_VERSION']})\n"
    write(tmp_path / "mbedtls", {"include/mbedtls/build_info.h": mbedtls})
    write(tmp_path / "picotool", {"CMakeLists.txt": picotool})
    (tmp_path / "archive").mkdir()
    for name in ("mbedtls", "picotool"):
        with tarfile.open(tmp_path / "archive" / f"{name}_1.orig.tar.gz", "w:gz") as tar:
            tar.add(tmp_path / name, arcname=name)
    write(
        tmp_path, {"bin/apt-get": APT_GET, "bin/apt-cache": APT_CACHE, "keys.gpg": "", "archive/versions": ""}
    )
    for name in ("apt-get", "apt-cache"):
        (tmp_path / "bin" / name).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "ARCHIVE": str(tmp_path / "archive"),
        "DEBIAN_KEYRING": str(tmp_path / "keys.gpg"),
    }
    return folder, environment


def get_sources(project, dest: Path, *version: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    folder, environment = project
    command = [folder / "get_sources.sh", dest, *version]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def put_into_archive(project, version: str) -> None:
    """Let the archive have a MicroPython, and the packages that lie in its lib/ otherwise."""
    archive = Path(project[1]["ARCHIVE"])
    files = submodule_files(PINS["PICO_SDK_VERSION"], version)
    (archive / "versions").write_text(f"Package: micropython\nVersion: {version}+ds-1\n")
    tree = archive / "tree"
    write(tree / "micropython", {"py/mpconfig.h": files["py/mpconfig.h"], "lib/README.md": ""})
    with tarfile.open(archive / f"micropython_{version}.orig.tar.gz", "w:gz") as tar:
        tar.add(tree / "micropython", arcname="micropython")
    for name in ("pico-sdk", "tinyusb"):
        inside = {k.replace("lib/", "usr/src/"): v for k, v in files.items() if k.startswith(f"lib/{name}/")}
        control = (
            f"Package: {name}-source\nVersion: 1\nArchitecture: all\nMaintainer: a test\nDescription: files\n"
        )
        write(tree / name, {**inside, "DEBIAN/control": control})
        package = archive / f"{name}-source_1_all.deb"
        subprocess.run(["dpkg-deb", "--build", tree / name, package], check=True, capture_output=True)


needs_debian = pytest.mark.skipif(
    not Path("/etc/apt").exists(), reason="get_sources.sh looks for a mirror in the system's apt sources"
)


@needs_debian
def test_a_populated_submodule_is_copied_and_left_as_it_is(project, tmp_path):
    write(project[0] / "upstream", submodule_files(PINS["PICO_SDK_VERSION"]))
    result = get_sources(project, tmp_path / "sources")
    assert result.returncode == 0, result.stderr
    assert "(submodule)" in result.stdout
    assert (tmp_path / "sources/micropython/py/mpconfig.h").exists()
    assert (tmp_path / "sources/micropython/lib/mbedtls/include/mbedtls/build_info.h").exists()
    assert not (project[0] / "upstream/lib/mbedtls").exists()


@needs_debian
def test_the_second_run_does_nothing(project, tmp_path):
    write(project[0] / "upstream", submodule_files(PINS["PICO_SDK_VERSION"]))
    get_sources(project, tmp_path / "sources")
    assert get_sources(project, tmp_path / "sources").stdout == ""


@needs_debian
def test_another_version_than_the_pinned_one_is_refused(project, tmp_path):
    write(project[0] / "upstream", submodule_files("2.2.0"))
    result = get_sources(project, tmp_path / "sources")
    expected = f"pico-sdk: expected version {PINS['PICO_SDK_VERSION']}, got 2.2.0 (from submodule"
    assert result.returncode == 1
    assert expected in result.stderr
    assert not (tmp_path / "sources/stamp").exists()


@needs_debian
def test_a_submodule_without_its_own_submodules_says_what_to_type(project, tmp_path):
    files = submodule_files(PINS["PICO_SDK_VERSION"])
    write(project[0] / "upstream", {"py/mpconfig.h": files["py/mpconfig.h"]})
    result = get_sources(project, tmp_path / "sources")
    assert result.returncode == 1
    assert "submodule update --init --depth 1 lib/pico-sdk lib/tinyusb" in result.stderr


@needs_debian
def test_a_version_of_another_suite_comes_from_there_and_the_rest_from_the_common_one(project, tmp_path):
    put_into_archive(project, NEWER)
    result = get_sources(project, tmp_path / "sources", NEWER)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "archive/suites").read_text() == f"Suites: forky {PINS['DEBIAN_SUITE']}\n"
    assert (tmp_path / "sources/stamp").read_text().startswith(f"debian {NEWER} ")
    assert (tmp_path / "sources/micropython/lib/tinyusb/src/tusb_option.h").exists()


@needs_debian
def test_the_pinned_default_asks_for_the_common_suite_only(project, tmp_path):
    put_into_archive(project, PINS["MICROPYTHON_VERSION"])
    result = get_sources(project, tmp_path / "sources")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "archive/suites").read_text() == f"Suites: {PINS['DEBIAN_SUITE']}\n"


@needs_debian
def test_a_version_that_its_suite_has_dropped_is_said_to_be_missing(project, tmp_path):
    put_into_archive(project, "1.27.0")
    result = get_sources(project, tmp_path / "sources", NEWER)
    expected = (
        f"Debian forky no longer has MicroPython {NEWER} (package {NEWER_PACKAGE}): pin what it has now"
    )
    assert result.returncode == 1
    assert expected in result.stderr
    assert (tmp_path / "sources/missing").read_text().startswith(expected)
    assert not (tmp_path / "sources/stamp").exists()


@needs_debian
def test_a_submodule_of_another_micropython_is_left_alone(project, tmp_path):
    write(project[0] / "upstream", submodule_files(PINS["PICO_SDK_VERSION"]))
    put_into_archive(project, NEWER)
    result = get_sources(project, tmp_path / "sources", NEWER)
    assert result.returncode == 0, result.stderr
    expected = (
        f"micropython/upstream has MicroPython {PINS['MICROPYTHON_VERSION']}, so {NEWER} comes from Debian"
    )
    assert expected in result.stdout


def test_a_version_without_pins_is_refused_with_those_that_have_them(project, tmp_path):
    result = get_sources(project, tmp_path / "sources", "1.2.3")
    assert result.returncode == 1
    assert (
        "MicroPython 1.2.3: expected one of 1.25.0 1.26.1, as micropython/versions pins them" in result.stderr
    )
