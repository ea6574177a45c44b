"""Which files a board with MicroPython's own firmware gets, and what mip gets: with files of a few bytes."""

import json

import pytest
from anne_tools.boards import built, runtime_files
from anne_tools.boards.firmware import versions
from anne_tools.boards.runtime_files import BoardFacts, kinds_for, mip_files, runtime_for
from anne_tools.errors import DeviceError, ModelError

# The head of a .mpy file (py/persistentcode.c): "M", version 6, processor << 2 | sub-version, bits of a small integer.
BYTECODE = b"M\x06\x00\x1f"
# sys.implementation._mpy: version | sub-version << 8 | processor << 10
ARMV6M, ARMV7M, ARMV7EMSP, XTENSAWIN = (6 | 3 << 8 | processor << 10 for processor in (4, 5, 7, 10))


def module(processor: int, code: bytes = b"code") -> bytes:
    return bytes([0x4D, 6, processor << 2 | 3, 31]) + code


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A build of the package and of modules for two processors, the only one there is."""
    folder = tmp_path / "files"
    (folder / "anne" / "layers").mkdir(parents=True)
    (folder / "anne" / "__init__.mpy").write_bytes(BYTECODE + b"init")
    (folder / "anne" / "layers" / "add.mpy").write_bytes(BYTECODE + b"add")
    (folder / "_anne-armv6m.mpy").write_bytes(module(4))
    (folder / "_anne-armv7emsp.mpy").write_bytes(module(7))
    (folder / "_anne-armv6m-dense.mpy").write_bytes(module(4, b"few"))
    (folder / "_anne-armv7emsp-dense.mpy").write_bytes(module(7, b"few"))
    monkeypatch.setattr(
        runtime_files, "find", lambda name: folder / name if (folder / name).exists() else None
    )
    return folder


def board(mpy: int, *, name: str = "micropython", version=(1, 25, 0), platform: str = "rp2") -> BoardFacts:
    return BoardFacts(name, version, mpy, platform, "a board", False, "/lib", "", 4096, 1 << 20, 200_000)


PACKAGE = {"anne/__init__.mpy": BYTECODE + b"init", "anne/layers/add.mpy": BYTECODE + b"add"}


@pytest.mark.parametrize(
    ("mpy", "platform", "processor", "number"),
    [(ARMV6M, "rp2", "armv6m", 4), (ARMV7EMSP, "rp2", "armv7emsp", 7), (ARMV7EMSP, "stm32", "armv7emsp", 7)],
)
def test_a_processor_gets_its_module(files, mpy, platform, processor, number):
    runtime = runtime_for("a port", board(mpy, platform=platform))
    assert runtime.processor == processor
    assert runtime.files() == PACKAGE | {"_anne.mpy": module(number)}


@pytest.mark.parametrize(
    ("mpy", "platform"), [(XTENSAWIN, "esp32"), (ARMV7M, "stm32"), (ARMV6M, "samd")], ids=str
)
def test_a_processor_without_module_gets_the_package(files, mpy, platform):
    # a Cortex-M0+ that is no RP2040 has no divider for the module of armv6m
    runtime = runtime_for("a port", board(mpy, platform=platform))
    assert (runtime.processor, runtime.files()) == ("", PACKAGE)


@pytest.mark.parametrize(
    ("version", "mpy", "theirs"),
    [((1, 18, 0), 5, "5.0"), ((1, 22, 0), 6 | 2 << 8 | 4 << 10, "6.2"), ((1, 10, 0), 0, "no version")],
    ids=str,
)
def test_an_older_micropython(files, version, mpy, theirs):
    with pytest.raises(DeviceError) as error:
        runtime_for("a port", board(mpy, version=version))
    number = ".".join(map(str, version))
    ours = "6.3" if mpy >> 10 else "6"
    assert str(error.value) == (
        f"a port: MicroPython {number} loads .mpy files of {theirs}, AI-ANNE's are of {ours}; put MicroPython 1.23 or "
        "later on it"
    )


def test_no_micropython(files):
    with pytest.raises(DeviceError, match=r"^a port: expected MicroPython, got circuitpython 9\.0\.0; put "):
        runtime_for("a port", board(0, name="circuitpython", version=(9, 0, 0)))


def test_what_tells_one_runtime_from_another(files):
    before = runtime_for("a port", board(ARMV6M)).stamp
    assert before.startswith(f"{versions().project} armv6m ")
    (files / "anne" / "layers" / "add.mpy").write_bytes(BYTECODE + b"sum")
    assert runtime_for("a port", board(ARMV6M)).stamp != before


@pytest.mark.parametrize(
    ("layers", "kinds"),
    [(["dense", "activation", "scaling", "reshape"], "dense"), (["dense", "conv"], "all"), (["add"], "all")],
    ids=str,
)
def test_what_a_network_needs(layers, kinds):
    assert kinds_for(layers) == kinds


def test_dense_layers_alone(files):
    whole, dense = (runtime_for("a port", board(ARMV6M), kinds) for kinds in ("all", "dense"))
    assert dense.module == module(4, b"few")
    assert dense.package == whole.package
    assert dense.stamp.startswith(f"{versions().project} armv6m-dense ")
    assert whole.heap_bytes - dense.heap_bytes == len("code") - len("few")
    # where all runs in Python there is one set of files only
    assert (
        runtime_for("a port", board(XTENSAWIN), "dense").stamp
        == runtime_for("a port", board(XTENSAWIN)).stamp
    )


def test_files_that_are_not_built(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("CHECKOUT", "RUNTIME"):
        monkeypatch.setattr(built, name, tmp_path)
    with pytest.raises(ModelError, match=r"package for stock firmware is not there; .* do: make runtime$"):
        mip_files()


# --- mip --------------------------------------------------------------------------------------------------------------


class FakeBoard:
    """What mpremote's mip asks of a board's file system."""

    def __init__(self):
        self.files, self.folders = {}, {"/lib"}

    def fs_exists(self, path):
        return path in self.folders

    def fs_mkdir(self, path):
        assert path.rpartition("/")[0] in self.folders | {""}
        self.folders.add(path)

    def fs_writefile(self, path, content, progress_callback):
        assert path.rpartition("/")[0] in self.folders
        self.files[path] = content


@pytest.mark.parametrize(
    ("name", "module_files"),
    [
        ("package.json", {"/lib/_anne.mpy": module(4)}),
        ("package-armv6m.json", {"/lib/_anne.mpy": module(4)}),
        ("package-armv7emsp.json", {"/lib/_anne.mpy": module(7)}),
        ("package-dense.json", {"/lib/_anne.mpy": module(4, b"few")}),
        ("package-armv6m-dense.json", {"/lib/_anne.mpy": module(4, b"few")}),
        ("package-armv7emsp-dense.json", {"/lib/_anne.mpy": module(7, b"few")}),
        ("package-python.json", {}),
    ],
)
def test_mip_installs_from_a_folder(files, tmp_path, name, module_files):
    mip = pytest.importorskip("mpremote.mip")
    for path, content in mip_files().items():
        target = tmp_path / "dist" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    fake = FakeBoard()
    # as `mpremote mip install dist/package.json` calls it
    mip._install_package(fake, f"{tmp_path}/dist/{name}", "no index", "/lib", None, True)
    assert fake.files == {f"/lib/{path}": content for path, content in PACKAGE.items()} | module_files


def test_package_json_names_its_version(files):
    document = json.loads(mip_files()["package.json"])
    assert document["version"] == versions().project
    assert document["deps"] == []
