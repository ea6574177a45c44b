"""importers/refusal.py: one line that names everything that is missing."""

import pytest
from anne_tools.errors import ModelError
from anne_tools.importers.refusal import Missing
from anne_tools.importers.supported import SOURCES, supported


def test_everything_is_named_with_counts_layers_first():
    missing = Missing()
    missing.structure("2 outputs")
    missing.layer("Add", "layer 1 (Add)")
    for index in range(2, 6):
        missing.layer("Conv2D", f"layer {index} (Conv2D)")
    missing.structure("2 outputs")
    with pytest.raises(ModelError) as error:
        missing.refuse("keras")
    assert str(error.value) == (
        "needs Conv2D (4), Add (1), 2 outputs; the first is layer 1 (Add); anne convert --supported keras lists what "
        "can be used"
    )


def test_structure_alone():
    missing = Missing()
    missing.structure("2 inputs")
    with pytest.raises(ModelError, match="^needs 2 inputs, which is not supported$"):
        missing.refuse("keras")


def test_a_hundred_kinds_are_still_one_line_to_read():
    missing = Missing()
    for index in range(100):
        missing.layer(f"Kind{index}", f"layer {index}")
    with pytest.raises(ModelError, match=r"Kind11 \(1\), 88 more kinds of layers; the first is layer 0;"):
        missing.refuse("keras")


def test_nothing_missing_is_no_error():
    Missing().refuse("keras")


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_supported_is_listed(source):
    words = {
        "keras": "Conv1D/2D",
        "onnx": "Conv, ",
        "tflite": "CONV_2D",
        "torch": "conv2d",
        "torch-layers": "linear",
    }
    if source == "tflite":
        pytest.importorskip("tflite")
    assert words[source] in supported(source)
