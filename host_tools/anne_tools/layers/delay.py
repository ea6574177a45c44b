"""output = the last frames of a stream, those of earlier calls and the new ones behind them.

It is what networks that listen keep between two calls (a ring buffer, the variables of a streaming model).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from anne import model_file
from anne.layers.delay import MAX_STATE_BYTES

from ..errors import ModelError
from ..network.layer import Layer, Record, Shape
from ..network.tensor import Tensor
from .copies import ON_CORTEX_M33, copied, item_bytes, summed
from .prices import Cost


@dataclass
class Delay(Layer):
    """Frames (n, ...) come in, the last `length` of all that ever came, (length, ...), go out; zeros before the first.

    Samples are one stream, in their order: what one leaves behind, the next one finds.
    """

    length: int

    keeps_values: ClassVar[bool] = True
    keeps_state: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        f"delay {dtype}": ON_CORTEX_M33 for dtype in ("float32", "int8", "int16")
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if not shape or not shape[0] <= self.length:
            raise ModelError(f"{where}: expected at most {self.length} new frames, got {shape}")
        return [(self.length, *shape[1:])]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        n_samples, n, *rest = x[0].shape
        before = np.zeros((self.length - n, *rest), x[0].dtype)
        frames = np.concatenate([before, x[0].reshape(-1, *rest)])
        if not n_samples:
            return [np.zeros((0, self.length, *rest), x[0].dtype)]
        return [np.stack([frames[i * n : i * n + self.length] for i in range(n_samples)])]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        kept = targets[0].nbytes - sources[0].nbytes
        if kept > MAX_STATE_BYTES:
            raise ModelError(f"{self.title}: expected at most {MAX_STATE_BYTES} bytes to keep, got {kept}")
        return Record("delay")

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        """What was kept is copied, the input behind it, and what is kept from now on."""
        now, all_bytes = (tensor.size * item_bytes(tensor) for tensor in (layer.inputs[0], layer.outputs[0]))
        return summed(
            copied(all_bytes - now), copied(now, offset=all_bytes - now), copied(all_bytes - now, offset=now)
        )

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        builder.add(cls, "timed", 2 * inputs[0].shape[0], inputs=inputs)
        builder.reshape("frames", (-1, 3 if inputs[0].size % 3 == 0 else 2))
        builder.add(cls, "timed frames", builder.last.shape[0] + 2)
