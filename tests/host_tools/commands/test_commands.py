"""convert, inspect, run, verify, bench and deploy as a user types them: output, exit status, files.

Those that need a Pico run on the emulated one, with the firmware of `make firmware`; else they skip.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from anne_tools.boards.deploy import path_on_board
from anne_tools.boards.emulated_device import EmulatedDevice
from anne_tools.boards.emulator import EmulatedPico
from anne_tools.boards.emulator_fork import forked
from anne_tools.boards.firmware import find_firmware
from anne_tools.conversion.convert import convert
from anne_tools.conversion.standard_models import random_graph
from anne_tools.conversion.verify import RMS_LIMITS, percent
from anne_tools.errors import ModelError
from command_line import NETWORK, anne, good, refused


@pytest.fixture(scope="module")
def machine() -> EmulatedPico:
    try:
        machine = EmulatedPico(find_firmware(), flash_cache=None)
    except ModelError as error:
        pytest.skip(str(error))
    machine.set_flash_miss_cycles(0)
    machine.boot()
    return machine


@pytest.fixture
def pico(machine, monkeypatch):
    """`--on emulator` is a copy of one booted machine, which saves the time of booting."""
    with forked(machine) as copy:
        device = EmulatedDevice(copy)
        for module in ("runner", "open_device"):
            monkeypatch.setattr(f"anne_tools.boards.{module}.open_device", lambda where, **options: device)
        yield device


# --- convert ----------------------------------------------------------------------------------------------------------


def test_convert_writes_a_model_file_and_reports(files):
    (files / "net.anne").unlink()
    result = good(
        "convert", "net.json", "--dtype", "int8", "--calibrate", "x.npy", "--test", "x.npy", "y.npy"
    )
    assert (files / "net.anne").read_bytes()[:4] == b"ANNE"
    assert "net.anne: larger as int8" in result.stdout
    assert "accuracy on 50 samples: 100.00 % in floats" in result.stdout
    assert "fits the pico in RAM" in result.stdout


def test_convert_as_json_prints_one_document(files):
    document = json.loads(good("convert", "net.json", "-o", "out.anne", "--json").stdout)
    assert document["output"] == "out.anne"
    assert document["file_bytes"] == (files / "out.anne").stat().st_size
    assert [layer["kernel"] for layer in document["layers"]] == ["f32_aligned", "f32_aligned", "float32"]


def test_convert_takes_names_from_the_command_or_a_file(files):
    (files / "labels.txt").write_text("left\nright\n")
    good("convert", "net.json", "--labels", "labels.txt", "--feature-names", "a,b", "--name", "sides")
    document = json.loads(good("inspect", "net.anne", "--json").stdout)
    assert (document["labels"], document["feature_names"], document["name"]) == (
        ["left", "right"],
        ["a", "b"],
        "sides",
    )


def test_convert_picks_one_of_several_networks(files):
    """AI-ANNE's own programs hold two, here x + 1 and 2 x."""
    (files / "main.py").write_text(
        "small = dense(1, x, [[1]], [1], 'linear')\nlarge = dense(1, x, [[2]], [0], 'linear')\n"
    )
    refused("pick one with --network", "convert", "main.py")
    np.save("five.npy", [[5.0]])
    for network, expected in (("small", 6), ("2", 10)):
        good("convert", "main.py", "--network", network, "-o", "picked.anne")
        result = json.loads(good("run", "picked.anne", "--input", "five.npy", "--json").stdout)
        assert result["outputs"] == [[expected]]
        good("verify", "picked.anne", "--against", "main.py", "--network", network)
    (files / "k.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    refused("for a file that holds several, not for the keras importer", "convert", "k.h5", "--network", "1")


def test_convert_draws(files):
    pytest.importorskip("matplotlib", reason="the extra ai-anne[plot]")
    good("convert", "net.json", "--dtype", "int8", "--calibrate", "x.npy", "--plot", "error.png")
    assert (files / "error.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.keras",), "missing.keras: No such file or directory"),
        (("net.anne",), "net.anne: is a model file already"),
        (("net.json", "--dtype", "int8"), "give some with --calibrate x.npy"),
        (
            ("net.json", "--dtype", "int8", "--calibrate", "y.npy"),
            "calibration data: expected (n_samples, 2), got shape (50,)",
        ),
        (("net.json", "--dtype", "int8", "--calibrate", "none.npy"), "none.npy: No such file or directory"),
        (("net.json", "--labels", "a,b,c"), "labels: expected 2, got 3"),
        (("nan.json",), "are NaN or infinite"),
        (("net.json", "-o", "none/net.anne"), "is no folder"),
    ],
)
def test_convert_refuses_in_one_line_and_touches_nothing(files, arguments, message):
    (files / "nan.json").write_text('{"layers": [{"weights": [[NaN, 1.0]]}]}')
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    refused(message, "convert", *arguments)
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


def test_wrong_usage_is_exit_status_2(files):
    assert anne("convert").exit_code == 2
    assert anne("convert", "net.json", "--dtype", "int7").exit_code == 2
    assert anne("run", "iris-8", "--input", "x.npy").exit_code == 2
    assert anne("run", "iris-8", "1", "2").exit_code == 2
    assert anne("run", "net.anne", "1", "2", "--input", "x.npy").exit_code == 2
    assert anne("run", "net.anne", "1", "2", "3").exit_code == 2
    assert anne("run", "net.anne", "1", "2,5").exit_code == 2
    assert anne("run", "--inptu").exit_code == 2
    assert anne("run", "net.anne", "1", "2", "--inptu", "x.npy").exit_code == 2


# --- inspect ----------------------------------------------------------------------------------------------------------


def test_inspect_tells_and_judges(files):
    result = good("inspect", "net.anne")
    assert "labels: first, second" in result.stdout
    assert "fits the pico in RAM" in result.stdout
    document = json.loads(good("inspect", "net.anne", "--board", "pico2", "--json").stdout)
    assert (document["fit"]["board"], document["fit"]["fits"]) == ("pico2", True)


def test_inspect_tells_the_crc_in_the_header(files):
    """FORMAT.md: u32 at 12, little-endian."""
    crc32 = int.from_bytes((files / "net.anne").read_bytes()[12:16], "little")
    assert f"bytes, CRC-32 {crc32:08x}\n" in good("inspect", "net.anne").stdout


def test_inspect_tells_what_lies_in_the_arena(files):
    """2 floats in, 2 from each layer of weights; softmax works in place."""
    line = "arena: 16 bytes, largest at layer 0 (dense_0): input 8 + output 8\n"
    assert line in good("inspect", "net.anne").stdout
    arena = json.loads(good("inspect", "net.anne", "--json").stdout)["arena"]
    assert [arena[key] for key in ("nbytes", "live_bytes", "layer", "layer_name")] == [16, 16, 0, "dense_0"]
    assert [(live["name"], live["role"], live["nbytes"]) for live in arena["live"]] == [
        ("input", "input", 8), ("dense_0", "output", 8)
    ]  # fmt: skip


def test_inspect_draws_the_arena(files):
    pytest.importorskip("matplotlib", reason="the extra ai-anne[plot]")
    good("inspect", "net.anne", "--plot-memory", "arena.png")
    assert (files / "arena.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_inspect_draws_the_network(files):
    good("inspect", "net.anne", "--plot", "net.svg")
    assert (files / "net.svg").read_text().startswith("<svg ")
    refused(
        "--plot: expected a name that ends with .svg, got net.png", "inspect", "net.anne", "--plot", "net.png"
    )


def test_inspect_draws_over_no_file_that_it_reads(files):
    (files / "net.anne").rename(files / "net.svg")
    before = (files / "net.svg").read_bytes()
    for option in ("--plot", "--plot-memory"):
        refused("net.svg", "inspect", "net.svg", option, "net.svg")
        assert (files / "net.svg").read_bytes() == before


def test_inspect_of_what_does_not_fit(files):
    (files / "big.anne").write_bytes(convert(random_graph((4, 400, 300, 2))).data)
    result = anne("inspect", "big.anne", "--json")
    assert result.exit_code == 1
    verdict = json.loads(result.stdout)["fit"]
    assert (verdict["fits"], verdict["layer"]) == (False, "dense_1")
    assert " ms " not in anne("inspect", "big.anne").stdout
    assert result.stderr.startswith("anne: big.anne does not fit the pico: the file has ")
    assert "convert with --dtype int8" in anne("inspect", "big.anne").stdout


def damaged(data: bytes, how: str) -> bytes:
    match how:
        case "flipped":
            return data[:-1] + bytes([data[-1] ^ 1])
        case "truncated":
            return data[:-8]
        case "future":
            return data[:4] + b"\x02\x00" + data[6:]
        case "foreign":
            return b"GIF89a" + data[6:]
    return b""


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("flipped", "file: expected a CRC-32 of 0x"),
        ("truncated", "file: expected "),
        ("future", "file: expected version 1 of the format (update the firmware?), got 2"),
        ("foreign", "file: expected a model file (it begins with 'ANNE'), got b'GIF8'"),
        ("empty", "file: expected a model file (it begins with 'ANNE'), got b''"),
    ],
)
@pytest.mark.parametrize("command", ["inspect", "run", "verify", "bench", "deploy"])
def test_files_that_are_not_whole(files, how, message, command, request):
    (files / "bad.anne").write_bytes(damaged((files / "net.anne").read_bytes(), how))
    if command in ("bench", "deploy"):
        request.getfixturevalue("pico")
    refused(message, command, "bad.anne", *(["--on", "emulator"] if command in ("bench", "deploy") else []))


# --- run --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["host", "reference", "emulator"])
def test_run_names_the_classes_and_writes_the_outputs(files, where, request):
    if where == "emulator":
        request.getfixturevalue("pico")
    result = good("run", "net.anne", "--on", where, "--input", "x.npy", "--output", "out.npy", "--json")
    document, expected = json.loads(result.stdout), ["first", "second"]
    assert document["classes"] == [expected[i] for i in np.load("y.npy")]
    np.testing.assert_allclose(np.load("out.npy"), document["outputs"])


def test_run_everywhere_gives_the_same_integers(files, pico):
    good("convert", "net.json", "--dtype", "int8", "--calibrate", "x.npy")
    for where in ("host", "reference", "emulator"):
        good("run", "net.anne", "--on", where, "--input", "x.npy", "--output", f"{where}.npy", "--raw")
    host = np.load("host.npy")
    assert host.dtype == np.int8
    np.testing.assert_array_equal(np.load("reference.npy"), host)
    np.testing.assert_array_equal(np.load("emulator.npy"), host)


def test_run_without_input_is_the_self_test(files, pico):
    assert (
        "these are the golden samples, and their outputs are as they must be"
        in good("run", "net.anne").stdout
    )
    assert json.loads(good("run", "net.anne", "--on", "emulator", "--json").stdout)["golden"] is True


def test_run_takes_csv_and_shows_the_first_rows(files):
    (files / "x.csv").write_text("a,b\n" + "3,1\n" * 30)
    lines = good("run", "net.anne", "--input", "x.csv").stdout.splitlines()
    assert lines[0] == "net.anne on host: 30 samples"
    # softmax(2, 0) = 1 / (1 + e^-2)
    assert lines[1] == "    0  0.880797 0.119203  first"
    assert "10 more" in lines[-1]


@pytest.mark.parametrize("where", ["host", "reference", "emulator"])
def test_run_tells_where_nan_leaves_no_class(files, where, request):
    if where == "emulator":
        request.getfixturevalue("pico")
    np.save("x.npy", [[1, 0], [np.nan, 0], [0, 1]])
    arguments = ("run", "net.anne", "--on", where, "--input", "x.npy")
    document = json.loads(good(*arguments, "--json").stdout, parse_constant=pytest.fail)
    assert document["classes"] == ["first", None, "second"]
    assert document["outputs"][1] == [None, None]
    assert good(*arguments).stdout.splitlines()[2] == "    1  nan nan  no class: NaN"


def test_run_takes_values(files):
    """softmax(relu(3 - 1), 0) as above; and the other way round with a negative value."""
    lines = good("run", "net.anne", "3", "1").stdout.splitlines()
    assert lines == ["net.anne on host: 1 sample", "    0  0.880797 0.119203  first"]
    assert good("run", "net.anne", "-1", "1e0").stdout.splitlines()[1] == "    0  0.119203 0.880797  second"


@pytest.mark.parametrize("command", ["run", "inspect", "verify", "bench", "deploy"])
def test_what_a_model_file_is_made_from_is_to_be_converted_first(files, command, request):
    if command in ("bench", "deploy"):
        request.getfixturevalue("pico")
    (files / "my net.json").write_text(json.dumps(NETWORK))
    on = ["--on", "emulator"] if command in ("bench", "deploy") else []
    refused(
        "my net.json: not an .anne file; convert it first: anne convert 'my net.json'",
        command,
        "my net.json",
        *on,
    )


def test_run_refuses_samples_of_another_shape(files):
    np.save("x3.npy", np.ones((5, 3)))
    refused("x3.npy: expected (n_samples, 2), got shape (5, 3)", "run", "net.anne", "--input", "x3.npy")
    refused("no.anne: No such file or directory", "run", "no.anne")


# --- verify, bench, deploy --------------------------------------------------------------------------------------------


def test_verify_compares_all_the_way_to_the_pico(files, pico):
    result = good(
        "verify", "net.anne", "--against", "net.json", "--input", "x.npy", "--on", "emulator", "--json"
    )
    comparisons = json.loads(result.stdout)["comparisons"]
    assert [(c["first"], c["second"]) for c in comparisons] == [
        ("source framework", "float graph"),
        ("float graph", "C core"),
        ("reference", "C core"),
        ("C core", "the emulated Pico"),
    ]
    assert comparisons[0]["skipped"] == "no framework runs .json"
    assert all(c["good"] for c in comparisons)


def test_verify_fails_where_weights_differ(files):
    other = json.loads((files / "net.json").read_text())
    other["layers"][0]["weights"][0][0] = 1.01
    (files / "other.json").write_text(json.dumps(other))
    refused(
        "float graph and C core differ by",
        "verify",
        "net.anne",
        "--against",
        "other.json",
        "--input",
        "x.npy",
    )


def test_verify_states_its_limits_and_fails_beyond_them(files):
    good("convert", "net.json", "--dtype", "int8", "--calibrate", "x.npy")
    result = good("verify", "net.anne", "--against", "net.json", "--input", "x.npy")
    assert "2 % rms  good" in result.stdout
    assert "the same answer on" in result.stdout
    refused(
        "net.anne: float graph and C core differ by ",
        *("verify", "net.anne", "--against", "net.json", "--input", "x.npy", "--limit", "0.0001"),
    )
    assert "--against SOURCE compares it, too" in good("verify", "net.anne").stdout
    help_page = " ".join(good("verify", "--help").stdout.split())
    for dtype, limit in RMS_LIMITS.items():
        assert f"{percent(limit)} for {dtype}" in help_page


def test_bench_measures_each_layer(files, pico):
    (result,) = json.loads(good("bench", "net.anne", "--json").stdout)["models"]
    assert result["clock_hz"] == 125_000_000
    assert len(result["layers"]) == 3
    layers_us = sum(layer["cycles"] for layer in result["layers"]) / 125
    clock_us = 1  # the board's ticks_us is whole microseconds
    assert layers_us - clock_us <= result["predict_into_us"] < result["predict_us"] < 1000
    # the cost model, on the smallest of layers
    assert result["predicted_us"] == pytest.approx(result["predict_us"], rel=0.5)


def test_bench_says_what_flash_costs(files, pico):
    """`pico` has none of the cache's costs; JSON says it once for all and beside each figure."""
    document = json.loads(good("bench", "net.anne", "--json").stdout)
    assert document["flash"] == "no cache" and {r["flash"] for r in document["results"] if "model" in r} == {
        "no cache"
    }
    text = good("bench", "net.anne").stdout
    assert "Flash is as fast as RAM here" in text and "first us" not in text


@pytest.mark.parametrize("command", ["bench", "emulate"])
def test_a_flash_cache_that_is_not_built_is_told(files, monkeypatch, command):
    monkeypatch.setattr("anne_tools.boards.emulator_core.flash_cache_built", lambda: False)
    monkeypatch.setenv("ANNE_FIRMWARE", str(files / "net.anne"))
    (files / "net.anne.py").write_text("print(1)")
    argument = {"bench": "net.anne", "emulate": "net.anne.py"}[command]
    refused("the emulator with the flash cache is not built here", command, argument, "--flash-cache")


def test_the_flash_cache_is_the_emulators(files):
    result = anne("bench", "net.anne", "--on", "/dev/ttyACM0", "--flash-cache")
    assert result.exit_code == 2 and "--flash-cache is the emulator's" in result.output


def test_deploy_puts_the_file_there_whole(files, pico):
    document = json.loads(
        good("deploy", "net.anne", "--on", "emulator", "--as", "/models/net.anne", "--json").stdout
    )
    assert document["path"] == "/models/net.anne"
    assert document["golden_samples"] == 4
    assert document["crc32"] == json.loads(good("inspect", "net.anne", "--json").stdout)["crc32"]
    assert pico.get("/models/net.anne") == (files / "net.anne").read_bytes()
    good("deploy", "net.anne", "--on", "emulator", "--as", "/models/net.anne")
    assert pico.exec("import os; print(os.listdir('/models'))").strip() == "['net.anne']"


@pytest.mark.parametrize(
    ("said", "path"),
    [
        (None, "/net.anne"),
        ("/", "/net.anne"),
        ("models/", "/models/net.anne"),
        ("/a//b/../iris.anne", "/a/iris.anne"),
        ("/romantic.anne", "/romantic.anne"),
    ],
)
def test_where_deploy_puts_a_file(said, path):
    assert path_on_board(said, "net.anne") == path


def test_names_are_at_most_255_bytes_long():  # littlefs's LFS_NAME_MAX
    assert path_on_board("n" * 255, "net.anne") == "/" + "n" * 255
    with pytest.raises(ModelError, match="expected names of at most 255 bytes on the board, got one of 256"):
        path_on_board("/models/" + "é" * 128, "net.anne")  # two bytes each


@pytest.mark.parametrize("command", ["inspect", "deploy", "run", "bench"])
def test_a_damaged_file_is_named(files, command):
    (files / "half.anne").write_bytes((files / "net.anne").read_bytes()[:100])
    refused(
        "half.anne: file: expected",
        command,
        "half.anne",
        *(["--on", "emulator"] if command == "deploy" else []),
    )


def test_deploy_refuses_rom_itself(files):
    refused(
        "name a file in it, such as /rom/net.anne", "deploy", "net.anne", "--on", "emulator", "--as", "/rom"
    )


def test_deploy_into_rom_leaves_what_is_there(files, pico):
    for said in ("/rom/", "rom/models/b.anne"):
        document = json.loads(good("deploy", "net.anne", "--on", "emulator", "--as", said, "--json").stdout)
        assert document["golden_samples"] == 4
    assert document["path"] == "/rom/models/b.anne"
    listed = json.loads(good("romfs", "list", "--on", "emulator", "--json").stdout)
    size = len((files / "net.anne").read_bytes())
    assert listed["files"] == [{"path": path, "bytes": size} for path in ("models/b.anne", "net.anne")]
    assert listed["romfs_bytes"] == 160 * 1024
    assert pico.get("/rom/net.anne") == (files / "net.anne").read_bytes()
    last = good("deploy", "net.anne", "--on", "emulator", "--as", "/rom/").stdout.splitlines()[-1]
    assert last.endswith("To keep one: anne deploy --board-file pico.img net.anne --as /rom/net.anne")


# --- romfs ------------------------------------------------------------------------------------------------------------


def test_romfs_put_adds_and_replaces(files, pico):
    (files / "own").mkdir()
    (files / "own" / "note.txt").write_text("mine")
    good("romfs", "put", "net.anne", "--on", "emulator")
    told = good("romfs", "put", "own", "--on", "emulator").stdout
    assert [line.split() for line in told.splitlines()][:3] == [
        ["file", "bytes"],
        ["net.anne", str((files / "net.anne").stat().st_size)],
        ["note.txt", "4"],
    ]
    assert pico.get("/rom/note.txt") == b"mine"
    good("romfs", "put", "own", "--replace", "--on", "emulator")
    assert pico.exec("import os; print(os.listdir('/rom'))").strip() == "['note.txt']"


def test_romfs_build_writes_an_image_that_list_reads(files):
    document = json.loads(good("romfs", "build", "net.anne", "-o", "rom.romfs", "--json").stdout)
    assert document["used_bytes"] == (files / "rom.romfs").stat().st_size
    again = json.loads(good("romfs", "list", "rom.romfs", "--json").stdout)
    assert again["files"] == document["files"]
    assert [file["path"] for file in again["files"]] == ["net.anne"]
    refused("would replace net.anne", "romfs", "build", "net.anne", "-o", "net.anne")
    refused("expected an image of ROMFS", "romfs", "list", "net.anne")
    (files / "empty").mkdir()
    refused("expected files, got none in empty", "romfs", "build", "empty", "-o", "rom.romfs")
    refused(
        "rom.romfs: expected a file for /rom, got an image", "romfs", "put", "rom.romfs", "--on", "emulator"
    )


def test_romfs_on_a_firmware_without_it_says_what_to_do(files, pico, monkeypatch):
    monkeypatch.setattr(pico, "exec", lambda source, *rest: "0")
    refused("put ours on the board: anne flash", "romfs", "list", "--on", "emulator")


def test_a_board_file_keeps_what_was_deployed(files, machine):
    lines = good("deploy", "net.anne", "--board-file", "pico.img").stdout.splitlines()
    assert lines[-2:] == [
        "Its prompt: anne emulate --board-file pico.img",
        "On the Pico: import anne; net = anne.load('/net.anne')",
    ]
    (files / "ask.py").write_text("import anne\nprint(anne.load('/net.anne').classify([3.0, 1.0])[0])\n")
    assert good("emulate", "--board-file", "pico.img", "ask.py").stdout == "first\n"
    assert good("run", "net.anne", "--board-file", "pico.img", "--json").exit_code == 0


def test_the_prompt_of_a_board_file_is_that_of_its_firmware(files, machine):
    """A board file keeps the storage alone: without the option the usual firmware would boot on it."""
    told = good("deploy", "net.anne", "--board-file", "pico.img", "--uf2", machine.uf2).stdout
    assert f"Its prompt: anne emulate --board-file pico.img --uf2 {machine.uf2}\n" in told


def test_deploy_without_a_board_file_says_that_nothing_is_kept(files, pico):
    last = good("deploy", "net.anne", "--on", "emulator").stdout.splitlines()[-1]
    assert last.startswith("This emulated Pico is thrown away now.")
    assert last.endswith("To keep one: anne deploy --board-file pico.img net.anne")


def test_deploy_of_what_arrives_damaged_leaves_the_old_file(files, pico, monkeypatch):
    pico.put("/net.anne", b"old")
    put = pico.put
    monkeypatch.setattr(pico, "put", lambda path, content, tell: put(path, content[:-1] + b"!", tell))
    refused("/net.anne: sent", "deploy", "net.anne", "--on", "emulator")
    assert pico.get("/net.anne") == b"old"
    assert pico.exec("import os; print(os.listdir())") == "['net.anne']\n"


def test_deploy_refuses_what_does_not_fit(files, pico):
    (files / "big.anne").write_bytes(convert(random_graph((4, 400, 300, 2))).data)
    refused("it does not fit the pico: the file has ", "deploy", "big.anne", "--on", "emulator")
    assert pico.exec("import os; print(os.listdir('/'))").strip() == "[]"


def test_without_a_pico_deploy_says_so(files, monkeypatch):
    monkeypatch.setattr("anne_tools.boards.serial_device.pico_ports", lambda: [])
    refused("no Pico is plugged in; name a port with --on", "deploy", "net.anne")
    monkeypatch.setattr(
        "anne_tools.boards.serial_device.pico_ports", lambda: ["/dev/ttyACM0", "/dev/ttyACM1"]
    )
    refused("2 Picos are plugged in (/dev/ttyACM0, /dev/ttyACM1)", "deploy", "net.anne")
