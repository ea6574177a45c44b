"""A model file run on this computer, by the C core or the pure-Python reference.

Both take and give arrays of samples. What comes out are the integers (or floats) as they stand in the model's output,
so that results can be compared to the bit; `packed.real_outputs` makes real numbers of them.
"""

from __future__ import annotations

import numpy as np
from anne.reference_model import Model as ReferenceModel

from ..errors import ModelError
from .native import NativeModel
from .packed import given_inputs, raw_inputs, raw_of_bytes

HOST, REFERENCE = "host", "reference"


def run_local(data: bytes, x: np.ndarray, where: str) -> np.ndarray:
    """Return the raw outputs for samples x on this computer: `where` is "host" or "reference"."""
    with NativeModel(data) as model:
        inputs = raw_inputs(given_inputs(x, model.file), model.file)
        return model.run_raw(inputs) if where == HOST else reference_outputs(data, inputs)


def reference_outputs(data: bytes, inputs: np.ndarray) -> np.ndarray:
    """Return the raw outputs of the pure-Python reference for raw inputs (packed.py).

    ModelError for a network that is too large for it.
    """
    model = ReferenceModel(data)
    outputs = model.file.outputs
    raw = bytearray(sum(tensor.nbytes for tensor in outputs))
    results = []
    for sample in inputs:
        try:
            model.run_raw(sample.tobytes(), raw)
        except ValueError as error:
            raise ModelError(f"reference: {error}") from None
        results.append(bytes(raw))
    return raw_of_bytes(b"".join(results), outputs)
