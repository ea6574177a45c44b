"""Runs on any board: removes what an installation of AI-ANNE left that did not come to its end, or has come to it.

The host sets before: `folder`, where packages are.
"""

import os


def names():
    try:
        return os.listdir(folder)  # noqa: F821
    except OSError:  # no such folder yet
        return []


def remove(path):
    if os.stat(path)[0] & 0x4000:  # a folder
        for name in os.listdir(path):
            remove(path + "/" + name)
        os.rmdir(path)
    else:
        os.remove(path)


if "anne.old" in names() and "anne" not in names():  # the power failed between two steps
    os.rename(folder + "/anne.old", folder + "/anne")  # noqa: F821
for name in names():
    if name in ("anne.pack", "anne.new", "anne.old"):
        remove(folder + "/" + name)  # noqa: F821
