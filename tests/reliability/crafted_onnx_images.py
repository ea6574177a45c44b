"""Costly .onnx files of images and of what is done along axes: see crafted_files.py."""

from __future__ import annotations

import struct

import numpy as np
from crafted import crafted
from crafted_onnx import chain, field, floats, node, onnx, tensor


def numbers(name: str, *values: int) -> bytes:
    """An attribute of integers."""
    return field(5, field(1, name) + b"".join(field(8, value) for value in values) + field(20, 7))


def number(name: str, value: int) -> bytes:
    """An attribute of one integer."""
    return field(5, field(1, name) + field(3, value) + field(20, 2))


def integers(name: str, *values: int) -> bytes:
    """A constant of integers."""
    return tensor(name, (len(values),), struct.pack(f"<{len(values)}q", *values), 7)


IMAGE = node("Reshape", ["x", "image"], ["0"])
AS_IMAGE = integers("image", 1, 1, 1, 4)


def of_image(op: str, *rest: bytes, constants=(), inputs=()) -> bytes:
    """An operator of x as an image of 1 x 4."""
    return onnx([IMAGE, node(op, ["0", *inputs], ["y"], b"".join(rest))], [AS_IMAGE, *constants])


@crafted("onnx")
def windows_of_2_to_the_62() -> bytes:
    """A pool whose window, strides and padding are 2^62."""
    huge = 1 << 62
    return of_image(
        "MaxPool",
        numbers("kernel_shape", huge, huge),
        numbers("pads", huge, huge, huge, huge),
        number("ceil_mode", 1),
    )


@crafted("onnx")
def pads_around_one_tap() -> bytes:
    """A convolution of one tap that pads by 2^30 on each side."""
    taps = tensor("w", (1, 1, 1, 1), floats(1.0))
    return of_image("Conv", numbers("pads", *[1 << 30] * 4), constants=[taps], inputs=["w"])


@crafted("onnx")
def many_channels_of_little() -> bytes:
    """A convolution to 2^18 channels, each of which would be an image."""
    taps = tensor("w", (1 << 16, 1, 1, 1), np.ones(1 << 16, "<f4").tobytes())
    return of_image("Conv", numbers("pads", 0, 1 << 14, 0, 1 << 14), constants=[taps], inputs=["w"])


@crafted("onnx")
def groups_spread_to_all_channels() -> bytes:
    """Transposed convolutions of 4,096 groups, whose zeros between the groups would be 2^24 numbers each."""
    taps = tensor("w", (4096, 1, 1, 1), np.ones(4096, "<f4").tobytes())
    first = tensor("v", (4096, 1, 1, 1), np.ones(4096, "<f4").tobytes())
    nodes = [IMAGE, node("Conv", ["0", "v"], ["c0"])]
    nodes += [node("ConvTranspose", [f"c{i}", "w"], [f"c{i + 1}"], number("group", 4096)) for i in range(100)]
    return onnx([*nodes, node("Relu", ["c100"], ["y"])], [AS_IMAGE, taps, first])


@crafted("onnx")
def resized_to_2_to_the_40() -> bytes:
    """An image resized to 2^20 x 2^20, four times."""
    sizes = integers("s", 1, 1, 1 << 19, 1 << 19)
    nodes = [IMAGE, *(node("Resize", [str(i), "", "", "s"], [str(i + 1)]) for i in range(4))]
    return onnx([*nodes, node("Relu", ["4"], ["y"])], [AS_IMAGE, sizes])


@crafted("onnx")
def joined_with_itself() -> bytes:
    """A value joined with itself, 60 times over: 2^62 numbers."""
    nodes = [node("Concat", [str(i) if i else "x"] * 2, [str(i + 1)], number("axis", 1)) for i in range(60)]
    return onnx([*nodes, node("Relu", ["60"], ["y"])])


@crafted("onnx")
def a_join_of_60_000() -> bytes:
    """One Concat of 60,000 inputs."""
    return onnx([node("Concat", ["x"] * 60_000, ["y"], number("axis", 1))])


@crafted("onnx")
def parts_of_parts() -> bytes:
    """4,000 Splits, each into the value and nothing."""
    nodes = [node("Split", [str(i) if i else "x"], [str(i + 1)], number("axis", 1)) for i in range(4000)]
    return onnx([*nodes, node("Relu", ["4000"], ["y"])])


@crafted("onnx")
def a_split_into_60_000() -> bytes:
    """A Split into 60,000 parts."""
    return onnx([node("Split", ["x"], [f"p{i}" for i in range(60_000)]), node("Relu", ["p0"], ["y"])])


@crafted("onnx")
def picked_one_by_one() -> bytes:
    """A thousand Gathers of 64 places in no order, each of which is 64 parts that are joined."""
    places = integers("i", *[(n * n) % 4 for n in range(64)])
    nodes = [
        node("Gather", [str(i) if i else "x", "i"], [str(i + 1)], number("axis", 1)) for i in range(1000)
    ]
    return onnx([*nodes, node("Relu", ["1000"], ["y"])], [places])


@crafted("onnx")
def axes_turned_4000_times() -> bytes:
    """4,000 Transposes of eight axes, between Reshapes that cut them in other places."""
    shapes = [integers("s0", 1, 1, 2, 1, 1, 2, 1, 1), integers("s1", 1, 4, 1, 1)]
    nodes = []
    for i in range(1300):
        nodes.append(node("Reshape", [str(3 * i) if i else "x", "s0"], [str(3 * i + 1)]))
        order = numbers("perm", 0, 5, 1, 3, 4, 2, 6, 7)
        nodes.append(node("Transpose", [str(3 * i + 1)], [str(3 * i + 2)], order))
        nodes.append(node("Reshape", [str(3 * i + 2), "s1"], [str(3 * i + 3)]))
    return onnx([*nodes, node("Relu", ["3900"], ["y"])], shapes)


@crafted("onnx")
def images_that_are_joined_by_all_inputs() -> bytes:
    """4,000 sums, each of which remembers all inputs that came before."""
    return onnx([*chain("Relu", 3000), node("MaxPool", ["3000"], ["z"])])


@crafted("onnx")
def constants_repeated_for_channels() -> bytes:
    """A thousand sums of an image and a constant along its rows, which is repeated for each column and channel."""
    shape = integers("wide", 1, 1, 4, 1)
    rows = tensor("r", (1, 1, 4, 1), floats(1.0, 2.0, 3.0, 4.0))
    nodes = [node("Reshape", ["x", "wide"], ["0"])]
    nodes += [node("Add", [str(i), "r"], [str(i + 1)]) for i in range(1000)]
    return onnx([*nodes, node("Relu", ["1000"], ["y"])], [shape, rows])
