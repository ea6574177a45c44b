"""The Pico 2's table: its results are checked, its instructions counted, and missing programs are told."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import cortex_m33
import numpy as np
import pico2
import pico2_layers
import pytest
import riscv32
from anne_tools.errors import ModelError
from dense_kernels import KERNELS, own_file


@pytest.fixture(scope="module")
def rows() -> list[pico2.Row]:
    if cortex_m33.missing():
        pytest.skip(f"{cortex_m33.missing()} is not installed")
    return pico2.measure(quick=True)


def test_layouts_and_loops_stand_side_by_side(rows):
    dense = {(row.type, row.by) for row in rows if row.what == "dense 16x16"}
    ours = {"int8 (s8_quad)", "int4 (s4)", "int16 (s16)", "float32 (f32_aligned)", "float32 (f32)"}
    assert {(name, None) for name in ours} < dense
    assert {(name, pico2.PLAIN) for name in ("int8", "int16", "float32")} < dense


def test_a_plain_loop_takes_five_instructions_a_product(rows):
    """Two loads, a product, a comparison, a branch; and what begins and ends each row of 16."""
    (row,) = [row for row in rows if row.what == "dense 16x16" and row.type == "int8" and row.by]
    assert 5.0 < row.instructions / 256 < 6.0


def test_weights_in_ram_are_rewritten_where_that_pays(rows):
    """At 16x16, too; what has no such kernel has one row."""
    repacked = {row.type: row for row in rows if row.by == pico2.REPACKED and row.what == "dense 16x16"}
    in_place = {row.type: row for row in rows if row.by is None and row.what == "dense 16x16"}
    assert set(repacked) == {"int8 (s8_quad)", "int16 (s16)"}
    assert all(row.instructions < in_place[name].instructions for name, row in repacked.items())


def test_whole_layers_take_more_than_their_sums(rows):
    assert all(row.kernel < row.instructions for row in rows if row.kernel and not row.by)


def test_a_wrong_result_ends_the_run(monkeypatch):
    job = pico2_layers.window_jobs(pico2_layers.WINDOWS[-1:])[0]
    with pytest.raises(ModelError, match="wrong result: depthwise 3x3, stride 2, 24x24x32 int8: output"):
        pico2._row(job, cortex_m33.Answer(bytes(12 * 12 * 32), [[1]]))


def test_without_qemu_nothing_is_measured_with_a_word(monkeypatch, capsys, tmp_path):
    machine = replace(cortex_m33.M33, emulator=("no-such-qemu",))
    monkeypatch.setattr(cortex_m33, "M33", machine)
    monkeypatch.setattr(sys, "argv", ["pico2.py", "--output", str(tmp_path / "bench.json")])
    assert pico2.main() == 0
    assert capsys.readouterr().out == "the Pico 2's table is left out: no-such-qemu is not installed\n"
    assert not (tmp_path / "bench.json").exists()


def test_rows_are_added_to_the_document(monkeypatch, capsys, tmp_path):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"results": [1]}))
    row = pico2.Row("dense 2x2", "int8", None, 4, 40, 20)
    monkeypatch.setattr(cortex_m33, "missing", lambda: "")
    monkeypatch.setattr(pico2, "measure", lambda quick: [row])
    monkeypatch.setattr(sys, "argv", ["pico2.py", "--output", str(path)])
    assert pico2.main() == 0
    assert "10.00" in capsys.readouterr().out
    document = json.loads(path.read_text())
    assert (document["results"], document["pico2"][0]["instructions"]) == ([1], 40)


def test_a_product_is_asked_for_by_its_type_and_shape():
    product = cortex_m33.Plain(np.zeros((2, 3), np.int16), np.zeros(2, np.int32), np.zeros(3, np.int16))
    assert product.packed() == np.array([0xFFFFFFFF, 2, 0, 3, 2], "<u4").tobytes() + bytes(12 + 8 + 6)


def test_portable_c_is_no_slower_than_the_loops_anyone_would_write():
    """They take 5.06 instructions a product of integers at 128x128, and 6.06 of floats (`make bench`), which most
    layouts sum in integers."""
    if cortex_m33.missing():
        pytest.skip(f"{cortex_m33.missing()} is not installed")
    flags = [*cortex_m33.HARD_FLOATS, *cortex_m33.CORE_FLAGS, "-DANNE_PORTABLE"]
    jobs = [own_file(KERNELS[name], 128, 128) for name in ("dense_s8", "dense_s4", "dense_s16")]
    jobs.append(pico2.uneven_file(128, 128))
    jobs += [own_file(KERNELS[name], 128, 128) for name in ("dense_f32", "dense_s8_f32")]
    answers, _ = cortex_m33.run(cortex_m33.build(cortex_m33.core_sources(), flags), jobs)
    per_mac = [answer.instructions[0] / 128**2 for answer in answers]
    assert max(per_mac[:3]) < 5.06 and max(per_mac[3:]) < 6.06


PORTABLE = {
    "Cortex-M33": (
        [*cortex_m33.HARD_FLOATS, *cortex_m33.CORE_FLAGS, "-DANNE_PORTABLE"],
        None,
        cortex_m33.M33,
    ),
    "RISC-V": (
        [*riscv32.FLAGS, *cortex_m33.CORE_FLAGS],
        [path for path in cortex_m33.core_sources() if path.suffix == ".c"],
        riscv32.RISCV32,
    ),
}


@pytest.mark.parametrize("name", PORTABLE)
def test_portable_c_is_no_slower_in_layers_of_images(name):
    """Whole layers, with all that they do besides, and those loops with the same rescaling of results. But for means of
    floats where there is a unit for them: they have the same bits on all chips, which a sum in that unit has not."""
    flags, core, machine = PORTABLE[name]
    if machine.missing():
        pytest.skip(f"{machine.missing()} is not installed")
    jobs = [
        job
        for job in pico2_layers.window_jobs(pico2_layers.WINDOWS) + pico2_layers.element_jobs()
        if job.plain
    ]
    elf = cortex_m33.with_plain_loops(flags, core, machine)
    answers, _ = cortex_m33.run(elf, [(job.data, job.x) for job in jobs], machine)
    loops = cortex_m33.plain(elf, [job.plain for job in jobs], machine)
    slower = {
        (job.what, job.type): (answer.instructions[0], instructions)
        for job, answer, (_, instructions) in zip(jobs, answers, loops, strict=True)
        if answer.instructions[0] > instructions
    }
    means = {("average pool 2x2, 24x24x32", "float32"), ("average pool 8x8, 8x8x32", "float32")}
    assert slower.keys() == (means if name == "Cortex-M33" else set())


def test_a_wrong_loop_would_be_found():
    """What a loop should give, by hand: 1, 2 over 3, 4 under 2 x 2 taps that reach a row and a column beyond."""
    x = np.array([[[1], [2]], [[3], [4]]], np.int16)
    weights, bias = (
        np.array([[[[256]], [[512]]] * 2]).reshape(1, 2, 2, 1).astype(np.int16),
        np.array([512], np.int32),
    )
    plain = cortex_m33.PlainLayer("conv", x, weights, bias, 2, 1, 0, 2)
    # 512 + 256 (1 + 3) + 512 (2 + 4) = 4608, / 512 = 9; 512 + 256 (2 + 4) = 2048; 512 + 256 3 + 512 4 = 3328, 6.5 -> 7
    assert pico2_layers.expected(plain).reshape(-1).tolist() == [9, 4, 7, 3]
    mean = cortex_m33.PlainLayer("mean", x, x[:0], x[:0, 0, 0], 2, 2, 0, 1)
    assert pico2_layers.expected(mean).reshape(-1).tolist() == [3]  # 2.5, away from zero
