"""The Keras importer against outputs of Keras itself.

The files in tests/golden/keras were written by tests/golden/make_keras.py with Keras 3.15.0 and 2.15.0,
together with what their `predict` says (float32). Where Keras is installed, the same models are made anew, in
memory and in files.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.layers import Activation, Scaling
from anne_tools.network.execute import execute

h5py = pytest.importorskip("h5py", reason="the extra ai-anne[keras]")

GOLDEN = Path(__file__).parents[2] / "golden" / "keras"
GOOD = [
    pytest.param(path, id=path.name)
    for path in sorted(GOLDEN.glob("*"))
    if path.stem.partition("_")[2] in ("mlp", "nested", "activations", "elementwise")
]


def close(got: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for the rounding of Keras's float32 arithmetic (ours is float64)."""
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("path", GOOD)
def test_golden_file_gives_what_keras_predicts(path):
    version, _, name = path.stem.partition("_")
    expected = np.load(GOLDEN / f"{version}_expected.npz")
    graph = load(path)
    close(execute(graph, expected[f"{name}_x"]), expected[f"{name}_y"])
    assert graph.metadata.name == path.stem
    assert graph.metadata.provenance["framework"] == f"Keras {expected['version']}"


def test_golden_files_exist_for_both_versions_and_formats():
    kinds = {(path.values[0].stem.partition("_")[0], path.values[0].suffix) for path in GOOD}
    assert kinds == {(version, suffix) for version in ("keras2", "keras3") for suffix in (".h5", ".keras")}


def test_layers_keep_their_source_and_training_only_layers_stay_visible():
    graph = load(GOLDEN / "keras3_mlp.keras")
    assert [layer.kind for layer in graph.layers] == ["scaling", "dense", "activation", "dense", "dense"]
    assert graph.layers[1].source == "Dense 'z'"
    dropout = graph.layers[2]
    assert isinstance(dropout, Activation) and dropout.activation == "linear" and "Dropout" in dropout.source


def test_constants_in_the_config_only():
    # mean 1, 2, 3, 4 and variance 1, 4, 9, 0.25 of make_keras.elementwise: (x - mean) / sqrt(variance)
    scaling = load(GOLDEN / "keras3_elementwise.keras").layers[0]
    assert isinstance(scaling, Scaling)
    np.testing.assert_allclose(scaling.scale, [1, 1 / 2, 1 / 3, 2])
    np.testing.assert_allclose(scaling.offset, [-1, -1, -1, -8])


def test_hard_sigmoid_of_keras_2_is_not_that_of_keras_3():
    # Keras 2: clip(0.2 x + 0.5, 0, 1); Keras 3: clip(x / 6 + 0.5, 0, 1), the same for 1.2 x.
    graph = load(GOLDEN / "keras2_activations.keras")
    layers = enumerate(graph.layers)
    index, hard = next((i, layer) for i, layer in layers if layer.activation == "hard_sigmoid")
    with zipfile.ZipFile(GOLDEN / "keras2_activations.keras") as archive:
        stored = h5py.File(io.BytesIO(archive.read("model.weights.h5")))["layers"]
        np.testing.assert_allclose(hard.weights, 1.2 * stored[f"dense_{index}/vars/0"][()].T, rtol=1e-6)


@pytest.mark.parametrize(
    "name, message",
    [
        ("lstm", "needs LSTM (1); the first is layer 2 (LSTM 'memory'); LSTM: a recurrent layer; "),
        ("lambda_layer", "needs Lambda (1); the first is layer 1 (Lambda 'code')"),
        ("custom_layer", "needs mine>Dense (1); the first is layer 0 (mine>Dense 'own')"),
    ],
)
def test_unsupported_model_is_refused_by_name(name, message):
    path = GOLDEN / f"keras3_{name}.keras"
    with pytest.raises(ModelError) as error:
        load(path)
    assert str(error.value).startswith(f"{path.name}: ") and message in str(error.value)


def rewrite(source: Path, target: Path, config=None, weights=None, leave_out=()) -> Path:
    """Copy a .keras file, its config changed by `config(dict)`, its weights by `weights(h5py.File)`."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json" and config:
                description = json.loads(data)
                config(description)
                data = json.dumps(description).encode()
            if name == "model.weights.h5" and weights:
                buffer = io.BytesIO(data)
                with h5py.File(buffer, "r+") as file:
                    weights(file)
                data = buffer.getvalue()
            if name not in leave_out:
                new.writestr(name, data)
    return target


def in_layers(index: int, **settings):
    """A change of one layer's settings in a Sequential's config."""
    return lambda description: description["config"]["layers"][index]["config"].update(settings)


def set_weights(path: str, value):
    """A change of one variable; `value` None removes it."""

    def change(file):
        del file[path]
        if value is not None:
            file[path] = value

    return change


def test_everything_that_is_missing_is_named_before_anything_is_computed(tmp_path):
    def change(description):
        config = description["config"]
        for index, name in ((3, "LSTM"), (4, "Conv3D"), (5, "Conv3D")):
            config["layers"][index]["class_name"] = name
        config["layers"][2]["config"]["activation"] = "mish"

    path = rewrite(
        GOLDEN / "keras3_mlp.keras", tmp_path / "net.keras", change, leave_out=["model.weights.h5"]
    )
    with pytest.raises(
        ModelError, match=r"needs Conv3D \(2\), activation mish \(1\), LSTM \(1\); the first is layer 1"
    ):
        load(path)


# As other versions and systems write the weights


def joined_by_backslashes(file) -> None:
    """What Keras 2.12 to 2.15 wrote on Windows: one group a layer, its path one name."""
    holders = []
    file.visit(lambda name: holders.append(name) if name.endswith("/vars") and len(file[name]) else None)
    for name in holders:
        path = name.removesuffix("/vars")
        file.move(name, f"{path.replace('/', chr(92))}/vars")
    del file["layers"]


def counted_twice(file, container="layers") -> None:
    """What Keras 2.13 wrote: `_layer_checkpoint_dependencies` lists a layer with weights twice, and the second, which
    has been written already, gets a name all the same (saving_lib.py, _save_container_state)."""
    for group in [name for name in file[container] if f"{container}/{name}/layers" in file]:
        counted_twice(file, f"{container}/{group}/layers")
    stems: dict[str, list] = {}
    for name in file[container]:
        stem, _, number = name.rpartition("_")
        stem, number = (stem, int(number)) if number.isdigit() else (name, 0)
        with_weights = []
        file[f"{container}/{name}"].visititems(
            lambda _, item, found=with_weights: found.append(item) if isinstance(item, h5py.Dataset) else None
        )
        if with_weights:
            stems.setdefault(stem, []).append((number, name))
        else:
            del file[f"{container}/{name}"]
    for stem, names in stems.items():
        for count, (_, name) in reversed(list(enumerate(sorted(names)))):
            if count:
                file.move(f"{container}/{name}", f"{container}/{stem}_{2 * count}")
    file.move(container, f"{container.removesuffix('layers')}_layer_checkpoint_dependencies")


def both(file) -> None:
    counted_twice(file)
    file.move("_layer_checkpoint_dependencies", "layers")
    joined_by_backslashes(file)


@pytest.mark.parametrize("change", [joined_by_backslashes, counted_twice, both])
@pytest.mark.parametrize("name", ["mlp", "nested", "activations", "elementwise"])
def test_weights_as_windows_and_keras_2_13_wrote_them(tmp_path, change, name):
    expected = np.load(GOLDEN / "keras2_expected.npz")
    path = rewrite(GOLDEN / f"keras2_{name}.keras", tmp_path / "net.keras", weights=change)
    close(execute(load(path), expected[f"{name}_x"]), expected[f"{name}_y"])


def test_weights_of_more_layers_than_the_model_has(tmp_path):
    def add(file):
        file["layers/dense_7/vars/0"] = np.zeros(2)

    path = rewrite(GOLDEN / "keras2_mlp.keras", tmp_path / "net.keras", weights=add)
    with pytest.raises(
        ModelError, match="/layers/dense_7 holds the weights of a layer that the model has not"
    ):
        load(path)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_bfloat16_is_read_exactly(suffix):
    # Keras's own get_weights(), as float32, which holds every bfloat16
    expected = np.load(GOLDEN / "keras3_bfloat16.npz")
    graph = load(GOLDEN / f"keras3_bfloat16.{suffix}")
    for index, layer in enumerate(graph.layers):
        np.testing.assert_array_equal(layer.weights, expected[f"kernel_{index}"].T)
        np.testing.assert_array_equal(layer.bias, expected[f"bias_{index}"])
    # Keras rounds after every layer, to 8 bits
    y = execute(graph, expected["x"])
    np.testing.assert_allclose(y, expected["y"], rtol=0, atol=2**-6 * np.abs(expected["y"]).max())
    assert "bfloat16" in graph.metadata.provenance["notes"]


def test_bfloat16_as_uint16_where_only_the_policy_tells(tmp_path):
    expected = np.load(GOLDEN / "keras3_bfloat16.npz")

    def as_uint16(file):
        bits = file["layers/dense/vars/0"][()].view(np.uint16)
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = bits

    path = rewrite(GOLDEN / "keras3_bfloat16.keras", tmp_path / "net.keras", weights=as_uint16)
    np.testing.assert_array_equal(load(path).layers[0].weights, expected["kernel_0"].T)


def test_models_that_use_each_other_twice_are_refused_before_they_are_unrolled(tmp_path):
    # 45 models, each of which runs the one inside it twice: 2^45 steps in a file of a few KB
    def model(depth):
        name = f"m{depth}"
        inner = model(depth - 1) if depth else {"class_name": "Dense", "config": {"name": "x", "units": 1}}
        inner["name"] = "x"
        call = [[["in", 0, 0, {}]], [["x", 0, 0, {}]]]
        first = {"class_name": "InputLayer", "name": "in", "config": {"name": "in", "batch_shape": [None, 1]}}
        config = {"name": name, "layers": [first, {**inner, "inbound_nodes": call}]}
        config |= {"input_layers": [["in", 0, 0]], "output_layers": [["x", 1, 0]]}
        return {"class_name": "Functional", "config": config}

    path = tmp_path / "net.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(model(44)))
        archive.writestr("model.weights.h5", b"")
    assert path.stat().st_size < 2000
    with pytest.raises(ModelError, match="layers run in it, more than the limit of"):
        load(path)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"leave_out": ["model.weights.h5"]}, "model.weights.h5 is missing"),
        (
            {"config": lambda d: d.update(class_name="Transformer")},
            "a model of class Transformer is not supported",
        ),
        (
            {"config": lambda d: d.update(module="evil.models")},
            "a model of class evil.models.Sequential is not",
        ),
        (
            {"config": in_layers(2, activation="mish")},
            "needs activation mish (1); the first is layer 1 (Dense 'z'); anne convert --supported keras lists what",
        ),
        (
            {"config": in_layers(2, activation=["relu"])},
            "layer Dense 'z': activation ['relu'] is not supported",
        ),
        (
            {"config": in_layers(0, batch_shape=[None, None])},
            "expected an input of fixed size, got (None, None)",
        ),
        (
            {"config": in_layers(0, batch_shape=[None, 5])},
            "layer 0 (Normalization 'scaler'): expected 5 values of scale",
        ),
        (
            {"config": in_layers(1, axis=[0])},
            "layer Normalization 'scaler': expected the last axis, got axis=0",
        ),
        (
            {"config": in_layers(2, dtype={"config": {"name": "int8_from_float32"}})},
            "needs weights quantised by Keras",
        ),
        (
            {"weights": set_weights("layers/dense/vars/0", np.zeros((7, 8)))},
            "(Dense 'z'): expected 7 inputs, got 4",
        ),
        (
            {"weights": set_weights("layers/dense/vars/0", np.zeros(7))},
            "expected a kernel (n_in, n_out), got shape (7,)",
        ),
        (
            {"weights": set_weights("layers/dense/vars/1", np.zeros(7))},
            "expected 8 values of bias, got shape (7,)",
        ),
        ({"weights": set_weights("layers/dense/vars/1", None)}, "vars: expected numbers at '1', not found"),
        (
            {"weights": set_weights("layers/dense/vars/1", b"text")},
            "Dense 'z' bias: expected numbers at '1', found no numb",
        ),
        ({"weights": set_weights("layers/dense/vars/1", [np.nan] * 8)}, "8 of 8 bias are NaN or infinite"),
        ({"weights": set_weights("layers/dense/vars/1", [1e39] * 8)}, "8 of 8 bias are NaN or infinite"),
        (
            {"weights": set_weights("layers/dense/vars/1", h5py.ExternalLink("/etc/passwd", "/x"))},
            "Dense 'z' bias: expected numbers at '1', found a link, which is never followed",
        ),
    ],
)
def test_damaged_keras_file_is_refused(tmp_path, change, message):
    path = rewrite(GOLDEN / "keras3_mlp.keras", tmp_path / "net.keras", **change)
    with pytest.raises(ModelError) as error:
        load(path)
    assert str(error.value).startswith("net.keras: ") and message in str(error.value)
    assert "\n" not in str(error.value)


def test_data_in_another_file_is_never_opened(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(32))

    def external(file):
        del file["layers/dense/vars/1"]
        file["layers/dense/vars"].create_dataset("1", (8,), "f4", external=str(tmp_path / "secret"))

    path = rewrite(GOLDEN / "keras3_mlp.keras", tmp_path / "net.keras", weights=external)
    with pytest.raises(ModelError, match="kept in another file, which is never opened"):
        load(path)


def test_array_too_large_is_refused_before_it_is_read(tmp_path):
    def huge(file):  # 4 GB by its header, nothing of it stored
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset("0", (4, 1 << 28), "f4", chunks=(4, 1024))

    path = rewrite(GOLDEN / "keras3_mlp.keras", tmp_path / "net.keras", weights=huge)
    with pytest.raises(
        ModelError, match=r"Dense 'z' kernel: expected numbers at '0', found \(4, 268435456\), which is more"
    ):
        load(path)


def test_zip_bomb_is_not_expanded(tmp_path):
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", bytes(64 << 20))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(ModelError, match="config.json: unpacks to more than the limit of 69203648 bytes"):
        load(path)


def test_file_that_crashes_the_hdf5_library(tmp_path):
    # Found by mutation: with this one byte changed, libhdf5 2.0 in h5py 3.16 reads where it must not.
    data = bytearray((GOLDEN / "keras3_mlp.h5").read_bytes())
    data[1009] = 255
    path = tmp_path / "net.h5"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"^net\.h5: damaged HDF5: "):
        load(path)


def test_file_that_keeps_the_hdf5_library_busy(tmp_path):
    # Found by mutation, too: this one takes half a minute and more.
    data = bytearray((GOLDEN / "keras3_mlp.h5").read_bytes())
    data[5473] = 2
    path = tmp_path / "net.h5"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"^net\.h5: damaged HDF5: the HDF5 library is too slow on it"):
        load(path)


def test_file_that_asks_for_more_memory_than_there_should_be(tmp_path):
    # Found by mutation, too: a text that says it has 2 GB, in a file of 21 KB.
    data = bytearray((GOLDEN / "keras2_mlp.h5").read_bytes())
    data[891:895] = b"\xff\xff\xff\x7f"
    path = tmp_path / "net.h5"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"^net\.h5: damaged HDF5: .*memory allocation failed"):
        load(path)


def test_file_that_takes_too_long_all_together(tmp_path, monkeypatch):
    monkeypatch.setattr("anne_tools.importers.hdf5.TIMEOUT_S", 0.001)  # no process starts that fast
    with pytest.raises(ModelError, match=r"damaged HDF5: it could not be read in 0\.001 s"):
        load(GOLDEN / "keras3_mlp.h5")


def test_no_more_is_taken_from_the_reading_process_than_was_agreed():
    from anne_tools.importers import hdf5

    limits = [str(1 << 20), str(1 << 20)]
    data = (GOLDEN / "keras3_mlp.h5").read_bytes()
    status, output, _ = hdf5.run_dump(limits, data, 1 << 22)
    assert status == 0 and len(output) > 1000
    assert hdf5.run_dump(limits, data, 1000)[1] == output[:1001]


def test_weights_without_a_model_are_refused(tmp_path):
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        file["dense/kernel:0"] = np.zeros((2, 2))
    with pytest.raises(ModelError, match="it holds weights only"):
        load(path)


def change_h5(target: Path, change) -> Path:
    target.write_bytes((GOLDEN / "keras3_mlp.h5").read_bytes())
    with h5py.File(target, "r+") as file:
        change(file["model_weights/z"])
    return target


def test_h5_weights_in_another_order_are_refused(tmp_path):
    def swap(group):
        group.attrs["weight_names"] = list(group.attrs["weight_names"])[::-1]

    with pytest.raises(ModelError, match="layer Dense 'z': expected its kernel next in the file, got .*bias"):
        load(change_h5(tmp_path / "net.h5", swap))


def test_h5_weights_missing(tmp_path):
    def drop(group):
        group.attrs["weight_names"] = list(group.attrs["weight_names"])[:1]

    with pytest.raises(ModelError, match="layer Dense 'z': expected 2 weights in the file, got 1"):
        load(change_h5(tmp_path / "net.h5", drop))


def test_missing_h5py_says_what_to_install(monkeypatch):
    for name in [
        name
        for name in sys.modules
        if name.startswith(("anne_tools.importers.keras", "anne_tools.importers.hdf5"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ModelError, match=r"^reading \.keras needs h5py: pip install 'ai-anne\[keras\]'$"):
        load(GOLDEN / "keras3_mlp.keras")


# With Keras itself


@pytest.fixture(scope="module")
def make_keras():
    """The golden files' generator as a module, if a Keras that works is installed."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    warnings.simplefilter("ignore")
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    spec = importlib.util.spec_from_file_location("make_keras", GOLDEN.parent / "make_keras.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", ["mlp", "nested", "activations", "elementwise"])
@pytest.mark.parametrize("suffix", [".keras", ".h5", "in memory"])
def test_model_made_now_gives_what_keras_predicts(make_keras, tmp_path, name, suffix):
    model, x, y = make_keras.make(getattr(make_keras, name))
    source = model if suffix == "in memory" else tmp_path / f"net{suffix}"
    if source is not model:
        model.save(source)
    close(execute(load(source), x), y)
