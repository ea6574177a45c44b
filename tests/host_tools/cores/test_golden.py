"""tests/golden/models is what tests/golden/make_models.py writes, and the C core gives what stands there."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from anne_tools.cores.native import NativeModel

FOLDER = Path(__file__).parents[2] / "golden"
NAMES = sorted(path.stem for path in FOLDER.glob("models/*.anne"))


def test_the_files_are_those_of_a_new_run():
    spec = importlib.util.spec_from_file_location("make_models", FOLDER / "make_models.py")
    make_models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_models)
    files = make_models.golden_files()
    assert sorted(files) == sorted(path.name for path in FOLDER.glob("models/*"))
    for name, content in files.items():
        assert (FOLDER / "models" / name).read_bytes() == content, name


@pytest.mark.parametrize("name", NAMES)
def test_native_gives_the_golden_outputs(name):
    values = json.loads((FOLDER / f"models/{name}.json").read_text())
    with NativeModel((FOLDER / f"models/{name}.anne").read_bytes()) as model:
        inputs = np.array(values["inputs"], model.input.dtype)
        expected = np.array(values["outputs"], model.output.dtype)
        got = model.run_raw(inputs).reshape(expected.shape)
        layers = len(model.file.layers)
    # integers to the bit; floats within 1e-6 of the largest output for each layer
    bound = 1e-6 * layers * np.abs(expected).max() if expected.dtype.kind == "f" else 0
    np.testing.assert_allclose(got.astype(np.float64), expected.astype(np.float64), rtol=0, atol=bound)
