"""`anne deploy`: model files onto a Pico, or AI-ANNE itself onto a board with MicroPython's own firmware, or both."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..boards.runtime_files import KINDS, kinds_for
from ..data.texts import harmless
from ..errors import DeviceError, ModelError
from .common import board_file_option, console, json_option, place, print_json, progress, uf2_option
from .models import board_option, only_port, open_model_file

if TYPE_CHECKING:
    from anne.model_file import ModelFile

    from ..boards.deploy import Deployed
    from ..boards.device import Device
    from ..boards.runtime import RuntimeDeployed


@click.command(
    "deploy",
    epilog="\b\nExamples:\n  anne deploy net.anne                     (the one Pico that is plugged in)"
    "\n  anne deploy net.anne --on /dev/ttyACM0 --as /models/net.anne"
    "\n  anne deploy net.anne --board-file pico.img        (an emulated Pico, kept in that file)"
    "\n  anne deploy --runtime                     (AI-ANNE onto stock firmware, on the one board that is plugged in)"
    "\n  anne deploy net.anne --runtime            (both; of AI-ANNE what the network needs)",
)
@click.argument("models", metavar="[MODEL]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--runtime",
    "runtime",
    is_flag=False,
    flag_value="",
    metavar="[PORT]",
    help="Bring AI-ANNE itself onto a board with MicroPython's own firmware: the package and, where the processor has "
    "one, its native module. The board is asked what it is.",
)
@click.option(
    "--runtime-kinds",
    "kinds",
    type=click.Choice(KINDS),
    help="Which layers the native module has: all, or dense, which is those of networks of dense layers alone, without "
    "training, in less than half of the RAM. Default: what the models given need; without one all.",
)
@click.option("--on", "where", metavar="PORT|emulator", help="Default: the only Pico on a USB port.")
@click.option(
    "--as",
    "path",
    help="Path on the board, or a folder that ends with /; default: /. In /rom a model is used where it lies in flash.",
)
@click.option("--force", is_flag=True, help="Even if it is too large to be loaded there, or there already.")
@board_option
@board_file_option
@uf2_option
@json_option
def command(
    models: tuple[Path, ...],
    runtime: str | None,
    kinds: str | None,
    where: str | None,
    path: str | None,
    force: bool,
    board: str,
    board_file: Path | None,
    uf2: Path | None,
    as_json: bool,
) -> None:
    """Put model files onto a Pico and check them there; or, with --runtime, AI-ANNE onto MicroPython's own firmware.

    A file is sent under a temporary name, its CRC is compared on the board, then it is renamed: one of that name stays
    whole until the new one is. With --as /rom/ it goes into the ROMFS partition, beside what is there (anne romfs). The
    model's golden samples are then run on the board.

    With --runtime the files go to /lib under temporary names, their CRC is compared, then they take their place. Then
    the board is a Pico W, or any other with MicroPython of the same .mpy version.
    """
    from ..boards.deploy import path_on_board, require_fit, require_heap
    from ..boards.open_device import open_device

    # nothing emulates a Pico 2, or the Wi-Fi of a Pico W: what is for one goes onto a Pico then
    emulated = board if board == "pico-models" else "pico"
    _require_sense(models, runtime, kinds, where, path)
    where, options = place(where or runtime or None, "", board_file, uf2, board=emulated)
    paths = [path_on_board(path, model.name) for model in models]
    _require_own_paths(paths)
    opened = [open_model_file(model) for model in models]
    if kinds == "dense":
        _require_dense(models, [file for _, file in opened])
    for model, (data, _), at in zip(models, opened, paths, strict=True):
        with _naming(model, len(models)):
            if not force:
                require_fit(data, at, board)
    where = where or only_port()
    done: list[RuntimeDeployed | Deployed] = []
    brought: RuntimeDeployed | None = None
    there: list[str] = []  # what is on the board, for one that fails later
    with progress(f"connects to {where}") as tell, open_device(where, **options) as device:
        if runtime is not None:
            needed = [layer.kind for _, file in opened for layer in file.layers] if opened else ["any"]
            brought = _bring_runtime(device, kinds, kinds_for(needed), force, tell)
            done.append(brought)
            there.append("AI-ANNE")
        for model, (data, _), at in zip(models, opened, paths, strict=True):
            with _naming(model, len(models), there):
                if brought and brought.heap_taken is not None and not force:
                    require_heap(data, board, brought.heap_free)
                done.append(_bring_model(device, data, at, board, force, tell))
            there.append(at)
    if as_json:
        documents = [each.to_json() for each in done]
        print_json(documents[0] if len(documents) == 1 else documents)
        return
    kept = where != "emulator" or board_file is not None
    if brought:
        _say_runtime(brought, kept, bool(models))
    _say_models(done[len(done) - len(models) :], models, kept, board_file, uf2)


def _require_sense(
    models: tuple[Path, ...], runtime: str | None, kinds: str | None, where: str | None, path: str | None
) -> None:
    """UsageError for arguments that do not go together."""
    if not models and runtime is None:
        raise click.UsageError("expected a MODEL, or --runtime for AI-ANNE itself")
    if runtime and runtime.endswith(".anne"):
        raise click.UsageError(
            f"--runtime: expected a port, got {runtime}; the model goes first: anne deploy {runtime} --runtime"
        )
    if runtime and where and runtime != where:
        raise click.UsageError(f"expected one port, got --runtime {runtime} and --on {where}")
    if kinds and runtime is None:
        raise click.UsageError("--runtime-kinds: expected --runtime with it")
    if path and not models:
        raise click.UsageError("--as: expected a MODEL with it; AI-ANNE itself goes where packages are")
    if len(models) > 1 and path and not path.endswith("/"):
        raise click.UsageError(
            f"--as: expected a folder for {len(models)} models, got {path}; such as {path}/"
        )


def _require_own_paths(paths: list[str]) -> None:
    """UsageError where one model would take the place of another that is given with it."""
    for path in paths:
        if paths.count(path) > 1:
            raise click.UsageError(
                f"expected models of different names, got two for {path}; deploy one alone, with another name: --as"
            )


def _require_dense(models: tuple[Path, ...], files: list[ModelFile]) -> None:
    """UsageError for a model that a module of dense layers alone does not run."""
    for model, file in zip(models, files, strict=True):
        others = [layer.kind for layer in file.layers if kinds_for([layer.kind]) != "dense"]
        if others:
            raise click.UsageError(
                f"--runtime-kinds: expected all, as {model.name} has a layer {others[0]}, got dense"
            )


@contextmanager
def _naming(model: Path, n_models: int, before: Sequence[str] = ()) -> Iterator[None]:
    """Of several models what goes wrong names the one, and what lies on the board by then."""
    try:
        yield
    except (ModelError, DeviceError) as error:
        if before:
            click.echo(f"on the board by then, whole: {', '.join(map(harmless, before))}", err=True)
        if n_models > 1:
            error.args = (f"{model.name}: {error}",)
        raise


def _bring_runtime(device: Device, kinds: str | None, needed: str, force: bool, tell: Any) -> RuntimeDeployed:
    from ..boards.runtime import deploy_runtime

    return deploy_runtime(device, force, tell, kinds or needed, exactly=kinds is not None)


def _bring_model(device: Device, data: bytes, path: str, board: str, force: bool, tell: Any) -> Deployed:
    from ..boards.deploy import deploy

    return deploy(device, data, path, board, force, tell)


def _say_runtime(done: RuntimeDeployed, kept: bool, with_models: bool) -> None:
    say = console().print
    say(f"{done.device}: {done.board}, {done.firmware}")
    if done.done == "not needed":
        say(
            "Its firmware has AI-ANNE: it needs no runtime."
            + ("" if with_models else " Next: anne deploy net.anne")
        )
        return
    how = f"native for {done.processor}" if done.processor else "no native code for its processor: in Python"
    say(f"AI-ANNE {done.version}, {how}: {done.n_files} files, {done.n_bytes} bytes, {done.done}")
    say(f"import anne takes {done.heap_taken} bytes of heap; {done.heap_free} are free")
    if done.processor and done.kinds == "dense":
        say(
            f"dense layers alone, {done.heap_taken // 1024} KB of heap; --runtime-kinds all: every kind and training, "
            f"{done.heap_all // 1024} KB"
        )
    if not (kept or with_models):
        say("This emulated Pico is thrown away now. To keep one, add: --board-file pico.img")


def _say_models(
    done: Sequence[Deployed], models: tuple[Path, ...], kept: bool, board_file: Path | None, uf2: Path | None
) -> None:
    board_options = "".join(
        f" {name} {shlex.quote(str(value))}"
        for name, value in (("--board-file", board_file), ("--uf2", board_file and uf2))
        if value
    )
    for model, each in zip(models, done, strict=True):
        _say_model(each, model, board_options, kept)


def _say_model(done: Deployed, model: Path, board_options: str, kept: bool) -> None:
    """`board_options` are those by which `anne emulate` finds this board again, "" for a real one."""
    from ..boards.deploy import ROM
    from ..cores.files import size_and_crc

    say = console().print
    say(f"{done.device}: {done.path}, {size_and_crc(done.file_bytes, done.crc32)} as sent")
    if done.golden_samples:
        say(f"{done.golden_samples} golden samples run there: outputs as they must be")
    if not kept:
        say(
            "This emulated Pico is thrown away now. To keep one: anne deploy --board-file pico.img "
            f"{shlex.quote(str(model))}"
            + (f" --as {shlex.quote(done.path)}" if done.path.startswith(ROM) else "")
        )
        return
    if board_options:
        say(f"Its prompt: anne emulate{board_options}")
    in_place = ", copy=False" if done.path.startswith(ROM) else ""
    say(f"On the Pico: import anne; net = anne.load({done.path!r}{in_place})")
