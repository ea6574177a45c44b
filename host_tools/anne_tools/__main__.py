"""`python -m anne_tools` is the `anne` command."""

from .cli import main

main()
