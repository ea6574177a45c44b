"""ONNX's own cases of operators, with inputs and outputs: of Debian's package libonnx-testdata, where that is installed
or unpacked into build/data/libonnx-testdata.

A case's first input flows, the others become constants, unless the operator joins values. Each is converted and agrees,
or is refused in one line; what no kind of layer does has no case here.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from anne_tools.conversion.frameworks import as_here
from anne_tools.errors import ModelError
from anne_tools.importers import load
from anne_tools.importers.onnx_operators import OPERATORS
from anne_tools.network.execute import execute
from anne_tools.network.graph import INPUT_AXES
from package_files import packages

onnx = pytest.importorskip("onnx")

FOLDERS = [
    Path("/usr/share/libonnx-testdata/data"),
    packages.CACHE / "libonnx-testdata" / "usr" / "share" / "libonnx-testdata" / "data",
]
JOINS = {"Add", "Sub", "Mul", "Sum", "Concat", "Div", "Max", "Min", "Where"}
# How many of version 1.12.0 agree at least, of those in which all operators are known.
AGREEING = 305


def tensor(path: Path) -> np.ndarray | None:
    """The array in a file; None where it is a sequence or is not there."""
    message = onnx.TensorProto()
    try:
        message.ParseFromString(path.read_bytes())
        return onnx.numpy_helper.to_array(message)
    except (OSError, ValueError):
        return None


def outcome(folder: Path, target: Path) -> str:
    """What became of a case: "agrees", "differs", "refused", or why it is none for us."""
    model = onnx.load(folder / "model.onnx")
    ops = {node.op_type for node in model.graph.node}
    if not ops <= set(OPERATORS):
        return "other operators"
    data = next(iter(sorted(folder.glob("test_data_set_*"))))
    known = {one.name for one in model.graph.initializer}
    arrays = {one.name: tensor(data / f"input_{i}.pb") for i, one in enumerate(model.graph.input)}
    expected = tensor(data / "output_0.pb")
    flowing = [name for name, array in arrays.items() if name not in known and array is not None]
    flowing = flowing if ops & JOINS else flowing[:1]
    if expected is None or not flowing:
        return "no tensors"
    for name, array in arrays.items():
        if name not in known and name not in flowing and array is not None:
            model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    del model.graph.output[1:]
    onnx.save(model, target)
    try:
        graph = load(target)
    except ModelError as error:
        assert "\n" not in str(error) and "damaged" not in str(error), (folder.name, error)
        return "refused"
    orders = graph.source_axes(INPUT_AXES)
    x = [
        arrays[name].transpose(order) if order else arrays[name]
        for name, order in zip(flowing, orders, strict=True)
    ]
    sizes = {len(array) if array.ndim > 1 else 1 for array in x}
    if len(sizes) > 1:
        return "of several batches"
    (n,) = sizes
    if any(array.size != n * one.size for array, one in zip(x, graph.input_tensors, strict=True)):
        return "of several batches"
    x = [array.reshape(n, *one.shape) for array, one in zip(x, graph.input_tensors, strict=True)]
    got = graph.split_outputs(execute(graph, x if len(x) > 1 else x[0]))[0]
    expected = as_here(graph, [expected])[0]
    if got.size != expected.size or (n > 1 and "Transpose" in ops):  # which moves the batch axis, too
        return "of several batches"
    bound = 1e-4 * max(1e-3, np.nanmax(np.abs(expected.astype(np.float64))))
    is_close = np.allclose(got, expected.reshape(got.shape), rtol=1e-4, atol=bound, equal_nan=True)
    return "agrees" if is_close else "differs"


def test_cases_of_operators_agree_or_are_refused(tmp_path):
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    if folder is None:
        pytest.skip(
            "needs Debian's libonnx-testdata: apt-get download it, and dpkg -x into build/data/libonnx-testdata"
        )
    cases = sorted(path.parent for path in folder.glob("*/test_*/model.onnx"))
    outcomes = {case.name: outcome(case, tmp_path / "case.onnx") for case in cases}
    assert [name for name, what in outcomes.items() if what == "differs"] == []
    counts = Counter(outcomes.values())
    print(dict(counts))
    assert counts["agrees"] >= AGREEING
