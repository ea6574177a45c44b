"""What runs a model file on this computer: the C core (native.py), or plain Python where that is missing (plain.py)."""

from __future__ import annotations

from typing import Any

import numpy as np
from anne.model_file import ModelFile

from .packed import given_inputs, raw_inputs, real_outputs


class Core:
    """A model file ready to run: samples in, what its outputs hold out.

    `name` is the core's in messages. `scratch_bytes` is what the C core needs beside the file, layers and arena, in
    bytes of the chip, `repacked_scratch_bytes` on one that rewrites weights in RAM, the RP2350; None where nobody
    knows.
    """

    name = ""
    file: ModelFile
    scratch_bytes: int | None = None
    repacked_scratch_bytes: int | None = None

    def _take(self, file: ModelFile) -> None:
        self.file = file
        self.inputs, self.outputs = file.inputs, file.outputs
        self.input, self.output = self.inputs[0], self.outputs[0]  # the first, of most models the only ones

    def reset(self) -> None:
        """Forget what layers keep from one sample to the next: what comes is a new stream."""
        raise NotImplementedError

    def run_raw(self, inputs: np.ndarray, go_on: bool = False) -> np.ndarray:
        """Return the raw outputs for raw inputs (packed.py), a new stream in their order; with `go_on` they go on with
        that of the last call."""
        raise NotImplementedError

    def trace(self, sample: np.ndarray) -> dict[int, np.ndarray]:
        """Return what the layers make, each tensor in its own type by its number in the file, for one raw sample, with
        which the stream goes on."""
        raise NotImplementedError

    def close(self) -> None:
        """Free the core's memory."""

    def predict(self, x: Any) -> np.ndarray:
        """Return the outputs as real numbers for real inputs, of several joined; see `packed.given_inputs`."""
        return real_outputs(self.run_raw(raw_inputs(given_inputs(x, self.file), self.file)), self.outputs)

    def _raw(self, inputs: np.ndarray) -> np.ndarray:
        if len(self.inputs) == 1:
            return np.ascontiguousarray(inputs, self.inputs[0].dtype).reshape(-1, self.inputs[0].size)
        return np.frombuffer(inputs.tobytes(), np.uint8).reshape(
            -1, sum(tensor.nbytes for tensor in self.inputs)
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
