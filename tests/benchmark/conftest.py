"""Lets the tests of this folder import the benchmark's modules, and those of host_tools that it takes."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmark"), str(ROOT / "host_tools")]
