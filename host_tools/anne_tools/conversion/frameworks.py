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

from ..cores.native import flip_sign, quantize_input
from ..errors import ModelError
from ..importers import recognise_file


class NotInstalledError(ModelError):
    """The framework that could answer is not there or must not be asked, or there is none for this kind of file."""


def framework_outputs(
    source: Any,
    x: np.ndarray,
    input_tensor: Any,
    trust_pickle: bool = False,
    network: str | int | None = None,
) -> tuple[str, np.ndarray]:
    """Return (the framework's name, its outputs) for samples x of real numbers; integers where a .tflite gives them.

    `source` is a path or a model object. `input_tensor` (an `anne.model_file.Tensor`) quantises x for integer models.
    `trust_pickle` allows what runs code of the file's author; `network` picks from a pickle (importers.load).
    NotInstalledError if nothing here can run it, ModelError if the framework fails.
    """
    suffix = Path(source).suffix.lower() if isinstance(source, (str, Path)) else ""
    root = type(source).__module__.partition(".")[0]
    runner = _BY_SUFFIX.get(suffix) or (None if suffix else _BY_PACKAGE.get(root))
    if suffix and trust_pickle and recognise_file(Path(source)).module == "pickles":
        from ..importers import pickles

        *transformers, model = pickles.unpickle(Path(source), network)[0]
        for transformer in transformers:
            x = transformer.transform(x)
        return framework_outputs(model, x, input_tensor)
    if suffix == ".pt2" and not trust_pickle:
        raise NotInstalledError("PyTorch may run code in a .pt2; --trust-pickle lets it")
    if runner is None:
        raise NotInstalledError(f"no framework runs {suffix or root}")
    try:
        return runner(source, x, input_tensor)
    except ImportError as error:
        raise NotInstalledError(f"{(error.name or str(error)).partition('.')[0]} is not installed") from None
    except Exception as error:  # of any kind: our importer goes by content, a framework by the file's name
        line = next(iter(str(error).splitlines()), "")
        raise ModelError(
            f"the framework for {suffix or root} failed: {type(error).__name__}: {line}"
        ) from error


def _tflite_micro(path: Any, x: np.ndarray, tensor: Any) -> tuple[str, np.ndarray]:
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(path))
    details = interpreter.get_input_details(0)
    shape = details["shape"]
    # an int8 file may take floats all the same, and round them itself
    inputs = x.astype(np.float32) if details["dtype"] == np.float32 else quantize_input(x, tensor)
    if details["dtype"] == np.uint8:
        inputs = flip_sign(inputs)
    outputs = []
    for sample in inputs:
        interpreter.set_input(np.ascontiguousarray(sample).reshape(shape), 0)
        interpreter.invoke()
        outputs.append(np.array(interpreter.get_output(0)))
    answers = np.stack(outputs)
    return "TFLite Micro", flip_sign(answers) if answers.dtype == np.uint8 else answers


def _keras(source: Any, x: np.ndarray, tensor: Any) -> tuple[str, np.ndarray]:
    import keras

    model = source
    if isinstance(source, (str, Path)):
        model = keras.models.load_model(str(source), compile=False)
    return f"Keras {keras.__version__}", np.asarray(model.predict(x.astype(np.float32), verbose=0))


def _onnxruntime(path: Any, x: np.ndarray, tensor: Any) -> tuple[str, np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    dtype = {"tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(int64)": np.int64}.get(
        given.type, np.float32
    )
    # a classifier tells the class, too, and its probabilities perhaps by the names of the classes
    scores = [o.name for o in session.get_outputs() if o.type not in ("tensor(int64)", "tensor(string)")][:1]
    # one at a time: a file may have a fixed batch of 1
    outputs = [session.run(scores, {given.name: sample[None].astype(dtype)})[0] for sample in x]
    rows = [[list(row.values()) for row in y] if isinstance(y, list) else y for y in outputs]
    return f"ONNX Runtime {onnxruntime.__version__}", np.concatenate(rows)


def _torch(source: Any, x: np.ndarray, tensor: Any) -> tuple[str, np.ndarray]:
    import torch

    model = torch.export.load(str(source)).module() if isinstance(source, (str, Path)) else source
    if isinstance(model, torch.nn.Module) and not isinstance(source, (str, Path)):
        model = model.eval()
    with torch.no_grad():
        outputs = [model(torch.from_numpy(sample[None].astype(np.float32))).numpy() for sample in x]
    return f"PyTorch {torch.__version__}", np.concatenate(outputs)


def _sklearn(model: Any, x: np.ndarray, tensor: Any) -> tuple[str, np.ndarray]:
    import sklearn

    outputs = np.asarray(model.predict_proba(x) if hasattr(model, "predict_proba") else model.predict(x))
    # a binary classifier's file has one output, the probability of the second class
    binary = hasattr(model, "classes_") and outputs.ndim == 2 and len(model.classes_) == 2
    return f"scikit-learn {sklearn.__version__}", outputs[:, 1:] if binary else outputs


Runner = Callable[[Any, np.ndarray, Any], tuple[str, np.ndarray]]
_BY_SUFFIX: dict[str, Runner] = {
    ".tflite": _tflite_micro,
    ".keras": _keras,
    ".h5": _keras,
    ".onnx": _onnxruntime,
    ".pt2": _torch,
}
_BY_PACKAGE: dict[str, Runner] = {"keras": _keras, "torch": _torch, "sklearn": _sklearn}
