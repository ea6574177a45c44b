"""AI-ANNE on MicroPython's own firmware: how `anne deploy --runtime` brings it, and what `import anne` says there.

What lies in files of a few bytes here stands for the package; what it computes, tests/api asks on the same firmware.
"""

import ast
from pathlib import Path

import numpy as np
import pytest
from anne_tools.boards import runtime
from anne_tools.boards.bench import bench
from anne_tools.boards.board_files import file_in_romfs
from anne_tools.boards.built import CHECKOUT
from anne_tools.boards.deploy import deploy
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.emulator_fork import forked
from anne_tools.boards.runner import run, run_device
from anne_tools.boards.runtime import deploy_runtime, probe
from anne_tools.boards.runtime_files import Runtime, module_file, package_files
from anne_tools.cores.files import open_model
from anne_tools.errors import DeviceError, ModelError

UF2 = CHECKOUT / "build" / "stock-pico-1.25.0.uf2"
MODEL = Path(__file__).parents[1] / "golden" / "models" / "small_int8.anne"
INIT = b"native, __version__, number = True, '%d', %d\n"
# what import anne may take of the heap beside the native module
PACKAGE_HEAP_BYTES = 14 * 1024


def stock_machine(files: dict[str, bytes]) -> EmulatedPico:
    if not UF2.exists():
        pytest.skip(f"no {UF2.name}; `make test` builds it")
    machine = EmulatedPico(UF2, files=files, flash_cache=None)
    machine.set_flash_miss_cycles(0)
    machine.boot()
    return machine


@pytest.fixture(scope="module")
def empty() -> EmulatedPico:
    """A booted Pico with MicroPython's own firmware and no files."""
    return stock_machine({})


@pytest.fixture
def board(empty):
    with forked(empty) as copy:
        yield EmulatedDevice(copy)


@pytest.fixture(scope="module")
def loaded() -> EmulatedPico:
    """The same with AI-ANNE in /lib."""
    module = module_file("armv6m")
    if module is None:
        pytest.skip("no _anne-armv6m.mpy; `make test` builds it")
    files = Runtime("armv6m", package_files(), module.read_bytes()).files()
    return stock_machine({f"lib/{name}": content for name, content in files.items()})


@pytest.fixture
def with_anne(loaded):
    with forked(loaded) as copy:
        yield EmulatedDevice(copy)


def small(number: int, module: bytes = b"code") -> Runtime:
    return Runtime("armv6m", {"__init__.py": INIT % (number, number), "layers/add.py": b"x = 1\n"}, module)


@pytest.fixture
def brings(monkeypatch):
    """Give a function that says what the next board gets."""

    def bring(what: Runtime, dense: Runtime | None = None) -> None:
        by_kinds = {"all": what, "dense": dense or what}
        monkeypatch.setattr(runtime, "runtime_for", lambda device, facts, kinds: by_kinds[kinds])

    return bring


def listed(device, folder: str) -> list[str]:
    return sorted(ast.literal_eval(device.exec(f"import os; print(os.listdir({folder!r}))")))


def printed(device, source: str) -> str:
    return device.exec(source).strip()


# --- What is there afterwards -----------------------------------------------------------------------------------------


def test_files_come_whole_and_only_once(board, brings):
    brings(small(1))
    done = deploy_runtime(board)
    assert (done.done, done.processor, done.native, done.n_files) == ("installed", "armv6m", True, 3)
    assert done.firmware == "MicroPython 1.25.0"
    assert done.board == "Raspberry Pi Pico with RP2040"
    assert listed(board, "/lib") == ["_anne.mpy", "anne"]
    assert listed(board, "/lib/anne") == ["__init__.py", "layers", "version.txt"]
    assert board.get("/lib/_anne.mpy") == b"code"
    assert board.get("/lib/anne/layers/add.py") == b"x = 1\n"
    assert board.get("/lib/anne/version.txt").decode() == done.version
    board.put("/lib/anne.pack", b"left where it was unplugged at the very end")
    assert deploy_runtime(board).done == "there already"
    assert listed(board, "/lib") == ["_anne.mpy", "anne"]


def test_a_new_version_takes_the_place_of_the_old(board, brings):
    brings(small(1))
    deploy_runtime(board)
    brings(Runtime("", {"__init__.py": INIT % (2, 2)}, b""))
    # imported already in this session: what is on the board counts
    board.exec("import sys; sys.modules.pop('anne')")
    done = deploy_runtime(board)
    assert (done.done, done.processor) == ("installed", "")
    # without its layers and without the module, which is of another board now
    assert listed(board, "/lib") == ["anne"]
    assert listed(board, "/lib/anne") == ["__init__.py", "version.txt"]


def test_what_runs_all_kinds_runs_dense_layers(board, brings):
    whole = small(1)
    dense = Runtime("armv6m", whole.package, b"few", "dense")
    brings(whole, dense)
    done = deploy_runtime(board, kinds="dense")
    assert (done.done, done.kinds) == ("installed", "dense")
    assert done.heap_all == done.heap_taken + len(b"code") - len(b"few")
    assert board.get("/lib/_anne.mpy") == b"few"
    assert deploy_runtime(board, kinds="dense").done == "there already"
    done = deploy_runtime(board)
    assert (done.done, done.kinds, board.get("/lib/_anne.mpy")) == ("installed", "all", b"code")
    done = deploy_runtime(board, kinds="dense")
    assert (done.done, done.kinds) == ("there already", "all")
    # nor does a newer version take kinds away from models that are there
    brings(small(2), Runtime("armv6m", small(2).package, b"few", "dense"))
    assert deploy_runtime(board, kinds="dense").kinds == "all"
    assert deploy_runtime(board, kinds="dense", exactly=True).done == "installed"
    assert board.get("/lib/_anne.mpy") == b"few"


def test_what_mip_brought_keeps_its_kinds(board, brings):
    # as a user has it from package.json: no version, and nobody knows what the module has
    board.put("/lib/anne/__init__.py", INIT % (1, 1))
    board.put("/lib/_anne.mpy", b"all of them")
    brings(small(2), Runtime("armv6m", small(2).package, b"few", "dense"))
    done = deploy_runtime(board, kinds="dense")
    assert (done.done, done.kinds, board.get("/lib/_anne.mpy")) == ("installed", "all", b"code")


def test_our_own_firmware_needs_none(device):
    done = deploy_runtime(device)
    assert (done.done, done.native, done.n_files, done.version) == ("not needed", True, 0, "")
    assert "anne" not in listed(device, "/")


# --- What goes wrong --------------------------------------------------------------------------------------------------


def old_one(device) -> None:
    device.put("/lib/anne/__init__.py", INIT % (1, 1))


def assert_only_the_old_one(device) -> None:
    assert listed(device, "/lib") == ["anne"]
    assert device.get("/lib/anne/__init__.py") == INIT % (1, 1)


def test_too_little_heap(board, brings):
    old_one(board)
    brings(small(2, module=bytes(300_000)))
    with pytest.raises(DeviceError) as error:
        deploy_runtime(board)
    # the module's bytes and 9 KB of the package; 12 KB for a program
    assert "takes 309216 bytes of heap and a program some 12288, " in str(error.value)
    free = int(str(error.value).split("12288, ")[1].split(" ")[0])
    assert abs(free - probe(board).heap_free) < 4096
    assert_only_the_old_one(board)


def test_too_little_storage(board, brings):
    old_one(board)
    brings(Runtime("armv6m", {"__init__.py": bytes(4096 * 200)}, b"code"))
    free = probe(board).storage_free
    with pytest.raises(DeviceError) as error:
        deploy_runtime(board)
    # 200 blocks and one of the module, all again in one file: 201; and 8 for folders
    assert f"has {free} bytes free, AI-ANNE needs {(201 + 201 + 8) * 4096}" in str(error.value)
    assert_only_the_old_one(board)


def test_storage_that_is_full_on_the_way(brings, monkeypatch):
    # 40 of 352 blocks are free, and some of those are folders' and the old one's
    full = EmulatedDevice(stock_machine({"fill": bytes((352 - 40) * 4096)}))
    old_one(full)
    brings(Runtime("armv6m", {"__init__.py": bytes(4096 * 25)}, b"code"))
    monkeypatch.setattr(runtime, "_require_storage", lambda *arguments: None)
    with pytest.raises(DeviceError, match=": its storage is full; remove files from it$"):
        deploy_runtime(full)
    assert_only_the_old_one(full)


def test_something_else_arrives(board, brings, monkeypatch):
    old_one(board)
    brings(small(2))
    put = board.put
    monkeypatch.setattr(board, "put", lambda path, content, tell=None: put(path, content[:-1] + b"?"))
    with pytest.raises(DeviceError, match=r": sent files with CRC \d+, there are \d+; repeat it$"):
        deploy_runtime(board)
    assert_only_the_old_one(board)


def test_a_power_cut_between_two_steps(board, brings, monkeypatch):
    # what on_device/runtime_swap.py leaves between its first two renames; the next attempt fails, too
    old_one(board)
    board.put("/lib/anne.new/__init__.py", INIT % (2, 2))
    board.exec("import os; os.rename('/lib/anne', '/lib/anne.old')")
    brings(small(2))

    def unplugged(path, content, tell=None):
        raise DeviceError("the board is gone")

    monkeypatch.setattr(board, "put", unplugged)
    with pytest.raises(DeviceError, match="the board is gone"):
        deploy_runtime(board)
    assert_only_the_old_one(board)


def test_another_anne_in_the_way(board, brings):
    board.put("/anne/__init__.py", INIT % (7, 7))
    brings(small(2))
    with pytest.raises(DeviceError, match=": it is there, but anne is found first; remove that one"):
        deploy_runtime(board)


def test_a_model_needs_it_first(board):
    with pytest.raises(DeviceError, match=r"this board has no AI-ANNE; .*: anne deploy --runtime$"):
        deploy(board, MODEL.read_bytes(), "/small.anne")


# --- import anne ------------------------------------------------------------------------------------------------------


def test_its_heap(with_anne):
    module_bytes = len(module_file("armv6m").read_bytes())
    source = "import gc\ndef used():\n gc.collect()\n return gc.mem_alloc()\na = used()\n"
    source += "import _anne\nb = used()\nimport anne\nprint(b - a, used() - b, anne.native)"
    module, package, native = printed(with_anne, source).split()
    assert native == "True"
    assert int(module) <= module_bytes  # its file has names and relocations beside what stays
    assert int(package) <= PACKAGE_HEAP_BYTES


def test_a_model_runs_there(with_anne):
    data = MODEL.read_bytes()
    assert deploy(with_anne, data, "/small.anne").golden_samples > 0
    x = np.linspace(-1, 1, 3 * open_model(data).inputs[0].size, dtype=np.float32).reshape(3, -1)
    assert np.array_equal(run_device(with_anne, data, x), run(data, x, "host"))


def test_a_model_is_timed_there(with_anne):
    data = MODEL.read_bytes()
    timed = bench(with_anne, data, "small", budget_ms=5)
    assert 0 < timed.predict_into_us < timed.predict_us
    assert timed.flash_us is None  # MicroPython's own firmware has no ROMFS
    with pytest.raises(ModelError, match="its firmware has no ROMFS for it"), file_in_romfs(with_anne, data):
        pass


def test_without_the_module_the_reference_runs(with_anne):
    with_anne.remove("/lib/_anne.mpy")
    # 2 x 1 + 3 x 2 + 1
    source = "import anne; print(anne.native, anne.dense(1, [1, 2], [[2, 3]], [1], 'linear'))"
    assert printed(with_anne, source) == "False [9.0]"


IMPORT = "try:\n import anne\nexcept Exception as error:\n print(type(error).__name__, error)"


@pytest.mark.parametrize(
    ("head", "why"),
    [
        # version 6 and sub-version 3 of a Cortex-M4F; sub-version 2 of a Cortex-M0+, as MicroPython 1.22 loads it
        (bytes([0x4D, 6, 7 << 2 | 3, 31]), "incompatible .mpy arch"),
        (bytes([0x4D, 6, 4 << 2 | 2, 31]), "incompatible .mpy file"),
    ],
)
def test_a_module_for_another_board(with_anne, head, why):
    with_anne.put("/_anne.mpy", head + bytes(20))
    assert printed(with_anne, IMPORT) == (
        f"ImportError anne: _anne.mpy is not for this board ({why}); put the right one there, from a PC: "
        "anne deploy --runtime"
    )


def test_a_module_of_another_version(with_anne):
    with_anne.put("/_anne.py", b"version = '0.0.9'")
    told = printed(with_anne, IMPORT)
    assert told.startswith("ImportError anne: expected _anne.mpy of version ")
    assert told.endswith(", got 0.0.9; put the right one there, from a PC: anne deploy --runtime")
    with pytest.raises(DeviceError, match="anne: expected _anne.mpy of version .*, got 0.0.9"):
        with_anne.require_anne()


def test_no_heap_for_the_module(with_anne):
    n_bytes = len(module_file("armv6m").read_bytes())
    with_anne.exec("import gc; gc.collect(); kept = bytearray(gc.mem_free() - 24000)")
    told = printed(with_anne, IMPORT)
    assert told.startswith(f"MemoryError anne: _anne.mpy needs {n_bytes} bytes of heap, most in one piece, ")
    assert told.endswith(" are free; import anne before large programs")
