"""The budget that everything an importer does is charged to; what it allows is arithmetic on the size of the file."""

from __future__ import annotations

import io
import math
import time
import zipfile

import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import budget


def refused(function, *args) -> str:
    with pytest.raises(ModelError) as error:
        function(*args)
    return str(error.value)


def test_charges_add_up_within_one_source_and_begin_anew_with_the_next():
    for _ in range(2):
        with budget.begin(1000):
            budget.steps(100_000, "a")
            budget.steps(250, "b")  # a quarter step a byte
            assert (
                refused(budget.steps, 1, "c")
                == "c: more than the limit of 100250 steps for a file of its size"
            )
            budget.spend((64 << 20) + 32_000, "a")
            assert "d: unpacks to more than the limit of 67140864 bytes" in refused(budget.spend, 1, "d")


def test_an_object_in_memory_has_no_limit():
    with budget.begin(math.inf):
        budget.steps(10**12, "a")
        budget.spend(2**62, "a")


def test_the_processor_time_is_the_net_below_the_steps(monkeypatch):
    with budget.begin(0):
        now = time.thread_time()
        monkeypatch.setattr(time, "thread_time", lambda: now + 1)
        assert "a: more than the limit of 0.4 s" in refused(budget.steps, 0, "a")


def test_elements_are_counted_before_an_array_is_made():
    assert budget.elements("a", (3, 4)) == 12 and budget.elements("a", ()) == 1
    for shape in ((1 << 40,), (1 << 20, 1 << 20), (1 << 32, 1 << 32), (-1, 5), (-3, -4), (0, -1), (1,) * 33):
        assert "more than the limit" in refused(budget.elements, "a", shape)
    with budget.begin(0):
        budget.elements("a", (1 << 22,))  # 32 MB of 64
        budget.elements("a", (1 << 22,))
        assert "b: (1,): unpacks to more" in refused(budget.elements, "b", (1,))
        budget.value("b", (1 << 10, 1 << 10))  # which is only told of, so nothing is charged
        for shape in ((1 << 10, 1025), (1 << 62, 1 << 62), (-1, 3)):
            assert f"b: {shape}: expected at most 1048576 elements" in refused(budget.value, "b", shape)


def test_layers_operations_and_levels():
    budget.layers(256)
    assert refused(budget.layers, 257) == "257 layers are more than the limit of 256"
    assert refused(budget.operations, 4097) == "4097 operations are more than the limit of 4096"

    def nest(depth: int) -> None:
        if depth:
            with budget.level("models"):
                nest(depth - 1)

    with budget.begin(0):
        nest(50)
        assert refused(nest, 51) == "more than 50 models inside each other"
        nest(50)


@pytest.mark.parametrize(
    "text, value",
    [
        ('{"a": [1, -2.5, 1e400]}', [1, -2.5, math.inf]),
        ('{"a": 9007199254740993}', 9007199254740993),
        ('{"a": ' + "9" * 100_000 + "}", math.inf),
    ],
)
def test_json_is_read(text, value):
    assert budget.parse_json(text, "j") == {"a": value}


def test_json_that_is_refused():
    assert "j: its lists and objects are nested too deeply" in refused(budget.parse_json, "[" * 100_000, "j")
    assert "j is not valid JSON: Expecting" in refused(budget.parse_json, "{", "j")
    assert "j is not valid JSON: 'utf-8' codec" in refused(budget.parse_json, b"\xff" * 9, "j")
    assert "j: expected a JSON object, got list" in refused(budget.parse_json, "[1]", "j")
    with budget.begin(1 << 20):
        # 32 bytes for each of the text: 96 MB allow 3 MB
        assert "j: unpacks to more" in refused(budget.parse_json, " " * (4 << 20), "j")


@pytest.fixture
def archive():
    """A zip file with 10,000 zeros under the name big."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("big", bytes(10_000))
    with budget.open_zip(file) as opened:
        yield opened


def test_read_member(archive):
    assert budget.read_member(archive, "big", 10_000) == bytes(10_000)
    assert "big unpacks to 10000 bytes, more than the limit of 9999" in refused(
        budget.read_member, archive, "big", 9_999
    )
    assert "other is missing in the archive" in refused(budget.read_member, archive, "other")


def test_read_member_does_not_believe_the_size_in_the_directory(archive):
    archive.getinfo("big").file_size = 5  # zipfile stops there, and the checksum fails
    with pytest.raises(zipfile.BadZipFile):
        budget.read_member(archive, "big")


def test_members_are_charged_together(archive):
    with budget.begin(0):
        budget.spend((64 << 20) - 20_000, "other things")
        for _ in range(2):
            budget.read_member(archive, "big")
        assert "big: unpacks to more" in refused(budget.read_member, archive, "big")


def test_other_compressions_and_too_many_members_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as new:
        new.writestr("a", b"a")
    with budget.open_zip(file) as archive:
        assert "expected stored or deflated" in refused(budget.read_member, archive, "a")
    many = budget.open_zip(io.BytesIO((b"PK\1\2" + bytes(42)) * 10_001))
    assert "an archive of 10001 members, more than the limit of 10000" in refused(many.__enter__)
