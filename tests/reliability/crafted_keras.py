"""Costly .keras and .h5 files: see crafted_files.py."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import h5py
import numpy as np
from crafted import crafted


def keras(config: dict | bytes, weights: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config if isinstance(config, bytes) else json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    return out.getvalue()


def sequential(*layers: dict, **first) -> dict:
    first = {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 1]} | first}
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [first, *layers]}}


def layer(class_name: str, name: str = "x", **config) -> dict:
    return {"class_name": class_name, "config": {"name": name, "trainable": True} | config}


def hdf5(fill: Callable[[h5py.File], None]) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w", libver="latest") as file:
        fill(file)
    return out.getvalue()


NO_WEIGHTS = hdf5(lambda file: file.create_group("layers"))


@crafted("keras")
def models_used_twice_in_each_other() -> bytes:
    """45 models, each of which runs the one inside it twice: 2^45 layers."""
    call = [[["in", 0, 0, {}]], [["x", 0, 0, {}]]]

    def model(depth: int) -> dict:
        inner = model(depth - 1) if depth else layer("Dense", units=1)
        first = {"class_name": "InputLayer", "name": "in", "config": {"name": "in", "batch_shape": [None, 1]}}
        layers = [first, {**inner, "name": "x", "inbound_nodes": call}]
        ends = {"input_layers": [["in", 0, 0]], "output_layers": [["x", 1, 0]]}
        return {"class_name": "Functional", "config": {"name": f"m{depth}", "layers": layers} | ends}

    return keras(model(44))


FIRST = {"class_name": "InputLayer", "name": "in", "config": {"name": "in", "batch_shape": [None, 1]}}


def functional(*layers: dict, name: str = "net", inputs: list | None = None, outputs: list) -> dict:
    ends = {"input_layers": inputs or [["in", 0, 0]], "output_layers": outputs}
    return {"class_name": "Functional", "config": {"name": name, "layers": [FIRST, *layers]} | ends}


def tensor(name: str, call: int = 0, output: int = 0) -> dict:
    """A tensor as Keras 3 writes it."""
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, output]}}


def read(*tensors: dict) -> dict:
    return {"args": [list(tensors)], "kwargs": {}}


def used_twice(innermost: dict) -> dict:
    """45 models as Keras 3 writes them, each of which runs the one inside it twice, the last that layer or model."""
    model = innermost
    for depth in range(45):
        inner = model | {"name": "x", "inbound_nodes": [read(tensor("in")), read(tensor("x"))]}
        last = 2 if inner["class_name"] == "Functional" else 1
        model = functional(inner, name=f"m{depth}", outputs=[["x", last, 0]])
    return model


@crafted("keras")
def models_of_keras_3_used_twice_in_each_other() -> bytes:
    """The same as Keras 3 writes it, which counts calls otherwise."""
    return keras(used_twice(layer("Dense", units=1)))


@crafted("keras")
def models_without_layers_used_twice_in_each_other() -> bytes:
    """2^45 calls of a model whose output is its input: no layers at all, but calls."""
    return keras(used_twice(functional(outputs=[["in", 0, 0]])))


@crafted("h5")
def models_of_an_h5_used_twice_in_each_other() -> bytes:
    """2^45 layers in an .h5 file."""

    def fill(file: h5py.File) -> None:
        file.attrs["model_config"] = json.dumps(used_twice(layer("Dense", units=1)))
        file.create_group("model_weights")

    return hdf5(fill)


@crafted("keras")
def models_of_many_outputs() -> bytes:
    """A model that gives its input 20,000 times, called 3,000 times."""
    inner = functional(name="x", outputs=[["in", 0, 0]] * 20_000)
    nodes = [read(tensor("in")), *(read(tensor("x", n)) for n in range(2_999))]
    return keras(
        functional(inner | {"name": "x", "inbound_nodes": nodes}, outputs=[["x", 3_000, 0]]), NO_WEIGHTS
    )


@crafted("keras")
def models_of_many_inputs() -> bytes:
    """A model of 100 inputs, which are its outputs, called 100 times, each time on what it gave before."""
    many = range(100)
    names = [["in", 0, 0], *([f"in{n}", 0, 0] for n in many[1:])]
    others = [FIRST | {"name": f"in{n}", "config": FIRST["config"] | {"name": f"in{n}"}} for n in many[1:]]
    inner = functional(*others, name="x", inputs=names, outputs=names)
    nodes = [read(*[tensor("in")] * 100), *(read(*(tensor("x", c, n) for n in many)) for c in many[:-1])]
    return keras(
        functional(inner | {"name": "x", "inbound_nodes": nodes}, outputs=[["x", 100, 0]]), NO_WEIGHTS
    )


@crafted("keras")
def outputs_by_the_ten_thousand() -> bytes:
    """A network whose one tensor is its output 60,000 times."""
    net = layer("ReLU") | {"name": "x", "inbound_nodes": [read(tensor("in"))]}
    return keras(functional(net, outputs=[["x", 0, 0]] * 60_000), NO_WEIGHTS)


def sums(n: int, n_read: int) -> bytes:
    """n layers that each add what the one before them gave, n_read times."""
    layers = [
        layer("Add", f"x{i}")
        | {"name": f"x{i}", "inbound_nodes": [read(*[tensor(f"x{i - 1}" if i else "in")] * n_read)]}
        for i in range(n)
    ]
    return keras(functional(*layers, outputs=[[f"x{n - 1}", 0, 0]]), NO_WEIGHTS)


@crafted("keras")
def a_sum_of_20_000() -> bytes:
    """A layer that adds its input to itself, 20,000 times."""
    return sums(1, 20_000)


@crafted("keras")
def sums_of_sums() -> bytes:
    """4,000 layers that double what they read: the last is 2^4000 times the input."""
    return sums(4_000, 2)


@crafted("keras")
def a_circle_of_4000() -> bytes:
    """4,000 layers in a circle."""
    layers = [
        layer("ReLU", f"{n}") | {"name": f"{n}", "inbound_nodes": [read(tensor(f"{(n + 1) % 4_000}"))]}
        for n in range(4_000)
    ]
    return keras(functional(*layers, outputs=[["0", 0, 0]]), NO_WEIGHTS)


@crafted("keras")
def a_long_name_called_often() -> bytes:
    """A layer with a name of 2,000 bytes, called 300 times, each time told by it."""
    name = "n" * 2_000
    nodes = [read(tensor("in")), *(read(tensor(name, n)) for n in range(299))]
    net = layer("ReLU", name) | {"name": name, "inbound_nodes": nodes}
    return keras(functional(net, outputs=[[name, 299, 0]]), NO_WEIGHTS)


@crafted("h5")
def large_weights_called_often() -> bytes:
    """A Dense layer of 4 MB of weights, packed, called 4,000 times."""

    def fill(file: h5py.File) -> None:
        nodes = [read(tensor("in")), *(read(tensor("x", n)) for n in range(3_999))]
        dense = layer("Dense", units=1000, use_bias=False) | {"name": "x", "inbound_nodes": nodes}
        net = functional(dense, outputs=[["x", 3_999, 0]])
        net["config"]["layers"][0] = FIRST | {"config": {"name": "in", "batch_shape": [None, 1000]}}
        file.attrs["model_config"] = json.dumps(net)
        group = file.create_group("model_weights/x")
        group.attrs["weight_names"] = ["kernel"]
        group.create_dataset("kernel", data=np.zeros((1000, 1000), "f4"), compression="gzip")

    return hdf5(fill)


@crafted("keras")
def layers_by_the_ten_thousand() -> bytes:
    """10,000 Dense layers."""
    return keras(sequential(*(layer("Dense", f"d{n}", units=1) for n in range(10_000))))


@crafted("keras")
def functional_of_4000_layers() -> bytes:
    """A chain of 4,000 layers, each found by its name."""
    layers = [{"class_name": "InputLayer", "name": "0", "config": {"name": "0", "batch_shape": [None, 1]}}]
    layers += [
        {**layer("ReLU", f"{n}"), "name": f"{n}", "inbound_nodes": [[[f"{n - 1}", 0, 0, {}]]]}
        for n in range(1, 4001)
    ]
    ends = {"input_layers": [["0", 0, 0]], "output_layers": [["4000", 0, 0]]}
    return keras({"class_name": "Functional", "config": {"name": "net", "layers": layers} | ends}, NO_WEIGHTS)


@crafted("keras")
def lists_in_lists() -> bytes:
    """A config of 500,000 brackets, and one of 30 MB of them, packed."""
    return keras(b'{"class_name": "Sequential", "config": ' + b"[" * 500_000 + b"]" * 500_000 + b"}")


@crafted("keras")
def many_lists() -> bytes:
    """30 MB of empty lists, packed to 30 KB."""
    return keras(b'{"class_name": "Sequential", "config": [' + b"[]," * 10_000_000 + b"[]]}")


@crafted("keras")
def connections_in_lists() -> bytes:
    """A layer that reads 100,000 others."""
    node = [[["in", 0, 0, {}]] * 100_000]
    layers = [
        {"class_name": "InputLayer", "name": "in", "config": {"name": "in", "batch_shape": [None, 1]}},
        {**layer("Dense"), "name": "x", "inbound_nodes": node},
    ]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["x", 0, 0]]}
    return keras({"class_name": "Functional", "config": {"name": "net", "layers": layers} | ends})


def functional_of_one(inbound: str) -> bytes:
    """A Dense layer x behind an input, whose connections are that JSON."""
    layers = [
        {"class_name": "InputLayer", "name": "in", "config": {"name": "in", "batch_shape": [None, 1]}},
        {**layer("Dense"), "name": "x", "inbound_nodes": "CONNECTIONS"},
    ]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["x", 0, 0]]}
    config = json.dumps({"class_name": "Functional", "config": {"name": "net", "layers": layers} | ends})
    return keras(config.replace('"CONNECTIONS"', inbound).encode())


@crafted("keras")
def connections_at_the_bottom_of_lists() -> bytes:
    """80,000 connections, 900 lists deep."""
    return functional_of_one("[" * 900 + ",".join(['["in",0,0]'] * 80_000) + "]" * 900)


@crafted("keras")
def a_circle_with_much_beside_it() -> bytes:
    """A layer that reads itself, beside 330,000 numbers to be passed over each time round."""
    return functional_of_one('[[["x",0,0]' + ",0" * 330_000 + "]]")


@crafted("keras")
def an_input_without_end() -> bytes:
    """An input of 2^40 elements, and one of 2^64, which int64 takes for none."""
    return keras(sequential(layer("ReLU"), batch_shape=[None, 1 << 32, 1 << 32]), NO_WEIGHTS)


@crafted("keras")
def axes_by_the_ten_thousand() -> bytes:
    """An input of 150,000 axes, whose product is a number of two million bits."""
    return keras(sequential(layer("ReLU"), batch_shape=[None, *range(1, 150_001)]), NO_WEIGHTS)


@crafted("keras")
def axes_to_reshape_to() -> bytes:
    """As many for a Reshape."""
    return keras(sequential(layer("Reshape", target_shape=[9999] * 200_000)), NO_WEIGHTS)


@crafted("keras")
def axes_to_pad() -> bytes:
    """A padding of 100,000 axes."""
    return keras(sequential(layer("ZeroPadding2D", padding=[[1, 1]] * 100_000)), NO_WEIGHTS)


@crafted("keras")
def padding_without_end() -> bytes:
    """4,000 layers that pad by 2^62 on either side of three axes, one after another."""
    layers = [layer("ZeroPadding3D", f"x{n}", padding=[[1 << 62, 1 << 62]] * 3) for n in range(4_000)]
    return keras(sequential(*layers, batch_shape=[None, 1, 1, 1, 1]), NO_WEIGHTS)


@crafted("keras")
def images_without_end() -> bytes:
    """4,000 layers, each of which makes an image 2^40 times as large."""
    layers = [
        layer("UpSampling2D", f"x{n}", size=[1 << 40, 1], data_format="channels_last") for n in range(4_000)
    ]
    return keras(sequential(*layers, batch_shape=[None, 1, 1, 1]), NO_WEIGHTS)


@crafted("keras")
def a_vector_2_to_the_60_times() -> bytes:
    """A vector repeated without end."""
    return keras(sequential(layer("RepeatVector", n=1 << 60), batch_shape=[None, 4]), NO_WEIGHTS)


@crafted("keras")
def windows_without_end() -> bytes:
    """Pools whose windows, strides and paddings are 2^60."""
    pools = [
        layer(f"{kind}Pooling2D", f"{kind}{n}", pool_size=[1 << n, 1 << n], strides=[1, 1], padding="same")
        for n in (20, 60)
        for kind in ("Max", "Average")
    ]
    return keras(sequential(*pools, batch_shape=[None, 8, 8, 1]), NO_WEIGHTS)


@crafted("keras")
def slopes_without_end() -> bytes:
    """A PReLU whose 1,000 slopes stand for 10^9."""

    def fill(file: h5py.File) -> None:
        file.create_dataset("layers/p_re_lu/vars/0", data=np.zeros((1000, 1, 1), "f4"))

    return keras(sequential(layer("PReLU"), batch_shape=[None, 1000, 1000, 1000]), hdf5(fill))


def operator(class_name: str, name: str, *arguments, **config) -> dict:
    """An operator of keras.ops."""
    node = {"args": list(arguments), "kwargs": {}}
    config = {"name": name} | config
    entry = {"class_name": class_name, "name": name, "config": config, "inbound_nodes": [node]}
    return entry | {"module": "keras.src.ops.numpy"}


@crafted("keras")
def parts_without_end() -> bytes:
    """An axis of 2^40, split into as many parts."""
    net = functional(
        operator("Split", "x", tensor("in"), indices_or_sections=1 << 40, axis=1), outputs=[["x", 0, 0]]
    )
    net["config"]["layers"][0] = FIRST | {"config": {"name": "in", "batch_shape": [None, 1 << 40]}}
    return keras(net, NO_WEIGHTS)


@crafted("keras")
def put_together_with_itself() -> bytes:
    """4,000 layers that put together what they read and the same again: 2^4000 elements."""
    layers = [
        operator("Concatenate", f"x{i}", [tensor(f"x{i - 1}" if i else "in")] * 2, axis=-1)
        for i in range(4_000)
    ]
    return keras(functional(*layers, outputs=[["x3999", 0, 0]]), NO_WEIGHTS)


@crafted("keras")
def constants_by_the_hundred_thousand() -> bytes:
    """A product with 300,000 constants, and one with lists in lists."""
    layers = [
        operator("Multiply", "y", tensor("in"), [1.0] * 150_000),
        operator("Multiply", "x", tensor("y"), [[[[[0]]]]] * 30_000),
    ]
    return keras(functional(*layers, outputs=[["x", 0, 0]]), NO_WEIGHTS)


@crafted("keras")
def joined_names() -> bytes:
    """Groups whose names, joined as Windows joins them, are 30,000 deep."""
    weights = hdf5(lambda file: [file.create_group("layers" + f"\\{n}" * 10_000) for n in range(5)])
    return keras(sequential(layer("Dense", units=1)), weights)


@crafted("keras")
def weights_that_unpack() -> bytes:
    """A packed HDF5 of 100 MB of zeros."""
    weights = hdf5(
        lambda file: file.create_dataset("layers/dense/vars/0", data=np.zeros((1, 25_000_000), "f4"))
    )
    return keras(sequential(layer("Dense", units=1)), weights)


MODEL = json.dumps(sequential(layer("Dense", units=1)))


def h5(fill: Callable[[h5py.Group], None]) -> bytes:
    """A model of one layer, whose weights are `fill`ed in."""

    def whole(file: h5py.File) -> None:
        file.attrs["model_config"] = MODEL
        fill(file.create_group("model_weights"))

    return hdf5(whole)


@crafted("h5")
def arrays_of_zeros() -> bytes:
    """30 arrays of 64 MB, packed."""

    def fill(group: h5py.Group) -> None:
        for n in range(30):
            group.create_dataset(f"{n}", (1 << 24,), "f4", chunks=(1 << 20,), compression="gzip")

    return h5(fill)


@crafted("h5")
def one_array_that_is_just_allowed() -> bytes:
    """The kernel of 16 MB less a bit: read, and in the end refused."""

    def fill(group: h5py.Group) -> None:
        x = group.create_group("x")
        x.attrs["weight_names"] = ["x/kernel:0", "x/bias:0"]
        x.create_dataset("x/kernel:0", (4_190_000, 1), "f4", chunks=(1 << 16, 1), compression="gzip")
        x.create_dataset("x/bias:0", (1,), "f4")

    return h5(fill)


def layers_that_share_a_name(n: int) -> bytes:
    """n layers whose kernel is the same array of 4 MB, packed."""

    def fill(file: h5py.File) -> None:
        layers = [{**layer("Dense", "x", units=1000, use_bias=False), "name": "x"}] * n
        file.attrs["model_config"] = json.dumps(sequential(*layers, batch_shape=[None, 1000]))
        group = file.create_group("model_weights/x")
        group.attrs["weight_names"] = ["kernel"]
        group.create_dataset("kernel", data=np.zeros((1000, 1000), "f4"), compression="gzip")

    return hdf5(fill)


@crafted("h5")
def layers_that_share_an_array() -> bytes:
    """250 layers of one name."""
    return layers_that_share_a_name(250)


@crafted("h5")
def many_layers_that_share_an_array() -> bytes:
    """4,000 layers of one name."""
    return layers_that_share_a_name(4000)


@crafted("h5")
def wide_numbers() -> bytes:
    """Numbers of 16 bytes, 2 GB of them."""
    return h5(lambda group: group.create_dataset("x", (1 << 27,), np.longdouble, chunks=(1 << 16,)))


@crafted("h5")
def one_array_by_many_names() -> bytes:
    """An array of 4 MB under 10,000 names."""

    def fill(group: h5py.Group) -> None:
        array = group.create_dataset("x", (1 << 20,), "f4", chunks=(1 << 16,), compression="gzip")
        for n in range(10_000):
            group[f"{n}"] = array

    return h5(fill)


@crafted("h5")
def groups_that_hold_each_other_twice() -> bytes:
    """60 groups, each under two names in the one before: 2^60 ways."""

    def fill(group: h5py.Group) -> None:
        for _ in range(60):
            inner = group.create_group("a")
            group["b"] = inner
            group = inner

    return h5(fill)


@crafted("h5")
def a_group_in_itself() -> bytes:
    """A group that is a member of itself."""

    def fill(group: h5py.Group) -> None:
        group["a"] = group
        group["b"] = group

    return h5(fill)


@crafted("h5")
def a_text_told_often() -> bytes:
    """A text of 50,000 bytes in a group that has 5,000 names."""

    def fill(group: h5py.Group) -> None:
        inner = group.create_group("x")
        inner.attrs["text"] = "x" * 50_000
        for n in range(5_000):
            group[f"{n}"] = inner

    return h5(fill)


@crafted("h5")
def a_long_name_told_often() -> bytes:
    """A name of 50,000 bytes in a group that has 5,000 names."""

    def fill(group: h5py.Group) -> None:
        inner = group.create_group("x")
        inner.create_group("n" * 50_000)
        for n in range(5_000):
            group[f"{n}"] = inner

    return h5(fill)
