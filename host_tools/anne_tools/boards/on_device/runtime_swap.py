"""Runs on any board: puts what lies whole in anne.new in the place of what was there before.

The host sets before: `folder`, where packages are; `module`, whether _anne.mpy is in anne.new, too; `version`, which is
written last.
"""

import os


def move(old, new):
    # littlefs replaces a file in one step; FAT renames only to what is not there
    try:
        os.rename(folder + old, folder + new)  # noqa: F821
    except OSError:
        os.remove(folder + new)  # noqa: F821
        os.rename(folder + old, folder + new)  # noqa: F821


def main():
    there = os.listdir(folder)  # noqa: F821
    if "anne" in there:
        move("/anne", "/anne.old")
    move("/anne.new", "/anne")
    if module:  # noqa: F821
        move("/anne/_anne.mpy", "/_anne.mpy")
    elif "_anne.mpy" in there:  # of another board
        os.remove(folder + "/_anne.mpy")  # noqa: F821
    with open(folder + "/anne/version.txt", "w") as file:  # noqa: F821
        file.write(version)  # noqa: F821


main()
