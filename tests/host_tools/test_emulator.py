"""The raw REPL's answers, taken apart in pieces of any size; the rest of the emulator is tested in tests/emulator."""

import pytest
from anne_tools.emulator_usb import RawReplReply
from anne_tools.errors import DeviceError

pytest.importorskip("rp2040py")

ANSWER = "OKgrüße\r\nπ\r\n\x04Traceback\r\n\x04>".encode()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
def test_an_answer_in_pieces_is_put_together(size):
    shown: list[str] = []
    reply = RawReplReply(shown.append)
    pieces = [ANSWER[start : start + size] for start in range(0, len(ANSWER), size)]
    assert [reply.feed(piece) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert reply.split() == ("grüße\nπ\n", "Traceback\n")
    assert "".join(shown) == "grüße\nπ\n"


def test_a_script_that_is_not_accepted_is_an_error():
    reply = RawReplReply(None)
    reply.feed(b"no\x04\x04>")
    with pytest.raises(DeviceError, match="expected OK"):
        reply.split()
