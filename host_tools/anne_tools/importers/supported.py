"""What the importers read, by the words of the sources: for `anne convert --supported`."""

from __future__ import annotations

from importlib import import_module

from ..errors import ModelError

# Sources, the module that knows their layers or operators, and what that calls them.
_TABLES = {
    "keras": ("keras_layers", "SUPPORTED"),
    "onnx": ("onnx_operators", "OPERATORS"),
    "tflite": ("tflite_operators", "OPERATORS"),
    "torch": ("torch_operators", "OPERATORS"),
    "torch-layers": ("torch_layers", "KINDS"),
}
SOURCES = tuple(_TABLES)


def supported(source: str) -> str:
    """Return the layers or operators that are read of one of SOURCES; ModelError where its package is missing."""
    module, name = _TABLES[source]
    try:
        table = getattr(import_module(f"{__package__}.{module}"), name)
    except ImportError as error:
        raise ModelError(
            f"{source}: needs the package {error.name}: pip install ai-anne[{source}]"
        ) from error
    return table if isinstance(table, str) else ", ".join(sorted(n for n in table if not n.startswith("_")))
