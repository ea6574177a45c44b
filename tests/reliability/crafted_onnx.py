"""Costly .onnx files: see crafted_files.py. Written byte by byte, which needs no package."""

from __future__ import annotations

import struct

import numpy as np
from crafted import crafted


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name: str, dims: tuple[int, ...], data: bytes = b"", data_type: int = 1) -> bytes:
    head = b"".join(field(1, d) for d in dims) + field(2, data_type) + field(8, name)
    return head + (field(9, data) if data else b"")


def node(op: str, inputs: list[str], outputs: list[str], rest: bytes = b"") -> bytes:
    return b"".join([*(field(1, n) for n in inputs), *(field(2, n) for n in outputs), field(4, op), rest])


def value(name: str, dims: tuple[int, ...], data_type: int = 1) -> bytes:
    shape = b"".join(field(1, field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, data_type) + field(2, shape)))


def onnx(
    nodes: list[bytes], tensors: list[bytes] = (), shape=(1, 4), outputs=("y",), rest: bytes = b""
) -> bytes:
    graph = [field(1, n) for n in nodes] + [field(5, t) for t in tensors] + [field(11, value("x", shape))]
    graph += [field(12, field(1, name)) for name in outputs] + [rest]
    return field(1, 8) + field(7, b"".join(graph)) + field(8, field(2, 20))


def chain(op: str, n: int, *constants: str) -> list[bytes]:
    """n nodes of one operator, from x to y."""
    names = ["x", *map(str, range(1, n)), "y"]
    return [node(op, [a, *constants], [b]) for a, b in zip(names, names[1:], strict=False)]


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


@crafted("onnx")
def samples_of_2_gb() -> bytes:
    """An input of 2^29 elements in 73 bytes."""
    return onnx([node("Relu", ["x"], ["y"])], shape=(1, 1 << 29))


@crafted("onnx")
def an_outer_sum() -> bytes:
    """A constant of 60,000 x 60,000, the sum of two vectors."""
    vectors = [tensor("a", (60_000, 1), bytes(240_000)), tensor("b", (1, 60_000), bytes(240_000))]
    return onnx([node("Add", ["a", "b"], ["c"]), node("Mul", ["x", "c"], ["y"])], vectors)


@crafted("onnx")
def outer_sums_one_after_another() -> bytes:
    """200 constants of 1,000 x 1,000."""
    vectors = [tensor("a", (1000, 1), bytes(4000)), tensor("b", (1, 1000), bytes(4000))]
    nodes = [node("Add", ["a", "b"], [f"c{n}"]) for n in range(200)]
    nodes += [node("Add", [f"s{n}", f"c{n}"] if n else ["a", "c0"], [f"s{n + 1}"]) for n in range(200)]
    return onnx([*nodes, node("Mul", ["x", "s200"], ["y"])], vectors)


@crafted("onnx")
def fields_without_end() -> bytes:
    """500,000 fields that nobody reads."""
    return field(99, 1) * 260_000 + onnx([node("Relu", ["x"], ["y"])])


@crafted("onnx")
def empty_nodes() -> bytes:
    """500,000 nodes of nothing."""
    return onnx([b""] * 500_000)


@crafted("onnx")
def empty_tensors() -> bytes:
    """500,000 tensors of nothing."""
    return onnx([node("Relu", ["x"], ["y"])], [b""] * 500_000)


@crafted("onnx")
def packed_numbers() -> bytes:
    """A million numbers in an attribute."""
    axes = field(5, field(1, "axes") + field(8, b"\x01" * 1_000_000))
    return onnx([node("Unsqueeze", ["x"], ["y"], axes)])


@crafted("onnx")
def axes_without_end() -> bytes:
    """An Unsqueeze by 100,000 axes."""
    axes = tensor("a", (100_000,), np.arange(100_000, dtype="<i8").tobytes(), 7)
    return onnx([node("Unsqueeze", ["x", "a"], ["y"])], [axes])


@crafted("onnx")
def long_words() -> bytes:
    """An operator and names of 300,000 bytes, in 1,000 nodes that read them."""
    name = "n" * 300_000
    return onnx([node("Relu" * 75_000, ["x"], [name]), node("Relu", [name], ["y"])])


@crafted("onnx")
def chain_of_activations() -> bytes:
    """4,000 activations."""
    return onnx(chain("Relu", 4000))


@crafted("onnx")
def chain_of_scalings() -> bytes:
    """4,000 products with a constant, which are one layer in the end."""
    return onnx(chain("Mul", 4000, "s"), [tensor("s", (4,), floats(1.0, 2.0, 3.0, 0.5))])


@crafted("onnx")
def chain_of_many_more() -> bytes:
    """20,000 activations."""
    return onnx(chain("Relu", 20_000))


@crafted("onnx")
def products_that_share_weights() -> bytes:
    """2,000 layers with the same 400 x 400 weights."""
    return onnx(chain("MatMul", 2000, "w"), [tensor("w", (400, 400), bytes(640_000))], (1, 400))


@crafted("onnx")
def slopes_that_are_one_array() -> bytes:
    """4,000 PRelu that look at 200,000 slopes each."""
    return onnx(chain("PRelu", 4000, "s"), [tensor("s", (200_000,), bytes(800_000))])


@crafted("onnx")
def quantised_after_reshapes() -> bytes:
    """2,000 reshapes, and 2,000 QuantizeLinear that ask what was before them."""
    nodes = chain("Reshape", 2000, "s")[:-1] + [node("Reshape", ["1999", "s"], ["q0"])]
    nodes += [node("QuantizeLinear", [f"q{n}", "k"], [f"q{n + 1}"]) for n in range(2000)]
    constants = [tensor("s", (2,), struct.pack("<2q", 1, 4), 7), tensor("k", (1,), floats(1.0))]
    return onnx([*nodes, node("Elu", ["q2000"], ["y"])], constants)


@crafted("onnx")
def weights_dequantised_often() -> bytes:
    """3,000 DequantizeLinear of the same 700,000 weights."""
    constants = [tensor("w", (1000, 700), bytes(700_000), 3), tensor("k", (1,), floats(1.0))]
    nodes = [node("QuantizeLinear", ["x", "k"], ["q"]), node("DequantizeLinear", ["q", "k"], ["0"])]
    for n in range(1500):
        nodes += [
            node("DequantizeLinear", ["w", "k"], [f"w{n}"]),
            node("MatMul", [f"{n}", f"w{n}"], [f"{n + 1}"]),
        ]
    return onnx([*nodes, node("Relu", ["1500"], ["y"])], constants, (1, 1000))


@crafted("onnx")
def one_node_with_many_inputs() -> bytes:
    """A Concat of 100,000 times 64 numbers."""
    constant = tensor("c", (64,), bytes(512), 7)
    nodes = [node("Concat", ["c"] * 300_000, ["s"]), node("Reshape", ["x", "s"], ["y"])]
    return onnx(nodes, [constant])


@crafted("onnx")
def outputs_without_end() -> bytes:
    """60,000 outputs at the end of a chain of 2,000 casts."""
    cast = [
        node("Cast", [f"{n}" if n else "x"], [f"{n + 1}"], field(5, field(1, "to") + field(3, 1)))
        for n in range(2000)
    ]
    return onnx(cast, outputs=["2000"] * 60_000)


@crafted("onnx")
def nodes_in_a_circle() -> bytes:
    """4,000 nodes in a circle."""
    return onnx(
        [node("Relu", [f"{(n + 1) % 4000}"], [f"{n}"]) for n in range(4000)] + [node("Relu", ["0"], ["y"])]
    )


@crafted("onnx")
def sizes_without_end() -> bytes:
    """Constants of 2^62 x 0, of 2^32 x 2^32, and of 10,000 axes."""
    constants = [
        tensor("a", (1 << 62, 0)),
        tensor("b", (1 << 32, 1 << 32)),
        tensor("c", (1,) * 10_000, floats(1.0)),
    ]
    return onnx(
        [node("Mul", ["x", n], [n + n]) for n in "cab"] + [node("Mul", ["cc", "aa"], ["y"])], constants
    )


@crafted("onnx")
def a_file_that_is_its_own_second_file() -> bytes:
    """5,000 constants, each of them all of this file."""
    where = field(13, field(1, "location") + field(2, "crafted.onnx")) + field(14, 1)
    tensors = [tensor(f"c{n}", (40_000,)) + where for n in range(4000)]
    nodes = [node("Mul", [f"{n}" if n else "x", f"c{n}"], [f"{n + 1}"]) for n in range(4000)]
    return onnx([*nodes, node("Relu", ["4000"], ["y"])], tensors, (1, 40_000))


@crafted("onnx")
def padding_without_end() -> bytes:
    """A Pad by 100,000 numbers of 2^62."""
    pads = tensor("p", (100_000,), np.full(100_000, 1 << 62, "<i8").tobytes(), 7)
    return onnx([node("Pad", ["x", "p"], ["y"])], [pads])


@crafted("onnx")
def padding_to_2_to_the_64() -> bytes:
    """Four Pads by 2^62 - 1 on either side, read by a Flatten."""
    pads = tensor("p", (4,), struct.pack("<4q", 0, 2**62 - 1, 0, 2**62 - 1), 7)
    return onnx(
        [*chain("Pad", 4, "p")[:-1], node("Pad", ["3", "p"], ["4"]), node("Flatten", ["4"], ["y"])], [pads]
    )


@crafted("onnx")
def chain_of_padding() -> bytes:
    """4,000 Pads, each by one number more."""
    return onnx(chain("Pad", 4000, "p"), [tensor("p", (4,), struct.pack("<4q", 0, 0, 0, 1), 7)])


@crafted("onnx")
def padding_by_axes_without_end() -> bytes:
    """4,000 Pads that share 20,000 axes."""
    numbers = [tensor(name, (n,), bytes(8 * n), 7) for name, n in (("p", 40_000), ("a", 20_000))]
    return onnx(chain("Pad", 4000, "p", "", "a"), numbers)


@crafted("onnx")
def padding_of_a_constant_shape() -> bytes:
    """2,000 constants of 2^20 zeros, in 30 bytes each, and their sum for padding."""
    nodes = [node("ConstantOfShape", ["n"], [f"z{n}"]) for n in range(2000)]
    nodes += [node("Add", [f"s{n}" if n else "z0", f"z{n}"], [f"s{n + 1}"]) for n in range(2000)]
    return onnx(
        [*nodes, node("Pad", ["x", "s2000"], ["y"])], [tensor("n", (1,), struct.pack("<q", 1 << 20), 7)]
    )


# --- Networks that branch ---------------------------------------------------------------------------------------------


def ends(nodes: list[bytes], inputs: list[str], outputs=("y",), tensors: list[bytes] = ()) -> bytes:
    """A file with more inputs than x, all of its shape."""
    return onnx(nodes, tensors, outputs=outputs, rest=b"".join(field(11, value(n, (1, 4))) for n in inputs))


@crafted("onnx")
def sums_of_themselves() -> bytes:
    """4,000 sums of the one before and itself: 2^4000 ways through."""
    names = ["x", *map(str, range(1, 4000)), "y"]
    return onnx([node("Add", [a, a], [b]) for a, b in zip(names, names[1:], strict=False)])


@crafted("onnx")
def sums_of_the_last_two() -> bytes:
    """200 sums of the two before, as many as may be layers."""
    names = ["x", "0", *map(str, range(1, 200)), "y"]
    nodes = [node("Add", [a, b], [c]) for a, b, c in zip(names, names[1:], names[2:], strict=False)]
    return onnx([node("Relu", ["x"], ["0"]), *nodes])


@crafted("onnx")
def a_sum_of_60_000() -> bytes:
    """One Sum of x, 60,000 times."""
    return onnx([node("Sum", ["x"] * 60_000, ["y"])])


@crafted("onnx")
def sums_of_4000_each() -> bytes:
    """15 Sums of 4,000 times x, of which each would be 4,000 layers."""
    nodes = [node("Sum", ["x"] * 4000, [f"{n}"]) for n in range(15)]
    return onnx([*nodes, node("Sum", [f"{n}" for n in range(15)], ["y"])])


@crafted("onnx")
def sums_of_many_values() -> bytes:
    """200 values, and 200 Sums of 200 of them."""
    names = [f"v{n}" for n in range(200)]
    values = [node("Relu", [a], [b]) for a, b in zip(["x", *names], names, strict=False)]
    sums = [node("Sum", names, [f"s{n}"]) for n in range(200)]
    return onnx([*values, *sums, node("Sum", [f"s{n}" for n in range(200)], ["y"])])


@crafted("onnx")
def gates_in_gates() -> bytes:
    """1,300 times y * sigmoid(y) + y, of which each half could be part of a pattern."""
    nodes, y = [], "x"
    for n in range(1300):
        nodes += [node("Sigmoid", [y], [f"s{n}"]), node("Mul", [y, f"s{n}"], [f"g{n}"])]
        nodes.append(node("Add", [f"g{n}", y], [f"y{n}"]))
        y = f"y{n}"
    return onnx([*nodes, node("Relu", [y], ["y"])])


@crafted("onnx")
def inputs_that_are_all_added() -> bytes:
    """15,000 inputs, and their sum."""
    names = [f"i{n}" for n in range(15_000)]
    return ends([node("Sum", ["x", *names], ["y"])], names)


@crafted("onnx")
def inputs_that_nothing_reads() -> bytes:
    """20,000 inputs beside the one that is read."""
    return ends([node("Relu", ["x"], ["y"])], [f"i{n}" for n in range(20_000)])


@crafted("onnx")
def inputs_of_integers_with_many_readers() -> bytes:
    """250 inputs of int64, read by Casts that come with 50,000 more inputs."""
    names = [f"i{n}" for n in range(250)]
    casts = [
        node("Cast", [name, *["x"] * 200], [f"c{name}"], field(5, field(1, "to") + field(3, 1)))
        for name in names
    ]
    inputs = b"".join(field(11, value(name, (1, 4), 7)) for name in names)
    return onnx([*casts, node("Sum", [f"c{name}" for name in names], ["y"])], rest=inputs)


@crafted("onnx")
def outputs_as_many_as_may_be() -> bytes:
    """257 outputs, all of them one value."""
    return onnx([node("Relu", ["x"], ["y"])], outputs=["y"] * 257)


@crafted("onnx")
def inputs_of_2_gb_in_all() -> bytes:
    """200 inputs of 2^20 elements, and their sum."""
    names = [f"i{n}" for n in range(200)]
    inputs = b"".join(field(11, value(name, (1, 1 << 20))) for name in names)
    return onnx([node("Sum", ["x", *names], ["y"])], shape=(1, 1 << 20), rest=inputs)


@crafted("onnx")
def quantised_sums_that_end_in_floats() -> bytes:
    """1,300 quantised sums of themselves, and at the end a float, for which all is read again."""
    nodes, last = [node("QuantizeLinear", ["x", "k"], ["q0"])], 0
    for n in range(1300):
        nodes += [
            node("DequantizeLinear", [f"q{n}", "k"], [f"d{n}"]),
            node("Add", [f"d{n}", f"d{n}"], [f"s{n}"]),
            node("QuantizeLinear", [f"s{n}", "k"], [f"q{n + 1}"]),
        ]
        last = n + 1
    nodes.append(node("DequantizeLinear", [f"q{last}", "k"], ["d"]))
    return onnx([*nodes, node("Erf", ["d"], ["y"])], [tensor("k", (1,), floats(1.0))])
