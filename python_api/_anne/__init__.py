"""The native module on a PC: what the board's `_anne` is, over the library of the host tools; see `anne.host_core`.

Only where the environment variable ANNE_CORE says `native`: then `import anne` finds it, as on a board. Without it the
reference computes, in plain Python and with floats of 64 bits.
"""

import os

if os.environ.get("ANNE_CORE") != "native":
    raise ImportError("_anne on a PC is there where ANNE_CORE=native")


def __getattr__(name):
    from anne import host_core  # not earlier, as it is a part of what imports this module

    return getattr(host_core, name)
