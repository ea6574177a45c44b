"""Verdicts: what fits where, which layer breaks it, and that the figures of the C core are the C core's."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from anne.layouts import LAYOUTS
from anne_tools.boards import fit as fit_module
from anne_tools.boards.costs import CHIPS, layer_cost
from anne_tools.boards.fit import BOARDS, KB, LAYER_BYTES, RESERVE_BYTES, fit, workspace_bytes
from anne_tools.boards.layout import MODELS, PICO
from anne_tools.conversion.convert import convert
from anne_tools.conversion.pack import pack
from anne_tools.conversion.quantize import quantize
from anne_tools.conversion.standard_models import DTYPES, random_graph
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError
from anne_tools.layers import Conv, room
from anne_tools.layers.build import GraphBuilder
from anne_tools.layers.prices import BLOCKS, Cost
from anne_tools.layers.windows import Window
from anne_tools.network.activations import ACTIVATIONS

ROOT = Path(__file__).resolve().parents[3]


def model(*shape: int, dtype: str = "float32") -> bytes:
    x = np.random.default_rng(1).normal(0, 1, (8, shape[0]))
    return convert(random_graph(shape), dtype, calibrate=x if dtype != "float32" else None).data


# --- Places -----------------------------------------------------------------------------------------------------------


def test_a_small_model_is_read_into_ram():
    data = model(4, 8, 3)
    verdict = fit(data, "pico")
    assert (verdict.fits, verdict.place, verdict.reason, verdict.advice) == (True, "storage", "", [])
    assert verdict.ram_bytes == len(data) + verdict.workspace_bytes
    # three layers (softmax is one), inputs and outputs of each, scratch
    with NativeModel(data) as native:
        assert verdict.workspace_bytes == 3 * LAYER_BYTES + native.file.arena_bytes + native.scratch_bytes


def convolution() -> bytes:
    """Of 8 x 8 pixels under 3 x 3 taps, with 16 channels and outputs, on int8."""
    random, builder = np.random.default_rng(1), GraphBuilder((8, 8, 16))
    window, weights = Window.same((8, 8), (3, 3)), random.normal(0, 1, (16, 3, 3, 16))
    builder.add(Conv, "conv", weights, np.zeros(16), window, 1)
    return pack(quantize(builder.build(), "int8", random.normal(0, 1, (4, 8, 8, 16))))


def test_rewritten_weights_take_scratch_on_the_pico_2():
    """Ten runs of three words; 144 columns that two windows see; and a copy of 16 rows, four to a word. The layer keeps
    nothing, and the Pico takes less."""
    data, arena = convolution(), 2 * 8 * 8 * 16
    assert fit(data, "pico2").workspace_bytes == LAYER_BYTES + arena + 4 * (30 + 144 + 144 * 16 // 4)
    assert fit(data, "pico").workspace_bytes < LAYER_BYTES + arena + 4 * 300


@pytest.mark.parametrize("free", [-1, 0])
def test_another_board_is_advised_by_what_the_model_takes_there(monkeypatch, free):
    """A Pico without room, and a Pico 2 that has a byte too few, or just enough."""
    data = convolution()
    needed = len(data) + fit(data, "pico2").workspace_bytes
    for name, bytes_free in (("pico", 0), ("pico-models", 0), ("pico2", needed + free)):
        board = replace(BOARDS[name], heap_bytes=RESERVE_BYTES + bytes_free, romfs_bytes=0)
        monkeypatch.setitem(fit_module.BOARDS, name, board)
    advised = "use a board with more RAM: it fits the pico2" in fit(data, "pico").advice
    assert advised == (free == 0)


def test_a_model_too_large_for_the_heap_goes_into_romfs(monkeypatch):
    """640 x 240 bytes of int8 weights, 150 KB, on a board that has 120 KB of heap."""
    monkeypatch.setitem(fit_module.BOARDS, "pico", replace(BOARDS["pico"], heap_bytes=120 * KB))
    verdict = fit(model(640, 240, dtype="int8"), "pico")
    assert (verdict.fits, verdict.place) == (True, "romfs")
    assert verdict.ram_bytes == verdict.workspace_bytes < 10 * KB
    assert verdict.flash_ms > 2 * verdict.elapsed_ms


def test_a_model_too_large_for_both_names_the_layer_and_what_helps():
    """400 x 300 floats are 480,000 bytes, in int8 120,000."""
    verdict = fit(model(4, 400, 300, 2), "pico")
    assert not verdict.fits
    assert verdict.layer == "dense_1"
    assert re.fullmatch(r"the file has 4\d{5} bytes, at most 2\d{5} fit", verdict.reason)
    assert re.match(
        r"convert with --dtype int8 or int8-weights: that saves about 3[56]\d{4} bytes", verdict.advice[0]
    )


def test_nobody_can_run_what_does_not_fit_so_it_takes_no_time():
    verdict = fit(model(4, 400, 300, 2), "pico")
    assert (verdict.elapsed_ms, verdict.flash_ms, verdict.predicted_ms) == (None, None, None)


def relu_network(*shape: int, dtype: str) -> bytes:
    """Dense layers with relu, the last without: an autoencoder if the last is as wide as the first."""
    random = np.random.default_rng(1)
    builder = GraphBuilder((shape[0],))
    for index, (n_in, n_out) in enumerate(zip(shape, shape[1:], strict=False)):
        activation = "linear" if index == len(shape) - 2 else "relu"
        builder.dense(f"dense_{index}", random.normal(0, n_in**-0.5, (n_out, n_in)), None, activation)
    return convert(builder.build(), dtype, calibrate=random.normal(0, 1, (8, shape[0]))).data


def followed(line: str, shape: tuple[int, ...], dtype: str) -> tuple[tuple[int, ...], list[str]]:
    """Return the shape and the types that a line of advice asks for."""
    named = re.search(r"--dtype (\S+?(?: or \S+?)*)[:,]", line)
    units = [(int(i), int(n)) for i, n in re.findall(r"give dense_(\d+) at most (\d+) units", line)]
    units += [(int(i), int(n)) for n, i in re.findall(r"(\d+) for dense_(\d+)", line)]
    changed = list(shape)
    for index, n in units:
        assert 0 < n < shape[index + 1]
        assert index < len(shape) - 2, "the last layer's units are the network's outputs"
        changed[index + 1] = n
    return tuple(changed), named[1].split(" or ") if named else [dtype]


AUTOENCODER = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640)


@pytest.mark.parametrize(
    ("shape", "dtype", "n_lines"),
    [
        ((4, 400, 300, 2), "float32", 2),  # int8; fewer units
        ((4, 800, 400, 2), "int8", 2),  # int4; fewer units
        ((4, 800, 400, 2), "float32", 2),
        (AUTOENCODER, "float32", 2),
        (AUTOENCODER, "int8", 2),
        ((3000, 60, 3000), "float32", 1),  # both
        ((4, 900, 900, 2), "int4", 1),
        ((4, 1200, 1200, 2), "int8", 1),
        ((4, 800, 600, 2), "int16", 1),
        ((4, 900, 600, 2), "int8-weights", 1),
        ((4, 40000, 2), "float32", 1),  # its values do not fit
    ],
)
def test_what_is_advised_is_possible_and_helps(shape, dtype, n_lines):
    verdict = fit(relu_network(*shape, dtype=dtype), "pico")
    lines = [line for line in verdict.advice if not line.startswith("use a board with more RAM")]
    assert (verdict.fits, len(lines)) == (False, n_lines)
    for line in lines:
        changed, dtypes = followed(line, shape, dtype)
        assert (changed, dtypes) != (shape, [dtype])
        for other in dtypes:
            assert fit(relu_network(*changed, dtype=other), "pico").fits


def test_a_larger_board_is_named_where_it_helps():
    assert fit(relu_network(*AUTOENCODER, dtype="int8"), "pico").advice[-1] == (
        "use a board with more RAM: it fits the pico2"
    )
    assert "pico2" not in " ".join(fit(relu_network(1000, 1000, dtype="int4"), "pico").advice)


def test_where_nothing_helps_that_is_said():
    """1,200 inputs and 1,000 outputs are 600 KB in four bits, without a hidden layer, and the pico2 has 440 KB."""
    assert fit(relu_network(1200, 1000, dtype="int4"), "pico").advice == [
        "no type of numbers and no smaller hidden layer makes it fit: it needs fewer inputs or outputs"
    ]


def test_integers_from_a_file_do_not_become_other_integers():
    """A .tflite has none of the floats that int4 is made from, but somebody has."""
    random = np.random.default_rng(1)
    builder = GraphBuilder((640,))
    for index, n_out in enumerate((240, 240, 640)):
        n_in = builder.last.size
        builder.dense(f"dense_{index}", random.normal(0, n_in**-0.5, (n_out, n_in)), None, "relu")
    x = random.normal(0, 1, (8, 640))
    integers = quantize(builder.build(), "int8", x)
    for calibrate in (None, x):
        (line, *_) = fit(convert(integers, calibrate=calibrate).data, "pico").advice
        assert line.startswith(
            "convert the network of floats that it was made from with --dtype int4: that saves"
        )
    with pytest.raises(ModelError, match="already quantised to int8; it cannot become int4"):
        convert(integers, "int4", calibrate=x)


def test_a_softmax_too_wide_for_int8_is_not_sent_there():
    """512 elements, one more than int8's softmax takes (FORMAT.md)."""
    verdict = fit(model(4, 200, 512), "pico")
    assert not verdict.fits
    assert verdict.advice[0].startswith("convert with --dtype int8-weights: ")


def test_golden_samples_that_break_it_are_said_to(monkeypatch):
    """A file with 4 KB of golden samples, on a board with room for all but the last of their bytes."""
    data = model(128, 128)
    needed = fit(data, "pico").ram_bytes + RESERVE_BYTES
    small = replace(BOARDS["pico"], heap_bytes=needed - 1, romfs_bytes=0)
    monkeypatch.setitem(fit_module.BOARDS, "pico", small)
    (line, *_) = fit(data, "pico").advice
    assert re.match(r"convert it again: its golden samples take \d{4} bytes", line)
    assert fit(model(128, 128), "pico").fits


def test_values_that_do_not_fit_break_it_whatever_the_weights():
    """50,000 floats in and out of a scaling, 200,000 bytes each."""
    builder = GraphBuilder((50_000,))
    builder.scaling("scaling", np.full(50_000, 2.0), np.zeros(50_000))
    verdict = fit(pack(builder.build()), "pico")
    assert (verdict.fits, verdict.layer) == (False, "scaling")
    assert "values between layers need" in verdict.reason


def test_an_unknown_board():
    with pytest.raises(
        ModelError, match="board: expected one of pico, pico-models, pico2, pico-w, pico2-w, got 'uno'"
    ):
        fit(b"", "uno")


# --- Figures that are also written elsewhere --------------------------------------------------------------------------


@pytest.mark.parametrize(("board", "layout"), [("pico", PICO), ("pico-models", MODELS)])
def test_flash_of_the_pico_is_laid_out_as_the_emulator_knows_it(board, layout):
    assert BOARDS[board].romfs_bytes == layout.romfs_bytes
    assert BOARDS[board].storage_bytes == layout.storage_bytes


def test_a_model_too_large_for_romfs_is_sent_to_the_firmware_with_more():
    data = relu_network(*AUTOENCODER, dtype="int8")  # 264 KB of weights: more than RAM, and 160 KB of ROMFS
    verdict = fit(data, "pico")
    assert (verdict.fits, verdict.firmware) == (False, "pico-models")
    assert "anne flash --board pico-models (it formats the storage)" in verdict.lines()[-1]
    assert fit(data, "pico-models").place == "romfs"
    assert fit(relu_network(4, 1200, 1200, 2, dtype="int8"), "pico").firmware == ""  # 1.4 MB


@pytest.mark.parametrize(("board", "folder"), [("pico", "ANNE_PICO"), ("pico2", "ANNE_PICO2")])
def test_flash_is_laid_out_as_the_boards_say(board, folder):
    text = (ROOT / "micropython" / "boards" / folder / "mpconfigboard.cmake").read_text()
    sizes = dict(re.findall(r"set\(ANNE_(\w+)_KB (\d+)\)", text))
    assert BOARDS[board].romfs_bytes == int(sizes["ROMFS"]) * KB
    assert BOARDS[board].storage_bytes == int(sizes["STORAGE"]) * KB


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="the cross compiler is not installed")
def test_a_layer_takes_what_the_compiler_says(tmp_path):
    """Wrong by a byte, the array below has a negative size and the compiler refuses it."""
    source = tmp_path / "size.c"
    source.write_text(
        f'#include "layers/layers.h"\nchar same[sizeof(anne_layer_t) == {LAYER_BYTES} ? 1 : -1];\n'
    )
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", "-std=gnu11", "-fsyntax-only"]
    done = subprocess.run(
        [*command, f"-I{ROOT / 'native_module'}", str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# --- Costs ------------------------------------------------------------------------------------------------------------


def test_the_formula_of_a_cost():
    assert Cost(100, 2, 30, 0.5).cycles(n_in=10, n_out=4, macs=40) == 100 + 20 + 120 + 20


@pytest.mark.parametrize(
    ("kernel", "n_in", "n_out", "expected"),
    [  # padded columns; blocks and rests begun, and their columns
        ("s8_quad", 9, 16, (12, 2, 0, 24, 0)),
        ("s8_quad", 9, 20, (12, 2, 1, 24, 12)),  # four rows left: half a block
        ("s8_quad", 9, 21, (12, 3, 0, 36, 0)),  # five: one more
        ("s8_quad", 509, 8, (512, 2, 0, 512, 0)),  # two panels
        ("s16", 9, 17, (10, 2, 5, 20, 50)),  # five rows one by one
        ("s4", 8, 1, (8, 1, 0, 8, 0)),
        ("f32", 8, 3, (8, 6, 0, 24, 0)),  # sevens of columns
    ],
)
def test_blocks_are_counted_as_the_kernels_go(kernel, n_in, n_out, expected):
    names = ("n_in", "block", "rest", "block_column", "rest_column")
    assert BLOCKS[kernel].counts(n_in, n_out) == dict(zip(names, expected, strict=True))


def test_what_was_measured_is_written_between_the_comments(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "host_tools"))
    spec = importlib.util.spec_from_file_location("measure_costs", ROOT / "host_tools" / "measure_costs.py")
    measure_costs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measure_costs)
    table = tmp_path / "prices_rp2040.py"
    table.write_text("before\n# begin measured: so\nold\n# end measured\nafter\n")
    measure_costs.write(["a", "b"], table)
    assert table.read_text() == "before\n# begin measured: so\na\nb\n# end measured\nafter\n"
    table.write_text("nothing\n")
    with pytest.raises(ValueError, match="expected the comments that begin and end what is measured"):
        measure_costs.write([], table)


def test_the_formula_of_a_dense_kernel():
    """Two blocks of 8 rows with 12 columns each, one of four."""
    cost = Cost(base=1000, block=100, rest=10, block_column=20, rest_column=12)
    assert cost.cycles(**BLOCKS["s8_quad"].counts(9, 20)) == 1000 + 200 + 10 + 20 * 24 + 12 * 12


@pytest.mark.parametrize("chip", CHIPS)
def test_every_kernel_and_activation_has_a_price(chip):
    kernels = set(CHIPS["rp2040"].kernels)
    if CHIPS[chip].rewrites:  # there numbers that are no whole words are always copied
        kernels -= {"conv s8_quad by byte"}
    assert set(LAYOUTS) <= set(CHIPS[chip].kernels) == kernels
    assert set(ACTIVATIONS) == set(CHIPS[chip].activations_f32)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("dtype", [*DTYPES, "int4"])
def test_every_layer_of_every_type_has_a_cost(chip, dtype):
    x = np.random.default_rng(1).normal(0, [1, 100], (16, 2))  # unlike ranges: a scaling stays
    builder = GraphBuilder((2,))
    builder.scaling("scaler", [1.0, 0.01], [0.0, 0.0])
    builder.dense("dense", [[1.0, 2.0], [3.0, -1.0]], [0.1, 0.2], "tanh")
    builder.reshape("reshape", (2, 1))
    builder.reshape("back", (2,))
    builder.dense("last", [[1.0, 2.0], [3.0, -1.0]], [0.1, 0.2], "softmax")
    with NativeModel(convert(builder.build(), dtype, calibrate=x).data) as native:
        costs = [layer_cost(layer, room(layer.kind).price_name(layer), chip) for layer in native.file.layers]
        assert workspace_bytes(native, chip) > 0
    assert all(cost.cycles > 0 for cost in costs)


@pytest.mark.parametrize(("width", "says"), [(180, False), (205, True)])
def test_a_file_that_needs_most_of_the_heap_in_one_piece_says_so(width, says):
    """180 x 180 floats are 127 KB, less than a heap has in one piece behind a program; 205 x 205 are 165 KB."""
    verdict = fit(model(width, width), "pico")
    assert verdict.place == "storage"
    assert any(f"needs {verdict.file_bytes} bytes in one piece" in line for line in verdict.lines()) == says


def test_weights_from_flash_cost_fifty_cycles_a_word():
    data = model(64, 64)
    verdict = fit(data, "pico")
    with NativeModel(data) as native:
        constants = sum(layer.nbytes for layer in native.file.layers)
    assert verdict.flash_ms - verdict.elapsed_ms == pytest.approx(12.5 * constants / 125e6 * 1e3)


def test_the_heap_decides_to_the_byte(monkeypatch):
    data = model(16, 16)
    needed = fit(data, "pico").ram_bytes + RESERVE_BYTES
    for heap_bytes, fits in ((needed, True), (needed - 1, False)):
        board = replace(BOARDS["pico"], heap_bytes=heap_bytes, romfs_bytes=0)
        monkeypatch.setitem(fit_module.BOARDS, "pico", board)
        assert fit(data, "pico").fits is fits


# --- MicroPython's own firmware ---------------------------------------------------------------------------------------

MODELS = Path(__file__).parents[2] / "golden" / "models"
CONVOLVED, DENSE = ((MODELS / f"{name}_int8.anne").read_bytes() for name in ("signal", "small"))


@pytest.mark.parametrize(
    ("layers", "board", "ours", "kb", "taken"),
    [
        # kb: the difference of heap_bytes in BOARDS, 227 - 102 and 440 - 294
        (CONVOLVED, "pico-w", "pico", 125, "AI-ANNE takes 89 KB"),
        (CONVOLVED, "pico2-w", "pico2", 146, "AI-ANNE takes 101 KB"),
        # and 89 - 43 or 101 - 44 less of them where dense layers alone will do
        (DENSE, "pico-w", "pico", 125 - 46, "AI-ANNE with dense layers alone takes 43 KB"),
        (DENSE, "pico2-w", "pico2", 146 - 57, "AI-ANNE with dense layers alone takes 44 KB"),
    ],
)
def test_a_board_with_stock_firmware_says_how_much_less_it_has(layers, board, ours, kb, taken):
    verdict = fit(layers, board)
    assert verdict.fits
    assert verdict.heap_less_bytes == kb * KB
    assert taken in verdict.lines()[-1]
    assert f"{verdict.heap_bytes} bytes, {kb * KB} less than a {ours}'s" in verdict.lines()[-1]
    assert fit(layers, ours).heap_less_bytes == 0


def test_stock_firmware_has_no_romfs():
    # 150 KB of int8 weights: in ROMFS of ours, and nowhere in a heap of 148 KB
    verdict = fit(model(640, 240, dtype="int8"), "pico-w")
    assert (verdict.fits, verdict.firmware) == (False, "")
    assert [line for line in verdict.advice if "more RAM" in line] == [
        "use a board with more RAM: it fits the pico",
        "use a board with more RAM: it fits the pico-models",
        "use a board with more RAM: it fits the pico2",
    ]
