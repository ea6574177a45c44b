"""Runs on the Pico: a model file on samples from a file; prints each output's bytes in hexadecimal, a line a sample.

The host sets before: `model_path`, `copy` (of `anne.load`), `inputs_path` and `first`, where in it the samples begin,
`n_samples`; for each of the model's `inputs` and `outputs` the type code of its array and the number of elements. A
sample in the file has all inputs one after another, a printed one all outputs. Floats for an integer model are rounded
on the board.
"""

from array import array
from binascii import hexlify

import anne


def zeros(described):
    return [array(code, [0] * n) for code, n in described]


def main():
    net = anne.load(model_path, copy=copy)  # noqa: F821
    xs, ys = zeros(inputs), zeros(outputs)  # noqa: F821
    x, y = (arrays if len(arrays) > 1 else arrays[0] for arrays in (xs, ys))
    with open(inputs_path, "rb") as file:  # noqa: F821
        file.seek(first)  # noqa: F821
        for _ in range(n_samples):  # noqa: F821
            for one in xs:
                file.readinto(one)
            net.predict_into(x, y)
            for one in ys:
                print(hexlify(one).decode(), end="")
            print()


main()
