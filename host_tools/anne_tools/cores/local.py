"""A model file run on this computer, by the C core or the pure-Python reference.

Both take and give arrays of samples. What comes out are the integers (or floats) as they stand in the model's output,
so that results can be compared to the bit; `native.dequantize_output` makes real numbers of them.
"""

from __future__ import annotations

import numpy as np
from anne.reference_model import Model as ReferenceModel

from ..data.samples import as_samples
from ..errors import ModelError
from .native import NativeModel, quantize_input

HOST, REFERENCE = "host", "reference"


def run_local(data: bytes, x: np.ndarray, where: str) -> np.ndarray:
    """Return the raw outputs for samples x on this computer: `where` is "host" or "reference"."""
    with NativeModel(data) as model:
        inputs = quantize_input(as_samples(x, model.input.shape, "x"), model.input)
        return model.run_raw(inputs) if where == HOST else reference_outputs(data, inputs)


def reference_outputs(data: bytes, inputs: np.ndarray) -> np.ndarray:
    """Return the outputs of the pure-Python reference, in the output's type, for inputs in the input's own type.

    ModelError for a network that is too large for it.
    """
    model = ReferenceModel(data)
    output = model.file.outputs[0]
    raw = bytearray(output.nbytes)
    results = []
    for sample in inputs:
        try:
            model.run_raw(sample.tobytes(), raw)
        except ValueError as error:
            raise ModelError(f"reference: {error}") from None
        results.append(np.frombuffer(bytes(raw), output.dtype).reshape(output.shape))
    return np.stack(results)
