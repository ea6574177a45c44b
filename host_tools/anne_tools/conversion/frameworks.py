"""The answers of the framework a model comes from, where it is installed: what an import is measured against.

Only files that our own importer has read come here: it refuses Lambda and custom layers, which hold code. But PyTorch
unpickles parts of a .pt2 that the importer never looks at, so it gets one only from who trusts it. A framework that is
not installed is no error, as most users have none on the machine with the Pico.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..cores.numbers import flip_sign, quantize_input
from ..errors import ModelError
from ..importers import recognise_file
from ..network.graph import INPUT_AXES, OUTPUT_AXES, Graph


class NotInstalledError(ModelError):
    """The framework that could answer is not there or must not be asked, or there is none for this kind of file."""


def framework_outputs(
    source: Any,
    x: list[np.ndarray],
    input_tensors: list[Any],
    trust_pickle: bool = False,
    network: str | int | None = None,
) -> tuple[str, list[np.ndarray]]:
    """Return (the framework's name, its outputs) for samples of real numbers; integers where a .tflite gives them.

    `source` is a path or a model object, x are the samples of each input. `input_tensors` (each an
    `anne.model_file.Tensor`) quantise x for integer models. `trust_pickle` allows what runs code of the file's author;
    `network` picks from a pickle (importers.load). NotInstalledError if nothing here can run it, ModelError if the
    framework fails.
    """
    suffix = Path(source).suffix.lower() if isinstance(source, (str, Path)) else ""
    root = type(source).__module__.partition(".")[0]
    runner = _BY_SUFFIX.get(suffix) or (None if suffix else _BY_PACKAGE.get(root))
    if suffix and trust_pickle and recognise_file(Path(source)).module == "pickles":
        from ..importers import pickles

        *transformers, model = pickles.unpickle(Path(source), network)[0]
        for transformer in transformers:
            x = [transformer.transform(x[0])]
        return framework_outputs(model, x, input_tensors)
    if suffix == ".pt2" and not trust_pickle:
        raise NotInstalledError("PyTorch may run code in a .pt2; --trust-pickle lets it")
    if runner is None:
        raise NotInstalledError(f"no framework runs {suffix or root}")
    try:
        return runner(source, x, input_tensors)
    except ImportError as error:
        raise NotInstalledError(f"{(error.name or str(error)).partition('.')[0]} is not installed") from None
    except Exception as error:  # of any kind: our importer goes by content, a framework by the file's name
        line = next(iter(str(error).splitlines()), "")
        raise ModelError(
            f"the framework for {suffix or root} failed: {type(error).__name__}: {line}"
        ) from error


def as_in_source(graph: Graph, x: list[np.ndarray]) -> list[np.ndarray]:
    """Return samples of each input, (n_samples, *shape), with their axes as the source has them."""
    orders = graph.source_axes(INPUT_AXES)
    return [a.transpose(np.argsort(order)) if order else a for a, order in zip(x, orders, strict=True)]


def as_here(graph: Graph, outputs: list[np.ndarray]) -> list[np.ndarray]:
    """Return the source's outputs with their axes as the network has them."""
    orders = graph.source_axes(OUTPUT_AXES)
    return [
        y.transpose(order) if order and y.ndim == len(order) else y
        for y, order in zip(outputs, orders, strict=True)
    ]


def _tflite_micro(path: Any, x: list[np.ndarray], tensors: list[Any]) -> tuple[str, list[np.ndarray]]:
    from tflite_micro.python.tflite_micro import runtime

    from ..importers.tflite_files import TfliteFile

    interpreter = runtime.Interpreter.from_file(str(path))
    details = [interpreter.get_input_details(i) for i in range(len(x))]
    inputs = [_for_tflite(*one) for one in zip(x, tensors, details, strict=True)]
    answers: list[list[np.ndarray]] = []
    n_outputs = len(TfliteFile(Path(path).read_bytes()).outputs)
    for sample in range(len(x[0])):
        for index, (array, detail) in enumerate(zip(inputs, details, strict=True)):
            interpreter.set_input(np.ascontiguousarray(array[sample]).reshape(detail["shape"]), index)
        interpreter.invoke()
        answers.append([np.array(interpreter.get_output(i)) for i in range(n_outputs)])
    outputs = [np.stack(values) for values in zip(*answers, strict=True)]
    return "TFLite Micro", [flip_sign(y) if y.dtype == np.uint8 else y for y in outputs]


def _for_tflite(x: np.ndarray, tensor: Any, details: Any) -> np.ndarray:
    """An input as the interpreter takes it; an int8 file may take floats all the same, and round them itself."""
    if details["dtype"] == np.float32:
        return x.astype(np.float32)
    integers = quantize_input(x, tensor)
    return flip_sign(integers) if details["dtype"] == np.uint8 else integers


def _keras(source: Any, x: list[np.ndarray], tensors: list[Any]) -> tuple[str, list[np.ndarray]]:
    import keras

    model = source
    if isinstance(source, (str, Path)):
        model = keras.models.load_model(str(source), compile=False)
    inputs: Any = [array.astype(np.float32) for array in x]
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, dict):  # which takes no list; Keras sorts its names, and so do our importers
        inputs = dict(zip(sorted(structure), inputs, strict=True))
    elif len(inputs) == 1:
        inputs = inputs[0]
    outputs = model.predict(inputs, verbose=0)
    if isinstance(outputs, dict):
        outputs = [outputs[name] for name in sorted(outputs)]
    return f"Keras {keras.__version__}", _as_list(outputs)


def _as_list(outputs: Any) -> list[np.ndarray]:
    """Outputs as a framework gives them: one, several in a list, or by name."""
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    return [np.asarray(y) for y in (outputs if isinstance(outputs, list | tuple) else [outputs])]


def _onnxruntime(path: Any, x: list[np.ndarray], tensors: list[Any]) -> tuple[str, list[np.ndarray]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    types = {"tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    given = [
        (one.name, array.astype(types.get(one.type, np.float32)))
        for one, array in zip(session.get_inputs(), x, strict=True)
    ]
    # a classifier tells the class, too, and its probabilities perhaps by the names of the classes
    scores = [o.name for o in session.get_outputs() if o.type not in ("tensor(int64)", "tensor(string)")]
    # one at a time: a file may have a fixed batch of 1
    answers = [
        session.run(scores, {name: array[i : i + 1] for name, array in given}) for i in range(len(x[0]))
    ]
    outputs = []
    for values in zip(*answers, strict=True):
        rows = [[list(row.values()) for row in y] if isinstance(y, list) else y for y in values]
        outputs.append(np.concatenate(rows))
    return f"ONNX Runtime {onnxruntime.__version__}", outputs


def _torch(source: Any, x: list[np.ndarray], tensors: list[Any]) -> tuple[str, list[np.ndarray]]:
    import torch

    from ..importers.torch_trace import types_of_inputs

    program = torch.export.load(str(source)) if isinstance(source, (str, Path)) else source
    model = program.module() if isinstance(program, torch.export.ExportedProgram) else program
    if isinstance(model, torch.nn.Module) and not isinstance(source, (str, Path)):
        model = model.eval()
    types = types_of_inputs(program, [array.shape[1:] for array in x])
    answers = []
    with torch.no_grad():
        for i in range(len(x[0])):
            sample = [
                torch.from_numpy(array[i : i + 1]).to(dtype) for array, dtype in zip(x, types, strict=True)
            ]
            answers.append(_as_list(model(*sample)))
    return f"PyTorch {torch.__version__}", [np.concatenate(values) for values in zip(*answers, strict=True)]


def _sklearn(model: Any, x: list[np.ndarray], tensors: list[Any]) -> tuple[str, list[np.ndarray]]:
    import sklearn

    outputs = np.asarray(
        model.predict_proba(x[0]) if hasattr(model, "predict_proba") else model.predict(x[0])
    )
    # a binary classifier's file has one output, the probability of the second class
    binary = hasattr(model, "classes_") and outputs.ndim == 2 and len(model.classes_) == 2
    return f"scikit-learn {sklearn.__version__}", [outputs[:, 1:] if binary else outputs]


Runner = Callable[[Any, list[np.ndarray], list[Any]], tuple[str, list[np.ndarray]]]
_BY_SUFFIX: dict[str, Runner] = {
    ".tflite": _tflite_micro,
    ".keras": _keras,
    ".h5": _keras,
    ".onnx": _onnxruntime,
    ".pt2": _torch,
}
_BY_PACKAGE: dict[str, Runner] = {"keras": _keras, "torch": _torch, "sklearn": _sklearn}
