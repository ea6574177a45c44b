"""What lies in the arena of a model file at which layer: networks small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from anne.model_file import ModelFile
from anne_tools.conversion.pack import pack
from anne_tools.conversion.plot import arena_plot
from anne_tools.cores.memory import LiveValue, arena_use, storages
from anne_tools.layers import Add
from anne_tools.layers.build import GraphBuilder


def residual() -> ModelFile:
    """4 floats to 8; to 6, to 8, added to the 8 before, in place; their relu in place; and the same as 2 x 4."""
    b = GraphBuilder()
    b.input("image", (4,))
    trunk = b.dense("trunk", np.ones((8, 4)))
    b.dense("down", np.ones((6, 8)))
    up = b.dense("up", np.ones((8, 6)))
    b.add(Add, "sum", inputs=[trunk, up])
    b.activation("relu", "relu")
    b.reshape("map", (2, 4))
    return ModelFile(pack(b.build()))


def two_and_two() -> ModelFile:
    """Inputs of 20 and 8 bytes, the second unread; outputs of 4 and 12, the second made from the first's layer too."""
    b = GraphBuilder()
    x = b.input("x", (5,))
    b.input("unread", (2,))
    y = b.dense("y", np.ones((1, 5)), at=x)
    z = b.dense("z", np.ones((3, 5)), at=x)
    return ModelFile(pack(b.build(outputs=[y, z])))


def test_lives():
    """(first layer, last layer, bytes) of each value; the input is there before layer 0, the output after the last."""
    lives = {
        value.name: (value.first, value.last, value.nbytes)
        for storage in storages(residual())
        for value in storage.values
    }
    assert lives == {
        "image": (-1, 0, 16), "trunk": (0, 3, 32), "down": (1, 2, 24), "up": (2, 3, 32),
        "sum": (3, 4, 32), "relu": (4, 5, 32), "map": (5, 6, 32),
    }  # fmt: skip


def test_values_in_place_are_one_storage():
    (trunk,) = [storage for storage in storages(residual()) if len(storage.values) > 1]
    assert [value.name for value in trunk.values] == ["trunk", "sum", "relu", "map"]
    assert (trunk.first, trunk.last, trunk.nbytes) == (0, 6, 32)


def test_where_the_arena_is_fullest():
    use = arena_use(residual())
    assert (use.nbytes, use.live_bytes, use.layer, use.layer_name) == (88, 88, 2, "up")  # 32 + 24 + 32
    assert {(value.name, value.role, value.nbytes) for value in use.live} == {
        ("down", "input", 24), ("up", "output", 32), ("trunk", "kept", 32)
    }  # fmt: skip
    assert use.line() == "arena: 88 bytes, largest at layer 2 (up): input 24 + output 32 + kept 32 (trunk)"


def test_roles_of_inputs_and_in_place():
    b = GraphBuilder()
    x, y = b.input("x", (1,)), b.input("y", (1,))
    wide = [b.dense(name, np.ones((8, 1)), at=at) for name, at in (("a", x), ("b", y))]
    b.dense("out", np.ones((1, 8)), at=b.add(Add, "sum", inputs=wide))
    use = arena_use(ModelFile(pack(b.build())))
    assert use.line() == "arena: 68 bytes, largest at layer 1 (b): input 4 + output 32 + kept 32 (a)"
    b = GraphBuilder()
    x, y, z = (b.input(name, (1,)) for name in "xyz")
    sums = [b.add(Add, "s", inputs=[x, y]), b.add(Add, "t", inputs=[y, z])]
    b.activation("relu", "relu", at=sums[1])
    b.add(Add, "sum", inputs=[sums[0], b.last])
    assert arena_use(ModelFile(pack(b.build()))).line() == (
        "arena: 16 bytes, largest at layer 0 (s): input 4 (x) + input 4 (y) + output 4 + kept 4 (z)"
    )


def test_where_inputs_alone_are_most():
    use = arena_use(two_and_two())
    assert use.line() == "arena: 36 bytes, largest at layer 1 (z): input 20 + output 12 + kept 4 (y)"
    b = GraphBuilder()
    x = b.input("x", (1,))
    b.input("unread", (8,))
    b.dense("y", np.ones((1, 1)), at=x)
    use = arena_use(ModelFile(pack(b.build())))
    assert use.line() == "arena: 36 bytes, largest before the first layer: input 4 (x) + input 32 (unread)"
    assert (use.layer, use.layer_name) == (-1, "")


def test_an_arena_larger_than_need_be():
    file = two_and_two()
    file.arena_bytes = 64
    assert arena_use(file).line().startswith("arena: 64 bytes, of which at most 36 at once, at layer 1 (z): ")


def test_a_value_turned_in_place():
    b = GraphBuilder((1,))
    b.dense("wide", np.ones((8, 1)))
    b.activation("relu", "relu")
    b.dense("out", np.ones((1, 8)))
    file = ModelFile(pack(b.build()))
    (place,) = [storage for storage in storages(file) if len(storage.values) == 2]
    assert [value.name for value in place.values] == ["wide", "relu"]
    assert arena_use(file).live == [
        LiveValue("input", "input", 32, 4), LiveValue("wide", "output", 0, 32)
    ]  # fmt: skip


# --- The picture ------------------------------------------------------------------------------------------------------


def test_the_picture_has_all_values_and_layers():
    pytest.importorskip("matplotlib", reason="the extra ai-anne[plot]")
    for file in (residual(), two_and_two()):
        assert arena_plot(file, "net").startswith(b"\x89PNG\r\n")


def test_names_are_no_formulas():
    """matplotlib takes what stands between dollars for one, and refuses what is none."""
    pytest.importorskip("matplotlib", reason="the extra ai-anne[plot]")
    b = GraphBuilder((4,))
    b.dense(r"$\frac$ \x1b", np.ones((4, 4)))
    assert arena_plot(ModelFile(pack(b.build())), "$^$").startswith(b"\x89PNG\r\n")
