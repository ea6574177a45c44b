"""How .mpy files of the native module are written and measured: by hand, from the description of the format."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "micropython" / "natmod"))

import link_mpy
import report_sizes

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "00"), (127, "7f"), (128, "8100"), (300, "822c"), (1 << 14, "818000")]
)
def test_numbers_have_seven_bits_a_byte(value, expected):
    assert link_mpy.number(value).hex() == expected
    assert report_sizes.read_number(bytes.fromhex(expected), 0) == (value, len(expected) // 2)


def test_neighbours_that_point_into_the_code_are_told_together():
    """Words 2 to 4 get the code's address, 5 that of the table of functions (8), 9 that of its entry 32 (9 + 32)."""
    destinations = {2: link_mpy.TEXT, 3: link_mpy.TEXT, 4: link_mpy.TEXT, 5: link_mpy.TABLE, 9: 9 + 32}
    # code, several, from word 2 (in code: 2 << 1), three of them; the table, at the next word; its entry, at word 9
    expected = [1 << 1 | 1, 2 << 1, 3, 8 << 1, (9 + 32) << 1 | 1, 9 << 1, 0xFF]
    assert link_mpy.relocations(destinations) == bytes(expected)


def test_places_in_the_table_of_functions_are_micropythons():
    header = ROOT / "build" / "sources" / "micropython" / "py" / "nativeglue.h"
    if not header.exists():
        pytest.skip("no sources of MicroPython; `make test` fetches them")
    text = header.read_text()
    body = text[text.index("typedef struct _mp_fun_table_t {") : text.index("} mp_fun_table_t;")]
    fields = [line for line in body.splitlines()[1:] if line.endswith(";")]
    for name, field in (
        ("py_none", "const_none"),
        ("py_true", "const_true"),
        ("nlr_push", "(*nlr_push)"),
        ("mp_type_type", "*type_type"),
        ("mp_type_dict", "*type_dict"),
        ("mp_type_fun_builtin_1", "*type_fun_builtin_1"),
    ):
        assert field in fields[link_mpy.TABLE_ENTRIES[name]]


@pytest.mark.parametrize("kinds", ["", "-dense"])
@pytest.mark.parametrize("architecture", link_mpy.ARCHITECTURES)
def test_what_is_built_is_for_its_architecture(architecture, kinds):
    path = ROOT / "build" / "natmod" / f"_anne-{architecture}{kinds}.mpy"
    if not path.exists():
        pytest.skip(f"no {path.name}; `make test` builds it")
    data = path.read_bytes()
    # version 6, architecture and sub-version 3, small integers of at least 31 bits
    assert data[:4] == bytes([ord("M"), 6, link_mpy.ARCHITECTURES[architecture] << 2 | 3, 31])
    assert 0.9 < report_sizes.code_bytes(data) / len(data) < 1
