"""Runs tests of one file on whatever Python this is: `run("test_dense", ["test_one_sample", ...])`.

Prints for each test `@ name` before it begins, then `@ passed`, `@ skipped why` or `@ failed` with the traceback.
"""

import gc
import sys

from check import Skip


def print_traceback(error):
    if hasattr(sys, "print_exception"):
        sys.print_exception(error, sys.stdout)
    else:
        import traceback

        traceback.print_exception(error, file=sys.stdout)


def run(file, names):
    """Run the functions `names` of module `file`, each after a garbage collection."""
    module = __import__(file)
    for name in names:
        gc.collect()
        print("@", name)
        try:
            getattr(module, name)()
        except Skip as reason:
            print("@ skipped", reason)
        except Exception as error:
            print("@ failed")
            print_traceback(error)
        else:
            print("@ passed")


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
