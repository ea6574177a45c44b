"""The energy of a prediction: the formula by hand, what `inspect` says of it, and the page as it is generated."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from anne_tools.boards.energy import BOARD_FACTOR, current_ma, energies, microjoules
from anne_tools.boards.fit import fit

ROOT = Path(__file__).resolve().parents[3]
SMALL = (ROOT / "examples" / "networks" / "iris-8.anne").read_bytes()


@pytest.fixture(scope="module")
def energy_page():
    sys.path.insert(0, str(ROOT / "host_tools"))
    try:
        spec = importlib.util.spec_from_file_location("energy_page", ROOT / "host_tools" / "energy_page.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def test_the_current_is_the_datasheets_at_48_mhz_and_follows_the_clock():
    # 10.9 + 1.2 + 1.4; 0.39 + 10.51 x 125 / 48 + 2.6; and times 1.15 / 1.1 at 200 MHz: 0.39 + 45.7822 + 2.6
    assert current_ma(48) == pytest.approx(13.5)
    assert current_ma(125) == pytest.approx(30.35979, abs=1e-5)
    assert current_ma(200) == pytest.approx(48.77220, abs=1e-5)


def test_energy_is_time_by_voltage_by_current():
    # 48,000 cycles at 48 MHz take 1 ms: 1 ms x 3.3 V x 13.5 mA = 44.55 uJ
    assert microjoules(48_000, 48) == pytest.approx(44.55)
    # 125,000 at 125 MHz, 1 ms: 3.3 x 30.35979
    assert energies(125_000)["125"] == pytest.approx(100.1873, abs=1e-4)
    assert list(energies(1)) == ["48", "125", "200"]


def test_the_board_takes_what_its_datasheet_says_beside_the_chips():
    # 8.7 mA x 5 V = 43.5 mW at the plug, 10.4 mA x 3.3 V = 34.32 mW in the chip
    assert pytest.approx(43.5 / 34.32) == BOARD_FACTOR


def test_a_verdict_has_the_energy_of_its_cycles():
    verdict = fit(SMALL, "pico")
    assert verdict.energy_uj == energies(verdict.cycles)
    assert verdict.energy_line().startswith("its energy: about ")
    assert "not measured" in verdict.energy_line()


def test_energies_are_told_in_units_that_can_be_read():
    verdict = replace(fit(SMALL, "pico"), energy_uj={"48": 44.52, "125": 999.4, "200": 33_749.0})
    assert "about 44.5 uJ at 48 MHz, 999 uJ at 125 MHz, 33.7 mJ at 200 MHz (" in verdict.energy_line()


def test_no_currents_of_another_chip_are_made_up():
    verdict = fit(SMALL, "pico2")
    assert (verdict.energy_uj, verdict.energy_line()) == (None, "")


def test_a_model_of_mlperf_has_a_line_for_ram_and_one_for_flash(energy_page):
    # 1 ms at 125 MHz are 125,000 cycles
    records = [
        {"model": "anomaly_detection", "peer": None, "ms": 1.0, "flash_ms": 2.0, "arena_bytes": 1},
        {"model": "anomaly_detection", "peer": "TFLite Micro", "ms": 18.5},
        {"model": "iris-8", "peer": None, "ms": 1.0},
    ]
    table = energy_page.mlperf_table(records)
    assert table[2] == "| anomaly detection | 125.0 | 116 | 100 | 101 |"
    assert table[3] == "| anomaly detection, weights in flash | 250.0 | 232 | 200 | 201 |"
    assert len(table) == 4
    assert energy_page.mlperf_table([]) == []


def test_an_example_that_was_not_timed_has_no_line(energy_page):
    # 1,000 us at 125 MHz are 125,000 cycles
    rows = [
        {"data": "IRIS", "network": "4-3", "dtype": "int8", "predict_into_us": us} for us in (1000.0, None)
    ]
    assert energy_page.examples_table(rows)[2:] == ["| IRIS 4-3, int8 | 125.0 | 116 | 100 | 101 |"]


def test_the_page_stands_as_generated(energy_page):
    page = energy_page.PAGE.read_text()
    accuracy = json.loads((ROOT / "docs" / "accuracy.json").read_text())
    tables = {"currents": energy_page.currents_table(), "examples": energy_page.examples_table(accuracy)}
    for name, lines in tables.items():
        assert page == energy_page.replace_table(page, name, lines), "run host_tools/energy_page.py"
