"""Metadata: both loaders take and refuse the same entries, as FORMAT.md has them."""

from __future__ import annotations

import struct
import zlib
from time import process_time

import anne
import numpy as np
import pytest
from anne.model_file import TAGS, ModelFile
from anne_tools.cores.native import status_of
from by_hand import INPUT, OUTPUT, Record, Values, model
from one_layer import one_layer

METADATA = 13  # ANNE_ERROR_METADATA, of anne.h
_NUMBERS = {name: number for number, name in TAGS.items()}


def entry(name: str | int, content: bytes) -> bytes:
    tag = name if isinstance(name, int) else _NUMBERS[name]
    return struct.pack("<II", tag, len(content)) + content + bytes(-len(content) % 4)


def with_metadata(section: bytes, n_out: int = 3) -> bytes:
    """Return a file of one layer with a section of metadata: 3 inputs; 3 outputs of int8, or one float32."""
    if n_out == 1:
        weights, bias = np.zeros(3, "<f4"), np.zeros(1, "<f4")
        data = one_layer(
            "dense", Values("float32", 3), Values("float32", 1), [weights, bias], "linear", (1, 0, 0)
        )
    else:
        ones = np.ones(3, "<f4")
        data = one_layer("scaling", Values("float32", 3), Values("int8", 3, 0.5), [ones, ones])
    layers_bytes, _, data_bytes = struct.unpack_from("<3I", data, 28)
    at = len(data) - data_bytes
    assert at == 48 + 2 * 32 + layers_bytes
    changed = bytearray(data[:at] + section + data[at:])
    struct.pack_into("<I", changed, 8, len(changed))
    struct.pack_into("<I", changed, 32, len(section))
    struct.pack_into("<I", changed, 12, zlib.crc32(changed[16:]))
    return bytes(changed)


def several(section: bytes, n_outputs: int = 2) -> bytes:
    """Return a file of two inputs, 3 floats and 2 int8, and of up to two outputs: what is 3 floats, the first again."""
    tensors = [Values("float32", 3), Values("int8", 2, 0.5), Values("float32", 3)]
    roles = [INPUT | (n_outputs == 2) * OUTPUT, INPUT, OUTPUT]
    return model(tensors, roles, [Record("activation", [0], [2])], metadata=section)


def golden(n_in: int, n_out: int) -> bytes:
    """Entries of that many bytes."""
    return entry("golden_inputs", bytes(n_in)) + entry("golden_outputs", bytes(n_out))


def float32(value: float) -> bytes:
    return struct.pack("<f", value)


INF, NAN = float("inf"), float("nan")
TEXTS = ("name", "labels", "feature_names", "provenance", "layer_names", "input_names", "output_names")
# one line of each length that UTF-8 has: from U+0001, U+0080, U+0800 and U+10000 on
EDGES = "\x01\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff".encode()

GOOD = [
    b"",
    entry("name", b"x"),
    entry("name", b"x" * 255),
    entry("name", EDGES),
    entry("provenance", EDGES + b"\n\n"),
    entry("labels", b"a\nb\nc"),
    entry("labels", b"\n\n"),  # three empty ones
    entry("feature_names", b"a\nb\n" + EDGES),
    entry("layer_names", b"dense"),
    entry("threshold", float32(0.5)),
    entry("threshold", float32(-3.4028234663852886e38)),
    golden(2 * 12, 2 * 3),
    entry(0, b"") + entry(0, b"x") + entry(11, b"\xff") + entry(0xFFFFFFFF, b""),  # unknown, twice
    entry("name", b"x") + entry("threshold", float32(1)) + golden(12, 3),
]

BAD = [
    (entry("name", b"x")[:8], "metadata: expected an entry of at most 0 bytes, got 1"),
    (entry("name", b"x") + b"1234", "metadata: expected an entry, got 4 bytes left"),
    (struct.pack("<II", 1, 0xFFFFFFFF), "metadata: expected an entry of at most 0 bytes, got 4294967295"),
    (entry("name", b"x" * 256), "metadata: name: expected at most 255 bytes, got 256"),
    (entry("labels", b"a\nb"), "metadata: labels: expected 3 lines, got 2"),
    (entry("labels", b"a\nb\nc\n"), "metadata: labels: expected 3 lines, got 4"),
    (entry("feature_names", b"a"), "metadata: feature_names: expected 3 lines, got 1"),
    (entry("layer_names", b"a\nb"), "metadata: layer_names: expected 1 lines, got 2"),
    (entry("input_names", b"a\nb"), "metadata: input_names: expected 1 lines, got 2"),
    (entry("output_names", b"a\nb"), "metadata: output_names: expected 1 lines, got 2"),
    (entry("threshold", b"123"), "metadata: threshold: expected 4 bytes, got 3"),
    (entry("threshold", bytes(8)), "metadata: threshold: expected 4 bytes, got 8"),
    (entry("threshold", float32(INF)), "metadata: threshold: expected a finite number, got inf"),
    (entry("threshold", float32(-INF)), "metadata: threshold: expected a finite number, got -inf"),
    (entry("threshold", float32(NAN)), "metadata: threshold: expected a finite number, got nan"),
    (golden(13, 3), "metadata: golden_inputs: expected samples of 12 bytes, got 13 bytes"),
    (golden(12, 4), "metadata: golden_outputs: expected samples of 3 bytes, got 4 bytes"),
    (golden(24, 3), "metadata: golden_outputs: expected 2 samples, got 1"),
    (entry("golden_inputs", bytes(12)), "metadata: golden_outputs: expected 1 samples, got 0"),
    (entry("golden_outputs", bytes(3)), "metadata: golden_outputs: expected 0 samples, got 1"),
]
BAD += [
    (entry(name, b""), f"metadata: {name}: expected an entry that is not empty, got 0 bytes")
    for name in TAGS.values()
]
BAD += [
    (2 * content, f"metadata: {name}: expected one entry, got another")
    for name, content in (("name", entry("name", b"x")), ("threshold", entry("threshold", bytes(4))))
]

GOOD_OF_SEVERAL = [
    entry("feature_names", b"a\nb\nc\nd\ne"),
    entry("input_names", b"image\nspeed"),
    entry("output_names", b"image\n\xc3\xa4"),
    golden(3 * 14, 3 * 24),  # of 3 floats and 2 int8, of twice 3 floats
    golden(14, 24) + entry("layer_names", b"relu") + entry("name", b"two"),
]

BAD_OF_SEVERAL = [
    (entry("labels", b"a\nb\nc"), "metadata: labels: expected a network of one output, got 2"),
    (entry("labels", b"a\nb\nc\nd\ne\nf"), "metadata: labels: expected a network of one output, got 2"),
    (entry("threshold", float32(0.5)), "metadata: threshold: expected a network of one output, got 2"),
    (entry("feature_names", b"a\nb\nc"), "metadata: feature_names: expected 5 lines, got 3"),
    (entry("input_names", b"image"), "metadata: input_names: expected 2 lines, got 1"),
    (entry("output_names", b"a\nb\nc"), "metadata: output_names: expected 2 lines, got 3"),
    (golden(16, 24), "metadata: golden_inputs: expected samples of 14 bytes, got 16 bytes"),
    (golden(14, 12), "metadata: golden_outputs: expected samples of 24 bytes, got 12 bytes"),
    (golden(28, 24), "metadata: golden_outputs: expected 2 samples, got 1"),
]

# RFC 3629: lone and missing continuations, longer forms than need be, surrogates, above U+10FFFF, bytes of no use
NOT_UTF8 = (
    b"\x80", b"\xbf", b"a\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3a", b"\xe2a\x82", b"\xe2\x82a", b"\xf0\x9f\x98a",
    b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff",
)  # fmt: skip


def refused(data: bytes) -> str:
    assert status_of(data) == METADATA
    with pytest.raises(ValueError) as caught:
        ModelFile(data)
    return str(caught.value)


@pytest.mark.parametrize("section", GOOD)
def test_both_take(section):
    data = with_metadata(section)
    assert status_of(data) == 0
    ModelFile(data)


@pytest.mark.parametrize(("section", "text"), BAD)
def test_both_refuse(section, text):
    assert refused(with_metadata(section)) == text


@pytest.mark.parametrize("section", GOOD_OF_SEVERAL)
def test_both_take_of_several(section):
    data = several(section)
    assert status_of(data) == 0
    ModelFile(data)


@pytest.mark.parametrize(("section", "text"), BAD_OF_SEVERAL)
def test_both_refuse_of_several(section, text):
    assert refused(several(section)) == text


def test_one_output_of_several_inputs_has_labels():
    data = several(entry("labels", b"a\nb\nc") + entry("threshold", float32(0.5)), n_outputs=1)
    assert status_of(data) == 0
    assert ModelFile(data).lines("labels") == ["a", "b", "c"]


@pytest.mark.parametrize("content", NOT_UTF8)
@pytest.mark.parametrize("name", TEXTS)
def test_text_that_is_not_utf8(name, content):
    with pytest.raises(UnicodeDecodeError):
        content.decode()
    content += b"\n\n" if name in ("labels", "feature_names") else b""
    assert refused(with_metadata(entry(name, content))).startswith(f"metadata: {name}: expected UTF-8, got ")


def test_every_pair_of_bytes_is_text_for_both_or_none():
    for first in range(0x78, 0x100):
        for second in range(0x78, 0xC8):
            data = with_metadata(entry("name", bytes([first, second])))
            try:
                bytes([first, second]).decode()
            except UnicodeDecodeError:
                refused(data)
            else:
                assert status_of(data) == 0
                ModelFile(data)


@pytest.mark.parametrize(("labels", "good"), [(b"no", False), (b"no\nyes", True), (b"no\nyes\n", False)])
def test_one_output_has_two_labels(labels, good):
    data = with_metadata(entry("labels", labels), n_out=1)
    assert (status_of(data) == 0) == good
    if good:
        assert ModelFile(data).lines("labels") == ["no", "yes"]
    else:
        assert "expected 2 lines" in refused(data)


def test_words_are_not_proven_again_when_they_are_asked_for():
    labels = b"\n".join([b"x" * 350_000] * 3)
    net = anne.load(with_metadata(entry("labels", labels)))
    start = process_time()
    answers = net.classify([[1.0, 2.0, 3.0]] * 256)
    assert process_time() - start < 4  # with room for a busy machine; looked through each time it would be 20
    assert [(len(label), value) for label, value in answers] == [(350_000, 2.0)] * 256  # (3 + 1) 0.5
