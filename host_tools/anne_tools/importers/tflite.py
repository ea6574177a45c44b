"""TensorFlow Lite (.tflite), float32, int8 and int16, to a Graph; a quantised file's own integers and scales are kept.

- Inputs and outputs are those of the file, in its order, named as its signature does, else as its tensors.
- float32 files: layers as they stand; constants that are added or multiplied become Scaling.
- int8 files: layers have int8 weights, int32 bias and the weights' scales, one or one a channel; every tensor has scale
  and zero point. QUANTIZE and DEQUANTIZE at the ends drop out (the graph's input and output are the int8 tensors);
  QUANTIZE in between is a linear Activation from one scale to another, or a change of type.
- uint8 is int8 with all values and zero points 128 less (`tflite_files`); provenance keeps the ends' own type.
- Integers are TensorFlow Lite Micro's, layer by layer.
- int16 files ("int16x8") likewise, with int8 weights; curves on them are our own tables, which a note says.
- int8 weights with float32 activations ("dynamic range" files): layers have int8 weights and a float32 bias. float16
  weights become float32, those of 4 bits int8.
- What the converter spells out is one layer again: dilations (`tflite_batches`), layer normalisation (`tflite_norms`),
  delay lines made of variables (`tflite_state`).

Shapes computed from constants (SHAPE, STRIDED_SLICE, PACK before a RESHAPE) are computed here and fold away
(`tflite_constants`). Numbers of rows, int32 in the file, are floats here.
Needs the packages `tflite` and `flatbuffers`; nothing in the file is executed.
"""

from __future__ import annotations

import struct
from pathlib import Path

from anne.model_file import MAX_TENSORS

from ..errors import ModelError
from ..network.graph import INPUT_TYPE, OUTPUT_TYPE, Graph, Metadata
from .flow import Flow, Step
from .given_shapes import Shapes, filled, in_order
from .refusal import Missing
from .survey import Operation, joins
from .tflite_files import Operator, TfliteFile
from .tflite_operators import OPERATORS, Operators
from .tflite_reading import WHOLE, type_of

# Operators that have other numbers of outputs than one.
N_OUTPUTS = {
    **dict.fromkeys(("SPLIT", "SPLIT_V", "UNPACK"), (1, MAX_TENSORS)),
    **dict.fromkeys(("CALL_ONCE", "ASSIGN_VARIABLE"), (0, 0)),
}
PARSER_ERRORS = (struct.error, TypeError, ValueError, IndexError, OverflowError, MemoryError)


def read(source: Path, input_shape: Shapes | None = None) -> Graph:
    """Return the graph of the .tflite file `source`. ModelError for what is damaged or not supported.

    `input_shape` says how long the axes are that the file leaves open, without the batch axis.
    """
    data = Path(source).read_bytes()
    try:
        return _Reader(TfliteFile(data), input_shape).graph()
    except ModelError:
        raise
    except PARSER_ERRORS as error:
        raise ModelError(
            f"the .tflite file is damaged ({type(error).__name__}: {str(error)[:100]})"
        ) from error


class _Reader:
    """Walks the operators in order. Values of the flow are named by the tensor's index in the file."""

    def __init__(self, file: TfliteFile, input_shape: Shapes | None = None):
        self.file = file
        self._refuse_unsupported()
        self.flow = Flow()
        self.operators = Operators(file, self.flow)
        shapes = self._input_shapes(input_shape)
        for index, name, shape in zip(file.inputs, file.names("inputs"), shapes, strict=True):
            tensor = file.tensor(index)
            self.flow.input(name, index, shape, *(type_of(tensor) if tensor.dtype not in WHOLE else ()))

    def _refuse_unsupported(self) -> None:
        """Raise ModelError if anything in the file cannot be used, naming all of it."""
        missing, file = Missing(), self.file
        uses_state = any(op.name == "CALL_ONCE" for op in file.operators)
        joining = set(joins(map(_operation, file.operators), file.inputs))
        for op in file.operators:
            if op.name not in OPERATORS:
                missing.layer(op.name, op.where)
            elif op.index in joining:
                missing.layer(f"{op.name} of two computed values", op.where)
            if op.keeps_state:
                missing.structure("a state (variables)")
            least, most = N_OUTPUTS.get(op.name, (1, 1))
            if op.name in OPERATORS and not least <= len(op.outputs) <= most:
                missing.structure(f"{op.name} with {len(op.outputs)} outputs")
        for what, count, most in (
            ("input", len(file.inputs), MAX_TENSORS),
            ("output", len(file.outputs), MAX_TENSORS),
            ("subgraph", file.n_graphs, MAX_TENSORS if uses_state else 1),
        ):
            if not 1 <= count <= most:
                missing.structure(f"{count} {what}s")
        ends = (file.inputs, file.outputs, *((*op.inputs, *op.outputs) for op in file.operators))
        for index in sorted({index for indices in ends for index in indices if index >= 0}):
            if obstacle := file.obstacle(index):
                missing.structure(obstacle)
        missing.refuse("tflite")

    def _input_shapes(self, given: Shapes | None) -> list[tuple[int, ...]]:
        """Return the shapes of the inputs, batch axis and all; ModelError where one has an open axis of which nothing
        is said."""
        file, found = self.file, []
        for index, shape in zip(
            file.inputs, in_order(given, file.names("inputs"), len(file.inputs)), strict=True
        ):
            declared = file.signature(index) or file.tensor(index).shape
            open_axes = [None if d < 0 else d for d in declared[1:]]
            if shape is not None:
                found.append((file.tensor(index).shape[0], *filled(tuple(shape), open_axes)))
            elif None in open_axes:
                raise ModelError(
                    f"an input of dynamic shape {declared} (only the batch axis may be open); say it with --input-shape"
                )
            else:
                found.append(file.tensor(index).shape)
        return found

    def graph(self) -> Graph:
        """Return the checked graph."""
        for op in self.file.operators:
            self.operators.load(op)
            if op.index in self.operators.norms:
                self.operators.layer_norm(op)
            elif op.index not in self.operators.done and not self.operators.folded(op):
                OPERATORS[op.name](self.operators, op)
                self.operators.finish(op)
        file = self.file
        for index in set(file.outputs) & set(
            self.flow.values
        ):  # in the order of their axes, however they lie
            step = Step(len(file.operators), "output", "output", index)
            self.flow.values[index] = self.flow.value(step, index)
        provenance = {"format": "tflite", "description": file.description}
        for key, what in ((INPUT_TYPE, "inputs"), (OUTPUT_TYPE, "outputs")):
            provenance[key] = self._common_type(key, what)
        metadata = Metadata(provenance={k: v for k, v in provenance.items() if v})
        return self.flow.graph(file.outputs, metadata, file.names("outputs"))

    def _common_type(self, key: str, what: str) -> str:
        """Return "uint8" if all inputs or outputs of the file are that, else ""; with a note if only some are."""
        file = self.file
        indices = file.inputs if what == "inputs" else file.outputs
        unsigned = [
            name
            for index, name in zip(indices, file.names(what), strict=True)
            if file.tensor(index).stored == "uint8"
        ]
        if 0 < len(unsigned) < len(indices):
            self.flow.notes.append(
                f"{key} of {', '.join(unsigned)}: uint8 in the file, here int8 whose values are 128 less"
            )
        return "uint8" if len(unsigned) == len(indices) else ""


def _operation(op: Operator) -> Operation:
    kind = "join" if op.name == "DIV" else "constant" if op.name == "SHAPE" else ""
    return Operation(kind, op.inputs, op.outputs)
