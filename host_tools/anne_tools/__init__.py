"""AI-ANNE's host tools: trained networks into model files for the Pico, and what belongs to that.

>>> import anne_tools
>>> converted = anne_tools.convert("net.keras", dtype="int8", calibrate=x_train[:500])
>>> converted.save("net.anne")
"""

from .convert import Converted, convert
from .errors import DeviceError, ModelError

__all__ = ["Converted", "DeviceError", "ModelError", "convert"]
