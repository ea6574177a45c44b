"""What the tests of several importers share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from anne_tools.network.graph import Graph


@pytest.fixture
def read_tflite(tmp_path: Path) -> Callable[[bytes], Graph]:
    """Reads the bytes of a TFLite model."""
    from anne_tools.importers import tflite

    def read(data: bytes) -> Graph:
        path = tmp_path / "model.tflite"
        path.write_bytes(data)
        return tflite.read(path)

    return read
