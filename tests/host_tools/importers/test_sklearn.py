"""The scikit-learn importer against scikit-learn's predict, or predict_proba of classifiers (float64)."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute

pytest.importorskip("sklearn", reason="the extra ai-anne[sklearn]")

from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

X, Y = load_wine(return_X_y=True)
BINARY = Y == 1


def fit(model, x=X, y=Y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few steps of training do
        return model.fit(x, y)


def close(model, x=X):
    """The imported graph gives scikit-learn's answer, up to weights rounded to float32."""
    expected = np.asarray(model.predict_proba(x) if hasattr(model, "predict_proba") else model.predict(x))
    graph = load(model)
    got = execute(graph, x)
    if hasattr(model, "predict_proba") and expected.shape[1] == 2 and got.shape[1] == 1:
        expected = expected[:, 1]
    expected = expected.reshape(len(x), -1)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))
    return graph


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_mlp_classifier(activation):
    model = make_pipeline(StandardScaler(), MLPClassifier((7, 5), activation, max_iter=30, random_state=1))
    graph = close(fit(model))
    assert [layer.kind for layer in graph.layers] == ["scaling", "dense", "dense", "dense"]
    assert graph.layers[-1].activation == "softmax"
    assert graph.metadata.labels == ["0", "1", "2"] and graph.metadata.threshold is None


def test_binary_mlp_classifier_has_one_output_and_a_threshold():
    names = np.where(BINARY, "yes", "no")
    graph = close(
        fit(make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=30, random_state=1)), y=names)
    )
    assert graph.layers[-1].activation == "sigmoid"
    assert graph.metadata.labels == ["no", "yes"] and graph.metadata.threshold == 0.5


def test_mlp_classifier_of_several_labels_at_once():
    labels = np.stack([Y == 0, Y != 2], axis=1).astype(int)
    graph = close(
        fit(make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=30, random_state=1)), y=labels)
    )
    assert graph.layers[-1].activation == "sigmoid" and graph.metadata.threshold is None


@pytest.mark.parametrize("targets", [X[:, 0], X[:, :2]], ids=["one target", "two targets"])
def test_mlp_regressor(targets):
    close(
        fit(
            make_pipeline(
                StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,), max_iter=30, random_state=1)
            ),
            y=targets,
        )
    )


@pytest.mark.parametrize("model", [LinearRegression(), LinearRegression(fit_intercept=False), Ridge(2.0)])
@pytest.mark.parametrize("targets", [Y, X[:, :2]], ids=["one target", "two targets"])
def test_linear_regression(model, targets):
    close(fit(model, y=targets))


@pytest.mark.parametrize("model", [Lasso(0.1), ElasticNet(0.1)])
def test_sparse_linear_regression(model):
    close(fit(model))


def test_binary_logistic_regression():
    graph = close(fit(make_pipeline(StandardScaler(), LogisticRegression()), y=BINARY))
    assert graph.layers[-1].activation == "sigmoid"
    assert graph.metadata.labels == ["False", "True"] and graph.metadata.threshold == 0.5


def test_multinomial_logistic_regression():
    graph = close(fit(make_pipeline(StandardScaler(), LogisticRegression())))
    assert graph.layers[-1].activation == "softmax"


def test_binary_logistic_regression_saved_as_multinomial_by_an_older_version():
    # Before 1.8, multi_class="multinomial" gave softmax over (-z, z) for two classes: p = 1 / (1 + exp(-2
    # z)).
    model = fit(LogisticRegression(), *load_iris(return_X_y=True)[:1], load_iris().target == 2)
    model.multi_class = "multinomial"
    z = model.decision_function(load_iris().data)
    np.testing.assert_allclose(
        execute(load(model), load_iris().data)[:, 0], 1 / (1 + np.exp(-2 * z)), rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        MinMaxScaler((-1, 2)),
        MaxAbsScaler(),
        RobustScaler(),
        RobustScaler(with_centering=False, unit_variance=True),
        RobustScaler(with_scaling=False),
        PCA(3),
        PCA(4, whiten=True),
        make_pipeline(StandardScaler(), make_pipeline(PCA(5), MinMaxScaler())),
        "passthrough",
    ],
    ids=str,
)
def test_transformers(scaler):
    close(fit(Pipeline([("scaler", scaler), ("model", Ridge())])))


def test_constant_feature():
    # StandardScaler divides by 1 where the variance is 0.
    x = np.c_[X, np.full(len(X), 7.0)]
    close(fit(make_pipeline(StandardScaler(), Ridge()), x), x)


def test_feature_names_of_a_data_frame():
    model = fit(make_pipeline(StandardScaler(), LogisticRegression()), X[:, :2])
    model[0].feature_names_in_ = np.array(
        ["alcohol", "malic acid"], object
    )  # as fit leaves it for a pandas.DataFrame
    graph = load(model)
    assert graph.metadata.feature_names == ["alcohol", "malic acid"]


def test_provenance():
    graph = load(fit(make_pipeline(StandardScaler(), Ridge())))
    assert graph.metadata.provenance["importer"] == "sklearn"
    assert graph.metadata.provenance["framework"] == f"scikit-learn {sys.modules['sklearn'].__version__}"
    assert graph.metadata.provenance["layers"] == "StandardScaler, Ridge"


class MyRidge(Ridge):
    """Might compute anything."""


class MyOwn(BaseEstimator):
    """Likewise."""


def test_a_search_predicts_as_its_best_estimator():
    close(fit(GridSearchCV(Ridge(), {"alpha": [1, 10]})))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=50))
    graph = close(fit(GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1]})))
    assert graph.metadata.labels == ["0", "1", "2"]


@pytest.mark.parametrize(
    "model, message",
    [
        (
            RandomForestClassifier(2),
            "RandomForestClassifier is not supported; supported: Pipeline, StandardScaler,",
        ),
        (OneVsRestClassifier(LogisticRegression()), "OneVsRestClassifier is not supported"),
        (make_pipeline(PolynomialFeatures(), Ridge()), "PolynomialFeatures is not supported"),
        (make_pipeline(MinMaxScaler(clip=True), Ridge()), "MinMaxScaler(clip=True) is not supported"),
        (
            GridSearchCV(Ridge(), {"alpha": [1]}, refit=False),
            "GridSearchCV is not supported; supported: Pipeline",
        ),
        (
            make_pipeline(StandardScaler(), PCA(2)),
            "the pipeline ends with PCA; expected a model at the end: MLP",
        ),
        (MyRidge(), "MyRidge is not supported"),
    ],
)
def test_unsupported_estimator_is_refused_by_name(model, message):
    with pytest.raises(ModelError) as error:
        load(fit(model))
    assert message in str(error.value) and "\n" not in str(error.value)


def test_mlp_regressor_with_an_unknown_output_activation_is_refused():
    model = fit(MLPRegressor(hidden_layer_sizes=(3,), max_iter=5))
    model.out_activation_ = "exp"  # as loss="poisson" of 1.7 sets it
    with pytest.raises(
        ModelError, match="MLPRegressor: activation 'exp' is not supported; supported: identity,"
    ):
        load(model)


def test_one_vs_rest_logistic_regression_is_refused():
    model = fit(LogisticRegression())
    model.multi_class = "ovr"
    with pytest.raises(
        ModelError, match="one-vs-rest over 3 classes is not supported; fit with solver='lbfgs'"
    ):
        load(model)


@pytest.mark.parametrize(
    "model, message",
    [
        (Ridge(), "^Ridge is not fitted"),
        (make_pipeline(StandardScaler(), Ridge()), "^StandardScaler is not fitted"),
        (MyOwn(), "^MyOwn is not supported"),
        (object(), r"^cannot import an object of class builtins\.object"),
        (7, r"^cannot import an object of class builtins\.int"),
    ],
)
def test_not_fitted_or_no_estimator(model, message):
    with pytest.raises(ModelError, match=message):
        load(model)


def test_nan_weights_are_refused():
    model = fit(Ridge())
    model.coef_ = model.coef_ * np.nan
    with pytest.raises(ModelError, match=r"layer 0 \(Ridge\): 13 of 13 weights are NaN or infinite"):
        load(model)
