"""anne convert, run and inspect with the files of users: what is read, what is printed, what is never written over."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from anne_tools.conversion.convert import convert
from anne_tools.conversion.standard_models import random_graph
from anne_tools.errors import ModelError
from command_line import NETWORK, anne, good, refused


@pytest.mark.parametrize("output", ["net.json", "link.json", "x.npy", "labels.txt"])
def test_convert_never_writes_over_what_it_reads(files, output):
    (files / "link.json").symlink_to("net.json")
    (files / "labels.txt").write_text("a\nb\n")
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    refused(
        f"{output}: would replace ",
        *("convert", "net.json", "--calibrate", "x.npy", "--labels", "labels.txt", "-o", output),
    )
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


def test_a_source_whose_name_ends_like_a_model_file_is_not_replaced(files):
    (files / "net.anne").write_text(json.dumps(NETWORK))
    refused("net.anne: would replace net.anne, which is read", "convert", "net.anne")
    good("convert", "net.anne", "-o", "out.anne")
    with pytest.raises(ModelError, match="would replace"):
        convert("net.anne").save("net.anne")


def test_weights_in_a_second_file_are_not_replaced(files):
    """Today's torch.onnx.export writes two files; both are read."""
    onnx = pytest.importorskip("onnx", reason="the extra ai-anne[test]")
    model = onnx.load(Path(__file__).parents[2] / "golden" / "onnx" / "mlp_opset17.onnx")
    onnx.save(model, "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    before = (files / "net.data").read_bytes()
    refused("net.data: would replace ", "convert", "net.onnx", "-o", "net.data")
    assert (files / "net.data").read_bytes() == before
    with pytest.raises(ModelError, match="would replace"):
        convert("net.onnx").save("net.data")


def test_plot_and_output_are_two_files(files):
    assert anne("convert", "net.json", "--plot", "new", "-o", "new").exit_code == 2
    assert not (files / "new").exists()


def test_convert_writes_a_uf2_file_of_the_model_alone(files):
    told = good("convert", "net.json", "--uf2").output
    assert """net.uf2: drag it onto the board's drive; then anne.load("/rom/net.anne")""" in told
    listed = json.loads(good("romfs", "list", "net.uf2", "--json").output)
    assert listed["board"] == "pico"
    assert listed["files"] == [{"path": "net.anne", "bytes": (files / "net.anne").stat().st_size}]


def test_a_uf2_file_of_several_models(files):
    good("convert", "net.json")
    (files / "b.anne").write_bytes((files / "net.anne").read_bytes())
    good("romfs", "build", "net.anne", "b.anne", "-o", "models.uf2", "--board", "pico-models")
    listed = json.loads(good("romfs", "list", "models.uf2", "--json").output)
    assert (listed["board"], [file["path"] for file in listed["files"]]) == (
        "pico-models",
        ["b.anne", "net.anne"],
    )


def test_convert_of_what_does_not_fit_writes_it_and_is_status_1(files):
    shapes = (400, 4), (300, 400)
    big = {"layers": [{"weights": np.ones(shape).tolist(), "activation": "relu"} for shape in shapes]}
    (files / "big.json").write_text(json.dumps(big))
    refused("big.anne is written, but does not fit the pico: the file has ", "convert", "big.json")
    assert (files / "big.anne").exists()


def test_names_of_features_come_from_a_header(files):
    (files / "x.csv").write_text("width,height\n1,2.5\n3,4\n")
    good("convert", "net.json", "--calibrate", "x.csv")
    assert json.loads(good("inspect", "net.anne", "--json").stdout)["feature_names"] == ["width", "height"]
    good("convert", "net.json", "--calibrate", "x.csv", "--feature-names", "a,b")
    assert json.loads(good("inspect", "net.anne", "--json").stdout)["feature_names"] == ["a", "b"]
    refused(
        "x.csv: row 1, column 1: expected numbers",
        "convert",
        "net.json",
        "--calibrate",
        "x.csv",
        "--no-header",
    )


def test_columns_in_another_order_than_the_features_are_refused(files):
    (files / "x.csv").write_text("b,a\n1,2.5\n")
    good("convert", "net.json", "--feature-names", "a,b")
    message = "its columns are the network's features, but not in their order: a, b"
    refused(message, "run", "net.anne", "--input", "x.csv")


def test_what_was_taken_for_a_header_is_told(files):
    (files / "x.csv").write_text("0,1\n3.5,1\n")
    refused(
        "is its first line, 0, 1, a header or a sample?; say --header", "run", "net.anne", "--input", "x.csv"
    )
    for option, n_samples in (("--header", 1), ("--no-header", 2)):
        document = json.loads(good("run", "net.anne", "--input", "x.csv", option, "--json").stdout)
        assert document["n_samples"] == n_samples


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("none.txt", "--labels: none.txt: no such text file"),
        ("folder/labels", "--labels: folder/labels: no such text file"),
        (",", "--labels: no names in ','"),
        ("empty.txt", "--labels: no names in 'empty.txt'"),
        ("ansi.txt", "ansi.txt: line 1 is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_labels_that_cannot_be_read(files, labels, message):
    (files / "empty.txt").write_text("\n \n")
    (files / "ansi.txt").write_bytes("größe\nbär".encode("cp1252"))
    refused(message, "convert", "net.json", "--labels", labels)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_labels_as_notepad_saves_them(files, encoding):
    (files / "labels.txt").write_bytes("größe\r\nbär".encode(encoding))
    good("convert", "net.json", "--labels", "labels.txt")
    assert json.loads(good("inspect", "net.anne", "--json").stdout)["labels"] == ["größe", "bär"]


def test_a_list_longer_than_a_files_name_is_a_list(files):
    names = ["x" * 300, "y" * 300]
    good("convert", "net.json", "--feature-names", ",".join(names))
    assert json.loads(good("inspect", "net.anne", "--json").stdout)["feature_names"] == names


# Brackets are rich's markup ([/] without a beginning makes it raise); the rest would draw lines of its own.
HOSTILE = ["[bold]a[/bold] [/]", "b\r\x1b[2Kgolden samples: 99999", "c\u202ed"]


def test_names_are_printed_as_they_are_and_harmless(files):
    network = {**NETWORK, "name": HOSTILE[0], "labels": HOSTILE[1:], "feature_names": HOSTILE[:2]}
    (files / "net.json").write_text(json.dumps(network))
    outputs = [
        good("convert", "net.json", "--test", "x.npy", "y.npy"),
        good("inspect", "net.anne"),
        good("run", "net.anne", "--input", "x.npy"),
        good("verify", "net.anne", "--against", "net.json"),
    ]
    for result in outputs:
        assert not set("\r\x1b\u202e") & set(result.stdout)
        assert not any(line.startswith("golden samples: 99999") for line in result.stdout.splitlines())
    assert "[bold]a[/bold] [/]" in outputs[0].stdout
    assert "labels: b\\r\\x1b[2Kgolden samples: 99999, c\\u202ed" in outputs[1].stdout


def test_what_a_file_says_of_itself_is_told_from_what_was_found(files):
    """A line of provenance may have any words, these here, too."""
    graph = random_graph((2, 2))
    graph.metadata.provenance = {"golden samples": "99999", "file": "x\x1b[31m.keras"}
    (files / "said.anne").write_bytes(convert(graph).data)
    lines = good("inspect", "said.anne").stdout.splitlines()
    assert "golden samples: 4" in lines
    assert "golden samples: 99999" not in lines
    assert "  golden samples: 99999" in lines
    assert "  file: x\\x1b[31m.keras" in lines


@pytest.mark.parametrize("given", ["8,9", "x=8,9"])
def test_the_size_that_a_file_leaves_open_is_given(files, given):
    onnx = pytest.importorskip("onnx", reason="the extra ai-anne[test]")
    h = onnx.helper
    x, y = h.make_tensor_value_info("x", 1, ["n", "time", 9]), h.make_tensor_value_info("y", 1, None)
    onnx.save(h.make_model(h.make_graph([h.make_node("Relu", ["x"], ["y"])], "open", [x], [y])), "open.onnx")
    refused("say it with --input-shape", "convert", "open.onnx")
    good("convert", "open.onnx", "--input-shape", given)
    refused(
        "the model has (None, 9), without batch, got (8, 7)", "convert", "open.onnx", "--input-shape", "8,7"
    )
