"""bfloat16, for which numpy has no type: the upper half of a float32."""

import numpy as np


def to_float32(bits: np.ndarray) -> np.ndarray:
    """Return the numbers that uint16 `bits` stand for, exactly."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
