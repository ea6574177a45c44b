"""Samples from files: what is read, and one line about what cannot be."""

from __future__ import annotations

import os

import numpy as np
import pytest
from anne_tools.data.samples import (
    Samples,
    as_inputs,
    as_samples,
    joined,
    parted,
    read_answers,
    read_arrays,
    read_samples,
)
from anne_tools.errors import ModelError

X = np.array([[1.0, 2.5], [-3.0, 4.0]])


def test_numpy_files(tmp_path):
    np.save(tmp_path / "x.npy", X.astype(np.int8))
    np.savez(tmp_path / "x.npz", anything=X)
    assert read_samples(tmp_path / "x.npy").values.dtype == np.int8
    np.testing.assert_array_equal(read_samples(tmp_path / "x.npz").values, X)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.xlsx", b"1", r"x.xlsx: expected a file of .npy, .npz, .csv, .tsv, .txt; save a table as .csv"),
        ("x.csv", b"", "x.csv: no rows"),
        ("x.csv", b"1,2\n3\n", "x.csv: row 2: expected 2 values, got 1"),
        ("x.csv", b"1,2\n3,x\n", "x.csv: row 2, column 2: expected numbers, got 'x'"),
        ("x.npy", b"\x93NUMPY\x01\x00", "x.npy: damaged, or not what its name says"),
        ("x.npy", b"", "x.npy: damaged, or not what its name says"),
        ("x.npz", b"PK\x03\x04", "x.npz: damaged, or not what its name says"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_samples(tmp_path / name)


def test_pickled_objects_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([object()]), allow_pickle=True)
    np.savez(tmp_path / "x.npz", np.array(["a", "b"], object))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(ModelError, match=rf"{name}: holds Python objects, .*; save y.astype\(str\)"):
            read_samples(tmp_path / name)


def test_a_pipe_is_not_waited_for(tmp_path):
    for name in ("x.npy", "x.npz", "x.csv"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(ModelError, match=f"{name}: expected a file, got a pipe or a device"):
            read_samples(tmp_path / name)


def test_a_header_that_claims_more_than_the_file_has_costs_nothing(tmp_path):
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n"
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(8))
    with pytest.raises(ModelError, match="x.npy: damaged, or not what its name says"):
        read_samples(tmp_path / "x.npy")


@pytest.mark.parametrize(
    "head", [b"{'descr': (", b"(" * 9000, b"{'descr': '<f8', 'shape': (1,),", b"\0" * 20, b"{1: 2}"]
)
def test_headers_that_are_no_headers(tmp_path, head):
    """numpy parses them with Python's own parser."""
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    with pytest.raises(ModelError, match="x.npy: damaged, or not what its name says: "):
        read_samples(tmp_path / "x.npy")


def test_a_missing_file_and_several_arrays(tmp_path):
    with pytest.raises(ModelError, match="No such file or directory"):
        read_samples(tmp_path / "none.npy")
    np.savez(tmp_path / "two.npz", a=X, b=X)
    with pytest.raises(ModelError, match="two.npz: expected one array, got a, b"):
        read_samples(tmp_path / "two.npz")


# --- Shapes -----------------------------------------------------------------------------------------------------------


def test_samples_keep_their_type_and_take_the_inputs_shape():
    flat = np.arange(12, dtype=np.int8).reshape(2, 6)
    assert as_samples(flat, (2, 3), "x").dtype == np.int8
    assert as_samples(flat, (2, 3), "x")[1].tolist() == [[6, 7, 8], [9, 10, 11]]


@pytest.mark.parametrize(
    ("got", "n_samples"),
    [((7, 10, 3), 7), ((7, 30), 7), ((10, 3), 1), ((30,), 1), ((1, 10, 3), 1)],
)
def test_the_inputs_own_shape_or_flat_samples(got, n_samples):
    assert as_samples(np.zeros(got), (10, 3), "x").shape == (n_samples, 10, 3)


@pytest.mark.parametrize("got", [(7, 5, 6), (7, 10, 3, 1), (2, 7, 10, 3), (30, 1), (30, 7), (0, 30), ()])
def test_the_right_size_in_another_shape_is_refused(got):
    with pytest.raises(ModelError) as error:
        as_samples(np.zeros(got), (10, 3), "x")
    assert str(error.value) == f"x: expected (n_samples, 10, 3) or flat, (n_samples, 30), got shape {got}"


@pytest.mark.parametrize(
    ("got", "shape", "order"),
    [
        ((7, 3, 10), (10, 3), (0, 2, 1)),
        ((3, 10), (10, 3), (1, 0)),
        ((7, 3, 8, 9), (8, 9, 3), (0, 2, 3, 1)),
        ((3, 8, 9), (8, 9, 3), (1, 2, 0)),
    ],
)
def test_channels_first_is_refused_with_the_transposition_that_helps(got, shape, order):
    x = np.zeros(got)
    with pytest.raises(ModelError, match="which looks channels first: give x.transpose") as error:
        as_samples(x, shape, "x")
    assert str(error.value).endswith(f"give x.transpose{order}")
    assert as_samples(x.transpose(order), shape, "x").shape[1:] == shape


def test_a_network_of_one_input_takes_numbers_in_a_row_or_in_a_column():
    assert as_samples(np.zeros(5), (1,), "x").shape == (5, 1)
    assert as_samples(np.zeros((5, 1)), (1,), "x").shape == (5, 1)


def test_what_are_no_samples():
    with pytest.raises(ModelError, match=r"x: expected \(n_samples, 5\), got shape \(2, 6\)"):
        as_samples(np.zeros((2, 6)), (5,), "x")
    with pytest.raises(ModelError, match="x: expected numbers, got <U1"):
        as_samples(np.array(["a"]), (1,), "x")
    for strange in (np.ones((1, 5), complex), np.ones((1, 5), "M8[D]"), [["1", "2"]], None, {"x": 1}):
        with pytest.raises(ModelError, match="x: expected numbers, got "):
            as_samples(strange, (5,), "x")
    with pytest.raises(ModelError, match="x: expected rows of as many numbers each: "):
        as_samples([[1, 2], [3]], (2,), "x")


def test_numbers_in_an_array_of_objects_are_numbers():
    """So pandas gives columns of unlike types."""
    x = as_samples(np.array([[1, 2.5], [True, np.float32(4)]], object), (2,), "x")
    assert (x.dtype, x.tolist()) == (np.float64, [[1, 2.5], [1, 4]])


# --- Answers to them --------------------------------------------------------------------------------------------------


def answers(path, lines: str, n_samples: int, x_header: bool = False, header: bool | None = None) -> list:
    path.write_text(lines)
    return read_answers(path, Samples(np.zeros((n_samples, 2)), header=x_header), header).tolist()


def test_answers_are_numbers_or_words(tmp_path):
    path = tmp_path / "y.csv"
    assert answers(path, "1\n0\n2\n", 3) == [1, 0, 2]
    assert answers(path, "0\n1\n1\n", 3) == [0, 1, 1]
    assert answers(path, "cat\ndog\n", 2) == ["cat", "dog"]
    assert answers(path, "1,2\n3,4\n", 2) == [[1, 2], [3, 4]]
    assert answers(path, "species\ncat\ndog\n", 2, header=True) == ["cat", "dog"]


def test_one_answer_too_many_is_a_header_if_the_inputs_had_one(tmp_path):
    """pandas writes a Series without a name under a header of 0."""
    path = tmp_path / "y.csv"
    assert answers(path, "0\n1\n2\n1\n", 3, x_header=True) == [1, 2, 1]
    assert answers(path, "species\ncat\ndog\n", 2, x_header=True) == ["cat", "dog"]
    message = "y.csv: expected 3 answers, got 4 lines; is the first, 0, a header.*--no-header"
    with pytest.raises(ModelError, match=message):
        answers(path, "0\n1\n2\n1\n", 3)


def test_a_number_above_fractions_is_what_the_number_of_samples_says(tmp_path):
    path = tmp_path / "y.csv"
    assert answers(path, "0\n0.5\n0.25\n", 3) == [0, 0.5, 0.25]
    assert answers(path, "0\n0.5\n0.25\n", 2) == [0.5, 0.25]


def test_columns_of_answers_are_matched_by_name(tmp_path):
    """pandas.get_dummies puts them in the alphabet's order, which need not be the labels'."""
    path, x = tmp_path / "y.csv", Samples(np.zeros((2, 2)), header=True)
    path.write_text("cat,dog,ox\n1,0,0\n0,0,1\n")
    assert read_answers(path, x, labels=["ox", "cat", "dog"]).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert read_answers(path, x, labels=["a", "b", "c"]).tolist() == [[1, 0, 0], [0, 0, 1]]
    path.write_text("True,False\n1,0\n0,1\n")
    assert read_answers(path, x, labels=["False", "True"]).tolist() == [[0, 1], [1, 0]]


# --- Several inputs ---------------------------------------------------------------------------------------------------

SHAPES, NAMES = [(2, 2), (1,)], ["image", "speed"]
IMAGE, SPEED = np.arange(12).reshape(3, 2, 2), np.array([[20], [30], [40]])
JOINED = [[0, 1, 2, 3, 20], [4, 5, 6, 7, 30], [8, 9, 10, 11, 40]]


@pytest.mark.parametrize(
    "x",
    [
        {"speed": SPEED, "image": IMAGE},
        [IMAGE, SPEED],
        (IMAGE.reshape(3, 4), SPEED[:, 0]),  # flat
        np.array(JOINED),
    ],
)
def test_several_inputs_come_by_name_in_order_or_joined(x):
    arrays = as_inputs(x, SHAPES, NAMES, "x")
    assert [array.shape for array in arrays] == [(3, 2, 2), (3, 1)]
    np.testing.assert_array_equal(joined(arrays), JOINED)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"image": IMAGE}, r"x: expected inputs image, speed; speed missing"),
        ({"image": IMAGE, "speed": SPEED, "sped": SPEED}, r"x: expected inputs image, speed; got sped"),
        ([IMAGE], r"x: expected 2 inputs \(image, speed\), got 1"),
        ([IMAGE, SPEED[:, :0]], r"x: speed: expected \(n_samples, 1\), got shape \(3, 0\)"),
        ([IMAGE, SPEED[:2]], r"x: expected as many samples of each input, got 3 of image, 2 of speed"),
        (
            np.zeros((3, 4)),
            r"x: expected .*, or an array of all, joined \(n_samples, 5\); got shape \(3, 4\)",
        ),
    ],
)
def test_several_inputs_that_do_not_fit(x, message):
    with pytest.raises(ModelError, match=f"^{message}$"):
        as_inputs(x, SHAPES, NAMES, "x")


def test_inputs_of_unlike_counts_are_not_joined():
    with pytest.raises(ModelError, match="^expected as many samples of each input, got 3, 2$"):
        joined([IMAGE, SPEED[:2]])


def test_one_input_keeps_its_shape():
    assert joined([IMAGE]) is IMAGE and parted(IMAGE, SHAPES[:1], "inputs")[0] is IMAGE
    np.testing.assert_array_equal(as_inputs(IMAGE, SHAPES[:1], NAMES[:1], "x")[0], IMAGE)


def test_arrays_of_an_archive_have_their_names(tmp_path):
    np.savez(tmp_path / "x.npz", image=IMAGE, speed=SPEED)
    np.testing.assert_equal(read_arrays(tmp_path / "x.npz"), {"image": IMAGE, "speed": SPEED})


@pytest.mark.parametrize(
    "axes, shape", [((), (4, 5, 3)), ((0, 2, 3, 1), (4, 5, 1)), ((0, 2, 3, 1), (1, 1, 3))]
)
def test_flat_samples_where_the_order_of_axes_is_sure(axes, shape):
    x = np.arange(2 * np.prod(shape)).reshape(2, -1)
    np.testing.assert_array_equal(as_samples(x, shape, "x", axes), x.reshape(2, *shape))


def test_flat_samples_of_turned_images_are_refused():
    with pytest.raises(ModelError, match=r"give them as \(n_samples, 4, 5, 3\), channels last"):
        as_samples(np.zeros((2, 60)), (4, 5, 3), "x", (0, 2, 3, 1))
