"""Text of others: which encodings are read, which are refused and how, and what is escaped before it is printed."""

from __future__ import annotations

import pytest
from anne_tools.data.texts import harmless, read_text, same_name
from anne_tools.errors import ModelError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_what_has_a_mark_or_is_utf_8_is_read(tmp_path, encoding):
    """Python's utf-16 and utf-32 write a byte order mark, as Notepad and Excel do."""
    path = tmp_path / "labels.txt"
    path.write_bytes("größe\r\nbär\rkatze\n".encode(encoding))
    assert read_text(path) == "größe\nbär\nkatze\n"


def test_utf_16_of_either_byte_order_is_read(tmp_path):
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        (tmp_path / "x.csv").write_bytes(mark + "ä".encode(encoding))
        assert read_text(tmp_path / "x.csv") == "ä"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("katze\ngröße".encode("cp1252"), "labels.txt: line 2 is not UTF-8 text; save it as UTF-8"),
        ("a\nb".encode("utf-16-le"), "labels.txt: zero bytes in it: not text, or UTF-16 without its mark"),
        (b"\xff\xfea", "labels.txt: line 1 is not UTF-16-LE text; save it as UTF-8"),
        (b"\x89HDF\r\n\x1a\n", "labels.txt: line 1 is not UTF-8 text"),
    ],
)
def test_other_encodings_are_refused_in_one_line(tmp_path, content, message):
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(ModelError) as error:
        read_text(tmp_path / "labels.txt")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["setosa", "größe", "[bold]x[/]", "猫 と 犬", "a\u00a0b", "\N{CAT FACE}", "e\u0301", ""]
)
def test_letters_and_spaces_of_all_scripts_stay(text):
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\rb\t", "a\\rb\\t"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),  # CSI as one character
        ("a\u202eb", "a\\u202eb"),  # right to left from here
        ("a\u2028b", "a\\u2028b"),  # line separator
        ("a\u200bb", "a\\u200bb"),  # zero width
        ("\ud800", "\\ud800"),  # cannot be printed at all
        ("\U000e0041", "\\U000e0041"),  # a tag that nobody sees
    ],
)
def test_what_moves_hides_or_reorders_is_escaped(text, shown):
    assert harmless(text) == shown


def test_names_are_compared_without_spaces_and_however_accents_are_written():
    assert same_name(" gro\u0308ße\n") == "größe"
    assert same_name(1) == "1"
