"""Runs on the Pico: a model file on samples from a file; prints each output's bytes in hexadecimal, a line a sample.

The host sets before: `model_path`, `inputs_path` and `first`, where in it the samples begin, `n_samples`, the type
codes `x_code` and `y_code` of the arrays, and the numbers of their elements. Floats for an integer model are rounded on
the board.
"""

from array import array
from binascii import hexlify

import anne


def zeros(code, n):
    return array(code, [0] * n)


def main():
    net = anne.load(model_path)  # noqa: F821
    x, y = zeros(x_code, x_size), zeros(y_code, y_size)  # noqa: F821
    with open(inputs_path, "rb") as file:  # noqa: F821
        file.seek(first)  # noqa: F821
        for _ in range(n_samples):  # noqa: F821
            file.readinto(x)
            net.predict_into(x, y)
            print(hexlify(y).decode())


main()
