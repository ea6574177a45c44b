"""Samples from files: what is read, and one line about what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.samples import as_samples, read_array

X = np.array([[1.0, 2.5], [-3.0, 4.0]])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "1,2.5\n-3,4\n"),
        ("x.csv", "\ufeffwidth,height\r\n1,2.5\r\n-3,4\r\n\r\n"),
        ("X.CSV", "1 , 2.5\n-3e0,4.0"),
    ],
)
def test_csv_with_and_without_header(tmp_path, name, content):
    (tmp_path / name).write_text(content, "utf-8")
    np.testing.assert_array_equal(read_array(tmp_path / name), X)


def test_one_column_is_a_list_of_numbers_or_words(tmp_path):
    path = tmp_path / "y.csv"
    path.write_text("1\n0\n2\n")
    assert read_array(path).tolist() == [1, 0, 2]
    path.write_text("cat\ndog\n")
    assert read_array(path).tolist() == ["cat", "dog"]


def test_numpy_files(tmp_path):
    np.save(tmp_path / "x.npy", X.astype(np.int8))
    np.savez(tmp_path / "x.npz", anything=X)
    assert read_array(tmp_path / "x.npy").dtype == np.int8
    np.testing.assert_array_equal(read_array(tmp_path / "x.npz"), X)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"1", r"x.txt: expected a file of .npy, .npz, .csv"),
        ("x.csv", b"", "x.csv: no rows"),
        ("x.csv", b"1,2\n3\n", "x.csv: row 2: expected 2 values, got 1"),
        ("x.csv", b"1,2\n3,x\n", "x.csv: row 2: expected numbers, got 'x'"),
        ("x.npy", b"\x93NUMPY\x01\x00", "x.npy: damaged, or not what its name says"),
        ("x.npy", b"", "x.npy: damaged, or not what its name says"),
        ("x.npz", b"PK\x03\x04", "x.npz: damaged, or not what its name says"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_array(tmp_path / name)


def test_pickled_objects_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(
        ModelError, match="x.npy: damaged, or not what its name says: Object arrays cannot be loaded"
    ):
        read_array(tmp_path / "x.npy")


def test_a_missing_file_and_several_arrays(tmp_path):
    with pytest.raises(ModelError, match="No such file or directory"):
        read_array(tmp_path / "none.npy")
    np.savez(tmp_path / "two.npz", a=X, b=X)
    with pytest.raises(ModelError, match="two.npz: expected one array, got a, b"):
        read_array(tmp_path / "two.npz")


def test_samples_keep_their_type_and_take_the_inputs_shape():
    flat = np.arange(12, dtype=np.int8).reshape(2, 6)
    assert as_samples(flat, (2, 3), "x").shape == (2, 2, 3)
    assert as_samples(flat, (2, 3), "x").dtype == np.int8
    assert as_samples(flat[0], (2, 3), "x").shape == (1, 2, 3)  # a single sample
    with pytest.raises(ModelError, match=r"x: expected \(n_samples, 5\), got shape \(2, 6\)"):
        as_samples(flat, (5,), "x")
    with pytest.raises(ModelError, match="x: expected numbers, got <U1"):
        as_samples(np.array(["a"]), (1,), "x")
