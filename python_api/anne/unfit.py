"""Says what does not suit on stock firmware, where the native module is a file: `import anne`, or what such a file with
dense layers alone leaves out. Not in ours."""

import gc
import os
import sys

_FILE = "_anne.mpy"
_AGAIN = "put the right one there, from a PC: anne deploy --runtime"

# What such a file runs (native_module/layers/layers.h).
DENSE_KINDS = ("dense", "activation", "scaling", "reshape")
_DENSE = (
    "this board's %s has dense layers alone; put the one with all there, from a PC: anne deploy --runtime"
    % _FILE
)


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


def refuse_kinds(file):
    """Raise why the module with dense layers alone refused a whole model file, if it did for a layer's kind."""
    for layer in file.layers:
        if layer.kind not in DENSE_KINDS:
            raise ValueError("%s: %s" % (layer.where, _DENSE))


def refuse_training():
    """Raise that the module does not learn, if there is one."""
    try:
        import _anne  # noqa: F401
    except ImportError:  # all runs in Python
        return
    raise RuntimeError("Trainer: " + _DENSE)


def _module_bytes():
    # what is loaded takes about as much as the file
    for folder in sys.path:
        try:
            return os.stat((folder + "/" if folder else "") + _FILE)[6]
        except OSError:
            pass
    return 0
