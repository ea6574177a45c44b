"""Runs on any board: imports AI-ANNE and prints (native, version, folder, heap taken, heap free) as a tuple."""

import gc

gc.collect()
before = gc.mem_free()
import anne  # noqa: E402

gc.collect()
free = gc.mem_free()
print((anne.native, anne.__version__, anne.__path__, before - free, free))
