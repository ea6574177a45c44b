"""Tables as Excel, pandas and numpy write them: what is read, what is asked, what is refused with what to do."""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.data.samples import read_samples
from anne_tools.errors import ModelError

X = [[5.1, 3.5, 1.4, 0.2], [4.9, 3.0, 1.4, 0.2], [4.7, 3.2, 1.3, 0.25]]


def read(tmp_path, text: str | bytes, header: bool | None = None, name: str = "x.csv"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_samples(tmp_path / name, header)


def refusal(tmp_path, text: str, header: bool | None = None) -> str:
    with pytest.raises(ModelError) as error:
        read(tmp_path, text, header)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- Separators, decimal signs, encodings -----------------------------------------------------------------------------

ROWS = {
    "commas": "5.1,3.5,1.4,0.2\n4.9,3,1.4,0.2\n4.7,3.2,1.3,0.25\n",
    "commas and spaces": "5.1 , 3.5, 1.4 ,0.2\r\n4.9, 3e0, 1.4, .2\r\n\r\n4.7,3.2,+1.3,0.25",
    "semicolons": "5.1;3.5;1.4;0.2\n4.9;3;1.4;0.2\n4.7;3.2;1.3;0.25\n",
    "tabs": "5.1\t3.5\t1.4\t0.2\n4.9\t3\t1.4\t0.2\n4.7\t3.2\t1.3\t0.25\n",
    "spaces, as numpy.savetxt": "5.1e+00 3.5e+00 1.4e+00 2e-01\n4.9 3 1.4 0.2\n4.7 3.2 1.3 0.25\n",
    "German Excel": "5,1;3,5;1,4;0,2\r\n4,9;3;1,4;0,2\r\n4,7;3,2;1,3;0,25\r\n",
    "tabs and decimal commas": "5,1\t3,5\t1,4\t0,2\n4,9\t3\t1,4\t0,2\n4,7\t3,2\t1,3\t0,25\n",
    "quotes": '"5.1","3.5","1.4","0.2"\n4.9,3,1.4,0.2\n4.7,3.2,1.3,0.25\n',
    "quoted decimal commas": '"5,1","3,5","1,4","0,2"\n"4,9",3,"1,4","0,2"\n"4,7","3,2","1,3","0,25"\n',
    "Excel's first line": "sep=;\r\n5.1;3.5;1.4;0.2\r\n4.9;3;1.4;0.2\r\n4.7;3.2;1.3;0.25\r\n",
    "columns and rows that Excel left over": "5.1,3.5,1.4,0.2,,\n4.9,3,1.4,0.2,,\n4.7,3.2,1.3,0.25,,\n,,,,,\n",
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_one_table_however_it_is_written(tmp_path, rows, encoding):
    assert read(tmp_path, rows.encode(encoding)).values.tolist() == X


def test_excels_unicode_text_and_tsv_are_tables_too(tmp_path):
    assert read(tmp_path, ROWS["tabs"].encode("utf-16"), name="x.txt").values.tolist() == X
    assert read(tmp_path, ROWS["tabs"], name="X.TSV").values.tolist() == X


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5\n2\n", [[1.5], [2]]),
        ("x\n1,5\n2,25\n", [[1.5], [2.25]]),  # German Excel's file of one column
        ("0.5\n\n0.25\n\n0.125\n", [[0.5], [0.25], [0.125]]),  # Python's csv under Windows
    ],
)
def test_one_column(tmp_path, text, expected):
    assert read(tmp_path, text).values.tolist() == expected


MISSING = "; a value is missing: fill it in, or leave that row out"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.csv: no rows"),
        ("a,b\n", "x.csv: row 1, column 1: expected numbers, got 'a'"),
        (
            "1.5,2\n3\n",
            "x.csv: row 2: expected 2 values, got 1; decimal commas? then write points, or semicolons between values",
        ),
        ("1.5,2\n3,\n", "x.csv: row 2, column 2: expected numbers, got ''" + MISSING),
        ("a,b\n1.5,2\n3,NA\n", "x.csv: row 3, column 2: expected numbers, got 'NA'" + MISSING),
        ("1.5,#DIV/0!\n3,4\n", "x.csv: row 1: expected numbers, got '#DIV/0!'" + MISSING),
        (
            "My data\na,b\n1,2\n",
            "x.csv: row 1 has 1 values ('My data'), all others 2; remove it if it is a title",
        ),
        ("a,b\n1;2\n3;4\n", "x.csv: row 1 has 1 values ('a,b'), all others 2; remove it if it is a title"),
        (
            "1.5;\n1.234,5;\n",
            "x.csv: row 2: expected numbers, got '1.234,5'; write it without separators of thousands",
        ),
        (
            "1'234.5,2\n",
            'x.csv: row 1: expected numbers, got "1\'234.5"; write it without separators of thousands',
        ),
        ("1.5,x\n3,4\n", "x.csv: row 1: expected numbers, got 'x'; if it is a header, say --header"),
        ("NA,NA\n1.5,2\n", "x.csv: row 1, column 1: expected numbers, got 'NA'" + MISSING),
        ("1,5;2.5\n3;4\n", "x.csv: decimal points and commas ('2.5', '1,5'); use one of them"),
        ("1,234\t2\n3\t4\n", "x.csv: '1,234' may be a decimal comma or thousands; write a point, or neither"),
        ("1_000,2\n3,4\n", "x.csv: row 1: expected numbers, got '1_000'; if it is a header, say --header"),
        ("0.5\n0.25\n\n0.5\n0.5\n0.5\n", "x.csv: row 3 of 6 is empty; every sample needs a value"),
        ('1,"' + "x" * 200_000, "x.csv: not a table: field larger than field limit (131072)"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    assert refusal(tmp_path, text) == message


# --- Headers ----------------------------------------------------------------------------------------------------------


def test_words_are_a_header_and_name_the_columns(tmp_path):
    samples = read(tmp_path, "\ufeffwidth,height in m\r\n1,2.5\r\n-3,4\r\n")
    assert samples.values.tolist() == [[1, 2.5], [-3, 4]]
    assert samples.names == ["width", "height in m"]
    assert read(tmp_path, "# a,b\n1,2.5\n").names == ["a", "b"]  # numpy.savetxt(header="a,b")
    assert read(tmp_path, "# a b\n1 2.5\n").names == ["a", "b"]


def test_comments_are_left_out(tmp_path):
    assert read(tmp_path, "# made by me\n1.5,2\n# second day\n3,4\n").values.tolist() == [[1.5, 2], [3, 4]]
    assert read(tmp_path, "# Datum: heute\n1,5;2\n3;4\n").values.tolist() == [[1.5, 2], [3, 4]]
    samples = read(tmp_path, "# made by me, yesterday, at home\n# a,b\n1.5,2\n3,4\n")
    assert (samples.names, samples.values.tolist()) == (["a", "b"], [[1.5, 2], [3, 4]])


def test_a_column_of_words_is_told_as_a_whole(tmp_path):
    """The answers, most likely, which many tables have in their last column."""
    assert refusal(tmp_path, "a,species\n1.5,setosa\n2,virginica\n") == (
        "x.csv: column 2 (species) holds no numbers but 'setosa' and the like; "
        "leave it out (true answers are a file of their own)"
    )


def test_truth_values_are_one_and_zero(tmp_path):
    """As pandas.get_dummies(...).to_csv writes them, and as numpy counts them."""
    samples = read(tmp_path, "cat,dog\nTrue,False\nFalse,True\n")
    assert (samples.names, samples.values.tolist()) == (["cat", "dog"], [[1, 0], [0, 1]])
    assert read(tmp_path, "1.5,true\n2,FALSE\n").values.tolist() == [[1.5, 1], [2, 0]]
    assert refusal(tmp_path, "False,True\n1,0\n0,1\n").endswith("; say --header or --no-header")
    assert read(tmp_path, "False,True\n1,0\n0,1\n", header=True).names == ["False", "True"]


def test_a_row_may_be_long(tmp_path):
    """Longer than the 131,072 characters that csv.reader takes for a cell."""
    assert read(tmp_path, ",".join(["0.25"] * 40_000)).values.shape == (1, 40_000)


@pytest.mark.parametrize("head", ["0,1,2,3", "1,2,3,4"])
def test_pandas_numbers_of_columns_over_fractions_are_a_header(tmp_path, head):
    samples = read(tmp_path, f"{head}\n{ROWS['commas']}")
    assert samples.values.tolist() == X
    assert samples.names == []
    shown = head.replace(",", ", ")
    assert samples.notes == [f"x.csv: its first line, {shown}, is taken for a header; else: --no-header"]


def test_pandas_numbers_of_rows_are_no_feature(tmp_path):
    """DataFrame.to_csv writes them by default, shuffled as train_test_split leaves them."""
    for head in (",a,b", ",0,1", "Unnamed: 0,a,b"):
        samples = read(tmp_path, f"{head}\n73,1.5,2\n18,3.5,4\n")
        assert samples.values.tolist() == [[1.5, 2], [3.5, 4]]
        assert "taken for row numbers" in samples.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "0,1,2,3\n4,5,6,7\n3,2,1,0\n",  # whole numbers all over: a header, or a sample that counts up
        "0,1\n0.5,0.25\n",
        "2,5,7\n1.5,2.5,1.0\n",  # pandas after columns were chosen
        "400.0,410.0,420.0,430.0\n0.5,0.25,0.5,0.75\n",  # wavelengths
        "2019,2020,2021\n1.5,2.5,1.0\n",
        "0\n0.5\n0.25\n",
        "0.0,1.0,2.0\n0.5,0.25,0.75\n",  # pandas where the columns' names are floats
    ],
)
def test_numbers_that_may_be_a_header_are_asked_about(tmp_path, text):
    assert refusal(tmp_path, text).endswith("a header or a sample?; say --header or --no-header")
    n_rows = text.count("\n")
    assert len(read(tmp_path, text, header=True).values) == n_rows - 1
    assert len(read(tmp_path, text, header=False).values) == n_rows


@pytest.mark.parametrize(
    "text",
    [
        "0,0,1\n1,0,1\n",
        "0,1,1\n0.5,1,2\n",
        "1,5,2\n0.5,1,2\n",
        "0.0,1.0\n0.5,0.25\n",
        "1,2,9\n3,4,8\n",  # another row of whole numbers that rise
        "0\n1\n1\n",
        "5\n6.5\n7\n",
    ],
)
def test_samples_that_are_plainly_samples_are_not(tmp_path, text):
    assert len(read(tmp_path, text).values) == text.count("\n")


def test_no_header_makes_words_an_error(tmp_path):
    assert (
        refusal(tmp_path, "a,b\n1,2.5\n", header=False) == "x.csv: row 1, column 1: expected numbers, got 'a'"
    )


def test_large_tables_are_read_in_time(tmp_path):
    """2,000 samples of 784 values, in well under ten seconds."""
    x = np.random.default_rng(1).integers(0, 256, (2000, 784)) / 255
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", fmt="%.6f")
    np.testing.assert_allclose(read_samples(tmp_path / "x.csv").values, x, atol=1e-6)
