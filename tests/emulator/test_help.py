"""help() on the board, where no docstrings are: of the package, a function, a network, and one that learns."""

from pathlib import Path

MODEL = Path(__file__).parent.parent / "golden/models/small_int8.anne"


def told(device, program: str) -> str:
    return device.exec("import anne\n" + program).replace("\r\n", "\n")


def test_help_of_a_function(device):
    (line,) = told(device, "help(anne.dense)").splitlines()
    assert line.startswith(
        "object dense(nunit, x, w, b, activation, out=None, alpha=None): the outputs of nunit neurons"
    )


def test_help_of_the_package_names_what_is_imported_later(device):
    lines = told(device, "help(anne)").splitlines()
    assert any(
        line.startswith("  __doc__ -- net = load(path): ") and "Trainer, Head" in line for line in lines
    )
    assert any(
        line.startswith("  load -- load(source, copy=None): the network in a model file") for line in lines
    )


def test_help_of_what_learns(device):
    lines = told(device, "help(anne.Trainer)").splitlines()
    assert any(
        line.startswith("  __doc__ -- Trainer([4, 8, 3], [") and line.endswith("that learns from examples.")
        for line in lines
    )
    assert any(line.startswith("    fit(x, y, epochs=20, validation=None): ") for line in lines)


def test_help_of_a_network(device):
    device.put("/net.anne", MODEL.read_bytes())
    lines = told(device, "net = anne.load('/net.anne'); help(net)").splitlines()
    assert lines[0].startswith("object small: ")
    assert any(
        line.startswith("    predict(x) or net(x): the outputs for x, a list of floats.") for line in lines
    )
