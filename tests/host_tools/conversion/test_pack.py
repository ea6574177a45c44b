"""Graph -> bytes: positions as FORMAT.md has them, places in the arena, and what the format cannot hold."""

import struct
import zlib

import numpy as np
import pytest
from anne import model_file
from anne.model_file import ModelFile
from anne_tools.conversion.pack import pack, plan_arena
from anne_tools.conversion.quantize import quantize
from anne_tools.cores.native import NativeModel, status_of
from anne_tools.errors import ModelError
from anne_tools.layers import Add
from anne_tools.layers.build import GraphBuilder
from anne_tools.network.execute import execute
from anne_tools.network.graph import Graph, Metadata


def chain(*sizes: int, activation: str = "relu") -> Graph:
    """Dense layers of ones, with biases 0, 1, 2, ..."""
    b = GraphBuilder((sizes[0],))
    for i, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        b.dense(f"dense{i}", np.ones((n_out, n_in)), np.arange(n_out), activation)
    return b.build()


# --- Bytes ------------------------------------------------------------------------------------------------------------


def test_header_of_the_smallest_network():
    data = pack(chain(1, 1))
    magic, version, header_bytes, total, crc = struct.unpack_from("<4sHHII", data)
    arena, n_tensors, n_layers, layers_bytes, metadata_bytes, data_bytes, *reserved = struct.unpack_from(
        "<8I", data, 16
    )
    assert (magic, version, header_bytes, total) == (b"ANNE", 1, 48, len(data))
    assert crc == zlib.crc32(data[16:])
    assert (arena, n_tensors, n_layers, reserved) == (8, 2, 1, [0, 0])  # input and output of 4 bytes each
    # head 12, two indices 4, three constants of 8, three parameters of 4
    assert layers_bytes == 12 + 4 + 3 * 8 + 3 * 4
    assert 48 + 2 * 32 + layers_bytes + metadata_bytes + data_bytes == total


def test_tensors_of_an_int8_network():
    graph = quantize(chain(2, 3), "int8", np.array([[0.0, 0.0], [2.55, 2.55]]))
    data = pack(graph)
    dtype, role, rank, reserved, *shape = struct.unpack_from("<4B4I", data, 48)
    scale, zero_point, _ = struct.unpack_from("<fiI", data, 48 + 20)
    assert (dtype, role, rank, reserved, shape) == (2, 1, 1, 0, [2, 0, 0, 0])
    assert scale == np.float32(0.01)  # 255 steps from 0 to 2.55, so that 0 is -128
    assert zero_point == -128
    assert struct.unpack_from("<4B4I", data, 48 + 32) == (2, 2, 1, 0, 3, 0, 0, 0)


def test_equal_constants_are_stored_once():
    one, two = ModelFile(pack(chain(4, 4))), ModelFile(pack(chain(4, 4, 4)))
    # a tensor and a record more, and layer names of 13 bytes instead of 6, padded; but no weights
    assert len(two.data) - len(one.data) == 32 + 52 + 8


def test_metadata_comes_back():
    graph = chain(2, 2)
    graph.metadata = Metadata(
        name="net",
        labels=["a", "b"],
        feature_names=["é", "ü"],
        provenance={"key": "value: more"},
        threshold=0.25,
    )
    file = ModelFile(pack(graph))
    assert file.text("name") == "net"
    assert file.lines("labels") == ["a", "b"]
    assert file.lines("feature_names") == ["é", "ü"]
    assert file.lines("provenance") == ["key: value: more"]
    assert struct.unpack("<f", file.metadata["threshold"]) == (0.25,)
    assert file.lines("layer_names") == ["dense0"]


def test_golden_samples_are_the_bytes_of_the_arrays():
    inputs, outputs = np.float32([[1, 2], [3, 4]]), np.float32([[3], [7]])
    file = ModelFile(pack(chain(2, 1), (inputs, outputs)))
    assert bytes(file.metadata["golden_inputs"]) == inputs.tobytes()
    assert bytes(file.metadata["golden_outputs"]) == outputs.tobytes()


def test_the_same_graph_gives_the_same_bytes():
    assert pack(chain(3, 5, 2)) == pack(chain(3, 5, 2))


@pytest.mark.parametrize("sizes", [(1, 1), (3, 1), (1, 3), (7, 5, 3, 2, 1), (100, 100), (5, 4, 4, 4, 9)])
@pytest.mark.parametrize("dtype", ["float32", "int8", "int16", "int8-weights"])
def test_both_readers_take_what_was_packed(sizes, dtype):
    calibration = np.random.default_rng(1).normal(size=(8, sizes[0]))
    data = pack(quantize(chain(*sizes), dtype, calibration))
    ModelFile(data)
    assert status_of(data) == 0


# --- Places in the arena ----------------------------------------------------------------------------------------------


def test_tensors_share_what_is_free_again():
    # 10 -> 10 -> 10 -> 10 floats: the third may lie where the first was, the fourth where the second was
    graph = chain(10, 10, 10, 10)
    offsets, arena_bytes = plan_arena(graph)
    assert arena_bytes == 2 * 40
    assert [offsets[name] for name in [*graph.inputs, *(layer.output for layer in graph.layers)]] in (
        [0, 40, 0, 40],
        [40, 0, 40, 0],
    )


def test_activations_lie_in_place():
    b = GraphBuilder((4,))
    b.dense("dense", np.ones((6, 4)))
    b.activation("tanh", "tanh")
    b.activation("softmax", "softmax")
    graph = b.build()
    offsets, arena_bytes = plan_arena(graph)
    assert arena_bytes == 16 + 24
    assert len({offsets[layer.output] for layer in graph.layers}) == 1


def test_an_activation_of_the_input_leaves_the_input_alone():
    b = GraphBuilder((4,))
    b.activation("relu", "relu")
    graph = b.build()
    offsets, arena_bytes = plan_arena(graph)
    assert arena_bytes == 32
    assert offsets[graph.inputs[0]] != offsets[graph.outputs[0]]


def test_reshaped_tensors_are_the_same_bytes():
    b = GraphBuilder((2, 3))
    b.reshape("flatten", (-1,))
    graph = b.build()
    offsets, arena_bytes = plan_arena(graph)
    assert arena_bytes == 24
    assert offsets[graph.inputs[0]] == offsets[graph.outputs[0]]


def branches(seed: int, n_inputs: int) -> Graph:
    """A random network of small integers, which floats hold exactly: dense layers, relus, shapes, sums, long skips."""
    rng = np.random.default_rng(seed)
    b = GraphBuilder()
    made = [b.input(f"x{i}", (int(rng.choice([4, 6])),)) for i in range(n_inputs)]
    for number in range(int(rng.integers(2, 16))):
        x = made[-1 - int(rng.integers(min(len(made), 4)))]
        same = [tensor for tensor in made if tensor.shape == x.shape]
        kind = rng.choice(["dense", "relu6", "reshape", "sum"])
        name = f"{kind} {number}"
        if kind == "dense" and len(x.shape) == 1:
            made.append(
                b.dense(
                    name, rng.integers(-1, 2, (int(rng.choice([4, 6, 12])), x.size)), activation="relu6", at=x
                )
            )
        elif kind == "reshape":
            made.append(b.reshape(name, (2, x.size // 2) if len(x.shape) == 1 else (x.size,), at=x))
        elif kind == "sum":
            made.append(b.add(Add, name, inputs=[x, same[int(rng.integers(len(same)))]]))
        else:
            made.append(b.activation(name, "relu6", at=x))
    read = {name for layer in b.layers for name in layer.inputs}
    ends = [tensor for tensor in made[n_inputs:] if tensor.name not in read]
    return b.build(outputs=ends[: int(rng.integers(1, len(ends) + 1))] if n_inputs > 1 else ends[-1:])


@pytest.mark.parametrize("seed", range(100))
def test_both_loaders_take_the_places_of_networks_that_branch(seed):
    """Several inputs, some of which nothing reads; several outputs; values that nothing reads."""
    graph = branches(seed, 2 + seed % 2)
    x = {name: np.ones((2, *graph.tensors[name].shape)) for name in graph.inputs}
    for data in (pack(graph), pack(quantize(graph, "int8", x))):
        ModelFile(data)
        assert status_of(data) == 0


@pytest.mark.parametrize("seed", range(100, 200))
def test_nothing_is_written_over_before_it_is_read(seed):
    """Each layer gives in its place in the core's arena what it gives where each value has memory of its own."""
    graph = branches(seed, 1)
    x = np.arange(-2.0, graph.tensors[graph.inputs[0]].size - 2)[None]
    output, expected = execute(graph, x, trace=True)
    with NativeModel(pack(graph)) as model:
        made = model.trace(x[0])
        for layer, in_file in zip(graph.layers, model.file.layers, strict=True):
            assert (made[in_file.outputs[0].index] == expected[layer.output][0]).all(), layer.name
        assert (model.predict(x) == output).all()


# --- What the format cannot hold --------------------------------------------------------------------------------------


def test_too_many_layers():
    with pytest.raises(ModelError, match="expected at most 256 layers in a model file, got 257"):
        pack(chain(*[1] * 258))
    assert status_of(pack(chain(*[1] * 257))) == 0


def test_too_many_bytes_of_constants(monkeypatch):
    """However often a layer uses them, and however small the file: 17 layers with the same MB of weights."""
    graph = chain(*[512] * 18)  # weights of one float32 each
    with pytest.raises(
        ModelError, match=f"expected at most {2**24} bytes of weights and tables in all layers, got 17"
    ):
        pack(graph)
    monkeypatch.setattr(model_file, "MAX_CONSTANT_BYTES", 2**25)
    data = pack(graph)
    assert len(data) < 2**21
    monkeypatch.undo()
    assert status_of(data) != 0
    with pytest.raises(
        ValueError, match=r"layer 15: expected constants of up to 16777216 bytes so far, got 16"
    ):
        ModelFile(data)
    assert status_of(pack(chain(*[512] * 16))) == 0


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (Metadata(labels=["one\ntwo"]), r"label 'one\\ntwo': expected one line"),
        (Metadata(name="one\ntwo"), r"name 'one\\ntwo': expected one line"),
        (Metadata(labels=["a\udcff"]), r"label 'a\\udcff': expected UTF-8 text"),
        (Metadata(name="ä" * 128), "name 'ää.*: expected at most 255 bytes, got 256"),
    ],
)
def test_names_that_are_no_line_of_text(metadata, message):
    graph = chain(1, 1)
    graph.metadata = metadata
    with pytest.raises(ModelError, match=message):
        pack(graph)


def test_too_many_dimensions():
    b = GraphBuilder((1, 2, 1, 2, 1))
    b.reshape("flatten", (-1,))
    with pytest.raises(ModelError, match="expected 1 to 4 dimensions"):
        pack(b.build())


# --- What float32, UTF-8 and one input cannot hold --------------------------------------------------------------------


def one_layer_graph(metadata: Metadata | None = None, alpha: float | None = None) -> Graph:
    b = GraphBuilder((2,))
    b.dense("dense", np.ones((1, 2)), np.zeros(1), "sigmoid")
    if alpha is not None:
        b.activation("leaky", "leaky_relu", alpha)
    return b.build(metadata)


def refused(graph: Graph) -> str:
    with pytest.raises(ModelError) as caught:
        pack(graph)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# the largest float32 is (2 - 2^-23) 2^127 = 3.4028e38; from half a step above it on it rounds to infinity
@pytest.mark.parametrize("value", [3.5e38, -1e39, 1e300])
def test_numbers_beyond_float32(value):
    expected = f"expected a number that float32 can hold, got {value}"
    assert refused(one_layer_graph(Metadata(threshold=value))) == f"threshold: {expected}"
    assert refused(one_layer_graph(alpha=value)) == f"layer leaky: alpha: {expected}"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_threshold_that_is_not_finite(value):
    assert refused(one_layer_graph(Metadata(threshold=value))).startswith("threshold: expected a number that")


def test_the_largest_float32_is_held():
    largest = (2 - 2**-23) * 2.0**127
    data = pack(one_layer_graph(Metadata(threshold=largest), alpha=largest))
    assert struct.unpack("<f", ModelFile(data).metadata["threshold"]) == (largest,)
    assert ModelFile(data).layers[1].alpha == largest


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        (Metadata(labels=["a", "b", "c"]), "metadata: labels: expected 2 lines, got 3"),
        (Metadata(feature_names=["a"]), "metadata: feature_names: expected 2 lines, got 1"),
    ],
)
def test_metadata_that_no_loader_takes(metadata, text):
    assert refused(one_layer_graph(metadata)) == text


def test_golden_samples_of_unequal_count():
    x, y = np.zeros((2, 2), np.float32), np.zeros((3, 1), np.float32)
    with pytest.raises(ModelError, match="golden_outputs: expected 2 samples, got 3"):
        pack(one_layer_graph(), (x, y))


def test_an_output_twice():
    graph = one_layer_graph(alpha=0.5)
    (name,) = graph.outputs
    graph.outputs.append(name)
    assert refused(graph) == f"expected each output of the network once, got {name}, {name}"
