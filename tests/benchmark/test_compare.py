"""The benchmark beside other ways: it counts right, refuses wrong results, and names what it measured."""

from __future__ import annotations

import json
from pathlib import Path

import compare
import numpy as np
import pytest
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.open_device import open_device
from anne_tools.conversion.plot import growth_plot
from anne_tools.errors import ModelError
from cases import Bench, Case, check
from dense_kernels import KERNELS, PEERS, kernel_tasks, measure_own, own_file, record

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "build" / "anne-bench.uf2"


@pytest.fixture(scope="module")
def device() -> EmulatedDevice:
    if not FIRMWARE.exists():
        pytest.skip("build/anne-bench.uf2 is not built: make bench")
    return open_device("emulator", firmware=FIRMWARE, flash_cache=None)


# --- On the host ------------------------------------------------------------------------------------------------------


def case(expected: list, bound: float = 0.0) -> Case:
    return Case("dense_x 2x2", "layer", [], np.array(expected, np.float32 if bound else np.int8), bound)


def test_an_integer_that_is_off_by_one_is_refused_and_named():
    check(case([5, 7]), np.array([5, 7], np.int8))
    with pytest.raises(ModelError, match="wrong result: dense_x 2x2: output 1 is 8, expected 7"):
        check(case([5, 7]), np.array([5, 8], np.int8))


@pytest.mark.parametrize("wrong", [1.02, np.nan, np.inf])
def test_a_float_beyond_its_bound_is_refused(wrong):
    """The bound is a part of the largest output, 0.01 of 100."""
    check(case([1.0, 100.0], bound=1e-4), np.array([1.009, 100.0], np.float32))
    with pytest.raises(ModelError, match="output 0 is .*, expected 1.0 within 0.01"):
        check(case([1.0, 100.0], bound=1e-4), np.array([wrong, 100.0], np.float32))


def test_all_shapes_of_the_benchmark_are_measured_for_every_kernel():
    measured = {(task, n_in, n_out) for task, n_in, n_out in kernel_tasks(False) if isinstance(task, str)}
    for kernel in ("dense_s8", "dense_s4", "dense_s16", "dense_f32"):
        assert {(kernel, *shape) for shape in ((16, 16), (64, 64), (128, 128), (640, 128))} <= measured
    assert ("dense_s8", 640, 640) in measured and ("dense_f32", 512, 512) in measured


def test_records_of_models_are_kept_and_those_of_layers_replaced(tmp_path):
    path = tmp_path / "bench.json"
    layer = record("dense_s8", 2, 2, 40, None, 8)
    path.write_text(json.dumps({"board": "b", "results": [layer, {"model": "m", "ms": 1}]}))
    new = record("dense_s8", 2, 2, 20, None, 8)
    assert (new["cycles_per_mac"], new["weights"]) == (5.0, "SRAM")
    assert compare.merged(path, [new]) == {"board": "b", "results": [new, {"model": "m", "ms": 1}]}


def test_the_plot_is_a_small_svg():
    pytest.importorskip("matplotlib", reason="the extra ai-anne[plot]")
    records = [
        record("dense_s8", n, n, 3 * n * n, peer, n * n) for n in (16, 640) for peer in (None, *"abcd")
    ]
    picture = growth_plot(records)
    assert b"<svg" in picture and len(picture) < 100_000
    with pytest.raises(ModelError, match="no square shapes"):
        growth_plot([])


# --- On the emulated Pico ---------------------------------------------------------------------------------------------


def test_the_counter_agrees_with_the_emulator(device):
    """A loop of 3 cycles a round, run twice; the emulator's own count has what surrounds the call, too, in both."""

    def both(n: int) -> tuple[int, int]:
        before = device.cycles
        cycles = device.exec(
            f"import _bench;c=__import__('array').array('I',[0,0]);_bench.spin({n},c);print(c[1])"
        )
        return int(cycles), device.cycles - before

    (short, short_truth), (long, long_truth) = both(1_000_000), both(9_000_000)
    # more than SysTick has bits; the emulator keeps time in floats, so a cycle may be lost where it wraps
    assert long - short == pytest.approx(24_000_000, abs=2)
    assert long_truth - short_truth == pytest.approx(2 * 24_000_000, abs=100_000)


def test_every_kernel_and_peer_gives_right_results(device):
    records = compare.run(device, quick=True)
    found = {(r["kernel"], r["peer"]) for r in records if "kernel" in r}
    assert found == {(k, None) for k in KERNELS} | {(p.kernel, p.name) for p in PEERS}
    assert all(
        (r["flash_cycles_per_mac"] is None) == (device.flash == "no cache") for r in records if _own(r)
    )
    ours = {r["kernel"]: r["cycles"] for r in records if r.get("kernel") and not r["peer"]}
    assert all(r["cycles"] > ours[r["kernel"]] for r in records if r.get("kernel") and r["peer"])
    assert {r["peer"] for r in records if "model" in r} == {
        None,
        "emlearn eml_net",
        "pure Python (reference.py)",
    }


def _own(record: dict) -> bool:
    return "kernel" in record and not record["peer"]


def test_weights_in_flash_cost_fifty_cycles_a_word(device):
    """640x64 int8, 40 KB: as if they were in RAM, and with each word missing the cache."""
    if device.flash == "no cache":
        pytest.skip("the emulator with the flash cache is not built: make flash-cache")
    measured = measure_own(Bench(device), "dense_s8", 640, 64)
    assert measured["flash_cycles_per_mac"] - measured["cycles_per_mac"] == pytest.approx(12.5, rel=0.05)


def test_a_wrong_result_ends_the_run(device):
    bench = Bench(device)
    data, x = own_file(KERNELS["dense_s8"], 4, 3)
    arguments = [("", np.frombuffer(data, np.uint8)), ("", x)]
    with pytest.raises(ModelError, match=r"wrong result: dense_s8 4x3: output \d is -?\d+, expected 99"):
        bench.cycles(Case("dense_s8 4x3", "layer", arguments, np.array([99, 99, 99], np.int8)))
