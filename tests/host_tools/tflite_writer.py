"""Writes small .tflite models for tests, and runs them in the oracle, TensorFlow Lite Micro's own interpreter.

Needs the package `tflite-micro`, whose generated schema classes can write what our importer only reads.
"""

from __future__ import annotations

import flatbuffers
import numpy as np
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

TYPES = {
    "float32": 0,
    "float16": 1,
    "int32": 2,
    "uint8": 3,
    "int64": 4,
    "int16": 7,
    "int8": 9,
    "resource": 13,
}


class TfliteWriter:
    """A model under construction: add tensors and operators in order, then call `to_bytes`.

    >>> w = TfliteWriter()
    >>> x = w.tensor((1, 4), "int8", scale=0.1, zero_point=3)
    >>> y = w.tensor((1, 4), "int8", scale=1 / 256, zero_point=-128)
    >>> w.operator("LOGISTIC", [x], [y])
    >>> data = w.to_bytes([x], [y])
    """

    def __init__(self):
        self.tensors, self.operators, self.codes = [], [], []
        self.buffers = [schema.BufferT()]

    def tensor(
        self, shape, dtype="float32", data=None, scale=None, zero_point=0, axis=0, signature=None, name=None
    ) -> int:
        """Add a tensor, a constant if `data` is given; return its index. `scale` may hold one value a row."""
        t = schema.TensorT()
        t.name = name or f"t{len(self.tensors)}"
        t.shape, t.type, t.buffer = list(shape), TYPES[dtype], 0
        t.shapeSignature = list(signature) if signature else None
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            self.buffers.append(buffer)
            t.buffer = len(self.buffers) - 1
        if scale is not None:
            q = t.quantization = schema.QuantizationParametersT()
            q.scale = [float(s) for s in np.atleast_1d(scale)]
            q.zeroPoint = [int(zero_point)] * len(q.scale)
            q.quantizedDimension = axis
        self.tensors.append(t)
        return len(self.tensors) - 1

    def operator(self, name: str, inputs, outputs, version=1, **options) -> None:
        """Add an operator by its built-in name; `options` are the fields of its options table."""
        code = schema.OperatorCodeT()
        number = getattr(schema.BuiltinOperator, name)
        code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version
        self.codes.append(code)
        op = schema.OperatorT()
        op.opcodeIndex, op.inputs, op.outputs = len(self.codes) - 1, list(inputs), list(outputs)
        title = OPTIONS.get(name)
        if title:
            op.builtinOptionsType = getattr(schema.BuiltinOptions, title)
            op.builtinOptions = getattr(schema, title + "T")()
            for key, value in options.items():
                assert hasattr(op.builtinOptions, key), key
                setattr(op.builtinOptions, key, value)
        self.operators.append(op)

    def to_model(self, inputs, outputs, signature=None):
        """Return the schema's model object, for tests that damage it before packing.

        `signature` has the names of its inputs and of its outputs: ({name: tensor}, {name: tensor}).
        """
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs, graph.name = list(inputs), list(outputs), "main"
        model = schema.ModelT()
        model.version, model.subgraphs, model.operatorCodes = 3, [graph], self.codes
        model.buffers, model.description = self.buffers, "written by tests/host_tools/tflite_writer.py"
        if signature is not None:
            model.signatureDefs = [schema.SignatureDefT()]
            model.signatureDefs[0].signatureKey = "serving_default"
            model.signatureDefs[0].inputs, model.signatureDefs[0].outputs = map(_named, signature)
        return model

    def to_bytes(self, inputs, outputs, signature=None) -> bytes:
        """Return the finished file."""
        return pack(self.to_model(inputs, outputs, signature))


def _named(tensors: dict[str, int]) -> list:
    """Return a signature's entries."""
    entries = []
    for name, index in tensors.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        entries.append(entry)
    return entries


OPTIONS = {
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "SOFTMAX": "SoftmaxOptions",
    "LOG_SOFTMAX": "LogSoftmaxOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "RESHAPE": "ReshapeOptions",
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "GELU": "GeluOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "PACK": "PackOptions",
    "SHAPE": "ShapeOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "SUM": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "CONCATENATION": "ConcatenationOptions",
    "SPLIT": "SplitOptions",
    "SPLIT_V": "SplitVOptions",
    "UNPACK": "UnpackOptions",
    "GATHER": "GatherOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "MIRROR_PAD": "MirrorPadOptions",
    "VAR_HANDLE": "VarHandleOptions",
    "CALL_ONCE": "CallOnceOptions",
    "ARG_MAX": "ArgMaxOptions",
}


def pack(model) -> bytes:
    """Return the bytes of a schema model object."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def int8_network(rng, per_axis: bool, activation: int, ends: str = "int8") -> bytes:
    """Dense 6-5 with a fused activation, LOGISTIC or TANH as drawn, dense 5-3, SOFTMAX."""
    w = TfliteWriter()
    x = w.tensor((1, 6), "int8", scale=0.05, zero_point=-3, signature=(-1, 6))
    first = x
    if ends == "float32":
        first = w.tensor((1, 6), "float32")
        w.operator("QUANTIZE", [first], [x])
    scales = 2.0 ** rng.uniform(-8, -6, 5 if per_axis else 1)
    weights = w.tensor((5, 6), "int8", rng.integers(-127, 128, (5, 6)), scale=scales)
    bias = w.tensor((5,), "int32", rng.integers(-500, 500, 5), scale=0.05 * np.float32(scales))
    hidden = w.tensor((1, 5), "int8", scale=0.04, zero_point=7)
    w.operator("FULLY_CONNECTED", [x, weights, bias], [hidden], 4, fusedActivationFunction=activation)
    bent = w.tensor((1, 5), "int8", scale=1 / 256, zero_point=-128)
    w.operator("LOGISTIC", [hidden], [bent])
    weights = w.tensor((3, 5), "int8", rng.integers(-127, 128, (3, 5)), scale=0.02)
    scores = w.tensor((1, 3), "int8", scale=0.06, zero_point=11)
    w.operator("FULLY_CONNECTED", [bent, weights, -1], [scores], 4)
    y = w.tensor((1, 3), "int8", scale=1 / 256, zero_point=-128)
    w.operator("SOFTMAX", [scores], [y], beta=1.0)
    last = y
    if ends == "float32":
        last = w.tensor((1, 3), "float32")
        w.operator("DEQUANTIZE", [y], [last])
    return w.to_bytes([first], [last])


def as_uint8(data: bytes) -> bytes:
    """An int8 model with every int8 tensor as uint8, all values and zero points 128 more: a file of years ago."""
    model = schema.ModelT.InitFromPackedBuf(data)
    for tensor in model.subgraphs[0].tensors:
        if tensor.type == 9:
            tensor.type = 3
            tensor.quantization.zeroPoint = [z + 128 for z in tensor.quantization.zeroPoint]
            if tensor.buffer:
                buffer = model.buffers[tensor.buffer]
                buffer.data = np.asarray(buffer.data, np.uint8) ^ 0x80
    return pack(model)


class Oracle:
    """TensorFlow Lite Micro's interpreter over one model."""

    def __init__(self, data: bytes, tensor_bytes: int = 0):
        self.interpreter = runtime.Interpreter.from_bytes(
            data, arena_size=len(data) * 10 + 20_000 + tensor_bytes
        )

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        """Return the first output for one sample of each of the model's inputs, in their own types and shapes."""
        return self.outputs(1, *inputs)[0]

    def outputs(self, n: int, *inputs: np.ndarray) -> list[np.ndarray]:
        """Return the first `n` outputs, likewise."""
        for index, x in enumerate(inputs):
            self.interpreter.set_input(x, index)
        self.interpreter.invoke()
        return [self.interpreter.get_output(index).copy() for index in range(n)]
