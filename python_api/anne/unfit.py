"""Says why `import anne` fails on stock firmware, where the native module is a file that may not suit. Not in ours."""

import gc
import os
import sys

_FILE = "_anne.mpy"
_AGAIN = "put the right one there, from a PC: anne deploy --runtime"


def raise_for(found, version):
    """Raise in a sentence what is wrong with the module: `found` is the error of its import, or its version.

    `version` is the package's.
    """
    if isinstance(found, str):
        raise ImportError("anne: expected %s of version %s, got %s; %s" % (_FILE, version, found, _AGAIN))
    if isinstance(found, MemoryError):
        gc.collect()
        told = "anne: %s needs %d bytes of heap, most in one piece, %d are free; import anne before large programs"
        raise MemoryError(told % (_FILE, _module_bytes(), gc.mem_free()))
    raise ImportError("anne: %s is not for this board (%s); %s" % (_FILE, found, _AGAIN))


def _module_bytes():
    # what is loaded takes about as much as the file
    for folder in sys.path:
        try:
            return os.stat((folder + "/" if folder else "") + _FILE)[6]
        except OSError:
            pass
    return 0
