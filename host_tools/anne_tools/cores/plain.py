"""A model file run by the reference, in plain Python: integers equal to the C core's, floats nearly, and slower."""

from __future__ import annotations

import numpy as np
from anne.reference_model import Model

from ..errors import ModelError
from .core import Core
from .packed import raw_of_bytes


class PlainModel(Core):
    """A model file in the reference. ModelError if it is not whole, and from `run_raw` if it is too large for it."""

    name = "reference"

    def __init__(self, data: bytes):
        try:
            self._model = Model(data)
        except ValueError as error:
            raise ModelError(str(error)) from None
        self._take(self._model.file)
        self._out = bytearray(sum(tensor.nbytes for tensor in self.outputs))

    def reset(self) -> None:
        self._model.reset()

    def run_raw(self, inputs: np.ndarray, go_on: bool = False) -> np.ndarray:
        if not go_on:
            self.reset()
        results = []
        for sample in self._raw(inputs):
            self._run(sample)
            results.append(bytes(self._out))
        return raw_of_bytes(b"".join(results), self.outputs)

    def _run(self, sample: np.ndarray) -> None:
        try:
            self._model.run_raw(sample.tobytes(), self._out)
        except ValueError as error:
            raise ModelError(f"reference: {error}") from None

    def trace(self, sample: np.ndarray) -> dict[int, np.ndarray]:
        for one in self._raw(sample):
            self._run(one)
        values = self._model._values  # as they stand; `values` of the model gives real numbers
        tensors = [tensor for layer in self.file.layers for tensor in layer.outputs]
        return {
            tensor.index: np.array(values[tensor.index], tensor.dtype).reshape(tensor.shape)
            for tensor in tensors
        }
