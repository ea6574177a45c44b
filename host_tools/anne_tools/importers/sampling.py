"""Where a resized image takes its pixels from: ONNX's and PyTorch's words for it, compared with what our layer does.

Frameworks have many ways to say it, of which some are equal at some sizes. So the pixels themselves are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError

# (align_corners, half_pixel_centers) of our layer
FLAGS = ((False, False), (False, True), (True, False))
MODES = ("nearest", "linear")


def flags(
    where: str, mode: str, ends: Sequence[tuple[int, int, float]], how: str, rounding: str = "floor"
) -> tuple[bool, bool]:
    """Return (align_corners, half_pixel_centers) of the layer that takes the same pixels; ModelError if none does.

    `ends` is (size, new size, factor) of each axis; `how` and `rounding` are ONNX's coordinate_transformation_mode and
    nearest_mode.
    """
    if mode not in MODES or how not in _PLACES or rounding not in _ROUNDINGS:
        raise ModelError(
            f"{where}: mode {mode[:40]}, {how[:40]}, {rounding[:40]} is not supported; supported: {', '.join(MODES)}; "
            f"{', '.join(_PLACES)}"
        )
    if how == "align_corners" and any(abs(n * factor - size) > 1e-3 for n, size, factor in ends):
        raise ModelError(f"{where}: align_corners by factors that do not give whole sizes is not supported")
    for align, half in FLAGS:
        if all(
            np.allclose(_theirs(mode, *end, how, rounding), _ours(mode, *end[:2], align, half), atol=1e-4)
            for end in ends
        ):
            return align, half
    raise ModelError(f"{where}: {mode}, {how}, {rounding} from {[end[:2] for end in ends]} is not supported")


def _half_pixel(x, n: int, size: int, factor: float):
    return (x + 0.5) / factor - 0.5


def _pytorch_half_pixel(x, n: int, size: int, factor: float):
    return _half_pixel(x, n, size, factor) if size > 1 else 0 * x


def _asymmetric(x, n: int, size: int, factor: float):
    return x / factor


def _align_corners(x, n: int, size: int, factor: float):
    return x * (n - 1) / (size - 1) if size > 1 else 0 * x


_PLACES = {
    "half_pixel": _half_pixel,
    "pytorch_half_pixel": _pytorch_half_pixel,
    "asymmetric": _asymmetric,
    "align_corners": _align_corners,
}
_ROUNDINGS = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
}


def _theirs(mode: str, n: int, size: int, factor: float, how: str, rounding: str) -> np.ndarray:
    """The place in the image for each new pixel."""
    x = _PLACES[how](np.arange(size, dtype=np.float64), n, size, factor)
    return np.clip(_ROUNDINGS[rounding](x) if mode == "nearest" else x, 0, n - 1)


def _ours(mode: str, n: int, size: int, align: bool, half: bool) -> np.ndarray:
    """The same of our layer, which is TensorFlow Lite's."""
    x = np.arange(size, dtype=np.float64)
    factor = (n - 1) / (size - 1) if align and size > 1 else n / size
    if mode == "linear":
        x = (x + 0.5) * factor - 0.5 if half else x * factor
    else:
        x = (x + 0.5 if half else x) * factor
        x = np.floor(x + 0.5) if align else np.floor(x)
    return np.clip(x, 0, n - 1)
