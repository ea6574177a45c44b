"""Files that pickle and joblib write, against scikit-learn's own answers."""

from __future__ import annotations

import gzip
import pickle
import warnings

import numpy as np
import pytest
from anne_tools.conversion.frameworks import framework_outputs
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute

pytest.importorskip("sklearn", reason="the extra ai-anne[sklearn]")

from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

X, Y = load_wine(return_X_y=True)


def fit(model, x=X, y=Y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few steps of training do
        return model.fit(x, y)


# Pickles


class Evil:
    """Unpickled, it would set a mark."""

    opened = False

    @staticmethod
    def set_mark():
        Evil.opened = True
        return Evil()

    def __reduce__(self):
        return Evil.set_mark, ()


@pytest.mark.parametrize("suffix", [".pkl", ".joblib", ".dat"])
def test_pickle_is_not_opened_unless_trusted(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ModelError, match=f"^net{suffix}: a pickle runs code .* add --trust-pickle"):
        load(path)
    assert not Evil.opened


def test_trusted_pickle(tmp_path):
    model = fit(make_pipeline(StandardScaler(), Ridge()))
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps(model))
    graph = load(path, trust_pickle=True)
    np.testing.assert_array_equal(execute(graph, X), execute(load(model), X))
    assert graph.metadata.provenance["importer"] == "sklearn" and graph.metadata.name == "net"


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
@pytest.mark.parametrize("name", ["net.joblib", "net.pkl", "net.sav", "net.h5", "net.json", "net.onnx"])
def test_joblib_is_told_by_content(tmp_path, compress, name):
    joblib = pytest.importorskip("joblib")
    model = fit(Ridge())
    joblib.dump(model, tmp_path / name, compress=compress)
    graph = load(tmp_path / name, trust_pickle=True)
    np.testing.assert_array_equal(execute(graph, X), execute(load(model), X))


def test_a_pickle_named_as_torchs(tmp_path):
    (tmp_path / "net.pt").write_bytes(pickle.dumps(fit(Ridge())))
    with pytest.raises(ModelError, match=r"an object of sklearn\..* name the file \.pkl$"):
        load(tmp_path / "net.pt", trust_pickle=True)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_told_by_content(tmp_path, protocol):
    model = fit(Ridge())
    (tmp_path / "net.model").write_bytes(pickle.dumps(model, protocol))
    graph = load(tmp_path / "net.model", trust_pickle=True)
    np.testing.assert_array_equal(execute(graph, X), execute(load(model), X))


def test_a_pickle_that_was_gzipped(tmp_path):
    model = fit(Ridge())
    (tmp_path / "net.pkl.gz").write_bytes(gzip.compress(pickle.dumps(model)))
    graph = load(tmp_path / "net.pkl.gz", trust_pickle=True)
    np.testing.assert_array_equal(execute(graph, X), execute(load(model), X))


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "coo_array"])
def test_sparse_coefficients(kind):
    sparse = getattr(pytest.importorskip("scipy.sparse"), kind)
    for model in (LogisticRegression(max_iter=50), Ridge(), MLPClassifier((5,), max_iter=5)):
        dense = load(fit(model))
        if isinstance(model, MLPClassifier):
            model.coefs_ = [sparse(coefficients) for coefficients in model.coefs_]
        else:
            model.coef_ = sparse(np.atleast_2d(model.coef_))
        np.testing.assert_array_equal(execute(load(model), X), execute(dense, X))
    lasso = fit(LogisticRegression(l1_ratio=1, solver="saga", max_iter=50)).sparsify()
    np.testing.assert_allclose(execute(load(lasso), X), lasso.predict_proba(X), rtol=0, atol=1e-5)


# Pickles of several things


SCALER = StandardScaler().fit(X)
MODEL = fit(LogisticRegression(max_iter=50), SCALER.transform(X))
ANSWERS = MODEL.predict_proba(SCALER.transform(X))


def bundled(tmp_path, bundle, network=None):
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps(bundle))
    return load(path, trust_pickle=True, network=network)


@pytest.mark.parametrize(
    "bundle, network",
    [
        ({"model": MODEL, "scaler": SCALER}, None),
        (
            {"scaler": SCALER, "model": MODEL, "classes": ["a", "b"], "score": 0.9, "columns": np.arange(3)},
            None,
        ),
        ((SCALER, MODEL), None),
        ([MODEL, SCALER], None),
        ({"all": make_pipeline(SCALER, MODEL)}, None),
        ({"model": MODEL, "old": fit(Ridge()), "scaler": SCALER}, "scaler+model"),
        ({"model": MODEL, "old": fit(Ridge()), "scaler": SCALER}, "3 + 1"),
        ({"model": MODEL, "x_scaler": SCALER, "y_scaler": StandardScaler().fit(X[:, :1])}, "x_scaler+model"),
        ((SCALER, MODEL, SCALER), "1+2"),
    ],
)
def test_a_bundle_of_scaler_and_model_is_their_pipeline(tmp_path, bundle, network):
    graph = bundled(tmp_path, bundle, network)
    np.testing.assert_allclose(execute(graph, X), ANSWERS, rtol=0, atol=1e-6)
    assert graph.metadata.provenance["notes"].startswith("read '")


def test_the_notes_say_what_of_a_bundle_was_read(tmp_path):
    bundle = {"model": MODEL, "old": fit(Ridge()), "scaler": SCALER}
    notes = bundled(tmp_path, bundle, "scaler+model").metadata.provenance["notes"]
    assert (
        notes == "read 'scaler' (StandardScaler), then 'model' (LogisticRegression); 'old' (Ridge) not used"
    )
    # the model alone, if that is what is asked for
    np.testing.assert_allclose(
        execute(bundled(tmp_path, bundle, "model"), SCALER.transform(X)), ANSWERS, rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    "bundle, network, message",
    [
        (
            {"model": MODEL, "old": fit(Ridge()), "scaler": SCALER},
            None,
            "several estimators (model: LogisticRegression, old: Ridge, scaler: StandardScaler); say which to use, in "
            "the order they run, with --network scaler+model (in Python: network=)",
        ),
        (
            {"model": MODEL, "target_scaler": SCALER},
            None,
            "(model: LogisticRegression, target_scaler: StandardScaler)",
        ),
        ({"model": MODEL, "a": SCALER, "b": SCALER}, None, "say which to use"),
        ({"model": MODEL, "poly": PolynomialFeatures().fit(X)}, None, "PolynomialFeatures is not supported"),
        (
            {"model": MODEL, "scaler": SCALER},
            "other",
            "(1 or model: LogisticRegression; 2 or scaler: Stand",
        ),
        ({"a": 1}, None, "a dict without a scikit-learn estimator in it; save the model alone"),
        ((SCALER,), None, "no model among the estimators in the file (1: StandardScaler)"),
        (
            {"p": make_pipeline(SCALER, MODEL), "scaler": SCALER},
            None,
            "in the order they run, with --network p (in P",
        ),
        ([], None, "a list without a scikit-learn estimator in it"),
        (MODEL, "model", "the file holds 1 network (1: the only one), and none is 'model'"),
    ],
)
def test_a_bundle_that_is_not_clear(tmp_path, bundle, network, message):
    with pytest.raises(ModelError) as error:
        bundled(tmp_path, bundle, network)
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "pickled, message",
    [
        (
            b"cmy_features\nOwn\n.",
            "needs module my_features, which is not installed; if it is your own",
        ),
        (
            b"csklearn.linear_model.logistic\nX\n.",
            "needs module sklearn.linear_model.logistic, which sklearn ",
        ),
        (
            b"c__main__\nOwnThing\n.",
            "(module '__main__' has no attribute 'OwnThing')",
        ),
    ],
)
def test_a_module_that_is_missing_is_named(tmp_path, pickled, message):
    path = tmp_path / "net.pkl"
    path.write_bytes(b"\x80\x02" + pickled)
    with pytest.raises(ModelError) as error:
        load(path, trust_pickle=True)
    assert message in str(error.value)


def test_verify_runs_the_bundle_in_scikit_learn(tmp_path):
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps({"model": MODEL, "scaler": SCALER}))
    name, (outputs,) = framework_outputs(path, [X], [None], trust_pickle=True)
    assert name.startswith("scikit-learn")
    np.testing.assert_array_equal(outputs, ANSWERS)


@pytest.mark.parametrize("data", [b"\x80\x04", b"\x80\x04\x95", pickle.dumps([1, 2])])
def test_damaged_pickle(tmp_path, data):
    path = tmp_path / "net.pkl"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"^net\.pkl: (damaged|a list without a scikit-learn estimator)"):
        load(path, trust_pickle=True)
