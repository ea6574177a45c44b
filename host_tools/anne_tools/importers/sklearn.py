"""scikit-learn estimators in memory: what `predict`, or for classifiers `predict_proba`, computes.

Only fitted attributes are read (`coefs_`, `mean_`, ...), so scikit-learn itself is not imported. Scalers and
PCA become Scaling and Dense layers, which passes fold into the first layer. A binary classifier has one
output, the probability of the second class; with more classes there is one output each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ModelError
from ..layers.build import GraphBuilder
from ..network.graph import Graph, Metadata
from .budget import MAX_LEVELS

# Searches for parameters, which predict as the best estimator does that they found.
SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
# scikit-learn's names of activation functions: ours.
ACTIVATIONS = {
    "identity": "linear",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
}


def read(source: object | Sequence[object]) -> Graph:
    """Return the Graph of a fitted estimator or Pipeline, or of several that run one after another.

    ModelError naming the class for an estimator that is not supported or not fitted, or for transformers
    alone.
    """
    estimators = source if isinstance(source, (list, tuple)) else [source]
    steps = [step for estimator in estimators for step in _steps(estimator)]
    if not steps or type(steps[-1]).__name__ not in MODELS:
        last = f"ends with {_name(steps[-1])}" if steps else "is empty"
        raise ModelError(f"the pipeline {last}; expected a model at the end: {', '.join(MODELS)}")
    builder = GraphBuilder((int(steps[0].n_features_in_),))
    for step in steps:
        STEPS[_name(step)](builder, step)
    metadata = Metadata(
        feature_names=[str(name) for name in getattr(steps[0], "feature_names_in_", [])],
        provenance={
            "framework": f"scikit-learn {getattr(sys.modules.get('sklearn'), '__version__', '')}",
            "layers": ", ".join(map(_name, steps)),
        },
    )
    if hasattr(steps[-1], "classes_"):
        metadata.labels = [str(label) for label in steps[-1].classes_]
        metadata.threshold = 0.5 if builder.last.shape == (1,) else None
    return builder.build(metadata)


def is_estimator(value: object) -> bool:
    """Whether an object is an estimator, of scikit-learn or like its own."""
    return hasattr(value, "fit") and hasattr(value, "get_params") and not isinstance(value, type)


def is_model(estimator: object) -> bool:
    """Whether an estimator answers; others prepare its inputs."""
    return hasattr(estimator, "predict")


def _steps(estimator: object, depth: int = 0) -> Iterator[object]:
    """The estimators of a pipeline and of pipelines in it, in order; each is fitted and supported."""
    name = _name(estimator)
    if name == "Pipeline" and _is_sklearns_own(estimator) and depth < MAX_LEVELS:
        for _, step in estimator.steps:
            if step is not None and step != "passthrough":
                yield from _steps(step, depth + 1)
        return
    if name in SEARCHES and _is_sklearns_own(estimator) and hasattr(estimator, "best_estimator_"):
        yield from _steps(estimator.best_estimator_, depth + 1)
        return
    if name not in STEPS or not _is_sklearns_own(estimator):
        raise ModelError(f"{name} is not supported; supported: Pipeline, {', '.join(STEPS)}")
    if not hasattr(estimator, "n_features_in_"):
        raise ModelError(f"{name} is not fitted; call fit() first")
    yield estimator


def _name(estimator: object) -> str:
    return type(estimator).__name__


def _is_sklearns_own(estimator: object) -> bool:
    """False for a subclass elsewhere, which may compute something else."""
    return type(estimator).__module__.partition(".")[0] == "sklearn"


# Transformers: each function appends what the estimator does to the builder


def _standard_scaler(b: GraphBuilder, scaler) -> None:
    """(x - mean) / scale."""
    _scaler(b, scaler, scaler.mean_ if scaler.with_mean else 0.0, scaler.scale_ if scaler.with_std else 1.0)


def _robust_scaler(b: GraphBuilder, scaler) -> None:
    """(x - median) / interquartile range."""
    centre = scaler.center_ if scaler.with_centering else 0.0
    _scaler(b, scaler, centre, scaler.scale_ if scaler.with_scaling else 1.0)


def _max_abs_scaler(b: GraphBuilder, scaler) -> None:
    """x / largest |x|."""
    _refuse_clip(scaler)
    _scaler(b, scaler, 0.0, scaler.scale_)


def _min_max_scaler(b: GraphBuilder, scaler) -> None:
    """x * scale + min, which maps the training data's range to feature_range."""
    _refuse_clip(scaler)
    b.scaling("MinMaxScaler", scaler.scale_, scaler.min_, source="MinMaxScaler")


def _scaler(b: GraphBuilder, scaler, centre, scale) -> None:
    """(x - centre) / scale."""
    scale = 1 / np.asarray(scale, np.float64)
    b.scaling(_name(scaler), scale, -np.asarray(centre, np.float64) * scale, source=_name(scaler))


def _refuse_clip(scaler) -> None:
    if getattr(scaler, "clip", False):
        raise ModelError(f"{_name(scaler)}(clip=True) is not supported; supported: clip=False")


def _pca(b: GraphBuilder, pca) -> None:
    """components @ (x - mean), divided by the square root of the explained variance if whitened."""
    weights = np.asarray(pca.components_, np.float64)
    if pca.whiten:
        deviation = np.sqrt(pca.explained_variance_)
        weights = weights / np.maximum(deviation, np.finfo(deviation.dtype).eps)[:, None]
    b.dense("PCA", weights, -weights @ pca.mean_, source="PCA")


# Models


def _array(coefficients: Any) -> np.ndarray:
    """Coefficients as an array; sparse ones, which sparsify() makes, are few enough for that."""
    return np.asarray(coefficients.toarray() if hasattr(coefficients, "toarray") else coefficients)


def _linear(b: GraphBuilder, model) -> None:
    """coef @ x + intercept, one output per target."""
    weights = np.atleast_2d(_array(model.coef_))
    bias = np.broadcast_to(model.intercept_, len(weights))
    b.dense(_name(model), weights, bias, source=_name(model))


def _logistic_regression(b: GraphBuilder, model) -> None:
    """sigmoid(coef @ x + intercept) for two classes, softmax of it for more."""
    kind = getattr(model, "multi_class", "auto")  # a setting of versions before 1.8
    weights, bias = _array(model.coef_), np.asarray(model.intercept_)
    if len(model.classes_) == 2:
        # The softmax over (-z, z) that "multinomial" used is sigmoid(2 z).
        factor = 2.0 if kind == "multinomial" else 1.0
        b.dense(_name(model), weights * factor, bias * factor, "sigmoid", source=_name(model))
        return
    if kind == "ovr" or model.solver == "liblinear":
        raise ModelError(
            f"{_name(model)}: one-vs-rest over {len(model.classes_)} classes is not supported; "
            "fit with solver='lbfgs', which is multinomial"
        )
    b.dense(_name(model), weights, bias, "softmax", source=_name(model))


def _mlp(b: GraphBuilder, model) -> None:
    """Dense layers with `activation`, the last one with `out_activation_`."""
    names = [model.activation] * (len(model.coefs_) - 1) + [model.out_activation_]
    for index, (kernel, bias, name) in enumerate(zip(model.coefs_, model.intercepts_, names, strict=True)):
        if name not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ModelError(f"{_name(model)}: activation {name!r} is not supported; supported: {known}")
        b.dense(
            f"dense_{index}",
            _array(kernel).T,
            bias,
            ACTIVATIONS[name],
            source=f"{_name(model)} layer {index}",
        )


TRANSFORMERS = {
    "StandardScaler": _standard_scaler,
    "MinMaxScaler": _min_max_scaler,
    "MaxAbsScaler": _max_abs_scaler,
    "RobustScaler": _robust_scaler,
    "PCA": _pca,
}
MODELS = {
    "MLPClassifier": _mlp,
    "MLPRegressor": _mlp,
    "LogisticRegression": _logistic_regression,
    "LinearRegression": _linear,
    "Ridge": _linear,
    "Lasso": _linear,
    "ElasticNet": _linear,
}
STEPS = TRANSFORMERS | MODELS
