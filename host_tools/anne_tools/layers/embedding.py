"""output = table[input], a row for each number: what stands for a word, a letter, a category."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from anne import model_file

from ..errors import ModelError
from ..network.layer import Integers, Layer, Record, Shape, check_finite
from ..network.tensor import Quantization, Tensor, value_quantization
from .copies import ON_CORTEX_M33, copied, item_bytes
from .prices import Cost


@dataclass
class Embedding(Layer):
    """`table` (n, width); numbers (T,) come in, rows (T, width) go out. A number beyond the table is its last row, one
    below 0 its first. With `table_quantization` the table has integers: those of the output.
    """

    table: np.ndarray
    table_quantization: Quantization | None = None

    takes_floats: ClassVar[bool] = True
    ON_CORTEX_M33: ClassVar[dict[str, Cost]] = {
        f"embedding {dtype}": ON_CORTEX_M33 for dtype in ("float32", "int8", "int16")
    }

    def output_shapes(self, shapes: list[Shape], declared: list[Shape], where: str) -> list[Shape]:
        (shape,) = shapes
        if self.table.ndim != 2 or not self.table.size:
            raise ModelError(f"{where}: expected a table (rows, width), got shape {self.table.shape}")
        check_finite(self.table, where, "values")
        return [(*shape, self.table.shape[1])]

    def run(self, x: list[np.ndarray], sources: list[Tensor], targets: list[Tensor]) -> list[np.ndarray]:
        rows = np.clip(np.nan_to_num(x[0], nan=0), 0, len(self.table) - 1).astype(np.int64)
        table, q = self.table.astype(x[0].dtype), self.table_quantization
        return [(table if q is None else (table - q.zero_point) * q.scale[0])[rows]]

    def expected(self, x: np.ndarray) -> np.ndarray:
        return np.rint(np.abs(x) * len(self.table) / 2) % len(self.table)

    @property
    def is_quantized(self) -> bool:
        return self.table_quantization is not None

    def quantized(
        self, sources: list[Tensor], targets: list[Tensor], into: Integers
    ) -> tuple[Layer, list[Tensor]]:
        """As any layer, but in the range of the whole table, as the data need not have all of its rows."""
        q = value_quantization(float(self.table.min()), float(self.table.max()), into.dtype)
        limits = np.iinfo(into.dtype)
        integers = np.clip(np.rint(self.table / q.scale[0]) + q.zero_point, limits.min, limits.max)
        layer = replace(self, table=integers.astype(into.dtype), table_quantization=q)
        return layer, [replace(targets[0], dtype=into.dtype, quantization=q)]

    def record(self, sources: list[Tensor], targets: list[Tensor]) -> Record:
        (source,), (target,) = sources, targets
        q = source.quantization
        if q is not None and (q.scale[0] != 1 or q.zero_point != 0):
            raise ModelError(
                f"{self.title}: expected whole numbers, float32 or integers of scale 1 and zero point 0, got scale "
                f"{q.scale[0]:.6g} and zero point {q.zero_point}"
            )
        like = replace(target, dtype=self.table.dtype.name, quantization=self.table_quantization)
        if target.dtype != "float32" and not like.means_the_same(target):
            raise ModelError(f"{self.title}: expected an output with the scale and zero point of the table")
        table = self.table
        if target.dtype == "float32" and self.table_quantization is not None:
            table = (table - self.table_quantization.zero_point) * self.table_quantization.scale[0]
        return Record(
            "embedding", constants=[table.astype(np.dtype(target.dtype).newbyteorder("<")).tobytes()]
        )

    @classmethod
    def counts(cls, layer: model_file.Layer) -> dict[str, Any]:
        """Rows of the table that are copied."""
        y = layer.outputs[0]
        return copied(y.shape[-1] * item_bytes(y), layer.inputs[0].size)

    @classmethod
    def price_name(cls, layer: model_file.Layer) -> str:
        return f"embedding {layer.inputs[0].dtype}"

    TIMED_WIDTHS: ClassVar[tuple[int, ...]] = (1, 4, 7, 12, 40)

    @classmethod
    def timed(cls, builder: Any, inputs: list[Tensor]) -> None:
        for width in cls.TIMED_WIDTHS:
            table = np.linspace(-1, 1, 8 * width).reshape(8, width)
            builder.add(cls, "timed", table, inputs=inputs)
