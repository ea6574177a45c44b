"""Crafted .pth and .pt2 files."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable

from crafted import crafted, golden, golden_json, padded

# --- .pth -------------------------------------------------------------------------------------------------------------

DEEP = b"N" + b"\x85" * 90_000  # ((((None,),),),)
SHARED = b"N" + b"2\x86" * 200  # a tuple of twice the one before, 200 times: 2^200 items
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LONG_INTEGER = b"\x8b" + struct.pack("<i", 900_000) + b"\x7f" * 900_000  # LONG4


def pth(data_pkl: bytes, **storages: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02" + data_pkl + b".")
        for key, data in ({"0": bytes(16)} | storages).items():
            archive.writestr(f"net/data/{key}", data)
    return out.getvalue()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def tensor(
    key: bytes = text("0"),
    dtype: bytes = b"ctorch\nFloatStorage\n",
    offset: bytes = integer(0),
    sizes: bytes = integer(2) + integer(2) + b"\x86",
    strides: bytes = integer(2) + integer(1) + b"\x86",
) -> bytes:
    """The operations that push a tensor."""
    storage = b"(" + text("storage") + dtype + key + text("cpu") + integer(4) + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + sizes + strides + b"\x89}tR"


def state_dict(*items: tuple[bytes, bytes]) -> bytes:
    return pth(b"}(" + b"".join(key + value for key, value in items) + b"u")


# Where a state_dict, or an old file, could hold what must not be hashed, compared or printed.
PLACES: dict[str, Callable[[bytes], bytes]] = {
    "key of a storage": lambda value: state_dict((text("0.weight"), tensor(key=value))),
    "type of a storage": lambda value: state_dict((text("0.weight"), tensor(dtype=value))),
    "offset": lambda value: state_dict((text("0.weight"), tensor(offset=value))),
    "sizes": lambda value: state_dict((text("0.weight"), tensor(sizes=value))),
    "size": lambda value: state_dict((text("0.weight"), tensor(sizes=value + integer(2) + b"\x86"))),
    "strides": lambda value: state_dict((text("0.weight"), tensor(strides=value))),
    "key": lambda value: state_dict((value, b"N"), (text("0.weight"), tensor())),
    "key of a pair": lambda value: pth(b"ccollections\nOrderedDict\n(]" + value + b"N\x86atR"),
    "member of a set": lambda value: pth(b"\x8f(" + value + b"\x90"),
    "module": lambda value: pth(value + text("OrderedDict") + b"\x93"),
    "function": lambda value: pth(value + b")R"),
    "state": lambda value: pth(b"ccollections\nOrderedDict\n)R" + value + b"b"),
    "persistent id": lambda value: pth(value + b"Q"),
    "magic number": lambda value: b"\x80\x02" + value + b".",
    "version": lambda value: pickle.dumps(LEGACY_MAGIC, 2) + b"\x80\x02" + value + b"." + pickle.dumps({}, 2),
}


def hidden(kind: str, place: str, value: bytes) -> None:
    """Add a .pth with a value of that kind in that place."""

    def builder() -> bytes:
        return PLACES[place](value)

    builder.__doc__ = f"A {kind} value as {place}."
    builder.__name__ = f"{kind}_as_{place.replace(' ', '_')}"
    crafted("pth")(builder)


for place in PLACES:
    hidden("deep", place, DEEP)
    hidden("shared", place, SHARED)
    hidden("long", place, LONG_INTEGER)


@crafted("pth")
def tensors_that_one_number_fills() -> bytes:
    """2,000 tensors of 4 million numbers each, all strides 0."""
    wide = tensor(sizes=integer(2000) + integer(2000) + b"\x86", strides=integer(0) + integer(0) + b"\x86")
    return state_dict(*((text(f"{number}.weight"), wide) for number in range(2_000)))


@crafted("pth")
def tensors_of_no_size() -> bytes:
    """Sizes whose product is 2^64, 0 modulo the numbers of a processor."""
    wide = b"\x8a\x05\0\0\0\0\1" * 2 + b"\x86"  # 2^32
    return state_dict((text("0.weight"), tensor(sizes=wide, strides=integer(0) + integer(0) + b"\x86")))


@crafted("pth")
def a_state_set_on_a_tensor() -> bytes:
    """BUILD with other sizes for a tensor that was found to be in order."""
    return state_dict((text("0.weight"), tensor() + b"(" + text("sizes") + LONG_INTEGER + b"d\x86b"))


@crafted("pth")
def storages_that_are_bombs() -> bytes:
    """Ten storages of 20 MB, which one alone may have."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        items = b"".join(text(f"{n}.weight") + tensor(key=text(f"{n}")) for n in range(10))
        archive.writestr("net/data.pkl", b"\x80\x02}(" + items + b"u.")
        for number in range(10):
            archive.writestr(f"net/data/{number}", bytes(20 << 20))
    return out.getvalue()


@crafted("pth")
def storages_as_large_as_is_read() -> bytes:
    """A storage of 40 MB, and a tensor of as much."""
    sizes, strides = integer(3100) + integer(3100) + b"\x86", integer(1) + integer(3100) + b"\x86"
    items = text("0.weight") + tensor(sizes=sizes, strides=strides)
    return padded(pth(b"}(" + items + b"u", **{"0": bytes(4 * 3100 * 3100)}))


@crafted("pth")
def storages_as_many_as_are_read() -> bytes:
    """1,200 tensors with a storage each."""
    items = b"".join(text(f"{n}.weight") + tensor(key=text(f"{n}")) for n in range(1_200))
    return pth(b"}(" + items + b"u", **{str(n): bytes(16) for n in range(1_200)})


@crafted("pth")
def keys_that_hash_alike() -> bytes:
    """70,000 keys that are multiples of 2^61 - 1, each of which is compared with all before it."""
    keys = (n * (2**61 - 1) for n in range(1, 70_000))
    return padded(
        pth(b"}(" + b"".join(b"\x8a\x0a" + key.to_bytes(10, "little") + b"N" for key in keys) + b"u")
    )


@crafted("pth")
def a_long_key_told_often() -> bytes:
    """38,000 dicts with one key of 450,000 bytes, whose text is four times as long."""
    key = b"B" + struct.pack("<I", 450_000) + bytes(450_000) + b"q\x01"
    dicts = (integer(n) + b"}h\x01Ns" for n in range(38_000))
    return padded(pth(b"}(N" + key + b"".join(dicts) + b"u"))


@crafted("pth")
def one_dict_under_many_names() -> bytes:
    """30,000 tensors in a dict that has 20,000 names."""
    names = b"".join(text(f"{n}") + (tensor() + b"q\1" if n == 0 else b"h\1") for n in range(30_000))
    more = b"".join(text(f"k{n}") + b"h\2" for n in range(20_000))
    return padded(pth(b"}(" + text("a") + b"}q\2(" + names + b"u" + more + b"u"))


@crafted("pth")
def modules_by_the_ten_thousand() -> bytes:
    """40,000 layers that share a tensor."""
    names = (text(f"{n}.weight") + (tensor() + b"q\1" if n == 0 else b"h\1") for n in range(40_000))
    return padded(pth(b"}(" + b"".join(names) + b"u"))


@crafted("pth")
def bytes_as_weights() -> bytes:
    """A weight_norm of 50 million bytes, which would be 400 MB as floats."""
    sizes, strides = integer(7000) + integer(7000) + b"\x86", integer(1) + integer(7000) + b"\x86"
    dtype = b"ctorch\nCharStorage\n"
    direction = tensor(dtype=dtype, sizes=sizes, strides=strides)
    norms = tensor(dtype=dtype, sizes=integer(1) + integer(1) + b"\x86")
    items = text("0.weight_v") + direction + text("0.weight_g") + norms
    return padded(pth(b"}(" + items + b"u", **{"0": bytes(7000 * 7000)}))


@crafted("pth")
def operations_as_many_as_are_read() -> bytes:
    """330,000 operations in a file of 1 MB, of those that take longest."""
    nothing = b"ccollections\nOrderedDict\n)R0" * 33_000
    return padded(pth(nothing + b"}"))


@crafted("pth")
def a_million_operations() -> bytes:
    """None pushed and popped, 20 million times by its unpacked size."""
    return pth(b"N0" * (10 << 20) + b"}")


@crafted("pth")
def operations_as_they_stand() -> bytes:
    """None pushed and popped in an old file, as often as 1 MB allows."""
    return b"\x80\x02" + b"N0" * 500_000 + b"N."


@crafted("pth")
def lists_in_lists() -> bytes:
    """400,000 lists, each in the one before."""
    return b"\x80\x02" + b"]" * 400_000 + b"a" * 399_999 + b"."


@crafted("pth")
def digits() -> bytes:
    """An integer in decimal digits, a megabyte of them."""
    return b"\x80\x02I" + b"9" * 1_000_000 + b"\n."


@crafted("pth")
def a_frame_without_end() -> bytes:
    """A frame and a text that claim 2^62 bytes."""
    return b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"\x8d" + struct.pack("<Q", 1 << 62) + b"x."


@crafted("pth")
def a_dict_that_holds_itself() -> bytes:
    """A state_dict under the key state_dict of itself."""
    return pth(
        b"}q\0(" + text("state_dict") + b"h\0" + text("model") + b"h\0" + text("0.weight") + tensor() + b"u"
    )


@crafted("pth")
def names_of_half_a_megabyte() -> bytes:
    """A name with line breaks and escapes that fills the file."""
    return state_dict((text("\x1b[31m\n" * 100_000 + ".weight"), tensor()))


# --- .pt2 -------------------------------------------------------------------------------------------------------------


def pt2_model(change: Callable[[dict], None]) -> bytes:
    return golden_json("torch/plain.pt2", "model.json", change)


def pt2_nodes(count: int, target: str, inputs: Callable[[str], list]) -> bytes:
    """A program of `count` calls in a chain; `inputs` makes the arguments, given the name of the value before."""

    def change(model: dict) -> None:
        before, nodes = "input", []
        for number in range(count):
            made = {"as_tensor": {"name": f"v{number}"}}
            nodes.append({"target": f"torch.ops.aten.{target}", "inputs": inputs(before), "outputs": [made]})
            before = f"v{number}"
        model["graph_module"]["graph"]["nodes"] = nodes
        model["graph_module"]["signature"]["output_specs"][0]["user_output"]["arg"]["as_tensor"]["name"] = (
            before
        )

    return pt2_model(change)


def ref(parameter: str, name: str) -> dict:
    return {"name": parameter, "arg": {"as_tensor": {"name": name}}}


@crafted("pt2")
def pt2_of_20_000_calls() -> bytes:
    """20,000 calls of relu."""
    return pt2_nodes(20_000, "relu.default", lambda before: [ref("self", before)])


@crafted("pt2")
def pt2_of_4_000_calls() -> bytes:
    """As many calls as are looked at, each in place on a view of the one before."""
    return pt2_nodes(4_000, "relu_.default", lambda before: [ref("self", before)])


@crafted("pt2")
def pt2_constants_copied() -> bytes:
    """4,000 times a constant times itself."""
    return pt2_nodes(
        4_000, "mul.Tensor", lambda before: [ref("self", "p_2_weight"), ref("other", "p_2_weight")]
    )


@crafted("pt2")
def pt2_of_many_kinds_of_inputs() -> bytes:
    """80,000 inputs, each of a kind of its own."""

    def change(model: dict) -> None:
        signature = model["graph_module"]["signature"]
        for specs in ("input_specs", "output_specs"):
            signature[specs] += [{f"{number}": 0} for number in range(80_000)]

    return padded(pt2_model(change))


@crafted("pt2")
def pt2_deep() -> bytes:
    """JSON of 400,000 lists, each in the one before."""
    return golden("torch/plain.pt2", model_json=b"[" * 400_000)


@crafted("pt2")
def pt2_deep_argument() -> bytes:
    """An argument of an argument, 900 deep, below the limit of the JSON parser."""

    def change(model: dict) -> None:
        value = {"as_int": 1}
        for _ in range(300):
            value = {"as_sym_int": value}
        model["graph_module"]["graph"]["nodes"][0]["inputs"][0]["arg"] = value

    return pt2_model(change)


@crafted("pt2")
def pt2_long_numbers() -> bytes:
    """Sizes of 100,000 digits."""
    text = b'{"schema_version": {"major": ' + b"9" * 100_000 + b', "minor": ' + b"9" * 100_000 + b"}}"
    return golden("torch/plain.pt2", model_json=text)


@crafted("pt2")
def pt2_of_brackets() -> bytes:
    """12 MB of empty lists, which are 240 MB as Python's objects."""
    return golden("torch/plain.pt2", model_json=b"{" + b'"a": [' + b"[]," * (4 << 20) + b"[]]}")


@crafted("pt2")
def pt2_of_as_much_json_as_is_read() -> bytes:
    """3 MB of empty lists in a file of 1 MB."""
    return padded(golden("torch/plain.pt2", model_json=b'{"a": [' + b"[]," * 950_000 + b"[]]}"))


def pt2_weights(change: Callable[[dict], None]) -> bytes:
    return golden_json("torch/plain.pt2", "model_weights_config.json", change)


@crafted("pt2")
def pt2_wide_weights() -> bytes:
    """3,000 weights of 4 million numbers, all strides 0."""

    def change(document: dict) -> None:
        config = document["config"]
        entry = config["0.weight"]
        meta = entry["tensor_meta"]
        meta["sizes"], meta["strides"] = [{"as_int": 2000}] * 2, [{"as_int": 0}] * 2
        config |= {f"{number}.weight": entry for number in range(3_000)}

    return pt2_weights(change)


@crafted("pt2")
def pt2_input_of_2_to_the_64() -> bytes:
    """An input of 2^32 x 2^32."""

    def change(model: dict) -> None:
        values = model["graph_module"]["graph"]["tensor_values"]
        values["input"]["sizes"] = [{"as_int": 1}, {"as_int": 1 << 32}, {"as_int": 1 << 32}]

    return pt2_model(change)


def pt2_padding(count: int, *numbers: int) -> bytes:
    """A chain of `count` calls that pad by those numbers."""
    widths = {"name": "pad", "arg": {"as_ints": list(numbers)}}
    return pt2_nodes(count, "pad.default", lambda before: [ref("self", before), widths])


@crafted("pt2")
def pt2_chain_of_padding() -> bytes:
    """4,000 calls that each pad by one number more."""
    return padded(pt2_padding(4_000, 0, 1))


@crafted("pt2")
def pt2_padding_without_end() -> bytes:
    """4,000 calls that pad by 2^62 on either side."""
    return padded(pt2_padding(4_000, 1 << 62, 1 << 62))


@crafted("pt2")
def pt2_padding_of_axes_without_end() -> bytes:
    """A call that pads 100,000 axes."""
    return padded(pt2_padding(1, *[1] * 200_000))


# Networks that branch. `branching` makes them of two_inputs.pt2, whose inputs are image, (1, 3, 4), and speed, (1, 2).


def call(target: str, output: str, *arguments: dict) -> dict:
    made = {"as_tensor": {"name": output}}
    return {"target": f"torch.ops.aten.{target}", "inputs": list(arguments), "outputs": [made]}


def add(a: str, b: str, output: str) -> dict:
    return call("add.Tensor", output, ref("self", a), ref("other", b))


def branching(calls: list[dict], outputs: list[str], tree: str | None = None) -> bytes:
    """A program of those calls; `tree` says how its outputs stand in what it returns."""

    def change(model: dict) -> None:
        module = model["graph_module"]
        module["graph"]["nodes"] = calls
        module["signature"]["output_specs"] = [
            {"user_output": {"arg": {"as_tensor": {"name": name}}}} for name in outputs
        ]
        module["module_call_graph"][0]["signature"]["out_spec"] = tree

    return golden_json("torch/two_inputs.pt2", "model.json", change)


@crafted("pt2")
def pt2_sums_of_themselves() -> bytes:
    """4,000 sums of the one before and itself: 2^4000 ways through."""
    names = ["speed", *(f"v{number}" for number in range(4_000))]
    return branching([add(a, a, b) for a, b in zip(names, names[1:], strict=False)], names[-1:])


@crafted("pt2")
def pt2_sums_of_the_last_two() -> bytes:
    """200 sums of the two before, as many as may be layers: Fibonacci's number of ways through."""
    names = ["speed", "v0", *(f"v{number}" for number in range(1, 200))]
    calls = [call("relu.default", "v0", ref("self", "speed"))]
    calls += [add(a, b, c) for a, b, c in zip(names, names[1:], names[2:], strict=False)]
    return branching(calls, names[-1:])


@crafted("pt2")
def pt2_sums_that_nothing_reads() -> bytes:
    """4,000 sums of one value, all but one left behind."""
    return branching([add("speed", "speed", f"v{number}") for number in range(4_000)], ["v1"])


@crafted("pt2")
def pt2_gates_in_gates() -> bytes:
    """1,000 times y * sigmoid(y) + y, of which each half could be part of a pattern."""
    calls, y = [], "speed"
    for number in range(1_000):
        s, gate, after = (f"{word}{number}" for word in ("s", "gate", "v"))
        calls.append(call("sigmoid.default", s, ref("self", y)))
        calls.append(call("mul.Tensor", gate, ref("self", y), ref("other", s)))
        calls.append(add(gate, y, after))
        y = after
    return branching(calls, [y])


@crafted("pt2")
def pt2_views_that_are_all_read_later() -> bytes:
    """2,000 views of a value that is then changed 1,900 times, while each view is still to be read."""
    views = [call("alias.default", f"v{number}", ref("self", "y")) for number in range(2_000)]
    changes = [call("relu_.default", f"c{number}", ref("self", "y")) for number in range(1_900)]
    start = call("relu.default", "y", ref("self", "speed"))
    return branching([start, *views, *changes], [f"v{number}" for number in range(2_000)])


@crafted("pt2")
def pt2_views_of_other_values() -> bytes:
    """2,000 values that are views of each other's views, each changed in place behind a reshape."""
    calls, before = [call("relu.default", "y", ref("self", "speed"))], "y"
    for number in range(1_900):
        calls.append(
            call(
                "unsqueeze.default", f"v{number}", ref("self", before), {"name": "dim", "arg": {"as_int": 0}}
            )
        )
        calls.append(
            call(
                "squeeze.dim", f"w{number}", ref("self", f"v{number}"), {"name": "dim", "arg": {"as_int": 0}}
            )
        )
        before = f"w{number}"
    return branching([*calls, call("relu_.default", "end", ref("self", before))], ["end", "y"])


@crafted("pt2")
def pt2_one_output_15_000_times() -> bytes:
    """Copies of one value, each an output."""
    return padded(branching([call("relu.default", "y", ref("self", "speed"))], ["y"] * 15_000))


@crafted("pt2")
def pt2_outputs_as_many_as_may_be_layers() -> bytes:
    """200 copies of the input."""
    return branching([call("relu.default", "y", ref("self", "speed"))], ["y", *["speed"] * 200])


@crafted("pt2")
def pt2_of_10_000_inputs() -> bytes:
    """10,000 inputs of 30,000 numbers that nothing reads."""

    def change(model: dict) -> None:
        module = model["graph_module"]
        for number in range(10_000):
            name = f"x{number}"
            module["signature"]["input_specs"].append({"user_input": {"arg": {"as_tensor": {"name": name}}}})
            module["graph"]["tensor_values"][name] = {"sizes": [{"as_int": 1}, {"as_int": 30_000}]}

    return padded(golden_json("torch/two_inputs.pt2", "model.json", change))


def dict_of(key: str, inside: str) -> str:
    keys = json.dumps(json.dumps([key]))
    return f'{{"type": "builtins.dict", "context": {keys}, "children_spec": [{inside}]}}'


LEAF = '{"type": null, "context": null, "children_spec": []}'


@crafted("pt2")
def pt2_outputs_in_dicts_in_dicts() -> bytes:
    """An output below 300 dicts."""
    tree = LEAF
    for _ in range(300):
        tree = dict_of("a", tree)
    calls = [call("relu.default", "y", ref("self", "speed"))]
    return branching(calls, ["y"], f"[1, {tree}]")


@crafted("pt2")
def pt2_a_long_key_before_many_outputs() -> bytes:
    """A key of 100,000 letters in front of 20,000 outputs' names, which would be 2 GB."""
    many = f'{{"type": "builtins.tuple", "context": "null", "children_spec": [{", ".join([LEAF] * 20_000)}]}}'
    calls = [call("relu.default", "y", ref("self", "speed"))]
    return padded(branching(calls, ["y"], f"[1, {dict_of('k' * 100_000, many)}]"))
