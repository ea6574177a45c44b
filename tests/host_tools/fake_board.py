"""A board that goes wrong while it is used, on a pseudo-terminal."""

import os
import pty
import select
import threading
import tty


class FakeBoard:
    """A board on a pseudo-terminal that knows the raw REPL; `answer(source)` gives the output, or calls a method."""

    def __init__(self, answer):
        self._controller, terminal = pty.openpty()
        tty.setraw(terminal)
        self.port, self._terminal = os.ttyname(terminal), terminal
        self._answer, self._hears, self._plugged = answer, True, True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def vanish(self):
        """Be unplugged."""
        self._hears = False
        os.close(self._terminal)
        os.close(self._controller)
        self._plugged = False

    def hang(self):
        """Take nothing and say nothing from now on."""
        self._hears = False

    def close(self):
        self._hears = False
        self._thread.join(5)
        if self._plugged:
            self.vanish()

    def _serve(self):
        source = b""
        while self._hears:
            data = os.read(self._controller, 1) if select.select([self._controller], [], [], 0.05)[0] else b""
            if data == b"\x01":
                self._say(b"raw REPL; CTRL-B to exit\r\n>")
            elif data == b"\x04" and not source.strip(b"\r\x03"):
                self._say(b"OK\r\nMPY: soft reboot\r\nraw REPL; CTRL-B to exit\r\n>")
            elif data == b"\x04":
                output = self._answer(self, source.decode())
                if self._hears:
                    self._say(b"OK" + output.encode() + b"\x04\x04>")
            elif source + data == b"\x05A":
                os.read(self._controller, 1)
                self._say(b"R\x00")  # knows raw paste, but does not do it
            else:
                source += data
                continue
            source = b""

    def _say(self, data):
        os.write(self._controller, data)


def vanishes(board, source):
    board.vanish()


def hangs(board, source):
    board.hang()
