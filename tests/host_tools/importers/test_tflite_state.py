"""Variables of .tflite files: delay lines become the layer Delay, all else is refused.

Expected outputs come from the package `tflite-micro`, whose interpreter keeps its variables from one call to the next.
"""

from __future__ import annotations

import numpy as np
import pytest
from anne_tools.conversion.pack import pack as pack_model
from anne_tools.cores.native import NativeModel
from anne_tools.errors import ModelError

pytest.importorskip("tflite")
pytest.importorskip("tflite_micro")

from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
from tflite_writer import Oracle, TfliteWriter, pack

SEED = 20261126
INT8 = {"dtype": "int8", "scale": 0.05, "zero_point": -3}


class Stream:
    """x, n frames of (1, 2), behind the `kept` frames of a variable: what is read, joined, cut off and assigned.

    Its steps are attributes, so that tests can change one.
    """

    def __init__(self, dtype: str = "float32", n: int = 2, kept: int = 3):
        self.w = w = TfliteWriter()
        self.fields = INT8 if dtype == "int8" else {"dtype": dtype}
        self.first, self.kept, self.dtype = (
            np.full((1, kept, 1, 2), -3 if dtype == "int8" else 0),
            kept,
            dtype,
        )
        self.handle = w.tensor((), "resource")
        self.x = w.tensor((1, n, 1, 2), **self.fields)
        self.old = w.tensor((1, kept, 1, 2), **self.fields)
        self.joined = w.tensor((1, kept + n, 1, 2), **self.fields)
        self.part = w.tensor((1, kept, 1, 2), **self.fields)
        self.join, self.axis = [self.old, self.x], 1
        self.begin, self.end = [0, n, 0, 0], [1, n + kept, 1, 2]
        self.reads = self.assigns = 1
        self.is_begun = True

    def to_bytes(self) -> bytes:
        w = self.w
        if self.is_begun:
            w.operator("CALL_ONCE", [], [], initSubgraphIndex=1)
        w.operator("VAR_HANDLE", [], [self.handle], sharedName="v", container="")
        for _ in range(self.reads):
            w.operator("READ_VARIABLE", [self.handle], [self.old])
        w.operator("CONCATENATION", self.join, [self.joined], axis=self.axis)
        limits = [w.tensor((4,), "int32", numbers) for numbers in (self.begin, self.end, [1, 1, 1, 1])]
        w.operator("STRIDED_SLICE", [self.joined, *limits], [self.part])
        for _ in range(self.assigns):
            w.operator("ASSIGN_VARIABLE", [self.handle, self.part], [])
        model = w.to_model([self.x], [self.joined])
        if self.is_begun:
            model.subgraphs.append(self._beginning(model))
        return pack(model)

    def _beginning(self, model):
        """The second graph, which assigns `first` to the variable."""
        start = TfliteWriter()
        start.buffers, start.codes = model.buffers, model.operatorCodes
        handle = start.tensor((), "resource")
        first = start.tensor(self.first.shape, data=self.first, **self.fields)
        start.operator("VAR_HANDLE", [], [handle], sharedName="v", container="")
        start.operator("ASSIGN_VARIABLE", [handle, first], [])
        graph = schema.SubGraphT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = start.tensors, start.operators, [], []
        return graph


def frames(stream: Stream, n: int) -> np.ndarray:
    rng, shape = np.random.default_rng(SEED), (n, *stream.w.tensors[stream.x].shape[1:])
    if stream.dtype == "float32":
        return rng.normal(0, 1, shape).astype(np.float32)
    return rng.integers(-128, 128, shape).astype(np.int8)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("n, kept", [(1, 1), (2, 3), (3, 2), (1, 7), (4, 4)])
def test_a_delay_line_equals_tflite_micro(read_tflite, dtype, n, kept):
    stream = Stream(dtype, n, kept)
    data, x = stream.to_bytes(), frames(stream, 12)
    graph, oracle = read_tflite(data), Oracle(data)
    assert [(layer.kind, layer.length) for layer in graph.layers] == [("delay", n + kept)]
    expected = np.concatenate([oracle(sample[None]) for sample in x])
    with NativeModel(pack_model(graph)) as native:
        np.testing.assert_array_equal(native.run_raw(x).reshape(expected.shape), expected)


def test_a_variable_that_nothing_begins_is_zeros(read_tflite):
    stream = Stream()
    stream.is_begun = False
    assert [layer.kind for layer in read_tflite(stream.to_bytes()).layers] == ["delay"]


# What is refused


def refused(read_tflite, stream: Stream, **changes) -> str:
    for name, value in changes.items():
        assert hasattr(stream, name), name
        setattr(stream, name, value)
    with pytest.raises(ModelError) as error:
        read_tflite(stream.to_bytes())
    assert "\n" not in str(error.value)
    assert "supported is a delay line" in str(error.value)
    return str(error.value)


def test_other_uses_of_a_variable_are_refused(read_tflite):
    for changes, message in (
        ({"begin": [0, 0, 0, 0], "end": [1, 3, 1, 2]}, "is assigned other frames than the last 3"),
        ({"reads": 2}, "its variable is not read and assigned once"),
        ({"assigns": 0}, "its variable is not read and assigned once"),
        ({"assigns": 2}, "its variable is not read and assigned once"),
        ({"axis": 3}, "along axis 3"),
        ({"axis": 0}, "along axis 0"),
        ({"first": np.ones((1, 3, 1, 2))}, "its variable begins with other values than zeros"),
    ):
        assert message in refused(read_tflite, Stream(), **changes), changes


def test_frames_before_the_old_ones_are_refused(read_tflite):
    stream = Stream()
    assert "joins a variable in another way" in refused(read_tflite, stream, join=[stream.x, stream.old])


def test_an_int8_variable_that_nothing_begins_is_refused(read_tflite):
    assert "its variable begins with other values than zeros" in refused(
        read_tflite, Stream("int8"), is_begun=False
    )


def test_a_variable_that_is_not_made_is_refused(read_tflite):
    w = TfliteWriter()
    handle, x, y = w.tensor((), "resource"), w.tensor((1, 2)), w.tensor((1, 2))
    w.operator("READ_VARIABLE", [handle], [y])
    with pytest.raises(ModelError, match=r"layer 0 \(READ_VARIABLE\): expected a variable made before it"):
        read_tflite(w.to_bytes([x], [y]))


def test_a_value_read_otherwise_is_refused(read_tflite):
    w = TfliteWriter()
    handle, x, old, y = w.tensor((), "resource"), w.tensor((1, 2)), w.tensor((1, 2)), w.tensor((1, 2))
    w.operator("VAR_HANDLE", [], [handle], sharedName="v", container="")
    w.operator("READ_VARIABLE", [handle], [old])
    w.operator("ADD", [x, old], [y])
    with pytest.raises(
        ModelError, match=r"layer 1 \(READ_VARIABLE\): its variable is read by ADD; supported"
    ):
        read_tflite(w.to_bytes([x], [y]))


def test_a_beginning_that_does_not_exist_is_refused(read_tflite):
    for number in (0, 1, -1, 7):
        w = TfliteWriter()
        x, y = w.tensor((1, 2)), w.tensor((1, 2))
        w.operator("CALL_ONCE", [], [], initSubgraphIndex=number)
        w.operator("RELU", [x], [y])
        with pytest.raises(ModelError, match=rf"layer 0 \(CALL_ONCE\): subgraph {number} does not exist"):
            read_tflite(w.to_bytes([x], [y]))
