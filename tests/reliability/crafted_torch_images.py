"""Costly .pt2 files of images and of what is done along axes: see crafted_files.py."""

from __future__ import annotations

from crafted import crafted, padded
from crafted_torch import pt2_nodes, ref


def argument(name: str, **arg) -> dict:
    return {"name": name, "arg": arg}


@crafted("pt2")
def pt2_chunks_without_end() -> bytes:
    """4,000 calls, each of which parts a value into 2^62."""
    chunks = argument("chunks", as_int=1 << 62)
    return padded(pt2_nodes(4000, "chunk.default", lambda before: [ref("self", before), chunks]))


@crafted("pt2")
def pt2_parts_of_one() -> bytes:
    """A thousand calls that part a value into its elements, of which nothing is read."""
    size, axis = argument("split_size", as_int=1), argument("dim", as_int=1)
    return padded(pt2_nodes(1000, "split.Tensor", lambda before: [ref("self", before), size, axis]))


@crafted("pt2")
def pt2_joined_with_themselves() -> bytes:
    """60 values, each the one before twice."""

    def twice(before: str) -> list[dict]:
        return [argument("tensors", as_tensors=[{"name": before}] * 2), argument("dim", as_int=1)]

    return padded(pt2_nodes(60, "cat.default", twice))


@crafted("pt2")
def pt2_a_join_of_50_000() -> bytes:
    """A value 50,000 times in one."""

    def often(before: str) -> list[dict]:
        return [argument("tensors", as_tensors=[{"name": before}] * 50_000), argument("dim", as_int=1)]

    return padded(pt2_nodes(1, "cat.default", often))


@crafted("pt2")
def pt2_pooled_by_2_to_the_62() -> bytes:
    """A pool of 2^62 numbers, of what is no image."""
    kernel = argument("kernel_size", as_ints=[1 << 62, 1 << 62])
    return padded(pt2_nodes(10, "max_pool2d.default", lambda before: [ref("self", before), kernel]))


@crafted("pt2")
def pt2_stacked() -> bytes:
    """A value stacked with itself 60 times over: as many axes, and 2^60 elements."""

    def twice(before: str) -> list[dict]:
        return [argument("tensors", as_tensors=[{"name": before}] * 2), argument("dim", as_int=1)]

    return padded(pt2_nodes(60, "stack.default", twice))
