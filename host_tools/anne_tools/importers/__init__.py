"""From a framework's file or object to a Graph: `load` picks the importer, one module a source does the
reading.

Each module has one public function `read(source, **options) -> Graph`, where source is a `pathlib.Path` or,
where the source lives in memory, the object itself. A module is imported when it is needed, so the packages
it needs are needed by nobody else. No importer executes what a file says; pickles, which do, are opened only
on request.

Whatever a file holds, it costs no more than `budget` allows for its size.

To add a source: write the module, add a row to IMPORTERS.
"""

from __future__ import annotations

import importlib
import math
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.texts import harmless
from ..errors import ModelError
from ..network.graph import Graph
from . import budget
from .keras_kinds import refuse_folder, refuse_part_of_saved_model

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
ZIP_MAGIC = b"PK\x03\x04"
# What a pickle of protocol 2 to 5 begins with (and an object in one of 0 or 1), and what joblib's compressions do:
# zlib, gzip, bz2, xz, lzma, lz4, and its own of old.
PICKLE_MAGICS = (
    b"ccopy_reg\n",
    b"\x80\2",
    b"\x80\3",
    b"\x80\4",
    b"\x80\5",
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
)
PICKLE_MAGICS += (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x5d\0\0", b"\x04\x22\x4d\x18", b"ZF0x")


@dataclass(frozen=True)
class Importer:
    """One row of the table: how a source is recognised, which module reads it, what that needs.

    `recognises` judges the first bytes of a file and, if it is a zip file, the names in it. `packages` are
    the roots of the modules that classes of in-memory sources come from; `options` those that `read` takes.
    """

    module: str
    suffixes: tuple[str, ...] = ()
    recognises: Callable[[bytes, list[str]], bool] = lambda head, members: False
    packages: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    extra: str = ""


# Where several recognise a file, a suffix that agrees decides, else the first of them.
IMPORTERS = (
    Importer(
        "keras",
        (".keras", ".h5", ".hdf5"),
        lambda head, members: (
            head.startswith(HDF5_MAGIC) or {"config.json", "model.weights.h5"} <= set(members)
        ),
        packages=("keras", "tf_keras", "tensorflow"),
        options=("input_shape",),
        extra="keras",
    ),
    Importer(
        "tflite",
        (".tflite",),
        lambda head, members: head[4:8] == b"TFL3",
        options=("input_shape",),
        extra="tflite",
    ),
    Importer("onnx", (".onnx",), options=("input_shape",)),
    Importer(
        "torch",
        (".pt2", ".pth", ".pt"),
        lambda head, members: any(m.endswith(("data.pkl", "archive_format", "/model.json")) for m in members),
        packages=("torch",),
        options=("layers", "input_shape", "network"),
        extra="torch",
    ),
    Importer(
        "pickles",
        (".pkl", ".pickle", ".joblib"),
        lambda head, members: head.startswith(PICKLE_MAGICS),
        options=("load", "trust_pickle", "network"),
        extra="sklearn",
    ),
    Importer("sklearn", packages=("sklearn",), extra="sklearn"),
    Importer(
        "ai_anne",
        (".json", ".py"),
        lambda head, members: head.lstrip()[:1] == b"{",
        options=("network",),
    ),
)
# Options of `load` that are refused where the importer does not take them: what each is for.
PURPOSES = {
    "layers": "a list of layers is for a PyTorch state_dict",
    "network": "a choice of network is for a file that holds several",
    "input_shape": "an input_shape is for a model whose file leaves it open",
}


def load(
    source: str | os.PathLike | object,
    *,
    trust_pickle: bool = False,
    layers: Any = None,
    input_shape: Any = None,
    network: str | int | None = None,
) -> Graph:
    """Return the checked Graph of a model file (a path) or of an object in memory (scikit-learn, torch,
    Keras, dict).

    The format is recognised by content, then by suffix. `trust_pickle` lets a .pkl or .joblib be opened,
    which runs whatever code its author put there; `layers` lists the layers of a bare PyTorch state_dict;
    `input_shape` (without batch) helps to trace an nn.Module that does not begin with a Linear layer, and says how long
    axes are that a file leaves open; of several inputs it is a dict of shapes by name, or a list; `network` picks one
    of several in a file, by the name or the number (from 1) that the message without it lists.
    ModelError in one line for everything that is wrong with the source, or for a package that is not
    installed.
    """
    is_path = isinstance(source, (str, os.PathLike))
    source = Path(source) if is_path else source
    importer = recognise_file(source) if is_path else recognise_object(source)
    given = {"layers": layers, "network": network, "input_shape": input_shape}
    for name, purpose in PURPOSES.items():
        if given[name] is not None and name not in importer.options:
            raise ModelError(f"{purpose}, not for the {importer.module} importer")
    given |= {"load": load, "trust_pickle": trust_pickle}  # what is in a pickle may be of any framework
    options = {name: given[name] for name in importer.options}
    is_bounded = is_path and importer.module != "pickles"  # which run code of their author
    what = source.suffix if is_path and source.suffix else importer.module
    try:
        module = importlib.import_module(f"{__name__}.{importer.module}")
        with budget.begin(budget.file_bytes(source) if is_bounded else math.inf):
            graph = module.read(source, **options).check()
            budget.layers(_layers_that_stay(graph))
            budget.steps(len(graph.layers) ** 2 // 16, "its layers")  # passes compare each with each
    except ImportError as error:
        raise _missing_package(importer, what, error) from error
    except ModelError as error:
        if not is_path:
            raise
        raise ModelError(f"{source.name}: {_one_line(error, 2000)}") from error
    except Exception as error:
        if not is_path:
            raise
        raise _damaged(source, importer, error) from error
    return _say_where_from(graph, importer, source if is_path else None)


def recognise_file(path: Path) -> Importer:
    """Return the importer for a file, by content and suffix. ModelError if there is none, or no file."""
    if os.path.isdir(path):  # False, too, for what cannot be a path: an error below
        refuse_folder(path)
    head, members = _peek(path)
    by_suffix = [i for i in IMPORTERS if path.suffix.lower() in i.suffixes]
    by_content = [i for i in IMPORTERS if i.recognises(head, members)]
    for importer in by_suffix:
        if importer in by_content or not by_content:
            return importer
    if by_suffix and by_suffix[0].module == "torch" and by_content[0].module == "pickles":
        return by_suffix[0]  # torch's oldest .pth files are pickles, and its importer reads them with care
    if by_content:
        return by_content[0]
    refuse_part_of_saved_model(path)
    if head.startswith(b"ANNE"):
        raise ModelError(
            f"{path.name}: is a model file already; convert what it was made from, or run it: anne run"
        )
    known = ", ".join(suffix for importer in IMPORTERS for suffix in importer.suffixes)
    raise ModelError(f"{path.name}: unknown kind of model file; known: {known}")


def recognise_object(source: object) -> Importer:
    """Return the importer for an object, by the package of its class or a base. ModelError if none."""
    if isinstance(source, dict):
        return next(importer for importer in IMPORTERS if importer.module == "ai_anne")
    roots = {base.__module__.partition(".")[0] for base in type(source).__mro__}
    for importer in IMPORTERS:
        if roots.intersection(importer.packages):
            return importer
    raise ModelError(
        f"cannot import an object of class {type(source).__module__}.{type(source).__qualname__}; expected "
        "a path, a scikit-learn estimator, a torch.nn.Module, a Keras model or a dict"
    )


def _peek(path: Path) -> tuple[bytes, list[str]]:
    """The first bytes of a file and, for a zip file, the names in it ([] if its directory is damaged)."""
    size = budget.file_bytes(path)
    with path.open("rb") as file:
        head = file.read(64)
    members: list[str] = []
    if head.startswith(ZIP_MAGIC):
        try:
            with budget.begin(size), budget.open_zip(path) as archive:
                members = archive.namelist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            pass  # the importer that the suffix names will say what is wrong
    return head, members


def _layers_that_stay(graph: Graph) -> int:
    """At least the layers of a model file, whatever can be folded: one holds one product or sum of tensors, and one
    activation, at most."""
    products_and_sums = sum(layer.n_weights > 0 or len(layer.inputs) > 1 for layer in graph.layers)
    activations = sum(getattr(layer, "activation", "linear") != "linear" for layer in graph.layers)
    return max(products_and_sums, activations)


def _missing_package(importer: Importer, what: str, error: ImportError) -> Exception:
    package = (error.name or "").partition(".")[0]
    if not package or package == __name__.partition(".")[0]:
        return error
    hint = f": pip install 'ai-anne[{importer.extra}]'" if importer.extra else ""
    return ModelError(f"reading {what} needs {package}{hint}")


def _damaged(path: Path, importer: Importer, error: Exception) -> ModelError:
    reason = _one_line(str(error).strip().partition("\n")[0], 200)
    return ModelError(
        f"{path.name}: damaged, or not a file that the {importer.module} importer can read "
        f"({type(error).__name__}{': ' if reason else ''}{reason})"
    )


def _one_line(text: object, limit: int) -> str:
    """What a message may show of a file: harmless, on one line, of about that length."""
    shown = str(text)
    return harmless(shown[:limit]) + (" ..." if len(shown) > limit else "")


def _say_where_from(graph: Graph, importer: Importer, path: Path | None) -> Graph:
    graph.metadata.provenance.setdefault("importer", importer.module)
    if path:
        graph.metadata.sources = [path, *graph.metadata.sources]
        graph.metadata.provenance.setdefault("file", path.name)
        if graph.metadata.name == "model":
            graph.metadata.name = path.stem
    return graph
