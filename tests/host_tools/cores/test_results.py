"""What a run's outputs are held against, and the classes they stand for."""

import json
import struct
from array import array
from pathlib import Path

import anne
import numpy as np
import pytest
from anne.model import Model
from anne.reference_model import MAX_STEPS
from anne_tools.commands.common import json_text
from anne_tools.conversion.convert import convert
from anne_tools.conversion.report import compared, judge
from anne_tools.cores.files import open_model
from anne_tools.cores.local import reference_outputs
from anne_tools.cores.native import NativeModel
from anne_tools.cores.results import NO_CLASS, class_names, classes, difference, result
from anne_tools.errors import ModelError
from by_hand import INPUT, OUTPUT, Record, Values, model

NAN, INF = np.nan, np.inf
GOLDEN = Path(__file__).parents[2] / "golden" / "models"


def golden_file(name: str) -> bytes:
    return (GOLDEN / f"{name}.anne").read_bytes()


@pytest.mark.parametrize(
    "expected, got, by",
    [
        ([1, -4], [1, -3.5], 0.125),  # 0.5 of 4
        ([0, 0], [0, 0.5], 0.5),
        ([NAN, INF, -INF, 4], [NAN, INF, -INF, 5], 0.25),
        ([NAN, INF], [NAN, INF], 0),
        ([INF, 1], [1e30, 1], INF),
        ([INF, 1], [-INF, 1], INF),
        ([NAN, 1], [1, 1], INF),
        ([1, 1], [NAN, 1], INF),
        ([1, 1], [1, INF], INF),
        # beside an infinity the finite ones are held as they are anywhere
        ([INF, 1], [INF, 2], 1),
        # a sigmoid of -93; the cores give 0 for denormals
        ([4.1e-41], [0], float(np.float32(4.1e-41))),
        ([2.0**-126], [0], 1),
    ],
)
def test_difference_of_floats(expected, got, by):
    assert difference(np.float32(expected), np.float32(got)) == by


def test_difference_of_integers_is_in_steps():
    assert difference(np.int8([-128, 5]), np.int8([127, 4])) == 255


def test_a_golden_output_that_is_infinite_is_not_met_by_another():
    file = open_model(golden_file("small_float32"))
    expected = np.frombuffer(bytes(file.metadata["golden_outputs"]), np.float32).reshape(4, 3)
    assert result(file, expected, expected, raw=False).golden
    wrong = expected.copy()
    wrong[2, 1] = INF
    for one, other in ((wrong, expected), (expected, wrong)):
        found = result(file, one, other, raw=False)
        assert not found.golden and found.problem == "golden outputs are missed by inf"


# --- Classes


def test_classes_as_the_model_itself_finds_them():
    outputs = np.float32([[0.25, 0.5], [0.5, 0.5], [NAN, 1], [-INF, INF], [1, NAN]])
    assert classes(outputs, None).tolist() == [1, 0, NO_CLASS, 1, NO_CLASS]
    # scikit-learn: class 1 above the threshold, so not at it
    one = np.float32([[0.5], [np.nextafter(np.float32(0.5), np.float32(1))], [NAN], [INF]])
    assert classes(one, None).tolist() == [0, 1, NO_CLASS, 1]
    assert classes(one, 0.75).tolist() == [0, 0, NO_CLASS, 1]
    # as float32, which is what a file holds, 0.3 is a little more
    assert classes(np.float32([[0.3]]), 0.3).tolist() == [0]


def test_one_row_without_a_class_costs_the_others_nothing():
    data = golden_file("small_float32")
    x = np.float32([[5, 3, 1, 2], [NAN, 3, 1, 2], [0, 0, 0, 0]])
    with NativeModel(data) as model:
        outputs = model.run_raw(x)
    net = Model(data)
    expected = [net.classify(x[0].tolist())[0], None, net.classify(x[2].tolist())[0]]
    assert class_names(open_model(data), outputs) == expected


def test_the_threshold_is_the_files():
    file = open_model(golden_file("binary_float32"))  # labels no and yes, threshold 0.3
    (threshold,) = struct.unpack("<f", file.metadata["threshold"])
    outputs = np.float32([[0.25], [threshold], [0.35], [NAN]])
    assert class_names(file, outputs) == ["no", "no", "yes", None]


def test_judged_rows_without_a_class_are_not_right():
    # two linear outputs, the inputs themselves: the larger names the class
    converted = convert({"layers": [{"weights": [[1, 0], [0, 1]], "activation": "linear"}]})
    x = np.float32([[1, 0], [0, 1], [NAN, 1], [3, 1]])
    with NativeModel(converted.data) as model:
        outputs = compared(converted.graph, model, x)
        judge(converted.report, converted.graph, outputs, {"output": np.array([0, 1, 1, 1])})
    found = converted.report.accuracy
    assert (found.float_percent, found.model_percent) == (50, 50)
    assert found.model_confusion == [[1, 0], [1, 1]]


# --- JSON


def test_json_has_no_word_for_nan():
    document = {"a": [1.5, NAN, (INF, "x")], "b": {"c": -INF, "d": np.float64(NAN), "e": None, "f": 3}}

    def never(token):
        raise AssertionError(token)

    assert json.loads(json_text(document), parse_constant=never) == {
        "a": [1.5, None, [None, "x"]],
        "b": {"c": None, "d": None, "e": None, "f": 3},
    }


# --- What plain Python is given ---------------------------------------------------------------------------------------


def linear_activations(n: int) -> bytes:
    """Return a file of n activations of 2^20 elements, all in one place."""
    records = [Record("activation", [i], [i + 1]) for i in range(n)]
    tensors = [Values("float32", 1 << 20)] * (n + 1)
    return model(tensors, [INPUT] + [0] * (n - 1) + [OUTPUT], records, places=[0] * (n + 1))


def test_the_reference_takes_as_many_steps_as_it_states():
    assert MAX_STEPS == 16 << 20
    x = np.zeros((1, 1 << 20), np.float32)
    assert reference_outputs(linear_activations(16), x).shape == (1, 1 << 20)
    with pytest.raises(ModelError) as caught:
        reference_outputs(linear_activations(17), x)
    assert str(caught.value) == (
        "reference: run: expected at most 16777216 multiplications and elements in plain Python, got 17825792: "
        "use the native core"
    )


@pytest.mark.parametrize("method", ["predict", "classify", "trace", "profile"])
def test_it_takes_no_more_layer_by_layer(method: str):
    net = anne.load(linear_activations(17))
    with pytest.raises(ValueError, match="run: expected at most 16777216 multiplications"):
        getattr(net, method)(array("f", bytes(4 << 20)))
