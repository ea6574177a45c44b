"""How weights lie in a model file (FORMAT.md, "Kind 1, dense"): read and multiplied in plain Python.

A layout names the kernel that the weights are packed for. Here each is unpacked to rows of numbers and computed as its
definition reads, without the kernel's tricks. Not frozen into firmware, whose native module does all this.

A layout's class has
    check(layer, n_in, n_out): ValueError unless the constants are n_out rows of n_in weights, and what scales them
    rows(layer, n_in, n_out): the weights of each row, as `run` takes them
    run(layer, rows, x): the outputs for n_in inputs
of a layer, or of a group of its rows (layers/conv.py).
"""

from .f32 import F32
from .f32_aligned import F32Aligned
from .s4 import S4
from .s8 import S8F32, S8Quad
from .s16 import S16

# name -> class; numbers and types are in weights.py
LAYOUTS = {layout.name: layout for layout in (F32, S8Quad, S4, S8F32, S16, F32Aligned)}
