"""Tables to learn from: which column has the answers, what is a header, classes in their order, what is held out."""

import numpy as np
import pytest
from anne_tools.data.labelled import Labelled, read_labelled, split
from anne_tools.errors import ModelError


@pytest.fixture
def table(tmp_path):
    def write(text: str):
        path = tmp_path / "t.csv"
        path.write_text(text)
        return path

    return write


def test_the_last_column_has_the_answers_and_the_header_the_names(table):
    data = read_labelled(table("a,b,kind\n1,2,no\n3,4.5,yes\n5,6,no\n"))
    assert (data.names, data.target) == (["a", "b"], "kind")
    assert data.x.tolist() == [[1, 2], [3, 4.5], [5, 6]]
    assert data.x.dtype == np.float32
    assert (data.classes, data.class_numbers(["no", "yes"]).tolist()) == (["no", "yes"], [0, 1, 0])
    assert data.counts == {"no": 2, "yes": 1}


def test_words_in_the_first_line_are_no_header_where_only_the_answer_is_one(table):
    data = read_labelled(table("1,2,no\n3,4,yes\n5,6,no\n"))
    assert (data.names, data.target, len(data.answers)) == ([], "", 3)


def test_a_target_and_columns_to_leave_out_are_named(table):
    path = table("Id;kind;a;b\n1;no;1,5;2\n2;yes;3;4\n")
    data = read_labelled(path, target="kind", ignored=["Id"])
    assert (data.names, data.target, data.x.tolist()) == (["a", "b"], "kind", [[1.5, 2], [3, 4]])


def test_classes_that_are_numbers_come_by_size(table):
    assert read_labelled(table("a,b,n\n1.5,2,10\n3,4,9\n")).classes == ["9", "10"]


def test_answers_have_decimal_commas_where_the_table_has(table):
    data = read_labelled(table("a;b;price\n0,5;1;1,250\n1,5;2;-0,75\n"))
    assert data.answers == ["1.250", "-0.75"]
    assert data.numbers().tolist() == [1.25, -0.75]
    assert data.x.tolist() == [[0.5, 1], [1.5, 2]]
    # with words among them they are names
    assert read_labelled(table("a;kind\n0,5;1,5\n1,5;red\n")).answers == ["1,5", "red"]


def test_pandas_row_numbers_are_left_out_and_columns_keep_their_numbers_in_messages(table):
    data = read_labelled(table(",a,kind\n0,1.5,no\n1,2.5,yes\n"))
    assert (data.names, len(data.notes)) == (["a"], 1)
    with pytest.raises(ModelError, match=r"row 3, column 2: expected numbers, got 'x'"):
        read_labelled(table(",a,b,kind\n0,1.5,1,no\n1,x,1,yes\n"))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("1\n2\n", {}, "expected columns of numbers and one of answers, got one column"),
        ("a,b,kind\n1,2,no\n", {"target": "c"}, "no column is called 'c'; there are: a, b, kind"),
        ("a,a,kind\n1,2,no\n", {"target": "a"}, "2 columns are called 'a'"),
        ("width,height,kind\n", {}, "no rows below the header"),
        ("1,2,no\n", {"target": "kind", "header": False}, "columns have no names without a header"),
        ("a,kind\n1,no\n", {"ignored": ["a"]}, "expected columns of numbers beside the answers, got none"),
        ("a,b,kind\n1,red,no\n", {}, "column 2 (b): expected numbers, got 'red'; it is left out by: --ignore 'b'"),
        ("a,b,kind\n1,2,no\n1,2,\n", {}, "row 3, column 3 (kind): the answer is missing"),
        ("a,b,kind\n1,2,no\n,2,no\n", {}, "row 3, column 1: expected numbers, got ''; a value is missing"),
        ("a,b,kind\n1,2,no\n1,nan,no\n", {}, "row 3, column 2 (b): expected a number that float32 has, got 'nan'"),
        ("a,b,kind\n1,2,no\n1,1e39,no\n", {}, "row 3, column 2 (b): expected a number that float32 has, got '1e39'"),
        ("150,4,setosa,virginica\n5.1,3.5,1.4,0\n", {}, "row 1: expected numbers, got 'setosa'"),
    ],
)  # fmt: skip
def test_what_is_no_table_to_learn_from_is_said(table, text, options, message):
    with pytest.raises(ModelError) as error:
        read_labelled(table(text), **options)
    assert message in str(error.value)


def test_answers_that_should_be_numbers(table):
    assert read_labelled(table("a,y\n1,2.5\n2,3\n")).numbers().tolist() == [2.5, 3]
    with pytest.raises(ModelError, match=r"the answers \(y\): expected numbers, got 'x'"):
        read_labelled(table("a,y\n1,2.5\n2,x\n")).numbers()


def rows(n_first: int, n_second: int) -> Labelled:
    n = n_first + n_second
    return Labelled(None, np.arange(n, dtype=np.float32).reshape(n, 1), ["a"] * n_first + ["b"] * n_second)


def test_each_class_gives_its_part_to_the_test_and_no_row_is_lost():
    learnt, tested = split(rows(50, 10), 0.2, seed=0, by_class=True)
    assert (learnt.counts, tested.counts) == ({"a": 40, "b": 8}, {"a": 10, "b": 2})
    assert sorted([*learnt.x[:, 0], *tested.x[:, 0]]) == list(range(60))


def test_the_seed_says_which_rows():
    first, again, other = (split(rows(50, 50), 0.2, seed, by_class=False)[1].x for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(first) == 20
