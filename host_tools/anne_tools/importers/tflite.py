"""TensorFlow Lite (.tflite), float32 and int8, to a Graph; a quantised file's own integers and scales are kept.

- float32 files: layers as they stand; constants that are added or multiplied become Scaling.
- int8 files: Dense has int8 weights, int32 bias and the weights' scales; every tensor has scale and zero point.
  QUANTIZE and DEQUANTIZE at the ends drop out (the graph's input and output are the int8 tensors); QUANTIZE in between
  is a linear Activation from one scale to another.
- int8 weights with float32 activations ("dynamic range" files): Dense has int8 weights and a float32 bias.

Shapes computed from constants (SHAPE, STRIDED_SLICE, PACK before a RESHAPE) are computed here and fold away.
Needs the packages `tflite` and `flatbuffers`; nothing in the file is executed.
"""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

import numpy as np

from ..errors import ModelError
from ..graph import (
    Activation,
    Dense,
    Graph,
    Layer,
    Metadata,
    Quantization,
    Reshape,
    Scaling,
    Tensor,
)
from ..tflm import LOGISTIC_OUTPUT, SOFTMAX_OUTPUT, TANH_OUTPUT
from .tflite_files import FUSED_ACTIVATIONS, FileTensor, Operator, TfliteFile

PARSER_ERRORS = (struct.error, TypeError, ValueError, IndexError, OverflowError, MemoryError)
# Operators that become an Activation; with an int8 output, the scale and zero point that TFLite demands of it.
ACTIVATIONS = {
    "RELU": ("relu", None),
    "RELU6": ("relu6", None),
    "LEAKY_RELU": ("leaky_relu", None),
    "ELU": ("elu", None),
    "LOGISTIC": ("sigmoid", LOGISTIC_OUTPUT),
    "TANH": ("tanh", TANH_OUTPUT),
    "HARD_SWISH": ("hard_swish", None),
    "GELU": ("gelu", None),
    "SOFTMAX": ("softmax", SOFTMAX_OUTPUT),
}


def read(source: Path) -> Graph:
    """Return the graph of the .tflite file `source`. ModelError for what is damaged or not supported."""
    data = Path(source).read_bytes()
    try:
        return _Reader(TfliteFile(data)).graph()
    except ModelError:
        raise
    except PARSER_ERRORS as error:
        raise ModelError(
            f"the .tflite file is damaged ({type(error).__name__}: {str(error)[:100]})"
        ) from error


class _Reader:
    """Walks the operators in order, keeping what each tensor of the file is: a constant, or a tensor of the graph."""

    def __init__(self, file: TfliteFile):
        self.file = file
        self.uses = Counter(i for op in file.operators for i in op.inputs) + Counter(file.outputs)
        self.constants: dict[int, np.ndarray] = {}
        self.names: dict[int, str] = {}
        self.layers: list[Layer] = []
        self.tensors: dict[str, Tensor] = {}
        self.notes: list[str] = []

    def graph(self) -> Graph:
        """Return the checked graph."""
        for what, indices in (("input", self.file.inputs), ("output", self.file.outputs)):
            if len(indices) != 1:
                raise ModelError(f"models with {len(indices)} {what}s are not supported; expected one")
        first, last = self.file.inputs[0], self.file.outputs[0]
        if self.file.dynamic(first):
            raise ModelError(
                f"the input's shape {self.file.tensor(first).shape} is dynamic; only the batch axis may be"
            )
        first_name = self._add_tensor(self.file.tensor(first))
        for op in self.file.operators:
            handler = OPERATORS.get(op.name)
            if handler is None:
                raise ModelError(f"{op.where} is not supported; supported: {', '.join(sorted(OPERATORS))}")
            if len(op.outputs) != 1:
                raise ModelError(f"{op.where}: expected one output, got {len(op.outputs)}")
            handler(self, op)
        if last not in self.names:
            raise ModelError("the output is a constant or computed by no layer")
        if not self.layers:
            raise ModelError("the model has no layers")
        return Graph(
            [self.names.get(first, first_name)],
            [self.names[last]],
            self.layers,
            self.tensors,
            self._metadata(),
        ).check()

    def _metadata(self) -> Metadata:
        provenance = {
            "format": "tflite",
            "description": self.file.description,
            "notes": "; ".join(self.notes),
        }
        return Metadata(provenance={key: value for key, value in provenance.items() if value})

    # Operators

    def fully_connected(self, op: Operator) -> None:
        """output = activation(weights @ input + bias), the input flattened."""
        options = op.options("FullyConnectedOptions")
        if options is not None and options.WeightsFormat():
            raise ModelError(f"{op.where}: weights in a shuffled format are not supported")
        x = self._flow(op, 0)
        weights = self._constant_tensor(op, 1)
        if weights.data.ndim != 2:
            raise ModelError(f"{op.where}: expected weights (n_out, n_in), got shape {weights.shape}")
        n_out, n_in = weights.shape
        if self.tensors[x].size != n_in:
            raise ModelError(f"{op.where}: expected {n_in} inputs, got shape {self.tensors[x].shape}")
        x = self._reshaped(op, x, (n_in,))
        activation = self._fused(op, options)
        if self.tensors[x].dtype == "int8":
            array, quantization, bias = self._integers(op, x, weights)
        else:
            array, quantization = self._float_weights(op, weights)
            bias = self._bias(op, n_out, "float32")
        output = self.file.tensor(op.outputs[0])
        if output.dtype != self.tensors[x].dtype:
            raise ModelError(f"{op.where}: expected a {self.tensors[x].dtype} output, got {output.dtype}")
        self._layer(op, Dense, x, (n_out,), array, bias, activation, weights_quantization=quantization)

    def _integers(
        self, op: Operator, x: str, weights: FileTensor
    ) -> tuple[np.ndarray, Quantization, np.ndarray]:
        """Return int8 weights, their scales and the int32 bias, as TFLite Micro accepts them."""
        q = weights.quantization
        if weights.dtype != "int8" or q is None or q.zero_point:
            raise ModelError(
                f"{op.where}: expected int8 weights with a scale and zero point 0 for an int8 input"
            )
        bias = self._bias(op, weights.shape[0], "int32")
        given = (
            self.file.tensor(op.inputs[2]).quantization if len(op.inputs) > 2 and op.inputs[2] >= 0 else None
        )
        output = self.file.tensor(op.outputs[0]).quantization
        if given is not None and output is not None:
            off = np.abs(self.tensors[x].quantization.scale * q.scale - given.scale) / output.scale
            if off.max() > 0.02:
                raise ModelError(f"{op.where}: the scale of the bias is not that of input times weights")
        return weights.data, q, bias

    def _float_weights(self, op: Operator, weights: FileTensor) -> tuple[np.ndarray, Quantization | None]:
        if weights.dtype == "int8":
            if weights.quantization is None or weights.quantization.zero_point:
                raise ModelError(f"{op.where}: expected int8 weights with a scale and zero point 0")
            return weights.data, weights.quantization
        return weights.data.astype(np.float32), None

    def _bias(self, op: Operator, n_out: int, dtype: str) -> np.ndarray:
        """Return the bias, zeros where the file has none."""
        if len(op.inputs) < 3 or op.inputs[2] < 0:
            return np.zeros(n_out, dtype)
        bias = self._constant_tensor(op, 2)
        if bias.dtype not in (dtype, "float16" if dtype == "float32" else dtype):
            raise ModelError(f"{op.where}: expected a bias of {dtype}, got {bias.dtype}")
        return bias.data.reshape(-1).astype(dtype)

    def activation(self, op: Operator) -> None:
        """An activation of its own, float32 or int8."""
        x = self._flow(op, 0)
        name, demanded = ACTIVATIONS[op.name]
        alpha = 1.0 if name == "elu" else 0.0
        if name == "leaky_relu":
            options = op.options("LeakyReluOptions")
            alpha = float(options.Alpha()) if options is not None else 0.0
        if name == "softmax":
            options = op.options("SoftmaxOptions")
            if options is None or options.Beta() != 1.0:
                raise ModelError(
                    f"{op.where}: beta {options.Beta() if options else 0} is not supported; supported: 1"
                )
        if name == "gelu":
            options = op.options("GeluOptions")
            if options is not None and options.Approximate():
                self.notes.append("gelu: the tanh approximation became the exact form (at most 0.0005 off)")
        if name == "relu6" and self.tensors[x].dtype == "int8":
            q = self.tensors[x].quantization
            demanded = (float(q.scale[0]), q.zero_point)
        output = self._layer(op, Activation, x, self.tensors[x].shape, name, alpha)
        self._demand(op, output, demanded)

    def _demand(self, op: Operator, output: Tensor, demanded: tuple[float, int] | None) -> None:
        if demanded is None or output.dtype != "int8":
            return
        scale, zero_point = float(output.quantization.scale[0]), output.quantization.zero_point
        if abs(scale - demanded[0]) > 1e-3 * demanded[0] or zero_point != demanded[1]:
            raise ModelError(
                f"{op.where}: expected an output of scale {demanded[0]:g} and zero point {demanded[1]}, "
                f"got {scale:g} and {zero_point}"
            )

    def reshape(self, op: Operator) -> None:
        """RESHAPE to constant dimensions, of which one may be -1; SQUEEZE, EXPAND_DIMS as the output's shape says."""
        x = self._flow(op, 0)
        target = self.file.tensor(op.outputs[0]).shape
        if op.name == "RESHAPE":
            target = self._new_shape(op, target)
        size = self.tensors[x].size
        if target.count(-1) == 1 and -int(np.prod(target)) > 0:
            target = tuple(size // -int(np.prod(target)) if d == -1 else d for d in target)
        if any(d < 1 for d in target) or int(np.prod(target, dtype=np.int64)) != size:
            raise ModelError(f"{op.where}: cannot reshape {self.tensors[x].shape} to {target}")
        self._layer(op, Reshape, x, _without_batch(target), declared=False)

    def _new_shape(self, op: Operator, declared: tuple[int, ...]) -> tuple[int, ...]:
        if len(op.inputs) > 1 and op.inputs[1] >= 0:
            return tuple(int(d) for d in self._constant(op, 1).reshape(-1)[:9])
        options = op.options("ReshapeOptions")
        if options is not None and 0 < options.NewShapeLength() < 9:
            return tuple(int(options.NewShape(i)) for i in range(options.NewShapeLength()))
        return declared

    def quantize(self, op: Operator) -> None:
        """QUANTIZE: of the float32 input it is dropped, between int8 tensors it is a change of scale."""
        x = self._flow(op, 0)
        output = self.file.tensor(op.outputs[0])
        if output.dtype != "int8":
            raise ModelError(f"{op.where}: to {output.dtype} is not supported; supported: int8")
        if self.tensors[x].dtype == "int8":
            self._layer(op, Activation, x, self.tensors[x].shape, "linear")
            return
        first = self.file.inputs[0]
        if self.layers or op.inputs[0] != first or self.uses[first] != 1:
            raise ModelError(f"{op.where}: float32 to int8 is supported at the input only")
        del self.tensors[x]
        self.names[first] = self._add_tensor(output)

    def dequantize(self, op: Operator) -> None:
        """DEQUANTIZE: of a constant it is computed here, before the output it is dropped."""
        if op.inputs[:1] and self._is_constant(op.inputs[0]):
            tensor = self._constant_tensor(op, 0)
            values, q = tensor.data.astype(np.float32), tensor.quantization
            if q is not None:
                rows = q.scale.reshape((-1,) + (1,) * (values.ndim - 1)) if q.scale.size > 1 else q.scale
                values = ((values - q.zero_point) * rows).astype(np.float32)
            self.constants[op.outputs[0]] = values
            return
        x = self._flow(op, 0)
        if op.outputs[0] != self.file.outputs[0] or self.uses[op.outputs[0]] != 1:
            raise ModelError(f"{op.where}: int8 to float32 is supported at the output only")
        self.names[op.outputs[0]] = x

    def arithmetic(self, op: Operator) -> None:
        """ADD, SUB, MUL, DIV with a constant: a Scaling; x * LOGISTIC(x): swish."""
        constant = [self._is_constant(i) for i in op.inputs[:2]]
        if op.name == "MUL" and constant == [False, False] and self._is_swish(op):
            return
        if constant not in ([False, True], [True, False]):
            raise ModelError(
                f"{op.where} of two computed tensors is not supported; supported: with a constant"
            )
        left = constant[0]
        x = self._flow(op, 1 if left else 0)
        if self.tensors[x].dtype != "float32":
            raise ModelError(f"{op.where} of int8 tensors is not supported; supported: float32")
        c = self._constant(op, 0 if left else 1).astype(np.float64)
        if c.size not in (1, self.tensors[x].shape[-1]) or c.size != (c.shape or (1,))[-1]:
            raise ModelError(
                f"{op.where}: expected one constant or {self.tensors[x].shape[-1]}, got shape {c.shape}"
            )
        c = np.broadcast_to(c.reshape(-1), self.tensors[x].shape[-1:])
        one, zero = np.ones(c.shape), np.zeros(c.shape)
        if op.name == "DIV" and (left or not c.all()):
            raise ModelError(f"{op.where}: supported is division by a constant without zeros")
        scale, offset = {
            "ADD": lambda: (one, c),
            "SUB": lambda: (-one, c) if left else (one, -c),
            "MUL": lambda: (c, zero),
            "DIV": lambda: (1 / c, zero),
        }[op.name]()
        activation = self._fused(op, op.options(op.name.title() + "Options"))
        self._layer(op, Scaling, x, self.tensors[x].shape, scale, offset)
        if activation != "linear":
            self._layer(op, Activation, self.names[op.outputs[0]], self.tensors[x].shape, activation)

    def _is_swish(self, op: Operator) -> bool:
        """Turn a sigmoid just before into swish where this operator multiplies it with its own input."""
        last = self.layers[-1] if self.layers else None
        if (
            not isinstance(last, Activation)
            or last.activation != "sigmoid"
            or self.tensors[last.output].dtype != "float32"
        ):
            return False
        pair = [self.names.get(i) for i in op.inputs]
        used = [self.uses[i] for i in op.inputs if self.names.get(i) == last.output]
        if sorted(map(str, pair)) != sorted((last.input, last.output)) or used != [1]:
            return False
        if self._fused(op, op.options("MulOptions")) != "linear":
            return False
        last.activation = "swish"
        self.names[op.outputs[0]] = last.output
        return True

    def shape(self, op: Operator) -> None:
        """SHAPE: the constant dimensions of a tensor, of batch 1."""
        if not op.inputs or op.inputs[0] < 0:
            raise ModelError(f"{op.where}: expected one input, got none")
        self.constants[op.outputs[0]] = np.array(self.file.tensor(op.inputs[0]).shape, np.int64)

    def strided_slice(self, op: Operator) -> None:
        """STRIDED_SLICE of a constant vector, as the reading of one dimension out of a shape needs it."""
        options = op.options("StridedSliceOptions")
        if options is None:
            raise ModelError(f"{op.where}: its options are missing")
        masks = (options.BeginMask(), options.EndMask(), options.EllipsisMask(), options.NewAxisMask())
        vector, begin, end, stride = (self._constant(op, i).reshape(-1) for i in range(4))
        if any(masks) or not begin.size == end.size == stride.size == 1 or stride[0] != 1:
            raise ModelError(f"{op.where} is supported for one axis of a constant shape only")
        part = vector[int(begin[0]) : int(end[0])]
        if options.ShrinkAxisMask():
            part = vector[int(begin[0])].reshape(())
        self.constants[op.outputs[0]] = part

    def pack(self, op: Operator) -> None:
        """PACK: constant numbers to one constant vector."""
        parts = [self._constant(op, i) for i in range(len(op.inputs))]
        if any(part.size != 1 for part in parts):
            raise ModelError(f"{op.where} is supported for constant numbers only")
        self.constants[op.outputs[0]] = np.array([int(part.reshape(())) for part in parts], np.int64)

    # Helpers

    def _fused(self, op: Operator, options) -> str:
        number = options.FusedActivationFunction() if options is not None else 0
        name = FUSED_ACTIVATIONS.get(number, str(number))
        if name not in ("linear", "relu", "relu6"):
            raise ModelError(
                f"{op.where}: fused activation {name} is not supported; supported: NONE, RELU, RELU6"
            )
        return name

    def _is_constant(self, index: int) -> bool:
        return index in self.constants or (
            index >= 0 and index not in self.names and self.file.tensor(index).data is not None
        )

    def _constant(self, op: Operator, position: int) -> np.ndarray:
        """Return the constant that operator `op` reads at `position`."""
        index = op.inputs[position] if position < len(op.inputs) else -1
        if index in self.constants:
            return self.constants[index]
        if index < 0 or self.file.tensor(index).data is None:
            raise ModelError(f"{op.where}: its input {position} must be a constant")
        return self.file.tensor(index).data

    def _constant_tensor(self, op: Operator, position: int) -> FileTensor:
        values = self._constant(op, position)
        tensor = self.file.tensor(op.inputs[position])
        if tensor.data is None:
            return FileTensor(tensor.index, tensor.name, values.shape, str(values.dtype), None, values)
        return tensor

    def _flow(self, op: Operator, position: int) -> str:
        """Return the name of the graph's tensor that operator `op` reads at `position`."""
        index = op.inputs[position] if position < len(op.inputs) else -1
        if index not in self.names:
            raise ModelError(f"{op.where}: its input {position} is not computed before it")
        return self.names[index]

    def _add_tensor(self, tensor: FileTensor) -> str:
        if tensor.dtype not in ("float32", "int8"):
            raise ModelError(
                f"tensor {tensor.index} ({tensor.name}): expected float32 or int8, got {tensor.dtype}"
            )
        if not tensor.shape or min(tensor.shape) < 1:
            raise ModelError(
                f"tensor {tensor.index} ({tensor.name}): expected a known shape, got {tensor.shape}"
            )
        if len(tensor.shape) > 1 and tensor.shape[0] != 1:
            raise ModelError(
                f"tensor {tensor.index} ({tensor.name}): expected batch 1, got shape {tensor.shape}"
            )
        name = f"{_short(tensor.name)}:{tensor.index}"
        self.tensors[name] = _tensor(name, _without_batch(tensor.shape), tensor)
        self.names[tensor.index] = name
        return name

    def _reshaped(self, op: Operator, x: str, shape: tuple[int, ...]) -> str:
        """Return `x`, or a Reshape of it where its shape is another."""
        if self.tensors[x].shape == shape:
            return x
        name = f"{x}:{op.index}:{'x'.join(map(str, shape))}"
        old = self.tensors[x]
        self.tensors[name] = Tensor(name, shape, old.dtype, old.quantization)
        self.layers.append(Reshape(f"{op.name.lower()}_{op.index}", x, name, source=op.name))
        return name

    def _layer(
        self, op: Operator, kind: type[Layer], x: str, shape, *args, declared: bool = True, **kwargs
    ) -> Tensor:
        """Append a layer from `x` to the operator's output; reshape that where the file declares another shape."""
        output = self.file.tensor(op.outputs[0])
        name = f"{_short(output.name)}:{len(self.layers)}"
        self.tensors[name] = _tensor(name, shape, output)
        if self.tensors[name].dtype != self.tensors[x].dtype:
            raise ModelError(
                f"{op.where}: expected a {self.tensors[x].dtype} output, got {self.tensors[name].dtype}"
            )
        self.layers.append(kind(_short(output.name), x, name, *args, source=op.name, **kwargs))
        final = name
        if declared and _size(output.shape) == self.tensors[name].size:
            final = self._reshaped(op, name, _without_batch(output.shape))
        self.names[op.outputs[0]] = final
        return self.tensors[final]


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _without_batch(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


def _tensor(name: str, shape: tuple[int, ...], like: FileTensor) -> Tensor:
    """Return a tensor of the graph with the type and quantisation of one of the file."""
    if like.dtype != "int8":
        return Tensor(name, shape, like.dtype)
    if like.quantization is None or like.quantization.scale.size != 1:
        raise ModelError(f"tensor {like.index} ({like.name}): expected one scale for an int8 tensor")
    return Tensor(name, shape, "int8", like.quantization)


def _short(name: str) -> str:
    """Return the layer's name out of TensorFlow's path: "model/dense_1/MatMul;model/dense_1/BiasAdd" is dense_1."""
    parts = name.partition(";")[0].split("/")
    return (parts[-2] if len(parts) > 1 else parts[0])[:40] or "tensor"


OPERATORS = {
    "FULLY_CONNECTED": _Reader.fully_connected,
    "RESHAPE": _Reader.reshape,
    "SQUEEZE": _Reader.reshape,
    "EXPAND_DIMS": _Reader.reshape,
    "QUANTIZE": _Reader.quantize,
    "DEQUANTIZE": _Reader.dequantize,
    "ADD": _Reader.arithmetic,
    "SUB": _Reader.arithmetic,
    "MUL": _Reader.arithmetic,
    "DIV": _Reader.arithmetic,
    "SHAPE": _Reader.shape,
    "STRIDED_SLICE": _Reader.strided_slice,
    "PACK": _Reader.pack,
    **dict.fromkeys(ACTIVATIONS, _Reader.activation),
}
