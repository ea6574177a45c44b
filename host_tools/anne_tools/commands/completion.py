"""`anne completion`: what lets a shell complete commands, options and files."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(
    "completion",
    epilog='\b\nExamples:\n  eval "$(anne completion bash)"          # in this shell; in ~/.bashrc, in all'
    '\n  eval "$(anne completion zsh)"           # likewise, ~/.zshrc'
    "\n  anne completion fish > ~/.config/fish/completions/anne.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script that lets SHELL complete commands, options, their values and files with the Tab key.

    bash needs version 4.4 or newer.
    """
    click.echo(
        get_completion_class(shell)(context.find_root().command, {}, "anne", "_ANNE_COMPLETE").source()
    )
