"""What prices rest on: how often windows see what, which rows are copied, and which taps meet a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.files import open_model
from anne_tools.layers import Conv, ConvTranspose, MaxPool, Multiply, Reduce
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.copies import copied, moved
from anne_tools.layers.views import View
from anne_tools.layers.walks import TABLE_RUNS, Walk
from anne_tools.layers.windows import Window


def layer_of(shape: tuple[int, ...], kind: type, *args, **kwargs):
    builder = GraphBuilder(shape)
    builder.add(kind, "layer", *args, **kwargs)
    return open_model(pack(builder.build())).layers[0]


# An image of 5 x 6 with windows of 3 x 2 that reach one pixel beyond its upper and its right side, two rows apart.
WINDOW = Window((3, 2), (2, 1), before=(1, 0), after=(0, 1))


def seen() -> np.ndarray:
    """For each place, by hand: is each tap inside?"""
    at = np.zeros((2, 6, 3, 2), bool)
    for y, x, i, j in np.ndindex(at.shape):
        at[y, x, i, j] = 0 <= 2 * y - 1 + i < 5 and x + j < 6
    return at


def test_a_window_at_the_border_sees_fewer_pixels():
    view = View(layer_of((5, 6, 3), MaxPool, WINDOW))
    assert (view.places, view.taps) == (12, seen().sum())
    assert view.inside == seen().all(axis=(2, 3)).sum()
    assert view.calls == 2 * (1 + 1)  # of each row five windows together, and the last


def test_pixels_of_a_row_are_one_run_and_what_is_outside_another():
    weights = np.ones((4, 3, 2, 3), np.float32)
    view = View(layer_of((5, 6, 3), Conv, weights, np.zeros(4, np.float32), WINDOW))
    rows = seen().any(axis=3)  # of the window, inside
    cut = rows & ~seen().all(axis=3)  # half of whose pixels are outside
    assert view.runs(groups=1)[0] == rows.size + cut.sum()


def test_a_convolution_of_int8_makes_a_table_where_other_taps_are_inside():
    """Of 4 x 4 pixels under 3 x 3 taps each line has a window at the left, two within, one at the right; and the upper
    line, those between and the lower one see other taps: 9 tables, 41 runs, as what is outside is one for each line of
    the window. An upper one has one line outside, and two of which the left windows see a pixel outside.
    """
    random, builder = np.random.default_rng(1), GraphBuilder((4, 4, 3))
    weights = random.normal(0, 1, (8, 3, 3, 3)).astype(np.float32)
    builder.add(Conv, "conv", weights, np.zeros(8, np.float32), Window.same((4, 4), (3, 3)))
    (layer,) = open_model(pack(quantize(builder.build(), "int8", random.normal(0, 1, (4, 4, 4, 3))))).layers
    counts = Conv.counts(layer)
    assert (counts["job"], counts["row"]) == (4 * 3, 4)
    runs = (1 + 2 * 2) + (1 + 2) + (1 + 2 * 2), 3 * 2 + 3 + 3 * 2  # of the upper line, and of one between
    assert counts["table"] == 2 * runs[0] + runs[1] + 9 * TABLE_RUNS


def test_channels_are_joined_in_fours_and_one_by_one():
    counts = MaxPool.counts(layer_of((5, 6, 7), MaxPool, WINDOW))
    taps, rows = seen().sum(), seen().any(axis=3).sum()
    assert (counts["block"], counts["rest"]) == (12, 36)
    assert (counts["block_column"], counts["rest_column"], counts["row"]) == (taps, 3 * taps, 4 * rows)


def test_a_reduction_over_rows_has_neighbours_and_one_along_them_none():
    over_rows = Reduce.counts(layer_of((4, 5, 8), Reduce, "max", (0, 1)))
    along = Reduce.counts(layer_of((4, 5, 8), Reduce, "max", (0, 2)))
    assert (over_rows["window"], over_rows["block"], over_rows["block_column"]) == (1, 2, 2 * 20)
    assert (along["window"], along["rest"], along["rest_column"], along["row"]) == (5, 5, 5 * 32, 5 * 4)


@pytest.mark.parametrize(
    ("constant", "rows"),
    [((2, 3, 4), 1), ((4,), 6), ((2, 1, 1), 2), ((3, 1), 6), ((1,), 1)],
)
def test_operands_go_on_along_a_row(constant, rows):
    layer = layer_of((2, 3, 4), Multiply, constant=np.ones(constant, np.float32))
    assert Multiply.counts(layer) == {"n_out": 24, "row": rows}


def test_a_tap_of_a_transposed_convolution_meets_a_pixel_or_none():
    """3 pixels, 2 apart, under a kernel of 3: each place meets those in both the input and the kernel."""
    layer = layer_of((3, 1), ConvTranspose, np.ones((1, 1, 3, 1)), np.zeros(1), Window((1, 3), (1, 2)))
    counts = ConvTranspose.counts(layer)
    assert (counts["window"], counts["run"], counts["macs"]) == (7, 3 * 3, 9)


def test_short_rows_are_copied_in_words_or_bytes_and_long_ones_in_one_call():
    assert copied(8, 3) == {"row": 3, "n_in": 6}
    assert copied(7, 3) == {"row": 3, "n_in": 21}
    assert copied(40, 3) == {"row": 3, "job": 3, "n_out": 120, "rest_column": 0}
    assert copied(40, 3, offset=4, drift=2)["rest_column"] == 40  # the second of three rows


def test_axes_that_go_on_are_one_and_others_are_gathered():
    assert moved((2, 3, 4), (12, 4, 1), 4) == copied(96)
    assert moved((2, 3, 4), (20, 4, 1), 4) == copied(48, 2)
    assert moved((4, 3), (1, 4), 4) == {"run": 4, "macs": 12}


def test_rewritten_weights_are_gone_over_by_pairs_of_pixels():
    """Of 3 x 3 pixels under 3 x 3 taps with 4 channels and 9 rows: four pairs with two quick fours of rows each, the
    odd pixel's two and the ninth row of five pairs; 33 runs, three of the window in the middle."""
    random, builder = np.random.default_rng(1), GraphBuilder((3, 3, 4))
    weights = random.normal(0, 1, (9, 3, 3, 4)).astype(np.float32)
    builder.add(Conv, "conv", weights, np.zeros(9, np.float32), Window.same((3, 3), (3, 3)))
    (layer,) = open_model(pack(quantize(builder.build(), "int8", random.normal(0, 1, (4, 3, 3, 4))))).layers
    counts = Walk(layer).pairs()
    assert (counts["block"], counts["rest"], counts["exact"]) == (8, 2 + 5, 9 * 9 - 4 * 2 * 8)
    assert (counts["n_in"], counts["block_column"], counts["window"]) == (9 * 36, 5 * 3 * 36, 5)
    # a corner: what is outside is one run, a line outside another; two lines cut in two: 1 + 2 + 2; an edge: 1 + 1 + 1,
    # or 2 + 2 + 2
    assert (counts["run"], counts["table"]) == (4 * 5 + 2 * 3 + 2 * 6 + 3, 4 * 5 + 2 * 3 + 2 * 6)
