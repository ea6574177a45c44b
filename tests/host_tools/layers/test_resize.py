"""Resize in every type, from the graph to the C core; and the rules of frameworks, by their own words."""

import numpy as np
import pytest
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.cores.packed import raw_inputs
from anne_tools.errors import ModelError
from anne_tools.layers import Resize
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute

RANDOM = np.random.default_rng(26)


def resized(shape, size, mode, **options):
    b = GraphBuilder(shape)
    b.add(Resize, "resized", size, mode, **options)
    return b.build()


def any_options():
    options = {"align_corners": bool(RANDOM.integers(2)), "half_pixel_centers": bool(RANDOM.integers(2))}
    if RANDOM.random() < 0.3:
        options["scale"] = tuple(RANDOM.uniform(0.3, 3, 2))
    if RANDOM.random() < 0.5:
        options["rounding"] = str(RANDOM.choice(["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]))
    return options


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_both_cores_are_one_and_near_numpy(dtype, mode):
    for i in range(60):
        channels, columns = (int(n) for n in RANDOM.integers(1, 8, 2))
        shape = (columns, channels) if i % 4 == 0 else (int(RANDOM.integers(1, 8)), columns, channels)
        size = tuple(map(int, RANDOM.integers(1, 12, 2)))
        size = (1, size[1]) if len(shape) == 2 else size
        graph = resized(shape, size, mode, **any_options())
        x = RANDOM.normal(size=(4, *shape))
        data = pack(quantize(graph, dtype, x))
        with NativeModel(data) as model:
            raw = raw_inputs(x, model.file)
            got, expected = model.run_raw(raw), reference_outputs(data, raw)
            if dtype == "float32":
                np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * np.abs(x).max())
                np.testing.assert_allclose(got, execute(graph, x), rtol=0, atol=1e-6 * np.abs(x).max())
            else:
                assert got.tobytes() == expected.tobytes()
                # a step, and of the place between two pixels 1/1024 for each of the pixels so far
                bound = 1.1 * model.output.scale + 12 * np.ptp(x) / 1024 * (mode == "bilinear")
                assert np.abs(model.predict(x) - execute(graph, x)).max() <= bound


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # torch.nn.functional.interpolate(torch.arange(4.), size=8, mode="linear", align_corners=False), and True
        ({"half_pixel_centers": True}, [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]),
        ({"align_corners": True}, [i * 3 / 7 for i in range(8)]),
        # TensorFlow's tf.compat.v1.image.resize_bilinear without either
        ({}, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]),
    ],
)
def test_where_pixels_lie_between_others(options, expected):
    graph = resized((4, 1), (1, 8), "bilinear", **options)
    x = np.arange(4.0).reshape(1, 4, 1)
    np.testing.assert_allclose(execute(graph, x).ravel(), expected, atol=1e-6)
    with NativeModel(pack(graph)) as model:
        np.testing.assert_allclose(model.predict(x).ravel(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("n", "size", "options", "expected"),
    [
        # torch's "nearest" and Keras's: down; "nearest-exact": the middle
        (3, 5, {}, [0, 0, 1, 1, 2]),
        (3, 5, {"half_pixel_centers": True}, [0, 0, 1, 2, 2]),
        (2, 4, {}, [0, 0, 1, 1]),
        # TensorFlow Lite's align_corners: i 2 / 3, rounded
        (3, 4, {"align_corners": True}, [0, 1, 1, 2]),
        # ONNX, half_pixel: (i + 1/2) / 2 - 1/2 = 0.5, 2.5 of 4
        (4, 2, {"half_pixel_centers": True, "rounding": "round_prefer_floor"}, [0, 2]),
        (4, 2, {"half_pixel_centers": True, "rounding": "round_prefer_ceil"}, [1, 3]),
        (4, 2, {"half_pixel_centers": True, "rounding": "ceil"}, [1, 3]),
        (4, 2, {"half_pixel_centers": True, "rounding": "floor"}, [0, 2]),
        # ONNX, asymmetric, with a scale that is not the sizes': 0.6 of 4, rounded down to 2: i / 0.6 = 0, 1.67
        (4, 2, {"scale": (1.0, 0.6), "rounding": "floor"}, [0, 1]),
    ],
)
def test_which_pixel_is_the_nearest(n, size, options, expected):
    graph = resized((n, 1), (1, size), "nearest", **options)
    x = np.arange(float(n)).reshape(1, n, 1)
    assert execute(graph, x).ravel().tolist() == expected
    with NativeModel(pack(graph)) as model:
        assert model.predict(x).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("shape", "size", "mode", "options", "problem"),
    [
        ((3,), (1, 2), "nearest", {}, r"expected an image .* or a signal .* got \(3,\)"),
        ((3, 2), (2, 2), "nearest", {}, r"expected rows and columns for \(3, 2\), got \(2, 2\)"),
        ((3, 2, 1), (0, 2), "nearest", {}, r"expected rows and columns for \(3, 2, 1\), got \(0, 2\)"),
        ((3, 2), (1, 2), "bicubic", {}, r"expected a mode of nearest, bilinear and .* got 'bicubic' and ''"),
        ((3, 2), (1, 2), "nearest", {"scale": (1.0, 0.0)}, r"expected scales above 0, got \(1\.0, 0\.0\)"),
    ],
)
def test_what_does_not_fit(shape, size, mode, options, problem):
    with pytest.raises(ModelError, match=problem):
        resized(shape, size, mode, **options)
