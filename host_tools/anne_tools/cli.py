"""The `anne` command: parses, prints and exits; one module a command in commands/, the work is done elsewhere."""

import importlib
import os
import signal
import sys
import warnings
from contextlib import suppress

import click

from .data.texts import harmless
from .errors import DeviceError, ModelError

# In the order `anne --help` tells them, in its words. Each is commands/NAME.py with a click command named `command`.
COMMANDS = {
    "demo": "Run the published IRIS networks on an emulated Pico.",
    "train": "Let a network learn from a table, here or on a Pico.",
    "convert": "Convert a trained network to a model file, and report on it.",
    "inspect": "Tell what is in a model file, and whether it fits a board.",
    "run": "Run a model file, or a published network.",
    "verify": "Compare source framework, reference, C core and Pico.",
    "bench": "Measure time and memory on a Pico.",
    "deploy": "Put a model file onto a Pico and check it there.",
    "romfs": "Fill the part of a Pico's flash where models are used in place.",
    "emulate": "Talk to an emulated Pico, or run a script on it.",
    "explore": "Show every neuron of a network in the browser, and on a Pico.",
    "flash": "Put the firmware onto a real Pico.",
    "completion": "Print what lets a shell complete commands, options and files.",
}


class AnneError(click.ClickException):
    """What went wrong, in one line on stderr; exit status 1."""

    def show(self, file: object = None) -> None:
        click.echo(f"anne: {self.format_message()}", err=True)


class AnneGroup(click.Group):
    """The commands, imported when they are needed, so that the program starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return importlib.import_module(f".commands.{name}", __package__).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ModelError as error:
            raise AnneError(harmless(str(error))) from None
        except DeviceError as error:
            raise AnneError("\n".join(map(harmless, str(error).split("\n")))) from None
        except OSError as error:
            if error.filename is None:
                raise
            raise AnneError(harmless(f"{error.filename}: {error.strerror}")) from None
        except ModuleNotFoundError as error:
            raise AnneError(_missing(error)) from None


# What a command imports only when it is used, and the package that brings it, where that has one for this machine.
_PACKAGES = {
    "rp2040py": "rp2040py",
    "littlefs": "littlefs-python",
    "elftools": "pyelftools",
    "mpremote": "mpremote",
    "serial": "pyserial",
    "websockets": "websockets",
}


def _missing(error: ModuleNotFoundError) -> str:
    module = (error.name or "").partition(".")[0]
    if module not in _PACKAGES:
        raise error
    from importlib.metadata import requires

    package = _PACKAGES[module]
    asked = [name.partition(";")[0] for name in requires("ai-anne") or () if name.startswith(package)]
    return f"Python module {module} is missing; do: pip install '{(asked or [package])[0]}'"


def _show_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from .boards.firmware import BOARDS, find_firmware, firmware_banner, versions

    click.echo(versions().line())
    firmwares = {}
    for board in BOARDS:
        with suppress(ModelError):  # not built yet: then there is nothing to tell
            path = find_firmware(None, board)
            firmwares[path] = firmware_banner(path)
    for path, banner in firmwares.items():
        click.echo(f"{path}: {banner}")
    ctx.exit()


@click.group(
    cls=AnneGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit status: 0 good, 1 it did not work (one line says why), 2 wrong usage.",
)
@click.option(
    "--version",
    is_flag=True,
    callback=_show_version,
    expose_value=False,
    is_eager=True,
    help="Show the version, what the firmware is built from, and which firmware is there.",
)
def cli() -> None:
    """Neural networks on the Raspberry Pi Pico.

    \b
    anne demo                    the published IRIS networks, in an emulated Pico
    anne emulate                 a Python prompt in an emulated Pico
    anne flash                   put the firmware on a real one
    anne train iris.csv --layers 4,8,3 -o iris.anne    a network that learns from a table
    anne convert net.keras       a trained network as a model file, net.anne, with a report
    anne run net.anne --on PORT --input x.npy    a model file on a real Pico
    """


def _end_in_order(number: int, frame: object) -> None:
    """Leave as by Ctrl-C when told to end: board files are written, a real board's temporary files removed."""
    raise SystemExit(128 + number)


def main() -> None:
    for number in {signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:  # Windows has no SIGHUP
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup's choice stays
            signal.signal(number, _end_in_order)
    warnings.formatwarning = lambda message, *_: f"anne: {message}\n"
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell: >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the program
        getattr(sys, name).reconfigure(
            errors="backslashreplace"
        )  # a terminal or pipe that has not all letters
    try:
        cli(prog_name="anne")
    except OSError as error:  # one that names no file: what is printed finds no room
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # as Python prints the rest at its end
        sys.exit(f"anne: output: {error.strerror or error}")


if __name__ == "__main__":
    sys.exit(main())
