"""Progress on stderr where it is no terminal: a step is named while it goes on, and what is quick says nothing."""

import time

from anne_tools.commands import common


def until_shown(capsys, text):
    """Wait until a line is on stderr; return all of it."""
    shown, end_s = "", time.monotonic() + 20
    while text not in shown:
        assert time.monotonic() < end_s, shown
        time.sleep(0.01)
        shown += capsys.readouterr().err
    return shown


def test_a_long_step_is_named_while_it_goes_on(capsys, monkeypatch):
    monkeypatch.setattr(common._Lines, "_FIRST_S", 0.01)
    monkeypatch.setattr(common._Lines, "_NEXT_S", 0.01)
    with common.progress("starts emulator") as tell:
        assert until_shown(capsys, "emulator") == "starts emulator\n"
        tell("sends net.anne", 512, 2048)
        assert until_shown(capsys, "%") == "sends net.anne (25 %)\n"
        tell("runs [red]\x1b[31m", 0, 0)  # names come from others' files
        assert until_shown(capsys, "runs") == "runs [red]\\x1b[31m\n"


def test_what_is_quick_says_nothing(capsys):
    with common.progress("starts emulator") as tell:
        tell("sends net.anne", 2048, 2048)
    assert capsys.readouterr().err == ""
