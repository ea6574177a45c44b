"""AI-ANNE's host tools: trained networks into model files for the Pico, and what belongs to that.

>>> import anne_tools
>>> converted = anne_tools.convert("net.keras", calibrate=x_train[:500])
>>> converted                         # its report
>>> converted.save("net.anne")
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .errors import DeviceError, ModelError

if TYPE_CHECKING:
    from .conversion.convert import Converted, convert

__all__ = ["Converted", "DeviceError", "ModelError", "convert"]


def __getattr__(name: str) -> object:
    """Import what converts, and numpy with it, when it is first asked for: the `anne` command starts without."""
    if name not in ("Converted", "convert"):
        raise AttributeError(f"module anne_tools has no attribute {name}")
    return getattr(import_module(".conversion.convert", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
