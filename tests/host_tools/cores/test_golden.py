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
        for x, y in zip(values["inputs"], values["outputs"], strict=True):
            raw = np.frombuffer(
                _packed(x, model.file.inputs), model.input.dtype if len(model.inputs) == 1 else np.uint8
            )
            got = model.run_raw(raw, go_on=True).tobytes()
            for expected, tensor in zip(_parts(y, model.file.outputs), model.file.outputs, strict=True):
                # integers to the bit; floats within 1e-6 of the largest output for each layer
                bound = 1e-6 * len(model.file.layers) * np.abs(expected).max() if tensor.letter == "f" else 0
                part, got = np.frombuffer(got[: tensor.nbytes], tensor.dtype), got[tensor.nbytes :]
                np.testing.assert_allclose(part.astype(np.float64), expected, rtol=0, atol=bound)
            assert not got


def _parts(values: list, tensors: list) -> list:
    return values if len(tensors) > 1 else [values]


def _packed(values: list, tensors: list) -> bytes:
    parts = zip(_parts(values, tensors), tensors, strict=True)
    return b"".join(np.array(part, tensor.dtype).tobytes() for part, tensor in parts)
