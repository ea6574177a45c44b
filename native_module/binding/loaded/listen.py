# Part of the module _anne as a .mpy file: how code in C looks for Ctrl-C. MicroPython does so whenever a loop jumps
# back: at first it reads USB, then it raises what has come.


def _listen():
    i = 2
    while i:
        i -= 1
