"""Crafted .json and .py files."""

from __future__ import annotations

import json

from crafted import MAX_FILE_BYTES, crafted

# --- .json and .py ----------------------------------------------------------------------------------------------------


def network(layers: object, **more: object) -> bytes:
    return json.dumps({"layers": layers, **more}).encode()


@crafted("json")
def json_deep() -> bytes:
    """A million lists, each in the one before."""
    return b'{"layers":' + b"[" * 1_000_000


@crafted("json")
def json_of_brackets() -> bytes:
    """350,000 empty lists for weights."""
    return network([{"weights": [[]] * 250_000}])


@crafted("json")
def json_of_one_long_text() -> bytes:
    """A text of 300,000 characters beside 100,000 short ones, which numpy would all make as long."""
    return network([{"weights": [["x" * 300_000] + [""] * 100_000]}])


@crafted("json")
def json_long_number() -> bytes:
    """A weight of a million digits."""
    return b'{"layers": [{"weights": [[' + b"9" * 1_000_000 + b"]]}]}"


@crafted("json")
def json_of_many_long_numbers() -> bytes:
    """200 weights of 4,000 digits, each short enough for Python."""
    return network([{"weights": [[10**4000 + n for n in range(200)]]}])


@crafted("json")
def json_of_20_000_layers() -> bytes:
    """20,000 layers of one weight."""
    return network([{"weights": [[1]]}] * 20_000)


@crafted("json")
def json_of_numbered_layers() -> bytes:
    """w1 and b1 to w9000 and b9000."""
    numbered = {f"{kind}{n}": [[1]] for n in range(1, 9_001) for kind in "wb"}
    return json.dumps({"activations": ["relu"] * 9_000, **numbered}).encode()


@crafted("json")
def json_of_variants() -> bytes:
    """30,000 variants of 200 layers."""
    return network([{"weights": [[1]]}] * 200, variants=[{"activations": ["relu"]}] * 30_000)


@crafted("json")
def json_of_names() -> bytes:
    """300,000 names for one input."""
    return network([{"weights": [[1]]}], features=["a"] * 190_000, labels=["\n\x1b"] * 2)


@crafted("py")
def py_of_ones() -> bytes:
    """A list of 500,000 ones."""
    return b"w = [" + b"1," * 500_000 + b"]\n"


@crafted("py")
def py_deep() -> bytes:
    """A million brackets."""
    return b"(" * 1_000_000


@crafted("py")
def py_of_signs() -> bytes:
    """A million minus signs."""
    return b"x = " + b"-" * 1_000_000 + b"1"


@crafted("py")
def py_of_sums() -> bytes:
    """1 + 1 + 1 ..., each sum in the one before."""
    return b"x = 1" + b"+1" * 500_000


@crafted("py")
def py_of_attributes() -> bytes:
    """a.a.a ..., each an attribute of the one before; lines of 300."""
    return (b"a" + b".a" * 300 + b"\n") * 1_700


@crafted("py")
def py_of_names() -> bytes:
    """500,000 lines of one letter."""
    return b"a\n" * 500_000


@crafted("py")
def py_of_as_many_names_as_are_read() -> bytes:
    """58,000 lines of one letter, and spaces up to 1 MB."""
    return (b"a\n" * 58_000).ljust(MAX_FILE_BYTES)


@crafted("py")
def py_of_as_many_functions_as_are_read() -> bytes:
    """29,000 lines of one lambda, and spaces up to 1 MB."""
    return (b"lambda:0\n" * 29_000).ljust(MAX_FILE_BYTES)


@crafted("py")
def py_of_transposes() -> bytes:
    """A list of 5,000 rows, transposed 2,000 times."""
    return b"w = [" + b"[1]," * 5_000 + b"]\n" + b"w = transpose(w)\n" * 2_000


@crafted("py")
def py_of_layers() -> bytes:
    """3,000 layers that share a list."""
    return b"w = [[1]]\nb = [0]\n" + b"x = dense(1, x, w, b, 'relu')\n" * 3_000


@crafted("py")
def py_of_networks() -> bytes:
    """3,000 networks of one layer."""
    lines = (f"y{n} = dense(1, x, w, b, 'relu')\n" for n in range(3_000))
    return b"w = [[1]]\nb = [0]\n" + "".join(lines).encode()


@crafted("py")
def py_long_number() -> bytes:
    """A weight of a million hexadecimal digits, and one in decimal ones."""
    digits = b"9" * 400_000
    return b"w = [[0x" + digits + b"]]\nb = [" + digits + b"]\nx = dense(1, x, w, b, 'relu')\n"


@crafted("py")
def py_of_one_large_weight_used_often() -> bytes:
    """200 layers of 100 x 100 that share their weights."""
    rows = ",".join(["[" + ",".join(["1"] * 100) + "]"] * 100)
    calls = f"b = {[0] * 100}\n" + "x = dense(100, x, w, b, 'relu')\n" * 200
    return f"w = [{rows}]\n{calls}".encode()


# What a hash of Python's is taken modulo: all multiples have the same.
HASH_MODULUS = 2**61 - 1


@crafted("py")
def py_of_keys_that_hash_alike() -> bytes:
    """A set of 42,000 numbers, each of which is compared with all before it."""
    return f"w1 = {{{','.join(str(HASH_MODULUS * n) for n in range(1, 42_000))}}}".encode()


@crafted("py")
def py_of_one_long_f_string() -> bytes:
    """38,000 expressions behind 900,000 letters, which are looked at again for each."""
    return b"x = f'" + b"a" * 900_000 + b"{a}" * 38_000 + b"'"


@crafted("py")
def py_of_f_strings() -> bytes:
    """38,000 expressions in a string, and spaces up to 1 MB."""
    return (b"x = f'" + b"{a}" * 38_000 + b"'").ljust(MAX_FILE_BYTES)


@crafted("py")
def py_of_accents() -> bytes:
    """A name of 114,000 accents in the wrong order, and spaces up to 1 MB."""
    return ("a" + "\u0315\u0300" * 57_000 + " = 1\n").encode().ljust(MAX_FILE_BYTES)


@crafted("py")
def py_of_double_accents() -> bytes:
    """The same of characters that are two accents each."""
    return ("a" + "\u0f73" * 110_000 + " = 1\n").encode().ljust(MAX_FILE_BYTES)
