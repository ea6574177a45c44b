"""The commands of `anne`, one a module; cli.py lists them."""
