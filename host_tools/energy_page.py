"""Writes the generated tables of docs/energy.md: `python host_tools/energy_page.py`.

Cycles come from docs/accuracy.json (`make accuracy`), from the cost model for the published networks in
examples/networks, and for the four models of MLPerf Tiny from build/bench.json (`make bench`); without them that table
stays as it is. The formula is that of host_tools/anne_tools/boards/energy.py.
"""

import json
from pathlib import Path

from anne_tools.boards.energy import BOARD_FACTOR, CLOCKS, SUPPLY_V, current_ma, energies
from anne_tools.boards.fit import BOARDS, fit
from page_tables import ACCURACY, BENCH, ROOT, markdown, replace_table

PAGE = ROOT / "docs" / "energy.md"
NETWORKS = ROOT / "examples" / "networks"
CLOCK_HZ = BOARDS["pico"].clock_hz
MLPERF = ("anomaly_detection", "keyword_spotting", "visual_wake_words", "image_classification")


def currents_table() -> list[str]:
    """Return the currents and powers that the other tables are made with."""
    rows = []
    for clock, volts in CLOCKS.items():
        power = SUPPLY_V * current_ma(clock)
        usb = power * BOARD_FACTOR / 5
        row = [
            f"{volts:.2f}",
            f"{current_ma(clock):.1f}",
            f"{power:.0f}",
            f"{power / clock:.2f}",
            f"{usb:.0f}",
        ]
        rows.append([str(clock), *row])
    columns = ["MHz", "core V", "mA at 3.3 V", "mW", "nJ a cycle", "mA of a Pico at 5 V"]
    return markdown(columns, rows, left=0)


def energy_row(name: str, cycles: float) -> list[str]:
    """Return a line of a table: thousands of cycles, then microjoules at each clock."""
    return [name, f"{cycles / 1e3:,.1f}", *map(three_digits, energies(cycles).values())]


def three_digits(value: float) -> str:
    """Return a number with three digits that count, larger ones whole."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def energy_table(rows: list[list[str]]) -> list[str]:
    """Return the table of such lines."""
    return markdown(["", "1000 cycles", *(f"uJ at {clock} MHz" for clock in CLOCKS)], rows)


def published_table(folder: Path) -> list[str]:
    """Return the energies of the published networks, lists in and out, by the cost model."""
    files = sorted(folder.glob("*.anne"))
    return energy_table([energy_row(file.stem, fit(file.read_bytes(), "pico").cycles) for file in files])


def examples_table(accuracy: list[dict]) -> list[str]:
    """Return the energies of the examples, with arrays of the file's own types, as timed on the emulated Pico; without
    those that are too large for its RAM."""
    return energy_table(
        [
            energy_row(
                f"{row['data']} {row['network']}, {row['dtype']}", row["predict_into_us"] * CLOCK_HZ / 1e6
            )
            for row in accuracy
            if row["predict_into_us"] is not None
        ]
    )


def mlperf_table(records: list[dict]) -> list[str]:
    """Return the energies of MLPerf Tiny's models, weights in RAM and in flash; [] if they were not measured."""
    rows = []
    for record in records:
        if record.get("model") in MLPERF and record.get("peer") is None:
            name = record["model"].replace("_", " ")
            rows.append(energy_row(name, record["ms"] * CLOCK_HZ / 1e3))
            if record.get("flash_ms") is not None:
                rows.append(energy_row(f"{name}, weights in flash", record["flash_ms"] * CLOCK_HZ / 1e3))
    return energy_table(rows) if rows else []


def main() -> None:
    """Rewrite docs/energy.md."""
    tables = {
        "currents": currents_table(),
        "published": published_table(NETWORKS),
        "examples": examples_table(json.loads(ACCURACY.read_text())),
        "mlperf": mlperf_table(json.loads(BENCH.read_text())["results"]) if BENCH.exists() else [],
    }
    page = PAGE.read_text()
    for name, lines in tables.items():
        if lines:
            page = replace_table(page, name, lines)
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
