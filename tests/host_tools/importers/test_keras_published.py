"""The Keras models of Silicon Labs' MLTK 0.20.0, from PyPI, against what Keras 2 says of them.

tests/golden/keras/published.npz was written by tests/golden/make_keras_published.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from anne_tools import convert
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute
from package_files import mltk_file

pytest.importorskip("h5py", reason="the extra ai-anne[keras]")

EXPECTED = np.load(Path(__file__).parents[2] / "golden" / "keras" / "published.npz")
# of the largest output; the sums of Keras's float32 have another order
BOUND = 1e-5


def inputs(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, (4, *shape)).astype(np.float32)


def close(got: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(got, expected, rtol=0, atol=BOUND * np.abs(expected).max())


@pytest.mark.parametrize("name", EXPECTED.files)
def test_a_published_model_gives_what_keras_says(name):
    graph = load(mltk_file(name))
    close(execute(graph, inputs(graph.input_tensors[0].shape)), EXPECTED[name])


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in EXPECTED.files
        if any(word in name for word in ("magic_wand", "keyword_spotting.", "autoenc"))
    ],
)
def test_its_model_file_does_so_too(name):
    converted = convert(mltk_file(name), "float32")
    close(converted.predict(inputs(converted.graph.input_tensors[0].shape)), EXPECTED[name])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "keyword_spotting_alexa.mltk.zip/keyword_spotting_alexa.h5",
            "needs MultiScaleTemporalConvolution (12)",
        ),
        (
            "fingerprint_signature_generator.mltk.zip/fingerprint_signature_generator.siamese.h5",
            "needs Lambda (1)",
        ),
        ("test_model_weights.h5", "it holds weights only; save the whole model with model.save()"),
    ],
)
def test_classes_and_code_of_their_author_are_refused(name, message):
    with pytest.raises(ModelError) as error:
        load(mltk_file(name))
    assert message in str(error.value)
