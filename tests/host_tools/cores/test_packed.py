"""Samples of two inputs and outputs of unlike types, by arithmetic.

a is float32 (2), b int8 (3) of scale 1/2 and zero_point 1: a real b stands for the integer 2 b + 1.
"""

from __future__ import annotations

import struct

import numpy as np
import pytest
from anne.model_file import ModelFile
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import (
    given_inputs,
    input_names,
    output_names,
    packed,
    raw_inputs,
    raw_of_bytes,
    real_inputs,
    real_outputs,
    unpacked,
)
from anne_tools.errors import ModelError
from by_hand import INPUT, OUTPUT, Record, Values, model

A, B = np.array([[1.0, -2.0], [0.5, 4.0]], np.float32), np.array([[0.0, 1.5, -2.0], [60.0, 63.0, 100.0]])
# 2 b + 1, limited to 127
RAW_B = np.array([[1, 4, -3], [121, 127, 127]], np.int8)
RAW = [A[i].astype("<f4").tobytes() + RAW_B[i].tobytes() for i in range(2)]


def two(metadata: bytes = b"") -> bytes:
    """The file: relu of a; b under another shape."""
    b = Values("int8", 3, 0.5, 1)
    tensors = [Values("float32", 2), b, Values("float32", 2), b._replace(shape=(1, 3))]
    records = [Record("activation", [0], [2], activation="relu"), Record("reshape", [1], [3])]
    return model(tensors, [INPUT, INPUT, OUTPUT, OUTPUT], records, [0, 8, 12, 8], metadata)


FILE = ModelFile(two())


def entry(tag: int, text: bytes) -> bytes:
    return struct.pack("<II", tag, len(text)) + text + bytes(-len(text) % 4)


def test_names_are_the_files_or_numbers():
    assert input_names(FILE) == ["input 0", "input 1"] and output_names(FILE) == ["output 0", "output 1"]
    named = ModelFile(two(entry(9, b"a\nb") + entry(10, b"y\nz")))
    assert input_names(named) == ["a", "b"] and output_names(named) == ["y", "z"]


def test_real_inputs_become_raw_ones_input_after_input():
    raw = raw_inputs(given_inputs([A, B], FILE), FILE)
    assert raw.dtype == np.uint8 and [row.tobytes() for row in raw] == RAW
    with pytest.raises(ModelError, match=r"^x: input 1: expected \(n_samples, 3\), got shape \(2, 2\)$"):
        given_inputs([A, A], FILE)


def test_integers_of_an_inputs_own_type_stay_what_they_stand_for():
    np.testing.assert_array_equal(given_inputs([A, RAW_B], FILE)[:, 2:], (RAW_B - 1.0) / 2)
    takes_uint8 = ModelFile(two(entry(4, b"input type: uint8")))
    unsigned = (RAW_B.astype(np.int16) + 128).astype(np.uint8)
    for x in ([A, RAW_B], [A, unsigned]):
        assert [row.tobytes() for row in raw_inputs(real_inputs(x, takes_uint8), takes_uint8)] == RAW


def test_raw_samples_are_taken_apart_and_put_together():
    raw = raw_of_bytes(b"".join(RAW), FILE.inputs)
    a, b = unpacked(raw, FILE.inputs)
    np.testing.assert_array_equal(a, A)
    np.testing.assert_array_equal(b, RAW_B)
    np.testing.assert_array_equal(packed([a, b]), raw)


def test_raw_outputs_become_real_ones_side_by_side():
    with NativeModel(two()) as native:
        got = real_outputs(native.run_raw(raw_of_bytes(b"".join(RAW), FILE.inputs)), FILE.outputs)
    np.testing.assert_array_equal(got, [[1, 0, 0, 1.5, -2], [0.5, 4, 60, 63, 63]])


def test_of_one_tensor_raw_samples_are_arrays_of_its_type():
    (b,) = FILE.inputs[1:]
    raw = raw_of_bytes(RAW_B.tobytes(), [b])
    assert raw.dtype == np.int8 and packed([raw]) is raw and unpacked(raw, [b])[0] is raw
    np.testing.assert_array_equal(real_outputs(raw, [b]), (RAW_B - 1.0) / 2)
