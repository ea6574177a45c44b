"""Runs on the Pico: prints a path in `folder` that is nobody's, after removing what of ours a power cut left there.

The host sets before: `folder`, "" or ending with "/", and `purpose`, a word in the name. A file of ours is known by its
name and its content: nothing, or `ANNE` at its beginning. What else has such a name is the user's and stays.
"""

import os


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def is_ours(path):
    try:
        with open(path, "rb") as file:
            return file.read(4) in (b"", b"ANNE")
    except OSError:  # a folder
        return False


def main():
    n = 0
    while True:
        path = "%s.anne-%s-%d" % (folder, purpose, n)  # noqa: F821
        if exists(path) and is_ours(path):
            os.remove(path)
        if not exists(path):
            print(path)
            return
        n += 1


main()
