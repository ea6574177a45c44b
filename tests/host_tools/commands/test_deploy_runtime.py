"""What `anne deploy --runtime` brings, by what is deployed with it; the board is a stand-in that takes note.

How it comes there, and what runs there then: tests/emulator/test_runtime.py and test_natmod_dense.py.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from anne_tools.boards.deploy import Deployed
from anne_tools.boards.runtime import RuntimeDeployed
from anne_tools.conversion.convert import convert
from anne_tools.conversion.standard_models import random_graph
from anne_tools.errors import DeviceError
from command_line import anne, good, refused

GOLDEN = Path(__file__).parents[2] / "golden" / "models"
DENSE, CONVOLVED = GOLDEN / "small_int8.anne", GOLDEN / "signal_int8.anne"


@pytest.fixture
def asked(monkeypatch):
    """Give what the board was asked for: kinds and whether exactly those; then the paths of models."""
    asked: list[object] = []

    def bring(device, force, tell, kinds, exactly):
        asked.append((kinds, exactly))
        return RuntimeDeployed(
            "a board", "a Pico", "MicroPython 1.25.0", "installed", "armv6m", kinds, True, "1", 3, 100,
            43 * 1024, 90 * 1024, 190_000,
        )  # fmt: skip

    def put(device, data, path, board, force, tell):
        asked.append(path)
        return Deployed("a board", path, len(data), 0, 4)

    monkeypatch.setattr("anne_tools.boards.open_device.open_device", lambda where, **options: nullcontext())
    monkeypatch.setattr("anne_tools.boards.runtime.deploy_runtime", bring)
    monkeypatch.setattr("anne_tools.boards.deploy.deploy", put)
    return asked


@pytest.mark.parametrize(
    ("models", "kinds"),
    [([], "all"), ([DENSE], "dense"), ([CONVOLVED], "all"), ([DENSE, CONVOLVED], "all")],
    ids=["none", "dense", "convolved", "both"],
)
def test_the_models_say_which_kinds(asked, models, kinds):
    output = good("deploy", *models, "--runtime", "COM5").stdout
    assert asked == [(kinds, False), *(f"/{model.name}" for model in models)]
    told = "dense layers alone, 43 KB of heap; --runtime-kinds all: every kind and training, 90 KB\n"
    assert (told in output) == (kinds == "dense")
    assert output.count("golden samples run there") == len(models)


def test_or_the_user_does(asked):
    good("deploy", DENSE, "--runtime", "--on", "COM5", "--runtime-kinds", "all")
    good("deploy", "--runtime", "COM5", "--runtime-kinds", "dense")
    assert asked == [("all", True), "/small_int8.anne", ("dense", True)]


def test_what_json_has_of_several(asked):
    documents = json.loads(good("deploy", DENSE, CONVOLVED, "--on", "COM5", "--as", "/m/", "--json").stdout)
    assert [document["path"] for document in documents] == ["/m/small_int8.anne", "/m/signal_int8.anne"]
    documents = json.loads(good("deploy", DENSE, "--runtime", "COM5", "--json").stdout)
    assert documents[0]["kinds"] == "dense" and documents[1]["path"] == "/small_int8.anne"
    assert json.loads(good("deploy", "--runtime", "COM5", "--json").stdout)["kinds"] == "all"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a MODEL, or --runtime for AI-ANNE itself"),
        (
            ["--runtime", "net.anne"],
            "--runtime: expected a port, got net.anne; the model goes first: anne deploy net.",
        ),
        ([DENSE, "--runtime-kinds", "all"], "--runtime-kinds: expected --runtime with it"),
        (["--runtime", "COM5", "--on", "COM6"], "expected one port, got --runtime COM5 and --on COM6"),
        (
            [CONVOLVED, "--runtime", "--on", "COM5", "--runtime-kinds", "dense"],
            "--runtime-kinds: expected all, as signal_int8.anne has a layer conv, got dense",
        ),
        (
            [DENSE, DENSE, "--on", "COM5"],
            "expected models of different names, got two for /small_int8.anne; deploy one alone, with another name",
        ),
        (["--runtime", "COM5", "--as", "/m/"], "--as: expected a MODEL with it"),
        ([DENSE, CONVOLVED, "--as", "/m"], "--as: expected a folder for 2 models, got /m; such as /m/"),
    ],
    ids=["nothing", "model", "no runtime", "two ports", "few kinds", "one place", "alone", "folder"],
)
def test_what_does_not_go_together(asked, arguments, message):
    result = anne("deploy", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert asked == []


def test_of_several_the_wrong_one_is_named(asked, monkeypatch):
    def not_whole(device, data, path, board, force, tell):
        if path == "/signal_int8.anne":
            raise DeviceError("it is full")

    monkeypatch.setattr("anne_tools.boards.deploy.deploy", not_whole)
    refused("signal_int8.anne: it is full", "deploy", DENSE, CONVOLVED, "--on", "COM5")


@pytest.mark.parametrize("json_too", [[], ["--json"]], ids=["text", "json"])
def test_what_lies_there_before_a_later_one_fails_is_said(asked, monkeypatch, json_too):
    def full_in_the_end(device, data, path, board, force, tell):
        if path == "/m/signal_int8.anne":
            raise DeviceError("it is full")
        return Deployed("a board", path, len(data), 0, 4)

    monkeypatch.setattr("anne_tools.boards.deploy.deploy", full_in_the_end)
    result = anne("deploy", DENSE, CONVOLVED, "--runtime", "COM5", "--as", "/m/", *json_too)
    assert result.exit_code == 1 and result.stdout == ""
    said = [
        "on the board by then, whole: AI-ANNE, /m/small_int8.anne",
        "anne: signal_int8.anne: it is full",
    ]
    assert result.stderr.splitlines()[-2:] == said


def test_what_does_not_fit_is_said_before_anything_is_sent(asked, tmp_path):
    large = tmp_path / "large.anne"
    large.write_bytes(convert(random_graph((4, 400, 300, 2))).data)  # half a megabyte of float32
    arguments = ("deploy", DENSE, large, "--runtime", "COM5")
    refused("large.anne: it does not fit the pico: the file has ", *arguments)
    assert asked == []
    good(*arguments, "--force")


def test_what_does_not_fit_beside_the_runtime(asked, tmp_path):
    """215 x 215 floats are 184,900 bytes, with names and samples more than the 190,000 that the board says are free."""
    large = tmp_path / "large.anne"
    large.write_bytes(convert(random_graph((215, 215)), "float32").data)
    assert large.stat().st_size > 190_000
    refused(" bytes, beside AI-ANNE 190000 are free (--force ", "deploy", large, "--runtime", "COM5")
    assert asked == [("dense", False)]
    good("deploy", large, "--runtime", "COM5", "--force")
    assert asked[1:] == [("dense", False), "/large.anne"]
