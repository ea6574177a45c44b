"""Passes over convolutions and pools: what becomes of the layers, and that execute() gives the same.

The graphs before the pass are the expectation; weights are random with seed 1.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion import passes
from anne_tools.layers import AveragePool, Concatenate, Conv, DepthwiseConv, MaxPool, Pad, Slice, Transpose
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.windows import Window
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(1)
SAME = Window.same((5, 6), (3, 3))
VALID = Window((3, 3))


def random(*shape):
    return RANDOM.normal(0, 1, shape)


def run(one_pass, builder: GraphBuilder) -> tuple[list[str], list[str]]:
    """Build, pass, check that nothing changed in meaning; return the kinds of layers left, and the notes."""
    before = builder.build()
    after, notes = one_pass(before)
    x = random(10, *before.input_tensors[0].shape)
    expected, got = execute(before, x), execute(after.check(), x)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    return [layer.kind for layer in after.layers], notes


def conv(b: GraphBuilder, window: Window, groups=1, n_out=6, activation="linear") -> None:
    n_in = b.last.shape[-1] // groups
    b.add(Conv, "conv", random(n_out, *window.kernel, n_in), random(n_out), window, groups, activation)


def scaling(b: GraphBuilder, offset=True) -> None:
    n = b.last.shape[-1]
    b.scaling("norm", random(n), random(n) * offset, source="BatchNormalization 'norm'")


@pytest.mark.parametrize("window", [SAME, VALID])
@pytest.mark.parametrize("groups", [1, 2])
def test_batch_norm_behind_a_convolution_is_folded(window, groups):
    b = GraphBuilder((5, 6, 4))
    conv(b, window, groups)
    scaling(b)
    kinds, notes = run(passes.fold_scalings, b)
    assert kinds == ["conv"]
    assert notes == ["BatchNormalization 'norm': folded into the weights of conv"]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    "window, offset, folds", [(VALID, True, True), (SAME, False, True), (SAME, True, False)]
)
def test_scaling_before_a_convolution_is_folded_unless_its_offset_meets_padding(
    window, offset, folds, groups
):
    b = GraphBuilder((5, 6, 4))
    b.activation("first", "relu")
    scaling(b, offset)
    conv(b, window, groups)
    kinds, _ = run(passes.fold_scalings, b)
    assert kinds == ["activation", "conv"] if folds else ["activation", "scaling", "conv"]


def test_a_signal_is_as_an_image():
    b = GraphBuilder((7, 4))
    scaling(b)
    b.add(Conv, "conv", random(3, 1, 3, 4), random(3), Window((1, 3)))
    scaling(b)
    assert run(passes.fold_scalings, b)[0] == ["conv"]


def test_scaling_moves_behind_pools_that_keep_the_order():
    b = GraphBuilder((6, 6, 4))
    b.activation("first", "relu")
    b.scaling("norm", np.abs(random(4)), random(4))
    b.add(MaxPool, "most", Window((2, 2), (2, 2)))
    b.add(AveragePool, "mean", Window.same((3, 3), (2, 2)))
    conv(b, VALID)
    assert run(passes.fold_scalings, b)[0] == ["activation", "max_pool", "average_pool", "conv"]


def test_scaling_by_a_negative_number_stays_before_the_greatest():
    b = GraphBuilder((6, 6, 2))
    b.activation("first", "relu")
    b.scaling("norm", np.array([1.0, -1.0]), 0.0)
    b.add(MaxPool, "most", Window((2, 2), (2, 2)))
    conv(b, VALID)
    assert run(passes.fold_scalings, b)[0] == ["activation", "scaling", "max_pool", "conv"]


def test_two_convolutions_take_one_scaling():
    b = GraphBuilder((5, 6, 4))
    h = b.activation("first", "relu")
    scaling(b)
    scaled = b.last
    b.add(Conv, "a", random(3, 3, 3, 4), random(3), VALID, inputs=[scaled])
    a = b.last
    b.add(Conv, "b", random(3, 3, 3, 4), random(3), VALID, inputs=[scaled])
    before = b.build(outputs=[a, b.last])
    after, _ = passes.spread_scalings(before)
    x = random(5, *h.shape)
    np.testing.assert_allclose(execute(after.check(), x), execute(before, x), rtol=1e-9, atol=1e-9)
    assert [layer.kind for layer in after.layers] == ["activation", "conv", "conv"]


@pytest.mark.parametrize(
    "before, after, window, merges",
    [
        ((1, 1, 0), (1, 1, 0), VALID, True),
        ((0, 0, 0), (1, 1, 0), Window((3, 3), (2, 2)), True),  # MobileNet's, of Keras
        ((1, 0, 0), (0, 1, 0), Window((3, 3), (1, 1), (2, 2)), True),
        ((3, 3, 0), (0, 0, 0), VALID, False),  # a window of zeros alone
        ((0, 0, 0), (4, 0, 0), VALID, False),
        ((0, 0, 1), (0, 0, 0), VALID, False),
    ],
)
def test_zeros_become_the_convolutions_padding(before, after, window, merges):
    b = GraphBuilder((5, 6, 4))
    b.add(Pad, "zeros", before, after, source="ZeroPadding2D 'zeros'")
    conv(b, window)
    kinds, notes = run(passes.merge_pads, b)
    assert kinds == ["conv"] if merges else ["pad", "conv"]
    assert notes == ["ZeroPadding2D 'zeros': made the padding of conv"] * merges


def test_what_is_not_zero_stays():
    b = GraphBuilder((5, 6, 4))
    b.add(Pad, "ones", (1, 1, 0), (1, 1, 0), 1.0)
    conv(b, VALID)
    assert run(passes.merge_pads, b)[0] == ["pad", "conv"]


def test_zeros_around_a_signal():
    b = GraphBuilder((5, 4))
    b.add(Pad, "zeros", (2, 0), (1, 0))
    b.add(Conv, "conv", random(3, 1, 3, 4), random(3), Window((1, 3)))
    assert run(passes.merge_pads, b)[0] == ["conv"]


def test_channels_of_unlike_ranges_are_balanced():
    # a watch: acceleration within 2, turning within 250
    b = GraphBuilder((20, 6))
    b.add(Conv, "conv", random(4, 1, 3, 6), random(4), Window.same((1, 20), (1, 3)), 1, "relu")
    before = b.build()
    x = random(50, 20, 6) * [1, 1, 1, 100, 100, 100]
    after = passes.balance_inputs(before, x.min(axis=0), x.max(axis=0))
    assert [layer.kind for layer in after.layers] == ["scaling", "conv"]
    scaled = x * after.layers[0].scale
    assert np.abs(scaled).max(axis=(0, 1)).tolist() == pytest.approx([1] * 6)
    expected = execute(before, x)
    np.testing.assert_allclose(execute(after, x), expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    assert passes.balance_inputs(before, -np.ones((20, 6)), np.ones((20, 6))) is None


# Slices behind a convolution


@pytest.mark.parametrize(
    "shape, window, begin, size, left",
    [
        ((9, 4), Window((1, 3), before=(0, 2), after=(0, 2)), (0, 0), (9, 6), ["conv"]),  # causal
        ((9, 4), Window((1, 3), before=(0, 2), after=(0, 2)), (2, 0), (9, 6), ["conv"]),
        ((9, 4), Window((1, 3), dilation=(1, 2), before=(0, 4), after=(0, 4)), (0, 0), (9, 6), ["conv"]),
        ((9, 4), Window((1, 3), stride=(1, 2), before=(0, 2), after=(0, 2)), (0, 0), (5, 6), ["conv"]),
        ((9, 4), Window((1, 3), before=(0, 2), after=(0, 2)), (0, 0), (8, 6), ["conv", "slice"]),  # and more
        ((9, 4), Window((1, 3), before=(0, 2), after=(0, 2)), (0, 1), (9, 5), ["conv", "slice"]),  # channels
        ((5, 6, 4), Window((3, 3), before=(2, 2), after=(2, 2)), (1, 0, 0), (5, 7, 6), ["conv"]),
        ((5, 6, 4), SAME, (1, 1, 0), (3, 4, 6), ["conv"]),
        ((5, 6, 4), VALID, (0, 0, 0), (2, 4, 6), ["conv", "slice"]),
    ],
)
def test_outputs_that_are_cut_off_are_less_padding(shape, window, begin, size, left):
    b = GraphBuilder(shape)
    conv(b, window)
    b.add(Slice, "cut", begin, size, (1,) * len(shape))
    kinds, notes = run(passes.crop_windows, b)
    assert kinds == left
    assert notes == (["cut: made less padding of conv"] if left == ["conv"] else [])


def test_every_other_output_is_no_padding():
    b = GraphBuilder((9, 4))
    b.add(DepthwiseConv, "conv", random(4, 1, 3), random(4), Window((1, 3), before=(0, 2), after=(0, 2)))
    b.add(Slice, "cut", (0, 0), (5, 4), (2, 1))
    assert run(passes.crop_windows, b)[0] == ["depthwise_conv", "slice"]


# Transposes beside a dense layer


def test_a_vector_that_becomes_an_image():
    b = GraphBuilder((7,))
    b.dense("dense", random(24, 7), random(24), "relu")
    b.reshape("view", (4, 6))
    b.add(Transpose, "last", (1, 0))
    b.reshape("image", (2, 3, 4))
    conv(b, Window((1, 1)))
    kinds, notes = run(passes.fold_transposes, b)
    assert kinds == ["dense", "reshape", "reshape", "conv"]
    assert notes == ["last: the weights of dense changed places"]


def test_a_softmax_of_what_becomes_an_image_stays_in_its_order():
    b = GraphBuilder((7,))
    b.dense("dense", random(24, 7), random(24), "softmax")
    b.reshape("view", (4, 6))
    b.add(Transpose, "last", (1, 0))
    assert run(passes.fold_transposes, b)[0] == ["dense", "reshape", "transpose"]


def test_flattened_images_that_are_joined():
    b = GraphBuilder((2, 3, 4))
    first, vectors = b.first, []
    for n, order in enumerate(((2, 0, 1), (1, 2, 0))):
        b.add(Transpose, f"turn {n}", order, inputs=[first])
        vectors.append(b.reshape(f"flat {n}", (-1,)))
    vectors.insert(1, b.reshape("plain", (-1,), at=first))
    b.add(Concatenate, "join", 0, inputs=vectors)
    b.dense("dense", random(5, 72), random(5))
    kinds, notes = run(passes.fold_transposes, b)
    assert sorted(kinds) == ["concatenate", "dense", "reshape", "reshape", "reshape"]
    assert notes == [f"turn {n}: the weights of dense changed places" for n in (0, 1)]


@pytest.mark.parametrize("twice", [True, False])
def test_transposes_that_others_read_stay(twice):
    b = GraphBuilder((3, 4))
    b.add(Transpose, "turn", (1, 0))
    flat = b.reshape("flat", (-1,))
    b.add(Concatenate, "join", 0, inputs=[flat, flat] if twice else [flat])
    if not twice:
        b.add(Concatenate, "again", 0, inputs=[b.last, flat])
    b.dense("dense", random(5, 24), random(5))
    assert "transpose" in run(passes.fold_transposes, b)[0]
