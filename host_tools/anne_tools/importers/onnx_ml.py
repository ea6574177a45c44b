"""The operators of ai.onnx.ml that classifiers, regressors and scalers of scikit-learn become (sklearn-onnx).

Source: https://onnx.ai/onnx/operators/, ai.onnx.ml.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ModelError
from .flow import Step
from .onnx_shapes import Node, Shapes

# post_transform of linear models: an activation
POST_TRANSFORMS = {"NONE": "linear", "SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}


def scaler(ops: Shapes, step: Step, node: Node) -> None:
    """Scaler: (x - offset) * scale, each one number or one a feature."""
    offset, scale = (np.array(node.attribute(name, []), np.float64) for name in ("offset", "scale"))
    if not offset.size or not scale.size:
        raise ModelError(f"{step.where}: offset and scale are missing")
    ops.flow.scaling(step, node.key(0), scale, ops.flow.fold(step, lambda o, s: -o * s, offset, scale))


def linear_classifier(ops: Shapes, step: Step, node: Node) -> None:
    """LinearClassifier: the scores, its second output; the first, the class, is told by labels."""
    weights, bias = _linear(ops, step, node)
    transform = node.attribute("post_transform", "NONE")
    n_labels = len(node.attribute("classlabels_strings", []) or node.attribute("classlabels_ints", []))
    if transform not in POST_TRANSFORMS:
        raise ModelError(f"{step.where}: post_transform {transform} is not supported")
    if n_labels != len(weights):
        raise ModelError(
            f"{step.where}: expected a row of coefficients a class, got {len(weights)} for {n_labels}"
        )
    if len(node.outputs) < 2 or not node.outputs[1]:
        raise ModelError(f"{step.where}: its scores, output 1, are not used; export it with probabilities")
    step = replace(step, output=node.outputs[1])
    _dense(ops, step, node.key(0), weights, bias, POST_TRANSFORMS[transform])


def linear_regressor(ops: Shapes, step: Step, node: Node) -> None:
    """LinearRegressor: coefficients times x, plus intercepts."""
    weights, bias = _linear(ops, step, node, int(node.attribute("targets", 1)))
    if node.attribute("post_transform", "NONE") != "NONE":
        raise ModelError(
            f"{step.where}: expected no post_transform, got {node.attribute('post_transform', 'NONE')}"
        )
    _dense(ops, step, node.key(0), weights, bias, "linear")


def normalizer(ops: Shapes, step: Step, node: Node) -> None:
    """Normalizer by the sum of a row: of probabilities, whose sum is 1, it changes nothing."""
    norm = node.attribute("norm", "MAX")
    if norm != "L1" or not ops.flow.sums_to_one(step, node.key(0)):
        raise ModelError(
            f"{step.where} of norm {norm} is supported behind softmax and sigmoids of two classes only (a classifier "
            "that is one against the rest divides by the sum of all)"
        )
    ops.flow.same(step, node.key(0))


def zip_map(ops: Shapes, step: Step, node: Node) -> None:
    """ZipMap: probabilities with the names of their classes, which `onnx_plan` has read."""
    ops.flow.same(step, node.key(0))


def _linear(ops: Shapes, step: Step, node: Node, n_out: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (n_out, n_in) and bias (n_out,); without `n_out` there are as many as intercepts."""
    coefficients, intercepts = (
        np.array(node.attribute(name, []), np.float64) for name in ("coefficients", "intercepts")
    )
    n_out = n_out or intercepts.size
    if n_out < 1 or not coefficients.size or coefficients.size % n_out or intercepts.size not in (0, n_out):
        raise ModelError(
            f"{step.where}: {coefficients.size} coefficients, {intercepts.size} intercepts do not fit {n_out} outputs"
        )
    return coefficients.reshape(n_out, -1), intercepts if intercepts.size else np.zeros(n_out)


def _dense(ops: Shapes, step: Step, key: str, weights: np.ndarray, bias: np.ndarray, activation: str) -> None:
    scores = replace(step, output=(step.output, "scores"))
    ops.flow.dense(scores, key, weights, bias)
    if activation == "softmax":
        ops.flow.softmax(step, scores.output, -1)
    elif activation == "linear":
        ops.flow.same(step, scores.output)
    else:
        ops.flow.activation(step, scores.output, activation)


OPERATORS = {
    f"ai.onnx.ml.{name}": function
    for name, function in {
        "Scaler": scaler,
        "LinearClassifier": linear_classifier,
        "LinearRegressor": linear_regressor,
        "Normalizer": normalizer,
        "ZipMap": zip_map,
    }.items()
}
