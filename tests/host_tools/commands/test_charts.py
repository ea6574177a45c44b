"""Curves in a terminal, counted dot by dot."""

from anne_tools.commands.charts import chart


def test_a_straight_line_falls_through_the_whole_chart():
    *lines, below = chart([7, 0], "epoch", "ascii", width=8)
    assert lines[:2] == ["7 |**", "  | **"]  # each column begins where the last one ended
    assert lines[-2:] == ["  |      **", "0 |       *"]
    assert below == "   1epoch 2"


def test_letters_have_eight_dots_each():
    """4 by 32 dots: the curve stays at the greatest value, then at 0, and falls where its third column begins."""
    *lines, _ = chart([2, 2, 0, 0], "epoch", width=2)
    assert lines[0] == "2 \u2524\u2809\u2847"  # the two upper dots, then all of a left column
    assert lines[1:-1] == ["  \u2502\u2800\u2847"] * 6
    assert lines[-1] == "0 \u2524\u2800\u28c7"  # and along the axis


def test_more_values_than_dots_and_one_that_stands_out():
    values = [1.0] * 1000
    values[500] = 4.0
    *lines, below = chart(values, "epoch", "ascii", width=10)
    assert lines[0] == "4 |     *"
    assert lines[-3] == "  |**********"  # a quarter up is row 5 1/4 from the top
    assert below.endswith("1000")


def test_a_loss_of_nothing_lies_on_the_axis():
    *lines, _ = chart([0.0], "epoch", "ascii", width=5)
    assert lines[-1] == "0 |*****"
    assert set(lines[1:-1]) == {"  |"}
