"""TensorFlow Lite operators that move values and compute nothing: shapes, padding, parts, joins, order, sizes, rows."""

from __future__ import annotations

import math
from dataclasses import replace

from ..errors import ModelError
from ..layers import Concatenate, Embedding, Pad, Resize, Slice
from . import budget
from .flow import Step
from .flow_values import without_batch
from .tflite_files import Operator
from .tflite_reading import Reading, real_values

Part = tuple[int, int, int]  # along an axis: where it begins, how many, the step from one to the next
RESIZES = {
    "RESIZE_BILINEAR": ("bilinear", "ResizeBilinearOptions"),
    "RESIZE_NEAREST_NEIGHBOR": ("nearest", "ResizeNearestNeighborOptions"),
}
MOST_TILES = 32
PADDINGS = {0: "reflect", 1: "symmetric"}


class Moves(Reading):
    """Their methods. Integers keep their scale and zero point."""

    def __init__(self, file, flow):
        super().__init__(file, flow)
        self.cuts: dict[int, tuple[int, list[Part]]] = {}  # of parts by tensor: of which value, and which

    # Shapes

    def reshape(self, op: Operator) -> None:
        """RESHAPE to constant dimensions, of which one may be -1; SQUEEZE, EXPAND_DIMS as the output's shape says."""
        step, key = self._keeping(op), self._input(op, 0)
        target = self.file.tensor(step.output).shape
        options = op.options("ReshapeOptions") if op.name == "RESHAPE" else None
        if op.name == "RESHAPE" and len(op.inputs) > 1 and op.inputs[1] >= 0:
            target = self.flow.constant(step, op.inputs[1], "its shape").reshape(-1)[:9]
        elif options is not None and 0 < options.NewShapeLength() < 9:
            target = [options.NewShape(i) for i in range(options.NewShapeLength())]
        self.flow.reshape(step, key, [int(d) for d in target])

    # Padding

    def pad(self, op: Operator) -> None:
        """PAD with zeros, PADV2 with a constant, whose integer means the same as in the input; MIRROR_PAD."""
        step, key = self._keeping(op), self._input(op, 0)
        widths = self.flow.constant(step, self._input(op, 1), "its padding")
        if widths.ndim != 2 or widths.shape[1] != 2 or len(widths) > 8 or widths.dtype.kind != "i":
            raise ModelError(
                f"{op.where}: expected two integers an axis, got {widths.dtype} of shape {widths.shape}"
            )
        widths = [(int(before), int(after)) for before, after in widths]
        if op.name != "MIRROR_PAD":
            value = self._padding(op, step) if len(op.inputs) > 2 else 0.0
            return self.flow.pad(step, key, widths, value)
        mode = PADDINGS.get(self._options(op, "MirrorPadOptions").Mode(), "an unknown mode")
        x = self.flow.value(step, key)
        inner = len(x.shape) - len(without_batch(x.shape))
        if len(widths) != len(x.shape) or any(widths[:inner] and max(widths[:inner])):
            raise ModelError(f"{op.where}: padding by {widths} of shape {x.shape} is not supported")
        before, after = zip(*widths[inner:], strict=True)
        self.flow.layer(step, key, Pad, before, after, mode=mode)

    def _padding(self, op: Operator, step: Step) -> float:
        """Return the real number that PADV2 pads with; as an integer it must have the output's scale."""
        index = self._input(op, 2)
        given, dtype = self.flow.constant(step, index, "its value"), self.file.tensor(index).dtype
        if given.size != 1 or dtype != step.dtype:
            raise ModelError(f"{op.where}: expected one value of {step.dtype}, got {given.size} of {dtype}")
        self._demand(step, self._quantization(op, index))
        return float(real_values(given.reshape(1), self.file.tensor(index), step.quantization)[0])

    # Parts

    def slice(self, op: Operator) -> None:
        """SLICE by constant begin and size, of which -1 is all that is left."""
        step = self._keeping(op)
        shape = self.flow.value(step, self._input(op, 0)).shape
        begin, size = self._whole(op, step, 1, "its begin"), self._whole(op, step, 2, "its size")
        if not len(begin) == len(size) == len(shape):
            raise ModelError(
                f"{op.where}: expected begin and size of {len(shape)} axes, got {begin} and {size}"
            )
        size = [n - b if s == -1 else s for b, s, n in zip(begin, size, shape, strict=True)]
        self._cut(op, step, [(b, s, 1) for b, s in zip(begin, size, strict=True)])

    def strided_slice(self, op: Operator) -> None:
        """STRIDED_SLICE with constant limits."""
        options = self._options(op, "StridedSliceOptions")
        step = self._keeping(op)
        shape = self.flow.value(step, self._input(op, 0)).shape
        if options.EllipsisMask() or options.NewAxisMask():
            raise ModelError(f"{op.where}: masks of an ellipsis or of new axes are not supported")
        begin, end, stride = (
            self._whole(op, step, i + 1, what)
            for i, what in enumerate(("its begin", "its end", "its strides"))
        )
        if not len(begin) == len(end) == len(stride) <= len(shape) or 0 in stride:
            raise ModelError(f"{op.where}: {begin} to {end} by {stride} does not fit shape {shape}")
        parts, shrunk = [(0, n, 1) for n in shape], options.ShrinkAxisMask()
        for axis, (b, e, s) in enumerate(zip(begin, end, stride, strict=True)):
            if shrunk >> axis & 1:
                first = self._axis(op, b, shape[axis])
                parts[axis] = first, 1, 1
                continue
            first = None if options.BeginMask() >> axis & 1 else b
            last = None if options.EndMask() >> axis & 1 else e
            taken = range(*slice(first, last, s).indices(shape[axis]))
            parts[axis] = taken.start, len(taken), s
        self._cut(op, step, parts)
        target = tuple(n for axis, (_, n, _) in enumerate(parts) if not shrunk >> axis & 1)
        made = self.flow.values[step.output]
        self.flow.values[step.output] = self.flow.reshaped(step, made, target or (1,))

    def split(self, op: Operator) -> None:
        """SPLIT into equal parts, SPLIT_V into parts of constant sizes, of which -1 is what is left: a Slice each."""
        position, axis_at = (1, 0) if op.name == "SPLIT" else (0, 2)
        step, key = self._keeping(op, position), self._input(op, position)
        shape = self.flow.value(step, key).shape
        axis = self._whole(op, step, axis_at, "its axis", 1)
        axis, n = self._axis(op, axis[0] if axis else len(shape), len(shape)), len(op.outputs)
        if op.name == "SPLIT":
            sizes = [shape[axis] // n] * n
        else:
            sizes = self._whole(op, step, 1, "its sizes", n)
            if sizes.count(-1) == 1:
                sizes[sizes.index(-1)] = shape[axis] - sum(size for size in sizes if size != -1)
        if len(sizes) != n or min(sizes) < 0 or sum(sizes) != shape[axis]:
            raise ModelError(
                f"{op.where}: {n} parts of sizes {sizes[:8]} are not axis {axis} of shape {shape}"
            )
        begin = 0
        for index, size in enumerate(sizes):
            parts = [(0, d, 1) for d in shape]
            parts[axis], begin = (begin, size, 1), begin + size
            self._cut(op, self._keeping(op, position, index), parts, position)

    def unpack(self, op: Operator) -> None:
        """UNPACK: the elements of an axis, each without it."""
        options = self._options(op, "UnpackOptions")
        shape = self.flow.value(self._step(op), self._input(op, 0)).shape
        axis = self._axis(op, options.Axis(), len(shape))
        if shape[axis] != len(op.outputs):
            raise ModelError(f"{op.where}: expected {shape[axis]} outputs, got {len(op.outputs)}")
        for index in range(shape[axis]):
            parts = [(0, d, 1) for d in shape]
            parts[axis] = (index, 1, 1)
            step = self._keeping(op, 0, index)
            self._cut(op, step, parts)
            made = self.flow.values[step.output]
            target = shape[:axis] + shape[axis + 1 :]
            self.flow.values[step.output] = self.flow.reshaped(step, made, target or (1,))

    def reverse(self, op: Operator) -> None:
        """REVERSE_V2: a Slice backwards along some axes; a scale that changes is brought to the output's."""
        step, key = self._step(op), self._input(op, 0)
        shape = self.flow.value(step, key).shape
        axes = {self._axis(op, axis, len(shape)) for axis in self._whole(op, step, 1, "its axes")}
        back = Step(op.index, op.name, step.name, (step.output, "reversed"), step.dtype, step.quantization)
        self._cut(op, back, [(n - 1, n, -1) if axis in axes else (0, n, 1) for axis, n in enumerate(shape)])
        self.flow.same(step, self._rescaled(step, back.output))

    def _cut(self, op: Operator, step: Step, parts: list[Part], position: int = 0) -> None:
        """Append a Slice of the value of an input, unless it takes all of it."""
        key = self._input(op, position)
        shape = self.flow.value(step, key).shape
        for axis, ((begin, size, stride), n) in enumerate(zip(parts, shape, strict=True)):
            if size < 1 or not 0 <= begin < n or not 0 <= begin + (size - 1) * stride < n:
                raise ModelError(
                    f"{op.where}: {size} elements from {begin} on by {stride} are not inside axis {axis} of {shape}"
                )
        source, before = self.cuts.get(key, (key, []))
        if [size for _, size, _ in before] == list(shape):  # a part of a part is one of the whole
            key, shape = source, self.flow.value(step, source).shape
            parts = [
                (b + first * s, n, s * every)
                for (b, _, s), (first, n, every) in zip(before, parts, strict=True)
            ]
        self.cuts[step.output] = key, parts
        if all(part == (0, n, 1) for part, n in zip(parts, shape, strict=True)):
            return self.flow.same(step, key)
        inner = len(shape) - len(without_batch(shape))
        self.flow.layer(step, key, Slice, *map(tuple, zip(*parts[inner:], strict=True)))

    # Joins

    def concatenation(self, op: Operator) -> None:
        """CONCATENATION of values; integers of other scales are brought to the output's before."""
        options = self._options(op, "ConcatenationOptions")
        step = self._step(op)
        keys = [self._input(op, i) for i in range(len(op.inputs))]
        if self._fused(op, options) != "linear":
            raise ModelError(f"{op.where}: a fused activation is not supported")
        self._join(op, step, keys, options.Axis())

    def pack(self, op: Operator) -> None:
        """PACK: values of one shape along a new axis."""
        keys = [self._input(op, i) for i in range(len(op.inputs))]
        step, options = self._step(op), self._options(op, "PackOptions")
        shape = self.flow.value(step, keys[0]).shape
        axis = self._axis(op, options.Axis(), len(shape) + 1)
        longer = (*shape[:axis], 1, *shape[axis:])
        for index, key in enumerate(keys):
            x = self.flow.value(step, key)
            if x.shape != shape:
                raise ModelError(f"{op.where}: expected inputs of one shape, got {shape} and {x.shape}")
            keys[index] = (step.output, "part", index)
            self.flow.values[keys[index]] = self.flow.reshaped(step, x, longer)
        self._join(op, step, keys, axis)

    def _join(self, op: Operator, step: Step, keys: list, axis: int) -> None:
        shapes = [self.flow.value(step, key).shape for key in keys]
        axis = self._axis(op, axis, len(shapes[0]))
        inner = len(shapes[0]) - len(without_batch(shapes[0]))
        if len(keys) == 1:
            return self.flow.same(step, keys[0])
        if any(len(shape) != len(shapes[0]) for shape in shapes) or axis < inner:
            raise ModelError(f"{op.where}: cannot join shapes {shapes[:8]} along axis {axis}")
        keys = [self._rescaled(step, key) for key in keys]
        self.flow.layer(step, keys, Concatenate, axis - inner)

    def _rescaled(self, step: Step, key):
        """Return the key of a value in the step's scale."""
        tensor = self.flow.tensors[self.flow.value(step, key).tensor]
        if step.dtype == "float32" or _alike(tensor.quantization, step.quantization):
            return key
        made = Step(step.index, step.op, step.name, (step.output, "of", key), step.dtype, step.quantization)
        self._requantized(made, key)
        return made.output

    def tile(self, op: Operator) -> None:
        """TILE: a value several times one behind the other."""
        step, key = self._keeping(op), self._input(op, 0)
        shape, times = self.flow.value(step, key).shape, self._whole(op, step, 1, "its numbers")
        if len(times) != len(shape) or min(times) < 1 or max(times) > MOST_TILES:
            raise ModelError(
                f"{op.where}: {times} times shape {shape}: expected 1 to {MOST_TILES} for each axis"
            )
        for axis, n in enumerate(times):
            if n > 1:
                part = Step(op.index, op.name, step.name, (step.output, axis), step.dtype, step.quantization)
                self._join(op, part, [key] * n, axis)
                key = part.output
        self.flow.same(step, key)

    # Order and sizes

    def transpose(self, op: Operator) -> None:
        """TRANSPOSE by constant axes."""
        step = self._step(op, computed=False) if self._is_constant(op, 0) else self._keeping(op)
        self.flow.transpose(step, self._input(op, 0), self._whole(op, step, 1, "its order"))

    def blocks(self, op: Operator) -> None:
        """DEPTH_TO_SPACE: channels to blocks of pixels; SPACE_TO_DEPTH: the other way."""
        is_to_space = op.name == "DEPTH_TO_SPACE"
        block = self._options(op, "DepthToSpaceOptions" if is_to_space else "SpaceToDepthOptions").BlockSize()
        step, key = self._keeping(op), self._input(op, 0)
        shape = self.flow.value(step, key).shape
        divisors = (1, 1, 1, block * block) if is_to_space else (1, block, block, 1)
        if len(shape) != 4 or block < 1 or any(n % d for n, d in zip(shape, divisors, strict=True)):
            raise ModelError(f"{op.where}: blocks of {block} do not fit shape {shape}")
        n, rows, columns, channels = shape
        if is_to_space:
            parts, order = (n, rows, columns, block, block, channels // block**2), (0, 1, 3, 2, 4, 5)
            made = (n, rows * block, columns * block, channels // block**2)
        else:
            parts, order = (n, rows // block, block, columns // block, block, channels), (0, 1, 3, 2, 4, 5)
            made = (n, rows // block, columns // block, channels * block**2)
        dealt, moved = ((step.output, what) for what in ("dealt", "moved"))
        self.flow.reshape(replace(step, output=dealt), key, parts)
        self.flow.transpose(replace(step, output=moved), dealt, order)
        self.flow.reshape(step, moved, made)

    def resize(self, op: Operator) -> None:
        """RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR to a constant size."""
        mode, title = RESIZES[op.name]
        options = self._options(op, title)
        step, key = self._keeping(op), self._input(op, 0)
        shape, size = self.flow.value(step, key).shape, self._whole(op, step, 1, "its size")
        if len(shape) != 4 or shape[0] != 1 or len(size) != 2 or min(size) < 1:
            raise ModelError(
                f"{op.where}: expected an image and its rows and columns, got {shape} and {size}"
            )
        self.flow.layer(
            step,
            key,
            Resize,
            tuple(size),
            mode,
            align_corners=options.AlignCorners(),
            half_pixel_centers=options.HalfPixelCenters(),
        )

    # Rows

    def gather(self, op: Operator) -> None:
        """GATHER: rows of a constant table by computed numbers, or constant places of a value; EMBEDDING_LOOKUP."""
        if op.name == "EMBEDDING_LOOKUP":
            return self._embed(op, 1, 0)
        options = op.options("GatherOptions")
        axis, batch_axes = (options.Axis(), options.BatchDims()) if options is not None else (0, 0)
        if batch_axes:
            raise ModelError(f"{op.where}: axes of batches are not supported")
        if self._is_constant(op, 0):
            if axis:
                raise ModelError(
                    f"{op.where}: of a constant along axis {axis} is not supported; supported: axis 0"
                )
            self._embed(op, 0, 1)
        else:
            self._places(op, axis)

    def _embed(self, op: Operator, table_at: int, numbers_at: int) -> None:
        step, numbers = self._step(op), self._input(op, numbers_at)
        index = self._input(op, table_at)
        table = self.flow.constant(step, index, "its table")
        if table.ndim < 2 or table.size == 0:
            raise ModelError(f"{op.where}: expected a table of rows, got shape {table.shape}")
        q = self.file.tensor(index).quantization
        if step.dtype != "float32":
            self._demand(step, self._quantization(op, index))
            step = replace(step, quantization=q)
        else:
            table, q = real_values(table, self.file.tensor(index), q), None
        x = self.flow.value(step, numbers)
        flat = (step.output, "numbers")
        self.flow.values[flat] = self.flow.reshaped(step, x, (1, math.prod(x.shape)))
        made = self.flow.layer(step, flat, Embedding, table.reshape(len(table), -1), q)
        self.flow.values[step.output] = self.flow.reshaped(step, made, (*x.shape, *table.shape[1:]))

    def _places(self, op: Operator, axis: int) -> None:
        """Constant places along an axis of a value: a Slice each, joined."""
        step, key = self._keeping(op), self._input(op, 0)
        places = self.flow.constant(step, self._input(op, 1), "its places")
        shape = self.flow.value(step, key).shape
        axis = self._axis(op, axis, len(shape))
        if places.ndim > 1 or places.dtype.kind not in "iu" or places.size == 0:
            raise ModelError(
                f"{op.where}: expected a row of places, got {places.dtype} of shape {places.shape}"
            )
        budget.steps(places.size, op.where)
        runs = _runs([self._axis(op, int(place), shape[axis]) for place in places.reshape(-1)])
        budget.layers(len(runs))
        keys = []
        for number, (begin, size) in enumerate(runs):
            parts = [(0, n, 1) for n in shape]
            parts[axis] = (begin, size, 1)
            part = Step(op.index, op.name, step.name, (step.output, number), step.dtype, step.quantization)
            self._cut(op, part, parts)
            keys.append(part.output)
        self._join(op, step, keys, axis)
        if places.ndim == 0:
            made = self.flow.values[step.output]
            target = shape[:axis] + shape[axis + 1 :]
            self.flow.values[step.output] = self.flow.reshaped(step, made, target or (1,))


def _runs(places: list[int]) -> list[tuple[int, int]]:
    """Return places as (first, how many) of those that follow each other."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and place == sum(runs[-1]):
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((place, 1))
    return runs


def _alike(a, b) -> bool:
    """Whether two quantisations are the same but for the rounding of a scale."""
    return a.zero_point == b.zero_point and abs(a.scale[0] - b.scale[0]) <= 1e-3 * b.scale[0]


OPERATORS = {
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), Moves.reshape),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), Moves.pad),
    "SLICE": Moves.slice,
    "STRIDED_SLICE": Moves.strided_slice,
    **dict.fromkeys(("SPLIT", "SPLIT_V"), Moves.split),
    "UNPACK": Moves.unpack,
    "REVERSE_V2": Moves.reverse,
    "PACK": Moves.pack,
    "TILE": Moves.tile,
    "TRANSPOSE": Moves.transpose,
    **dict.fromkeys(("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"), Moves.blocks),
    **dict.fromkeys(RESIZES, Moves.resize),
    **dict.fromkeys(("GATHER", "EMBEDDING_LOOKUP"), Moves.gather),
}
