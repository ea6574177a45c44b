"""A wheel in an empty virtual environment, in an empty folder, on a machine without make, compiler and git."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from empty_places import ROOT, Place, build, copy_of_the_source
from release_wheels import linux_tag

NO_CORE = "anne: no C core here: the Python reference runs, slower\n"
VERSION = (ROOT / "VERSION").read_text().strip()
NETWORK = {
    "labels": ["first", "second"],
    "layers": [
        {"weights": [[1, -1], [-1, 1]], "activation": "relu"},
        {"weights": [[1, 0], [0, 1]], "activation": "softmax"},
    ],
}
X = np.random.default_rng(1).normal(0, 1, (40, 2))


def is_native(place: Place) -> bool:
    return "native" in str(place.programs)


def network(folder: Path) -> None:
    (folder / "net.json").write_text(json.dumps(NETWORK))
    np.save(folder / "x.npy", X)


# --- What is in them ------------------------------------------------------------------------------------------------


def test_both_wheels_carry_what_is_for_boards_and_one_the_core(built):
    for kind in ("native", "any"):
        with zipfile.ZipFile(built[kind]) as wheel:
            names = set(wheel.namelist())
            for file in built["runtime"].rglob("*.*"):
                inside = f"anne_tools/runtime/{file.relative_to(built['runtime']).as_posix()}"
                assert wheel.read(inside) == file.read_bytes()
        assert {"anne/__init__.py", "anne_tools/versions.env", "anne_tools/networks/iris.csv"} < names
        assert ("anne_tools/libanne.so" in names) == (kind == "native")


def test_the_library_needs_no_more_than_its_tag_says_and_names_no_folder(built, tmp_path):
    """auditwheel 6 said manylinux_2_17 of the same library: memcpy of glibc 2.14 is the newest that it calls."""
    with zipfile.ZipFile(built["native"]) as wheel:
        library = Path(wheel.extract("anne_tools/libanne.so", tmp_path))
    assert f"-py3-none-{linux_tag(library)}.whl" in built["native"].name
    assert b"/release" not in library.read_bytes()


def test_a_library_that_needs_more_than_glibc_has_no_manylinux_tag():
    """libssl needs libcrypto."""
    libraries = list(Path("/usr/lib").glob("*/libssl.so.3"))
    if not libraries:
        pytest.skip("libssl is not installed")
    assert linux_tag(libraries[0]).startswith("linux_")


def test_the_sdist_holds_the_source_and_nothing_built(built):
    with tarfile.open(built["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "CMakeLists.txt", "native_module/host.c", "host_tools/bootstrap.py"} < names
    assert not [name for name in names if name.startswith(("build", "dist", ".git/"))]


def test_two_builds_in_two_folders_give_the_same_bytes(built, tmp_path):
    source = copy_of_the_source(tmp_path / "another folder of another name")
    again = build(source, tmp_path / "dist", "--runtime", str(built["runtime"]))
    for kind in ("native", "any", "sdist"):
        assert again[kind].name == built[kind].name
        assert again[kind].read_bytes() == built[kind].read_bytes(), kind


# --- What can be done with them -------------------------------------------------------------------------------------


def test_version_and_what_came_along(place):
    lines = place.good("anne", "--version").splitlines()
    assert lines[0].startswith(f"AI-ANNE {VERSION} (MicroPython ")
    assert all("anne_tools/runtime/anne-pico" in line for line in lines[1:])


def test_convert_inspect_and_run(place):
    """softmax of (d, 0) and (0, d), d the difference of the inputs; the one line is said once a command."""
    network(place.folder)
    expected = "" if is_native(place) else NO_CORE
    for command in (
        ["convert", "net.json", "--calibrate", "x.npy", "--dtype", "int8", "-o", "int8.anne"],
        ["convert", "net.json", "-o", "net.anne"],
        ["inspect", "net.anne"],
        ["run", "net.anne", "--input", "x.npy", "--output", "y.npy"],
    ):
        done = place.run("anne", *command)
        assert (done.returncode, done.stderr) == (0, expected), command
    d = X[:, 0] - X[:, 1]
    exact = np.stack([np.exp(np.maximum(d, 0)), np.exp(np.maximum(-d, 0))], axis=1)
    exact /= exact.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.load(place.folder / "y.npy"), exact, atol=1e-5)


def test_the_reference_gives_the_integers_of_the_core(environments, tmp_path):
    outputs = []
    for kind in ("native", "any"):
        place = Place(environments[kind], tmp_path)
        network(tmp_path)
        place.good("anne", "convert", "net.json", "--calibrate", "x.npy", "--dtype", "int8", "-o", "net.anne")
        place.good("anne", "run", "net.anne", "--input", "x.npy", "--raw", "--output", "y.npy")
        outputs.append(((tmp_path / "net.anne").read_bytes(), np.load(tmp_path / "y.npy").tolist()))
    assert outputs[0] == outputs[1]


def test_train_and_verify(place):
    rows = [f"{a},{b},{'ab'[a > b]}" for a in range(6) for b in range(6) if a != b]
    (place.folder / "t.csv").write_text("\n".join(["a,b,which", *rows]) + "\n")
    command = ["train", "t.csv", "--layers", "2,3,1", "-o", "t.anne", "--epochs", "3", "--test", "0"]
    done = place.run("anne", *command)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(NO_CORE) == (0 if is_native(place) else 1)
    told = place.good("anne", "verify", "t.anne")
    assert ("no C core here" in told) != is_native(place)


def test_a_published_network_on_the_emulated_pico_and_its_firmware_on_a_drive(environments, built, tmp_path):
    if not (built["runtime"] / "anne-pico.uf2").exists():
        pytest.skip("anne-pico.uf2 is not built")
    place = Place(environments["any"], tmp_path)
    assert "18 of 20 right" in place.good("anne", "run", "iris-8", "--on", "emulator")
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2\n")
    code = (
        "import sys, pathlib, anne_tools.boards.flash as flash, anne_tools.cli as cli;"
        "flash.mounted_folders = lambda: [pathlib.Path('drive')]; sys.argv = ['anne', 'flash']; cli.main()"
    )
    place.good("python", "-c", code)
    copied, own = (folder / "anne-pico.uf2" for folder in (tmp_path / "drive", built["runtime"]))
    assert copied.read_bytes() == own.read_bytes()
