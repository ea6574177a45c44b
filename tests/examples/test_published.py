"""AI-ANNE's published networks as model files: what they answer on this computer and on the emulated Pico.

Expected: accuracy, confusion matrix and outputs as the data files of anne_tools.networks have them, computed once in
double precision from the published weights. Inputs are the rows of iris.csv in centimetres, so the scaling in the
files is held, too.
"""

import json
import re
from importlib.resources import files

import numpy as np
import published
import pytest
from anne_tools.boards.open_device import open_device
from anne_tools.boards.runner import run_device
from anne_tools.cores.local import run_local
from anne_tools.errors import ModelError
from anne_tools.networks import published_networks

NAMES = list(published_networks())
# float32 against double precision, and inputs that were published with 8 decimals: as in anne_tools.boards.demo
TOLERANCE = 1e-5


def rows(name: str) -> np.ndarray:
    """The rows that a network is judged on, in cm."""
    table = np.array(published.flowers())
    if name == "iris-4-4-2-1":
        return table
    test = json.loads(files("anne_tools.networks").joinpath("iris_test_20.json").read_text())
    return table[test["rows_of_iris_csv"]]


def check(name: str, outputs: np.ndarray) -> None:
    network = published_networks()[name]
    np.testing.assert_allclose(outputs[:, 0], network.expected_outputs, rtol=TOLERANCE, atol=TOLERANCE)
    confusion = np.zeros((2, 2), int)
    np.add.at(confusion, (network.labels, (outputs[:, 0] > 0.5).astype(int)), 1)
    assert confusion.tolist() == network.expected_confusion
    assert np.trace(confusion) / len(outputs) == pytest.approx(network.expected_accuracy)


@pytest.mark.parametrize("where", ["host", "reference"])
@pytest.mark.parametrize("name", NAMES)
def test_file_gives_the_published_answers(name, where):
    data = (published.FOLDER / f"{name}.anne").read_bytes()
    check(name, run_local(data, rows(name), where))


@pytest.mark.parametrize("name", NAMES)
def test_file_is_what_its_script_makes(name):
    data = published.make(published_networks()[name]).data
    old = (published.FOLDER / f"{name}.anne").read_bytes()
    assert len(data) == len(old), "run: python examples/published.py"
    np.testing.assert_allclose(
        run_local(old, rows(name), "host"), run_local(data, rows(name), "host"), rtol=1e-6, atol=1e-6
    )


def test_files_give_the_published_answers_on_the_emulated_pico():
    try:
        device = open_device("emulator")
    except ModelError as error:
        pytest.skip(str(error))
    with device:
        for name in NAMES:
            data = (published.FOLDER / f"{name}.anne").read_bytes()
            x = rows(name)
            outputs = run_device(device, data, x)
            check(name, outputs)
            # the same core: equal but for libm's exp, within 1e-6 of the largest output
            np.testing.assert_allclose(outputs, run_local(data, x, "host"), rtol=0, atol=1e-6 * outputs.max())


def test_the_script_tells_what_it_wrote(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(published, "FOLDER", tmp_path)
    published.main()
    told = re.findall(r"^(\S+)\.anne: (\d+) bytes", capsys.readouterr().out, re.M)
    assert [name for name, _ in told] == NAMES
    assert all((tmp_path / f"{name}.anne").stat().st_size == int(n_bytes) for name, n_bytes in told)
