"""importers/onnx.py on what other tools and settings write: a second file, float16 and float64, nodes out of order,
scikit-learn's classifiers (sklearn-onnx), quantised files. ONNX Runtime says what is expected.
"""

from __future__ import annotations

import functools
import os
import random

import numpy as np
import pytest
from anne_tools.conversion.convert import convert
from anne_tools.conversion.verify import verify
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.network.execute import execute

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx_writer import answers, session, write  # noqa: E402 - skips come first

SEED = 20261126
RNG = np.random.default_rng(SEED)
X = RNG.normal(0, 2, (50, 4)).astype(np.float32)
W1, B1 = RNG.normal(0, 1, (4, 6)).astype(np.float32), RNG.normal(0, 1, 6).astype(np.float32)
W2, B2 = RNG.normal(0, 1, (6, 3)).astype(np.float32), RNG.normal(0, 1, 3).astype(np.float32)
MLP = "h = Gemm(x, w1, b1)\nr = Relu(h)\ns = Gemm(r, w2, b2)\ny = Softmax(s)"
WEIGHTS = {"w1": W1, "b1": B1, "w2": W2, "b2": B2}


@pytest.fixture
def make(tmp_path):
    return functools.partial(write, tmp_path / "made.onnx")


def close(got: np.ndarray, expected: np.ndarray, bound=2e-6) -> None:
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound * np.abs(expected).max())


def refused(path) -> str:
    with pytest.raises(ModelError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


# Order


def test_nodes_in_any_order(make):
    path = make(MLP, WEIGHTS)
    expected = answers(path, X)[0]
    model = onnx.load(path)
    nodes = list(model.graph.node)
    for seed in range(5):
        random.Random(seed).shuffle(nodes)
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        onnx.save(model, path)
        close(execute(load(path), X), expected)


def test_nodes_that_the_output_does_not_need_are_not_looked_at(make):
    path = make(MLP + "\nc = Conv(r, w1)\nd = Relu(c)", WEIGHTS)
    assert [layer.kind for layer in load(path).layers] == ["dense", "activation", "dense", "activation"]


# Numbers


def test_the_constants_of_an_activation_in_float16(make):
    """sqrt 2 and 1/6 are rounded there."""
    text = "a = Div(x, root)\nb = Erf(a)\nc = Add(b, one)\nd = Mul(x, c)\ng = Mul(d, half)\n"
    text += "p = Add(g, three)\nq = Clip(p, zero, six)\nr = Mul(g, q)\ny = Mul(r, sixth)"
    numbers = {"root": np.sqrt(2), "one": 1, "half": 0.5, "three": 3, "zero": 0, "six": 6, "sixth": 1 / 6}
    path = make(
        text, {name: np.float16(value) for name, value in numbers.items()}, dtype="float16", output_type=10
    )
    graph = load(path)
    assert [layer.activation for layer in graph.layers] == ["gelu", "hard_swish"]
    close(execute(graph, X), answers(path, X.astype(np.float16))[0].astype(np.float32), 4e-3)


@pytest.mark.parametrize("dtype, bound", [("float16", 4e-3), ("float64", 1e-6)])
@pytest.mark.parametrize("inside", [False, True])
def test_float16_and_float64(make, dtype, bound, inside):
    weights = {name: value.astype(dtype) for name, value in WEIGHTS.items()}
    if inside:  # float32 at the ends
        to = {"float16": 10, "float64": 11}[dtype]
        text = (
            f"a = Cast(x; to={to})\n" + MLP.replace("(x", "(a").replace("y =", "z =") + "\ny = Cast(z; to=1)"
        )
        path, x = make(text, weights), X
    else:
        path, x = (
            make(MLP, weights, dtype=dtype, output_type={"float16": 10, "float64": 11}[dtype]),
            X.astype(dtype),
        )
    graph = load(path)
    close(execute(graph, X), answers(path, x)[0].astype(np.float64), bound)
    assert f"{dtype} in the file, here all is float32" in convert(path).report.notes


def test_bfloat16_weights(make):
    import ml_dtypes

    narrow = {name: value.astype(ml_dtypes.bfloat16) for name, value in WEIGHTS.items()}
    wide = "\n".join(f"f{name} = Cast({name}; to=1)" for name in narrow)
    path = make(wide + "\n" + MLP.replace("w1, b1", "fw1, fb1").replace("w2, b2", "fw2, fb2"), narrow)
    np.testing.assert_array_equal(load(path).layers[0].weights, narrow["w1"].astype(np.float32).T)


# A second file


def external(path, **changes) -> onnx.ModelProto:
    """Move a model's weights into net.data beside it, as torch.onnx.export does; return the model to be changed."""
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="net.data", size_threshold=0)
    model = onnx.load(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key in changes:
            entry.value = changes[entry.key]
    path.write_bytes(model.SerializeToString())
    return model


def test_weights_in_a_second_file(make):
    path = make(MLP, WEIGHTS)
    expected = answers(path, X)[0]
    external(path)
    assert len(list(path.parent.iterdir())) == 2
    close(execute(load(path), X), expected)


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"location": "../net.data"},
            "its weights are in '../net.data'; expected a plain name of a file beside",
        ),
        ({"location": "/etc/passwd"}, "expected a plain name of a file beside the model"),
        ({"location": "sub\\\\net.data"}, "expected a plain name of a file beside the model"),
        ({"location": ".."}, "expected a plain name of a file beside the model"),
        ({"location": ""}, "expected a plain name of a file beside the model"),
        ({"location": "net.data\0"}, "expected a plain name of a file beside the model"),
        ({"location": "other.data"}, "in other.data beside the model, which cannot be read: No such file"),
        ({"location": "."}, "expected a plain name of a file beside the model"),
        ({"location": "folder"}, "folder beside the model"),
        ({"location": "link"}, "'link' is a link out of the model's folder, which is not followed"),
        ({"location": "loop"}, "loop"),
        ({"location": "pipe"}, "pipe beside the model is not a regular file"),
        ({"offset": "1000000"}, "expected 96 bytes at 1000000 of net.data, which has"),
        ({"offset": "-4"}, "its offset in a second file is '-4', not a number"),
        ({"offset": "9" * 30}, "its offset in a second file is"),
        ({"length": "4"}, "expected 96 bytes in a second file, got a length of 4"),
        ({"length": "1e3"}, "its length in a second file is '1e3', not a number"),
    ],
)
def test_a_second_file_is_proven_before_it_is_read(make, tmp_path, changes, message):
    path = make(MLP, WEIGHTS)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    external(path, **changes)
    assert message in refused(path)


def test_a_link_within_the_folder_is_followed(make, tmp_path):
    path = make(MLP, WEIGHTS)
    expected = answers(path, X)[0]
    external(path, location="link")
    (tmp_path / "link").symlink_to("net.data")
    close(execute(load(path), X), expected)


def test_a_second_file_may_be_large_but_is_not_read_over_and_over(make, tmp_path):
    # 60 constants of 4 MB each, all the same bytes of one sparse file
    names = [f"c{i}" for i in range(60)]
    text = "\n".join(f"a{i + 1} = Mul(a{i}, c{i})" for i in range(60)).replace("a0", "x").replace("a60", "y")
    path = make(text, {name: np.float32([1, 2, 3, 4]) for name in names})
    model = external(path)
    for tensor in model.graph.initializer:
        tensor.dims[:] = [1 << 20]
        for entry in tensor.external_data:
            entry.value = {"offset": "0", "length": str(4 << 20)}.get(entry.key, entry.value)
    path.write_bytes(model.SerializeToString())
    with (tmp_path / "net.data").open("wb") as file:
        file.truncate(4 << 20)
    assert "more than the limit of" in refused(path)


# Classifiers of scikit-learn, as skl2onnx 1.20 writes them


STRINGS = "classlabels_strings=['setosa', 'versicolor', 'virginica']"
LINEAR = (
    "v = ai.onnx.ml.Scaler(x; offset=[0.5, -1.0, 0.0, 2.0], scale=[1.5, 0.5, 1.0, 2.0])\n"
    "l, s = ai.onnx.ml.LinearClassifier(v; coefficients={c}, intercepts={i}, {labels}, multi_class=1, "
    "post_transform='{post}')\n"
)
NORMALIZED = "p = ai.onnx.ml.Normalizer(s; norm='L1')\n"


def linear(post, n=3, labels=STRINGS):
    coefficients, intercepts = W2[:4, :n].T.ravel().tolist(), B2[:n].tolist()
    if n == 2:  # of two classes skl2onnx writes the one row, negated first
        row, bias = W2[:4, 0].tolist(), float(B2[0])
        coefficients, intercepts = [-v for v in row] + row, [-bias, bias]
    return LINEAR.format(c=coefficients, i=intercepts, labels=labels, post=post)


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("strings", [False, True])
def test_logistic_regression_of_three_classes(make, zipmap, strings):
    labels = STRINGS if strings else "classlabels_ints=[10, 20, -30]"
    end = f"q = ai.onnx.ml.ZipMap(p; {labels.replace('_ints', '_int64s')})" if zipmap else "q = Identity(p)"
    text = linear("SOFTMAX", labels=labels) + NORMALIZED + end
    path = make(text, outputs=("l", "q"), output_type=7)
    fix_types(path, strings, zipmap)
    told, probabilities = answers(path, X)
    if zipmap:
        keys = ["setosa", "versicolor", "virginica"] if strings else [10, 20, -30]
        probabilities = [[row[key] for key in keys] for row in probabilities]
    graph = load(path)
    close(execute(graph, X), np.asarray(probabilities))
    names = ["setosa", "versicolor", "virginica"] if strings else ["10", "20", "-30"]
    assert graph.metadata.labels == names
    assert [names[i] for i in execute(graph, X).argmax(axis=1)] == [str(each) for each in told]


def test_logistic_regression_of_two_classes_in_float64(make):
    """skl2onnx writes operators of float64 apart, and divides the sigmoids of z and -z by their sum."""
    weights, bias = W2[:4, :1].astype(float), B2[:1].astype(float)
    constants = {"w": np.hstack([-weights, weights]), "b": np.hstack([-bias, bias]), "axis": np.array([1])}
    text = (
        "m = MatMul(x, w)\nz = Add(m, b)\ns = Sigmoid(z)\na = Abs(s)\nn = ReduceSum(a, axis)\ny = Div(s, n)"
    )
    path = make(text, constants, dtype="float64", output_type=11)
    graph = load(path)
    close(execute(graph, X), answers(path, X.astype(np.float64))[0])
    assert [layer.kind for layer in graph.layers] == ["dense", "activation"]


def fix_types(path, strings: bool, zipmap: bool) -> None:
    """Give the outputs the types that ONNX Runtime expects: class texts or integers, probabilities or maps."""
    model = onnx.load(path)
    told, probabilities = model.graph.output
    told.type.tensor_type.elem_type = 8 if strings else 7
    if zipmap:
        probabilities.ClearField("type")
        of = probabilities.type.sequence_type.elem_type.map_type
        of.key_type, of.value_type.tensor_type.elem_type = 8 if strings else 7, 1
    else:
        probabilities.type.tensor_type.elem_type = 1
    onnx.save(model, path)


@pytest.mark.parametrize("post, end", [("LOGISTIC", NORMALIZED), ("NONE", "p = Identity(s)\n")])
def test_logistic_regression_and_linear_svm_of_two_classes(make, post, end):
    path = make(linear(post, 2, "classlabels_ints=[0, 1]") + end, outputs=("l", "p"), output_type=7)
    fix_types(path, False, False)
    graph = load(path)
    told, probabilities = answers(path, X)
    close(execute(graph, X), probabilities)
    assert graph.metadata.labels == ["0", "1"]
    np.testing.assert_array_equal(execute(graph, X).argmax(axis=1), told)


def test_one_against_the_rest_is_refused_with_the_reason(make):
    path = make(linear("LOGISTIC") + NORMALIZED, outputs=("l", "p"), output_type=7)
    assert "divides by the sum of all" in refused(path)


def mlp_classifier(outputs: int, labels: str) -> str:
    last = "Softmax(o)" if outputs > 1 else "Sigmoid(o)"
    both = "q = Identity(p)\n" if outputs > 1 else "n = Sub(unity, p)\nq = Concat(n, p; axis=1)\n"
    return (
        "c = Cast(x; to=1)\nm = MatMul(c, w1)\na = Add(m, b1)\nr = Relu(a)\nk = MatMul(r, w2)\no = Add(k, b2)\n"
        f"p = {last}\n{both}g = ArgMax(q; axis=1)\nf = ai.onnx.ml.ArrayFeatureExtractor(classes, g)\n"
        f"t = Reshape(f, shape)\nl = {labels}"
    )


@pytest.mark.parametrize("n, strings", [(3, False), (2, False), (3, True), (2, True)])
def test_mlp_classifier(make, n, strings):
    names = np.array(["no", "yes", "maybe"][:n]) if strings else np.array([3, 5, 9][:n], np.int32)
    outputs = n if n > 2 else 1
    constants = {"w1": W1, "b1": B1[None], "w2": W2[:, :outputs], "b2": B2[None, :outputs]}
    constants |= {"classes": names, "shape": np.array([-1]), "unity": np.float32(1)}
    if strings:
        constants["classes"] = names.astype(object)
    text = mlp_classifier(outputs, "Identity(t)" if strings else "Cast(t; to=7)")
    path = make(text, constants, outputs=("l", "q"), output_type=7)
    fix_types(path, strings, False)
    graph = load(path)
    told, probabilities = answers(path, X)
    close(execute(graph, X), probabilities)
    assert graph.metadata.labels == [str(each) for each in names]
    assert [graph.metadata.labels[i] for i in execute(graph, X).argmax(axis=1)] == [
        str(each) for each in told
    ]
    converted = convert(path)
    close(converted.predict(X), probabilities, 1e-5)


def test_linear_regression_and_integers_as_inputs(make):
    text = "c = Cast(x; to=1)\ny = ai.onnx.ml.LinearRegressor(c; coefficients=[0.5, 1.0, -2.0, 0.25], intercepts=[3.0])"
    path = make(text, dtype="int64")
    x = RNG.integers(-5, 5, (20, 4))
    close(execute(load(path), x), answers(path, x)[0])


def test_min_max_scaler_and_pca(make):
    # as skl2onnx writes them: Mul, Add; Sub, MatMul
    text = "a = Cast(x; to=1)\nb = Mul(a, s)\nc = Add(b, m)\nd = Sub(c, mean)\ne = MatMul(d, w1)\ny = Relu(e)"
    constants = {"s": B1[:4] + 2, "m": B1[1:5], "mean": W1[:, 0], "w1": W1}
    path = make(text, constants)
    close(execute(load(path), X), answers(path, X)[0])


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "l, s = ai.onnx.ml.TreeEnsembleClassifier(x)\ny = Identity(s)",
            "needs ai.onnx.ml.TreeEnsembleClassifier (1)",
        ),
        ("y = ai.onnx.ml.Scaler(x)", "offset and scale are missing"),
        ("y = ai.onnx.ml.Scaler(x; offset=[1.0, 2.0], scale=[1.0])", "expected 1 or 4 constants, got 2"),
        (
            "l, y = ai.onnx.ml.LinearClassifier(x; coefficients=[1.0] * 7, intercepts=[0.0] * 2, "
            "classlabels_ints=[0, 1])",
            "7 coefficients, 2 intercepts do not fit 2 outputs",
        ),
        (
            "l, y = ai.onnx.ml.LinearClassifier(x; coefficients=[1.0] * 8, intercepts=[0.0] * 2, "
            "classlabels_ints=[0, 1, 2])",
            "expected a row of coefficients a class, got 2 for 3",
        ),
        ("y = ai.onnx.ml.Normalizer(x; norm='L2')", "Normalizer) of norm L2 is supported behind softmax"),
    ],
)
def test_other_models_of_scikit_learn(make, text, message):
    assert message in refused(make(text))


# Quantised files


def quantised(make, text, weights=None, **options):
    """A model quantised by ONNX Runtime's own quantiser, calibrated with X."""
    from onnxruntime import quantization as q

    path = make(text, weights or WEIGHTS)

    class Reader(q.CalibrationDataReader):
        rows = iter([{"x": row[None]} for row in X])

        def get_next(self):
            return next(self.rows, None)

    target = path.with_name("quantised.onnx")
    q.quantize_static(path, target, Reader(), quant_format=q.QuantFormat.QDQ, **options)
    return target


def steps_beside(path) -> np.ndarray:
    """How many steps the answers of the model file are from ONNX Runtime's, for 500 samples."""
    x = np.random.default_rng(SEED).normal(0, 2, (500, 4)).astype(np.float32)
    run = session(path)
    expected = np.concatenate([run.run(None, {"x": row[None]})[0] for row in x])
    converted = convert(path)
    assert any("int8 as in the file" in note for note in converted.report.notes)
    scale = load(path).tensors[load(path).outputs[0]].quantization.scale[0]
    return np.abs((converted.predict(x) - expected) / scale).round().astype(int)


TWO_DENSE = "h = Gemm(x, w1, b1)\nr = Relu(h)\ny = Gemm(r, w2, b2)"


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("unsigned", [False, True])
@pytest.mark.parametrize(
    "text, equal",
    [
        ("h = Gemm(x, w1, b1)\nr = Relu(h)\ny = Gemm(r, w2, b2)", 0.98),
        # the file rounds the product and its sum with the bias, the model file the sum only
        ("m = MatMul(x, w1)\nh = Add(m, b1)\nr = Relu(h)\ny = Gemm(r, w2, b2)", 0.7),
    ],
)
def test_quantised_file_is_the_same_int8_network(make, per_channel, unsigned, text, equal):
    from onnxruntime.quantization import QuantType

    types = {
        "activation_type": QuantType.QUInt8 if unsigned else QuantType.QInt8,
        "weight_type": QuantType.QInt8,
    }
    steps = steps_beside(quantised(make, text, per_channel=per_channel, **types))
    assert steps.max() <= 1 and np.mean(steps == 0) > equal


def rms_off(made, expected) -> float:
    return float(np.sqrt(np.mean(np.square(made - expected))))


CHAIN = "a = Gemm(x, w1, b1)\nr = {first}\nb = Gemm(r, w2, b2)\n{last}"
SIX = {"zero": np.float32(0), "six": np.float32(6), "shape": np.array([-1, 3])}


@pytest.mark.parametrize(
    "first, last, dtype",
    [
        ("Sigmoid(a)", "y = Softmax(b)", "int8"),
        ("Clip(a, zero, six)", "t = Tanh(b)\ny = LeakyRelu(t)", "int8"),
        ("Clip(a, zero, six)", "y = Reshape(b, shape)", "int8"),
        ("Elu(a)", "t = Elu(b)\ny = Tanh(t)", "int8"),  # the last three in floats
    ],
)
def test_activations_of_quantised_files(make, first, last, dtype):
    text = CHAIN.format(first=first, last=last)
    path = quantised(make, text, WEIGHTS | SIX)
    run, floats = session(path), session(make(text, WEIGHTS | SIX))
    expected, exact = (
        np.concatenate([each.run(None, {"x": row[None]})[0] for row in X]) for each in (run, floats)
    )
    converted = convert(path)
    assert converted.report.dtype == dtype
    # an int8 network is nearer to the quantised file's answers than the network was before it was quantised
    assert rms_off(converted.predict(X), expected) < {"int8": 0.75, "float32": 1.2}[dtype] * rms_off(
        exact, expected
    )


@pytest.mark.parametrize("most, name", [(9, "relu"), (6, "relu6")])
def test_a_relu_that_the_quantiser_left_out_is_put_back_among_floats(make, most, name):
    # the integers end where relu and relu6 do; behind them two layers of floats, which no int8 network has
    text = "a = Gemm(x, w1, b1)\nq = QuantizeLinear(a, s, z)\nd = DequantizeLinear(q, s, z)\nb = Gemm(d, w2, b2)\n"
    path = make(text + "c = Elu(b)\ny = Tanh(c)", WEIGHTS | {"s": np.float32(most / 255), "z": np.int8(-128)})
    graph = load(path)
    assert "read as floats" in graph.metadata.provenance["notes"]
    assert [layer.activation for layer in graph.layers if layer.kind == "activation"] == [name, "elu", "tanh"]
    x = np.random.default_rng(SEED).uniform(-1, 1, (30, 4)).astype(np.float32)
    expected = np.concatenate([answers(path, row[None])[0] for row in x])
    np.testing.assert_allclose(execute(graph, x), expected, rtol=0, atol=0.05)


def test_int16_values_of_a_quantised_file_are_read_as_floats(make):
    from onnxruntime.quantization import QuantType

    text = "h = Gemm(x, w1, b1)\nr = Relu(h)\ny = Gemm(r, w2, b2)"
    path = quantised(make, text, activation_type=QuantType.QInt16, weight_type=QuantType.QInt8)
    run = session(path)
    expected = np.concatenate([run.run(None, {"x": row[None]})[0] for row in X])
    close(execute(load(path), X), expected, 1e-3)


# Against the framework, by `anne verify`


@pytest.mark.parametrize("kind", ["zipmap", "probabilities", "float16", "float64", "quantised"])
def test_verify_asks_onnx_runtime(make, kind):
    if kind in ("zipmap", "probabilities"):
        labels = "classlabels_ints=[0, 1, 2]"
        end = (
            f"q = ai.onnx.ml.ZipMap(p; {labels.replace('_ints', '_int64s')})"
            if kind == "zipmap"
            else "q = Identity(p)"
        )
        path = make(linear("SOFTMAX", labels=labels) + NORMALIZED + end, outputs=("l", "q"), output_type=7)
        fix_types(path, False, kind == "zipmap")
    elif kind == "quantised":
        path = quantised(make, "h = Gemm(x, w1, b1)\nr = Relu(h)\ny = Gemm(r, w2, b2)")
    else:
        weights = {name: value.astype(kind) for name, value in WEIGHTS.items()}
        path = make(MLP, weights, dtype=kind, output_type={"float16": 10, "float64": 11}[kind])
    framework = verify(convert(path).data, path)[0]
    assert framework.first.startswith("ONNX Runtime") and framework.good and not framework.skipped
    assert framework.largest <= {"quantised": 1, "float16": 4e-3}.get(kind, 1e-5)


# Extremes of several values


@pytest.mark.parametrize(
    "text",
    [
        "a = Tanh(x)\ny = Max(x, a)",
        "a = Tanh(x)\ny = Min(a, x)",
        "a = Tanh(x)\nb = Relu(x)\ny = Max(x, a, b)",
        "a = Tanh(x)\ny = Min(x, c, a)",
        "a = ReduceMean(x; axes=[1], keepdims=1)\ny = Max(a, x)",
        "a = Neg(x)\ny = Max(a)",
    ],
)
def test_extremes_of_computed_values_and_numbers(make, text):
    path = make(text, {"c": np.float32(0.3)}, opset=13)
    close(execute(load(path), X), answers(path, X)[0])
