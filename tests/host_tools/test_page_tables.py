"""The generated tables of README.md and docs: made from what was measured, and standing there as made."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("page_tables", ROOT / "host_tools" / "page_tables.py")
page_tables = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(page_tables)


def test_only_what_lies_between_the_comments_is_replaced():
    page = "a\n<!-- begin x table -->\nold\nolder\n<!-- end x table -->\nb\n"
    assert page_tables.replace_table(page, "x", ["new"]) == (
        "a\n<!-- begin x table -->\nnew\n<!-- end x table -->\nb\n"
    )


def test_a_page_without_a_place_is_refused():
    with pytest.raises(ValueError, match="begin and end the x table, found none"):
        page_tables.replace_table("no comments", "x", [])


def test_the_page_has_the_accuracy_that_was_measured():
    page = (ROOT / "docs" / "accuracy.md").read_text()
    rows = json.loads((ROOT / "docs" / "accuracy.json").read_text())
    table = page_tables.accuracy_table(rows)
    assert page == page_tables.replace_table(page, "accuracy", table), "run host_tools/page_tables.py"


def test_a_page_lists_the_layers():
    page = (ROOT / "docs" / "layers.md").read_text()
    table = page_tables.layers_table()
    assert page == page_tables.replace_table(page, "layers", table), "run host_tools/page_tables.py"
    assert "| `dense` | output = activation(weights @ input + bias) |" in table


def test_accuracy_table_by_hand():
    def row(dtype, percent, difference):
        return {
            "data": "d",
            "network": "2-1",
            "framework": "f",
            "n_test": 50,
            "dtype": dtype,
            "framework_percent": 90.0,
            "percent": percent,
            "n_device": 20,
            "device_difference": difference,
            "predict_us": 1234,
            "predict_into_us": 9,
            "file_bytes": 5678,
            "ram_bytes": 2048,
        }

    large = row("float32", 90.0, None) | {"n_device": 0, "predict_us": None, "ram_bytes": None}
    text = "\n".join(page_tables.accuracy_table([large, row("int8", 88.0, 0)]))
    assert "| d | 5,678 B | 1,234 / 9 us, 5,678 B, 2.0 KB |" in text

    text = "\n".join(page_tables.accuracy_table([row("float32", 90.0, 2e-7), row("int8", 88.0, 0)]))
    assert "| data | network | trained with | test samples | framework | float32 | int8 |" in text
    assert "| d | 2-1 | f | 50 | 90.00 | 90.00 | 88.00 |" in text
    assert "float32 2e-07, int8 0." in text
    assert "| d | 1,234 / 9 us, 5,678 B, 2.0 KB | 1,234 / 9 us, 5,678 B, 2.0 KB |" in text


def test_peers_stand_beside_kernels_at_the_largest_square_up_to_128():
    def kernel(n_in, n_out, cycles, peer):
        shape, per_mac = [n_in, n_out], cycles / (n_in * n_out)
        return {
            "kernel": "dense_s8",
            "shape": shape,
            "cycles": cycles,
            "cycles_per_mac": per_mac,
            "flash_cycles_per_mac": None if peer else 12.5,
            "peer": peer,
        }

    results = [kernel(64, 64, 12288, None), kernel(128, 128, 40960, None), kernel(640, 128, 1, None)]
    results.append(kernel(64, 64, 409600, "viper"))
    results.append({"model": "m", "ms": 6.1, "flash_ms": 34.5, "arena_bytes": 8024, "peer": None})
    results.append({"model": "m", "ms": 7.1, "arena_bytes": None, "peer": "p"})
    text = "\n".join(page_tables.peers_table(results))
    assert "| dense_s8 | **AI-ANNE** | 128x128 | 40,960 | 2.50 | 12.50 |" in text
    assert "| dense_s8 | viper | 64x64 | 409,600 | 100.00 |  |" in text
    assert "| m | **AI-ANNE** | 6.100 | 34.500 | 8,024 |" in text
    assert "| m | p | 7.100 |  |  |" in text
    assert page_tables.peers_table([{"model": "m", "ms": 1}]) == []


def test_pasted_weights_stand_beside_the_load_of_a_file():
    pasted = [{"numbers": 400, "program_bytes": 5149, "program_ms": 1111.25, "load_ms": 2.34}]
    assert page_tables.pasted_table(pasted)[-1] == "| 400 | 1,111 | 2.3 |"
    assert page_tables.pasted_table([]) == []


def test_what_is_learnt_stands_beside_plain_python_and_the_original():
    trainings = [
        {"what": "t", "ms": 0.891, "per_weight": None, "reference_ms": 50.4, "original_ms": 47},
        {"what": "r", "ms": 1.397, "per_weight": 73.7, "reference_ms": None, "original_ms": None},
    ]
    assert page_tables.trainings_table(trainings)[-2:] == [
        "| t | 0.89 |  | 50 | 47 |",
        "| r | 1.40 | 74 |  |  |",
    ]
    assert page_tables.trainings_table([]) == []


def test_the_pico_2_has_a_table_of_instructions():
    row = {
        "what": "dense 128x128",
        "type": "int8",
        "by": None,
        "macs": 16384,
        "instructions": 32768,
        "kernel": 24576,
    }
    plain = {**row, "by": "C loop", "instructions": 81920, "kernel": None}
    table = page_tables.pico2_table({"pico2": [row, plain, {**row, "what": "dense 16x16"}]})
    assert table[-2:] == [
        "| dense 128x128 | int8 | **AI-ANNE** | 32,768 | 2.00 | 1.50 |",
        "| dense 128x128 | int8 | C loop | 81,920 | 5.00 |  |",
    ]
    assert "instructions, not cycles" in "\n".join(table)


def test_six_figures_stand_beside_others():
    def result(ms, peer, **what):
        return {"ms": ms, "peer": peer, **what}

    def dense(per_mac, peer):
        return {"kernel": "dense_s8", "shape": [128, 128], "cycles_per_mac": per_mac, "peer": peer}

    models = [{"model": name} for name in ("keyword_spotting", "image_classification")]
    bench = {
        "ways": [{"way": "Model.predict, lists", "us": 46.6}],
        "trainings": [{"ms": 0.607, "original_ms": 47.0}],
        "results": [
            dense(2.72, None),
            dense(10.11, "C loop, -O3"),
            *(result(82.8, None, **model) for model in models),
            *(result(280.0, "TFLite Micro", **model) for model in models),
        ],
    }
    digits = {"data": "MNIST, 5,000, images", "dtype": "int8", "percent": 98.1, "framework_percent": 98.2}
    digits |= {"file_bytes": 13404, "predict_into_us": 17314}
    rows = page_tables.figures_table(bench, [digits])[4:]
    assert len(rows) == 6
    assert rows[2].startswith("| a product and sum of int8, 128x128 weights | 2.7 cycles | 10.1 cycles, C ")
    assert rows[3].endswith(" | 83 ms | 280 ms, TensorFlow Lite Micro with CMSIS-NN (cited) |")
    assert rows[5].endswith("13 KB of int8 | 17 ms, 98.1 % right | 98.2 % right, PyTorch on a PC |")


def test_readmes_picture_is_what_the_script_draws():
    spec = importlib.util.spec_from_file_location("drawing", ROOT / "host_tools" / "overview_picture.py")
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    assert drawing.PICTURE.read_text() == drawing.picture(), "run host_tools/overview_picture.py"
