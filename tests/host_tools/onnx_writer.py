"""Writes small ONNX models for tests, and runs them in the oracle, ONNX Runtime.

Needs the packages `onnx` and `onnxruntime`, which are imported when they are used.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

TYPES = {"float32": 1, "int64": 7, "float16": 10, "float64": 11}


def write(
    path: Path,
    text: str,
    constants=None,
    shape=("batch", 4),
    opset=20,
    output_type=1,
    dtype="float32",
    outputs=("y",),
    inputs=None,
) -> Path:
    """Write a model of nodes and return its path. `inputs` are shapes by name, {"x": shape} if not given.

    `text` has a node a line, "y = Op(a, b; attribute=1)", with a domain in front: "l, y = ai.onnx.ml.ZipMap(p)".
    """
    import onnx

    helper = onnx.helper
    nodes = []
    for line in text.strip().splitlines():
        made, call = (part.strip() for part in line.split("=", 1))
        op, arguments = call.rstrip(")").split("(", 1)
        domain, _, op = op.rpartition(".")
        names, _, options = arguments.partition(";")
        attributes = eval(f"dict({options})", {"inf": float("inf"), "tensor": onnx.numpy_helper.from_array})
        read = [name.strip() for name in names.split(",")] if names.strip() else []
        outs = [name.strip() for name in made.split(",")]
        nodes.append(helper.make_node(op, read, outs, domain=domain, **attributes))
    graph = helper.make_graph(
        nodes,
        "test",
        [
            helper.make_tensor_value_info(name, TYPES[dtype], each)
            for name, each in (inputs or {"x": shape}).items()
        ],
        [helper.make_tensor_value_info(name, output_type, None) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


def session(path: Path):
    """Return ONNX Runtime's session of a model, without shortcuts in int8."""
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def answers(path: Path, x: np.ndarray) -> list:
    """Return ONNX Runtime's outputs for one input."""
    return session(path).run(None, {session(path).get_inputs()[0].name: x})
