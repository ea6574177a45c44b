"""Power cuts while a model file is put onto a board: the real `deploy`, mpremote's and MicroPython's own code.

`anne deploy` talks to MicroPython's unix port as to a board on a port; its littlefs lies on a flash in RAM
(flash_on_port.py). The statements that were sent are recorded, and then run again and again with the power cut at every
operation of the flash. A program that writes a model file itself, as docs/real_pico.md says, is tried in the same way,
and so is `write_file` of anne.model_writer, by which a board keeps what it has learnt.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from anne_tools.boards.deploy import deploy
from anne_tools.boards.serial_device import SerialDevice
from figures import ROOT, Found, ReliabilityError
from mpremote.transport import TransportExecError
from mpremote.transport_serial import SerialTransport

UNIX_PORT = Path(os.environ.get("ANNE_UNIX_PORT", ROOT / "build" / "micropython-unix"))
SCRIPT = Path(__file__).with_name("flash_on_port.py")
MODELS = ROOT / "tests" / "golden" / "models"
N_BLOCKS = 64
# Two deployments in turn, so that what is there is always the other one.
FILES = ("small_int8.anne", "wide_int8.anne")
OTHERS = {"/main.py": b"import anne\n" * 40, "/log.csv": bytes(range(256)) * 20, "/other.anne": None}
# What a user may have beside them: the name that docs/real_pico.md proposes, and one that a deployment would take.
OWN = {"/net.anne.new": b"the user's own", "/.anne-deploy-0": b"the user's own, too"}
# The documented way for a program on the board: docs/real_pico.md, "Power cuts".
SAVE = """import os
with open("/net.anne.new", "wb") as file:
    file.write(data)
os.rename("/net.anne.new", "/net.anne")
"""


def command(*arguments: object) -> list[str]:
    """Return how flash_on_port.py is run."""
    if not UNIX_PORT.exists():
        raise FileNotFoundError(f"no {UNIX_PORT}; `make test` builds it")
    return [str(UNIX_PORT), "-X", "heapsize=16M", str(SCRIPT), *map(str, arguments)]


class UnixPortTransport(SerialTransport):
    """MicroPython's unix port in place of a board's raw REPL; `sent` is what it was given to run."""

    def __init__(self) -> None:
        environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
        self.process = subprocess.Popen(
            command("exec", N_BLOCKS), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.sent: list[str] = []
        self._results: list[bytes] = []

    def exec_raw_no_follow(self, source: str) -> None:
        """Run it; `read_until` then gives its output, and after that its traceback."""
        self.sent.append(source)
        self.process.stdin.write(json.dumps(source).encode() + b"\n")
        self.process.stdin.flush()
        self._results = [self._until_0x04(), self._until_0x04()]

    def read_until(self, n: int, ending: bytes, timeout=10, data_consumer=None, timeout_overall=None):
        result = self._results.pop(0)
        if data_consumer is None:
            return result
        for byte in result:
            data_consumer(bytes([byte]))
        return b"\x04"

    def exec(self, source: str, data_consumer=None) -> bytes:
        self.exec_raw_no_follow(source)
        output, traceback = (result[:-1] for result in self._results)
        if traceback:
            raise TransportExecError(output, traceback.decode())
        return output

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def _until_0x04(self) -> bytes:
        data = b""
        while not data.endswith(b"\x04"):
            byte = self.process.stdout.read(1)
            if not byte:
                raise OSError("the unix port ended")
            data += byte
        return data


class UnixPortDevice(SerialDevice):
    """The unix port as a board on a serial port."""

    transport_type = UnixPortTransport

    def _connect(self) -> None:
        self._transport = self.transport_type()

    @property
    def sent(self) -> list[str]:
        """Return the statements that were sent."""
        return self._transport.sent


def deploy_statements(data: bytes, path: str) -> list[str]:
    """Return what `anne deploy` sends to a board."""
    with UnixPortDevice("unix://port") as device:
        for own, content in OWN.items():
            device.put(own, content)
        n_before = len(device.sent)
        deploy(device, data, path)
        return device.sent[n_before:]


def save_statements(data: bytes, path: str) -> list[str]:
    """Return a program that writes the model file itself."""
    assert path == "/net.anne"
    return [f"data = {data!r}\n{SAVE}"]


def write_file_statements(data: bytes, path: str) -> list[str]:
    """Return how `Trainer.save` and `Head.save` write the model file that they have made."""
    return ["from anne.model_writer import write_file", f"write_file({path!r}, {data!r})"]


def sweep(
    statements_of: Callable[[bytes, str], list[str]],
    n_rounds: int,
    path: str = "/net.anne",
    own: dict[str, bytes] | None = None,
) -> dict:
    """Return how many cuts there were, and after how many of them the old and the new model was there.

    `own` are files that lie beside it and must stay, besides OTHERS.
    """
    others = OTHERS | (own or {}) | {"/other.anne": (MODELS / "small_float32.anne").read_bytes()}
    models = [(MODELS / name).read_bytes() for name in FILES]
    task = {
        "path": path,
        "n_blocks": N_BLOCKS,
        "others": {name: base64.b64encode(content).decode() for name, content in others.items()},
        "deployments": [[base64.b64encode(m).decode(), statements_of(m, path)] for m in models],
        "n_rounds": n_rounds,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "task.json")
        file.write_text(json.dumps(task))
        environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
        done = subprocess.run(command("sweep", file), capture_output=True, text=True, env=environment)
    if done.returncode:
        raise ReliabilityError(f"power cut: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def power_cut(soak: bool) -> Found:
    """Cut at every operation of deploying and of saving; the long form fills and compacts the folder's log often."""
    n_rounds = 40 if soak else 3
    kinds = [
        sweep(deploy_statements, n_rounds, own=OWN),
        sweep(deploy_statements, n_rounds, "/models/net.anne", own=OWN),
        sweep(save_statements, n_rounds),
        sweep(write_file_statements, n_rounds),
    ]
    cuts, old, new = (sum(kind[key] for kind in kinds) for key in ("cuts", "old", "new"))
    return Found(
        f"{cuts:,} cuts, clean and torn, at every operation of {len(kinds) * n_rounds * len(FILES)} deployments and "
        "saves",
        f"{old:,} times the old model (or still none), {new:,} times the new one; CRC good, other files whole, "
        "and it can be deployed again",
    )
