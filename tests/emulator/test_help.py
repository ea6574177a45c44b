"""help() on the board, where no docstrings are: of a function, and of a network."""

from pathlib import Path

MODEL = Path(__file__).parent.parent / "golden/models/small_int8.anne"


def told(device, program: str) -> str:
    return device.exec("import anne\n" + program).replace("\r\n", "\n")


def test_help_of_a_function(device):
    (line,) = told(device, "help(anne.dense)").splitlines()
    assert line.startswith(
        "object dense(nunit, x, w, b, activation, out=None, alpha=None): the outputs of nunit neurons"
    )


def test_help_of_a_network(device):
    device.put("/net.anne", MODEL.read_bytes())
    lines = told(device, "net = anne.load('/net.anne'); help(net)").splitlines()
    assert lines[0].startswith("object small: ")
    assert any(
        line.startswith("    predict(x) or net(x): the outputs for x, a list of floats.") for line in lines
    )
