"""The notebook of the examples runs from its first cell to its last, and is kept without what it printed."""

import json

import pytest
from page_blocks import ROOT
from page_session import find_firmware_or_skip

NOTEBOOK = ROOT / "examples" / "iris_to_pico.ipynb"
CELLS = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]


def test_outputs_are_not_kept():
    assert [cell["outputs"] for cell in CELLS] == [[]] * len(CELLS)
    assert {cell["execution_count"] for cell in CELLS} == {None}


def test_the_cells_run_and_the_pico_says_what_the_pc_does(monkeypatch, tmp_path, capsys):
    """Its last cell compares the two; of ten flowers nine or ten are right, by any release of scikit-learn."""
    pytest.importorskip("sklearn")
    plots = pytest.importorskip("matplotlib.pyplot")
    plots.switch_backend("Agg")
    shown = []
    monkeypatch.setattr(plots, "show", lambda: shown.append(plots.gcf().get_axes()) or plots.close("all"))
    monkeypatch.setenv("ANNE_FIRMWARE", str(find_firmware_or_skip()))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for number, cell in enumerate(CELLS):
        exec(compile("".join(cell["source"]), f"{NOTEBOOK.name}, code cell {number}", "exec"), names)
    assert [len(axes) for axes in shown] == [1, 1, 2]
    told = [line.split() for line in capsys.readouterr().out.splitlines() if " it is " in line]
    assert len(told) == 10
    assert sum(line[0] == line[-1] for line in told) >= 9
