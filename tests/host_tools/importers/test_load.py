"""How `load` recognises a source, and what it says about those it cannot read; no framework is needed."""

from __future__ import annotations

import json
import os
import zipfile

import pytest
from anne_tools.errors import ModelError
from anne_tools.importers import IMPORTERS, budget, load, recognise_file, recognise_object

NETWORK = {"layers": [{"weights": [[1, 2]]}]}


def zip_with(*names: str):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"x")

    return write


def content(data: bytes):
    return lambda path: path.write_bytes(data)


@pytest.mark.parametrize(
    "name, write, module",
    [
        ("net.keras", zip_with("config.json", "model.weights.h5"), "keras"),
        ("net.zip", zip_with("config.json", "model.weights.h5"), "keras"),
        ("net.keras", content(b"PK\3\4 damaged"), "keras"),
        ("net.h5", content(b"\x89HDF\r\n\x1a\n"), "keras"),
        ("net", content(b"\x89HDF\r\n\x1a\n"), "keras"),
        ("net.HDF5", content(b"?"), "keras"),
        ("net.tflite", content(b"\x1c\0\0\0TFL3"), "tflite"),
        ("net.bin", content(b"\x1c\0\0\0TFL3"), "tflite"),
        ("net.keras", content(b"\x1c\0\0\0TFL3"), "tflite"),
        ("net.onnx", content(b"\x08\x08"), "onnx"),
        ("net.pt2", zip_with("net/archive_format"), "torch"),
        ("net.pth", zip_with("net/data.pkl"), "torch"),
        ("net", zip_with("net/data.pkl"), "torch"),
        ("net.pth", content(b"\x80\x02"), "torch"),
        ("net.pkl", content(b"\x80\x04"), "pickles"),
        ("net.sav", content(b"\x80\x05"), "pickles"),
        ("net.joblib", content(b"\x78\x9c"), "pickles"),
        ("net.json", content(b" {}"), "ai_anne"),
        ("net.txt", content(b"\n{}"), "ai_anne"),
        ("net.py", content(b"w1 = []"), "ai_anne"),
    ],
)
def test_a_file_is_recognised_by_its_content_then_by_its_suffix(tmp_path, name, write, module):
    write(tmp_path / name)
    assert recognise_file(tmp_path / name).module == module


def test_a_file_of_unknown_kind(tmp_path):
    (tmp_path / "net.mat").write_bytes(b"MATLAB")
    with pytest.raises(
        ModelError, match=r"^net\.mat: unknown kind of model file; known: \.keras, \.h5, \.hdf5,"
    ):
        load(tmp_path / "net.mat")


def test_no_such_file(tmp_path):
    with pytest.raises(ModelError, match=r"net\.keras: No such file or directory"):
        load(tmp_path / "net.keras")
    with pytest.raises(ModelError, match="a folder; expected a model in one file"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["saved_model.pb", "keras_metadata.pb"])
def test_a_saved_model_is_refused_by_what_it_is(tmp_path, name):
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / name).write_bytes(b"\x08\x01")
    for path in (folder, folder / name):
        with pytest.raises(ModelError, match=r"TensorFlow SavedModel, .* model\.save\("):
            load(path)


def test_an_unpacked_keras_file_and_a_frozen_graph(tmp_path):
    (tmp_path / "model.weights.h5").write_bytes(b"\x89HDF")
    with pytest.raises(
        ModelError, match=r"an unpacked \.keras file; zip what is in the folder into net\.keras"
    ):
        load(tmp_path)
    (tmp_path / "frozen.pb").write_bytes(b"\n\x05")
    with pytest.raises(ModelError, match="a TensorFlow graph, which is not read here; save the whole model"):
        load(tmp_path / "frozen.pb")


@pytest.mark.parametrize("suffix", [".json", ".txt", ".keras"])
@pytest.mark.parametrize("twice", [False, True])
def test_the_layers_of_a_keras_model_without_weights(tmp_path, suffix, twice):
    # as model.to_json() of Keras 2 and 3 begins
    for head in ({}, {"module": "keras"}):
        text = json.dumps(head | {"class_name": "Sequential", "config": {"name": "net", "layers": []}})
        (path := tmp_path / f"net{suffix}").write_text(json.dumps(text) if twice else text)
        if twice and suffix != ".json":
            continue  # a text in quotes says nothing without its ending
        with pytest.raises(
            ModelError, match=r"^net\.\w+: the layers of a Keras model without its weights, .*to_json"
        ):
            load(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "net.json")
    with pytest.raises(ModelError, match="neither a folder nor a plain file"):
        load(tmp_path / "net.json")


def test_a_name_that_no_file_can_have():
    with pytest.raises(ModelError, match="null byte"):
        load("net\0.json")


def test_empty_file(tmp_path):
    (tmp_path / "net.onnx").touch()
    with pytest.raises(ModelError, match=r"^net\.onnx: the file is empty$"):
        load(str(tmp_path / "net.onnx"))


def test_file_too_large(tmp_path):
    with (tmp_path / "net.h5").open("wb") as file:
        file.truncate(budget.MAX_FILE_BYTES + 1)  # a hole, which takes no space
    with pytest.raises(ModelError, match="536870913 bytes, more than the limit of 536870912"):
        load(tmp_path / "net.h5")


@pytest.mark.parametrize("package, module", [("sklearn", "sklearn"), ("torch", "torch"), ("keras", "keras")])
def test_an_object_is_recognised_by_the_package_of_its_class_or_a_base(package, module):
    base = type("Base", (), {"__module__": f"{package}.deep.inside"})
    own = type("Own", (base,), {"__module__": "my_project"})
    assert recognise_object(base()).module == recognise_object(own()).module == module


def test_a_keras_model_on_torch_is_a_keras_model():
    # With the torch backend, Keras's classes derive from torch.nn.Module.
    torch_module = type("Module", (), {"__module__": "torch.nn.modules.module"})
    assert (
        recognise_object(type("Sequential", (torch_module,), {"__module__": "keras.src"})()).module == "keras"
    )


@pytest.mark.parametrize("source", [None, 3, [1], b"bytes"])
def test_an_object_of_unknown_kind(source):
    with pytest.raises(
        ModelError, match=r"^cannot import an object of class builtins\.\w+; expected a path, a scikit"
    ):
        load(source)


def test_provenance_and_name_come_from_the_file(tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(NETWORK))
    metadata = load(path).metadata
    assert metadata.name == "tiny"
    assert metadata.provenance == {"importer": "ai_anne", "file": "tiny.json"}
    assert load(NETWORK).metadata.provenance == {"importer": "ai_anne"}


def test_layers_are_for_torch_only():
    with pytest.raises(
        ModelError, match="a list of layers is for a PyTorch state_dict, not for the ai_anne importer"
    ):
        load(NETWORK, layers=["relu"])


def test_every_importer_has_its_module_and_no_suffix_is_claimed_twice():
    suffixes = [suffix for importer in IMPORTERS for suffix in importer.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert len({importer.module for importer in IMPORTERS}) == len(IMPORTERS)
