"""Commands as a user types them: what tests of the command line share."""

from __future__ import annotations

from anne_tools.cli import cli
from click.testing import CliRunner, Result

# Two features, relu, two classes: relu(x0 - x1), relu(x1 - x0), so the larger feature names the class.
NETWORK = {
    "name": "larger",
    "labels": ["first", "second"],
    "layers": [
        {"weights": [[1, -1], [-1, 1]], "activation": "relu"},
        {"weights": [[1, 0], [0, 1]], "activation": "softmax"},
    ],
}


def anne(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="anne")


def good(*arguments: object) -> Result:
    result = anne(*arguments)
    assert result.exit_code == 0, result.output
    return result


def refused(message: str, *arguments: object) -> None:
    """Exit status 1 and one line on stderr with `message` in it, after what progress there was."""
    result = anne(*arguments)
    assert result.exit_code == 1, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("anne: ")]
    assert result.stderr.endswith(line + "\n")
    assert message in line
