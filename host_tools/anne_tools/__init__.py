"""AI-ANNE's host tools: trained networks into model files for the Pico, and what belongs to that.

>>> import anne_tools
>>> converted = anne_tools.convert("net.keras", dtype="int8", calibrate=x_train[:500])
>>> converted.save("net.anne")
"""

from importlib import import_module

from .errors import DeviceError, ModelError

__all__ = ["Converted", "DeviceError", "ModelError", "convert"]


def __getattr__(name: str) -> object:
    """Import what converts, and numpy with it, when it is first asked for: the `anne` command starts without."""
    if name not in ("Converted", "convert"):
        raise AttributeError(f"module anne_tools has no attribute {name}")
    return getattr(import_module(".conversion", __name__), name)
