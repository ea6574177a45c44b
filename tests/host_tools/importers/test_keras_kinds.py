"""Keras models of every kind of layer, against outputs of Keras itself.

The files in tests/golden/keras were written by tests/golden/make_keras.py: the networks of keras_kinds.py there.
"""

from __future__ import annotations

from pathlib import Path

import anne_tools
import numpy as np
import pytest
from anne_tools.conversion.verify import RMS_LIMITS
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute

h5py = pytest.importorskip("h5py", reason="the extra ai-anne[keras]")

GOLDEN = Path(__file__).parents[2] / "golden" / "keras"
MODELS = (
    *("images", "signals", "meeting", "functions", "sentence", "residual_image", "operators_of_images"),
    "wrapped",
)
FILES = [
    pytest.param(path, id=path.name)
    for path in sorted(GOLDEN.glob("*"))
    if path.stem.partition("_")[2] in MODELS and path.suffix in (".keras", ".h5")
]
# Of the largest output: the rounding of Keras's float32 arithmetic, whose sums have another order.
BOUND = 1e-5


def stored(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Inputs of the model, and what Keras predicts for them."""
    version, _, name = path.stem.partition("_")
    arrays = np.load(GOLDEN / f"{version}_kinds.npz")
    return tuple(
        [arrays[f"{name}_{what}{n}"] for n in range(len(arrays)) if f"{name}_{what}{n}" in arrays]
        for what in "xy"
    )


def loaded(path: Path):
    try:
        return load(path)
    except ModelError as error:
        if "unknown activation" in str(error):
            pytest.skip(str(error))
        raise


def close(outputs: list[np.ndarray], expected: list[np.ndarray], names: list[str]) -> None:
    assert len(outputs) == len(expected)
    for name, got, right in zip(names, outputs, expected, strict=True):
        assert got.shape == right.shape, name
        np.testing.assert_allclose(got, right, rtol=0, atol=BOUND * np.abs(right).max(), err_msg=name)


@pytest.mark.parametrize("path", FILES)
def test_golden_file_gives_what_keras_predicts(path):
    graph, (x, expected) = loaded(path), stored(path)
    outputs = graph.split_outputs(execute(graph, x[0] if len(x) == 1 else x))
    close(outputs, expected, graph.output_names)


@pytest.mark.parametrize("path", FILES)
def test_model_file_gives_what_keras_predicts(path):
    graph = loaded(path)
    conversion, (x, expected) = anne_tools.convert(graph, dtype="float32"), stored(path)
    outputs = conversion.predict(x[0] if len(x) == 1 else x)
    close([outputs] if len(expected) == 1 else outputs, expected, conversion.graph.output_names)


def test_golden_files_exist_for_both_versions():
    names = {path.values[0].name for path in FILES}
    as_h5 = {f"keras3_{name}.h5" for name in ("signals", "operators_of_images", "wrapped")}
    keras_2 = {f"keras2_{m}.h5" for m in MODELS if m != "wrapped"}
    assert names == keras_2 | {f"keras3_{m}.keras" for m in MODELS} | as_h5


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_every_kind_has_integers(name, dtype):
    graph, random = loaded(GOLDEN / f"keras3_{name}.keras"), np.random.default_rng(1)
    x = [random.normal(0, 1, (64, *tensor.shape)) for tensor in graph.input_tensors]
    if name == "sentence":
        x = [random.integers(0, 10, (64, 6))]
    report = anne_tools.convert(graph, dtype, calibrate=x if len(x) > 1 else x[0]).report
    for d in report.deviations:
        # near 0 a step of what 1 / sqrt is taken of is many steps of the result
        steep = 10 if d.output == "rsqrt" else 1
        assert d.rms <= steep * RMS_LIMITS[dtype] * d.output_range, d.output


def test_what_augments_images_is_dropped_with_a_note():
    assert load(GOLDEN / "keras3_wrapped.keras").metadata.provenance["notes"] == (
        "RandomFlip, RandomZoom: for training only, dropped"
    )
