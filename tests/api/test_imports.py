"""What `import anne` brings with it: names of training only when they are used, as most boards only predict."""

import sys

import anne
from check import raises, same

LATER = ("anne.training", "anne.trainer", "anne.head", "anne.model_writer")


def test_training_is_imported_when_it_is_used():
    # first in this file, so that nobody has used it before
    same([name for name in LATER if name in sys.modules], [])
    same(anne.normalize([[1], [3], [2]])[0], [0])
    same([name for name in LATER if name in sys.modules], ["anne.training"])
    same(anne.Trainer.__name__, "Trainer")
    assert "anne.trainer" in sys.modules


def test_names_are_those_of_their_modules():
    from anne import head, live, reference, trainer, training

    for module, names in anne._LATER:
        module = {
            "reference": reference,
            "training": training,
            "trainer": trainer,
            "head": head,
            "live": live,
        }[module]
        for name in names.split():
            assert getattr(anne, name) is getattr(module, name), name


def test_unknown_names():
    text = "module 'anne' has no attribute 'train'"
    raises(AttributeError, text, getattr, anne, "train")
    assert not hasattr(anne, "train")
    if sys.implementation.name == "cpython":
        assert {"Trainer", "Head", "dense", "normalize"} <= set(dir(anne))
