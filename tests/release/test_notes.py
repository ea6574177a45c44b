"""What a release says of itself: host_tools/release_notes.py, on a small repository."""

from __future__ import annotations

import subprocess

import pytest
from release import checksums
from release_notes import grouped, last_release, release_notes, size_table


@pytest.fixture
def repository(tmp_path):
    """A folder that is a repository, and a function that commits in it."""

    def git(*arguments):
        identity = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    def commit(subject: str, version: str | None = None, tag: str | None = None):
        if version:
            (tmp_path / "VERSION").write_text(version)
        git("add", "-A")
        git("commit", "--allow-empty", "-m", subject)
        if tag:
            git("tag", tag)

    git("init", "-q")
    return tmp_path, commit


def test_commits_are_grouped_by_the_part_before_the_colon():
    subjects = ["b/file: One", "README, docs: Two", "b: Three", "No part", "a/x/y: Four: five"]
    assert grouped(subjects) == {
        "a": ["x/y: Four: five"],
        "b": ["file: One", "Three"],
        "README": ["docs: Two"],
        "other": ["No part"],
    }


def test_notes_begin_behind_the_last_tag(repository):
    folder, commit = repository
    commit("a: Old", "0.1", tag="v0.1")
    commit("a: New")
    commit("b/c: Newer", "0.2", tag="v0.2")
    notes = release_notes(folder, "0.2", "Built from commit x.")
    assert notes == (
        "# AI-ANNE 0.2\n\nBuilt from commit x.\n\n2 changes since tag v0.1.\n"
        "\n## a\n\n- New\n\n## b\n\n- c: Newer\n"
    )


def test_without_a_tag_they_begin_where_VERSION_was_written_before(repository):
    folder, commit = repository
    commit("a: First", "0.1")
    assert last_release(folder) == ("", "")
    commit("a: Second")
    assert "1 change since VERSION was written (" in release_notes(folder, "0.1", "")
    commit("VERSION: 0.2", "0.2")  # this release's own
    notes = release_notes(folder, "0.2", "")
    assert "2 changes" in notes and "- Second" in notes and "- First" not in notes


def test_sizes_by_kind(tmp_path):
    """A block of 512 bytes of a UF2 file has 256 for the flash."""
    files = {"anne-pico.uf2": 1024, "ai_anne-1-py3-none-any.whl": 7, "anne/a.mpy": 3, "anne/b/c.mpy": 4}
    files |= {"_anne-armv6m.mpy": 9, "_anne-armv6m-dense.mpy": 5, "package-dense.json": 1}
    for name, n_bytes in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(n_bytes))
    rows = [line.split(" | ") for line in size_table(tmp_path, list(files)).splitlines()[2:]]
    assert [(row[0].strip("| "), row[1], row[2].strip()) for row in rows] == [
        ("ai_anne-1-py3-none-any.whl", "7", ""),
        ("anne-pico.uf2", "1024", "512"),
        ("_anne-armv6m.mpy", "9", ""),
        ("_anne-armv6m-dense.mpy", "5", ""),
        ("anne/*.mpy, 2 files", "7", ""),
        ("package-dense.json", "1", ""),
    ]


def test_checksums_are_what_sha256sum_reads(tmp_path):
    (tmp_path / "a b").write_bytes(b"abc")
    (tmp_path / "SUMS").write_text(checksums(tmp_path, ["a b"]))
    done = subprocess.run(["sha256sum", "--check", "SUMS"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "a b: OK\n")
