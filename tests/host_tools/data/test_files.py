"""Writing for a user: what is replaced, what is refused, and what a file keeps."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from anne_tools.data.files import check_target, read_whole, write_atomically
from anne_tools.errors import ModelError


def test_only_plain_files_are_read(tmp_path):
    """A pipe would be waited for, and a device has no end."""
    (tmp_path / "plain").write_bytes(b"12")
    (tmp_path / "link").symlink_to("plain")
    assert read_whole(tmp_path / "link") == b"12"
    os.mkfifo(tmp_path / "pipe")
    for path, kind in (
        (tmp_path / "pipe", "a pipe or a device"),
        (Path("/dev/zero"), "a pipe"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(ModelError, match=f"{path}: expected a file, got {kind}"):
            read_whole(path)
    with pytest.raises(ModelError, match="none: No such file or directory"):
        read_whole(tmp_path / "none")


def mode_of(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "other").write_bytes(b"")
    write_atomically(tmp_path / "new", b"12")
    assert (tmp_path / "new").read_bytes() == b"12"
    assert mode_of(tmp_path / "new") == mode_of(tmp_path / "other")


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o755])
def test_a_replaced_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "net.anne"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", mode)


def test_a_symbolic_link_stays_one_and_its_file_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "net.anne").write_bytes(b"old")
    (tmp_path / "link").symlink_to("folder/net.anne")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "net.anne").read_bytes() == b"new"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["net.anne"]


def test_a_file_with_a_second_name_is_left_alone(tmp_path):
    """A rename would part the two, and the other one would keep the old content."""
    (tmp_path / "net.anne").write_bytes(b"old")
    os.link(tmp_path / "net.anne", tmp_path / "other")
    with pytest.raises(ModelError, match="has another name"):
        write_atomically(tmp_path / "net.anne", b"new")
    assert (tmp_path / "other").samefile(tmp_path / "net.anne")
    assert (tmp_path / "other").read_bytes() == b"old"


def test_a_link_that_leads_nowhere_gets_its_file(tmp_path):
    (tmp_path / "link").symlink_to("net.anne")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "net.anne").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["net.json", "symbolic", "hard", "folder/../net.json"])
def test_a_source_is_never_replaced_under_any_name(tmp_path, name):
    source = tmp_path / "net.json"
    source.write_bytes(b"{}")
    (tmp_path / "folder").mkdir()
    (tmp_path / "symbolic").symlink_to("net.json")
    os.link(source, tmp_path / "hard")
    with pytest.raises(ModelError, match=r"would replace .*net\.json, which is read; name another file"):
        write_atomically(tmp_path / name, b"new", [None, tmp_path / "none", source])
    assert source.read_bytes() == b"{}"


def test_pipes_devices_and_folders_are_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "circle").symlink_to("circle")
    for name, message in (
        ("pipe", "got a pipe or a device"),
        ("null", "got a pipe or a device"),
        ("folder", "got a folder"),
        ("circle", "cannot be written: "),
        ("pipe/net.anne", "cannot be written: .*pipe is no folder"),
        ("none/net.anne", "cannot be written: .*none is no folder"),
        ("x" * 300, "cannot be written: File name too long"),
    ):
        with pytest.raises(ModelError, match=message):
            write_atomically(tmp_path / name, b"new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert (tmp_path / "null").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["circle", "folder", "null", "pipe"]


def test_the_longest_name_can_be_written(tmp_path):
    """255 bytes, as most filesystems have it: the name beside it is no longer."""
    path = tmp_path / ("n" * 255)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_what_is_read_only_stays(tmp_path, monkeypatch):
    """A rename would replace it. Told by os.access, here in its place, as root may write everything."""
    path = tmp_path / "net.anne"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(ModelError, match="it is read-only"):
        check_target(path)
